"""Lines of Kiro's user_report: credits, tiers, clients and models through all its versions."""

from datetime import date
from decimal import Decimal

import pytest
from report_builders import (
    ALICE,
    KIRO_HEADER,
    credits_of,
    kiro_line,
    kiro_unit,
    one_credits,
    read_report,
    report,
    report_unit,
)

from exporter.assistant_usage import Credits
from exporter.sources.rejection import Rejection

WITHOUT_LIMIT = [name for name in KIRO_HEADER if name != "Usage_Limit"]
FEBRUARY = [name for name in WITHOUT_LIMIT if name not in ("New_User", "User_Email")]


def test_a_line_says_what_a_user_spent() -> None:
    models = {"claude_haiku_4.5_messages": 8, "claude_opus_4.8_messages": 123, "auto_messages": 0}
    assert one_credits(kiro_line(**models)) == Credits(
        day=date(2026, 7, 10),
        user=ALICE,
        client_type="KIRO_CLI",
        tier="PRO_MAX",
        used=Decimal("114.45787414391377"),
        overage=Decimal(0),
        overage_enabled=False,
        overage_cap=Decimal(2500),
        usage_limit=Decimal(5000),
        conversations=8,
        messages=131,
        messages_by_model=(("claude_haiku_4.5", 8), ("claude_opus_4.8", 123)),
    )


@pytest.mark.parametrize("header", [FEBRUARY, WITHOUT_LIMIT], ids=["February", "July"])
def test_earlier_reports_state_no_limit(header: list[str]) -> None:
    row = one_credits(kiro_line(), header=header)
    assert (row.usage_limit, row.used) == (None, Decimal("114.45787414391377"))


@pytest.mark.parametrize("order", [KIRO_HEADER[::-1], sorted(KIRO_HEADER, key=str.lower)])
def test_columns_may_stand_in_any_order(order: list[str]) -> None:
    assert one_credits(kiro_line(), header=order) == one_credits(kiro_line())


def test_columns_are_known_in_any_case() -> None:
    text = report(kiro_line(auto_messages=4))
    header, line = text.splitlines()
    for name in (header.lower(), header.upper()):
        assert read_report(f"{name}\n{line}\n", "kiro").rows == read_report(text, "kiro").rows


def test_a_report_without_credits_is_none() -> None:
    header = [name for name in KIRO_HEADER if name != "Credits_Used"]
    batch = read_report(report(kiro_line(), header=header), "kiro")
    assert (batch.rows, batch.rejected) == ((), {Rejection.NOT_A_REPORT: 1})


def test_a_sum_of_messages_is_no_model() -> None:
    row = one_credits(kiro_line(Total_Messages=5, TOTAL_MESSAGES=5, auto_messages=5))
    assert row.messages_by_model == (("auto", 5),)


def test_without_a_sum_the_messages_are_those_of_all_models() -> None:
    row = one_credits(kiro_line(Total_Messages="", auto_messages=5, qwen3_coder_next_messages=2))
    assert row.messages == 7


def test_a_report_has_no_more_than_64_models() -> None:
    models = {f"model_{number:02}_messages": 1 for number in range(70)}
    row = one_credits(kiro_line(Total_Messages=70, **dict(reversed(models.items()))))
    assert row.messages == 70
    assert row.messages_by_model == tuple((f"model_{number:02}", 1) for number in range(64))


@pytest.mark.parametrize("name", ["_messages", "a b_messages", "alice@example.com_messages"])
def test_a_column_whose_name_is_no_model_is_passed_over(name: str) -> None:
    assert one_credits(kiro_line() | {name: 5}).messages_by_model == ()


@pytest.mark.parametrize(
    ("written", "tier"),
    [
        *((name, "PRO_MAX") for name in ("PRO_MAX", "ProMax", "Pro Max", "pro-max", "PROMAX")),
        *((name, "PRO_PLUS") for name in ("PRO_PLUS", "ProPlus", "Pro+", "PRO +", "PROPLUS")),
        *(("Free", "FREE"), ("pro", "PRO"), ("POWER", "POWER"), ("KIRO PRO+", "KIRO_PRO_PLUS")),
        *(("ProUltra", "PRO_ULTRA"), ("Pro 200", "PRO_200"), ("Team Trial", "TEAM_TRIAL")),
        *(("", ""), ("=cmd()", ""), ("alice@example.com", ""), ("x" * 40, ""), ("김", "")),
        *((name, "") for name in ("CANARYq7Zx", "Alice", "Max", "Pro Alice", "Free Carol", "NaN")),
        *((name, "") for name in ("true", "KIRO", "PRO_12345", "김PRO", "PRO" + "_PRO" * 4)),
    ],
)
def test_a_tier_is_spelt_one_way(written: str, tier: str) -> None:
    assert one_credits(kiro_line(Subscription_Tier=written)).tier == tier


