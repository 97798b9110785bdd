"""Asks for all log objects of hours but those that were read, for want of a listing."""

from collections.abc import Callable, Generator, Mapping, Sequence
from datetime import date

from exporter.sources.athena_asking import ASKED_IN_PARTS, GO_ON, Queries
from exporter.sources.athena_errors import path_in
from exporter.sources.athena_plan import (
    MOST_CHARACTERS,
    PathHour,
    ask_for_rest,
    in_queries,
    path_of,
    size_of,
    unit_of,
)
from exporter.sources.athena_sql import HourAsk
from exporter.sources.events import Event, Fault
from exporter.sources.log_schedule import Known, Owner, Span, midnight_of, touched
from exporter.sources.log_store import StoreError
from exporter.sources.rejection import Rejection
from exporter.usage import LogObject


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
        failed: set[Owner] = set()
        asks: list[HourAsk] = []
        for day in days:
            for ask in self._asks(day, spans):
                if size_of(ask).characters > MOST_CHARACTERS:
                    failed.add(Owner(ask.account_id, ask.region))
                    yield self._too_many(ask)
                else:
                    asks.append(ask)
        asks.sort(key=lambda ask: ask.hour, reverse=True)
        # All of them, however long it takes: the next refresh would begin with the first again.
        for part in in_queries(asks):
            if not self._is_stopped:
                failed |= yield from self._ask(part)
        return owners if self._is_stopped else failed

    def _ask(self, asks: Sequence[HourAsk]) -> Generator[Event, None, set[Owner]]:
        """Ask for hours in one query, or in ever fewer if that fails.

        Returns the owners of those that could not be read.
        """
        # The same words ask for more when more lies there: an old answer would hide it.
        failure = yield from self._queries.ask(asks, may_reuse=False)
        if failure is None:
            return set()
        if failure.reason in ASKED_IN_PARTS and len(asks) > 1:
            failed: set[Owner] = set()
            middle = len(asks) // 2
            for half in (asks[:middle], asks[middle:]):
                if not self._is_stopped:
                    failed |= yield from self._ask(half)
            return failed
        if failure.reason == "damaged_object" and (unit := self._named(failure, asks)):
            yield self._queries.leave_out(unit, Rejection.CORRUPT_GZIP)
            return (yield from self._ask([self._without(asks[0], unit)]))
        self._is_stopped = failure.reason not in GO_ON
        yield Fault(failure.reason, str(failure))
        return {Owner(ask.account_id, ask.region) for ask in asks}

    def _named(self, failure: StoreError, asks: Sequence[HourAsk]) -> LogObject | None:
        """Return the log object that a failure names, if it was asked for."""
        path = path_in(failure)
        unit = unit_of(self._queries.location, path) if path else None
        if unit is None or unit[:3] not in {ask[:3] for ask in asks}:
            return None
        return None if path in asks[0].without else unit

    def _without(self, ask: HourAsk, unit: LogObject) -> HourAsk:
        return ask._replace(without=(*ask.without, path_of(self._queries.location, unit)))

    def _too_many(self, ask: HourAsk) -> Fault:
        return Fault(
            "too_many_objects",
            f"{self._queries.location}: an hour of {ask.account_id} in {ask.region} holds more "
            "log objects than a query can leave out; let the exporter list the bucket, and set "
            "list_objects: true",
        )

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
                asks.append(ask)
        return asks
