"""Real exporters, killed at random moments while they read: in the end every figure is exact."""

import gzip
import json
import os
import re
import shutil
import signal
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import TypeVar

import psutil

from exporter.ledger import Ledger
from tools import Service, run_exporter
from usage_builders import Call, write_log

EXPORTERS = 3
"""So many at a time, each with its own logs and ledger: starting one is mostly waiting."""
KILLS = 7
"""Of each exporter."""

Figures = Counter[str]
T = TypeVar("T")


def test_figures_are_exact_after_kills_at_random_moments(tmp_path: Path) -> None:
    folders = [tmp_path / str(number) for number in range(EXPORTERS)]
    with ThreadPoolExecutor(EXPORTERS) as pool:
        kills = list(pool.map(kill_again_and_again, folders, range(EXPORTERS)))
        assert sum(kills, Counter()).total() == EXPORTERS * KILLS
        list(pool.map(check_figures, folders))


def test_whoever_is_left_when_the_exporter_is_killed_ends_by_itself(tmp_path: Path) -> None:
    deliver(tmp_path / "logs", Random(1), objects=150)
    with running(tmp_path) as exporter:
        everyone = wait_until(lambda: len(family(exporter)) > 3 and family(exporter))
        exporter.process.kill()
        exporter.process.wait()
        wait_until(lambda: not living(everyone))


def kill_again_and_again(folder: Path, seed: int) -> Counter[str]:
    """Start an exporter, have logs delivered, kill some process of it while it reads; repeat."""
    random = Random(seed)
    kills: Counter[str] = Counter()
    while kills.total() < KILLS:
        deliver(folder / "logs", random, objects=90)
        with running(folder) as exporter:
            deliver(folder / "logs", random, objects=5)
            wait_for_reading(folder / "ledger.sqlite", random.randrange(90))
            time.sleep(random.uniform(0, 0.05))
            kills[kill_one(exporter, random)] += 1
    return kills


def wait_for_reading(ledger: Path, objects: int, seconds: float = 5) -> None:
    """Wait until so many more log objects are taken, or that long: a kill may come at any time."""
    with closing(sqlite3.connect(ledger)) as connection:

        def taken() -> int:
            return int(connection.execute("SELECT count(*) FROM log_object").fetchone()[0])

        enough, deadline = taken() + objects, time.monotonic() + seconds
        while taken() < enough and time.monotonic() < deadline:
            time.sleep(0.005)


def kill_one(exporter: Service, random: Random) -> str:
    """Kill the exporter, its collector, all its processes at once, or one that reads logs."""
    everyone = family(exporter)
    collectors = children(exporter.process.pid)
    assert len(collectors) == 1, exporter.log
    [collector] = collectors
    readers = sorted(children(collector))
    victim = random.choice(["exporter", "collector", "all", "reader" if readers else "all"])
    if victim == "collector":
        os.kill(collector, signal.SIGKILL)
        assert exporter.process.wait(10) == 1
        assert "the collecting process was killed (SIGKILL)" in exporter.log
    elif victim == "reader":
        kill([random.choice(readers)])
        time.sleep(random.uniform(0, 0.8))
        kill([exporter.process.pid])
    elif victim == "exporter":
        kill([exporter.process.pid])
    else:
        kill([exporter.process.pid, *everyone])
    exporter.process.wait(10)
    wait_until(lambda: not living(everyone))
    return victim


def check_figures(folder: Path) -> None:
    """Read what is left to read, and hold the figures against the logs."""
    with running(folder) as exporter:
        wait_until(lambda: "source_complete{" in (text := metrics(exporter)) and is_complete(text))
        text = metrics(exporter)
        now = datetime.now(UTC)
    logged = read_logs(folder / "logs")
    assert read_ledger(folder / "ledger.sqlite") == add_up(logged.values())
    this_month = [r for r in logged.values() if r["timestamp"].startswith(f"{now:%Y-%m}")]
    assert scraped(text) == add_up(this_month)
    with running(folder) as exporter:
        wait_until(lambda: is_complete(metrics(exporter)))
        text = metrics(exporter)
    assert total(text, "bedrock_exporter_log_objects_total") == 0, "a restart reads nothing again"
    assert scraped(text) == add_up(this_month)


@contextmanager
def running(folder: Path) -> Iterator[Service]:
    """Run an exporter from the moment at which it begins to read, and leave no process of it."""
    config = folder / "config.yaml"
    if not config.exists():
        config.write_text(
            "refresh_interval: 1s\nledger: ledger.sqlite\n"
            "sources: [{type: invocation_logs, location: logs}]\n"
        )
    exporter = run_exporter(config, folder=folder)
    try:
        wait_until(lambda: 'event="reading logs"' in exporter.log, lambda: exporter.log)
        yield exporter
    finally:
        exporter.stop()


