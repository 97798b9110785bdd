"""Counters: born at 0, held there for a while, and never falling whatever clocks and rules do."""

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from exporter.metrics import COST, LOG_OBJECTS, REQUESTS
from exporter.snapshot.counters import Counters
from snapshots import HAIKU, SONNET, UNKNOWN_MODEL, Exporter, samples, total, used, utc, value

NOON = utc("2026-11-20T12:00")
MINUTE = timedelta(minutes=1)
SERIES = ("111122223333", "us-east-1", "Shop", "alice", "model")


def shown(counters: Counters, minutes: float, metric=REQUESTS):
    """Return what a scrape would find so many minutes after noon."""
    family = counters.family(metric, NOON + minutes * MINUTE)
    return family.samples.get(SERIES)


def test_a_new_series_stands_at_zero_and_then_shows_what_it_counted_meanwhile():
    counters = Counters(birth=2 * MINUTE)
    counters.add(REQUESTS, 600, *SERIES)
    assert shown(counters, 0) == 0
    counters.add(REQUESTS, 5, *SERIES)
    assert shown(counters, 1.9) == 0
    assert shown(counters, 2) == 605
    counters.add(REQUESTS, 1, *SERIES)
    assert shown(counters, 2.1) == 606


def test_a_series_is_born_when_it_is_first_shown_not_when_it_first_counted():
    counters = Counters(birth=2 * MINUTE)
    counters.add(REQUESTS, 600, *SERIES)
    assert shown(counters, 60) == 0
    assert shown(counters, 62) == 600


def test_without_a_birth_a_series_shows_its_count_at_once():
    counters = Counters(birth=timedelta(0))
    counters.add(REQUESTS, 600, *SERIES)
    assert shown(counters, 0) == 600


def test_a_clock_that_goes_back_makes_no_counter_fall():
    counters = Counters(birth=2 * MINUTE)
    counters.add(REQUESTS, 3, *SERIES)
    assert [shown(counters, minutes) for minutes in (0, 2, -600, 2)] == [0, 3, 3, 3]


def test_a_clock_that_was_ahead_keeps_no_counter_at_zero_until_it_is_there_again():
    counters = Counters(birth=2 * MINUTE)
    counters.add(REQUESTS, 3, *SERIES)
    assert [shown(counters, minutes) for minutes in (600, 0, 1, 2)] == [0, 0, 0, 3]


def test_money_is_counted_exactly():
    counters = Counters(birth=timedelta(0))
    counters.ensure(COST, *SERIES)
    for _ in range(10):
        counters.add(COST, Decimal("0.1"), *SERIES)
    assert shown(counters, 0, COST) == Decimal("1.0")


def test_a_series_that_was_asked_for_but_not_counted_is_zero():
    counters = Counters(birth=timedelta(0))
    counters.ensure(LOG_OBJECTS, "logs")
    assert counters.family(LOG_OBJECTS, NOON).samples == {("logs",): 0}


def test_under_other_labels_a_metric_begins_anew_and_under_the_same_it_goes_on():
    counters = Counters(birth=timedelta(0))
    counters.name_labels(REQUESTS, REQUESTS.labels)
    counters.add(REQUESTS, 3, *SERIES)
    counters.name_labels(REQUESTS, REQUESTS.labels)
    assert shown(counters, 0) == 3
    counters.name_labels(REQUESTS, ("model",))
    counters.add(REQUESTS, 1, "model")
    family = counters.family(REQUESTS, NOON)
    assert (family.labels, family.samples) == (("model",), {("model",): 1})


# With a ledger behind them.


@pytest.fixture
def exporter(tmp_path: Path) -> Exporter:
    return Exporter(tmp_path, metrics={"counter_birth": "2m"})


def test_what_a_first_fill_found_is_counted_nowhere_but_its_series_stand_at_zero(exporter):
    exporter.fill(used(NOON, input=10), used(utc("2026-10-05T12:00"), "bob", output=7))
    for minutes in (0, 5):
        snapshot = exporter.build(NOON + minutes * MINUTE)
        assert value(snapshot, "bedrock_requests_total", user="alice") == 0
        assert value(snapshot, "bedrock_requests_total", user="bob") == 0
        assert samples(snapshot, "bedrock_tokens_total", user="alice", token_kind="input")
        assert samples(snapshot, "bedrock_tokens_total", user="bob", token_kind="output")
        assert not samples(snapshot, "bedrock_tokens_total", user="alice", token_kind="output")


