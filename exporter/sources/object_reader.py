"""One log object, from its stored bytes to a batch.

Reads as a stream: whatever the object holds, memory stays within one chunk and one record. A
fault costs the record that has it, at worst the rest of its object, and is counted.
"""

import re
import zlib
from array import array
from collections import Counter
from collections.abc import Generator, Iterator
from contextlib import suppress
from dataclasses import replace
from itertools import chain, repeat

from isal import igzip_lib, isal_zlib

from exporter.sources.json_documents import documents
from exporter.sources.log_store import Stream
from exporter.sources.plain_lines import read_plain_lines
from exporter.sources.record_reader import Entry, RecordReader
from exporter.sources.rejection import Rejection
from exporter.usage import Batch, Counts, Fact, LogObject, Requests, Usage

_READ_BYTES = 2**18
_INFLATE_BYTES = 2**19
_GZIP_MAGIC = b"\x1f\x8b"
_LINE_OF_JSON = re.compile(rb"^(?:\xef\xbb\xbf)?[ \t]*[{\[]", re.MULTILINE)
_MOST_UNREADABLE = 100_000
"""An object of which more cannot be read than so many records is no log, and costs only time."""


class _RejectedError(Exception):
    """The object, or what is left of it, cannot be read."""

    def __init__(self, reason: Rejection) -> None:
        self.reason = reason


class Inflater:
    """Yields an object's bytes, inflated if they are gzip, up to a bound.

    `bytes` counts them; `fault` says why they end early, if they do. Of what is not gzip, text that
    begins like no JSON is none, unless any text is asked for.
    """

    def __init__(self, stream: Stream, max_bytes: int, is_json: bool = True) -> None:
        self._stream = stream
        self._max_bytes = max_bytes
        self._is_json = is_json
        self.bytes = 0
        self.fault: Rejection | None = None

    def chunks(self) -> Iterator[bytes]:
        """Yield chunks of text, up to the end or a fault."""
        try:
            for chunk in self._inflated(self._read_start()):
                self.bytes += len(chunk)
                if self.bytes > self._max_bytes:
                    raise _RejectedError(Rejection.OBJECT_TOO_LARGE)
                yield chunk
        except _RejectedError as error:
            self.fault = error.reason

    def _read_start(self) -> bytes:
        """Read the first bytes; a stream may give them one at a time."""
        start = b""
        while len(start) < _READ_BYTES and (data := self._stream.read(_READ_BYTES)):
            start += data
        return start

    def _inflated(self, start: bytes) -> Iterator[bytes]:
        if not start:
            raise _RejectedError(Rejection.EMPTY_OBJECT)
        return self._gunzip(start) if start.startswith(_GZIP_MAGIC) else self._plain(start)

    def _plain(self, chunk: bytes) -> Iterator[bytes]:
        if self._is_json and not _LINE_OF_JSON.search(chunk):
            raise _RejectedError(Rejection.NOT_JSON)
        while chunk:
            yield chunk
            chunk = self._stream.read(_READ_BYTES)

    def _gunzip(self, data: bytes) -> Iterator[bytes]:
        """Inflate gzip members one after the other; zero padding may follow the last."""
        while data:
            data = yield from self._member(data)
            data = (data or self._stream.read(_READ_BYTES)).lstrip(b"\0")

    def _member(self, start: bytes) -> Generator[bytes, None, bytes]:
        """Inflate one member and return the bytes read past its end."""
        member = isal_zlib.decompressobj(wbits=31)
        data = start
        size = 0
        while True:
            try:
                chunk = member.decompress(data, _INFLATE_BYTES)
            except igzip_lib.IsalError:  # type: ignore[misc]  # its stub declares an instance
                yield from _salvage(start, size)
                raise _RejectedError(Rejection.CORRUPT_GZIP) from None
            if chunk:
                size += len(chunk)
                yield chunk
            if member.eof:
                return member.unused_data
            data = member.unconsumed_tail
            if not data:
                data = self._stream.read(_READ_BYTES)
                start = b""
            if not data and not chunk:
                raise _RejectedError(Rejection.CORRUPT_GZIP)


