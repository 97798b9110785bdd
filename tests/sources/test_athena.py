"""The Athena source over HTTP: what it asks, what it takes, and what it does when Athena fails."""

import gzip
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from athena_server import AthenaServer, fail, hang, refuse, server_error
from exporter import config
from exporter.ledger import WritableLedger
from exporter.sources import athena_blind
from exporter.sources.athena import Athena
from exporter.sources.athena_plan import path_of
from exporter.sources.events import AwsRequests, Backlog, Event, Fault, Finished, Times
from exporter.sources.log_objects import LogObjects
from exporter.sources.log_store import key_of
from exporter.sources.record_reader import Recording
from exporter.usage import AthenaScan, AwsRequest, Batch, LogObject, Progress, QueryBatch
from log_sources import open_bedrock_logs
from s3_server import S3Server
from s3_server import refuse as refuse_s3
from usage_builders import ACCOUNT, REGION, Call, json_lines, log_object

NOW = datetime(2026, 11, 21, 12, 30, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
EUROPE = "eu-central-1"
BLIND = {"list_objects": False, "owners": {ACCOUNT: [REGION]}}


@pytest.fixture(scope="module")
def servers() -> Iterator[tuple[S3Server, AthenaServer]]:
    with S3Server() as s3, AthenaServer() as athena, pytest.MonkeyPatch.context() as environment:
        environment.setenv("AWS_ENDPOINT_URL_S3", s3.url)
        environment.setenv("AWS_ENDPOINT_URL_ATHENA", athena.url)
        environment.setenv("AWS_ACCESS_KEY_ID", "testing")
        environment.setenv("AWS_SECRET_ACCESS_KEY", "testing")
        environment.setenv("AWS_DEFAULT_REGION", REGION)
        athena.add_s3(s3.location)
        yield s3, athena


@pytest.fixture
def s3(servers: tuple[S3Server, AthenaServer]) -> S3Server:
    servers[0].reset()
    return servers[0]


@pytest.fixture
def athena(servers: tuple[S3Server, AthenaServer]) -> AthenaServer:
    servers[1].reset()
    servers[1].polls = 0
    return servers[1]


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[WritableLedger]:
    ledger = WritableLedger.open(tmp_path / "ledger.sqlite")
    yield ledger
    ledger.close()


def never() -> bool:
    return False


def go_on(seconds: float) -> bool:
    """Wait no time at all, and do not stop."""
    return False


def open_source(
    recording: Recording | None = None,
    wait: Callable[[float], bool] = go_on,
    most_bytes: int = 10**12,
    **changes: Any,
) -> Athena:
    settings = config.Athena.model_validate(
        {"type": "athena", "location": "s3://logs", "region": REGION, **changes}
    )
    return Athena(settings, None, recording or Recording(), most_bytes, wait)


def refresh(
    source: Athena | LogObjects,
    ledger: WritableLedger,
    now: datetime = NOW,
    fill_from: datetime = NOW - 3 * DAY,
    is_due: Callable[[], bool] = never,
) -> list[Event]:
    """Do what the refresh loop does with the events of one round."""
    times = Times(now, fill_from, keep_from=NOW - 400 * DAY)
    events = []
    for event in source.read(times, ledger, is_due):
        events.append(event)
        if isinstance(event, (Batch, QueryBatch)):
            ledger.apply([event])
        elif isinstance(event, Progress):
            ledger.record_progress(event)
    return events


def put(s3: S3Server, *calls: Call, time: datetime | None = None) -> LogObject:
    """Deliver calls as one log object; returns which it is."""
    first = calls[0]
    unit = log_object(time or first.time, first.account_id, first.region)
    s3.put(key_of(unit), gzip.compress(json_lines(calls)))
    return unit


def requests(ledger: WritableLedger) -> int:
    return sum(summed.counts.requests for summed in ledger.sum_usage(0, 2**40).values())


def input_tokens(ledger: WritableLedger) -> int:
    return sum(summed.counts.input for summed in ledger.sum_usage(0, 2**40).values())


def faults(events: list[Event]) -> list[str]:
    return [event.reason for event in events if isinstance(event, Fault)]


def is_complete(events: list[Event]) -> bool:
    return any(isinstance(event, Finished) and event.is_complete for event in events)


def scans(events: list[Event]) -> list[AthenaScan]:
    return [event for event in events if isinstance(event, AthenaScan)]


def started(athena: AthenaServer) -> int:
    return athena.requests.count("StartQueryExecution")


# What is asked and taken


def test_all_new_objects_of_a_refresh_are_one_query(s3, athena, ledger) -> None:
    put(s3, Call("a", time=NOW - HOUR, input=7), Call("b", time=NOW - HOUR, user="bob"))
    put(s3, Call("c", time=NOW - 30 * HOUR))
    put(s3, Call("d", time=NOW - HOUR, region=EUROPE))
    events = refresh(open_source(), ledger)
    assert (requests(ledger), input_tokens(ledger)) == (4, 307)
    assert started(athena) == 1
    assert is_complete(events)


def test_what_was_read_is_not_asked_again(s3, athena, ledger) -> None:
    put(s3, Call("a", time=NOW - HOUR))
    source = open_source()
    refresh(source, ledger)
    events = refresh(source, ledger, NOW + timedelta(minutes=5))
    assert (started(athena), requests(ledger)) == (1, 1)
    assert scans(events) == []


def test_of_an_hour_that_changed_only_the_new_object_is_scanned(s3, athena, ledger) -> None:
    put(s3, *(Call(f"old{number}", time=NOW) for number in range(500)))
    source = open_source()
    refresh(source, ledger)
    new = put(s3, Call("new", time=NOW))
    events = refresh(source, ledger, NOW + timedelta(minutes=5))
    stored = len(gzip.compress(json_lines([Call("new", time=NOW)])))
    assert requests(ledger) == 501
    assert [scan.scanned_bytes for scan in scans(events)] == [pytest.approx(stored, abs=8)]
    assert [event.units for event in events if isinstance(event, QueryBatch)] == [(new,)]


def test_the_history_is_read_as_far_back_as_a_first_fill_goes(s3, athena, ledger) -> None:
    for day in (1, 5, 8, 9, 10):
        put(s3, Call(f"{day}", time=NOW - day * DAY))
    assert is_complete(refresh(open_source(), ledger, fill_from=NOW - 9 * DAY))
    assert requests(ledger) == 4


def test_a_record_in_its_neighbours_partition_counts_in_its_own_slot(s3, athena, ledger) -> None:
    put(s3, Call("a", time=NOW - HOUR), time=NOW)
    refresh(open_source(), ledger)
    [slot] = [summed.first_slot for summed in ledger.sum_usage(0, 2**40).values()]
    assert slot * 900 == int((NOW - HOUR).timestamp())


def test_a_record_delivered_twice_counts_once(s3, athena, ledger) -> None:
    put(s3, Call("a", time=NOW), Call("a", time=NOW))
    put(s3, Call("a", time=NOW), Call("b", time=NOW))
    refresh(open_source(), ledger)
    assert requests(ledger) == 2


def test_an_object_without_records_is_known_and_counted_as_rejected(s3, athena, ledger) -> None:
    unit = log_object(NOW)
    s3.put(key_of(unit), gzip.compress(b""))
    source = open_source()
    events = refresh(source, ledger)
    [batch] = [event for event in events if isinstance(event, QueryBatch)]
    assert (batch.units, batch.rejected) == ((unit,), {"empty_object": 1})
    refresh(source, ledger, NOW + timedelta(minutes=5))
    assert started(athena) == 1


@pytest.mark.parametrize("blind", [False, True])
def test_bodies_kept_aside_and_foreign_objects_are_not_read(s3, athena, ledger, blind) -> None:
    unit = put(s3, Call("a", time=NOW))
    put(s3, Call("b", time=NOW + timedelta(minutes=9)))
    folder = key_of(unit).rpartition("/")[0]
    s3.put(f"{folder}/data/x_input.json.gz", gzip.compress(json_lines([Call("c", time=NOW)])))
    between = f"{unit.name[:15]}~notes.json.gz"
    s3.put(f"{folder}/{between}", gzip.compress(json_lines([Call("d", time=NOW)])))
    s3.put(f"{folder}/{between}/{unit.name}", gzip.compress(json_lines([Call("e", time=NOW)])))
    s3.put("amazon-bedrock-logs-permission-check", b"")
    events = refresh(open_source(**(BLIND if blind else {})), ledger)
    assert (requests(ledger), faults(events), is_complete(events)) == (2, [], True)


def test_a_switch_from_direct_reading_counts_nothing_twice(s3, athena, ledger) -> None:
    put(s3, Call("a", time=NOW))
    direct = open_bedrock_logs("s3://logs")
    refresh(direct, ledger)
    put(s3, Call("b", time=NOW))
    refresh(open_source(), ledger, NOW + HOUR)
    assert requests(ledger) == 2
    refresh(direct, ledger, NOW + 2 * HOUR)
    assert requests(ledger) == 2


def test_what_a_query_scanned_and_is_billed_for_is_told(s3, athena, ledger) -> None:
    put(s3, Call("a", time=NOW))
    events = refresh(open_source(), ledger)
    [scan] = scans(events)
    assert scan == AthenaScan("athena", 1, athena.queries[0].scanned_bytes, 10_000_000)
    asked = sum((e.counts for e in events if isinstance(e, AwsRequests)), start=Counter())
    assert AwsRequest("athena", "StartQueryExecution") in asked


def test_an_old_answer_will_do_only_where_the_query_names_what_is_listed(
    s3, athena, ledger
) -> None:
    put(s3, Call("a", time=NOW))
    refresh(open_source(), ledger)
    assert [query.reuse_minutes for query in athena.queries] == [60]
    athena.reset()
    refresh(open_source(**BLIND), ledger)
    assert {query.reuse_minutes for query in athena.queries} <= {0, None}


# Without a listing


def test_without_a_listing_all_of_an_hour_is_asked_but_what_was_read(s3, athena, ledger) -> None:
    put(s3, Call("a", time=NOW), Call("b", time=NOW - 3 * HOUR))
    source = open_source(**BLIND)
    refresh(source, ledger)
    assert requests(ledger) == 2
    put(s3, Call("c", time=NOW))
    s3.requests.clear()
    before = len(athena.queries)
    refresh(source, ledger, NOW + timedelta(minutes=5))
    assert requests(ledger) == 3
    assert [query.scanned_bytes for query in athena.queries[before:]] == [
        pytest.approx(len(gzip.compress(json_lines([Call("c", time=NOW)]))), abs=8)
    ]


def test_without_a_listing_older_hours_are_asked_once_an_hour(s3, athena, ledger) -> None:
    put(s3, Call("a", time=NOW))
    source = open_source(**BLIND)
    refresh(source, ledger)
    put(s3, Call("late", time=NOW - 10 * HOUR))
    refresh(source, ledger, NOW + timedelta(minutes=5))
    assert requests(ledger) == 1
    refresh(source, ledger, NOW + timedelta(minutes=61))
    assert requests(ledger) == 2


# When it fails


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (refuse("StartQueryExecution", "ThrottlingException"), "throttled"),
        (refuse("StartQueryExecution", "TooManyRequestsException"), "throttled"),
        (refuse("GetQueryExecution", "ExpiredTokenException"), "credentials"),
        (refuse("GetQueryResults", "AccessDeniedException"), "access_denied"),
        (fail("TABLE_NOT_FOUND: line 1:1: Table 'x' does not exist"), "missing_table"),
        (fail("GENERIC_INTERNAL_ERROR: null"), "engine_error"),
    ],
)
def test_a_failure_is_told_keeps_what_is_known_and_is_made_good(
    s3, athena, ledger, fault, reason
) -> None:
    put(s3, Call("a", time=NOW))
    source = open_source()
    refresh(source, ledger)
    put(s3, Call("b", time=NOW))
    athena.faults.append(fault)
    events = refresh(source, ledger, NOW + timedelta(minutes=5))
    assert faults(events) == [reason]
    assert not is_complete(events)
    assert requests(ledger) == 1
    athena.faults.clear()
    assert is_complete(refresh(source, ledger, NOW + timedelta(minutes=10)))
    assert requests(ledger) == 2


