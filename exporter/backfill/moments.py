"""The moments of a history, in seconds since the epoch.

They are the multiples of the step, as those of a PromQL range query are, both ends, and each
midnight of the configured time zone with the second after it: a range in PromQL leaves its start
out, so that without that second the increase of a day would begin a step late.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from exporter.backfill.request import BackfillError, Request
from exporter.interpretation import periods
from exporter.usage import SLOT_SECONDS, slot_of

_DAY = timedelta(days=1)


def choose_moments(
    request: Request, first_slot: int | None, now: datetime, zone: ZoneInfo
) -> list[int]:
    """Return the moments from the first day to the end of the last, as far as there is usage.

    They begin with the first slot that has usage, and end with the last slot that is over. Raises
    BackfillError for a first day that has not begun.
    """
    today = now.astimezone(zone).date()
    if request.first is not None and request.first > today:
        raise BackfillError(f"--from {request.first} has not begun: today is {today} in {zone}")
    if first_slot is None:
        return []
    first = (
        periods.previous_month(now, zone).start
        if request.first is None
        else periods.day_start(request.first, zone)
    )
    start = max(first, first_slot) * SLOT_SECONDS
    end = slot_of(now) * SLOT_SECONDS
    if request.last is not None and request.last < today:
        end = _midnight(request.last + _DAY, zone)
    step = int(request.step.total_seconds())
    steps = range(start + -start % step, end, step)
    moments = {start, *steps, *_around_midnights(start, end, zone), end}
    return sorted(moment for moment in moments if start <= moment <= end)


def _around_midnights(start: int, end: int, zone: ZoneInfo) -> Iterator[int]:
    """Yield the first two seconds of each day that a range touches."""
    day = datetime.fromtimestamp(start, UTC).astimezone(zone).date()
    while (midnight := _midnight(day, zone)) <= end:
        yield midnight
        yield midnight + 1
        day += _DAY


def _midnight(day: date, zone: ZoneInfo) -> int:
    return periods.day_start(day, zone) * SLOT_SECONDS
