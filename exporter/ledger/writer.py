"""Writes the ledger: each batch once, in one transaction with the marks of its log objects."""

import json
import os
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import IO, Self

from exporter.assistant_usage import PromptBatch, ReportBatch
from exporter.ledger.assistant_writer import AssistantWriter, NewPrompts
from exporter.ledger.database import LedgerError, open_for_writing, told
from exporter.ledger.reader import Ledger
from exporter.usage import (
    SLOTS_A_DAY,
    AthenaScan,
    AwsRequest,
    Batch,
    Counts,
    Fact,
    LogObject,
    LookedUp,
    Progress,
    QueryBatch,
    Requests,
    Usage,
    slot_start,
)

AnyBatch = Batch | QueryBatch | PromptBatch | ReportBatch

_UPSERT = """
    INSERT INTO usage VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET
        requests = requests + excluded.requests,
        input = input + excluded.input,
        output = output + excluded.output,
        cache_read = cache_read + excluded.cache_read,
        cache_write_5m = cache_write_5m + excluded.cache_write_5m,
        cache_write_1h = cache_write_1h + excluded.cache_write_1h,
        cache_write_unsplit = cache_write_unsplit + excluded.cache_write_unsplit
"""
_NEW_REQUEST = "INSERT OR IGNORE INTO request VALUES (?, ?)"
_OTHER_VERSIONS = """
    DELETE FROM log_object WHERE account_id = ? AND region = ? AND hour = ?
    AND (name = ? OR name > ? || char(9) AND name < ? || char(10))
    AND (account_id, region, hour, name) <> (?, ?, ?, ?)
"""
_FIELDS = len(Counts._fields)


