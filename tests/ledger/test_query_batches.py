"""What the ledger takes of queries: sums over many log objects, what they cost, names looked up."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from exporter.ledger import LedgerError, NewestRecord, WritableLedger
from exporter.ledger.database import open_for_writing
from exporter.ledger.schema import MIGRATIONS
from exporter.usage import AthenaScan, LogObject, LookedUp, QueryBatch, Usage, slot_of
from usage_builders import ACCOUNT, MODEL, NOON, REGION, Call, batch, log_object

ONE, TWO, THREE = (log_object(NOON + timedelta(hours=hour)) for hour in range(3))


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[WritableLedger]:
    ledger = WritableLedger.open(tmp_path / "ledger.sqlite")
    yield ledger
    ledger.close()


def queried(*units: LogObject, calls: tuple[Call, ...] = (Call("a"),)) -> QueryBatch:
    usage = tuple(Usage(slot_of(call.time), call.fact, call.counts) for call in calls)
    newest = {(ACCOUNT, REGION): int(max(call.time for call in calls).timestamp())}
    return QueryBatch("athena", units, usage, {}, len(calls), 100, newest)


def requests(ledger: WritableLedger) -> int:
    return sum(summed.counts.requests for summed in ledger.sum_usage(0, 2**40).values())


def test_a_query_counts_once_however_often_it_is_delivered(ledger: WritableLedger) -> None:
    assert len(ledger.apply([queried(ONE, TWO)])) == 1
    assert ledger.apply([queried(ONE, TWO)]) == []
    assert requests(ledger) == 1


def test_what_a_query_read_is_known(ledger: WritableLedger) -> None:
    ledger.apply([queried(ONE, TWO)])
    known = ledger.known_objects(ACCOUNT, REGION, NOON.date())
    assert known == {(ONE.hour, ONE.name), (TWO.hour, TWO.name)}


def test_a_query_over_an_object_that_another_source_read_takes_nothing(
    ledger: WritableLedger,
) -> None:
    ledger.apply([batch(Call("x"), unit=TWO)])
    with pytest.raises(LedgerError, match="1 of 2 log objects") as refused:
        ledger.apply([queried(ONE, TWO)])
    assert refused.value.reason == "overlap"
    assert requests(ledger) == 1
    assert ledger.known_objects(ACCOUNT, REGION, NOON.date()) == {(TWO.hour, TWO.name)}
    ledger.apply([queried(ONE, THREE)])
    assert requests(ledger) == 2


def test_an_object_that_a_query_read_is_not_read_again_directly(ledger: WritableLedger) -> None:
    ledger.apply([queried(ONE)])
    assert ledger.apply([batch(Call("a"), unit=ONE)]) == []


def test_a_query_without_usage_marks_its_objects(ledger: WritableLedger) -> None:
    ledger.apply([QueryBatch("athena", (ONE,))])
    assert ledger.known_objects(ACCOUNT, REGION, NOON.date()) == {(ONE.hour, ONE.name)}
    assert ledger.newest_records() == []


def test_the_newest_record_of_a_query_is_that_of_each_account_and_region(
    ledger: WritableLedger,
) -> None:
    later = NOON + timedelta(minutes=5)
    ledger.apply([queried(ONE, calls=(Call("a"), Call("b", time=later)))])
    assert ledger.newest_records() == [
        NewestRecord("athena", ACCOUNT, REGION, int(later.timestamp()))
    ]


def test_scans_add_up_within_a_utc_day_for_each_source(ledger: WritableLedger) -> None:
    today = date(2026, 11, 20)
    ledger.record_athena_scan(today, AthenaScan("athena", 1, 1_000, 10_000_000))
    ledger.record_athena_scan(today, AthenaScan("athena", 1, 20_000_001, 21_000_000))
    ledger.record_athena_scan(today, AthenaScan("other", 1, 0, 0))
    ledger.record_athena_scan(date(2026, 11, 21), AthenaScan("athena", 1, 5, 10_000_000))
    assert ledger.athena_scans(today) == [
        AthenaScan("athena", 2, 20_001_001, 31_000_000),
        AthenaScan("other", 1, 0, 0),
    ]


def test_what_was_looked_up_last_holds(ledger: WritableLedger) -> None:
    then, later = (datetime(2026, 11, day, tzinfo=UTC) for day in (20, 21))
    first = LookedUp("inference_profile", "arn:x", (), then)
    second = LookedUp("inference_profile", "arn:x", (("model_id", MODEL), ("tag", "Ü")), later)
    ledger.record_lookups([first])
    ledger.record_lookups([second])
    assert ledger.lookups() == {("inference_profile", "arn:x"): second}


def test_names_in_use_are_those_of_usage_since_a_slot(ledger: WritableLedger) -> None:
    old, new = Call("a", time=NOON - timedelta(days=2)), Call("b", user="bob")
    ledger.apply([batch(old), batch(new)])
    assert ledger.named_since(slot_of(NOON)) == {(ACCOUNT, REGION, new.arn, MODEL)}
    assert len(ledger.named_since(0)) == 2


def test_a_ledger_of_version_1_takes_queries_once_it_is_opened(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    connection, lock = open_for_writing(path, MIGRATIONS[:1])
    connection.execute("INSERT INTO log_object VALUES (?, ?, ?, ?)", ONE)
    connection.close()
    lock.close()
    ledger = WritableLedger.open(path)
    ledger.apply([queried(TWO)])
    assert len(ledger.known_objects(ACCOUNT, REGION, NOON.date())) == 2
    assert ledger.athena_scans(NOON.date()) == []
    ledger.close()
