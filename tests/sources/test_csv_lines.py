"""CSV as it comes: delimiters, quotes, line ends, encodings, and lines that are none."""

import codecs
import io
from collections.abc import Iterator

import pytest
from bad_input import memory_of
from hypothesis import given, settings
from hypothesis import strategies as st

from exporter.sources.csv_lines import MAX_COLUMNS, Cells, Table, open_table
from exporter.sources.rejection import Rejection

BAD = Rejection.MALFORMED_ROW
LONG = "x" * 70_000
"""Longer than any line may be."""


def rows(
    stored: str | bytes, step: int = 2**16, is_damaged: bool = False
) -> list[Cells | Rejection]:
    """The rows below the header, which names A, B and C, without the empty ones."""
    table = opened(stored, step, is_damaged)
    assert isinstance(table, Table), table
    assert [name.casefold() for name in table.columns] == ["a", "b", "c"]
    return [row for row in table.rows if row]


def opened(stored: str | bytes, step: int = 2**16, is_damaged: bool = False) -> Table | Rejection:
    data = stored.encode() if isinstance(stored, str) else stored
    return open_table(chunks(data, step), ("A", "B"), lambda: is_damaged)


def chunks(data: bytes, step: int) -> Iterator[bytes]:
    stream = io.BytesIO(data)
    return iter(lambda: stream.read(step), b"")


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("step", [1, 7, 2**16])
def test_delimiters_and_line_ends_are_told_by_the_header(
    delimiter: str, end: str, step: int
) -> None:
    text = end.join(["A,B,C", "1,2,3", '"x",,"z"', ""]).replace(",", delimiter)
    assert rows(text, step) == [["1", "2", "3"], ["x", "", "z"]]


@pytest.mark.parametrize("step", [1, 3, 2**16])
@pytest.mark.parametrize(
    "encode",
    [
        str.encode,
        lambda text: codecs.BOM_UTF8 + text.encode(),
        lambda text: codecs.BOM_UTF16_LE + text.encode("utf-16-le"),
        lambda text: codecs.BOM_UTF16_BE + text.encode("utf-16-be"),
    ],
    ids=["UTF-8", "UTF-8 with BOM", "UTF-16 LE", "UTF-16 BE"],
)
def test_an_encoding_is_told_by_its_byte_order_mark(encode: object, step: int) -> None:
    assert callable(encode)
    assert rows(encode("A,B,C\nJosé,김,😀\n"), step) == [["José", "김", "😀"]]


def test_bytes_of_another_encoding_keep_names_apart() -> None:
    assert rows(b"A,B,C\nJos\xe9,1,2\nJos\xe8,1,2\n") == [
        ["Jos\\xe9", "1", "2"],
        ["Jos\\xe8", "1", "2"],
    ]


def test_half_a_character_at_the_end_is_text() -> None:
    assert rows(codecs.BOM_UTF16_LE + "A,B,C\n1,2,3".encode("utf-16-le") + b"\x34") == [
        ["1", "2", "3\\x34"]
    ]


def test_lone_surrogates_do_not_come_through() -> None:
    (row,) = rows(b"A,B,C\n\xed\xa0\x80,2,3\n")
    assert row == ["\\xed\\xa0\\x80", "2", "3"]


@pytest.mark.parametrize(
    "line",
    ["1,2,3", '"1","2","3"', ' "1", "2", "3"', '"1",2,"3"'],
)
def test_quotes_are_none_of_a_cell(line: str) -> None:
    assert rows(f"A,B,C\n{line}\n") == [["1", "2", "3"]]


def test_a_quoted_cell_holds_delimiters_quotes_and_line_ends() -> None:
    assert rows('A,B,C\n"a,b","say ""hi""","three\r\n\r\nlines"\n1,2,3\n') == [
        ["a,b", 'say "hi"', "three\n\nlines"],
        ["1", "2", "3"],
    ]


@pytest.mark.parametrize("blank", ["", "   ", "\t", ",,", '"",""', '"', "\0\0\0"])
def test_an_empty_line_has_no_cells(blank: str) -> None:
    table = opened(f"{blank}\nA,B,C\n{blank}\n1,2,3\n{blank}\n")
    assert isinstance(table, Table)
    assert list(table.rows) == [[], ["1", "2", "3"], []]


def test_nul_bytes_are_text() -> None:
    assert rows("A,B,C\na\0b,2,3\n") == [["a\0b", "2", "3"]]


def test_only_line_ends_end_a_line() -> None:
    assert rows("A,B,C\na\x0bb,\x1c\x85,\u2028\n") == [["a\x0bb", "\x1c\x85", "\u2028"]]


def test_missing_cells_are_empty_and_too_many_are_no_row() -> None:
    assert rows("A,B,C\n1\n1,2\n1,2,3,4\n1,2,3,\n1,2,3\n") == [
        ["1", "", ""],
        ["1", "2", ""],
        BAD,
        BAD,
        ["1", "2", "3"],
    ]


