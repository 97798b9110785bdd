"""The vocabulary that every other module shares: what a log said, before any interpretation.

Nothing here knows of prices, limits, names of applications or time zones. Imports nothing of ours.
"""

from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Literal, NamedTuple

SLOT_SECONDS = 900
"""Length of a slot. The days of every time zone in use begin on a UTC quarter-hour."""

SLOTS_A_DAY = 86_400 // SLOT_SECONDS

OK = "ok"
"""Outcome of a call that succeeded; any other outcome is the record's errorCode."""

CONTEXT_BANDS = (0, 100_000, 128_000, 200_000, 256_000, 272_000, 512_000)
"""Lower bounds, in prompt tokens, of the bands at which public prices change.

A prompt is in the highest band that it exceeds: 200,000 tokens are still in the band of 128,000.
"""


Label = Literal["account_id", "region", "application", "user", "model"]
LABELS: tuple[Label, ...] = ("account_id", "region", "application", "user", "model")
"""The labels of Bedrock usage."""


class TokenKind(StrEnum):
    """The kinds of token; they never overlap, so their sum is the total."""

    INPUT = "input"
    OUTPUT = "output"
    CACHE_READ = "cache_read"
    CACHE_WRITE = "cache_write"
    CACHE_WRITE_1H = "cache_write_1h"


class ServiceTier(StrEnum):
    """How the call was served, where that changes its price; one call has one tier."""

    STANDARD = "standard"
    FLEX = "flex"
    PRIORITY = "priority"
    RESERVED = "reserved"
    BATCH = "batch"
    LATENCY_OPTIMIZED = "latency_optimized"


class Fact(NamedTuple):
    """Who called what, as the log said it, with all that decides the price of the call."""

    account_id: str
    region: str
    """Source region: where the call was made and is billed."""
    inference_region: str
    """Where the call was served; empty where the log does not say."""
    principal: str
    """ARN of the caller after folding and privacy; empty where the log names none."""
    model_id: str
    """As the caller gave it: a model id, a profile id or an ARN."""
    context_from: int
    """Lower bound of the prompt's context band, one of CONTEXT_BANDS."""
    service_tier: str
    """A ServiceTier, or a value of the log that is none yet."""
    outcome: str
    """OK or the errorCode."""
    metadata: tuple[tuple[str, str], ...]
    """The pairs of requestMetadata that the configuration names, sorted by key."""


class Counts(NamedTuple):
    """How much of it: calls and tokens. Cache writes by what the log said of their lifetime."""

    requests: int = 0
    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write_5m: int = 0
    cache_write_1h: int = 0
    cache_write_unsplit: int = 0
    """Cache writes whose lifetime the log did not state."""

    def plus(self, other: "Counts") -> "Counts":
        """Add field by field."""
        return Counts(*map(int.__add__, self, other))

    def minus(self, other: "Counts") -> "Counts":
        """Subtract field by field."""
        return Counts(*map(int.__sub__, self, other))


class Usage(NamedTuple):
    """What one fact amounted to in one slot."""

    slot: int
    fact: Fact
    counts: Counts


class Summed(NamedTuple):
    """What one fact amounted to in a period, and the first slot of it that it was seen in."""

    first_slot: int
    counts: Counts


class LogObject(NamedTuple):
    """A log object by what is unique about it wherever it lies: a folder, a bucket, a copy."""

    account_id: str
    region: str
    hour: int
    """UTC hour of its path, in hours since the epoch."""
    name: str

    def at_version(self, version: str) -> "LogObject":
        """Return the mark of one version of an object that may be written again; "" has none."""
        return self._replace(name=f"{self.name}\t{version}") if version else self


@dataclass(frozen=True, slots=True)
class Requests:
    """The single records behind a batch's usage, so that one delivered twice can be taken out.

    Parallel columns; `counts` holds len(Counts._fields) numbers a record. `slot` and `digest`
    identify a record; `usage` is the index of the usage that it was added to.
    """

    slot: "array[int]" = field(default_factory=lambda: array("q"))
    digest: "array[int]" = field(default_factory=lambda: array("q"))
    usage: "array[int]" = field(default_factory=lambda: array("q"))
    counts: "array[int]" = field(default_factory=lambda: array("q"))

    def __len__(self) -> int:
        return len(self.slot)


@dataclass(frozen=True, slots=True)
class Batch:
    """All that one log object held. Counts once, however often it is delivered."""

    source: str
    unit: LogObject
    usage: tuple[Usage, ...] = ()
    requests: Requests = field(default_factory=Requests)
    rejected: Mapping[str, int] = field(default_factory=dict)
    """Records that were not taken, by reason."""
    records: int = 0
    """Records taken, duplicates within the object included."""
    bytes: int = 0
    """Of JSON, after decompression."""
    newest: int = 0
    """Timestamp of the newest record, in seconds since the epoch; 0 where there is none."""


@dataclass(frozen=True, slots=True)
class QueryBatch:
    """What one query summed over many log objects. Counts once, however often it is delivered."""

    source: str
    units: tuple[LogObject, ...]
    """All that the query read, and nothing that was read before."""
    usage: tuple[Usage, ...] = ()
    rejected: Mapping[str, int] = field(default_factory=dict)
    records: int = 0
    bytes: int = 0
    newest: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """Timestamp of the newest record of each account and region, in seconds since the epoch."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far one location's logs of one account and region are read.

    All objects are read whose path hour lies between `filled_to` and the look-back before
    `listed_at`; later hours are listed again. History is read back to `fill_from`.
    """

    location: str
    account_id: str
    region: str
    listed_at: datetime
    filled_to: datetime
    fill_from: datetime

    @property
    def complete(self) -> bool:
        """Tell whether the history is read."""
        return self.filled_to <= self.fill_from


class AwsRequest(NamedTuple):
    """One kind of request to AWS: the service and its operation, as boto3 names them."""

    service: str
    operation: str


class AthenaScan(NamedTuple):
    """What queries of Athena scanned, in bytes."""

    source: str
    queries: int
    scanned_bytes: int
    billed_bytes: int
    """Each query is billed for a minimum."""


class LookedUp(NamedTuple):
    """What AWS said of a name that the logs leave open."""

    kind: str
    """inference_profile, profile_tags, role or identity_user."""
    key: str
    """The name, as the logs have it."""
    values: tuple[tuple[str, str], ...]
    """Sorted pairs; none where AWS knows nothing of it or does not tell."""
    at: datetime
    """When, in UTC."""


def slot_of(moment: datetime) -> int:
    """Return the slot that holds an aware moment."""
    return int(moment.timestamp()) // SLOT_SECONDS


def slot_start(slot: int) -> datetime:
    """Return the moment at which a slot begins, in UTC."""
    return datetime.fromtimestamp(slot * SLOT_SECONDS, UTC)


def context_band(prompt_tokens: int) -> int:
    """Return the lower bound of the band of a prompt of so many tokens, cached ones included."""
    if prompt_tokens <= CONTEXT_BANDS[1]:
        return CONTEXT_BANDS[0]
    return max(bound for bound in CONTEXT_BANDS if prompt_tokens > bound)
