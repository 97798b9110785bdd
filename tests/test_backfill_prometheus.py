"""A history of simulated logs, made into blocks by the real promtool, asked of a real Prometheus.

What it should answer is counted from the log files by a plain computation of their own.
"""

import gzip
import json
import subprocess
import sys
import urllib.parse
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
import yaml

from exporter.simulate import simulate
from test_end_to_end_figures import USD_PER_MILLION, ZONE, Plain, understand
from tools import Prometheus, find_free_port, run_exporter

SECOND, HOUR, DAY = timedelta(seconds=1), timedelta(hours=1), timedelta(days=1)
PRICED = sorted({model for model, _ in USD_PER_MILLION})


@dataclass(frozen=True)
class Call:
    """One call of the log files."""

    moment: datetime
    plain: Plain

    @property
    def is_counted(self) -> bool:
        return not self.plain.error

    @property
    def cost_usd(self) -> Decimal:
        return (self.plain.cost_usd or Decimal(0)) if self.is_counted else Decimal(0)


@dataclass(frozen=True)
class Story:
    """Logs, and a Prometheus that began with their history and now scrapes their exporter."""

    calls: list[Call]
    prometheus: Prometheus
    begin: datetime
    end: datetime
    """The last moment of the history."""

    def until(self, moment: datetime) -> list[Call]:
        """The calls before a moment that is the border of a quarter-hour."""
        return [call for call in self.calls if call.moment < moment]

    def ask(self, expression: str, moment: datetime) -> float:
        """The one value of an expression at a moment; 0 where there is none."""
        query = urllib.parse.urlencode({"query": expression, "time": moment.timestamp()})
        result = json.loads(self.prometheus.get(f"/api/v1/query?{query}").body)["data"]["result"]
        assert len(result) < 2
        return float(result[0]["value"][1]) if result else 0


@pytest.fixture(scope="module")
def story(
    tmp_path_factory: pytest.TempPathFactory, promtool: Path, prometheus_binary: Path
) -> Iterator[Story]:
    folder = tmp_path_factory.mktemp("story")
    now = datetime.now(UTC)
    simulate(folder / "logs", seed=7, start=now - 3 * DAY, end=now, calls_per_day=150)
    exporter = run_exporter(write_config(folder), folder=folder)
    prometheus = None
    try:
        target = exporter.url.removeprefix("http://")
        backfill(folder, f"instance={target}", "job=bedrock", "region=eu-west-9")
        make_blocks(promtool, folder)
        prometheus = start(prometheus_binary, folder, target)
        calls = read(folder / "logs")
        end = now.replace(minute=0, second=0, microsecond=0)
        yield Story(calls, prometheus, now - 3 * DAY, end)
    finally:
        exporter.stop()
        if prometheus:
            prometheus.stop()


def write_config(folder: Path) -> Path:
    file = folder / "config.yaml"
    settings = {
        "timezone": str(ZONE),
        "refresh_interval": "1s",
        "ledger": "ledger.sqlite",
        "sources": [{"type": "invocation_logs", "location": "logs"}],
        "limits": [{"name": "calls", "measure": "requests", "period": "day", "threshold": 100}],
    }
    file.write_text(yaml.safe_dump(settings))
    return file


def backfill(folder: Path, *labels: str) -> None:
    """Write the history while the exporter still reads."""
    command = [sys.executable, "-m", "exporter", "backfill", "--wait=60s", "--output=history.om"]
    command += [f"--label={label}" for label in labels]
    written = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)
    assert written.returncode == 0, written.stderr
    assert " samples at " in written.stderr


def make_blocks(promtool: Path, folder: Path) -> None:
    command = [promtool, "tsdb", "create-blocks-from", "openmetrics", "--max-block-duration=162h"]
    made = subprocess.run(
        [*command, "history.om", "tsdb"], cwd=folder, capture_output=True, text=True, timeout=120
    )
    assert (made.returncode, made.stderr) == (0, "")


def start(binary: Path, folder: Path, target: str) -> Prometheus:
    scrape = {"job_name": "bedrock", "honor_labels": True}
    scrape["static_configs"] = [{"targets": [target], "labels": {"region": "eu-west-9"}}]
    file = folder / "prometheus.yml"
    file.write_text(json.dumps({"global": {"scrape_interval": "1s"}, "scrape_configs": [scrape]}))
    port = find_free_port()
    command = [
        *(binary, f"--config.file={file}", f"--storage.tsdb.path={folder / 'tsdb'}"),
        *("--storage.tsdb.retention.time=90d", f"--web.listen-address=127.0.0.1:{port}"),
    ]
    prometheus = Prometheus(command, port, folder / "prometheus.log", folder)
    prometheus.wait_for("/-/ready")
    assert prometheus.wait_for_series("bedrock_exporter_source_complete == 1")
    return prometheus


