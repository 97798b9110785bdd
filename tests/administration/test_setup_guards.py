"""What `aws setup` leaves alone, keeps and refuses: the work and the settings of others."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from moto_aws import ACCOUNT_ID, MotoAws

from exporter.administration.plan import DONE, FAILED, Step, carry_out
from exporter.administration.setup.catalog import table_changes
from exporter.administration.setup.planning import Options, Setup, athena_sources, plan_setup
from exporter.aws.athena_table import table_input
from exporter.cli import main
from exporter.config import Config, load

REGION = "us-east-1"
BUCKET = f"bedrock-exporter-{ACCOUNT_ID}-{REGION}"
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT_ID}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
NOTHING = ["Nothing to do: all is as it should be."]


@pytest.fixture(scope="module")
def moto() -> Iterator[MotoAws]:
    with MotoAws() as running:
        yield running


@pytest.fixture
def aws(moto: MotoAws, monkeypatch: pytest.MonkeyPatch) -> Iterator[MotoAws]:
    with moto.fresh(monkeypatch) as fresh:
        yield fresh


def config(folder: Path, *sources: str, aws: str = "") -> Config:
    """A configuration of athena sources in one region; of each is given what else it says."""
    lines = [f"{{type: athena, region: {REGION}, {source}}}" for source in sources]
    path = folder / "config.yaml"
    path.write_text(f"sources: [{', '.join(lines)}]\n{aws}", encoding="utf-8")
    return load(path)


@pytest.fixture
def settings(tmp_path: Path) -> Config:
    return config(tmp_path, "location: 's3://logs'")


def plan(aws: MotoAws, settings: Config, source: str | None = None, **options: Any) -> Setup:
    return plan_setup(settings, athena_sources(settings, source), Options(**options), aws.session)


def take(steps: list[Step]) -> tuple[int, list[str]]:
    shown: list[str] = []
    return carry_out(steps, shown.append, lambda: True), shown


def set_up(
    aws: MotoAws, settings: Config, source: str | None = None, **options: Any
) -> tuple[int, list[str]]:
    setup = plan(aws, settings, source, **options)
    assert setup.problems == []
    return take(setup.steps)


def workgroup(aws: MotoAws, name: str = "bedrock-exporter") -> dict[str, Any]:
    found: dict[str, Any] = aws.client("athena").get_work_group(WorkGroup=name)["WorkGroup"]
    return found


THEIRS: dict[str, Any] = {
    "ResultConfiguration": {"OutputLocation": "s3://science/"},
    "EnforceWorkGroupConfiguration": False,
    "PublishCloudWatchMetricsEnabled": True,
    "BytesScannedCutoffPerQuery": 15_000_000_000,
    "EngineVersion": {"SelectedEngineVersion": "AUTO"},
}
"""A workgroup that will do, though it is not as `aws setup` makes one."""


def set_up_beside(aws: MotoAws, folder: Path, **changes: Any) -> tuple[Setup, dict[str, Any]]:
    """Plan for a source whose workgroup is somebody's, and return what that is then."""
    theirs = {key: value for key, value in {**THEIRS, **changes}.items() if value is not None}
    aws.client("athena").create_work_group(
        Name="science", Configuration=theirs, Tags=[{"Key": "owner", "Value": "science"}]
    )
    setup = plan(aws, config(folder, "location: 's3://logs', workgroup: science"))
    take(setup.steps)
    return setup, workgroup(aws, "science")["Configuration"]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (
            {"BytesScannedCutoffPerQuery": None},
            "most bytes a query scans: any number -> 20,000,000,000 or less",
        ),
        ({"BytesScannedCutoffPerQuery": 10**12}, "1,000,000,000,000 -> 20,000,000,000 or less"),
        ({"ResultConfiguration": {}}, "results: a location of theirs, or managed by Athena"),
        (
            {"EngineVersion": {"SelectedEngineVersion": "Athena engine version 2"}},
            "engine: Athena engine version 2 -> Athena engine version 3",
        ),
    ],
)
def test_a_workgroup_of_others_is_never_changed(
    aws: MotoAws, tmp_path: Path, change: dict[str, Any], told: str
) -> None:
    setup, after = set_up_beside(aws, tmp_path, **change)
    assert (setup.steps, len(setup.problems)) == ([], 1)
    assert told in setup.problems[0]
    assert "name another in the source's `workgroup`, or change that one" in setup.problems[0]
    wanted = {**THEIRS, **change}
    assert after.get("BytesScannedCutoffPerQuery") == wanted["BytesScannedCutoffPerQuery"]


