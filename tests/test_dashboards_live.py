"""The dashboards on a real Prometheus: every panel has data, its figures are those of the exporter.

Prometheus has days of history, scrapes the exporter under two addresses as it would two exporters
of one ledger, and sees live calls come in.
"""

import gzip
import json
import math
import re
import subprocess
import sys
import time
import urllib.parse
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

import dashboards
import promql
from dashboards import Dashboard, Panel, Target
from exporter import metrics
from exporter.metrics import Metric
from exporter.simulate import live, simulate
from tools import Prometheus, Service, fetch, run_exporter, run_prometheus

SEED = 5
SOURCES = ("invocation_logs", "prompt_logs", "activity_reports", "kiro_reports")
CALLS_PER_DAY = 40
MODEL = "anthropic.claude-sonnet-4-5-20250929-v1:0"
CALL = {
    "schemaType": "ModelInvocationLog",
    "accountId": "111122223333",
    "region": "us-east-1",
    "operation": "Converse",
    "modelId": f"us.{MODEL}",
    "identity": {
        "arn": "arn:aws:sts::111122223333:assumed-role/CustomerServiceApp-BedrockRole/alice.kim"
    },
    "input": {
        "inputTokenCount": 800,
        "cacheReadInputTokenCount": 9000,
        "cacheWriteInputTokenCount": 200,
    },
    "output": {"outputTokenCount": 400},
}
FAILED_CALL = {key: value for key, value in CALL.items() if key != "output"} | {
    "errorCode": "ThrottlingException"
}
UNPRICED_CALL = CALL | {"modelId": "anthropic.claude-of-the-future-v1:0"}

CHAT = {
    "generateAssistantResponseEventRequest": {"prompt": "Why?", "userId": "d-1234567890.alice.kim"},
    "generateAssistantResponseEventResponse": {
        "assistantResponse": "Because.",
        "messageMetadata": {"conversationId": "c"},
    },
}
ACTIVITY = "UserId,Date,Chat_AICodeLines,Chat_MessagesSent,Dev_GenerationEventCount\n"
CREDITS = (
    "Date,UserId,Client_Type,Chat_Conversations,Credits_Used,Overage_Cap,Overage_Credits_Used,"
    "Overage_Enabled,ProfileId,Subscription_Tier,Total_Messages,auto_messages\n"
)

ALL: Mapping[str, str] = {}
ONE = {
    "account_id": "111122223333",
    "region": "us-east-1",
    "application": "CustomerServiceApp",
    "user": "alice.kim",
    "model": MODEL,
    "product": "bedrock",
    "limit": "cost-per-application",
}
"""One value of every variable."""
ONE_OF_ASSISTANTS = {"bedrock-qdeveloper": {"product": "qdeveloper"}}
"""Where it is another one, by dashboard."""

EMPTY_IN_HEALTH = {
    metrics.SOURCE_ERRORS: "no source has failed",
    metrics.REJECTED_RECORDS: "every record was taken",
    metrics.SKIPPED_RECORDS: "every record was usage",
    metrics.AWS_REQUESTS: "a folder is read without AWS",
    metrics.AWS_COST_TODAY: "a folder is read without AWS",
    metrics.ATHENA_SCANNED_BYTES: "a folder is read without AWS",
}
"""Metrics that rightly have no series, and why."""
EMPTY = {
    "all": EMPTY_IN_HEALTH,
    "one": EMPTY_IN_HEALTH
    | {
        metrics.UNPRICED_REQUESTS: "the model has a price",
        metrics.UNPRICED_TOKENS: "the model has a price",
    },
    "labels left out": EMPTY_IN_HEALTH
    | {metrics.MODEL_INFO: "calls are not told apart by model"}
    | dict.fromkeys(
        (
            metrics.QDEVELOPER_ACTIVITY_MEAN,
            metrics.QDEVELOPER_ACTIVITY_MAX,
            metrics.QDEVELOPER_ACTIVITY_MIN,
            metrics.QDEVELOPER_ACTIVITY_SPIKE,
            metrics.QDEVELOPER_IDLE,
            metrics.KIRO_IDLE,
        ),
        "users are not told apart",
    ),
}
"""The same, of all that there is, of one value of each variable, and where labels are left out."""

