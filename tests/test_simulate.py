"""What `simulate` promises: logs as AWS writes them, the same for the same seed, none twice."""

import gzip
import json
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from exporter.simulate import CANARY, SimulateError, Written, delivery, live, run, simulate
from exporter.simulate.calls import Call, Rate, calls_between

Record = dict[str, Any]

NOW = datetime(2026, 11, 18, 12, 34, 56, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
OBJECT = re.compile(
    r"AWSLogs/(?P<account>\d{12})/BedrockModelInvocationLogs/(?P<region>[a-z]+-[a-z]+-\d)/"
    r"(?P<hour>\d{4}/\d\d/\d\d/\d\d)/(?P<name>\d{8}T\d{6,9}Z_[a-f0-9]+\.json\.gz)"
)
SIDE_OBJECT = re.compile(
    r"AWSLogs/\d{12}/BedrockModelInvocationLogs/[a-z0-9-]+/\d{4}/\d\d/\d\d/\d\d/data/"
    r"[0-9a-f-]{36}_(input|output)\.json\.gz"
)
MARKER = "amazon-bedrock-logs-permission-check"


class Line(NamedTuple):
    """A record as it lies in an object."""

    key: str
    record: Record


def files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != ".simulate.json"
    }


def read_lines(folder: Path) -> list[Line]:
    return [
        Line(key, json.loads(text))
        for key, data in files(folder).items()
        if OBJECT.fullmatch(key)
        for text in gzip.decompress(data).splitlines()
    ]


def read_records(folder: Path) -> dict[str, Record]:
    return {record["requestId"]: record for _, record in read_lines(folder)}


def moment(record: Record) -> datetime:
    return datetime.strptime(record["timestamp"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)


def body(record: Record) -> Any:
    return record.get("output", {}).get("outputBodyJson")


def body_usage(record: Record) -> Record:
    """Find the token counts that a response body states, under the names of its provider."""
    answer = body(record)
    for chunk in answer if isinstance(answer, list) else [answer]:
        if "amazon-bedrock-invocationMetrics" in chunk:
            return dict(chunk["amazon-bedrock-invocationMetrics"])
    return dict(answer.get("usage", answer))


def used_tokens(record: Record) -> list[int]:
    """Return input, output, cache read and cache write tokens, from the body if need be."""
    given, answer = record["input"], record["output"]
    if "inputTokenCount" in given:
        return [
            given["inputTokenCount"],
            answer["outputTokenCount"],
            given.get("cacheReadInputTokenCount", 0),
            given.get("cacheWriteInputTokenCount", 0),
        ]
    usage = body_usage(record)
    names = (
        (
            "inputTokens",
            "input_tokens",
            "inputTokenCount",
            "inputTextTokenCount",
            "prompt_token_count",
        ),
        ("outputTokens", "output_tokens", "outputTokenCount", "generation_token_count"),
        ("cacheReadInputTokenCount", "cache_read_input_tokens"),
        ("cacheWriteInputTokenCount", "cache_creation_input_tokens"),
    )
    return [next((usage[name] for name in kind if name in usage), 0) for kind in names]


@pytest.fixture(scope="module")
def three_days(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Written]:
    folder = tmp_path_factory.mktemp("logs")
    written = simulate(folder, seed=1, start=NOW - 3 * DAY, end=NOW, calls_per_day=400)
    return folder, written


@pytest.fixture(scope="module")
def records(three_days: tuple[Path, Written]) -> list[Record]:
    return list(read_records(three_days[0]).values())


class Clock:
    """A clock that moves only while someone waits, for so many rounds."""

    def __init__(self, now: datetime, rounds: int = 0) -> None:
        self.now = now
        self.rounds = rounds

    def __call__(self) -> datetime:
        return self.now

    def wait(self, seconds: float) -> bool:
        self.now += timedelta(seconds=seconds)
        self.rounds -= 1
        return self.rounds < 0


def run_past(folder: Path, now: datetime, days: int = 1, seed: int = 1) -> Written:
    clock = Clock(now)
    return run(
        folder,
        seed=seed,
        days=days,
        calls_per_day=100,
        calls_per_minute=None,
        interval=timedelta(seconds=10),
        clock=clock,
        wait=clock.wait,
    )


def run_live(
    folder: Path,
    clock: Clock,
    interval: timedelta = timedelta(seconds=10),
    calls_per_minute: float = 30,
) -> Written:
    return live(
        folder,
        seed=1,
        calls_per_day=400,
        calls_per_minute=calls_per_minute,
        interval=interval,
        clock=clock,
        wait=clock.wait,
    )


def test_the_same_seed_makes_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "other"):
        simulate(tmp_path / name, seed=5, start=NOW - DAY, end=NOW, calls_per_day=400)
    assert files(tmp_path / "one") == files(tmp_path / "other")