def test_a_workgroup_of_others_that_will_do_is_taken_as_it_is(aws: MotoAws, tmp_path: Path) -> None:
    setup, after = set_up_beside(aws, tmp_path)
    assert setup.problems == []
    assert "UpdateWorkGroup" not in {call.operation for call in aws.take_changes()}
    assert after["ResultConfiguration"] == {"OutputLocation": "s3://science/"}


def test_the_primary_workgroup_is_not_taken_over(aws: MotoAws, tmp_path: Path) -> None:
    setup = plan(aws, config(tmp_path, "location: 's3://logs', workgroup: primary"))
    assert setup.steps == []
    assert "Athena workgroup primary is there, was not made by this" in setup.problems[0]


def encryption(aws: MotoAws) -> tuple[Any, Any]:
    """What encrypts the bucket, and what the results."""
    rule = aws.client("s3").get_bucket_encryption(Bucket=BUCKET)
    of_bucket = rule["ServerSideEncryptionConfiguration"]["Rules"][0]
    results = workgroup(aws)["Configuration"]["ResultConfiguration"]
    return (
        of_bucket["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"],
        results["EncryptionConfiguration"]["EncryptionOption"],
    )


def test_there_is_a_way_back_from_a_key(aws: MotoAws, settings: Config) -> None:
    set_up(aws, settings, kms_key=KEY)
    assert encryption(aws) == ("aws:kms", "SSE_KMS")
    _, shown = set_up(aws, settings, sse_s3=True)
    assert f"       encryption: {KEY} -> AES256 (SSE-S3)" in shown
    assert encryption(aws) == ("AES256", "SSE_S3")
    assert set_up(aws, settings, sse_s3=True) == (DONE, NOTHING)


def command(folder: Path, *flags: str) -> Result:
    config(folder, "location: 's3://logs'")
    arguments = ["aws", "setup", "--config.file", str(folder / "config.yaml"), "--dry-run"]
    return CliRunner().invoke(main, [*arguments, *flags])


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (["--kms-key", "garbage"], "is not the ARN of a key"),
        (["--kms-key", KEY.split("/")[-1]], "is not the ARN of a key"),
        (["--kms-key", KEY.replace(REGION, "eu-west-1")], "is not in us-east-1"),
        (["--kms-key", KEY.replace("arn:aws:", "arn:aws-cn:")], "is not in us-east-1"),
        (["--kms-key", KEY, "--sse-s3"], "which of the two?"),
        (["--qdeveloper-location", "s3://bucket/*"], "'*'"),
        (["--qdeveloper-location", "s3://bucket/{region}"], "'{'"),
    ],
)
def test_a_flag_that_cannot_be_right_is_refused_before_aws_is_asked(
    aws: MotoAws, tmp_path: Path, flags: list[str], told: str
) -> None:
    result = command(tmp_path, *flags)
    assert (result.exit_code, aws.calls) == (2, [])
    assert told in " ".join(result.output.split())


def test_a_key_and_an_alias_are_taken(aws: MotoAws, tmp_path: Path) -> None:
    alias = f"arn:aws:kms:{REGION}:{ACCOUNT_ID}:alias/logs/athena"
    assert [command(tmp_path, "--kms-key", key).exit_code for key in (KEY, alias)] == [0, 0]


