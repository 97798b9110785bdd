"""The collecting process: what it says, what it is told, and when it ends."""

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest

from exporter import exposition
from exporter.collector_messages import Failed, Started
from exporter.collector_process import start_collector
from exporter.config import Config
from exporter.exposition import Rendered
from exporter.ledger import WritableLedger
from usage_builders import Call, settings, write_log

Start = Callable[[Config], tuple[multiprocessing.process.BaseProcess, Connection]]


@pytest.fixture
def start() -> Iterator[Start]:
    with ExitStack() as running:

        def begin(config: Config) -> tuple[multiprocessing.process.BaseProcess, Connection]:
            process, pipe = start_collector(config, "error", "logfmt")
            running.callback(pipe.close)
            running.callback(process.join)
            running.callback(process.kill)
            return process, pipe

        yield begin


def hear(pipe: Connection, what: type[Any]) -> Any:
    """Wait for the next message of a kind."""
    while pipe.poll(30):
        message = pipe.recv()
        if isinstance(message, what):
            return message
    raise AssertionError(f"no {what.__name__} within 30 s")


def hear_of(pipe: Connection, text: str) -> str:
    """Wait for a snapshot whose exposition holds a text."""
    while True:
        body = hear(pipe, Rendered).text
        shown = b"".join(exposition.plain(body, b"")).decode()
        if text in shown:
            return shown


def logs(folder: Path, user: str = "alice") -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    write_log(folder / "logs", [Call(f"call of {user}", time=now, user=user)])


def test_it_says_that_it_started_then_what_it_read_until_it_is_told_to_stop(
    start: Start, tmp_path: Path
) -> None:
    logs(tmp_path)
    process, pipe = start(settings(tmp_path))
    assert hear(pipe, Started) == Started()
    assert 'application="Shop"' in hear_of(pipe, "bedrock_requests_today{")
    pipe.send(None)
    process.join(10)
    assert process.exitcode == 0


@pytest.mark.parametrize(
    ("model", "is_warned"),
    [
        ("global.anthropic.claude-sonet-4-5-20250929-v1:0", True),
        ("global.anthropic.claude-sonnet-4-5-20250929-v1:0", False),
    ],
)
def test_a_virtual_cost_that_cannot_be_told_is_warned_of(
    capfd: pytest.CaptureFixture[str], tmp_path: Path, model: str, is_warned: bool
) -> None:
    source = {"type": "prompt_logs", "location": str(tmp_path)}
    config = settings(tmp_path, sources=[source], assistants={"virtual_cost_model": model})
    process, pipe = start_collector(config, "warning", "logfmt")
    hear(pipe, Rendered)
    pipe.send(None)
    process.join(20)
    assert ("assistants.virtual_cost_model has no price" in capfd.readouterr().err) == is_warned


def test_it_says_why_it_cannot_begin(start: Start, tmp_path: Path) -> None:
    config = settings(tmp_path)
    ledger = WritableLedger.open(config.ledger)
    process, pipe = start(config)
    message = hear(pipe, Failed)
    assert f"in use by another exporter (process {os.getpid()})" in message.text
    process.join(10)
    assert process.exitcode == 0
    ledger.close()


def test_another_configuration_holds_at_once_however_long_the_refresh_interval(
    start: Start, tmp_path: Path
) -> None:
    logs(tmp_path)
    _, pipe = start(settings(tmp_path, refresh_interval="1h"))
    hear_of(pipe, 'application="Shop"')
    rule = {"from": "principal", "match": ".+/(?P<user>.+)", "application": "Renamed"}
    pipe.send(settings(tmp_path, refresh_interval="1h", attribution={"rules": [rule]}))
    shown = hear_of(pipe, 'application="Renamed"')
    assert 'application="Shop"' not in shown


def test_it_ends_when_the_process_that_started_it_is_gone(start: Start, tmp_path: Path) -> None:
    process, pipe = start(settings(tmp_path))
    hear(pipe, Started)
    pipe.close()
    process.join(5)
    assert process.exitcode == 1
    WritableLedger.open(tmp_path / "ledger.sqlite").close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_signals_are_for_the_process_that_started_it(
    start: Start, tmp_path: Path, number: signal.Signals
) -> None:
    process, pipe = start(settings(tmp_path, refresh_interval="1s"))
    hear(pipe, Rendered)
    assert process.pid is not None
    os.kill(process.pid, number)
    for _ in range(2):
        hear(pipe, Rendered)
    assert process.is_alive()
