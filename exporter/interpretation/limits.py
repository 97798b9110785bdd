"""Configured limits held against usage: how much is used, and where it is heading.

Sees label sets as they are, before any is folded or dropped for exposition. Does no counting: the
figures of each period are given to it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from operator import attrgetter
from typing import NamedTuple
from zoneinfo import ZoneInfo

from exporter import config
from exporter.interpretation import periods
from exporter.interpretation.measures import Labels, Measures
from exporter.usage import SLOT_SECONDS, slot_of

MEAN_DAYS = 7
"""Full days that a projection takes its mean from."""

_MICROSECOND = timedelta(microseconds=1)
_MICROSECONDS_PER_SLOT = SLOT_SECONDS * 1_000_000


Amounts = tuple[Decimal | int, ...]
"""What was used, by measure."""


class GroupUsage(NamedTuple):
    """The usage of one label set in the periods that hold now and in the last 7 full days."""

    labels: Labels
    day: Amounts
    week: Amounts
    month: Amounts
    last_7_days: Amounts
    first_slot: int
    """Earliest slot in which the label set was ever used."""


@dataclass(frozen=True, slots=True)
class LimitState:
    """One limit on one group, now."""

    product: str
    name: str
    labels: Labels
    """Those that neither `match` nor `by` names are empty; several values are joined by |."""
    measure: config.Measure
    period: config.Period
    threshold: Decimal
    used: Decimal
    ratio: Decimal
    projected_ratio: Decimal | None
    """At the end of the period; None while the group has less than 24 hours of history."""
    reset: datetime
    """End of the period, UTC."""


def evaluate(
    limits: Sequence[config.Limit],
    usage: Iterable[GroupUsage],
    now: datetime,
    zone: ZoneInfo,
    measures: Sequence[str] = Measures._fields,
    measured_to: datetime | None = None,
) -> list[LimitState]:
    """Return the state of every limit, in the order of the configuration.

    A limit without `by` always has one; with `by`, one for each combination of values that was
    used in this period or this month, in their order. `measures` names the amounts of a group.
    Where usage becomes known late, by whole days, `measured_to` is the end of the last of them:
    the full days before it are those of `last_7_days`, and what is left of a period begins there.
    """
    groups = list(usage)
    totals: dict[_Grouping, dict[tuple[str, ...], _Total]] = {}
    states = []
    for limit in limits:
        grouping = _grouping(limit)
        if grouping not in totals:
            totals[grouping] = _total(groups, grouping, measures.index(limit.measure))
        times = _times(limit.period, now, zone, measured_to)
        states += [
            _state(limit, labels, total, times)
            for labels, total in _matching(limit, grouping, totals[grouping])
        ]
    return states


class _Grouping(NamedTuple):
    """What limits must share to share a sum over all usage."""

    labels: tuple[config.Label, ...]
    measure: config.Measure
    period: config.Period


def _grouping(limit: config.Limit) -> _Grouping:
    named = {*limit.match, *limit.by}
    labels = tuple(label for label in config.LABELS if label in named)
    return _Grouping(labels, limit.measure, limit.period)


class _Total(NamedTuple):
    """What the label sets of a group used together."""

    used: Decimal | int
    last_7_days: Decimal | int
    first_slot: int
    seen: bool
    """Whether anything was used in this period or this month."""

    def plus(self, other: "_Total") -> "_Total":
        return _Total(
            self.used + other.used,
            self.last_7_days + other.last_7_days,
            min(self.first_slot, other.first_slot),
            self.seen or other.seen,
        )


def _total(
    groups: list[GroupUsage], grouping: _Grouping, field: int
) -> dict[tuple[str, ...], _Total]:
    """Add up the usage that agrees in the labels of a grouping."""
    positions = [Labels._fields.index(label) for label in grouping.labels]
    period = attrgetter(grouping.period)
    totals: dict[tuple[str, ...], _Total] = {}
    for group in groups:
        amounts: Amounts = period(group)
        total = _Total(
            amounts[field],
            group.last_7_days[field],
            group.first_slot,
            any(amounts) or any(group.month),
        )
        key = tuple([group.labels[position] for position in positions])
        totals[key] = totals[key].plus(total) if key in totals else total
    return totals


def _matching(
    limit: config.Limit, grouping: _Grouping, totals: dict[tuple[str, ...], _Total]
) -> list[tuple[Labels, _Total | None]]:
    """Return the label sets that a limit exists for, in order, each with what was used."""
    match = {label: frozenset(wanted) for label, wanted in limit.match.items()}
    wanted = [(grouping.labels.index(label), values) for label, values in match.items()]
    split = [grouping.labels.index(label) for label in limit.by]
    matching: dict[tuple[str, ...], _Total] = {}
    for values, total in totals.items():
        if all(values[position] in allowed for position, allowed in wanted):
            key = tuple([values[position] for position in split])
            matching[key] = matching[key].plus(total) if key in matching else total
    fixed = {label: "|".join(sorted(values)) for label, values in match.items()}
    if not limit.by:
        return [(Labels(**fixed), matching.get(()))]
    return sorted(
        (Labels(**fixed, **dict(zip(limit.by, key, strict=True))), total)
        for key, total in matching.items()
        if total.seen
    )


class _Times(NamedTuple):
    """What a projection needs to know of now."""

    today: int
    """First slot of today, or of what is not known yet."""
    newest_first_slot: int
    """That of a group with exactly 24 hours of history."""
    remaining: int
    """Microseconds until the reset."""
    reset: datetime


def _times(
    period: config.Period, now: datetime, zone: ZoneInfo, measured_to: datetime | None
) -> _Times:
    reset = periods.reset_time(now, zone, period)
    known = measured_to or now
    return _Times(
        today=slot_of(known) if measured_to else periods.today(now, zone).start,
        newest_first_slot=slot_of(known) - periods.SLOTS_PER_DAY,
        remaining=max(0, (reset - known) // _MICROSECOND),
        reset=reset,
    )


def _state(limit: config.Limit, labels: Labels, total: _Total | None, times: _Times) -> LimitState:
    used = Decimal(total.used if total else 0)
    projected = _project(total, times) if total else None
    return LimitState(
        product=limit.product,
        name=limit.name,
        labels=labels,
        measure=limit.measure,
        period=limit.period,
        threshold=limit.threshold,
        used=used,
        ratio=used / limit.threshold,
        projected_ratio=None if projected is None else projected / limit.threshold,
        reset=times.reset,
    )


def _project(total: _Total, times: _Times) -> Decimal | None:
    """Return what will be used by the reset: the used and, for what is left, the mean per day.

    The mean is over the full days since the group's first usage, at least 1 and at most 7. Days
    are of 24 hours here, so that on the day of a clock change 23 or 25 hours are left, not one day.
    """
    if total.first_slot > times.newest_first_slot:
        return None
    history = times.today - total.first_slot
    slots = min(max(history, periods.SLOTS_PER_DAY), MEAN_DAYS * periods.SLOTS_PER_DAY)
    to_come = Decimal(total.last_7_days * times.remaining) / (slots * _MICROSECONDS_PER_SLOT)
    return total.used + to_come
