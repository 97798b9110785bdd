"""Which log objects are asked for: those that are listed and new, or all of an hour but the known.

In both ways each object is scanned once. A query that fails for what one object may cause is asked
in ever smaller parts, so that the rest counts.
"""

from collections import Counter
from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Protocol

from exporter.sources.athena_plan import (
    MOST_CHARACTERS,
    Listing,
    PathHour,
    ask_for_rest,
    asks_for,
    halves,
    hour_of_unit,
    in_parts,
    in_queries,
    size_of,
)
from exporter.sources.athena_sql import HourAsk
from exporter.sources.events import Backlog, Event, Fault
from exporter.sources.log_schedule import Known, Owner, Span, midnight_of, touched
from exporter.sources.log_store import LogStore, StoreError
from exporter.sources.rejection import Rejection
from exporter.usage import LogObject, QueryBatch

_ASKED_IN_PARTS = frozenset({"query_too_large", "scan_cutoff", "damaged_object", "engine_error"})
"""Reasons for which a query fails that one of its parts may not have."""
_ATTEMPTS = 3
"""Refreshes in which the engine may fail on a log object by itself before it is left out."""


class Queries(Protocol):
    """What runs queries."""

    location: str

    def ask(
        self, asks: Sequence[HourAsk], units: Sequence[LogObject] = (), may_reuse: bool = True
    ) -> Generator[Event, None, StoreError | None]:
        """Run one query; `units` are read by it. Returns why it failed. Raises StoreError."""

    def leave_out(self, unit: LogObject, why: Rejection) -> QueryBatch:
        """Return the batch of a log object that cannot be read at all."""


class ListingReader:
    """Asks for the log objects that are listed and were not read."""

    def __init__(
        self,
        queries: Queries,
        store: LogStore,
        known: Known,
        engine_errors: Counter[LogObject],
        is_due: Callable[[], bool],
    ) -> None:
        """Take the parts; `engine_errors` counts, over refreshes, what the engine failed on."""
        self._queries = queries
        self._store = store
        self._engine_errors = engine_errors
        self._known = known
        self._is_due = is_due
        self._is_stopped = False
        self._unlistable: set[Owner] = set()

    def stop_if_due(self) -> None:
        """Leave the days that are not read yet to the next refresh, if that should begin."""
        self._is_stopped = self._is_stopped or self._is_due()

    def read_days(
        self, days: Sequence[date], spans: Mapping[Owner, Span]
    ) -> Generator[Event, None, set[Owner]]:
        """Ask for what is new of UTC days, all in one query as far as it goes."""
        owners = {owner for day in days for owner in touched(spans, day)}
        if self._is_stopped:
            return owners
        new: list[LogObject] = []
        listing: dict[PathHour, list[str]] = {}
        for day in days:
            new += yield from self._list(day, spans, listing)
        unfinished = (yield from self._ask_in_parts(new, listing)) | (owners & self._unlistable)
        return owners if self._is_stopped else unfinished

    def _list(
        self, day: date, spans: Mapping[Owner, Span], listing: dict[PathHour, list[str]]
    ) -> Generator[Event, None, list[LogObject]]:
        """List one day; returns what was not read, newest first, and adds all to the listing."""
        owners = sorted(touched(spans, day) - self._unlistable)
        with ThreadPoolExecutor(self._store.concurrency) as pool:
            listings = {owner: pool.submit(self._store.list_day, *owner, day) for owner in owners}
        new: list[LogObject] = []
        for owner, listed in listings.items():
            try:
                units = sorted(item.unit for item in listed.result())
            except StoreError as error:
                self._unlistable.add(owner)
                yield Fault(error.reason, str(error))
                continue
            known = self._known.known_objects(*owner, day)
            for unit in units:
                if spans[owner].first <= unit.hour <= spans[owner].last:
                    listing.setdefault(hour_of_unit(unit), []).append(unit.name)
                    if (unit.hour, unit.name) not in known:
                        new.append(unit)
        return sorted(new, key=lambda unit: (unit.hour, unit.name), reverse=True)

    def _ask_in_parts(
        self, new: list[LogObject], listing: Listing
    ) -> Generator[Event, None, set[Owner]]:
        """Ask for log objects; returns the owners of those that could not be read."""
        failed: set[Owner] = set()
        left = len(new)
        yield Backlog(left)
        for part in in_parts(self._queries.location, new, listing):
            if left < len(new) and self._is_due():
                self._is_stopped = True
                return failed
            failed |= yield from self._ask(part, listing)
            left -= len(part)
            yield Backlog(left)
        return failed

    def _ask(
        self, units: Sequence[LogObject], listing: Listing
    ) -> Generator[Event, None, set[Owner]]:
        """Ask for log objects in one query, or in ever smaller parts if that fails."""
        asks = asks_for(self._queries.location, units, listing)
        failure = yield from self._queries.ask(asks, units)
        if failure is None:
            return set()
        if failure.reason == "stopped":
            self._is_stopped = True
        elif failure.reason in _ASKED_IN_PARTS and len(units) > 1:
            return (yield from self._ask_halves(units, listing))
        elif why := self._why_left_out(failure, units[0]):
            yield self._queries.leave_out(units[0], why)
            return set()
        else:
            yield Fault(failure.reason, str(failure))
        return {Owner(unit.account_id, unit.region) for unit in units}

    def _ask_halves(
        self, units: Sequence[LogObject], listing: Listing
    ) -> Generator[Event, None, set[Owner]]:
        failed: set[Owner] = set()
        for half in halves(units):
            if self._is_stopped:
                failed |= {Owner(unit.account_id, unit.region) for unit in half}
            else:
                failed |= yield from self._ask(half, listing)
        return failed

    def _why_left_out(self, failure: StoreError, unit: LogObject) -> Rejection | None:
        """Tell why a log object that fails by itself is given up; None to ask for it again."""
        if failure.reason == "damaged_object":
            return Rejection.CORRUPT_GZIP
        if failure.reason == "engine_error":
            self._engine_errors[unit] += 1
            if self._engine_errors[unit] >= _ATTEMPTS:
                return Rejection.UNREADABLE_OBJECT
        return None


