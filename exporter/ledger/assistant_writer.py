"""Writes what developer assistants' logs said; always within a transaction of the ledger's."""

import sqlite3
from collections import defaultdict
from collections.abc import Iterable

import msgspec

from exporter.assistant_usage import (
    ALONE,
    Activity,
    Asker,
    Prompt,
    PromptBatch,
    PromptCounts,
    ReportBatch,
    Row,
)
from exporter.identity import UNKNOWN
from exporter.ledger.assistant_reader import ACTIVITY, CREDITS, EPOCH

NewPrompts = dict[tuple[int, Asker], PromptCounts]
"""What was newly taken, by slot and asker."""

_NEW_REQUEST = "INSERT OR IGNORE INTO request VALUES (?, ?)"
_ADD_USAGE = """
    INSERT INTO prompt_usage VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET
        requests = requests + excluded.requests,
        input = input + excluded.input,
        output = output + excluded.output,
        largest = max(largest, excluded.largest)
"""
_ADD_CONVERSATION = """
    INSERT INTO conversation VALUES (?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET tokens = tokens + excluded.tokens
"""
_SERIES = """
    FROM report WHERE account_id = ? AND region = ? AND hour = ? AND folder = ? AND series = ?
"""
_RIVALS = f"{_SERIES} AND (part = ? OR part = '' OR ? = '')"
"""What an object may replace, or be replaced by: other parts of a delivery stand beside it."""
_REPLACED = f"{_RIVALS} AND (stamp < ? OR name = ?)"
"""Earlier deliveries, and what the object said before it was written again."""
_CONFLICTS = f"""
    SELECT count(*) FROM report_line AS this JOIN report_line AS other
    USING (day, kind, user, subject)
    WHERE this.report = ? AND other.report IN (SELECT id {_SERIES} AND stamp = ? AND id <> ?)
    AND this.line <> other.line AND user <> '{UNKNOWN}'
"""


class AssistantWriter:
    """The tables of prompts and reports."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._numbers: dict[Asker, int] = {}

    def forget_numbers(self) -> None:
        """Forget who has which number: one given in a transaction undone may be given again."""
        self._numbers.clear()

    def add_prompts(self, batches: Iterable[PromptBatch]) -> NewPrompts:
        """Add the prompts that are not known yet, and return what is new."""
        new = [prompt for batch in batches for prompt in batch.prompts if self._is_new(prompt)]
        counts: NewPrompts = defaultdict(PromptCounts)
        largest: dict[tuple[int, Asker], int] = defaultdict(int)
        conversations: dict[tuple[Asker, int, int], int] = defaultdict(int)
        for prompt in new:
            key, tokens = (prompt.slot, prompt.asker), prompt.input + prompt.output
            counts[key] = counts[key].plus(PromptCounts(1, prompt.input, prompt.output))
            if prompt.conversation == ALONE:
                largest[key] = max(largest[key], tokens)
            else:
                conversations[prompt.asker, prompt.conversation, prompt.slot] += tokens
        self._connection.executemany(
            _ADD_USAGE,
            [
                (slot, self._number(asker), *added, largest.get((slot, asker), 0))
                for (slot, asker), added in counts.items()
            ],
        )
        self._connection.executemany(
            _ADD_CONVERSATION,
            [
                (self._number(asker), digest, slot, tokens)
                for (asker, digest, slot), tokens in conversations.items()
            ],
        )
        return dict(counts)

    def _is_new(self, prompt: Prompt) -> bool:
        key = (prompt.slot, prompt.digest)
        return self._connection.execute(_NEW_REQUEST, key).rowcount == 1

    def _number(self, asker: Asker) -> int:
        if asker not in self._numbers:
            self._connection.execute(
                "INSERT OR IGNORE INTO asker (account_id, region, product, user, request_kind) "
                "VALUES (?, ?, ?, ?, ?)",
                asker,
            )
            (self._numbers[asker],) = self._connection.execute(
                "SELECT id FROM asker WHERE account_id = ? AND region = ? AND product = ? "
                "AND user = ? AND request_kind = ?",
                asker,
            ).fetchone()
        return self._numbers[asker]

    def add_report(self, batch: ReportBatch) -> int:
        """Put a report in place of earlier deliveries, unless a later one stands there.

        One of which nothing could be taken replaces nothing. Returns how many of its lines another
        part of the same delivery states otherwise.
        """
        if not batch.rows:
            return 0
        unit, (series, stamp, part) = batch.unit, batch.delivery
        folder, _, name = unit.name.rpartition("/")
        place = (unit.account_id, unit.region, unit.hour, folder, series)
        rivals = (*place, part, part)
        (newest,) = self._connection.execute(f"SELECT max(stamp) {_RIVALS}", rivals).fetchone()
        if newest is not None and newest > stamp:
            return 0
        replaced = (*rivals, stamp, name)
        self._connection.execute(
            f"DELETE FROM report_line WHERE report IN (SELECT id {_REPLACED})", replaced
        )
        self._connection.execute(f"DELETE {_REPLACED}", replaced)
        (number,) = self._connection.execute(
            "INSERT INTO report (account_id, region, hour, folder, series, stamp, part, name) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
            (*place, stamp, part, name),
        ).fetchone()
        self._connection.executemany(
            "INSERT INTO report_line VALUES (?, ?, ?, ?, ?, ?)",
            [
                (
                    (row.day - EPOCH).days,
                    *_subject(row),
                    number,
                    msgspec.json.encode(row).decode(),
                )
                for row in batch.rows
            ],
        )
        (conflicts,) = self._connection.execute(
            _CONFLICTS, (number, *place, stamp, number)
        ).fetchone()
        return int(conflicts)

    def prune(self, usage_before: int, conversations_before: int, day: int) -> int:
        """Delete prompts and conversations before a slot each, and report lines before a day.

        Returns how many lines there were.
        """
        execute = self._connection.execute
        execute("DELETE FROM prompt_usage WHERE slot < ?", (usage_before,))
        execute("DELETE FROM conversation WHERE slot < ?", (conversations_before,))
        execute(
            "DELETE FROM asker WHERE id NOT IN (SELECT asker FROM prompt_usage) "
            "AND id NOT IN (SELECT asker FROM conversation)"
        )
        lines = execute("DELETE FROM report_line WHERE day < ?", (day,)).rowcount
        execute("DELETE FROM report WHERE id NOT IN (SELECT report FROM report_line)")
        return lines


def _subject(row: Row) -> tuple[str, str, str]:
    """Return the kind of a line, its user, and what else tells it from others of the day."""
    if isinstance(row, Activity):
        return ACTIVITY, row.user, row.product
    return CREDITS, row.user, row.client_type
