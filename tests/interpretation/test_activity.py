"""What activity reports say of users, with numbers worked out by hand."""

from collections import Counter
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.assistant_usage import ACTIVITIES, Activity, Credits, Product, Reported
from exporter.interpretation.activity import ActivityKey, UserKey, summarise_activity
from exporter.interpretation.measures import Labels

TODAY = date(2026, 11, 21)
NEWEST = date(2026, 11, 20)  # ten days of November are left
CHAT = "chat_messages_sent"
LINES = "chat_ai_code_lines"


def november(day):
    return date(2026, 11, day)


def line(day, user="alice", account="111122223333", region="us-east-1", product="qdeveloper", **n):
    counts = tuple(sorted(n.items()))
    return Reported(account, region, Activity(day, Product(product), user, counts))


def chats(user="alice", **days):
    """Lines of so many chats on days of November: chats(d02=5)."""
    return [line(november(int(day[1:])), user, chat_messages_sent=n) for day, n in days.items()]


def key(activity, user="alice", account="111122223333", region="us-east-1", product="qdeveloper"):
    return ActivityKey(Labels(account, region, user=user), Product(product), activity)


def summarise(lines, today=TODAY, name_of=str):
    return summarise_activity(lines, today, name_of)


def user_of(lines, today=TODAY, name="alice", product="qdeveloper"):
    return summarise(lines, today).users[UserKey(name, Product(product))]


def test_without_lines_there_is_nothing():
    figures = summarise([])
    assert (figures.today, figures.latest_day) == ({}, {})
    assert (figures.month, figures.users) == ({}, {})


def test_the_month_has_the_days_of_this_calendar_month():
    lines = [
        line(date(2026, 10, 31), chat_messages_sent=100),
        line(november(1), chat_messages_sent=3, chat_ai_code_lines=7),
        line(NEWEST, chat_messages_sent=4),
    ]
    assert summarise(lines).month == {key(CHAT): 7, key(LINES): 7}


def test_accounts_regions_users_and_products_stay_apart():
    lines = [
        line(NEWEST, chat_messages_sent=1),
        line(NEWEST, account="444455556666", chat_messages_sent=2),
        line(NEWEST, region="eu-west-1", chat_messages_sent=3),
        line(NEWEST, "bob", chat_messages_sent=4),
        line(NEWEST, product="kiro", chat_messages_sent=5),
    ]
    assert summarise(lines).month == {
        key(CHAT): 1,
        key(CHAT, account="444455556666"): 2,
        key(CHAT, region="eu-west-1"): 3,
        key(CHAT, "bob"): 4,
        key(CHAT, product="kiro"): 5,
    }


def test_today_is_absent_until_a_report_of_it_comes():
    assert summarise(chats(d20=5)).today == {}
    assert summarise(chats(d20=5, d21=6)).today == {key(CHAT): 6}


def test_the_latest_day_is_the_newest_that_any_line_of_the_product_speaks_of():
    lines = [*chats(d19=5), *chats("bob", d20=6), line(november(18), product="kiro", dev=7)]
    figures = summarise(lines)
    assert figures.latest_day == {
        key(CHAT): 0,
        key(CHAT, "bob"): 6,
        key("dev", product="kiro"): 7,
    }


def test_the_latest_day_may_be_one_of_the_month_before():
    figures = summarise([line(date(2026, 10, 31), chat_messages_sent=5)], today=november(1))
    assert figures.latest_day == {key(CHAT): 5}
    assert figures.month == {}


def test_the_latest_day_is_of_the_last_week():
    lines = [
        line(TODAY - timedelta(days=7), "late", account="444455556666", chat_messages_sent=5),
        line(TODAY - timedelta(days=8), "gone", account="777788889999", chat_messages_sent=6),
    ]
    assert summarise(lines).latest_day == {key(CHAT, "late", account="444455556666"): 5}


def test_users_seen_are_those_with_a_line_of_this_month():
    lines = [
        line(date(2026, 10, 31), "before", chat_messages_sent=1),
        line(november(1), "idle"),
        line(november(2), chat_messages_sent=1),
    ]
    assert {user for user, _ in summarise(lines).seen} == {"idle", "alice"}


