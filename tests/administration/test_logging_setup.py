"""`aws logging` against moto over HTTP: switched on per region, merged into what is there."""

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto_aws import ACCOUNT_ID, MotoAws

from exporter.administration.logging_setup.enabling import Destination, Enabling, plan_enabling
from exporter.administration.logging_setup.qdeveloper import console_steps, plan_qdeveloper
from exporter.administration.logging_setup.regions import enter_regions, named_account, regions_of
from exporter.administration.logging_setup.showing import show_logging
from exporter.administration.plan import DONE, FAILED, PlanError, Step, carry_out
from exporter.administration.setup.place import Place
from exporter.config import Config, load

REGIONS = ("us-east-1", "eu-west-1", "ap-northeast-2")
PER_REGION = Destination("logs-{account_id}-{region}", "bedrock", create=True)


@pytest.fixture(scope="module")
def moto() -> Iterator[MotoAws]:
    with MotoAws() as running:
        yield running


@pytest.fixture
def aws(moto: MotoAws, monkeypatch: pytest.MonkeyPatch) -> Iterator[MotoAws]:
    with moto.fresh(monkeypatch) as fresh:
        yield fresh


def plan(aws: MotoAws, regions: Sequence[str], enabling: Enabling) -> list[Step]:
    entered = enter_regions(None, regions, aws.session)
    steps = entered.plan(
        lambda site: plan_enabling(
            site.client("bedrock"), site.client("s3"), site.place, enabling, lambda _: None
        )
    )
    assert entered.problems == []
    return steps


def enable(
    aws: MotoAws, regions: Sequence[str], destination: Destination, **modalities: bool
) -> tuple[int, str]:
    shown: list[str] = []
    steps = plan(aws, regions, Enabling(destination, {**modalities}))
    return carry_out(steps, shown.append, lambda: True), "\n".join(shown)


def configuration(aws: MotoAws, region: str = "us-east-1") -> dict[str, Any]:
    answer = aws.client("bedrock", region).get_model_invocation_logging_configuration()
    found: dict[str, Any] = answer["loggingConfig"]
    return found


def make_bucket(aws: MotoAws, name: str = "logs", **ownership: str) -> None:
    s3 = aws.client("s3")
    s3.create_bucket(Bucket=name, ObjectOwnership="BucketOwnerEnforced", **ownership)


def test_logging_is_switched_on_in_each_region(aws: MotoAws) -> None:
    code, _ = enable(aws, REGIONS, PER_REGION)
    assert code == DONE
    for region in REGIONS:
        assert configuration(aws, region) == {
            "s3Config": {"bucketName": f"logs-{ACCOUNT_ID}-{region}", "keyPrefix": "bedrock"},
            "textDataDeliveryEnabled": True,
            "embeddingDataDeliveryEnabled": True,
            "imageDataDeliveryEnabled": False,
            "videoDataDeliveryEnabled": False,
            "audioDataDeliveryEnabled": False,
        }


def test_the_policy_comes_before_the_configuration(aws: MotoAws) -> None:
    enable(aws, ["us-east-1"], PER_REGION)
    operations = [call.operation for call in aws.take_changes()]
    assert operations[-1] == "PutModelInvocationLoggingConfiguration"
    assert "PutBucketPolicy" in operations


def test_the_second_time_changes_nothing(aws: MotoAws) -> None:
    enable(aws, REGIONS, PER_REGION)
    aws.take_changes()
    code, shown = enable(aws, REGIONS, PER_REGION)
    assert (code, shown) == (DONE, "Nothing to do: all is as it should be.")
    assert aws.take_changes() == []


