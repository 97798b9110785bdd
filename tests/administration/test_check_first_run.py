"""`aws check` of an account in which no model was called yet, after the steps of the README."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner, Result
from moto_aws import ACCOUNT_ID, MotoAws

from exporter.administration.check import Report, Row, Status, check
from exporter.cli import main
from exporter.config import Config

NOW = datetime(2026, 11, 22, 8, 30, tzinfo=UTC)
DIRECT = {"type": "invocation_logs", "location": "s3://logs/bedrock"}
ATHENA = {"type": "athena", "location": "s3://logs/bedrock", "region": "us-east-1"}


@pytest.fixture(scope="module")
def moto() -> Iterator[MotoAws]:
    with MotoAws() as running:
        yield running


@pytest.fixture
def aws(moto: MotoAws, monkeypatch: pytest.MonkeyPatch) -> Iterator[MotoAws]:
    """An empty account, and no ambient region."""
    monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=lambda seconds: None))
    with moto.fresh(monkeypatch) as fresh:
        yield fresh


@pytest.fixture
def bucket(aws: MotoAws) -> MotoAws:
    """A bucket without logs, in eu-west-1."""
    place = {"LocationConstraint": "eu-west-1"}
    aws.client("s3", "eu-west-1").create_bucket(Bucket="logs", CreateBucketConfiguration=place)
    return aws


def deliver(aws: MotoAws, region: str, bucket: str = "logs") -> None:
    """Turn Model Invocation Logging on."""
    delivery = {"s3Config": {"bucketName": bucket, "keyPrefix": "bedrock"}}
    aws.client("bedrock", region).put_model_invocation_logging_configuration(loggingConfig=delivery)


def run(*sources: dict[str, Any]) -> Report:
    return check(Config.model_validate({"sources": sources}), NOW)


def row(report: Report, name: str) -> Row:
    (found,) = [row for row in report.rows if row.check == name]
    return found


def typed(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["aws", *arguments])


@pytest.mark.parametrize("kind", ["athena, region: us-east-1", "invocation_logs"])
def test_the_steps_of_the_readme_end_without_red(aws: MotoAws, tmp_path: Path, kind: str) -> None:
    file = tmp_path / "config.yaml"
    given = f"--config.file={file}"
    location = f"s3://bedrock-logs-{ACCOUNT_ID}-us-east-1"
    template = "bedrock-logs-{account_id}-{region}"
    options = ("--bucket", template, "--create-bucket", "--region", "us-east-1", "--yes")
    file.write_text(f"sources: [{{type: {kind}, location: '{location}'}}]")
    assert typed("logging", "enable", given, *options).exit_code == 0
    if kind.startswith("athena"):
        aws.queue_result("us-east-1", 0)
        assert typed("setup", given, "--yes").exit_code == 0
    assert typed("permissions", given).exit_code == 0
    told = typed("check", given)
    assert (told.exit_code, "failed " in told.output) == (0, False), told.output
    assert f"{location}/AWSLogs/: no Bedrock logs yet" in told.output
    assert f"logging in us-east-1  on, to {location}" in told.output


def test_without_logs_logging_is_asked_for_where_they_may_come_from(
    bucket: MotoAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-west-2")
    told = {row.check for row in run(ATHENA).rows if row.check.startswith("logging")}
    assert told == {"logging in eu-west-1", "logging in us-east-1", "logging in us-west-2"}


def test_no_logs_yet_is_yellow_where_logging_is_on_and_red_where_it_is_off(bucket: MotoAws) -> None:
    assert row(run(DIRECT), "list logs").status is Status.FAILED
    deliver(bucket, "eu-west-1")
    report = run(DIRECT)
    assert row(report, "list logs").status is Status.WARNING
    assert "call a model" in row(report, "list logs").remedy
    assert row(report, "logging in eu-west-1").status is Status.OK


def test_logs_that_go_to_another_source_will_not_come(bucket: MotoAws) -> None:
    bucket.client("s3").create_bucket(Bucket="other-logs")
    deliver(bucket, "us-east-1", "other-logs")
    deliver(bucket, "eu-west-1", "other-logs")
    other = {**DIRECT, "name": "other", "location": "s3://other-logs/bedrock"}
    told = {row.subject: row for row in run(DIRECT, other).rows if row.check == "list logs"}
    assert told["source invocation_logs"].status is Status.FAILED
    assert told["source other"].status is Status.WARNING


def test_logging_that_may_not_be_looked_at_leaves_no_logs_yellow(bucket: MotoAws) -> None:
    bucket.refused["GetModelInvocationLoggingConfiguration"] = "AccessDeniedException"
    report = run(DIRECT)
    assert row(report, "list logs").status is Status.WARNING
    assert "aws logging show" in row(report, "list logs").remedy
    assert not report.has_failed


def test_each_region_is_asked_once(bucket: MotoAws) -> None:
    other = {**DIRECT, "name": "other", "location": "s3://logs/other"}
    bucket.calls.clear()
    run(DIRECT, other)
    asked = [
        call.region
        for call in bucket.calls
        if call.operation == "GetModelInvocationLoggingConfiguration"
    ]
    assert sorted(asked) == ["eu-west-1", "us-east-1"]
