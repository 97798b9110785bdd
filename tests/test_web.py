"""What the web answers: a real server, a real client, bytes on the wire."""

import gzip
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import bcrypt
import pytest
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as parse_openmetrics,
)
from prometheus_client.parser import text_string_to_metric_families as parse_text
from starlette.types import ASGIApp, Receive, Scope, Send

from exporter import __version__
from exporter.config import ConfigError
from exporter.exposition import Rendered, expose
from exporter.metrics import Family, Metric, Type
from exporter.web import Site, accepts_gzip, create_app, prefers_openmetrics
from exporter.web_config import Gate, WebConfig
from running_web import RunningWeb, running_web

TOKENS = Metric("bedrock_tokens_total", "Tokens read.", Type.COUNTER, ("user",))
LINE = b'bedrock_tokens_total{user="alice"} 506.0\n'
PAGE = b"<!doctype html><title>usage</title>"

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)

TEXT = "text/plain; version=0.0.4; charset=utf-8"
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
PROMETHEUS_2 = (
    "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
    "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
)
PROMETHEUS_3 = (
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,"
    "application/openmetrics-text;version=0.0.1;q=0.4,"
    "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1"
)
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


def rendered(users: int = 1) -> Rendered:
    samples = {("alice",): 506} | {(f"user{number}",): number for number in range(1, users)}
    text, openmetrics = expose([Family(TOKENS, TOKENS.labels, samples)])
    return Rendered(text, openmetrics, PAGE)


class Configuration:
    """Stands for the configuration of the exporter: counts its loads, or refuses them."""

    def __init__(self) -> None:
        self.loads = 0
        self.problems: list[str] = []

    async def load(self) -> None:
        if self.problems:
            raise ConfigError(self.problems)
        self.loads += 1


