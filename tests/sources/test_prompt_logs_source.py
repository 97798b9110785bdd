"""Prompt logs of two accounts and both products, from a folder and from S3, each read once."""

import gzip
import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from remembered import Remembered, refresh, times

from exporter.assistant_usage import Product, PromptBatch, RequestKind
from exporter.config import PromptLogs
from exporter.identity import Privacy
from exporter.sources import reading as reading_module
from exporter.sources.events import Fault, Finished
from exporter.sources.log_layout import PROMPT_LOGS
from exporter.sources.log_objects import LogObjects
from exporter.sources.log_store import Stream, hour_of, key_of
from exporter.sources.prompt_logs import prompt_logs
from exporter.sources.reading import ObjectReader, ReaderPool
from exporter.usage import LogObject
from log_sources import Put, open_bedrock_logs, put_into
from s3_server import S3Server

SHOP, BANK = "111122223333", "444455556666"
EAST, EUROPE = "us-east-1", "eu-central-1"
NOW = datetime(2026, 11, 21, 12, 30, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
Q_CHAT, Q_INLINE = "QDeveloperLogs/GenerateAssistantResponse", "QDeveloperLogs/GenerateCompletions"
KIRO_CHAT = "KiroLogs/GenerateAssistantResponse"
USER = "6f9619ff-8b86-4d01-b42d-00cf4fc964ff"


def unit_at(
    moment: datetime, rest: str, folder: str = Q_CHAT, account: str = SHOP, region: str = EAST
) -> LogObject:
    return LogObject(account, region, hour_of(moment), f"{folder}/{rest}")


def chat(moment: datetime, prompt: str = "Hello world") -> bytes:
    """One turn of chat, as AWS writes it."""
    request = {
        "prompt": prompt,
        "chatTriggerType": "MANUAL",
        "userId": f"d-1234567890.{USER}",
        "timeStamp": f"{moment:%Y-%m-%dT%H:%M:%S.%f}Z",
    }
    answer = {
        "assistantResponse": "Hi",
        "messageMetadata": {"conversationId": None, "utteranceId": None},
        "requestId": f"{moment:%H%M%S}-{prompt}",
    }
    return _document("generateAssistantResponseEvent", request, answer)


def inline(moment: datetime) -> bytes:
    """One inline suggestion, as AWS writes it."""
    request = {
        "leftContext": "import",
        "rightContext": "",
        "fileName": "x.py",
        "userId": USER,
        "timeStamp": f"{moment:%Y-%m-%dT%H:%M:%S.%f}000Z",
    }
    return _document("generateCompletionsEvent", request, {"completions": [" os"]})


def _document(event: str, request: dict[str, Any], answer: dict[str, Any]) -> bytes:
    record = {f"{event}Request": request, f"{event}Response": answer}
    return json.dumps({"records": [record]}).encode()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "logs"


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[S3Server]:
    with S3Server() as s3:
        monkeypatch.setenv("AWS_ENDPOINT_URL", s3.url)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
        yield s3


@pytest.fixture(params=["folder", "s3"])
def place(request: pytest.FixtureRequest, folder: Path) -> tuple[str, Put]:
    """A location, and what stores an object there."""
    if request.param == "folder":
        return str(folder), put_into(folder)
    s3: S3Server = request.getfixturevalue("s3")
    return s3.location, s3.put


def open_prompt_logs(location: Path | str) -> LogObjects:
    settings = PromptLogs(type="prompt_logs", location=str(location))
    return prompt_logs(settings, None, Privacy(), ReaderPool(processes=1))


def batches(events: list[Any]) -> dict[LogObject, PromptBatch]:
    return {event.unit: event for event in events if isinstance(event, PromptBatch)}


def finished(events: list[Any]) -> Finished:
    return next(event for event in events if isinstance(event, Finished))


def test_prompt_logs_of_accounts_and_products_are_read_wherever_they_lie(place) -> None:
    location, put = place
    stored = {
        unit_at(NOW, "a.json.gz/b.json"): chat(NOW),
        unit_at(NOW - HOUR, "c.json.gz", Q_INLINE): gzip.compress(inline(NOW - HOUR)),
        unit_at(NOW - 30 * DAY, "d.json", KIRO_CHAT, BANK, EUROPE): chat(NOW - 30 * DAY),
    }
    for unit, content in stored.items():
        put(key_of(unit), content)
    put(f"AWSLogs/{SHOP}/KiroLogs/{USER}", b"stray, and no log")
    source, known = open_prompt_logs(location), Remembered()
    events = refresh(source, known, NOW)
    assert [event for event in events if isinstance(event, Fault)] == []
    assert finished(events).is_complete
    read = batches(events)
    assert read.keys() == stored.keys()
    assert all(batch.rejected == {} and batch.source == "prompt_logs" for batch in read.values())
    askers = [prompt.asker for unit in stored for prompt in read[unit].prompts]
    assert askers == [
        (SHOP, EAST, Product.QDEVELOPER, USER, RequestKind.CHAT),
        (SHOP, EAST, Product.QDEVELOPER, USER, RequestKind.INLINE),
        (BANK, EUROPE, Product.KIRO, USER, RequestKind.CHAT),
    ]
    assert batches(refresh(source, known, NOW + HOUR)) == {}
    assert batches(refresh(open_prompt_logs(location), known, NOW + HOUR)) == {}


def test_records_out_of_time_are_rejected_by_the_moments_of_the_refresh(folder: Path) -> None:
    moments = times(NOW)
    put = put_into(folder)
    put(key_of(unit_at(NOW, "soon.json")), chat(NOW + timedelta(minutes=59)))
    put(key_of(unit_at(NOW, "future.json")), chat(NOW + timedelta(minutes=76)))
    put(key_of(unit_at(NOW, "oldest.json")), chat(moments.keep_from))
    put(key_of(unit_at(NOW, "expired.json")), chat(moments.keep_from - timedelta(minutes=1)))
    read = batches(refresh(open_prompt_logs(folder), Remembered(), NOW))
    rejected = {unit.name.rpartition("/")[2]: dict(batch.rejected) for unit, batch in read.items()}
    assert rejected == {
        "soon.json": {},
        "future.json": {"future_timestamp": 1},
        "oldest.json": {},
        "expired.json": {"expired_timestamp": 1},
    }


def test_users_are_hidden_as_privacy_asks(folder: Path) -> None:
    put_into(folder)(key_of(unit_at(NOW, "a.json")), chat(NOW))
    settings = PromptLogs(type="prompt_logs", location=str(folder))
    source = prompt_logs(settings, None, Privacy("drop"), ReaderPool(processes=1))
    [batch] = batches(refresh(source, Remembered(), NOW)).values()
    assert [prompt.asker.user for prompt in batch.prompts] == ["unknown"]


class TestBesideBedrockLogs:
    """Both kinds of log may lie at one location."""

    def put_bedrock(self, folder: Path) -> None:
        name = "20261121T120000Z_0a1b2c3d.json"
        unit = LogObject(SHOP, EAST, hour_of(NOW), name)
        put_into(folder)(key_of(unit), b'{"schemaType": "ModelInvocationLog"}')

    def test_each_is_read_by_its_own_source_and_its_progress_is_kept_apart(
        self, folder: Path
    ) -> None:
        self.put_bedrock(folder)
        put_into(folder)(key_of(unit_at(NOW, "a.json")), chat(NOW))
        known = Remembered()
        bedrock, prompts = open_bedrock_logs(folder), open_prompt_logs(folder)
        assert [
            sorted(unit.name for unit in known.taken)
            for source in (bedrock, prompts)
            if refresh(source, known, NOW)
        ] == [
            ["20261121T120000Z_0a1b2c3d.json"],
            ["20261121T120000Z_0a1b2c3d.json", f"{Q_CHAT}/a.json"],
        ]
        assert (bedrock.location, prompts.location) == (str(folder), f"{folder} (prompt_logs)")
        assert known.locations == {bedrock.location, prompts.location}

    def test_a_location_that_has_no_prompt_logs_is_told(self, folder: Path) -> None:
        self.put_bedrock(folder)
        put_into(folder)(f"AWSLogs/{SHOP}/KiroLogs/user_report/{EAST}/2026/11/21/00/x.csv", b"")
        events = refresh(open_prompt_logs(folder), Remembered(), NOW)
        [fault] = [event for event in events if isinstance(event, Fault)]
        assert (fault.reason, fault.text) == (
            "no_logs",
            f"{folder}/AWSLogs/: no prompt logs; is `location` what stands before it?",
        )


@pytest.mark.parametrize(("location", "is_billed"), [("s3://bucket/x", True), ("/logs", False)])
def test_reading_s3_is_billed(location: str, is_billed: bool) -> None:
    assert open_prompt_logs(location).is_billed == is_billed


def test_what_is_configured_is_what_the_refresh_goes_by() -> None:
    settings = PromptLogs(
        type="prompt_logs",
        name="prompts",
        location="/logs",
        lookback=5 * HOUR,
        duplicates_window=9 * DAY,
    )
    source = prompt_logs(settings, None, Privacy(), ReaderPool(processes=1))
    assert (source.name, source.lookback) == ("prompts", 5 * HOUR)
    assert source.duplicates_window == 9 * DAY
    assert source.has_history


@dataclass(frozen=True)
class OfAnything:
    """A format of which every object is one request."""

    def reader(self) -> ObjectReader:
        def read(unit: LogObject, stream: Stream) -> PromptBatch:
            stream.read(1)
            return PromptBatch("prompts", unit, records=1)

        return read


FOLDERS = (Q_CHAT, Q_INLINE, KIRO_CHAT, "KiroLogs/NewIn2027")
RESTS = ("{}.json", "{}.json.gz", "{}.gz/y.json", "same.gz/{}.json.gz")


@settings(deadline=None, max_examples=25)
@given(
    arrivals=st.lists(
        st.tuples(
            st.integers(0, 7),  # the round before which it arrives
            st.integers(0, 47),  # how many hours late
            st.sampled_from(FOLDERS),
            st.sampled_from(RESTS),
            st.sampled_from([(SHOP, EAST), (SHOP, EUROPE), (BANK, EAST)]),
        ),
        max_size=15,
    ),
    pauses=st.lists(st.sampled_from([0, 1, 5, 40, 24 * 6]), min_size=8, max_size=8),
    stops=st.lists(st.booleans(), min_size=200, max_size=200),
)
def test_whatever_arrives_when_and_however_refreshes_end_every_object_is_taken_once(
    arrivals: list[tuple[int, int, str, str, tuple[str, str]]],
    pauses: list[int],
    stops: list[bool],
) -> None:
    """An invariant over log types, names, hours of arrival, outages, due refreshes and kills."""
    due, kill = iter(stops * 20), iter(stops[::-1] * 20)
    with tempfile.TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading_module, "_TASK_OBJECTS", 1)
        patch.setattr(reading_module, "_INLINE_TASKS", 10**6)
        settings = PromptLogs(type="prompt_logs", location=name)

        def source() -> LogObjects:
            pool = ReaderPool(processes=1)
            return LogObjects(settings, None, PROMPT_LOGS, lambda slots: OfAnything(), pool)

        put, known, now = put_into(Path(name)), Remembered(), NOW
        delivered = set()
        for number, pause in enumerate(pauses):
            now += pause * HOUR
            for index, (at, late, folder, rest, owner) in enumerate(arrivals):
                if at == number:
                    unit = unit_at(now - late * HOUR, rest.format(index), folder, *owner)
                    put(key_of(unit), b"{}")
                    delivered.add(unit)
            for event in source().read(times(now), known, lambda: next(due)):
                if next(kill) and number % 3 == 1:
                    break
                known.take(event)
        refresh(source(), known, now)
        assert known.taken == dict.fromkeys(delivered, 1)


def test_processes_read_what_is_read_here(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a process must know of prompt logs can be given to it."""
    monkeypatch.setattr(reading_module, "_TASK_OBJECTS", 2)
    put = put_into(folder)
    for number in range(8):
        put(key_of(unit_at(NOW, f"{number}.json")), chat(NOW, f"prompt {number}"))
    pool = ReaderPool(processes=2)
    settings = PromptLogs(type="prompt_logs", location=str(folder))
    source = prompt_logs(settings, None, Privacy("pseudonym", b"0" * 32), pool)
    apart = batches(refresh(source, Remembered(), NOW))
    pool.close()
    monkeypatch.setattr(reading_module, "_INLINE_TASKS", 10**6)
    assert apart == batches(refresh(source, Remembered(), NOW))
    assert len(apart) == 8
