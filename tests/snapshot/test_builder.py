"""A snapshot as a whole: every family of the catalogue once, in its order, and nothing else."""

from pathlib import Path

import pytest

from exporter.metrics import CATALOGUE, Type
from exporter.status import SourceStatus
from snapshots import Exporter, samples, series_count, used, utc, value

NOON = utc("2026-11-20T12:00")


@pytest.fixture
def exporter(tmp_path: Path) -> Exporter:
    return Exporter(tmp_path)


LIVE = {
    "bedrock_exporter_build_info",
    "bedrock_exporter_config_last_reload_successful",
    "bedrock_exporter_config_last_reload_success_timestamp_seconds",
}
"""Added by the web at each scrape."""


def test_every_family_stands_once_in_the_order_of_the_catalogue(exporter):
    exporter.take(used(utc("2026-10-20T12:00")), used(NOON, input=5))
    snapshot = exporter.build(NOON, [SourceStatus("logs", "data/logs")])
    names = [family.metric.name for family in snapshot.families]
    assert len(names) == len(set(names))
    assert names == [name for name in CATALOGUE if name in names]
    assert CATALOGUE.keys() - set(names) == LIVE


def test_every_sample_has_a_value_for_every_label(exporter):
    exporter.configure(metrics={"labels": ["model", "application"]})
    exporter.take(used(NOON, input=5), used(NOON, outcome="ThrottlingException"))
    for family in exporter.build(NOON).families:
        for values in family.samples:
            assert len(values) == len(family.labels), family.metric.name
            assert all(values) or "usage_limit" in family.metric.name


def test_an_empty_ledger_makes_a_snapshot(exporter):
    snapshot = exporter.build(NOON)
    assert snapshot.exposed_users == frozenset()
    assert value(snapshot, "bedrock_exporter_series") == series_count(snapshot) == 4


def test_the_month_is_that_of_the_configured_time_zone(exporter):
    exporter.configure(timezone="Asia/Kolkata")
    assert exporter.build(utc("2026-11-30T18:29")).month == "2026-11"
    assert exporter.build(utc("2026-11-30T18:30")).month == "2026-12"


def test_the_same_ledger_makes_the_same_samples_in_the_same_order(exporter):
    exporter.fill(*(used(NOON, f"user{number}", input=number) for number in range(30)))
    first, second = exporter.build(NOON), exporter.build(NOON)
    for before, after in zip(first.families, second.families, strict=True):
        assert list(before.samples.items()) == list(after.samples.items())


def test_a_clock_that_goes_back_shows_the_day_that_it_says(exporter):
    exporter.fill(used(utc("2026-11-19T12:00"), requests=3), used(NOON, requests=5))
    assert value(exporter.build(NOON), "bedrock_requests_today") == 5
    assert value(exporter.build(utc("2026-11-19T13:00")), "bedrock_requests_today") == 3
    assert value(exporter.build(NOON), "bedrock_requests_today") == 5


def test_usage_dated_after_today_waits_for_its_day(exporter):
    exporter.take(used(utc("2026-12-01T00:15"), requests=2))
    last = exporter.build(utc("2026-11-30T23:50"))
    assert not samples(last, "bedrock_requests_month_to_date")
    assert not samples(last, "bedrock_requests_total")
    born = exporter.build(utc("2026-12-01T00:05"))
    assert value(born, "bedrock_requests_today") == 2
    assert value(born, "bedrock_requests_total") == 0
    assert value(exporter.build(utc("2026-12-01T00:10")), "bedrock_requests_total") == 2


def test_counters_are_the_only_families_called_total(exporter):
    for family in exporter.build(NOON).families:
        assert family.metric.name.endswith("_total") == (family.metric.type is Type.COUNTER)


def test_a_source_that_is_configured_no_more_tells_nothing_of_now(exporter):
    exporter.fill(used(NOON, input=5), newest=NOON)
    before = exporter.build(NOON)
    renamed = [{"type": "invocation_logs", "name": "other", "location": "logs"}]
    exporter.configure(sources=renamed)
    after = exporter.build(NOON)
    name = "bedrock_newest_record_timestamp_seconds"
    assert (len(samples(before, name)), len(samples(after, name))) == (1, 0)
    assert samples(after, "bedrock_tokens_today") == samples(before, "bedrock_tokens_today")
