"""Lines of daily reports as usage that limits are evaluated on.

Reports state whole UTC days, and late: each account and region is known up to its newest day, and a
user as far as the furthest of those that it has lines of: who moved is not expected in two places.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta

from exporter.assistant_usage import Activity, Reported, Row
from exporter.interpretation.limits import Amounts, GroupUsage
from exporter.interpretation.measures import UNKNOWN, Labels
from exporter.interpretation.periods import MEAN_DAYS
from exporter.interpretation.prompts import labels_of
from exporter.interpretation.reported_days import known_until
from exporter.interpretation.reported_lines import NameOf
from exporter.usage import slot_of

_DAY = timedelta(days=1)


def group_lines(
    lines: Iterable[Reported], today: date, name_of: NameOf, measures: Sequence[str]
) -> list[GroupUsage]:
    """Return the usage of one product's lines, of one kind, in amounts of some measures.

    `today` is a day of the configured time zone; `measures` are of ACTIVITIES, or all of
    config.CREDIT_MEASURES.
    """
    days: dict[Labels, dict[date, Amounts]] = defaultdict(dict)
    newest: dict[tuple[str, str], date] = {}
    for account_id, region, row in lines:
        if row.day > today:
            continue
        user = name_of(row.user)
        labels = labels_of(account_id, region, user or "")
        place = labels.account_id, labels.region
        newest[place] = max(row.day, newest.get(place, row.day))
        if user is not None:
            of_user, amounts = days[labels], _amounts(row, measures)
            before = of_user.get(row.day)
            of_user[row.day] = _sum([before, amounts]) if before else amounts
    known = _known_until(days, newest, today)
    return [_group(labels, of_user, today, known[labels]) for labels, of_user in days.items()]


def _known_until(
    users: Iterable[Labels], newest: Mapping[tuple[str, str], date], today: date
) -> dict[Labels, date]:
    """Return up to which day the usage of each is known, by the newest day of each place.

    Users that privacy has made one are in every place at once, and known in each as it is.
    """
    known = {
        labels: known_until(newest[labels.account_id, labels.region], today) for labels in users
    }
    furthest: dict[str, date] = {}
    for labels, until in known.items():
        furthest[labels.user] = max(until, furthest.get(labels.user, until))
    return {
        labels: until if labels.user == UNKNOWN else furthest[labels.user]
        for labels, until in known.items()
    }


def _group(labels: Labels, days: Mapping[date, Amounts], today: date, until: date) -> GroupUsage:
    monday = today - timedelta(days=today.weekday())

    def total(first: date, last: date) -> Amounts:
        return _sum([amounts for day, amounts in days.items() if first <= day <= last])

    nothing = tuple(0 for _ in next(iter(days.values())))
    return GroupUsage(
        labels=labels,
        day=days.get(today, nothing),
        week=total(monday, today) or nothing,
        month=total(today.replace(day=1), today) or nothing,
        last_7_days=total(until - (MEAN_DAYS - 1) * _DAY, until) or nothing,
        first_slot=slot_of(datetime.combine(min(days), time.min, UTC)),
        known_until=until,
    )


def _sum(amounts: list[Amounts]) -> Amounts:
    return tuple(map(sum, zip(*amounts, strict=True)))


def _amounts(row: Row, measures: Sequence[str]) -> Amounts:
    if isinstance(row, Activity):
        counts = dict(row.counts)
        return tuple([counts.get(activity, 0) for activity in measures])
    return row.used, row.overage, row.messages
