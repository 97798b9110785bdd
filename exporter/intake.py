"""Takes batches into the ledger, and counts what they bring.

Each kind of batch is applied in one transaction; then what was read, what was rejected and what is
new is counted. What a first fill finds is not new: it is in the gauges and in no counter.
"""

from collections.abc import Sequence
from datetime import datetime

from exporter import metrics
from exporter.assistant_usage import PromptBatch, ReportBatch
from exporter.ledger import FIRST_FILL, AnyBatch, NewPrompts, WritableLedger
from exporter.logs import Logger
from exporter.snapshot import SnapshotBuilder
from exporter.snapshot.counters import Counters
from exporter.sources.log_store import key_of
from exporter.sources.rejection import Rejection
from exporter.usage import Batch, QueryBatch, Usage


class Intake:
    """The way of batches from a source into ledger and counters."""

    def __init__(
        self, ledger: WritableLedger, builder: SnapshotBuilder, counters: Counters, log: Logger
    ) -> None:
        self._ledger = ledger
        self._builder = builder
        self._counters = counters
        self._log = log
        self._is_first_fill = ledger.note(FIRST_FILL) is None
        self._filled_locations: set[str] = set()

    def end_first_fill(self, now: datetime) -> None:
        """Count from now on whatever is read of Bedrock. Raises LedgerError."""
        if self._is_first_fill:
            self._ledger.leave_note(FIRST_FILL, now.isoformat())
            self._is_first_fill = False

    def end_fill_of(self, location: str, now: datetime) -> None:
        """Count from now on whatever prompts are read of a location. Raises LedgerError."""
        if not self._is_filled(location):
            self._ledger.leave_note(f"{FIRST_FILL} {location}", now.isoformat())
            self._filled_locations.add(location)

    def _is_filled(self, location: str) -> bool:
        if location in self._filled_locations:
            return True
        if self._ledger.note(f"{FIRST_FILL} {location}") is None:
            return False
        self._filled_locations.add(location)
        return True

    def take(self, source: str, location: str, batches: Sequence[AnyBatch]) -> None:
        """Apply what a source gave of its location, then count what it brought.

        Raises LedgerError, and has then applied no batch of the kind that failed.
        """
        usage = [batch for batch in batches if isinstance(batch, (Batch, QueryBatch))]
        prompts = [batch for batch in batches if isinstance(batch, PromptBatch)]
        reports = [batch for batch in batches if isinstance(batch, ReportBatch)]
        if usage:
            self._builder.count(self._without_history(location, self._ledger.apply(usage)))
        if prompts:
            new = self._ledger.apply_prompts(prompts)
            self._builder.count_prompts(self._without_old_prompts(location, new))
        if reports:
            conflicts = self._ledger.apply_reports(reports).get(source, 0)
            if conflicts:
                self._reject(source, "parts of a delivery", Rejection.CONFLICTING_ROW, conflicts)
        for batch in batches:
            self._count_read(source, batch)

    def _without_history(self, location: str, usage: Sequence[Usage]) -> Sequence[Usage]:
        """Leave out what the first fill of an empty ledger finds."""
        if not self._is_first_fill:
            return usage
        filled = self._filled(location)
        return [part for part in usage if (part.fact.account_id, part.fact.region) in filled]

    def _without_old_prompts(self, location: str, new: NewPrompts) -> NewPrompts:
        """Leave out what the first fill of a location finds, whenever that was configured."""
        if self._is_filled(location):
            return new
        filled = self._filled(location)
        return {
            (slot, asker): counts
            for (slot, asker), counts in new.items()
            if (asker.account_id, asker.region) in filled
        }

    def _filled(self, location: str) -> set[tuple[str, str]]:
        """Return account and region of all whose history is read."""
        return {
            (progress.account_id, progress.region)
            for progress in self._ledger.all_progress(location)
            if progress.complete
        }

    def _count_read(self, source: str, batch: AnyBatch) -> None:
        units = batch.units if isinstance(batch, QueryBatch) else (batch.unit,)
        self._counters.add(metrics.LOG_OBJECTS, len(units), source)
        self._counters.add(metrics.LOG_BYTES, batch.bytes, source)
        self._counters.add(metrics.LOG_RECORDS, batch.records, source)
        if isinstance(batch, PromptBatch):
            for reason, count in batch.skipped.items():
                self._counters.add(metrics.SKIPPED_RECORDS, count, source, reason)
        objects = key_of(units[0]) if len(units) == 1 else f"{len(units)} log objects"
        for reason, count in batch.rejected.items():
            self._reject(source, objects, reason, count)

    def _reject(self, source: str, objects: str, reason: str, count: int) -> None:
        self._counters.add(metrics.REJECTED_RECORDS, count, source, reason)
        self._log.warning(
            "input was rejected", source=source, object=objects, reason=reason, count=count
        )
