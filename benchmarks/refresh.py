"""A refresh with nothing new: what a ledger of twelve months costs against one of one month."""

import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from exporter import exposition
from exporter.config import Config
from exporter.ledger import WritableLedger
from exporter.snapshot import SnapshotBuilder
from exporter.snapshot.counters import Counters
from exporter.status import AwsSpend
from exporter.usage import Batch, Counts, Fact, LogObject, Usage, slot_of

_FACTS = 500
_SLOTS_A_DAY = 12
_ROUNDS = 7


def run() -> None:
    """Print the time of a refresh for both ledgers."""
    print(f"\nRefresh with nothing new, {_FACTS} label sets in {_SLOTS_A_DAY} slots of each day")
    with TemporaryDirectory() as name:
        builders = {months: _builder(Path(name), months) for months in (1, 12)}
        seconds: dict[int, list[float]] = {months: [] for months in builders}
        for _ in range(_ROUNDS):
            for months, (builder, now) in builders.items():
                started = time.perf_counter()
                _refresh(builder, now)
                seconds[months].append(time.perf_counter() - started)
    one, twelve = (median(values) for values in seconds.values())
    print(f"  1 month  {one * 1e3:8.1f} ms")
    print(f"  12 months{twelve * 1e3:8.1f} ms  {twelve / one:.2f}x")


def _refresh(builder: SnapshotBuilder, now: datetime) -> None:
    snapshot = builder.build(now, [], AwsSpend({}, Decimal(1)))
    exposition.expose(snapshot.families)


def _builder(folder: Path, months: int) -> tuple[SnapshotBuilder, datetime]:
    """Return a builder over so many months of usage, after its first snapshot."""
    now = datetime(2026, 11, 28, 18, tzinfo=UTC)
    ledger = WritableLedger.open(folder / f"{months}.sqlite")
    for day in range(months * 30):
        slots = [slot_of(now - timedelta(days=day, hours=hour)) for hour in range(_SLOTS_A_DAY)]
        usage = tuple(
            Usage(slot, _fact(number), Counts(3, 1000 + number, 200, 500))
            for slot in slots
            for number in range(_FACTS)
        )
        unit = LogObject("111122223333", "us-east-1", slots[0] // 4, f"day{day}")
        ledger.apply([Batch("benchmark", unit, usage)])
    settings = Config.model_validate(
        {"sources": [{"type": "invocation_logs", "location": str(folder)}]}
    )
    builder = SnapshotBuilder(settings, ledger, Counters(timedelta(minutes=2)))
    _refresh(builder, now)
    return builder, now


def _fact(number: int) -> Fact:
    return Fact(
        account_id="111122223333",
        region="us-east-1",
        inference_region="",
        principal=f"arn:aws:sts::111122223333:assumed-role/App{number % 9}-BedrockRole/u{number}",
        model_id="anthropic.claude-3-7-sonnet-20250219-v1:0",
        context_from=0,
        service_tier="standard",
        outcome="ok",
        metadata=(),
    )
