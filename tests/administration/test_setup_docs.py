"""docs/aws-setup.md shows what the commands print and names every permission that they need."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from moto_aws import ACCOUNT_ID, MotoAws

from exporter.administration.consoles import SWITCHES
from exporter.administration.logging_setup.enabling import Destination
from exporter.administration.logging_setup.qdeveloper import console_steps
from exporter.administration.setup.place import Place
from exporter.cli import main
from tools import ROOT

PAGE = (ROOT / "docs" / "aws-setup.md").read_text(encoding="utf-8")
CONFIG = re.search(r"In config\.yaml:\n\n((?:    .*\n)+)", PAGE)


@pytest.fixture(scope="module")
def moto() -> Iterator[MotoAws]:
    with MotoAws() as running:
        yield running


@pytest.fixture
def aws(moto: MotoAws, monkeypatch: pytest.MonkeyPatch) -> Iterator[MotoAws]:
    with moto.fresh(monkeypatch) as fresh:
        yield fresh


def printed(folder: Path, *arguments: str) -> str:
    """What a command prints, in the account of the page."""
    assert CONFIG is not None
    text = "\n".join(line[4:] for line in CONFIG[1].splitlines())
    path = folder / "config.yaml"
    path.write_text(text.replace("111122223333", ACCOUNT_ID), encoding="utf-8")
    flags = ["--config.file", str(path), "--dry-run"]
    output = CliRunner().invoke(main, ["aws", *arguments, *flags]).output
    return output.replace(ACCOUNT_ID, "111122223333")


def shown(first: str) -> str:
    """The plan of the page that begins with this step."""
    plans = re.findall(r"(?m)^    Plan: .*\n(?:    (?! *done).*\n)+", PAGE)
    return next(
        "\n".join(each[4:] for each in plan.splitlines()) for plan in plans if first in plan
    )


@pytest.mark.parametrize(
    ("arguments", "first"),
    [
        (["setup"], "1. create bucket bedrock-exporter-"),
        (
            [
                *("logging", "enable", "--bucket", "bedrock-logs-{account_id}-{region}"),
                *("--prefix", "bedrock", "--create-bucket", "--region", "us-east-1"),
            ],
            "1. create bucket bedrock-logs-",
        ),
    ],
)
def test_the_plans_of_the_page_are_those_that_are_printed(
    aws: MotoAws, tmp_path: Path, arguments: list[str], first: str
) -> None:
    if arguments == ["setup"]:
        aws.client("s3").create_bucket(Bucket=f"bedrock-logs-{ACCOUNT_ID}-us-east-1")
    plan = printed(tmp_path, *arguments).removesuffix("Dry run: nothing was changed.\n")
    assert plan.splitlines() == shown(first).splitlines()


def test_the_console_steps_of_the_page_are_those_that_are_printed() -> None:
    place = Place("aws", "111122223333", "us-east-1")
    steps = console_steps(place, Destination("qdev-logs-{account_id}", "qdeveloper"))
    assert "".join(f"    {step}\n" for step in steps) in PAGE


@pytest.mark.parametrize("switch", [each for all_ in SWITCHES.values() for each in all_])
def test_every_switch_stands_on_the_page_of_assistants(switch: str) -> None:
    page = (ROOT / "docs" / "developer-assistants.md").read_text(encoding="utf-8")
    place, _, setting = switch.partition(": ")
    console, _, menu = place.partition(" console, ")
    rows = [row for row in page.splitlines() if f"| {setting} |" in row]
    assert any(f"| {console}, {menu}" in row for row in rows)


def test_every_permission_that_a_refusal_may_name_stands_on_the_page() -> None:
    named = {
        permission
        for package in ("setup", "logging_setup")
        for path in (ROOT / "exporter" / "administration" / package).glob("*.py")
        for permission in re.findall(
            r'"((?:s3|glue|athena|bedrock):[A-Z]\w+)"', path.read_text(encoding="utf-8")
        )
    }
    assert len(named) > 20
    assert {each for each in named if f'"{each}"' not in PAGE} == set()
