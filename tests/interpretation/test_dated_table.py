"""Bundled tables by day, and how a malformed one is refused."""

from datetime import date
from pathlib import Path

import pytest

from exporter.interpretation.dated_table import DatedTable, DatedTableError

HEADER = "tier,credits,effective_from,source,certainty,checked_on\n"
GOOD = "PRO,1000,2026-01-01,somewhere,published,2026-02-01\n"


def read(folder: Path, text: str) -> DatedTable[int]:
    path = folder / "tiers.csv"
    path.write_text(text)
    return DatedTable.read(path, ("tier", "credits"), lambda fields: int(fields["credits"]))


def test_of_each_name_the_newest_row_until_the_day_holds(tmp_path):
    later = "PRO,1500,2026-03-01,somewhere,published,2026-02-01\n"
    first = "FREE,50,2025-01-01,somewhere,published,2026-02-01\n"
    table = read(tmp_path, HEADER + later + GOOD + first)
    assert table.in_force(date(2024, 12, 31)) == {}
    assert table.in_force(date(2026, 2, 28)) == {"FREE": 50, "PRO": 1000}
    assert table.in_force(date(2026, 3, 1)) == {"FREE": 50, "PRO": 1500}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", ":1: the columns are not tier,credits,effective_from,source,certainty,checked_on"),
        ("tier,credits\n", ":1: the columns are not"),
        (HEADER + "PRO,1000\n", ":2: not 6 fields"),
        (HEADER + GOOD + GOOD, ":3: a row of the same name and day stands above"),
        (HEADER + "PRO,many,2026-01-01,somewhere,published,2026-02-01\n", ":2: invalid literal"),
        (HEADER + "PRO,1000,yesterday,somewhere,published,2026-02-01\n", ":2: Invalid isoformat"),
        (HEADER + "PRO,1000,2026-01-01,somewhere,published,today\n", ":2: Invalid isoformat"),
        (HEADER + "PRO,1000,2026-01-01,,published,2026-02-01\n", ":2: no source or no certainty"),
        (HEADER + "PRO,1000,2026-01-01,somewhere,,2026-02-01\n", ":2: no source or no certainty"),
    ],
)
def test_a_malformed_table_is_refused_by_file_and_line(tmp_path, text, problem):
    with pytest.raises(DatedTableError) as raised:
        read(tmp_path, text)
    assert str(raised.value).startswith(f"{tmp_path / 'tiers.csv'}{problem}")
