"""What the prompt logs of a day hold, read from the folder again.

The reports of a day are counted from this, so that they tell of the same work as its prompt logs,
however many of those were live ones.
"""

import gzip
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from exporter.simulate.developers import ACCOUNT, Service
from exporter.simulate.layout import assistants_day
from exporter.simulate.prompt_records import CHAT_LOG, COMPLETION_LOG, DEV_LOG, ROUTER_ANSWERS
from exporter.simulate.prompts import Kind


class Asked(NamedTuple):
    """One record, as far as reports know of it."""

    user_id: str
    kind: Kind
    conversation: str
    """Its id, or else that of the request: it stands alone."""
    model_id: str
    """Of Kiro; `auto` where the record names none."""


def read_asked(folder: Path, service: Service, region: str, day: date) -> list[Asked]:
    """Return what was asked on a UTC day, router turns left out."""
    asked = [
        _asked(record)
        for log_type in (CHAT_LOG, COMPLETION_LOG, DEV_LOG)
        for path in _objects(folder / assistants_day(ACCOUNT, service, log_type, region, day))
        for record in msgspec.json.decode(_read(path))["records"]
    ]
    return [each for each in asked if each.kind is not Kind.ROUTER_TURN]


def _objects(day: Path) -> Iterator[Path]:
    for path in sorted(day.glob("*/*.json.gz")):
        yield from sorted(path.iterdir()) if path.is_dir() else (path,)


def _read(path: Path) -> bytes:
    content = path.read_bytes()
    return gzip.decompress(content) if path.suffix == ".gz" else content


def _asked(record: dict[str, Any]) -> Asked:
    request, response = _parts(record)
    metadata = response.get("messageMetadata") or {}
    return Asked(
        request["userId"].partition(".")[2],
        _kind(request, response),
        metadata.get("conversationId") or response["requestId"],
        request.get("modelId") or "auto",
    )


def _parts(record: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return request and response, whose names end so."""
    (_, request), (_, response) = sorted(record.items())
    return request, response


def _kind(request: dict[str, Any], response: dict[str, Any]) -> Kind:
    if "completions" in response:
        return Kind.COMPLETION
    if "assistantResponse" not in response:
        return Kind.DEV_TASK
    if response["assistantResponse"] in ROUTER_ANSWERS:
        return Kind.ROUTER_TURN
    return Kind.INLINE_CHAT if request["chatTriggerType"] == "INLINE_CHAT" else Kind.CHAT
