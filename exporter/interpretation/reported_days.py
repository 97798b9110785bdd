"""The days that daily reports speak of: which of them count, and what they let expect.

AWS reports whole days of UTC, mostly on the day after, and only users who were active: a day
without a line is a day without activity. What stands on a line is nothing to this module.
"""

from collections.abc import Collection, Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple

from exporter.interpretation.periods import MEAN_DAYS

SEAT_DAYS = 90
"""Reported days in which who was active once counts as having a seat."""

_DAY = timedelta(days=1)
_LATEST = timedelta(days=7)
"""How long a report is waited for."""


class ReportedDays(NamedTuple):
    """How far the reports of a product reach, and the day on which one looks at them."""

    today: date
    """In the configured time zone; tells which month is this month."""
    newest: date
    """The day up to which usage is known, itself included; not after today."""

    @property
    def month(self) -> date:
        """Return the first day of this month."""
        return self.today.replace(day=1)

    @property
    def seats_since(self) -> date:
        """Return the first of the days whose users have a seat still, as far as one can tell.

        Reports name no seats, only who was active: who was not for so long has left, or nearly so.
        """
        return self.newest - (SEAT_DAYS - 1) * _DAY

    @property
    def next_month(self) -> date:
        """Return the first day of the month after."""
        return (self.month + 31 * _DAY).replace(day=1)

    @property
    def days_left(self) -> int:
        """Count the days of this month that are still to be reported."""
        return (self.next_month - max(self.newest + _DAY, self.month)).days

    def sum_month(self, amounts: Mapping[date, Decimal | int]) -> Decimal:
        """Return what is reported of this month."""
        return _sum_since(self.month, amounts)

    def project_month(
        self, amounts: Mapping[date, Decimal | int], reported: Collection[date]
    ) -> Decimal | None:
        """Return what this month will come to: what is reported, and the mean for each day left.

        `reported` has the days that the user has a line of, at least one. The mean is over the last
        7 days up to the newest reported one, or over those since the user's first, where that is
        later; a day without an amount counts as 0. A reported day is a whole one, so that one is
        enough. None for a user without a line in this month and in those 7 days.
        """
        week = self.newest - (MEAN_DAYS - 1) * _DAY
        if max(reported) < min(week, self.month):
            return None
        start = max(week, min(reported))
        days = (self.newest - start).days + 1
        to_come = self.days_left * _sum_since(start, amounts) / days
        return self.sum_month(amounts) + to_come

    def idle_days(self, reported: Mapping[date, bool]) -> int:
        """Count the days from a user's last active one to the newest reported.

        Of a user that never was active, from the first report of it. `reported` has the user's
        days, at least one, and whether it was active on them.
        """
        active = [day for day, was_active in reported.items() if was_active]
        return (self.newest - (max(active) if active else min(reported))).days


def known_until(newest: date, today: date) -> date:
    """Return up to which day usage is known of where lines come from, by the newest day of these.

    Reports speak of days on which somebody was active. That none came may mean that they are late,
    but after a week it means that nobody was.
    """
    return max(newest, today - _LATEST)


def _sum_since(first: date, amounts: Mapping[date, Decimal | int]) -> Decimal:
    return sum((Decimal(amount) for day, amount in amounts.items() if day >= first), Decimal(0))
