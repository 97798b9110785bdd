"""How the web listens and stops: TLS, idle and slow clients, addresses in use."""

import asyncio
import signal
import socket
import ssl
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from certificates import write_certificate
from exporter import web_config, web_server
from exporter.web_config import Gate
from exporter.web_server import Address, ListenError, listen, parse_address, serve
from running_web import RunningWeb, running_web


async def small(request: Request) -> Response:
    return PlainTextResponse("small\n")


async def large(request: Request) -> Response:
    return Response(bytes(50_000_000))


APP = Starlette(routes=[Route("/", small), Route("/large", large)])


@pytest.fixture
def web() -> Iterator[RunningWeb]:
    with running_web(APP) as running:
        yield running


@pytest.fixture
def gate(tmp_path: Path) -> Gate:
    write_certificate(tmp_path, "web")
    (tmp_path / "web.yml").write_text(
        "tls_server_config: {cert_file: web.crt, key_file: web.key, min_version: TLS13}"
    )
    return Gate(web_config.load(tmp_path / "web.yml"))


@pytest.fixture
def tls_web(gate: Gate, tmp_path: Path) -> Iterator[RunningWeb]:
    with running_web(APP, gate.context, str(tmp_path / "web.crt")) as running:
        yield running


def test_tls_is_served_to_a_client_that_trusts_the_certificate(
    tls_web: RunningWeb, tmp_path: Path
) -> None:
    assert tls_web.get("/").body == b"small\n"
    write_certificate(tmp_path, "stranger")
    tls_web.authority = str(tmp_path / "stranger.crt")
    with pytest.raises(ssl.SSLCertVerificationError):
        tls_web.get("/")


def test_plain_http_is_not_served_on_a_tls_port(tls_web: RunningWeb) -> None:
    with tls_web.open_connection() as plain:
        plain.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b"small" not in plain.recv(1000)


def test_a_tls_version_below_the_lowest_is_refused(tls_web: RunningWeb, tmp_path: Path) -> None:
    context = ssl.create_default_context(cafile=str(tmp_path / "web.crt"))
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with tls_web.open_connection() as plain, pytest.raises(ssl.SSLError):
        context.wrap_socket(plain, server_hostname="127.0.0.1")


def test_a_renewed_certificate_is_served_after_a_reload(
    tls_web: RunningWeb, gate: Gate, tmp_path: Path
) -> None:
    write_certificate(tmp_path, "web")
    with pytest.raises(ssl.SSLError):
        tls_web.get("/")
    gate.replace(web_config.load(tmp_path / "web.yml"))
    assert tls_web.get("/").status == 200


@pytest.mark.parametrize("sent", [b"", b"GET / HTTP/1.1\r\nHo"])
def test_an_idle_connection_blocks_nobody(web: RunningWeb, sent: bytes) -> None:
    with web.open_connection() as idle:
        idle.sendall(sent)
        assert web.request("GET", "/", timeout=2).status == 200


def test_a_connection_that_never_shakes_hands_blocks_nobody(tls_web: RunningWeb) -> None:
    with tls_web.open_connection():
        assert tls_web.request("GET", "/", timeout=2).status == 200


@pytest.mark.parametrize("sent", [b"", b"GET / HTTP/1.1\r\nHo"])
def test_a_connection_that_asks_for_nothing_is_closed(
    monkeypatch: pytest.MonkeyPatch, web: RunningWeb, sent: bytes
) -> None:
    monkeypatch.setattr(web_server, "_REQUEST_SECONDS", 0.2)
    with web.open_connection() as idle:
        idle.sendall(sent)
        assert idle.recv(1) == b""


def test_a_connection_serves_more_than_one_request(
    monkeypatch: pytest.MonkeyPatch, web: RunningWeb
) -> None:
    monkeypatch.setattr(web_server, "_REQUEST_SECONDS", 0.2)
    with web.open_connection() as connection:
        for _ in range(2):
            connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            answer = b""
            while not answer.endswith(b"small\n"):
                answer += connection.recv(1000)
            time.sleep(0.4)


