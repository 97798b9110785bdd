"""Makes harmless what a strict JSON parser refuses in text that is JSON otherwise.

Bad UTF-8, lone surrogates, control characters, NaN and deep nesting come out of prompts, which
nobody looks at; a call must not go uncounted for them. Works on bytes, in memory of a few times the
text. A line break inside a string stays an error: a record was torn there, and what follows belongs
to another one.
"""

import re

MAX_DEPTH = 64
"""Far below the depth that parsers refuse, far above what is looked at in a record."""

_CONTROL_CHARACTERS = bytes(code for code in range(32) if code != ord("\n"))
_TO_SPACES = bytes.maketrans(_CONTROL_CHARACTERS, b" " * len(_CONTROL_CHARACTERS))
_HIGH = rb"\\u[dD][89abAB][0-9a-fA-F]{2}"
_LOW = rb"\\u[dD][c-fC-F][0-9a-fA-F]{2}"
_ESCAPE = re.compile(_HIGH + _LOW + rb"|(" + _HIGH + rb"|" + _LOW + rb")|\\.", re.DOTALL)
_REPLACEMENT_CHARACTER = rb"\ufffd"
_NOT_A_NUMBER = re.compile(rb"(?<=[:\[,\s])-?(?:NaN|Infinity)(?=\s*[,}\]])")
_IMPOSSIBLE_COUNT = b"-1"
_STRUCTURE = re.compile(rb'\\.|["{}\[\]]', re.DOTALL)


def repaired(text: bytes) -> bytes:
    """Return JSON text in which a strict parser finds nothing of the above.

    A number that is none becomes one that no count can be, so that it is not taken for an absent
    one. Text that is no JSON for other reasons stays so.
    """
    text = text.decode("utf-8", "replace").encode().translate(_TO_SPACES)
    text = _ESCAPE.sub(lambda escape: _REPLACEMENT_CHARACTER if escape[1] else escape[0], text)
    return _shallow(_NOT_A_NUMBER.sub(_IMPOSSIBLE_COUNT, text))


def _shallow(text: bytes) -> bytes:
    """Empty the arrays and objects that are nested deeper than MAX_DEPTH."""
    kept = []
    start = depth = 0
    in_string = False
    for match in _STRUCTURE.finditer(text):
        token = match[0]
        if token == b'"':
            in_string = not in_string
        elif in_string or token.startswith(b"\\"):
            continue
        elif token in b"{[":
            depth += 1
            if depth == MAX_DEPTH + 1:
                kept.append(text[start : match.end()])
        else:
            if depth == MAX_DEPTH + 1:
                start = match.start()
            depth -= 1
    if depth <= MAX_DEPTH:
        kept.append(text[start:])
    return b"".join(kept)
