"""One object of prompt logs: what is read of it whole, damaged, doubled, huge or foreign."""

import gzip
import json
import pickle
import subprocess
import sys
import time
from pathlib import Path

import pytest
from bad_input import MEBIBYTE, SLOW_TEXTS, memory_of, pack, repeat
from hypothesis import given, settings
from hypothesis import strategies as st
from prompt_shapes import (
    ABSENT,
    CHAT,
    KIRO,
    SECONDS,
    chat,
    dev,
    document,
    inline,
    inputs,
    numbered,
    read,
    router_turn,
)

from exporter.assistant_usage import PromptBatch
from exporter.identity import Privacy
from exporter.sources import prompt_log_format, tokens
from exporter.sources.log_store import StoreError
from exporter.sources.prompt_log_format import PromptLogFormat
from tools import ROOT

GOOD = numbered(5)
LINES = [json.dumps(record).encode() for record in GOOD]
JSON = document(*GOOD)
GZIP = gzip.compress(JSON, mtime=0)


@pytest.mark.parametrize("stored", [GZIP, JSON, b"\xef\xbb\xbf" + JSON, JSON + b"\n"])
@pytest.mark.parametrize("step", [None, 1, 1000])
def test_gzip_and_plain_text_are_told_by_their_bytes(stored: bytes, step: int | None) -> None:
    batch = read(stored, step=step)
    assert (inputs(batch), batch.rejected) == ([1, 2, 3, 4, 5], {})


def test_a_batch_says_where_it_is_from_and_what_it_held() -> None:
    batch = read(gzip.compress(document(chat(), router_turn(), chat(timeStamp="then"))), KIRO)
    assert (batch.source, batch.unit) == ("prompts", KIRO)
    assert (batch.records, batch.newest) == (1, SECONDS)
    assert batch.bytes == len(document(chat(), router_turn(), chat(timeStamp="then")))
    assert (batch.rejected, batch.skipped) == ({"invalid_timestamp": 1}, {"router_turn": 1})


def test_the_newest_record_need_not_be_the_last() -> None:
    later = chat(requestId="later", timeStamp="2025-11-17T11:00:00Z")
    assert read(document(chat(), later, chat(requestId="x"))).newest == SECONDS + 39 * 60 + 30


def test_a_record_delivered_twice_counts_once() -> None:
    batch = read(document(*GOOD, *reversed(GOOD)))
    assert (inputs(batch), batch.records) == ([1, 2, 3, 4, 5], 10)


def test_the_same_request_in_another_slot_is_another_record() -> None:
    assert len(read(document(chat(), chat(timeStamp="2025-11-17T11:20:30Z"))).prompts) == 2


LAYOUTS = {
    "pretty-printed": document(*GOOD, indent=2),
    "pretty-printed with tabs": document(*GOOD, indent="\t"),
    "with other keys": b'{"version": 1, ' + JSON[1:-1] + b', "more": {"records": []}}',
    "a document a line": b"\n".join(map(document, GOOD)),
    "carriage returns": b"\r\n".join(map(document, GOOD)),
    "documents with nothing between": b"".join(map(document, GOOD)),
    "documents of two": document(*GOOD[:2]) + document(*GOOD[2:4]) + document(GOOD[4]),
    "an array of documents": b"[" + b", ".join(map(document, GOOD)) + b"]",
    "pretty-printed documents": b"\n".join(document(record, indent=1) for record in GOOD),
    "an empty document before": document() + b"\n" + JSON,
    "bare records": b"\n".join(LINES),
    "bare records, pretty-printed": b"\n".join(
        json.dumps(record, indent=4).encode() for record in GOOD
    ),
    "an array of records": b"[" + b",\n".join(LINES) + b"]",
    "a record in place of a list": b"".join(b'{"records": ' + line + b"}" for line in LINES),
    "documents, then bare records": b"\n".join([*map(document, GOOD[:3]), *LINES[3:]]),
}


@pytest.mark.parametrize("step", [None, 7])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_layout_is_read(layout: str, step: int | None) -> None:
    batch = read(LAYOUTS[layout], step=step)
    assert inputs(batch) == [1, 2, 3, 4, 5]
    assert batch.rejected == ({"malformed_json": 1} if "then bare" in layout else {})


def test_one_bare_record_is_read() -> None:
    for record in (chat(), inline(), dev()):
        assert len(read(json.dumps(record).encode()).prompts) == 1


def test_an_object_may_be_longer_than_a_record() -> None:
    many = numbered(50)
    longest = len(json.dumps(many[-1]).encode())
    batch = read(gzip.compress(document(*many)), max_record_bytes=longest + 10, step=100)
    assert (inputs(batch), batch.rejected) == (list(range(1, 51)), {})


