"""Reads what the ledger holds of developer assistants: prompts, conversations, report lines."""

import sqlite3
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import msgspec

from exporter.assistant_usage import (
    Activity,
    Asker,
    Conversation,
    Credits,
    Product,
    PromptCounts,
    PromptSum,
    Reported,
    RequestKind,
    Row,
)
from exporter.identity import UNKNOWN
from exporter.ledger.changes import Changes
from exporter.ledger.database import told
from exporter.usage import SLOTS_A_DAY

EPOCH = date(1970, 1, 1)
ACTIVITY, CREDITS = "activity", "credits"
_DECODERS: dict[str, msgspec.json.Decoder[Row]] = {
    ACTIVITY: msgspec.json.Decoder(Activity),
    CREDITS: msgspec.json.Decoder(Credits),
}
_NEWEST_LINES = f"""
    SELECT account_id, region, kind, line FROM (
        SELECT account_id, region, kind, line, rank() OVER (
            PARTITION BY account_id, region, day, kind, user, subject
            ORDER BY iif(user = '{UNKNOWN}', substr(stamp, 1, 8), stamp) DESC, hour DESC,
                iif(user = '{UNKNOWN}', '', name) DESC
        ) AS place
        FROM report_line JOIN report ON report.id = report_line.report
        WHERE day >= ? AND day < ?
    ) WHERE place = 1
"""
"""Of what several deliveries say of a user and a day, the last one written holds.

Of users that privacy has made one, the lines of all parts of a delivery hold: those with stamps of
one day.
"""
_CONVERSATIONS = """
    SELECT account_id, region, product, user, sum(tokens)
    FROM conversation JOIN asker ON asker.id = asker
    WHERE slot < :end AND (asker, digest) IN (
        SELECT asker, digest FROM conversation WHERE slot >= :start AND slot < :end
    )
    GROUP BY account_id, region, product, user, digest
"""
_LARGEST_ALONE = """
    SELECT account_id, region, product, user, max(largest)
    FROM prompt_usage JOIN asker ON asker.id = asker
    WHERE slot >= :start AND slot < :end AND largest > 0
    GROUP BY account_id, region, product, user
"""


class AssistantReader:
    """The part of a ledger that speaks of developer assistants."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self._path = path
        self._connection = connection
        self._askers: dict[int, Asker] = {}
        self.changes = Changes()
        """Of prompts."""
        self.report_changes = 0
        """Grows whenever a report is taken or pruned."""

    def forget_numbers(self) -> None:
        """Forget who has which number: they may be given again."""
        self._askers.clear()

    def _asker(self, number: int) -> Asker:
        if number not in self._askers:
            row = self._connection.execute(
                "SELECT account_id, region, product, user, request_kind FROM asker WHERE id = ?",
                (number,),
            ).fetchone()
            account_id, region, product, user, kind = row
            self._askers[number] = Asker(
                account_id, region, Product(product), user, RequestKind(kind)
            )
        return self._askers[number]

    def sum_prompts(self, start: int, end: int) -> dict[Asker, PromptSum]:
        """Return what each asker amounted to in the slots from start to before end."""
        with told(self._path):
            rows = self._connection.execute(
                "SELECT asker, min(slot), sum(requests), sum(input), sum(output) "
                "FROM prompt_usage WHERE slot >= ? AND slot < ? GROUP BY asker",
                (start, end),
            ).fetchall()
            return {self._asker(row[0]): PromptSum(row[1], PromptCounts(*row[2:])) for row in rows}

    def count_prompts_by_hour(
        self, start: int, end: int, offset: int
    ) -> dict[tuple[Asker, int], int]:
        """Return the requests of each (asker, hour of the day) in a range of slots.

        `offset` is that of the time zone from UTC, in slots.
        """
        with told(self._path):
            rows = self._connection.execute(
                "SELECT asker, (slot + ?) / 4 % 24 AS hour, sum(requests) FROM prompt_usage "
                "WHERE slot >= ? AND slot < ? GROUP BY asker, hour",
                (offset, start, end),
            ).fetchall()
            return {(self._asker(row[0]), row[1]): row[2] for row in rows}

    def conversations(self, start: int, end: int) -> Iterator[Conversation]:
        """Yield each conversation that has a request in a range of slots, with all before it.

        The largest request of a user that names no conversation is one, too.
        """
        span = {"start": start, "end": end}
        with told(self._path):
            for statement in (_CONVERSATIONS, _LARGEST_ALONE):
                for account_id, region, product, user, tokens in self._connection.execute(
                    statement, span
                ):
                    yield Conversation(account_id, region, Product(product), user, tokens)

    def reported(self, first: date, last: date) -> Iterator[Reported]:
        """Yield the report lines that hold of the days from first to last, both included."""
        with told(self._path):
            rows = self._connection.execute(
                _NEWEST_LINES, ((first - EPOCH).days, (last - EPOCH).days + 1)
            )
            shared: dict[object, Any] = {}
            for account_id, region, kind, line in rows:
                row = _DECODERS[kind].decode(line)
                yield Reported(account_id, region, _shared(row, shared))

    def users_since(self, slot: int) -> set[str]:
        """Return the ids of all users of prompts or reports since a slot."""
        with told(self._path):
            rows = self._connection.execute(
                "SELECT user FROM asker WHERE id IN "
                "(SELECT asker FROM prompt_usage WHERE slot >= ?) "
                "UNION SELECT user FROM report_line WHERE day >= ?",
                (slot, slot // SLOTS_A_DAY),
            )
            return {user for (user,) in rows}


def _shared(row: Row, shared: dict[object, Any]) -> Row:
    """Return a row made of what others are made of: most texts and counts stand in many lines."""
    if isinstance(row, Activity):
        counts = tuple([shared.setdefault(pair, pair) for pair in row.counts])
        return row._replace(user=shared.setdefault(row.user, row.user), counts=counts)
    messages = tuple([shared.setdefault(pair, pair) for pair in row.messages_by_model])
    return row._replace(user=shared.setdefault(row.user, row.user), messages_by_model=messages)
