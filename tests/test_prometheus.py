"""A real Prometheus scrapes the real exporter and answers PromQL with the right figures."""

import gzip
import json
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from exporter.simulate import CANARY, Written, live, simulate
from tools import Prometheus, Service

StartExporter = Callable[..., Service]
StartPrometheus = Callable[[Mapping[str, Any]], Prometheus]

SEED = 7
RATE = 200
REAL_BILL = {
    # Claude 3.7 Sonnet, us-east-1: 23 calls, 506 input and 4,576 output tokens, $0.070158
    "modelId": "anthropic.claude-3-7-sonnet-20250219-v1:0",
    "accountId": "999900001111",
    "region": "us-east-1",
    "operation": "Converse",
    "schemaType": "ModelInvocationLog",
    "identity": {"arn": "arn:aws:sts::999900001111:assumed-role/Billed-BedrockRole/alice"},
    "input": {"inputTokenCount": 22},
    "output": {"outputTokenCount": 198},
}


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    return tmp_path / "logs"


@pytest.fixture
def written(logs: Path) -> Written:
    """Two simulated days up to now, and beside them the calls of a real bill."""
    now = datetime.now(UTC)
    start = now - timedelta(days=2)
    written = simulate(logs, seed=SEED, start=start, end=now, calls_per_day=RATE)
    lines = []
    for number in range(23):
        # 22 x 23 input; 198 x 23 = 4,554 output, and 22 more in the last call
        output = 198 + (22 if number == 22 else 0)
        record = REAL_BILL | {
            "timestamp": f"{now:%Y-%m-%dT%H:%M:%SZ}",
            "requestId": f"bill-{number}",
            "output": {"outputTokenCount": output},
        }
        lines.append(json.dumps(record).encode())
    path = logs / (
        f"AWSLogs/999900001111/BedrockModelInvocationLogs/us-east-1/{now:%Y/%m/%d/%H}/"
        f"{now:%Y%m%dT%H%M%S}Z_00000000deadbeef.json.gz"
    )
    path.parent.mkdir(parents=True)
    path.write_bytes(gzip.compress(b"\n".join(lines)))
    return written


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "config.yaml"
    file.write_text(
        yaml.safe_dump(
            {
                "refresh_interval": "1s",
                "ledger": "ledger.sqlite",
                "sources": [{"type": "invocation_logs", "location": "logs"}],
                "metrics": {"counter_birth": "2s"},
                "limits": [
                    {
                        "name": "billed",
                        "match": {"application": "Billed"},
                        "measure": "cost_usd",
                        "period": "month",
                        "threshold": "0.140316",
                    }
                ],
            }
        )
    )
    return file


def count_requests(folder: Path) -> int:
    """Distinct requestIds of all files."""
    return len(
        {
            json.loads(line)["requestId"]
            for file in folder.rglob("*.json.gz")
            if "data" not in file.parts
            for line in gzip.decompress(file.read_bytes()).splitlines()
        }
    )


def scrape_config(exporter: Service) -> dict[str, Any]:
    target = exporter.url.removeprefix("http://").rstrip("/")
    return {
        "global": {"scrape_interval": "1s"},
        "scrape_configs": [
            {
                "job_name": "bedrock",
                "honor_labels": True,
                "static_configs": [
                    # Labels that a target often has, and that the exporter's must win over.
                    {"targets": [target], "labels": {"region": "eu-west-9", "app": "x"}}
                ],
            }
        ],
    }


def test_prometheus_answers_with_the_figures_of_the_logs(
    logs: Path,
    written: Written,
    config: Path,
    start_exporter: StartExporter,
    start_prometheus: StartPrometheus,
) -> None:
    prometheus = start_prometheus(scrape_config(start_exporter(config)))
    assert prometheus.wait_for_series("bedrock_exporter_source_complete == 1")

    def value(expression: str) -> float:
        ((_, number),) = prometheus.query(expression)
        return number

    if datetime.now(UTC).day > 2:  # else some of the logs are last month's
        assert value("sum(bedrock_requests_month_to_date)") == count_requests(logs)
        for kind, tokens in {
            "input": written.input_tokens + 506,
            "output": written.output_tokens + 4576,
            "cache_read": written.cache_read_tokens,
            "cache_write.*": written.cache_write_tokens,
        }.items():
            assert value(f'sum(bedrock_tokens_month_to_date{{token_kind=~"{kind}"}})') == tokens
    billed = '{application="Billed", user="alice", region="us-east-1"}'
    assert value(f"bedrock_requests_today{billed}") == 23
    assert value('bedrock_tokens_today{application="Billed", token_kind="output"}') == 4576
    assert value(f"bedrock_cost_usd_today{billed}") == 0.070158
    assert value('usage_limit_ratio{limit="billed"}') == 0.5
    assert value("sum(up)") == 1
    assert not prometheus.query('{region="eu-west-9", __name__=~"bedrock_(tokens|cost)_.*today"}')


def test_increase_sees_every_call_that_came_while_prometheus_watched(
    logs: Path,
    written: Written,
    config: Path,
    start_exporter: StartExporter,
    start_prometheus: StartPrometheus,
) -> None:
    exporter = start_exporter(config)
    prometheus = start_prometheus(scrape_config(exporter))
    assert prometheus.wait_for_series("bedrock_exporter_source_complete == 1")
    time.sleep(3)  # longer than counter_birth, so that what is known has been seen at 0
    before = count_requests(logs)
    stop = threading.Timer(4, lambda: None)
    stop.start()
    live(
        logs,
        seed=SEED,
        calls_per_day=RATE,
        calls_per_minute=600,
        interval=timedelta(seconds=1),
        clock=lambda: datetime.now(UTC),
        wait=lambda seconds: (time.sleep(seconds), not stop.is_alive())[1],
    )
    new = count_requests(logs) - before
    assert new > 10
    query = "sum(bedrock_requests_total)"
    deadline = time.monotonic() + 20
    while prometheus.query(query)[0][1] != new and time.monotonic() < deadline:
        time.sleep(0.5)
    assert prometheus.query(query)[0][1] == new
    # Every series was seen at 0: what rose from there is all there is.
    ((_, born_at_zero),) = prometheus.query("sum(min_over_time(bedrock_requests_total[5m]))")
    assert born_at_zero == 0


def test_promtool_has_nothing_to_say_and_no_prompt_gets_out(
    written: Written, config: Path, start_exporter: StartExporter, promtool: Path
) -> None:
    exporter = start_exporter(config)
    deadline = time.monotonic() + 30
    while 'source_complete{source="invocation_logs"} 1' not in exporter.get("/metrics").text:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    text = exporter.get("/metrics").body
    checked = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True)
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, b"", b"")
    assert CANARY.encode() not in text
    assert CANARY not in exporter.get("/").text
