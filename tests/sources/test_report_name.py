"""What a report's name says: the series that it is a delivery of, and when it was written."""

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from report_builders import report_unit

from exporter.assistant_usage import Delivery
from exporter.sources.report_name import client_in_name, delivery_of
from exporter.usage import LogObject

ACTIVITY = "111122223333_by_user_analytic"
STAMPS = {
    "20250417": "20250417000000000000",
    "2025041702": "20250417020000000000",
    "202504170230": "20250417023000000000",
    "20250417T023015Z": "20250417023015000000",
    "20250417T023015123Z": "20250417023015123000",
    "2025-04-17": "20250417000000000000",
    "2025-04-17T02-30-15Z": "20250417023015000000",
    "2025-04-17T02:30:15.123456789Z": "20250417023015123456",
    "1744857015": "20250417023015000000",
    "1744857015123": "20250417023015123000",
    "1744857015123456789": "20250417023015123456",
}


def named(name: str) -> Delivery:
    return delivery_of(report_unit(name=name))


@pytest.mark.parametrize("stamp", STAMPS)
@pytest.mark.parametrize(
    "form",
    ["{}.csv", "{}_report.csv", "{}_part_1.csv", "part_2_{}.csv", "{}_a1b2c3d4.csv", "{}.csv.gz"],
)
def test_all_names_of_a_report_are_of_one_series(form: str, stamp: str) -> None:
    name = f"{ACTIVITY}_{form.format(stamp)}"
    assert named(name)[:2] == (ACTIVITY, STAMPS[stamp])


@pytest.mark.parametrize(
    ("name", "part"),
    [
        *(("{}_part_1.csv", "1"), ("{}_part_12.csv.gz", "12"), ("{}-PART-2.csv", "2")),
        *(("{}_part3_a1b2c3d4.csv", "3"), ("{}_a1b2c3d4_part_4.csv", "4"), ("part_5_{}.csv", "5")),
        *(("{}_part_00007.csv", "7"), ("{}_part_000.csv", "0"), ("{}.csv", "")),
        *(("{}_report.csv", ""), ("{}_a1b2c3d4.csv", ""), ("{}_12.csv", ""), ("part_{}.csv", "")),
        *(
            ("{}_part.csv", ""),
            ("{}_part_x.csv", ""),
            ("{}_part1a2b.csv", ""),
            ("{}_apart_1.csv", ""),
        ),
    ],
)
@pytest.mark.parametrize("series", [ACTIVITY, "KIRO_IDE_111122223333_user_report", "usage"])
@pytest.mark.parametrize("stamp", ["20261119000001", "2026-11-19T00-00-01Z"])
def test_a_part_has_a_number(series: str, stamp: str, name: str, part: str) -> None:
    delivery = named(f"{series}_{name.format(stamp)}")
    assert (delivery.stamp, delivery.part) == ("20261119000001000000", part)


def test_parts_written_at_different_moments_are_parts_of_one_series() -> None:
    first = named(f"{ACTIVITY}_20261119000001_part_1.csv")
    second = named(f"{ACTIVITY}_20261119000004_part_2.csv")
    assert first.series == second.series == ACTIVITY
    assert (first.part, second.part) == ("1", "2")
    assert first.stamp < second.stamp


@pytest.mark.parametrize(
    ("name", "client"),
    [
        ("KIRO_IDE_111122223333_user_report_202611210000.csv", "KIRO_IDE"),
        ("PLUGIN_111122223333_user_report.csv", "PLUGIN"),
        ("111122223333_user_report_202611210000.csv", ""),
        ("KIRO_IDE_111122223333_user_reports.csv", ""),
        ("KIRO_IDE_user_report_202611210000.csv", ""),
        ("", ""),
    ],
)
def test_the_name_of_a_user_report_begins_with_its_client(name: str, client: str) -> None:
    assert client_in_name(report_unit(name=f"KiroLogs/user_report/{name}")) == client


def test_stamps_of_all_forms_sort_by_time() -> None:
    written = ["1744761600", "20250417", "2025-04-17T00-00-01Z", "202504170001", "1744934400000"]
    stamps = [named(f"{ACTIVITY}_{stamp}.csv").stamp for stamp in written]
    assert stamps == sorted(set(stamps))


@pytest.mark.parametrize("client_type", ["KIRO_IDE", "KIRO_CLI", "PLUGIN", "KIRO_WEB"])
def test_each_client_of_kiro_has_a_series_of_its_own(client_type: str) -> None:
    assert named(f"{client_type}_111122223333_user_report_202611210000.csv") == Delivery(
        f"{client_type}_111122223333_user_report", "20261121000000000000"
    )


def test_an_account_id_is_no_stamp() -> None:
    unit = LogObject("202504170000", "us-east-1", 0, "usage_202504170000_20261121.csv")
    assert delivery_of(unit) == Delivery("usage_202504170000", "20261121000000000000")
    name = "202504170000_by_user_analytic_20261121.csv"
    assert named(name) == Delivery("202504170000_by_user_analytic", "20261121000000000000")


@pytest.mark.parametrize(
    ("name", "delivery"),
    [
        ("usage-2026-11-21.csv", Delivery("usage", "20261121000000000000")),
        ("usage-20261121_part_3.csv", Delivery("usage", "20261121000000000000", "3")),
        ("usage.csv", Delivery("usage", "")),
        ("usage_20261399.csv", Delivery("usage_20261399", "")),
        (f"{ACTIVITY}.csv", Delivery(ACTIVITY, "")),
        (f"{ACTIVITY}_20250230_x.csv", Delivery(ACTIVITY, "")),
        ("20261121.csv", Delivery("", "20261121000000000000")),
        (".csv", Delivery("", "")),
        ("٢٠٢٥٠٤١٧.csv", Delivery("٢٠٢٥٠٤١٧", "")),
    ],
)
def test_an_unknown_name_is_a_series_without_its_stamp(name: str, delivery: Delivery) -> None:
    assert named(name) == delivery


@given(st.text(max_size=60))
@settings(deadline=None)
def test_no_name_raises(name: str) -> None:
    _, stamp, part = delivery_of(LogObject("111122223333", "us-east-1", 0, name))
    assert stamp == "" or (len(stamp) == 20 and stamp.isdigit())
    assert part == "" or part.isdigit()


@given(st.dates(date(2001, 9, 9), date(2033, 1, 1)), st.dates(date(2001, 9, 9), date(2033, 1, 1)))
@settings(deadline=None)
def test_the_later_day_has_the_larger_stamp(one: date, other: date) -> None:
    stamps = [
        named(f"{ACTIVITY}_{one:%Y%m%d}0000_report.csv").stamp,
        named(f"{ACTIVITY}_{other:%Y-%m-%d}.csv").stamp,
    ]
    assert (stamps[0] < stamps[1]) == (one < other)
