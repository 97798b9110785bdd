"""Remembers which days were changed, so that what was computed of the others still holds."""

from collections.abc import Iterable

from exporter.usage import SLOTS_A_DAY


class Changes:
    """The changes of one table since the ledger was opened."""

    def __init__(self) -> None:
        self._changes = 0
        self._days: dict[int, int] = {}

    def note(self, slots: Iterable[int]) -> None:
        """Note one change to the days of some slots."""
        self._changes += 1
        for day in {slot // SLOTS_A_DAY for slot in slots}:
            self._days[day] = self._changes

    def last(self, start: int, end: int) -> int:
        """Return a number that grows whenever a day is changed that a range of slots touches."""
        days = range(start // SLOTS_A_DAY, (end - 1) // SLOTS_A_DAY + 1)
        return max((self._days.get(day, 0) for day in days), default=0)
