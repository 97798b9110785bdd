"""Bedrock Model Invocation Logs, read directly, object by object."""

from typing import TYPE_CHECKING

from exporter.sources.invocation_log_format import InvocationLogFormat
from exporter.sources.log_layout import INVOCATION_LOGS
from exporter.sources.log_objects import LogObjects
from exporter.sources.log_schedule import SlotRange
from exporter.sources.reading import ReaderPool
from exporter.sources.record_reader import Recording

if TYPE_CHECKING:
    from exporter.config import Account, InvocationLogs


def invocation_logs(
    source: "InvocationLogs", account: "Account | None", recording: Recording, pool: ReaderPool
) -> LogObjects:
    """Return the source of one location."""

    def format_of(slots: SlotRange) -> InvocationLogFormat:
        return InvocationLogFormat(
            source=source.name,
            max_record_bytes=source.max_record_bytes,
            max_object_bytes=source.max_object_bytes,
            first_slot=slots.first,
            last_slot=slots.last,
            recording=recording,
        )

    return LogObjects(source, account, INVOCATION_LOGS, format_of, pool, source.duplicates_window)
