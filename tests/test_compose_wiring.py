"""The services of the Compose files fit each other, the repository and the exporter's own flags."""

import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from compose_files import AWS, SIMULATED, flags, health_test, listening_port, mounts, services
from dockerfile import health_check
from exporter import web
from exporter.cli import main
from exporter.config import load
from exporter.simulate import run as simulate
from tools import ROOT, find_program

EVERY_MODE = pytest.mark.parametrize("mode", [SIMULATED, AWS], ids=["simulated", "aws"])
PROMETHEUS: dict[str, Any] = yaml.safe_load((ROOT / "prometheus/prometheus.yml").read_text())
DATA_SOURCE = ROOT / "grafana/provisioning/datasources/prometheus.yml"
DASHBOARDS = ROOT / "grafana/provisioning/dashboards/bedrock.yml"


def scrape_targets(job: str) -> list[str]:
    (config,) = [item for item in PROMETHEUS["scrape_configs"] if item["job_name"] == job]
    return [target for group in config["static_configs"] for target in group["targets"]]


@EVERY_MODE
def test_a_published_port_is_the_one_that_is_listened_on(mode: tuple[str, ...]) -> None:
    for name, service in services(mode).items():
        for port in service.get("ports", []):
            published, listening = port.rsplit(":", 2)[1:]
            assert listening == published == listening_port(service), name


@EVERY_MODE
def test_a_health_check_asks_the_port_that_is_listened_on(mode: tuple[str, ...]) -> None:
    for name, service in services(mode).items():
        if service.get("ports"):
            asked = re.search(r"127\.0\.0\.1(?::|', )(\d+)", " ".join(health_test(name, service)))
            assert asked, name
            assert asked[1] == listening_port(service), name


def test_the_path_of_the_exporters_health_check_exists() -> None:
    asked = re.search(r"'GET', '([^']+)'", health_check()[-1])
    source = Path(web.__file__).read_text(encoding="utf-8")
    assert asked
    assert asked[1] in re.findall(r'Route\("([^"]+)"', source)


@pytest.mark.parametrize("name", ["exporter", "logs"])
def test_a_command_is_one_of_the_exporters_own(name: str) -> None:
    command, *arguments = services(SIMULATED)[name]["command"]
    main.commands[command].make_context(command, arguments)


def test_the_exporter_finds_its_files_where_they_are_mounted(tmp_path: Path) -> None:
    found = services(SIMULATED)
    (tmp_path / "config.yaml").write_text((ROOT / "config.yaml").read_text())
    config = load(tmp_path / "config.yaml", environ={})
    inside = {target: source for source, target, _ in mounts(found["exporter"])}
    assert inside["/bedrock/config.yaml"] == "./config.yaml"
    assert inside[f"/bedrock/{config.ledger.parent.relative_to(tmp_path)}"] == "ledger"
    location = Path(config.sources[0].location).relative_to(tmp_path)
    assert inside[f"/bedrock/{location}"] == "logs"
    assert ("logs", f"/bedrock/{location}", False) in mounts(found["logs"])
    assert found["logs"]["command"][-1] == str(location)


def test_simulated_logs_are_healthy_once_the_past_is_written(tmp_path: Path) -> None:
    _, *check = health_test("logs", services(SIMULATED)["logs"])

    def is_healthy() -> bool:
        command = [sys.executable, *check]
        return not subprocess.run(
            command, cwd=tmp_path, capture_output=True, check=False
        ).returncode

    assert not is_healthy()
    _simulate_a_day(tmp_path / "data/logs")
    assert is_healthy()
    state = tmp_path / "data/logs/.simulate.json"
    state.write_text(state.read_text().replace("true", "false"))
    assert not is_healthy()


def _simulate_a_day(folder: Path) -> None:
    simulate(
        folder,
        seed=1,
        days=1,
        calls_per_day=1,
        calls_per_minute=None,
        interval=timedelta(seconds=1),
        clock=lambda: datetime(2026, 11, 20, tzinfo=UTC),
        wait=lambda _: True,
    )


@EVERY_MODE
def test_prometheus_scrapes_and_alerts_by_the_names_of_services(mode: tuple[str, ...]) -> None:
    found = services(mode)
    (alerting,) = PROMETHEUS["alerting"]["alertmanagers"]
    asked = [target for group in alerting["static_configs"] for target in group["targets"]]
    assert asked == scrape_targets("alertmanager")
    for target in asked + scrape_targets("bedrock"):
        name, _, port = target.partition(":")
        assert port == listening_port(found[name])


