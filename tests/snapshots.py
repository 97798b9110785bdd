"""Snapshots of small ledgers: usage written down by hand, the real ledger, the real builder."""

from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

from assistant_builders import prompt_batch
from exporter.assistant_usage import Prompt
from exporter.config import Config
from exporter.ledger import NewPrompts, WritableLedger
from exporter.metrics import Value
from exporter.snapshot import Snapshot, SnapshotBuilder
from exporter.snapshot.counters import Counters
from exporter.status import AwsSpend, SourceStatus
from exporter.usage import Batch, Fact, LogObject, Usage, slot_of
from exporter.usage import Counts as Counted

ACCOUNT, REGION = "111122223333", "us-east-1"
SONNET = "anthropic.claude-3-7-sonnet-20250219-v1:0"
"""$3 and $15 for a million tokens, read from the cache $0.30, written to it $3.75, in hours $6."""
HAIKU = "anthropic.claude-3-haiku-20240307-v1:0"
"""$0.25 and $1.25 for a million tokens."""
UNKNOWN_MODEL = "anthropic.claude-sonnet-9-20280101-v1:0"

NO_SPEND = AwsSpend({}, Decimal(1))


def utc(text: str) -> datetime:
    """Return a moment written as 2026-11-20T12:00."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def used(
    time: datetime,
    user: str = "alice",
    *,
    application: str = "Shop",
    principal: str | None = None,
    model: str = SONNET,
    account: str = ACCOUNT,
    region: str = REGION,
    tier: str = "standard",
    context_from: int = 0,
    outcome: str = "ok",
    metadata: tuple[tuple[str, str], ...] = (),
    requests: int = 1,
    **tokens: int,
) -> Usage:
    """Return the usage of calls by one caller in one slot; `tokens` are named as in Counts."""
    role = f"arn:aws:sts::{account}:assumed-role/{application}-BedrockRole/{user}"
    fact = Fact(
        account_id=account,
        region=region,
        inference_region="",
        principal=role if principal is None else principal,
        model_id=model,
        context_from=context_from,
        service_tier=tier,
        outcome=outcome,
        metadata=metadata,
    )
    return Usage(slot_of(time), fact, Counted(requests, **tokens))


def config(**sections: Any) -> Config:
    """Return a configuration with the given sections of config.yaml."""
    sources = [{"type": "invocation_logs", "name": "logs", "location": "logs"}]
    return Config.model_validate({"sources": sources, **sections})


class Exporter:
    """A ledger and what is built of it, at moments of the test's choosing.

    The ledger is closed when the test ends, or by whoever shares this between tests.
    """

    opened: ClassVar[list[WritableLedger]] = []

    def __init__(self, folder: Path, **sections: Any) -> None:
        self.ledger = WritableLedger.open(folder / "ledger.sqlite")
        self.opened.append(self.ledger)
        self.counters = Counters(config(**sections).metrics.counter_birth)
        self._objects = 0
        self.configure(**sections)

    def configure(self, **sections: Any) -> None:
        """Go on under another configuration, as a reload does."""
        self.builder = SnapshotBuilder(config(**sections), self.ledger, self.counters)

    def fill(self, *usage: Usage, newest: datetime | None = None) -> list[Usage]:
        """Take usage as a first fill does: into the ledger, but not into counters."""
        self._objects += 1
        unit = LogObject(ACCOUNT, REGION, self._objects, "object")
        timestamp = int(newest.timestamp()) if newest else 0
        return self.ledger.apply([Batch("logs", unit, usage, newest=timestamp)])

    def take(self, *usage: Usage) -> None:
        """Take usage as a refresh does: into the ledger and into counters."""
        self.builder.count(self.fill(*usage))

    def fill_prompts(self, *prompts: Prompt) -> NewPrompts:
        """Take prompts as a first fill does."""
        return self.ledger.apply_prompts([prompt_batch(*prompts)])

    def take_prompts(self, *prompts: Prompt) -> None:
        """Take prompts as a refresh does."""
        self.builder.count_prompts(self.fill_prompts(*prompts))

    def build(self, now: datetime, sources: Iterable[SourceStatus] = ()) -> Snapshot:
        """Build a snapshot and remember its users, as a refresh does."""
        snapshot = self.peek(now, sources)
        self.ledger.remember_exposed_users(snapshot.month, snapshot.exposed_users)
        return snapshot

    def peek(self, now: datetime, sources: Iterable[SourceStatus] = ()) -> Snapshot:
        """Build a snapshot that exposes nobody for the rest of the month."""
        return self.builder.build(now, list(sources), NO_SPEND)


def samples(snapshot: Snapshot, name: str, **labels: str) -> dict[tuple[str, ...], Value]:
    """Return the samples of a metric that bear these labels, by the values of the others."""
    found: dict[tuple[str, ...], Value] = {}
    for family in snapshot.families:
        if family.metric.name == name:
            for values, value in family.samples.items():
                named = dict(zip(family.labels, values, strict=True))
                if all(named.get(label) == wanted for label, wanted in labels.items()):
                    rest = tuple(named[label] for label in named if label not in labels)
                    assert rest not in found
                    found[rest] = value
    return found


def value(snapshot: Snapshot, name: str, **labels: str) -> Value | None:
    """Return the value of the one series of a metric with these labels; None where none is."""
    found = samples(snapshot, name, **labels)
    assert len(found) < 2, found
    return next(iter(found.values()), None)


def total(snapshot: Snapshot, name: str, **labels: str) -> Value:
    """Return the sum of a metric's series with these labels."""
    values = samples(snapshot, name, **labels).values()
    return sum(values, Decimal(0) if "usd" in name else 0)


def series_count(snapshot: Snapshot) -> int:
    """Return how many samples a snapshot exposes."""
    return sum(len(family.samples) for family in snapshot.families)
