"""`aws inspect`: the newest records and why they are read as they are; never what was said."""

import gzip
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from exporter.administration.inspect import Asked, Inspected, Inspection, Only, Rejected
from exporter.administration.inspect_text import describe
from exporter.aws.meter import Meter
from exporter.cli import main
from exporter.config import Config
from exporter.identity import Privacy
from exporter.interpretation.models import UnpricedReason
from exporter.interpretation.names import MODEL, Kind, Names
from exporter.sources.log_store import StoreError, key_of
from exporter.sources.reading import open_store
from exporter.sources.rejection import Rejection
from exporter.usage import LookedUp
from s3_server import S3Server, refuse
from tools import ROOT
from usage_builders import ACCOUNT, NOON, Call, json_lines, log_object, write_log, write_text
from usage_builders import MODEL as SONNET

NOW = NOON + timedelta(minutes=30)
CANARY = "the-prompt-that-nobody-may-see"
PROFILE = f"arn:aws:bedrock:us-east-1:{ACCOUNT}:application-inference-profile/a1b2c3d4e5f6"


def config(location: Path | str, **changes: Any) -> Config:
    source = {"type": "invocation_logs", "name": "logs", "location": str(location)}
    return Config.model_validate({"sources": [source], **changes})


def inspect(
    settings: Config, asked: Asked | None = None, names: Names | None = None, key: bytes = b""
) -> list[Any]:
    """Run an inspection of the only source."""
    (source,) = settings.sources
    inspection = Inspection(
        settings, source, Privacy(settings.privacy.users, key), names or Names(), NOW
    )
    store = open_store(source.location, Meter())
    return list(inspection.run(store, asked or Asked()))


def only(settings: Config, **options: Any) -> Inspected:
    """Return the only record there is."""
    (item,) = inspect(settings, **options)
    assert isinstance(item, Inspected)
    return item


def text(*items: Any) -> str:
    return "\n".join(line for item in items for line in describe(item))


def ids(items: list[Any]) -> list[str]:
    return [item.said.request_id for item in items]


def test_the_newest_records_come_first_whoever_called(tmp_path: Path) -> None:
    hour = timedelta(hours=1)
    write_log(tmp_path, [Call("old", NOON - 30 * hour)])
    write_log(tmp_path, [Call("first", NOON), Call("second", NOON)])
    write_log(tmp_path, [Call("other", NOON - hour, account_id="444455556666", region="eu-west-1")])
    assert ids(inspect(config(tmp_path))) == ["second", "first", "other", "old"]


def test_no_more_records_are_shown_than_asked_for(tmp_path: Path) -> None:
    write_log(tmp_path, [Call(f"r{number}", NOON) for number in range(9)])
    assert ids(inspect(config(tmp_path), Asked(records=2))) == ["r8", "r7"]


def test_a_record_shows_who_called_what_and_which_rule_named_it(tmp_path: Path) -> None:
    write_log(tmp_path, [Call("one", NOON, user="alice", application="Shop")])
    item = only(config(tmp_path))
    assert (item.application_rule, item.user_rule) == (1, 1)
    shown = text(item)
    assert "application   Shop, by rule 1" in shown
    assert "user          alice, by rule 1" in shown
    assert f"principal     arn:aws:sts::{ACCOUNT}:assumed-role/Shop-BedrockRole/alice" in shown
    assert "12:00:00 UTC, in the slot 12:00 to 12:15" in shown
    assert "tokens        input 100, output 10, cache_read 0" in shown


def test_each_field_names_the_rule_of_its_own(tmp_path: Path) -> None:
    rules = [
        {"from": "principal", "match": "nothing", "application": "Never"},
        {"from": "principal", "match": "assumed-role/[^/]+/(?P<user>.+)"},
        {"from": "metadata", "key": "app", "match": "(?P<application>.+)"},
    ]
    record = {**Call("one", NOON).record, "requestMetadata": {"app": "Search", "team": "blue"}}
    write_text(tmp_path, log_object(), json.dumps(record).encode())
    item = only(config(tmp_path, attribution={"rules": rules}))
    assert (item.application_rule, item.user_rule) == (3, 2)
    assert "metadata      app=Search, team=blue" in text(item)


