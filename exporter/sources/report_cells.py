"""Cells of a daily report as the values that they write.

What could be read in two ways is not read: 1,234 is no number, for it may be 1.234.
"""

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal

MAX_COUNT = 10**9
"""Of anything, on one day."""
_DECIMAL = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")
_MAX_DIGITS = 40
_BOOLEANS = {"true": True, "false": False, "": False}


class Columns:
    """The columns of a header, by name in whatever case and order.

    Of columns of one name, the first cell that is not empty holds.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names
        self._at: dict[str, list[int]] = {}
        for index, name in enumerate(names):
            self._at.setdefault(name.casefold(), []).append(index)

    def __iter__(self) -> Iterator[tuple[int, str]]:
        """Yield each column's place and its name as it is written."""
        return iter(enumerate(self._names))

    def __contains__(self, name: str) -> bool:
        return name.casefold() in self._at

    def text(self, cells: Sequence[str], name: str) -> str:
        """Return the cell of a column, without white space around it; empty where none is."""
        for index in self._at.get(name.casefold(), ()):
            if text := cells[index].strip():
                return text
        return ""


def parse_count(text: str) -> int | None:
    """Return a whole number, also where it is written 3.0 or 3E2; 0 for an empty cell.

    None for anything else, and for a number below 0 or above MAX_COUNT.
    """
    if text.isascii() and text.isdigit() and len(text) < 10:
        return int(text)
    number = parse_decimal(text)
    return int(number) if number is not None and number == number.to_integral_value() else None


def parse_decimal(text: str) -> Decimal | None:
    """Return a number exactly as it is written; 0 for an empty cell.

    None for anything else, and for a number below 0 or above MAX_COUNT.
    """
    text = text.strip()
    if not text:
        return Decimal(0)
    if len(text) > _MAX_DIGITS or not _DECIMAL.fullmatch(text):
        return None
    number = Decimal(text)
    return number.copy_abs() if 0 <= number <= MAX_COUNT else None


def parse_boolean(text: str) -> bool | None:
    """Return what true or false says, in whatever case; false for an empty cell, else None."""
    return _BOOLEANS.get(text.lower())
