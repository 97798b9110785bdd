"""What history is asked for, as it is typed; every mistake is told with its flag."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from pydantic import TypeAdapter, ValidationError

from exporter.config.fields import Duration
from exporter.usage import SLOT_SECONDS

_SLOT = timedelta(seconds=SLOT_SECONDS)
_DAY = timedelta(days=1)
_LABEL_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_DURATION: TypeAdapter[timedelta] = TypeAdapter(Duration)


class BackfillError(Exception):
    """A history that cannot be had; the text says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Request:
    """What history is asked for."""

    first: date | None
    """First day; None for the first of last month."""
    last: date | None
    """Last day; None for today."""
    step: timedelta
    labels: Mapping[str, str]
    """Target labels: those that Prometheus gives to what it scrapes."""
    wait: timedelta
    """How long to wait for the exporter's first fill."""


def parse_request(
    first: str | None, last: str | None, step: str, labels: Iterable[str], wait: str
) -> Request:
    """Read a request from the values of its flags. Raises ValueError, naming the flag."""
    request = Request(
        first=_parse_date("--from", first),
        last=_parse_date("--to", last),
        step=_parse_duration("--step", step),
        labels=_parse_labels(labels),
        wait=_parse_duration("--wait", wait),
    )
    if request.first and request.last and request.first > request.last:
        raise ValueError(f"--from {request.first} comes after --to {request.last}")
    if not _SLOT <= request.step <= _DAY or request.step % _SLOT:
        raise ValueError(
            f"--step {step}: usage is kept by the quarter-hour; use a multiple of 15m, 1d at most"
        )
    return request


def _parse_date(flag: str, text: str | None) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{flag} {text}: not a date such as 2026-10-01") from None


def _parse_duration(flag: str, text: str) -> timedelta:
    try:
        return _DURATION.validate_python(text)
    except ValidationError as error:
        raise ValueError(f"{flag}: {error.errors()[0]['ctx']['error']}") from None


def _parse_labels(texts: Iterable[str]) -> dict[str, str]:
    labels: dict[str, str] = {}
    for text in texts:
        name, _, value = text.partition("=")
        if not value:
            raise ValueError(f"--label {text}: write NAME=VALUE, such as job=bedrock")
        if not _LABEL_NAME.fullmatch(name):
            raise ValueError(
                f"--label {text}: {name!r} is not a label name of letters, digits and _ that "
                "begins with no digit"
            )
        if name.startswith("__"):
            raise ValueError(f"--label {text}: names that begin with __ are Prometheus' own")
        if name in labels:
            raise ValueError(f"--label {text}: {name!r} is given twice")
        labels[name] = value
    return labels