def test_records_before_the_cut_count() -> None:
    for cut in (JSON.index(LINES[3]) + 100, JSON.index(LINES[3]) + len(LINES[3]) - 1):
        batch = read(JSON[:cut])
        assert (inputs(batch), batch.rejected) == ([1, 2, 3], {"malformed_json": 1})


def test_a_document_without_its_end_gives_every_record() -> None:
    assert (inputs(read(JSON[:-1])), inputs(read(JSON[:-2]))) == ([1, 2, 3, 4, 5],) * 2


def test_records_before_damage_count() -> None:
    stored = gzip.compress(JSON, compresslevel=0)
    batch = read(stored[: stored.index(LINES[3]) + 100])
    assert inputs(batch) == [1, 2, 3]
    assert batch.rejected == {"corrupt_gzip": 1, "malformed_json": 1}


def test_a_gzip_that_lacks_its_end_gives_every_record() -> None:
    batch = read(GZIP[:-4])
    assert (inputs(batch), batch.rejected) == ([1, 2, 3, 4, 5], {"corrupt_gzip": 1})


BAD = {
    "null": (b"null", "invalid_record"),
    "a number": (b"17", "invalid_record"),
    "another record": (b'{"eventVersion": "1.08"}', "unknown_prompt_record"),
    "a prompt of numbers": (json.dumps(chat([1])).encode(), "invalid_record"),
    "no moment": (json.dumps(chat(timeStamp=ABSENT)).encode(), "invalid_timestamp"),
    "the future": (json.dumps(chat(timeStamp="2035-01-01T00:00:00Z")).encode(), "future_timestamp"),
    "a long user": (json.dumps(chat(userId="u" * 300)).encode(), "field_too_long"),
    "too large": (json.dumps(chat("x" * 9000)).encode(), "record_too_large"),
    "no JSON": (b'{"generateAssistantResponseEventRequest": nil}', "malformed_json"),
    "a torn line": (json.dumps(chat("a\nb")).replace("\\n", "\n").encode(), "malformed_json"),
}


@pytest.mark.parametrize("place", range(6))
@pytest.mark.parametrize("kind", BAD)
def test_a_bad_record_costs_only_itself(kind: str, place: int) -> None:
    bad, reason = BAD[kind]
    lines = [*LINES]
    lines.insert(place, bad)
    batch = read(b'{"records": [' + b", ".join(lines) + b"]}", max_record_bytes=8000)
    assert inputs(batch) == [1, 2, 3, 4, 5]
    assert reason in batch.rejected


FOREIGN = {
    "nothing": (b"", "empty_object"),
    "no records": (document(), "empty_object"),
    "null records": (b'{"records": null}', "empty_object"),
    "packed nothing": (gzip.compress(b""), "empty_object"),
    "records of text": (b'{"records": "none"}', "invalid_record"),
    "an empty object": (b"{}", "unknown_prompt_record"),
    "text": (b"an error occurred\n", "not_json"),
    "HTML": (b"<!DOCTYPE html>\n", "not_json"),
    "packed text": (gzip.compress(b"an error occurred"), "malformed_json"),
    "header of a gzip": (GZIP[:10], "corrupt_gzip"),
    "half a record": (LINES[0][:50], "malformed_json"),
    "an opening": (b'{"records": [', "empty_object"),
}


@pytest.mark.parametrize("kind", FOREIGN)
def test_an_object_that_is_no_log_is_counted_once(kind: str) -> None:
    stored, reason = FOREIGN[kind]
    batch = read(stored)
    assert (batch.prompts, batch.records, batch.rejected) == ((), 0, {reason: 1})


def test_a_prompt_of_five_megabytes_counts() -> None:
    text = "for number in range(10):\n    print(number)\n" * 120_000
    batch = read(gzip.compress(document(chat(text))), max_record_bytes=16 * MEBIBYTE)
    assert len(text) > 5_000_000
    assert inputs(batch) == [11 * 120_000]


def test_an_object_that_inflates_too_far_counts_for_nothing() -> None:
    stored = GZIP + repeat(document(*GOOD), 3 * MEBIBYTE)
    batch = read(stored, max_object_bytes=2 * MEBIBYTE)
    assert (batch.prompts, batch.records, batch.newest) == ((), 0, 0)
    assert batch.rejected["object_too_large"] == 1
    assert inputs(read(stored, max_object_bytes=4 * MEBIBYTE)) == [1, 2, 3, 4, 5]


def test_a_bomb_is_given_up_before_it_is_inflated() -> None:
    batch = read(repeat(b"\0", 64 * MEBIBYTE), max_object_bytes=8 * MEBIBYTE)
    assert batch.rejected["object_too_large"] == 1
    assert batch.bytes < 12 * MEBIBYTE