DIFFERENT_AT_EVERY_SCRAPE = {
    metrics.BUILD_INFO.name,  # the exporters are counted
    metrics.SOURCE_DURATION.name,
    metrics.SOURCE_LAST_SUCCESS.name,
}
Series = list[tuple[dict[str, str], list[float]]]
"""Labels and values."""

DASHBOARDS = dashboards.load()
DRAWN_POINTS = 1000


@dataclass(frozen=True)
class Answer:
    """What Prometheus answered to an expression of a panel."""

    panel: Panel
    target: Target
    series: Series

    @property
    def metrics(self) -> set[str]:
        return promql.metrics(dashboards.fill(self.target.expr, ALL))

    @property
    def tells_users_apart(self) -> bool:
        """Whether users are counted, of which there are none where the label is left out."""
        return 'user!~"' in self.target.expr

    def __str__(self) -> str:
        return f"{self.panel}: {self.target.expr}"


@dataclass(frozen=True)
class Watched:
    """An exporter, and the Prometheus that scrapes it under two addresses."""

    exporter: Service
    prometheus: Prometheus

    @property
    def is_scraped(self) -> bool:
        return self.prometheus.query("sum(up)") == [({}, 2)]

    @property
    def agrees(self) -> bool:
        """Whether both addresses were scraped since the last call was read."""
        said = Exposed(self.exporter.get("/metrics").text).total(metrics.REQUESTS_MONTH)[""]
        scraped = self.prometheus.query(f"sum by (instance) ({metrics.REQUESTS_MONTH.name})")
        return [value for _, value in scraped] == [said, said]


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four simulated days up to now, and calls of every kind in both this month and the last."""
    folder = tmp_path_factory.mktemp("logs")
    now = datetime.now(UTC)
    start = now - timedelta(days=4)
    simulate(folder, seed=SEED, start=start, end=now, calls_per_day=CALLS_PER_DAY)
    last_month = now.replace(day=1, hour=0, minute=0) - timedelta(hours=1)
    write_log_object(folder, now, [CALL, FAILED_CALL, UNPRICED_CALL])
    write_log_object(folder, last_month, [CALL])
    for days in range(6):
        write_prompts(folder, now - timedelta(days=days))
        write_reports(folder, now - timedelta(days=days))
    return folder


@pytest.fixture(scope="module")
def both(
    logs: Path,
    tmp_path_factory: pytest.TempPathFactory,
    prometheus_binary: Path,
    promtool: Path,
) -> Iterator[tuple[Watched, Watched]]:
    """An exporter with all labels of usage, and one with the application alone, once all agree."""
    folders = [tmp_path_factory.mktemp(name) for name in ("full", "reduced")]
    write_config(folders[0], logs)
    write_config(folders[1], logs, labels=["application"])
    with ExitStack() as running:
        exporters = []
        for folder in folders:
            exporters.append(run_exporter(folder / "config.yaml", folder=folder))
            running.callback(exporters[-1].stop)
        full, reduced = (
            watch(prometheus_binary, promtool, folder, exporter, running)
            for folder, exporter in zip(folders, exporters, strict=True)
        )
        wait_until(lambda: full.is_scraped and reduced.is_scraped)
        time.sleep(2)  # counters are seen as they are before they rise
        make_live_calls(logs)
        wait_until(lambda: full.agrees and reduced.agrees)
        yield full, reduced


@pytest.fixture(scope="module")
def full(both: tuple[Watched, Watched]) -> Watched:
    return both[0]


@pytest.fixture(scope="module")
def exposed(full: Watched) -> "Exposed":
    """What the exporter itself says."""
    return Exposed(full.exporter.get("/metrics").text)


@pytest.fixture(scope="module")
def answers(both: tuple[Watched, Watched]) -> dict[str, list[Answer]]:
    """All that the dashboards show, over the range that each opens with."""
    full, reduced = both
    return {
        "all": ask_for_everything(full.prometheus, ALL),
        "one": ask_for_everything(full.prometheus, ONE),
        "labels left out": ask_for_everything(reduced.prometheus, ALL),
    }


class Exposed:
    """The figures of an exporter's /metrics."""

    def __init__(self, text: str) -> None:
        self._samples = [
            sample for family in text_string_to_metric_families(text) for sample in family.samples
        ]

    def total(self, metric: Metric, by: str = "", **where: str) -> dict[str, float]:
        """Sum a metric by a label, or under the empty name, where other labels match a pattern."""
        sums: dict[str, float] = Counter()
        for sample in self._samples:
            if sample.name == metric.name and all(
                re.fullmatch(value, sample.labels[label]) for label, value in where.items()
            ):
                sums[sample.labels.get(by, "")] += sample.value
        return sums