def test_a_server_error_now_and_then_goes_unnoticed(s3, athena, ledger) -> None:
    put(s3, Call("a", time=NOW))
    athena.faults.append(server_error("StartQueryExecution", times=1))
    athena.faults.append(server_error("GetQueryResults", times=1))
    assert is_complete(refresh(open_source(), ledger))
    assert requests(ledger) == 1


def test_a_damaged_object_is_found_left_out_and_counted_and_the_rest_counts(
    s3, athena, ledger
) -> None:
    for minute in range(0, 60, 5):
        put(s3, Call(f"{minute}", time=NOW - HOUR + timedelta(minutes=minute)))
    damaged = log_object(NOW - timedelta(minutes=59))
    s3.put(key_of(damaged), gzip.compress(json_lines([Call("x", time=NOW)] * 50))[:-20])
    source = open_source()
    events = refresh(source, ledger)
    assert requests(ledger) == 12
    rejected = [event for event in events if isinstance(event, QueryBatch) and event.rejected]
    assert [(batch.units, batch.rejected) for batch in rejected] == [
        ((damaged,), {"corrupt_gzip": 1})
    ]
    assert is_complete(events)
    queries = started(athena)
    refresh(source, ledger, NOW + timedelta(minutes=5))
    assert started(athena) == queries, "it is not asked again"


