"""What the ledger takes, adds up, remembers and forgets."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from exporter.ledger import Ledger, LedgerError, NewestRecord, WritableLedger
from exporter.usage import AwsRequest, Batch, Counts, Fact, LogObject, Progress, Summed, slot_of
from usage_builders import ACCOUNT, NOON, REGION, Call, batch, log_object, plain_sum

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[WritableLedger]:
    ledger = WritableLedger.open(tmp_path / "ledger.sqlite")
    yield ledger
    ledger.close()


def everything(ledger: Ledger) -> dict[Fact, Counts]:
    """What each fact amounts to over all time."""
    sums = ledger.sum_usage(0, 2**40)
    return {ledger.fact(number): summed.counts for number, summed in sums.items()}


def requests(ledger: Ledger) -> int:
    return sum(counts.requests for counts in everything(ledger).values())


def by_fact(*calls: Call) -> dict[Fact, Counts]:
    return plain_sum(calls, key=lambda call: call.fact)


# Once


def test_an_object_taken_before_counts_nothing_more(ledger: WritableLedger) -> None:
    delivered = batch(Call("a"), Call("b", user="bob"))
    assert len(ledger.apply([delivered])) == 2
    assert ledger.apply([delivered]) == []
    assert everything(ledger) == by_fact(Call("a"), Call("b", user="bob"))


def test_an_object_is_known_when_the_ids_of_its_records_are_long_forgotten(
    ledger: WritableLedger,
) -> None:
    delivered = batch(Call("a"))
    ledger.apply([delivered])
    ledger.prune(0, 0, requests_before=slot_of(NOON + DAY))
    assert ledger.apply([delivered]) == []
    assert requests(ledger) == 1


def test_an_object_counts_once_wherever_it_lies(ledger: WritableLedger) -> None:
    unit = log_object()
    ledger.apply([batch(Call("a"), unit=unit, source="bucket")])
    ledger.apply([batch(Call("a"), unit=unit, source="copy of the bucket")])
    assert requests(ledger) == 1


def test_two_objects_of_one_name_in_different_hours_regions_and_accounts_are_not_the_same(
    ledger: WritableLedger,
) -> None:
    unit = log_object()
    units = [
        unit,
        unit._replace(hour=unit.hour + 1),
        unit._replace(region="eu-central-1"),
        unit._replace(account_id="444455556666"),
    ]
    ledger.apply([batch(Call(f"r{n}"), unit=unit) for n, unit in enumerate(units)])
    assert requests(ledger) == 4


def test_a_record_delivered_twice_counts_once(ledger: WritableLedger) -> None:
    a, b, c = Call("a"), Call("b"), Call("c", user="bob")
    ledger.apply([batch(a, b)])
    new = ledger.apply([batch(b, c)])
    assert everything(ledger) == by_fact(a, b, c)
    assert [(usage.fact, usage.counts) for usage in new] == [(c.fact, c.counts)]


def test_a_record_delivered_twice_in_one_transaction_counts_once(ledger: WritableLedger) -> None:
    a, b = Call("a"), Call("b")
    ledger.apply([batch(a, b), batch(b), batch(b, a)])
    assert everything(ledger) == by_fact(a, b)


def test_only_the_known_part_of_a_summed_usage_is_taken_out(ledger: WritableLedger) -> None:
    ledger.apply([batch(Call("a", input=7))])
    new = ledger.apply([batch(Call("a", input=7), Call("b", input=5), Call("c", input=3))])
    assert sum(usage.counts.input for usage in new) == 8
    assert [counts.input for counts in everything(ledger).values()] == [15]


def test_the_same_id_at_another_quarter_of_an_hour_is_another_record(
    ledger: WritableLedger,
) -> None:
    ledger.apply([batch(Call("a")), batch(Call("a", time=NOON + HOUR))])
    assert requests(ledger) == 2


# All or nothing


def test_a_failure_among_batches_takes_none_of_them(ledger: WritableLedger) -> None:
    first, second = batch(Call("a")), batch(Call("b"))

    def failing() -> Iterator[Batch]:
        yield first
        raise ValueError("a bug")

    with pytest.raises(ValueError, match="a bug"):
        ledger.apply(failing())
    assert everything(ledger) == {}
    assert ledger.newest_records() == []
    ledger.apply([second, first])
    assert requests(ledger) == 2


def test_a_fact_number_of_a_transaction_undone_is_not_used_for_another_fact(
    ledger: WritableLedger,
) -> None:
    alice, bob = Call("a", user="alice"), Call("b", user="bob")
    refused = Call("c", user="carol", input=2**63 - 1)
    ledger.apply([batch(refused)])
    more = Call("d", user="carol")
    with pytest.raises(LedgerError):  # no sum of carol's fits into the file
        ledger.apply([batch(alice, more)])
    ledger.apply([batch(bob)])
    ledger.apply([batch(alice)])
    assert everything(ledger) == by_fact(refused, bob, alice)


def limit_pages(ledger: WritableLedger, more: int) -> None:
    """Let the file grow by so many pages, as if the disk were full then."""
    pages = ledger._connection.execute("PRAGMA page_count").fetchone()[0]
    ledger._connection.execute(f"PRAGMA max_page_count = {pages + more}")


def test_a_full_disk_takes_nothing_and_what_was_left_is_taken_when_there_is_room(
    ledger: WritableLedger,
) -> None:
    known = batch(Call("known"))
    ledger.apply([known])
    limit_pages(ledger, 3)
    calls = [Call(f"r{n}", user=f"user{n}") for n in range(2000)]
    delivered = batch(*calls)
    with pytest.raises(LedgerError, match="the disk is full; make room") as caught:
        ledger.apply([delivered])
    assert caught.value.reason == "full"
    assert everything(ledger) == by_fact(Call("known"))
    limit_pages(ledger, 10_000)
    ledger.apply([known, delivered])
    assert everything(ledger) == by_fact(Call("known"), *calls)


# Reading


def test_sums_are_of_the_slots_from_start_to_before_end(ledger: WritableLedger) -> None:
    quarter = timedelta(minutes=15)
    calls = [Call(f"r{n}", time=NOON + n * quarter, input=10**n) for n in range(4)]
    ledger.apply([batch(*calls)])
    first = slot_of(NOON)
    [summed] = ledger.sum_usage(first + 1, first + 3).values()
    assert summed == Summed(first + 1, Counts(2, 110, 20))


def test_a_fact_comes_back_as_it_was_given(ledger: WritableLedger) -> None:
    fact = Fact(
        account_id=ACCOUNT,
        region=REGION,
        inference_region="us-west-2",
        principal='arn:aws:iam::111122223333:user/it\'s "quoted"\n\0 <b>é\U0001f600',
        model_id="m",
        context_from=200_000,
        service_tier="flex",
        outcome="ThrottlingException",
        metadata=(("cost-center", "42"), ("team", "données")),
    )
    call = batch(Call("a"))
    [usage] = call.usage
    ledger.apply([Batch(call.source, call.unit, (usage._replace(fact=fact),), call.requests)])
    assert everything(ledger) == {fact: usage.counts}


def test_requests_by_hour_are_those_of_the_time_zone(ledger: WritableLedger) -> None:
    ledger.apply([batch(Call("a", time=datetime(2026, 11, 20, 18, 15, tzinfo=UTC)))])
    slot = slot_of(NOON)
    hours = {
        zone: [hour for _, hour in ledger.count_requests_by_hour(slot, slot + 96, offset)]
        for zone, offset in {"UTC": 0, "Kathmandu": 23, "Denver": -28}.items()
    }
    assert hours == {"UTC": [18], "Kathmandu": [0], "Denver": [11]}


def test_the_newest_record_stays_the_newest_whatever_comes_late(ledger: WritableLedger) -> None:
    ledger.apply([batch(Call("a"))])
    ledger.apply([batch(Call("b", time=NOON - DAY))])
    newest = int(NOON.timestamp())
    assert ledger.newest_records() == [NewestRecord("logs", ACCOUNT, REGION, newest)]


def test_a_change_shows_for_the_days_it_falls_into_and_no_others(ledger: WritableLedger) -> None:
    today, yesterday = slot_of(NOON), slot_of(NOON - DAY)
    ledger.apply([batch(Call("a"))])
    change = ledger.last_change(today, today + 1)
    assert change > 0
    assert ledger.last_change(yesterday, yesterday + 1) == 0
    ledger.apply([batch(Call("b", time=NOON - DAY))])
    assert ledger.last_change(today, today + 1) == change
    assert ledger.last_change(yesterday, today + 1) > change


def test_known_objects_are_those_of_one_utc_day(ledger: WritableLedger) -> None:
    midnight = datetime(2026, 11, 20, tzinfo=UTC)
    units = [
        log_object(midnight - timedelta(seconds=1)),
        log_object(midnight),
        log_object(midnight + DAY - timedelta(seconds=1)),
        log_object(midnight + DAY),
        log_object(midnight, region="eu-central-1"),
    ]
    ledger.apply([batch(Call(f"r{n}"), unit=unit) for n, unit in enumerate(units)])
    known = ledger.known_objects(ACCOUNT, REGION, date(2026, 11, 20))
    assert known == {(unit.hour, unit.name) for unit in units[1:3]}


def test_progress_is_remembered_for_each_location_account_and_region(
    ledger: WritableLedger,
) -> None:
    first = Progress("s3://logs", ACCOUNT, REGION, NOON, NOON - 2 * DAY, NOON - 30 * DAY)
    later = Progress("s3://logs", ACCOUNT, REGION, NOON + HOUR, NOON - 3 * DAY, NOON - 30 * DAY)
    other = Progress("s3://other", ACCOUNT, REGION, NOON, NOON, NOON)
    for progress in (first, other, later):
        ledger.record_progress(progress)
    assert ledger.progress("s3://logs", ACCOUNT, REGION) == later
    assert ledger.progress("s3://logs", ACCOUNT, "eu-central-1") is None
    assert ledger.all_progress("s3://other") == [other]


def test_requests_to_aws_add_up_within_a_utc_day(ledger: WritableLedger) -> None:
    get, listing = AwsRequest("s3", "GetObject"), AwsRequest("s3", "ListObjectsV2")
    ledger.record_aws_requests(date(2026, 11, 20), Counter({get: 2}))
    ledger.record_aws_requests(date(2026, 11, 20), Counter({get: 3, listing: 1}))
    ledger.record_aws_requests(date(2026, 11, 21), Counter({get: 9}))
    assert ledger.aws_requests(date(2026, 11, 20)) == Counter({get: 5, listing: 1})


def test_a_note_is_kept_until_the_next_of_its_name(ledger: WritableLedger) -> None:
    assert ledger.note("folding") is None
    ledger.leave_note("folding", "1")
    ledger.leave_note("folding", "2")
    assert ledger.note("folding") == "2"


# Forgetting


def prune_before(ledger: WritableLedger, moment: datetime) -> None:
    """Prune all that lies before a moment."""
    ledger.prune(slot_of(moment), int(moment.timestamp()) // 3600, slot_of(moment))


def test_pruning_forgets_usage_objects_and_requests_before_a_moment(
    ledger: WritableLedger,
) -> None:
    old, new = Call("old", time=NOON - 40 * DAY, user="bob"), Call("new")
    ledger.apply([batch(old), batch(new)])
    prune_before(ledger, NOON)
    assert everything(ledger) == by_fact(new)
    assert ledger.known_objects(ACCOUNT, REGION, (NOON - 40 * DAY).date()) == set()
    assert len(ledger.known_objects(ACCOUNT, REGION, NOON.date())) == 1


def test_a_record_is_recognised_as_long_as_its_id_is_kept(ledger: WritableLedger) -> None:
    week_old, day_old = Call("w", time=NOON - 7 * DAY), Call("d", time=NOON - DAY)
    ledger.apply([batch(week_old), batch(day_old)])
    ledger.prune(0, 0, requests_before=slot_of(NOON - 2 * DAY))
    ledger.apply([batch(week_old), batch(day_old)])
    assert requests(ledger) == 3


def test_pruning_forgets_who_has_no_usage_left(ledger: WritableLedger, tmp_path: Path) -> None:
    ledger.apply([batch(Call("a", user="left-the-firm", time=NOON - 40 * DAY)), batch(Call("b"))])
    ledger.remember_exposed_users("2026-10", ["left-the-firm"])
    ledger.remember_exposed_users("2026-11", ["alice"])
    prune_before(ledger, NOON)
    assert ledger.exposed_users("2026-10") == frozenset()
    assert ledger.exposed_users("2026-11") == {"alice"}
    facts = ledger._connection.execute("SELECT principal FROM fact").fetchall()
    assert facts == [(Call("b").arn,)]


def test_a_fact_number_that_was_forgotten_is_not_used_for_who_had_it(
    ledger: WritableLedger,
) -> None:
    alice, bob = Call("a", user="alice"), Call("b", user="bob")
    ledger.apply([batch(bob), batch(Call("old", user="alice", time=NOON - 40 * DAY))])
    assert len(everything(ledger)) == 2
    prune_before(ledger, NOON)
    carol = Call("c", user="carol")
    ledger.apply([batch(carol)])
    ledger.apply([batch(alice)])
    assert everything(ledger) == by_fact(bob, carol, alice)


def test_pruning_nothing_changes_nothing(ledger: WritableLedger) -> None:
    ledger.apply([batch(Call("a"), unit=LogObject(ACCOUNT, REGION, 0, "name"))])
    ledger.prune(0, 0, 0)
    assert requests(ledger) == 1
    assert ledger.known_objects(ACCOUNT, REGION, date(1970, 1, 1)) == {(0, "name")}


def test_a_ledger_that_was_removed_while_in_use_is_found_out(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    ledger = WritableLedger.open(path)
    ledger.check_in_place()
    path.unlink()
    with pytest.raises(LedgerError) as caught:
        ledger.check_in_place()
    assert caught.value.reason == "removed"
    path.touch()
    with pytest.raises(LedgerError):
        ledger.check_in_place()
    ledger.close()
