"""Builds snapshots: asks for every period once and takes every family from the same values."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from exporter import metrics
from exporter.config import Application, Config
from exporter.interpretation.limits import LimitState, evaluate
from exporter.interpretation.meaning import Interpreter
from exporter.interpretation.names import Names
from exporter.interpretation.prices import PriceBook
from exporter.interpretation.totals import Totals
from exporter.ledger import Ledger, NewPrompts
from exporter.metrics import CATALOGUE, Family, Type
from exporter.page import PageView
from exporter.snapshot.assistant_counters import ASSISTANT_COUNTERS
from exporter.snapshot.assistant_figures import AssistantFigures
from exporter.snapshot.assistants import Assistants, users_of, virtual_cost_by_user
from exporter.snapshot.counters import Counters
from exporter.snapshot.exporter_families import (
    record_families,
    refresh_family,
    source_families,
    spend_families,
)
from exporter.snapshot.exposure import Exposure, users_to_fold
from exporter.snapshot.history import History, PeriodUsage
from exporter.snapshot.page_view import page_view
from exporter.snapshot.usage_counters import USAGE_COUNTERS, count_totals, counters_at_zero
from exporter.snapshot.usage_families import (
    application_family,
    group_usage,
    limit_families,
    usage_families,
)
from exporter.status import AwsSpend, SourceStatus
from exporter.usage import SLOTS_A_DAY, Fact, Summed, Usage, slot_start

_ORDER = {name: place for place, name in enumerate(CATALOGUE)}
_FOLDED_COUNTERS = (*USAGE_COUNTERS, *ASSISTANT_COUNTERS)
"""The counters with the label `user`: they fold as the gauges do."""
_SIZE_SERIES = 2
"""The families that say how large the snapshot is have one series each."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All that is exposed, as of one moment."""

    families: tuple[Family, ...]
    """In the order of the catalogue."""
    page: PageView
    month: str
    """The month of the gauges, as 2026-11."""
    exposed_users: frozenset[str]
    """Users whose usage of this month has series of its own."""

    @property
    def series(self) -> int:
        """Return how many series are exposed."""
        return sum(len(family.samples) for family in self.families)


@dataclass(frozen=True, slots=True)
class UsageSnapshot:
    """All that is exposed of usage and limits, as of one moment."""

    families: tuple[Family, ...]
    """In the order of the catalogue."""
    month: str
    """The month of the gauges, as 2026-11."""
    exposed_users: frozenset[str]
    """Users whose usage of this month has series of its own."""
    folded: frozenset[str]
    """The other users."""