def test_what_is_newly_taken_is_counted_once(exporter):
    exporter.fill(used(NOON, input=10))
    exporter.build(NOON)
    exporter.take(used(NOON, requests=2, input=30, output=5))
    for minutes in (5, 10):
        snapshot = exporter.build(NOON + minutes * MINUTE)
        assert value(snapshot, "bedrock_requests_total") == 2
        assert value(snapshot, "bedrock_tokens_total", token_kind="input") == 30
    assert value(snapshot, "bedrock_tokens_month_to_date", token_kind="input") == 40
    assert value(snapshot, "bedrock_tokens_total", token_kind="output") == 5
    assert value(snapshot, "bedrock_cost_usd_total") == Decimal("0.000165")


def test_a_failed_call_is_counted_by_its_code_and_its_tokens_are_not(exporter):
    exporter.fill(used(NOON, outcome="ThrottlingException", input=9))
    exporter.build(NOON)
    exporter.take(used(NOON, outcome="ThrottlingException", requests=2, input=900))
    snapshot = exporter.build(NOON + 5 * MINUTE)
    assert value(snapshot, "bedrock_requests_total") == 2
    assert value(snapshot, "bedrock_request_errors_total", error_code="ThrottlingException") == 2
    assert not samples(snapshot, "bedrock_tokens_total")
    assert not samples(snapshot, "bedrock_cost_usd_total")


def test_unpriced_tokens_are_counted_but_have_no_cost(exporter):
    exporter.fill(used(NOON, model=UNKNOWN_MODEL, input=1))
    exporter.build(NOON)
    exporter.take(used(NOON, model=UNKNOWN_MODEL, input=10))
    snapshot = exporter.build(NOON + 5 * MINUTE)
    assert value(snapshot, "bedrock_tokens_total") == 10
    assert not samples(snapshot, "bedrock_cost_usd_total")


def test_a_corrected_price_moves_the_gauge_and_not_the_counter(exporter):
    exporter.fill(used(NOON))
    exporter.build(NOON)
    exporter.take(used(NOON, input=1_000_000))
    assert value(exporter.build(NOON + 5 * MINUTE), "bedrock_cost_usd_total") == 3
    cheaper = {"model": SONNET, "usd_per_million_tokens": {"input": 2}}
    exporter.configure(prices={"overrides": [cheaper]})
    snapshot = exporter.build(NOON + 10 * MINUTE)
    assert value(snapshot, "bedrock_cost_usd_month_to_date") == 2
    assert value(snapshot, "bedrock_cost_usd_total") == 3
    exporter.take(used(NOON, input=1_000_000))
    assert value(exporter.build(NOON + 15 * MINUTE), "bedrock_cost_usd_total") == 5


def test_a_late_record_costs_what_its_own_day_did(exporter):
    dearer = {
        "model": HAIKU,
        "effective_from": "2026-11-19",
        "usd_per_million_tokens": {"input": 9},
    }
    exporter.configure(prices={"overrides": [dearer]})
    exporter.fill(used(NOON, model=HAIKU, input=1))
    exporter.build(NOON)
    exporter.take(used(utc("2026-11-18T12:00"), model=HAIKU, input=1_000_000))
    snapshot = exporter.build(NOON + 5 * MINUTE)
    assert value(snapshot, "bedrock_cost_usd_total") == Decimal("0.25")


def test_labels_left_out_by_a_reload_leave_no_series_of_the_old_kind(exporter):
    exporter.fill(used(NOON), used(NOON, "bob"))
    exporter.build(NOON)
    exporter.take(used(NOON), used(NOON, "bob"))
    exporter.build(NOON + 5 * MINUTE)
    exporter.configure(metrics={"labels": ["application"]})
    snapshot = exporter.build(NOON + 10 * MINUTE)
    assert samples(snapshot, "bedrock_requests_total") == {("Shop",): 0}
    exporter.take(used(NOON), used(NOON, "bob"))
    snapshot = exporter.build(NOON + 15 * MINUTE)
    assert samples(snapshot, "bedrock_requests_total") == {("Shop",): 2}


def test_a_series_used_neither_this_month_nor_last_is_gone_and_comes_back_no_lower(exporter):
    exporter.fill(used(NOON))
    exporter.build(NOON)
    exporter.take(used(NOON))
    exporter.build(NOON + 5 * MINUTE)
    in_december = exporter.build(utc("2026-12-31T12:00"))
    assert value(in_december, "bedrock_requests_total") == 1
    in_january = exporter.build(utc("2027-01-01T12:00"))
    assert value(in_january, "bedrock_requests_total") is None
    exporter.take(used(utc("2027-01-02T12:00")))
    back = exporter.build(utc("2027-01-02T12:05"))
    assert value(back, "bedrock_requests_total") == 2


def test_a_snapshot_built_later_counts_what_earlier_ones_could_not(exporter):
    exporter.take(used(NOON))
    exporter.take(used(NOON, "bob"))
    exporter.build(NOON)
    snapshot = exporter.build(NOON + 5 * MINUTE)
    assert total(snapshot, "bedrock_requests_total") == 2
