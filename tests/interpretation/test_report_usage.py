"""Report lines as usage that limits are set on; known by whole days, and late."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from assistant_builders import ANN, BOB, activity, credits
from exporter import config
from exporter.assistant_usage import ACTIVITIES, Reported
from exporter.interpretation.limits import evaluate
from exporter.interpretation.measures import Labels
from exporter.interpretation.report_usage import group_lines
from exporter.usage import slot_of
from usage_builders import ACCOUNT, REGION

TODAY = date(2026, 11, 20)  # a Friday
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
ZONE = ZoneInfo("UTC")
DAY = timedelta(days=1)
DEV = ACTIVITIES.index("dev_generation_event_count")


def lines(*rows):
    return [Reported(ACCOUNT, REGION, row) for row in rows]


def dev(back, count, user=ANN):
    return activity(TODAY - back * DAY, user, dev_generation_event_count=count)


def state(limit, found, measures):
    (only,) = evaluate(
        [config.Limit.model_validate({"name": "a", "period": "month", **limit})],
        found.groups,
        NOW,
        ZONE,
        measures,
        found.measured_to,
    )
    return only


def test_each_period_has_its_days():
    # Thursday, Monday, last Sunday, 8 days before the newest, and the month before
    rows = dev(1, 1), dev(4, 10), dev(5, 100), dev(9, 1000), dev(20, 10_000)
    (group,) = group_lines(lines(*rows), TODAY, str).groups
    assert (group.day[DEV], group.week[DEV], group.month[DEV]) == (0, 11, 1111)
    assert group.last_7_days[DEV] == 111
    assert group.first_slot == slot_of(datetime(2026, 10, 31, tzinfo=UTC))


def test_usage_is_known_to_the_end_of_the_newest_day():
    assert group_lines(lines(dev(2, 1)), TODAY, str).measured_to == datetime(
        2026, 11, 19, tzinfo=UTC
    )
    assert group_lines([], TODAY, str) == ([], None)


def test_a_day_that_is_yet_to_come_is_left_out():
    assert group_lines(lines(dev(-1, 1)), TODAY, str) == ([], None)


def test_users_left_out_have_no_usage():
    assert group_lines(lines(dev(1, 1)), TODAY, lambda _: None).groups == []


def test_a_month_is_projected_from_the_end_of_the_newest_day():
    """14 in 7 days is 2 a day; the 18th is reported, so 12 days of November are to come."""
    rows = [dev(back, 2) for back in range(2, 9)]
    limit = {"product": "qdeveloper", "measure": "dev_generation_event_count", "threshold": 30}
    found = state(limit, group_lines(lines(*rows), TODAY, str), ACTIVITIES)
    assert found.used == 14
    assert found.projected_ratio == Decimal(14 + 24) / 30
    assert found.reset == datetime(2026, 12, 1, tzinfo=UTC)


def test_a_user_of_one_day_is_projected_from_that_day():
    limit = {
        "product": "qdeveloper",
        "measure": "dev_generation_event_count",
        "threshold": 30,
        "match": {"user": BOB},
    }
    rows = dev(1, 3), dev(1, 1, BOB)
    found = state(limit, group_lines(lines(*rows), TODAY, str), ACTIVITIES)
    assert (found.used, found.projected_ratio) == (1, Decimal(1 + 11) / 30)


def test_a_report_of_today_leaves_only_the_days_after_it():
    limit = {"product": "qdeveloper", "measure": "dev_generation_event_count", "threshold": 10}
    found = state(limit, group_lines(lines(dev(0, 1)), TODAY, str), ACTIVITIES)
    assert found.projected_ratio == Decimal(1 + 10) / 10


def test_credits_of_every_client_and_region_add_up_exactly():
    rows = (
        credits("0.1", day=TODAY - DAY, overage="0.05"),
        credits("0.2", day=TODAY - DAY, client_type="KIRO_CLI", messages=[("auto", 4)]),
    )
    (group,) = group_lines(lines(*rows), TODAY, str).groups
    assert group.labels == Labels(ACCOUNT, REGION, user=ANN)
    assert group.month == (Decimal("0.3"), Decimal("0.05"), 4)
    assert config.CREDIT_MEASURES == ("credits", "overage_credits", "messages")
