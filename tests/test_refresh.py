"""The loop: what it takes, counts, shows and forgets, and that no source harms another."""

from collections import Counter
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import structlog
from structlog.testing import capture_logs

from exporter.ledger import LedgerError, WritableLedger
from exporter.metrics import Value
from exporter.refresh import Refresh
from exporter.snapshot import Snapshot
from exporter.sources.events import AwsRequests, Backlog, Event, Fault, Finished, Times
from exporter.sources.log_schedule import Known
from exporter.sources.log_store import StoreError
from exporter.usage import AwsRequest, Batch, Counts, Progress, slot_of
from usage_builders import ACCOUNT, MODEL, NOON, REGION, Call, batch, settings

DAY = timedelta(days=1)
SHOP = {"application": "Shop"}
DONE = Finished(is_complete=True)
CUT_SHORT = Finished(is_complete=False)

Step = Event | Exception | Callable[[Callable[[], bool]], None]


@dataclass
class Scripted:
    """A source that says, at each refresh, what a test put into its mouth."""

    name: str = "logs"
    location: str = "here"
    is_billed: bool = False
    has_history: bool = True
    lookback: timedelta = 2 * DAY
    duplicates_window: timedelta = 7 * DAY
    script: list[Step] = field(default_factory=lambda: [DONE])
    times: list[Times] = field(default_factory=list)

    def read(
        self, times: Times, known: Known, is_due: Callable[[], bool]
    ) -> Generator[Event, None, None]:
        self.times.append(times)
        for step in self.script:
            if isinstance(step, Exception):
                raise step
            if callable(step):
                step(is_due)
            else:
                yield step


class Exporter:
    """A refresh over a real ledger, with a clock that stands where a test puts it."""

    def __init__(self, folder: Path, *sources: Scripted, **changes: Any) -> None:
        self.now = NOON
        self.snapshots: list[Snapshot] = []
        self.is_stopping = self.is_interrupted = False
        self.settings = settings(folder, **changes)
        self.ledger = WritableLedger.open(self.settings.ledger)
        self.refresh = Refresh(
            self.settings,
            sources,
            self.ledger,
            publish=self.snapshots.append,
            clock=lambda: self.now,
            is_stopping=lambda: self.is_stopping,
            is_interrupted=lambda: self.is_interrupted,
            log=structlog.get_logger("exporter"),
        )

    def run(self, after: timedelta = timedelta(minutes=5)) -> bool:
        """Refresh, some time after the last."""
        self.now += after
        return self.refresh.run()

    def series(self, name: str, number: int = -1) -> dict[tuple[str, ...], Value]:
        """The samples of a metric in a snapshot, by the values of its labels."""
        families = self.snapshots[number].families
        return {
            values: value
            for family in families
            if family.metric.name == name
            for values, value in family.samples.items()
        }

    def sum(self, name: str, number: int = -1) -> Value:
        return sum(self.series(name, number).values())

    def of(self, source: str, metric: str, number: int = -1) -> Value | None:
        """One of the exporter's own metrics of a source."""
        return self.series(f"bedrock_exporter_source_{metric}", number).get((source,))

    def requests(self) -> int:
        """All requests that the ledger holds."""
        return sum(s.counts.requests for s in self.ledger.sum_usage(0, 2**40).values())


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Exporter]]:
    running: list[Exporter] = []

    def begin(*sources: Scripted, folder: Path = tmp_path, **changes: Any) -> Exporter:
        running.append(Exporter(folder, *sources, **changes))
        return running[-1]

    with capture_logs():
        yield begin
    for exporter in running:
        exporter.ledger.close()


