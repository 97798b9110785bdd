"""The exporter itself as metric families: its sources, its own cost."""

from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta

from exporter import metrics
from exporter.config import Source
from exporter.ledger import NewestRecord
from exporter.metrics import Family, Metric, Value
from exporter.status import AwsSpend, SourceStatus


def source_families(sources: Sequence[SourceStatus]) -> list[Family]:
    """Return how each source is doing."""

    def family(metric: Metric, value: Callable[[SourceStatus], Value | None]) -> Family:
        samples: dict[tuple[str, ...], Value] = {
            (source.name,): amount for source in sources if (amount := value(source)) is not None
        }
        return Family(metric, metric.labels, samples)

    return [
        # Of a source that waits for its first turn nothing is known.
        family(
            metrics.SOURCE_UP,
            lambda source: int(source.up) if source.up or source.is_begun else None,
        ),
        family(metrics.SOURCE_COMPLETE, lambda source: int(source.complete)),
        family(metrics.SOURCE_BACKLOG, lambda source: source.backlog_objects),
        family(
            metrics.SOURCE_LAST_SUCCESS,
            lambda source: source.last_success.timestamp() if source.last_success else None,
        ),
        family(metrics.SOURCE_DURATION, lambda source: source.last_duration_seconds),
    ]


def record_families(newest: Iterable[NewestRecord], sources: Iterable[Source]) -> list[Family]:
    """Return where usage comes from and how new it is."""
    newest = list(newest)
    accuracy = accuracies(sources)
    return [
        Family(
            metrics.USAGE_SOURCE_INFO,
            metrics.USAGE_SOURCE_INFO.labels,
            {
                (row.account_id, row.region, row.source, accuracy.get(row.source, "measured")): 1
                for row in newest
            },
        ),
        Family(
            metrics.NEWEST_RECORD,
            metrics.NEWEST_RECORD.labels,
            {(row.account_id, row.region, row.source): row.timestamp for row in newest},
        ),
    ]


def spend_families(spend: AwsSpend) -> list[Family]:
    """Return what the exporter itself spends."""
    cost: dict[tuple[str, ...], Value] = {
        (service,): usd for service, usd in spend.cost_usd_by_service.items()
    }
    return [
        Family(metrics.AWS_COST_TODAY, metrics.AWS_COST_TODAY.labels, cost),
        Family(metrics.AWS_COST_CEILING, (), {(): spend.ceiling_usd}),
    ]


def refresh_family(interval: timedelta) -> Family:
    """Return how often the sources are refreshed."""
    return Family(metrics.REFRESH_INTERVAL, (), {(): interval.total_seconds()})


def accuracies(sources: Iterable[Source]) -> dict[str, str]:
    """Return how the figures of each source come about.

    Activity reports state no tokens: they are estimated. All others state or count them.
    """
    return {
        source.name: "estimated" if source.type == "activity_reports" else "measured"
        for source in sources
    }