# Logs


def deliver(logs: Path, random: Random, objects: int) -> None:
    """Write log objects: new records, some of them twice, and some that were delivered before."""
    now = datetime.now(UTC).replace(microsecond=0)
    before: list[Call] = []
    for _ in range(objects):
        new = [call(random, now) for _ in range(20)]
        again = random.choices(new, k=2) + random.sample(before, min(3, len(before)))
        write_log(logs, new + again, time=now - timedelta(minutes=random.randrange(40 * 60)))
        before += new
    copied = random.choice(list(logs.rglob("*.json.gz")))
    name = f"{now:%Y%m%dT%H%M%S}000Z_{random.randbytes(8).hex()}.json.gz"
    shutil.copyfile(copied, copied.with_name(name))


def call(random: Random, now: datetime) -> Call:
    return Call(
        request_id=random.randbytes(8).hex(),
        time=now - timedelta(seconds=random.randrange(40 * 3600)),
        user=random.choice(["alice", "bob", "carol"]),
        application=random.choice(["Shop", "Search"]),
        input=random.randrange(10_000),
        output=random.randrange(1000),
        prompt="x" * random.randrange(4000),
    )


def read_logs(logs: Path) -> dict[str, dict[str, str]]:
    """Every record of every log object, once by its requestId."""
    return {
        record["requestId"]: record
        for path in logs.rglob("*.json.gz")
        for record in map(json.loads, gzip.decompress(path.read_bytes()).splitlines())
    }


def add_up(records: Iterator[dict[str, dict[str, int]]]) -> Figures:
    figures: Figures = Counter()
    for record in records:
        figures["requests"] += 1
        figures["input"] += record["input"]["inputTokenCount"]
        figures["output"] += record["output"]["outputTokenCount"]
    return figures


def read_ledger(path: Path) -> Figures:
    ledger = Ledger.open(path)
    figures: Figures = Counter()
    for summed in ledger.sum_usage(0, 2**40).values():
        counts = summed.counts
        figures.update(requests=counts.requests, input=counts.input, output=counts.output)
    ledger.close()
    return figures


# Metrics


def metrics(exporter: Service) -> str:
    return exporter.get("/metrics").text


def is_complete(text: str) -> bool:
    name = 'bedrock_exporter_source_complete{source="invocation_logs"}'
    backlog = 'bedrock_exporter_source_backlog_objects{source="invocation_logs"}'
    return f"{name} 1.0\n" in text and f"{backlog} 0.0\n" in text


def scraped(text: str) -> Figures:
    return Counter(
        requests=total(text, "bedrock_requests_month_to_date"),
        input=total(text, "bedrock_tokens_month_to_date", 'token_kind="input"'),
        output=total(text, "bedrock_tokens_month_to_date", 'token_kind="output"'),
    )


def total(text: str, name: str, label: str = "") -> int:
    """Sum a metric over all its series that have a label."""
    lines = re.findall(rf"^{name}\{{(.*)\}} (\S+)$", text, re.MULTILINE)
    return int(sum(float(value) for labels, value in lines if label in labels))


# Processes


def children(pid: int) -> set[int]:
    """The processes that one has started to work for it."""
    return {
        child.pid
        for child in family_of(pid, recursive=False)
        if any("multiprocessing.spawn" in part for part in command_of(child))
    }


def family(exporter: Service) -> set[int]:
    """All processes that an exporter has started, and those that these have."""
    return {child.pid for child in family_of(exporter.process.pid, recursive=True)}


def family_of(pid: int, *, recursive: bool) -> list[psutil.Process]:
    try:
        return psutil.Process(pid).children(recursive=recursive)
    except psutil.NoSuchProcess:
        return []


def command_of(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except (psutil.NoSuchProcess, psutil.ZombieProcess):
        return []


def living(pids: set[int]) -> set[int]:
    """Those that have not ended; one that only waits to be collected has."""
    found = set()
    for pid in pids:
        with suppress(psutil.NoSuchProcess):
            if psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
                found.add(pid)
    return found


def kill(pids: list[int]) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def wait_until(condition: Callable[[], T], explain: Callable[[], str] = lambda: "") -> T:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if result := condition():
            return result
        time.sleep(0.05)
    raise AssertionError(f"not within 30 s; {explain()}")
