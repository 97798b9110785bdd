"""Calendar periods of a time zone as ranges of UTC slots.

A day begins at its first midnight or, where the clock jumps over that, at the first moment after
it. So the days of every zone tile time without gap or overlap, 23 to 25 hours each (a skipped one
0), and begin on a slot's border. Weeks are ISO weeks: they begin on Monday. Holds no clock: `now`
is an argument, and aware.
"""

from collections.abc import Iterator, Set
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from exporter import config
from exporter.usage import SLOT_SECONDS, slot_of, slot_start

SLOTS_PER_DAY = 24 * 3600 // SLOT_SECONDS

MEAN_DAYS = 7
"""Full days that a daily mean is over, and so a projection by it."""


class SlotRange(NamedTuple):
    """Slots from `start` inclusive to `end` exclusive."""

    start: int
    end: int


def day_start(day: date, zone: ZoneInfo) -> int:
    """Return the first slot of a day."""
    return slot_of(datetime.combine(day, time.min, tzinfo=zone))


def today(now: datetime, zone: ZoneInfo) -> SlotRange:
    """Return the whole day that holds `now`."""
    return _days(*_day(now, zone), zone)


def this_week(now: datetime, zone: ZoneInfo) -> SlotRange:
    """Return the whole ISO week that holds `now`."""
    return _days(*_week(now, zone), zone)


def this_month(now: datetime, zone: ZoneInfo) -> SlotRange:
    """Return the whole month that holds `now`."""
    return _days(*_month(now, zone), zone)


def previous_month(now: datetime, zone: ZoneInfo) -> SlotRange:
    """Return the whole month before the one that holds `now`."""
    return months_back(now, zone, 1)


def months_back(now: datetime, zone: ZoneInfo, months: int) -> SlotRange:
    """Return the whole month that lies so many months before the one that holds `now`."""
    first, _ = _month(now, zone)
    count = first.year * 12 + first.month - 1 - months
    start = date(count // 12, count % 12 + 1, 1)
    return _days(start, (start + timedelta(days=31)).replace(day=1), zone)


def last_full_days(now: datetime, zone: ZoneInfo, days: int = 7) -> SlotRange:
    """Return so many days up to the start of today."""
    first, _ = _day(now, zone)
    return _days(first - timedelta(days=days), first, zone)


def trailing_days(now: datetime, days: int = 30) -> SlotRange:
    """Return so many times 24 hours up to and with the slot that holds `now`."""
    end = slot_of(now) + 1
    return SlotRange(end - days * SLOTS_PER_DAY, end)


def reset_time(now: datetime, zone: ZoneInfo, period: config.Period) -> datetime:
    """Return the moment, in UTC, at which the period that holds `now` ends."""
    _, end = period_days(now, zone, period)
    return slot_start(day_start(end, zone))


def period_days(now: datetime, zone: ZoneInfo, period: config.Period) -> tuple[date, date]:
    """Return the first day of the period that holds `now`, and the first after it."""
    return {"day": _day, "week": _week, "month": _month}[period](now, zone)


def split_at(slots: SlotRange, days: Set[date]) -> list[SlotRange]:
    """Split a range at the UTC midnights with which the given days begin."""
    midnights = {slot_of(datetime.combine(day, time.min, tzinfo=UTC)) for day in days}
    inner = {slot for slot in midnights if slots.start < slot < slots.end}
    return _split(slots, sorted(inner))


def constant_offset_parts(slots: SlotRange, zone: ZoneInfo) -> list[tuple[SlotRange, int]]:
    """Split a range where the zone's UTC offset changes; each part with its offset in slots.

    The local hour of a slot is ((slot + offset) // 4) % 24.
    """
    changes = list(_offset_changes(slots, zone))
    return [(part, _offset(part.start, zone)) for part in _split(slots, changes)]


def _offset_changes(slots: SlotRange, zone: ZoneInfo) -> Iterator[int]:
    """Find the slots at which another offset begins: no zone changes twice within a day."""
    for start in range(slots.start, slots.end - 1, SLOTS_PER_DAY):
        before, after = start, min(start + SLOTS_PER_DAY, slots.end - 1)
        offset = _offset(before, zone)
        if _offset(after, zone) == offset:
            continue
        while after - before > 1:
            middle = (before + after) // 2
            if _offset(middle, zone) == offset:
                before = middle
            else:
                after = middle
        yield after


def _offset(slot: int, zone: ZoneInfo) -> int:
    offset = slot_start(slot).astimezone(zone).utcoffset() or timedelta()
    return int(offset.total_seconds()) // SLOT_SECONDS


def _split(slots: SlotRange, borders: list[int]) -> list[SlotRange]:
    if slots.start >= slots.end:
        return []
    starts = [slots.start, *borders]
    return [SlotRange(*pair) for pair in zip(starts, [*borders, slots.end], strict=True)]


def _day(now: datetime, zone: ZoneInfo) -> tuple[date, date]:
    """Return the first day of the period that holds `now` and the first after it."""
    day = now.astimezone(zone).date()
    return day, day + timedelta(days=1)


def _week(now: datetime, zone: ZoneInfo) -> tuple[date, date]:
    day = now.astimezone(zone).date()
    monday = day - timedelta(days=day.weekday())
    return monday, monday + timedelta(days=7)


def _month(now: datetime, zone: ZoneInfo) -> tuple[date, date]:
    first = now.astimezone(zone).date().replace(day=1)
    return first, (first + timedelta(days=31)).replace(day=1)


def _days(first: date, end: date, zone: ZoneInfo) -> SlotRange:
    return SlotRange(day_start(first, zone), day_start(end, zone))