def test_an_object_that_the_engine_keeps_failing_on_is_left_out_and_counted(
    s3, athena, ledger
) -> None:
    bad = put(s3, Call("bad", time=NOW))
    athena.faults.append(fail("GENERIC_INTERNAL_ERROR: nested too deep", where=bad.name))
    source = open_source()
    for minutes in (0, 5, 10):
        put(s3, Call(f"{minutes}", time=NOW))
        events = refresh(source, ledger, NOW + timedelta(minutes=minutes))
        assert faults(events) == (["engine_error"] if minutes < 10 else [])
    rejected = [event for event in events if isinstance(event, QueryBatch) and event.rejected]
    assert [(each.units, each.rejected) for each in rejected] == [
        ((bad,), {"unreadable_object": 1})
    ]
    assert (requests(ledger), is_complete(events)) == (3, True)


def test_an_engine_that_fails_on_everything_costs_no_object(s3, athena, ledger) -> None:
    put(s3, Call("a", time=NOW))
    put(s3, Call("b", time=NOW - HOUR))
    athena.faults.append(fail("GENERIC_INTERNAL_ERROR: null"))
    source = open_source()
    for minutes in range(6):
        events = refresh(source, ledger, NOW + timedelta(minutes=minutes))
        assert set(faults(events)) == {"engine_error"}
    athena.faults.clear()
    assert is_complete(refresh(source, ledger, NOW + HOUR))
    assert requests(ledger) == 2


