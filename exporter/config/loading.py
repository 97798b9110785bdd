"""Loads config.yaml: environment variables, validation, sources expanded, paths made absolute."""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from exporter.config.aws import Aws
from exporter.config.clashes import clashes, limits_on_dropped_users
from exporter.config.expansion import Expanded, expand
from exporter.config.explain import explain
from exporter.config.schema import Config, Limit
from exporter.config.sources import Source
from exporter.config.yaml_file import ConfigError, read_yaml

_SOURCE: TypeAdapter[Source] = TypeAdapter(Source)
_VARIABLE = re.compile(r"\$(\$|\{(\w+)\})")


def load(path: Path, environ: Mapping[str, str] = os.environ) -> Config:
    """Read and validate a configuration file.

    Raises ConfigError with every mistake found, each line beginning with the file's path.
    """
    unset: list[tuple[str, str]] = []
    try:
        document = _substitute(read_yaml(path), "", environ, unset)
    except RecursionError:
        raise ConfigError([f"{path}: an alias refers to what it stands in"]) from None
    problems = [f"{place}: environment variable {name} is not set" for place, name in unset]
    config, mistakes = _validate(document)
    unknown = {place for place, _ in unset}
    problems += [
        f"{place}: {text}" if place else text for place, text in mistakes if place not in unknown
    ]
    folder = path.parent.resolve()
    aws = _aws(document)
    problems += _check_names(document, aws)
    sources: list[Expanded] = []
    for index, source in _readable_sources(document, aws):
        try:
            sources += expand(index, source, aws or Aws())
        except ValueError as error:
            problems.append(f"sources[{index}].{error}")
    problems += clashes(sources, lambda location: _resolve(location, folder))
    if _drops_users(document):
        problems += limits_on_dropped_users(_readable_limits(document))
    if config is None or problems:
        raise ConfigError([f"{path}: {problem}" for problem in problems])
    return _resolve_paths(config, sources, folder)


def _validate(document: object) -> tuple[Config | None, list[tuple[str, str]]]:
    """Return what a document says, or the place of each mistake and what is wrong there."""
    try:
        return Config.model_validate({} if document is None else document), []
    except ValidationError as error:
        return None, [explain(detail) for detail in error.errors(include_url=False)]


def _substitute(
    value: object, place: str, environ: Mapping[str, str], unset: list[tuple[str, str]]
) -> object:
    """Replace ${NAME} in every string value; $$ stands for one dollar sign.

    Adds the place and name of each variable that is not set to `unset`.
    """
    if isinstance(value, dict):
        return {
            key: _substitute(item, f"{place}.{key}" if place else str(key), environ, unset)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [
            _substitute(item, f"{place}[{index}]", environ, unset)
            for index, item in enumerate(value)
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


def _check_names(document: object, aws: Aws | None) -> Iterator[str]:
    """Find names given twice, as far as the file can be read at all."""
    sources, limits = (_mappings(document, section) for section in ("sources", "limits"))
    yield from _check_unique(
        "sources", [(index, item.get("name", item.get("type"))) for index, item in sources]
    )
    yield from _check_unique("limits", [(index, item.get("name")) for index, item in limits])
    accounts = aws.accounts if aws else ()
    yield from _check_unique("aws.accounts", [(i, item.name) for i, item in enumerate(accounts)])


def _aws(document: object) -> Aws | None:
    """Return the section `aws`; None where it has mistakes, which are explained with all others."""
    try:
        return Aws.model_validate(document.get("aws", {}) if isinstance(document, dict) else {})
    except ValidationError:
        return None


def _readable_sources(document: object, aws: Aws | None) -> Iterator[tuple[int, Source]]:
    """Yield the sources that have no mistake in themselves, nor in the accounts they need."""
    for index, item in _mappings(document, "sources"):
        with suppress(ValidationError):
            source = _SOURCE.validate_python(item)
            if aws is not None or (source.location and source.account is None):
                yield index, source


def _readable_limits(document: object) -> Iterator[tuple[int, Limit]]:
    """Yield the limits that have no mistake in themselves."""
    for index, item in _mappings(document, "limits"):
        with suppress(ValidationError):
            yield index, Limit.model_validate(item)


def _drops_users(document: object) -> bool:
    privacy = document.get("privacy") if isinstance(document, dict) else None
    return isinstance(privacy, dict) and privacy.get("users") == "drop"


def _mappings(document: object, section: str) -> list[tuple[int, dict[str, Any]]]:
    items = document.get(section) if isinstance(document, dict) else None
    if not isinstance(items, list):
        return []
    return [(index, item) for index, item in enumerate(items) if isinstance(item, dict)]


def _check_unique(section: str, names: Sequence[tuple[int, object]]) -> Iterator[str]:
    seen: dict[str, int] = {}
    for index, name in names:
        if isinstance(name, str):
            first = seen.setdefault(name, index)
            if first != index:
                yield f"{section}[{index}].name: {name!r} is taken by {section}[{first}]"


def _resolve(location: str, folder: Path) -> str:
    if location.startswith("s3:"):
        return location
    return str((folder / Path(location).expanduser()).resolve())


def _resolve_paths(config: Config, sources: list[Expanded], folder: Path) -> Config:
    resolved = tuple(
        item.source.model_copy(update={"location": _resolve(item.source.location, folder)})
        for item in sources
    )
    ledger = (folder / config.ledger.expanduser()).resolve()
    return config.model_copy(update={"sources": resolved, "ledger": ledger})