@pytest.mark.parametrize(
    ("written", "client_type"),
    [
        *(("kiro_ide", "KIRO_IDE"), ("PLUGIN", "PLUGIN"), (" Kiro_Web ", "KIRO_WEB"), ("", "")),
        *((name, "") for name in ("alice@example.com", "CANARYq7Zx", "Alice", "NaN", "true")),
        *((name, "") for name in ("KIRO_", "KIRO_ALICE_SMITH", "PLUGINS", "KIRO_" + "X" * 17)),
    ],
)
def test_a_client_is_spelt_in_capitals(written: str, client_type: str) -> None:
    unit = report_unit(name="KiroLogs/user_report/report.csv")
    (row,) = credits_of(read_report(report(kiro_line(Client_Type=written)), "kiro", unit))
    assert row.client_type == client_type


@pytest.mark.parametrize("written", ["", " ", "Alice", None], ids=repr)
@pytest.mark.parametrize("client_type", ["KIRO_IDE", "PLUGIN", "kiro_web"])
def test_a_line_without_a_client_has_that_of_its_report(
    written: str | None, client_type: str
) -> None:
    line = kiro_line(Client_Type=written)
    if written is None:
        del line["Client_Type"]
    unit = kiro_unit(client_type=client_type)
    (row,) = credits_of(read_report(report(line), "kiro", unit))
    assert row.client_type == client_type.upper()


def test_a_line_with_a_client_has_no_other() -> None:
    unit = kiro_unit(client_type="KIRO_IDE")
    (row,) = credits_of(read_report(report(kiro_line(Client_Type="PLUGIN")), "kiro", unit))
    assert row.client_type == "PLUGIN"


@pytest.mark.parametrize("name", ["Alice", "KIRO", "KIRO_IDE_2", "copy_of_KIRO_IDE"])
def test_a_name_that_is_of_no_client_gives_none(name: str) -> None:
    line = report(kiro_line(Client_Type=""))
    (row,) = credits_of(read_report(line, "kiro", kiro_unit(client_type=name)))
    assert row.client_type == ""


@pytest.mark.parametrize(
    ("written", "enabled"), [("true", True), ("TRUE", True), ("False", False), ("", False)]
)
def test_overage_is_enabled_or_not(written: str, enabled: bool) -> None:
    assert one_credits(kiro_line(Overage_Enabled=written)).overage_enabled is enabled


CREDITS = ("Credits_Used", "Overage_Credits_Used", "Overage_Cap", "Usage_Limit")


@pytest.mark.parametrize("column", CREDITS)
@pytest.mark.parametrize(
    "text", ["0.1", "12345678.123456789012345678901", "1.1102230246251565E-16", "2.5e+3", " 7. "]
)
def test_credits_are_exact(column: str, text: str) -> None:
    row = one_credits(kiro_line() | {column: text})
    figures = (row.used, row.overage, row.overage_cap, row.usage_limit)
    assert figures[CREDITS.index(column)] == Decimal(text.strip())


def test_nothing_has_no_sign() -> None:
    assert str(one_credits(kiro_line(Credits_Used="-0.0")).used) == "0.0"


def test_an_empty_cell_is_no_credits_and_no_limit() -> None:
    row = one_credits(kiro_line() | dict.fromkeys(CREDITS, ""))
    assert (row.used, row.overage, row.overage_cap, row.usage_limit) == (0, 0, None, None)


NO_CREDITS = ["-0.01", "NaN", "inf", "1e999", "1e10", '"4,77"', "0x1p3", "unlimited", "1" * 50]


@pytest.mark.parametrize("column", ["Overage_Cap", "Usage_Limit"])
@pytest.mark.parametrize("text", NO_CREDITS)
def test_a_limit_that_is_no_number_is_none_and_costs_no_credits(column: str, text: str) -> None:
    row = one_credits(kiro_line() | {column: text})
    assert row.used > 0
    assert {"Overage_Cap": row.overage_cap, "Usage_Limit": row.usage_limit}[column] is None


@pytest.mark.parametrize("column", ["Credits_Used", "Overage_Credits_Used"])
@pytest.mark.parametrize("text", NO_CREDITS)
def test_what_is_no_credits_rejects_its_line(column: str, text: str) -> None:
    batch = read_report(report(kiro_line() | {column: text}, kiro_line("bob")), "kiro")
    assert [row.user for row in credits_of(batch)] == ["bob"]
    assert batch.rejected == {Rejection.INVALID_COUNT: 1}


@pytest.mark.parametrize("column", ["Total_Messages", "Chat_Conversations", "auto_messages"])
@pytest.mark.parametrize("text", ["-1", "2.5", "many"])
def test_what_is_no_count_rejects_its_line(column: str, text: str) -> None:
    batch = read_report(report(kiro_line() | {column: text}, kiro_line("bob")), "kiro")
    assert [row.user for row in credits_of(batch)] == ["bob"]
    assert batch.rejected == {Rejection.INVALID_COUNT: 1}


def test_what_is_neither_true_nor_false_rejects_its_line() -> None:
    batch = read_report(report(kiro_line(Overage_Enabled="PRO_MAX")), "kiro")
    assert batch.rejected == {Rejection.MALFORMED_ROW: 1}


def test_a_user_has_a_line_for_each_client() -> None:
    lines = [kiro_line(Client_Type=client) for client in ("KIRO_IDE", "KIRO_CLI", "PLUGIN")]
    batch = read_report(report(*lines), "kiro")
    assert [row.client_type for row in credits_of(batch)] == ["KIRO_CLI", "KIRO_IDE", "PLUGIN"]
    assert batch.rejected == {}
