"""The credits of a month that each user of Kiro has, and how far they are spent.

Credits are a user's own and begin anew with the calendar month; reports are in days of UTC, and so
is the month's end. A user with no known limit has none here: never a guessed one.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal, localcontext

from exporter.assistant_usage import Credits, Product, Reported
from exporter.interpretation.kiro import EXACT_DIGITS, newest_row, reported_days
from exporter.interpretation.kiro_tiers import bare_tier, published_credits
from exporter.interpretation.limits import LimitState
from exporter.interpretation.measures import UNKNOWN, Labels
from exporter.interpretation.reported_days import ReportedDays
from exporter.interpretation.reported_lines import NameOf, lines_of, name_users

NAME = "kiro-credits"


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
    configured = {bare_tier(tier): credits for tier, credits in tier_credits.items()}
    published = published_credits(today)
    rows: dict[Labels, list[Credits]] = defaultdict(list)
    for labels, row in name_users(lines, name_of):
        rows[labels].append(row)
    return [
        _limit(labels, of_user, threshold, days[labels._replace(user="")])
        for labels, of_user in sorted(rows.items(), key=lambda item: item[0])
        if labels.user != UNKNOWN
        and max(row.day for row in of_user) >= today.replace(day=1)
        and (threshold := _threshold(of_user, configured, published)) is not None
    ]


def _threshold(
    rows: Sequence[Credits], configured: Mapping[str, Decimal], published: Mapping[str, Decimal]
) -> Decimal | None:
    tier = bare_tier(newest_row(rows, configured, published).tier)
    if tier in configured:
        return configured[tier]
    stating = [row for row in rows if (row.usage_limit or 0) > 0 and bare_tier(row.tier) == tier]
    if not stating:
        return published.get(tier)
    return newest_row(stating, configured, published).usage_limit


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
