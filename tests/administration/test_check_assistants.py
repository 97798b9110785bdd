"""`aws check` of the sources of developer assistants, whose switches no API of AWS tells."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from moto_aws import ACCOUNT_ID, MotoAws

from exporter.administration.check import Report, Row, Status, check
from exporter.administration.check.rendering import as_json, as_table
from exporter.config import Config

NOW = datetime(2026, 11, 22, 8, 30, tzinfo=UTC)
LOCATION = "s3://q-logs/qdeveloper"
CANARY = b"canary-4711: what a user wrote"
KEYS = {
    "prompt_logs": "QDeveloperLogs/GenerateAssistantResponse/us-east-1/{:%Y/%m/%d/%H}/a.json.gz",
    "activity_reports": "QDeveloperLogs/by_user_analytic/us-east-1/{:%Y/%m/%d/00}/"
    "111122223333_by_user_analytic_202611220000.csv",
    "kiro_reports": "KiroLogs/user_report/us-east-1/{:%Y/%m/%d/00}/"
    "KIRO_IDE_111122223333_user_report_202611220000.csv",
}
CONSOLES = {
    "prompt_logs": "Log Kiro prompts with metadata",
    "activity_reports": "Q Developer user activity reports",
    "kiro_reports": "Kiro user activity reports",
}
READER = "arn:aws:iam::444455556666:role/Reader"

kinds = pytest.mark.parametrize("kind", KEYS)


@pytest.fixture(scope="module")
def moto() -> Iterator[MotoAws]:
    with MotoAws() as running:
        yield running


@pytest.fixture
def aws(moto: MotoAws, monkeypatch: pytest.MonkeyPatch) -> Iterator[MotoAws]:
    """An account with an empty bucket for logs of assistants."""
    monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=lambda seconds: None))
    with moto.fresh(monkeypatch) as fresh:
        fresh.client("s3").create_bucket(Bucket="q-logs")
        fresh.calls.clear()
        yield fresh


def put(aws: MotoAws, kind: str, time: datetime = NOW) -> None:
    """Store an object of a kind."""
    key = f"qdeveloper/AWSLogs/{ACCOUNT_ID}/{KEYS[kind].format(time)}"
    aws.client("s3").put_object(Bucket="q-logs", Key=key, Body=CANARY)


def run(*kinds: str, aws: dict[str, Any] | None = None, **fields: Any) -> Report:
    sources = [{"type": kind, "location": LOCATION, **fields} for kind in kinds]
    return check(Config.model_validate({"sources": sources, "aws": aws or {}}), NOW)


def row(report: Report, name: str, subject: str | None = None) -> Row:
    (found,) = [
        each for each in report.rows if each.check == name and subject in (None, each.subject)
    ]
    return found


@kinds
def test_what_works_is_green(aws: MotoAws, kind: str) -> None:
    put(aws, kind)
    report = run(kind)
    assert [(each.status, each.check) for each in report.rows] == [
        (Status.OK, "credentials"),
        (Status.OK, "bucket"),
        (Status.OK, "list logs"),
        (Status.OK, "newest log object"),
    ]
    assert row(report, "list logs").found == f"{LOCATION}: 1 account, 1 region"
    assert f"{ACCOUNT_ID}/us-east-1: " in row(report, "newest log object").found


@kinds
def test_what_lies_there_of_another_kind_is_not_taken_for_it(aws: MotoAws, kind: str) -> None:
    for other in KEYS.keys() - {kind}:
        put(aws, other)
    assert row(run(kind), "list logs").status is Status.WARNING


@kinds
def test_where_nothing_lies_the_switch_in_the_console_is_named(aws: MotoAws, kind: str) -> None:
    report = run(kind)
    told = row(report, "list logs")
    assert told.status is Status.WARNING
    assert not report.has_failed
    assert "No API tells" in told.remedy
    assert CONSOLES[kind] in told.remedy
    assert told.remedy.endswith(f"S3 location {LOCATION}/")


def test_that_switches_are_not_checked_is_said(aws: MotoAws) -> None:
    assert any("no API that tells" in sentence for sentence in run("prompt_logs").not_checked)


@kinds
def test_in_a_folder_without_them_the_location_is_wrong(tmp_path: Path, kind: str) -> None:
    report = run(kind, location=str(tmp_path))
    assert row(report, "list logs").status is Status.FAILED
    assert "correct `location`" in row(report, "list logs").remedy


@pytest.mark.parametrize(
    ("kind", "day", "status"),
    [
        ("prompt_logs", 21, Status.OK),
        ("prompt_logs", 20, Status.WARNING),
        ("kiro_reports", 18, Status.OK),
        ("kiro_reports", 17, Status.WARNING),
        ("activity_reports", 18, Status.OK),
    ],
)
def test_a_report_from_before_the_weekend_is_not_old(
    aws: MotoAws, kind: str, day: int, status: Status
) -> None:
    put(aws, kind, NOW.replace(day=day, hour=9 if kind == "prompt_logs" else 0))
    told = row(run(kind), "newest log object")
    assert told.status is status
    assert (CONSOLES[kind] in told.remedy) is (status is Status.WARNING)


def test_a_refused_listing_names_the_whole_policy(aws: MotoAws) -> None:
    put(aws, "prompt_logs")
    aws.refused["ListObjectsV2"] = "AccessDenied"
    told = row(run("prompt_logs"), "list logs")
    assert told.status is Status.FAILED
    assert "aws permissions" in told.remedy


def test_the_logging_of_bedrock_is_not_asked_for_assistants_alone(aws: MotoAws) -> None:
    put(aws, "prompt_logs")
    account = {"name": "q", "role_arn": READER, "regions": ["us-east-1", "eu-west-1"]}
    run("prompt_logs")
    run("prompt_logs", account="q", aws={"accounts": [account]})
    asked = {call.operation for call in aws.calls}
    assert "ListObjectsV2" in asked
    assert "GetModelInvocationLoggingConfiguration" not in asked


def test_bedrock_logs_are_not_read_where_only_assistants_are(aws: MotoAws) -> None:
    delivery = {"s3Config": {"bucketName": "q-logs", "keyPrefix": "qdeveloper"}}
    bedrock = aws.client("bedrock", "us-east-1")
    bedrock.put_model_invocation_logging_configuration(loggingConfig=delivery)
    aws.client("s3").create_bucket(Bucket="logs")
    logs = {"type": "invocation_logs", "location": "s3://logs"}
    prompts = {"type": "prompt_logs", "location": LOCATION}
    report = check(Config.model_validate({"sources": [logs, prompts]}), NOW)
    assert "which no source reads" in row(report, "logging in us-east-1").found


@kinds
def test_nothing_of_an_object_is_printed(aws: MotoAws, kind: str) -> None:
    put(aws, kind)
    report = run(kind)
    printed = "\n".join([*as_table(report, colour=False), as_json(report)])
    assert "can be read" in printed
    assert CANARY.decode() not in printed