class SnapshotBuilder:
    """Builds snapshots of one ledger under one configuration; the counters outlive it."""

    def __init__(self, settings: Config, ledger: Ledger, counters: Counters) -> None:
        self._settings = settings
        self._ledger = ledger
        self._counters = counters
        self._book = PriceBook.bundled(settings.prices.overrides)
        self._interpret_with(self._looked_up())
        self._uncounted: dict[tuple[int, Fact], Summed] = {}
        self._uncounted_prompts: NewPrompts = {}
        self._unfolded = Exposure(settings.metrics.labels)
        for metric in _FOLDED_COUNTERS:
            counters.name_labels(metric, self._unfolded.names(metric.labels))

    def _looked_up(self) -> Names:
        return Names(self._settings.aws.lookups, self._ledger.lookups())

    def _interpret_with(self, names: Names) -> None:
        """Interpret anew, by what AWS told of names."""
        self._names = names
        self._interpreter = Interpreter(self._settings, self._book, names)
        self._history = History(self._ledger, self._interpreter, self._settings.timezone)
        self._assistants = Assistants(self._settings, self._ledger.assistants, self._book, names)

    def count(self, usage: Iterable[Usage]) -> None:
        """Count usage that was newly taken, once the next snapshot is built."""
        for slot, fact, counts in usage:
            key = slot // SLOTS_A_DAY, fact
            before = self._uncounted.get(key)
            self._uncounted[key] = Summed(
                min(slot, before.first_slot) if before else slot,
                before.counts.plus(counts) if before else counts,
            )

    def count_prompts(self, new: NewPrompts) -> None:
        """Count prompts that were newly taken, once the next snapshot is built."""
        for key, counts in new.items():
            before = self._uncounted_prompts.get(key)
            self._uncounted_prompts[key] = before.plus(counts) if before else counts

    def _take_uncounted(self) -> Totals:
        """Return what is to be counted, at the price of its day, under the names of this moment."""
        uncounted, self._uncounted = self._uncounted, {}
        totals = Totals()
        for (_, fact), summed in uncounted.items():
            meaning = self._history.interpret(fact)
            if meaning is not None:
                day = slot_start(summed.first_slot).date()
                totals.add_usage(meaning, summed, self._interpreter.unit_prices(meaning, day))
        return totals

    def build(self, now: datetime, sources: Sequence[SourceStatus], spend: AwsSpend) -> Snapshot:
        """Return the snapshot as of `now`."""
        if (names := self._looked_up()) != self._names:
            self._interpret_with(names)
        usage, limits = self._evaluate(now)
        assistants = self._assistants.figures(now)
        configured = {source.name for source in self._settings.sources}
        # What a source of another name once read is in the figures, but tells nothing of now.
        newest = [row for row in self._ledger.newest_records() if row.source in configured]
        own = [
            *record_families(newest, self._settings.sources),
            *source_families(sources),
            *spend_families(spend),
            refresh_family(self._settings.refresh_interval),
            *self._own_counters(now),
        ]
        limits = [*limits, *assistants.limits]
        told = self._tell(usage, assistants, limits, now, _count_series(own) + _SIZE_SERIES)
        families = [*told.families, *own]
        families += _size_families(families, told.folded)
        return Snapshot(
            families=_in_order(families),
            page=page_view(
                self._settings,
                self._applications(),
                usage,
                self._history.daily_cost_usd(now),
                assistants,
                limits,
                sources,
                newest,
                self._counters,
                spend,
                now,
            ),
            month=told.month,
            exposed_users=told.exposed_users,
        )

    def build_usage(self, now: datetime) -> UsageSnapshot:
        """Return what a snapshot as of `now` has of usage alone: no page, and no exporter."""
        usage, limits = self._evaluate(now)
        return self._tell(usage, None, limits, now, reserved=0)

    def _evaluate(self, now: datetime) -> tuple[PeriodUsage, list[LimitState]]:
        settings, usage = self._settings, self._history.usage(now)
        limits = [limit for limit in settings.limits if limit.product == "bedrock"]
        if not limits:
            return usage, []
        return usage, evaluate(limits, group_usage(usage), now, settings.timezone)

    def _tell(
        self,
        usage: PeriodUsage,
        assistants: AssistantFigures | None,
        limits: Iterable[LimitState],
        now: datetime,
        reserved: int,
    ) -> UsageSnapshot:
        """Return usage and limits as they are exposed beside so many other series."""
        settings = self._settings
        month = f"{now.astimezone(settings.timezone):%Y-%m}"
        families = [
            application_family(self._applications()),
            *limit_families(limits),
        ]
        room = settings.metrics.max_series - _count_series(families) - reserved
        exposure, gauges, counters = self._fit(usage, assistants, now, month, room)
        count_totals(self._counters, self._take_uncounted(), exposure)
        new, self._uncounted_prompts = self._uncounted_prompts, {}
        self._assistants.count(self._counters, new, exposure)
        families += gauges
        families += [self._counters.family(born.metric, now, born.samples) for born in counters]
        return UsageSnapshot(
            families=_in_order(families),
            month=month,
            exposed_users=_exposed_users(usage, assistants, exposure),
            folded=exposure.folded,
        )

    def _applications(self) -> Mapping[str, Application]:
        """Return who answers for each application."""
        return self._interpreter.applications(self._history.principals())

    def _own_counters(self, now: datetime) -> list[Family]:
        """Return the counters of the exporter itself."""
        return [
            self._counters.family(metric, now)
            for metric in CATALOGUE.values()
            if metric.type is Type.COUNTER and metric not in _FOLDED_COUNTERS
        ]

    def _fit(
        self,
        usage: PeriodUsage,
        assistants: AssistantFigures | None,
        now: datetime,
        month: str,
        room: int,
    ) -> tuple[Exposure, list[Family], list[Family]]:
        """Return gauges and counters, folded as far as there is no room for them."""
        exposure = self._unfolded
        gauges, counters = self._exposed(usage, assistants, exposure, now)
        folded = users_to_fold(
            [*gauges, *counters],
            _cost_usd_by_user(usage, assistants),
            self._ledger.exposed_users(month),
            room,
        )
        if folded:
            exposure = Exposure(exposure.labels, folded)
            gauges, counters = self._exposed(usage, assistants, exposure, now)
        return exposure, gauges, counters

    def _exposed(
        self,
        usage: PeriodUsage,
        assistants: AssistantFigures | None,
        exposure: Exposure,
        now: datetime,
    ) -> tuple[list[Family], list[Family]]:
        gauges = usage_families(usage, exposure, now, self._settings.timezone)
        counters = counters_at_zero(usage, exposure)
        if assistants:
            gauges += self._assistants.gauges(assistants, exposure)
            counters += self._assistants.counters_at_zero(assistants, exposure)
        return gauges, counters


def _in_order(families: Iterable[Family]) -> tuple[Family, ...]:
    return tuple(sorted(families, key=lambda family: _ORDER[family.metric.name]))


def _cost_usd_by_user(
    usage: PeriodUsage, assistants: AssistantFigures | None
) -> dict[str, Decimal]:
    """Return what users cost, or would have cost where they pay a flat rate."""
    costs: dict[str, Decimal] = defaultdict(Decimal)
    for labels, total in usage.month.groups.items():
        costs[labels.user] += total.cost_usd or 0
    for user, cost_usd in virtual_cost_by_user(assistants) if assistants else ():
        costs[user] += cost_usd
    return costs


def _exposed_users(
    usage: PeriodUsage, assistants: AssistantFigures | None, exposure: Exposure
) -> frozenset[str]:
    if "user" not in exposure.labels:
        return frozenset()
    users = {labels.user for labels in usage.month.groups}
    users.update(users_of(assistants) if assistants else ())
    return frozenset(users - exposure.folded)


def _count_series(families: Iterable[Family]) -> int:
    return sum(len(family.samples) for family in families)


def _size_families(families: Iterable[Family], folded: frozenset[str]) -> list[Family]:
    series = _count_series(families) + _SIZE_SERIES
    return [
        Family(metrics.FOLDED_USERS, (), {(): len(folded)}),
        Family(metrics.SERIES, (), {(): series}),
    ]
