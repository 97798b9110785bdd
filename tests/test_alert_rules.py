"""The shipped rules: sound, explained, and each tested where it fires and where it does not."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml

import promql
import rules
from exporter.interpretation.activity import EVENTS
from exporter.metrics import CATALOGUE
from exporter.snapshot.page_view import words_of
from rules import Alert
from tools import ROOT

PROMETHEUS = ROOT / "prometheus"
DASHBOARDS = ROOT / "grafana/dashboards"
UNIT_TESTS = sorted((PROMETHEUS / "tests").glob("*.yml"))
PAGES = sorted(rules.RUNBOOKS.glob("*.md"))

every_alert = pytest.mark.parametrize("alert", rules.alerts(), ids=lambda alert: alert.name)
every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)


def run(program: Path, *arguments: str | Path) -> None:
    """Run a program in prometheus/; whatever it has to say against the files fails the test."""
    command = [str(program), *map(str, arguments)]
    ran = subprocess.run(command, cwd=PROMETHEUS, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def unit_tests() -> Iterator[dict[str, Any]]:
    """Yield what the unit tests expect of alerts: name, time and the alerts that fire."""
    for file in UNIT_TESTS:
        for test in yaml.safe_load(file.read_text())["tests"]:
            yield from test["alert_rule_test"]


# What the programs say


def test_prometheus_takes_its_configuration_and_the_rules(promtool: Path) -> None:
    run(promtool, "check", "config", "prometheus.yml")


def test_the_rules_are_without_lint(promtool: Path) -> None:
    run(promtool, "check", "rules", "--lint=all", "--lint-fatal", "rules/recording.yml")
    run(promtool, "check", "rules", "--lint=all", "--lint-fatal", "rules/alerts.yml")


@pytest.mark.parametrize("file", UNIT_TESTS, ids=lambda file: file.stem)
def test_alerts_fire_as_their_unit_tests_say(file: Path, promtool: Path) -> None:
    run(promtool, "test", "rules", file)


@every_alert
def test_an_alert_is_tested_where_it_fires_and_where_it_stays_silent(alert: Alert) -> None:
    expected = [test["exp_alerts"] for test in unit_tests() if test["alertname"] == alert.name]
    assert any(expected), "no unit test in which it fires"
    assert not all(expected), "no unit test in which it stays silent"


# What the rules ask for


@pytest.mark.parametrize("name", rules.recorded())
def test_a_recorded_figure_is_made_of_what_the_exporter_has_and_counts_once(name: str) -> None:
    assert rules.mistakes(rules.recorded()[name]) == []


@pytest.mark.parametrize("name", rules.recorded())
def test_the_name_of_a_recorded_figure_says_level_metric_and_operations(name: str) -> None:
    level, metric, operations = name.split(":")
    assert re.fullmatch(r"[a-z]\w*", level) and re.fullmatch(r"[a-z]\w*", operations)
    assert any(known.startswith(metric) for known in CATALOGUE) or "_per_" in metric
    assert "_".join(sorted(promql.labels(rules.recorded()[name]))) == level


@every_alert
def test_an_alert_asks_for_what_the_exporter_has_and_counts_once(alert: Alert) -> None:
    assert rules.mistakes(alert.expr) == []


def named(name: str) -> Alert:
    (alert,) = (one for one in rules.alerts() if one.name == name)
    return alert


def test_a_spike_is_held_to_the_events_that_its_ratio_is_made_of() -> None:
    (activities,) = re.findall(r'activity=~"([^"]+)"', named("QDeveloperActivitySpike").expr)
    assert activities.split("|") == sorted(EVENTS)


MONEY_AND_LIMITS = re.compile("UsageLimit|Cost|Spend|Unpriced|Overage|ContextWindow")


@every_alert
def test_no_alert_on_money_or_limits_asks_for_a_counter(alert: Alert) -> None:
    if MONEY_AND_LIMITS.search(alert.name):
        asked = promql.metrics(rules.inlined(alert.expr))
        assert [name for name in asked if name.endswith("_total")] == []


# What an alert says


@every_alert
def test_an_alert_has_a_name_a_severity_and_all_that_its_reader_needs(alert: Alert) -> None:
    assert re.fullmatch(r"(Bedrock|QDeveloper|Kiro)([A-Z][a-z]+)+", alert.name)
    assert alert.severities
    assert set(alert.severities) <= {"critical", "warning", "info"}
    wanted = {"summary", "description", "runbook_url", "dashboard_url"}
    assert {name for name, text in alert.annotations.items() if text.strip()} == wanted


@every_alert
def test_a_message_names_labels_and_metrics_that_there_are(alert: Alert) -> None:
    text = "".join(alert.annotations.values())
    assert set(re.findall(r"\$labels\.(\w+)", text)) <= alert.possible_labels
    metric = r"\b(?:bedrock|usage_limit|qdeveloper|kiro)_\w+"
    assert set(re.findall(metric, rules.RECORDED.sub("", text))) <= set(CATALOGUE)
    assert {name for name, _ in rules.RECORDED.findall(text)} <= set(rules.recorded())


LIMIT_ALERTS = [one for one in rules.alerts() if one.name.startswith("BedrockUsageLimit")]


@pytest.mark.parametrize("alert", LIMIT_ALERTS, ids=lambda alert: alert.name)
@pytest.mark.parametrize("measure", [*sorted(EVENTS), "tokens", "requests", "credits"])
def test_an_alert_calls_a_measure_as_the_status_page_does(alert: Alert, measure: str) -> None:
    (how,) = re.findall(r"\$labels\.measure \|(.+?) -}}", alert.annotations["summary"])
    words = measure
    for pattern, replacement in re.findall(r'reReplaceAll "([^"]+)" "([^"]+)"', how):
        words = re.sub(pattern, replacement, words)
    assert words == words_of(measure).replace("_", " ")


@every_alert
def test_an_alert_leads_to_a_dashboard(alert: Alert) -> None:
    prefix = "{{ $externalLabels.grafana_url }}"
    url = urlsplit(alert.annotations["dashboard_url"].removeprefix(prefix))
    dashboard = json.loads((DASHBOARDS / f"{url.path.removeprefix('/d/')}.json").read_text())
    assert url.path == f"/d/{dashboard['uid']}"
    variables = {f"var-{variable['name']}" for variable in dashboard["templating"]["list"]}
    assert parse_qs(url.query).keys() <= variables


def runbook(alert: Alert) -> Path:
    """The page that an alert leads to, where repository_url is not set."""
    prefix = "{{ with $externalLabels.repository_url }}{{ . }}/{{ end }}"
    return ROOT / alert.annotations["runbook_url"].removeprefix(prefix)


@every_alert
def test_an_alert_leads_to_its_runbook_page(alert: Alert) -> None:
    assert runbook(alert) == rules.RUNBOOKS / f"{alert.name}.md"
    assert runbook(alert).exists()


# What the documentation says


@every_page
def test_a_runbook_page_belongs_to_an_alert_and_says_what_to_do(page: Path) -> None:
    assert page.stem in {alert.name for alert in rules.alerts()}
    headings = [line for line in page.read_text().splitlines() if line.startswith("#")]
    sections = ["## Meaning", "## Impact", "## Diagnosis", "## Mitigation"]
    assert headings == [f"# {page.stem}", *sections]


@every_page
def test_what_a_runbook_asks_can_be_asked(page: Path) -> None:
    asked = re.findall(r"```promql\n(.+?)```", page.read_text(), re.DOTALL)
    assert asked, "the diagnosis has nothing to paste"
    for expression in "\n".join(asked).strip().split("\n\n"):
        assert rules.mistakes(expression) == [], expression


@every_page
def test_every_link_of_a_runbook_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
        assert (page.parent / target).exists(), target


def failure_reasons() -> set[str]:
    """The reasons of failures that the code writes down, as names in small letters."""
    files = [*(ROOT / "exporter/sources").glob("*.py"), ROOT / "exporter/refresh.py"]
    text = "\n".join(file.read_text() for file in files)
    written = r"(?:StoreError|Fault|Meaning)\(\s*|_fail\(source\.name, |reason, text = "
    return set(re.findall(rf'(?:{written})"([a-z_]+)"', text))


def test_the_runbook_of_failing_sources_knows_every_reason() -> None:
    page = (rules.RUNBOOKS / "BedrockSourceFailing.md").read_text()
    assert {"throttled", "wrong_schema", "cost_ceiling", "object_gone"} < failure_reasons()
    assert failure_reasons() - set(re.findall(r"`(\w+)`", page)) == set()


def row(alert: Alert) -> list[str]:
    """The cells of an alert in the table of docs/alerts.md."""
    (line,) = re.findall(rf"^\| \[{alert.name}\].*$", (ROOT / "docs/alerts.md").read_text(), re.M)
    return [cell.strip() for cell in line.strip("|").split("|")]


def thresholds(alert: Alert) -> set[str]:
    """The figures that an expression compares with, as the table writes them."""
    found = re.findall(r"(?m)(?:>=|>|<) ([\d.]+)$", alert.expr)
    return {
        f"{value:.0%}".replace("%", " %") if value <= 1 else f"{value:g}"
        for value in map(float, found)
        if value
    }


@every_alert
def test_the_table_of_alerts_says_what_the_rules_say(alert: Alert) -> None:
    name, when, severity, wait = row(alert)
    assert name == f"[{alert.name}](runbooks/{alert.name}.md)"
    assert re.findall(r"critical|warning|info", severity) == alert.severities
    assert wait == alert.wait
    for threshold in thresholds(alert):
        assert threshold in when


def test_the_table_has_no_other_alerts() -> None:
    listed = re.findall(r"^\| \[(\w+)\]", (ROOT / "docs/alerts.md").read_text(), re.M)
    assert listed == [alert.name for alert in rules.alerts()]
