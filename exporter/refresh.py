"""The timed loop: every source read, every batch taken, a snapshot published.

A source that fails keeps its data, turns its own metrics and stops nobody else. What is read is in
the ledger before it is shown.
"""

import time
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Protocol

from exporter import metrics
from exporter.config import Config
from exporter.intake import Intake
from exporter.interpretation import periods
from exporter.ledger import AnyBatch, LedgerError, WritableLedger
from exporter.logs import Logger
from exporter.snapshot import Snapshot, SnapshotBuilder
from exporter.snapshot.counters import Counters
from exporter.sources.events import AwsRequests, Backlog, Event, Fault, Finished, Times
from exporter.sources.log_store import StoreError
from exporter.spend import Spend
from exporter.status import SourceStatus
from exporter.usage import (
    AthenaScan,
    LookedUp,
    Progress,
    slot_of,
    slot_start,
)

_BATCHES_A_TRANSACTION = 256
_SECONDS_A_TRANSACTION = 1.0
_PROGRESS_SECONDS = 10.0
"""How often a snapshot is published while a long reading goes on, unless building takes long."""
_PRUNE_EVERY = timedelta(hours=1)


class Source(Protocol):
    """What the refresh asks of a source."""

    name: str
    location: str
    is_billed: bool
    """Whether reading it costs money."""
    has_history: bool
    """Whether a first fill reads what was before."""
    lookback: timedelta
    duplicates_window: timedelta

    def read(
        self, times: Times, known: WritableLedger, is_due: Callable[[], bool]
    ) -> Generator[Event, None, None]:
        """Yield what is new, and what could not be read as faults."""


