"""Bedrock Model Invocation Logs, read directly: which log objects to read, in which order.

Every refresh lists, for each account and region, the hours that can still receive an object:
from `lookback` before the last complete listing. The first time it also reads the history, newest
days first. What was read is asked of the ledger; this module writes nothing.
"""

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
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


class Known(Protocol):
    """What the ledger knows of earlier reading."""

    def progress(self, location: str, account_id: str, region: str) -> Progress | None:
        """Return how far a location's logs of an account and region are read."""

    def known_objects(self, account_id: str, region: str, day: date) -> set[tuple[int, str]]:
        """Return hour and name of each object of one UTC day that was read."""


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
        to it. Raises StoreError when the location cannot be listed.
        """
        owners = [Owner(*owner) for owner in self._store.owners()]
        if not owners:
            place = f"{self._reading.location}/AWSLogs/"
            yield Fault(
                "no_logs", f"{place}: no Bedrock logs; is `location` what stands before it?"
            )
        states = {owner: self._state(owner, times, known) for owner in owners}
        reading = replace(
            self._reading,
            first_slot=slot_of(times.keep_from),
            last_slot=slot_of(times.now + _MOST_AHEAD),
        )
        reader = _Reader(reading, self._store, self._pool, known, is_due)
        yield from self._read_recent(reader, states, times.now)
        yield from self._read_history(reader, states)
        yield AwsRequests(self._meter.take())
        filling = [state.filled_to for state in states.values() if not state.complete]
        yield Finished(
            is_complete=not reader.unfinished and not filling,
            history_read_to=max(filling).date() if filling else None,
        )

    def _state(self, owner: Owner, times: Times, known: Known) -> Progress:
        location, now = self._reading.location, times.now
        state = known.progress(location, *owner)
        if state is None:
            return Progress(location, *owner, now, now - self.lookback, times.fill_from)
        # A clock that was ahead at the last listing must not hide what came since.
        return replace(state, listed_at=min(state.listed_at, now))

    def _read_recent(
        self, reader: "_Reader", states: dict[Owner, Progress], now: datetime
    ) -> Iterator[Event]:
        """Read every hour that may have received something since the last complete listing."""
        spans = {
            owner: Span(hour_of(state.listed_at - self.lookback), hour_of(now))
            for owner, state in states.items()
        }
        for day in _days_back(spans.values()):
            yield from reader.read_day(day, spans)
        for owner in spans.keys() - reader.unfinished:
            states[owner] = replace(states[owner], listed_at=now)
            yield states[owner]

    def _read_history(self, reader: "_Reader", states: dict[Owner, Progress]) -> Iterator[Event]:
        """Read the history that a first fill has not reached yet, newest day first."""
        spans = {
            owner: Span(hour_of(state.fill_from), hour_of(state.filled_to))
            for owner, state in states.items()
            if not state.complete
        }
        for day in _days_back(spans.values()):
            yield from reader.read_day(day, spans)
            for owner, span in spans.items():
                if owner not in reader.unfinished and span.last >= _midnight(day):
                    filled_to = hour_start(max(_midnight(day), span.first))
                    states[owner] = replace(states[owner], filled_to=filled_to)
                    yield states[owner]


class _Reader:
    """Reads days for one refresh; keeps which accounts and regions it could not finish."""

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
        self.unfinished: set[Owner] = set()

    def read_day(self, day: date, spans: Mapping[Owner, Span]) -> Iterator[Event]:
        """Read what is new of one UTC day, in the hours of the spans."""
        if self._is_stopped:
            self.unfinished.update(spans)
            return
        midnight = _midnight(day)
        owners = [
            owner
            for owner, span in spans.items()
            if owner not in self.unfinished and span.first < midnight + 24 and span.last >= midnight
        ]
        objects: list[ListedObject] = []
        with ThreadPoolExecutor(self._store.concurrency) as pool:
            listings = [pool.submit(self._store.list_day, *owner, day) for owner in owners]
        for owner, listing in zip(owners, listings, strict=True):
            try:
                objects += self._new(owner, day, spans[owner], listing.result())
            except StoreError as error:
                self.unfinished.add(owner)
                yield Fault(error.reason, str(error))
        objects.sort(key=lambda listed: (listed.unit.hour, listed.unit.name), reverse=True)
        yield from self._read(objects)
        if self._is_stopped:
            self.unfinished.update(spans)

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

    def _read(self, objects: list[ListedObject]) -> Iterator[Event]:
        left = len(objects)
        if not left:
            return
        yield Backlog(left)
        for result in self._pool.read(self._reading, objects):
            yield from result.batches
            yield AwsRequests(result.aws_requests)
            for unit, fault in result.faults:
                if fault.is_outage:
                    self.unfinished.add(Owner(unit.account_id, unit.region))
                yield fault
            left -= result.objects
            yield Backlog(left)
            if left and self._is_due():
                self._is_stopped = True
                return


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
