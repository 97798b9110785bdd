"""What docker-compose.yml and its companions say together, as Docker Compose would understand it.

Only what these files use: mappings are joined, lists follow one another, ${NAME:-default} is its
default.
"""

import re
from collections.abc import Mapping
from typing import Any

import yaml

from dockerfile import health_check
from tools import ROOT

FILES = ("docker-compose.yml", "docker-compose.override.yml", "docker-compose.aws.yml")
SIMULATED = FILES[:2]
AWS = (FILES[0], FILES[2])

VARIABLE = re.compile(r"\$\{(\w+)(?::-([^}]*))?\}")

Service = Mapping[str, Any]


def read(file: str) -> dict[str, Any]:
    """One file as it stands."""
    document = yaml.safe_load((ROOT / file).read_text(encoding="utf-8"))
    assert isinstance(document, dict)
    return document


def project(files: tuple[str, ...]) -> dict[str, Any]:
    """The files of a mode joined, with the defaults of their variables."""
    joined: dict[str, Any] = {}
    for file in files:
        joined = _join(joined, read(file))
    filled = _fill(joined)
    assert isinstance(filled, dict)
    return filled


def services(files: tuple[str, ...]) -> dict[str, Service]:
    """The services of a mode by name."""
    found = project(files)["services"]
    assert isinstance(found, dict)
    return found


def mounts(service: Service) -> list[tuple[str, str, bool]]:
    """Source, target and whether it is read-only, of every mount of a service."""
    found = []
    for volume in service.get("volumes", []):
        if isinstance(volume, str):
            source, target, *mode = volume.split(":")
            found.append((source, target, mode == ["ro"]))
        else:
            found.append((volume["source"], volume["target"], volume.get("read_only", False)))
    return found


def is_one_shot(service: Service) -> bool:
    """Whether a service ends by itself."""
    return service["restart"] == "no"


def flags(service: Service) -> dict[str, str]:
    """The flags of a command such as Prometheus', by name."""
    return dict(argument.lstrip("-").split("=", 1) for argument in service["command"])


def listening_port(service: Service) -> str:
    """The port on which the command of a service listens; Grafana's is its default."""
    text = " ".join(service["command"]) if "command" in service else ""
    match = re.search(r"--web\.listen-address=:(\d+)", text)
    return match[1] if match else "3000"


def health_test(name: str, service: Service) -> list[str]:
    """The command that checks a service's health; the exporter's is in its image."""
    if name == "exporter":
        return health_check()
    test = service["healthcheck"]["test"]
    assert test[0] == "CMD"
    return list(test[1:])


def _join(first: Any, second: Any) -> Any:
    if isinstance(first, dict) and isinstance(second, dict):
        keys = [*first, *(key for key in second if key not in first)]
        return {key: _join(first.get(key), second.get(key)) for key in keys}
    if isinstance(first, list) and isinstance(second, list):
        return [*first, *second]
    return first if second is None else second


def _fill(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _fill(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_fill(item) for item in value]
    if isinstance(value, str):
        return VARIABLE.sub(lambda match: match[2] or "", value)
    return value
