"""`aws setup` against moto over HTTP: made once, changed only where it differs, in every region."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from moto_aws import ACCOUNT_ID, Call, MotoAws

from exporter.administration.plan import DONE, FAILED, PlanError, carry_out
from exporter.administration.setup.planning import Options, Setup, athena_sources, plan_setup
from exporter.aws.athena_table import table_input
from exporter.config import Config, load

REGIONS = ("us-east-1", "eu-west-1", "ap-northeast-2")


@pytest.fixture(scope="module")
def moto() -> Iterator[MotoAws]:
    with MotoAws() as running:
        yield running


@pytest.fixture
def aws(moto: MotoAws, monkeypatch: pytest.MonkeyPatch) -> Iterator[MotoAws]:
    with moto.fresh(monkeypatch) as fresh:
        yield fresh


def config(folder: Path, *sources: str, aws: str = "") -> Config:
    """A configuration with athena sources, of which only what is not the default is written."""
    listed = "".join(f"  - {{type: athena, {source}}}\n" for source in sources)
    path = folder / "config.yaml"
    path.write_text(f"sources:\n{listed}{aws}", encoding="utf-8")
    return load(path)


def source_in(region: str) -> str:
    return f"name: {region}, region: {region}, location: 's3://logs-{region}/bedrock'"


def plan(aws: MotoAws, settings: Config, options: Options = Options()) -> Setup:  # noqa: B008
    return plan_setup(settings, athena_sources(settings), options, aws.session)


def set_up(aws: MotoAws, settings: Config, options: Options = Options()) -> tuple[int, list[str]]:  # noqa: B008
    """Plan, agree, and return the exit code and what was shown."""
    setup = plan(aws, settings, options)
    assert setup.problems == []
    shown: list[str] = []
    return carry_out(setup.steps, shown.append, lambda: True), shown


def bucket_of(region: str) -> str:
    return f"bedrock-exporter-{ACCOUNT_ID}-{region}"


def operations(calls: list[Call]) -> list[str]:
    return [call.operation for call in calls]


def test_everything_is_made_in_each_region(aws: MotoAws, tmp_path: Path) -> None:
    code, _ = set_up(aws, config(tmp_path, *map(source_in, REGIONS)))
    assert code == DONE
    made = [
        ("s3", "CreateBucket"),
        ("s3", "PutBucketTagging"),
        ("s3", "PutPublicAccessBlock"),
        ("s3", "PutBucketOwnershipControls"),
        ("s3", "PutBucketEncryption"),
        ("s3", "PutBucketPolicy"),
        ("s3", "PutBucketLifecycleConfiguration"),
        ("glue", "CreateDatabase"),
        ("glue", "CreateTable"),
        ("athena", "CreateWorkGroup"),
    ]
    changes = [(call.region, (call.service, call.operation)) for call in aws.take_changes()]
    assert changes == [(region, each) for region in REGIONS for each in made]


def test_the_second_time_changes_nothing(aws: MotoAws, tmp_path: Path) -> None:
    settings = config(tmp_path, *map(source_in, REGIONS))
    options = Options(qdeveloper_location="s3://reports/q")
    set_up(aws, settings, options)
    aws.take_changes()
    code, shown = set_up(aws, settings, options)
    assert (code, shown) == (DONE, ["Nothing to do: all is as it should be."])
    assert aws.take_changes() == []


def test_planning_and_a_dry_run_change_nothing(aws: MotoAws, tmp_path: Path) -> None:
    setup = plan(aws, config(tmp_path, source_in("us-east-1")))
    assert carry_out(setup.steps, lambda _: None, lambda: True, dry_run=True) == DONE
    assert len(setup.steps) == 10
    assert aws.take_changes() == []


def test_nothing_is_sent_that_was_not_announced(aws: MotoAws, tmp_path: Path) -> None:
    setup = plan(aws, config(tmp_path, *map(source_in, REGIONS)))
    carry_out(setup.steps, lambda _: None, lambda: True)
    assert len(aws.take_changes()) == len(setup.steps)


@pytest.mark.parametrize("region", REGIONS)
def test_the_bucket_is_private_and_encrypted_and_forgets(
    aws: MotoAws, tmp_path: Path, region: str
) -> None:
    set_up(aws, config(tmp_path, source_in(region)), Options(result_days=3))
    s3, name = aws.client("s3", region), bucket_of(region)
    assert s3.head_bucket(Bucket=name)["BucketRegion"] == region
    block = s3.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"]
    assert set(block.values()) == {True}
    ownership = s3.get_bucket_ownership_controls(Bucket=name)["OwnershipControls"]
    assert ownership["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}]
    rules = s3.get_bucket_encryption(Bucket=name)["ServerSideEncryptionConfiguration"]["Rules"]
    assert rules[0]["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}
    policy = json.loads(s3.get_bucket_policy(Bucket=name)["Policy"])
    assert policy["Statement"] == [
        {
            "Sid": "BedrockExporterTlsOnly",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": [f"arn:aws:s3:::{name}", f"arn:aws:s3:::{name}/*"],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }
    ]
    expiry, abortion = s3.get_bucket_lifecycle_configuration(Bucket=name)["Rules"]
    assert (expiry["Filter"], expiry["Expiration"]) == ({"Prefix": "athena/"}, {"Days": 3})
    assert abortion["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 7}
    tags = s3.get_bucket_tagging(Bucket=name)["TagSet"]
    assert tags == [{"Key": "created-by", "Value": "bedrock-exporter"}]


def test_the_table_is_the_one_that_the_source_asks(aws: MotoAws, tmp_path: Path) -> None:
    set_up(aws, config(tmp_path, source_in("eu-west-1")))
    glue = aws.client("glue", "eu-west-1")
    table = glue.get_table(DatabaseName="bedrock_exporter", Name="invocation_logs")["Table"]
    wanted = table_input("invocation_logs", "s3://logs-eu-west-1/bedrock")
    assert table["StorageDescriptor"] == wanted["StorageDescriptor"]
    assert table["PartitionKeys"] == wanted["PartitionKeys"]
    assert table["Parameters"] == {**wanted["Parameters"], "created-by": "bedrock-exporter"}


def test_the_workgroup_decides_where_results_lie_and_what_a_query_may_scan(
    aws: MotoAws, tmp_path: Path
) -> None:
    ceiling = "aws: {max_cost_usd_per_day: 0.50}"
    set_up(aws, config(tmp_path, source_in("eu-west-1"), aws=ceiling))
    athena = aws.client("athena", "eu-west-1")
    workgroup = athena.get_work_group(WorkGroup="bedrock-exporter")["WorkGroup"]
    wanted = {
        "ResultConfiguration": {
            "OutputLocation": f"s3://{bucket_of('eu-west-1')}/athena/",
            "EncryptionConfiguration": {"EncryptionOption": "SSE_S3"},
            "ExpectedBucketOwner": ACCOUNT_ID,
        },
        "EnforceWorkGroupConfiguration": True,
        "PublishCloudWatchMetricsEnabled": False,
        "BytesScannedCutoffPerQuery": 10_000_000_000,
        "EngineVersion": {"SelectedEngineVersion": "Athena engine version 3"},
    }
    assert workgroup["Configuration"].items() >= wanted.items()


def test_a_key_encrypts_bucket_and_results(aws: MotoAws, tmp_path: Path) -> None:
    key = f"arn:aws:kms:us-east-1:{ACCOUNT_ID}:key/1"
    settings = config(tmp_path, source_in("us-east-1"))
    set_up(aws, settings, Options(kms_key=key))
    encryption = aws.client("s3").get_bucket_encryption(Bucket=bucket_of("us-east-1"))
    rule = encryption["ServerSideEncryptionConfiguration"]["Rules"][0]
    assert rule["ApplyServerSideEncryptionByDefault"]["KMSMasterKeyID"] == key
    workgroup = aws.client("athena").get_work_group(WorkGroup="bedrock-exporter")["WorkGroup"]
    results = workgroup["Configuration"]["ResultConfiguration"]
    assert results["EncryptionConfiguration"] == {"EncryptionOption": "SSE_KMS", "KmsKey": key}
    # Whoever leaves the option out the next time keeps the key.
    assert set_up(aws, settings)[1] == ["Nothing to do: all is as it should be."]


def test_the_reports_of_amazon_q_developer_get_a_table_if_they_are_named(
    aws: MotoAws, tmp_path: Path
) -> None:
    set_up(
        aws, config(tmp_path, source_in("us-east-1")), Options(qdeveloper_location="s3://reports/q")
    )
    table = aws.client("glue").get_table(
        DatabaseName="bedrock_exporter", Name="qdeveloper_by_user_analytic"
    )["Table"]
    columns = [column["Name"] for column in table["StorageDescriptor"]["Columns"]]
    assert (len(columns), columns[:3]) == (46, ["userid", "date", "chat_aicodelines"])
    assert table["StorageDescriptor"]["SerdeInfo"]["SerializationLibrary"].endswith("OpenCSVSerde")
    assert table["Parameters"]["skip.header.line.count"] == "1"
    assert table["Parameters"]["storage.location.template"] == (
        "s3://reports/q/AWSLogs/${account_id}/QDeveloperLogs/by_user_analytic/${region}/${day}/00/"
    )


def test_sources_of_one_region_share_what_they_can(aws: MotoAws, tmp_path: Path) -> None:
    here = "region: us-east-1"
    settings = config(
        tmp_path,
        f"name: one, {here}, location: 's3://one/'",
        f"name: two, {here}, location: 's3://two/', table: other, usd_per_terabyte: 10",
    )
    set_up(aws, settings)
    made = operations(aws.take_changes())
    assert [made.count(each) for each in ("CreateBucket", "CreateTable", "CreateWorkGroup")] == [
        1,
        2,
        1,
    ]
    workgroup = aws.client("athena").get_work_group(WorkGroup="bedrock-exporter")["WorkGroup"]
    # The dearer of the two decides.
    assert workgroup["Configuration"]["BytesScannedCutoffPerQuery"] == 10_000_000_000


def test_two_locations_cannot_have_one_table(aws: MotoAws, tmp_path: Path) -> None:
    here = "region: us-east-1"
    role = f"arn:aws:iam::{ACCOUNT_ID}:role/reader"
    settings = config(
        tmp_path,
        f"name: one, {here}, location: 's3://one/'",
        f"name: two, {here}, location: 's3://two/', account: same",
        aws=f"aws: {{accounts: [{{name: same, role_arn: '{role}', regions: [us-east-1]}}]}}",
    )
    setup = plan(aws, settings)
    assert (setup.steps, len(setup.problems)) == ([], 1)
    assert "give one of them another `table`" in setup.problems[0]


def test_a_source_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match="no athena source 'other'"):
        athena_sources(config(tmp_path, source_in("us-east-1")), "other")


def test_other_partitions_have_arns_of_their_own(aws: MotoAws, tmp_path: Path) -> None:
    region = "us-gov-west-1"
    set_up(aws, config(tmp_path, source_in(region)))
    policy: Any = aws.client("s3", region).get_bucket_policy(Bucket=bucket_of(region))["Policy"]
    resources = json.loads(policy)["Statement"][0]["Resource"]
    assert resources[0] == f"arn:aws-us-gov:s3:::{bucket_of(region)}"


def test_a_refused_region_ends_there_and_nowhere_else(aws: MotoAws, tmp_path: Path) -> None:
    aws.refused["CreateTable"] = "AccessDeniedException"
    aws.refused_regions = {"eu-west-1"}
    settings = config(tmp_path, *map(source_in, REGIONS))
    code, shown = set_up(aws, settings)
    assert code == FAILED
    text = "\n".join(shown)
    arn = f"arn:aws:glue:eu-west-1:{ACCOUNT_ID}:table/bedrock_exporter/invocation_logs"
    assert f"allow glue:CreateTable on {arn}" in text
    assert "Done: 28 of 30 changes." in text
    assert "  - create Athena workgroup bedrock-exporter in eu-west-1 (not tried)" in text
    aws.refused.clear()
    aws.take_changes()
    assert set_up(aws, settings)[0] == DONE
    assert operations(aws.take_changes()) == ["CreateTable", "CreateWorkGroup"]


def test_a_region_that_may_not_be_looked_at_hides_no_other(aws: MotoAws, tmp_path: Path) -> None:
    aws.refused["GetBucketPolicy"] = "AccessDenied"
    aws.refused_regions = {"us-east-1"}
    settings = config(tmp_path, *map(source_in, REGIONS))
    aws.client("s3").create_bucket(Bucket=bucket_of("us-east-1"))
    setup = plan(aws, settings)
    assert len(setup.problems) == 1
    assert "allow s3:GetBucketPolicy on arn:aws:s3:::bedrock-exporter-" in setup.problems[0]
    assert len(setup.steps) == 20


def test_credentials_that_are_refused_are_told(aws: MotoAws, tmp_path: Path) -> None:
    aws.refused["GetCallerIdentity"] = "ExpiredToken"
    setup = plan(aws, config(tmp_path, source_in("us-east-1")))
    assert setup.steps == []
    assert (
        "source us-east-1: sts:GetCallerIdentity on *: AWS refuses the credentials"
        in (setup.problems[0])
    )


def test_a_bucket_of_somebody_else_is_refused(aws: MotoAws, tmp_path: Path) -> None:
    aws.refused["HeadBucket"] = "403"
    setup = plan(aws, config(tmp_path, source_in("us-east-1")))
    assert setup.steps == []
    assert f"bucket {bucket_of('us-east-1')} is of another account" in setup.problems[0]


def test_only_a_bucket_of_the_own_account_is_ever_touched(aws: MotoAws, tmp_path: Path) -> None:
    set_up(aws, config(tmp_path, source_in("us-east-1")))
    asked = [
        call for call in aws.calls if call.service == "s3" and call.operation != "CreateBucket"
    ]
    assert asked
    assert {call.arguments["ExpectedBucketOwner"] for call in asked} == {ACCOUNT_ID}


def test_a_table_that_was_not_made_here_is_left_alone(aws: MotoAws, tmp_path: Path) -> None:
    glue = aws.client("glue")
    glue.create_database(DatabaseInput={"Name": "bedrock_exporter"})
    theirs = {"Name": "invocation_logs", "Parameters": {"classification": "json"}}
    glue.create_table(DatabaseName="bedrock_exporter", TableInput=theirs)
    setup = plan(aws, config(tmp_path, source_in("us-east-1")))
    assert setup.steps == []
    assert "was not made by this" in setup.problems[0]
    assert "give the source another `table`" in setup.problems[0]
