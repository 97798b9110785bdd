"""What somebody changed by hand is shown, from what it is to what it shall be, and corrected."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from moto_aws import ACCOUNT_ID, MotoAws

from exporter.administration.plan import carry_out
from exporter.administration.setup.planning import Options, athena_sources, plan_setup
from exporter.config import Config, load

REGION = "ap-northeast-2"
BUCKET = f"bedrock-exporter-{ACCOUNT_ID}-{REGION}"


@pytest.fixture(scope="module")
def moto() -> Iterator[MotoAws]:
    with MotoAws() as running:
        yield running


@pytest.fixture
def aws(moto: MotoAws, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[MotoAws]:
    """AWS in which all is as it should be."""
    with moto.fresh(monkeypatch) as fresh:
        set_up(fresh, settings(tmp_path))
        yield fresh


def settings(folder: Path) -> Config:
    path = folder / "config.yaml"
    source = f"{{type: athena, region: {REGION}, location: 's3://logs'}}"
    path.write_text(f"sources:\n  - {source}\n", encoding="utf-8")
    return load(path)


def set_up(aws: MotoAws, config: Config) -> list[str]:
    setup = plan_setup(config, athena_sources(config), Options(), aws.session)
    assert setup.problems == []
    shown: list[str] = []
    carry_out(setup.steps, shown.append, lambda: True)
    return shown


def lay_open(aws: MotoAws) -> None:
    block = {"BlockPublicAcls": True, "BlockPublicPolicy": False}
    s3 = aws.client("s3", REGION)
    s3.put_public_access_block(Bucket=BUCKET, PublicAccessBlockConfiguration=block)


def let_acls_rule(aws: MotoAws) -> None:
    rules = {"Rules": [{"ObjectOwnership": "ObjectWriter"}]}
    aws.client("s3", REGION).put_bucket_ownership_controls(Bucket=BUCKET, OwnershipControls=rules)


def decrypt(aws: MotoAws) -> None:
    aws.client("s3", REGION).delete_bucket_encryption(Bucket=BUCKET)


def drop_the_policy(aws: MotoAws) -> None:
    aws.client("s3", REGION).delete_bucket_policy(Bucket=BUCKET)


def keep_results_long(aws: MotoAws) -> None:
    rule = {
        "ID": "bedrock-exporter-query-results",
        "Status": "Enabled",
        "Filter": {"Prefix": "athena/"},
        "Expiration": {"Days": 365},
    }
    aws.client("s3", REGION).put_bucket_lifecycle_configuration(
        Bucket=BUCKET, LifecycleConfiguration={"Rules": [rule]}
    )


def move_the_table(aws: MotoAws) -> None:
    def move(table: dict[str, Any]) -> None:
        table["StorageDescriptor"]["Location"] = "s3://elsewhere/"

    change_table(aws, move)


def project_more(aws: MotoAws) -> None:
    def add(table: dict[str, Any]) -> None:
        table["Parameters"]["projection.tenant.type"] = "injected"

    change_table(aws, add)


def change_table(aws: MotoAws, change: Callable[[dict[str, Any]], None]) -> None:
    glue = aws.client("glue", REGION)
    table = glue.get_table(DatabaseName="bedrock_exporter", Name="invocation_logs")["Table"]
    keys = ("Name", "TableType", "PartitionKeys", "StorageDescriptor", "Parameters")
    table = {key: table[key] for key in keys}
    change(table)
    glue.update_table(DatabaseName="bedrock_exporter", TableInput=table)


def unbound_the_workgroup(aws: MotoAws) -> None:
    aws.client("athena", REGION).update_work_group(
        WorkGroup="bedrock-exporter",
        State="DISABLED",
        ConfigurationUpdates={
            "EnforceWorkGroupConfiguration": False,
            "BytesScannedCutoffPerQuery": 10**15,
            "EngineVersion": {"SelectedEngineVersion": "AUTO"},
            "ResultConfigurationUpdates": {"OutputLocation": "s3://elsewhere/"},
        },
    )


@pytest.mark.parametrize(
    ("drift", "told", "operation"),
    [
        (lay_open, ["BlockPublicPolicy: False -> True"], "PutPublicAccessBlock"),
        (
            let_acls_rule,
            ["ownership: ObjectWriter -> BucketOwnerEnforced"],
            "PutBucketOwnershipControls",
        ),
        (decrypt, ["encryption: AES256 (SSE-S3)"], "PutBucketEncryption"),
        (drop_the_policy, ['"Sid":"BedrockExporterTlsOnly"'], "PutBucketPolicy"),
        (
            keep_results_long,
            ["objects expire after 365 days -> ", "expire after 7 days"],
            "PutBucketLifecycleConfiguration",
        ),
        (move_the_table, ["location: s3://elsewhere/ -> s3://logs"], "UpdateTable"),
        (project_more, ["projection.tenant.type: injected -> none"], "UpdateTable"),
        (
            unbound_the_workgroup,
            [
                "state: DISABLED -> ENABLED",
                f"results: s3://elsewhere/ -> s3://{BUCKET}/athena/",
                "enforced: no -> yes",
                "most bytes a query scans: 1,000,000,000,000,000 -> 20,000,000,000",
                "engine: AUTO -> Athena engine version 3",
            ],
            "UpdateWorkGroup",
        ),
    ],
)
def test_what_differs_is_shown_and_nothing_else_is_changed(
    aws: MotoAws,
    tmp_path: Path,
    drift: Callable[[MotoAws], None],
    told: list[str],
    operation: str,
) -> None:
    drift(aws)
    aws.take_changes()
    shown = "\n".join(set_up(aws, settings(tmp_path)))
    assert [text for text in told if text not in shown] == []
    assert [call.operation for call in aws.take_changes()] == [operation]
    assert set_up(aws, settings(tmp_path)) == ["Nothing to do: all is as it should be."]


def test_what_somebody_added_to_the_bucket_stays(aws: MotoAws, tmp_path: Path) -> None:
    s3 = aws.client("s3", REGION)
    theirs = {
        "Sid": "Audit",
        "Effect": "Allow",
        "Principal": {"AWS": "arn:aws:iam::444455556666:root"},
        "Action": "s3:GetObject",
        "Resource": f"arn:aws:s3:::{BUCKET}/*",
    }
    policy = {"Version": "2012-10-17", "Id": "theirs", "Statement": theirs}
    rule = {"ID": "cold", "Status": "Enabled", "Filter": {"Prefix": "x/"}}
    s3.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps(policy))
    s3.put_bucket_tagging(Bucket=BUCKET, Tagging={"TagSet": [{"Key": "cost-center", "Value": "7"}]})
    s3.put_bucket_lifecycle_configuration(
        Bucket=BUCKET, LifecycleConfiguration={"Rules": [{**rule, "Expiration": {"Days": 9}}]}
    )
    set_up(aws, settings(tmp_path))
    merged = json.loads(s3.get_bucket_policy(Bucket=BUCKET)["Policy"])
    assert merged["Id"] == "theirs"
    assert merged["Statement"][0] == theirs
    assert [each["Sid"] for each in merged["Statement"]] == ["Audit", "BedrockExporterTlsOnly"]
    tags = s3.get_bucket_tagging(Bucket=BUCKET)["TagSet"]
    assert {"Key": "cost-center", "Value": "7"} in tags and len(tags) == 2
    rules = s3.get_bucket_lifecycle_configuration(Bucket=BUCKET)["Rules"]
    assert (rules[0]["ID"], len(rules)) == ("cold", 3)


def test_parameters_that_others_gave_the_table_stay(aws: MotoAws, tmp_path: Path) -> None:
    def add(table: dict[str, Any]) -> None:
        table["Parameters"]["owner"] = "data-team"
        table["StorageDescriptor"]["Location"] = "s3://elsewhere/"

    change_table(aws, add)
    set_up(aws, settings(tmp_path))
    table = aws.client("glue", REGION).get_table(
        DatabaseName="bedrock_exporter", Name="invocation_logs"
    )["Table"]
    assert table["Parameters"]["owner"] == "data-team"
    assert table["StorageDescriptor"]["Location"].startswith("s3://logs")