def test_what_no_rule_names_says_so(tmp_path: Path) -> None:
    write_log(tmp_path, [Call("one", NOON)])
    item = only(config(tmp_path, attribution={"rules": []}))
    assert item.is_unattributed
    assert "application   unknown: no rule of attribution.rules names one" in text(item)


def test_what_filters_leave_out_says_so(tmp_path: Path) -> None:
    write_log(tmp_path, [Call("one", NOON)])
    item = only(config(tmp_path, attribution={"exclude": ["Shop"]}))
    assert item.is_unattributed
    assert "left out      by attribution.include or attribution.exclude" in text(item)


def test_a_folded_name_is_shown_as_logged_and_as_stored(tmp_path: Path) -> None:
    write_log(tmp_path, [Call("one", NOON, user="botocore-session-1795337934")])
    shown = text(only(config(tmp_path)))
    assert "Shop-BedrockRole/botocore-session-1795337934" in shown
    assert "stored as     arn:aws:sts::111122223333:assumed-role/Shop-BedrockRole/machine" in shown


@pytest.mark.parametrize(
    ("model_id", "reason"),
    [
        ("anthropic.claude-never-v9:0", UnpricedReason.UNKNOWN_MODEL),
        (PROFILE, UnpricedReason.UNRESOLVED),
        (f"arn:aws:bedrock:us-east-1:{ACCOUNT}:provisioned-model/x1", UnpricedReason.PROVISIONED),
    ],
)
def test_an_unpriced_call_says_why_and_what_to_do(
    tmp_path: Path, model_id: str, reason: UnpricedReason
) -> None:
    write_log(tmp_path, [Call("one", NOON, model_id=model_id)])
    item = only(config(tmp_path))
    assert (item.unpriced, item.is_unpriced) == (reason, True)
    assert f"unpriced      {reason}: " in text(item)
    assert "cost  " not in text(item)


@pytest.mark.parametrize("reason", UnpricedReason)
def test_every_reason_has_a_remedy(tmp_path: Path, reason: UnpricedReason) -> None:
    write_log(tmp_path, [Call("one", NOON, model_id=PROFILE)])
    item = only(config(tmp_path))
    changed = Inspected(**{**vars(item), "unpriced": reason})
    assert f"unpriced      {reason}: " in text(changed)


def test_a_price_says_where_it_comes_from(tmp_path: Path) -> None:
    write_log(tmp_path, [Call("one", NOON, input=1_000_000, output=0)])
    assert "cost          $3: 1,000,000 input at $3 a million, list" in text(only(config(tmp_path)))
    override = {"model": SONNET, "usd_per_million_tokens": {"input": "2.70"}}
    item = only(config(tmp_path, prices={"overrides": [override]}))
    assert "cost          $2.7: 1,000,000 input at $2.7 a million, override" in text(item)


def test_a_failed_call_costs_nothing_and_is_not_unpriced(tmp_path: Path) -> None:
    call = Call("one", NOON, model_id="anthropic.never-v1:0", error_code="ThrottlingException")
    write_log(tmp_path, [call])
    item = only(config(tmp_path))
    assert not item.is_unpriced
    assert "cost          none: the call failed with ThrottlingException" in text(item)


def test_what_told_the_model_is_named(tmp_path: Path) -> None:
    write_log(tmp_path, [Call("one", NOON, model_id=PROFILE)])
    told = LookedUp(
        Kind.INFERENCE_PROFILE,
        PROFILE,
        ((MODEL, f"arn:aws:bedrock:us-east-1::foundation-model/{SONNET}"),),
        NOON,
    )
    lookups = {"inference_profiles": True}
    settings = config(tmp_path, aws={"lookups": lookups})
    names = Names(settings.aws.lookups, {(told.kind, told.key): told})
    assert only(settings, names=names).resolved_by == "by what AWS told of the profile"
    aliased = config(tmp_path, models={"a1b2c3d4e5f6": SONNET})
    assert only(aliased).resolved_by == "by `models` of the configuration"
    write_log(tmp_path, [Call("two", NOON)])
    assert inspect(config(tmp_path))[0].resolved_by == "by the id itself"


