"""One log object, from its stored bytes to a batch.

Reads as a stream: whatever the object holds, memory stays within one chunk and one record. A
fault costs the record that has it, at worst the rest of its object, and is counted.
"""

from collections import Counter
from collections.abc import Iterator

from isal import igzip_lib, isal_zlib

from exporter.sources.invocation_record import Entry, RecordReader
from exporter.sources.json_documents import documents
from exporter.sources.log_store import Stream
from exporter.sources.rejection import Rejection
from exporter.usage import Batch, Counts, Fact, LogObject, Requests, Usage

_READ_BYTES = 2**18
_INFLATE_BYTES = 2**21
_GZIP_MAGIC = b"\x1f\x8b"


class _RejectedError(Exception):
    """The object, or what is left of it, cannot be read."""

    def __init__(self, reason: Rejection) -> None:
        self.reason = reason


class Inflater:
    """Yields an object's bytes, inflated if they are gzip, up to a bound; counts them."""

    def __init__(self, stream: Stream, max_bytes: int) -> None:
        self._stream = stream
        self._max_bytes = max_bytes
        self.bytes = 0

    def chunks(self) -> Iterator[bytes]:
        """Yield chunks of JSON text. Raises _RejectedError where they end early or are too many."""
        first = self._stream.read(_READ_BYTES)
        if not first:
            raise _RejectedError(Rejection.EMPTY_OBJECT)
        for chunk in self._gunzip(first) if first.startswith(_GZIP_MAGIC) else self._plain(first):
            self.bytes += len(chunk)
            if self.bytes > self._max_bytes:
                raise _RejectedError(Rejection.OBJECT_TOO_LARGE)
            yield chunk

    def _plain(self, chunk: bytes) -> Iterator[bytes]:
        if chunk.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] not in (b"{", b"["):
            raise _RejectedError(Rejection.NOT_JSON)
        while chunk:
            yield chunk
            chunk = self._stream.read(_READ_BYTES)

    def _gunzip(self, data: bytes) -> Iterator[bytes]:
        """Inflate gzip members one after the other; zero padding may follow the last."""
        member = isal_zlib.decompressobj(wbits=31)
        while True:
            try:
                chunk = member.decompress(data, _INFLATE_BYTES)
            except igzip_lib.IsalError:  # type: ignore[misc]  # its stub declares an instance
                raise _RejectedError(Rejection.CORRUPT_GZIP) from None
            if chunk:
                yield chunk
            if member.eof:
                data = (member.unused_data or self._stream.read(_READ_BYTES)).lstrip(b"\0")
                if not data:
                    return
                member = isal_zlib.decompressobj(wbits=31)
                continue
            data = member.unconsumed_tail or self._stream.read(_READ_BYTES)
            if not data and not chunk:
                raise _RejectedError(Rejection.CORRUPT_GZIP)


def read_object(
    source: str,
    unit: LogObject,
    stream: Stream,
    reader: RecordReader,
    max_record_bytes: int,
    max_object_bytes: int,
) -> Batch:
    """Read one log object to its end, or to where it is damaged.

    A record that stands twice in the object counts once. Raises only what `stream` raises.
    """
    inflater = Inflater(stream, max_object_bytes)
    tally = _Tally()
    rejected: Counter[str] = Counter()
    try:
        for entry in documents(
            inflater.chunks(), lambda text: reader.read(text, unit), max_record_bytes
        ):
            if isinstance(entry, Rejection):
                rejected[entry] += 1
            else:
                tally.add(entry)
    except _RejectedError as fault:
        rejected[fault.reason] += 1
        if fault.reason is Rejection.OBJECT_TOO_LARGE:
            tally = _Tally()
    return tally.batch(source, unit, rejected, inflater.bytes)


class _Tally:
    """Sums entries by slot and fact, and keeps what is needed to take one out again."""

    def __init__(self) -> None:
        self._seen: set[tuple[int, int]] = set()
        self._index: dict[tuple[int, Fact], int] = {}
        self._sums: list[list[int]] = []
        self._requests = Requests()
        self._records = 0
        self._newest = 0

    def add(self, entry: Entry) -> None:
        timestamp, slot, digest, fact, counts = entry
        self._records += 1
        if (slot, digest) in self._seen:
            return
        self._seen.add((slot, digest))
        index = self._index.setdefault((slot, fact), len(self._sums))
        if index == len(self._sums):
            self._sums.append([0] * len(counts))
        sums = self._sums[index]
        for position, count in enumerate(counts):
            sums[position] += count
        self._requests.slot.append(slot)
        self._requests.digest.append(digest)
        self._requests.usage.append(index)
        self._requests.counts.extend(counts)
        self._newest = max(self._newest, timestamp)

    def batch(self, source: str, unit: LogObject, rejected: Counter[str], size: int) -> Batch:
        usage = tuple(
            Usage(slot, fact, Counts(*sums))
            for (slot, fact), sums in zip(self._index, self._sums, strict=True)
        )
        return Batch(
            source=source,
            unit=unit,
            usage=usage,
            requests=self._requests,
            rejected=dict(rejected),
            records=self._records,
            bytes=size,
            newest=self._newest,
        )
