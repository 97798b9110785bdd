"""Lines of by_user_analytic: which columns count what, and which cells are counts."""

import pytest
from report_builders import (
    ACTIVITY_HEADER,
    ALICE,
    BOB,
    activities,
    activity_line,
    read_report,
    report,
    report_unit,
)

from exporter.assistant_usage import ACTIVITIES, ACTIVITY_COLUMNS, Activity, Product
from exporter.sources.rejection import Rejection


def counts(text: str) -> dict[str, int]:
    """The counts of the one line that a report comes to."""
    batch = read_report(text)
    assert batch.rejected == {}
    ((_, _, counted),) = activities(batch)
    return counted


def cell(column: str, text: str) -> str:
    """A report of one line with one cell."""
    return report(activity_line() | {column: text})


def test_every_column_counts_its_activity() -> None:
    numbered = {name: number for number, name in enumerate(ACTIVITY_COLUMNS, start=1)}
    text = report(activity_line(**numbered))
    assert counts(text) == dict(zip(ACTIVITIES, range(1, 45), strict=True))


def test_a_row_says_whose_it_is_and_holds_its_counts_sorted() -> None:
    text = report(activity_line(ALICE, "04-17-2025", Inline_AICodeLines=2, Chat_MessagesSent=3))
    (row,) = read_report(text).rows
    assert isinstance(row, Activity)
    assert (f"{row.day}", row.product, row.user) == ("2025-04-17", Product.QDEVELOPER, ALICE)
    assert row.counts == (("chat_messages_sent", 3), ("inline_ai_code_lines", 2))


def test_the_folder_tells_whose_users_a_report_is_about() -> None:
    unit = report_unit(name="KiroLogs/by_user_analytic/111122223333_by_user_analytic_20250418.csv")
    (row,) = read_report(report(activity_line(Chat_MessagesSent=1)), unit=unit).rows
    assert isinstance(row, Activity)
    assert row.product is Product.KIRO


def test_the_report_of_april_2025_is_read() -> None:
    text = (
        "UserId,Date,Chat_AICodeLines,Chat_MessagesInteracted,Chat_MessagesSent,"
        "Inline_AICodeLines,Inline_AcceptanceCount,Inline_SuggestionsCount\n"
        '"alice",04-17-2025,,,3,,,\n'
    )
    assert counts(text) == {"chat_messages_sent": 3}


def test_a_user_who_did_nothing_has_a_row_without_counts() -> None:
    assert activities(read_report(report(activity_line()))) == [("2025-04-17", ALICE, {})]


@pytest.mark.parametrize("order", [ACTIVITY_HEADER[::-1], sorted(ACTIVITY_HEADER)])
def test_columns_may_stand_in_any_order(order: list[str]) -> None:
    text = report(activity_line(Dev_AcceptedLines=5, Chat_MessagesSent=7), header=order)
    assert counts(text) == {"chat_messages_sent": 7, "dev_accepted_lines": 5}


def test_columns_are_known_in_any_case() -> None:
    header, line = report(activity_line(Chat_AICodeLines=5)).splitlines()
    for text in (header.lower(), header.upper()):
        assert counts(f"{text}\n{line}\n") == {"chat_ai_code_lines": 5}


@pytest.mark.parametrize("column", ["InlineChat_EventCount", "InlineChat_TotalEventCount"])
def test_both_names_of_the_inline_chats_are_known(column: str) -> None:
    for name in (column, column.lower(), column.upper()):
        text = f"UserId,Date,{name}\nalice,04-17-2025,4\n"
        assert counts(text) == {"inline_chat_total_event_count": 4}


@pytest.mark.parametrize("cells", ["4,4", "4,", ",4", "0,4", "4,3"])
def test_a_figure_that_stands_in_two_columns_counts_once(cells: str) -> None:
    for header in (
        "InlineChat_EventCount,InlineChat_TotalEventCount",
        "Dev_EventCount,dev_eventcount",
    ):
        ((_, count),) = counts(f"UserId,Date,{header}\nalice,04-17-2025,{cells}\n").items()
        assert count == 4


@pytest.mark.parametrize(
    ("text", "count"),
    [("3", 3), ("3.0", 3), (" 3 ", 3), ("+3", 3), ("3e2", 300), ("007", 7), ("1000000000", 10**9)],
)
def test_a_whole_number_is_a_count(text: str, count: int) -> None:
    assert counts(cell("Chat_MessagesSent", text)) == {"chat_messages_sent": count}


@pytest.mark.parametrize("text", ["", " ", "0", "0.0", "-0", '""'])
def test_an_empty_cell_is_nothing(text: str) -> None:
    assert counts(cell("Chat_MessagesSent", text)) == {}


@pytest.mark.parametrize(
    "text",
    [
        *("-1", "3.5", "1e-1", '"1,234"', "1 234", "1_000", "0x10", "٣", "³", "three", "=1+1"),
        *("NaN", "inf", "-inf", "1e999", "1e10", "1000000001", "9" * 5000, "3\0", "+", ".", "e5"),
    ],
)
def test_what_is_no_count_rejects_its_line(text: str) -> None:
    batch = read_report(
        report(
            activity_line(ALICE) | {"Chat_MessagesSent": text},
            activity_line(BOB, Chat_MessagesSent=2),
        )
    )
    assert activities(batch) == [("2025-04-17", BOB, {"chat_messages_sent": 2})]
    assert (batch.records, batch.rejected) == (1, {Rejection.INVALID_COUNT: 1})


def test_a_new_column_counts_a_new_activity() -> None:
    text = report(activity_line(Agent_TaskCount=6, Chat_MessagesSent=1))
    assert counts(text) == {"agent_task_count": 6, "chat_messages_sent": 1}


@pytest.mark.parametrize("text", ["-1", "3.5", "high", "alice@example.com", "1e999", "=1+1"])
def test_what_is_no_count_in_a_new_column_is_passed_over(text: str) -> None:
    assert counts(cell("Agent_TaskCount", text)) == {}


@pytest.mark.parametrize(
    "name", ["", "1st", "a b", "a-b", "=cmd()", "alice@example.com", "x" * 65, "é", "User_Email"]
)
def test_a_column_whose_name_is_no_activity_is_passed_over(name: str) -> None:
    assert counts(report(activity_line() | {name: "5"})) == {}
