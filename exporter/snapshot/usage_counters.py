"""Bedrock usage as counters: which series there are, and what newly taken usage adds to them.

Series are those of this and the previous month, so that their number is bounded however long the
process runs. What counts in a series that is not shown now is kept until it is.
"""

from collections import defaultdict

from exporter import metrics
from exporter.interpretation.totals import KINDS, Totals
from exporter.metrics import Family, Metric
from exporter.snapshot.counters import Counters
from exporter.snapshot.exposure import Exposure
from exporter.snapshot.history import PeriodUsage

USAGE_COUNTERS = (metrics.REQUESTS, metrics.REQUEST_ERRORS, metrics.TOKENS, metrics.COST)


def counters_at_zero(usage: PeriodUsage, exposure: Exposure) -> list[Family]:
    """Return the counters of all label sets of this and the previous month, each at 0."""
    values_of = exposure.values_of()
    series: dict[Metric, dict[tuple[str, ...], int]] = defaultdict(dict)
    for totals in (usage.previous_month, usage.month):
        for labels, total in totals.groups.items():
            values = values_of(labels)
            series[metrics.REQUESTS][values] = 0
            if total.cost_usd is not None:
                series[metrics.COST][values] = 0
            for kind, tokens in zip(KINDS, total.tokens, strict=True):
                if tokens:
                    series[metrics.TOKENS][*values, kind] = 0
        for labels, code in totals.errors:
            series[metrics.REQUEST_ERRORS][*values_of(labels), code] = 0
    return [
        Family(metric, exposure.names(metric.labels), series[metric]) for metric in USAGE_COUNTERS
    ]


def count_totals(counters: Counters, totals: Totals, exposure: Exposure) -> None:
    """Add newly taken usage to the counters of its label sets."""
    values_of = exposure.values_of()
    for labels, total in totals.groups.items():
        values = values_of(labels)
        counters.add(metrics.REQUESTS, total.requests, *values)
        for kind, tokens in zip(KINDS, total.tokens, strict=True):
            if tokens:
                counters.add(metrics.TOKENS, tokens, *values, kind)
        if total.cost_usd is not None:
            counters.add(metrics.COST, total.cost_usd, *values)
    for (labels, code), errors in totals.errors.items():
        counters.add(metrics.REQUEST_ERRORS, errors, *values_of(labels), code)