def test_a_new_bucket_is_private_and_lets_only_bedrock_of_this_account_write(aws: MotoAws) -> None:
    enable(aws, ["eu-west-1"], PER_REGION)
    s3, name = aws.client("s3", "eu-west-1"), f"logs-{ACCOUNT_ID}-eu-west-1"
    block = s3.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"]
    assert set(block.values()) == {True}
    tls, write = json.loads(s3.get_bucket_policy(Bucket=name)["Policy"])["Statement"]
    assert (tls["Effect"], tls["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})
    assert write["Principal"] == {"Service": "bedrock.amazonaws.com"}
    assert write["Resource"] == (
        f"arn:aws:s3:::{name}/bedrock/AWSLogs/{ACCOUNT_ID}/BedrockModelInvocationLogs/*"
    )
    assert write["Condition"] == {
        "StringEquals": {"aws:SourceAccount": ACCOUNT_ID},
        "ArnLike": {"aws:SourceArn": f"arn:aws:bedrock:eu-west-1:{ACCOUNT_ID}:*"},
    }


def test_a_bucket_that_is_there_gets_the_statement_and_keeps_the_rest(aws: MotoAws) -> None:
    make_bucket(aws)
    theirs = {"Sid": "Audit", "Effect": "Deny", "Principal": "*", "Action": "s3:DeleteObject"}
    theirs["Resource"] = "arn:aws:s3:::logs/*"
    policy = {"Version": "2012-10-17", "Statement": [theirs]}
    aws.client("s3").put_bucket_policy(Bucket="logs", Policy=json.dumps(policy))
    aws.take_changes()
    enable(aws, ["us-east-1"], Destination("logs"))
    assert [call.operation for call in aws.take_changes()] == [
        "PutBucketPolicy",
        "PutModelInvocationLoggingConfiguration",
    ]
    statements = json.loads(aws.client("s3").get_bucket_policy(Bucket="logs")["Policy"])
    assert statements["Statement"][0] == theirs
    assert statements["Statement"][1]["Sid"] == "BedrockExporterInvocationLogs"


def test_acls_that_would_outrank_the_policy_are_switched_off(aws: MotoAws) -> None:
    aws.client("s3").create_bucket(Bucket="logs", ObjectOwnership="ObjectWriter")
    _, shown = enable(aws, ["us-east-1"], Destination("logs"))
    assert "ownership: ObjectWriter -> BucketOwnerEnforced" in shown


def test_what_goes_to_cloudwatch_goes_on_to_go_there(aws: MotoAws) -> None:
    make_bucket(aws)
    role = f"arn:aws:iam::{ACCOUNT_ID}:role/logs"
    cloudwatch = {"logGroupName": "bedrock", "roleArn": role}
    aws.client("bedrock").put_model_invocation_logging_configuration(
        loggingConfig={"cloudWatchConfig": cloudwatch, "imageDataDeliveryEnabled": True}
    )
    _, shown = enable(aws, ["us-east-1"], Destination("logs"), embedding=False)
    assert "change Model Invocation Logging in us-east-1" in shown
    now = configuration(aws)
    assert now["cloudWatchConfig"] == cloudwatch
    assert now["s3Config"] == {"bucketName": "logs"}
    # As it was, as wished, and the default.
    assert now["imageDataDeliveryEnabled"] is True
    assert now["embeddingDataDeliveryEnabled"] is False
    assert now["textDataDeliveryEnabled"] is True


def test_another_destination_is_shown_from_and_to(aws: MotoAws) -> None:
    make_bucket(aws)
    make_bucket(aws, "other")
    enable(aws, ["us-east-1"], Destination("logs"))
    _, shown = enable(aws, ["us-east-1"], Destination("other", "x/"), text=False)
    assert "S3: s3://logs/ -> s3://other/x/" in shown
    assert "text: on -> off" in shown


def problems(aws: MotoAws, destination: Destination, region: str = "us-east-1") -> str:
    entered = enter_regions(None, [region], aws.session)
    steps = entered.plan(
        lambda site: plan_enabling(
            site.client("bedrock"), site.client("s3"), site.place, Enabling(destination)
        )
    )
    assert (steps, entered.sites) == ([], [])
    return entered.problems[0]


def test_a_missing_bucket_is_not_made_unasked(aws: MotoAws) -> None:
    assert "have it made with --create-bucket" in problems(aws, Destination("logs"))


def test_a_bucket_of_another_region_is_refused(aws: MotoAws) -> None:
    make_bucket(aws)
    told = problems(aws, Destination("logs"), "eu-west-1")
    assert "bucket logs is in us-east-1, not in eu-west-1; name one there" in told


def test_a_bucket_of_somebody_else_is_refused(aws: MotoAws) -> None:
    aws.refused["HeadBucket"] = "403"
    assert "bucket logs is of another account" in problems(aws, Destination("logs", create=True))


def test_a_policy_that_refuses_everybody_is_not_talked_around(aws: MotoAws) -> None:
    make_bucket(aws)
    refusal = {"Effect": "Deny", "Principal": "*", "Action": "s3:PutObject", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [refusal]})
    aws.client("s3").put_bucket_policy(Bucket="logs", Policy=policy)
    told = problems(aws, Destination("logs"))
    assert "the policy of bucket logs refuses bedrock.amazonaws.com to write" in told


def test_a_refused_call_names_the_permission(aws: MotoAws) -> None:
    aws.refused["PutModelInvocationLoggingConfiguration"] = "AccessDeniedException"
    code, shown = enable(aws, ["us-east-1"], PER_REGION)
    assert code == FAILED
    assert "allow bedrock:PutModelInvocationLoggingConfiguration on * to whoever" in shown


class EarlyBedrock:
    """Bedrock that finds the policy only at the third attempt; moto never looks at it."""

    def __init__(self, message: str) -> None:
        self.attempts = 0
        self._message = message

    def get_model_invocation_logging_configuration(self) -> Any:
        return {}

    def put_model_invocation_logging_configuration(self, **_: Any) -> None:
        self.attempts += 1
        if self.attempts < 3:
            error = {"Code": "ValidationException", "Message": self._message}
            raise ClientError({"Error": error}, "PutModelInvocationLoggingConfiguration")


def put_early(aws: MotoAws, bedrock: Any) -> tuple[int, list[float]]:
    make_bucket(aws)
    waited: list[float] = []
    place = Place("aws", ACCOUNT_ID, "us-east-1")
    destination = Enabling(Destination("logs"))
    steps = plan_enabling(bedrock, aws.client("s3"), place, destination, waited.append)
    return carry_out(list(steps), lambda _: None, lambda: True), waited


def test_a_policy_that_does_not_hold_yet_is_waited_for(aws: MotoAws) -> None:
    bedrock = EarlyBedrock("Failed to validate permissions for bucket logs")
    assert put_early(aws, bedrock) == (DONE, [5.0, 5.0])
    assert bedrock.attempts == 3


def test_another_mistake_is_not_waited_for(aws: MotoAws) -> None:
    assert put_early(aws, EarlyBedrock("keyPrefix is too long")) == (FAILED, [])


def show(aws: MotoAws, now: datetime | None = None) -> dict[str, tuple[str, bool]]:
    place = Place("aws", ACCOUNT_ID, "us-east-1")
    moment = now or datetime.now(UTC)
    found = show_logging(aws.client("bedrock"), aws.client("s3"), place, moment)
    return {finding.name: (finding.text, finding.is_good) for finding in found}


def test_logging_that_is_off_is_shown_as_such(aws: MotoAws) -> None:
    assert show(aws) == {"logging": ("off; switch it on with `aws logging enable`", False)}


def test_logging_that_works_is_shown_with_its_newest_object(aws: MotoAws) -> None:
    make_bucket(aws)
    enable(aws, ["us-east-1"], Destination("logs", "b"))
    logs = f"b/AWSLogs/{ACCOUNT_ID}/BedrockModelInvocationLogs/us-east-1"
    key = f"{logs}/2026/11/22/07/20261122T070000Z_0a.json.gz"
    aws.client("s3").put_object(Bucket="logs", Key=key, Body=b"12345")
    shown = show(aws, datetime.now(UTC) + timedelta(minutes=5))
    assert shown["S3"] == ("s3://logs/b/", True)
    assert shown["text"] == ("on", True)
    assert shown["policy"] == ("lets bedrock.amazonaws.com write", True)
    text, is_good = shown["newest object"]
    assert text.startswith(f"{key}, 5 bytes, 0:0") and is_good


def test_what_is_not_logged_is_shown_with_what_the_figures_lack(aws: MotoAws) -> None:
    make_bucket(aws)
    enable(aws, ["us-east-1"], Destination("logs"), text=False)
    assert "lifetime of cache writes" in show(aws)["text"][0]


def test_logs_that_cannot_be_written_are_shown_as_such(aws: MotoAws) -> None:
    make_bucket(aws)
    enable(aws, ["us-east-1"], Destination("logs"))
    aws.client("s3").delete_bucket_policy(Bucket="logs")
    assert show(aws)["policy"][1] is False
    aws.client("s3").delete_bucket(Bucket="logs")
    assert show(aws)["bucket"] == ("logs does not exist; no log is kept", False)


def test_what_may_not_be_read_is_shown_and_hides_nothing(aws: MotoAws) -> None:
    make_bucket(aws)
    enable(aws, ["us-east-1"], Destination("logs"))
    aws.refused["GetBucketPolicy"] = "AccessDenied"
    shown = show(aws)
    assert "allow s3:GetBucketPolicy" in shown["bucket"][0]
    assert shown["newest object"] == ("none yet; a call shows after some minutes", True)


def test_showing_changes_nothing(aws: MotoAws) -> None:
    make_bucket(aws)
    enable(aws, ["us-east-1"], Destination("logs"))
    aws.take_changes()
    show(aws)
    assert aws.take_changes() == []


def test_the_bucket_of_amazon_q_developer_is_prepared_once(aws: MotoAws) -> None:
    place = Place("aws", ACCOUNT_ID, "us-east-1")
    wanted = Destination("q-{account_id}", "prompts", create=True)

    def carry_out_again() -> int:
        steps = list(plan_qdeveloper(aws.client("s3"), place, wanted))
        carry_out(steps, lambda _: None, lambda: True)
        return len(aws.take_changes())

    assert carry_out_again() == 6
    assert carry_out_again() == 0
    policy = aws.client("s3").get_bucket_policy(Bucket=f"q-{ACCOUNT_ID}")["Policy"]
    statement = json.loads(policy)["Statement"][1]
    assert statement["Principal"] == {"Service": "q.amazonaws.com"}
    told = "\n".join(console_steps(place, wanted))
    assert "No API switches this on" in told
    assert f"s3://q-{ACCOUNT_ID}/prompts/" in told


def test_amazon_q_developer_does_not_write_to_the_root_of_a_bucket(aws: MotoAws) -> None:
    place = Place("aws", ACCOUNT_ID, "us-east-1")
    with pytest.raises(PlanError, match="--prefix"):
        list(plan_qdeveloper(aws.client("s3"), place, Destination("logs")))


def config(folder: Path) -> Config:
    path = folder / "config.yaml"
    path.write_text(
        "sources:\n"
        "  - {type: athena, region: us-west-2, location: 's3://logs/a'}\n"
        "aws:\n"
        "  accounts:\n"
        "    - {name: dev, role_arn: 'arn:aws:iam::111122223333:role/r', regions: [eu-west-1]}\n",
        encoding="utf-8",
    )
    return load(path)


def test_regions_are_the_given_ones_else_those_of_the_configuration(tmp_path: Path) -> None:
    settings = config(tmp_path)
    dev = named_account(settings, "dev")
    assert regions_of(settings, dev, ["a", "a", "b"], None) == ("a", "b")
    assert regions_of(settings, dev, [], "us-east-1") == ("eu-west-1",)
    assert regions_of(settings, None, [], "us-east-1") == ("us-west-2", "us-east-1")


def test_an_account_that_is_not_configured_is_named(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match=r"aws\.accounts has no 'prod'; it has dev"):
        named_account(config(tmp_path), "prod")


def test_a_region_that_does_not_let_us_in_hides_no_other(aws: MotoAws) -> None:
    aws.refused["GetCallerIdentity"] = "ExpiredToken"
    aws.refused_regions = {"eu-west-1"}
    entered = enter_regions(None, REGIONS, aws.session)
    assert [site.place.region for site in entered.sites] == ["us-east-1", "ap-northeast-2"]
    assert entered.problems[0].startswith("eu-west-1: sts:GetCallerIdentity")
