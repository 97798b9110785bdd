"""An S3 to test against: moto's server over HTTP, behind a proxy that can be told to fail.

    with S3Server() as s3:
        s3.put("AWSLogs/...", b"...")
        s3.faults.append(refuse("/bucket/AWSLogs/", 503, "SlowDown", times=2))

Everything listens on loopback, on a port of its own.
"""

import base64
import http.client
import re
import threading
import time
import zlib
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, unquote, urlsplit

from moto.s3.models import s3_backends
from moto.server import ThreadedMotoServer

from exporter.sources import reading

BUCKET = "logs"
_ACCOUNT = "123456789012"


@dataclass(frozen=True)
class Request:
    """A request that reached the proxy."""

    path: str
    """Decoded, the bucket first."""
    query: dict[str, str]
    access_key: str
    """Whose credentials signed it."""

    @property
    def is_list(self) -> bool:
        return "list-type" in self.query

    @property
    def prefix(self) -> str:
        """What is listed."""
        return self.query.get("prefix", "")


Answer = Callable[[BaseHTTPRequestHandler, http.client.HTTPResponse, bytes], None]
"""Writes an answer in place of the one that moto gave."""


@dataclass
class Fault:
    """What to do to the next `times` requests whose path or listed prefix holds `where`."""

    where: str
    answer: Answer
    times: float = float("inf")
    lists: bool = True
    """Whether it is about listings, or about objects."""


class S3Server:
    """moto with one bucket, and the proxy in front of it."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self.requests: list[Request] = []
        self.released = threading.Event()
        """Set at the end, to let go of requests that hang."""
        self._lock = threading.Lock()
        self._moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)

    def __enter__(self) -> Self:
        # A store that was opened for another server would still ask that one.
        reading._store.cache_clear()
        self._moto.start()
        self._moto_port = self._moto.get_host_and_port()[1]
        self.reset()
        self._proxy = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self, self._moto_port))
        self._proxy.daemon_threads = True
        self._thread = threading.Thread(target=self._proxy.serve_forever, args=(0.02,))
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.released.set()
        self._proxy.shutdown()
        self._proxy.server_close()
        self._thread.join()
        self._moto.stop()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._proxy.server_address[1]}"

    @property
    def location(self) -> str:
        return f"s3://{BUCKET}"

    def reset(self) -> None:
        """Forget what was stored, asked and told."""
        self.faults.clear()
        self.requests.clear()
        self._backend = s3_backends[_ACCOUNT]["aws"]
        self._backend.reset()
        self._backend.create_bucket(BUCKET, "us-east-1")

    def put(self, key: str, content: bytes, checksum: bool = False) -> None:
        """Store an object, with the checksum that newer clients send."""
        stored = self._backend.put_object(BUCKET, key, content)
        if checksum:
            crc = zlib.crc32(content).to_bytes(4, "big")
            stored.checksum_algorithm = "CRC32"
            stored.checksum_value = base64.b64encode(crc).decode()

    def delete(self, key: str) -> None:
        self._backend.delete_object(BUCKET, key)

    def fault_for(self, request: Request) -> Fault | None:
        """Return the first fault that is meant for a request, and count it down."""
        with self._lock:
            self.requests.append(request)
            for fault in self.faults:
                place = request.prefix if request.is_list else request.path
                if fault.times > 0 and fault.lists == request.is_list and fault.where in place:
                    fault.times -= 1
                    return fault
        return None

    @property
    def lists(self) -> list[Request]:
        return [request for request in self.requests if request.is_list]

    @property
    def gets(self) -> list[Request]:
        return [request for request in self.requests if not request.is_list]


def refuse(
    where: str, status: int, code: str, *, times: float = float("inf"), lists: bool = False
) -> Fault:
    """Answer as S3 does when it will not."""
    body = (
        f"<?xml version='1.0' encoding='UTF-8'?><Error><Code>{code}</Code>"
        f"<Message>told to fail</Message></Error>"
    ).encode()

    def answer(handler: BaseHTTPRequestHandler, _: http.client.HTTPResponse, __: bytes) -> None:
        handler.send_response(status)
        handler.send_header("Content-Type", "application/xml")
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return Fault(where, answer, times, lists)


def cut(where: str, after: int, *, times: float = float("inf"), lists: bool = False) -> Fault:
    """Send so many bytes of the body and close the connection."""

    def answer(
        handler: BaseHTTPRequestHandler, response: http.client.HTTPResponse, body: bytes
    ) -> None:
        _send_head(handler, response)
        handler.wfile.write(body[:after])
        handler.close_connection = True

    return Fault(where, answer, times, lists)


def spoil(where: str, *, times: float = float("inf")) -> Fault:
    """Change the first byte of an object on its way."""

    def answer(
        handler: BaseHTTPRequestHandler, response: http.client.HTTPResponse, body: bytes
    ) -> None:
        _send_head(handler, response)
        handler.wfile.write(bytes([body[0] ^ 1]) + body[1:])

    return Fault(where, answer, times, lists=False)


def wait_for(
    where: str, wait: Callable[[], Any], *, times: float = float("inf"), lists: bool = False
) -> Fault:
    """Answer as moto did, once `wait` has returned."""

    def answer(
        handler: BaseHTTPRequestHandler, response: http.client.HTTPResponse, body: bytes
    ) -> None:
        wait()
        _send_head(handler, response)
        handler.wfile.write(body)

    return Fault(where, answer, times, lists)


def delay(where: str, seconds: float) -> Fault:
    """Answer an object late."""
    return wait_for(where, lambda: time.sleep(seconds))


def _send_head(handler: BaseHTTPRequestHandler, response: http.client.HTTPResponse) -> None:
    handler.send_response(response.status)
    for name, value in response.getheaders():
        if name.lower() not in ("connection", "date", "server", "transfer-encoding"):
            handler.send_header(name, value)
    handler.end_headers()


def _handler(s3: S3Server, moto_port: int) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            signer = re.search("Credential=([^/]+)", self.headers["Authorization"] or "")
            request = Request(unquote(parts.path), query, signer[1] if signer else "")
            fault = s3.fault_for(request)
            upstream = http.client.HTTPConnection("127.0.0.1", moto_port)
            try:
                upstream.request("GET", self.path, headers=self._forwarded())
                response = upstream.getresponse()
                body = response.read()
            finally:
                upstream.close()
            answer = fault.answer if fault else wait_for("", lambda: None).answer
            with suppress(ConnectionError):  # who asked has lost patience
                answer(self, response, body)

        def _forwarded(self) -> dict[str, str]:
            return {name: value for name, value in self.headers.items() if name != "Host"}

        def log_message(self, format: str, *args: object) -> None:
            """Keep quiet."""

    return Handler


def days_listed(requests: Iterable[Request]) -> list[str]:
    """Return each day that was listed, as 111122223333/us-east-1/2026-11-21."""
    listed = []
    for request in requests:
        parts = request.prefix.partition("AWSLogs/")[2].strip("/").split("/")
        if len(parts) == 6:
            account, _, region, *day = parts
            listed.append(f"{account}/{region}/{'-'.join(day)}")
    return sorted(listed)
