"""The dashboards as they are committed: their panels, and what these ask Prometheus for.

Fills Grafana's variables in as Grafana does: what is not chosen is All, as `.*`.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from promql_parser import parse_duration

from tools import ROOT

FOLDER = ROOT / "grafana/dashboards"
DATA_SOURCE = {"type": "prometheus", "uid": "${datasource}"}

SCRAPE_SECONDS = 15
"""The scrape interval that Grafana takes a data source to have."""

_VARIABLE = re.compile(r"\$([a-z_]\w*)|\$\{([a-z_]\w*)[^}]*\}")
_SPECIAL = re.compile(r"[$^*{}\[\]+?.()|\\]")
_NAMES = re.compile(r'__name__=~"([^"]+)"')
_LABEL_VALUES = re.compile(r"label_values\((.+), (\w+)\)")


@dataclass(frozen=True, slots=True)
class Target:
    """One expression of a panel."""

    ref: str
    expr: str
    """As it is written, with variables."""
    legend: str
    is_instant: bool
    """Of this moment; otherwise one point for each interval."""


@dataclass(frozen=True)
class Panel:
    """A panel that shows data; rows are none."""

    dashboard: str
    """The uid."""
    body: Mapping[str, Any]

    @property
    def title(self) -> str:
        return self.body["title"]

    @property
    def defaults(self) -> Mapping[str, Any]:
        """The settings of all its fields, such as the unit."""
        return self.body["fieldConfig"]["defaults"]

    @property
    def interval(self) -> str:
        """The least time between two points, such as 1h; empty where it does not matter."""
        return self.body.get("interval", "")

    @property
    def targets(self) -> list[Target]:
        return [
            Target(target["refId"], target["expr"], target["legendFormat"], target["instant"])
            for target in self.body.get("targets", ())
        ]

    def __str__(self) -> str:
        return f"{self.dashboard}: {self.title}"


@dataclass(frozen=True)
class Dashboard:
    """One dashboard."""

    file: Path
    body: Mapping[str, Any]

    @property
    def uid(self) -> str:
        return self.body["uid"]

    @property
    def since(self) -> str:
        """How far back it looks when it is opened, such as 30d."""
        return self.body["time"]["from"].removeprefix("now-")

    @property
    def rows(self) -> list[Mapping[str, Any]]:
        return [body for body in self._all if body["type"] == "row"]

    @property
    def panels(self) -> list[Panel]:
        return [Panel(self.uid, body) for body in self._all if body["type"] != "row"]

    @property
    def placed(self) -> list[Mapping[str, Any]]:
        """Rows and panels."""
        return self._all

    @property
    def variables(self) -> list[Mapping[str, Any]]:
        return self.body["templating"]["list"]

    @property
    def queried_variables(self) -> list[Mapping[str, Any]]:
        """The variables whose values Prometheus knows."""
        return [variable for variable in self.variables if variable["type"] == "query"]

    @property
    def _all(self) -> list[Mapping[str, Any]]:
        return [body for outer in self.body["panels"] for body in (outer, *outer.get("panels", ()))]


def load() -> list[Dashboard]:
    """Read the committed dashboards."""
    return [Dashboard(file, json.loads(file.read_text())) for file in sorted(FOLDER.glob("*.json"))]


def fill(
    text: str, chosen: Mapping[str, str], *, time_range: str = "30d", interval: str = "1h"
) -> str:
    """Put values in place of variables; those of the reader that are not chosen are All."""
    seconds = parse_duration(interval).total_seconds()
    times = {
        "__range": time_range,
        "__interval": interval,
        "__interval_ms": f"{seconds * 1000:.0f}",
        "__rate_interval": f"{seconds + SCRAPE_SECONDS:.0f}s",
    }

    def value(found: re.Match[str]) -> str:
        name = next(group for group in found.groups() if group)
        if name in times:
            return times[name]
        return _escaped(chosen[name]) if name in chosen else ".*"

    return _VARIABLE.sub(value, text)


def variables_in(text: str) -> set[str]:
    """Return the names of all variables, Grafana's own included."""
    return {name for groups in _VARIABLE.findall(text) for name in groups if name}


def label_values(variable: Mapping[str, Any]) -> tuple[str, str]:
    """Return of which series a variable offers the values of which label."""
    series, label = _LABEL_VALUES.fullmatch(variable["query"]).groups()  # type: ignore[union-attr]
    return series, label


def metrics_of(series: str) -> set[str]:
    """Return the metrics that a variable's series are of: of one by its name, or of several."""
    several = _NAMES.search(series)
    return set(several.group(1).split("|")) if several else {re.split(r"\W", series)[0]}


def strings(body: Any) -> Iterator[str]:
    """Yield every string of some JSON."""
    if isinstance(body, str):
        yield body
    elif isinstance(body, Mapping):
        for value in body.values():
            yield from strings(value)
    elif isinstance(body, list):
        for value in body:
            yield from strings(value)


def _escaped(value: str) -> str:
    """Escape a value for a regular expression within a PromQL string, as Grafana does."""
    return _SPECIAL.sub(lambda found: "\\\\" + found.group().replace("\\", "\\\\"), value)
