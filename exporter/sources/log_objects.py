"""What the sources of log objects do, whatever kind of log they read: find and have read.

Lists what lies in the hours that the schedule names, and has read what the ledger does not know.
This module writes nothing, and does not know what an object says.
"""

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from typing import TYPE_CHECKING

from exporter.aws.meter import Meter
from exporter.sources.events import AwsRequests, Backlog, Event, Fault, Times
from exporter.sources.log_layout import Layout
from exporter.sources.log_schedule import (
    DayReader,
    Known,
    LogSchedule,
    Owner,
    SlotRange,
    Span,
    none_at,
    touched,
)
from exporter.sources.log_store import ListedObject, LogStore, StoreError
from exporter.sources.reading import Format, ReaderPool, Reading, open_store

if TYPE_CHECKING:
    from exporter.config import Account, ActivityReports, InvocationLogs, KiroReports, PromptLogs

    Settings = InvocationLogs | PromptLogs | ActivityReports | KiroReports


class LogObjects:
    """The source of one kind of log at one location."""

    has_history = True

    def __init__(
        self,
        settings: "Settings",
        account: "Account | None",
        layout: Layout,
        format_of: Callable[[SlotRange], Format],
        pool: ReaderPool,
        duplicates_window: timedelta = timedelta(0),
    ) -> None:
        """Take how the objects lie, and how those of a refresh are read."""
        location = settings.location
        self.name = settings.name
        self.location = f"{location} ({layout.label})" if layout.label else location
        """What the ledger knows the progress by: several kinds of log may lie at one place."""
        self.is_billed = location.startswith("s3://")
        self.lookback = settings.lookback
        self.duplicates_window = duplicates_window
        no_logs = none_at(location, layout)
        self._schedule = LogSchedule(self.location, settings.lookback, no_logs=no_logs)
        self._place = location
        self._account = account
        self._format_of = format_of
        self._pool = pool
        self._meter = Meter()
        self._store = open_store(location, self._meter, account, layout)

    def read(
        self, times: Times, known: Known, is_due: Callable[[], bool]
    ) -> Generator[Event, None, None]:
        """Read what is new, newest first, then history as far as time allows.

        `is_due` tells, between two tasks, that the next refresh should begin; the rest is then left
        to it. However soon it does, each refresh reads something.
        """

        def begin(slots: SlotRange) -> DayReader:
            reading = Reading(self._place, self._format_of(slots), self._account)
            return _Reader(reading, self._store, self._pool, known, is_due)

        try:
            yield from self._schedule.read(times, known, self._store.owners, begin)
        except StoreError as error:
            yield Fault(error.reason, str(error))
        yield AwsRequests(self._meter.take())


class _Reader:
    """Reads days for one refresh, until it is due to stop."""

    def __init__(
        self,
        reading: Reading,
        store: LogStore,
        pool: ReaderPool,
        known: Known,
        is_due: Callable[[], bool],
    ) -> None:
        self._reading = reading
        self._store = store
        self._pool = pool
        self._known = known
        self._is_due = is_due
        self._is_stopped = False
        self._unlistable: set[Owner] = set()
        self._told: set[str] = set()
        """Faults of folders that every day's listing meets again."""

    def stop_if_due(self) -> None:
        """Leave the days that are not read yet to the next refresh, if that should begin."""
        self._is_stopped = self._is_stopped or self._is_due()

    def read_days(
        self, days: Sequence[date], spans: Mapping[Owner, Span]
    ) -> Generator[Event, None, set[Owner]]:
        """Read what is new of UTC days, newest first, in the hours of the spans.

        Returns whose objects could not all be read. An object that cannot be read is passed by;
        an owner that cannot be listed is not asked again in this refresh.
        """
        unfinished: set[Owner] = set()
        for day in days:
            unfinished |= yield from self._read_day(day, spans)
        return unfinished

    def _read_day(
        self, day: date, spans: Mapping[Owner, Span]
    ) -> Generator[Event, None, set[Owner]]:
        owners = touched(spans, day)
        if self._is_stopped:
            return owners
        unfinished = owners & self._unlistable
        listed = {owner: spans[owner] for owner in owners - unfinished}
        objects, partly_listed = yield from self._list_new(day, listed)
        unfinished |= partly_listed | (owners & self._unlistable)
        unfinished |= yield from self._read(objects)
        return owners if self._is_stopped else unfinished

    def _list_new(
        self, day: date, spans: Mapping[Owner, Span]
    ) -> Generator[Event, None, tuple[list[ListedObject], set[Owner]]]:
        """List what is not read yet, newest first; and tell whose listings lack something."""
        with ThreadPoolExecutor(self._store.concurrency) as pool:
            listings = {
                owner: pool.submit(self._store.list_day, *owner, day) for owner in sorted(spans)
            }
        objects: list[ListedObject] = []
        partly_listed: set[Owner] = set()
        for owner, listing in listings.items():
            try:
                found, faults = listing.result()
            except StoreError as error:
                self._unlistable.add(owner)
                yield Fault(error.reason, str(error))
                continue
            objects += self._new(owner, day, spans[owner], found)
            if faults:
                partly_listed.add(owner)
                yield from self._tell(faults)
        objects.sort(key=lambda listed: (listed.unit.hour, listed.unit.name), reverse=True)
        return objects, partly_listed

    def _tell(self, faults: list[StoreError]) -> Iterator[Fault]:
        """Yield faults that were not told before in this refresh."""
        for fault in faults:
            if str(fault) not in self._told:
                self._told.add(str(fault))
                yield Fault(fault.reason, str(fault))

    def _new(
        self, owner: Owner, day: date, span: Span, listed: list[ListedObject]
    ) -> list[ListedObject]:
        known = self._known.known_objects(*owner, day)
        return [
            item
            for item in listed
            if span.first <= item.unit.hour <= span.last
            and (item.unit.hour, item.unit.at_version(item.version).name) not in known
        ]

    def _read(self, objects: list[ListedObject]) -> Generator[Event, None, set[Owner]]:
        """Read objects; returns the owners of those that failed."""
        failed: set[Owner] = set()
        left = len(objects)
        yield Backlog(left)
        for result in self._pool.read(self._reading, objects, self._is_due):
            yield from result.batches
            yield AwsRequests(result.aws_requests)
            for unit, fault in result.faults:
                if fault.is_outage:
                    failed.add(Owner(unit.account_id, unit.region))
                yield fault
            left -= result.objects
            yield Backlog(left)
        self._is_stopped = left > 0
        return failed
