"""Cutting JSON documents out of bytes: every layout, every chunking, every fault."""

import json
from collections import Counter
from collections.abc import Iterable
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exporter.sources import json_documents
from exporter.sources.json_documents import documents
from exporter.sources.rejection import Rejection

MALFORMED = Rejection.MALFORMED_JSON
TOO_LARGE = Rejection.RECORD_TOO_LARGE


def decode(text: bytes) -> object:
    """Decode one object strictly."""
    try:
        value = json.loads(text)
    except ValueError:
        return MALFORMED
    return value if isinstance(value, dict) else MALFORMED


def cut(*chunks: bytes, max_bytes: int = 10_000) -> list[object]:
    return list(documents(chunks, decode, max_bytes))


def in_chunks(text: bytes, size: int) -> list[bytes]:
    return [text[start : start + size] for start in range(0, len(text), size)]


A, B, C = {"a": 1}, {"b": [2, {"x": "}"}]}, {"c": {"text": 'quote " brace { back \\ '}}
LAYOUTS = {
    "one a line": '{"a": 1}\n%s\n%s\n',
    "no end of the last line": '{"a": 1}\n%s\n%s',
    "carriage returns": '{"a": 1}\r\n%s\r\n%s\r\n',
    "blank lines": '\n\n{"a": 1}\n \t\n\r\n%s\n\n\n%s\n\n',
    "indented": '  {"a": 1}\n\t%s\n    %s\n',
    "nothing between": '{"a": 1}%s%s',
    "spaces between": ' {"a": 1}  %s %s ',
    "array in a line": '[{"a": 1}, %s, %s]\n',
    "array, one a line": '[\n{"a": 1},\n%s,\n%s\n]\n',
    "array, comma first": '[\n{"a": 1}\n,%s\n,\n%s]',
    "three arrays": '[{"a": 1}]\n[%s]\n[%s]\n',
    "array in an array": '[[{"a": 1}], [%s, %s]]',
    "array after an object": '{"a": 1}\n[%s, %s]\n',
    "object after an array": '[{"a": 1}, %s]\n%s\n',
    "byte order mark": '\ufeff{"a": 1}\n%s\n%s\n',
    "byte order mark at each line": '\ufeff{"a": 1}\n\ufeff%s\n\ufeff%s\n',
    "byte order mark before an array": '\ufeff[{"a": 1},%s,%s]',
    "pretty-printed": '{\n  "a": 1\n}\n%s\n{\n  "c": %s\n}\n',
}


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_layout_is_read(layout: str, size: int) -> None:
    last = C["c"] if layout == "pretty-printed" else C
    text = (LAYOUTS[layout] % (json.dumps(B), json.dumps(last))).encode()
    assert cut(*in_chunks(text, size)) == [A, B, C]


@pytest.mark.parametrize("indent", [0, 1, 4, "\t"])
def test_pretty_printed_objects_and_arrays_are_read(indent: int | str) -> None:
    objects = "\n".join(json.dumps(value, indent=indent) for value in (A, B, C))
    assert cut(objects.encode()) == [A, B, C]
    assert cut(json.dumps([A, B, C], indent=indent).encode()) == [A, B, C]


def test_an_array_may_be_larger_than_a_document() -> None:
    array = json.dumps([A, B, C] * 50).encode()
    for size in range(1, 90):
        assert cut(*in_chunks(array, size), max_bytes=60) == [A, B, C] * 50


def test_objects_without_line_ends_may_be_more_than_a_document() -> None:
    text = (json.dumps(A) + json.dumps(B)) * 50
    assert cut(text.encode(), max_bytes=60) == [A, B] * 50


@pytest.mark.parametrize("text", [b"", b"\n", b" \r\n\t", b"\xef\xbb\xbf", b"[]", b"[]\n[ ]"])
def test_nothing_is_nothing(text: bytes) -> None:
    assert cut(text) == []


HALVES = {
    "end of a record": b'"text": "x"}], "n": 5}}',
    "end of a record, inside a string": b'and so "on" [1]"}}',
    "start of a record": b'{"torn": {"text": "and',
    "start of a record, after a value": b'{"torn": {"text": "and", "n": 5',
    "start of a record, in an escape": b'{"torn": "and \\',
    "words": b"this is not JSON",
    "null": b"null",
    "number": b"17",
    "string": b'"text"',
    "string with a bracket": b'"{"',
    "brace": b"{",
    "end of an object": b"}",
    "many braces": b"{" * 50,
    "bytes": b"\x00\x1f\x8b\xff\xfe",
}


