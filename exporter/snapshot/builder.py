"""Builds snapshots: asks for every period once and takes every family from the same values."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from exporter import metrics
from exporter.config import Config
from exporter.interpretation.limits import evaluate
from exporter.interpretation.meaning import Interpreter
from exporter.interpretation.prices import PriceBook
from exporter.interpretation.totals import KINDS, Totals
from exporter.ledger import Ledger
from exporter.metrics import CATALOGUE, Family, Metric
from exporter.page import PageView
from exporter.snapshot.counters import Counters
from exporter.snapshot.exporter_families import record_families, source_families, spend_families
from exporter.snapshot.exposure import Exposure, users_to_fold
from exporter.snapshot.history import History, PeriodUsage
from exporter.snapshot.page_view import page_view
from exporter.snapshot.usage_families import (
    application_family,
    group_usage,
    limit_families,
    usage_families,
)
from exporter.status import AwsSpend, SourceStatus
from exporter.usage import Summed, Usage, slot_start


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All that is exposed, as of one moment."""

    families: tuple[Family, ...]
    """In the order of the catalogue."""
    page: PageView
    month: str
    """The month of the gauges, as 2026-11."""
    exposed_users: frozenset[str]
    """Users with series of their own."""


class SnapshotBuilder:
    """Builds snapshots of one ledger under one configuration; the counters outlive it."""

    def __init__(self, settings: Config, ledger: Ledger, counters: Counters) -> None:
        self._settings = settings
        self._ledger = ledger
        self._counters = counters
        self._interpreter = Interpreter(settings, PriceBook.bundled(settings.prices.overrides))
        self._history = History(ledger, self._interpreter, settings.timezone)
        self._uncounted = Totals()

    def count(self, usage: Iterable[Usage]) -> None:
        """Count usage that was newly taken, at the price of its day."""
        for slot, fact, counts in usage:
            meaning = self._history.interpret(fact)
            if meaning is not None:
                unit_prices = self._interpreter.unit_prices(meaning, slot_start(slot).date())
                self._uncounted.add_usage(meaning, Summed(slot, counts), unit_prices)

    def build(self, now: datetime, sources: Sequence[SourceStatus], spend: AwsSpend) -> Snapshot:
        """Return the snapshot as of `now`."""
        settings, zone = self._settings, self._settings.timezone
        usage = self._history.usage(now)
        limits = evaluate(settings.limits, group_usage(usage), now, zone)
        newest = self._ledger.newest_records()
        others = [
            application_family(settings.attribution.applications),
            *limit_families(limits),
            *record_families(newest),
            *source_families(sources),
            *spend_families(spend),
        ]
        month = f"{now.astimezone(zone):%Y-%m}"
        exposure = Exposure(settings.metrics.labels)
        gauges = usage_families(usage, exposure, now, zone)
        folded = users_to_fold(
            [*gauges, *_births(usage, exposure)],
            _cost_by_user(usage),
            self._ledger.exposed_users(month),
            settings.metrics.max_series - sum(len(family.samples) for family in others),
        )
        if folded:
            exposure = Exposure(settings.metrics.labels, folded)
            gauges = usage_families(usage, exposure, now, zone)
        families = [*self._counter_families(usage, exposure, now), *gauges, *others]
        families += _size_families(families, folded)
        order = list(CATALOGUE)
        return Snapshot(
            families=tuple(sorted(families, key=lambda family: order.index(family.metric.name))),
            page=page_view(settings, usage, limits, sources, newest, self._counters, spend, now),
            month=month,
            exposed_users=frozenset(labels.user for labels in usage.month.groups) - folded,
        )

    def _counter_families(
        self, usage: PeriodUsage, exposure: Exposure, now: datetime
    ) -> list[Family]:
        for family in _births(usage, exposure):
            for values in family.samples:
                self._counters.ensure(family.metric, *values)
        self._count_totals(exposure)
        names = {metric: exposure.names(metric.labels) for metric in CATALOGUE.values()}
        return [
            _without_users(family, exposure.folded)
            for family in self._counters.families(now, names)
        ]

    def _count_totals(self, exposure: Exposure) -> None:
        counters, totals = self._counters, self._uncounted
        for labels, total in totals.groups.items():
            values = exposure.values(labels)
            counters.add(metrics.REQUESTS, total.requests, *values)
            for kind, tokens in zip(KINDS, total.tokens, strict=True):
                if tokens:
                    counters.add(metrics.TOKENS, tokens, *values, kind)
            if total.cost_usd is not None:
                counters.add(metrics.COST, total.cost_usd, *values)
        for (labels, code), errors in totals.errors.items():
            counters.add(metrics.REQUEST_ERRORS, errors, *exposure.values(labels), code)
        self._uncounted = Totals()


def _births(usage: PeriodUsage, exposure: Exposure) -> list[Family]:
    """Return, at 0, the counters of all label sets of this and the previous month."""
    series: dict[Metric, dict[tuple[str, ...], int]] = defaultdict(dict)
    for totals in (usage.previous_month, usage.month):
        for labels, total in totals.groups.items():
            values = exposure.values(labels)
            series[metrics.REQUESTS][values] = 0
            if total.cost_usd is not None:
                series[metrics.COST][values] = 0
            for kind, tokens in zip(KINDS, total.tokens, strict=True):
                if tokens:
                    series[metrics.TOKENS][*values, kind] = 0
        for labels, code in totals.errors:
            series[metrics.REQUEST_ERRORS][*exposure.values(labels), code] = 0
    return [
        Family(metric, exposure.names(metric.labels), samples) for metric, samples in series.items()
    ]


def _cost_by_user(usage: PeriodUsage) -> dict[str, Decimal]:
    costs: dict[str, Decimal] = defaultdict(Decimal)
    for labels, total in usage.month.groups.items():
        costs[labels.user] += total.cost_usd or 0
    return costs


def _without_users(family: Family, folded: frozenset[str]) -> Family:
    """Leave out what a user counted before it folded: it goes on under `other`."""
    if not folded or "user" not in family.labels:
        return family
    position = family.labels.index("user")
    left = {key: value for key, value in family.samples.items() if key[position] not in folded}
    return Family(family.metric, family.labels, left)


def _size_families(families: Sequence[Family], folded: frozenset[str]) -> list[Family]:
    sizes = [
        Family(metrics.FOLDED_USERS, (), {(): len(folded)}),
        Family(metrics.SERIES, (), {(): 0}),
    ]
    series = sum(len(family.samples) for family in [*families, *sizes])
    return [sizes[0], Family(metrics.SERIES, (), {(): series})]
