"""Limits held against usage, with numbers worked out by hand."""

from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter import config
from exporter.interpretation.limits import GroupUsage, evaluate
from exporter.interpretation.measures import Labels, Measures
from exporter.usage import slot_of

ZONE = ZoneInfo("UTC")
BERLIN = ZoneInfo("Europe/Berlin")
NONE = Measures()
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)  # a Saturday; 9.5 days of November are left
LONG_AGO = slot_of(datetime(2026, 1, 1, tzinfo=UTC))


def limit(**settings):
    given = {"name": "budget", "measure": "cost_usd", "period": "month", "threshold": 500}
    return config.Limit.model_validate(given | settings)


def cost(amount):
    return Measures(cost_usd=Decimal(amount), requests=1)


def group(day=NONE, week=NONE, month=NONE, last_7_days=NONE, first=LONG_AGO, **labels):
    return GroupUsage(Labels(**labels), day, week, month, last_7_days, first)


def only(limits, usage, now=NOON, zone=ZONE):
    (state,) = evaluate([limits], usage, now, zone)
    return state


def test_a_limit_without_usage_stands_at_zero():
    state = only(limit(match={"application": "Crm"}), [])
    assert state.name == "budget"
    assert state.labels == Labels(application="Crm")
    assert (state.measure, state.period, state.threshold) == ("cost_usd", "month", 500)
    assert (state.used, state.ratio, state.projected_ratio) == (0, 0, None)
    assert state.reset == datetime(2026, 12, 1, tzinfo=UTC)


def test_usage_is_summed_over_all_label_sets_that_match():
    usage = [
        group(month=cost("100.25"), application="Crm", user="alice", region="us-east-1"),
        group(month=cost("24.75"), application="Crm", user="bob", region="eu-west-1"),
        group(month=cost("999"), application="Ads", user="alice"),
    ]
    state = only(limit(match={"application": "Crm"}), usage)
    assert state.used == Decimal("125.00")
    assert state.ratio == Decimal("0.25")
    assert state.labels == Labels(application="Crm")


def test_a_ratio_may_exceed_one():
    assert only(limit(threshold=10), [group(month=cost(25))]).ratio == Decimal("2.5")


def test_a_limit_that_matches_nothing_in_particular_holds_for_everything():
    usage = [group(month=cost(1), application="Crm"), group(month=cost(2), application="Ads")]
    state = only(limit(), usage)
    assert state.used == 3
    assert state.labels == Labels()


def test_several_values_match_each_and_are_joined_in_order():
    usage = [
        group(month=cost(1), region="us-east-1", application="Crm"),
        group(month=cost(2), region="eu-west-1", application="Crm"),
        group(month=cost(4), region="eu-west-3", application="Crm"),
        group(month=cost(8), region="us-east-1", application="Ads"),
    ]
    state = only(limit(match={"region": ["us-east-1", "eu-west-1"], "application": "Crm"}), usage)
    assert state.used == 3
    assert state.labels == Labels(region="eu-west-1|us-east-1", application="Crm")


def test_the_values_of_a_label_stand_in_order_whatever_that_of_the_configuration():
    regions = ["us-west-2", "eu-west-3", "ap-south-1", "us-east-1", "eu-west-1", "ca-central-1"]
    assert only(limit(match={"region": regions}), []).labels.region == (
        "ap-south-1|ca-central-1|eu-west-1|eu-west-3|us-east-1|us-west-2"
    )


def test_a_match_is_exact():
    usage = [group(month=cost(1), user="Alice"), group(month=cost(2), user="alice2")]
    assert only(limit(match={"user": "alice"}), usage).used == 0


def test_by_makes_one_limit_a_value():
    usage = [
        group(month=cost(1), user="bob", region="us-east-1"),
        group(month=cost(2), user="alice", region="us-east-1"),
        group(month=cost(4), user="bob", region="eu-west-1"),
    ]
    states = evaluate([limit(by=["user"])], usage, NOON, ZONE)
    assert [(state.labels, state.used) for state in states] == [
        (Labels(user="alice"), 2),
        (Labels(user="bob"), 5),
    ]


def test_match_and_by_together():
    usage = [
        group(month=cost(1), application="Crm", user="bob", model="m1"),
        group(month=cost(2), application="Crm", user="bob", model="m2"),
        group(month=cost(4), application="Ads", user="bob", model="m1"),
    ]
    states = evaluate(
        [limit(match={"application": ["Crm", "Web"]}, by=["model", "user"])], usage, NOON, UTC
    )
    assert [(state.labels, state.used) for state in states] == [
        (Labels(application="Crm|Web", user="bob", model="m1"), 1),
        (Labels(application="Crm|Web", user="bob", model="m2"), 2),
    ]


