"""Report lines as usage that limits are set on; known by whole days, and late."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from assistant_builders import ANN, BOB, activity, credits
from exporter import config
from exporter.assistant_usage import ACTIVITIES, Reported
from exporter.interpretation.limits import evaluate
from exporter.interpretation.measures import Labels
from exporter.interpretation.report_usage import group_lines
from exporter.usage import slot_of
from usage_builders import ACCOUNT, REGION

CLEO = "cleo"
TODAY = date(2026, 11, 20)  # a Friday
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
ZONE = ZoneInfo("UTC")
DAY = timedelta(days=1)
DEV = ACTIVITIES.index("dev_generation_event_count")


def lines(*rows):
    return [Reported(ACCOUNT, REGION, row) for row in rows]


def dev(back, count, user=ANN):
    return activity(TODAY - back * DAY, user, dev_generation_event_count=count)


def state(limit, groups, now=NOW, zone=ZONE):
    (only,) = evaluate(
        [config.Limit.model_validate({"name": "a", "period": "month", **limit})],
        groups,
        now,
        zone,
        ACTIVITIES,
        is_told_by_days=True,
    )
    return only


def grouped(*rows, today=TODAY, name_of=str):
    return group_lines(lines(*rows), today, name_of, ACTIVITIES)


def dev_limit(**changes):
    measure = "dev_generation_event_count"
    return {"product": "qdeveloper", "measure": measure, "threshold": 30, **changes}


def test_each_period_has_its_days():
    # Thursday, Monday, last Sunday, 8 days before the newest, and the month before
    rows = dev(1, 1), dev(4, 10), dev(5, 100), dev(9, 1000), dev(20, 10_000)
    (group,) = grouped(*rows)
    assert (group.day[DEV], group.week[DEV], group.month[DEV]) == (0, 11, 1111)
    assert group.last_7_days[DEV] == 111
    assert group.first_slot == slot_of(datetime(2026, 10, 31, tzinfo=UTC))
    assert group.known_until == date(2026, 11, 19)


def test_only_the_measures_that_are_asked_for_are_added_up():
    (group,) = group_lines(lines(dev(1, 5)), TODAY, str, ["dev_generation_event_count"])
    assert group.month == (5,)


def test_a_day_that_is_yet_to_come_is_left_out():
    assert grouped(dev(-1, 1)) == []


def test_users_left_out_have_no_usage():
    assert grouped(dev(1, 1), name_of=lambda _: None) == []


def test_an_account_is_known_until_its_own_newest_day():
    """Who is left out tells how far the reports reach, too."""
    late = Reported("444455556666", REGION, dev(7, 1, CLEO))
    reports = [*lines(dev(3, 1), dev(1, 1, BOB)), late]
    names = {ANN: "ann", CLEO: "cleo"}.get
    found = {
        group.labels.account_id: group.known_until
        for group in group_lines(reports, TODAY, names, ACTIVITIES)
    }
    assert found == {ACCOUNT: date(2026, 11, 19), "444455556666": date(2026, 11, 13)}


def test_users_that_privacy_has_made_one_are_in_every_place_at_once():
    """In one account the 14th is the newest day, in the other the 19th."""
    late = Reported("444455556666", REGION, dev(6, 1, "unknown"))
    groups = group_lines([*lines(dev(1, 1, "unknown")), late], TODAY, str, ACTIVITIES)
    found = {group.labels.account_id: group.known_until for group in groups}
    assert found == {ACCOUNT: date(2026, 11, 19), "444455556666": date(2026, 11, 14)}


def test_what_no_report_told_for_a_week_is_known_until_be_nothing():
    (group,) = grouped(dev(14, 1))
    assert group.known_until == date(2026, 11, 13)
    assert (group.month[DEV], group.last_7_days[DEV]) == (1, 0)


def test_a_limit_on_what_has_been_given_up_is_not_projected_to_be_reached():
    limit = state(dev_limit(), grouped(*(dev(back, 30) for back in range(50, 80))))
    assert (limit.used, limit.projected_ratio) == (0, 0)


@pytest.mark.parametrize("order", [1, -1])
def test_a_user_who_moved_to_another_region_is_projected_from_the_new_one(order):
    """One /dev a day on 1 to 15 November in one region, then in another: 19 + 11 to come."""
    moved = [
        Reported(ACCOUNT, REGION if day < 16 else "eu-west-1", dev(20 - day, 1))
        for day in range(1, 20)
    ]
    limit = state(dev_limit(by=["user"]), group_lines(moved[::order], TODAY, str, ACTIVITIES))
    assert (limit.used, limit.projected_ratio) == (19, 1)


def test_a_month_is_projected_from_the_end_of_the_newest_day():
    """14 in 7 days is 2 a day; the 18th is reported, so 12 days of November are to come."""
    found = state(dev_limit(), grouped(*[dev(back, 2) for back in range(2, 9)]))
    assert found.used == 14
    assert found.projected_ratio == Decimal(14 + 24) / 30
    assert found.reset == datetime(2026, 12, 1, tzinfo=UTC)


def test_a_user_of_one_day_is_projected_from_that_day():
    found = state(dev_limit(match={"user": BOB}), grouped(dev(1, 3), dev(1, 1, BOB)))
    assert (found.used, found.projected_ratio) == (1, Decimal(1 + 11) / 30)


def test_a_report_of_today_leaves_only_the_days_after_it():
    assert state(dev_limit(threshold=10), grouped(dev(0, 1))).projected_ratio == Decimal(11) / 10


@pytest.mark.parametrize("newest", [28, 24])
def test_days_before_the_period_that_are_not_told_are_none_of_it(newest):
    """10 a day: on 1 December 31 days are to come, though November's reports are late by days."""
    today = date(2026, 12, 1)
    rows = [
        activity(date(2026, 11, day), ANN, dev_generation_event_count=10)
        for day in range(newest - 9, newest + 1)
    ]
    now = datetime(2026, 12, 1, 3, tzinfo=UTC)
    found = state(dev_limit(threshold=310), grouped(*rows, today=today), now)
    assert (found.used, found.projected_ratio) == (0, 1)