def test_only_what_is_looked_for_is_shown(tmp_path: Path) -> None:
    good = Call("good", NOON)
    stray = {**Call("stray", NOON).record, "identity": {"arn": "arn:aws:iam::1:role/x"}}
    dear = Call("dear", NOON, model_id="anthropic.never-v1:0")
    lines = [json.dumps(record) for record in (good.record, stray, dear.record)]
    write_text(tmp_path, log_object(), "\n".join([*lines, '{"half": ']).encode())
    settings = config(tmp_path)
    assert ids(inspect(settings, Asked(Only.UNATTRIBUTED))) == ["stray"]
    assert ids(inspect(settings, Asked(Only.UNPRICED))) == ["dear"]
    (rejected,) = inspect(settings, Asked(Only.REJECTED))
    assert rejected.reason is Rejection.MALFORMED_JSON
    assert len(inspect(settings)) == 4


def test_what_is_looked_for_may_lie_in_older_objects(tmp_path: Path) -> None:
    write_log(tmp_path, [Call("dear", NOON - timedelta(days=3), model_id="anthropic.no-v1:0")])
    for minute in range(5):
        write_log(tmp_path, [Call(f"good-{minute}", NOON + timedelta(minutes=minute))])
    settings = config(tmp_path)
    assert ids(inspect(settings, Asked(Only.UNPRICED))) == ["dear"]
    assert inspect(settings, Asked(Only.UNPRICED, objects=5)) == []


def test_a_damaged_object_is_told_with_what_came_before_the_damage(tmp_path: Path) -> None:
    path = write_log(tmp_path, [Call("whole", NOON)])
    stored = path.read_bytes()
    path.write_bytes(stored + gzip.compress(json_lines([Call("lost", NOON)]))[:40])
    items = inspect(config(tmp_path))
    reasons = [item.reason for item in items if isinstance(item, Rejected)]
    assert Rejection.CORRUPT_GZIP in reasons
    assert [item.said.request_id for item in items if isinstance(item, Inspected)] == ["whole"]


def canary_shapes() -> Iterator[tuple[str, bytes]]:
    """Log objects of every known shape in whose bodies the canary stands wherever it can."""
    logs = sorted((ROOT / "tests/fixtures/logs/AWSLogs").rglob("*Z_*.json*"))
    for path in logs:
        stored = path.read_bytes()
        plain = gzip.decompress(stored) if path.suffix == ".gz" else stored
        lines = [_with_canary(line) for line in plain.splitlines() if line.strip()]
        yield path.name, b"\n".join(lines)
    record = Call("one", NOON, prompt=CANARY).record
    body = {"text": CANARY, CANARY: [CANARY, {CANARY: CANARY}], "stopReason": CANARY}
    for shape, output in {
        "object": body,
        "chunks": [body, CANARY, "[DONE]", None],
        "text": CANARY,
        "usage": {"usage": {CANARY: CANARY, "inputTokens": CANARY}},
        "tier": {"service_tier": CANARY, "serviceTier": {"type": CANARY}},
    }.items():
        whole = {**record, "output": {"outputTokenCount": None, "outputBodyJson": output}}
        yield shape, json.dumps(whole).encode()
    yield "error", json.dumps({**record, "errorCode": f"failed on {CANARY}"}).encode()
    yield "unknown fields", json.dumps({**record, "status": CANARY, CANARY: CANARY}).encode()
    for name, value in {
        "timestamp": CANARY,
        "modelId": {"is": CANARY},
        "input": CANARY,
        "output": [CANARY],
        "identity": CANARY,
        "requestMetadata": [CANARY],
    }.items():
        yield f"{name} is none", json.dumps({**record, name: value}).encode()
    yield "control characters", json.dumps(record).encode().replace(b"the-", b"the\x01")
    yield "bad UTF-8", json.dumps(record).encode().replace(b"hello", b"\xff")


def _with_canary(line: bytes) -> bytes:
    """Put the canary in every text of a record's bodies."""
    try:
        record = json.loads(line)
    except ValueError:
        return line + CANARY.encode()
    if isinstance(record, dict):
        for side in ("input", "output"):
            if isinstance(record.get(side), dict):
                fields = {f"{side}BodyJson": CANARY, **record[side]}
                record[side] = {
                    name: _replaced(value) if "Body" in name else value
                    for name, value in fields.items()
                }
    return json.dumps(record).encode()


