"""What all tests share: an environment without AWS, and real programs that end with the test."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from snapshots import Exporter
from tools import (
    REMEDY,
    Prometheus,
    Service,
    find_free_port,
    find_program,
    run_exporter,
    run_prometheus,
)


@pytest.fixture(scope="session", autouse=True)
def without_aws() -> Iterator[None]:
    """Keep the credentials, regions and endpoints of whoever runs the tests out of them."""
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.startswith("AWS_"):
                patch.delenv(name)
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        patch.setenv("AWS_CONFIG_FILE", os.devnull)
        patch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
        patch.setenv("NO_PROXY", "127.0.0.1,localhost")
        yield


@pytest.fixture(autouse=True)
def closed_ledgers() -> Iterator[None]:
    """Close the ledgers that a test itself has opened."""
    before = len(Exporter.opened)
    yield
    for ledger in Exporter.opened[before:]:
        ledger.close()


@pytest.fixture
def free_port() -> int:
    """A port of the loopback interface on which nothing listens."""
    return find_free_port()


@pytest.fixture(scope="session")
def prometheus_binary() -> Path:
    """The program prometheus; without it, the test is skipped."""
    return _need("prometheus")


@pytest.fixture(scope="session")
def promtool() -> Path:
    """The program promtool; without it, the test is skipped."""
    return _need("promtool")


@pytest.fixture(scope="session")
def alertmanager_binary() -> Path:
    """The program alertmanager, by Debian's name of it, too; without it, the test is skipped."""
    return _need("alertmanager", "prometheus-alertmanager")


@pytest.fixture(scope="session")
def amtool() -> Path:
    """The program amtool; without it, the test is skipped."""
    return _need("amtool")


@pytest.fixture
def start_prometheus(
    prometheus_binary: Path, tmp_path: Path
) -> Iterator[Callable[[Mapping[str, Any]], Prometheus]]:
    """Start a Prometheus with a configuration, once a test: start_prometheus({...})."""
    with ExitStack() as running:

        def start(config: Mapping[str, Any]) -> Prometheus:
            folder = tmp_path / "prometheus"
            folder.mkdir()
            prometheus = run_prometheus(prometheus_binary, config, folder)
            running.callback(prometheus.stop)
            return prometheus

        yield start


@pytest.fixture
def start_exporter(tmp_path: Path) -> Iterator[Callable[..., Service]]:
    """Start `serve` with a configuration file and further flags, and wait until it is ready.

    ready=None does not wait: for one that must refuse to start, or that answers only to TLS or a
    password.
    """
    with ExitStack() as running:

        def start(config_file: Path, *flags: str, ready: str | None = "/-/ready") -> Service:
            exporter = run_exporter(config_file, *flags, folder=tmp_path)
            running.callback(exporter.stop)
            return exporter.wait_for(ready) if ready else exporter

        yield start


def _need(*names: str) -> Path:
    """Find a program by the first of its names that is there."""
    for name in names:
        if program := find_program(name):
            return program
    pytest.skip(f"{names[0]} is missing; {REMEDY}")