def test_an_activity_of_this_month_stays_at_0():
    lines = [line(november(2), chat_messages_sent=1, chat_ai_code_lines=9), *chats(d20=2, d21=3)]
    figures = summarise(lines)
    assert figures.latest_day == {key(CHAT): 3, key(LINES): 0}
    assert figures.today == {key(CHAT): 3, key(LINES): 0}


def test_each_account_has_a_latest_day_of_its_own():
    elsewhere = line(november(19), account="444455556666", chat_messages_sent=5)
    assert summarise([elsewhere, *chats(d20=6)]).latest_day == {
        key(CHAT): 6,
        key(CHAT, account="444455556666"): 5,
    }


def test_a_line_of_a_day_after_today_is_left_out():
    figures = summarise(chats(d20=5, d22=6))
    assert figures.month == {key(CHAT): 5}


def test_lines_of_credit_reports_are_left_out():
    credits = Credits(
        NEWEST, "alice", "KIRO_IDE", "PRO", Decimal(1), Decimal(0), False, None, None, 1, 1, ()
    )
    assert summarise([Reported("111122223333", "us-east-1", credits)]).users == {}


def test_a_user_left_out_has_no_figures_but_its_days_are_reported():
    names = {"alice": "Alice", "bob": None}
    figures = summarise([*chats(d18=5), *chats("bob", d20=6)], name_of=names.get)
    assert figures.month == {key(CHAT, "Alice"): 5}
    assert figures.users.keys() == {UserKey("Alice", Product.QDEVELOPER)}
    assert figures.users[UserKey("Alice", Product.QDEVELOPER)].idle_days == 2


def test_ids_of_one_name_are_one_user():
    figures = summarise([*chats("a1", d20=5), *chats("a2", d20=6)], name_of=lambda user: "alice")
    assert figures.month == {key(CHAT): 11}
    assert figures.users[UserKey("alice", Product.QDEVELOPER)].daily_max == 11


def test_an_activity_from_a_header_becomes_a_label_on_one_line():
    lines = [line(NEWEST, **{"new\nactivity": 1, "new activity": 2})]
    assert summarise(lines).month == {key("new activity"): 3}


def test_ten_of_the_activities_are_events():
    assert user_of([line(NEWEST, **dict.fromkeys(ACTIVITIES, 1))]).daily_max == 10


@pytest.mark.parametrize(
    "activity",
    [
        "chat_messages_sent",
        "inline_suggestions_count",
        "inline_chat_total_event_count",
        "dev_generation_event_count",
        "test_generation_event_count",
        "doc_generation_event_count",
        "code_review_succeeded_event_count",
        "code_review_failed_event_count",
        "code_fix_generation_event_count",
        "transformation_event_count",
    ],
)
def test_an_event_counts_as_one(activity):
    assert activity in ACTIVITIES
    assert user_of([line(NEWEST, **{activity: 3})]).daily_max == 3


def test_what_came_of_events_is_no_event():
    alice = user_of([line(NEWEST, inline_acceptance_count=5, chat_ai_code_lines=80)])
    assert (alice.daily_mean, alice.daily_max, alice.daily_min) == (None, None, None)


def test_pace_is_that_of_this_months_days_with_events():
    before = line(date(2026, 10, 31), chat_messages_sent=1000)
    alice = user_of([before, line(november(3)), *chats(d01=2, d02=4, d20=9)])
    assert (alice.daily_mean, alice.daily_max, alice.daily_min) == (5, 9, 2)


def test_a_mean_need_not_be_whole():
    assert user_of(chats(d01=1, d02=2)).daily_mean == Decimal("1.5")


def test_a_day_of_a_user_is_summed_over_accounts_and_regions():
    lines = [
        line(NEWEST, chat_messages_sent=2),
        line(NEWEST, account="444455556666", dev_generation_event_count=3),
        line(NEWEST, region="eu-west-1", inline_suggestions_count=4),
    ]
    alice = user_of(lines)
    assert (alice.daily_mean, alice.daily_max, alice.daily_min) == (9, 9, 9)


