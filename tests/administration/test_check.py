"""`aws check`: every row tried against AWS over HTTP, and each kind of failure with its remedy."""

import gzip
import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError
from click.testing import CliRunner, Result
from moto_aws import ACCOUNT_ID, MotoAws

from exporter.administration.check import Report, Row, Status, check
from exporter.administration.check import run as running
from exporter.administration.check.identities import Identity
from exporter.administration.check.rendering import as_json, as_table
from exporter.administration.check.rows import failed, ok, warning
from exporter.cli import main
from exporter.config import Config
from exporter.sources.log_store import key_of
from exporter.usage import AwsRequest
from usage_builders import Call, json_lines, log_object, write_log

NOW = datetime(2026, 11, 22, 8, 30, tzinfo=UTC)
DIRECT = {"type": "invocation_logs", "name": "logs", "location": "s3://logs/bedrock"}
RESEARCH = {
    "name": "research",
    "role_arn": "arn:aws:iam::444455556666:role/Reader",
    "regions": ["eu-west-1"],
}


@pytest.fixture(scope="module")
def moto() -> Iterator[MotoAws]:
    with MotoAws() as running:
        yield running


@pytest.fixture
def aws(moto: MotoAws, monkeypatch: pytest.MonkeyPatch) -> Iterator[MotoAws]:
    """An account with a bucket of logs, the newest of this hour, and with logging on."""
    monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=lambda seconds: None))
    with moto.fresh(monkeypatch) as fresh:
        fresh.client("s3").create_bucket(Bucket="logs")
        put(fresh, NOW)
        deliver(fresh, "us-east-1", "logs", "bedrock")
        fresh.calls.clear()
        yield fresh


def put(aws: MotoAws, time: datetime, **fields: Any) -> None:
    """Store a log object of one call."""
    call = Call("one", time, **{"account_id": ACCOUNT_ID, **fields})
    unit = log_object(time, call.account_id, call.region)
    content = gzip.compress(json_lines([call]))
    aws.client("s3").put_object(Bucket="logs", Key=f"bedrock/{key_of(unit)}", Body=content)


def deliver(aws: MotoAws, region: str, bucket: str, prefix: str) -> None:
    """Turn Model Invocation Logging on."""
    delivery = {"s3Config": {"bucketName": bucket, "keyPrefix": prefix}}
    aws.client("bedrock", region).put_model_invocation_logging_configuration(loggingConfig=delivery)


def config(*sources: dict[str, Any], **changes: Any) -> Config:
    return Config.model_validate({"sources": sources or [DIRECT], **changes})


def rows(report: Report) -> dict[tuple[str, str], Row]:
    """The rows by subject and check."""
    return {(row.subject, row.check): row for row in report.rows}


def found(settings: Config, subject: str, name: str) -> Row:
    return rows(check(settings, NOW))[subject, name]


def test_what_works_is_green(aws: MotoAws) -> None:
    report = check(config(), NOW)
    assert [(row.status, row.subject, row.check) for row in report.rows] == [
        (Status.OK, "exporter", "credentials"),
        (Status.OK, "source logs", "bucket"),
        (Status.OK, "source logs", "list logs"),
        (Status.OK, "source logs", "newest log object"),
        (Status.OK, "exporter", "logging in us-east-1"),
    ]
    assert not report.has_failed
    assert all(row.remedy == "" for row in report.rows)


def test_nothing_is_changed(aws: MotoAws) -> None:
    lookups = {"role_tags": {"team": "team"}}
    check(config(aws={"lookups": lookups}), NOW)
    assert aws.take_changes() == []


