"""Bedrock Model Invocation Logs, read directly: which log objects to read, in which order.

Every refresh lists, for each account and region, the hours that can still receive an object:
from `lookback` before the last complete listing. The first time it also reads the history, newest
days first. What was read is asked of the ledger; this module writes nothing.
"""

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple, Protocol

from exporter.aws.meter import Meter
from exporter.sources.events import AwsRequests, Backlog, Event, Fault, Finished, Times
from exporter.sources.log_store import ListedObject, LogStore, StoreError, hour_of, hour_start
from exporter.sources.reading import ReaderPool, Reading, open_store
from exporter.usage import Progress, slot_of

_MOST_AHEAD = timedelta(hours=1)
"""A record dated later than that is rejected."""


class Owner(NamedTuple):
    """One account and region whose logs lie at a location."""

    account_id: str
    region: str


class Dated(Protocol):
    """Something that the ledger knows the newest record of."""

    @property
    def timestamp(self) -> int:
        """Return seconds since the epoch."""


class Known(Protocol):
    """What the ledger knows of earlier reading."""

    def progress(self, location: str, account_id: str, region: str) -> Progress | None:
        """Return how far a location's logs of an account and region are read."""

    def known_objects(self, account_id: str, region: str, day: date) -> set[tuple[int, str]]:
        """Return hour and name of each object of one UTC day that was read."""

    def newest_records(self) -> Sequence[Dated]:
        """Return the newest records that were read."""


class Span(NamedTuple):
    """Path hours of one account and region, in hours since the epoch, both ends included."""

    first: int
    last: int


