"""The image installs what is locked and nothing else, and starts the exporter as nobody special."""

import json
import re
import subprocess
import sys
import threading
import tomllib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from dockerfile import final_stage, health_check, instructions, last
from exporter.cli import main
from tools import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
HEALTH_PORT = "10118"


def copied_from_here() -> list[str]:
    sources = []
    for name, rest in instructions():
        if name == "COPY" and not rest.startswith("--from="):
            sources += rest.split()[:-1]
    return sources


def test_whatever_is_copied_is_in_the_repository() -> None:
    assert [source for source in copied_from_here() if not (ROOT / source).exists()] == []


def test_the_build_gets_exactly_what_it_copies() -> None:
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    patterns = [line for line in lines if line and not line.startswith("#")]
    assert patterns[0] == "*"
    assert sorted(line.removeprefix("!") for line in patterns if line.startswith("!")) == sorted(
        copied_from_here()
    )


def test_both_stages_have_one_python_that_the_package_supports() -> None:
    images = {rest.split()[0] for name, rest in instructions() if name == "FROM"}
    (image,) = images
    match = re.fullmatch(r"python:(\d+\.\d+\.\d+)-slim-\w+", image)
    assert match, image
    assert SpecifierSet(PROJECT["project"]["requires-python"]).contains(match[1])


def test_nothing_is_installed_that_is_not_locked_by_its_hash() -> None:
    runs = " && ".join(rest for name, rest in instructions() if name == "RUN")
    installs = [
        command for command in runs.split("&&") if re.search(r"\bpip\b.* install ", command)
    ]
    assert len(installs) == 3
    assert [
        command
        for command in installs
        if "--require-hashes" not in command and "--no-index" not in command
    ] == []
    assert "--requirement requirements.lock" in runs
    assert "pip wheel --no-deps --no-build-isolation" in runs


def test_the_locked_build_tools_are_those_that_the_package_asks_for() -> None:
    lock = (ROOT / "docker/build-requirements.lock").read_text(encoding="utf-8")
    versions = dict(re.findall(r"(?m)^([\w-]+)==(\S+)", lock))
    asked = [Requirement(line) for line in PROJECT["build-system"]["requires"]]
    assert {requirement.name for requirement in asked} == set(versions)
    assert all(each.specifier.contains(versions[each.name]) for each in asked)
    assert lock.count("--hash=sha256:") >= len(versions)


def test_the_image_runs_as_a_user_that_is_not_root() -> None:
    user, _, group = last("USER").partition(":")
    assert int(user) > 0
    runs = " ".join(rest for name, rest in final_stage() if name == "RUN")
    assert f"--owner {user} --group {group} --mode 0770" in runs


def test_the_image_starts_the_console_script() -> None:
    (entry_point,) = json.loads(last("ENTRYPOINT"))
    assert entry_point in PROJECT["project"]["scripts"]


def test_the_image_serves_on_the_port_that_it_exposes() -> None:
    name, *flags = json.loads(last("CMD"))
    context = main.commands[name].make_context(name, flags)
    assert context.params["listen_address"] == f":{last('EXPOSE')}"


@pytest.fixture(params=[200, 503])
def answering(request: pytest.FixtureRequest) -> Iterator[tuple[int, int]]:
    """A web server that answers /-/ready with a status: its port and the status."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(request.param if self.path == "/-/ready" else 404)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port, request.param
        server.shutdown()


def run_health_check(port: int) -> int:
    _, *arguments = health_check()
    assert HEALTH_PORT in arguments[-1]
    code = arguments[-1].replace(HEALTH_PORT, str(port))
    # A proxy in the environment must not be asked for what is on this machine.
    environment = {"http_proxy": "http://127.0.0.1:9", "HTTP_PROXY": "http://127.0.0.1:9"}
    command = [sys.executable, *arguments[:-1], code]
    return subprocess.run(command, env=environment, capture_output=True, check=False).returncode


def test_the_health_check_tells_ready_from_not_ready(answering: tuple[int, int]) -> None:
    port, status = answering
    assert (run_health_check(port) == 0) == (status == 200)


def test_the_health_check_fails_where_nothing_listens(free_port: int) -> None:
    assert run_health_check(free_port) != 0


def test_the_health_check_asks_the_port_that_is_exposed() -> None:
    assert last("EXPOSE") == HEALTH_PORT
    assert health_check()[0] == "python"
