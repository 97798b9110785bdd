"""A real web server in a thread, and a client that shows every header."""

import asyncio
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPSConnection

from starlette.types import ASGIApp

from exporter.web_server import Address, listen, serve


@dataclass(frozen=True)
class Answer:
    """What a server answered; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass
class RunningWeb:
    """A server that serves until it is stopped."""

    port: int
    loop: asyncio.AbstractEventLoop
    stopping: asyncio.Event
    thread: threading.Thread
    authority: str | None = None
    """Path of the certificate that the client trusts; None: plain HTTP."""

    def get(self, path: str, **headers: str) -> Answer:
        return self.request("GET", path, **headers)

    def request(self, method: str, path: str, timeout: float = 10, **headers: str) -> Answer:
        """Send a request; accept_encoding="gzip" is the header Accept-Encoding."""
        connection = self._connection(timeout)
        try:
            connection.putrequest(method, path, skip_accept_encoding=True)
            for name, value in headers.items():
                connection.putheader(name.replace("_", "-"), value)
            connection.endheaders()
            response = connection.getresponse()
            received = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, received, response.read())
        finally:
            connection.close()

    def open_connection(self) -> socket.socket:
        """Open a bare TCP connection."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=10)

    def stop(self, timeout: float = 10) -> bool:
        """Stop, and tell whether the server came to its end."""
        if self.thread.is_alive():
            self.loop.call_soon_threadsafe(self.stopping.set)
        self.thread.join(timeout)
        return not self.thread.is_alive()

    def _connection(self, timeout: float) -> HTTPConnection:
        if self.authority is None:
            return HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        context = ssl.create_default_context(cafile=self.authority)
        return HTTPSConnection("127.0.0.1", self.port, timeout=timeout, context=context)


@contextmanager
def running_web(
    app: ASGIApp, context: ssl.SSLContext | None = None, authority: str | None = None
) -> Iterator[RunningWeb]:
    """Serve an application on a free port of the loopback interface."""
    listener = listen(Address("127.0.0.1", 0))
    port = listener.getsockname()[1]
    started = threading.Event()
    loops: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

    async def run() -> None:
        stopping = asyncio.Event()
        loops.append((asyncio.get_running_loop(), stopping))
        started.set()
        await serve(app, listener, context, stopping)

    thread = threading.Thread(target=lambda: asyncio.run(run()), daemon=True)
    thread.start()
    started.wait(10)
    web = RunningWeb(port, *loops[0], thread, authority)
    try:
        yield web
    finally:
        assert web.stop()
