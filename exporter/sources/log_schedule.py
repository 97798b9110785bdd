"""Which hours of the logs to look at in a refresh, whoever then reads them.

Every refresh looks, for each account and region, at the hours that can still receive a log object:
from `lookback` before the last complete look. The first time it also fills the history, newest
days first. What was read is asked of the ledger; this module reads and writes nothing.
"""

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple, Protocol

from exporter.sources.events import Event, Fault, Finished, Times
from exporter.sources.log_layout import INVOCATION_LOGS, Layout
from exporter.sources.log_store import Owners, StoreError, hour_of, hour_start
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


class DayReader(Protocol):
    """Reads days for one refresh, until it is due to stop."""

    def read_days(
        self, days: Sequence[date], spans: Mapping[Owner, Span]
    ) -> Generator[Event, None, set[Owner]]:
        """Read what is new of UTC days, newest first, in the hours of the spans.

        Returns whose objects could not all be read.
        """

    def stop_if_due(self) -> None:
        """Leave the days that are not read yet to the next refresh, if that should begin."""


class SlotRange(NamedTuple):
    """The slots of which records are taken, both ends included."""

    first: int
    last: int


class LogSchedule:
    """The order in which one location's logs are read."""

    def __init__(
        self,
        location: str,
        lookback: timedelta,
        whole_lookback_every: timedelta = timedelta(0),
        no_logs: str = "",
    ) -> None:
        """Take the location; between two looks at the whole look-back, see to its last hours.

        `no_logs` is what is said where nothing lies; without it, that there are no Bedrock logs.
        """
        self._location = location
        self._lookback = lookback
        self._whole_lookback_every = whole_lookback_every
        self._no_logs = no_logs or none_at(location, INVOCATION_LOGS)

    def read(
        self,
        times: Times,
        known: Known,
        list_owners: Callable[[], Owners],
        begin: Callable[[SlotRange], DayReader],
    ) -> Iterator[Event]:
        """Have what is new read, newest first, then history as far as time allows.

        `begin` gives the reader of this refresh. Raises StoreError.
        """
        _check_clock(times.now, known)
        owners = list_owners()
        yield from (Fault(fault.reason, str(fault)) for fault in owners.faults)
        if not owners.found and not owners.faults:
            yield Fault("no_logs", self._no_logs)
        states = {Owner(*owner): self._state(Owner(*owner), times, known) for owner in owners.found}
        # A first fill goes as far back as it meant to when it began, however often it is cut off.
        for owner, state in states.items():
            if known.progress(self._location, *owner) is None:
                yield state
        reader = begin(SlotRange(slot_of(times.keep_from), slot_of(times.now + _MOST_AHEAD)))
        unfinished = yield from self._read_recent(reader, states, times.now)
        yield from self._read_history(reader, states)
        filling = [state.filled_to for state in states.values() if not state.complete]
        yield Finished(
            is_complete=not unfinished and not filling and not owners.faults,
            history_read_to=max(filling).date() if filling else None,
        )

    def _state(self, owner: Owner, times: Times, known: Known) -> Progress:
        """Return how far an owner is read, or where its first fill begins."""
        recent_from = hour_start(hour_of(times.now - self._lookback))
        state = known.progress(self._location, *owner)
        if state is None:
            due = times.now - self._whole_lookback_every
            return Progress(self._location, *owner, due, recent_from, times.fill_from)
        # A clock that was ahead at an earlier refresh must hide nothing from this one.
        return replace(
            state,
            listed_at=min(state.listed_at, times.now),
            filled_to=min(state.filled_to, recent_from),
            fill_from=min(state.fill_from, times.fill_from),
        )

    def _read_recent(
        self, reader: DayReader, states: dict[Owner, Progress], now: datetime
    ) -> Generator[Event, None, set[Owner]]:
        """Read every hour that may have received something since the last complete look.

        Returns whose hours could not all be read.
        """
        whole = {owner for owner, state in states.items() if self._is_whole(state, now)}
        spans = {
            owner: Span(
                hour_of(state.listed_at - self._lookback) if owner in whole else hour_of(now) - 1,
                hour_of(now),
            )
            for owner, state in states.items()
        }
        unfinished = yield from reader.read_days(list(_days_back(spans.values())), spans)
        for owner in whole - unfinished:
            states[owner] = replace(states[owner], listed_at=now)
            yield states[owner]
        return unfinished

    def _is_whole(self, state: Progress, now: datetime) -> bool:
        """Tell whether all of the look-back is due, and not its last hours alone."""
        return now - state.listed_at >= self._whole_lookback_every

    def _read_history(self, reader: DayReader, states: dict[Owner, Progress]) -> Iterator[Event]:
        """Read the history that a first fill has not reached yet, newest day first."""
        spans = {
            owner: Span(hour_of(state.fill_from), hour_of(state.filled_to) - 1)
            for owner, state in states.items()
            if not state.complete
        }
        unfinished: set[Owner] = set()
        for day in _days_back(spans.values()):
            unfinished |= yield from reader.read_days([day], spans)
            finished = touched(spans, day) - unfinished
            for owner in finished:
                filled_to = hour_start(max(midnight_of(day), spans[owner].first))
                states[owner] = replace(states[owner], filled_to=filled_to)
                yield states[owner]
            if finished:
                reader.stop_if_due()


def none_at(location: str, layout: Layout) -> str:
    """Return what is said of a location where none of a layout's objects lie."""
    return f"{location}/AWSLogs/: no {layout.logs}; is `location` what stands before it?"


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


def touched(spans: Mapping[Owner, Span], day: date) -> set[Owner]:
    """Return whose spans have an hour in a UTC day."""
    midnight = midnight_of(day)
    return {
        owner
        for owner, span in spans.items()
        if span.first < midnight + 24 and span.last >= midnight
    }


def midnight_of(day: date) -> int:
    """Return the first hour of a UTC day, in hours since the epoch."""
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
