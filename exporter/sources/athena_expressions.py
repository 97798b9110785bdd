"""The smallest pieces of Athena SQL: literals, and what JSON says at a place.

Everything that comes from outside gets into a query through `quoted` and `identifier`, and through
nothing else.
"""

import re
import unicodedata
from collections.abc import Iterable

_IDENTIFIER = re.compile(r"[a-z0-9_]{1,128}")
_REFUSED = frozenset({"Cc", "Cs"})
"""Unicode categories: control characters, and surrogates, which no UTF-8 can hold."""

STRING = "'\"'"
"""What JSON text begins with that is a string."""
OBJECT = "'{'"
ARRAY = "'['"


def quoted(text: str) -> str:
    """Return text as a literal. Raises ValueError where it holds a control character."""
    if any(unicodedata.category(character) in _REFUSED for character in text):
        raise ValueError(f"{text!r} holds a control character, which no query may name")
    return "'" + text.replace("'", "''") + "'"


def identifier(name: str) -> str:
    """Return a database's or table's name as SQL has it. Raises ValueError where it is none."""
    if not _IDENTIFIER.fullmatch(name):
        raise ValueError(f"{name!r} is no name of small letters, digits and '_'")
    return f'"{name}"'


def listed(values: Iterable[str]) -> str:
    """Return literals as they stand in parentheses after IN."""
    return ", ".join(map(quoted, values))


def field_path(key: str) -> str:
    """Return the JSON path of a field, whatever its name."""
    escaped = key.replace("\\", "\\\\").replace('"', '\\"')
    return f'$["{escaped}"]'


def json_at(source: str, path: str) -> str:
    """Return the JSON text at a path of JSON text; NULL where there is nothing."""
    return f"json_format(json_extract({source}, {quoted(path)}))"


def string_in(json: str) -> str:
    """Return what a JSON string says; NULL for JSON of any other kind."""
    return f"IF(starts_with({json}, {STRING}), json_extract_scalar({json}, '$'))"


def array_in(json: str) -> str:
    """Return the elements of a JSON array, each as JSON text; NULL where it is none."""
    elements = f"CAST(json_parse({json}) AS ARRAY(JSON))"
    return f"IF(starts_with({json}, {ARRAY}), TRY(transform({elements}, e -> json_format(e))))"


def let(name: str, value: str, expression: str) -> str:
    """Return an expression in which a name stands for a value that is worked out once."""
    return f"element_at(transform(ARRAY[{value}], {name} -> {expression}), 1)"


def array_of(elements: Iterable[str]) -> str:
    """Return an array of expressions."""
    return f"ARRAY[{', '.join(elements)}]"
