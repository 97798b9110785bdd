"""The credits of a month that each user of Kiro has, and how far they are spent.

Credits are a user's own and begin anew with the calendar month; reports are in days of UTC, and so
is the month's end. A user with no known limit has none here: never a guessed one.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal, localcontext
from functools import cache
from pathlib import Path

from exporter.assistant_usage import Credits, Product, Reported
from exporter.interpretation.dated_table import DatedTable
from exporter.interpretation.kiro import EXACT_DIGITS, newest_row, reported_days
from exporter.interpretation.limits import LimitState
from exporter.interpretation.measures import UNKNOWN, Labels
from exporter.interpretation.reported_days import ReportedDays
from exporter.interpretation.reported_lines import NameOf, lines_of, name_users

NAME = "kiro-credits"

KIRO_TIERS = Path(__file__).with_name("kiro_tiers.csv")

_CREDITS = re.compile(r"[1-9]\d*(\.\d+)?")


def credit_limits(
    reported: Iterable[Reported],
    today: date,
    name_of: NameOf,
    tier_credits: Mapping[str, Decimal],
) -> list[LimitState]:
    """Return the limit of each user with a line this month, in order of account, region and user.

    What `tier_credits` of the configuration says of the user's tier comes first, because it is what
    its reader knows better; then what the newest line of that tier that states a limit states; then
    what Kiro publishes of the tier. Who has a Kiro profile in two regions pays for both. Users that
    privacy has made one have no limit: it would hold the sum of all against the credits of one.
    """
    lines = lines_of(reported, Credits, today)
    days = reported_days(lines, today)
    tiers = _tier_credits(today, tier_credits)
    rows: dict[Labels, list[Credits]] = defaultdict(list)
    for labels, row in name_users(lines, name_of):
        rows[labels].append(row)
    return [
        _limit(labels, of_user, threshold, days[labels._replace(user="")])
        for labels, of_user in sorted(rows.items(), key=lambda item: item[0])
        if labels.user != UNKNOWN
        and max(row.day for row in of_user) >= today.replace(day=1)
        and (threshold := _threshold(of_user, *tiers)) is not None
    ]


def _tier_credits(
    today: date, configured: Mapping[str, Decimal]
) -> tuple[dict[str, Decimal], dict[str, Decimal]]:
    """Return the credits of every tier, as configured and as published, by the tier's bare name."""
    published = _published().in_force(today)
    return (
        {_bare(tier): credits for tier, credits in configured.items()},
        {_bare(tier): credits for tier, credits in published.items()},
    )


def _threshold(
    rows: Sequence[Credits], configured: Mapping[str, Decimal], published: Mapping[str, Decimal]
) -> Decimal | None:
    tier = _bare(newest_row(rows).tier)
    if tier in configured:
        return configured[tier]
    stating = [row for row in rows if (row.usage_limit or 0) > 0 and _bare(row.tier) == tier]
    return newest_row(stating).usage_limit if stating else published.get(tier)


def _limit(
    labels: Labels, rows: Sequence[Credits], threshold: Decimal, days: ReportedDays
) -> LimitState:
    by_day: dict[date, Decimal] = defaultdict(Decimal)
    with localcontext(prec=EXACT_DIGITS):
        for row in rows:
            by_day[row.day] += row.used
        used = days.sum_month(by_day)
        projected = days.project_month(by_day, by_day)
        return LimitState(
            product=Product.KIRO,
            name=NAME,
            labels=labels,
            measure="credits",
            period="month",
            threshold=threshold,
            used=used,
            ratio=used / threshold,
            projected_ratio=None if projected is None else projected / threshold,
            reset=datetime.combine(days.next_month, time.min, tzinfo=UTC),
        )


def _bare(tier: str) -> str:
    """Return a tier so that PRO_PLUS, ProPlus, Pro+ and KIRO PRO+ are one."""
    letters = re.sub(r"[^A-Z0-9]", "", tier.upper().replace("+", "PLUS"))
    return letters.removeprefix("KIRO")


@cache
def _published() -> DatedTable[Decimal]:
    return DatedTable.read(KIRO_TIERS, ("tier", "credits"), _parse)


def _parse(fields: Mapping[str, str]) -> Decimal:
    if not _CREDITS.fullmatch(fields["credits"]):
        raise ValueError(f"credits {fields['credits']!r} is no number above 0")
    return Decimal(fields["credits"])
