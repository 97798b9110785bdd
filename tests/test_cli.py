"""The commands as they are typed."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from exporter import __version__
from exporter.cli import main

VALID = "sources: [{type: invocation_logs, location: logs}]\n"


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture
def restored() -> Iterator[None]:
    """How signals are handled is put back after the test."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("command", [(), *((name,) for name in main.commands)])
def test_every_command_says_what_it_does(command: tuple[str, ...]) -> None:
    result = run(*command, "--help")
    assert result.exit_code == 0
    assert result.output.startswith("Usage: ")


@pytest.mark.parametrize("name", main.commands)
def test_every_option_says_what_it_is_for(name: str) -> None:
    options = [part for part in main.commands[name].params if isinstance(part, click.Option)]
    silent = [option.name for option in options if not option.help]
    assert silent == []


def test_python_m_exporter_is_the_same() -> None:
    command = [sys.executable, "-m", "exporter", "--version"]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert result.stdout == f"bedrock-exporter, version {__version__}\n"


def test_a_valid_configuration_is_called_valid_and_nothing_is_started(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(VALID)
    result = run("serve", "--config.file", file, "--config.check")
    assert (result.exit_code, result.output) == (0, f"{file}: valid\n")
    assert list(tmp_path.iterdir()) == [file]


def test_every_mistake_of_both_files_is_named_at_once(tmp_path: Path) -> None:
    file, web = tmp_path / "config.yaml", tmp_path / "web.yml"
    file.write_text(VALID + "timezone: Mars/Olympus\nrefresh_interval: soon\nlimit: []\n")
    web.write_text("tls_config: {}\n")
    result = run("serve", "--config.file", file, "--web.config.file", web, "--config.check")
    assert result.exit_code == 1
    for place in ("timezone", "refresh_interval", "limit: unknown key", "tls_config"):
        assert place in result.output


def test_a_configuration_that_is_missing_is_named(tmp_path: Path) -> None:
    result = run("serve", "--config.file", tmp_path / "nowhere.yaml")
    assert result.exit_code == 1
    assert "nowhere.yaml: cannot be read: No such file or directory" in result.output


def test_an_address_that_is_none_is_refused_with_an_example(tmp_path: Path) -> None:
    result = run("serve", "--web.listen-address", "localhost")
    assert result.exit_code == 2
    assert "--web.listen-address" in result.output
    assert "such as 127.0.0.1:10118" in result.output


@pytest.mark.parametrize(
    "option", [("--log.level", "loud"), ("--log.format", "xml"), ("--web.listen", ":1")]
)
def test_an_option_that_is_none_is_refused(option: tuple[str, str]) -> None:
    assert run("serve", *option).exit_code == 2


def test_simulate_writes_logs_in_the_layout_of_aws_and_says_how_many(tmp_path: Path) -> None:
    result = run("simulate", tmp_path / "logs", "--days", "1", "--calls-per-day", "20")
    assert result.exit_code == 0
    assert result.output.endswith(f"calls written to {tmp_path / 'logs'}\n")
    pattern = "AWSLogs/*/BedrockModelInvocationLogs/*/*/*/*/*/*.json.gz"
    assert list((tmp_path / "logs").glob(pattern))


@pytest.mark.usefixtures("restored")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_live_simulation_ends_well_by_a_signal(
    number: signal.Signals, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "sleep", lambda _: signal.raise_signal(number))
    result = run("simulate", "--live", tmp_path / "logs", "--days", "0")
    assert result.exit_code == 0, result.output
    assert "calls written" in result.output


@pytest.mark.usefixtures("restored")
def test_live_simulation_ends_well_by_two_signals_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt_twice(_: float) -> None:
        try:
            signal.raise_signal(signal.SIGINT)
        finally:
            signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr(time, "sleep", interrupt_twice)
    result = run("simulate", "--live", tmp_path / "logs", "--days", "0")
    assert result.exit_code == 0, result.output


@pytest.mark.usefixtures("restored")
def test_a_simulated_past_that_is_interrupted_does_not_pass_for_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr("exporter.simulate.timeline.write_calls", interrupt)
    result = run("simulate", tmp_path / "logs", "--days", "1")
    assert result.exit_code == 1
    assert "Aborted!" in result.output


def test_simulate_refuses_a_folder_of_other_logs(tmp_path: Path) -> None:
    (tmp_path / "AWSLogs").mkdir()
    result = run("simulate", tmp_path)
    assert result.exit_code == 1
    assert "holds logs that were not simulated" in result.output


@pytest.mark.parametrize(
    "option", [("--days", "-1"), ("--calls-per-day", "-1"), ("--calls-per-minute", "0")]
)
def test_simulate_refuses_numbers_that_make_no_sense(
    tmp_path: Path, option: tuple[str, str]
) -> None:
    assert run("simulate", tmp_path / "logs", *option).exit_code == 2
    assert list(tmp_path.iterdir()) == []
