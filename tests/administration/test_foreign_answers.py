"""Commands below `aws` where something else answers than AWS, or where boto3 cannot be set up."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner, Result

from exporter.cli import main

ACCOUNT = "123456789012"
PAGES = {
    "HTML": b"<!DOCTYPE html><html><meta charset=utf-8><body>Sign in<br></body></html>",
    "XHTML": b"<html><body>Sign in</body></html>",
}
TESTBED = [("testbed", name, "--account-id", ACCOUNT) for name in ("create", "invoke", "cleanup")]
COMMANDS = [("check",), ("inspect",), ("permissions", "--roles", "*"), *TESTBED]


class Proxy:
    """A proxy that answers whatever is asked with the page of its own."""

    def __init__(self) -> None:
        self.page = b""
        self.status = 200
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"] or 0))
                self.send_response(proxy.status)
                self.send_header("Content-Type", "text/html")
                self.send_header("Content-Length", str(len(proxy.page)))
                self.end_headers()
                self.wfile.write(b"" if self.command == "HEAD" else proxy.page)

            def do_GET(self) -> None:
                self.do_POST()

            def do_HEAD(self) -> None:
                self.do_POST()

            def log_message(self, format: str, *args: object) -> None:
                """Keep quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)


@pytest.fixture(scope="module")
def running() -> Iterator[Proxy]:
    proxy = Proxy()
    thread = threading.Thread(target=proxy.server.serve_forever, args=(0.02,))
    thread.start()
    yield proxy
    proxy.server.shutdown()
    proxy.server.server_close()
    thread.join()


@pytest.fixture
def proxy(running: Proxy, monkeypatch: pytest.MonkeyPatch) -> Proxy:
    monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=lambda seconds: None))
    url = f"http://127.0.0.1:{running.server.server_address[1]}"
    for name, value in {
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    running.page, running.status = PAGES["HTML"], 200
    return running


def run(folder: Path, *command: str) -> Result:
    """Run a command; whatever it raises fails the test."""
    file = folder / "config.yaml"
    file.write_text("sources: [{type: athena, location: 's3://logs', region: us-east-1}]")
    takes_file = command[0] != "testbed" or command[1] == "invoke"
    given = ["--config.file", str(file)] if takes_file else []
    return CliRunner().invoke(main, ["aws", *command, *given], catch_exceptions=False)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: " ".join(command[:2]))
@pytest.mark.parametrize("status", [200, 503])
def test_html_in_place_of_an_answer_is_told(
    proxy: Proxy, tmp_path: Path, command: tuple[str, ...], status: int
) -> None:
    proxy.status = status
    told = run(tmp_path, *command)
    assert told.exit_code == 1
    assert "Unable to parse response" in told.output or "S3 failed" in told.output
    assert "network" in told.output or "tried 4" in told.output


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: " ".join(command[:2]))
def test_the_page_that_was_answered_is_not_repeated(
    proxy: Proxy, tmp_path: Path, command: tuple[str, ...]
) -> None:
    assert "Sign in" not in run(tmp_path, *command).output


@pytest.mark.parametrize(
    "command",
    [command for command in COMMANDS if command[0] != "inspect"],
    ids=lambda command: " ".join(command[:2]),
)
def test_xml_that_is_no_answer_is_told(
    proxy: Proxy, tmp_path: Path, command: tuple[str, ...]
) -> None:
    proxy.page = PAGES["XHTML"]
    told = run(tmp_path, *command)
    assert told.exit_code == 1
    assert "is not AWS" in told.output
    assert "check the network and its proxy" in told.output


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: " ".join(command[:2]))
@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("AWS_PROFILE", "nobody", "The config profile (nobody) could not be found"),
        ("AWS_CONFIG_FILE", "broken", "Unable to parse config file: "),
    ],
)
def test_a_wrong_profile_or_configuration_of_aws_is_told(
    proxy: Proxy,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    command: tuple[str, ...],
    name: str,
    value: str,
    words: str,
) -> None:
    broken = tmp_path / "broken"
    broken.write_text("[default\n")
    monkeypatch.setenv(name, str(broken) if value == "broken" else value)
    told = run(tmp_path, *command)
    assert told.exit_code == 1
    assert words in told.output