def test_a_request_that_is_no_http_is_refused_and_blocks_nobody(web: RunningWeb) -> None:
    with web.open_connection() as hostile:
        hostile.sendall(b"\x16\x03\x01 nonsense\r\n\r\n")
        assert hostile.recv(1000).startswith(b"HTTP/1.1 400 ")
    assert web.get("/").status == 200


def test_a_head_without_end_is_refused(web: RunningWeb) -> None:
    with web.open_connection() as hostile:
        hostile.sendall(b"GET / HTTP/1.1\r\nX: " + b"x" * 200_000)
        assert hostile.recv(12) == b"HTTP/1.1 400"


def seconds_to_stop(web: RunningWeb) -> float:
    start = time.monotonic()
    assert web.stop()
    return time.monotonic() - start


def test_a_stop_closes_idle_connections_at_once(web: RunningWeb) -> None:
    with web.open_connection() as kept:
        kept.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert kept.recv(8) == b"HTTP/1.1"
        assert seconds_to_stop(web) < 1.5


def test_a_stop_takes_less_than_5_seconds_while_a_client_reads_nothing(
    web: RunningWeb, caplog: pytest.LogCaptureFixture
) -> None:
    with web.open_connection() as slow:
        slow.sendall(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n")
        assert slow.recv(8) == b"HTTP/1.1"
        assert seconds_to_stop(web) < 4.5
    assert not caplog.records


def test_a_stop_takes_less_than_5_seconds_while_a_client_shakes_no_hands(
    tls_web: RunningWeb,
) -> None:
    with tls_web.open_connection():
        assert tls_web.get("/").status == 200
        assert seconds_to_stop(tls_web) < 4.9


def test_an_answer_under_way_is_finished_by_a_stop(web: RunningWeb) -> None:
    with web.open_connection() as reader:
        reader.sendall(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n")
        received = len(reader.recv(1000))
        web.loop.call_soon_threadsafe(web.stopping.set)
        while part := reader.recv(2**20):
            received += len(part)
    assert received > 50_000_000


def test_signals_are_left_to_the_application() -> None:
    async def handler_while_serving() -> object:
        stop = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            group.create_task(serve(APP, listen(Address("127.0.0.1", 0)), None, stop))
            await asyncio.sleep(0.1)
            stop.set()
            return signal.getsignal(signal.SIGTERM)

    assert asyncio.run(handler_while_serving()) == signal.getsignal(signal.SIGTERM)


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("127.0.0.1:10118", "127.0.0.1", 10118),
        (":10118", "", 10118),
        ("[::1]:10118", "::1", 10118),
        ("localhost:0", "localhost", 0),
    ],
)
def test_an_address_is_read_as_prometheus_writes_it(text: str, host: str, port: int) -> None:
    assert parse_address(text) == Address(host, port)
    assert str(parse_address(text)) == text


@pytest.mark.parametrize(
    "text", ["", "10118", "127.0.0.1", "::1:10118", "[::1]", "h:99999", "h:-1", "h:x", "http://h:1"]
)
def test_what_is_no_address_is_refused_with_examples(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not an address such as 127\.0\.0\.1:10118, :10118"):
        parse_address(text)


def test_an_empty_host_listens_on_every_interface() -> None:
    with listen(Address("", 0)) as listener:
        port = listener.getsockname()[1]
        socket.create_connection(("127.0.0.1", port), timeout=5).close()


def test_an_address_in_use_is_named() -> None:
    with listen(Address("127.0.0.1", 0)) as taken:
        address = Address("127.0.0.1", taken.getsockname()[1])
        with pytest.raises(ListenError) as refused:
            listen(address)
    assert str(refused.value) == (
        f"cannot listen on {address}: Address already in use; choose another --web.listen-address"
    )


@pytest.mark.parametrize("host", ["192.0.2.1", "no-such-host.invalid", "a..b", "x" * 64])
def test_an_address_of_elsewhere_is_refused(host: str) -> None:
    with pytest.raises(ListenError, match=r"^cannot listen on .*:0: "):
        listen(Address(host, 0))
