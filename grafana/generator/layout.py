"""A dashboard as rows that ask questions, its panels placed on Grafana's 24 columns.

The foundation SDK's own placing overflows the grid, so positions are set here.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models import dashboard as model

from grafana.generator.panels import Panel

COLUMNS = 24
_TAG = "amazon-bedrock"


@dataclass(frozen=True, slots=True)
class Placed:
    """A panel and its size, in grid columns and grid rows of 30 pixels."""

    panel: Panel
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Question:
    """A row: what it answers, and its panels from left to right, wrapping at the edge."""

    title: str
    panels: Sequence[Placed]


@dataclass(frozen=True, slots=True)
class Page:
    """One dashboard. Its uid is part of links and must never change."""

    uid: str
    title: str
    description: str
    questions: Sequence[Question]
    variables: Sequence[Builder[model.VariableModel]] = field(default_factory=tuple)
    since: str = "now-7d"

    def build(self) -> model.Dashboard:
        """Return the dashboard as the SDK models it; raises ValueError if a panel is too wide."""
        page = (
            build.Dashboard(self.title)
            .uid(self.uid)
            .description(self.description)
            .tags([_TAG])
            .timezone("browser")
            .time(self.since, "now")
            .refresh("1m")
            .tooltip(model.DashboardCursorSync.CROSSHAIR)
            .link(_link_to_the_others())
        )
        for variable in self.variables:
            page.with_variable(variable)
        number, top = 1, 0
        for question in self.questions:
            page.with_row(
                build.Row(question.title).id(number).grid_pos(_position(0, top, COLUMNS, 1))
            )
            number, top = number + 1, top + 1
            for placed, position in _place(question.panels, top):
                page.with_panel(_at(placed.panel, number, position))
                number += 1
                top = max(top, position.y + position.h)
        return page.build()


def _link_to_the_others() -> build.DashboardLink:
    return (
        build.DashboardLink("Dashboards")
        .type(model.DashboardLinkType.DASHBOARDS)
        .tags([_TAG])
        .as_dropdown(True)
        .keep_time(True)
        .include_vars(False)
    )


def _place(panels: Sequence[Placed], top: int) -> list[tuple[Placed, model.GridPos]]:
    """Place panels in lines; a line is as high as its highest panel."""
    placed = []
    left = line = 0
    for item in panels:
        if item.width > COLUMNS:
            raise ValueError(f"a panel of {item.width} columns does not fit into {COLUMNS}")
        if left + item.width > COLUMNS:
            left, top, line = 0, top + line, 0
        placed.append((item, _position(left, top, item.width, item.height)))
        left, line = left + item.width, max(line, item.height)
    return placed


def _position(x: int, y: int, width: int, height: int) -> model.GridPos:
    return model.GridPos(x=x, y=y, w=width, h=height)


def _at(panel: Panel, number: int, position: model.GridPos) -> Panel:
    return panel.id(number).grid_pos(position)
