"""What a source says while it reads: batches, how far it got, and what went wrong."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import NamedTuple

from exporter.assistant_usage import PromptBatch, ReportBatch
from exporter.usage import AthenaScan, AwsRequest, Batch, LookedUp, Progress, QueryBatch


class Times(NamedTuple):
    """The moments that one refresh goes by, UTC."""

    now: datetime
    fill_from: datetime
    """How far back a first fill goes."""
    keep_from: datetime
    """What is older is not kept."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that could not be read this time and is tried again at the next refresh."""

    reason: str
    text: str
    is_outage: bool = True
    """Whether the source is down for it: not so for an object that vanished."""


@dataclass(frozen=True, slots=True)
class Backlog:
    """How many log objects are listed and not yet read."""

    objects: int


@dataclass(frozen=True, slots=True)
class AwsRequests:
    """Requests made to AWS since the last such event."""

    counts: Counter[AwsRequest] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Finished:
    """The end of a refresh that was not cut off by an error."""

    is_complete: bool
    """Whether all that is known to exist was read."""
    history_read_to: date | None = None
    """UTC day back to which a first fill has come; None where none is under way."""


ObjectBatch = Batch | PromptBatch | ReportBatch
"""All that one log object held."""

Event = (
    ObjectBatch
    | QueryBatch
    | Progress
    | Fault
    | Backlog
    | AwsRequests
    | AthenaScan
    | LookedUp
    | Finished
)
