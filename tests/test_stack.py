"""`make stack` starts what docker-compose.yml wires together, and leaves no process behind.

It runs in a copy of the checkout whose simulation is short: real exporter, Prometheus and
Alertmanager, and in Grafana's place a program that says how it was started.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

import pytest
import yaml

from tools import REMEDY, ROOT, fetch, find_free_port, find_program

COPIED = ["config.yaml", "docker", "grafana", "prometheus", "scripts/stack"]

SHORT_SIMULATION = f"""#!/bin/sh
[ "$2" != --days=62 ] || set -- simulate --days=1 --calls-per-day=50 "$3"
exec {sys.executable} -m exporter "$@"
"""

PYTHON = f"""#!/bin/sh
exec {sys.executable} "$@"
"""

GRAFANA = f"""#!{sys.executable}
import json, os, sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()

started = json.dumps([sys.argv[1:], dict(os.environ)])
Path(os.environ["GF_PATHS_LOGS"], "grafana.json").write_text(started)
address = os.environ["GF_SERVER_HTTP_ADDR"], int(os.environ["GF_SERVER_HTTP_PORT"])
HTTPServer(address, Handler).serve_forever()
"""


class Stack(NamedTuple):
    """A started stack."""

    process: subprocess.Popen[bytes]
    folder: Path
    ports: dict[str, int]

    @property
    def output(self) -> str:
        return (self.folder / "output").read_text()

    def url(self, name: str) -> str:
        return f"http://127.0.0.1:{self.ports[name]}"

    def has_left_anything(self) -> bool:
        """Whether a program of the stack's group outlives it by seconds; it is ended then."""
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            try:
                os.killpg(self.process.pid, 0)
            except ProcessLookupError:
                return False
            time.sleep(0.1)
        os.killpg(self.process.pid, signal.SIGKILL)
        return True


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what the stack needs, made quick, with a stand-in for Grafana."""
    folder = tmp_path_factory.mktemp("stack")
    for name in COPIED:
        (folder / name).parent.mkdir(exist_ok=True)
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, folder / name)
    config = folder / "prometheus/prometheus.yml"
    config.write_text(config.read_text().replace(" 30s", " 1s"))
    add_program(folder / ".venv/bin/bedrock-exporter", SHORT_SIMULATION)
    add_program(folder / ".venv/bin/python", PYTHON)
    add_program(folder / "grafana-home/bin/grafana", GRAFANA)
    (folder / "grafana-home/conf").mkdir()
    (folder / "grafana-home/conf/defaults.ini").touch()
    # Debian's Alertmanager, unpacked, finds its templates from the checkout only.
    (folder / ".tools").symlink_to(ROOT / ".tools")
    return folder


def add_program(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


def start(checkout: Path, path: str = os.environ["PATH"], **chosen: int) -> Stack:
    """Start the stack on free ports, or those chosen, in a group of its own."""
    programs = ("exporter", "prometheus", "alertmanager", "grafana")
    ports = {name: find_free_port() for name in programs} | chosen
    variables = {f"{name.upper()}_PORT": str(port) for name, port in ports.items()}
    with (checkout / "output").open("w") as output:
        process = subprocess.Popen(
            ["/bin/sh", checkout / "scripts/stack"],
            env=dict(os.environ) | variables | {"PATH": path},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    return Stack(process, checkout, ports)


def end(stack: Stack, number: int) -> int:
    """Send the stack a signal, as Ctrl-C sends it to all of a group, and return its exit code."""
    os.killpg(stack.process.pid, number)
    try:
        return stack.process.wait(30)
    finally:
        if stack.process.poll() is None:
            os.killpg(stack.process.pid, signal.SIGKILL)


def wait_until_running(stack: Stack) -> Stack:
    deadline = time.monotonic() + 120
    while "Ctrl-C" not in stack.output:
        assert stack.process.poll() is None, stack.output
        assert time.monotonic() < deadline, stack.output
        time.sleep(0.2)
    return stack


def query(stack: Stack, expression: str) -> list[Any]:
    """Ask the stack's Prometheus until it has an answer, or a minute has passed."""
    deadline = time.monotonic() + 60
    while True:
        answer = fetch(f"{stack.url('prometheus')}/api/v1/query?query={quote(expression)}")
        result = json.loads(answer.body)["data"]["result"]
        if result or time.monotonic() > deadline:
            return list(result)
        time.sleep(0.5)


@pytest.fixture(scope="module")
def stack(checkout: Path) -> Iterator[Stack]:
    """A stack that runs."""
    if find_program("prometheus") is None or find_program("promtool") is None:
        pytest.skip(f"prometheus is missing; {REMEDY}")
    if find_program("alertmanager") is None and find_program("prometheus-alertmanager") is None:
        pytest.skip("alertmanager is missing; `make test` fetches it on Debian and Ubuntu")
    started = start(checkout, f"{checkout}/grafana-home/bin:{os.environ['PATH']}")
    try:
        yield wait_until_running(started)
    finally:
        if started.process.poll() is None:
            end(started, signal.SIGTERM)


