"""Prompt logs of Amazon Q Developer and Kiro, read object by object."""

from typing import TYPE_CHECKING

from exporter.identity import Privacy
from exporter.sources.log_layout import PROMPT_LOGS
from exporter.sources.log_objects import LogObjects
from exporter.sources.log_schedule import SlotRange
from exporter.sources.prompt_log_format import PromptLogFormat
from exporter.sources.reading import ReaderPool

if TYPE_CHECKING:
    from exporter.config import Account, PromptLogs


def prompt_logs(
    source: "PromptLogs", account: "Account | None", privacy: Privacy, pool: ReaderPool
) -> LogObjects:
    """Return the source of one location."""

    def format_of(slots: SlotRange) -> PromptLogFormat:
        return PromptLogFormat(
            source=source.name,
            privacy=privacy,
            first_slot=slots.first,
            last_slot=slots.last,
            max_record_bytes=source.max_record_bytes,
            max_object_bytes=source.max_object_bytes,
        )

    return LogObjects(source, account, PROMPT_LOGS, format_of, pool, source.duplicates_window)
