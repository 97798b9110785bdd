"""Which keys are those of log objects, and how key and object belong together."""

from datetime import UTC, datetime

import pytest

from exporter.sources.log_store import (
    hour_of,
    hour_start,
    is_account,
    is_hour,
    is_log_object,
    is_region,
    key_of,
    name_in,
    region_prefix,
)
from exporter.usage import LogObject


@pytest.mark.parametrize(
    "name",
    [
        "20240418T225457Z_0a1b2c3d4e5f6071.json.gz",
        "20240418T225457123Z_0a1b2c3d4e5f6071.json.gz",
        "20240418T225457123Z_0a1b2c3d4e5f6071.json",
        "20240418T225457123Z_0A1b.json.gz",
    ],
)
def test_a_name_that_aws_gives_is_a_log_object_s(name: str) -> None:
    assert is_log_object(name)


@pytest.mark.parametrize(
    "name",
    [
        *("amazon-bedrock-logs-permission-check", "notes.json", "", "index.json.gz", ".json.gz"),
        *("4d8c3f0e-5561-4431-93b8-06a817275900_input.json.gz", "data/", "_SUCCESS"),
        *("20240418T225457Z_0a1b.json.gz.tmp", "20240418T225457Z_0a1b.json.gz\n"),
        *("20240418T225457Z_0a1b.parquet", "20240418T225457_0a1b.json.gz", "20240418Z_0a1b.json"),
        *("20240418T225457Z_0a1b_output.json.gz", "data/20240418T225457Z_0a1b.json.gz"),
        "\u0662\u0660240418T225457Z_0a1b.json.gz",
    ],
)
def test_any_other_name_is_foreign(name: str) -> None:
    assert not is_log_object(name)


def test_accounts_have_twelve_digits() -> None:
    assert is_account("111122223333") and is_account("000000000001")
    foreign = ["", "11112222333", "1111222233334", "o-abc", "\u066111122223333"]
    assert not any(map(is_account, foreign))


def test_regions_are_told_by_their_form() -> None:
    known = ["us-east-1", "ap-northeast-3", "us-gov-west-1", "cn-north-1", "eusc-de-east-1"]
    assert all(map(is_region, known))
    assert not any(
        map(is_region, ["", "data", "us-east", "US-EAST-1", "us-east-1a", "2025", "../x"])
    )


def test_hours_have_two_digits() -> None:
    assert [hour for hour in map(str, range(10)) if is_hour(hour)] == []
    assert all(is_hour(f"{hour:02d}") for hour in range(24))
    assert not any(map(is_hour, ["24", "99", "data", "", "\u0660\u0665", "005", "-1"]))


def test_an_object_s_key_is_the_one_aws_writes() -> None:
    hour = hour_of(datetime(2024, 4, 8, 9, 59, tzinfo=UTC))
    unit = LogObject("111122223333", "us-east-1", hour, "20240408T095912Z_0a1b.json.gz")
    prefix = "AWSLogs/111122223333/BedrockModelInvocationLogs/us-east-1/"
    assert region_prefix("111122223333", "us-east-1") == prefix
    assert key_of(unit) == f"{prefix}2024/04/08/09/20240408T095912Z_0a1b.json.gz"
    assert hour_start(hour) == datetime(2024, 4, 8, 9, tzinfo=UTC)


@pytest.mark.parametrize("rest", ["0a1b.json.gz", "0a1b.json.gz/2c3d.json", "report.csv"])
def test_the_key_of_an_assistant_s_object_follows_from_its_name_alone(rest: str) -> None:
    hour = hour_of(datetime(2026, 11, 21, 7, tzinfo=UTC))
    folder = "KiroLogs/GenerateAssistantResponse"
    unit = LogObject("111122223333", "us-east-1", hour, name_in(folder, rest))
    assert unit.name == f"{folder}/{rest}"
    prefix = region_prefix("111122223333", "us-east-1", folder)
    assert prefix == f"AWSLogs/111122223333/{folder}/us-east-1/"
    assert key_of(unit) == f"{prefix}2026/11/21/07/{rest}"
