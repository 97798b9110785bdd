"""Lines of daily reports as usage that limits are evaluated on.

Reports state whole UTC days, and late: what is used is known up to the end of the newest day.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple

from exporter.assistant_usage import ACTIVITIES, Activity, Reported, Row
from exporter.interpretation.limits import MEAN_DAYS, Amounts, GroupUsage
from exporter.interpretation.measures import Labels
from exporter.interpretation.prompts import labels_of
from exporter.interpretation.reported_lines import NameOf
from exporter.usage import slot_of

_DAY = timedelta(days=1)


class ReportUsage(NamedTuple):
    """What one product's reports say."""

    groups: list[GroupUsage]
    """With amounts by ACTIVITIES, or by config.CREDIT_MEASURES for Kiro."""
    measured_to: datetime | None
    """End of the newest day that is reported, UTC; None where there is none."""


def group_lines(lines: Iterable[Reported], today: date, name_of: NameOf) -> ReportUsage:
    """Return the usage of one product's lines, of one kind; `today` is a day of the time zone."""
    days: dict[Labels, dict[date, Amounts]] = defaultdict(dict)
    newest: date | None = None
    for account_id, region, row in lines:
        if row.day > today:
            continue
        user = name_of(row.user)
        newest = max(newest or row.day, row.day)
        if user is not None:
            of_user = days[labels_of(account_id, region, user)]
            amounts = _amounts(row)
            before = of_user.get(row.day)
            of_user[row.day] = _sum([before, amounts]) if before else amounts
    if newest is None:
        return ReportUsage([], None)
    groups = [_group(labels, of_user, today, newest) for labels, of_user in days.items()]
    return ReportUsage(groups, _midnight(newest + _DAY))


def _group(labels: Labels, days: Mapping[date, Amounts], today: date, newest: date) -> GroupUsage:
    monday = today - timedelta(days=today.weekday())

    def total(first: date, last: date) -> Amounts:
        return _sum([amounts for day, amounts in days.items() if first <= day <= last])

    nothing = tuple(0 for _ in next(iter(days.values())))
    return GroupUsage(
        labels=labels,
        day=days.get(today, nothing),
        week=total(monday, today) or nothing,
        month=total(today.replace(day=1), today) or nothing,
        last_7_days=total(newest - (MEAN_DAYS - 1) * _DAY, newest) or nothing,
        first_slot=slot_of(_midnight(min(days))),
    )


def _sum(amounts: list[Amounts]) -> Amounts:
    return tuple(map(sum, zip(*amounts, strict=True)))


def _amounts(row: Row) -> Amounts:
    if isinstance(row, Activity):
        counts = dict(row.counts)
        return tuple(counts.get(activity, 0) for activity in ACTIVITIES)
    return row.used, row.overage, row.messages


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, UTC)