def test_without_credentials_all_that_hangs_on_them_is_not_tried(
    aws: MotoAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    report = check(config(), NOW)
    assert [(row.status, row.check) for row in report.rows] == [(Status.FAILED, "credentials")] * 2
    assert "not tried" in report.rows[1].found


def test_expired_credentials_are_to_be_renewed(aws: MotoAws) -> None:
    aws.refused["GetCallerIdentity"] = "ExpiredToken"
    row = found(config(), "exporter", "credentials")
    assert row.status is Status.FAILED
    assert "renew" in row.remedy


def test_a_role_that_is_refused_hides_no_other_account(aws: MotoAws) -> None:
    aws.refused["AssumeRole"] = "AccessDenied"
    theirs = {**DIRECT, "name": "theirs", "location": "s3://logs/theirs", "account": "research"}
    report = check(config(theirs, DIRECT, aws={"accounts": [RESEARCH]}), NOW)
    told = rows(report)
    assert told["account research", "credentials"].status is Status.FAILED
    assert "trust policy" in told["account research", "credentials"].remedy
    assert told["source logs", "newest log object"].status is Status.OK


def test_a_role_is_assumed_and_used(aws: MotoAws) -> None:
    theirs = {**DIRECT, "account": "research"}
    row = found(config(theirs, aws={"accounts": [RESEARCH]}), "account research", "credentials")
    assert row.found == "arn:aws:sts::444455556666:assumed-role/Reader/bedrock-exporter"


def test_a_bucket_that_is_not_there_is_red(aws: MotoAws) -> None:
    report = check(config({**DIRECT, "location": "s3://nowhere"}), NOW)
    row = rows(report)["source logs", "bucket"]
    assert (row.status, row.found) == (Status.FAILED, "nowhere: there is no such bucket")
    assert row.remedy == "correct `location`"


def test_a_bucket_of_another_region_than_athena_s_is_yellow(aws: MotoAws) -> None:
    athena = {"type": "athena", "location": "s3://logs/bedrock", "region": "eu-west-1"}
    row = found(config(athena), "source athena", "bucket")
    assert (row.status, row.found) == (
        Status.WARNING,
        "logs is in us-east-1, Athena in eu-west-1",
    )
    assert "us-east-1" in row.remedy


def test_a_bucket_s_region_is_told_to_whoever_may_not_look_into_it(
    aws: MotoAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusal: Any = {
        "Error": {"Code": "403", "Message": "Forbidden"},
        "ResponseMetadata": {
            "HTTPStatusCode": 403,
            "HTTPHeaders": {"x-amz-bucket-region": "eu-west-1"},
        },
    }

    def head_bucket(**_: str) -> None:
        raise ClientError(refusal, "HeadBucket")

    refusing = SimpleNamespace(head_bucket=head_bucket)
    client = Identity.client
    monkeypatch.setattr(
        Identity,
        "client",
        lambda self, service, region=None: (
            refusing if service == "s3" else client(self, service, region)
        ),
    )
    row = found(config(), "source logs", "bucket")
    assert (row.status, row.found) == (Status.OK, "logs is in eu-west-1")


@pytest.mark.parametrize(
    ("operation", "name", "words"),
    [
        ("ListObjectsV2", "list logs", "s3:ListBucket"),
        ("GetObject", "newest log object", "s3:GetObject"),
    ],
)
def test_a_right_that_is_missing_is_named(
    aws: MotoAws, operation: str, name: str, words: str
) -> None:
    aws.refused[operation] = "AccessDenied"
    row = found(config(), "source logs", name)
    assert row.status is Status.FAILED
    assert words in row.remedy
    assert "`bedrock-exporter aws permissions`" in row.remedy


def test_a_location_without_logs_is_red(aws: MotoAws) -> None:
    row = found(config({**DIRECT, "location": "s3://logs/other"}), "source logs", "list logs")
    assert row.status is Status.FAILED
    assert "no Bedrock logs" in row.found
    assert "`bedrock-exporter aws logging" in row.remedy


def test_each_account_and_region_has_its_newest_log_object(aws: MotoAws) -> None:
    put(aws, NOW - timedelta(hours=5), account_id="444455556666", region="eu-west-1")
    report = check(config(), NOW)
    told = [row.found for row in report.rows if row.check == "newest log object"]
    assert told[0].startswith(f"{ACCOUNT_ID}/us-east-1: of this hour, ")
    assert told[1].startswith("444455556666/eu-west-1: 5 hours old, ")


def test_logs_that_ended_are_yellow(aws: MotoAws) -> None:
    put(aws, NOW - timedelta(days=3), region="us-west-2")
    put(aws, NOW - timedelta(days=30), region="us-east-2")
    report = check(config(), NOW)
    told = {row.found[13:22]: row for row in report.rows if row.check == "newest log object"}
    assert told["us-west-2"].status is Status.WARNING
    assert "3 days old" in told["us-west-2"].found
    assert told["us-east-2"].status is Status.WARNING
    assert "none in the last 7 days" in told["us-east-2"].found


def test_accounts_without_credentials_are_said_not_to_be_checked(aws: MotoAws) -> None:
    put(aws, NOW, account_id="444455556666")
    report = check(config(), NOW)
    assert any("444455556666" in sentence for sentence in report.not_checked)
    assert not any(ACCOUNT_ID in sentence for sentence in report.not_checked)


def test_price_lists_are_said_not_to_be_checked(aws: MotoAws) -> None:
    assert any("price lists" in sentence for sentence in check(config(), NOW).not_checked)


def test_logging_that_is_off_is_yellow_and_red_where_the_configuration_names_the_region(
    aws: MotoAws,
) -> None:
    aws.client("bedrock").delete_model_invocation_logging_configuration()
    assert found(config(), "exporter", "logging in us-east-1").status is Status.WARNING
    theirs = {**DIRECT, "account": "research"}
    row = found(
        config(theirs, aws={"accounts": [RESEARCH]}), "account research", "logging in eu-west-1"
    )
    assert (row.status, row.found) == (Status.FAILED, "off")
    assert "`bedrock-exporter aws logging" in row.remedy


def test_logging_to_where_no_source_reads_is_yellow(aws: MotoAws) -> None:
    deliver(aws, "us-east-1", "elsewhere", "x/")
    row = found(config(), "exporter", "logging in us-east-1")
    assert (row.status, row.found) == (
        Status.WARNING,
        "on, to s3://elsewhere/x, which no source reads",
    )


def test_logging_that_may_not_be_looked_at_is_yellow(aws: MotoAws) -> None:
    aws.refused["GetModelInvocationLoggingConfiguration"] = "AccessDeniedException"
    row = found(config(), "exporter", "logging in us-east-1")
    assert row.status is Status.WARNING
    assert "allow bedrock:GetModelInvocationLoggingConfiguration" in row.remedy


LOOKUPS = {
    "inference_profiles": True,
    "role_tags": {"team": "team"},
    "identity_center": {"identity_store_id": "d-1234567890", "region": "eu-west-1"},
}


@pytest.mark.parametrize(
    ("operation", "permission", "unknown", "denied"),
    [
        (
            "GetInferenceProfile",
            "bedrock:GetInferenceProfile",
            "ResourceNotFoundException",
            "AccessDeniedException",
        ),
        ("ListRoleTags", "iam:ListRoleTags", "NoSuchEntity", "AccessDenied"),
        (
            "DescribeUser",
            "identitystore:DescribeUser",
            "ResourceNotFoundException",
            "AccessDeniedException",
        ),
    ],
)
def test_a_look_up_is_tried_with_a_name_that_nobody_bears(
    aws: MotoAws, operation: str, permission: str, unknown: str, denied: str
) -> None:
    settings = config(aws={"lookups": LOOKUPS})
    aws.refused["GetInferenceProfile"] = "ResourceNotFoundException"  # which moto lacks
    aws.refused[operation] = unknown
    allowed = [row for row in check(settings, NOW).rows if row.found == f"{permission} is allowed"]
    assert [row.status for row in allowed] == [Status.OK]
    aws.refused[operation] = denied
    (row,) = [row for row in check(settings, NOW).rows if operation in row.found]
    assert row.status is Status.FAILED
    assert f"allow {permission} on arn:aws:" in row.remedy


def test_no_look_up_is_tried_that_is_not_configured(aws: MotoAws) -> None:
    check(config(), NOW)
    assert not {"GetInferenceProfile", "ListRoleTags", "DescribeUser"} & {
        call.operation for call in aws.calls
    }


def test_a_folder_is_checked_without_aws(tmp_path: Path) -> None:
    write_log(tmp_path, [Call("one", NOW)])
    report = check(config({**DIRECT, "location": str(tmp_path)}), NOW)
    assert [(row.status, row.check) for row in report.rows] == [
        (Status.OK, "list logs"),
        (Status.OK, "newest log object"),
    ]
    assert report.billed_requests == 0


def test_a_copy_in_a_folder_says_nothing_of_logging(aws: MotoAws, tmp_path: Path) -> None:
    write_log(tmp_path, [Call("one", NOW, account_id=ACCOUNT_ID, region="ap-northeast-2")])
    copy = {**DIRECT, "name": "copy", "location": str(tmp_path)}
    report = check(config(DIRECT, copy), NOW)
    assert {name for _, name in rows(report) if name.startswith("logging")} == {
        "logging in us-east-1"
    }


def test_a_folder_that_is_not_there_is_red(tmp_path: Path) -> None:
    report = check(config({**DIRECT, "location": str(tmp_path / "nowhere")}), NOW)
    assert report.has_failed
    assert "there is no such folder" in report.rows[0].found
    assert report.rows[0].remedy == "correct `location`"


def test_a_bug_in_one_check_is_red_and_stops_no_other(
    aws: MotoAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> Row:
        raise ZeroDivisionError

    monkeypatch.setattr(running, "check_bucket", broken)
    report = check(config(), NOW)
    row = rows(report)["source logs", "bucket"]
    assert (row.status, row.remedy) == (Status.FAILED, "please report it")
    assert rows(report)["source logs", "newest log object"].status is Status.OK


def test_every_row_that_is_not_green_says_what_to_do(aws: MotoAws) -> None:
    for code in ("AccessDenied", "ExpiredToken", "SlowDown", "InternalError", "NeverHeardOf"):
        for operation in ("GetCallerIdentity", "HeadBucket", "ListObjectsV2", "GetObject"):
            aws.refused.clear()
            aws.refused[operation] = code
            report = check(config(), NOW)
            assert report.has_failed
            assert all(row.remedy for row in report.rows if row.status is not Status.OK)


def test_no_secret_is_in_what_is_told(aws: MotoAws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY")
    account = {**RESEARCH, "external_id": "the-external-id"}
    theirs = {**DIRECT, "account": "research"}
    aws.refused["AssumeRole"] = "AccessDenied"
    report = check(config(theirs, aws={"accounts": [account]}), NOW)
    assert "wJalr" not in as_json(report)
    assert "the-external-id" not in as_json(report)


REPORT = Report(
    rows=[
        ok("exporter", "credentials", "arn:aws:sts::111122223333:user/me"),
        warning("source logs", "bucket", "in another region", "move it"),
        failed("source logs", "list logs", "access denied\x1b[2J", "allow s3:ListBucket"),
    ],
    not_checked=["the weather"],
    requests=Counter(
        {AwsRequest("s3", "ListObjectsV2"): 3, AwsRequest("sts", "GetCallerIdentity"): 1}
    ),
    scanned_bytes=2_048,
    queries_usd=Decimal("0.00005"),
)


def test_a_table_has_a_word_for_each_status_and_a_remedy_below() -> None:
    assert list(as_table(REPORT, colour=False)) == [
        "ok       exporter     credentials  arn:aws:sts::111122223333:user/me",
        "warning  source logs  bucket       in another region",
        "                                   -> move it",
        "failed   source logs  list logs    access denied [2J",
        "                                   -> allow s3:ListBucket",
        "",
        "1 ok, 1 warning, 1 failed.",
        "Not checked: the weather",
        "This took 3 billed requests, 2,048 bytes scanned by Athena: about $0.000065.",
    ]


def test_colour_is_added_to_the_words() -> None:
    plain, coloured = as_table(REPORT, colour=False), as_table(REPORT, colour=True)
    assert "\x1b[31mfailed \x1b[0m" in "\n".join(coloured)
    assert "\x1b" not in "\n".join(plain)


def test_json_says_the_same() -> None:
    document = json.loads(as_json(REPORT))
    assert document["failed"] is True
    assert [row["status"] for row in document["rows"]] == ["ok", "warning", "failed"]
    assert document["rows"][2]["remedy"] == "allow s3:ListBucket"
    assert (document["billed_requests"], document["cost_usd"]) == (3, "0.000065")


def typed(folder: Path, text: str, *arguments: str) -> Result:
    file = folder / "config.yaml"
    file.write_text(text, encoding="utf-8")
    return CliRunner().invoke(main, ["aws", "check", f"--config.file={file}", *arguments])


FOLDER = "sources: [{type: invocation_logs, location: logs}]"


def test_the_command_s_exit_code_tells_scripts(tmp_path: Path) -> None:
    red = typed(tmp_path, FOLDER)
    write_log(tmp_path / "logs", [Call("one", datetime.now(UTC))])
    green = typed(tmp_path, FOLDER, "--output", "json")
    assert (red.exit_code, green.exit_code) == (1, 0)
    assert json.loads(green.stdout)["failed"] is False
    assert "\x1b" not in red.output


def test_a_configuration_that_is_wrong_is_told_before_anything_is_tried(tmp_path: Path) -> None:
    result = typed(tmp_path, "sources: []")
    assert result.exit_code == 1
    assert "config.yaml: sources" in result.output
