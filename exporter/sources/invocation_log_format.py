"""How an object of Bedrock's Model Invocation Logs is read."""

from collections.abc import Callable
from dataclasses import dataclass

from exporter.sources.log_store import Stream
from exporter.sources.object_reader import read_object
from exporter.sources.record_reader import Recording, make_record_reader
from exporter.usage import Batch, LogObject


@dataclass(frozen=True, slots=True)
class InvocationLogFormat:
    """All that a process must know to read the objects of one source."""

    source: str
    max_record_bytes: int
    max_object_bytes: int
    first_slot: int
    last_slot: int
    """Records outside these are rejected."""
    recording: Recording

    def reader(self) -> Callable[[LogObject, Stream], Batch]:
        """Return what reads an object; it raises only what the stream raises."""
        records = make_record_reader(self.recording, self.first_slot, self.last_slot)

        def read(unit: LogObject, stream: Stream) -> Batch:
            return read_object(
                self.source, unit, stream, records, self.max_record_bytes, self.max_object_bytes
            )

        return read
