"""A whole exporter as a process: starting, stopping, reloading, refusing, and what it logs."""

import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from exporter.simulate import CANARY
from tools import Service
from usage_builders import MODEL, Call, log_object, write_log, write_text

Start = Callable[..., Service]


def now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


def configure(folder: Path, **keys: Any) -> Path:
    """Write a configuration of one folder of logs."""
    source = {"type": "invocation_logs", "name": "logs", "location": "logs"}
    file = folder / "config.yaml"
    file.write_text(json.dumps({"refresh_interval": "1s", "sources": [source], **keys}))
    return file


def reload(exporter: Service) -> tuple[int, str]:
    """Ask for a reload over HTTP; return the status and what is said."""
    request = urllib.request.Request(exporter.url + "/-/reload", method="POST")
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def wait_for_line(exporter: Service, *parts: str, seconds: float = 30) -> str:
    """Wait until a metric's line holds all parts, and return the exposition."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        text = exporter.get("/metrics").text
        if any(all(part in line for part in parts) for line in text.splitlines()):
            return text
        time.sleep(0.1)
    raise AssertionError(f"no line with {parts} in\n{text}\nthe log says\n{exporter.log}")


def wait_for_log(exporter: Service, text: str, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while text not in exporter.log:
        assert time.monotonic() < deadline, exporter.log
        time.sleep(0.05)


def refusal(exporter: Service) -> str:
    """Wait for the end of an exporter that must not run; return what it printed."""
    assert exporter.process.wait(30) == 1
    return exporter.log


# Starting and stopping


def test_a_stop_during_a_first_fill_takes_less_than_5_seconds(
    start_exporter: Start, tmp_path: Path
) -> None:
    calls = [Call(f"call {n}", time=now(), prompt="x" * 40_000) for n in range(20)]
    written = write_log(tmp_path / "logs", calls)
    for _ in range(1500):
        shutil.copyfile(written, written.with_name(log_object(now()).name))
    exporter = start_exporter(configure(tmp_path, ledger="ledger.sqlite"), ready=None)
    wait_for_log(exporter, "reading logs")
    time.sleep(0.5)
    started = time.monotonic()
    assert exporter.stop() == 0
    assert time.monotonic() - started < 5
    assert "Traceback" not in exporter.log
    with closing(sqlite3.connect(tmp_path / "ledger.sqlite")) as ledger:
        [[taken]] = ledger.execute("SELECT count(*) FROM log_object")
    assert taken < 1501, "the fill had ended before the stop; write more logs"


def test_a_stop_waits_for_no_client_and_leaves_a_ledger_that_is_whole(
    start_exporter: Start, tmp_path: Path
) -> None:
    write_log(tmp_path / "logs", [Call("a", time=now())])
    exporter = start_exporter(configure(tmp_path))
    wait_for_line(exporter, "bedrock_requests_today{", " 1.0")
    port = int(exporter.url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port)) as idle:
        idle.sendall(b"GET /metrics HTTP/1.1\r\n")
        started = time.monotonic()
        assert exporter.stop() == 0
        assert time.monotonic() - started < 5
    left = {path.name for path in tmp_path.glob("data/*")}
    assert left == {"ledger.sqlite", "ledger.sqlite.lock"}


def test_an_address_in_use_is_refused(start_exporter: Start, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        exporter = start_exporter(
            configure(tmp_path), f"--web.listen-address={address}", ready=None
        )
        said = refusal(exporter)
    assert f"cannot listen on {address}: Address already in use" in said


def test_mistakes_of_the_configuration_are_all_printed(
    start_exporter: Start, tmp_path: Path
) -> None:
    file = configure(tmp_path, timezone="Mars", refresh_interval="0s", limits=[{"name": "x"}])
    said = refusal(start_exporter(file, ready=None))
    for place in ("timezone: ", "refresh_interval: ", "limits[0].measure: is required"):
        assert f"{file}: {place}" in said
    assert "Traceback" not in said


def test_a_second_exporter_on_the_same_ledger_is_refused_and_the_first_goes_on(
    start_exporter: Start, tmp_path: Path
) -> None:
    first = start_exporter(configure(tmp_path))
    second = start_exporter(configure(tmp_path), ready=None)
    assert "is in use by another exporter (process " in refusal(second)
    assert first.get("/-/healthy").status == 200


def test_a_ledger_that_is_damaged_is_refused_and_left_as_it_is(
    start_exporter: Start, tmp_path: Path
) -> None:
    ledger = tmp_path / "ledger.sqlite"
    ledger.write_bytes(b"not a ledger at all " * 1000)
    said = refusal(start_exporter(configure(tmp_path, ledger="ledger.sqlite"), ready=None))
    assert f"ledger {ledger} is damaged" in said
    assert "Traceback" not in said
    assert ledger.read_bytes() == b"not a ledger at all " * 1000


# Reloading


def test_a_reload_corrects_all_history_and_a_bad_one_changes_nothing(
    start_exporter: Start, tmp_path: Path
) -> None:
    write_log(tmp_path / "logs", [Call("a", time=now(), input=1_000_000, output=0)])
    exporter = start_exporter(configure(tmp_path), "--web.enable-lifecycle")
    wait_for_line(exporter, "bedrock_cost_usd_month_to_date{", 'application="Shop"', " 3.0")

    override = {"model": MODEL, "usd_per_million_tokens": {"input": "2.5"}}
    configure(tmp_path, prices={"overrides": [override]})
    assert reload(exporter) == (200, "The configuration was loaded again.\n")
    wait_for_line(exporter, "bedrock_cost_usd_month_to_date{", 'application="Shop"', " 2.5")

    rule = {"from": "principal", "match": ".+/(?P<user>.+)", "application": "Renamed"}
    configure(tmp_path, attribution={"rules": [rule]})
    exporter.process.send_signal(signal.SIGHUP)
    text = wait_for_line(exporter, "bedrock_cost_usd_month_to_date{", "Renamed", " 3.0")
    assert 'application="Shop"' not in re.sub("bedrock_[a-z]+_total.*", "", text)
    assert "bedrock_exporter_config_last_reload_successful 1.0" in text

    configure(tmp_path, timezone="Mars", refresh_interval="soon")
    status, said = reload(exporter)
    assert status == 500
    assert "timezone: " in said
    assert "refresh_interval: " in said
    text = wait_for_line(exporter, "bedrock_exporter_config_last_reload_successful 0.0")
    assert 'application="Renamed"' in text

    exporter.process.send_signal(signal.SIGHUP)
    wait_for_log(exporter, "the configuration stays as it was")
    for changed in ({"ledger": "other.sqlite"}, {"privacy": {"users": "drop"}}):
        configure(tmp_path, **changed)
        status, said = reload(exporter)
        assert status == 500
        assert f"{next(iter(changed))}: changes by a restart only" in said

    configure(tmp_path, timezone="Asia/Kathmandu")
    assert reload(exporter)[0] == 200
    wait_for_line(exporter, "bedrock_exporter_config_last_reload_successful 1.0")
    wait_for_line(exporter, "bedrock_requests_month_to_date{", 'application="Shop"', " 1.0")


def test_nobody_reloads_over_http_unless_that_is_allowed(
    start_exporter: Start, tmp_path: Path
) -> None:
    status, said = reload(start_exporter(configure(tmp_path)))
    assert status == 403
    assert "--web.enable-lifecycle" in said


# Logs and privacy

LOGFMT = re.compile(
    r'[a-z_]+=("(?:[^"\\\n]|\\.)*"|[^"\s]*)( [a-z_]+=("(?:[^"\\\n]|\\.)*"|[^"\s]*))*'
)


def hostile_logs(folder: Path) -> None:
    """Write logs of which nearly everything is wrong, each with a prompt in it."""
    record = json.dumps(Call("x", time=now(), prompt=CANARY).record)
    lines = [
        record.replace('"inputTokenCount": 100', '"inputTokenCount": -1'),
        record.replace('"inputTokenCount": 100', f'"inputTokenCount": "{CANARY}"'),
        record.replace('"timestamp": "', f'"timestamp": "{CANARY}'),
        record.replace('"Converse"', f'"{CANARY}"').replace('"modelId"', '"noModelId"'),
        record[:-40],
        f'{CANARY} = "not JSON" \n\\ at all',
        record.replace(CANARY, CANARY + "\ud800").replace('"arn"', '"nra"'),
    ]
    for line in [*lines, record]:
        write_text(folder, log_object(now()), line.encode("utf-8", "surrogatepass"))
    cut_off = write_log(folder, [Call("y", time=now(), prompt=CANARY)])
    cut_off.write_bytes(cut_off.read_bytes()[:-9])
    long_ago = now().timestamp() - 3600  # else it may still be being copied
    os.utime(cut_off, (long_ago, long_ago))


@pytest.mark.parametrize("line_format", ["logfmt", "json"])
def test_no_prompt_shows_anywhere_and_every_log_line_is_well_formed(
    start_exporter: Start, tmp_path: Path, line_format: str
) -> None:
    hostile_logs(tmp_path / "logs")
    file = configure(tmp_path, ledger="ledger.sqlite", metrics={"counter_birth": "1s"})
    exporter = start_exporter(file, f"--log.format={line_format}", "--log.level=debug")
    text = wait_for_line(
        exporter, "bedrock_exporter_rejected_records_total", "corrupt_gzip", " 1.0"
    )
    shutil.rmtree(tmp_path / "logs")  # a source that fails logs, too
    wait_for_log(exporter, "not_found")
    page = exporter.get("/").text
    with closing(sqlite3.connect(tmp_path / "ledger.sqlite")) as ledger:
        dump = "\n".join(ledger.iterdump())
    assert exporter.stop() == 0
    stored = b"".join(path.read_bytes() for path in tmp_path.glob("ledger.sqlite*"))
    for place in (text, page, dump, exporter.log, stored.decode("latin-1")):
        assert CANARY not in place
    lines = exporter.log.splitlines()
    assert len(lines) > 8
    for line in lines:
        if line_format == "json":
            assert {"timestamp", "level", "event"} <= json.loads(line).keys()
        else:
            assert LOGFMT.fullmatch(line), line
