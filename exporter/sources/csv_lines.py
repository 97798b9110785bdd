"""CSV as it comes: from the chunks of an object to its header and the cells of each line.

Delimiters, line ends and encodings are told by what stands there. Memory stays within one chunk and
a few lines. A line that cannot be read costs only itself: what follows an unbalanced quote is read
as if the quote were not there. Does not know what a column means.
"""

import codecs
import csv
import io
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice

from exporter.sources.rejection import Rejection

MAX_COLUMNS = 200
"""AWS writes at most 46, or 14 and one a model."""
_MAX_LINE = 2**16
"""Characters; a longer line is cut to one more, which tells that it was longer."""
_MAX_LINES_OF_A_ROW = 16
"""A quoted cell may hold line ends; so many that they tell of a quote left open."""
_MOST_LINES_ABOVE = 100
"""Empty ones above the header, and it."""
_DELIMITERS = ",;\t|"
_BLANK = re.compile(rf'[\s\0"{re.escape(_DELIMITERS)}]*')
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)

Cells = list[str]


@dataclass(frozen=True, slots=True)
class Table:
    """A header and the lines below it, read one by one."""

    columns: Cells
    """Their names, without the white space around them."""
    rows: Iterator[Cells | Rejection]
    """As many cells each as there are columns, those missing at the end empty; an empty line has
    none."""


def open_table(
    chunks: Iterator[bytes], required: Iterable[str], is_damaged: Callable[[], bool]
) -> Table | Rejection:
    """Read up to the header, which must name `required` columns, in whatever case.

    `is_damaged` tells, once the chunks have ended, whether there should be more of them: then the
    last line is left out, for it may be half a line.
    """
    lines = _lines(_texts(chunks), is_damaged)
    header = next(filter(_says_something, islice(lines, _MOST_LINES_ABOVE)), None)
    if header is None:
        return Rejection.EMPTY_OBJECT
    wanted = {name.casefold() for name in required}
    for delimiter in _DELIMITERS:
        columns = [name.strip() for name in _cells(header, delimiter) or []]
        if wanted <= {name.casefold() for name in columns} and len(columns) <= MAX_COLUMNS:
            return Table(columns, _rows(lines, delimiter, len(columns)))
    return Rejection.NOT_A_REPORT


def _texts(chunks: Iterator[bytes]) -> Iterator[str]:
    r"""Decode: UTF-16 with a byte order mark, or else UTF-8, with one or without.

    A byte that does not belong there becomes four characters such as \xe9, which is no guess at
    another encoding, and keeps names apart that differ in it. Line ends become \n.
    """
    start = b""
    while len(start) < len(codecs.BOM_UTF16_LE) and (chunk := next(chunks, b"")):
        start += chunk
    encoding = "utf-16" if start.startswith(_UTF_16) else "utf-8-sig"
    decoder = io.IncrementalNewlineDecoder(
        codecs.getincrementaldecoder(encoding)("backslashreplace"), translate=True
    )
    for chunk in chain([start], chunks):
        yield decoder.decode(chunk)
    yield decoder.decode(b"", final=True)


def _lines(texts: Iterator[str], is_damaged: Callable[[], bool]) -> Iterator[str]:
    held = ""
    for text in texts:
        *whole, held = (held + text).split("\n")
        for line in whole:
            yield f"{line}\n"
        held = held[: _MAX_LINE + 1]
    if held and not is_damaged():
        yield held


def _says_something(line: str) -> bool:
    return _BLANK.fullmatch(line) is None


def _rows(lines: Iterator[str], delimiter: str, width: int) -> Iterator[Cells | Rejection]:
    ahead: deque[str] = deque()
    while line := (ahead.popleft() if ahead else next(lines, "")):
        if not _says_something(line):
            yield []
            continue
        cells = _cells(line, delimiter)
        if cells is None:
            cells = _continued(line, lines, ahead, delimiter, width)
        if cells is None or len(cells) > width or (len(cells) < width and _is_cut(line)):
            yield Rejection.MALFORMED_ROW
        else:
            yield cells + [""] * (width - len(cells))


def _is_cut(line: str) -> bool:
    """Tell of the last line whether it ends within: one of missing cells should end in \\n."""
    return not line.endswith("\n")


def _continued(
    line: str, lines: Iterator[str], ahead: deque[str], delimiter: str, width: int
) -> Cells | None:
    """Return the row that a line with an open quote begins, if there is one.

    The lines that it takes are taken from `ahead`; where there is none, they stay there.
    """
    text = line
    for taken in range(1, _MAX_LINES_OF_A_ROW):
        if text.count('"') % 2 == 0 or len(text) > _MAX_LINE:
            break
        if len(ahead) < taken:
            ahead.append(next(lines, ""))
        text += ahead[taken - 1]
        cells = _cells(text, delimiter)
        if cells is not None and len(cells) == width:
            for _ in range(taken):
                ahead.popleft()
            return cells
    return None


def _cells(text: str, delimiter: str) -> Cells | None:
    """Split one row; None where a quote is not closed, or closes within a cell."""
    if len(text) > _MAX_LINE:
        return None
    rows = csv.reader([text], delimiter=delimiter, skipinitialspace=True, strict=True)
    try:
        return next(rows, None)
    except csv.Error:
        return None
