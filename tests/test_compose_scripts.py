"""The scripts that run inside containers: who may log in to Grafana, and Prometheus' past."""

import subprocess
from pathlib import Path

import pytest

from tools import ROOT

PROMTOOL_MAKES_A_BLOCK = 'for storage; do :; done; mkdir "$storage/01BLOCK"'
PROMTOOL_BREAKS_OFF = f"{PROMTOOL_MAKES_A_BLOCK}; exit 1"


def run(
    script: str, *arguments: str | Path, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run a script of docker/ with nothing but the given environment."""
    return subprocess.run(
        ["sh", ROOT / "docker" / script, *arguments],
        env={"PATH": "/usr/bin:/bin"} | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def grafana_environment(**environment: str) -> dict[str, str]:
    """What Grafana would be started with."""
    started = run("start-grafana", "env", **environment)
    assert started.returncode == 0, started.stderr
    lines = [line.split("=", 1) for line in started.stdout.splitlines()]
    return {name: value for name, value in lines if name.startswith(("GF_", "GRAFANA_ADMIN"))}


@pytest.fixture
def storage(tmp_path: Path) -> Path:
    """Prometheus' folder, as it is before the first start."""
    folder = tmp_path / "prometheus"
    folder.mkdir()
    return folder


@pytest.fixture
def past(tmp_path: Path) -> Path:
    """What write-history has written."""
    file = tmp_path / "past.om"
    file.write_text("# EOF\n")
    return file


def with_program(folder: Path, name: str, body: str) -> str:
    """A PATH on which a program of this name does as told."""
    program = folder / name
    program.write_text(f"#!/bin/sh\n{body}\n")
    program.chmod(0o755)
    return f"{folder}:/usr/bin:/bin"


def test_without_a_password_nobody_can_log_in_and_visitors_only_look() -> None:
    assert grafana_environment() == {
        "GF_SECURITY_DISABLE_INITIAL_ADMIN_CREATION": "true",
        "GF_AUTH_DISABLE_LOGIN_FORM": "true",
        "GF_AUTH_ANONYMOUS_ENABLED": "true",
        "GF_AUTH_ANONYMOUS_ORG_ROLE": "Viewer",
    }


def test_an_empty_password_is_none() -> None:
    assert grafana_environment(GRAFANA_ADMIN_PASSWORD="") == grafana_environment()


@pytest.mark.parametrize("address", ["127.0.0.1", "0.0.0.0"])
def test_with_a_password_everyone_logs_in(address: str) -> None:
    given = {"GRAFANA_ADMIN_PASSWORD": "it's $ecret", "GRAFANA_ADDRESS": address}
    assert grafana_environment(**given) == {
        "GF_SECURITY_ADMIN_PASSWORD": "it's $ecret",
        "GF_AUTH_ANONYMOUS_ENABLED": "false",
    }


def test_grafana_is_not_opened_to_other_machines_without_a_password() -> None:
    refused = run("start-grafana", "env", GRAFANA_ADDRESS="0.0.0.0")
    assert refused.returncode == 1
    assert refused.stdout == ""
    assert "set GRAFANA_ADMIN_PASSWORD" in refused.stderr


def test_a_prometheus_that_has_run_gets_no_past(tmp_path: Path, storage: Path, past: Path) -> None:
    (storage / "wal").mkdir()
    (storage / "01BLOCK").mkdir()
    path = with_program(tmp_path, "bedrock-exporter", "exit 1")
    written = run("write-history", "config.yaml", "exporter:10118", storage, past, PATH=path)
    loaded = run("load-history", storage, past, PATH=with_program(tmp_path, "promtool", "exit 1"))
    assert (written.returncode, written.stderr) == (0, "")
    assert (loaded.returncode, loaded.stderr) == (0, "")
    assert (storage / "01BLOCK").is_dir()


def test_a_past_that_cannot_be_written_stops_nothing(
    tmp_path: Path, storage: Path, past: Path
) -> None:
    path = with_program(tmp_path, "bedrock-exporter", "echo no ledger >&2; exit 1")
    written = run("write-history", "config.yaml", "exporter:10118", storage, past, PATH=path)
    loaded = run("load-history", storage, past)
    assert written.returncode == 0
    assert "no ledger\nThe past could not be written" in written.stderr
    assert not past.exists()
    assert (loaded.returncode, loaded.stdout) == (0, "There is no past to load.\n")


def test_a_past_that_is_loaded_is_cleared_away(tmp_path: Path, storage: Path, past: Path) -> None:
    path = with_program(tmp_path, "promtool", PROMTOOL_MAKES_A_BLOCK)
    loaded = run("load-history", storage, past, PATH=path)
    assert (loaded.returncode, loaded.stderr) == (0, "")
    assert (storage / "01BLOCK").is_dir()
    assert not past.exists()


def test_a_past_that_cannot_be_loaded_is_left_out_as_a_whole(
    tmp_path: Path, storage: Path, past: Path
) -> None:
    path = with_program(tmp_path, "promtool", PROMTOOL_BREAKS_OFF)
    loaded = run("load-history", storage, past, PATH=path)
    assert loaded.returncode == 0
    assert "could not be loaded" in loaded.stderr
    assert list(storage.iterdir()) == []


def test_what_an_attempt_left_that_was_cut_short_is_not_loaded_twice(
    tmp_path: Path, storage: Path, past: Path
) -> None:
    (storage / "01LEFTOVER").mkdir()
    (storage / "head123").mkdir()
    path = with_program(tmp_path, "promtool", PROMTOOL_MAKES_A_BLOCK)
    run("load-history", storage, past, PATH=path)
    assert [entry.name for entry in storage.iterdir()] == ["01BLOCK"]