def _replaced(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _replaced(item) for name, item in value.items()} | {"canary": CANARY}
    if isinstance(value, list):
        return [*map(_replaced, value), CANARY]
    return CANARY if isinstance(value, str) else value


SHAPES = dict(canary_shapes())


def looked_at(tmp_path: Path, content: bytes) -> str:
    write_text(tmp_path, log_object(NOON), content)
    settings = config(tmp_path, retention_months=120)
    return text(*inspect(settings, Asked(records=1000)))


@pytest.mark.parametrize("shape", SHAPES)
def test_no_shape_of_record_shows_what_was_said(tmp_path: Path, shape: str) -> None:
    assert CANARY.encode() in SHAPES[shape] or shape in ("control characters", "bad UTF-8")
    shown = looked_at(tmp_path, SHAPES[shape])
    assert "record 1 of " in shown
    assert CANARY not in shown
    assert "nobody-may-see" not in shown


@pytest.mark.parametrize("shape", ["object", "chunks", "unknown fields"])
def test_no_torn_record_shows_what_was_said(tmp_path: Path, shape: str) -> None:
    whole = SHAPES[shape]
    for position in range(1, len(whole), 37):
        torn = [whole[:position], whole[position:], whole[:position] + b"\n" + whole]
        write_text(tmp_path, log_object(NOON), b"\n".join(torn))
    shown = text(*inspect(config(tmp_path), Asked(records=1000, objects=1000)))
    assert "rejected" in shown
    assert CANARY not in shown


def test_a_rejected_record_is_told_by_its_reason_and_place_alone(tmp_path: Path) -> None:
    unit = log_object(NOON)
    write_text(tmp_path, unit, b'{"timestamp": "%s"}' % CANARY.encode())
    (item,) = inspect(config(tmp_path))
    place = f"{tmp_path}/{key_of(unit)}"
    assert list(describe(item)) == [f"record 1 of {place}", "  rejected      invalid_timestamp"]


def test_what_a_log_says_cannot_steer_the_terminal(tmp_path: Path) -> None:
    call = Call("\x1b[2J", NOON, user="\x1b]0;title\x07", model_id="\u202e\x1b[31m")
    write_log(tmp_path, [call])
    shown = text(*inspect(config(tmp_path)))
    assert all(character.isprintable() or character == "\n" for character in shown)


@pytest.mark.parametrize("users", ["pseudonym", "drop"])
def test_names_are_shown_as_privacy_lets_them_be_stored(tmp_path: Path, users: str) -> None:
    record = {
        **Call("one", NOON, user="alice").record,
        "requestMetadata": {"user": "alice", "team": "alice's"},
    }
    write_text(tmp_path, log_object(), json.dumps(record).encode())
    shown = text(only(config(tmp_path, privacy={"users": users}), key=b"k" * 32))
    assert "alice" not in shown
    assert "team=(not shown)" in shown


@pytest.fixture(scope="module")
def server() -> Iterator[S3Server]:
    with S3Server() as server:
        yield server


@pytest.fixture
def s3(server: S3Server, monkeypatch: pytest.MonkeyPatch) -> S3Server:
    server.reset()
    monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY")
    return server


def put(s3: S3Server, *calls: Call) -> None:
    for call in calls:
        unit = log_object(call.time, call.account_id, call.region)
        s3.put(key_of(unit), gzip.compress(json.dumps(call.record).encode()))


def test_no_day_is_listed_before_the_newest_suffice(s3: S3Server) -> None:
    put(s3, Call("new", NOON), Call("old", NOON - timedelta(days=2)))
    assert ids(inspect(config(s3.location), Asked(records=1))) == ["new"]
    assert len([request for request in s3.lists if "/2026/11/" in request.prefix]) == 1
    assert len(s3.gets) == 1


def test_a_week_is_looked_through_and_no_more(s3: S3Server) -> None:
    put(s3, Call("old", NOON - timedelta(days=9)))
    assert inspect(config(s3.location)) == []
    assert len([request for request in s3.lists if "/2026/11/" in request.prefix]) == 8


