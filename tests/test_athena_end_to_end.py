"""Athena and direct reading over the same logs: the same /metrics, also when AWS fails all day."""

import gzip
import json
import random
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import structlog
from structlog.testing import capture_logs

from athena_server import AthenaServer, fail, refuse, server_error, slow
from delivered_logs import delivered_at, objects_of, without_copies
from exporter import config, exposition
from exporter.aws import sessions
from exporter.config import Config
from exporter.ledger import WritableLedger
from exporter.refresh import Refresh, Source
from exporter.simulate import simulate
from exporter.snapshot import Snapshot
from exporter.sources.athena import Athena
from exporter.sources.log_objects import LogObjects
from exporter.sources.record_reader import Recording
from log_sources import open_bedrock_logs
from s3_server import Fault as S3Fault
from s3_server import S3Server, delay
from s3_server import refuse as refuse_s3
from snapshots import utc
from tools import ROOT

NOW = utc("2026-11-02T12:34")
SAMPLE = ROOT / "tests/fixtures/logs"
SAMPLE_NOW = utc("2025-11-18T00:30")
"""Every shape of record that is known, and when the last of them was delivered."""
LIMITS = [
    {"name": "tokens", "by": ["user"], "measure": "tokens", "period": "day", "threshold": 100_000},
    {"name": "cost", "measure": "cost_usd", "period": "month", "threshold": 50},
]


@pytest.fixture(scope="module")
def servers() -> Iterator[tuple[S3Server, AthenaServer]]:
    with S3Server() as s3, AthenaServer() as athena, pytest.MonkeyPatch.context() as environment:
        environment.setenv("AWS_ENDPOINT_URL_S3", s3.url)
        environment.setenv("AWS_ENDPOINT_URL_ATHENA", athena.url)
        environment.setenv("AWS_ACCESS_KEY_ID", "testing")
        environment.setenv("AWS_SECRET_ACCESS_KEY", "testing")
        environment.setenv("AWS_DEFAULT_REGION", "us-east-1")
        athena.add_s3(s3.location)
        yield s3, athena


class Exporter:
    """One source, a ledger of its own, and a clock that stands where a test puts it."""

    def __init__(self, folder: Path, make: Callable[[Config], Source], **changes: Any) -> None:
        folder.mkdir()
        self.now = NOW
        self.snapshots: list[Snapshot] = []
        self.ledger = WritableLedger.open(folder / "ledger.sqlite")
        source = {"type": "athena", "name": "logs", "location": "s3://logs", "region": "us-east-1"}
        self.settings = Config.model_validate(
            {"timezone": "Asia/Kolkata", "limits": LIMITS, "sources": [{**source, **changes}]}
        )
        self.refresh = Refresh(
            self.settings,
            [make(self.settings)],
            self.ledger,
            publish=self.snapshots.append,
            clock=lambda: self.now,
            is_stopping=lambda: False,
            is_interrupted=lambda: False,
            log=structlog.get_logger("exporter"),
        )

    def metrics(self) -> list[str]:
        """All that is exposed of usage and limits, and of the logs that were read."""
        text, _ = exposition.expose(self.snapshots[-1].families)
        own = ("bedrock_exporter_log_objects", "bedrock_exporter_log_records")
        return [
            line
            for line in b"".join(exposition.plain(text, b"")).decode().splitlines()
            if line.startswith(own) or not line.startswith("bedrock_exporter_")
        ]


def recording(settings: Config) -> Recording:
    attribution = settings.attribution
    return Recording(attribution.metadata_keys, attribution.user_metadata_keys)


def through_athena(settings: Config) -> Athena:
    [source] = settings.sources
    assert isinstance(source, config.Athena)
    return Athena(source, None, recording(settings), 10**12, wait=lambda seconds: False)


