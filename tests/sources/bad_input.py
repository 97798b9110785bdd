"""Log records and objects for the tests of reading, good ones and such as no one should write."""

import gzip
import io
import json
import tracemalloc
import zlib
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from exporter.sources.object_reader import read_object
from exporter.sources.record_reader import Entry, RecordReader
from exporter.sources.rejection import Rejection
from exporter.usage import Batch, Counts, LogObject

UNIT = LogObject("111122223333", "us-east-1", 489_826, "20251117T100000000Z_0a1b2c3d.json.gz")
ARN = "arn:aws:sts::111122223333:assumed-role/Shop-BedrockRole/alice"


class _Absent:
    def __repr__(self) -> str:
        return "absent"


ABSENT: Any = _Absent()
"""Takes a field out of a record."""
NOW_SLOT = 1_959_406
"""2025-11-18T11:30:00Z"""
MEBIBYTE = 2**20

T = TypeVar("T")


def record(**fields: Any) -> dict[str, Any]:
    """A record as Bedrock writes it, with some fields changed or ABSENT."""
    whole = {
        "timestamp": "2025-11-17T10:20:30Z",
        "accountId": "111122223333",
        "identity": {"arn": ARN},
        "region": "us-east-1",
        "requestId": "4d8c3f0e-0001-4a6b-9c1d-000000000001",
        "operation": "Converse",
        "modelId": "anthropic.claude-3-7-sonnet-20250219-v1:0",
        "input": {"inputContentType": "application/json", "inputTokenCount": 22},
        "output": {"outputContentType": "application/json", "outputTokenCount": 199},
        "schemaType": "ModelInvocationLog",
        "schemaVersion": "1.0",
    }
    return {name: value for name, value in (whole | fields).items() if value is not ABSENT}


def line(**fields: Any) -> bytes:
    """A record as one line of JSON, without its end."""
    return json.dumps(record(**fields)).encode()


def numbered(count: int, **fields: Any) -> list[bytes]:
    """Lines of so many different records; the n-th used n input tokens."""
    return [
        line(requestId=f"request-{number}", input={"inputTokenCount": number}, **fields)
        for number in range(1, count + 1)
    ]


def with_body(body: Any, **counts: int | None) -> dict[str, Any]:
    """A record that states only the given counts, and a response body."""
    given = {"input": {}, "output": {"outputBodyJson": body}}
    for name, value in counts.items():
        given["output" if name.startswith("output") else "input"][name] = value
    return record(**given)


def reader(metadata_keys: Sequence[str] = (), first_slot: int = 0) -> RecordReader:
    """A reader of records that stores every name as it is; its now is NOW_SLOT."""
    return RecordReader(
        store_principal=lambda arn: arn,
        store_metadata=lambda key, value: value,
        metadata_keys=metadata_keys,
        first_slot=first_slot,
        last_slot=NOW_SLOT + 4,
    )


def enter(fields: dict[str, Any] | bytes, **options: Any) -> Entry | Rejection:
    """Read one record."""
    text = fields if isinstance(fields, bytes) else json.dumps(fields).encode()
    return reader(**options).read(text, UNIT)


def entry(fields: dict[str, Any] | bytes, **options: Any) -> Entry:
    """Read one record that must be good."""
    taken = enter(fields, **options)
    assert isinstance(taken, Entry), taken
    return taken


def read(
    stored: bytes,
    max_record_bytes: int = MEBIBYTE,
    max_object_bytes: int = 64 * MEBIBYTE,
    step: int | None = None,
) -> Batch:
    """Read an object from its stored bytes, `step` at a time if given."""
    stream = io.BytesIO(stored) if step is None else Dripping(stored, step)
    return read_object("logs", UNIT, stream, reader(), max_record_bytes, max_object_bytes)


def total(batch: Batch) -> Counts:
    """All that a batch holds in one sum."""
    sums = Counts()
    for usage in batch.usage:
        sums = sums.plus(usage.counts)
    return sums


def inputs(batch: Batch) -> list[int]:
    """Input tokens of each single record of a batch, in their order."""
    return list(batch.requests.counts[1 :: len(Counts._fields)])


class Dripping(io.BytesIO):
    """A stream that gives fewer bytes than it is asked for, as a network does."""

    def __init__(self, stored: bytes, step: int) -> None:
        super().__init__(stored)
        self._step = step

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(self._step if size is None or size < 0 else min(size, self._step))


def pack(*lines: bytes) -> bytes:
    """Lines as a gzip object, the same each time."""
    return gzip.compress(b"".join(text + b"\n" for text in lines), mtime=0)


SLOW_TEXTS = [
    *(b"{\n", b'{"a":"', b'{"records":[', b'{"records":[{},', b'{""', b'{"a":{"a":', b'{"x":"}"\n'),
]
"""Beginnings of JSON that never ends, which over and over could take a reader hours."""


def memory_of(read: Callable[[], T]) -> tuple[T, int]:
    """Return what reading returns, and the most bytes that it held at once."""
    tracemalloc.start()
    try:
        return read(), tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def repeat(text: bytes, size: int) -> bytes:
    """A gzip member that inflates to at least `size` bytes of one text over and over."""
    packer = zlib.compressobj(1, wbits=31)
    block = text * (min(size, MEBIBYTE) // len(text) + 1)
    packed = [packer.compress(block) for _ in range(size // len(block) + 1)]
    return b"".join([*packed, packer.flush()])
