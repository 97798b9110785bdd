"""The Glue table over the logs: as AWS documents partition projection, and as Glue takes it."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.session import Session
from botocore.validate import ParamValidator
from moto import mock_aws

from exporter.aws.athena_table import ACCOUNT_ID, DATEHOUR, LINE, REGION, table_input
from exporter.sources.log_store import hour_start, key_of
from exporter.usage import LogObject

UNIT = LogObject("111122223333", "us-east-1", 489_826, "20251117T100000000Z_0a1b2c3d.json.gz")


@pytest.fixture
def glue() -> Iterator[Any]:
    with mock_aws():
        client = boto3.client(
            "glue", "us-east-1", aws_access_key_id="testing", aws_secret_access_key="testing"
        )
        client.create_database(DatabaseInput={"Name": "logs"})
        yield client


def parameters(location: str = "s3://logs/prefix") -> dict[str, str]:
    return dict(table_input("t", location)["Parameters"])


def test_every_key_is_one_that_glue_knows() -> None:
    model = Session().get_service_model("glue")
    report = ParamValidator().validate(table_input("t", "s3://logs"), model.shape_for("TableInput"))
    assert report.generate_report() == ""


def test_glue_stores_the_table_as_it_stands(glue: Any) -> None:
    glue.create_table(DatabaseName="logs", TableInput=table_input("t", "s3://logs/prefix"))
    stored = glue.get_table(DatabaseName="logs", Name="t")["Table"]
    assert {key: stored[key] for key in table_input("t", "")} == table_input(
        "t", "s3://logs/prefix"
    )


def test_a_line_is_one_column_and_goes_through_no_json_serde() -> None:
    storage = table_input("t", "s3://logs")["StorageDescriptor"]
    assert storage["Columns"] == [{"Name": LINE, "Type": "string"}]
    assert storage["SerdeInfo"]["SerializationLibrary"].endswith("LazySimpleSerDe")


def test_all_of_a_path_that_is_not_fixed_is_a_projected_partition() -> None:
    keys = [key["Name"] for key in table_input("t", "s3://logs")["PartitionKeys"]]
    assert keys == [ACCOUNT_ID, REGION, DATEHOUR]
    assert parameters()["projection.enabled"] == "true"
    assert [parameters()[f"projection.{key}.type"] for key in keys] == [
        "injected",
        "injected",
        "date",
    ]


@pytest.mark.parametrize("location", ["s3://logs/a/prefix", "s3://logs", "s3://logs/a/prefix/"])
def test_the_template_leads_to_the_log_objects(location: str) -> None:
    template = parameters(location)["storage.location.template"]
    hour = hour_start(UNIT.hour)
    path = (
        template.replace("${account_id}", UNIT.account_id)
        .replace("${region}", UNIT.region)
        .replace("${datehour}", f"{hour:%Y/%m/%d/%H}")
    )
    assert path + UNIT.name == f"{location.rstrip('/')}/{key_of(UNIT)}"


def test_hours_are_projected_one_by_one_from_bedrocks_beginning_to_now() -> None:
    said = parameters()
    first, last = said["projection.datehour.range"].split(",")
    assert datetime.strptime(first, "%Y/%m/%d/%H").replace(tzinfo=UTC).year == 2023
    assert last == "NOW"
    assert said["projection.datehour.format"] == "yyyy/MM/dd/HH"
    assert (said["projection.datehour.interval"], said["projection.datehour.interval.unit"]) == (
        "1",
        "HOURS",
    )