def write_log_object(folder: Path, moment: datetime, calls: list[dict[str, Any]]) -> None:
    records = [
        call
        | {"timestamp": f"{moment:%Y-%m-%dT%H:%M:%SZ}", "requestId": f"{moment:%Y%m%d}-{number}"}
        for number, call in enumerate(calls)
    ]
    file = folder / (
        f"AWSLogs/111122223333/BedrockModelInvocationLogs/us-east-1/{moment:%Y/%m/%d/%H}/"
        f"{moment:%Y%m%dT%H%M%S}Z_00000000deadbeef.json.gz"
    )
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(gzip.compress("\n".join(map(json.dumps, records)).encode()))


def write_prompts(folder: Path, moment: datetime) -> None:
    """Write one chat with each assistant."""
    for service in ("QDeveloperLogs", "KiroLogs"):
        chat = json.loads(json.dumps(CHAT))
        chat["generateAssistantResponseEventRequest"]["timeStamp"] = (
            f"{moment:%Y-%m-%dT%H:%M:%S.%fZ}"
        )
        chat["generateAssistantResponseEventResponse"]["requestId"] = f"{service} {moment}"
        name = f"{service}/GenerateAssistantResponse/us-east-1/{moment:%Y/%m/%d/%H}/chat.json.gz"
        file = folder / "AWSLogs/111122223333" / name
        file.parent.mkdir(parents=True)
        file.write_bytes(gzip.compress(json.dumps({"records": [chat]}).encode()))


def write_reports(folder: Path, day: datetime) -> None:
    """Write what each assistant reports of a day."""
    activity = f"{ACTIVITY}alice.kim,{day:%m-%d-%Y},50,20,1\n"
    credits_used = f"{CREDITS}{day:%Y-%m-%d},alice.kim,KIRO_IDE,1,40.5,,0,false,arn,PRO,9,9\n"
    for name, text in (
        (
            "QDeveloperLogs/by_user_analytic/us-east-1/{}/111122223333_by_user_analytic_{}.csv",
            activity,
        ),
        (
            "KiroLogs/user_report/us-east-1/{}/KIRO_IDE_111122223333_user_report_{}.csv",
            credits_used,
        ),
    ):
        name = name.format(f"{day:%Y/%m/%d}/00", f"{day:%Y%m%d}0000")
        file = folder / "AWSLogs/111122223333" / name
        file.parent.mkdir(parents=True)
        file.write_text(text)


def write_config(folder: Path, logs: Path, **of_metrics: Any) -> None:
    config = {
        "refresh_interval": "1s",
        "ledger": "ledger.sqlite",
        "sources": [{"type": kind, "location": str(logs)} for kind in SOURCES],
        "limits": [
            {
                "name": "cost-per-application",
                "by": ["application"],
                "measure": "cost_usd",
                "period": "month",
                "threshold": 50,
            },
            {
                "name": "tokens-per-user",
                "by": ["user"],
                "measure": "tokens",
                "period": "month",
                "threshold": 2_000_000,
            },
        ],
        "metrics": {"counter_birth": "2s", **of_metrics},
    }
    (folder / "config.yaml").write_text(yaml.safe_dump(config))


def addresses(exporter: Service) -> list[str]:
    port = urllib.parse.urlsplit(exporter.url).port
    return [f"127.0.0.1:{port}", f"localhost:{port}"]


