"""JSON documents out of a stream of bytes, one bad document costing no other.

AWS writes one object a line. Pretty-printed objects, arrays, objects with nothing between them and
what is left of a torn file are read too. Knows nothing of what the documents mean; never holds more
than one of them. Whatever stands in the text, the work is done in long strides, and text that takes
far more of it than logs do is given up: an object made to be slow costs seconds, not hours.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple, TypeVar

from exporter.sources.rejection import Rejection

T = TypeVar("T")
Decode = Callable[[bytes], T | Rejection]

_BLOCK_END = re.compile(rb"\n(?=\{)")
_BETWEEN = re.compile(rb"[\s,\[\]\xef\xbb\xbf]*")
"""What may stand between objects; a byte order mark is read as nothing wherever it stands."""
_AFTER_OBJECT = b" \t\r\n,]"
_REST_OF_LINE = re.compile(rb"[^\n]*")
_REST_OF_ELEMENT = re.compile(rb"[^\n,{\[\]]*")
_STRING_REST = re.compile(rb'[^"\\]*(?:\\.[^"\\]*)*', re.DOTALL)
_BETWEEN_BRACKETS = re.compile(rb'(?:[^"{}\[\]]+|"[^"\\]*(?:\\.[^"\\]*)*")*', re.DOTALL)
_BRACKETS = re.compile(rb"[{\[]+|[}\]]+")

_WASTED_STEPS = 2_500_000
"""So much work may come to no document; a step follows a run of brackets. About a second."""
_BYTES_A_STEP = 32
"""How much text allows for another step: torn records have fewer brackets."""
_ATTEMPT_STEPS = 25
"""What it takes to try and fail to decode a document."""


def documents(
    chunks: Iterable[bytes], decode: Decode[T], max_bytes: int
) -> Iterator[T | Rejection]:
    """Yield each document as `decode` gives it, or why it was rejected.

    `decode` takes the bytes of one JSON object and returns Rejection.MALFORMED_JSON where they are
    none. A document of more than `max_bytes` is passed over without being held. One whose brackets
    do not close ends where a line begins with a document that is whole. Where too much work comes
    to no document, the rest of the text is passed over as Rejection.NOT_A_LOG.
    """
    splitter = _Splitter(max_bytes)
    size = failed = useful = 0
    for block in _blocks(chunks, max_bytes):
        size += len(block.text)
        wasted = failed * _ATTEMPT_STEPS + splitter.steps - useful
        if wasted > _WASTED_STEPS + size // _BYTES_A_STEP:
            yield from splitter.end()
            yield Rejection.NOT_A_LOG
            return
        document, left = _take_document(block, decode, max_bytes)
        if document is Rejection.MALFORMED_JSON:
            failed += block.is_first
        else:
            yield from splitter.end()
            yield document
        if left or not block.is_first:
            for value in splitter.feed(left + b"\n" if block.is_last else left):
                found = decode(value) if isinstance(value, bytes) else value
                if not isinstance(found, Rejection):
                    useful += splitter.steps_of_object
                yield found
    yield from splitter.end()


class _Block(NamedTuple):
    """Lines up to the next that begins with an object; mostly one line, and one document.

    A block that is too long to be a document comes in parts.
    """

    text: bytes
    is_first: bool = True
    is_last: bool = True


def _blocks(chunks: Iterable[bytes], max_bytes: int) -> Iterator[_Block]:
    held: list[bytes] = []
    size = 0
    is_first = True
    line_end = b""
    for chunk in chunks:
        *texts, rest = _BLOCK_END.split(line_end + chunk)
        # A line's end is kept until it is known what the next line begins with.
        line_end = b"\n" if rest.endswith(b"\n") else b""
        rest = rest.removesuffix(b"\n")
        for text in texts:
            yield _Block(b"".join((*held, text)) if held else text, is_first)
            held, size, is_first = [], 0, True
        held.append(rest)
        size += len(rest)
        if size > max_bytes:
            yield _Block(b"".join(held), is_first, is_last=False)
            held, size, is_first = [], 0, False
    yield _Block(b"".join(held), is_first)


def _take_document(block: _Block, decode: Decode[T], max_bytes: int) -> tuple[T | Rejection, bytes]:
    """Take the document that a block is, or begins with; return it and the text that is left."""
    if block.is_first and block.text.startswith(b"{"):
        for text, left in _candidates(block):
            value = text.rstrip(_AFTER_OBJECT)
            if len(text) <= max_bytes and value.rstrip().endswith(b"}"):
                document = decode(value)
                if document is not Rejection.MALFORMED_JSON:
                    return document, left
    return Rejection.MALFORMED_JSON, block.text


def _candidates(block: _Block) -> Iterator[tuple[bytes, bytes]]:
    if block.is_last:
        yield block.text, b""
    line, end, others = block.text.partition(b"\n")
    if end:
        yield line, others


class _Splitter:
    """Cuts objects out of text by their brackets, whatever stands between them."""

    def __init__(self, max_bytes: int) -> None:
        self.steps = 0
        """How much work it was so far to follow objects to their ends."""
        self._steps_before = 0
        self._max_bytes = max_bytes
        self._parts: list[bytes] = []
        self._size = 0
        self._depth = 0
        self._in_string = False
        self._escaped = False
        self._in_array = False
        self._in_stray = False

    @property
    def steps_of_object(self) -> int:
        """Return how many of the steps were those of the object that ended or began last."""
        return self.steps - self._steps_before

    def feed(self, text: bytes) -> Iterator[bytes | Rejection]:
        """Take more text and yield the objects that end in it.

        What is no object is rejected: the rest of its line or, in an array, of its element.
        """
        start = position = 0
        while position < len(text):
            if self._depth == 0:
                start = self._between(text, position)
                if start < len(text) and not text.startswith(b"{", start):
                    self._in_stray = True
                    yield Rejection.MALFORMED_JSON
                elif start < len(text):
                    self._depth = 1
                    self._steps_before = self.steps
                position = start + self._depth
            else:
                position = self._within(text, position)
                if self._depth == 0:
                    yield self._take(text[start:position])
        if self._depth:
            self._hold(text[start:])

    def end(self) -> Iterator[Rejection]:
        """Give up an object that has begun; yield why, if there is one."""
        if self._depth:
            value = self._take(b"")
            self._depth, self._in_string, self._escaped = 0, False, False
            yield value if isinstance(value, Rejection) else Rejection.MALFORMED_JSON

    def _between(self, text: bytes, position: int) -> int:
        """Return where the next object or stray text begins, at the end if none does."""
        if self._in_stray:
            rest = _REST_OF_ELEMENT if self._in_array else _REST_OF_LINE
            position = _end(rest, text, position)
            self._in_stray = position == len(text)
        end = _end(_BETWEEN, text, position)
        opened, closed = (text.rfind(bracket, position, end) for bracket in (b"[", b"]"))
        if opened != closed:
            self._in_array = opened > closed
        return end

    def _within(self, text: bytes, position: int) -> int:
        """Follow an object to its end, or that of the text, and return the position after it."""
        if self._escaped:
            self._escaped = False
            position += 1
        while self._depth and position < len(text):
            self.steps += 1
            if self._in_string:
                position = self._within_string(text, position)
                continue
            position = _end(_BETWEEN_BRACKETS, text, position)
            brackets = _BRACKETS.match(text, position)
            if brackets is None:
                # Where a string begins that does not end here, or nothing more stands.
                self._in_string = position < len(text)
                position += 1
            elif text[position] in b"{[":
                self._depth += brackets.end() - position
                position = brackets.end()
            else:
                closed = min(self._depth, brackets.end() - position)
                self._depth -= closed
                position += closed
        return min(position, len(text))

    def _within_string(self, text: bytes, position: int) -> int:
        """Follow a string to its end, or that of the text, and return the position after it."""
        end = _end(_STRING_REST, text, position)
        self._in_string = not text.startswith(b'"', end)
        # Anything else that ends it is the first half of an escape.
        self._escaped = self._in_string and end < len(text)
        return end + 1

    def _hold(self, part: bytes) -> None:
        self._size += len(part)
        if self._size > self._max_bytes:
            self._parts.clear()
        else:
            self._parts.append(part)

    def _take(self, last: bytes) -> bytes | Rejection:
        self._hold(last)
        value = b"".join(self._parts)
        is_too_large = self._size > self._max_bytes
        self._parts, self._size = [], 0
        return Rejection.RECORD_TOO_LARGE if is_too_large else value


def _end(pattern: re.Pattern[bytes], text: bytes, position: int) -> int:
    """Return where a pattern that matches anywhere ends."""
    match = pattern.match(text, position)
    return match.end() if match else position