class Clock:
    """Stands still until it is set."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def configuration() -> Configuration:
    return Configuration()


@pytest.fixture
def clock() -> Clock:
    return Clock(NOON)


@pytest.fixture
def site(configuration: Configuration, clock: Clock) -> Site:
    return Site(configuration.load, clock, lifecycle=True, collector_pid=os.getppid)


class Switch:
    """The application of one server, another one in each test."""

    app: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)


@pytest.fixture(scope="module")
def switch() -> Switch:
    return Switch()


@pytest.fixture(scope="module")
def server(switch: Switch) -> Iterator[RunningWeb]:
    with running_web(switch) as running:
        yield running


@pytest.fixture
def web(site: Site, server: RunningWeb, switch: Switch) -> RunningWeb:
    switch.app = create_app(site, Gate(WebConfig()))
    return server


def value_of(web: RunningWeb, name: str) -> float:
    lines = web.get("/metrics").body.decode().splitlines()
    (value,) = (
        line.rpartition(" ")[2] for line in lines if line.startswith((name + " ", name + "{"))
    )
    return float(value)


def test_metrics_are_the_snapshot_followed_by_the_metrics_of_the_moment(
    site: Site, web: RunningWeb
) -> None:
    site.rendered = rendered()
    answer = web.get("/metrics")
    assert (answer.status, answer.headers["content-type"]) == (200, TEXT)
    assert answer.headers["content-length"] == str(len(answer.body))
    assert LINE in answer.body
    names = [family.name for family in parse_text(answer.body.decode())]
    assert names[0] == "bedrock_tokens"
    assert {"bedrock_exporter_build_info", "process_cpu_seconds"} <= set(names)
    assert len(names) == len(set(names))


def test_openmetrics_ends_once(site: Site, web: RunningWeb) -> None:
    site.rendered = rendered()
    answer = web.get("/metrics", accept=PROMETHEUS_2)
    assert answer.headers["content-type"] == OPENMETRICS
    assert LINE in answer.body
    assert answer.body.endswith(b"\n# EOF\n") and answer.body.count(b"# EOF") == 1
    assert [family.name for family in parse_openmetrics(answer.body.decode())]


def test_gzip_is_the_same_exposition_smaller(site: Site, web: RunningWeb) -> None:
    site.rendered = rendered(users=20_000)
    packed = web.get("/metrics", accept_encoding="gzip")
    unpacked = web.get("/metrics")
    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in unpacked.headers
    assert packed.headers["vary"] == unpacked.headers["vary"] == "Accept, Accept-Encoding"
    assert len(packed.body) < len(unpacked.body) / 5
    lines = len(unpacked.body.splitlines())
    assert len(gzip.decompress(packed.body).splitlines()) == lines > 20_000


@pytest.mark.parametrize("accept_encoding", ["identity", "gzip"])
@pytest.mark.parametrize("path", ["/", "/metrics", "/-/healthy", "/-/ready"])
def test_head_answers_what_get_would_without_the_body(
    site: Site, web: RunningWeb, path: str, accept_encoding: str
) -> None:
    site.rendered = rendered()
    get = web.get(path, accept_encoding=accept_encoding)
    head = web.request("HEAD", path, accept_encoding=accept_encoding)
    assert (head.status, head.body) == (200, b"")
    assert head.headers.keys() == get.headers.keys()
    # The live metrics change with every request: a digit more or less is no difference.
    assert abs(int(head.headers["content-length"]) - int(get.headers["content-length"])) < 100


def test_before_the_first_snapshot_only_the_exporter_itself_is_exposed(web: RunningWeb) -> None:
    for encoding in ("identity", "gzip"):
        answer = web.get("/metrics", accept_encoding=encoding)
        body = gzip.decompress(answer.body) if encoding == "gzip" else answer.body
        assert answer.status == 200
        assert b"bedrock_exporter_build_info" in body and b"bedrock_tokens" not in body


def test_ready_is_503_until_the_first_snapshot_and_healthy_never(
    site: Site, web: RunningWeb
) -> None:
    assert web.get("/-/healthy").status == 200
    assert web.get("/-/ready").status == web.request("HEAD", "/-/ready").status == 503
    site.rendered = rendered()
    assert web.get("/-/ready").status == 200


def test_the_page_is_the_snapshots_and_says_so_when_there_is_none(
    site: Site, web: RunningWeb
) -> None:
    assert b"No data yet" in web.get("/").body
    site.rendered = rendered()
    answer = web.get("/")
    assert answer.body == PAGE
    assert answer.headers["content-type"] == "text/html; charset=utf-8"


@pytest.mark.parametrize("path", ["/", "/metrics", "/-/healthy", "/nowhere"])
def test_every_answer_forbids_scripts_sniffing_and_storing(web: RunningWeb, path: str) -> None:
    headers = web.get(path).headers
    assert headers["content-security-policy"].startswith("default-src 'none';")
    assert "script-src" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"
    assert "server" not in headers


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nowhere", 404),
        ("GET", "/metrics/", 404),
        ("GET", "/metrics/../etc/passwd", 404),
        ("POST", "/metrics", 405),
        ("DELETE", "/", 405),
        ("GET", "/-/reload", 405),
        ("HEAD", "/-/reload", 405),
    ],
)
def test_what_is_not_served_is_refused(
    web: RunningWeb, method: str, path: str, status: int
) -> None:
    assert web.request(method, path).status == status


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_a_reload_loads_the_configuration_again(
    web: RunningWeb, configuration: Configuration, clock: Clock, method: str
) -> None:
    clock.now = NOON + timedelta(hours=1)
    assert web.request(method, "/-/reload").status == 200
    assert configuration.loads == 1
    assert value_of(web, "bedrock_exporter_config_last_reload_successful") == 1
    assert (
        value_of(web, "bedrock_exporter_config_last_reload_success_timestamp_seconds")
        == clock.now.timestamp()
    )


def test_a_refused_reload_says_why_and_shows_in_the_metrics_until_one_succeeds(
    web: RunningWeb, configuration: Configuration, clock: Clock
) -> None:
    configuration.problems = ["config.yaml: limits[2].period: is required", "config.yaml: x"]
    clock.now = NOON + timedelta(hours=1)
    answer = web.request("POST", "/-/reload")
    assert answer.status == 500
    assert b"config.yaml: limits[2].period: is required\nconfig.yaml: x\n" in answer.body
    assert value_of(web, "bedrock_exporter_config_last_reload_successful") == 0
    assert (
        value_of(web, "bedrock_exporter_config_last_reload_success_timestamp_seconds")
        == NOON.timestamp()
    )
    configuration.problems = []
    web.request("POST", "/-/reload")
    assert value_of(web, "bedrock_exporter_config_last_reload_successful") == 1


def test_a_reload_is_forbidden_unless_enabled(
    site: Site, web: RunningWeb, configuration: Configuration
) -> None:
    site.lifecycle = False
    answer = web.request("POST", "/-/reload")
    assert (answer.status, configuration.loads) == (403, 0)
    assert b"--web.enable-lifecycle" in answer.body


def test_build_info_names_the_version(web: RunningWeb) -> None:
    assert f'version="{__version__}"'.encode() in web.get("/metrics").body


needs_proc = pytest.mark.skipif(
    not Path("/proc/stat").exists(), reason="process metrics are read from /proc, which is Linux's"
)


@needs_proc
def test_the_collector_process_has_metrics_of_its_own(web: RunningWeb) -> None:
    own = value_of(web, "process_start_time_seconds")
    parent = value_of(web, "bedrock_exporter_collector_process_start_time_seconds")
    assert parent <= own
    assert value_of(web, "bedrock_exporter_collector_process_resident_memory_bytes") > 0


@needs_proc
def test_a_collector_that_is_not_there_has_no_metrics_and_hurts_nothing(
    configuration: Configuration, clock: Clock
) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as zombie:
        os.waitid(os.P_PID, zombie.pid, os.WEXITED | os.WNOWAIT)
        for pid in (None, 2**22 + 1, zombie.pid):
            site = Site(configuration.load, clock, collector_pid=lambda pid=pid: pid)
            metrics = site.live_metrics(openmetrics=True)
            assert b"\nprocess_cpu_seconds_total" in metrics
            assert pid == zombie.pid or b"bedrock_exporter_collector_process" not in metrics


@pytest.fixture
def guarded(site: Site, server: RunningWeb, switch: Switch) -> RunningWeb:
    users = {"bob": bcrypt.hashpw(b"right", bcrypt.gensalt(4)).decode()}
    switch.app = create_app(site, Gate(WebConfig(users=users)))
    return server


@pytest.mark.parametrize("path", ["/", "/metrics", "/-/healthy", "/-/ready", "/nowhere"])
def test_every_path_asks_for_a_password(guarded: RunningWeb, path: str) -> None:
    answer = guarded.get(path)
    assert (answer.status, answer.body) == (401, b"Unauthorized\n")
    assert answer.headers["www-authenticate"].startswith("Basic ")
    assert answer.headers["cache-control"] == "no-store"


def test_a_right_password_opens_and_a_wrong_one_does_not(guarded: RunningWeb) -> None:
    right, wrong = "Basic Ym9iOnJpZ2h0", "Basic Ym9iOndyb25n"  # bob:right, bob:wrong
    for _ in range(2):
        assert guarded.get("/-/healthy", authorization=right).status == 200
        assert guarded.get("/-/healthy", authorization=wrong).status == 401
    assert guarded.request("POST", "/-/reload", authorization=wrong).status == 401


@pytest.mark.parametrize(
    ("accept", "openmetrics"),
    [
        (PROMETHEUS_2, True),
        (PROMETHEUS_3, True),
        (BROWSER, False),
        ("", False),
        ("*/*", False),
        ("application/openmetrics-text", True),
        ("APPLICATION/OpenMetrics-Text; Version=1.0.0", True),
        ("application/openmetrics-text;version=0.0.1", False),
        ("application/openmetrics-text;version=2.0.0", False),
        ("application/openmetrics-text;q=0", False),
        ("application/openmetrics-text;q=0.4,text/plain;q=0.5", False),
        ("text/plain,application/openmetrics-text;version=1.0.0", True),
        ("application/openmetrics-text;q=nan", False),
        (";;,=,;q", False),
    ],
)
def test_openmetrics_goes_to_whom_asks_for_it(accept: str, openmetrics: bool) -> None:
    assert prefers_openmetrics(accept) is openmetrics


@pytest.mark.parametrize(
    ("accept_encoding", "accepted"),
    [
        ("gzip", True),
        ("gzip, deflate, br", True),
        ("*", True),
        ("br;q=1.0, gzip;q=0.8, *;q=0.1", True),
        ("", False),
        ("identity", False),
        ("gzip;q=0", False),
        ("gzip;q=0, *", False),
        ("xgzip", False),
    ],
)
def test_gzip_goes_to_whom_accepts_it(accept_encoding: str, accepted: bool) -> None:
    assert accepts_gzip(accept_encoding) is accepted
