"""What Athena finds below s3://: log objects of folders and of moto's S3, and the lines in them.

A table is modelled as Athena reads it: one row a line, partition columns by the path, gzip by the
name's end. Objects are looked up when a query runs.
"""

import gzip
import re
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from moto.s3.models import s3_backends

_KEY = re.compile(
    r"AWSLogs/([^/]+)/BedrockModelInvocationLogs/([^/]+)/(\d{4}/\d\d/\d\d/\d\d)/(.*[^/])"
)
_LINE_END = re.compile(r"\r\n|\r|\n")
_SURROGATES = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    r"|(\\u[dD][89a-fA-F][0-9a-fA-F]{2})|\\."
)


class QueryFailedError(Exception):
    """A query that ends FAILED; the text is the reason of its state."""


@dataclass(frozen=True)
class Stored:
    """An object as it is stored: its key below the location, and its bytes."""

    key: str
    size: int
    read: Callable[[], bytes]


@dataclass(frozen=True)
class File:
    """An object in a partition of a table."""

    account_id: str
    region: str
    datehour: str
    path: str
    stored: Stored

    def lines(self) -> list[str]:
        """Return the rows of the object. Raises QueryFailedError."""
        content = self.stored.read()
        if content and self.path.endswith(".gz"):
            try:
                content = gzip.decompress(content)
            except (OSError, EOFError, zlib.error) as error:
                # The words of Java's readers of gzip.
                words = {EOFError: "Unexpected end of input stream", zlib.error: str(error)}
                said = words.get(type(error), "java.util.zip.ZipException: Not in GZIP format")
                reason = f"HIVE_CURSOR_ERROR: Failed to read file at {self.path}: {said}"
                raise QueryFailedError(reason) from None
        lines = _LINE_END.split(content.decode("utf-8", "replace"))
        return list(map(_decodable, lines if lines[-1] else lines[:-1]))


def _decodable(line: str) -> str:
    """Put ? for escapes of lone surrogates, which is what Trino makes of them in the end."""
    if "\\u" not in line:
        return line
    return _SURROGATES.sub(lambda match: "?" if match[1] else match[0], line)


Listing = Callable[[], Iterable[Stored]]


def folder(path: Path) -> Listing:
    """Present a folder in AWS's layout."""

    def found() -> Iterator[Stored]:
        for file in sorted(path.rglob("*")):
            if file.is_file():
                key = file.relative_to(path).as_posix()
                yield Stored(key, file.stat().st_size, file.read_bytes)

    return found


def moto_bucket(bucket: str, prefix: str = "", account_id: str = "123456789012") -> Listing:
    """Present what stands in a bucket of the moto that runs in this process."""
    start = f"{prefix.rstrip('/')}/" if prefix else ""

    def found() -> Iterator[Stored]:
        keys: dict[str, Any] = dict(s3_backends[account_id]["aws"].buckets[bucket].keys.items())
        for key in sorted(keys):
            if key.startswith(start):
                stored = keys[key]
                yield Stored(key.removeprefix(start), stored.size, lambda s=stored: s.value)

    return found


def files(location: str, listing: Listing) -> Iterator[File]:
    """Yield the objects of a table over a location, side objects included."""
    for stored in listing():
        if match := _KEY.fullmatch(stored.key):
            yield File(*match.group(1, 2, 3), f"{location.rstrip('/')}/{stored.key}", stored)
