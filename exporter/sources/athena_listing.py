"""Asks for the log objects that are listed and were not read, so that each is scanned once.

A query that fails for what one object may cause is asked in ever smaller parts, so that the rest
counts; what was too much stays small at the next refresh.
"""

from collections import Counter
from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date

from exporter.sources.athena_asking import ASKED_IN_PARTS, GO_ON, Queries
from exporter.sources.athena_plan import (
    Listing,
    Most,
    PathHour,
    asks_for,
    halves,
    hour_of_unit,
    in_parts,
    path_of,
)
from exporter.sources.events import Backlog, Event, Fault
from exporter.sources.log_schedule import Known, Owner, Span, touched
from exporter.sources.log_store import LogStore, StoreError
from exporter.sources.rejection import Rejection
from exporter.usage import LogObject

_ATTEMPTS = 3
"""Refreshes in which the engine may fail on a log object by itself before it is left out."""


class Experience:
    """What earlier refreshes taught of how much a query can be for."""

    def __init__(self, most: Most) -> None:
        self.most = most
        self.engine_errors: Counter[LogObject] = Counter()
        """How often the engine failed on a log object alone, while it read others."""
        self._ceiling = most.objects

    def read(self, objects: int) -> None:
        """Take note that a query for so many log objects was answered."""
        if objects * 2 > self.most.objects:
            self.most = self.most._replace(objects=min(2 * self.most.objects, self._ceiling))

    def failed(self, objects: int) -> None:
        """Take note that a query for so many log objects was too much, or for a bad one."""
        self.most = self.most._replace(objects=max(objects // 2, 1))


class ListingReader:
    """Asks for the log objects that are listed and were not read."""

    def __init__(
        self,
        queries: Queries,
        store: LogStore,
        known: Known,
        experience: Experience,
        is_due: Callable[[], bool],
    ) -> None:
        self._queries = queries
        self._store = store
        self._known = known
        self._experience = experience
        self._is_due = is_due
        self._is_stopped = False
        self._has_succeeded = False
        self._unlistable: set[Owner] = set()
        self._failing: dict[LogObject, StoreError] = {}
        """What the engine failed on alone."""
        self._left_over = 0
        """Log objects of the days before that were not read."""

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
        new: dict[LogObject, int] = {}
        listing: dict[PathHour, list[str]] = {}
        for day in days:
            new |= yield from self._list(day, spans, listing)
        left = yield from self._ask_in_parts(new, listing)
        left -= yield from self._give_up()
        self._left_over += len(left)
        yield Backlog(self._left_over)
        if self._is_stopped:
            return owners
        return {Owner(unit.account_id, unit.region) for unit in left} | (owners & self._unlistable)

    def _list(
        self, day: date, spans: Mapping[Owner, Span], listing: dict[PathHour, list[str]]
    ) -> Generator[Event, None, dict[LogObject, int]]:
        """List one day, adding all to the listing.

        Returns the stored bytes of what was not read, newest first.
        """
        owners = sorted(touched(spans, day) - self._unlistable)
        with ThreadPoolExecutor(self._store.concurrency) as pool:
            listings = {owner: pool.submit(self._store.list_day, *owner, day) for owner in owners}
        new: dict[LogObject, int] = {}
        for owner, listed in listings.items():
            try:
                objects, faults = listed.result()
            except StoreError as error:
                objects, faults = [], [error]
            for fault in faults:
                self._unlistable.add(owner)
                yield Fault(fault.reason, str(fault))
            known = self._known.known_objects(*owner, day)
            for unit, size, _ in sorted(objects):
                if spans[owner].first <= unit.hour <= spans[owner].last:
                    listing.setdefault(hour_of_unit(unit), []).append(unit.name)
                    if (unit.hour, unit.name) not in known:
                        new[unit] = size
        newest_first = sorted(new, key=lambda unit: (unit.hour, unit.name), reverse=True)
        return {unit: new[unit] for unit in newest_first}

    def _ask_in_parts(
        self, new: Mapping[LogObject, int], listing: Listing
    ) -> Generator[Event, None, set[LogObject]]:
        """Ask for log objects; returns those that were not read."""
        left = set(new)
        yield Backlog(self._left_over + len(left))
        for part in in_parts(self._queries.location, new, listing, self._experience.most):
            if self._is_stopped or (len(left) < len(new) and self._is_due()):
                self._is_stopped = True
                break
            unread = yield from self._ask({unit: new[unit] for unit in part}, listing)
            left -= set(part) - unread
            yield Backlog(self._left_over + len(left))
        return left

    def _ask(
        self, units: Mapping[LogObject, int], listing: Listing
    ) -> Generator[Event, None, set[LogObject]]:
        """Ask for log objects in one query, or in ever smaller parts if that fails.

        Returns those that were not read.
        """
        asks = asks_for(self._queries.location, units, listing)
        failure = yield from self._queries.ask(asks, units)
        if failure is None:
            self._experience.read(len(units))
            self._has_succeeded = True
            return set()
        if failure.reason in ASKED_IN_PARTS and len(units) > 1:
            self._experience.failed(len(units))
            return (yield from self._ask_halves(units, listing))
        [*_, unit] = units
        if failure.reason == "damaged_object":
            yield self._queries.leave_out(unit, Rejection.CORRUPT_GZIP)
            return set()
        if failure.reason == "engine_error":
            self._failing[unit] = failure
            return set(units)
        self._is_stopped = self._is_stopped or failure.reason not in GO_ON
        yield Fault(failure.reason, str(failure))
        return set(units)

    def _ask_halves(
        self, units: Mapping[LogObject, int], listing: Listing
    ) -> Generator[Event, None, set[LogObject]]:
        unread: set[LogObject] = set()
        for half in halves(list(units)):
            # Smaller parts are asked for from the next refresh on, too.
            self._is_stopped = self._is_stopped or self._is_due()
            if self._is_stopped:
                unread |= set(half)
            else:
                unread |= yield from self._ask({unit: units[unit] for unit in half}, listing)
        return unread

    def _give_up(self) -> Generator[Event, None, set[LogObject]]:
        """Leave out what the engine failed on alone, again and again, while it read the rest.

        Returns what is not asked for again.
        """
        given_up: set[LogObject] = set()
        errors = self._experience.engine_errors
        for unit, failure in self._failing.items():
            # An engine that reads nothing at all says nothing of a single object.
            errors[unit] += self._has_succeeded
            if errors[unit] >= _ATTEMPTS:
                yield self._queries.leave_out(unit, Rejection.UNREADABLE_OBJECT)
                given_up.add(unit)
            else:
                yield Fault(failure.reason, f"{failure} ({path_of(self._queries.location, unit)})")
        self._failing.clear()
        return given_up
