"""Scrapes of 100,000 series: against prometheus_client's server, and during a refresh.

The exporter is a real process with a ledger of so many label sets; meanwhile it reads records of
40 KB. Its memory is that of all its processes together.
"""

import gzip
import http.client
import multiprocessing
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory

from prometheus_client import CollectorRegistry, Gauge, start_http_server

from benchmarks.logs import Shape, write_logs
from benchmarks.ports import free_port
from benchmarks.processes import proportional_bytes
from exporter.ledger import WritableLedger
from exporter.usage import Batch, Counts, Fact, LogObject, Usage, slot_of

_SERIES = 100_000
_SERIES_PER_USER = 14
_SHAPE = Shape(400, 50, 40_960)
_SCRAPES = 300
_THEIR_SCRAPES = 7


def run() -> None:
    """Print scrape times and memory."""
    print(f"\nServing {_SERIES:,} series over loopback, gzip")
    theirs = _time_theirs()
    with TemporaryDirectory() as name:
        folder = Path(name)
        _write_ledger(folder / "ledger.sqlite")
        write_logs(folder / "new", _SHAPE, datetime.now(UTC))
        (folder / "logs").mkdir()
        with _exporter(folder) as (process, port):
            _wait_for_series(port)
            idle = _time_scrapes(port, _SCRAPES)
            (folder / "new" / "AWSLogs").rename(folder / "logs" / "AWSLogs")
            busy, memory = _scrape_while_reading(port, process.pid)
    _print("prometheus_client", theirs, theirs)
    _print("ours", idle, theirs)
    _print("ours, while reading", busy, theirs)
    print(f"  memory of all processes while reading: {memory / 2**20:.0f} MiB at most")


def _print(name: str, seconds: list[float], against: list[float]) -> None:
    p99 = quantiles(seconds, n=100, method="inclusive")[98]
    print(
        f"  {name:<22}median {median(seconds) * 1e3:8.1f} ms  p99 {p99 * 1e3:8.1f} ms  "
        f"{median(against) / median(seconds):6.0f}x"
    )


def _scrape_while_reading(port: int, pid: int) -> tuple[list[float], int]:
    """Scrape until everything new is read."""
    seconds: list[float] = []
    memory = 0
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline:
        seconds += _time_scrapes(port, 10)
        memory = max(memory, proportional_bytes(pid))
        time.sleep(0.05)
        if _is_read(_scrape(port)):
            break
    return seconds, memory


def _is_read(text: bytes) -> bool:
    """Tell whether the new logs are in the figures, all of them."""
    complete = b'bedrock_exporter_source_complete{source="invocation_logs"} 1'
    return b'bedrock_requests_today{account_id="111122223333"' in text and complete in text


def _time_scrapes(port: int, count: int) -> list[float]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    seconds = []
    for _ in range(count):
        started = time.perf_counter()
        connection.request("GET", "/metrics", headers={"Accept-Encoding": "gzip"})
        connection.getresponse().read()
        seconds.append(time.perf_counter() - started)
    connection.close()
    return seconds


def _scrape(port: int) -> bytes:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", "/metrics", headers={"Accept-Encoding": "gzip"})
    text = gzip.decompress(connection.getresponse().read())
    connection.close()
    return text


def _wait_for_series(port: int) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        try:
            if b"bedrock_exporter_series" in _scrape(port):
                return
        except OSError:
            pass
        time.sleep(0.2)
    raise TimeoutError("the exporter published no snapshot")


@contextmanager
def _exporter(folder: Path) -> Iterator[tuple["subprocess.Popen[bytes]", int]]:
    port = free_port()
    config = folder / "config.yaml"
    config.write_text(
        f"ledger: {folder}/ledger.sqlite\nrefresh_interval: 5s\nmetrics: {{max_series: 1000000}}\n"
        f"sources: [{{type: invocation_logs, location: {folder}/logs}}]\n"
    )
    command = [sys.executable, "-m", "exporter", "serve", "--config.file", str(config)]
    process = subprocess.Popen(
        [*command, "--web.listen-address", f"127.0.0.1:{port}", "--log.level", "error"],
        stderr=subprocess.DEVNULL,
        env={**os.environ, "AWS_EC2_METADATA_DISABLED": "true"},
    )
    try:
        yield process, port
    finally:
        process.terminate()
        process.wait()


def _write_ledger(path: Path) -> None:
    """Fill a ledger with as many users as make so many series, over the last days."""
    ledger = WritableLedger.open(path)
    now = datetime.now(UTC)
    users = _SERIES // _SERIES_PER_USER
    for day in range(9):
        slot = slot_of(now - timedelta(days=day, minutes=30))
        usage = tuple(
            Usage(slot, _fact(user), Counts(1, 1000 + user, 100, 50)) for user in range(users)
        )
        unit = LogObject("000000000000", "us-east-1", slot // 4, f"benchmark{day}")
        ledger.apply([Batch("invocation_logs", unit, usage)])
    ledger.close()


def _fact(user: int) -> Fact:
    return Fact(
        account_id="000000000000",
        region="us-east-1",
        inference_region="",
        principal=f"arn:aws:sts::000000000000:assumed-role/App{user % 20}-BedrockRole/user.{user}",
        model_id="anthropic.claude-3-7-sonnet-20250219-v1:0",
        context_from=0,
        service_tier="standard",
        outcome="ok",
        metadata=(),
    )


def _time_theirs() -> list[float]:
    port = free_port()
    process = multiprocessing.get_context("spawn").Process(target=_serve_theirs, args=(port,))
    process.start()
    try:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                _time_scrapes(port, 1)
                break
            except OSError:
                time.sleep(0.2)
        return _time_scrapes(port, _THEIR_SCRAPES)
    finally:
        process.kill()
        process.join()


def _serve_theirs(port: int) -> None:
    registry = CollectorRegistry()
    labels = ["account_id", "region", "application", "user", "model"]
    users = _SERIES // _SERIES_PER_USER
    for number in range(_SERIES_PER_USER):
        gauge = Gauge(f"bedrock_benchmark_{number}", "A gauge.", labels, registry=registry)
        for user in range(users):
            fact = _fact(user)
            application = f"App{user % 20}"
            gauge.labels(
                fact.account_id, fact.region, application, f"user.{user}", fact.model_id
            ).set(user)
    start_http_server(port, "127.0.0.1", registry)
    time.sleep(600)
