"""The committed dashboards hold together: generator, grid, expressions, variables and links.

Nothing is evaluated here; test_dashboards_live.py asks a real Prometheus.
"""

import itertools
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import pytest
import yaml

import dashboards
import promql
from dashboards import Dashboard, Panel, Target
from exporter.metrics import CATALOGUE, Type
from tools import ROOT

UIDS = {
    "bedrock-overview",
    "bedrock-application",
    "bedrock-user",
    "bedrock-models",
    "bedrock-qdeveloper",
    "bedrock-kiro",
    "bedrock-limits",
    "bedrock-exporter",
}
"""Bookmarks and alert messages hold them: never change one."""

UNUSED = {
    "bedrock_requests_today": "today is told in dollars; calls are drawn by hour",
    "bedrock_tokens_today": "today is told in dollars; limits of a day show its tokens",
    "qdeveloper_activity_today": "reports come on the day after; the newest day is shown",
}
"""Metrics that neither a dashboard nor a rule asks for, and why not."""

OPENS_WITH = {("bedrock-qdeveloper", "product"): "qdeveloper"}
"""Variables that do not open with All, by dashboard and name."""

GRAFANA = {
    "__all",
    "__interval",
    "__interval_ms",
    "__range",
    "__rate_interval",
    "__url_time_range",
    "__value",
}
"""What Grafana itself puts values to."""

ALL = {"text": "All", "value": "$__all"}
RULES = sorted((ROOT / "prometheus/rules").glob("*.yml"))
COMMITTED = dashboards.load()

every_dashboard = pytest.mark.parametrize("dashboard", COMMITTED, ids=lambda one: one.uid)


