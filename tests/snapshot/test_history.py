"""Periods of the ledger: exact in every time zone, and the same however they came to be known."""

from collections import Counter
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exporter.interpretation.meaning import Interpreter
from exporter.interpretation.prices import PriceBook
from exporter.ledger import Ledger, WritableLedger
from exporter.snapshot.history import History, PeriodUsage
from exporter.usage import SLOT_SECONDS, Batch, LogObject, Summed, Usage, slot_start
from snapshots import (
    ACCOUNT,
    HAIKU,
    REGION,
    SONNET,
    UNKNOWN_MODEL,
    Exporter,
    config,
    total,
    used,
    utc,
    value,
)

SLOT = timedelta(seconds=SLOT_SECONDS)
DAY = timedelta(days=1)

BORDERS = [
    ("UTC", "2026-11-01T00:00"),  # a month begins
    ("UTC", "2026-11-20T00:00"),  # a day begins
    ("Asia/Kolkata", "2026-11-01T00:00"),
    ("Asia/Kathmandu", "2026-11-01T00:00"),
    ("Asia/Kathmandu", "2026-11-20T00:00"),
    ("Australia/Lord_Howe", "2026-10-01T00:00"),
    ("Australia/Lord_Howe", "2026-10-04T00:00"),  # a day of 23.5 hours begins
    ("Australia/Lord_Howe", "2026-10-05T00:00"),  # it ends
    ("Australia/Lord_Howe", "2026-04-06T00:00"),  # a day of 24.5 hours ends
    ("America/Santiago", "2026-09-06T00:00"),  # there is no such moment: the day begins at 01:00
    ("America/Santiago", "2026-04-05T00:00"),  # the day before had its last hour twice
    ("America/Santiago", "2026-10-01T00:00"),
]


def border(zone: str, midnight: str) -> datetime:
    return datetime.fromisoformat(midnight).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


@pytest.mark.parametrize(("zone", "midnight"), BORDERS)
def test_the_last_slot_before_midnight_is_yesterday_and_the_first_after_it_today(
    tmp_path: Path, zone: str, midnight: str
) -> None:
    start = border(zone, midnight)
    exporter = Exporter(tmp_path, timezone=zone)
    exporter.fill(
        used(start - SLOT, requests=1, input=10),
        used(start, requests=2, input=200),
    )
    before = exporter.build(start - timedelta(seconds=1))
    assert value(before, "bedrock_requests_today") == 1
    assert value(before, "bedrock_requests_month_to_date") == 1
    after = exporter.build(start)
    assert value(after, "bedrock_requests_today") == 2
    assert value(after, "bedrock_tokens_today", token_kind="input") == 200
    is_first = date.fromisoformat(midnight[:10]).day == 1
    assert value(after, "bedrock_requests_month_to_date") == (2 if is_first else 3)
    previous = Decimal("0.00003") if is_first else None
    assert value(after, "bedrock_cost_usd_previous_month") == previous


def by_local_day(calls: list[Usage], zone: ZoneInfo) -> Counter[date]:
    """Count requests by the day on the wall, without the exporter's own periods."""
    days: Counter[date] = Counter()
    for slot, _, counts in calls:
        days[slot_start(slot).astimezone(zone).date()] += counts.requests
    return days