@pytest.mark.parametrize(
    ("today", "days", "projected"),
    [
        # 26 so far; the last 7 days, from the 14th on, have 21: 3 a day for 10 days
        pytest.param("2026-11-21", {"11-02": 5, "11-14": 7, "11-20": 14}, 26 + 30, id="7 days"),
        # the 13th is no longer among the last 7
        pytest.param("2026-11-21", {"11-13": 70, "11-20": 14}, 84 + 20, id="8 days"),
        # 9 in the 3 days since the first report
        pytest.param("2026-11-21", {"11-18": 6, "11-20": 3}, 9 + 30, id="3 days"),
        pytest.param("2026-11-21", {"11-20": 4}, 4 + 40, id="1 day"),
        # reports of November are still to come: 30 days at 2
        pytest.param("2026-11-01", {"10-20": 50, "10-31": 14}, 60, id="month before"),
        # the week reaches back into October: 7 so far, 21 in 7 days, 28 days left
        pytest.param("2026-11-03", {"10-20": 1, "10-28": 14, "11-02": 7}, 7 + 84, id="two months"),
        pytest.param("2026-11-30", {"11-30": 4}, 4, id="last day"),
        # a first report without events counts as a day: 6 in 2 days
        pytest.param("2026-11-21", {"11-19": 0, "11-20": 6}, 6 + 30, id="no events"),
        pytest.param("2028-02-28", {"02-27": 7}, 7 + 14, id="leap year"),
    ],
)
def test_the_projection_is_the_reported_and_the_mean_for_each_day_left(today, days, projected):
    lines = [
        line(date.fromisoformat(f"{today[:4]}-{day}"), **({CHAT: events} if events else {}))
        for day, events in days.items()
    ]
    assert user_of(lines, date.fromisoformat(today)).projected_month == projected


def test_days_on_which_others_are_reported_count_as_0():
    # 7 in the 7 days up to the newest report, which is not alice's
    lines = [*chats(d14=7), *chats("bob", d20=1)]
    assert user_of(lines).projected_month == 7 + 10


def test_a_user_silent_for_the_last_days_is_expected_to_stay_so():
    assert user_of([*chats(d02=5), *chats("bob", d20=1)]).projected_month == 5


def test_a_user_long_silent_has_no_projection():
    lines = [line(date(2026, 10, 5), chat_messages_sent=9), *chats("bob", d20=1)]
    assert user_of(lines).projected_month is None


@pytest.mark.parametrize(
    ("days", "ratio"),
    [
        pytest.param({20: 20, 19: 2, 18: 4, 17: 6}, 5, id="3 days"),
        pytest.param({20: 20, 19: 2, 18: 4}, None, id="2 days"),
        pytest.param({20: 20, 19: 2, 18: 4, 17: 0}, None, id="a day without events"),
        pytest.param({20: 2, 19: 4, 18: 4, 1: 4}, Decimal("0.5"), id="less than before"),
        # 30 days before November 20th is October 21st
        pytest.param({20: 20, 19: 2, 18: 4, -10: 6}, 5, id="30 days before"),
        pytest.param({20: 20, 19: 2, 18: 4, -11: 6}, None, id="31 days before"),
    ],
)
def test_a_spike_is_measured_against_the_active_days_before(days, ratio):
    lines = [
        line(date(2026, 10, 31) + timedelta(days=day), **({CHAT: events} if events else {}))
        for day, events in days.items()
    ]
    assert user_of(lines).spike_ratio == ratio


def test_a_user_without_a_line_on_the_newest_day_has_no_spike():
    assert user_of([*chats(d17=2, d18=4, d19=6), *chats("bob", d20=1)]).spike_ratio == 0


def test_a_user_is_idle_since_the_last_day_with_any_activity():
    lines = [line(november(15), inline_acceptance_count=1), line(november(18)), *chats("b", d20=1)]
    assert user_of(lines).idle_days == 5
    assert user_of(lines, name="b").idle_days == 0


