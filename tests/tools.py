"""Find and start the real programs that tests use: Prometheus, promtool, the exporter itself.

Whatever is started listens on loopback only, writes into the folder it is given, and is stopped by
the one who started it.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email.message import Message
from http.client import HTTPException
from pathlib import Path
from typing import Any, Self

ROOT = Path(__file__).resolve().parent.parent
"""The checkout."""

REMEDY = (
    "`make test` fetches it on Debian and Ubuntu; on macOS: brew install prometheus alertmanager"
)

_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(frozen=True)
class Response:
    """What a web server answered, whatever the status."""

    status: int
    headers: Message
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()


class Service:
    """A started program: its address, its log, and its end."""

    def __init__(
        self, command: Sequence[str | Path], port: int, log_file: Path, folder: Path = ROOT
    ) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.log_file = log_file
        with log_file.open("ab") as log:
            self.process = subprocess.Popen(
                [str(part) for part in command],
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    @property
    def log(self) -> str:
        """All that the program has printed so far."""
        return self.log_file.read_text(errors="replace")

    def get(self, path: str, **headers: str) -> Response:
        """Get a path; underscores in the names of headers stand for hyphens."""
        return fetch(self.url + path, **headers)

    def wait_for(self, path: str, seconds: float = 30) -> Self:
        """Wait until a path answers 200; raise with the log when it does not in time."""
        deadline = time.monotonic() + seconds
        answer: object = None
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise AssertionError(f"exited with {self.process.returncode}:\n{self.log}")
            try:
                answer = self.get(path).status
            except (OSError, HTTPException) as error:
                answer = error
            if answer == 200:
                return self
            time.sleep(0.05)
        raise AssertionError(f"{path} after {seconds} s: {answer}; the log says:\n{self.log}")

    def stop(self, seconds: float = 10) -> int:
        """Ask the program to end, insist after a while, and return its exit code."""
        self.process.terminate()
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()


class Prometheus(Service):
    """A running Prometheus that can be asked."""

    def query(self, expression: str) -> list[tuple[dict[str, str], float]]:
        """Evaluate PromQL now and return labels and value of every series of an instant vector."""
        response = self.get("/api/v1/query?" + urllib.parse.urlencode({"query": expression}))
        assert response.status == 200, response.text
        result = json.loads(response.body)["data"]["result"]
        return [(series["metric"], float(series["value"][1])) for series in result]

    def wait_for_series(
        self, expression: str, seconds: float = 30
    ) -> list[tuple[dict[str, str], float]]:
        """Repeat a query until it returns something; an empty list after so many seconds."""
        deadline = time.monotonic() + seconds
        while not (series := self.query(expression)) and time.monotonic() < deadline:
            time.sleep(0.1)
        return series


def fetch(url: str, **headers: str) -> Response:
    """Get a URL, past any proxy; a status other than 200 is an answer like any other."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(url, headers=named)
    try:
        with _DIRECT.open(request, timeout=30) as response:
            return Response(response.status, response.headers, response.read())
    except urllib.error.HTTPError as error:
        with error:
            return Response(error.code, error.headers, error.read())


def find_program(name: str) -> Path | None:
    """Find a program on PATH, or where scripts/fetch-tools unpacks it."""
    places = [*os.get_exec_path(), str(ROOT / ".tools/usr/bin")]
    found = shutil.which(name, path=os.pathsep.join(places))
    return Path(found) if found else None


def find_free_port() -> int:
    """Return a port of the loopback interface on which nothing listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def run_prometheus(binary: Path, config: Mapping[str, Any], folder: Path) -> Prometheus:
    """Start Prometheus with a configuration, its data and log in a folder; wait until ready."""
    port = find_free_port()
    config_file = folder / "prometheus.yml"
    config_file.write_text(json.dumps(config))  # which is YAML, too
    command = [
        binary,
        f"--config.file={config_file}",
        f"--storage.tsdb.path={folder / 'tsdb'}",
        "--storage.tsdb.retention.time=400d",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    prometheus = Prometheus(command, port, folder / "prometheus.log", folder)
    try:
        return prometheus.wait_for("/-/ready")
    except BaseException:
        prometheus.stop()
        raise


def run_exporter(config_file: Path, *flags: str, folder: Path) -> Service:
    """Start `python -m exporter serve` on a free port without waiting, its log in a new file."""
    port = find_free_port()
    command = [
        *(sys.executable, "-m", "exporter", "serve"),
        f"--config.file={config_file}",
        f"--web.listen-address=127.0.0.1:{port}",
        *flags,
    ]
    log, log_file = tempfile.mkstemp(prefix="exporter-", suffix=".log", dir=folder)
    os.close(log)
    return Service(command, port, Path(log_file))
