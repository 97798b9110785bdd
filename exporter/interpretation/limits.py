"""Configured limits held against usage: how much is used, and where it is heading.

Sees label sets as they are, before any is folded or dropped for exposition. Does no counting: the
figures of each period are given to it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from operator import attrgetter
from typing import NamedTuple
from zoneinfo import ZoneInfo

from exporter import config
from exporter.interpretation import periods
from exporter.interpretation.measures import Labels, Measures
from exporter.usage import SLOT_SECONDS, slot_of, slot_start

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
    known_until: date | None = None
    """Of usage that is told by whole UTC days, and late: the last of them.

    The last 7 full days are those up to it.
    """


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
    is_told_by_days: bool = False,
) -> list[LimitState]:
    """Return the state of every limit, in the order of the configuration.

    A limit without `by` always has one; with `by`, one for each combination of values that was
    used in this period or this month, in their order. `measures` names the amounts of a group.
    Of usage that is told by UTC days, periods end with the UTC day of their last day.
    """
    groups = list(usage)
    totals: dict[_Grouping, dict[tuple[str, ...], _Total]] = {}
    states = []
    for limit in limits:
        grouping = _grouping(limit)
        if grouping not in totals:
            totals[grouping] = _total(groups, grouping, measures.index(limit.measure))
        times = (_days if is_told_by_days else _times)(limit.period, now, zone)
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
    known_until: date | None
    seen: bool
    """Whether anything was used in this period or this month."""

    def plus(self, other: "_Total") -> "_Total":
        return _Total(
            self.used + other.used,
            self.last_7_days + other.last_7_days,
            min(self.first_slot, other.first_slot),
            max(filter(None, (self.known_until, other.known_until)), default=None),
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
            group.known_until,
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
    """First slot of today."""
    newest_first_slot: int
    """That of a group with exactly 24 hours of history."""
    remaining: int
    """Microseconds until the reset."""
    reset: datetime


class _Days(NamedTuple):
    """What a projection needs to know of a period of usage that is told by days."""

    first: date
    end: date
    """The first day after it."""
    reset: datetime


def _times(period: config.Period, now: datetime, zone: ZoneInfo) -> _Times:
    reset = periods.reset_time(now, zone, period)
    return _Times(
        today=periods.today(now, zone).start,
        newest_first_slot=slot_of(now) - periods.SLOTS_PER_DAY,
        remaining=(reset - now) // _MICROSECOND,
        reset=reset,
    )


def _days(period: config.Period, now: datetime, zone: ZoneInfo) -> _Days:
    first, end = periods.period_days(now, zone, period)
    return _Days(first, end, reset=datetime.combine(end, time.min, UTC))


def _state(
    limit: config.Limit, labels: Labels, total: _Total | None, times: _Times | _Days
) -> LimitState:
    used = Decimal(total.used if total else 0)
    if total is None:
        projected = None
    elif isinstance(times, _Times):
        projected = _project(total, times)
    else:
        projected = _project_days(total, times)
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
    slots = min(max(history, periods.SLOTS_PER_DAY), periods.MEAN_DAYS * periods.SLOTS_PER_DAY)
    to_come = Decimal(total.last_7_days * times.remaining) / (slots * _MICROSECONDS_PER_SLOT)
    return total.used + to_come


def _project_days(total: _Total, days: _Days) -> Decimal:
    """Return what will be used in a period that is told by days: a day that is told is a full one.

    Days that are over and not told yet are among those to come.
    """
    known_until = total.known_until or days.first
    told = (known_until - slot_start(total.first_slot).date()).days + 1
    left = (days.end - max(known_until + timedelta(days=1), days.first)).days
    mean = Decimal(total.last_7_days) / min(max(told, 1), periods.MEAN_DAYS)
    return total.used + max(left, 0) * mean