class InvocationLogs:
    """The source of one location."""

    def __init__(
        self,
        reading: Reading,
        lookback: timedelta,
        duplicates_window: timedelta,
        pool: ReaderPool,
    ) -> None:
        self.name = reading.source
        self.location = reading.location
        self.is_billed = reading.location.startswith("s3://")
        self.lookback = lookback
        self.duplicates_window = duplicates_window
        self._reading = reading
        self._pool = pool
        self._meter = Meter()
        self._store = open_store(reading.location, self._meter)

    def read(
        self, times: Times, known: Known, is_due: Callable[[], bool]
    ) -> Generator[Event, None, None]:
        """Read what is new, newest first, then history as far as time allows.

        `is_due` tells, between two tasks, that the next refresh should begin; the rest is then left
        to it. However soon it does, each refresh reads something.
        """
        try:
            yield from self._read(times, known, is_due)
        except StoreError as error:
            yield Fault(error.reason, str(error))
        yield AwsRequests(self._meter.take())

    def _read(self, times: Times, known: Known, is_due: Callable[[], bool]) -> Iterator[Event]:
        _check_clock(times.now, known)
        owners = [Owner(*owner) for owner in self._store.owners()]
        if not owners:
            place = f"{self.location}/AWSLogs/"
            yield Fault(
                "no_logs", f"{place}: no Bedrock logs; is `location` what stands before it?"
            )
        states = {owner: self._state(owner, times, known) for owner in owners}
        # A first fill goes as far back as it meant to when it began, however often it is cut off.
        for owner, state in states.items():
            if known.progress(self.location, *owner) is None:
                yield state
        reading = replace(
            self._reading,
            first_slot=slot_of(times.keep_from),
            last_slot=slot_of(times.now + _MOST_AHEAD),
        )
        reader = _Reader(reading, self._store, self._pool, known, is_due)
        unfinished = yield from self._read_recent(reader, states, times.now)
        yield from self._read_history(reader, states)
        filling = [state.filled_to for state in states.values() if not state.complete]
        yield Finished(
            is_complete=not unfinished and not filling,
            history_read_to=max(filling).date() if filling else None,
        )

    def _state(self, owner: Owner, times: Times, known: Known) -> Progress:
        """Return how far an owner is read, or where its first fill begins."""
        recent_from = hour_start(hour_of(times.now - self.lookback))
        state = known.progress(self.location, *owner)
        if state is None:
            return Progress(self.location, *owner, times.now, recent_from, times.fill_from)
        # A clock that was ahead at an earlier refresh must hide nothing from this one.
        return replace(
            state,
            listed_at=min(state.listed_at, times.now),
            filled_to=min(state.filled_to, recent_from),
            fill_from=min(state.fill_from, times.fill_from),
        )

    def _read_recent(
        self, reader: "_Reader", states: dict[Owner, Progress], now: datetime
    ) -> Generator[Event, None, set[Owner]]:
        """Read every hour that may have received something since the last complete listing.

        Returns whose hours could not all be read.
        """
        spans = {
            owner: Span(hour_of(state.listed_at - self.lookback), hour_of(now))
            for owner, state in states.items()
        }
        unfinished: set[Owner] = set()
        for day in _days_back(spans.values()):
            unfinished |= yield from reader.read_day(day, spans)
        for owner in spans.keys() - unfinished:
            states[owner] = replace(states[owner], listed_at=now)
            yield states[owner]
        return unfinished

    def _read_history(self, reader: "_Reader", states: dict[Owner, Progress]) -> Iterator[Event]:
        """Read the history that a first fill has not reached yet, newest day first."""
        spans = {
            owner: Span(hour_of(state.fill_from), hour_of(state.filled_to) - 1)
            for owner, state in states.items()
            if not state.complete
        }
        unfinished: set[Owner] = set()
        for day in _days_back(spans.values()):
            unfinished |= yield from reader.read_day(day, spans)
            finished = _touched(spans, day) - unfinished
            for owner in finished:
                filled_to = hour_start(max(_midnight(day), spans[owner].first))
                states[owner] = replace(states[owner], filled_to=filled_to)
                yield states[owner]
            if finished:
                reader.stop_if_due()


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

    def stop_if_due(self) -> None:
        """Leave the days that are not read yet to the next refresh, if that should begin."""
        self._is_stopped = self._is_stopped or self._is_due()

    def read_day(
        self, day: date, spans: Mapping[Owner, Span]
    ) -> Generator[Event, None, set[Owner]]:
        """Read what is new of one UTC day, in the hours of the spans.

        Returns whose objects could not all be read. An object that cannot be read is passed by;
        an owner that cannot be listed is not asked again in this refresh.
        """
        owners = _touched(spans, day)
        if self._is_stopped:
            return owners
        unfinished = owners & self._unlistable
        objects = yield from self._list_new(day, {o: spans[o] for o in owners - unfinished})
        unfinished |= owners & self._unlistable
        unfinished |= yield from self._read(objects)
        return owners if self._is_stopped else unfinished

    def _list_new(
        self, day: date, spans: Mapping[Owner, Span]
    ) -> Generator[Event, None, list[ListedObject]]:
        """List what is not read yet, newest first."""
        with ThreadPoolExecutor(self._store.concurrency) as pool:
            listings = {
                owner: pool.submit(self._store.list_day, *owner, day) for owner in sorted(spans)
            }
        objects: list[ListedObject] = []
        for owner, listing in listings.items():
            try:
                objects += self._new(owner, day, spans[owner], listing.result())
            except StoreError as error:
                self._unlistable.add(owner)
                yield Fault(error.reason, str(error))
        return sorted(
            objects, key=lambda listed: (listed.unit.hour, listed.unit.name), reverse=True
        )

    def _new(
        self, owner: Owner, day: date, span: Span, listed: list[ListedObject]
    ) -> list[ListedObject]:
        known = self._known.known_objects(*owner, day)
        return [
            item
            for item in listed
            if span.first <= item.unit.hour <= span.last
            and (item.unit.hour, item.unit.name) not in known
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


def _check_clock(now: datetime, known: Known) -> None:
    """Refuse a clock that is behind what was read: it would have old hours read again.

    Raises StoreError.
    """
    newest = max((record.timestamp for record in known.newest_records()), default=0)
    if newest > (now + _MOST_AHEAD).timestamp():
        raise StoreError(
            "clock_behind",
            f"the clock says {now:%Y-%m-%d %H:%M} UTC, but a record of "
            f"{datetime.fromtimestamp(newest, UTC):%Y-%m-%d %H:%M} was read; set the clock",
        )


def _touched(spans: Mapping[Owner, Span], day: date) -> set[Owner]:
    """Return whose spans have an hour in a UTC day."""
    midnight = _midnight(day)
    return {
        owner
        for owner, span in spans.items()
        if span.first < midnight + 24 and span.last >= midnight
    }


def _midnight(day: date) -> int:
    return hour_of(datetime(day.year, day.month, day.day, tzinfo=UTC))


def _days_back(spans: Iterable[Span]) -> Iterator[date]:
    """Yield the UTC days that any span touches, newest first."""
    spans = list(spans)
    if not spans:
        return
    day = hour_start(max(span.last for span in spans)).date()
    first = hour_start(min(span.first for span in spans)).date()
    while day >= first:
        yield day
        day -= timedelta(days=1)
