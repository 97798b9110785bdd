"""The exporter's own families: its sources, the records they gave, and what it spends."""

from decimal import Decimal

from exporter.ledger import NewestRecord
from exporter.snapshot.exporter_families import record_families, source_families, spend_families
from exporter.status import AwsSpend, SourceStatus
from snapshots import config, utc

NOON = utc("2026-11-20T12:00")


def by_name(families):
    return {family.metric.name: family.samples for family in families}


def test_of_a_source_that_waits_for_its_turn_nothing_is_known():
    found = by_name(source_families([SourceStatus("logs", "s3://bucket")]))
    assert found == {
        "bedrock_exporter_source_up": {},
        "bedrock_exporter_source_complete": {("logs",): 0},
        "bedrock_exporter_source_backlog_objects": {("logs",): 0},
        "bedrock_exporter_source_last_success_timestamp_seconds": {},
        "bedrock_exporter_source_last_refresh_duration_seconds": {},
    }


def test_each_source_tells_how_it_is_doing():
    good = SourceStatus(
        "east",
        "data/east",
        up=True,
        complete=True,
        last_success=NOON,
        last_duration_seconds=0.25,
    )
    failing = SourceStatus("west", "data/west", backlog_objects=7, is_begun=True)
    found = by_name(source_families([good, failing]))
    assert found == {
        "bedrock_exporter_source_up": {("east",): 1, ("west",): 0},
        "bedrock_exporter_source_complete": {("east",): 1, ("west",): 0},
        "bedrock_exporter_source_backlog_objects": {("east",): 0, ("west",): 7},
        "bedrock_exporter_source_last_success_timestamp_seconds": {("east",): NOON.timestamp()},
        "bedrock_exporter_source_last_refresh_duration_seconds": {("east",): 0.25},
    }


def test_what_activity_reports_tell_is_estimated():
    sources = config(
        sources=[
            {"type": "activity_reports", "name": "reports", "location": "logs"},
            {"type": "kiro_reports", "location": "logs"},
        ]
    ).sources
    newest = [NewestRecord(name, "1", "eu-west-1", 1) for name in ("reports", "kiro_reports")]
    info = by_name(record_families(newest, sources))["bedrock_usage_source_info"]
    assert set(info) == {
        ("1", "eu-west-1", "reports", "estimated"),
        ("1", "eu-west-1", "kiro_reports", "measured"),
    }


def test_a_place_tells_its_source_and_its_newest_record():
    newest = [
        NewestRecord("logs", "111122223333", "us-east-1", 1_700_000_000),
        NewestRecord("logs", "111122223333", "eu-west-1", 1_600_000_000),
    ]
    assert by_name(record_families(newest, config().sources)) == {
        "bedrock_usage_source_info": {
            ("111122223333", "us-east-1", "logs", "measured"): 1,
            ("111122223333", "eu-west-1", "logs", "measured"): 1,
        },
        "bedrock_newest_record_timestamp_seconds": {
            ("111122223333", "us-east-1", "logs"): 1_700_000_000,
            ("111122223333", "eu-west-1", "logs"): 1_600_000_000,
        },
    }


def test_spending_stands_beside_its_ceiling():
    found = by_name(spend_families(AwsSpend({"s3": Decimal("0.0004")}, Decimal("1.00"))))
    assert found == {
        "bedrock_exporter_aws_cost_usd_today": {("s3",): Decimal("0.0004")},
        "bedrock_exporter_aws_cost_usd_ceiling": {(): Decimal("1.00")},
    }