@pytest.mark.parametrize("zone", ["UTC", "Pacific/Auckland", "America/Los_Angeles"])
def test_the_days_of_a_month_are_those_of_utc_in_every_zone(zone):
    """10 a day, of 30 days: the zone tells which month is this one, and nothing more."""
    rows = [dev(back, 10) for back in range(1, 20)]
    now = datetime(2026, 11, 20, 20, tzinfo=UTC)
    today = now.astimezone(ZoneInfo(zone)).date()
    found = state(dev_limit(threshold=300), grouped(*rows, today=today), now, ZoneInfo(zone))
    assert (found.used, found.projected_ratio) == (190, 1)
    assert found.reset == datetime(2026, 12, 1, tzinfo=UTC)


def test_a_week_is_projected_from_its_monday_at_the_earliest():
    """10 a day to last Friday; on Wednesday all 7 days of this week are to come."""
    rows = [
        activity(date(2026, 11, day), ANN, dev_generation_event_count=10) for day in range(1, 14)
    ]
    now = datetime(2026, 11, 18, 12, tzinfo=UTC)
    found = state(dev_limit(threshold=100, period="week"), grouped(*rows, today=now.date()), now)
    assert (found.used, found.projected_ratio) == (0, Decimal("0.7"))


def test_credits_of_every_client_and_region_add_up_exactly():
    rows = (
        credits("0.1", day=TODAY - DAY, overage="0.05"),
        credits("0.2", day=TODAY - DAY, client_type="KIRO_CLI", messages=[("auto", 4)]),
    )
    (group,) = group_lines(lines(*rows), TODAY, str, config.CREDIT_MEASURES)
    assert group.labels == Labels(ACCOUNT, REGION, user=ANN)
    assert group.month == (Decimal("0.3"), Decimal("0.05"), 4)
    assert config.CREDIT_MEASURES == ("credits", "overage_credits", "messages")
