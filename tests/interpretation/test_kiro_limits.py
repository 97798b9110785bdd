"""The credits of Kiro's users and how far they are spent, with numbers worked out by hand."""

from datetime import UTC, date, datetime
from decimal import Decimal, localcontext

import pytest
from credit_lines import ACCOUNT, credit_line, some_credit_lines
from hypothesis import given
from hypothesis import strategies as st

from exporter.interpretation.kiro_limits import credit_limits
from exporter.interpretation.limits import LimitState
from exporter.interpretation.measures import Labels

TODAY = date(2026, 11, 21)


def limits(*lines, today=TODAY, name_of=str, tiers=None):
    return credit_limits(lines, today, name_of, tiers or {})


def only(*lines, **settings):
    (limit,) = limits(*lines, **settings)
    return limit


def test_without_lines_there_is_none():
    assert limits() == []


def test_a_limit_says_what_is_used_of_what_until_when():
    # 250 so far; 140 in the last 7 days: 20 a day for the 10 days left
    limit = only(
        credit_line("2026-10-31", 999),
        credit_line("2026-11-02", 110, tier="PRO"),
        credit_line("2026-11-20", 140, tier="PRO", overage_enabled=True),
    )
    assert limit == LimitState(
        product="kiro",
        name="kiro-credits",
        labels=Labels(ACCOUNT, "us-east-1", user="alice"),
        measure="credits",
        period="month",
        threshold=Decimal(1000),
        used=Decimal(250),
        ratio=Decimal("0.25"),
        projected_ratio=Decimal("0.45"),
        reset=datetime(2026, 12, 1, tzinfo=UTC),
    )


def test_credits_are_spent_with_every_client_but_in_one_region():
    """A profile is of one region, and who has two pays for both."""
    other, both = limits(
        credit_line("2026-11-20", 1),
        credit_line("2026-11-20", 2, client="KIRO_CLI"),
        credit_line("2026-11-20", 4, region="eu-west-1"),
    )
    assert (both.used, both.labels) == (3, Labels(ACCOUNT, "us-east-1", user="alice"))
    assert (other.used, other.labels) == (4, Labels(ACCOUNT, "eu-west-1", user="alice"))


def test_each_user_of_each_account_has_credits_of_its_own():
    found = limits(
        credit_line("2026-11-20", 3, account="444455556666"),
        credit_line("2026-11-20", 2, user="bob"),
        credit_line("2026-11-20", 1),
    )
    assert [(*limit.labels[::3], limit.used) for limit in found] == [
        (ACCOUNT, "alice", 1),
        (ACCOUNT, "bob", 2),
        ("444455556666", "alice", 3),
    ]


@pytest.mark.parametrize(
    ("tier", "credits"),
    [
        ("FREE", 50),
        ("PRO", 1_000),
        ("PRO_PLUS", 2_000),
        ("PRO_MAX", 5_000),
        ("POWER", 10_000),
        ("PROMAX", 5_000),
        ("PRO+", 2_000),
        ("KIRO PRO+", 2_000),
    ],
)
def test_a_tier_has_the_credits_that_kiro_publishes(tier, credits):
    assert only(credit_line("2026-11-20", 1, tier=tier)).threshold == credits


def test_what_the_newest_line_states_comes_before_what_is_published():
    assert only(credit_line("2026-11-20", 1, limit=1500)).threshold == 1500


def test_the_configuration_comes_before_what_a_line_states():
    lines = [credit_line("2026-11-20", 1, tier="PRO_PLUS", limit=1500)]
    assert only(*lines, tiers={"PRO+": Decimal(3000)}).threshold == 3000
    assert only(*lines, tiers={"PRO": Decimal(3000)}).threshold == 1500


def test_the_newest_line_that_states_a_limit_is_asked():
    limit = only(
        credit_line("2026-11-10", 1, limit=2000),
        credit_line("2026-11-18", 1, limit=1000),
        credit_line("2026-11-20", 1),
    )
    assert limit.threshold == 1000


def test_a_limit_stated_of_a_tier_that_was_left_holds_no_more():
    free = credit_line("2026-11-15", 50, tier="FREE", limit=50)
    limit = only(free, credit_line("2026-11-20", 0, tier="PRO"))
    assert (limit.used, limit.threshold) == (50, 1000)


