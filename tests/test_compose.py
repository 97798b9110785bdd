"""The Compose files keep to the specification, give nobody more than needed, and hide nothing."""

import json
import re
from itertools import pairwise

import pytest
from jsonschema import Draft7Validator

from compose_files import (
    AWS,
    FILES,
    SIMULATED,
    VARIABLE,
    health_test,
    is_one_shot,
    mounts,
    project,
    read,
    services,
)
from tools import ROOT

SCHEMA = ROOT / "tests/fixtures/compose-spec/compose-spec.json"
EVERY_MODE = pytest.mark.parametrize("mode", [SIMULATED, AWS], ids=["simulated", "aws"])


@pytest.mark.parametrize("file", FILES)
def test_a_file_keeps_to_the_compose_specification(file: str) -> None:
    validator = Draft7Validator(json.loads(SCHEMA.read_text(encoding="utf-8")))
    assert [error.message for error in validator.iter_errors(read(file))] == []


def test_the_schema_refuses_a_misspelt_key() -> None:
    validator = Draft7Validator(json.loads(SCHEMA.read_text(encoding="utf-8")))
    document = read("docker-compose.yml")
    document["services"]["grafana"]["read_olny"] = True
    assert [error.message for error in validator.iter_errors(document)] != []


@EVERY_MODE
def test_whatever_is_mounted_is_in_the_repository(mode: tuple[str, ...]) -> None:
    sources = {source for service in services(mode).values() for source, *_ in mounts(service)}
    named = set(project(mode)["volumes"])
    assert [source for source in sources - named - {"~/.aws"} if not (ROOT / source).exists()] == []


@EVERY_MODE
def test_every_volume_has_a_name_and_a_use(mode: tuple[str, ...]) -> None:
    sources = {source for service in services(mode).values() for source, *_ in mounts(service)}
    used = {source for source in sources if re.fullmatch(r"\w+", source)}
    assert used == set(project(mode)["volumes"])


@EVERY_MODE
def test_the_repository_is_mounted_for_reading_only(mode: tuple[str, ...]) -> None:
    writable = [
        source
        for service in services(mode).values()
        for source, _, read_only in mounts(service)
        if not read_only and source not in project(mode)["volumes"]
    ]
    assert writable == []


@EVERY_MODE
def test_every_image_is_of_one_version(mode: tuple[str, ...]) -> None:
    built = {service["image"] for service in services(mode).values() if "build" in service}
    pulled = {service["image"] for service in services(mode).values()} - built
    assert built == {"bedrock-exporter:local"}
    assert [image for image in pulled if not re.fullmatch(r"[\w/]+:v?\d+\.\d+\.\d+", image)] == []


@EVERY_MODE
def test_what_this_repository_builds_is_never_pulled(mode: tuple[str, ...]) -> None:
    built = [
        service for service in services(mode).values() if "bedrock-exporter" in service["image"]
    ]
    assert [
        service for service in built if "build" not in service and service["pull_policy"] != "never"
    ] == []


@EVERY_MODE
def test_no_service_may_more_than_it_needs(mode: tuple[str, ...]) -> None:
    for name, service in services(mode).items():
        user, _, group = service["user"].partition(":")
        assert int(user) > 0, name
        assert group.isdigit(), name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["read_only"] is True, name
        assert service["mem_limit"], name
        assert service["pids_limit"], name
        assert service["logging"]["options"]["max-size"], name
        assert "privileged" not in service, name


@EVERY_MODE
def test_every_service_has_a_health_check_or_ends(mode: tuple[str, ...]) -> None:
    for name, service in services(mode).items():
        if not is_one_shot(service):
            assert service["restart"] == "unless-stopped", name
            assert health_test(name, service), name


@EVERY_MODE
def test_nothing_waits_for_what_cannot_come(mode: tuple[str, ...]) -> None:
    found = services(mode)
    for service in found.values():
        for other, wanted in service.get("depends_on", {}).items():
            once = is_one_shot(found[other])
            expected = "service_completed_successfully" if once else "service_healthy"
            assert wanted["condition"] == expected, other


def test_the_past_is_loaded_before_prometheus_starts() -> None:
    found = services(SIMULATED)
    order = ["prometheus", "load-history", "write-history", "exporter", "logs"]
    for later, earlier in pairwise(order):
        assert earlier in found[later]["depends_on"]


@EVERY_MODE
def test_ports_are_open_to_this_machine_only(mode: tuple[str, ...]) -> None:
    published = [port for service in services(mode).values() for port in service.get("ports", [])]
    assert len(published) == 4
    assert [port for port in published if not port.startswith("127.0.0.1:")] == []


def test_only_grafana_can_be_opened_to_other_machines() -> None:
    for name, service in read("docker-compose.yml")["services"].items():
        for port in service.get("ports", []):
            expected = "${GRAFANA_ADDRESS:-127.0.0.1}:" if name == "grafana" else "127.0.0.1:"
            assert port.startswith(expected)


def test_no_password_and_no_key_is_written_in_a_file() -> None:
    for file in (*FILES, ".env.example"):
        text = (ROOT / file).read_text(encoding="utf-8")
        for name, value in re.findall(r"(\w*(?:PASSWORD|SECRET|TOKEN|KEY)\w*)[:=] *(\S*)", text):
            assert value in ("", f'"${{{name}:-}}"'), f"{file}: {name}"


def test_own_logs_start_no_simulation_and_meet_no_simulated_data() -> None:
    simulated, own = project(SIMULATED), project(AWS)
    assert "logs" in simulated["services"]
    assert not [each for each in own["services"].values() if "simulate" in each.get("command", [])]
    assert "logs" not in own["volumes"]
    assert [name for name, volume in own["volumes"].items() if not (volume or {}).get("name")] == []
    assert [volume for volume in simulated["volumes"].values() if volume] == []


def test_only_the_exporter_gets_credentials_and_only_for_own_logs() -> None:
    given = {
        name
        for mode in (SIMULATED, AWS)
        for name, service in services(mode).items()
        if "AWS_SECRET_ACCESS_KEY" in service.get("environment", ())
        or "~/.aws" in {source for source, *_ in mounts(service)}
    }
    assert given == {"exporter"}
    assert "environment" not in services(SIMULATED)["exporter"]


def test_every_variable_is_documented_with_its_default() -> None:
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    documented = dict(re.findall(r"(?m)^#(\w+)=(.*)$", text))
    used = {
        name: default
        for file in FILES
        for name, default in VARIABLE.findall((ROOT / file).read_text(encoding="utf-8"))
    }
    for name, default in used.items():
        assert documented[name] == default, name
    handed_over = read("docker-compose.aws.yml")["services"]["exporter"]["environment"]
    assert documented.keys() == used.keys() | set(handed_over) | {"COMPOSE_FILE"}
    assert tuple(documented["COMPOSE_FILE"].split(":")) == AWS


def test_the_guide_names_what_is_there() -> None:
    text = (ROOT / "docs/compose.md").read_text(encoding="utf-8")
    assert [name for name in project(SIMULATED)["volumes"] if f"| `{name}` |" not in text] == []
    images = {service["image"] for service in services(SIMULATED).values()}
    for product in ("Prometheus", "Alertmanager", "Grafana"):
        (image,) = [image for image in images if f"/{product.lower()}:" in image]
        version = image.partition(":")[2].lstrip("v").rpartition(".")[0]
        assert f"{product} {version}" in text
