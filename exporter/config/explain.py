"""Validation errors in words: what is wrong, where, and what would be right."""

import difflib
import re
from collections.abc import Iterator
from typing import Any

from pydantic_core import ErrorDetails

from exporter.config.schema import Config
from exporter.config.section import Section

_SECRETS = re.compile(r"privacy\.key|aws\.accounts\[\d+\]\.external_id")


def explain(detail: ErrorDetails) -> tuple[str, str]:
    """Return the place of a mistake, empty for the whole file, and what is wrong there."""
    place, value, context = _place(detail["loc"]), detail["input"], detail.get("ctx", {})
    reason = f"{detail['msg'][:1].lower()}{detail['msg'][1:]}"
    match detail["type"]:
        case "extra_forbidden":
            problem = "unknown key" + _suggestion(detail["loc"])
        case "missing":
            problem = "is required"
        case "union_tag_invalid":
            place += ".type"
            problem = f"{context['tag']!r} is not one of {_listed(context['expected_tags'])}"
        case "union_tag_not_found":
            place, problem = f"{place}.type", "is required"
        case "literal_error" | "enum":
            problem = f"{value!r} is not one of {_listed(context['expected'])}"
        case "value_error":
            problem = str(context["error"])
        case "model_type" | "dict_type" | "model_attributes_type":
            problem = f"{value!r} is not a mapping of keys to values"
        case "tuple_type":
            problem = f"{value!r} is not a list"
        case "string_pattern_mismatch":
            problem = f"{value!r} is not a model or profile id"
        case _ if _SECRETS.fullmatch(place):
            problem = reason
        case _:
            problem = f"{value!r}: {reason}"
    return place, " ".join(problem.split())


def _listed(quoted: str) -> str:
    return re.sub(r"'| or ", lambda match: ", " if match[0] == " or " else "", quoted)


def _place(location: tuple[int | str, ...]) -> str:
    place = ""
    for position, part in enumerate(location):
        if isinstance(part, int):
            place += f"[{part}]"
        elif location[0] == "sources" and position == 2:
            continue  # the type of the source, by which pydantic chose what to hold it against
        elif part not in ("str", "[key]") and not part.startswith("tuple["):
            place += f".{part}" if place else part
    return place


def _suggestion(location: tuple[int | str, ...]) -> str:
    """Offer the known key that is nearest to the last part of a location."""
    section = _section(location)
    if section is None:
        return ""
    keys = [field.alias or name for name, field in section.model_fields.items()]
    near = difflib.get_close_matches(str(location[-1]), keys, 1)
    return f"; did you mean {near[0]!r}?" if near else f"; known keys: {', '.join(sorted(keys))}"


def _section(location: tuple[int | str, ...]) -> type[Section] | None:
    """Return the section that holds the last part of a location."""
    sections: list[type[Section]] = [Config]
    for part in location[:-1]:
        if isinstance(part, str):
            by_key = {key: found for section in sections for key, found in _below(section)}
            tagged = [section for section in sections if _type_of(section) == part]
            sections = tagged or by_key.get(part, sections)
    return sections[0] if sections else None


def _below(section: type[Section]) -> Iterator[tuple[str, list[type[Section]]]]:
    """Yield each key of a section, with the sections that may stand there."""
    for name, field in section.model_fields.items():
        yield field.alias or name, list(_sections(field.annotation))


def _type_of(section: type[Section]) -> str | None:
    """Return the value of `type` by which a source is told from others."""
    field = section.model_fields.get("type")
    return field.annotation.__args__[0] if field and field.annotation else None


def _sections(annotation: Any) -> Iterator[type[Section]]:
    if isinstance(annotation, type) and issubclass(annotation, Section):
        yield annotation
    for argument in getattr(annotation, "__args__", ()):
        yield from _sections(argument)
