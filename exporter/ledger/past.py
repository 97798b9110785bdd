"""Reads the ledger as it would have been at an earlier moment.

Nothing tells when a record was read, so every record counts as read when its slot was over.
"""

import sqlite3
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

from exporter.ledger.database import told
from exporter.ledger.reader import Ledger
from exporter.usage import Counts, Summed, Usage


class PastLedger(Ledger):
    """A ledger of which only the slots from a start to an end are seen; at first, none.

    What an exporter writes after this one was opened is not seen either.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        super().__init__(path, connection)
        self._start = self._end = 0
        self._exposed_users: dict[str, set[str]] = defaultdict(set)
        with told(path):
            connection.execute("BEGIN")
            rows = connection.execute("SELECT DISTINCT slot FROM usage ORDER BY slot")
            self._slots = [slot for (slot,) in rows]

    def begin(self, start: int) -> int | None:
        """See no slot before a start, ever; return the first slot from there on that has usage."""
        self._start = self._end = start
        place = bisect_left(self._slots, start)
        return self._slots[place] if place < len(self._slots) else None

    def see_until(self, end: int) -> Iterator[Usage]:
        """See the slots before an end, and return the usage of those that were not seen before."""
        before, self._end = self._end, end
        return self._usage(before, end)

    def _usage(self, start: int, end: int) -> Iterator[Usage]:
        with told(self.path):
            rows = self._connection.execute(
                "SELECT slot, fact, requests, input, output, cache_read, cache_write_5m, "
                "cache_write_1h, cache_write_unsplit FROM usage WHERE slot >= ? AND slot < ?",
                (start, end),
            )
            for slot, number, *counts in rows:
                yield Usage(slot, self.fact(number), Counts(*counts))

    def sum_usage(self, start: int, end: int) -> dict[int, Summed]:
        """Return what each fact amounted to in those of the slots that are seen."""
        return super().sum_usage(max(start, self._start), min(end, self._end))

    def count_requests_by_hour(
        self, start: int, end: int, offset: int
    ) -> dict[tuple[int, int], int]:
        """Return the requests of each (fact, hour of the day) in the slots that are seen."""
        seen = max(start, self._start), min(end, self._end)
        return super().count_requests_by_hour(*seen, offset)

    def last_change(self, start: int, end: int) -> int:
        """Return a number that grows whenever usage comes to be seen in a range."""
        return bisect_left(self._slots, min(end, self._end))

    def exposed_users(self, month: str) -> frozenset[str]:
        """Return the users that had series of their own in a month, when it was or here."""
        return super().exposed_users(month) | self._exposed_users[month]

    def remember_exposed_users(self, month: str, users: Iterable[str]) -> None:
        """Remember which users had series of their own in a month, for as long as this lives."""
        self._exposed_users[month].update(users)
