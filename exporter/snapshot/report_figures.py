"""What the lines of daily reports come to, computed once for as long as they are the same.

Reports come a few times a day, and a large organisation has hundreds of thousands of lines.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from exporter.assistant_usage import Activity, Credits, Product, Reported
from exporter.config import CREDIT_MEASURES
from exporter.interpretation.activity import ActivityFigures, UserKey, summarise_activity
from exporter.interpretation.estimates import EstimatedTokens, estimate_users
from exporter.interpretation.kiro import KiroFigures, summarise_credits
from exporter.interpretation.kiro_limits import credit_limits
from exporter.interpretation.limits import GroupUsage, LimitState
from exporter.interpretation.report_usage import group_lines
from exporter.interpretation.reported_lines import NameOf

Lines = tuple[Reported, ...]


@dataclass(frozen=True, slots=True)
class ReportFigures:
    """The figures of all lines on one day."""

    activity: ActivityFigures
    estimated_tokens: Mapping[UserKey, EstimatedTokens]
    kiro: KiroFigures
    credit_limits: tuple[LimitState, ...]
    usage: Mapping[str, list[GroupUsage]]
    """What limits are evaluated on, by product; amounts by Reports.measures."""


class Reports:
    """Computes figures of lines, and remembers the last ones."""

    def __init__(
        self,
        tier_credits: Mapping[str, Decimal],
        name_of: NameOf,
        activities: Sequence[str],
    ) -> None:
        """Take how many credits a tier has, and the activities that limits are set on."""
        self._tier_credits = tier_credits
        self._name_of = name_of
        self.measures: Mapping[str, Sequence[str]] = {
            Product.QDEVELOPER: activities,
            Product.KIRO: CREDIT_MEASURES,
        }
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
                product: group_lines(of_product, today, self._name_of, self.measures[product])
                for product, of_product in (
                    (Product.QDEVELOPER, _activity(lines)),
                    (Product.KIRO, _credits(lines)),
                )
            },
        )


def _activity(lines: Lines) -> Iterator[Reported]:
    """Yield what Amazon Q Developer's users did; Kiro's activity has no limit."""
    for line in lines:
        if isinstance(line.row, Activity) and line.row.product is Product.QDEVELOPER:
            yield line


def _credits(lines: Lines) -> Iterator[Reported]:
    return (line for line in lines if isinstance(line.row, Credits))
