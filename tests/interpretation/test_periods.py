"""Calendar periods of a zone as ranges of UTC slots, to the slot, in awkward zones too."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from exporter.interpretation.periods import (
    SlotRange,
    constant_offset_parts,
    day_start,
    last_full_days,
    months_back,
    previous_month,
    reset_time,
    split_at,
    this_month,
    this_week,
    today,
    trailing_days,
)
from exporter.usage import slot_of, slot_start

AWKWARD = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "America/Santiago",
    "Africa/Cairo",
    "Africa/Casablanca",
    "Asia/Beirut",
    "America/Havana",
    "America/Nuuk",
    "America/St_Johns",
    "Atlantic/Azores",
    "Pacific/Chatham",
    "Pacific/Apia",
    "Pacific/Kiritimati",
]

zones = st.sampled_from(AWKWARD).map(ZoneInfo)
moments = st.integers(1_672_531_200, 2_114_380_799).map(  # the years 2023 to 2036
    lambda seconds: datetime.fromtimestamp(seconds, UTC)
)


def utc(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def times(slots):
    """Show a range as the UTC times of its ends."""
    return tuple(f"{slot_start(slot):%Y-%m-%d %H:%M}" for slot in slots)


TODAY = [
    # zone, now, start of the day, end of the day
    ("UTC", "2026-11-21 12:00", "2026-11-21 00:00", "2026-11-22 00:00"),
    ("UTC", "2026-11-21 00:00", "2026-11-21 00:00", "2026-11-22 00:00"),
    ("UTC", "2026-11-20 23:59", "2026-11-20 00:00", "2026-11-21 00:00"),
    ("Asia/Kolkata", "2026-11-21 18:29", "2026-11-20 18:30", "2026-11-21 18:30"),
    ("Asia/Kolkata", "2026-11-21 18:30", "2026-11-21 18:30", "2026-11-22 18:30"),
    ("Asia/Kathmandu", "2026-11-21 18:14", "2026-11-20 18:15", "2026-11-21 18:15"),
    ("Asia/Kathmandu", "2026-11-21 18:15", "2026-11-21 18:15", "2026-11-22 18:15"),
    # Lord Howe: +10:30, in summer +11:00; half an hour less on 4 October 2026
    ("Australia/Lord_Howe", "2026-10-04 06:00", "2026-10-03 13:30", "2026-10-04 13:00"),
    ("Australia/Lord_Howe", "2026-04-05 06:00", "2026-04-04 13:00", "2026-04-05 13:30"),
    # Berlin: 23 and 25 hours
    ("Europe/Berlin", "2026-03-29 12:00", "2026-03-28 23:00", "2026-03-29 22:00"),
    ("Europe/Berlin", "2026-10-25 12:00", "2026-10-24 22:00", "2026-10-25 23:00"),
    # Santiago: midnight of 6 September 2026 does not exist, the day begins at 01:00
    ("America/Santiago", "2026-09-06 03:59", "2026-09-05 04:00", "2026-09-06 04:00"),
    ("America/Santiago", "2026-09-06 04:00", "2026-09-06 04:00", "2026-09-07 03:00"),
    # ... and 4 April 2026 has its last hour twice
    ("America/Santiago", "2026-04-05 03:30", "2026-04-04 03:00", "2026-04-05 04:00"),
    # Cairo: midnight of 24 April 2026 does not exist
    ("Africa/Cairo", "2026-04-24 12:00", "2026-04-23 22:00", "2026-04-24 21:00"),
    # Beirut: midnight of 29 March 2026 does not exist
    ("Asia/Beirut", "2026-03-29 12:00", "2026-03-28 22:00", "2026-03-29 21:00"),
    # Havana: midnight of 1 November 2026 comes twice, the day begins at the first
    ("America/Havana", "2026-11-01 12:00", "2026-11-01 04:00", "2026-11-02 05:00"),
]


@pytest.mark.parametrize(("zone", "now", "start", "end"), TODAY)
def test_today_is_the_whole_local_day(zone, now, start, end):
    assert times(today(utc(now), ZoneInfo(zone))) == (start, end)
    assert reset_time(utc(now), ZoneInfo(zone), "day") == utc(end)


MONTHS = [
    # zone, now, start of the previous month, start of this one, end of this one
    ("UTC", "2026-11-21 12:00", "2026-10-01 00:00", "2026-11-01 00:00", "2026-12-01 00:00"),
    ("UTC", "2026-12-31 23:59", "2026-11-01 00:00", "2026-12-01 00:00", "2027-01-01 00:00"),
    ("UTC", "2027-01-01 00:00", "2026-12-01 00:00", "2027-01-01 00:00", "2027-02-01 00:00"),
    ("UTC", "2028-02-29 12:00", "2028-01-01 00:00", "2028-02-01 00:00", "2028-03-01 00:00"),
    (
        "Asia/Kolkata",
        "2026-11-30 18:30",
        "2026-10-31 18:30",
        "2026-11-30 18:30",
        "2026-12-31 18:30",
    ),
    (
        "Asia/Kolkata",
        "2026-11-30 18:29",
        "2026-09-30 18:30",
        "2026-10-31 18:30",
        "2026-11-30 18:30",
    ),
    (
        "Europe/Berlin",
        "2026-03-31 12:00",
        "2026-01-31 23:00",
        "2026-02-28 23:00",
        "2026-03-31 22:00",
    ),
]


@pytest.mark.parametrize(("zone", "now", "previous", "start", "end"), MONTHS)
def test_months_are_local_calendar_months(zone, now, previous, start, end):
    assert times(this_month(utc(now), ZoneInfo(zone))) == (start, end)
    assert times(previous_month(utc(now), ZoneInfo(zone))) == (previous, start)
    assert reset_time(utc(now), ZoneInfo(zone), "month") == utc(end)


@pytest.mark.parametrize(
    ("zone", "now", "months", "start", "end"),
    [
        ("UTC", "2026-11-21 12:00", 0, "2026-11-01 00:00", "2026-12-01 00:00"),
        ("UTC", "2026-11-21 12:00", 1, "2026-10-01 00:00", "2026-11-01 00:00"),
        ("UTC", "2026-11-21 12:00", 13, "2025-10-01 00:00", "2025-11-01 00:00"),
        ("UTC", "2026-03-31 23:59", 1, "2026-02-01 00:00", "2026-03-01 00:00"),
        ("Asia/Kolkata", "2026-11-30 18:30", 13, "2025-10-31 18:30", "2025-11-30 18:30"),
    ],
)
def test_months_are_counted_back_from_the_one_that_holds_now(zone, now, months, start, end):
    slots = months_back(utc(now), ZoneInfo(zone), months)
    assert (slot_start(slots.start), slot_start(slots.end)) == (utc(start), utc(end))


WEEKS = [
    ("UTC", "2026-11-21 12:00", "2026-11-16 00:00", "2026-11-23 00:00"),
    ("UTC", "2026-11-22 23:59", "2026-11-16 00:00", "2026-11-23 00:00"),
    ("UTC", "2026-11-23 00:00", "2026-11-23 00:00", "2026-11-30 00:00"),
    ("UTC", "2027-01-01 12:00", "2026-12-28 00:00", "2027-01-04 00:00"),
    ("Asia/Kathmandu", "2026-11-22 18:15", "2026-11-22 18:15", "2026-11-29 18:15"),
    ("Europe/Berlin", "2026-10-25 12:00", "2026-10-18 22:00", "2026-10-25 23:00"),
]


@pytest.mark.parametrize(("zone", "now", "start", "end"), WEEKS)
def test_weeks_begin_on_monday(zone, now, start, end):
    assert times(this_week(utc(now), ZoneInfo(zone))) == (start, end)
    assert reset_time(utc(now), ZoneInfo(zone), "week") == utc(end)


def test_the_last_seven_full_days_end_with_the_start_of_today():
    slots = last_full_days(utc("2026-10-28 12:00"), ZoneInfo("Europe/Berlin"))
    assert times(slots) == ("2026-10-20 22:00", "2026-10-27 23:00")


def test_trailing_days_hold_every_hour_of_the_day_equally_often():
    slots = trailing_days(utc("2026-11-21 12:10"))
    assert times(slots) == ("2026-10-22 12:15", "2026-11-21 12:15")


def test_reset_times_are_aware_utc():
    assert reset_time(utc("2026-11-21 12:00"), ZoneInfo("Asia/Kolkata"), "day").tzinfo is UTC


def test_a_day_that_the_calendar_skipped_is_empty():
    apia = ZoneInfo("Pacific/Apia")
    assert day_start(date(2011, 12, 30), apia) == day_start(date(2011, 12, 31), apia)


@given(zones, moments)
def test_the_days_of_a_month_tile_it_without_gap_or_overlap(zone, now):
    month = this_month(now, zone)
    day = now.astimezone(zone).date().replace(day=1)
    start = month.start
    while start < month.end:
        assert day_start(day, zone) == start
        day += timedelta(days=1)
        assert 92 <= day_start(day, zone) - start <= 100
        start = day_start(day, zone)
    assert start == month.end
    assert day.day == 1


@given(zones, moments)
def test_every_period_holds_now_and_begins_where_the_one_before_ends(zone, now):
    for period in (today, this_week, this_month):
        slots = period(now, zone)
        assert slots.start <= slot_of(now) < slots.end
        before = slot_start(slots.start) - timedelta(seconds=1)
        assert period(before, zone).end == slots.start
    assert previous_month(now, zone).end == this_month(now, zone).start
    assert last_full_days(now, zone).end == today(now, zone).start


@given(zones, moments)
def test_a_day_begins_on_the_border_of_a_slot(zone, now):
    start = slot_start(today(now, zone).start)
    day = now.astimezone(zone).date()
    assert start.astimezone(zone).date() == day
    assert (start - timedelta(microseconds=1)).astimezone(zone).date() < day


@given(zones, moments)
def test_a_reset_is_the_end_of_its_period(zone, now):
    assert slot_of(reset_time(now, zone, "day")) == today(now, zone).end
    assert slot_of(reset_time(now, zone, "week")) == this_week(now, zone).end
    assert slot_of(reset_time(now, zone, "month")) == this_month(now, zone).end


NOON = slot_of(utc("2026-09-01 12:00"))
MIDNIGHT = slot_of(utc("2026-09-02 00:00"))


def test_a_range_is_split_at_the_utc_midnights_of_given_days():
    slots = SlotRange(NOON, MIDNIGHT + 200)
    days = frozenset({date(2026, 9, 2), date(2026, 9, 4), date(2026, 8, 1)})
    assert split_at(slots, days) == [
        SlotRange(NOON, MIDNIGHT),
        SlotRange(MIDNIGHT, MIDNIGHT + 192),
        SlotRange(MIDNIGHT + 192, MIDNIGHT + 200),
    ]


def test_a_midnight_at_either_end_of_a_range_does_not_split_it():
    slots = SlotRange(MIDNIGHT, MIDNIGHT + 96)
    assert split_at(slots, frozenset({date(2026, 9, 2), date(2026, 9, 3)})) == [slots]
    assert split_at(slots, frozenset()) == [slots]


def test_an_empty_range_has_no_parts():
    assert split_at(SlotRange(NOON, NOON), frozenset({date(2026, 9, 1)})) == []
    assert constant_offset_parts(SlotRange(NOON, NOON), ZoneInfo("UTC")) == []


def test_a_range_is_split_where_the_clock_changes():
    lord_howe = ZoneInfo("Australia/Lord_Howe")
    slots = SlotRange(*map(slot_of, [utc("2026-10-01 00:00"), utc("2026-10-10 00:00")]))
    change = slot_of(utc("2026-10-03 15:30"))
    assert constant_offset_parts(slots, lord_howe) == [
        (SlotRange(slots.start, change), 42),
        (SlotRange(change, slots.end), 44),
    ]


def test_both_clock_changes_of_one_range_are_found():
    casablanca = ZoneInfo("Africa/Casablanca")  # an hour back during Ramadan
    slots = SlotRange(*map(slot_of, [utc("2026-02-01 00:00"), utc("2026-04-01 00:00")]))
    assert [
        (*times(part), offset) for part, offset in constant_offset_parts(slots, casablanca)
    ] == [
        ("2026-02-01 00:00", "2026-02-15 02:00", 4),
        ("2026-02-15 02:00", "2026-03-22 02:00", 0),
        ("2026-03-22 02:00", "2026-04-01 00:00", 4),
    ]


@given(zones, moments, st.integers(1, 4000))
@example(ZoneInfo("Europe/Berlin"), utc("2026-10-24 00:00"), 192)
@example(ZoneInfo("Europe/Berlin"), utc("2026-10-25 00:45"), 2)
def test_the_hour_of_every_slot_follows_from_its_parts_offset(zone, now, length):
    slots = SlotRange(slot_of(now), slot_of(now) + length)
    parts = constant_offset_parts(slots, zone)
    covered = [slot for part, _ in parts for slot in range(*part)]
    assert covered == list(range(*slots))
    for part, offset in parts:
        for slot in {part.start, part.end - 1, (part.start + part.end) // 2}:
            assert ((slot + offset) // 4) % 24 == slot_start(slot).astimezone(zone).hour