@pytest.mark.parametrize(
    ("used", "seen"),
    [
        ({"day": cost(1), "week": cost(1), "month": cost(1)}, True),
        ({"week": cost(1), "month": cost(1)}, True),  # not today, but this month
        ({"week": cost(1)}, False),  # a week that began last month says nothing of today
        ({"last_7_days": cost(1)}, False),
        ({"month": Measures(requests=1)}, True),  # of another measure
    ],
)
def test_by_makes_a_limit_for_what_was_used_in_this_period_or_month(used, seen):
    states = evaluate([limit(by=["user"], period="day")], [group(user="a", **used)], NOON, ZONE)
    assert bool(states) is seen


def test_a_value_seen_only_this_week_has_a_weekly_limit():
    states = evaluate([limit(by=["user"], period="week")], [group(week=cost(1))], NOON, ZONE)
    assert [state.used for state in states] == [1]


@pytest.mark.parametrize("measure", ["requests", "tokens", "request_errors"])
def test_usage_that_costs_nothing_is_seen_too(measure):
    usage = [group(week=Measures(**{measure: 1}), user="a")]
    assert len(evaluate([limit(by=["user"], period="week")], usage, NOON, ZONE)) == 1


@pytest.mark.parametrize("order", [1, -1])
def test_a_value_is_seen_when_any_of_its_label_sets_is(order):
    usage = [group(last_7_days=cost(7), user="a", model="old"), group(month=cost(1), user="a")]
    states = evaluate([limit(by=["user"])], usage[::order], NOON, ZONE)
    assert [state.used for state in states] == [1]


def test_by_without_usage_makes_no_limit():
    assert evaluate([limit(by=["user"])], [], NOON, ZONE) == []


AMOUNTS = Measures(Decimal("1.5"), 2, 3, 4, 5, 6, 7, 8)


@pytest.mark.parametrize(
    ("measure", "used"),
    [
        ("cost_usd", Decimal("1.5")),
        ("tokens", 2),
        ("input_tokens", 3),
        ("output_tokens", 4),
        ("cache_read_tokens", 5),
        ("cache_write_tokens", 6),
        ("requests", 7),
        ("request_errors", 8),
    ],
)
def test_each_measure_is_its_own(measure, used):
    state = only(limit(measure=measure, threshold=2), [group(month=AMOUNTS)])
    assert (state.used, state.ratio) == (used, Decimal(used) / 2)
    assert state.measure == measure


@pytest.mark.parametrize(
    ("period", "used", "reset"),
    [
        ("day", 1, datetime(2026, 11, 22, tzinfo=UTC)),
        ("week", 2, datetime(2026, 11, 23, tzinfo=UTC)),
        ("month", 4, datetime(2026, 12, 1, tzinfo=UTC)),
    ],
)
def test_each_period_has_its_usage_and_its_reset(period, used, reset):
    usage = [group(day=cost(1), week=cost(2), month=cost(4))]
    state = only(limit(period=period), usage)
    assert (state.used, state.reset, state.period) == (used, reset, period)


def test_states_come_in_the_order_of_the_configuration():
    limits = [limit(name="z"), limit(name="a", period="day"), limit(name="m")]
    assert [state.name for state in evaluate(limits, [], NOON, ZONE)] == ["z", "a", "m"]


def test_usage_may_be_read_once_only():
    usage = [group(month=cost(1), user="a")]
    limits = [limit(), limit(by=["user"])]
    assert [state.used for state in evaluate(limits, iter(usage), NOON, ZONE)] == [1, 1]


def at(text):
    return datetime.fromisoformat(text)


