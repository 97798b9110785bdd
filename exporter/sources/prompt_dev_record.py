"""Records of /dev in prompt logs: StartTaskAssistCodeGeneration, whose shape AWS does not document.

What is known: only prompts are logged, no answers. So a record is looked through for the names that
the other kinds have, at any depth, and counts as one request. Where it names no prompt in a known
way, the request counts without tokens.
"""

import re
from collections.abc import Iterator
from typing import Any

import msgspec

from exporter.assistant_usage import RequestKind
from exporter.sources.json_repair import repaired
from exporter.sources.prompt_record import PromptRecord
from exporter.sources.rejection import Rejection

LOG_TYPE = "StartTaskAssistCodeGeneration"

_REQUEST = re.compile(f"{LOG_TYPE}.*Request", re.IGNORECASE)
_RESPONSE = re.compile(r".*Response", re.IGNORECASE)
_PROMPT = re.compile(
    r".*(?:prompt|message|content|query|input|instruction|task|(?<!con)text)", re.IGNORECASE
)
"""Keys of what a user writes: prompt, or userInputMessage and its content as the API has them."""

_decoder = msgspec.json.Decoder(dict[str, Any])


def find_dev_record(text: bytes, log_type: str) -> PromptRecord | Rejection:
    """Read the JSON object of a record that is of no other kind.

    It must have a request of /dev, or lie in the folder of that log type and name a user or prompt.
    """
    try:
        fields = _decoder.decode(repaired(text))
    except msgspec.ValidationError:
        return Rejection.INVALID_RECORD
    except msgspec.DecodeError:
        return Rejection.MALFORMED_JSON
    asked = {key: value for key, value in fields.items() if not _RESPONSE.fullmatch(key)}
    prompts = tuple(text for key, text in _strings(asked) if text and _PROMPT.fullmatch(key))
    user_id = _first(fields, "userid")
    is_named = any(_REQUEST.fullmatch(key) for key in fields)
    if not is_named and not (log_type == LOG_TYPE and (user_id or prompts)):
        return Rejection.UNKNOWN_PROMPT_RECORD
    return PromptRecord(
        RequestKind.DEV,
        timestamp=_first(fields, "timestamp"),
        user_id=user_id,
        conversation_id="",
        identity=_first(fields, "requestid").encode() or text,
        input=prompts,
        output=(),
    )


def _first(value: object, name: str) -> str:
    """Return the first text of a name in lower case, empty where there is none."""
    return next((text for key, text in _strings(value) if key.lower() == name), "")


def _strings(value: object) -> Iterator[tuple[str, str]]:
    """Yield every text in a JSON value with the key it stands under, in their order."""
    left: list[tuple[str, object]] = [("", value)]
    while left:
        key, value = left.pop()
        if isinstance(value, str):
            yield key, value
        elif isinstance(value, dict):
            left += reversed(value.items())
        elif isinstance(value, list):
            left += [(key, item) for item in reversed(value)]