@pytest.mark.parametrize("order", [1, -1])
def test_activity_in_one_region_is_activity(order):
    lines = [*chats(d15=1), *chats(d18=1), line(november(18), region="eu-west-1")]
    assert user_of([*lines[::order], *chats("bob", d20=1)]).idle_days == 2


def test_a_user_who_never_did_anything_is_idle_since_the_first_report():
    lines = [line(date(2026, 10, 31)), line(november(18)), *chats("bob", d20=1)]
    assert user_of(lines).idle_days == 20


@pytest.mark.parametrize(("last", "known"), [("2026-08-23", True), ("2026-08-22", False)])
def test_users_are_those_of_the_last_90_reported_days(last, known):
    lines = [line(date.fromisoformat(last), chat_messages_sent=1), *chats("bob", d20=1)]
    assert (UserKey("alice", Product.QDEVELOPER) in summarise(lines).users) is known


def test_users_of_both_products_are_measured_apart():
    lines = [line(november(14), product="kiro", chat_messages_sent=3), *chats(d20=5)]
    assert user_of(lines).daily_max == 5
    assert user_of(lines, product="kiro").daily_max == 3
    assert user_of(lines, product="kiro").idle_days == 0


some_lines = st.lists(
    st.builds(
        line,
        day=st.dates(date(2026, 9, 25), date(2026, 11, 22)),
        user=st.sampled_from(["alice", "bob", "carol"]),
        account=st.sampled_from(["111122223333", "444455556666"]),
        region=st.sampled_from(["us-east-1", "eu-west-1"]),
        product=st.sampled_from(list(Product)),
        chat_messages_sent=st.integers(1, 500),
    ),
    max_size=30,
    unique_by=lambda each: (each[:2], each.row[:3]),
)


@given(some_lines, st.randoms(use_true_random=False))
def test_the_order_of_the_lines_changes_nothing(lines, random):
    shuffled = list(lines)
    random.shuffle(shuffled)
    assert summarise(shuffled) == summarise(lines)


@given(some_lines)
def test_the_month_has_every_count_once(lines):
    days = Counter({each.row.day: 0 for each in lines})
    for each in lines:
        days[each.row.day] += each.row.counts[0][1]
    expected = sum(count for day, count in days.items() if november(1) <= day <= TODAY)
    assert sum(summarise(lines).month.values()) == expected


@given(some_lines)
def test_the_busiest_the_mean_and_the_quietest_day_are_in_order(lines):
    for user in summarise(lines).users.values():
        if user.daily_mean is not None:
            assert user.daily_min <= user.daily_mean <= user.daily_max


def test_late_reports_of_an_account_make_its_users_neither_idle_nor_slower():
    """Both did 10 a day, but the second account's reports reach to the 14th only."""
    lines = [
        *(line(november(day), chat_messages_sent=10) for day in range(1, 20)),
        *(
            line(november(day), "bob", account="444455556666", chat_messages_sent=10)
            for day in range(1, 15)
        ),
    ]
    users = summarise(lines).users
    alice, bob = (users[UserKey(user, Product.QDEVELOPER)] for user in ("alice", "bob"))
    assert (alice.idle_days, alice.projected_month, alice.spike_ratio) == (0, 300, 1)
    assert (bob.idle_days, bob.projected_month, bob.spike_ratio) == (0, 300, 1)


def test_a_user_alone_in_an_account_is_idle_once_no_report_came_for_a_week():
    lines = [
        line(TODAY - timedelta(days=7), "late", chat_messages_sent=1),
        line(TODAY - timedelta(days=40), "gone", account="444455556666", chat_messages_sent=1),
    ]
    users = summarise(lines).users
    assert {key.user: user.idle_days for key, user in users.items()} == {"late": 0, "gone": 33}


def test_a_product_that_was_given_up_has_no_spike_and_no_month_to_come():
    """10 events on each of three days and 60 on the 4th, and nothing after that."""
    given_up = chats(d01=10, d02=10, d03=10, d04=60)
    assert user_of(given_up, today=november(11)).spike_ratio == 6
    assert user_of(given_up, today=november(12)).spike_ratio == 0
    assert user_of(given_up, today=november(18)).projected_month == 90
