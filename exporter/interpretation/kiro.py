"""What users of Kiro spent, as its user reports say: credits, overage, messages, and silence.

The counterpart of activity.py for the reports that count credits; which credits a user has is told
in kiro_limits.py. Sums are exact, whatever the order of the lines.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, localcontext
from functools import cache
from typing import NamedTuple

from exporter.assistant_usage import Credits, Reported
from exporter.interpretation.kiro_tiers import bare_tier, published_credits
from exporter.interpretation.measures import UNKNOWN, Labels, label_text
from exporter.interpretation.reported_days import ReportedDays, known_until
from exporter.interpretation.reported_lines import Line, NameOf, lines_of, name_users

EXACT_DIGITS = 60
"""Digits of a sum of credits; a report states up to 17 of each, which 28 may not hold in sum."""


class CreditKey(NamedTuple):
    """Who spent credits, in which tier and with what."""

    labels: Labels
    """Of them, account_id, region and user."""
    tier: str
    """Of the line: a user that changes it has both in the month."""
    client_type: str


class MessageKey(NamedTuple):
    """Who wrote messages to which model, and with what."""

    labels: Labels
    model: str
    """As the report calls it; `unknown` for messages that it counts under no model."""
    client_type: str


class Spent(NamedTuple):
    """Credits of a month."""

    used: Decimal = Decimal(0)
    """Overage included."""
    overage: Decimal = Decimal(0)


class SeatKey(NamedTuple):
    """A user's subscription."""

    labels: Labels
    tier: str
    """Of the newest line."""


@dataclass(frozen=True, slots=True)
class KiroFigures:
    """What Kiro's user reports say on one day."""

    credits: Mapping[CreditKey, Spent]
    """Of this month."""
    messages: Mapping[MessageKey, int]
    """Of this month."""
    idle_days: Mapping[SeatKey, int]
    """Since the last day with credits or messages, or else since the first report; of users with a
    line in the last 90 reported days."""


def summarise_credits(reported: Iterable[Reported], today: date, name_of: NameOf) -> KiroFigures:
    """Return the figures of all lines; those of activity reports are left out."""
    lines = lines_of(reported, Credits, today)
    named = name_users(lines, name_of)
    first = today.replace(day=1)
    month = [line for line in named if line.row.day >= first]
    days = reported_days(lines, today)
    return KiroFigures(_credits(month), _messages(month), _idle_days(named, days))


def reported_days(lines: Iterable[Line[Credits]], today: date) -> dict[Labels, ReportedDays]:
    """Return how far the reports of each account and region reach; the lines name no users."""
    newest: dict[Labels, date] = {}
    for place, row in lines:
        newest[place] = max(row.day, newest.get(place, row.day))
    return {place: ReportedDays(today, known_until(day, today)) for place, day in newest.items()}


def newest_row(
    rows: Iterable[Credits], configured: Mapping[str, Decimal], published: Mapping[str, Decimal]
) -> Credits:
    """Return the row of the newest day; of several clients', the one of the highest limit.

    That is what the configuration says of its tier, else what it states, else what is published;
    tiers go by their bare names.
    """

    def rank(row: Credits) -> tuple[date, Decimal, str, bool]:
        tier = bare_tier(row.tier)
        limit = configured.get(tier) or row.usage_limit or published.get(tier) or Decimal(0)
        return row.day, limit, row.tier, row.overage_enabled

    return max(rows, key=rank)


def _credits(lines: Iterable[Line[Credits]]) -> dict[CreditKey, Spent]:
    text = cache(label_text)
    spent: dict[CreditKey, Spent] = defaultdict(Spent)
    with localcontext(prec=EXACT_DIGITS):
        for labels, row in lines:
            key = CreditKey(labels, text(row.tier), text(row.client_type))
            before = spent[key]
            spent[key] = Spent(before.used + row.used, before.overage + row.overage)
    return dict(spent)


def _messages(lines: Iterable[Line[Credits]]) -> dict[MessageKey, int]:
    text = cache(label_text)
    messages: dict[MessageKey, int] = defaultdict(int)
    for labels, row in lines:
        client_type = text(row.client_type)
        for model, count in row.messages_by_model:
            messages[MessageKey(labels, text(model), client_type)] += count
        of_no_model = row.messages - sum(count for _, count in row.messages_by_model)
        if of_no_model > 0:
            messages[MessageKey(labels, UNKNOWN, client_type)] += of_no_model
    return dict(messages)


def _idle_days(
    lines: Iterable[Line[Credits]], days: Mapping[Labels, ReportedDays]
) -> dict[SeatKey, int]:
    rows: dict[Labels, list[Credits]] = defaultdict(list)
    for labels, row in lines:
        rows[labels].append(row)
    idle: dict[SeatKey, int] = {}
    for labels, of_user in rows.items():
        known = days[labels._replace(user="")]
        if max(row.day for row in of_user) >= known.seats_since:
            seat = SeatKey(
                labels, label_text(newest_row(of_user, {}, published_credits(known.today)).tier)
            )
            idle[seat] = known.idle_days(_active(of_user))
    return idle


def _active(rows: Iterable[Credits]) -> dict[date, bool]:
    """Tell of every day with a line whether anything was spent or written."""
    active: dict[date, bool] = defaultdict(bool)
    for row in rows:
        active[row.day] |= row.used > 0 or row.messages > 0
    return active