def test_an_account_that_is_refused_hides_no_other(s3: S3Server) -> None:
    put(s3, Call("mine", NOON), Call("theirs", NOON, account_id="444455556666"))
    theirs = "444455556666/BedrockModelInvocationLogs/us-east-1/2026/"
    s3.faults.append(refuse(theirs, 403, "AccessDenied", lists=True))
    items = inspect(config(s3.location))
    assert [isinstance(item, StoreError) for item in items] == [True, False]
    assert "not read: s3://logs" in text(items[0])


def test_an_object_that_cannot_be_opened_hides_no_other(s3: S3Server) -> None:
    put(s3, Call("one", NOON), Call("two", NOON + timedelta(minutes=1)))
    s3.faults.append(refuse("/logs/AWSLogs/", 403, "AccessDenied", times=1))
    items = inspect(config(s3.location))
    assert [isinstance(item, StoreError) for item in items] == [True, False]


def test_the_records_of_an_athena_source_are_read_where_they_lie(s3: S3Server) -> None:
    put(s3, Call("one", NOON))
    source = {"type": "athena", "location": s3.location, "region": "us-east-1"}
    assert ids(inspect(Config.model_validate({"sources": [source]}))) == ["one"]


def typed(folder: Path, settings: str, *arguments: str) -> Result:
    file = folder / "config.yaml"
    file.write_text(settings, encoding="utf-8")
    return CliRunner().invoke(main, ["aws", "inspect", f"--config.file={file}", *arguments])


ONE = "sources: [{type: invocation_logs, location: logs}]\n"
TWO = """
sources:
  - {type: invocation_logs, name: shop, location: shop}
  - {type: invocation_logs, name: chat, location: chat}
"""


def test_the_command_shows_records_and_what_it_looked_at(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    write_log(tmp_path / "logs", [Call("one", now), Call("two", now)])
    result = typed(tmp_path, ONE, "--records", "1")
    assert result.exit_code == 0
    assert result.output.count("application ") == 1
    assert "Looked at 2 records of the newest log object, none older than 7 days." in result.output


def test_the_command_says_that_names_are_shown(tmp_path: Path) -> None:
    words = " ".join(typed(tmp_path, ONE, "--help").output.split())
    assert "Names of callers and the values of requestMetadata are shown" in words


def test_one_of_several_sources_must_be_named(tmp_path: Path) -> None:
    write_log(tmp_path / "chat", [Call("one", datetime.now(UTC))])
    (tmp_path / "shop").mkdir()
    unnamed, unknown = typed(tmp_path, TWO), typed(tmp_path, TWO, "--source", "else")
    assert (unnamed.exit_code, unknown.exit_code) == (2, 2)
    assert "one of shop, chat" in unnamed.output
    assert "request       one" in typed(tmp_path, TWO, "--source", "chat").output


WITH_PROMPTS = ONE.replace("]", ", {type: prompt_logs, location: prompts}]")


def test_the_one_source_of_bedrock_logs_need_not_be_named(tmp_path: Path) -> None:
    write_log(tmp_path / "logs", [Call("one", datetime.now(UTC))])
    assert "request       one" in typed(tmp_path, WITH_PROMPTS).output


@pytest.mark.parametrize(
    ("settings", "arguments"),
    [
        (WITH_PROMPTS, ("--source", "prompt_logs")),
        ("sources: [{type: kiro_reports, location: reports}]\n", ()),
    ],
)
def test_logs_of_assistants_are_not_shown_and_what_tells_of_them_is_named(
    tmp_path: Path, settings: str, arguments: tuple[str, ...]
) -> None:
    result = typed(tmp_path, settings, *arguments)
    words = " ".join(result.output.replace("│", " ").split())
    assert result.exit_code == 2
    assert "only records of Bedrock logs are shown" in words
    assert "`bedrock-exporter aws check` reads their newest object" in words


def test_a_location_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    result = typed(tmp_path, ONE)
    assert result.exit_code == 1
    assert "there is no such folder" in result.output


def test_the_key_of_pseudonyms_is_not_made_by_looking(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    result = typed(tmp_path, f"{ONE}privacy: {{users: pseudonym}}\nledger: l.sqlite\n")
    assert result.exit_code == 1
    assert "it is made when the exporter first starts" in result.output
    assert sorted(path.name for path in tmp_path.iterdir()) == ["config.yaml", "logs"]
