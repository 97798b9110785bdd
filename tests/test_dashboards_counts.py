"""Panels that count users count those that can be told apart, as promtool evaluates them."""

import re
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

import dashboards
import promql
from dashboards import Panel, Target
from exporter.identity import UNKNOWN
from exporter.metrics import CATALOGUE
from exporter.snapshot.exposure import OTHER

VALUE = 5_000_000
"""Of every series; in seconds, 57 days."""


def counts_users(target: Target) -> bool:
    """Tell whether series of users are counted; limits, of which some are of users, are not."""
    names = promql.metrics(dashboards.fill(target.expr, {}))
    counted = re.search(r"\bcount\b", target.expr) is not None
    return (
        counted
        and all("user" in CATALOGUE[name].labels for name in names)
        and not any(name.startswith("usage_limit_") for name in names)
    )


COUNTING = [
    (panel, target)
    for dashboard in dashboards.load()
    for panel in dashboard.panels
    for target in panel.targets
    if counts_users(target)
]
every_count = pytest.mark.parametrize(
    ("panel", "target"), COUNTING, ids=[f"{panel}, {target.ref}" for panel, target in COUNTING]
)


def values_of(expression: str) -> dict[str, str]:
    """Return values of labels that the expression selects."""
    is_lines = 'activity=~".+_lines' in expression
    return {
        "tier": "PRO",
        "activity": "chat_ai_code_lines" if is_lines else "chat_messages_sent",
        "user": "",
    }


def write(labels: dict[str, str]) -> str:
    return "{" + ", ".join(f'{name}="{value}"' for name, value in labels.items() if value) + "}"


def series_of(expression: str, users: Sequence[str]) -> Iterator[dict[str, str]]:
    """Yield a series of each metric and user; an empty name is a series without the label."""
    for name in promql.metrics(expression):
        labels = dict.fromkeys(CATALOGUE[name].labels, "x") | {
            label: value
            for label, value in values_of(expression).items()
            if label in CATALOGUE[name].labels
        }
        for user in users:
            yield {"series": name + write(labels | {"user": user}), "values": f"{VALUE}x5"}


def expect(
    promtool: Path, folder: Path, target: Target, users: Sequence[str], value: int | None
) -> None:
    """Hold what is shown of these users to one value, or to nothing."""
    expression = dashboards.fill(target.expr, {})
    kept = {"client_type": "x", "model": "x"} | values_of(expression)
    labels = {label: kept[label] for label in sorted(promql.labels(expression))}
    shown = [] if value is None else [{"labels": write(labels), "value": value}]
    asked: dict[str, Any] = {"expr": expression, "eval_time": "3m", "exp_samples": shown}
    test = {
        "interval": "1m",
        "input_series": list(series_of(expression, users)),
        "promql_expr_test": [asked],
    }
    file = folder / "test.yml"
    file.write_text(yaml.safe_dump({"evaluation_interval": "1m", "tests": [test]}))
    command = [str(promtool), "test", "rules", str(file)]
    ran = subprocess.run(command, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_users_are_counted_on_both_dashboards_of_assistants() -> None:
    counted = {(panel.dashboard, panel.title) for panel, _ in COUNTING}
    assert counted == {
        ("bedrock-qdeveloper", "Users"),
        ("bedrock-qdeveloper", "Events"),
        ("bedrock-qdeveloper", "Lines of code"),
        ("bedrock-kiro", "Users in overage"),
        ("bedrock-kiro", "Active users"),
        ("bedrock-kiro", "Credits a user"),
        ("bedrock-kiro", "Tiers"),
        ("bedrock-kiro", "Models and clients"),
        ("bedrock-kiro", "Dormant paid seats"),
    }


@every_count
def test_a_count_of_users_leaves_out_names_that_stand_for_many(
    panel: Panel, target: Target, promtool: Path, tmp_path: Path
) -> None:
    is_mean = " / " in target.expr
    expect(promtool, tmp_path, target, ["alice", "bob", UNKNOWN, OTHER], VALUE if is_mean else 2)


@every_count
@pytest.mark.parametrize("users", [[""], [UNKNOWN], [UNKNOWN, OTHER]], ids=str)
def test_a_count_of_users_says_nothing_where_no_user_is_exposed(
    users: list[str], panel: Panel, target: Target, promtool: Path, tmp_path: Path
) -> None:
    expect(promtool, tmp_path, target, users, None)


@every_count
def test_a_figure_of_users_says_that_there_are_none_to_tell_apart(
    panel: Panel, target: Target
) -> None:
    if panel.body["type"] == "stat":
        assert panel.defaults["noValue"] == "No users to tell apart, or no data"
