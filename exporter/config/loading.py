"""Loads config.yaml: environment variables, validation, paths, and what must not stand twice."""

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from exporter.config.explain import explain
from exporter.config.schema import Config
from exporter.config.yaml_file import ConfigError, read_yaml

_VARIABLE = re.compile(r"\$(\$|\{(\w+)\})")


def load(path: Path, environ: Mapping[str, str] = os.environ) -> Config:
    """Read and validate a configuration file.

    Raises ConfigError with every mistake found, each line beginning with the file's path.
    """
    unset: list[tuple[str, str]] = []
    try:
        document = _expand(read_yaml(path), "", environ, unset)
    except RecursionError:
        raise ConfigError([f"{path}: an alias refers to what it stands in"]) from None
    problems = [f"{place}: environment variable {name} is not set" for place, name in unset]
    config = None
    try:
        config = Config.model_validate({} if document is None else document)
    except ValidationError as error:
        missing = {place for place, _ in unset}
        found = [explain(detail) for detail in error.errors(include_url=False)]
        problems += [
            f"{place}: {text}" if place else text for place, text in found if place not in missing
        ]
    folder = path.parent.resolve()
    problems += _cross_check(document, folder)
    if config is None or problems:
        raise ConfigError([f"{path}: {problem}" for problem in problems])
    return _resolve_paths(config, folder)


def _expand(
    value: object, place: str, environ: Mapping[str, str], unset: list[tuple[str, str]]
) -> object:
    """Replace ${NAME} in every string value; $$ stands for one dollar sign.

    Adds the place and name of each variable that is not set to `unset`.
    """
    if isinstance(value, dict):
        return {
            key: _expand(item, f"{place}.{key}" if place else str(key), environ, unset)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [
            _expand(item, f"{place}[{index}]", environ, unset) for index, item in enumerate(value)
        ]
    if not isinstance(value, str):
        return value

    def substitute(match: re.Match[str]) -> str:
        name = match[2]
        if name is None:
            return "$"
        if name not in environ:
            unset.append((place, name))
        return environ.get(name, "")

    return _VARIABLE.sub(substitute, value)


def _cross_check(document: object, folder: Path) -> Iterator[str]:
    """Find names given twice and logs read twice, as far as the file can be read at all."""
    sources, limits = (_mappings(document, section) for section in ("sources", "limits"))
    yield from _check_unique(
        "sources", [(index, item.get("name", item.get("type"))) for index, item in sources]
    )
    yield from _check_unique("limits", [(index, item.get("name")) for index, item in limits])
    locations = [
        (index, item["location"])
        for index, item in sources
        if isinstance(item.get("location"), str) and item["location"]
    ]
    for position, (index, location) in enumerate(locations):
        for other_index, other in locations[:position]:
            if _overlap(_resolve(location, folder), _resolve(other, folder)):
                yield (
                    f"sources[{index}].location: {location!r} overlaps that of "
                    f"sources[{other_index}]; each log may be read by one source only"
                )


def _mappings(document: object, section: str) -> list[tuple[int, dict[str, Any]]]:
    items = document.get(section) if isinstance(document, dict) else None
    if not isinstance(items, list):
        return []
    return [(index, item) for index, item in enumerate(items) if isinstance(item, dict)]


def _check_unique(section: str, names: list[tuple[int, object]]) -> Iterator[str]:
    seen: dict[str, int] = {}
    for index, name in names:
        if isinstance(name, str):
            first = seen.setdefault(name, index)
            if first != index:
                yield f"{section}[{index}].name: {name!r} is taken by {section}[{first}]"


def _overlap(one: str, other: str) -> bool:
    one, other = (location.rstrip("/") + "/" for location in (one, other))
    return one.startswith(other) or other.startswith(one)


def _resolve(location: str, folder: Path) -> str:
    if location.startswith("s3:"):
        return location
    return str((folder / Path(location).expanduser()).resolve())


def _resolve_paths(config: Config, folder: Path) -> Config:
    sources = tuple(
        source.model_copy(update={"location": _resolve(source.location, folder)})
        for source in config.sources
    )
    ledger = (folder / config.ledger.expanduser()).resolve()
    return config.model_copy(update={"sources": sources, "ledger": ledger})
