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

from exporter.assistant_usage import (
    ACTIVITIES,
    ACTIVITY_COLUMNS,
    Activity,
    Product,
    activity_of,
)
from exporter.identity import Privacy
from exporter.sources import activity_report
from exporter.sources.activity_report import ActivityRows
from exporter.sources.rejection import Rejection
from exporter.sources.report_cells import Columns


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


FEATURES = (
    *("Chat", "CodeFix", "CodeReview", "Dev", "DocGeneration", "InlineChat", "Inline"),
    *("TestGeneration", "Transformation"),
)


@pytest.mark.parametrize("feature", FEATURES)
def test_a_new_column_of_a_feature_counts_a_new_activity(feature: str) -> None:
    activity = activity_of(f"{feature}_NewThing")
    text = report(activity_line(**{f"{feature}_NewThing": 6}, Chat_MessagesSent=1))
    assert counts(text) == {activity: 6, "chat_messages_sent": 1}


@pytest.mark.parametrize(
    "name",
    [
        "EmployeeNumber",
        "Employee_Number",
        "Agent_TaskCount",
        "Chat",
        "Chat_",
        "ChatPhone",
        "MyDev_1",
    ],
)
@pytest.mark.parametrize("privacy", [Privacy(), Privacy("drop")], ids=lambda given: given.users)
def test_a_number_that_is_of_no_feature_is_not_kept(name: str, privacy: Privacy) -> None:
    text = report(activity_line(**{name: 123456}, Chat_MessagesSent=1))
    batch = read_report(text, privacy=privacy)
    assert [counted for _, _, counted in activities(batch)] == [{"chat_messages_sent": 1}]


def test_a_report_has_no_more_than_32_new_activities() -> None:
    new = {f"Chat_New_{number:02}": 1 for number in range(40)}
    known = dict.fromkeys(ACTIVITY_COLUMNS, 1)
    for line in (
        activity_line(**new, **known),
        activity_line(**known, **dict(reversed(new.items()))),
    ):
        counted = counts(report(line))
        assert len(counted) == 44 + 32
        assert counted.keys() > set(ACTIVITIES)


def test_what_equal_counts_share_does_not_grow_without_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(activity_report, "_MOST_PAIRS", 2)
    reader = ActivityRows(Columns(["UserId", "Date", "Chat_MessagesSent"]), Product.QDEVELOPER)
    sent = [1, 2, 3, 1, 2, 3]
    rows = [reader.read(["u", "", f"{count}"], "u") for count in sent]
    read = [row.counts[0] for row in rows if isinstance(row, Activity)]
    assert read == [("chat_messages_sent", count) for count in sent]
    assert [read[0] is read[3], read[1] is read[4], read[2] is read[5]] == [True, True, False]


@pytest.mark.parametrize("text", ["-1", "3.5", "high", "alice@example.com", "1e999", "=1+1"])
def test_what_is_no_count_in_a_new_column_is_passed_over(text: str) -> None:
    assert counts(cell("Chat_TaskCount", text)) == {}


@pytest.mark.parametrize(
    "name",
    [
        "",
        "1st",
        "a b",
        "a-b",
        "=cmd()",
        "alice@example.com",
        "é",
        "User_Email",
        "Chat_é",
        "Dev_" + "x" * 64,
    ],
)
def test_a_column_whose_name_is_no_activity_is_passed_over(name: str) -> None:
    assert counts(report(activity_line() | {name: "5"})) == {}
