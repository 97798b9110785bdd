"""What `aws logging` completes, leaves alone and refuses."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from moto_aws import ACCOUNT_ID, MotoAws

from exporter.administration.logging_setup.enabling import Destination, Enabling, plan_enabling
from exporter.administration.logging_setup.showing import show_logging
from exporter.administration.plan import DONE, FAILED, PlanError, Step, carry_out
from exporter.administration.setup.place import Place
from exporter.cli import main

PLACE = Place("aws", ACCOUNT_ID, "us-east-1")
NEW = Destination("logs", create=True)


@pytest.fixture(scope="module")
def moto() -> Iterator[MotoAws]:
    with MotoAws() as running:
        yield running


@pytest.fixture
def aws(moto: MotoAws, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[MotoAws]:
    """AWS, asked from an empty directory."""
    monkeypatch.chdir(tmp_path)
    with moto.fresh(monkeypatch) as fresh:
        yield fresh


def plan(aws: MotoAws, destination: Destination) -> list[Step]:
    bedrock, s3 = aws.client("bedrock"), aws.client("s3")
    return list(plan_enabling(bedrock, s3, PLACE, Enabling(destination), lambda _: None))


def take(steps: list[Step]) -> tuple[int, str]:
    shown: list[str] = []
    return carry_out(steps, shown.append, lambda: True), "\n".join(shown)


def enable(aws: MotoAws, destination: Destination) -> tuple[int, str]:
    return take(plan(aws, destination))


def show(aws: MotoAws) -> dict[str, tuple[str, bool]]:
    found = show_logging(aws.client("bedrock"), aws.client("s3"), PLACE, datetime.now(UTC))
    return {finding.name: (finding.text, finding.is_good) for finding in found}


@pytest.mark.parametrize("create", [True, False])
def test_a_bucket_that_was_made_halfway_is_completed(aws: MotoAws, create: bool) -> None:
    aws.refused["PutPublicAccessBlock"] = "AccessDenied"
    assert enable(aws, NEW)[0] == FAILED
    aws.refused.clear()
    aws.take_changes()
    assert enable(aws, Destination("logs", create=create))[0] == DONE
    done = {call.operation for call in aws.take_changes()}
    assert {"PutPublicAccessBlock", "PutBucketPolicy"} <= done
    policy = json.loads(aws.client("s3").get_bucket_policy(Bucket="logs")["Policy"])
    assert [each["Sid"] for each in policy["Statement"]] == [
        "BedrockExporterTlsOnly",
        "BedrockExporterInvocationLogs",
    ]
    assert enable(aws, NEW)[1] == "Nothing to do: all is as it should be."


def test_what_a_bucket_of_ours_lacks_is_shown(aws: MotoAws) -> None:
    enable(aws, NEW)
    assert "bucket" not in show(aws)
    aws.client("s3").delete_public_access_block(Bucket="logs")
    told = "half made, lacks: block public access; `aws logging enable` goes on with it"
    assert show(aws)["bucket"] == (told, False)


def test_acls_that_outrank_the_policy_are_shown(aws: MotoAws) -> None:
    aws.client("s3").create_bucket(Bucket="logs", ObjectOwnership="BucketOwnerEnforced")
    enable(aws, Destination("logs"))
    assert "ownership" not in show(aws)
    rules = {"Rules": [{"ObjectOwnership": "ObjectWriter"}]}
    aws.client("s3").put_bucket_ownership_controls(Bucket="logs", OwnershipControls=rules)
    text, is_good = show(aws)["ownership"]
    assert "ACLs rule" in text and not is_good


def test_a_statement_that_was_added_since_the_plan_is_not_lost(aws: MotoAws) -> None:
    s3 = aws.client("s3")
    s3.create_bucket(Bucket="logs", ObjectOwnership="BucketOwnerEnforced")
    steps = plan(aws, Destination("logs"))
    theirs = {"Sid": "Theirs", "Effect": "Deny", "Principal": "*", "Action": "s3:DeleteObject"}
    theirs["Resource"] = "arn:aws:s3:::logs/*"
    policy = json.dumps({"Version": "2012-10-17", "Statement": [theirs]})
    s3.put_bucket_policy(Bucket="logs", Policy=policy)
    code, shown = take(steps)
    assert code == FAILED
    assert "bucket logs was changed meanwhile; run the command again" in shown
    assert json.loads(s3.get_bucket_policy(Bucket="logs")["Policy"])["Statement"] == [theirs]


def test_a_configuration_that_was_changed_since_the_plan_is_not_lost(aws: MotoAws) -> None:
    bedrock = aws.client("bedrock")
    steps = plan(aws, NEW)
    role = f"arn:aws:iam::{ACCOUNT_ID}:role/logs"
    theirs = {"cloudWatchConfig": {"logGroupName": "bedrock", "roleArn": role}}
    bedrock.put_model_invocation_logging_configuration(loggingConfig=theirs)
    code, shown = take(steps)
    assert code == FAILED
    assert "Model Invocation Logging in us-east-1 was changed meanwhile" in shown
    now = bedrock.get_model_invocation_logging_configuration()["loggingConfig"]
    assert now["cloudWatchConfig"] == theirs["cloudWatchConfig"]


def make_bucket_with_grants(aws: MotoAws) -> None:
    aws.client("s3").create_bucket(
        Bucket="logs", ObjectOwnership="ObjectWriter", ACL="log-delivery-write"
    )


def test_what_an_acl_grants_to_others_is_not_ended_unasked(aws: MotoAws) -> None:
    make_bucket_with_grants(aws)
    with pytest.raises(PlanError, match="--drop-acl-grants") as raised:
        plan(aws, Destination("logs"))
    assert "READ_ACP to http://acs.amazonaws.com/groups/s3/LogDelivery" in str(raised.value)


def test_what_an_acl_grants_to_others_is_told_before_it_ends(aws: MotoAws) -> None:
    make_bucket_with_grants(aws)
    code, shown = enable(aws, Destination("logs", drop_grants=True))
    assert code == DONE
    assert "grant: READ_ACP to http://acs.amazonaws.com/groups/s3/LogDelivery -> none" in shown
    assert "ACLs of objects in it no longer hold" in shown
    grants = aws.client("s3").get_bucket_acl(Bucket="logs")["Grants"]
    assert [grant["Permission"] for grant in grants] == ["FULL_CONTROL"]


@pytest.mark.parametrize(
    ("who", "told"),
    [
        ({"Principal": {"AWS": "*"}}, "of bucket logs refuses bedrock.amazonaws.com to write"),
        ({"NotPrincipal": {"AWS": "arn:aws:iam::123456789012:root"}}, "logs perhaps refuses"),
    ],
)
def test_a_policy_that_refuses_stops_the_plan_and_is_shown(
    aws: MotoAws, who: dict[str, Any], told: str
) -> None:
    s3 = aws.client("s3")
    s3.create_bucket(Bucket="logs", ObjectOwnership="BucketOwnerEnforced")
    enable(aws, Destination("logs"))
    statement = {"Effect": "Deny", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::logs/*"}
    policy = {"Version": "2012-10-17", "Statement": [{**statement, **who}]}
    s3.put_bucket_policy(Bucket="logs", Policy=json.dumps(policy))
    with pytest.raises(PlanError, match=told):
        plan(aws, Destination("logs"))
    text, is_good = show(aws)["policy"]
    assert text.startswith(told.split("logs ")[1]) and not is_good


def command(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["aws", "logging", *arguments])


BUCKET = ("--bucket", "bedrock-logs-{account_id}-{region}", "--prefix", "bedrock")


def test_with_a_region_no_configuration_is_needed(aws: MotoAws) -> None:
    region = ("--region", "us-east-1")
    assert command("enable", *BUCKET, "--create-bucket", *region, "--yes").exit_code == 0
    shown = command("show", *region)
    assert shown.exit_code == 0
    assert f"S3: s3://bedrock-logs-{ACCOUNT_ID}-us-east-1/bedrock/" in shown.output


def test_without_a_region_the_configuration_that_is_missing_is_named(aws: MotoAws) -> None:
    result = command("show")
    assert (result.exit_code, aws.calls) == (1, [])
    assert "config.yaml" in result.output


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (["--region", ""], "'' is not a region"),
        (["--region", "foo"], "'foo' is not a region"),
        (["--bucket", "s3://logs/x"], "is an address; give the name of the bucket alone"),
        (["--bucket", "arn:aws:s3:::logs"], "is an address"),
        (["--bucket", "logs-{Region}"], "'{Region}' is neither {account_id} nor {region}"),
        (["--bucket", ""], "is not the name of a bucket"),
        (["--bucket", "Logs"], "is not the name of a bucket"),
        (["--prefix", "a/*"], "'*'"),
        (["--prefix", "{account}/"], "'{'"),
    ],
)
def test_a_flag_that_cannot_be_right_is_refused_before_aws_is_asked(
    aws: MotoAws, flags: list[str], told: str
) -> None:
    result = command("enable", "--bucket", "logs", "--region", "us-east-1", *flags)
    assert (result.exit_code, aws.calls) == (2, [])
    assert told in " ".join(result.output.split())


@pytest.fixture
def config_file(aws: MotoAws, tmp_path: Path) -> Path:
    path = tmp_path / "config.yaml"
    path.write_text("sources: [{type: invocation_logs, location: logs}]", encoding="utf-8")
    return path


@pytest.mark.parametrize("region", [[], ["--region", "us-east-1"]])
def test_a_profile_that_is_not_there_is_told(
    config_file: Path, monkeypatch: pytest.MonkeyPatch, region: list[str]
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    result = command("show", *region)
    assert result.exit_code == 1
    assert "The config profile (nobody) could not be found" in result.output
    assert isinstance(result.exception, SystemExit)


@pytest.mark.parametrize("region", [[], ["--region", "us-east-1"]])
def test_an_aws_configuration_that_cannot_be_read_is_told(
    config_file: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, region: list[str]
) -> None:
    broken = tmp_path / "broken"
    broken.write_text("no section", encoding="utf-8")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(broken))
    result = command("show", *region)
    assert result.exit_code == 1
    assert "Unable to parse config file" in result.output
    assert isinstance(result.exception, SystemExit)