class BlindReader:
    """Asks for all log objects of hours but those that were read, for want of a listing."""

    def __init__(self, queries: Queries, known: Known, is_due: Callable[[], bool]) -> None:
        self._queries = queries
        self._known = known
        self._is_due = is_due
        self._is_stopped = False

    def stop_if_due(self) -> None:
        """Leave the days that are not read yet to the next refresh, if that should begin."""
        self._is_stopped = self._is_stopped or self._is_due()

    def read_days(
        self, days: Sequence[date], spans: Mapping[Owner, Span]
    ) -> Generator[Event, None, set[Owner]]:
        """Ask for what is new of UTC days, all in one query as far as it goes."""
        owners = {owner for day in days for owner in touched(spans, day)}
        asks = [ask for day in days for ask in self._asks(day, spans)]
        asks.sort(key=lambda ask: ask.hour, reverse=True)
        failed: set[Owner] = set()
        for number, part in enumerate(in_queries(asks)):
            if self._is_stopped or (number and self._is_due()):
                self._is_stopped = True
                return owners
            # The same words ask for more when more lies there: an old answer would hide it.
            failure = yield from self._queries.ask(part, may_reuse=False)
            if failure is not None:
                self._is_stopped = self._is_stopped or failure.reason == "stopped"
                yield Fault(failure.reason, str(failure))
                failed |= {Owner(ask.account_id, ask.region) for ask in part}
        return failed

    def _asks(self, day: date, spans: Mapping[Owner, Span]) -> list[HourAsk]:
        asks = []
        midnight = midnight_of(day)
        for owner in sorted(touched(spans, day)):
            known: dict[int, list[str]] = {}
            for hour, name in sorted(self._known.known_objects(*owner, day)):
                known.setdefault(hour, []).append(name)
            span = spans[owner]
            for hour in range(max(span.first, midnight), min(span.last, midnight + 23) + 1):
                ask = ask_for_rest(
                    self._queries.location, PathHour(*owner, hour), known.get(hour, ())
                )
                if size_of(ask).characters > MOST_CHARACTERS:
                    raise StoreError(
                        "too_many_objects",
                        f"{self._queries.location}: an hour of {owner.account_id} in "
                        f"{owner.region} holds more log objects than a query can leave out; "
                        "allow s3:ListBucket and set list_objects: true",
                    )
                asks.append(ask)
        return asks
