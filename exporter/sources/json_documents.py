"""JSON documents out of a stream of bytes, one bad document costing no other.

AWS writes one object a line. Pretty-printed objects, arrays and what is left of a torn file are
read too. Knows nothing of what the documents mean; never holds more than one of them.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from exporter.sources.rejection import Rejection

T = TypeVar("T")
Decode = Callable[[bytes], T | Rejection]

_BOM = b"\xef\xbb\xbf"
_STRUCTURE = re.compile(rb'["{}\[\]]')
_STRING_END = re.compile(rb'["\\]')


def documents(
    chunks: Iterable[bytes], decode: Decode[T], max_bytes: int
) -> Iterator[T | Rejection]:
    """Yield each document as `decode` gives it, or why it was rejected.

    `decode` takes the bytes of one JSON object and returns Rejection.MALFORMED_JSON where they are
    none. A document of more than `max_bytes` is passed over without being held.
    """
    pieces = _without_bom(chunks)
    first = next(pieces, b"")
    if first.lstrip()[:1] == b"[":
        yield from _array(_chain(first, pieces), decode, max_bytes)
    else:
        yield from _lines(_chain(first, pieces), decode, max_bytes)


def _chain(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest


def _without_bom(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Drop a byte order mark and white space before the first document."""
    start = b""
    remaining = iter(chunks)
    for chunk in remaining:
        start = (start + chunk).removeprefix(_BOM).lstrip()
        if len(start) >= len(_BOM):
            break
    yield start
    yield from remaining


def _array(chunks: Iterable[bytes], decode: Decode[T], max_bytes: int) -> Iterator[T | Rejection]:
    splitter = _Splitter(max_bytes)
    for chunk in chunks:
        for value in splitter.feed(chunk):
            yield decode(value) if isinstance(value, bytes) else value
    if splitter.pending:
        yield Rejection.MALFORMED_JSON


def _lines(chunks: Iterable[bytes], decode: Decode[T], max_bytes: int) -> Iterator[T | Rejection]:
    """Read one document a line; a line that is none may begin a document of several lines.

    Such a document ends where its brackets close, or is torn where a line stands that is a
    document by itself.
    """
    splitter = _Splitter(max_bytes)
    for line in split_lines(chunks, max_bytes):
        if isinstance(line, Rejection):
            yield line
            continue
        if splitter.idle or line.startswith(b"{"):
            text = line.strip()
            if not text:
                continue
            document = decode(text)
            if document is not Rejection.MALFORMED_JSON:
                if splitter.pending:
                    yield Rejection.MALFORMED_JSON
                    splitter = _Splitter(max_bytes)
                yield document
                continue
            if splitter.idle and text[:1] not in (b"{", b"["):
                yield document
                continue
        for value in splitter.feed(line + b"\n"):
            yield decode(value) if isinstance(value, bytes) else value
    if splitter.pending:
        yield Rejection.MALFORMED_JSON


def split_lines(chunks: Iterable[bytes], max_bytes: int) -> Iterator[bytes | Rejection]:
    """Yield lines without their ends; one that is too long is rejected without being held."""
    held: list[bytes] = []
    size = 0
    for chunk in chunks:
        lines = chunk.split(b"\n")
        for line in lines[:-1]:
            if held:
                held.append(line)
                size += len(line)
                line = b"".join(held) if size <= max_bytes else b""
                held = []
            else:
                size = len(line)
            yield line if size <= max_bytes else Rejection.RECORD_TOO_LARGE
            size = 0
        size += len(lines[-1])
        if size > max_bytes:
            held = [b""]
        elif lines[-1]:
            held.append(lines[-1])
    if size > max_bytes:
        yield Rejection.RECORD_TOO_LARGE
    elif held:
        yield b"".join(held)


class _Splitter:
    """Cuts objects out of text by their brackets, at the top or one level down in an array."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._parts: list[bytes] = []
        self._size = 0
        self._depth = 0
        self._arrays = 0
        self._in_string = False
        self._escaped = False

    @property
    def pending(self) -> bool:
        """Tell whether an object has begun that has not ended."""
        return self._depth > 0

    @property
    def idle(self) -> bool:
        """Tell whether neither an object nor an array is open."""
        return self._depth == 0 and self._arrays == 0

    def feed(self, text: bytes) -> Iterator[bytes | Rejection]:
        """Take more text and yield the objects that end in it."""
        start = 0
        position = 0
        while position < len(text):
            if self._escaped:
                self._escaped = False
                position += 1
                continue
            match = (_STRING_END if self._in_string else _STRUCTURE).search(text, position)
            if match is None:
                break
            position = match.end()
            token = match[0]
            if token == b"\\":
                self._escaped = True
            elif token == b'"':
                self._in_string = self.pending and not self._in_string
            elif token in b"{[" and (self.pending or token == b"{"):
                if not self.pending:
                    start = match.start()
                self._depth += 1
            elif token == b"[":
                self._arrays = 1
            elif not self.pending:
                self._arrays = 0
            else:
                self._depth -= 1
                if not self.pending:
                    yield self._take(text[start:position])
        if self.pending:
            self._hold(text[start:])

    def _hold(self, part: bytes) -> None:
        self._size += len(part)
        if self._size > self._max_bytes:
            self._parts.clear()
        else:
            self._parts.append(part)

    def _take(self, last: bytes) -> bytes | Rejection:
        self._hold(last)
        value = b"".join(self._parts)
        too_large = self._size > self._max_bytes
        self._parts, self._size = [], 0
        return Rejection.RECORD_TOO_LARGE if too_large else value