@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize("half", HALVES)
def test_a_line_that_is_no_object_costs_only_itself(half: str, place: int) -> None:
    lines = [json.dumps(A).encode(), json.dumps(B).encode()]
    lines.insert(place, HALVES[half])
    expected: list[object] = [A, B]
    expected.insert(place, MALFORMED)
    for size in (1, 2, 5, 1000):
        assert cut(*in_chunks(b"\n".join(lines) + b"\n", size)) == expected


@pytest.mark.parametrize("half", ["start of a record", "null", "words", "number", "string"])
def test_a_line_of_an_array_that_is_no_object_costs_only_itself(half: str) -> None:
    array = b'[\n{"a": 1},\n%s,\n{"a": 1},\n{"a": 1}\n]\n' % HALVES[half]
    assert cut(array) == [A, MALFORMED, A, A]


def test_a_value_in_an_array_that_is_no_object_costs_only_itself() -> None:
    assert cut(b'[{"a": 1}, null, 17, "x", {"a": 1}]') == [A, *[MALFORMED] * 3, A]


def test_a_malformed_object_costs_only_itself() -> None:
    assert cut(b'{"a": 1}\n{"a" 1}\n{"a": tru}\n{"a": 1}') == [A, MALFORMED, MALFORMED, A]
    assert cut(b'[{"a": 1},{"a" 1},{"a": 1}]') == [A, MALFORMED, A]


def test_a_torn_line_leaves_nothing_behind() -> None:
    torn = b'{"text": "begins\n'
    assert cut(torn + b'{"a": 1}\n{\n"a": 1}\n') == [MALFORMED, A, A]
    assert cut(torn + b'{"a": 1}\n  {"a": 1}\n[{"a": 1}]') == [MALFORMED, A, A, A]


@pytest.mark.parametrize("size", range(1, 40))
def test_long_garbage_ends_with_its_line(size: int) -> None:
    text = b"x" * 30 + b'\n{"a": 1}\nx\n'
    assert cut(*in_chunks(text, size), max_bytes=20) == [MALFORMED, A, MALFORMED]


def test_the_end_of_one_record_does_not_complete_another() -> None:
    head, tail = b'{"a": {"text": "begins', b'ends"}, "n": 7}'
    assert cut(head + b"\n" + tail + b"\n") == [MALFORMED]


def test_objects_inside_a_torn_line_are_not_taken_for_documents() -> None:
    assert cut(b'ed": 5}, "input": {"a": 1}, "b": [{"a": 1}]}\n{"a": 1}\n') == [MALFORMED, A]


def test_an_object_that_is_too_large_costs_only_itself() -> None:
    large = json.dumps({"text": "x { \\n" * 100}).encode()
    small = json.dumps(A).encode()
    for text in (
        b"\n".join([small, large, small]),
        b"[%s, %s, %s]" % (small, large, small),
        b"[\n%s,\n%s,\n%s\n]" % (small, large, small),
        b"%s%s%s" % (small, large, small),
    ):
        assert cut(text, max_bytes=100) == [A, TOO_LARGE, A]
        assert cut(*in_chunks(text, 7), max_bytes=100) == [A, TOO_LARGE, A]


def test_a_large_object_of_many_lines_is_not_taken_without_its_large_line() -> None:
    text = json.dumps({"input": {"text": "x" * 500}, "n": 1}, indent=2).encode()
    assert cut(b'{"a": 1}\n' + text + b'\n{"a": 1}\n', max_bytes=100) == [A, TOO_LARGE, A]


def test_a_large_object_that_is_torn_is_counted_once() -> None:
    assert cut(b'{"text": "' + b"x" * 500 + b'\n{"a": 1}\n', max_bytes=100) == [TOO_LARGE, A]


def test_the_largest_object_allowed_is_read() -> None:
    text = json.dumps(B).encode()
    assert cut(text, max_bytes=len(text)) == [B]
    assert cut(text, max_bytes=len(text) - 1) == [TOO_LARGE]
    assert cut(b"[" + text + b"]", max_bytes=len(text)) == [B]