class Refresh:
    """Reads sources into the ledger and publishes what it then says."""

    def __init__(
        self,
        settings: Config,
        sources: Sequence[Source],
        ledger: WritableLedger,
        publish: Callable[[Snapshot], None],
        clock: Callable[[], datetime],
        is_stopping: Callable[[], bool],
        is_interrupted: Callable[[], bool],
        log: Logger,
    ) -> None:
        """Take the parts; `is_interrupted` tells that a round should end early, to go on later."""
        self._ledger = ledger
        self._publish = publish
        self._clock = clock
        self._is_stopping = is_stopping
        self._is_interrupted = is_interrupted
        self._log = log
        self._counters = Counters(settings.metrics.counter_birth)
        self._statuses: dict[str, SourceStatus] = {}
        self._is_failed = False
        self._pruned_at: datetime | None = None
        self._published = 0.0
        self._publish_seconds = 0.0
        self._is_over_series = False
        self.configure(settings, sources)

    def configure(self, settings: Config, sources: Sequence[Source]) -> None:
        """Go on under another configuration; counters and what is known of sources stay."""
        self._settings = settings
        self._sources = sources
        self._counters.birth = settings.metrics.counter_birth
        self._builder = SnapshotBuilder(settings, self._ledger, self._counters)
        self._intake = Intake(self._ledger, self._builder, self._counters, self._log)
        self._spend = Spend(settings, self._ledger, self._counters, self._clock)
        self._statuses = {source.name: self._status_of(source) for source in sources}
        for source in sources:
            for metric in (metrics.LOG_OBJECTS, metrics.LOG_BYTES, metrics.LOG_RECORDS):
                self._counters.ensure(metric, source.name)

    def _status_of(self, source: Source) -> SourceStatus:
        known = self._statuses.get(source.name)
        if known is not None and known.location == source.location:
            return known
        return SourceStatus(source.name, source.location)

    def run(self) -> bool:
        """Refresh once, and tell whether there is nothing left to read.

        Raises LedgerError where the ledger is damaged or gone, which no later refresh can mend.
        """
        self._ledger.check_in_place()
        for source in self._sources:
            if self._is_stopping():
                return True
            self._refresh(source)
        try:
            self._note_first_fill()
            self._prune()
        except LedgerError as error:  # where nothing can be written, no source can be read
            for source in self._sources:
                self._fail(source.name, error.reason, str(error))
        self.publish()
        return all(status.complete or not status.up for status in self._statuses.values())

    def publish(self) -> None:
        """Publish a snapshot of what the ledger holds now; without one, the last one stays.

        Raises LedgerError where the ledger is damaged.
        """
        started = time.monotonic()
        now = self._clock()
        try:
            snapshot = self._builder.build(
                now, list(self._statuses.values()), self._spend.today(now)
            )
            self._publish(snapshot)
            self._warn_of_series(snapshot)
            self._ledger.remember_exposed_users(snapshot.month, snapshot.exposed_users)
        except LedgerError as error:
            if error.reason == "corrupt":
                raise
            self._log.error("the ledger cannot be used", reason=error.reason, error=str(error))
        self._published = time.monotonic()
        self._publish_seconds = self._published - started

    def _warn_of_series(self, snapshot: Snapshot) -> None:
        """Say once where folding users is not enough."""
        series, most = snapshot.series, self._settings.metrics.max_series
        if series > most and not self._is_over_series:
            self._log.warning(
                "more series than metrics.max_series; expose fewer labels or raise it",
                series=series,
                max_series=most,
            )
        self._is_over_series = series > most

    def _refresh(self, source: Source) -> None:
        """Read one source; whatever fails is its own."""
        started = self._reading_since = time.monotonic()
        self._is_failed = False
        status = self._statuses[source.name]
        is_up = status.up or not status.is_begun
        self._statuses[source.name] = replace(status, up=is_up, complete=False, is_begun=True)
        try:
            self._read(source)
        except (StoreError, LedgerError) as error:
            self._fail(source.name, error.reason, str(error))
        except Exception as error:
            self._log.exception("a bug stopped a source", source=source.name)
            self._fail(source.name, "bug", f"{type(error).__name__}, see the log")
        status = self._statuses[source.name]
        self._statuses[source.name] = replace(
            status,
            up=not self._is_failed,
            last_duration_seconds=time.monotonic() - started,
            last_success=status.last_success if self._is_failed else self._clock(),
            last_error=status.last_error if self._is_failed else None,
        )

    def _read(self, source: Source) -> None:
        self._check_spend(source)
        times = self._times(self._clock())
        with closing(source.read(times, self._ledger, self._is_due)) as events:
            batches: list[AnyBatch] = []
            since = time.monotonic()
            for event in events:
                if isinstance(event, AnyBatch):
                    batches.append(event)
                    is_late = time.monotonic() - since > _SECONDS_A_TRANSACTION
                    if len(batches) < _BATCHES_A_TRANSACTION and not is_late:
                        continue
                self._intake.take(source.name, source.location, batches)
                batches, since = [], time.monotonic()
                if not isinstance(event, AnyBatch):
                    self._handle(source, event)
                if self._is_stopping():
                    return
                self._publish_progress()
            self._intake.take(source.name, source.location, batches)

    def _check_spend(self, source: Source) -> None:
        if source.is_billed and self._spend.today(self._clock()).is_spent:
            raise StoreError(
                "cost_ceiling",
                "aws.max_cost_usd_per_day is spent; reading goes on tomorrow (UTC)",
            )

    def _times(self, now: datetime) -> Times:
        zone, months = self._settings.timezone, self._settings.retention_months
        # By the newest record: a clock that is ahead must neither reject nor delete.
        certain = min(now, self._newest() or now)
        return Times(
            now=now,
            fill_from=slot_start(periods.previous_month(now, zone).start),
            keep_from=slot_start(periods.months_back(certain, zone, months).start),
        )

    def _newest(self) -> datetime | None:
        newest = max((row.timestamp for row in self._ledger.newest_records()), default=None)
        return None if newest is None else datetime.fromtimestamp(newest, UTC)

    def _is_due(self) -> bool:
        """Tell whether a source has read long enough: the others, or a signal, are waiting."""
        if self._is_stopping() or self._is_interrupted():
            return True
        interval = self._settings.refresh_interval.total_seconds()
        return time.monotonic() - self._reading_since > interval

    def _publish_progress(self) -> None:
        pause = max(_PROGRESS_SECONDS, 10 * self._publish_seconds)
        if time.monotonic() - self._published > pause:
            self.publish()

    def _handle(self, source: Source, event: Event) -> None:
        status = self._statuses[source.name]
        match event:
            case Progress():
                self._ledger.record_progress(event)
            case Backlog(objects):
                self._statuses[source.name] = replace(status, backlog_objects=objects)
            case Fault(reason, text, is_outage):
                if is_outage:
                    self._fail(source.name, reason, text)
                else:
                    self._counters.add(metrics.SOURCE_ERRORS, 1, source.name, reason)
                    self._log.warning(text, source=source.name, reason=reason)
            case AwsRequests(counts):
                self._spend.record_requests(counts)
                self._check_spend(source)
            case AthenaScan():
                self._spend.record_scan(event)
                self._check_spend(source)
            case LookedUp():
                self._ledger.record_lookups([event])
            case Finished(is_complete, history_read_to):
                self._statuses[source.name] = replace(
                    status, complete=is_complete, history_read_to=history_read_to
                )
                self._log_progress(source, is_complete)

    def _log_progress(self, source: Source, is_complete: bool) -> None:
        status = self._statuses[source.name]
        if not is_complete and status.history_read_to is not None:
            self._log.info(
                "history is being read",
                source=source.name,
                read_back_to=str(status.history_read_to),
                backlog_objects=status.backlog_objects,
            )

    def _fail(self, name: str, reason: str, text: str) -> None:
        self._counters.add(metrics.SOURCE_ERRORS, 1, name, reason)
        self._log.error(text, source=name, reason=reason)
        self._is_failed = True
        self._statuses[name] = replace(self._statuses[name], up=False, last_error=text)

    def _note_first_fill(self) -> None:
        """From the end of the first fill on, what is read counts as new."""
        for source in self._sources:
            status = self._statuses[source.name]
            if source.has_history and status.up and status.complete:
                self._intake.end_fill_of(source.location, self._clock())
        filled = [self._statuses[source.name] for source in self._sources if source.has_history]
        if all(status.up and status.complete for status in filled):
            self._intake.end_first_fill(self._clock())

    def _prune(self) -> None:
        """Delete what is past its time, going by the newest record; nothing while a fill runs."""
        now = self._clock()
        if self._pruned_at and timedelta(0) <= now - self._pruned_at < _PRUNE_EVERY:
            return
        newest = self._newest()
        if newest is None or self._is_filling():
            return
        times = self._times(min(now, newest))
        window = max(source.duplicates_window for source in self._sources)
        self._ledger.prune(
            usage_before=slot_of(times.keep_from),
            objects_before=int(self._listed_from(times).timestamp()) // 3600,
            requests_before=slot_of(times.now - window),
            conversations_before=slot_of(times.fill_from),
        )
        self._pruned_at = now

    def _listed_from(self, times: Times) -> datetime:
        """Return the first moment whose log objects may be listed again: what was read is known."""
        lookback = max(source.lookback for source in self._sources)
        # An owner that could not be listed for long is listed from where it was left.
        listed = [
            progress.listed_at
            for source in self._sources
            for progress in self._ledger.all_progress(source.location)
        ]
        return min([times.fill_from, *listed]) - lookback

    def _is_filling(self) -> bool:
        """Tell whether history is half read: what repeats within it must be recognised."""
        if any(status.up and not status.complete for status in self._statuses.values()):
            return True
        return any(
            not progress.complete
            for source in self._sources
            for progress in self._ledger.all_progress(source.location)
        )
