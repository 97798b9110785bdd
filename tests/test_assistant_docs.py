"""docs/developer-assistants.md says what the code does: names, numbers, and examples that load."""

import csv
import re
import textwrap
from pathlib import Path

import pytest

from exporter.config import load
from exporter.interpretation.default_limits import DEFAULT_LIMITS
from exporter.interpretation.estimates import estimate
from exporter.interpretation.kiro_limits import NAME
from exporter.interpretation.kiro_tiers import KIRO_TIERS
from exporter.metrics import CATALOGUE
from promql import metrics, parse
from tools import ROOT

PAGE = (ROOT / "docs" / "developer-assistants.md").read_text(encoding="utf-8")
BLOCKS = [textwrap.dedent(each) for each in re.findall(r"(?m)(?:^    .*\n)+", PAGE)]
ASKING = PAGE.partition("\n## Asking\n")[2].partition("\n## ")[0]


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def expressions() -> list[str]:
    """Each expression of the section on asking; a line that goes on begins with a space."""
    found = []
    for block in re.findall(r"(?m)(?:^    .*\n)+", ASKING):
        found += [" ".join(each.split()) for each in re.split(r"\n(?=\S)", textwrap.dedent(block))]
    return found


def test_every_metric_of_the_page_exists() -> None:
    asked = {name for expression in expressions() for name in metrics(expression)}
    described = set(re.findall(r"`(qdeveloper_[a-z_]+|bedrock_exporter_[a-z_]+)`", PAGE))
    assert len(asked | described) > 12
    assert (asked | described) - CATALOGUE.keys() == set()


@pytest.mark.parametrize("expression", expressions())
def test_every_question_is_promql(expression: str) -> None:
    parse(expression)


def test_the_sources_and_limits_of_the_page_load(tmp_path: Path) -> None:
    sources, limits = (
        next(each for each in BLOCKS if each.startswith(start))
        for start in ("sources:\n", "limits:\n")
    )
    path = tmp_path / "config.yaml"
    path.write_text(sources + limits, encoding="utf-8")
    settings = load(path)
    kinds = [source.type for source in settings.sources]
    assert kinds == ["prompt_logs", "activity_reports", "kiro_reports"]
    assert [limit.product for limit in settings.limits] == ["qdeveloper", "kiro"]


def test_the_estimate_of_the_page_is_the_one_that_is_made() -> None:
    counts = {
        "chat_messages_sent": 601,
        "inline_suggestions_count": 536,
        "inline_acceptance_count": 201,
        "chat_ai_code_lines": 2573,
        "inline_ai_code_lines": 201,
    }
    tokens = estimate(counts)
    for figure in (*tokens, sum(tokens)):
        assert f"{figure:,}" in PAGE


@pytest.mark.parametrize("row", rows(DEFAULT_LIMITS), ids=lambda row: row["name"])
def test_the_default_limits_of_the_page_are_those_of_the_table(row: dict[str, str]) -> None:
    line = next(each for each in PAGE.splitlines() if f"| `{row['name']}` |" in each)
    assert f"| {int(row['threshold']):,} |" in line


@pytest.mark.parametrize("row", rows(KIRO_TIERS), ids=lambda row: row["tier"])
def test_the_tiers_of_the_page_are_those_of_the_table(row: dict[str, str]) -> None:
    line = next(each for each in PAGE.splitlines() if f"| `{NAME}` |" in each)
    assert f"{row['tier']} {int(row['credits']):,}" in line