def scrape_config(exporter: Service) -> dict[str, Any]:
    targets = {"targets": addresses(exporter)}
    job = {"job_name": "bedrock", "honor_labels": True, "static_configs": [targets]}
    return {"global": {"scrape_interval": "1s"}, "scrape_configs": [job]}


def watch(
    prometheus_binary: Path, promtool: Path, folder: Path, exporter: Service, running: ExitStack
) -> Watched:
    """Start a Prometheus that has an exporter's history, once the exporter has read its logs."""
    exporter.wait_for("/-/ready")
    complete = {f'{metrics.SOURCE_COMPLETE.name}{{source="{kind}"}} 1' for kind in SOURCES}
    wait_until(lambda: all(one in exporter.get("/metrics").text for one in complete))
    load_history(promtool, folder, exporter)
    prometheus = run_prometheus(prometheus_binary, scrape_config(exporter), folder)
    running.callback(prometheus.stop)
    return Watched(exporter, prometheus)


def make_live_calls(logs: Path) -> None:
    """Have models called for three seconds."""
    rounds = iter(range(3))

    def is_over(seconds: float) -> bool:
        time.sleep(seconds)
        return next(rounds, None) is None

    live(
        logs,
        seed=SEED,
        calls_per_day=CALLS_PER_DAY,
        calls_per_minute=600,
        interval=timedelta(seconds=1),
        clock=lambda: datetime.now(UTC),
        wait=is_over,
    )


def load_history(promtool: Path, folder: Path, exporter: Service) -> None:
    """Give Prometheus three days of what the exporter would have shown."""
    since = datetime.now(UTC) - timedelta(days=3)
    backfill = [
        *(sys.executable, "-m", "exporter", "backfill"),
        *("--config.file", folder / "config.yaml", "--output", folder / "history.txt"),
        *("--from", f"{since:%Y-%m-%d}", "--step", "1h", "--label", "job=bedrock"),
        *("--label", f"instance={addresses(exporter)[0]}"),
    ]
    subprocess.run([str(part) for part in backfill], check=True, capture_output=True)
    load = [
        *(promtool, "tsdb", "create-blocks-from", "--max-block-duration=744h", "openmetrics"),
        *(folder / "history.txt", folder / "tsdb"),
    ]
    subprocess.run(load, check=True, capture_output=True)


