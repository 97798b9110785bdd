"""What batches of developer assistants bring: into the ledger once, into counters if new."""

from datetime import timedelta
from pathlib import Path

import pytest
import structlog
from structlog.testing import capture_logs

from assistant_builders import activity, prompt, prompt_batch, report
from exporter import metrics
from exporter.assistant_usage import PromptBatch
from exporter.intake import Intake
from exporter.ledger import WritableLedger
from exporter.snapshot import SnapshotBuilder
from exporter.snapshot.counters import Counters
from exporter.sources.log_store import key_of
from exporter.usage import Progress
from snapshots import NO_SPEND, config, samples
from usage_builders import ACCOUNT, NOON, REGION

HERE = "logs (prompt_logs)"
LATER = timedelta(minutes=3)


class Exporter:
    """An intake, with what it fills."""

    def __init__(self, folder: Path) -> None:
        self.ledger = WritableLedger.open(folder / "ledger.sqlite")
        self.counters = Counters(timedelta(minutes=2))
        self.builder = SnapshotBuilder(config(), self.ledger, self.counters)
        log = structlog.get_logger("exporter")
        self.intake = Intake(self.ledger, self.builder, self.counters, log)
        self.now = NOON

    def fill(self, filled_to: timedelta = timedelta(0)) -> None:
        """Say how far the history of the one location is read."""
        progress = Progress(HERE, ACCOUNT, REGION, NOON, NOON + filled_to, NOON)
        self.ledger.record_progress(progress)

    def take(self, *batches: PromptBatch) -> None:
        self.intake.take("prompt_logs", HERE, batches)
        self.build()

    def build(self) -> None:
        self.now += LATER
        self.snapshot = self.builder.build(self.now, [], NO_SPEND)

    def counted(self) -> dict[tuple[str, ...], object]:
        self.build()
        return samples(self.snapshot, "qdeveloper_requests_total", account_id=ACCOUNT)


@pytest.fixture
def exporter(tmp_path):
    exporter = Exporter(tmp_path)
    yield exporter
    exporter.ledger.close()


def test_prompts_are_counted_once_the_history_is_read(exporter):
    exporter.fill()
    exporter.take(prompt_batch(prompt(), prompt()))
    assert list(exporter.counted().values()) == [2]


def test_prompts_of_a_location_that_is_being_filled_are_not_counted(exporter):
    exporter.intake.end_first_fill(NOON)  # of Bedrock's logs, long ago
    exporter.fill(timedelta(hours=1))
    exporter.take(prompt_batch(prompt(), prompt()))
    assert list(exporter.counted().values()) == [0]
    assert sum(samples(exporter.snapshot, "qdeveloper_requests_today").values()) == 2


def test_a_new_region_of_a_location_that_was_filled_is_counted(exporter):
    exporter.intake.end_fill_of(HERE, NOON)
    exporter.fill(timedelta(hours=1))
    exporter.take(prompt_batch(prompt(), prompt()))
    assert list(exporter.counted().values()) == [2]


def test_a_batch_delivered_twice_is_counted_once(exporter):
    exporter.fill()
    batch = prompt_batch(prompt())
    exporter.take(batch, batch)
    exporter.take(batch)
    assert list(exporter.counted().values()) == [1]


def test_objects_records_and_bytes_are_counted_as_read(exporter):
    exporter.take(prompt_batch(prompt(), prompt()), prompt_batch(prompt()))
    total = exporter.counters.total
    assert total(metrics.LOG_OBJECTS, "prompt_logs") == 2
    assert total(metrics.LOG_RECORDS, "prompt_logs") == 3
    assert total(metrics.LOG_BYTES, "prompt_logs") == 2000


def test_what_is_rejected_and_what_is_skipped_are_counted_apart(exporter):
    unit = prompt_batch(prompt()).unit
    batch = PromptBatch(
        "prompt_logs", unit, rejected={"malformed_json": 2}, skipped={"router_turn": 3}
    )
    with capture_logs() as lines:
        exporter.take(batch)
    total = exporter.counters.total
    assert total(metrics.REJECTED_RECORDS, "prompt_logs", "malformed_json") == 2
    assert total(metrics.SKIPPED_RECORDS, "prompt_logs", "router_turn") == 3
    (line,) = lines
    assert (line["event"], line["reason"], line["count"]) == (
        "input was rejected",
        "malformed_json",
        2,
    )
    assert line["object"] == key_of(unit)
    assert f"/{unit.region}/" in line["object"]


def test_parts_of_a_report_that_disagree_are_counted(exporter):
    parts = [report(activity(chat_messages_sent=n), part=f"_part_{n}") for n in (1, 2)]
    exporter.intake.take("activity_reports", "logs (activity_reports)", parts)
    total = exporter.counters.total
    assert total(metrics.REJECTED_RECORDS, "activity_reports", "conflicting_row") == 1
    assert total(metrics.LOG_OBJECTS, "activity_reports") == 2
