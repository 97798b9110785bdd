"""`bedrock-exporter aws setup` and `aws logging` as commands: what they ask, print and return."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from moto_aws import ACCOUNT_ID, MotoAws

from exporter.cli import main

CONFIG = """
sources:
  - {type: athena, region: us-east-1, location: 's3://logs/bedrock'}
"""


@pytest.fixture(scope="module")
def moto() -> Iterator[MotoAws]:
    with MotoAws() as running:
        yield running


@pytest.fixture
def aws(moto: MotoAws, monkeypatch: pytest.MonkeyPatch) -> Iterator[MotoAws]:
    with moto.fresh(monkeypatch) as fresh:
        fresh.client("s3").create_bucket(Bucket="logs")
        fresh.calls.clear()
        yield fresh


@pytest.fixture
def config_file(tmp_path: Path) -> Path:
    path = tmp_path / "config.yaml"
    path.write_text(CONFIG, encoding="utf-8")
    return path


def setup(config_file: Path, *flags: str) -> Result:
    arguments = ["aws", "setup", "--config.file", str(config_file), *flags]
    return CliRunner().invoke(main, arguments)


def logging(config_file: Path, command: str, *flags: str) -> Result:
    arguments = ["aws", "logging", command, "--config.file", str(config_file), *flags]
    return CliRunner().invoke(main, arguments)


def test_without_a_terminal_and_without_yes_nothing_is_changed(
    aws: MotoAws, config_file: Path
) -> None:
    result = setup(config_file)
    assert result.exit_code == 1
    assert "Plan: 10 changes" in result.output
    assert "there is no terminal to ask at. Agree with --yes." in result.output
    assert aws.take_changes() == []


def test_a_dry_run_prints_the_plan_and_changes_nothing(aws: MotoAws, config_file: Path) -> None:
    result = setup(config_file, "--dry-run", "--yes")
    assert result.exit_code == 0
    assert "Then: a test query for each source" in result.output
    assert result.output.endswith("Dry run: nothing was changed.\n")
    assert aws.take_changes() == []


def test_set_up_twice_the_second_run_says_that_all_is_well(aws: MotoAws, config_file: Path) -> None:
    aws.queue_result("us-east-1", 4)
    first = setup(config_file, "--yes")
    assert first.exit_code == 0
    assert "test query of source athena: 4 lines in hour of" in first.output
    aws.take_changes()
    second = setup(config_file, "--no-test-query")
    assert (second.exit_code, second.output) == (0, "Nothing to do: all is as it should be.\n")
    assert aws.take_changes() == []


def test_a_test_query_that_fails_fails_the_command(aws: MotoAws, config_file: Path) -> None:
    aws.refused["StartQueryExecution"] = "AccessDeniedException"
    result = setup(config_file, "--yes")
    assert result.exit_code == 1
    assert "test query of source athena: athena:StartQueryExecution on arn:aws" in result.output


def test_what_cannot_be_planned_fails_the_command(aws: MotoAws, config_file: Path) -> None:
    aws.refused["HeadBucket"] = "403"
    result = setup(config_file, "--yes")
    assert result.exit_code == 1
    assert "Nothing to do" not in result.output
    assert f"{ACCOUNT_ID} us-east-1: bucket bedrock-exporter-" in result.output


@pytest.mark.parametrize(
    "flags",
    [
        ["--scan-cutoff-bytes", "9999999"],
        ["--result-days", "0"],
        ["--qdeveloper-location", "reports"],
        ["--unknown"],
    ],
)
def test_flags_that_make_no_sense_are_a_mistake_of_usage(
    aws: MotoAws, config_file: Path, flags: list[str]
) -> None:
    assert setup(config_file, *flags).exit_code == 2
    assert aws.calls == []


def test_a_configuration_without_athena_says_so(aws: MotoAws, tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("sources: [{type: invocation_logs, location: logs}]", encoding="utf-8")
    result = setup(path)
    assert (result.exit_code, aws.calls) == (1, [])
    assert "no source of type athena" in result.output


def test_logging_is_enabled_and_then_shown(aws: MotoAws, config_file: Path) -> None:
    flags = ["--bucket", "b-{account_id}-{region}", "--create-bucket", "--yes"]
    regions = ["--region", "us-east-1", "--region", "eu-west-1"]
    assert logging(config_file, "enable", *flags, *regions).exit_code == 0
    again = logging(config_file, "enable", *flags, *regions)
    assert again.output == "Nothing to do: all is as it should be.\n"
    shown = logging(config_file, "show", *regions)
    assert shown.exit_code == 0
    assert f"  S3: s3://b-{ACCOUNT_ID}-eu-west-1/\n" in shown.output


def test_logging_that_is_off_makes_show_fail(aws: MotoAws, config_file: Path) -> None:
    result = logging(config_file, "show")
    assert result.exit_code == 1
    assert result.output == (
        f"{ACCOUNT_ID} us-east-1:\n  logging: off; switch it on with `aws logging enable`\n"
    )


def test_several_regions_need_a_bucket_each(aws: MotoAws, config_file: Path) -> None:
    regions = ["--region", "us-east-1", "--region", "eu-west-1"]
    result = logging(config_file, "enable", "--bucket", "logs", *regions)
    assert (result.exit_code, aws.calls) == (2, [])
    assert "put {region} into its name" in result.output


def test_the_console_steps_of_amazon_q_developer_and_kiro_are_printed(
    aws: MotoAws, config_file: Path
) -> None:
    flags = ["--bucket", "logs", "--prefix", "q", "--dry-run"]
    result = logging(config_file, "qdeveloper", *flags)
    assert result.exit_code == 0
    assert "Preferences: `Q Developer prompt logging`" in result.output
    assert "Logging: `Log Kiro prompts with metadata`" in result.output
    assert "  s3://logs/q/\n" in result.output


def test_what_changes_something_offers_yes_and_dry_run() -> None:
    for command in (["setup"], ["logging", "enable"], ["logging", "qdeveloper"]):
        text = CliRunner().invoke(main, ["aws", *command, "--help"]).output
        assert "--yes" in text and "--dry-run" in text
