"""The ledger's usage of the periods that are exposed, interpreted under one configuration.

Closed periods are computed once and remembered until something late falls into them, so that a
refresh costs what today costs, however long the ledger is.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from exporter.interpretation import periods
from exporter.interpretation.meaning import Interpreter, Meaning
from exporter.interpretation.measures import Labels
from exporter.interpretation.periods import SlotRange
from exporter.interpretation.prices import price_counts
from exporter.interpretation.totals import GroupTotal, Totals
from exporter.ledger import Ledger
from exporter.snapshot.remembered import Remembered, parts
from exporter.usage import Counts, Fact, Summed, slot_start

_LATE_DAYS = 2
"""Full days that late records often fall into; they are remembered apart from earlier ones."""
_HOUR_OF_DAY_DAYS = 30


@dataclass(frozen=True, slots=True)
class PeriodUsage:
    """Usage as of one moment; days and months are those of the configured time zone."""

    today: Totals
    month: Totals
    previous_month: Totals
    week: Mapping[Labels, GroupTotal]
    last_7_days: Mapping[Labels, GroupTotal]
    """The last 7 full days, before today."""
    requests_by_hour: Mapping[tuple[str, int], int]
    """By application and hour of the day, of the last 30 days with today."""
    first_slot: int | None
    """Earliest slot of this and the previous month; None where there is no usage."""


class History:
    """Asks the ledger for periods and interprets what it says."""

    def __init__(self, ledger: Ledger, interpreter: Interpreter, zone: ZoneInfo) -> None:
        self._ledger = ledger
        self._interpreter = interpreter
        self._zone = zone
        self._meanings: dict[Fact, Meaning | None] = {}
        self._remembered = Remembered(ledger.last_change)

    def interpret(self, fact: Fact) -> Meaning | None:
        """Return what a fact means; None where the configured filters leave it out."""
        try:
            return self._meanings[fact]
        except KeyError:
            return self._meanings.setdefault(fact, self._interpreter.interpret(fact))

    def principals(self) -> Iterator[str]:
        """Return who called, as far as it was interpreted; a principal may come more than once."""
        return (fact.principal for fact in self._meanings)

    def usage(self, now: datetime) -> PeriodUsage:
        """Return the usage of every period that holds `now` or comes before it."""
        self._remembered.begin()
        today = periods.today(now, self._zone)
        month = periods.this_month(now, self._zone)
        late = periods.last_full_days(now, self._zone, _LATE_DAYS).start
        this_month = self._total(SlotRange(month.start, today.end), late, today.start)
        previous_month = self._total(periods.previous_month(now, self._zone), late)
        return PeriodUsage(
            today=self._total(today),
            month=this_month,
            previous_month=previous_month,
            week=self._total(
                SlotRange(periods.this_week(now, self._zone).start, today.end), late, today.start
            ).groups,
            last_7_days=self._total(periods.last_full_days(now, self._zone), late).groups,
            requests_by_hour=self._requests_by_hour(now, late),
            first_slot=min(
                (
                    group.first_slot
                    for total in (this_month, previous_month)
                    for group in total.groups.values()
                ),
                default=None,
            ),
        )

    def daily_cost_usd(self, now: datetime) -> tuple[tuple[date, Decimal], ...]:
        """Return the cost of the days of this month up to today that have data."""
        last = now.astimezone(self._zone).date()
        first = last.replace(day=1)
        days = [first + timedelta(days=count) for count in range((last - first).days + 1)]
        costs = [(day, self._day_cost_usd(day)) for day in days]
        return tuple((day, cost) for day, cost in costs if cost is not None)

    def _total(self, slots: SlotRange, *borders: int) -> Totals:
        """Return the totals of a range, put together of the parts between borders."""
        totals = [
            self._remembered.get("totals", part, self._compute_total)
            for part in self._parts(slots, borders)
        ]
        if len(totals) == 1:
            return totals[0]
        return self._remembered.get("sum", slots, lambda _: _sum(totals))

    def _parts(self, slots: SlotRange, borders: tuple[int, ...]) -> list[SlotRange]:
        return [
            part
            for between in parts(slots, *borders)
            for part in periods.split_at(between, self._interpreter.change_days)
        ]

    def _compute_total(self, slots: SlotRange) -> Totals:
        """Price a range within which no price changes."""
        day = slot_start(slots.start).date()
        total = Totals()
        for meaning, summed in self._interpreted(slots):
            total.add_usage(meaning, summed, self._interpreter.unit_prices(meaning, day))
        return total

    def _interpreted(self, slots: SlotRange) -> Iterator[tuple[Meaning, Summed]]:
        for number, summed in self._ledger.sum_usage(*slots).items():
            meaning = self.interpret(self._ledger.fact(number))
            if meaning is not None:
                yield meaning, summed

    def _day_cost_usd(self, day: date) -> Decimal | None:
        """Return what a day cost; None where it has no usage."""
        slots = SlotRange(
            periods.day_start(day, self._zone),
            periods.day_start(day + timedelta(days=1), self._zone),
        )
        costs = [
            cost
            for part in self._parts(slots, ())
            if (cost := self._remembered.get("cost", part, self._compute_cost)) is not None
        ]
        return sum(costs, Decimal(0)) if costs else None

    def _compute_cost(self, slots: SlotRange) -> Decimal | None:
        """Price a range within which no price changes; what has the same price, together."""
        day = slot_start(slots.start).date()
        alike: dict[tuple[object, ...], tuple[Meaning, Counts]] = {}
        for meaning, (_, counts) in self._interpreted(slots):
            key = _what_prices(meaning)
            _, before = alike.get(key, (meaning, Counts()))
            alike[key] = meaning, before if meaning.error_code else before.plus(counts)
        costs = [
            price_counts(self._interpreter.unit_prices(meaning, day), counts).cost_usd
            for meaning, counts in alike.values()
        ]
        return sum(costs, Decimal(0)) if costs else None

    def _requests_by_hour(self, now: datetime, late: int) -> Counter[tuple[str, int]]:
        today = periods.today(now, self._zone)
        before = periods.last_full_days(now, self._zone, _HOUR_OF_DAY_DAYS - 1)
        hours: Counter[tuple[str, int]] = Counter()
        for part in self._parts(SlotRange(before.start, today.end), (late, today.start)):
            hours.update(self._remembered.get("hours", part, self._compute_hours))
        return hours

    def _compute_hours(self, slots: SlotRange) -> Counter[tuple[str, int]]:
        hours: Counter[tuple[str, int]] = Counter()
        for part, offset in periods.constant_offset_parts(slots, self._zone):
            counted = self._ledger.count_requests_by_hour(*part, offset)
            for (number, hour), requests in counted.items():
                meaning = self.interpret(self._ledger.fact(number))
                if meaning is not None:
                    hours[meaning.labels.application, hour] += requests
        return hours


def _sum(totals: Iterable[Totals]) -> Totals:
    total = Totals()
    for part in totals:
        total.add(part)
    return total


def _what_prices(meaning: Meaning) -> tuple[object, ...]:
    """Return all of a meaning that decides its price on a day."""
    return (
        *meaning.place,
        meaning.routing,
        meaning.unpriced,
        meaning.service_tier,
        meaning.context_from,
    )