def test_another_seed_makes_other_calls(tmp_path: Path) -> None:
    for seed in (5, 6):
        simulate(tmp_path / str(seed), seed=seed, start=NOW - DAY, end=NOW, calls_per_day=100)
    assert not read_records(tmp_path / "5").keys() & read_records(tmp_path / "6").keys()


def test_neither_the_machines_zone_nor_the_arguments_changes_a_byte(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    end_of_daylight_saving = datetime(2026, 11, 1, 10, tzinfo=UTC)
    start = end_of_daylight_saving - DAY
    simulate(tmp_path / "utc", seed=1, start=start, end=end_of_daylight_saving, calls_per_day=300)
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    try:
        seoul = timezone(timedelta(hours=9))
        simulate(
            tmp_path / "local",
            seed=1,
            start=start.astimezone(seoul),
            end=end_of_daylight_saving.astimezone(seoul),
            calls_per_day=300,
        )
    finally:
        monkeypatch.undo()
        time.tzset()
    assert files(tmp_path / "utc") == files(tmp_path / "local")


def test_what_was_written_is_what_a_plain_reader_finds(three_days: tuple[Path, Written]) -> None:
    folder, written = three_days
    lines = read_lines(folder)
    distinct = read_records(folder).values()
    used = [used_tokens(record) for record in distinct if "errorCode" not in record]
    assert written == Written(
        objects=len({key for key, _ in lines}),
        side_objects=sum("/data/" in key for key in files(folder)),
        records=len(distinct),
        duplicates=len(lines) - len(distinct),
        errors=sum("errorCode" in record for record in distinct),
        input_tokens=sum(tokens[0] for tokens in used),
        output_tokens=sum(tokens[1] for tokens in used),
        cache_read_tokens=sum(tokens[2] for tokens in used),
        cache_write_tokens=sum(tokens[3] for tokens in used),
    )


def test_about_as_many_calls_are_made_as_asked_for() -> None:
    calls = sum(1 for _ in calls_between(3, Rate(400), NOW - 7 * DAY, NOW))
    assert 0.9 < calls / (7 * 400) < 1.15


def test_every_file_is_where_and_what_aws_would_write(three_days: tuple[Path, Written]) -> None:
    keys = files(three_days[0]).keys()
    strange = [
        key
        for key in keys
        if not OBJECT.fullmatch(key) and not SIDE_OBJECT.fullmatch(key) and MARKER not in key
    ]
    assert strange == []


def test_an_object_lies_below_the_account_region_and_hour_of_its_delivery(
    three_days: tuple[Path, Written],
) -> None:
    for key, record in read_lines(three_days[0]):
        place = OBJECT.fullmatch(key)
        assert place is not None
        assert (place["account"], place["region"]) == (record["accountId"], record["region"])
        delivered = datetime.strptime(place["name"][:15], "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
        assert place["hour"] == f"{delivered:%Y/%m/%d/%H}"
        assert moment(record) <= delivered <= NOW


def test_an_account_has_the_empty_permission_check_object(
    three_days: tuple[Path, Written],
) -> None:
    markers = {key: data for key, data in files(three_days[0]).items() if MARKER in key}
    assert len(markers) == 3
    assert set(markers.values()) == {b""}


def test_large_bodies_are_where_their_records_say(three_days: tuple[Path, Written]) -> None:
    stored = files(three_days[0])
    paths = [
        path
        for record in read_records(three_days[0]).values()
        for path in (
            record["input"].get("inputBodyS3Path"),
            record.get("output", {}).get("outputBodyS3Path"),
        )
        if path
    ]
    assert {path.removeprefix("s3://example-bedrock-logs/") for path in paths} == {
        key for key in stored if "/data/" in key
    }
    largest = max(len(gzip.decompress(stored[path.split("/", 3)[3]])) for path in paths)
    assert largest > 100_000


def test_every_prompt_bears_the_canary(three_days: tuple[Path, Written]) -> None:
    stored = files(three_days[0])
    for record in read_records(three_days[0]).values():
        given = record["input"]
        prompt = (
            json.dumps(given["inputBodyJson"])
            if "inputBodyJson" in given
            else gzip.decompress(stored[given["inputBodyS3Path"].split("/", 3)[3]]).decode()
        )
        assert CANARY in prompt
        assert CANARY not in json.dumps({**record, "input": None, "output": None})


def _model(pattern: str) -> Callable[[Record], bool]:
    return lambda record: re.fullmatch(pattern, record["modelId"]) is not None


def _principal(pattern: str) -> Callable[[Record], bool]:
    return lambda record: re.fullmatch(pattern, record["identity"]["arn"]) is not None


def _body_holds(text: str) -> Callable[[Record], bool]:
    return lambda record: text in json.dumps(body(record))


def _operation(operation: str) -> Callable[[Record], bool]:
    return lambda record: record["operation"] == operation


def _is_large_prompt(record: Record) -> bool:
    return record["input"].get("inputTokenCount", 0) > 200_000


SHAPES: dict[str, Callable[[Record], bool]] = {
    "Converse": _operation("Converse"),
    "ConverseStream": _operation("ConverseStream"),
    "InvokeModel": _operation("InvokeModel"),
    "InvokeModelWithResponseStream": _operation("InvokeModelWithResponseStream"),
    "bare model id": _model(r"anthropic\..+"),
    "us profile": _model(r"us\..+"),
    "eu profile": _model(r"eu\..+"),
    "apac profile": _model(r"apac\..+"),
    "global profile": _model(r"global\..+"),
    "inference profile ARN": _model(r"arn:aws:bedrock:[^:]+:\d+:inference-profile/.+"),
    "application inference profile": _model(r".+:application-inference-profile/[a-z0-9]+"),
    "retired model": _model(r".*claude-3-7-sonnet.*"),
    "embedding": _model(r"amazon\.titan-embed.*"),
    "image model": _model(r"amazon\.nova-canvas.*"),
    "unknown model": _model(r".*claude-sonnet-9.*"),
    "Llama": _model(r".*llama3.*"),
    "application role": _principal(r".+:assumed-role/CustomerServiceApp-BedrockRole/.+"),
    "e-mail session": _principal(r".+-BedrockRole/[^/]+@example\.com"),
    "SSO user": _principal(r".+:assumed-role/AWSReservedSSO_[^/]+/.+@example\.com"),
    "IAM user": _principal(r"arn:aws:iam::\d+:user/.+"),
    "botocore session": _principal(r".+/botocore-session-\d{10}"),
    "instance session": _principal(r".+/i-0[0-9a-f]{16}"),
    "UUID session": _principal(r".+/[0-9a-f]{8}-[0-9a-f-]{27}"),
    "role of no application": _principal(r".+:assumed-role/legacy-batch-runner/.+"),
    "metadata": lambda record: "application" in record.get("requestMetadata", {}),
    "served elsewhere": lambda record: record.get("inferenceRegion", "") > "",
    "served at home": lambda record: "inferenceRegion" not in record,
    "throttled": lambda record: record.get("errorCode") == "ThrottlingException",
    "error without output": lambda record: "errorCode" in record and "output" not in record,
    "error with tokens": lambda record: (
        "errorCode" in record and "inputTokenCount" in record["input"]
    ),
    "blocked Converse": _body_holds('"guardrail_intervened"'),
    "blocked InvokeModel": _body_holds('"amazon-bedrock-guardrailAction": "INTERVENED"'),
    "cache read": lambda record: record["input"].get("cacheReadInputTokenCount", 0) > 0,
    "cache write": lambda record: record["input"].get("cacheWriteInputTokenCount", 0) > 0,
    "cache counts of 0": lambda record: record["input"].get("cacheWriteInputTokenCount") == 0,
    "no cache counts": lambda record: (
        "inputTokenCount" in record["input"] and "cacheReadInputTokenCount" not in record["input"]
    ),
    "cacheDetails 5m": _body_holds('"cacheDetails": [{"ttl": "5m"'),
    "cacheDetails 1h": _body_holds('"cacheDetails": [{"ttl": "1h"'),
    "cache_creation": _body_holds('"cache_creation": {"ephemeral_5m_input_tokens"'),
    "cache write without a lifetime": lambda record: (
        record["input"].get("cacheWriteInputTokenCount", 0) > 0
        and "cacheDetails" not in json.dumps(body(record))
        and "cache_creation" not in json.dumps(body(record)).replace("cache_creation_input", "")
    ),
    "stream metrics": _body_holds('"amazon-bedrock-invocationMetrics"'),
    "message_start": _body_holds('"type": "message_start"'),
    "[DONE]": _body_holds('"[DONE]"'),
    "counts in the body only": lambda record: (
        "output" in record and "inputTokenCount" not in record["input"]
    ),
    "input in S3": lambda record: "inputBodyS3Path" in record["input"],
    "output in S3": lambda record: "outputBodyS3Path" in record.get("output", {}),
    "priority tier": _body_holds('"serviceTier": {"type": "priority"}'),
    "flex tier": _body_holds('"serviceTier": {"type": "flex"}'),
    "prompt of a dearer context band": _is_large_prompt,
}


@pytest.mark.parametrize("shape", SHAPES)
def test_three_days_show_every_shape_of_record(shape: str, records: list[Record]) -> None:
    assert any(map(SHAPES[shape], records))


def test_some_records_lie_in_a_later_hour_than_their_own(three_days: tuple[Path, Written]) -> None:
    late = [
        record
        for key, record in read_lines(three_days[0])
        if f"/{moment(record):%Y/%m/%d/%H}/" not in key
    ]
    assert late


def test_some_records_are_twice_in_one_object_and_some_in_two(
    three_days: tuple[Path, Written],
) -> None:
    places: dict[str, list[str]] = {}
    for key, record in read_lines(three_days[0]):
        places.setdefault(record["requestId"], []).append(key)
    twice = [keys for keys in places.values() if len(keys) == 2]
    assert len(twice) == three_days[1].duplicates
    assert {len(set(keys)) for keys in twice} == {1, 2}


def test_calls_are_those_from_start_inclusive_to_end_exclusive() -> None:
    rate = Rate(2_000)
    for call in calls_between(1, rate, NOW, NOW + HOUR):
        second = datetime.fromtimestamp(call.second, UTC)
        assert call in calls_between(1, rate, second, second + timedelta(seconds=1))
        assert call not in calls_between(1, rate, second - timedelta(seconds=1), second)


def test_two_runs_write_the_records_of_one(tmp_path: Path) -> None:
    middle = NOW - DAY + timedelta(minutes=7)
    simulate(tmp_path / "one", seed=1, start=NOW - 2 * DAY, end=NOW, calls_per_day=60)
    simulate(tmp_path / "two", seed=1, start=NOW - 2 * DAY, end=middle, calls_per_day=60)
    before = files(tmp_path / "two")
    simulate(tmp_path / "two", seed=1, start=middle, end=NOW, calls_per_day=60)
    assert read_records(tmp_path / "two") == read_records(tmp_path / "one")
    assert before.items() <= files(tmp_path / "two").items()


def test_a_new_folder_begins_at_a_midnight(tmp_path: Path) -> None:
    run_past(tmp_path, NOW, days=2)
    moments = [moment(record) for record in read_records(tmp_path).values()]
    midnight = datetime(2026, 11, 16, tzinfo=UTC)
    assert midnight <= min(moments) < midnight + 3 * HOUR
    assert NOW - 3 * HOUR < max(moments) < NOW


def test_a_run_on_the_next_day_goes_on_where_the_last_ended(tmp_path: Path) -> None:
    first = run_past(tmp_path / "two", NOW - DAY, days=1)
    second = run_past(tmp_path / "two", NOW, days=62)
    whole = run_past(tmp_path / "one", NOW, days=2)
    assert first.records + second.records == whole.records
    assert read_records(tmp_path / "two") == read_records(tmp_path / "one")


def test_a_run_without_time_passed_writes_nothing(tmp_path: Path) -> None:
    run_past(tmp_path, NOW)
    before = files(tmp_path)
    assert run_past(tmp_path, NOW) == Written()
    assert run_past(tmp_path, NOW - HOUR) == Written()
    assert files(tmp_path) == before


def test_live_writes_at_every_interval(tmp_path: Path) -> None:
    minute = timedelta(minutes=1)
    clock = Clock(NOW, rounds=6)
    seen: list[int] = []

    def wait(seconds: float) -> bool:
        seen.append(len(read_records(tmp_path)))
        return clock.wait(seconds)

    live(
        tmp_path,
        seed=1,
        calls_per_day=400,
        calls_per_minute=30,
        interval=minute,
        clock=clock,
        wait=wait,
    )
    assert seen[0] == 0
    assert all(15 < after - before < 50 for before, after in pairwise(seen))
    by_minute = Counter(
        (moment(record) - NOW) // minute for record in read_records(tmp_path).values()
    )
    assert [by_minute[n] for n in range(6)] == [after - before for before, after in pairwise(seen)]


def test_live_writes_one_object_an_account_and_region(tmp_path: Path) -> None:
    run_live(tmp_path, Clock(NOW, rounds=1), timedelta(seconds=20))
    lines = read_lines(tmp_path)
    first_copies = {record["requestId"]: key for key, record in reversed(lines)}
    streams = {(record["accountId"], record["region"]) for _, record in lines}
    assert len(set(first_copies.values())) == len(streams) > 1


def test_live_delivers_nothing_from_the_future(tmp_path: Path) -> None:
    clock = Clock(NOW, rounds=30)
    run_live(tmp_path, clock)
    names = [key.rsplit("/", 1)[1] for key, _ in read_lines(tmp_path)]
    assert max(names)[:16] <= f"{clock.now:%Y%m%dT%H%M%SZ}"


def test_a_record_repeated_within_one_interval_is_still_in_two_objects(tmp_path: Path) -> None:
    written = run_live(tmp_path, Clock(NOW, rounds=150), timedelta(seconds=1), 150)
    lines = read_lines(tmp_path)
    assert len({key for key, _ in lines}) == written.objects
    assert len(lines) == written.records + written.duplicates > written.records + 3


def test_live_goes_on_where_the_past_ended_and_then_where_live_ended(tmp_path: Path) -> None:
    run_past(tmp_path, NOW)
    first = run_live(tmp_path, Clock(NOW + timedelta(seconds=4), rounds=30))
    second = run_live(tmp_path, Clock(NOW + timedelta(minutes=6), rounds=30))
    lived = [r for r in read_records(tmp_path).values() if moment(r) >= NOW]
    assert len(lived) == first.records + second.records
    moments = sorted(moment(record) for record in lived)
    assert moments[0] - NOW < timedelta(minutes=1)
    assert max(after - before for before, after in pairwise(moments)) < timedelta(minutes=1)


def test_live_fills_the_hours_that_a_machine_slept_as_the_past(tmp_path: Path) -> None:
    written = run_live(tmp_path, Clock(NOW, rounds=1), timedelta(hours=10))
    assert 100 < written.records < 500  # at 30 a minute it would be 18,000


def test_a_live_day_costs_about_what_a_day_of_the_past_does() -> None:
    def tokens(calls: Iterator[Call]) -> int:
        return sum(call.tokens.input for call in calls)

    past = tokens(calls_between(1, Rate(400), NOW - 14 * DAY, NOW)) / 14
    lively = tokens(calls_between(1, Rate(400, 10), NOW, NOW + DAY))
    assert 0.6 < lively / past < 1.7


def test_run_announces_the_past_before_it_goes_live(tmp_path: Path) -> None:
    clock = Clock(NOW, rounds=20)
    announced: list[tuple[datetime, Written]] = []
    total = run(
        tmp_path,
        seed=1,
        days=1,
        calls_per_day=200,
        calls_per_minute=30,
        interval=timedelta(seconds=10),
        clock=clock,
        wait=clock.wait,
        announce=lambda written: announced.append((clock.now, written)),
    )
    [(when, past)] = announced
    assert when == NOW
    assert 0 < past.records < total.records == len(read_records(tmp_path))


def inodes(folder: Path) -> dict[str, int]:
    return {key: (folder / key).stat().st_ino for key in files(folder)}


@pytest.mark.parametrize("objects", [0, 1, 30])
def test_a_run_cut_short_is_finished_by_the_next(
    objects: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, left = delivery._write_gzip, iter(range(objects))

    def write_until_killed(path: Path, text: bytes) -> None:
        if next(left, None) is None:
            raise KeyboardInterrupt
        write(path, text)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(delivery, "_write_gzip", write_until_killed)
        run_past(tmp_path / "cut", NOW - HOUR)
    before = inodes(tmp_path / "cut")
    run_past(tmp_path / "cut", NOW)
    assert before.items() <= inodes(tmp_path / "cut").items()
    run_past(tmp_path / "whole", NOW - HOUR)
    run_past(tmp_path / "whole", NOW)
    assert files(tmp_path / "cut") == files(tmp_path / "whole")


def test_an_unfinished_object_has_no_name_of_a_log_object(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(path: Path, target: Path) -> Path:
        if path.name.endswith(".gz.part"):
            raise KeyboardInterrupt
        return replace(path, target)

    replace = Path.replace
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Path, "replace", fail)
        run_past(tmp_path, NOW)
    assert not any(OBJECT.fullmatch(key) for key in files(tmp_path))
    assert any(key.endswith(".part") for key in files(tmp_path))


def test_another_seed_is_refused_in_the_same_folder(tmp_path: Path) -> None:
    run_past(tmp_path, NOW, seed=1)
    with pytest.raises(SimulateError, match="with seed 1, not 2; use --seed 1, or another folder"):
        run_past(tmp_path, NOW, seed=2)


def test_a_folder_of_real_logs_is_refused(tmp_path: Path) -> None:
    (tmp_path / "AWSLogs" / "111122223333").mkdir(parents=True)
    with pytest.raises(SimulateError, match="holds logs that were not simulated"):
        run_past(tmp_path, NOW)


def test_time_that_is_written_already_is_refused(tmp_path: Path) -> None:
    simulate(tmp_path, seed=1, start=NOW - DAY, end=NOW, calls_per_day=50)
    with pytest.raises(SimulateError, match="calls up to 2026-11-18T12:34:56Z are there already"):
        simulate(tmp_path, seed=1, start=NOW - HOUR, end=NOW + HOUR, calls_per_day=50)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"seed": 1}'])
def test_a_damaged_state_file_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / ".simulate.json").write_text(text)
    with pytest.raises(SimulateError, match=r"\.simulate\.json: is not readable"):
        run_past(tmp_path, NOW)


def test_a_month_of_customer_service_costs_about_its_budget_of_500_usd() -> None:
    usd_per_million = {  # input, output, cache read, cache write
        "us.anthropic.claude-sonnet-4-5-20250929-v1:0": (3.30, 16.50, 0.33, 4.125),
        "global.anthropic.claude-sonnet-4-5-20250929-v1:0": (3.00, 15.00, 0.30, 3.75),
        "global.anthropic.claude-haiku-4-5-20251001-v1:0": (1.00, 5.00, 0.10, 1.25),
        "anthropic.claude-3-7-sonnet-20250219-v1:0": (3.00, 15.00, 0.30, 3.75),
        "anthropic.claude-3-haiku-20240307-v1:0": (0.25, 1.25, 0.0, 0.0),
    }
    month = datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC)
    cost_usd = sum(
        tokens * price / 1e6
        for call in calls_between(1, Rate(400), *month)
        if call.workload.name == "CustomerServiceApp" and not call.outcome
        for tokens, price in zip(call.tokens, usd_per_million[call.task.model_id], strict=True)
    )
    assert 400 < cost_usd < 600


@pytest.mark.parametrize("days_later", range(8))
def test_within_some_days_an_application_had_a_burst(days_later: int) -> None:
    now = NOW + days_later * DAY
    an_hour = Counter(
        (call.workload.name, call.workload.region, call.second // 3600)
        for call in calls_between(1, Rate(400), now - 3 * DAY, now)
    )
    assert any(
        calls > 8 * sum(n for key, n in an_hour.items() if key[:2] == place[:2]) / 72
        for place, calls in an_hour.items()
    )


def test_offices_are_quiet_at_night_and_on_weekends() -> None:
    monday = datetime(2026, 10, 5, tzinfo=UTC)
    berlin = timedelta(hours=1)
    local = [
        datetime.fromtimestamp(call.second, UTC) + berlin
        for call in calls_between(1, Rate(2_000), monday, monday + 7 * DAY)
        if (call.workload.name, call.workload.region) == ("CodeReviewer", "eu-central-1")
    ]
    weekend = sum(when.weekday() >= 5 for when in local)
    at_work = sum(when.weekday() < 5 and 8 <= when.hour < 18 for when in local)
    assert weekend < 0.1 * len(local)
    assert at_work > 0.7 * len(local)
