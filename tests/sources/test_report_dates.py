"""Dates of a report: how each is written, and which number of all of them is the month."""

from datetime import date

import pytest
from report_builders import activity_line, read_report, report, report_unit

from exporter.assistant_usage import ReportBatch
from exporter.sources import report_dates
from exporter.sources.rejection import Rejection
from exporter.sources.report_dates import WrittenDate, parse_date

FAR = date(2026, 1, 1)
"""A day that no report of this module speaks of a day near to."""


def days(path_day: date, *written: str) -> list[str]:
    """The days that a report below a day speaks of, one for each line."""
    return sorted(f"{row.day}" for row in dated(path_day, *written).rows)


def dated(path_day: date, *written: str) -> ReportBatch:
    lines = [
        activity_line(f"user-{number}", day, Chat_MessagesSent=1)
        for number, day in enumerate(written)
    ]
    return read_report(report(*lines), unit=report_unit(path_day))


@pytest.mark.parametrize(
    "text",
    [
        "04-17-2025",
        "4/17/2025",
        "2025-04-17",
        "2025/4/17",
        "2025-04-17T23:59:59Z",
        "2025-04-17T00:00:00.000+00:00",
        "2025-04-17 00:00:00 UTC",
        "04-17-2025 00:00",
    ],
)
def test_a_day_is_read(text: str) -> None:
    assert days(date(2025, 4, 18), text) == ["2025-04-17"]


@pytest.mark.parametrize(
    "text",
    [
        *("", "yesterday", "04-17", "04-17-25", "17 April 2025", "20250417", "45764", "1744848000"),
        *(
            "04-17/2025",
            "04.17.2025",
            "-04-17-2025",
            "\u0660\u0664-\u0661\u0667-2025",
            "2025-04-17T00:00:00+02:00",
        ),
        *("02-30-2025", "02-29-2025", "13-13-2025", "00-10-2025", "04-00-2025", "2025-13-04"),
        *("04-17-0000", "2025-04-31", "=TODAY()"),
    ],
)
def test_what_is_no_day_rejects_its_line(text: str) -> None:
    batch = dated(date(2025, 4, 18), "04-17-2025", text, "04-17-2025")
    assert (len(batch.rows), batch.rejected) == (2, {Rejection.INVALID_DATE: 1})


def test_the_month_comes_first_unless_something_speaks_against_it() -> None:
    assert days(FAR, "04-05-2025") == ["2025-04-05"]


def test_one_date_that_is_none_with_the_month_first_turns_all_of_them() -> None:
    assert days(FAR, "13-04-2025", "05-04-2025") == ["2025-04-05", "2025-04-13"]


@pytest.mark.parametrize("path_day", [FAR, date(2025, 4, 20)])
def test_of_orders_that_fit_some_lines_that_of_more_lines_holds(path_day: date) -> None:
    batch = dated(path_day, "04-17-2025", "19-04-2025", "19-04-2025")
    assert [f"{row.day}" for row in batch.rows] == ["2025-04-19", "2025-04-19"]
    assert batch.rejected == {Rejection.INVALID_DATE: 1}


def test_lines_near_the_day_weigh_more_than_lines_far_from_it() -> None:
    far = ["01-25-2025"] * 3
    batch = dated(date(2025, 4, 20), "04-17-2025", "19-04-2025", "19-04-2025", *far)
    assert [f"{row.day}" for row in batch.rows] == ["2025-04-19", "2025-04-19"]
    assert batch.rejected == {Rejection.INVALID_DATE: 4}


def test_of_orders_that_fit_as_many_lines_the_month_comes_first() -> None:
    batch = dated(FAR, "04-13-2025", "13-04-2025", "05-04-2025")
    assert [f"{row.day}" for row in batch.rows] == ["2025-04-13", "2025-05-04"]
    assert batch.rejected == {Rejection.INVALID_DATE: 1}


def test_the_day_that_a_report_lies_below_decides() -> None:
    assert days(date(2025, 4, 6), "04-05-2025") == ["2025-04-05"]
    assert days(date(2025, 5, 5), "04-05-2025") == ["2025-05-04"]


def test_one_broken_date_turns_no_report_that_fits_its_day() -> None:
    batch = dated(date(2025, 4, 6), "04-05-2025", "04-05-2025", "17-04-2025")
    assert [f"{row.day}" for row in batch.rows] == ["2025-04-05", "2025-04-05"]
    assert batch.rejected == {Rejection.INVALID_DATE: 1}


@pytest.mark.parametrize("form", ["{month:02}-{day:02}-2025", "{day:02}/{month:02}/2025"])
def test_a_report_of_a_whole_month_is_read_in_one_order(form: str) -> None:
    april = [form.format(month=4, day=day) for day in range(1, 31)]
    assert days(date(2025, 5, 1), *april) == [f"2025-04-{day:02}" for day in range(1, 31)]


def test_dates_that_begin_with_the_year_have_no_say() -> None:
    assert days(FAR, "2025-04-13", "04-05-2025") == ["2025-04-05", "2025-04-13"]


def test_a_date_whose_year_is_last_is_left_open() -> None:
    assert parse_date("04-05-2025") == WrittenDate(4, 5, 2025)
    assert parse_date("2025-04-05") == date(2025, 4, 5)


def test_no_text_is_remembered_that_is_too_long_for_a_date() -> None:
    assert parse_date("2025-04-05T00:00:00.000000000+00:00") == date(2025, 4, 5)
    report_dates._parsed.cache_clear()
    assert parse_date("2025-04-05" + " " * 31) is None
    assert report_dates._parsed.cache_info().currsize == 0


def test_days_outside_the_range_are_rejected_by_reason() -> None:
    lines = [activity_line(day, day) for day in ("04-09-2025", "04-10-2025", "04-20-2025")]
    batch = read_report(
        report(*lines, activity_line("late", "04-21-2025")),
        first_day=date(2025, 4, 10),
        last_day=date(2025, 4, 20),
    )
    assert [f"{row.day}" for row in batch.rows] == ["2025-04-10", "2025-04-20"]
    assert batch.rejected == {Rejection.EXPIRED_TIMESTAMP: 1, Rejection.FUTURE_TIMESTAMP: 1}
