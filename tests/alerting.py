"""Alertmanager as a process, and what listens on loopback where its messages should arrive."""

import json
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingTCPServer
from typing import Any
from urllib.request import ProxyHandler, Request, build_opener

import yaml

from tools import ROOT, Service, find_free_port

SHIPPED = ROOT / "prometheus/alertmanager.yml"
SECRETS = "/etc/alertmanager/secrets"
"""Where the shipped receivers look for credentials."""


@dataclass(frozen=True)
class Message:
    """What arrived somewhere: at a path by HTTP, or at an address by e-mail."""

    place: str
    headers: Mapping[str, str]
    body: str

    @property
    def content(self) -> Any:
        """The body of what is JSON."""
        return json.loads(self.body)


@dataclass
class Inbox:
    """A server that takes whatever is sent to it."""

    address: str
    messages: list[Message] = field(default_factory=list)

    def wait_for(
        self, wanted: Callable[[Message], bool], seconds: float = 20, log: str = ""
    ) -> Message:
        """Wait until a message arrives that is wanted; raise with all that arrived instead."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            for message in list(self.messages):
                if wanted(message):
                    return message
            time.sleep(0.05)
        raise AssertionError(f"not among {self.messages}\n{log}")


@contextmanager
def web_inbox() -> Iterator[Inbox]:
    """Listen for HTTP, and answer every POST as Slack and PagerDuty do."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            inbox.messages.append(Message(self.path, dict(self.headers), body))
            answer = b'{"status": "success"}' if "enqueue" in self.path else b"ok"
            self.send_response(202 if "enqueue" in self.path else 200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: Any) -> None:
            """Stay silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    inbox = Inbox(f"http://127.0.0.1:{server.server_port}")
    with _serving(server):
        yield inbox


@contextmanager
def mail_inbox() -> Iterator[Inbox]:
    """Listen for SMTP, without encryption or passwords."""

    class Handler(StreamRequestHandler):
        def handle(self) -> None:
            self._say("220 ready")
            recipient = ""
            for line in iter(self.rfile.readline, b""):
                command = line.decode().strip()
                if command.startswith("RCPT TO:"):
                    recipient = command.removeprefix("RCPT TO:").strip("<>")
                if command == "DATA":
                    self._say("354 go ahead")
                    inbox.messages.append(Message(recipient, {}, self._read_text()))
                self._say("221 bye" if command == "QUIT" else "250 ok")
                if command == "QUIT":
                    return

        def _read_text(self) -> str:
            lines = iter(self.rfile.readline, b".\r\n")
            return b"".join(lines).decode()

        def _say(self, text: str) -> None:
            self.wfile.write(f"{text}\r\n".encode())

    class Server(ThreadingTCPServer):
        daemon_threads = True

    server = Server(("127.0.0.1", 0), Handler)
    inbox = Inbox(f"127.0.0.1:{server.server_address[1]}")
    with _serving(server):
        yield inbox


@contextmanager
def _serving(server: ThreadingHTTPServer | ThreadingTCPServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def shipped(wait: str = "1s") -> dict[str, Any]:
    """Return the shipped configuration, with its templates, that groups alerts for less long."""
    return _configure(SHIPPED.read_text(encoding="utf-8"), wait)


def filled_in(secrets: Path, web: Inbox, mail: Inbox, wait: str = "1s") -> dict[str, Any]:
    """Return the shipped configuration with every receiver uncommented, its address on loopback.

    Writes the credentials into a folder.
    """
    text = re.sub(r"(?m)^( +)# (\w+:.*|  +.*)$", r"\1\2", SHIPPED.read_text(encoding="utf-8"))
    secrets.mkdir()
    for file in re.findall(rf"{SECRETS}/(\S+)", text):
        (secrets / file).write_text(f"{web.address}/slack" if "slack" in file else f"the {file}")
    config = _configure(text.replace(SECRETS, str(secrets)), wait)
    for name in [key for key in config["global"] if key.startswith("smtp_auth")]:
        del config["global"][name]  # a password wants encryption
    config["global"] |= {
        "smtp_smarthost": mail.address,
        "smtp_require_tls": False,
        "pagerduty_url": f"{web.address}/enqueue",
    }
    for receiver in config["receivers"]:
        for webhook in receiver.get("webhook_configs", []):
            webhook["url"] = f"{web.address}/webhook"
    return config


def _configure(text: str, wait: str) -> dict[str, Any]:
    config: dict[str, Any] = yaml.safe_load(text)
    config["templates"] = [str(SHIPPED.parent / path) for path in config["templates"]]
    config["route"] |= {"group_wait": wait, "group_interval": wait}
    config["global"] = config["global"] or {}
    return config


def post(alertmanager: Service, *alerts: Mapping[str, Any]) -> None:
    """Send alerts as Prometheus would."""
    request = Request(
        f"{alertmanager.url}/api/v2/alerts",
        data=json.dumps(alerts).encode(),
        headers={"Content-Type": "application/json"},
    )
    build_opener(ProxyHandler({})).open(request, timeout=10).close()


@contextmanager
def running_alertmanager(
    binary: Path, config: Mapping[str, Any], folder: Path
) -> Iterator[Service]:
    """Run Alertmanager with a configuration, its data and log in a folder.

    It is started in the checkout, where Debian's unpacked one finds its own templates.
    """
    folder.mkdir(exist_ok=True)
    config_file = folder / "alertmanager.yml"
    config_file.write_text(json.dumps(config))  # which is YAML, too
    port = find_free_port()
    command = [
        binary,
        f"--config.file={config_file}",
        f"--storage.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
    ]
    alertmanager = Service(command, port, folder / "alertmanager.log", ROOT)
    try:
        yield alertmanager.wait_for("/-/ready")
    finally:
        alertmanager.stop()
