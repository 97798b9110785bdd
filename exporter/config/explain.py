"""Validation errors in words: what is wrong, where, and what would be right."""

import difflib
import re
from collections.abc import Iterator
from typing import Any

from pydantic_core import ErrorDetails

from exporter.config.schema import Config, Section

_SECRETS = frozenset({"privacy.key"})


def explain(detail: ErrorDetails) -> tuple[str, str]:
    """Return the place of a mistake, empty for the whole file, and what is wrong there."""
    place, value, context = _place(detail["loc"]), detail["input"], detail.get("ctx", {})
    reason = f"{detail['msg'][:1].lower()}{detail['msg'][1:]}"
    match detail["type"]:
        case "extra_forbidden":
            problem = "unknown key" + _suggestion(detail["loc"])
        case "missing":
            problem = "is required"
        case "literal_error" | "enum":
            allowed = re.sub(
                r"'| or ", lambda m: ", " if m[0] == " or " else "", context["expected"]
            )
            problem = f"{value!r} is not one of {allowed}"
        case "value_error":
            problem = str(context["error"])
        case "model_type" | "dict_type" | "model_attributes_type":
            problem = f"{value!r} is not a mapping of keys to values"
        case "tuple_type":
            problem = f"{value!r} is not a list"
        case "string_pattern_mismatch":
            problem = f"{value!r} is not a model or profile id"
        case _ if place in _SECRETS:
            problem = reason
        case _:
            problem = f"{value!r}: {reason}"
    return place, " ".join(problem.split())


def _place(location: tuple[int | str, ...]) -> str:
    place = ""
    for part in location:
        if isinstance(part, int):
            place += f"[{part}]"
        elif part not in ("str", "[key]") and not part.startswith("tuple["):
            place += f".{part}" if place else part
    return place


def _suggestion(location: tuple[int | str, ...]) -> str:
    """Offer the known key that is nearest to the last part of a location."""
    section: Any = Config
    for part in location[:-1]:
        if isinstance(part, str) and hasattr(section, "model_fields"):
            names = {field.alias or name: field for name, field in section.model_fields.items()}
            if part in names:
                section = next(_sections(names[part].annotation), None)
    if section is None:
        return ""
    keys = [field.alias or name for name, field in section.model_fields.items()]
    near = difflib.get_close_matches(str(location[-1]), keys, 1)
    return f"; did you mean {near[0]!r}?" if near else f"; known keys: {', '.join(sorted(keys))}"


def _sections(annotation: Any) -> Iterator[type[Section]]:
    if isinstance(annotation, type) and issubclass(annotation, Section):
        yield annotation
    for argument in getattr(annotation, "__args__", ()):
        yield from _sections(argument)
