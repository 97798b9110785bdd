"""How the web listens and stops: an address, TLS, limits on connections, and uvicorn in between.

Knows nothing of what is served. No client can hold it up: a connection that asks for nothing is
closed, and a stop waits for nobody longer than its grace.

    ListenError     the address cannot be listened on
"""

import asyncio
import contextlib
import logging
import os
import re
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

_REQUEST_SECONDS = 10
"""How long a connection may take to ask for something, before it is closed."""
_KEEP_ALIVE_SECONDS = 75
"""How long an answered connection is kept: longer than the usual minute between two scrapes."""
_GRACE_SECONDS = 2
"""How long a stop waits for answers under way; what is left after that is cut off."""
_MOST_CONNECTIONS = 200
"""From there on requests are answered 503: each slow reader keeps a body in memory."""


class ListenError(Exception):
    """The address cannot be listened on; the message says why."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where to listen; an empty host is every interface."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_address(text: str) -> Address:
    """Read an address as Prometheus writes it; raises ValueError with a remedy."""
    match = re.fullmatch(r"(?:\[([^\s\[\]]+)\]|([^\s:\[\]]*)):([0-9]{1,5})", text)
    if not match or int(match[3]) > 65535:
        raise ValueError(
            f"{text!r} is not an address such as 127.0.0.1:10118, :10118 or [::1]:10118"
        )
    return Address(match[1] or match[2], int(match[3]))


def listen(address: Address) -> socket.socket:
    """Take an address, before anything else is started.

    Of a host name with several addresses the first is taken, IPv4 before IPv6. Raises ListenError
    if the address is in use, forbidden or not this machine's.
    """
    try:
        return _bind(address)
    except (socket.gaierror, UnicodeError) as error:
        reason = str(error)
    except OSError as error:
        reason = os.strerror(error.errno or 0)
    raise ListenError(f"cannot listen on {address}: {reason}; choose another --web.listen-address")


def _bind(address: Address) -> socket.socket:
    if not address.host and socket.has_dualstack_ipv6():
        every = ("", address.port)
        return socket.create_server(every, family=socket.AF_INET6, dualstack_ipv6=True)
    host = address.host or "0.0.0.0"
    found = socket.getaddrinfo(host, address.port, type=socket.SOCK_STREAM)
    family, _, _, _, place = min(found, key=lambda info: info[0] != socket.AF_INET)
    return socket.create_server(place, family=family)


async def serve(
    app: ASGIApp, listener: socket.socket, context: ssl.SSLContext | None, stop: asyncio.Event
) -> None:
    """Serve until `stop` is set, then return within 5 seconds whatever the clients do.

    Installs no signal handlers. Closes the listener.
    """
    config = uvicorn.Config(
        app,
        http=_Protocol,
        ws="none",
        lifespan="off",
        proxy_headers=False,
        server_header=False,
        log_config=None,
        log_level=logging.WARNING,
        access_log=False,
        limit_concurrency=_MOST_CONNECTIONS,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=2 * _GRACE_SECONDS,
    )
    config.load()
    config.ssl = context
    server = _Server(config)
    async with asyncio.TaskGroup() as group:
        group.create_task(server.serve(sockets=[listener]))
        await stop.wait()
        server.should_exit = True


class _Server(uvicorn.Server):
    """Leaves signals to the application, and cuts off what outlasts the grace of a stop."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        cut = asyncio.get_running_loop().call_later(_GRACE_SECONDS, self._cut)
        await super().shutdown(sockets)
        cut.cancel()

    def _cut(self) -> None:
        for connection in list(self.server_state.connections):
            connection.transport.abort()


class _Protocol(H11Protocol):
    """Closes a connection that asks for nothing, where uvicorn would wait for ever."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._expect_request()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        answered = self.cycle is None or self.cycle.response_complete
        if answered and not self.transport.is_closing():
            self._expect_request()

    def _expect_request(self) -> None:
        self.timeout_keep_alive_task = self.loop.call_later(
            _REQUEST_SECONDS, self.timeout_keep_alive_handler
        )