def test_an_object_that_athena_passes_over_is_not_taken_for_read(s3, athena, ledger) -> None:
    athena.add_s3("s3://logs/another", table="elsewhere")
    put(s3, Call("a", time=NOW))
    source = open_source(table="elsewhere")
    events = refresh(source, ledger)
    assert (faults(events), is_complete(events), requests(ledger)) == (["not_read"], False, 0)
    assert is_complete(refresh(open_source(), ledger, NOW + HOUR))
    assert requests(ledger) == 1


def test_an_answer_that_was_lost_is_no_answer_for_what_came_since(s3, athena, ledger) -> None:
    first = put(s3, Call("a", time=NOW))
    last = log_object(NOW + timedelta(minutes=9))
    s3.put(key_of(last), gzip.compress(json_lines([Call("b", time=NOW)])))
    athena.faults.append(refuse("GetQueryResults", "AccessDeniedException", times=1))
    source = open_source()
    assert faults(refresh(source, ledger)) == ["access_denied"]
    between = LogObject(*first[:3], f"{NOW:%Y%m%dT%H}3500000Z_0123456789abcdef.json.gz")
    s3.put(key_of(between), gzip.compress(json_lines([Call("c", time=NOW)])))
    assert is_complete(refresh(source, ledger, NOW + timedelta(minutes=5)))
    assert requests(ledger) == 3


