"""The shipped rules as they are committed, and what their expressions ask for.

What rules record is put in the place of its name, so that an alert is held to the metrics of the
exporter and to nothing else.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import yaml

import promql
from tools import ROOT

FOLDER = ROOT / "prometheus/rules"
RUNBOOKS = ROOT / "docs/runbooks"

RECORDED = re.compile(r"(\w*:\w+:\w+)(\{[^}]*\})?")
"""A name that has the form of a recorded one, and what is selected of it."""


@dataclass(frozen=True)
class Alert:
    """An alerting rule."""

    name: str
    expr: str
    """As it is written."""
    wait: str
    """How long it must hold before it fires, such as 15m; 0s: at once."""
    labels: Mapping[str, str]
    annotations: Mapping[str, str]

    @property
    def severities(self) -> list[str]:
        """Those that it can have: one, or where the product decides, Bedrock's before others'."""
        return re.findall(r"(?:^|}})(\w+)", self.labels["severity"])

    @property
    def possible_labels(self) -> set[str]:
        """The labels that the alert can have."""
        return {*promql.labels(inlined(self.expr)), *self.labels}


def alerts() -> list[Alert]:
    """Return every alert, in the order of the file."""
    return [
        Alert(
            rule["alert"], rule["expr"], rule.get("for", "0s"), rule["labels"], rule["annotations"]
        )
        for rule in _rules("alerts.yml")
    ]


@cache
def recorded() -> dict[str, str]:
    """Return what is recorded under each name, made of the exporter's metrics alone."""
    expressions: dict[str, str] = {}
    for rule in _rules("recording.yml"):
        expressions[rule["record"]] = _inline(rule["expr"], expressions)
    return expressions


def inlined(expression: str) -> str:
    """Put what rules record in the place of its name.

    Raises KeyError for a name that none records, ValueError for a label that it cannot have.
    """
    return _inline(expression, recorded())


def mistakes(expression: str) -> list[str]:
    """Return what is wrong with an expression of a rule; of a good one, nothing.

    `up` is no metric of the exporter, but Prometheus' own.
    """
    found = promql.mistakes(inlined(expression))
    return [mistake for mistake in found if not mistake.startswith("up:")]


def _inline(expression: str, expressions: Mapping[str, str]) -> str:
    def replace(match: re.Match[str]) -> str:
        name, selected = match.groups(default="")
        for label in re.findall(r"(\w+)\s*[=!]", selected):
            if label not in promql.labels(expressions[name]):
                raise ValueError(f"{name}: there is no label {label}")
        return f"({expressions[name]})"

    return RECORDED.sub(replace, expression)


def _rules(file: str) -> Iterator[Mapping[str, Any]]:
    for group in yaml.safe_load((FOLDER / file).read_text(encoding="utf-8"))["groups"]:
        yield from group["rules"]