def direct(location: str, settings: Config) -> LogObjects:
    return open_bedrock_logs(location, recording(settings))


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Three days of logs: keys and contents."""
    folder = tmp_path_factory.mktemp("simulated")
    simulate(folder, seed=7, start=NOW - timedelta(days=3), end=NOW, calls_per_day=300)
    return objects_of(folder)


@pytest.mark.parametrize(
    ("logs", "way"),
    [("simulated", {}), ("sample", {}), ("sample", {"list_objects": False})],
    ids=["simulated", "every shape", "every shape, not listed"],
)
def test_the_same_records_give_the_same_metrics_to_the_last_digit(
    servers, simulated, tmp_path, logs, way
) -> None:
    s3, athena = servers
    s3.reset()
    athena.reset()
    objects = simulated if logs == "simulated" else a_record_a_line(objects_of(SAMPLE))
    for key, content in objects.items():
        s3.put(key, content)
    owners: dict[str, set[str]] = {}
    for key in objects:
        if "BedrockModelInvocationLogs/" in key and key.count("/") > 5:
            owners.setdefault(key.split("/")[1], set()).add(key.split("/")[3])
    if way:
        way = {**way, "owners": {account: sorted(owners[account]) for account in owners}}
    with capture_logs() as logged:
        one = Exporter(tmp_path / "athena", through_athena, **way)
        other = Exporter(tmp_path / "direct", partial(direct, "s3://logs"))
        for exporter in (one, other):
            exporter.now = NOW if logs == "simulated" else SAMPLE_NOW
            exporter.refresh.run()
    with closing(one.ledger), closing(other.ledger):
        assert [entry for entry in logged if entry["log_level"] == "error"] == []
        assert sorted(one.metrics()) == sorted(other.metrics())
        assert any(line.startswith("bedrock_cost_usd_today{") for line in one.metrics())


FAULTS: list[Callable[[], Any]] = [
    lambda: refuse("StartQueryExecution", "ThrottlingException", times=2),
    lambda: refuse("StartQueryExecution", "TooManyRequestsException", times=1),
    lambda: refuse("StartQueryExecution", "ExpiredTokenException", times=1),
    lambda: refuse("GetQueryExecution", "ExpiredTokenException", times=1),
    lambda: refuse("GetQueryResults", "ThrottlingException", times=3),
    lambda: server_error("StartQueryExecution", times=3),
    lambda: server_error("GetQueryExecution", times=1),
    lambda: server_error("GetQueryResults", times=3),
    lambda: slow("GetQueryResults", 0.2, times=1),
    lambda: fail("GENERIC_INTERNAL_ERROR: null", times=1),
    lambda: fail("Query exhausted resources at this scale factor", times=2),
    lambda: refuse_s3("AWSLogs", 503, "SlowDown", times=3, lists=True),
    lambda: refuse_s3("AWSLogs", 400, "ExpiredToken", times=1, lists=True),
    lambda: refuse_s3("AWSLogs/1", 500, "InternalError", times=4, lists=True),
    lambda: refuse_s3("AWSLogs/4", 403, "AccessDenied", times=1, lists=True),
    lambda: delay("AWSLogs", 0.1),
]


def test_a_day_of_faults_costs_nothing_in_the_end(
    servers, simulated, tmp_path, monkeypatch
) -> None:
    s3, athena = servers
    s3.reset()
    athena.reset()
    monkeypatch.setattr(sessions, "ATTEMPTS", 2)
    choice = random.Random(11)
    with capture_logs() as logged:
        exporter = Exporter(tmp_path / "athena", through_athena)
        undelivered = sorted(
            without_copies(simulated).items(), key=lambda item: delivered_at(item[0])
        )
        for step in range(12):
            exporter.now = NOW - timedelta(days=1) + (step + 1) * timedelta(hours=2)
            while (
                undelivered and delivered_at(undelivered[0][0]) <= f"{exporter.now:%Y%m%dT%H%M%S}"
            ):
                s3.put(*undelivered.pop(0))
            for fault in choice.sample(FAULTS, 2):
                made = fault()
                (s3 if isinstance(made, S3Fault) else athena).faults.append(made)
            exporter.refresh.run()
            s3.faults.clear()
            athena.faults.clear()
        for key, content in undelivered:
            s3.put(key, content)
        exporter.now = NOW
        exporter.refresh.run()
        calm = Exporter(tmp_path / "calm", partial(direct, "s3://logs"))
        calm.refresh.run()
    with closing(exporter.ledger), closing(calm.ledger):
        failed = {entry.get("reason") for entry in logged if entry["log_level"] == "error"}
        assert {"throttled", "credentials", "server_error"} <= failed
        assert gauges(exporter) == gauges(calm)


def gauges(exporter: Exporter) -> list[str]:
    """What is exposed of usage and limits, without what counts the rounds that it took."""
    return sorted(line for line in exporter.metrics() if "_total" not in line)


def a_record_a_line(objects: dict[str, bytes]) -> dict[str, bytes]:
    """Return log objects as Bedrock writes them: Athena reads no others."""
    return {
        f"{key.removesuffix('.gz')}.gz": gzip.compress(
            b"".join(json.dumps(record).encode() + b"\n" for record in records(content))
        )
        for key, content in objects.items()
        if key.rpartition("/")[2].startswith("2025") and "/data/" not in key
    }


def records(content: bytes) -> Iterator[dict[str, Any]]:
    """Take the documents of an object apart, whatever stands between them."""
    text = (gzip.decompress(content) if content[:1] == b"\x1f" else content).decode()
    while text := text.strip():
        document, end = json.JSONDecoder().raw_decode(text)
        yield from document if isinstance(document, list) else [document]
        text = text[end:]