@pytest.mark.parametrize("operation", ["GetQueryExecution", "GetQueryResults"])
def test_what_a_query_scanned_is_told_whether_its_rows_arrive_or_not(
    s3, athena, ledger, operation
) -> None:
    put(s3, Call("a", time=NOW))
    athena.faults.append(refuse(operation, "AccessDeniedException", times=1))
    events = refresh(open_source(), ledger)
    assert faults(events) == ["access_denied"]
    assert [scan.billed_bytes for scan in scans(events)] == [10_000_000]


def test_the_backlog_is_what_was_not_read(s3, athena, ledger) -> None:
    put(s3, Call("a", time=NOW))
    athena.faults.append(fail("FUNCTION_NOT_FOUND"))
    events = refresh(open_source(), ledger)
    assert [event.objects for event in events if isinstance(event, Backlog)][-1] == 1


def test_parts_are_halved_no_longer_than_a_refresh_lasts(s3, athena, ledger) -> None:
    for minute in range(32):
        put(s3, Call(f"{minute}", time=NOW - 1.5 * HOUR + timedelta(minutes=minute)))
    athena.faults.append(fail("Query exhausted resources at this scale factor"))
    refresh(open_source(), ledger, is_due=lambda: True)
    assert started(athena) == 1


def test_what_was_too_much_for_a_query_is_asked_in_smaller_parts_from_then_on(
    s3, athena, ledger
) -> None:
    for minute in range(32):
        put(s3, Call(f"{minute}", time=NOW - 1.5 * HOUR + timedelta(minutes=minute)))
    athena.faults.append(fail("Query exhausted resources at this scale factor", times=1))
    source = open_source()
    refresh(source, ledger, is_due=lambda: True)
    refresh(source, ledger, NOW + timedelta(minutes=5))
    assert requests(ledger) == 32
    assert started(athena) == 3, "one of 32 log objects, then two of 16"


def test_no_query_scans_more_than_it_should(s3, athena, ledger) -> None:
    for hour in range(4):
        put(s3, *(Call(f"{hour}-{n}", time=NOW - hour * HOUR) for n in range(50)))
    one = max(
        len(gzip.compress(json_lines([Call(f"{hour}-{n}", time=NOW) for n in range(50)])))
        for hour in range(4)
    )
    refresh(open_source(most_bytes=2 * one + 40), ledger)
    assert (requests(ledger), started(athena)) == (200, 2)


def test_without_a_listing_hours_that_fail_hold_up_no_other(s3, athena, ledger) -> None:
    put(s3, Call("a", time=NOW))
    bad = put(s3, Call("bad", time=NOW - 3 * HOUR))
    folder = path_of("s3://logs", bad).rpartition("/")[0]
    athena.faults.append(fail("HIVE_CURSOR_ERROR: incorrect data check", where=folder))
    source = open_source(**BLIND)
    for minutes in (0, 5, 65):
        events = refresh(source, ledger, NOW + timedelta(minutes=minutes), is_due=lambda: True)
        assert requests(ledger) == 1
        assert faults(events) == ["damaged_object"]
        assert not is_complete(events)


