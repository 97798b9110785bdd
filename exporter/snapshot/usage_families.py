"""Bedrock usage as metric families: gauges of today, this month and the month before."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import TypeVar
from zoneinfo import ZoneInfo

from exporter import metrics
from exporter.config import LABELS, Application
from exporter.interpretation import periods
from exporter.interpretation.limits import GroupUsage, LimitState
from exporter.interpretation.measures import Labels, Measures
from exporter.interpretation.models import describe
from exporter.interpretation.totals import KINDS, GroupTotal, ModelPlace, Totals
from exporter.metrics import Family, Metric, Value
from exporter.snapshot.exposure import Exposure
from exporter.snapshot.history import PeriodUsage
from exporter.usage import slot_of

_MEAN_DAYS = 7
_NOTHING = GroupTotal(first_slot=0)
_PRODUCT = "bedrock"

V = TypeVar("V", bound=Value)
Samples = Mapping[tuple[str, ...], Value]


def usage_families(
    usage: PeriodUsage, exposure: Exposure, now: datetime, zone: ZoneInfo
) -> list[Family]:
    """Return the gauges of usage and cost."""
    return [
        *_group_families(usage, exposure),
        *_forecast_families(usage, exposure, now, zone),
        *_month_families(usage.month, exposure),
        _family(
            exposure,
            metrics.HOUR_OF_DAY,
            (
                (Labels(application=application), (f"{hour:02d}",), requests)
                for (application, hour), requests in usage.requests_by_hour.items()
            ),
        ),
        *_info_families(usage.month),
    ]


def _family(
    exposure: Exposure, metric: Metric, samples: Iterable[tuple[Labels, tuple[str, ...], V]]
) -> Family:
    """Sum samples, each a label set and the values of the metric's other labels, as exposed."""
    names = [name for name in metric.labels if name in LABELS]
    sums: dict[tuple[str, ...], Value] = {}
    for labels, others, value in samples:
        key = exposure.values(labels, names) + others
        sums[key] = sums[key] + value if key in sums else value  # type: ignore[operator]
    return Family(metric, exposure.names(metric.labels), sums)


def _group_families(usage: PeriodUsage, exposure: Exposure) -> list[Family]:
    """Return today, this month and the previous one by label set.

    A label set and a kind of token seen this month stay, at 0 if need be, until it ends; what
    nothing has a price for has no cost.
    """
    month = usage.month.groups
    today = {labels: usage.today.groups.get(labels, _NOTHING) for labels in month}
    priced = [labels for labels, total in month.items() if total.cost_usd is not None]

    def requests(metric: Metric, groups: Mapping[Labels, GroupTotal]) -> Family:
        return _family(
            exposure, metric, ((labels, (), total.requests) for labels, total in groups.items())
        )

    def tokens(metric: Metric, groups: Mapping[Labels, GroupTotal]) -> Family:
        return _family(
            exposure,
            metric,
            (
                (labels, (kind,), count)
                for labels, total in groups.items()
                for kind, count, of_month in zip(
                    KINDS, total.tokens, month[labels].tokens, strict=True
                )
                if of_month
            ),
        )

    def cost(metric: Metric, groups: Mapping[Labels, GroupTotal]) -> Family:
        return _family(
            exposure,
            metric,
            ((labels, (), groups[labels].cost_usd or Decimal(0)) for labels in priced),
        )

    previous = (
        (labels, (), total.cost_usd)
        for labels, total in usage.previous_month.groups.items()
        if total.cost_usd is not None
    )
    return [
        requests(metrics.REQUESTS_TODAY, today),
        requests(metrics.REQUESTS_MONTH, month),
        tokens(metrics.TOKENS_TODAY, today),
        tokens(metrics.TOKENS_MONTH, month),
        cost(metrics.COST_TODAY, today),
        cost(metrics.COST_MONTH, month),
        _family(exposure, metrics.COST_PREVIOUS_MONTH, previous),
    ]


def mean_days(usage: PeriodUsage, now: datetime, zone: ZoneInfo) -> Decimal | None:
    """Return how many full days the mean of the last 7 can be over; None below 24 hours of data.

    Days before the first record are none; one of which only a part has data counts in part, but
    never for less than one.
    """
    first = usage.first_slot
    if first is None or slot_of(now) - first < periods.SLOTS_PER_DAY:
        return None
    history = Decimal(periods.today(now, zone).start - first) / periods.SLOTS_PER_DAY
    return min(max(history, Decimal(1)), Decimal(_MEAN_DAYS))


def remaining_days(now: datetime, zone: ZoneInfo) -> Decimal:
    """Return how much of this month is left, in days of 24 hours."""
    left = periods.reset_time(now, zone, "month") - now
    return Decimal(int(left.total_seconds())) / 86_400