NOT_A_LOG = Rejection.NOT_A_LOG


@pytest.mark.parametrize("line", [b"{\n", b'{"x":\n', b'{"x":"}"\n', b'{"n":NaN,\n'])
def test_lines_that_only_begin_objects_are_given_up(
    line: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(json_documents, "_WASTED_STEPS", 10_000)
    attempts = 0

    def counted(text: bytes) -> object:
        nonlocal attempts
        attempts += 1
        return decode(text)

    chunks = [b'{"a": 1}\n', *[line * 1000] * 1000]
    read = iter(chunks)
    assert list(documents(read, counted, 10_000)) == [A, MALFORMED, NOT_A_LOG]
    assert attempts < 1000
    assert len(list(read)) > 990


@pytest.mark.parametrize("text", [b'{"a":"', b'{""', b'{"x":{{}}{{}}', b'{"a":1,"b":2,'])
def test_an_object_that_goes_on_beginning_others_is_given_up(
    text: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(json_documents, "_WASTED_STEPS", 10_000)
    read = iter([b'{"a": 1}\n', *[text * 1000] * 1000])
    assert list(documents(read, decode, 10_000)) == [A, TOO_LARGE, NOT_A_LOG]
    assert len(list(read)) > 900


@pytest.mark.parametrize("indent", [None, 1])
def test_objects_that_are_sound_are_never_given_up(
    indent: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(json_documents, "_WASTED_STEPS", 100)
    value = {"a": [{}, [[]], {"b": {}}] * 3}
    text = json.dumps([value] * 500, indent=indent).encode()
    assert cut(*in_chunks(text, 100), max_bytes=400) == [value] * 500


def test_nothing_that_cannot_end_an_object_is_decoded() -> None:
    seen: list[bytes] = []

    def watched(text: bytes) -> object:
        seen.append(text)
        return decode(text)

    assert list(documents([b'{"a":\n{"a": 1}\n{\n'], watched, 100)) == [MALFORMED, A, MALFORMED]
    assert seen == [b'{"a": 1}']


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=6,
)
objects = st.dictionaries(st.text(max_size=4), json_values, max_size=3)
layouts = st.sampled_from(
    [
        lambda values: "".join(json.dumps(value) + "\n" for value in values),
        lambda values: "\r\n".join(json.dumps(value, ensure_ascii=False) for value in values),
        lambda values: "".join(json.dumps(value) for value in values),
        lambda values: "\n".join(json.dumps(value, indent=2) for value in values),
        lambda values: json.dumps(values),
        lambda values: json.dumps(values, indent=1),
        lambda values: "[\n" + ",\n".join(json.dumps(value) for value in values) + "\n]",
    ]
)


def split_at(text: bytes, places: Iterable[int]) -> list[bytes]:
    cuts = sorted({0, len(text), *(place % (len(text) + 1) for place in places)})
    return [text[start:end] for start, end in pairwise(cuts)]


@settings(deadline=None)
@given(st.lists(objects, max_size=6), layouts, st.lists(st.integers(0, 10**6), max_size=12))
def test_any_objects_in_any_layout_and_chunking_are_read(values, layout, places) -> None:
    assert cut(*split_at(layout(values).encode(), places)) == values


garbage = st.binary(max_size=60).filter(lambda text: b"\n" not in text)
lines = st.lists(
    st.one_of(objects, garbage, st.sampled_from([*HALVES.values(), b"x" * 30, b'{"a": "' * 5])),
    max_size=8,
)


@settings(deadline=None)
@given(lines, st.lists(st.integers(0, 10**6), max_size=8), st.sampled_from([20, 60, 10_000]))
def test_no_garbage_costs_a_good_line_and_no_chunking_changes_the_outcome(
    lines, places, max_bytes
) -> None:
    good = [value for value in lines if isinstance(value, dict)]
    texts = [json.dumps(line).encode() if isinstance(line, dict) else line for line in lines]
    small = [value for value in good if len(json.dumps(value)) <= max_bytes]
    text = b"".join(text + b"\n" for text in texts)
    outcome = cut(text, max_bytes=max_bytes)
    taken = Counter(json.dumps(value) for value in outcome if isinstance(value, dict))
    assert Counter(map(json.dumps, small)) <= taken
    assert cut(*split_at(text, places), max_bytes=max_bytes) == outcome