@pytest.fixture
def stopwatch(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """The seconds that the refresh measures, moved by hand: stopwatch.seconds += 10."""
    watch = SimpleNamespace(seconds=1000.0)
    time = SimpleNamespace(monotonic=lambda: watch.seconds)
    monkeypatch.setattr("exporter.refresh.time", time)
    return watch


def filled(account_id: str = ACCOUNT, location: str = "here") -> Progress:
    """Say that the history of an account is read."""
    return Progress(location, account_id, REGION, NOON, NOON - 50 * DAY, NOON - 50 * DAY)


def filling(location: str = "here") -> Progress:
    """Say that some of the history of an account is read."""
    return Progress(location, ACCOUNT, REGION, NOON, NOON - 20 * DAY, NOON - 50 * DAY)


def untakable() -> Batch:
    """A log object whose sums no ledger can hold."""
    return batch(Call("x", input=2**63 - 1), Call("y", input=2**63 - 1))


# Taking and showing


def test_what_is_read_is_in_the_ledger_and_then_shown(start: Callable[..., Exporter]) -> None:
    exporter = start(Scripted(script=[batch(Call("a")), batch(Call("b", user="bob")), DONE]))
    assert exporter.run()
    assert exporter.requests() == 2
    assert exporter.sum("bedrock_requests_month_to_date") == 2


def test_progress_is_noted_after_what_it_speaks_of_is_taken(
    start: Callable[..., Exporter],
) -> None:
    seen = []

    def look(is_due: Callable[[], bool]) -> None:
        seen.append((exporter.requests(), exporter.ledger.all_progress("here")))

    exporter = start(Scripted(script=[batch(Call("a")), filled(), look, DONE]))
    exporter.run()
    assert seen == [(1, [filled()])]


def test_no_progress_is_noted_past_a_batch_that_could_not_be_taken(
    start: Callable[..., Exporter],
) -> None:
    exporter = start(Scripted(script=[untakable(), filled(), DONE]))
    exporter.run()
    assert exporter.ledger.all_progress("here") == []
    assert exporter.of("logs", "up") == 0


def test_a_batch_that_comes_last_is_taken(start: Callable[..., Exporter]) -> None:
    exporter = start(Scripted(script=[DONE, batch(Call("a"))]))
    exporter.run()
    assert exporter.requests() == 1


def test_objects_bytes_and_records_are_counted_and_rejections_by_reason(
    start: Callable[..., Exporter],
) -> None:
    good = batch(Call("a"), Call("b"))
    bad = batch(Call("c"))
    bad.rejected.update(malformed_json=3)  # type: ignore[attr-defined]
    exporter = start(Scripted(script=[good, bad, DONE]))
    exporter.now += timedelta(minutes=5)
    exporter.refresh.publish()
    exporter.run()
    assert exporter.series("bedrock_exporter_log_objects_total") == {("logs",): 2}
    assert exporter.series("bedrock_exporter_log_records_total") == {("logs",): 3}
    assert exporter.sum("bedrock_exporter_log_bytes_total") == good.bytes + bad.bytes
    exporter.run()
    rejected = exporter.series("bedrock_exporter_rejected_records_total")
    assert rejected == {("logs", "malformed_json"): 6}


def test_long_reading_is_shown_as_it_goes(
    start: Callable[..., Exporter], stopwatch: SimpleNamespace
) -> None:
    def wait(is_due: Callable[[], bool]) -> None:
        stopwatch.seconds += 11

    script = [batch(Call("a")), wait, Backlog(1), batch(Call("b")), wait, Backlog(0), DONE]
    exporter = start(Scripted(script=script), refresh_interval="1h")
    exporter.run()
    shown = [exporter.sum("bedrock_requests_today", n) for n in range(len(exporter.snapshots))]
    assert shown == [1, 2, 2]
    complete = [exporter.of("logs", "complete", n) for n in range(3)]
    assert complete == [0, 0, 1]
    assert exporter.of("logs", "backlog_objects", 0) == 1
    assert [exporter.of("logs", "up", n) for n in range(3)] == [1, 1, 1]


def test_quick_reading_is_shown_once(
    start: Callable[..., Exporter], stopwatch: SimpleNamespace
) -> None:
    exporter = start(Scripted(script=[batch(Call("a")), Backlog(0), DONE]))
    exporter.refresh.publish()
    exporter.run()
    assert len(exporter.snapshots) == 2


# Each source for itself


def test_a_bug_in_one_source_keeps_no_other_from_reading(start: Callable[..., Exporter]) -> None:
    broken = Scripted("broken", "there", script=[ZeroDivisionError("oops")])
    exporter = start(broken, Scripted(script=[batch(Call("a")), DONE]))
    exporter.run()
    exporter.run()
    assert exporter.requests() == 1
    assert (exporter.of("broken", "up"), exporter.of("logs", "up")) == (0, 1)
    errors = exporter.series("bedrock_exporter_source_errors_total")
    assert errors == {("broken", "bug"): 2}


def test_a_source_that_fails_keeps_what_it_gave_and_says_what_is_wrong(
    start: Callable[..., Exporter],
) -> None:
    source = Scripted(script=[batch(Call("a")), DONE])
    exporter = start(source)
    exporter.run()
    succeeded = exporter.now.timestamp()
    source.script = [StoreError("access_denied", "s3://logs: AccessDenied")]
    exporter.run()
    assert exporter.sum("bedrock_requests_today") == 1
    assert (exporter.of("logs", "up"), exporter.of("logs", "complete")) == (0, 0)
    assert exporter.of("logs", "last_success_timestamp_seconds") == succeeded
    assert "s3://logs: AccessDenied" in str(exporter.snapshots[-1].page)


def test_a_source_is_well_again_after_one_good_refresh(start: Callable[..., Exporter]) -> None:
    source = Scripted(script=[StoreError("network", "cut off")])
    exporter = start(source)
    exporter.run()
    source.script = [DONE]
    exporter.run()
    assert (exporter.of("logs", "up"), exporter.of("logs", "complete")) == (1, 1)
    assert exporter.of("logs", "last_success_timestamp_seconds") == exporter.now.timestamp()
    assert "cut off" not in str(exporter.snapshots[-1].page)


def test_a_source_that_failed_is_down_until_a_refresh_of_it_has_ended_well(
    start: Callable[..., Exporter], stopwatch: SimpleNamespace
) -> None:
    def wait(is_due: Callable[[], bool]) -> None:
        stopwatch.seconds += 11

    source = Scripted(script=[StoreError("network", "cut off")])
    exporter = start(source, refresh_interval="1h")
    exporter.run()
    source.script = [batch(Call("a")), wait, Backlog(0), DONE]
    exporter.run()
    assert [exporter.of("logs", "up", n) for n in range(3)] == [0, 0, 1]


def test_an_object_that_vanished_is_counted_but_is_no_outage(
    start: Callable[..., Exporter],
) -> None:
    gone = Fault("object_gone", "deleted before it was read", is_outage=False)
    exporter = start(Scripted(script=[gone, DONE]))
    exporter.run()
    exporter.run()
    assert exporter.of("logs", "up") == 1
    errors = exporter.series("bedrock_exporter_source_errors_total")
    assert errors == {("logs", "object_gone"): 2}


def test_an_account_that_cannot_be_read_turns_the_source_down_but_the_rest_is_taken(
    start: Callable[..., Exporter],
) -> None:
    exporter = start(Scripted(script=[Fault("access_denied", "no"), batch(Call("a")), CUT_SHORT]))
    assert exporter.run()
    assert exporter.of("logs", "up") == 0
    assert exporter.requests() == 1


# Rounds


def test_how_far_the_history_is_read_is_told_once_there_is_a_how_far(start):
    source = Scripted(script=[CUT_SHORT])
    exporter = start(source)
    with capture_logs() as lines:
        exporter.run()
        source.script = [Finished(is_complete=False, history_read_to=NOON.date())]
        exporter.run()
    told = [line["read_back_to"] for line in lines if line["event"] == "history is being read"]
    assert told == [str(NOON.date())]


def test_a_round_that_was_cut_off_is_followed_by_another_at_once(
    start: Callable[..., Exporter],
) -> None:
    exporter = start(Scripted(script=[batch(Call("a")), CUT_SHORT]))
    assert not exporter.run()


def test_a_source_that_is_down_does_not_make_the_rounds_spin(
    start: Callable[..., Exporter],
) -> None:
    down = Scripted("down", "there", script=[StoreError("network", "cut off")])
    exporter = start(down, Scripted())
    assert exporter.run()


def test_each_source_may_read_for_as_long_as_the_refresh_interval(
    start: Callable[..., Exporter], stopwatch: SimpleNamespace
) -> None:
    due = []

    def read_long(is_due: Callable[[], bool]) -> None:
        due.append(is_due())
        stopwatch.seconds += 301
        due.append(is_due())

    sources = Scripted(script=[read_long]), Scripted("other", "there", script=[read_long])
    start(*sources, refresh_interval="5m").run()
    assert due == [False, True, False, True]


@pytest.mark.parametrize("signal", ["is_stopping", "is_interrupted"])
def test_a_source_ends_its_reading_early_for_a_stop_or_another_configuration(
    start: Callable[..., Exporter], signal: str
) -> None:
    due = []

    def interrupt(is_due: Callable[[], bool]) -> None:
        due.append(is_due())
        setattr(exporter, signal, True)
        due.append(is_due())

    exporter = start(Scripted(script=[interrupt, DONE]))
    exporter.run()
    assert due == [False, True]


def test_a_stop_keeps_what_was_read_and_reads_no_more(start: Callable[..., Exporter]) -> None:
    def stop(is_due: Callable[[], bool]) -> None:
        exporter.is_stopping = True

    first = Scripted(script=[batch(Call("a")), stop, Backlog(1), batch(Call("b"))])
    second = Scripted("other", "there", script=[batch(Call("c"))])
    exporter = start(first, second)
    assert exporter.run()
    assert exporter.requests() == 1


# Counters


def test_history_of_a_first_fill_is_in_the_gauges_but_in_no_counter(
    start: Callable[..., Exporter],
) -> None:
    source = Scripted(script=[batch(Call("a")), filled(), DONE])
    exporter = start(source)
    exporter.run()
    exporter.run()
    assert exporter.sum("bedrock_requests_month_to_date") == 1
    assert exporter.series("bedrock_requests_total") == {
        (ACCOUNT, REGION, "Shop", "alice", MODEL): 0
    }


def test_a_call_after_the_first_fill_is_counted_from_a_series_that_stood_at_0(
    start: Callable[..., Exporter],
) -> None:
    source = Scripted(script=[batch(Call("a")), filled(), DONE])
    exporter = start(source)
    exporter.run()
    source.script = [batch(Call("b", input=7, output=0)), batch(Call("c", user="bob")), DONE]
    exporter.run()
    minute = timedelta(minutes=1)
    source.script = [DONE]
    shown = [exporter.series("bedrock_requests_total")]
    for _ in range(2):
        exporter.run(after=minute)
        shown.append(exporter.series("bedrock_requests_total"))
    alice, bob = ((ACCOUNT, REGION, "Shop", user, MODEL) for user in ("alice", "bob"))
    assert shown == [{alice: 1, bob: 0}, {alice: 1, bob: 0}, {alice: 1, bob: 1}]
    assert exporter.series("bedrock_tokens_total")[*alice, "input"] == 7


def test_calls_read_after_a_restart_are_counted_though_that_process_filled_nothing(
    start: Callable[..., Exporter], tmp_path: Path
) -> None:
    first = start(Scripted(script=[batch(Call("a")), filled(), DONE]))
    first.run()
    first.ledger.close()
    exporter = start(Scripted(script=[batch(Call("b")), DONE]))
    exporter.refresh.publish()
    exporter.run()
    assert exporter.sum("bedrock_requests_total") == 1


def test_an_account_that_appears_after_the_first_fill_is_counted_from_its_first_call(
    start: Callable[..., Exporter],
) -> None:
    first = start(Scripted(script=[batch(Call("a")), filled(), DONE]))
    first.run()
    first.ledger.close()
    source = Scripted(script=[batch(Call("b", account_id="444455556666")), DONE])
    exporter = start(source)
    exporter.run()
    exporter.run()
    account = ("444455556666", REGION, "Shop", "alice", MODEL)
    assert exporter.series("bedrock_requests_total")[account] == 1


def test_a_first_fill_that_takes_several_rounds_and_a_restart_is_counted_in_none(
    start: Callable[..., Exporter],
) -> None:
    first = start(Scripted(script=[batch(Call("a")), filling(), CUT_SHORT]))
    first.run()
    first.ledger.close()
    source = Scripted(script=[batch(Call("b")), filled(), DONE])
    exporter = start(source)
    exporter.run()
    source.script = [DONE]
    exporter.run()
    assert exporter.sum("bedrock_requests_month_to_date") == 2
    assert exporter.sum("bedrock_requests_total") == 0


def test_an_account_that_never_can_be_read_keeps_no_other_from_being_counted(
    start: Callable[..., Exporter],
) -> None:
    denied = Fault("access_denied", "444455556666: AccessDenied")
    source = Scripted(script=[denied, batch(Call("a")), filled(), CUT_SHORT])
    exporter = start(source)
    exporter.run()
    source.script = [denied, batch(Call("b")), CUT_SHORT]
    exporter.run()
    exporter.run()
    assert exporter.sum("bedrock_requests_total") == 1


def test_counters_count_what_is_new_and_nothing_delivered_again(
    start: Callable[..., Exporter],
) -> None:
    source = Scripted(script=[batch(Call("a")), filled(), DONE])
    exporter = start(source)
    exporter.run()
    source.script = [batch(Call("a"), Call("b")), DONE]
    exporter.run()
    exporter.run()
    assert exporter.sum("bedrock_requests_total") == 1


def test_what_could_not_be_taken_is_not_counted(start: Callable[..., Exporter]) -> None:
    source = Scripted(script=[filled(), DONE])
    exporter = start(source)
    exporter.run()
    source.script = [untakable(), DONE]
    exporter.run()
    exporter.run()
    assert exporter.sum("bedrock_requests_total") == 0
    assert exporter.sum("bedrock_exporter_log_objects_total") == 0


# Money


def s3_gets(usd: str) -> AwsRequests:
    """Requests to S3 that cost so much: $0.0004 for a thousand."""
    return AwsRequests(Counter({AwsRequest("s3", "GetObject"): int(float(usd) / 0.0000004)}))


def test_at_the_ceiling_billed_sources_stop_and_others_go_on(
    start: Callable[..., Exporter],
) -> None:
    billed = Scripted("s3", "s3://logs", is_billed=True, script=[s3_gets("1.00"), DONE])
    free = Scripted(script=[batch(Call("a")), DONE])
    exporter = start(billed, free)
    exporter.run()
    billed.script = [batch(Call("b")), DONE]
    exporter.run()
    exporter.run()
    assert (exporter.of("s3", "up"), exporter.of("logs", "up")) == (0, 1)
    assert ("s3", "cost_ceiling") in exporter.series("bedrock_exporter_source_errors_total")
    assert exporter.series("bedrock_exporter_aws_cost_usd_today") == {("s3",): 1}
    assert exporter.requests() == 1


def test_the_ceiling_stops_a_reading_under_way_once_what_it_read_is_taken(
    start: Callable[..., Exporter],
) -> None:
    script = [batch(Call("a")), s3_gets("1.00"), batch(Call("b")), s3_gets("1.00"), DONE]
    exporter = start(Scripted("s3", "s3://logs", is_billed=True, script=script))
    exporter.run()
    assert exporter.requests() == 1
    assert exporter.sum("bedrock_exporter_aws_cost_usd_today") == 1


def test_reading_goes_on_the_next_utc_day_and_what_was_spent_outlives_a_restart(
    start: Callable[..., Exporter],
) -> None:
    first = start(Scripted("s3", "s3://logs", is_billed=True, script=[s3_gets("1.00"), DONE]))
    first.run()
    first.ledger.close()
    exporter = start(Scripted("s3", "s3://logs", is_billed=True, script=[batch(Call("a")), DONE]))
    exporter.run()
    assert exporter.requests() == 0
    exporter.run(after=timedelta(hours=12))
    assert exporter.requests() == 1
    assert exporter.sum("bedrock_exporter_aws_cost_usd_today") == 0


# A ledger that cannot be written


def fill_disk(ledger: WritableLedger, more_pages: int = 0) -> None:
    pages = ledger._connection.execute("PRAGMA page_count").fetchone()[0]
    ledger._connection.execute(f"PRAGMA max_page_count = {pages + more_pages}")


def many(count: int = 3000) -> list[Call]:
    return [Call(f"r{n}", user=f"user{n}") for n in range(count)]


def test_what_was_read_stays_known_as_long_as_it_may_be_listed_again(start) -> None:
    """An account that could not be listed for long is listed from where it was left."""
    source = Scripted(script=[filled(), batch(Call("a")), DONE])
    exporter = start(source)
    exporter.run()
    source.script = [batch(Call("b", time=NOON + 90 * DAY)), DONE]
    exporter.run(after=90 * DAY)
    source.script = [DONE]
    exporter.run(after=2 * timedelta(hours=1))
    assert exporter.ledger.known_objects(ACCOUNT, REGION, NOON.date())
    source.script = [replace(filled(), listed_at=exporter.now), DONE]
    exporter.run()
    exporter.run(after=2 * timedelta(hours=1))
    assert not exporter.ledger.known_objects(ACCOUNT, REGION, NOON.date())


def test_a_full_disk_is_an_error_of_the_source_and_all_is_exact_when_there_is_room(
    start: Callable[..., Exporter],
) -> None:
    source = Scripted(script=[batch(Call("a")), DONE])
    exporter = start(source)
    exporter.run()
    fill_disk(exporter.ledger)
    delivered = [batch(*many()), batch(Call("b"))]
    source.script = [*delivered, filled(), DONE]
    exporter.run()
    exporter.run()
    assert exporter.of("logs", "up") == 0
    errors = exporter.series("bedrock_exporter_source_errors_total")
    assert errors == {("logs", "full"): 2}
    assert exporter.sum("bedrock_requests_today") == 1
    fill_disk(exporter.ledger, more_pages=10_000)
    exporter.run()
    assert exporter.of("logs", "up") == 1
    assert exporter.sum("bedrock_requests_today") == 3002
    exporter.run()
    assert exporter.sum("bedrock_requests_total") == 3001


def test_a_disk_too_full_to_forget_anything_turns_the_sources_down_and_ends_nothing(
    start: Callable[..., Exporter], monkeypatch: pytest.MonkeyPatch
) -> None:
    source = Scripted(script=[batch(Call("a")), filled(), DONE])
    exporter = start(source)
    exporter.run()

    def full(*_moments: int, **_named: int) -> None:
        raise LedgerError("full", "the disk is full")

    monkeypatch.setattr(exporter.ledger, "prune", full)
    source.script = [DONE]
    assert exporter.run(after=2 * timedelta(hours=1))
    assert exporter.of("logs", "up") == 0
    assert exporter.sum("bedrock_requests_today") == 1


def test_a_snapshot_is_shown_though_its_users_cannot_be_remembered(
    start: Callable[..., Exporter], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_values: object) -> None:
        raise LedgerError("full", "the disk is full")

    exporter = start(Scripted(script=[batch(Call("a")), DONE]))
    monkeypatch.setattr(exporter.ledger, "remember_exposed_users", full)
    exporter.run()
    assert exporter.sum("bedrock_requests_today") == 1


def test_a_ledger_that_cannot_be_read_for_a_moment_leaves_the_last_snapshot(
    start: Callable[..., Exporter], monkeypatch: pytest.MonkeyPatch
) -> None:
    exporter = start(Scripted(script=[batch(Call("a")), DONE]))
    exporter.run()
    published = len(exporter.snapshots)

    def busy(*_slots: int) -> None:
        raise LedgerError("failed", "database is locked")

    with monkeypatch.context() as patch:
        patch.setattr(exporter.ledger, "newest_records", busy)
        exporter.run()
    assert len(exporter.snapshots) == published
    exporter.run()
    assert len(exporter.snapshots) == published + 1


def test_a_ledger_found_damaged_while_running_ends_the_refresh(
    start: Callable[..., Exporter], monkeypatch: pytest.MonkeyPatch
) -> None:
    exporter = start(Scripted(script=[batch(Call("a")), DONE]))

    def damaged(*_slots: int) -> None:
        raise LedgerError("corrupt", "ledger is damaged")

    monkeypatch.setattr(exporter.ledger, "sum_usage", damaged)
    with pytest.raises(LedgerError, match="damaged"):
        exporter.run()


# Forgetting


def test_a_record_delivered_again_within_the_window_counts_once_and_past_it_twice(
    start: Callable[..., Exporter],
) -> None:
    """How far back this holds is what `duplicates_window` says, 7 days unless configured."""
    recent, old = Call("recent", time=NOON - 6 * DAY), Call("old", time=NOON - 8 * DAY)
    source = Scripted(script=[batch(Call("now")), batch(recent), batch(old), filled(), DONE])
    exporter = start(source)
    exporter.run()
    source.script = [batch(recent), DONE]
    exporter.run()
    assert exporter.requests() == 3
    source.script = [batch(old), DONE]
    exporter.run()
    assert exporter.requests() == 4


def test_usage_is_kept_for_the_retention_and_pruned_past_it(
    start: Callable[..., Exporter],
) -> None:
    first_kept = datetime(2026, 8, 1, tzinfo=UTC)
    calls = [Call("now"), Call("kept", time=first_kept), Call("old", time=first_kept - DAY)]
    exporter = start(
        Scripted(script=[*(batch(call) for call in calls), filled(), DONE]), retention_months=3
    )
    exporter.run()
    assert exporter.requests() == 2
    assert exporter.ledger.sum_usage(0, slot_of(first_kept)) == {}


def test_a_clock_that_jumps_ahead_neither_deletes_nor_rejects(
    start: Callable[..., Exporter],
) -> None:
    source = Scripted(script=[batch(Call("a")), filled(), DONE])
    exporter = start(source)
    exporter.run()
    exporter.run(after=1000 * DAY)
    assert exporter.requests() == 1
    assert source.times[-1].keep_from == source.times[0].keep_from
    exporter.now = NOON
    source.script = [batch(Call("a"), Call("b")), DONE]
    exporter.run()
    assert exporter.requests() == 2


def test_nothing_is_forgotten_while_history_is_half_read(start: Callable[..., Exporter]) -> None:
    old = Call("old", time=NOON - 20 * DAY)
    source = Scripted(script=[batch(Call("now")), batch(old), filling(), CUT_SHORT])
    exporter = start(source)
    exporter.run(after=2 * timedelta(hours=1))
    source.script = [StoreError("network", "cut off")]
    exporter.run(after=2 * timedelta(hours=1))
    source.script = [batch(old), filled(), DONE]
    exporter.run()
    assert exporter.requests() == 2


def test_nothing_is_forgotten_while_a_catch_up_runs(start: Callable[..., Exporter]) -> None:
    old = Call("old", time=NOON - 20 * DAY)
    source = Scripted(script=[filled(), DONE])
    exporter = start(source)
    exporter.run()
    source.script = [batch(Call("now")), batch(old), CUT_SHORT]
    exporter.run(after=2 * timedelta(hours=1))
    source.script = [batch(old), DONE]
    exporter.run()
    assert exporter.requests() == 2


def test_a_source_that_stays_down_does_not_keep_the_ledger_growing(
    start: Callable[..., Exporter],
) -> None:
    down = Scripted("down", "there", script=[StoreError("access_denied", "no")])
    old = Call("old", time=NOON - 700 * DAY)
    exporter = start(Scripted(script=[batch(Call("now")), batch(old), filled(), DONE]), down)
    exporter.run()
    assert exporter.requests() == 1


# Another configuration


def test_another_rule_price_and_time_zone_hold_for_all_history_at_once(
    start: Callable[..., Exporter], tmp_path: Path
) -> None:
    late = datetime(2026, 10, 31, 20, 0, tzinfo=UTC)  # November already in Kolkata
    source = Scripted(script=[batch(Call("a", time=late, input=1_000_000, output=0)), DONE])
    exporter = start(source)
    exporter.run()
    assert exporter.series("bedrock_cost_usd_month_to_date") == {}
    changed = settings(
        tmp_path,
        timezone="Asia/Kolkata",
        attribution={
            "rules": [{"from": "principal", "match": ".+/(?P<user>.+)", "application": "Renamed"}]
        },
        prices={"overrides": [{"model": MODEL, "usd_per_million_tokens": {"input": "1.25"}}]},
    )
    exporter.refresh.configure(changed, [source])
    exporter.run()
    assert exporter.series("bedrock_cost_usd_month_to_date") == {
        (ACCOUNT, REGION, "Renamed", "alice", MODEL): pytest.approx(1.25)
    }
    assert exporter.requests() == 1


def test_counters_and_the_state_of_a_source_outlive_another_configuration(
    start: Callable[..., Exporter], tmp_path: Path
) -> None:
    source = Scripted(script=[filled(), DONE])
    exporter = start(source)
    exporter.run()
    source.script = [batch(Call("a")), DONE]
    exporter.run()
    exporter.run()
    exporter.refresh.configure(settings(tmp_path, timezone="Asia/Kolkata"), [source])
    exporter.refresh.publish()
    assert exporter.sum("bedrock_requests_total") == 1
    assert exporter.of("logs", "complete") == 1


def test_of_a_source_that_moved_elsewhere_nothing_is_known(
    start: Callable[..., Exporter], tmp_path: Path
) -> None:
    exporter = start(Scripted())
    exporter.run()
    exporter.refresh.configure(settings(tmp_path), [Scripted(location="elsewhere")])
    exporter.refresh.publish()
    assert exporter.of("logs", "complete") == 0
    assert "elsewhere" in str(exporter.snapshots[-1].page)


def test_fewer_labels_are_exposed_from_the_next_snapshot_on(
    start: Callable[..., Exporter], tmp_path: Path
) -> None:
    source = Scripted(script=[batch(Call("a")), filled(), DONE])
    exporter = start(source)
    exporter.run()
    fewer = settings(tmp_path, metrics={"labels": ["application"]})
    exporter.refresh.configure(fewer, [source])
    source.script = [batch(Call("b", user="bob")), DONE]
    exporter.run()
    assert exporter.series("bedrock_requests_today") == {("Shop",): 2}
    exporter.run()
    assert exporter.series("bedrock_requests_total") == {("Shop",): 1}
    assert exporter.ledger.sum_usage(0, 2**40)[1].counts == Counts(1, 100, 10)
