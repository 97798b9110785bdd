"""A real exporter on Athena, killed at random moments of its first fill: every figure is exact."""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from athena_server import AthenaServer
from delivered_logs import objects_of, without_copies
from exporter.ledger import Ledger
from exporter.simulate import Written, simulate
from s3_server import S3Server
from tools import Service, run_exporter

KILLS = 3


@pytest.fixture
def servers(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[S3Server, AthenaServer]]:
    """A bucket, and an Athena over what lies in it."""
    with S3Server() as s3, AthenaServer() as athena:
        for name, value in {
            "AWS_ENDPOINT_URL_S3": s3.url,
            "AWS_ENDPOINT_URL_ATHENA": athena.url,
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_DEFAULT_REGION": "us-east-1",
        }.items():
            monkeypatch.setenv(name, value)
        athena.add_s3(s3.location)
        yield s3, athena


def test_figures_are_exact_after_kills_in_the_middle_of_queries(
    servers: tuple[S3Server, AthenaServer], tmp_path: Path
) -> None:
    s3, athena = servers
    written = put_logs(s3, tmp_path / "logs")
    config = tmp_path / "config.yaml"
    config.write_text(
        "refresh_interval: 1m\nledger: ledger.sqlite\n"
        "sources: [{type: athena, location: 's3://logs', region: us-east-1}]\n"
    )
    choice = random.Random(5)
    for _ in range(KILLS):
        exporter = run_exporter(config, folder=tmp_path)
        enough = len(athena.queries) + choice.randrange(1, 4)
        wait_until(partial(has_started, athena, enough))
        time.sleep(choice.uniform(0, 0.3))
        exporter.process.kill()
        exporter.process.wait()
    exporter = run_exporter(config, folder=tmp_path).wait_for("/-/ready")
    try:
        wait_until(lambda: is_complete(exporter))
    finally:
        exporter.stop()
    with closing(Ledger.open(tmp_path / "ledger.sqlite")) as ledger:
        counts = [summed.counts for summed in ledger.sum_usage(0, 2**40).values()]
    assert sum(count.requests for count in counts) == written.records


def put_logs(s3: S3Server, folder: Path) -> Written:
    """Put simulated logs into the bucket, without second copies of records."""
    end = datetime.now(UTC)
    written = simulate(folder, seed=9, start=end - timedelta(days=15), end=end, calls_per_day=15)
    for key, content in without_copies(objects_of(folder)).items():
        s3.put(key, content)
    return written


def is_complete(exporter: Service) -> bool:
    return 'bedrock_exporter_source_complete{source="athena"} 1.0' in exporter.get("/metrics").text


def has_started(athena: AthenaServer, queries: int) -> bool:
    return len(athena.queries) >= queries


def wait_until(condition: Callable[[], bool], seconds: float = 90) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)
