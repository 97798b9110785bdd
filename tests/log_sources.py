"""Log objects in a folder, and the source of Bedrock's, opened as the collector opens it."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from exporter.config import InvocationLogs
from exporter.sources.invocation_logs import invocation_logs
from exporter.sources.log_objects import LogObjects
from exporter.sources.reading import ReaderPool
from exporter.sources.record_reader import Recording

Put = Callable[[str, bytes], None]
"""Stores what it is given under a key."""


def put_into(folder: Path) -> Put:
    """Return what stores objects in a folder as `aws s3 sync` would."""

    def put(key: str, content: bytes) -> None:
        path = folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    return put


def open_bedrock_logs(
    location: Path | str,
    recording: Recording = Recording(),  # noqa: B008  # it never changes
    lookback: timedelta = timedelta(hours=48),
    pool: ReaderPool | None = None,
) -> LogObjects:
    """Return the source `logs` of a folder or s3://bucket/prefix; reads in this process."""
    settings = InvocationLogs(
        type="invocation_logs", name="logs", location=str(location), lookback=lookback
    )
    return invocation_logs(settings, None, recording, pool or ReaderPool(processes=1))
