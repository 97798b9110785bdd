"""One log object: what is read of it whole, damaged, doubled, huge or foreign."""

import gzip
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from bad_input import (
    ABSENT,
    ARN,
    MEBIBYTE,
    SLOW_TEXTS,
    UNIT,
    enter,
    inputs,
    line,
    memory_of,
    numbered,
    pack,
    read,
    record,
    repeat,
    total,
    with_body,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from exporter.sources import object_reader
from exporter.sources.record_reader import Entry
from exporter.sources.rejection import Rejection
from exporter.usage import Counts

GOOD = numbered(5)
JSON = b"".join(text + b"\n" for text in GOOD)
GZIP = pack(*GOOD)


@pytest.mark.parametrize("stored", [GZIP, JSON, b"\xef\xbb\xbf" + JSON, JSON.rstrip()])
@pytest.mark.parametrize("step", [None, 1, 3, 1000])
def test_gzip_and_plain_text_are_told_by_their_bytes(stored: bytes, step: int | None) -> None:
    batch = read(stored, step=step)
    assert (inputs(batch), batch.rejected) == ([1, 2, 3, 4, 5], {})


def test_a_batch_says_where_it_is_from_and_what_it_held() -> None:
    batch = read(GZIP)
    assert (batch.source, batch.unit) == ("logs", UNIT)
    assert (batch.records, batch.bytes) == (5, len(JSON))
    assert batch.newest == 1_763_374_830
    assert total(batch) == Counts(requests=5, input=15, output=5 * 199)
    assert len(batch.usage) == 1


def test_usage_is_kept_apart_by_slot_and_fact() -> None:
    other_user = {"arn": ARN.replace("alice", "bob")}
    batch = read(
        pack(
            line(requestId="1"),
            line(requestId="2", timestamp="2025-11-17T10:29:59Z"),
            line(requestId="3", timestamp="2025-11-17T10:30:00Z"),
            line(requestId="4", identity=other_user),
            line(requestId="5", errorCode="ThrottlingException"),
        )
    )
    assert sorted(usage.counts.requests for usage in batch.usage) == [1, 1, 1, 2]
    assert list(batch.requests.usage) == [0, 0, 1, 2, 3]
    for index, usage in enumerate(batch.usage):
        assert usage.counts.requests == list(batch.requests.usage).count(index)


def test_a_record_delivered_twice_counts_once() -> None:
    batch = read(pack(*GOOD, *reversed(GOOD)))
    assert total(batch).input == 15
    assert batch.records == 10


def test_a_record_without_a_request_id_delivered_twice_counts_once() -> None:
    one, other = line(requestId=ABSENT), line(requestId=ABSENT, output={"outputTokenCount": 1})
    assert total(read(pack(one, other, one))).requests == 2


def test_the_same_request_in_another_slot_is_another_record() -> None:
    batch = read(pack(line(), line(timestamp="2025-11-17T11:20:30Z")))
    assert total(batch).requests == 2


LAYOUTS = {
    "one a line": b"\n".join(GOOD),
    "array": b"[" + b",".join(GOOD) + b"]",
    "array, one a line": b"[\n" + b",\n".join(GOOD) + b"\n]\n",
    "nothing between": b"".join(GOOD),
    "carriage returns": b"\r\n".join(GOOD) + b"\r\n",
    "pretty-printed": "\n".join(json.dumps(json.loads(text), indent=2) for text in GOOD).encode(),
    "pretty-printed array": json.dumps([json.loads(text) for text in GOOD], indent=4).encode(),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("packed", [False, True])
def test_a_layout_is_read(layout: str, packed: bool) -> None:
    text = LAYOUTS[layout]
    batch = read(gzip.compress(text) if packed else text, max_record_bytes=1024)
    assert (inputs(batch), batch.rejected) == ([1, 2, 3, 4, 5], {})


MEMBERS = [pack(text) for text in GOOD]


@pytest.mark.parametrize("step", [None, 1, 100])
@pytest.mark.parametrize(
    "stored",
    [
        b"".join(MEMBERS),
        b"".join(MEMBERS) + b"\0" * 1000,
        b"\0\0\0".join(MEMBERS),
        gzip.compress(b"").join(MEMBERS),
        b"".join(gzip.compress(JSON[start : start + 50]) for start in range(0, len(JSON), 50)),
    ],
)
def test_gzip_members_follow_each_other(stored: bytes, step: int | None) -> None:
    batch = read(stored, step=step)
    assert (inputs(batch), batch.rejected) == ([1, 2, 3, 4, 5], {})


def test_what_follows_the_gzip_is_counted_and_costs_nothing() -> None:
    batch = read(GZIP + b"garbage")
    assert (inputs(batch), batch.rejected) == ([1, 2, 3, 4, 5], {"corrupt_gzip": 1})


@pytest.mark.parametrize("missing", [1, 4, 7, 8])
def test_a_gzip_that_lacks_its_end_gives_every_record(missing: int) -> None:
    batch = read(GZIP[:-missing])
    assert (inputs(batch), batch.rejected) == ([1, 2, 3, 4, 5], {"corrupt_gzip": 1})


@pytest.mark.parametrize("place", [-1, -4, -5, -8])
def test_a_wrong_checksum_or_length_costs_no_record(place: int) -> None:
    spoiled = bytearray(GZIP)
    spoiled[place] ^= 0xFF
    batch = read(bytes(spoiled))
    assert (inputs(batch), batch.rejected) == ([1, 2, 3, 4, 5], {"corrupt_gzip": 1})


def test_records_before_the_cut_count() -> None:
    stored = gzip.compress(JSON, compresslevel=0)  # stored as it is, so that a cut can be aimed
    batch = read(stored[: stored.index(GOOD[3]) + 100])
    assert inputs(batch) == [1, 2, 3]
    assert batch.rejected == {"corrupt_gzip": 1, "malformed_json": 1}


def test_records_before_damage_count() -> None:
    lines = numbered(400)
    stored = bytearray(pack(*lines))
    middle = len(stored) // 2
    stored[middle : middle + 8] = b"\xff" * 8
    batch = read(bytes(stored))
    assert batch.rejected["corrupt_gzip"] == 1
    assert inputs(batch)[:150] == list(range(1, 151))


@pytest.mark.parametrize("text", [b"", b"\n\n", b"[]", b"[[["])
def test_an_object_without_a_record_says_so(text: bytes) -> None:
    batch = read(gzip.compress(text))
    assert (batch.records, batch.bytes, sum(batch.rejected.values())) == (0, len(text), 1)


FOREIGN = {
    "nothing": (b"", "empty_object"),
    "text": (b"an error occurred\nplease try again\n", "not_json"),
    "HTML": (b"<!DOCTYPE html>\n<script>if (a) { b() }</script>\n", "not_json"),
    "zip": (b"PK\x03\x04" + bytes(range(256)), "not_json"),
    "white space": (b" \n\r\n\t", "not_json"),
    "UTF-16": ('{"a": 1}'.encode("utf-16"), "not_json"),
    "start of a gzip": (GZIP[:2], "corrupt_gzip"),
    "header of a gzip": (GZIP[:10], "corrupt_gzip"),
    "magic number and text": (b"\x1f\x8b is not all of it", "corrupt_gzip"),
    "half a record": (GOOD[0][:50], "malformed_json"),
    "packed text": (gzip.compress(b"an error occurred"), "malformed_json"),
}


@pytest.mark.parametrize("kind", FOREIGN)
def test_an_object_that_is_no_log_is_counted_once(kind: str) -> None:
    stored, reason = FOREIGN[kind]
    batch = read(stored)
    assert (batch.records, batch.rejected) == (0, {reason: 1})


def test_half_a_line_at_the_start_of_plain_text_costs_no_record() -> None:
    batch = read(b'nt": "x"}], "outputTokenCount": 5}}\n' + JSON)
    assert (inputs(batch), batch.rejected) == ([1, 2, 3, 4, 5], {"malformed_json": 1})


BAD_LINES = {
    "half a record": GOOD[0][:200],
    "the other half": GOOD[0][200:],
    "text": b"not JSON",
    "null": b"null",
    "bytes": b"\xff\xfe\x00{\x00",
    "impossible moment": line(timestamp="2025-04-99T23:00:17Z"),
    "future": line(timestamp="2035-01-01T00:00:00Z"),
    "impossible count": line(input={"inputTokenCount": -1}),
    "no model": line(modelId=ABSENT),
    "of another kind": b'{"Records": [{"eventVersion": "1.08"}]}',
    "too large": line(x="x" * 2000),
}


@pytest.mark.parametrize("place", range(6))
@pytest.mark.parametrize("kind", BAD_LINES)
def test_a_bad_line_costs_only_itself(kind: str, place: int) -> None:
    lines = [*GOOD]
    lines.insert(place, BAD_LINES[kind])
    batch = read(pack(*lines), max_record_bytes=1024)
    assert inputs(batch) == [1, 2, 3, 4, 5]
    assert sum(batch.rejected.values()) == 1


def test_bad_lines_are_counted_by_reason() -> None:
    bad = [*BAD_LINES.values(), BAD_LINES["no model"]]
    batch = read(pack(*(text for line in bad for text in (line, GOOD[0]))), max_record_bytes=1024)
    assert batch.rejected == {
        "malformed_json": 5,
        "invalid_timestamp": 2,
        "future_timestamp": 1,
        "invalid_token_count": 1,
        "missing_model_id": 2,
        "record_too_large": 1,
    }


def test_an_object_that_inflates_too_far_counts_for_nothing() -> None:
    stored = pack(*GOOD) + repeat(b" ", 3 * MEBIBYTE)
    batch = read(stored, max_object_bytes=2 * MEBIBYTE)
    assert batch.rejected == {"object_too_large": 1}
    assert (batch.usage, len(batch.requests), batch.records, batch.newest) == ((), 0, 0, 0)
    assert read(stored, max_object_bytes=4 * MEBIBYTE).rejected == {}


def test_a_bomb_is_given_up_before_it_is_inflated() -> None:
    batch = read(repeat(b"\0", 512 * MEBIBYTE), max_object_bytes=8 * MEBIBYTE)
    assert batch.rejected["object_too_large"] == 1
    assert batch.bytes < 12 * MEBIBYTE


@pytest.mark.parametrize(
    "text", [b"{}\n", b"{}", b"x\n", b"[null,", b'{"timestamp":5}\n', b'{"a" 1}\n']
)
def test_an_object_full_of_what_is_no_record_is_given_up(
    text: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(object_reader, "_MOST_UNREADABLE", 1000)
    batch = read(pack(*GOOD) + repeat(text, MEBIBYTE))
    assert batch.rejected["not_a_log"] == 1
    assert sum(batch.rejected.values()) == 1002
    assert inputs(batch) == [1, 2, 3, 4, 5]


def test_records_out_of_time_are_no_reason_to_give_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(object_reader, "_MOST_UNREADABLE", 10)
    future = [line(timestamp="2035-01-01T00:00:00Z")] * 50
    assert inputs(read(pack(*future, *GOOD))) == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("text", [b"{", b"[", b"\n", b" \n", b'{""', b"[]", b'{"a":[]}', b"]\n"])
def test_text_made_to_be_slow_is_read_in_memory_of_a_record(text: bytes) -> None:
    stored = pack(*GOOD) + repeat(text, 2**17)
    batch, peak = memory_of(lambda: read(stored, max_record_bytes=2**14))
    assert inputs(batch) == [1, 2, 3, 4, 5]
    assert peak < 16 * MEBIBYTE


@pytest.mark.parametrize("text", SLOW_TEXTS)
def test_text_made_to_be_slow_is_read_in_seconds(text: bytes) -> None:
    stored = pack(*GOOD) + repeat(text, MEBIBYTE)
    began = time.process_time()
    batch = read(stored)
    assert time.process_time() - began < 20
    assert inputs(batch) == [1, 2, 3, 4, 5]


LARGE_LINE = """
import resource, sys, zlib
from bad_input import inputs, numbered, read

def pieces():
    yield numbered(2)[0] + b'\\n{"timestamp":"2025-11-17T10:20:30Z","x":"'
    for _ in range(200):
        yield b"one line of a prompt of a great many, with { in it and an escape: \\\\n" * 16_000
    yield b'"}\\n' + numbered(2)[1]

packer = zlib.compressobj(1, wbits=31)
stored = b"".join([*map(packer.compress, pieces()), packer.flush()])
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
batch = read(stored, max_record_bytes=16 * 2**20, max_object_bytes=2**30)
grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
assert batch.bytes > 200 * 2**20
assert inputs(batch) == [1, 2]
assert batch.rejected == {"record_too_large": 1}
assert grown * (1 if sys.platform == "darwin" else 1024) < 100 * 2**20
"""


def test_a_line_of_200_megabytes_is_passed_over_without_being_held() -> None:
    code = f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})\n{LARGE_LINE}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


STREAM = [{"message": {"usage": {"input_tokens": 3, "output_tokens": 4}}}, "[DONE]"]
SHAPES: list[dict[str, Any]] = [
    record(),
    record(requestId=ABSENT),
    record(modelId=ABSENT),
    record(identity="nobody"),
    record(requestMetadata={"team": 5}),
    record(errorCode="ok"),
    record(input={"inputTokenCount": -1}),
    record(input=None),
    record(operation="CreateModelInvocationJob"),
    record(performanceConfig={"latency": "optimized"}),
    *(
        record(requestId=moment, timestamp=moment)
        for moment in (
            "2025-11-17T10:20:30",
            "2025-11-17 10:20:30Z",
            "2025-11-17t10:20:30z",
            "2025-11-17T10:29:59.9999999999Z",
            "2025-11-17T10:20:60Z",
            "2025-11-17T24:00:00Z",
            "2025-11-17T10:20:30+05:45",
            "20251117T102030Z",
            "2025-11-17T10:20Z",
        )
    ),
    *(
        with_body(body, inputTokenCount=1, outputTokenCount=2)
        for body in (
            STREAM,
            "text",
            5,
            {"usage": {"cacheReadInputTokens": 7, "inputTokens": 9}},
            {"usage": {"cacheWriteInputTokenCount": 7}},
            {"usage": {"cache_creation_input_tokens": 7}},
            {"usage": {"prompt_tokens_details": {"cached_tokens": 7}}},
            {"message": {"usage": {"cache_read_input_tokens": 7}}},
            [{"metadata": {"usage": {"cacheReadInputTokens": 7}}}],
            {"amazon-bedrock-invocationMetrics": {"cacheReadInputTokenCount": 7}},
            {"service_tier": "flex"},
            {"serviceTier": {"type": "priority"}},
            {"performanceConfig": {"latency": "optimized"}},
            {"usage": "none"},
        )
    ),
    with_body(STREAM),
    with_body({"usage": {"inputTokens": 3}}, cacheWriteInputTokenCount=5),
]
TEXTS = [json.dumps({"requestId": str(number)} | shape) for number, shape in enumerate(SHAPES)]
TEXTS += [
    '{"a" 1}',
    "null",
    TEXTS[0].replace("alice", "\\ud800"),
    TEXTS[0].replace('"Converse"', "NaN"),
    TEXTS[0] + TEXTS[0],
    "",
    TEXTS[0].replace("{", "{\n"),
    TEXTS[0].replace(", ", ",\r"),
]


@settings(deadline=None)
@given(st.lists(st.sampled_from(TEXTS), max_size=12), st.sampled_from(["\n", "\r\n", "\n\n"]))
def test_a_record_is_read_alike_whatever_stands_beside_it(texts: list[str], end: str) -> None:
    batch = read("".join(text + end for text in ["{}", *texts]).encode())
    alone = [read(text.encode()) for text in ["{}", *texts] if text]
    requests = [one.requests for one in alone]
    distinct = {key for one in requests for key in zip(one.slot, one.digest, strict=True)}
    assert total(batch).requests == len(distinct)
    assert batch.records == sum(one.records for one in alone)
    assert sum(batch.rejected.values()) == sum(sum(one.rejected.values()) for one in alone)


@pytest.mark.parametrize("text", [text for text in TEXTS if "\n" not in text and "}{" not in text])
def test_a_record_of_an_object_is_what_a_record_is_by_itself(text: str) -> None:
    taken, batch = enter(text.encode()), read(text.encode() + b"\n")
    if isinstance(taken, Entry):
        assert [usage[:2] for usage in batch.usage] == [(taken.slot, taken.fact)]
        assert total(batch) == taken.counts
        assert batch.newest == taken.timestamp
        assert list(batch.requests.digest) == [taken.digest]
    elif text not in ("", "null"):
        assert batch.rejected == {taken: 1}
        assert isinstance(taken, Rejection)


garbage = st.binary(max_size=40).filter(lambda text: b"\n" not in text)


@settings(deadline=None)
@given(
    st.lists(st.sampled_from(numbered(9)) | garbage, max_size=12),
    st.integers(1, 400),
    st.booleans(),
)
def test_no_garbage_and_no_chunking_costs_a_good_record(
    lines: list[bytes], step: int, packed: bool
) -> None:
    good = {json.loads(text)["requestId"] for text in lines if text in numbered(9)}
    text = b"".join(line + b"\n" for line in [GOOD[0], *lines])
    batch = read(gzip.compress(text) if packed else text, step=step)
    assert total(batch).requests == len(good | {"request-1"})


@settings(deadline=None)
@given(st.binary(max_size=30), st.integers(0, 10**6), st.integers(0, 60))
def test_nothing_in_an_object_raises(noise: bytes, place: int, length: int) -> None:
    place %= len(GZIP)
    batch = read(GZIP[:place] + noise + GZIP[place + length :])
    assert total(batch).requests <= batch.records
