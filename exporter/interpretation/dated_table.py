"""Bundled tables whose rows hold from a day on: limits and tiers that AWS publishes and changes.

A row is never changed when AWS changes its mind; a later one of the same name takes over. Every row
says where it comes from, how sure that is and when it was looked at, for whoever reads the file.
"""

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Generic, TypeVar

T = TypeVar("T")

_ORIGIN = ("effective_from", "source", "certainty", "checked_on")
"""The last columns of every table; the first is the row's name."""


class DatedTableError(Exception):
    """A bundled table is malformed, at `file:line: problem`: a bug in the package."""


@dataclass(frozen=True, slots=True)
class DatedTable(Generic[T]):
    """What was published under a name, and since which UTC day."""

    rows: tuple[tuple[str, date, T], ...]
    """In the order of the file."""

    @classmethod
    def read(
        cls, path: Path, columns: Sequence[str], parse: Callable[[Mapping[str, str]], T]
    ) -> "DatedTable[T]":
        """Read a table whose columns are the given ones and those of its origin.

        `parse` makes a value of a row and raises ValueError where the row is none. Raises
        DatedTableError at the first row that is malformed.
        """
        rows: dict[tuple[str, date], T] = {}
        for place, fields in _lines(path, (*columns, *_ORIGIN)):
            try:
                key = fields[columns[0]], date.fromisoformat(fields["effective_from"])
                date.fromisoformat(fields["checked_on"])
                _require(fields["source"] and fields["certainty"], "no source or no certainty")
                _require(key not in rows, "a row of the same name and day stands above")
                rows[key] = parse(fields)
            except ValueError as error:
                raise DatedTableError(f"{place}: {error}") from None
        return cls(tuple((*key, value) for key, value in rows.items()))

    def in_force(self, day: date) -> dict[str, T]:
        """Return what holds on a day, by name: of each name the newest row until then."""
        holding = [row for row in self.rows if row[1] <= day]
        return {name: value for name, _, value in sorted(holding, key=lambda row: row[1])}


def _lines(path: Path, columns: Sequence[str]) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield where each line stands and its fields."""
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.reader(file, strict=True)
        if next(reader, None) != list(columns):
            raise DatedTableError(f"{path}:1: the columns are not {','.join(columns)}")
        for fields in reader:
            place = f"{path}:{reader.line_num}"
            if len(fields) != len(columns):
                raise DatedTableError(f"{place}: not {len(columns)} fields")
            yield place, dict(zip(columns, fields, strict=True))


def _require(condition: object, problem: str) -> None:
    if not condition:
        raise ValueError(problem)
