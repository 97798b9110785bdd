"""No text of a prompt or an answer leaves the reader: a canary in every field, on every path."""

import gzip
import json
import logging
import pickle
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from bad_input import MEBIBYTE
from prompt_shapes import CHAT, DEV, INLINE, KIRO, chat, dev, document, inline, read

from exporter.assistant_usage import PromptBatch
from exporter.identity import Privacy
from exporter.sources import prompt_log_format, tokens
from exporter.sources.log_store import ListedObject, key_of
from exporter.sources.prompt_log_format import PromptLogFormat
from exporter.sources.reading import Reading, read_task
from exporter.usage import LogObject

CANARY = "canary-4711"
BYTES = CANARY.encode()

FIELDS: dict[str, tuple[dict[str, Any], LogObject]] = {
    "prompt": (chat(CANARY), CHAT),
    "response": (chat(response=CANARY), KIRO),
    "followupPrompts": (chat(followupPrompts=CANARY), CHAT),
    "chatTriggerType": (chat(chatTriggerType=CANARY), CHAT),
    "customizationArn": (chat(customizationArn=CANARY), CHAT),
    "modelId": (chat(modelId=CANARY), KIRO),
    "conversationId": (chat(messageMetadata={"conversationId": CANARY}), CHAT),
    "utteranceId": (chat(messageMetadata={"utteranceId": CANARY}), CHAT),
    "requestId": (chat(requestId=CANARY), CHAT),
    "links": (
        chat(supplementaryWebLinksEvent=[dict.fromkeys(("uri", "title", "snippet"), CANARY)]),
        CHAT,
    ),
    "code references": (chat(codeReferenceEvents=[{"information": CANARY}]), CHAT),
    "contexts": (inline(CANARY, CANARY), INLINE),
    "fileName": (inline(fileName=CANARY), INLINE),
    "completions": (inline(completions=[CANARY, {"content": CANARY}]), INLINE),
    "prompt of /dev": (dev(prompt=CANARY), DEV),
    "unknown field of /dev": (dev(wish=CANARY), DEV),
    "scores": (chat(response=f'{{"chat": "{CANARY}", "do": 1, "spec": 0}}'), KIRO),
    "key": (chat() | {CANARY: CANARY}, CHAT),
    "unknown record": ({"a": CANARY, CANARY: "a"}, CHAT),
    "timeStamp": (chat(timeStamp=CANARY), CHAT),
    "long userId": (chat(userId=CANARY * 100), CHAT),
}