PROJECTIONS = {
    # case: now, zone, period, first usage, used, last 7 full days, projected
    "a month: 300 + 9.5 days of 70/7": (
        "2026-11-21T12:00Z", ZONE, "month", "2026-01-01T00:00Z", 300, 70, "395"),
    "a week: 30 + 1.5 days of 10": (
        "2026-11-21T12:00Z", ZONE, "week", "2026-01-01T00:00Z", 30, 70, "45"),
    "a day: 2 + 0.5 days of 10": (
        "2026-11-21T12:00Z", ZONE, "day", "2026-01-01T00:00Z", 2, 70, "7"),
    "a quarter of an hour before the month ends: 300 + 70/7/96": (
        "2026-11-30T23:45Z", ZONE, "month", "2026-01-01T00:00Z", 300, 672, "301"),
    "the first moment of a month: 0 + 31 days of 10": (
        "2026-12-01T00:00Z", ZONE, "month", "2026-01-01T00:00Z", 0, 70, "310"),
    "no usage in the last 7 days: what is used": (
        "2026-11-21T12:00Z", ZONE, "month", "2026-01-01T00:00Z", 300, 0, "300"),
    "exactly 7 full days: mean of 7": (
        "2026-11-21T12:00Z", ZONE, "day", "2026-11-14T00:00Z", 2, 70, "7"),
    "4 days of history: mean over 4, 0 + 9.5 days of 20/4": (
        "2026-11-21T12:00Z", ZONE, "month", "2026-11-17T00:00Z", 20, 20, "67.5"),
    "2.5 days of history: mean over 2.5, 20 + 9.5 days of 20/2.5": (
        "2026-11-21T12:00Z", ZONE, "month", "2026-11-18T12:00Z", 20, 20, "96"),
    "half a day before today: mean over 1, 20 + 9.5 days of 20": (
        "2026-11-21T12:00Z", ZONE, "month", "2026-11-20T12:00Z", 20, 20, "210"),
    "less than 24 hours": (
        "2026-11-21T12:00Z", ZONE, "month", "2026-11-20T12:15Z", 20, 20, None),
    "only today": ("2026-11-21T12:00Z", ZONE, "month", "2026-11-21T03:00Z", 20, 0, None),
    # 25 October 2026 has 25 hours in Berlin; at 12:00 (11:00Z) 12 hours of it are left
    "a day of 25 hours at noon: 2 + 0.5 days of 10": (
        "2026-10-25T11:00Z", BERLIN, "day", "2026-01-01T00:00Z", 2, 70, "7"),
    "a day of 25 hours, its first moment: 0 + 25/24 days of 24": (
        "2026-10-24T22:00Z", BERLIN, "day", "2026-01-01T00:00Z", 0, 168, "25"),
    "a day of 23 hours, its first moment: 0 + 23/24 days of 24": (
        "2026-03-28T23:00Z", BERLIN, "day", "2026-01-01T00:00Z", 0, 168, "23"),
    # 20 October 00:00 to 1 November 00:00 are 12 days and an hour
    "a month in which the clock changes: 0 + 289/24 days of 24": (
        "2026-10-19T22:00Z", BERLIN, "month", "2026-01-01T00:00Z", 0, 168, "289"),
    "7 full days with 25 hours in them are still 7": (
        "2026-10-27T23:00Z", BERLIN, "day", "2026-01-01T00:00Z", 0, 70, "10"),
    # local midnight in Kathmandu is 18:15Z
    "a zone of quarter-hours: 1 + 0.25 days of 8": (
        "2026-11-21T12:15Z", ZoneInfo("Asia/Kathmandu"), "day", "2026-01-01T00:00Z", 1, 56, "3"),
}  # fmt: skip


@pytest.mark.parametrize("case", PROJECTIONS)
def test_a_projection_adds_what_is_left_at_the_mean_of_the_last_full_days(case):
    now, zone, period, first, used, last_7_days, projected = PROJECTIONS[case]
    usage = [group(**{period: cost(used)}, last_7_days=cost(last_7_days), first=slot_of(at(first)))]
    state = only(limit(period=period, threshold=1), usage, at(now), zone)
    assert state.projected_ratio == (None if projected is None else Decimal(projected))


def test_a_projection_is_held_against_the_threshold():
    usage = [group(month=cost(300), last_7_days=cost(70))]
    assert only(limit(threshold=500), usage).projected_ratio == Decimal("0.79")


def test_a_projection_counts_tokens_too():
    usage = [group(month=Measures(tokens=300), last_7_days=Measures(tokens=70))]
    state = only(limit(measure="tokens", threshold=100), usage)
    assert state.projected_ratio == Decimal("3.95")


def test_the_history_of_a_group_begins_with_its_earliest_label_set():
    recent = slot_of(at("2026-11-21T11:00Z"))
    usage = [
        group(month=cost(1), user="alice", model="new", first=recent),
        group(month=cost(1), user="alice", model="old", last_7_days=cost(7)),
        group(month=cost(1), user="bob", model="new", first=recent),
    ]
    alice, bob = evaluate([limit(by=["user"], threshold=1)], usage, NOON, ZONE)
    assert alice.projected_ratio == Decimal("11.5")  # 2 + 9.5 x 1
    assert bob.projected_ratio is None


def test_measures_add_field_by_field():
    assert AMOUNTS.plus(AMOUNTS) == Measures(Decimal(3), 4, 6, 8, 10, 12, 14, 16)
    assert NONE.plus(AMOUNTS) == AMOUNTS


names = st.sampled_from(["a", "b", "c"])
groups = st.builds(
    group,
    month=st.builds(Measures, cost_usd=st.decimals(0, 100, places=6), requests=st.just(1)),
    last_7_days=st.builds(Measures, cost_usd=st.decimals(0, 100, places=6)),
    application=names,
    user=names,
    region=names,
)


@given(st.lists(groups, max_size=20), st.sets(st.sampled_from(["application", "user", "region"])))
def test_however_a_limit_is_split_its_parts_add_up_to_the_whole(usage, by):
    whole = only(limit(threshold=1), usage)
    parts = evaluate([limit(threshold=1, by=sorted(by))], usage, NOON, ZONE)
    assert sum(part.used for part in parts) == whole.used
    projected = sum(part.projected_ratio or 0 for part in parts)
    assert abs(projected - (whole.projected_ratio or 0)) < Decimal("1e-20")
