"""The records of prompt logs out of a stream of bytes, one bad record costing no other.

AWS writes one JSON document an object, {"records": [...]}, of one or two records; it is taken
whole. Whatever else an object holds is cut with care: several documents, bare records, arrays, what
is left of a torn document. Never holds more than one document, nor knows what a record says.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import TypeVar

import msgspec

from exporter.sources.json_documents import documents
from exporter.sources.json_repair import repaired
from exporter.sources.rejection import Rejection

T = TypeVar("T")

_OPENING = re.compile(rb'\{\s*"records"\s*:\s*\[')
"""In a text of JSON, the quotes would be escaped."""
_CLOSING = re.compile(rb"\]\s*\}[\s,\]]*\Z")
_HELD_BACK = 256
"""Bytes at the end of a chunk in which an opening or closing may have begun."""


class _Document(msgspec.Struct):
    records: msgspec.Raw = msgspec.Raw()


_document_decoder = msgspec.json.Decoder(_Document)
_list_decoder = msgspec.json.Decoder(list[msgspec.Raw])


def prompt_records(
    chunks: Iterator[bytes],
    decode_plain: Callable[[bytes], list[T] | None],
    decode: Callable[[bytes], T | Rejection],
    max_bytes: int,
) -> Iterator[T | Rejection]:
    """Yield each record as `decode` gives it, or why there is none.

    `decode_plain` takes a whole object and gives the same of its records, or None if it is not up
    to them. A record of more than `max_bytes` is passed over without being held.
    """
    start = _start(chunks, max_bytes)
    is_whole = len(start) <= max_bytes
    plain = decode_plain(start) if is_whole else None
    if plain is not None:
        yield from plain
        return
    texts: Iterable[bytes | Rejection] | Rejection = Rejection.MALFORMED_JSON
    if is_whole:
        texts = _records_of(start)
    if isinstance(texts, Rejection):
        texts = _cut(chain([start], chunks), max_bytes)
    for text in texts:
        yield text if isinstance(text, Rejection) else decode(text)


def _cut(chunks: Iterable[bytes], max_bytes: int) -> Iterator[bytes | Rejection]:
    """Yield the text of each record in any number of documents."""
    for found in documents(_unwrapped(chunks), _records_of, max_bytes):
        if isinstance(found, Rejection):
            yield found
        else:
            yield from found


def _start(chunks: Iterator[bytes], max_bytes: int) -> bytes:
    """Take the whole of an object that is no longer than a record may be, else more than that."""
    held: list[bytes] = []
    size = 0
    for chunk in chunks:
        held.append(chunk)
        size += len(chunk)
        if size > max_bytes:
            break
    return b"".join(held)


def _records_of(text: bytes) -> list[bytes] | Rejection:
    """Return the records of a document; one without `records` is a record itself."""
    try:
        document = _document_decoder.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        # Of several objects, each is repaired by itself.
        if "trailing characters" in str(error) or not text.rstrip().endswith(b"}"):
            return Rejection.MALFORMED_JSON
        text = repaired(text)
        try:
            document = _document_decoder.decode(text)
        except msgspec.DecodeError:
            return Rejection.MALFORMED_JSON
    return _elements(bytes(document.records), text)


def _elements(records: bytes, document: bytes) -> list[bytes] | Rejection:
    if not records:
        return [document.strip()]
    if records.startswith(b"["):
        return [bytes(record) for record in _list_decoder.decode(records)]
    if records.startswith(b"{"):
        return [records]
    return [] if records == b"null" else Rejection.INVALID_RECORD


def _unwrapped(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield text in which no record is inside a document."""
    held = b""
    is_open = False
    for chunk in chunks:
        *parts, rest = _OPENING.split(held + chunk)
        if parts:
            first, *others = parts
            texts = [_without_closing(first) if is_open else first]
            texts += [_without_closing(text) for text in others if text]
            yield b"".join(texts)
            is_open = True
        yield rest[:-_HELD_BACK]
        held = rest[-_HELD_BACK:]
    yield _without_closing(held) if is_open else held


def _without_closing(text: bytes) -> bytes:
    end = max(0, len(text) - _HELD_BACK)
    return text[:end] + _CLOSING.sub(b"\n", text[end:])