WHOLE = document(chat(CANARY, CANARY), inline(CANARY, CANARY, [CANARY]), dev(prompt=CANARY))
MALFORMED = {
    "bare text": BYTES,
    "text after brackets": b"[" + BYTES,
    "no JSON": b"{" + BYTES + b"}",
    "a bad escape": WHOLE.replace(BYTES, rb"\x" + BYTES),
    "bad UTF-8": WHOLE.replace(BYTES, b"\xff\xfe" + BYTES),
    "a lone surrogate": WHOLE.replace(BYTES, rb"\ud800" + BYTES),
    "control characters": WHOLE.replace(BYTES, b"\x00\x1b" + BYTES),
    "a torn line": WHOLE.replace(BYTES, BYTES + b"\n" + BYTES),
    "a quote too many": WHOLE.replace(BYTES, b'"' + BYTES),
    "cut within the canary": WHOLE[: WHOLE.rindex(BYTES) + len(BYTES) // 2],
    "cut after the canary": WHOLE[: WHOLE.rindex(BYTES) + len(BYTES)],
    "a cut gzip": gzip.compress(WHOLE)[:-40],
    "wrong types": WHOLE.replace(b'"' + BYTES + b'"', b'["' + BYTES + b'"]'),
    "a number after it": WHOLE.replace(b'"' + BYTES + b'"', b'"' + BYTES + b'" 5'),
    "an enum of numbers": WHOLE.replace(b'"records": [', b'"records": "' + BYTES + b'", "x": ['),
    "too deep": document({CANARY: 1}).replace(b"1", b"[" * 5000 + BYTES + b"]" * 5000),
    "too large": document(chat(CANARY * 200_000)),
    "NaN": WHOLE.replace(b'"' + BYTES + b'"', b"NaN"),
}


def shown(value: object) -> str:
    """All that a value could be printed or stored as."""
    return repr(value) + str(value) + pickle.dumps(value, protocol=0).decode("latin-1")


@pytest.fixture(autouse=True)
def silence(caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> Iterator[None]:
    """Whatever a test reads, nothing of it is logged or printed."""
    caplog.set_level(logging.DEBUG)
    yield
    printed = capfd.readouterr()
    assert CANARY not in caplog.text + printed.out + printed.err


@pytest.mark.parametrize("name", FIELDS)
def test_no_field_reaches_a_batch(name: str) -> None:
    record, unit = FIELDS[name]
    batch = read(document(record), unit)
    assert batch.records or batch.rejected
    assert CANARY not in shown(batch)


@pytest.mark.parametrize("name", MALFORMED)
def test_no_malformed_text_reaches_a_batch(name: str) -> None:
    batch = read(MALFORMED[name])
    assert batch.records or batch.rejected
    assert CANARY not in shown(batch)


@pytest.mark.parametrize("users", ["pseudonym", "drop"])
def test_a_hidden_user_reaches_no_batch(users: Any) -> None:
    batch = read(document(chat(userId=f"d-1.{CANARY}")), privacy=Privacy(users, b"k" * 16))
    assert len(batch.prompts) == 1
    assert CANARY not in shown(batch)


def _task(folder: Path, stored: bytes) -> Any:
    """Read an object as a reader process does."""
    unit = LogObject(*CHAT[:3], "KiroLogs/GenerateAssistantResponse/a.json.gz")
    path = folder / key_of(unit)
    path.parent.mkdir(parents=True)
    path.write_bytes(stored)
    log_format = PromptLogFormat("prompts", Privacy(), 0, 2**31, MEBIBYTE, 2**28)
    return read_task(Reading(str(folder), log_format), [ListedObject(unit, len(stored))])


@pytest.mark.parametrize("name", MALFORMED)
def test_no_text_reaches_what_a_process_tells(name: str, tmp_path: Path) -> None:
    result = _task(tmp_path, MALFORMED[name])
    assert result.batches or result.faults
    assert CANARY not in shown(result.batches) + shown(result.faults)


@pytest.mark.parametrize(
    "place", ["count_tokens", "decode_plain_document", "parse_timestamp", "is_router_turn"]
)
def test_a_bug_is_told_without_the_text_it_stumbled_over(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stumble(value: object) -> None:
        raise ValueError(f"cannot make sense of {value!r} or {CANARY}")

    monkeypatch.setattr(prompt_log_format, place, stumble)
    ((_, fault),) = _task(tmp_path, WHOLE).faults
    assert fault.reason == "bug"
    assert "ValueError at " in fault.text
    assert CANARY not in shown(fault)


def test_a_failed_count_names_no_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "VOCABULARY", tmp_path / "missing.gz")
    tokens._encoding.cache_clear()
    ((_, fault),) = _task(tmp_path, WHOLE).faults
    assert fault.reason == "vocabulary"
    assert CANARY not in shown(fault)


def test_an_exception_of_counting_names_no_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens, "VOCABULARY", tmp_path / "missing.gz")
    tokens._encoding.cache_clear()
    with pytest.raises(tokens.VocabularyError) as caught:
        tokens.count_tokens(CANARY)
    assert CANARY not in "".join(traceback.format_exception(caught.value))


def test_the_canary_would_be_seen() -> None:
    batch: PromptBatch = read(document(chat(userId=CANARY)))
    assert CANARY in shown(batch)
    assert BYTES in WHOLE
    assert all(BYTES in json.dumps(record).encode() for record, _ in FIELDS.values())
