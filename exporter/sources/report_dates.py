"""Dates of a daily report: as each is written, and in which order the whole report writes them.

AWS writes MM-DD-YYYY in by_user_analytic and YYYY-MM-DD in user_report. A spreadsheet that saved a
report again may have turned day and month: which of them comes first is decided for the report as
a whole, never for a line.
"""

import re
from collections.abc import Mapping
from datetime import date, timedelta
from enum import Enum
from functools import lru_cache
from typing import NamedTuple

from exporter.usage import LogObject

UNDATED = date.min
"""The day of a line until the order of its report's dates is known."""

_NEAR = timedelta(days=7)
"""A report lies below the day that it was written for or one soon after."""
_TIME = r"(?:[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,9})?)?(?:Z|[+-]00:?00| UTC)?)?"
_YEAR_FIRST = re.compile(rf"([0-9]{{4}})([-/])([0-9]{{1,2}})\2([0-9]{{1,2}}){_TIME}")
_YEAR_LAST = re.compile(rf"([0-9]{{1,2}})([-/])([0-9]{{1,2}})\2([0-9]{{4}}){_TIME}")
_LONGEST = 40
"""Characters; no date that is read has more."""
_EPOCH = date(1970, 1, 1)


class DateOrder(Enum):
    """Which number of 04-05-2025 comes first."""

    MONTH_FIRST = "month first"
    DAY_FIRST = "day first"


class WrittenDate(NamedTuple):
    """A date whose year comes last: what its first two numbers are is open."""

    first: int
    second: int
    year: int


def parse_date(text: str) -> date | WrittenDate | None:
    """Return the day that a cell names, or its numbers; None if it is no date.

    A time of day is passed over; one of another zone than UTC makes it no date.
    """
    return _parsed(text) if len(text) <= _LONGEST else None


@lru_cache(maxsize=1000)
def _parsed(text: str) -> date | WrittenDate | None:
    if match := _YEAR_FIRST.fullmatch(text):
        return _date(int(match[1]), int(match[3]), int(match[4]))
    if match := _YEAR_LAST.fullmatch(text):
        return WrittenDate(int(match[1]), int(match[3]), int(match[4]))
    return None


def order_of(dates: Mapping[WrittenDate, int], path_day: date) -> DateOrder:
    """Return the order in which a report writes its dates, each with the number of its lines.

    The order that puts more lines within a week of the day that the report lies below; if neither
    does, the one in which more are dates at all; else AWS's own, month first.
    """
    weights = {order: _weight(dates, order, path_day) for order in DateOrder}
    return max(DateOrder, key=weights.__getitem__)  # of equals, the first


def day_of(written: date | WrittenDate, order: DateOrder) -> date | None:
    """Return the day that a date names in an order; None if no calendar has it."""
    if isinstance(written, date):
        return written
    first, second, year = written
    if order is DateOrder.MONTH_FIRST:
        return _date(year, first, second)
    return _date(year, second, first)


def path_day(unit: LogObject) -> date:
    """Return the UTC day that an object lies below."""
    return _EPOCH + timedelta(days=unit.hour // 24)


def _weight(dates: Mapping[WrittenDate, int], order: DateOrder, path_day: date) -> tuple[int, int]:
    near = valid = 0
    for written, lines in dates.items():
        if day := day_of(written, order):
            valid += lines
            near += lines if abs(day - path_day) <= _NEAR else 0
    return near, valid


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None