def test_of_two_clients_on_one_day_the_higher_limit_holds():
    lines = [
        credit_line("2026-11-20", 1, limit=1000, client="PLUGIN"),
        credit_line("2026-11-20", 1, limit=2000, client="KIRO_CLI"),
    ]
    assert only(*lines).threshold == only(*reversed(lines)).threshold == 2000


@pytest.mark.parametrize("order", [1, -1])
def test_of_two_clients_on_the_day_of_an_upgrade_the_higher_tier_holds(order):
    lines = [
        credit_line("2026-11-20", 1, tier="PRO", client="PLUGIN"),
        credit_line("2026-11-20", 1, tier="POWER", client="KIRO_CLI"),
    ][::order]
    assert only(*lines).threshold == 10_000
    assert only(*lines, tiers={"PRO": Decimal(20_000)}).threshold == 20_000


def test_of_two_tiers_on_one_day_what_is_configured_of_one_comes_before_what_it_states():
    lines = [
        credit_line("2026-11-20", 1, tier="PRO", limit=1000, client="PLUGIN"),
        credit_line("2026-11-20", 1, tier="POWER", client="KIRO_CLI"),
    ]
    assert only(*lines, tiers={"PRO": Decimal(20_000)}).threshold == 20_000
    assert only(*lines).threshold == 10_000


@pytest.mark.parametrize("stated", [0, -5])
def test_a_limit_that_is_none_is_not_stated(stated):
    assert only(credit_line("2026-11-20", 1, limit=stated)).threshold == 1000


@pytest.mark.parametrize("tier", ["", "TEAM", "PRO_MINI"])
def test_a_tier_that_nothing_is_known_of_has_no_limit(tier):
    assert limits(credit_line("2026-11-20", 1, tier=tier)) == []


def test_a_tier_has_no_credits_before_it_was_published():
    assert limits(credit_line("2026-05-20", 1, tier="PRO_MAX"), today=date(2026, 5, 21)) == []


def test_a_user_without_a_line_this_month_has_no_limit():
    assert limits(credit_line("2026-10-31", 1), today=date(2026, 11, 1)) == []


def test_a_ratio_may_exceed_one():
    assert only(credit_line("2026-11-20", 1500)).ratio == Decimal("1.5")


def test_the_last_month_of_the_year_ends_with_it():
    limit = only(credit_line("2026-12-30", 1), today=date(2026, 12, 31))
    assert limit.reset == datetime(2027, 1, 1, tzinfo=UTC)


def test_a_user_left_out_has_no_limit():
    assert limits(credit_line("2026-11-20", 1), name_of=lambda user: None) == []


def test_users_that_privacy_has_made_one_have_no_limit():
    assert limits(credit_line("2026-11-20", 900, user="unknown")) == []


@given(some_credit_lines, st.randoms(use_true_random=False))
def test_the_order_of_the_lines_changes_nothing(lines, random):
    shuffled = list(lines)
    random.shuffle(shuffled)
    assert limits(*shuffled) == limits(*lines)


@given(some_credit_lines)
def test_limits_have_every_credit_of_the_month_once(lines):
    month = [each.row for each in lines if date(2026, 11, 1) <= each.row.day <= TODAY]
    with localcontext(prec=100):
        used = sum(row.used for row in month)
        assert sum(limit.used for limit in limits(*lines)) == used


def test_late_reports_of_a_region_make_no_projection_smaller():
    late = ten_a_day(14, user="bob", region="eu-west-1")
    assert [limit.projected_ratio for limit in limits(*ten_a_day(19), *late)] == [
        Decimal("0.3"),
        Decimal("0.3"),
    ]


def test_a_seat_in_a_region_that_was_left_is_not_projected_to_go_on():
    left = ten_a_day(7, region="us-east-1")
    in_frankfurt, in_virginia = limits(*ten_a_day(19, region="eu-central-1"), *left)
    assert in_frankfurt.projected_ratio == Decimal("0.3")
    assert in_virginia.projected_ratio == in_virginia.ratio == Decimal("0.07")


def ten_a_day(last, **place):
    return [credit_line(f"2026-11-{day:02}", 10, **place) for day in range(1, last + 1)]