@pytest.fixture
def generated(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What the generator makes, by the name of the file."""
    monkeypatch.syspath_prepend(ROOT)
    from grafana.generator.catalogue import DASHBOARDS, render

    return {f"{page.uid}.json": render(page) for page in DASHBOARDS}


def targets(dashboard: Dashboard) -> list[tuple[Panel, Target]]:
    return [(panel, target) for panel in dashboard.panels for target in panel.targets]


def metrics_of(dashboard: Dashboard) -> set[str]:
    """Return the metrics that a dashboard asks for."""
    asked = [dashboards.fill(target.expr, {}) for _, target in targets(dashboard)]
    offered = [dashboards.label_values(one)[0] for one in dashboard.queried_variables]
    return set().union(*map(promql.metrics, asked), *map(dashboards.metrics_of, offered))


def repeated(values: Iterable[Any]) -> list[Any]:
    return [value for value, count in Counter(values).items() if count > 1]


def find_data_sources(body: Any) -> list[Any]:
    """Return every value of a key `datasource`, however deep."""
    if isinstance(body, Mapping):
        own = [body["datasource"]] if "datasource" in body else []
        return own + [found for value in body.values() for found in find_data_sources(value)]
    if isinstance(body, list):
        return [found for value in body for found in find_data_sources(value)]
    return []


def test_the_committed_files_are_what_the_generator_makes(generated: dict[str, str]) -> None:
    committed = {dashboard.file.name: dashboard.file.read_text() for dashboard in COMMITTED}
    differing = {name for name, _ in committed.items() ^ generated.items()}
    assert not differing, "run python -m grafana.generator; delete what it does not write"


def test_there_are_eight_dashboards_and_their_addresses_never_change() -> None:
    assert {dashboard.uid for dashboard in COMMITTED} == UIDS
    assert {dashboard.file.stem for dashboard in COMMITTED} == UIDS
    assert not repeated(dashboard.body["title"] for dashboard in COMMITTED)


@every_dashboard
def test_a_dashboard_is_of_the_schema_that_grafana_11_to_13_read(dashboard: Dashboard) -> None:
    assert dashboard.body["schemaVersion"] == 41
    assert "id" not in dashboard.body  # a number of the Grafana that it came from


@every_dashboard
def test_the_data_source_is_the_one_that_the_reader_chose(dashboard: Dashboard) -> None:
    (choice,) = (one for one in dashboard.variables if one["type"] == "datasource")
    assert (choice["name"], choice["query"]) == ("datasource", "prometheus")
    found = find_data_sources(dashboard.body)
    at_least = sum(1 + len(panel.targets) for panel in dashboard.panels)
    assert len(found) >= at_least + len(dashboard.queried_variables)
    assert not [one for one in found if one != dashboards.DATA_SOURCE]


@every_dashboard
def test_a_panel_says_what_it_shows_in_which_unit_and_what_no_data_means(
    dashboard: Dashboard,
) -> None:
    for panel in dashboard.panels:
        assert re.fullmatch(r"\S.*\S", panel.title)
        assert re.fullmatch(r"[A-Z].{10,130}\.", panel.body["description"]), str(panel)
        assert panel.defaults["unit"], str(panel)
        assert re.fullmatch(r"\w.{3,}", panel.defaults["noValue"]), str(panel)
        assert panel.targets, str(panel)


@every_dashboard
def test_rows_ask_questions(dashboard: Dashboard) -> None:
    assert dashboard.rows
    assert dashboard.body["panels"][0]["type"] == "row"
    assert not [row["title"] for row in dashboard.rows if not row["title"].endswith("?")]


@every_dashboard
def test_no_title_number_or_name_of_an_expression_stands_twice(dashboard: Dashboard) -> None:
    assert not repeated(panel.title for panel in dashboard.panels)
    assert not repeated(row["title"] for row in dashboard.rows)
    assert not repeated(body["id"] for body in dashboard.placed)
    for panel in dashboard.panels:
        names = [target.ref for target in panel.targets]
        assert all(names) and not repeated(names), str(panel)


@every_dashboard
def test_panels_stand_beside_each_other_within_24_columns(dashboard: Dashboard) -> None:
    cells: Counter[tuple[int, int]] = Counter()
    for body in dashboard.placed:
        x, y, w, h = (body["gridPos"][key] for key in "xywh")
        assert x >= 0 and x + w <= 24 and y >= 0 and w > 0 and h > 0, body["title"]
        cells.update(itertools.product(range(x, x + w), range(y, y + h)))
    assert not [cell for cell, count in cells.items() if count > 1]


@every_dashboard
def test_an_expression_asks_for_metrics_and_labels_that_the_exporter_has(
    dashboard: Dashboard,
) -> None:
    asked = [dashboards.fill(target.expr, {}) for _, target in targets(dashboard)]
    assert {expr: found for expr in asked if (found := promql.mistakes(expr))} == {}


@pytest.mark.parametrize(
    ("expression", "mistake"),
    [
        ("max(bedrock_cost_usd)", "no such metric"),
        ('max(bedrock_cost_usd_today{team="a"})', "no label team"),
        ("max by (team) (bedrock_cost_usd_today)", "no label team"),
        ("sum(bedrock_cost_usd_today)", "max without (instance, pod)"),
        ("sum(max without (instance) (bedrock_cost_usd_today))", "max without (instance, pod)"),
        ("max by (pod) (bedrock_cost_usd_today)", "max without (instance, pod)"),
        ("time() - bedrock_exporter_source_up", "max without (instance, pod)"),
        ("max(bedrock_cost_usd_total)", "a counter counts by its increase"),
        ("max(increase(bedrock_cost_usd_today[1h]))", "a counter counts by its increase"),
        (
            "max(bedrock_cost_usd_today) / max by (user) (bedrock_cost_usd_today)",
            "nothing can match",
        ),
        (
            "max by (user) (bedrock_cost_usd_today) * on (model) max(bedrock_model_info)",
            "no label model",
        ),
        (
            "max by (model) (bedrock_cost_usd_today)"
            " * on (model) group_left (owner) max by (model) (bedrock_model_info)",
            "no label owner",
        ),
        (
            'label_join(max by (user) (bedrock_cost_usd_today), "subject", " ", "model")',
            "no label model",
        ),
    ],
)
def test_a_mistake_in_an_expression_is_found(expression: str, mistake: str) -> None:
    assert any(mistake in found for found in promql.mistakes(expression))


@every_dashboard
def test_a_variable_offers_values_of_a_label_that_the_metric_has(dashboard: Dashboard) -> None:
    for variable in dashboard.queried_variables:
        series, label = dashboards.label_values(variable)
        assert label == variable["name"]
        named = {label, *re.findall(r"(\w+)=~", series)} - {"__name__"}
        for name in dashboards.metrics_of(series):
            assert named <= set(CATALOGUE[name].labels), name


@every_dashboard
def test_a_legend_names_labels_that_the_series_have(dashboard: Dashboard) -> None:
    for panel, target in targets(dashboard):
        present = promql.labels(dashboards.fill(target.expr, {}))
        assert promql.legend_labels(target.legend) <= present, str(panel)


@every_dashboard
def test_the_rows_of_a_table_have_the_same_labels_in_every_column(dashboard: Dashboard) -> None:
    for panel in dashboard.panels:
        if panel.body["type"] == "table":
            labels = {promql.labels(dashboards.fill(one.expr, {})) for one in panel.targets}
            assert len(labels) == 1, f"{panel}: {labels}"


@every_dashboard
def test_a_column_is_named_after_a_label_or_an_expression(dashboard: Dashboard) -> None:
    for panel in dashboard.panels:
        labels = promql.labels(dashboards.fill(panel.targets[0].expr, {}))
        values = {"Value", *(f"Value #{target.ref}" for target in panel.targets)}
        for step in panel.body.get("transformations", ()):
            if step["id"] == "organize":
                named = {*step["options"]["renameByName"], *step["options"]["indexByName"]}
                assert named <= labels | values | {"Time"}, str(panel)


@every_dashboard
def test_counters_tell_of_the_range_or_an_interval_and_all_else_is_exact(
    dashboard: Dashboard,
) -> None:
    for panel, target in targets(dashboard):
        names = promql.metrics(dashboards.fill(target.expr, {}))
        if any(CATALOGUE[name].type is Type.COUNTER for name in names):
            window = "$__range" if target.is_instant else "$__interval"
            assert window in target.expr, str(panel)
            assert target.is_instant or panel.interval, f"{panel}: an interval of seconds is empty"


@every_dashboard
def test_only_variables_are_named_that_exist(dashboard: Dashboard) -> None:
    known = {variable["name"] for variable in dashboard.variables} | GRAFANA
    for text in dashboards.strings(dashboard.body):
        assert dashboards.variables_in(text) <= known, text


@every_dashboard
def test_all_is_any_value_or_none_so_that_a_label_may_be_left_out(dashboard: Dashboard) -> None:
    for variable in dashboard.queried_variables:
        assert variable["includeAll"] and variable["multi"], variable["name"]
        assert variable["allValue"] == ".*"
        value = OPENS_WITH.get((dashboard.uid, variable["name"]))
        at_first = {"text": [value], "value": [value]} if value else ALL
        assert variable["current"] == at_first
    for _, target in targets(dashboard):
        for operator in re.findall(r'\w+(=~|!~|!?=)"\$', target.expr):
            assert operator == "=~", target.expr


@pytest.mark.parametrize(
    "file", [*(one.file for one in COMMITTED), *RULES], ids=lambda file: file.name
)
def test_a_link_leads_to_a_dashboard_and_sets_variables_that_it_has(file) -> None:
    variables = {one.uid: {variable["name"] for variable in one.variables} for one in COMMITTED}
    for link in re.findall(r"/d/[^\s\"']+", file.read_text()):
        uid, _, query = link.removeprefix("/d/").partition("?")
        assert uid in variables, link
        assert set(re.findall(r"var-(\w+)=", query)) <= variables[uid], link


def test_every_metric_is_shown_or_watched_or_has_a_reason_not_to_be() -> None:
    rules = [
        rule["expr"]
        for file in RULES
        for group in yaml.safe_load(file.read_text())["groups"]
        for rule in group["rules"]
    ]
    shown = set().union(*map(metrics_of, COMMITTED))
    watched = set().union(*map(promql.metrics, rules))
    assert CATALOGUE.keys() - shown - watched == UNUSED.keys()