def change_table(aws: MotoAws, change: Callable[[dict[str, Any]], None]) -> None:
    glue = aws.client("glue")
    table = glue.get_table(DatabaseName="bedrock_exporter", Name="invocation_logs")["Table"]
    keys = ("Name", "TableType", "PartitionKeys", "StorageDescriptor", "Parameters")
    table = {key: table[key] for key in keys}
    change(table)
    glue.update_table(DatabaseName="bedrock_exporter", TableInput=table)


@pytest.mark.parametrize(
    "key", ["skip.header.line.count", "Skip.Footer.Line.Count", "serialization.null.format"]
)
def test_a_table_parameter_that_alters_figures_is_shown_and_removed(
    aws: MotoAws, settings: Config, key: str
) -> None:
    set_up(aws, settings)
    change_table(aws, lambda table: table["Parameters"].update({key: "1"}))
    code, shown = set_up(aws, settings)
    assert code == DONE and f"       {key}: 1 -> none" in shown
    assert set_up(aws, settings) == (DONE, NOTHING)


def test_a_serde_parameter_that_is_not_known_is_shown_and_removed(
    aws: MotoAws, settings: Config
) -> None:
    def cut_at_commas(table: dict[str, Any]) -> None:
        table["StorageDescriptor"]["SerdeInfo"]["Parameters"]["field.delim"] = ","

    set_up(aws, settings)
    change_table(aws, cut_at_commas)
    code, shown = set_up(aws, settings)
    assert code == DONE and "       SerDe field.delim: , -> none" in shown
    assert set_up(aws, settings) == (DONE, NOTHING)


def test_parameters_that_alter_nothing_are_no_difference() -> None:
    wanted = table_input("invocation_logs", "s3://logs")
    found = {**wanted, "Parameters": {**wanted["Parameters"], "owner": "data", "numRows": "5"}}
    assert table_changes(found, wanted) == ()


def test_the_same_table_without_our_tag_will_do(aws: MotoAws, settings: Config) -> None:
    set_up(aws, settings)
    change_table(aws, lambda table: table["Parameters"].pop("created-by"))
    assert set_up(aws, settings) == (DONE, NOTHING)


def test_what_others_added_to_our_lifecycle_rule_stays_when_it_is_corrected(
    aws: MotoAws, settings: Config
) -> None:
    set_up(aws, settings)
    s3 = aws.client("s3")
    rules = s3.get_bucket_lifecycle_configuration(Bucket=BUCKET)["Rules"]
    theirs = [{"Days": 5, "StorageClass": "GLACIER"}]
    rules[0] |= {"Expiration": {"Days": 30}, "Transitions": theirs}
    s3.put_bucket_lifecycle_configuration(Bucket=BUCKET, LifecycleConfiguration={"Rules": rules})
    _, shown = set_up(aws, settings)
    assert "expire after 30 days, Transitions" in shown[2]
    assert "expire after 7 days, Transitions" in shown[2]
    after = s3.get_bucket_lifecycle_configuration(Bucket=BUCKET)["Rules"][0]
    assert (after["Expiration"], after["Transitions"]) == ({"Days": 7}, theirs)
    assert set_up(aws, settings) == (DONE, NOTHING)


def test_a_rule_that_is_narrowed_to_some_objects_is_corrected(
    aws: MotoAws, settings: Config
) -> None:
    set_up(aws, settings)
    s3 = aws.client("s3")
    rules = s3.get_bucket_lifecycle_configuration(Bucket=BUCKET)["Rules"]
    tagged = {"Prefix": "athena/", "Tags": [{"Key": "a", "Value": "b"}]}
    rules[0]["Filter"] = {"And": tagged}
    s3.put_bucket_lifecycle_configuration(Bucket=BUCKET, LifecycleConfiguration={"Rules": rules})
    _, shown = set_up(aws, settings)
    assert 'Enabled for {"And":' in shown[2] and "-> Enabled below athena/" in shown[2]


