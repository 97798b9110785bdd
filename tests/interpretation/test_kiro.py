"""What Kiro's user reports say of users, with numbers worked out by hand."""

from datetime import date
from decimal import Decimal, localcontext

import pytest
from credit_lines import ACCOUNT, credit_line, some_credit_lines
from hypothesis import given
from hypothesis import strategies as st

from exporter.assistant_usage import Activity, Product, Reported
from exporter.interpretation.kiro import (
    CreditKey,
    KiroFigures,
    MessageKey,
    SeatKey,
    Spent,
    summarise_credits,
)
from exporter.interpretation.measures import Labels

TODAY = date(2026, 11, 21)
ALICE = Labels(ACCOUNT, "us-east-1", user="alice")


def summarise(*lines, today=TODAY, name_of=str):
    return summarise_credits(lines, today, name_of)


def test_without_lines_there_is_nothing():
    figures = summarise()
    assert (figures.credits, figures.messages, figures.idle_days) == ({}, {}, {})


def test_credits_are_those_of_this_month():
    figures = summarise(
        credit_line("2026-10-31", 100),
        credit_line("2026-11-01", "1.25", overage="0.5"),
        credit_line("2026-11-20", "2.50", overage="0.25"),
    )
    assert figures.credits == {
        CreditKey(ALICE, "PRO", "KIRO_IDE"): Spent(Decimal("3.75"), Decimal("0.75"))
    }


def test_accounts_regions_users_and_clients_stay_apart():
    figures = summarise(
        credit_line("2026-11-20", 1),
        credit_line("2026-11-20", 2, client="KIRO_CLI"),
        credit_line("2026-11-20", 3, user="bob"),
        credit_line("2026-11-20", 4, region="eu-west-1"),
        credit_line("2026-11-20", 5, account="444455556666"),
    )
    assert {key: spent.used for key, spent in figures.credits.items()} == {
        CreditKey(ALICE, "PRO", "KIRO_IDE"): 1,
        CreditKey(ALICE, "PRO", "KIRO_CLI"): 2,
        CreditKey(ALICE._replace(user="bob"), "PRO", "KIRO_IDE"): 3,
        CreditKey(ALICE._replace(region="eu-west-1"), "PRO", "KIRO_IDE"): 4,
        CreditKey(ALICE._replace(account_id="444455556666"), "PRO", "KIRO_IDE"): 5,
    }


def test_credits_belong_to_the_tier_they_were_spent_in():
    figures = summarise(
        credit_line("2026-11-10", 900), credit_line("2026-11-20", 50, tier="PRO_PLUS")
    )
    assert {key.tier: spent.used for key, spent in figures.credits.items()} == {
        "PRO": 900,
        "PRO_PLUS": 50,
    }


def test_credits_are_summed_exactly():
    tiny = "0.00000000000000001"
    figures = summarise(
        credit_line("2026-11-01", "1000000000000.45787414391377"),
        credit_line("2026-11-02", tiny),
    )
    (spent,) = figures.credits.values()
    assert spent.used == Decimal("1000000000000.45787414391377001")


def test_messages_are_told_by_model_and_client():
    figures = summarise(
        credit_line("2026-10-31", messages={"auto": 100}),
        credit_line("2026-11-19", messages={"auto": 3, "claude_opus_4.8": 4}),
        credit_line("2026-11-20", messages={"auto": 5}),
        credit_line("2026-11-20", messages={"auto": 6}, client="KIRO_CLI"),
    )
    assert figures.messages == {
        MessageKey(ALICE, "auto", "KIRO_IDE"): 8,
        MessageKey(ALICE, "claude_opus_4.8", "KIRO_IDE"): 4,
        MessageKey(ALICE, "auto", "KIRO_CLI"): 6,
    }


def test_messages_counted_under_no_model_are_of_an_unknown_one():
    before_columns = credit_line("2026-11-19")
    some = credit_line("2026-11-20", messages={"auto": 7})
    lines = [line._replace(row=line.row._replace(messages=10)) for line in (before_columns, some)]
    assert summarise(*lines).messages == {
        MessageKey(ALICE, "unknown", "KIRO_IDE"): 10 + 3,
        MessageKey(ALICE, "auto", "KIRO_IDE"): 7,
    }


