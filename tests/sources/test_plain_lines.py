"""The quick way through ordinary records gives what the careful way gives."""

import json
from typing import Any

import pytest
from bad_input import ABSENT, UNIT, numbered, reader, record
from hypothesis import given
from hypothesis import strategies as st

from exporter.sources import plain_lines
from exporter.sources.plain_lines import read_plain_lines
from exporter.sources.record_reader import RecordReader

COUNTS = st.sampled_from([ABSENT, None, 0, 1, 150_000, 10**9, 10**9 + 1, -1])
BODIES = st.sampled_from(
    [
        ABSENT,
        None,
        "text",
        [{"usage": {"input_tokens": 7}}, "[DONE]"],
        {"usage": {"inputTokens": 3, "outputTokens": 4, "cacheReadInputTokens": 0}},
        {"usage": {"cacheReadInputTokens": 5, "cacheWriteInputTokens": 6}},
        {"usage": {"cache_creation_input_tokens": 9, "cache_creation": {}}},
        {"usage": {"prompt_tokens": 9, "prompt_tokens_details": {"cached_tokens": 4}}},
        {"usage": {"input_tokens": 1}, "serviceTier": {"type": "flex"}},
        {"service_tier": "priority"},
        {"performanceConfig": {"latency": "optimized"}},
        {"metadata": {"usage": {"cacheReadInputTokenCount": 3}}},
        {"message": {"usage": {"cache_read_input_tokens": 8}}},
        {"amazon-bedrock-invocationMetrics": {"cacheReadInputTokenCount": 2}},
    ]
)
FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "timestamp": st.sampled_from(
        [
            "2025-11-17T10:20:30Z",
            "2025-11-17T10:20:30.999Z",
            "2025-11-17T12:20:30+02:00",
            "2025-11-17T10:20:30",
            "2031-01-01T00:00:00Z",
            "1999-01-01T00:00:00Z",
        ]
    ),
    "accountId": st.sampled_from(["111122223333", "", None, ABSENT]),
    "requestId": st.sampled_from(["a", "b", "", None, ABSENT]),
    "operation": st.sampled_from(["Converse", "CreateModelInvocationJob", "New", ABSENT]),
    "modelId": st.sampled_from(["amazon.nova-pro-v1:0", "", None, "m" * 3000]),
    "identity": st.sampled_from([{"arn": "arn:x"}, {}, None, ABSENT]),
    "requestMetadata": st.sampled_from([{"tenant": "a", "other": 5}, {"tenant": 5}, None, ABSENT]),
    "errorCode": st.sampled_from(["ThrottlingException", "<b>", ABSENT]),
    "performanceConfig": st.sampled_from([{"latency": "optimized"}, None, ABSENT]),
}


@st.composite
def records(draw: st.DrawFn) -> bytes:
    fields = {name: draw(values) for name, values in FIELDS.items()}
    given = {
        "inputTokenCount": draw(COUNTS),
        "cacheReadInputTokenCount": draw(COUNTS),
        "cacheWriteInputTokenCount": draw(COUNTS),
    }
    answer = {"outputTokenCount": draw(COUNTS), "outputBodyJson": draw(BODIES)}
    for name, part in (("input", given), ("output", answer)):
        fields[name] = {key: value for key, value in part.items() if value is not ABSENT}
    return json.dumps(record(**fields)).encode()


@given(lines=st.lists(records(), max_size=6))
def test_a_block_is_read_as_its_lines_are_one_by_one(lines: list[bytes]) -> None:
    careful = reader(metadata_keys=["tenant"], first_slot=1_900_000)
    quick = read_plain_lines(
        b"\n".join(lines), reader(metadata_keys=["tenant"], first_slot=1_900_000), UNIT
    )
    assert quick == [careful.read(line, UNIT) for line in lines]


@pytest.mark.parametrize(
    "odd", [b'{"torn": ', b"[]", b'{"timestamp": 5}', b'{"timestamp": "2025-04-99T23:00:17Z"}']
)
def test_a_block_with_a_line_that_is_no_record_is_left_to_the_careful_way(odd: bytes) -> None:
    lines = numbered(3)
    assert read_plain_lines(b"\n".join([*lines, odd]), reader(), UNIT) is None


def test_ordinary_records_never_go_the_careful_way(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("read with care")

    monkeypatch.setattr(RecordReader, "read", refuse)
    lines = numbered(5, output={"outputTokenCount": 2, "outputBodyJson": {"usage": {}}})
    entries = read_plain_lines(b"\n".join(lines), reader(), UNIT)
    assert [entry.counts.input for entry in entries] == [1, 2, 3, 4, 5]


def test_an_absent_count_is_found_out_at_once() -> None:
    lines = numbered(50, output={})
    assert len(read_plain_lines(b"\n".join(lines), reader(), UNIT)) == 50
    assert plain_lines._plain_counts(plain_lines._decoder.decode(lines[0])) is None