def add_a_statement(s3: Any) -> None:
    statement = {"Sid": "Theirs", "Effect": "Deny", "Principal": "*", "Action": "s3:DeleteObject"}
    statement["Resource"] = f"arn:aws:s3:::{BUCKET}/*"
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    s3.put_bucket_policy(Bucket=BUCKET, Policy=policy)


def add_a_tag(s3: Any) -> None:
    s3.put_bucket_tagging(Bucket=BUCKET, Tagging={"TagSet": [{"Key": "team", "Value": "a"}]})


def add_a_rule(s3: Any) -> None:
    rule = {"ID": "theirs", "Status": "Enabled", "Filter": {"Prefix": "x/"}}
    s3.put_bucket_lifecycle_configuration(
        Bucket=BUCKET, LifecycleConfiguration={"Rules": [{**rule, "Expiration": {"Days": 3}}]}
    )


@pytest.mark.parametrize(
    ("meanwhile", "operation"),
    [
        (add_a_statement, "PutBucketPolicy"),
        (add_a_tag, "PutBucketTagging"),
        (add_a_rule, "PutBucketLifecycleConfiguration"),
    ],
)
def test_what_was_put_there_since_the_plan_is_not_overwritten(
    aws: MotoAws, settings: Config, meanwhile: Callable[[Any], None], operation: str
) -> None:
    s3 = aws.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    setup = plan(aws, settings)
    meanwhile(s3)
    aws.take_changes()
    code, shown = take(setup.steps)
    assert code == FAILED
    told = f"  bucket {BUCKET} was changed meanwhile; run the command again for a new plan"
    assert told in shown
    assert operation not in {call.operation for call in aws.take_changes()}
    assert set_up(aws, settings)[0] == DONE


def test_a_table_that_was_changed_since_the_plan_is_not_overwritten(
    aws: MotoAws, settings: Config
) -> None:
    set_up(aws, settings)
    change_table(aws, lambda table: table["StorageDescriptor"].update(Location="s3://x/"))
    setup = plan(aws, settings)
    change_table(aws, lambda table: table["Parameters"].update(owner="data"))
    code, shown = take(setup.steps)
    assert code == FAILED
    assert "  Glue table bedrock_exporter.invocation_logs was changed meanwhile" in "\n".join(shown)


def test_one_source_weighs_all_that_share_its_workgroup(aws: MotoAws, tmp_path: Path) -> None:
    settings = config(
        tmp_path,
        "name: a, location: 's3://logs'",
        "name: b, location: 's3://more', table: more, usd_per_terabyte: 50",
    )
    set_up(aws, settings)
    assert workgroup(aws)["Configuration"]["BytesScannedCutoffPerQuery"] == 2_000_000_000
    assert set_up(aws, settings, "a") == (DONE, NOTHING)


PROD = "aws: {{accounts: [{{name: prod, role_arn: '{}', regions: [us-east-1]}}]}}"
READER = "arn:aws:iam::{}:role/reader"


def test_with_ambient_no_role_is_assumed(aws: MotoAws, tmp_path: Path) -> None:
    role = READER.format(ACCOUNT_ID)
    settings = config(tmp_path, "location: 's3://logs', account: prod", aws=PROD.format(role))
    assert set_up(aws, settings, ambient=True)[0] == DONE
    assert "AssumeRole" not in {call.operation for call in aws.calls}
    assert workgroup(aws)["Name"] == "bedrock-exporter"


def test_with_ambient_the_credentials_must_be_of_the_account(aws: MotoAws, tmp_path: Path) -> None:
    role = READER.format("444455556666")
    settings = config(tmp_path, "location: 's3://logs', account: prod", aws=PROD.format(role))
    setup = plan(aws, settings, ambient=True)
    assert setup.steps == []
    assert (
        f"credentials are of account {ACCOUNT_ID}, and the source is of prod, 444455556666"
        in setup.problems[0]
    )
