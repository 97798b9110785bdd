"""What the ledger says of developer assistants in the periods that are exposed.

As history.py does for Bedrock: closed periods are computed once and remembered until something
late falls into them, and report lines are read again only when a report came.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from exporter.assistant_usage import Product, Reported, RequestKind
from exporter.interpretation import periods
from exporter.interpretation.periods import SlotRange
from exporter.interpretation.prompts import (
    Prompts,
    add,
    attribute,
    group_of,
    largest_conversations,
)
from exporter.interpretation.reported_days import SEAT_DAYS
from exporter.interpretation.reported_lines import NameOf
from exporter.ledger import AssistantReader
from exporter.snapshot.remembered import Remembered, parts

_LATE_DAYS = 2
"""Full days that late records often fall into; they are remembered apart from earlier ones."""
_HOUR_OF_DAY_DAYS = 30
_DAY_OF_WEEK_DAYS = 28
_LATEST_REPORT_DAYS = 7
"""How late the newest report of a product may be for all that counts back from it to be read."""

Pattern = Mapping[tuple[Product, RequestKind, int], int]
"""Requests by hour of the day, or by day of the week, 1 for Monday."""


@dataclass(frozen=True, slots=True)
class AssistantUsage:
    """Usage as of one moment; days and months are those of the configured time zone."""

    day: date
    """Today."""
    today: Prompts
    week: Prompts
    month: Prompts
    previous_month: Prompts
    last_7_days: Prompts
    """The last 7 full days, before today."""
    largest_conversations: Mapping[tuple[str, Product], int]
    """Tokens, of those of which today has a request, by user and product."""
    requests_by_hour: Pattern
    """Of the last 30 days with today."""
    requests_by_weekday: Pattern
    """Of the last 28 full days."""
    lines: tuple[Reported, ...]
    """Report lines of all who may have a seat; the same tuple for as long as they are the same."""


class AssistantHistory:
    """Asks the ledger for periods and says whose they are."""

    def __init__(self, ledger: AssistantReader, name_of: NameOf, zone: ZoneInfo) -> None:
        self._ledger = ledger
        self._name_of = name_of
        self._zone = zone
        self._remembered = Remembered(ledger.changes.last)
        self._lines: tuple[tuple[date, int], tuple[Reported, ...]] | None = None

    def usage(self, now: datetime) -> AssistantUsage:
        """Return the usage of every period that holds `now` or comes before it."""
        self._remembered.begin()
        zone = self._zone
        today, month = periods.today(now, zone), periods.this_month(now, zone)
        week = periods.this_week(now, zone)
        late = periods.last_full_days(now, zone, _LATE_DAYS).start
        borders = (late, today.start)
        day = now.astimezone(zone).date()
        return AssistantUsage(
            day=day,
            today=self._prompts(today),
            week=self._prompts(SlotRange(week.start, today.end), *borders),
            month=self._prompts(SlotRange(month.start, today.end), *borders),
            previous_month=self._prompts(periods.previous_month(now, zone), late),
            last_7_days=self._prompts(periods.last_full_days(now, zone), late),
            largest_conversations=self._remembered.get(
                "conversations",
                # All that a conversation of today may have had before counts.
                SlotRange(periods.previous_month(now, zone).start, today.end),
                lambda _: self._largest_conversations(today),
            ),
            requests_by_hour=self._requests_by_hour(now, borders),
            requests_by_weekday=self._requests_by_weekday(day),
            lines=self._report_lines(day),
        )

    def _prompts(self, slots: SlotRange, *borders: int) -> Prompts:
        found = [
            self._remembered.get("prompts", part, self._attribute)
            for part in parts(slots, *borders)
        ]
        if len(found) == 1:
            return found[0]
        return self._remembered.get("sum", slots, lambda _: add(found))

    def _attribute(self, slots: SlotRange) -> Prompts:
        return attribute(self._ledger.sum_prompts(*slots), self._name_of)

    def _largest_conversations(self, today: SlotRange) -> Mapping[tuple[str, Product], int]:
        return largest_conversations(self._ledger.conversations(*today), self._name_of)

    def _requests_by_hour(self, now: datetime, borders: Iterable[int]) -> Pattern:
        today = periods.today(now, self._zone)
        before = periods.last_full_days(now, self._zone, _HOUR_OF_DAY_DAYS - 1)
        hours: Counter[tuple[Product, RequestKind, int]] = Counter()
        for part in parts(SlotRange(before.start, today.end), *borders):
            hours.update(self._remembered.get("hours", part, self._count_hours))
        return hours

    def _count_hours(self, slots: SlotRange) -> Counter[tuple[Product, RequestKind, int]]:
        hours: Counter[tuple[Product, RequestKind, int]] = Counter()
        for part, offset in periods.constant_offset_parts(slots, self._zone):
            counted = self._ledger.count_prompts_by_hour(*part, offset)
            for (asker, hour), requests in counted.items():
                if group_of(asker, self._name_of) is not None:
                    hours[asker.product, asker.request_kind, hour] += requests
        return hours

    def _requests_by_weekday(self, today: date) -> Pattern:
        weekdays: Counter[tuple[Product, RequestKind, int]] = Counter()
        for back in range(1, _DAY_OF_WEEK_DAYS + 1):
            day = today - timedelta(days=back)
            slots = SlotRange(
                periods.day_start(day, self._zone),
                periods.day_start(day + timedelta(days=1), self._zone),
            )
            for group, (_, counts) in self._prompts(slots).items():
                key = group.product, group.request_kind, day.isoweekday()
                weekdays[key] += counts.requests
        return weekdays

    def _report_lines(self, today: date) -> tuple[Reported, ...]:
        """Return the lines that figures of a day need; read again on another day or change."""
        key = today, self._ledger.report_changes
        if self._lines is None or self._lines[0] != key:
            first = today - timedelta(days=SEAT_DAYS + _LATEST_REPORT_DAYS)
            self._lines = key, tuple(self._ledger.reported(first, today + timedelta(days=1)))
        return self._lines[1]
