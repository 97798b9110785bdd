"""Bedrock usage as metric families: gauges of today, this month and the month before."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from exporter import metrics
from exporter.config import Application
from exporter.interpretation import periods
from exporter.interpretation.limits import GroupUsage, LimitState
from exporter.interpretation.meaning import ModelPlace
from exporter.interpretation.measures import Labels, Measures
from exporter.interpretation.models import describe
from exporter.interpretation.totals import KINDS, GroupTotal, Totals
from exporter.metrics import Family, Metric, Value
from exporter.snapshot.exposure import Exposure, summed
from exporter.snapshot.history import PeriodUsage
from exporter.usage import LABELS, slot_of

_NOTHING = GroupTotal(first_slot=0)

Samples = Mapping[tuple[str, ...], Value]


def usage_families(
    usage: PeriodUsage, exposure: Exposure, now: datetime, zone: ZoneInfo
) -> list[Family]:
    """Return the gauges of usage and cost."""
    return [
        *_group_families(usage, exposure),
        *_forecast_families(usage, exposure, now, zone),
        *_month_families(usage.month, exposure),
        summed(
            exposure,
            metrics.HOUR_OF_DAY,
            (
                (Labels(application=application), (f"{hour:02d}",), requests)
                for (application, hour), requests in usage.requests_by_hour.items()
            ),
        ),
        *_info_families(usage.month),
    ]


class _Sums:
    """Requests, tokens and cost of one period, summed as they are exposed."""

    def __init__(self) -> None:
        self.requests: dict[tuple[str, ...], int] = defaultdict(int)
        self.tokens: dict[tuple[str, ...], int] = defaultdict(int)
        self.cost_usd: dict[tuple[str, ...], Decimal] = defaultdict(Decimal)

    def add(self, values: tuple[str, ...], total: GroupTotal, of_month: GroupTotal) -> None:
        """Add what a label set used, at 0 if need be, of all that it used this month."""
        self.requests[values] += total.requests
        for kind, tokens, is_used in zip(KINDS, total.tokens, of_month.tokens, strict=True):
            if is_used:
                self.tokens[*values, kind] += tokens
        if of_month.cost_usd is not None:
            self.cost_usd[values] += total.cost_usd or 0


def _group_families(usage: PeriodUsage, exposure: Exposure) -> list[Family]:
    """Return today, this month and the previous one by label set.

    A label set and a kind of token seen this month stay, at 0 if need be, until it ends; what
    nothing has a price for has no cost.
    """
    values_of, names = exposure.values_of(), exposure.names(LABELS)
    today, month = _Sums(), _Sums()
    for labels, total in usage.month.groups.items():
        values = values_of(labels)
        today.add(values, usage.today.groups.get(labels, _NOTHING), total)
        month.add(values, total, total)
    return [
        Family(metrics.REQUESTS_TODAY, names, today.requests),
        Family(metrics.REQUESTS_MONTH, names, month.requests),
        Family(metrics.TOKENS_TODAY, (*names, "token_kind"), today.tokens),
        Family(metrics.TOKENS_MONTH, (*names, "token_kind"), month.tokens),
        Family(metrics.COST_TODAY, names, today.cost_usd),
        Family(metrics.COST_MONTH, names, month.cost_usd),
        Family(
            metrics.COST_PREVIOUS_MONTH, names, _cost_usd(exposure, usage.previous_month.groups)
        ),
    ]


def _cost_usd(
    exposure: Exposure, groups: Mapping[Labels, GroupTotal]
) -> dict[tuple[str, ...], Decimal]:
    """Return the cost of the label sets of which something has a price, as exposed."""
    values_of = exposure.values_of()
    costs: dict[tuple[str, ...], Decimal] = defaultdict(Decimal)
    for labels, total in groups.items():
        if total.cost_usd is not None:
            costs[values_of(labels)] += total.cost_usd
    return costs


def mean_days(usage: PeriodUsage, now: datetime, zone: ZoneInfo) -> Decimal | None:
    """Return how many full days the mean of the last 7 can be over; None below 24 hours of data.

    Days before the first record are none; one of which only a part has data counts in part, but
    never for less than one.
    """
    first = usage.first_slot
    if first is None or slot_of(now) - first < periods.SLOTS_PER_DAY:
        return None
    history = Decimal(periods.today(now, zone).start - first) / periods.SLOTS_PER_DAY
    return min(max(history, Decimal(1)), Decimal(periods.MEAN_DAYS))


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
    used = _cost_usd(exposure, usage.month.groups)
    means = {values: cost / days for values, cost in _cost_usd(exposure, usage.last_7_days).items()}
    projected = {
        values: used.get(values, Decimal(0)) + left * means.get(values, Decimal(0))
        for values in used | means
    }
    return [
        Family(metrics.COST_DAILY_MEAN, exposure.names(LABELS), means),
        Family(metrics.COST_PROJECTED, exposure.names(LABELS), projected),
    ]


def _month_families(month: Totals, exposure: Exposure) -> list[Family]:
    """Return what this month's cost and tokens are made of."""
    return [
        summed(
            exposure,
            metrics.COST_BY_KIND,
            (
                (_labels(place, application), (kind,), cost)
                for (place, application, kind), cost in month.cost_by_kind.items()
            ),
        ),
        summed(
            exposure,
            metrics.COST_BY_PROVENANCE,
            ((Labels(), (of,), cost) for of, cost in month.cost_by_provenance.items()),
        ),
        summed(
            exposure,
            metrics.TOKENS_BY_ROUTING,
            (
                (_labels(place), (routing, kind), tokens)
                for (place, routing, kind), tokens in month.tokens_by_routing.items()
            ),
        ),
        summed(
            exposure,
            metrics.CACHE_SAVINGS,
            (
                (_labels(place, application), (), saved)
                for (place, application), saved in month.cache_savings.items()
            ),
        ),
        summed(
            exposure,
            metrics.UNPRICED_TOKENS,
            (
                (_labels(place), (kind,), tokens)
                for (place, _, kind), tokens in month.unpriced_tokens.items()
            ),
        ),
        summed(
            exposure,
            metrics.UNPRICED_REQUESTS,
            (
                (_labels(place), (reason,), requests)
                for (place, reason), requests in month.unpriced_requests.items()
            ),
        ),
    ]


def _labels(place: ModelPlace, application: str = "") -> Labels:
    return Labels(place.account_id, place.region, application, model=place.model)


def _info_families(month: Totals) -> list[Family]:
    """Return what describes the models in use; not summed, so all their labels are exposed."""
    models = sorted({labels.model for labels in month.groups})
    info: Samples = {(model, *describe(model)): 1 for model in models}
    prices: Samples = {
        (*called, price.provenance): price.usd_per_token for called, price in month.prices.items()
    }
    return [
        Family(metrics.PRICE, metrics.PRICE.labels, prices),
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
                labels = (state.product, state.name, *state.labels, state.measure, state.period)
                samples[labels] = amount
        return Family(metric, metric.labels, samples)

    return [
        family(metrics.LIMIT_THRESHOLD, lambda state: state.threshold),
        family(metrics.LIMIT_USED, lambda state: state.used),
        family(metrics.LIMIT_RATIO, lambda state: state.ratio),
        family(metrics.LIMIT_PROJECTED, lambda state: state.projected_ratio),
        family(metrics.LIMIT_RESET, lambda state: int(state.reset.timestamp())),
    ]