def read(folder: Path) -> list[Call]:
    """Open every log object; one call for each requestId."""
    records = {}
    for path in folder.rglob("*.json.gz"):
        if path.parent.name != "data":
            for line in gzip.decompress(path.read_bytes()).splitlines():
                record = json.loads(line)
                records[record["requestId"]] = record
    return [
        Call(datetime.fromisoformat(record["timestamp"]), understand(record))
        for record in records.values()
    ]


def local(moment: datetime) -> datetime:
    return moment.astimezone(ZONE)


def moments(story: Story) -> list[datetime]:
    """Every fifth hour of the history, and its last moment."""
    hours = int((story.end - story.begin) / HOUR)
    return [story.end - number * HOUR for number in range(0, hours - 1, 5)]


def test_requests_and_tokens_at_past_moments_are_those_of_the_files(story: Story) -> None:
    assert len(story.calls) > 200
    for moment in moments(story):
        today = [c for c in story.until(moment) if c.plain.day == local(moment).date()]
        month = [c for c in story.until(moment) if c.plain.day.month == local(moment).month]
        tokens = sum(sum(call.plain.tokens) for call in month if call.is_counted)
        assert story.ask("sum(bedrock_requests_today)", moment) == len(today)
        assert story.ask("sum(bedrock_requests_month_to_date)", moment) == len(month)
        assert story.ask("sum(bedrock_tokens_month_to_date)", moment) == tokens


def test_cost_at_past_moments_is_that_of_the_files(story: Story) -> None:
    expression = f'sum(bedrock_cost_usd_today{{model=~"{"|".join(PRICED)}"}})'
    for moment in moments(story):
        today = [c for c in story.until(moment) if c.plain.day == local(moment).date()]
        expected = sum(call.cost_usd for call in today if call.plain.labels[4] in PRICED)
        assert story.ask(expression, moment) == pytest.approx(float(expected), rel=1e-12)


def test_limits_at_past_moments_are_those_of_the_files(story: Story) -> None:
    for moment in moments(story):
        today = [c for c in story.until(moment) if c.plain.day == local(moment).date()]
        assert story.ask('usage_limit_used{limit="calls"}', moment) == len(today)
        assert story.ask('usage_limit_ratio{limit="calls"}', moment) == len(today) / 100


def test_a_counter_rises_in_a_day_by_the_calls_of_the_day(story: Story) -> None:
    midnight = local(story.end).replace(hour=0, minute=0)
    yesterday = (midnight - HOUR).date()
    expected = sum(call.plain.day == yesterday for call in story.calls)
    risen = story.ask("sum(increase(bedrock_requests_total[1d]))", midnight)
    assert risen == pytest.approx(expected, rel=1e-4) and expected > 0


def test_counters_rise_by_the_calls_of_the_files(story: Story) -> None:
    whole = f"{int((story.end - story.begin) / HOUR) + 2}h"
    at_first = f"sum(min_over_time(bedrock_requests_total[{whole}]))"
    assert story.ask(at_first, story.end) == 0
    assert story.ask("sum(bedrock_requests_total)", story.end) == len(story.until(story.end))


def test_the_live_series_go_on_from_those_of_the_history(story: Story) -> None:
    now = datetime.now(UTC)
    if local(now).month != local(story.end).month:
        return  # the month's series have ended
    for name in ("bedrock_requests_month_to_date", "bedrock_model_info", "usage_limit_used"):
        before, live = (labels_of(story, name, moment) for moment in (story.end, now))
        assert before and before <= live
    assert not labels_of(story, 'bedrock_requests_today{region="eu-west-9"}', now)


def labels_of(story: Story, name: str, moment: datetime) -> set[frozenset[tuple[str, str]]]:
    query = urllib.parse.urlencode({"query": name, "time": moment.timestamp()})
    result = json.loads(story.prometheus.get(f"/api/v1/query?{query}").body)["data"]["result"]
    return {frozenset(series["metric"].items()) for series in result}


def test_a_history_without_samples_makes_no_blocks_and_no_error(
    tmp_path: Path, promtool: Path
) -> None:
    (tmp_path / "history.om").write_text("# EOF\n")
    make_blocks(promtool, tmp_path)
    assert not list(tmp_path.glob("tsdb/*/meta.json"))