def _forecast_families(
    usage: PeriodUsage, exposure: Exposure, now: datetime, zone: ZoneInfo
) -> list[Family]:
    """Return mean and projection; both add up over label sets."""
    days = mean_days(usage, now, zone)
    if days is None:
        return []
    left = remaining_days(now, zone)
    means = {
        labels: total.cost_usd / days
        for labels, total in usage.last_7_days.items()
        if total.cost_usd is not None
    }
    used = {
        labels: total.cost_usd
        for labels, total in usage.month.groups.items()
        if total.cost_usd is not None
    }
    projected = {
        labels: used.get(labels, Decimal(0)) + left * means.get(labels, Decimal(0))
        for labels in used.keys() | means.keys()
    }
    return [
        _family(exposure, metrics.COST_DAILY_MEAN, ((key, (), means[key]) for key in means)),
        _family(exposure, metrics.COST_PROJECTED, ((key, (), projected[key]) for key in projected)),
    ]


def _month_families(month: Totals, exposure: Exposure) -> list[Family]:
    """Return what this month's cost and tokens are made of."""
    return [
        _family(
            exposure,
            metrics.COST_BY_KIND,
            ((labels, (kind,), cost) for (labels, kind), cost in month.cost_by_kind.items()),
        ),
        _family(
            exposure,
            metrics.COST_BY_PROVENANCE,
            ((Labels(), (of,), cost) for of, cost in month.cost_by_provenance.items()),
        ),
        _family(
            exposure,
            metrics.TOKENS_BY_ROUTING,
            (
                (_labels(place), (routing, kind), tokens)
                for (place, routing, kind), tokens in month.tokens_by_routing.items()
            ),
        ),
        _family(
            exposure,
            metrics.CACHE_SAVINGS,
            ((labels, (), saved) for labels, saved in month.cache_savings.items()),
        ),
        _family(
            exposure,
            metrics.UNPRICED_TOKENS,
            (
                (_labels(place), (kind,), tokens)
                for (place, kind), tokens in month.unpriced_tokens.items()
            ),
        ),
        _family(
            exposure,
            metrics.UNPRICED_REQUESTS,
            (
                (_labels(place), (reason,), requests)
                for (place, reason), requests in month.unpriced_requests.items()
            ),
        ),
    ]


def _labels(place: ModelPlace) -> Labels:
    return Labels(account_id=place.account_id, region=place.region, model=place.model)


def _info_families(month: Totals) -> list[Family]:
    """Return what describes the models in use; not summed, so all their labels are exposed."""
    models = sorted({labels.model for labels in month.groups})
    info: Samples = {(model, *describe(model)): 1 for model in models}
    return [
        Family(metrics.PRICE, metrics.PRICE.labels, month.prices),
        Family(metrics.MODEL_INFO, metrics.MODEL_INFO.labels, info),
    ]


def application_family(applications: Mapping[str, Application]) -> Family:
    """Return who answers for the configured applications."""
    return Family(
        metrics.APPLICATION_INFO,
        metrics.APPLICATION_INFO.labels,
        {
            (name, application.team, application.cost_center, application.owner): 1
            for name, application in applications.items()
        },
    )


def group_usage(usage: PeriodUsage) -> list[GroupUsage]:
    """Return what limits are evaluated on: unfolded label sets with all their labels."""
    today, month = usage.today.groups, usage.month.groups
    spans = (today, usage.week, month, usage.last_7_days, usage.previous_month.groups)
    every = {labels for groups in spans for labels in groups}
    return [
        GroupUsage(
            labels=labels,
            day=_measures(today, labels),
            week=_measures(usage.week, labels),
            month=_measures(month, labels),
            last_7_days=_measures(usage.last_7_days, labels),
            first_slot=min(groups[labels].first_slot for groups in spans if labels in groups),
        )
        for labels in every
    ]


def _measures(groups: Mapping[Labels, GroupTotal], labels: Labels) -> Measures:
    total = groups.get(labels)
    return total.measures() if total else Measures()


def limit_families(states: Iterable[LimitState]) -> list[Family]:
    """Return the limits; their labels are those that the limit names, whatever is exposed."""
    states = list(states)

    def family(metric: Metric, value: Callable[[LimitState], Value | None]) -> Family:
        samples: dict[tuple[str, ...], Value] = {}
        for state in states:
            amount = value(state)
            if amount is not None:
                labels = (_PRODUCT, state.name, *state.labels, state.measure, state.period)
                samples[labels] = amount
        return Family(metric, metric.labels, samples)

    return [
        family(metrics.LIMIT_THRESHOLD, lambda state: state.threshold),
        family(metrics.LIMIT_USED, lambda state: state.used),
        family(metrics.LIMIT_RATIO, lambda state: state.ratio),
        family(metrics.LIMIT_PROJECTED, lambda state: state.projected_ratio),
        family(metrics.LIMIT_RESET, lambda state: int(state.reset.timestamp())),
    ]
