"""PromQL over the exporter's metrics, the way every panel asks.

A metric is taken through `max without (instance, pod)` before anything is summed: an exporter that
runs twice, or has just moved to another pod, counts once. Exact figures of today and this month are
gauges; any other range of time is the increase of a counter, which Prometheus extrapolates by up to
a scrape at either end, and of which a pod that takes over under another `instance` keeps only the
larger part: a scrape configuration does well to keep that label stable.
"""

from exporter.metrics import Metric

_AHEAD = "[$__rate_interval] offset -$__interval"
"""What an interval that begins at a point of a panel holds, and a scrape before it."""

TOLD_APART = 'user!~"|unknown|other"'
"""Select what can be counted as users.

`unknown` and `other` stand for any number of them; a series without the label, as where
`metrics.labels` leaves `user` out, for all.
"""


def chosen(*labels: str) -> tuple[str, ...]:
    """Select what the reader chose in the variables of these names; All is any value, or none."""
    return tuple(f'{label}=~"${label}"' for label in labels)


def selected(metric: Metric, *where: str) -> str:
    """Return a metric's series, those of a doubled exporter included."""
    return f"{metric.name}{{{', '.join(where)}}}" if where else metric.name


def each(metric: Metric, *where: str) -> str:
    """Return a metric's series as one exporter says them."""
    return f"max without (instance, pod) ({selected(metric, *where)})"


def total(metric: Metric, *where: str, by: str = "") -> str:
    """Return the sum of a gauge."""
    return f"{_sum(by)} ({each(metric, *where)})"


def highest(metric: Metric, *where: str, by: str) -> str:
    """Return the largest of a gauge that must not be summed, such as a ratio."""
    return f"max by ({by}) ({each(metric, *where)})"


def over_range(metric: Metric, *where: str, by: str = "") -> str:
    """Return by how much a counter rose within the dashboard's range of time."""
    return _summed(f"increase({selected(metric, *where)}[$__range])", by)


def per_interval(metric: Metric, *where: str, by: str = "") -> str:
    """Return by how much a counter rose in each interval of a panel, at the interval's start.

    The offset looks ahead, so that a day's bar stands at that day, and the last bar is today's.
    $__rate_interval is a scrape longer than the interval, so that what rose between the last sample
    of one and the first of the next is in one of them, however seldom there are samples.
    """
    rate = f"rate({selected(metric, *where)}{_AHEAD})"
    return f"{_summed(rate, by)} * $__interval_ms / 1000"


def highest_in_range(number: int, metric: Metric, *where: str, by: str) -> str:
    """Return those of a gauge's series that were highest within the dashboard's range of time.

    They are the same from its first moment to its last, instead of others at each.
    """
    peak = f"max_over_time({selected(metric, *where)}[$__range] @ end())"
    peaks = f"max by ({by}) (max without (instance, pod) ({peak}))"
    return f"{highest(metric, *where, by=by)} and topk({number}, {peaks})"


def zero_where(metric: Metric, by: str = "") -> str:
    """Return 0 in each interval of a panel in which a gauge is there."""
    there = f"max without (instance, pod) (max_over_time({metric.name}{_AHEAD}))"
    return f"0 * max by ({by}) ({there})" if by else f"0 * max({there})"


def ratio(numerator: str, denominator: str, by: str = "") -> str:
    """Divide; where there is nothing to divide by, there is no result instead of a NaN."""
    return f"{numerator} / {_on(by)}({denominator} > 0)"


def _summed(rise: str, by: str) -> str:
    return f"{_sum(by)} (max without (instance, pod) ({rise}))"


def _sum(by: str) -> str:
    return f"sum by ({by})" if by else "sum"


def _on(by: str) -> str:
    return f"on ({by}) " if by else ""