def wait_until(is_so: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def ask(prometheus: Prometheus, path: str, **parameters: object) -> Any:
    """Ask the API; neither errors nor warnings are accepted."""
    response = fetch(f"{prometheus.url}/api/v1/{path}?{urllib.parse.urlencode(parameters)}")
    answer = json.loads(response.body)
    assert answer["status"] == "success", f"{parameters}: {answer}"
    assert not answer.get("warnings"), f"{parameters}: {answer['warnings']}"
    return answer["data"]


def ask_now(prometheus: Prometheus, expression: str, moment: float | None = None) -> Series:
    """Evaluate an expression at a moment, by default this."""
    result = ask(prometheus, "query", query=expression, time=moment or time.time())["result"]
    return [(series["metric"], [float(series["value"][1])]) for series in result]


def ask_panel(
    prometheus: Prometheus,
    panel: Panel,
    target: Target,
    chosen: Mapping[str, str],
    since: str,
) -> Series:
    """Evaluate an expression as Grafana does: over a range in whole intervals since the epoch.

    Where a panel names no interval, Grafana's is seconds or minutes, and the last point is now.
    """
    length = promql_parser.parse_duration(since).total_seconds()
    least = promql_parser.parse_duration(panel.interval or "1s").total_seconds()
    step = int(max(least, length / DRAWN_POINTS))
    expression = dashboards.fill(target.expr, chosen, time_range=since, interval=f"{step}s")
    if target.is_instant:
        return ask_now(prometheus, expression)
    end = time.time() // step * step if panel.interval else time.time()
    asked = {"query": expression, "start": end - length // step * step, "end": end, "step": step}
    result = ask(prometheus, "query_range", **asked)
    return [
        (series["metric"], [float(value) for _, value in series["values"]])
        for series in result["result"]
    ]


def ask_for_everything(prometheus: Prometheus, chosen: Mapping[str, str]) -> list[Answer]:
    return [
        Answer(panel, target, ask_panel(prometheus, panel, target, of_dashboard, dashboard.since))
        for dashboard, panel, target in every_target()
        for of_dashboard in [chosen_on(dashboard, chosen)]
    ]


def chosen_on(dashboard: Dashboard, chosen: Mapping[str, str]) -> Mapping[str, str]:
    """Return what is chosen on a dashboard: All, or one value of every variable."""
    return {**chosen, **ONE_OF_ASSISTANTS.get(dashboard.uid, {})} if chosen else chosen


def every_target() -> Iterator[tuple[Dashboard, Panel, Target]]:
    for dashboard in DASHBOARDS:
        for panel in dashboard.panels:
            for target in panel.targets:
                yield dashboard, panel, target


def figures(*asked: Metric, by: str = "", is_sum: bool) -> set[str]:
    """Return the expressions of the moment that are made of these metrics, with variables at All.

    A sum of what has one fixed value of a label is not meant.
    """
    found = set()
    for _, _, target in every_target():
        expression = dashboards.fill(target.expr, ALL)
        if (
            target.is_instant
            and promql.metrics(expression) == {metric.name for metric in asked}
            and promql.labels(expression) == ({by} if by else set())
            and promql.is_sum(expression) == is_sum
            and not (is_sum and '="' in expression)
        ):
            found.add(expression)
    assert found
    return found


every_choice = pytest.mark.parametrize("choice", EMPTY)


@every_choice
def test_every_expression_of_every_panel_returns_data(
    choice: str, answers: dict[str, list[Answer]]
) -> None:
    excused = {metric.name for metric in EMPTY[choice]}
    asked = [one for one in answers[choice] if not is_uncounted(choice, one)]
    empty = [answer for answer in asked if not answer.series]
    assert not [str(answer) for answer in empty if not answer.metrics & excused]
    assert not excused - {name for answer in empty for name in answer.metrics}, "never empty"


def is_uncounted(choice: str, answer: Answer) -> bool:
    return choice == "labels left out" and answer.tells_users_apart


def test_users_are_counted_only_where_they_are_exposed(answers: dict[str, list[Answer]]) -> None:
    for choice in EMPTY:
        counts = [one for one in answers[choice] if one.tells_users_apart]
        assert counts
        assert not [str(one) for one in counts if bool(one.series) is is_uncounted(choice, one)]


@every_choice
def test_no_figure_is_a_division_by_nothing(choice: str, answers: dict[str, list[Answer]]) -> None:
    for answer in answers[choice]:
        for _, values in answer.series:
            assert all(math.isfinite(value) for value in values), str(answer)


def test_every_variable_offers_the_one_value_among_others(full: Watched) -> None:
    for dashboard in DASHBOARDS:
        for variable in dashboard.queried_variables:
            series, label = dashboards.label_values(variable)
            for chosen in (ALL, one := chosen_on(dashboard, ONE)):
                matched = {"match[]": dashboards.fill(series, chosen)}
                assert one[label] in ask(full.prometheus, f"label/{label}/values", **matched)


def test_cost_of_the_month_is_that_of_the_exporter(full: Watched, exposed: Exposed) -> None:
    for expression in figures(metrics.COST_MONTH, is_sum=True):
        ((_, (cost,)),) = ask_now(full.prometheus, expression)
        assert cost == pytest.approx(exposed.total(metrics.COST_MONTH)[""]), expression


@pytest.mark.parametrize("label", ["application", "user", "model"])
def test_cost_of_each_application_user_and_model_is_that_of_the_exporter(
    label: str, full: Watched, exposed: Exposed
) -> None:
    expected = exposed.total(metrics.COST_MONTH, by=label)
    assert len(expected) > 1
    for expression in figures(metrics.COST_MONTH, by=label, is_sum=True):
        shown = {labels[label]: cost for labels, (cost,) in ask_now(full.prometheus, expression)}
        assert shown == pytest.approx(expected), expression


def test_cost_of_a_call_is_all_cost_by_all_calls(full: Watched, exposed: Exposed) -> None:
    cost, calls = (exposed.total(one)[""] for one in (metrics.COST_MONTH, metrics.REQUESTS_MONTH))
    for expression in figures(metrics.COST_MONTH, metrics.REQUESTS_MONTH, is_sum=False):
        ((_, (shown,)),) = ask_now(full.prometheus, expression)
        assert shown == pytest.approx(cost / calls), expression


def test_cache_hit_share_is_the_part_of_the_prompt_that_was_read_from_the_cache(
    full: Watched, exposed: Exposed
) -> None:
    read = exposed.total(metrics.TOKENS_MONTH, token_kind="cache_read")[""]
    prompt = exposed.total(metrics.TOKENS_MONTH, token_kind="input|cache_.*")[""]
    for expression in figures(metrics.TOKENS_MONTH, is_sum=False):
        ((_, (shown,)),) = ask_now(full.prometheus, expression)
        assert shown == pytest.approx(read / prompt), expression


def test_no_figure_rises_because_an_exporter_runs_twice(
    full: Watched,
) -> None:
    first = addresses(full.exporter)[0]
    compared = 0
    for dashboard, panel, target in every_target():
        both = dashboards.fill(target.expr, ALL, time_range=dashboard.since, interval="1d")
        if promql.metrics(both) & DIFFERENT_AT_EVERY_SCRAPE:
            continue
        moment = time.time()
        doubled, single = (
            ask_now(full.prometheus, expression, moment)
            for expression in (both, of_instance(both, first))
        )
        # Prometheus estimates the few calls between two scrapes, which differ by address.
        near = pytest.approx(values(single), rel=0.5, abs=2)
        assert values(doubled) == near, f"{panel}: {both}"
        compared += len(doubled)
    assert compared > 100


def test_without_usage_there_is_no_figure_of_it_instead_of_a_zero(
    tmp_path: Path,
    start_exporter: Callable[..., Service],
    start_prometheus: Callable[[Mapping[str, Any]], Prometheus],
) -> None:
    (tmp_path / "logs").mkdir()
    write_config(tmp_path, tmp_path / "logs")
    prometheus = start_prometheus(scrape_config(start_exporter(tmp_path / "config.yaml")))
    assert prometheus.wait_for_series(f"{metrics.SOURCE_COMPLETE.name} == 1")
    asked = {dashboards.fill(target.expr, ALL) for _, _, target in every_target()}
    shown = {name for one in asked if ask_now(prometheus, one) for name in promql.metrics(one)}
    assert shown  # of the exporter itself
    assert not [name for name in shown if not name.startswith("bedrock_exporter_")]


def test_an_exporter_that_is_down_leaves_no_figure_instead_of_a_zero(
    logs: Path,
    tmp_path: Path,
    start_exporter: Callable[..., Service],
    start_prometheus: Callable[[Mapping[str, Any]], Prometheus],
) -> None:
    write_config(tmp_path, logs)
    exporter = start_exporter(tmp_path / "config.yaml")
    prometheus = start_prometheus(scrape_config(exporter))
    assert prometheus.wait_for_series(f"{metrics.SOURCE_COMPLETE.name} == 1")
    exporter.stop()
    assert prometheus.wait_for_series("sum(up) == 0")
    shown = {}
    for _, panel, target in every_target():
        expression = dashboards.fill(target.expr, ALL)
        if not asks_of_the_past(expression) and (series := ask_now(prometheus, expression)):
            shown[str(panel)] = (promql.metrics(expression), series)
    assert shown  # how many exporters answer is known
    assert all(one == ({metrics.BUILD_INFO.name}, [({}, [0])]) for one in shown.values()), shown


def asks_of_the_past(expression: str) -> bool:
    """Tell whether an expression is about what was there within a time, whoever still runs."""
    return "[" in expression


def of_instance(expression: str, instance: str) -> str:
    """Select one exporter in every selector."""
    for name in promql.metrics(expression):
        with_braces = re.sub(rf"\b{name}\b(?!{{)", f"{name}{{}}", expression)
        expression = with_braces.replace(f"{name}{{", f'{name}{{instance="{instance}", ')
    return expression


def values(series: Series) -> dict[tuple[tuple[str, str], ...], float]:
    return {tuple(sorted(labels.items())): value for labels, (value,) in series}