class WritableLedger(Ledger):
    """The ledger of the one exporter that writes it."""

    def __init__(self, path: Path, connection: sqlite3.Connection, lock: IO[str]) -> None:
        super().__init__(path, connection)
        self._lock = lock
        self._numbers: dict[Fact, int] = {}
        self._assistants = AssistantWriter(connection)
        self._file = path.stat()

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open or create a ledger and lock other exporters out. Raises LedgerError."""
        return cls(path, *open_for_writing(path))

    def close(self) -> None:
        """Close the file and let another exporter have it."""
        super().close()
        self._lock.close()

    def check_in_place(self) -> None:
        """Raise LedgerError where the file was removed or replaced: what is written is lost."""
        try:
            if os.path.samestat(self.path.stat(), self._file):
                return
        except FileNotFoundError:
            pass
        raise LedgerError(
            "removed",
            f"ledger {self.path} was removed or replaced while in use; restart the exporter",
        )

    def apply(self, batches: Iterable[Batch | QueryBatch]) -> list[Usage]:
        """Take batches in one transaction and return the usage that is new.

        A batch whose objects were taken before is left out, and so is a record that is known.
        Either all batches are in the ledger when this returns, or none. Raises LedgerError, also
        where only some of a query's objects were taken before: what it summed cannot be parted.
        """
        taken: dict[tuple[int, Fact], Counts] = {}
        with self._transaction():
            for batch in batches:
                if not self._mark(batch):
                    continue
                usage = self._without_known(batch) if isinstance(batch, Batch) else batch.usage
                for slot, fact, counts in usage:
                    before = taken.get((slot, fact))
                    taken[slot, fact] = before.plus(counts) if before else counts
                self._note_newest(batch)
            self._connection.executemany(
                _UPSERT,
                [(slot, self._number(fact), *counts) for (slot, fact), counts in taken.items()],
            )
        self._changes.note(slot for slot, _ in taken)
        return [Usage(slot, fact, counts) for (slot, fact), counts in taken.items()]

    def apply_prompts(self, batches: Iterable[PromptBatch]) -> NewPrompts:
        """Take prompts in one transaction, each once, and return what is new. Raises LedgerError.

        Either all batches are in the ledger when this returns, or none.
        """
        with self._transaction():
            new = [batch for batch in batches if self._mark(batch)]
            taken = self._assistants.add_prompts(new)
            for batch in new:
                self._note_newest(batch)
        self.assistants.changes.note(slot for slot, _ in taken)
        return taken

    def apply_reports(self, batches: Iterable[ReportBatch]) -> dict[str, int]:
        """Take reports in one transaction, each in place of what its day said before.

        Returns how many lines of each source contradict another part of their delivery. Raises
        LedgerError.
        """
        conflicts: Counter[str] = Counter()
        with self._transaction():
            for batch in batches:
                if self._mark(batch):
                    conflicts[batch.source] += self._assistants.add_report(batch)
                    self._note_newest(batch)
        self.assistants.report_changes += 1
        return +conflicts

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with told(self.path):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                # Numbers given in a transaction that is undone may be given again.
                self._forget_numbers()
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def _forget_numbers(self) -> None:
        self._numbers.clear()
        self._assistants.forget_numbers()

    def _mark(self, batch: AnyBatch) -> bool:
        """Mark a batch's objects as read; tell whether they were not before."""
        if isinstance(batch, ReportBatch):
            units: tuple[LogObject, ...] = (batch.unit.at_version(batch.version),)
        else:
            units = batch.units if isinstance(batch, QueryBatch) else (batch.unit,)
        marked = self._connection.executemany(
            "INSERT OR IGNORE INTO log_object VALUES (?, ?, ?, ?)", units
        )
        if isinstance(batch, ReportBatch) and marked.rowcount:
            # A report that is written as it once was is another version again.
            self._connection.execute(
                _OTHER_VERSIONS, (*batch.unit, batch.unit.name, batch.unit.name, *units[0])
            )
        if 0 < marked.rowcount < len(units):
            raise LedgerError(
                "overlap",
                f"source {batch.source}: {len(units) - marked.rowcount} of {len(units)} log "
                "objects of a query were read meanwhile by another source; it is asked again",
            )
        return marked.rowcount == len(units)

    def _without_known(self, batch: Batch) -> Iterable[Usage]:
        """Return a batch's usage less the records that an earlier object held too."""
        requests = batch.requests
        self._connection.execute("SAVEPOINT batch")
        new = self._connection.executemany(
            _NEW_REQUEST, zip(requests.slot, requests.digest, strict=True)
        )
        if new.rowcount == len(requests) or not requests:
            self._connection.execute("RELEASE batch")
            return batch.usage
        # Rare: find out which ones, one by one.
        self._connection.execute("ROLLBACK TO batch")
        self._connection.execute("RELEASE batch")
        return self._subtract_known(batch.usage, requests)

    def _subtract_known(self, usage: Sequence[Usage], requests: Requests) -> list[Usage]:
        left = list(usage)
        for index, key in enumerate(zip(requests.slot, requests.digest, strict=True)):
            if self._connection.execute(_NEW_REQUEST, key).rowcount == 0:
                counts = Counts(*requests.counts[index * _FIELDS : (index + 1) * _FIELDS])
                slot, fact, sums = left[requests.usage[index]]
                left[requests.usage[index]] = Usage(slot, fact, sums.minus(counts))
        return [part for part in left if part.counts.requests]

    def _number(self, fact: Fact) -> int:
        number = self._numbers.get(fact)
        if number is None:
            row = (*fact[:-1], json.dumps(fact.metadata, ensure_ascii=False))
            self._connection.execute(
                "INSERT OR IGNORE INTO fact (account_id, region, inference_region, principal, "
                "model_id, context_from, service_tier, outcome, metadata) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                row,
            )
            number = self._connection.execute(
                "SELECT id FROM fact WHERE account_id = ? AND region = ? AND inference_region = ? "
                "AND principal = ? AND model_id = ? AND context_from = ? AND service_tier = ? "
                "AND outcome = ? AND metadata = ?",
                row,
            ).fetchone()[0]
            self._numbers[fact] = number
        return number

    def _note_newest(self, batch: AnyBatch) -> None:
        if isinstance(batch, QueryBatch):
            newest = dict(batch.newest)
        else:
            newest = {batch.unit[:2]: batch.newest} if batch.newest else {}
        self._connection.executemany(
            "INSERT INTO newest_record VALUES (?, ?, ?, ?) "
            "ON CONFLICT DO UPDATE SET timestamp = max(timestamp, excluded.timestamp)",
            [(batch.source, *owner, timestamp) for owner, timestamp in newest.items()],
        )

    def record_progress(self, progress: Progress) -> None:
        """Remember how far a location is read. Raises LedgerError."""
        moments = (progress.listed_at, progress.filled_to, progress.fill_from)
        with self._transaction():
            self._connection.execute(
                "INSERT OR REPLACE INTO progress VALUES (?, ?, ?, ?, ?, ?)",
                (
                    progress.location,
                    progress.account_id,
                    progress.region,
                    *(int(moment.timestamp()) for moment in moments),
                ),
            )

    def record_aws_requests(self, day: date, requests: Counter[AwsRequest]) -> None:
        """Add to the exporter's own requests to AWS of one UTC day. Raises LedgerError."""
        with self._transaction():
            self._connection.executemany(
                "INSERT INTO aws_request VALUES (?, ?, ?, ?) "
                "ON CONFLICT DO UPDATE SET requests = requests + excluded.requests",
                [(day.isoformat(), *request, count) for request, count in requests.items()],
            )

    def record_athena_scan(self, day: date, scan: AthenaScan) -> None:
        """Add to what queries of Athena scanned on one UTC day. Raises LedgerError."""
        with self._transaction():
            self._connection.execute(
                "INSERT INTO athena_scan VALUES (?, ?, ?, ?, ?) "
                "ON CONFLICT DO UPDATE SET queries = queries + excluded.queries, "
                "scanned_bytes = scanned_bytes + excluded.scanned_bytes, "
                "billed_bytes = billed_bytes + excluded.billed_bytes",
                (day.isoformat(), *scan),
            )

    def record_lookups(self, lookups: Iterable[LookedUp]) -> None:
        """Remember what AWS said of names, in place of what it said before. Raises LedgerError."""
        with self._transaction():
            self._connection.executemany(
                "INSERT OR REPLACE INTO lookup VALUES (?, ?, ?, ?)",
                [
                    (
                        looked_up.kind,
                        looked_up.key,
                        json.dumps(looked_up.values, ensure_ascii=False),
                        int(looked_up.at.timestamp()),
                    )
                    for looked_up in lookups
                ],
            )

    def remember_exposed_users(self, month: str, users: Iterable[str]) -> None:
        """Remember which users had series of their own in a month. Raises LedgerError."""
        with self._transaction():
            self._connection.executemany(
                "INSERT OR IGNORE INTO exposed_user VALUES (?, ?)",
                [(month, user) for user in users],
            )

    def leave_note(self, key: str, value: str) -> None:
        """Leave a note for later. Raises LedgerError."""
        with self._transaction():
            self._connection.execute("INSERT OR REPLACE INTO note VALUES (?, ?)", (key, value))

    def prune(
        self,
        usage_before: int,
        objects_before: int,
        requests_before: int,
        conversations_before: int = 0,
    ) -> None:
        """Delete usage, requests, conversations before a slot, and marks of objects before an hour.

        Report lines go by the day of `usage_before`. Who has no usage left is forgotten with it.
        Raises LedgerError.
        """
        month = f"{slot_start(usage_before):%Y-%m}"
        with self._transaction():
            usage = self._connection.execute("DELETE FROM usage WHERE slot < ?", (usage_before,))
            self._connection.execute("DELETE FROM log_object WHERE hour < ?", (objects_before,))
            self._connection.execute("DELETE FROM request WHERE slot < ?", (requests_before,))
            self._connection.execute("DELETE FROM exposed_user WHERE month < ?", (month,))
            if usage.rowcount:
                self._forget_unused_facts()
            lines = self._assistants.prune(
                usage_before, conversations_before, usage_before // SLOTS_A_DAY
            )
            self._assistants.forget_numbers()
            self.assistants.forget_numbers()
        self.assistants.report_changes += 1 if lines else 0

    def _forget_unused_facts(self) -> None:
        self._connection.execute("DELETE FROM fact WHERE id NOT IN (SELECT fact FROM usage)")
        # Their numbers may be given again.
        self._numbers.clear()
        self._facts.clear()