def test_without_a_listing_a_damaged_object_that_athena_names_is_left_out(
    s3, athena, ledger
) -> None:
    put(s3, Call("a", time=NOW))
    damaged = log_object(NOW)
    s3.put(key_of(damaged), gzip.compress(json_lines([Call("x", time=NOW)] * 50))[:-20])
    events = refresh(open_source(**BLIND), ledger)
    assert (requests(ledger), faults(events), is_complete(events)) == (1, [], True)
    assert [e.rejected for e in events if isinstance(e, QueryBatch) and e.rejected] == [
        {"corrupt_gzip": 1}
    ]


def test_without_a_listing_an_owner_without_any_log_is_no_success(s3, athena, ledger) -> None:
    events = refresh(open_source(**BLIND), ledger)
    assert faults(events) == ["no_logs"]


def test_without_a_listing_one_crowded_hour_stops_no_other_owner(
    s3, athena, ledger, monkeypatch
) -> None:
    monkeypatch.setattr(athena_blind, "MOST_CHARACTERS", 700)
    for minute in range(6):
        put(s3, Call(f"{minute}", time=NOW - HOUR + timedelta(minutes=minute)))
    put(s3, Call("other", time=NOW, region=EUROPE))
    source = open_source(list_objects=False, owners={ACCOUNT: [REGION]})
    refresh(source, ledger)
    both = open_source(list_objects=False, owners={ACCOUNT: [REGION, EUROPE]})
    events = refresh(both, ledger, NOW + timedelta(minutes=5))
    assert requests(ledger) == 7
    assert set(faults(events)) == {"too_many_objects"}


def test_a_query_past_the_workgroups_cut_off_is_asked_in_parts(s3, athena, ledger) -> None:
    for hour in range(8):
        put(s3, *(Call(f"{hour}-{n}", time=NOW - hour * HOUR) for n in range(50)))
    one = len(gzip.compress(json_lines([Call(f"0-{n}", time=NOW) for n in range(50)])))
    athena.workgroups["bedrock-exporter"].cutoff_bytes = 3 * one
    try:
        events = refresh(open_source(), ledger)
    finally:
        athena.workgroups["bedrock-exporter"].cutoff_bytes = None
    assert requests(ledger) == 400
    assert is_complete(events)


def test_a_query_that_outlives_its_time_is_cancelled(s3, athena, ledger) -> None:
    put(s3, Call("a", time=NOW))
    athena.faults.append(hang(times=1))
    waited = threading.Event()
    source = open_source(wait=lambda seconds: waited.wait(min(seconds, 0.05)))
    source._client._timeout = 0.2
    events = refresh(source, ledger)
    assert faults(events) == ["query_too_large"]
    assert athena.queries[0].stopped
    assert is_complete(refresh(source, ledger, NOW + timedelta(minutes=5)))


def test_a_query_is_cancelled_when_the_exporter_stops(s3, athena, ledger) -> None:
    put(s3, Call("a", time=NOW))
    athena.faults.append(hang(times=1))
    events = refresh(open_source(wait=lambda seconds: True), ledger)
    assert athena.queries[0].stopped
    assert faults(events) == ["stopped"] or faults(events) == []
    assert requests(ledger) == 0


def test_one_account_that_may_not_be_listed_hides_no_other(s3, athena, ledger) -> None:
    other = "999988887777"
    put(s3, Call("a", time=NOW))
    put(s3, Call("b", time=NOW, account_id=other))
    s3.faults.append(refuse_s3(f"AWSLogs/{other}/", 403, "AccessDenied", lists=True))
    events = refresh(open_source(), ledger)
    assert requests(ledger) == 1
    assert faults(events) == ["access_denied"]
    assert not is_complete(events)


def test_hostile_names_reach_athena_as_text(s3, athena, ledger) -> None:
    evil = "x') OR 1=1; DROP TABLE invocation_logs; --"
    put(s3, Call("a", time=NOW, user=evil, model_id=evil))
    keys = frozenset({evil, 'a"b', "c\\d"})
    refresh(open_source(recording=Recording(keys)), ledger)
    assert requests(ledger) == 1
    [fact] = [ledger.fact(number) for number in ledger.sum_usage(0, 2**40)]
    assert fact.model_id == evil