@pytest.mark.parametrize(
    ("lines", "idle"),
    [
        pytest.param([("2026-11-20", 1, {})], 0, id="newest day"),
        pytest.param([("2026-11-01", 0, {}), ("2026-11-13", 1, {})], 7, id="credits"),
        pytest.param([("2026-11-01", 0, {}), ("2026-11-13", 0, {"auto": 1})], 7, id="messages"),
        pytest.param([("2026-11-13", 1, {}), ("2026-11-18", 0, {})], 7, id="a line since"),
        pytest.param([("2026-10-31", 0, {}), ("2026-11-18", 0, {})], 20, id="never active"),
        pytest.param([("2026-10-01", 1, {})], 50, id="month before"),
    ],
)
def test_a_seat_is_idle_since_its_last_use(lines, idle):
    alice = [credit_line(day, used, messages=messages) for day, used, messages in lines]
    figures = summarise(*alice, credit_line("2026-11-20", 1, user="bob"))
    assert figures.idle_days[SeatKey(ALICE, "PRO")] == idle


def test_a_seat_idle_for_longer_is_not_known():
    figures = summarise(credit_line("2026-08-22", 1), credit_line("2026-11-20", 1, user="bob"))
    assert {key.labels.user for key in figures.idle_days} == {"bob"}


def test_a_seat_is_of_the_tier_of_the_newest_line():
    figures = summarise(
        credit_line("2026-11-20", 1, tier="PRO_PLUS"), credit_line("2026-11-10", 1, tier="POWER")
    )
    assert figures.idle_days == {SeatKey(ALICE, "PRO_PLUS"): 0}


@pytest.mark.parametrize("order", [1, -1])
def test_on_the_day_of_an_upgrade_a_seat_is_of_the_tier_of_more_credits(order):
    lines = [
        credit_line("2026-11-20", 1, tier="PRO"),
        credit_line("2026-11-20", 1, tier="POWER", client="KIRO_CLI"),
    ]
    assert summarise(*lines[::order]).idle_days == {SeatKey(ALICE, "POWER"): 0}


@pytest.mark.parametrize("order", [1, -1])
def test_any_client_keeps_a_seat_from_being_idle(order):
    clients = [
        credit_line("2026-11-20", 0),
        credit_line("2026-11-20", 1, client="KIRO_CLI"),
    ]
    figures = summarise(credit_line("2026-11-01", 0), *clients[::order])
    assert figures.idle_days == {SeatKey(ALICE, "PRO"): 0}


def test_a_user_left_out_has_no_figures_but_its_days_are_reported():
    names = {"alice": "Alice", "bob": None}
    figures = summarise(
        credit_line("2026-11-18", 1), credit_line("2026-11-20", 1, user="bob"), name_of=names.get
    )
    seat = ALICE._replace(user="Alice")
    assert figures.idle_days == {SeatKey(seat, "PRO"): 2}
    assert figures.credits.keys() == {CreditKey(seat, "PRO", "KIRO_IDE")}


def test_a_line_of_a_day_after_today_is_left_out():
    figures = summarise(credit_line("2026-11-20", 1), credit_line("2026-11-22", 1))
    assert figures.credits == {CreditKey(ALICE, "PRO", "KIRO_IDE"): Spent(Decimal(1))}


def test_lines_of_activity_reports_are_left_out():
    row = Activity(date(2026, 11, 20), Product.KIRO, "alice", (("chat_messages_sent", 1),))
    assert summarise(Reported(ACCOUNT, "us-east-1", row)) == KiroFigures({}, {}, {})


def test_text_of_a_report_becomes_a_label_on_one_line():
    figures = summarise(
        credit_line("2026-11-20", 1, tier="PRO\n", client="a\u202eb", messages={"x\ty": 1})
    )
    assert figures.credits.keys() == {CreditKey(ALICE, "PRO", "a b")}
    assert figures.messages.keys() == {MessageKey(ALICE, "x y", "a b")}
    assert figures.idle_days.keys() == {SeatKey(ALICE, "PRO")}


@given(some_credit_lines, st.randoms(use_true_random=False))
def test_the_order_of_the_lines_changes_nothing(lines, random):
    shuffled = list(lines)
    random.shuffle(shuffled)
    assert summarise(*shuffled) == summarise(*lines)


@given(some_credit_lines)
def test_the_month_has_every_credit_and_message_once(lines):
    figures = summarise(*lines)
    month = [each.row for each in lines if date(2026, 11, 1) <= each.row.day <= TODAY]
    with localcontext(prec=100):
        assert sum(spent.used for spent in figures.credits.values()) == sum(
            row.used for row in month
        )
        assert sum(spent.overage for spent in figures.credits.values()) == sum(
            row.overage for row in month
        )
    assert sum(figures.messages.values()) == sum(row.messages for row in month)