@pytest.mark.parametrize("text", [b"{}\n", b"x\n", b'{"records":[{}]}\n', b'{"a" 1}\n'])
def test_an_object_full_of_what_is_no_record_is_given_up(
    text: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prompt_log_format, "_MOST_UNREADABLE", 1000)
    batch = read(pack(*LINES) + repeat(text, MEBIBYTE))
    assert batch.rejected["not_a_log"] == 1
    assert sum(batch.rejected.values()) == 1002
    assert inputs(batch) == [1, 2, 3, 4, 5]


def test_records_out_of_time_are_no_reason_to_give_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prompt_log_format, "_MOST_UNREADABLE", 10)
    future = [chat(timeStamp="2035-01-01T00:00:00Z")] * 50
    assert inputs(read(document(*future, *GOOD))) == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    "text",
    [b"{", b"[", b" \n", b'{""', b'{"records":[', b']}{"records":[', b"]}", b'{"a":[]}', b'{"x":'],
)
def test_text_made_to_be_slow_is_read_in_memory_of_a_record(text: bytes) -> None:
    stored = pack(*LINES) + repeat(text, 2**15)
    batch, peak = memory_of(lambda: read(stored, max_record_bytes=2**14))
    assert inputs(batch) == [1, 2, 3, 4, 5]
    assert peak < 16 * MEBIBYTE


@pytest.mark.parametrize("text", SLOW_TEXTS)
def test_text_made_to_be_slow_is_read_in_seconds(text: bytes) -> None:
    stored = pack(*LINES) + repeat(text, MEBIBYTE)
    began = time.process_time()
    batch = read(stored)
    assert time.process_time() - began < 20
    assert inputs(batch) == [1, 2, 3, 4, 5]


@settings(deadline=None)
@given(st.binary(max_size=30), st.integers(0, 10**6), st.integers(0, 60), st.booleans())
def test_nothing_in_an_object_raises(noise: bytes, place: int, length: int, packed: bool) -> None:
    stored = GZIP if packed else JSON
    place %= len(stored)
    batch = read(stored[:place] + noise + stored[place + length :])
    assert len(batch.prompts) <= batch.records


garbage = st.binary(max_size=40).filter(lambda text: not set(b"\n{") & set(text))
"""That opens nothing: an object left open may take the closing of the next document for its own."""


@settings(deadline=None)
@given(
    st.lists(st.sampled_from([*map(document, GOOD), *LINES]) | garbage, max_size=12),
    st.integers(1, 400),
)
def test_no_garbage_and_no_chunking_costs_a_good_document(lines: list[bytes], step: int) -> None:
    text = b"".join(line + b"\n" for line in [document(GOOD[0]), *lines])
    good = {number for number, record in enumerate(GOOD, 1) if document(record) in lines}
    assert set(inputs(read(text, step=step))) >= good | {1}


@settings(deadline=None)
@given(st.lists(st.sampled_from(GOOD), min_size=1), st.integers(1, 400))
def test_a_record_is_read_alike_whatever_the_layout(
    records: list[dict[str, object]], step: int
) -> None:
    whole = read(document(*records))
    assert read(b"".join(map(document, records)), step=step).prompts == whole.prompts
    assert read(json.dumps(records).encode(), step=step).prompts == whole.prompts


def test_a_stream_that_fails_is_told() -> None:
    class Failing:
        def read(self, size: int) -> bytes:
            raise StoreError("network", "connection reset")

    with pytest.raises(StoreError, match="connection reset"):
        _format().reader()(CHAT, Failing())  # type: ignore[arg-type]


def test_a_damaged_vocabulary_is_told_by_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens, "VOCABULARY", tmp_path / "cl100k_base.tiktoken.gz")
    tokens._encoding.cache_clear()
    with pytest.raises(StoreError, match=r"^cl100k_base\.") as caught:
        read(JSON)
    assert caught.value.reason == "vocabulary"
    assert read(document(chat("", ""))).records == 1


def test_a_format_is_a_value_that_other_processes_take() -> None:
    log_format = _format()
    assert pickle.loads(pickle.dumps(log_format)) == log_format
    assert hash(log_format) == hash(_format())


def test_a_batch_is_a_value_that_other_processes_give_back() -> None:
    batch = read(JSON)
    again: PromptBatch = pickle.loads(pickle.dumps(batch))
    assert again == batch


WITHOUT_TEXT = """
import sys
sys.path.insert(0, "tests/sources")
from prompt_shapes import chat, document, read
assert len(read(document(chat("", ""))).prompts) == 1
assert "tiktoken" not in sys.modules
"""


def test_the_tokenizer_is_loaded_for_text_only() -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_TEXT], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def _format() -> PromptLogFormat:
    return PromptLogFormat("prompts", Privacy("pseudonym", b"k" * 16), 0, 2**31, 2**24, 2**28)
