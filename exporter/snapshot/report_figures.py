"""What the lines of daily reports come to, computed once for as long as they are the same.

Reports come a few times a day, and a large organisation has hundreds of thousands of lines.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from exporter.assistant_usage import Activity, Credits, Product, Reported
from exporter.interpretation.activity import ActivityFigures, UserKey, summarise_activity
from exporter.interpretation.estimates import EstimatedTokens, estimate_users
from exporter.interpretation.kiro import KiroFigures, summarise_credits
from exporter.interpretation.kiro_limits import CreditLimit, credit_limits
from exporter.interpretation.report_usage import ReportUsage, group_lines
from exporter.interpretation.reported_lines import NameOf

Lines = tuple[Reported, ...]


@dataclass(frozen=True, slots=True)
class ReportFigures:
    """The figures of all lines on one day."""

    activity: ActivityFigures
    estimated_tokens: Mapping[UserKey, EstimatedTokens]
    kiro: KiroFigures
    credit_limits: tuple[CreditLimit, ...]
    usage: Mapping[str, ReportUsage]
    """What limits are evaluated on, by product."""


class Reports:
    """Computes figures of lines, and remembers the last ones."""

    def __init__(self, tier_credits: Mapping[str, Decimal], name_of: NameOf) -> None:
        self._tier_credits = tier_credits
        self._name_of = name_of
        self._last: tuple[Lines, date, ReportFigures] | None = None

    def figures(self, lines: Lines, today: date) -> ReportFigures:
        """Return the figures of lines on a day of the configured time zone."""
        if self._last is None or self._last[0] is not lines or self._last[1] != today:
            self._last = lines, today, self._compute(lines, today)
        return self._last[2]

    def _compute(self, lines: Lines, today: date) -> ReportFigures:
        activity = summarise_activity(lines, today, self._name_of)
        limits = credit_limits(lines, today, self._name_of, self._tier_credits)
        return ReportFigures(
            activity=activity,
            estimated_tokens=estimate_users(activity.month),
            kiro=summarise_credits(lines, today, self._name_of),
            credit_limits=tuple(limits),
            usage={
                Product.QDEVELOPER: group_lines(_activity(lines), today, self._name_of),
                Product.KIRO: group_lines(_credits(lines), today, self._name_of),
            },
        )


def _activity(lines: Lines) -> Iterator[Reported]:
    """Yield what Amazon Q Developer's users did; Kiro's activity has no limit."""
    for line in lines:
        if isinstance(line.row, Activity) and line.row.product is Product.QDEVELOPER:
            yield line


def _credits(lines: Lines) -> Iterator[Reported]:
    return (line for line in lines if isinstance(line.row, Credits))