@pytest.mark.parametrize(("zone", "midnight"), BORDERS)
def test_around_a_border_every_slot_is_in_the_day_on_the_wall(
    tmp_path: Path, zone: str, midnight: str
) -> None:
    wall, start = ZoneInfo(zone), border(zone, midnight)
    calls = [used(start + number * SLOT, requests=3**5 + number) for number in range(-120, 121)]
    exporter = Exporter(tmp_path, timezone=zone)
    exporter.fill(*calls)
    days = by_local_day(calls, wall)
    for hours in range(-26, 27, 4):
        now = start + timedelta(hours=hours, minutes=7)
        today = now.astimezone(wall).date()
        month = today.replace(day=1)
        snapshot = exporter.build(now)
        assert total(snapshot, "bedrock_requests_today") == days[today]
        assert total(snapshot, "bedrock_requests_month_to_date") == sum(
            count for day, count in days.items() if month <= day <= today
        )
        assert dict(snapshot.page.daily_cost_usd).keys() == {
            day for day in days if month <= day <= today
        }


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kathmandu", "Australia/Lord_Howe"])
def test_requests_by_hour_are_those_of_thirty_days_on_the_wall(tmp_path: Path, zone: str) -> None:
    wall = ZoneInfo(zone)
    now = utc("2026-10-20T10:00")  # Lord Howe changed its clock on 4 October
    calls = [used(now - number * 7 * SLOT) for number in range(500)]
    exporter = Exporter(tmp_path, timezone=zone)
    exporter.fill(*calls)
    first_day = now.astimezone(wall).date() - timedelta(days=29)
    expected: Counter[str] = Counter()
    for slot, _, _ in calls:
        local = slot_start(slot).astimezone(wall)
        if local.date() >= first_day:
            expected[f"{local:%H}"] += 1
    snapshot = exporter.build(now)
    for hour in range(24):
        name = f"{hour:02d}"
        found = value(
            snapshot, "bedrock_hour_of_day_requests", application="Shop", hour_of_day=name
        )
        assert found == expected[name]


def test_a_price_that_changes_in_mid_month_splits_the_month(tmp_path: Path) -> None:
    overrides = [
        {"model": HAIKU, "usd_per_million_tokens": {"input": 1}},
        {"model": HAIKU, "effective_from": "2026-11-10", "usd_per_million_tokens": {"input": 100}},
    ]
    exporter = Exporter(tmp_path, prices={"overrides": overrides})
    exporter.fill(
        used(utc("2026-11-09T23:45"), model=HAIKU, input=1_000),
        used(utc("2026-11-10T00:00"), model=HAIKU, input=1_000),
    )
    snapshot = exporter.build(utc("2026-11-20T12:00"))
    assert value(snapshot, "bedrock_cost_usd_month_to_date") == Decimal("0.101")
    assert sum(usd for _, usd in snapshot.page.daily_cost_usd) == Decimal("0.101")


def test_a_price_changes_at_utc_midnight_even_in_the_middle_of_a_local_day(tmp_path: Path) -> None:
    overrides = [
        {"model": HAIKU, "effective_from": "2026-11-10", "usd_per_million_tokens": {"input": 100}}
    ]
    exporter = Exporter(tmp_path, timezone="Asia/Kathmandu", prices={"overrides": overrides})
    exporter.fill(
        used(utc("2026-11-09T23:45"), model=HAIKU, input=1_000),
        used(utc("2026-11-10T00:00"), model=HAIKU, input=1_000),
    )
    snapshot = exporter.build(utc("2026-11-10T02:00"))
    assert value(snapshot, "bedrock_cost_usd_today") == Decimal("0.10025")


def test_an_override_corrects_the_whole_history(tmp_path: Path) -> None:
    exporter = Exporter(tmp_path)
    exporter.fill(
        used(utc("2026-10-09T12:00"), input=1_000_000),
        used(utc("2026-11-09T12:00"), input=1_000_000),
    )
    now = utc("2026-11-20T12:00")
    assert value(exporter.build(now), "bedrock_cost_usd_month_to_date") == 3
    override = {"model": SONNET, "usd_per_million_tokens": {"input": "1.50"}}
    exporter.configure(prices={"overrides": [override]})
    assert value(exporter.build(now), "bedrock_cost_usd_month_to_date") == Decimal("1.5")
    assert value(exporter.build(now), "bedrock_cost_usd_previous_month") == Decimal("1.5")


def test_another_rule_renames_the_whole_history(tmp_path: Path) -> None:
    exporter = Exporter(tmp_path)
    exporter.fill(
        used(utc("2026-10-09T12:00"), input=7), used(utc("2026-11-09T12:00"), "bob", input=7)
    )
    now = utc("2026-11-20T12:00")
    assert value(exporter.build(now), "bedrock_requests_month_to_date", user="bob") == 1
    rule = {"from": "principal", "match": "assumed-role/.*", "application": "Crm", "user": "team"}
    exporter.configure(attribution={"rules": [rule]})
    snapshot = exporter.build(now)
    assert value(snapshot, "bedrock_requests_month_to_date", user="team", application="Crm") == 1
    assert value(snapshot, "bedrock_requests_month_to_date", user="bob") is None
    assert total(snapshot, "bedrock_cost_usd_previous_month", application="Crm") > 0


