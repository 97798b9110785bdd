"""What users of developer assistants did, as activity reports say: counts, pace and silence.

Holds no clock and knows no limits: `today` is an argument, and the lines that hold are given.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from typing import NamedTuple

from exporter.assistant_usage import Activity, Product, Reported
from exporter.interpretation.measures import Labels, label_text
from exporter.interpretation.reported_days import ReportedDays, known_until
from exporter.interpretation.reported_lines import Line, NameOf, lines_of, name_users

EVENTS = frozenset(
    {
        "chat_messages_sent",
        "inline_suggestions_count",
        "inline_chat_total_event_count",
        "dev_generation_event_count",
        "test_generation_event_count",
        "doc_generation_event_count",
        "code_review_succeeded_event_count",
        "code_review_failed_event_count",
        "code_fix_generation_event_count",
        "transformation_event_count",
    }
)
"""The activities that add up to how much a user did; the others say what came of them."""

_SPIKE_DAYS = timedelta(days=30)
"""Days before the newest that a spike is measured against."""
_FEWEST_SPIKE_DAYS = 3
"""Active days that it takes for that."""


_Place = tuple[Labels, Product]
"""Whose reports come together: an account, a region and a product."""


class ActivityKey(NamedTuple):
    """Who did what."""

    labels: Labels
    """Of them, account_id, region and user."""
    product: Product
    activity: str


class UserKey(NamedTuple):
    """A user of a product, over accounts and regions."""

    user: str
    product: Product


class UserActivity(NamedTuple):
    """How much a user did, in events."""

    daily_mean: Decimal | None
    """Of this month's days with any; None where there is none, as the two that follow."""
    daily_max: int | None
    daily_min: int | None
    projected_month: Decimal | None
    """None for a user without a line in this month and in the last 7 reported days."""
    spike_ratio: Decimal | None
    """Newest reported day / mean of the active days in the 30 before; None below 3 of those."""
    idle_days: int
    """Since the last day with any activity, events or not; or else since the first report."""


@dataclass(frozen=True, slots=True)
class ActivityFigures:
    """What activity reports say on one day.

    Of a user that was active this month, every activity of this month stays in `today` and
    `latest_day`, at 0 if need be, where the account and region have a report of that day.
    """

    today: Mapping[ActivityKey, int]
    """Nothing until a report of today comes."""
    latest_day: Mapping[ActivityKey, int]
    """Of the newest day that an account and region have a report of, if it is of the last week."""
    month: Mapping[ActivityKey, int]
    seen: frozenset[UserKey]
    """Users with a line of this month, whatever it counts."""
    users: Mapping[UserKey, UserActivity]
    """Those with a line in the last 90 reported days."""


def summarise_activity(
    reported: Iterable[Reported], today: date, name_of: NameOf
) -> ActivityFigures:
    """Return the figures of all lines; those of Kiro's credit reports are left out."""
    lines = lines_of(reported, Activity, today)
    newest: dict[_Place, date] = {}
    for labels, row in lines:
        place = labels, row.product
        newest[place] = max(row.day, newest.get(place, date.min))
    named = name_users(lines, name_of)
    first = today.replace(day=1)
    of_month = [line for line in named if line.row.day >= first]
    month = _count(of_month)
    return ActivityFigures(
        today=_of_day(dict.fromkeys(newest, today), lines, named, month),
        latest_day=_of_day(_recent(newest, today), lines, named, month),
        month=month,
        seen=frozenset(UserKey(labels.user, row.product) for labels, row in of_month),
        users=_users(named, today, newest),
    )


def _recent(newest: Mapping[_Place, date], today: date) -> dict[_Place, date]:
    """Return the places that are still waited for, each with its newest day."""
    return {place: day for place, day in newest.items() if known_until(day, today) == day}


def _place(labels: Labels, product: Product) -> _Place:
    return labels._replace(user=""), product


def _count(lines: Iterable[Line[Activity]]) -> dict[ActivityKey, int]:
    """Add up the lines of each user first: most of them name the same activities."""
    users: dict[tuple[Labels, Product], Counter[str]] = defaultdict(Counter)
    for labels, row in lines:
        counts = users[labels, row.product]
        for activity, count in row.counts:
            counts[activity] += count
    text = cache(label_text)
    total: Counter[ActivityKey] = Counter()
    for (labels, product), counts in users.items():
        for activity, count in counts.items():
            total[ActivityKey(labels, product, text(activity))] += count
    return dict(total)


def _of_day(
    days: Mapping[_Place, date],
    lines: Iterable[Line[Activity]],
    named: Iterable[Line[Activity]],
    month: Iterable[ActivityKey],
) -> dict[ActivityKey, int]:
    """Count one day of each place; what the month has and the day has not is 0."""
    reporting = {
        (labels, row.product) for labels, row in lines if row.day == days.get((labels, row.product))
    }
    zeros = {key: 0 for key in month if _place(key.labels, key.product) in reporting}
    return zeros | _count(
        line for line in named if line.row.day == days.get(_place(line.labels, line.row.product))
    )


@dataclass(slots=True)
class _History:
    """A user's days with a line."""

    events: dict[date, int] = field(default_factory=lambda: defaultdict(int))
    active: dict[date, bool] = field(default_factory=lambda: defaultdict(bool))
    """Whether anything at all was done, event or not."""
    known_until: date = date.min
    """Of the accounts and regions that it has a line of."""


def _users(
    lines: Iterable[Line[Activity]], today: date, newest: Mapping[_Place, date]
) -> dict[UserKey, UserActivity]:
    histories: dict[UserKey, _History] = defaultdict(_History)
    for labels, row in lines:
        history = histories[UserKey(labels.user, row.product)]
        history.events[row.day] += sum([count for name, count in row.counts if name in EVENTS])
        history.active[row.day] |= bool(row.counts)
        until = known_until(newest[_place(labels, row.product)], today)
        history.known_until = max(history.known_until, until)
    return {
        user: _user(history, days)
        for user, history in histories.items()
        if max(history.active) >= (days := ReportedDays(today, history.known_until)).seats_since
    }


def _user(history: _History, days: ReportedDays) -> UserActivity:
    first = days.month
    month = [count for day, count in history.events.items() if day >= first and count]
    return UserActivity(
        daily_mean=_mean(month),
        daily_max=max(month, default=None),
        daily_min=min(month, default=None),
        projected_month=days.project_month(history.events, history.active),
        spike_ratio=_spike_ratio(history.events, days.newest),
        idle_days=days.idle_days(history.active),
    )


def _spike_ratio(events: Mapping[date, int], newest: date) -> Decimal | None:
    before = [
        count for day, count in events.items() if newest - _SPIKE_DAYS <= day < newest and count
    ]
    if len(before) < _FEWEST_SPIKE_DAYS:
        return None
    return Decimal(events.get(newest, 0) * len(before)) / sum(before)


def _mean(counts: Sequence[int]) -> Decimal | None:
    return Decimal(sum(counts)) / len(counts) if counts else None