def test_prometheus_scrapes_exporter_alertmanager_and_itself(stack: Stack) -> None:
    assert query(stack, "count(up == 1) == 3")
    assert query(stack, "sum(bedrock_requests_month_to_date) > 0")


def test_prometheus_knows_yesterday(stack: Stack) -> None:
    past = "sum(max without (instance) (bedrock_cost_usd_today offset 1h)) > 0"
    assert query(stack, past)
    assert query(
        stack, "count(count by (instance) (bedrock_cost_usd_month_to_date offset 2h)) == 1"
    )


def test_prometheus_has_the_rules_and_an_alertmanager(stack: Stack) -> None:
    rules = json.loads(fetch(f"{stack.url('prometheus')}/api/v1/rules").body)["data"]["groups"]
    assert rules
    alertmanagers = fetch(f"{stack.url('prometheus')}/api/v1/alertmanagers").text
    assert f"{stack.url('alertmanager')}/api/v2/alerts" in alertmanagers
    assert fetch(f"{stack.url('alertmanager')}/-/ready").status == 200


def test_grafana_is_started_without_login_and_provisioned_for_this_machine(stack: Stack) -> None:
    arguments, environment = json.loads((stack.folder / "data/stack/log/grafana.json").read_text())
    assert arguments == ["server", f"--homepath={stack.folder}/grafana-home"]
    assert environment["GF_SERVER_HTTP_ADDR"] == "127.0.0.1"
    assert environment["GF_SECURITY_DISABLE_INITIAL_ADMIN_CREATION"] == "true"
    assert Path(environment["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]).is_file()
    provisioning = Path(environment["GF_PATHS_PROVISIONING"])
    (source,) = _read(provisioning / "datasources/prometheus.yml")["datasources"]
    assert source["url"] == stack.url("prometheus")
    (provider,) = _read(provisioning / "dashboards/bedrock.yml")["providers"]
    assert list(Path(provider["options"]["path"]).glob("*.json"))


def test_nothing_is_written_outside_the_data_folder(stack: Stack) -> None:
    there_before = {".venv", ".tools", "grafana-home", "output", *COPIED} - {"scripts/stack"}
    assert {entry.name for entry in stack.folder.iterdir()} == there_before | {"scripts", "data"}
    assert [entry.name for entry in (stack.folder / "data").iterdir()] == ["stack"]


def test_ctrl_c_leaves_nothing_behind_and_a_second_start_goes_on(stack: Stack) -> None:
    assert end(stack, signal.SIGINT) == 0
    assert not stack.has_left_anything()
    again = wait_until_running(start(stack.folder))
    try:
        assert again.output.count("its past stays as it is") == 2
        assert "import grafana/dashboards/*.json" in again.output
    finally:
        end(again, signal.SIGTERM)
    assert not again.has_left_anything()


def test_a_program_that_ends_takes_the_others_along(checkout: Path, tmp_path: Path) -> None:
    copy = tmp_path / "checkout"
    shutil.copytree(checkout, copy, symlinks=True, ignore=shutil.ignore_patterns("data"))
    for name in ("prometheus", "promtool"):
        add_program(copy / "bin" / name, "#!/bin/sh\n")
    add_program(copy / "bin/alertmanager", "#!/bin/sh\necho no room left\nexit 1\n")
    failed = start(copy, f"{copy}/bin:/usr/bin:/bin")
    assert failed.process.wait(60) == 1
    assert "alertmanager has ended." in failed.output
    assert failed.output.endswith("no room left\n")
    assert not failed.has_left_anything()


def test_an_address_that_is_taken_is_refused_before_anything_is_written(
    checkout: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "checkout"
    shutil.copytree(checkout, copy, symlinks=True, ignore=shutil.ignore_patterns("data"))
    for name in ("prometheus", "promtool", "alertmanager"):
        add_program(copy / "bin" / name, "#!/bin/sh\n")
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        refused = start(copy, f"{copy}/bin:/usr/bin:/bin", exporter=port)
        assert refused.process.wait(20) == 1
    assert refused.output == (
        f"127.0.0.1:{port} is taken, perhaps by make run or another make stack: stop that, or set "
        "EXPORTER_PORT.\n"
    )
    assert not (copy / "data").exists()


def test_alertmanager_reads_credentials_from_the_checkout(stack: Stack) -> None:
    text = (stack.folder / "data/stack/etc/prometheus/alertmanager.yml").read_text()
    assert f"{stack.folder}/prometheus/secrets/slack-webhook-url" in text
    assert "/etc/alertmanager" not in text


def test_a_missing_program_is_named_with_a_remedy(checkout: Path, tmp_path: Path) -> None:
    copy = tmp_path / "checkout"
    shutil.copytree(checkout / "scripts", copy / "scripts")
    (copy / "bin").mkdir()
    for name in ("dirname", "cat"):
        (copy / "bin" / name).symlink_to(str(shutil.which(name)))
    refused = start(copy, f"{copy}/bin")
    assert refused.process.wait(20) == 1
    assert refused.output.startswith("prometheus is missing.")


def _read(file: Path) -> dict[str, Any]:
    content = yaml.safe_load(file.read_text())
    assert isinstance(content, dict)
    return content