def test_another_time_zone_redraws_the_days(tmp_path: Path) -> None:
    exporter = Exporter(tmp_path, timezone="UTC")
    exporter.fill(used(utc("2026-11-19T20:00")))
    now = utc("2026-11-20T02:00")
    assert value(exporter.build(now), "bedrock_requests_today") == 0
    exporter.configure(timezone="Asia/Kolkata")
    assert value(exporter.build(now), "bedrock_requests_today") == 1


def test_a_principal_that_the_filters_leave_out_is_in_no_figure(tmp_path: Path) -> None:
    exporter = Exporter(tmp_path, attribution={"exclude": ["load-test"]})
    exporter.take(
        used(utc("2026-11-20T10:00"), "load-test", input=5), used(utc("2026-11-20T10:00"), "bob")
    )
    snapshot = exporter.build(utc("2026-11-20T12:00"))
    for name in ("bedrock_requests_today", "bedrock_requests_total"):
        assert value(snapshot, name, user="load-test") is None
        assert value(snapshot, name, user="bob") is not None
    assert total(snapshot, "bedrock_hour_of_day_requests") == 1


NOW = utc("2026-12-02T09:30")
"""So that this week began in another month, and late records fall into the previous one."""
ZONE = ZoneInfo("Asia/Kolkata")
CHANGE = {"model": HAIKU, "effective_from": "2026-11-13", "usd_per_million_tokens": {"input": 9}}
SETTINGS = config(prices={"overrides": [CHANGE]})
INTERPRETER = Interpreter(SETTINGS, PriceBook.bundled(SETTINGS.prices.overrides))

calls = st.builds(
    used,
    st.integers(0, 70 * 96).map(lambda slots: NOW - slots * SLOT),
    st.sampled_from(["alice", "bob"]),
    model=st.sampled_from([SONNET, HAIKU, UNKNOWN_MODEL]),
    outcome=st.sampled_from(["ok", "ok", "ThrottlingException"]),
    input=st.integers(0, 1000),
    cache_write_unsplit=st.integers(0, 10),
)


def usage_at(path: Path, now: datetime) -> tuple[PeriodUsage, object]:
    """Return what a reader finds that remembers nothing."""
    with closing(Ledger.open(path)) as ledger:
        history = History(ledger, INTERPRETER, ZONE)
        return history.usage(now), history.daily_cost_usd(now)


@given(
    st.lists(
        st.tuples(
            st.lists(calls, max_size=6),
            st.sampled_from([timedelta(minutes=5), timedelta(hours=9), DAY, 40 * DAY, -DAY]),
        ),
        min_size=1,
        max_size=6,
    )
)
@settings(max_examples=30, deadline=None)
def test_what_is_remembered_equals_what_a_fresh_look_finds(
    rounds: list[tuple[list[Usage], timedelta]],
) -> None:
    with TemporaryDirectory() as folder:
        ledger = WritableLedger.open(Path(folder) / "ledger.sqlite")
        history = History(ledger, INTERPRETER, ZONE)
        now = NOW
        for number, (taken, pause) in enumerate(rounds):
            unit = LogObject(ACCOUNT, REGION, number, "object")
            ledger.apply([Batch("logs", unit, tuple(taken))])
            found = history.usage(now), history.daily_cost_usd(now)
            assert found == usage_at(ledger.path, now)
            now += pause
        ledger.close()


class CountingLedger(Ledger):
    """Tells how often it was asked for sums."""

    asked = 0

    def sum_usage(self, start: int, end: int) -> dict[int, Summed]:
        self.asked += 1
        return super().sum_usage(start, end)


def test_nothing_is_summed_again_when_only_time_has_passed(tmp_path: Path) -> None:
    now = utc("2026-11-20T12:00")
    exporter = Exporter(tmp_path)
    exporter.fill(*(used(now - timedelta(hours=hours)) for hours in range(1200)))
    with closing(CountingLedger.open(exporter.ledger.path)) as ledger:
        history = History(ledger, INTERPRETER, ZONE)
        first = history.usage(now), history.daily_cost_usd(now)
        summed = ledger.asked
        later = now + timedelta(minutes=5)
        assert (history.usage(later), history.daily_cost_usd(later)) == first
        assert ledger.asked == summed > 0
