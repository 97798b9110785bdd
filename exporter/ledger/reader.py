"""Reads the ledger: sums over periods, facts by their number, how far the sources got."""

import json
import sqlite3
from collections import Counter
from datetime import UTC, date, datetime
from pathlib import Path
from typing import NamedTuple, Self

from exporter.ledger.assistant_reader import AssistantReader
from exporter.ledger.changes import Changes
from exporter.ledger.database import open_for_reading, told
from exporter.usage import (
    AthenaScan,
    AwsRequest,
    Counts,
    Fact,
    LookedUp,
    Progress,
    Summed,
)

FIRST_FILL = "first_fill_completed_at"
"""The note that is left when all that there was to read at first is read."""


class NewestRecord(NamedTuple):
    """The newest record that a source gave of an account and region."""

    source: str
    account_id: str
    region: str
    timestamp: int
    """In seconds since the epoch."""


class Ledger:
    """A ledger that is only read."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._connection = connection
        self._facts: dict[int, Fact] = {}
        self._changes = Changes()
        self.assistants = AssistantReader(path, connection)

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open a ledger for reading. Raises LedgerError."""
        return cls(path, open_for_reading(path))

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def fact(self, number: int) -> Fact:
        """Return a fact by its number in the sums."""
        if number not in self._facts:
            with told(self.path):
                row = self._connection.execute(
                    "SELECT account_id, region, inference_region, principal, model_id, "
                    "context_from, service_tier, outcome, metadata FROM fact WHERE id = ?",
                    (number,),
                ).fetchone()
            metadata = tuple((key, value) for key, value in json.loads(row[-1]))
            self._facts[number] = Fact(*(*row[:-1], metadata))
        return self._facts[number]

    def sum_usage(self, start: int, end: int) -> dict[int, Summed]:
        """Return what each fact, by its number, amounted to in the slots from start to end."""
        with told(self.path):
            rows = self._connection.execute(
                "SELECT fact, min(slot), sum(requests), sum(input), sum(output), "
                "sum(cache_read), sum(cache_write_5m), sum(cache_write_1h), "
                "sum(cache_write_unsplit) FROM usage WHERE slot >= ? AND slot < ? GROUP BY fact",
                (start, end),
            )
            return {row[0]: Summed(row[1], Counts(*row[2:])) for row in rows}

    def count_requests_by_hour(
        self, start: int, end: int, offset: int
    ) -> dict[tuple[int, int], int]:
        """Return the requests of each (fact, hour of the day) in a range of slots.

        `offset` is that of the time zone from UTC, in slots.
        """
        with told(self.path):
            rows = self._connection.execute(
                "SELECT fact, (slot + ?) / 4 % 24 AS hour, sum(requests) FROM usage "
                "WHERE slot >= ? AND slot < ? GROUP BY fact, hour",
                (offset, start, end),
            )
            return {(row[0], row[1]): row[2] for row in rows}

    def last_change(self, start: int, end: int) -> int:
        """Return a number that grows whenever usage is added to a day that a range touches."""
        return self._changes.last(start, end)

    def newest_records(self) -> list[NewestRecord]:
        """Return the newest record of each source, account and region."""
        with told(self.path):
            rows = self._connection.execute(
                "SELECT source, account_id, region, timestamp FROM newest_record ORDER BY 1, 2, 3"
            )
            return [NewestRecord(*row) for row in rows]

    def progress(self, location: str, account_id: str, region: str) -> Progress | None:
        """Return how far a location's logs of an account and region are read."""
        return next(
            (
                progress
                for progress in self.all_progress(location)
                if (progress.account_id, progress.region) == (account_id, region)
            ),
            None,
        )

    def all_progress(self, location: str) -> list[Progress]:
        """Return how far each account and region of a location is read."""
        with told(self.path):
            rows = self._connection.execute(
                "SELECT account_id, region, listed_at, filled_to, fill_from FROM progress "
                "WHERE location = ? ORDER BY 1, 2",
                (location,),
            )
            return [
                Progress(location, account_id, region, *map(_moment, moments))
                for account_id, region, *moments in rows
            ]

    def known_objects(self, account_id: str, region: str, day: date) -> set[tuple[int, str]]:
        """Return path hour and name of each object of one UTC day that was read."""
        midnight = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) // 3600
        with told(self.path):
            rows = self._connection.execute(
                "SELECT hour, name FROM log_object "
                "WHERE account_id = ? AND region = ? AND hour >= ? AND hour < ?",
                (account_id, region, midnight, midnight + 24),
            )
            return {(hour, name) for hour, name in rows}

    def aws_requests(self, day: date) -> Counter[AwsRequest]:
        """Return the exporter's own requests to AWS on one UTC day."""
        with told(self.path):
            rows = self._connection.execute(
                "SELECT service, operation, requests FROM aws_request WHERE day = ?",
                (day.isoformat(),),
            )
            return Counter({AwsRequest(row[0], row[1]): row[2] for row in rows})

    def athena_scans(self, day: date) -> list[AthenaScan]:
        """Return what each source's queries of Athena scanned on one UTC day."""
        with told(self.path):
            rows = self._connection.execute(
                "SELECT source, queries, scanned_bytes, billed_bytes FROM athena_scan "
                "WHERE day = ? ORDER BY 1",
                (day.isoformat(),),
            )
            return [AthenaScan(*row) for row in rows]

    def lookups(self) -> dict[tuple[str, str], LookedUp]:
        """Return what AWS said of names, by kind and name."""
        with told(self.path):
            rows = self._connection.execute(
                'SELECT kind, key, "values", looked_up_at FROM lookup ORDER BY 1, 2'
            )
            return {
                (kind, key): LookedUp(
                    kind,
                    key,
                    tuple((name, value) for name, value in json.loads(values)),
                    _moment(at),
                )
                for kind, key, values, at in rows
            }

    def named_since(self, slot: int) -> set[tuple[str, str, str, str]]:
        """Return account id, region, principal and model id of all usage since a slot."""
        with told(self.path):
            rows = self._connection.execute(
                "SELECT DISTINCT account_id, region, principal, model_id FROM fact "
                "WHERE id IN (SELECT fact FROM usage WHERE slot >= ?)",
                (slot,),
            )
            return {(row[0], row[1], row[2], row[3]) for row in rows}

    def assistant_users_since(self, slot: int) -> set[str]:
        """Return the ids of all users of developer assistants since a slot."""
        return self.assistants.users_since(slot)

    def exposed_users(self, month: str) -> frozenset[str]:
        """Return the users that had series of their own in a month, given as 2026-11."""
        with told(self.path):
            rows = self._connection.execute(
                "SELECT user FROM exposed_user WHERE month = ?", (month,)
            )
            return frozenset(row[0] for row in rows)

    def note(self, key: str) -> str | None:
        """Return a note that the exporter left itself."""
        with told(self.path):
            row = self._connection.execute(
                "SELECT value FROM note WHERE key = ?", (key,)
            ).fetchone()
            return row[0] if row else None


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