def test_a_last_line_that_ends_within_is_no_row() -> None:
    assert rows("A,B,C\n1,2,3\n1,2") == [["1", "2", "3"], BAD]
    assert rows("A,B,C\n1,2,3\n1,2,3") == [["1", "2", "3"], ["1", "2", "3"]]


def test_what_stands_before_damage_counts_without_its_last_line() -> None:
    assert rows("A,B,C\n1,2,3\n1,2,1", is_damaged=True) == [["1", "2", "3"]]


@pytest.mark.parametrize(
    "line",
    ['"1,2,3', '1,"2,3', '1,2,"3', '"1"2,2,3', '1,"2"",3', LONG, f'"{LONG}'],
    ids=["first", "second", "third", "text after", "doubled", "long", "long and open"],
)
def test_a_line_with_a_quote_left_open_costs_only_itself(line: str) -> None:
    good = ['"a","b","c"', "1,2,3", '"d","e","f"']
    text = "\n".join(["A,B,C", *good, line, *good, line, *good, ""])
    whole = [["a", "b", "c"], ["1", "2", "3"], ["d", "e", "f"]]
    assert rows(text) == [*whole, BAD, *whole, BAD, *whole]


def test_a_quote_left_open_in_the_last_line_costs_only_that() -> None:
    assert rows('A,B,C\n1,2,3\n1,"2,3\n') == [["1", "2", "3"], BAD]


def test_a_quote_that_many_lines_later_is_closed_is_left_open() -> None:
    lines = ["1,2,3"] * 20
    text = "\n".join(["A,B,C", '1,2,"3', *lines, '4"', ""])
    assert rows(text) == [BAD, *[["1", "2", "3"]] * 20, ['4"', "", ""]]


def test_lines_make_one_row_only_if_it_has_a_cell_for_each_column() -> None:
    assert rows('A,B,C\n"1,2,3\n4,5,6\n7,8,9"\n') == [BAD, ["4", "5", "6"], ["7", "8", '9"']]


def test_a_quote_within_a_cell_is_text() -> None:
    assert rows('A,B,C\n5" disk,2,3\n') == [['5" disk', "2", "3"]]


def test_columns_are_named_in_any_case_with_spaces_around() -> None:
    table = opened(' b ,"C"," A"\n2,3,1\n')
    assert isinstance(table, Table)
    assert (table.columns, list(table.rows)) == (["b", "C", "A"], [["2", "3", "1"]])


@pytest.mark.parametrize(
    "stored",
    [
        "B,C\n1,2\n",
        "A B C\n1 2 3\n",
        '{"A": 1, "B": 2}',
        "%PDF-1.7\n",
        '"A,B,C\n1,2,3\n',
        f"A,B,{LONG}\n",
        "A,B" + ",C" * (MAX_COLUMNS - 1),
        "A,B,C".encode("utf-16-le"),
    ],
    ids=["no A", "spaces", "JSON", "PDF", "open quote", "long", "many columns", "no BOM"],
)
def test_without_the_columns_there_is_no_table(stored: str | bytes) -> None:
    assert opened(stored) is Rejection.NOT_A_REPORT


@pytest.mark.parametrize("stored", ["", "\n\n", " ", codecs.BOM_UTF8, "\0\0", "\n" * 1000 + "A,B"])
def test_without_text_there_is_nothing(stored: str | bytes) -> None:
    assert opened(stored) is Rejection.EMPTY_OBJECT


def test_a_header_alone_is_a_table_without_rows() -> None:
    assert rows("A,B,C") == []


def test_memory_does_not_grow_with_a_line() -> None:
    def endless() -> Iterator[bytes]:
        yield b'A,B,C\n"'
        for _ in range(200):
            yield b"x" * 2**17
        yield b"\n1,2,3\n"

    def rows() -> list[object]:
        table = open_table(endless(), ("A", "B"), lambda: False)
        assert isinstance(table, Table)
        return list(table.rows)

    found, peak = memory_of(rows)
    assert found == [BAD, ["1", "2", "3"]]
    assert peak < 3 * 2**20


CELLS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r"), max_size=6)


@given(
    table=st.lists(st.lists(CELLS, min_size=3, max_size=3), max_size=5),
    delimiter=st.sampled_from(",;\t|"),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    step=st.integers(1, 40),
)
@settings(deadline=None)
def test_what_is_quoted_comes_through_unchanged(
    table: list[list[str]], delimiter: str, end: str, step: int
) -> None:
    table = [["row", *cells[1:]] for cells in table]
    text = "A B C".replace(" ", delimiter) + end
    for cells in table:
        text += delimiter.join('"' + cell.replace('"', '""') + '"' for cell in cells) + end
    assert rows(text, step) == [[cell.replace("\n\n", "\n\n") for cell in cells] for cells in table]


@given(st.binary(max_size=300), st.integers(1, 20))
@settings(deadline=None)
def test_no_bytes_raise(junk: bytes, step: int) -> None:
    assert rows(b"A,B,C\n1,2,3\n" + junk, step)[:1] == [["1", "2", "3"]]
    opened(junk, step)
