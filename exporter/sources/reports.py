"""Daily reports of Amazon Q Developer and Kiro, read object by object."""

from typing import TYPE_CHECKING, Literal

from exporter.identity import Privacy
from exporter.sources.log_layout import ACTIVITY_REPORTS, KIRO_REPORTS
from exporter.sources.log_objects import LogObjects
from exporter.sources.log_schedule import SlotRange
from exporter.sources.reading import ReaderPool
from exporter.sources.report_format import ReportFormat
from exporter.usage import slot_start

if TYPE_CHECKING:
    from exporter.config import Account, ActivityReports, KiroReports


def activity_reports(
    source: "ActivityReports", account: "Account | None", privacy: Privacy, pool: ReaderPool
) -> LogObjects:
    """Return the source of the by_user_analytic reports at one location."""

    def format_of(slots: SlotRange) -> ReportFormat:
        return _format(source, "activity", privacy, slots)

    return LogObjects(source, account, ACTIVITY_REPORTS, format_of, pool)


def kiro_reports(
    source: "KiroReports", account: "Account | None", privacy: Privacy, pool: ReaderPool
) -> LogObjects:
    """Return the source of Kiro's user_report reports at one location."""

    def format_of(slots: SlotRange) -> ReportFormat:
        return _format(source, "kiro", privacy, slots)

    return LogObjects(source, account, KIRO_REPORTS, format_of, pool)


def _format(
    source: "ActivityReports | KiroReports",
    kind: Literal["activity", "kiro"],
    privacy: Privacy,
    slots: SlotRange,
) -> ReportFormat:
    """Return how reports are read: of the UTC days that the slots lie in."""
    return ReportFormat(
        source=source.name,
        kind=kind,
        privacy=privacy,
        first_day=slot_start(slots.first).date(),
        last_day=slot_start(slots.last).date(),
        max_object_bytes=source.max_object_bytes,
    )