def test_prometheus_scrapes_itself_where_it_listens() -> None:
    port = listening_port(services(SIMULATED)["prometheus"])
    assert scrape_targets("prometheus") == [f"localhost:{port}"]


def test_the_past_has_the_labels_of_what_is_scraped(tmp_path: Path) -> None:
    arguments = _backfill_arguments(tmp_path)
    context = main.commands["backfill"].make_context("backfill", arguments)
    (target,) = scrape_targets("bedrock")
    assert set(context.params["labels"]) == {"job=bedrock", f"instance={target}"}


def test_prometheus_looks_back_as_far_as_one_step_of_the_past(tmp_path: Path) -> None:
    arguments = _backfill_arguments(tmp_path)
    context = main.commands["backfill"].make_context("backfill", arguments)
    looks_back = flags(services(SIMULATED)["prometheus"])["query.lookback-delta"]
    assert context.params["step"] == looks_back


def _backfill_arguments(folder: Path) -> list[str]:
    """What write-history, as the Compose file calls it, asks `bedrock-exporter backfill` for."""
    recorder = folder / "bedrock-exporter"
    recorder.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" >{folder}/arguments\n')
    recorder.chmod(0o755)
    subprocess.run(
        ["sh", ROOT / "docker/write-history", *services(SIMULATED)["write-history"]["command"]],
        env={"PATH": f"{folder}:/usr/bin:/bin"},
        check=True,
    )
    command, *arguments = (folder / "arguments").read_text().splitlines()
    assert command == "backfill"
    return arguments


@pytest.mark.parametrize("name", ["write-history", "load-history"])
def test_a_one_shot_gets_paths_that_are_mounted(name: str) -> None:
    service = services(SIMULATED)[name]
    targets = {target for _, target, _ in mounts(service)}
    assert service["entrypoint"][-1] in targets
    for argument in service["command"]:
        assert not argument.startswith("/") or {argument, str(Path(argument).parent)} & targets


def test_both_one_shots_and_prometheus_mean_the_same_storage_and_file() -> None:
    found = services(SIMULATED)
    *_, storage, file = found["write-history"]["command"]
    assert found["load-history"]["command"] == [storage, file]
    assert flags(found["prometheus"])["storage.tsdb.path"] == storage


def test_grafana_asks_the_prometheus_of_its_neighbour() -> None:
    (source,) = yaml.safe_load(DATA_SOURCE.read_text())["datasources"]
    port = listening_port(services(SIMULATED)["prometheus"])
    assert source["url"] == f"http://prometheus:{port}"
    assert source["uid"] == "prometheus"
    assert source["jsonData"]["timeInterval"] == PROMETHEUS["global"]["scrape_interval"]


def test_grafana_finds_the_dashboards_where_they_are_mounted() -> None:
    (provider,) = yaml.safe_load(DASHBOARDS.read_text())["providers"]
    grafana = services(SIMULATED)["grafana"]
    inside = {target: source for source, target, _ in mounts(grafana)}
    assert provider["folder"] == "Amazon Bedrock"
    assert inside[provider["options"]["path"]] == "./grafana/dashboards"
    home = Path(grafana["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"])
    assert (ROOT / inside[str(home.parent)] / home.name).is_file()


@pytest.mark.parametrize("name", ["prometheus", "alertmanager"])
def test_a_configuration_file_is_below_its_mount(name: str) -> None:
    service = services(SIMULATED)[name]
    file = Path(flags(service)["config.file"])
    inside = {target: source for source, target, _ in mounts(service)}
    assert (ROOT / inside[str(file.parent)] / file.name).is_file()


@pytest.mark.parametrize("names", [("prometheus",), ("alertmanager", "prometheus-alertmanager")])
def test_the_flags_of_a_program_are_known_until_it(names: tuple[str, ...]) -> None:
    program = next(filter(None, map(find_program, names)), None)
    if program is None:
        pytest.skip(f"{names[0]} is missing; `make test` fetches it on Debian and Ubuntu")
    listing = subprocess.run(
        [program, "--help"], capture_output=True, text=True, cwd=ROOT, check=False
    )
    known = set(re.findall(r"--([\w.-]+)", listing.stdout + listing.stderr))
    assert set(flags(services(SIMULATED)[names[0]])) - known == set()