def _salvage(member: bytes, size: int) -> Iterator[bytes]:
    """Yield what stands in a damaged member between its first `size` bytes and the damage.

    A decompressor that meets damage gives nothing of what it was asked for; asked byte by byte, it
    gives all that comes before. That needs the member from its beginning: where it was too large to
    be at hand, what was inflated together with the damage is lost.
    """
    slow = zlib.decompressobj(wbits=31)
    with suppress(zlib.error):
        for position in range(len(member)):
            chunk = slow.decompress(member[position : position + 1])
            if new := chunk[size:]:
                yield new
            size = max(0, size - len(chunk))


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
    for entry in _entries(inflater.chunks(), reader, unit, max_record_bytes):
        if not isinstance(entry, Rejection):
            tally.add(entry)
            continue
        rejected[entry] += 1
        misdated = rejected[Rejection.FUTURE_TIMESTAMP] + rejected[Rejection.EXPIRED_TIMESTAMP]
        if rejected.total() - misdated > _MOST_UNREADABLE:
            rejected[Rejection.NOT_A_LOG] += 1
            break
    if inflater.fault:
        rejected[inflater.fault] += 1
    if inflater.fault is Rejection.OBJECT_TOO_LARGE:
        tally = _Tally()
    batch = tally.batch(source, unit, rejected, inflater.bytes)
    if not batch.records and not batch.rejected:
        return replace(batch, rejected={Rejection.EMPTY_OBJECT: 1})
    return batch


def _entries(
    chunks: Iterator[bytes], reader: RecordReader, unit: LogObject, max_record_bytes: int
) -> Iterator[Entry | Rejection]:
    """Read whole lines together while all of them are records, and with care from there on."""
    held = b""
    for chunk in chunks:
        text = held + chunk
        end = text.rfind(b"\n") + 1
        block = text[:end]
        plain = read_plain_lines(block, reader, unit) if len(text) <= max_record_bytes else None
        if plain is None:
            held = text
            break
        yield from plain
        held = text[end:]
    yield from documents(
        chain([held], chunks), lambda line: reader.read(line, unit), max_record_bytes
    )


class _Tally:
    """Sums entries by slot and fact, and keeps what is needed to take one out again."""

    def __init__(self) -> None:
        self._entries: dict[tuple[int, int], Entry] = {}
        self._records = 0

    def add(self, entry: Entry) -> None:
        self._records += 1
        self._entries.setdefault((entry.slot, entry.digest), entry)

    def batch(self, source: str, unit: LogObject, rejected: Counter[str], size: int) -> Batch:
        columns = zip(*self._entries.values(), strict=True) if self._entries else repeat((), 5)
        timestamps, slots, digests, facts, counts = columns
        index: dict[tuple[int, Fact], int] = {}
        usage_of = [index.setdefault(key, len(index)) for key in zip(slots, facts, strict=True)]
        members: list[list[Counts]] = [[] for _ in index]
        for number, count in zip(usage_of, counts, strict=True):
            members[number].append(count)
        sums = [_sum(group) for group in members]
        return Batch(
            source=source,
            unit=unit,
            usage=tuple(Usage(*key, count) for key, count in zip(index, sums, strict=True)),
            requests=Requests(
                slot=array("q", slots),
                digest=array("q", digests),
                usage=array("q", usage_of),
                counts=array("q", chain.from_iterable(counts)),
            ),
            rejected=dict(rejected),
            records=self._records,
            bytes=size,
            newest=max(timestamps, default=0),
        )


def _sum(counts: list[Counts]) -> Counts:
    return Counts(*map(sum, zip(*counts, strict=True))) if len(counts) > 1 else counts[0]
