"""By what log objects are named in a query: all that are wanted, none that is not."""

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.sources import athena_plan
from exporter.sources.athena_plan import (
    Most,
    PathHour,
    ask_for_rest,
    asks_for,
    halves,
    in_parts,
    in_queries,
    path_of,
    unit_of,
)
from exporter.sources.athena_sql import HourAsk, PathRange
from exporter.usage import LogObject
from usage_builders import ACCOUNT, REGION

LOCATION = "s3://logs/team"
HOUR = PathHour(ACCOUNT, REGION, 494_436)  # 2026-05-28 12:00 UTC
FOLDER = f"s3://logs/team/AWSLogs/{ACCOUNT}/BedrockModelInvocationLogs/{REGION}/2026/05/28/12/20260528T12"


def name(minute: int) -> str:
    return f"20260528T12{minute:02}00000Z_0123456789abcdef.json.gz"


def unit(minute: int, hour: int = HOUR.hour) -> LogObject:
    return LogObject(ACCOUNT, REGION, hour, name(minute))


def sized(units: Iterable[LogObject]) -> dict[LogObject, int]:
    return dict.fromkeys(units, 1_000)


def range_of(first: int, last: int) -> PathRange:
    ends = (f"{FOLDER}{minute:02}00000Z_0123456789abcdef.json.gz" for minute in (first, last))
    return PathRange(*ends)


@pytest.mark.parametrize(
    ("listed", "wanted", "ranges"),
    [
        ([5], [5], [(5, 5)]),
        ([5, 10, 15], [5, 10, 15], [(5, 15)]),
        ([5, 10, 15], [15], [(15, 15)]),
        ([5, 10, 15, 20], [5, 15, 20], [(5, 5), (15, 20)]),
        ([5, 10, 15], [5, 15], [(5, 5), (15, 15)]),
    ],
)
def test_new_objects_are_named_by_runs_that_hold_no_known_one(
    listed: list[int], wanted: list[int], ranges: list[tuple[int, int]]
) -> None:
    listing = {HOUR: [name(minute) for minute in listed]}
    assert asks_for(LOCATION, [unit(minute) for minute in wanted], listing) == [
        HourAsk(*HOUR, ranges=tuple(range_of(first, last) for first, last in ranges))
    ]


def names_in(ask: HourAsk, names: list[str]) -> set[str]:
    paths = {path_of(LOCATION, LogObject(*HOUR, name)): name for name in names}
    return {
        name
        for path, name in paths.items()
        if any(first <= path <= last for first, last in ask.ranges) and path not in ask.without
    }


@given(st.dictionaries(st.integers(0, 59), st.booleans(), min_size=1))
def test_whatever_was_read_the_rest_is_named_and_nothing_else(listed: dict[int, bool]) -> None:
    names = sorted(map(name, listed))
    new = {name(minute) for minute, is_new in listed.items() if is_new}
    known = {name(minute) for minute, is_new in listed.items() if not is_new}
    named = asks_for(LOCATION, [LogObject(*HOUR, each) for each in new], {HOUR: names})
    assert {each for ask in named for each in names_in(ask, names)} == new
    assert names_in(ask_for_rest(LOCATION, HOUR, known), names) == new


def test_the_rest_of_an_hour_leaves_out_what_lies_in_folders_below_it() -> None:
    [whole] = ask_for_rest(LOCATION, HOUR, ()).ranges
    folder = FOLDER.removesuffix("20260528T12")
    assert not whole.first <= f"{folder}data/0123_input.json.gz" <= whole.last
    assert whole.first <= f"{folder}{name(59)}" <= whole.last


def test_newer_hours_are_asked_first() -> None:
    older = PathHour(ACCOUNT, REGION, HOUR.hour - 1)
    units = [unit(5, older.hour), unit(5)]
    listing = {older: [name(5)], HOUR: [name(5)]}
    assert [ask.hour for ask in asks_for(LOCATION, units, listing)] == [HOUR.hour, older.hour]


def test_what_one_query_cannot_name_is_asked_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(athena_plan, "MOST_CHARACTERS", 1_000)
    listing = {HOUR: [name(minute) for minute in range(60)]}
    fragments = [unit(minute) for minute in range(0, 60, 2)]
    parts = list(in_parts(LOCATION, sized(fragments), listing, Most()))
    assert len(parts) > 5
    assert sorted(each for part in parts for each in part) == fragments
    for part in parts:
        asks = asks_for(LOCATION, part, listing)
        assert sum(athena_plan.size_of(ask).characters for ask in asks) <= 1_000


def test_one_object_is_asked_however_long_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(athena_plan, "MOST_CHARACTERS", 10)
    assert list(in_parts(LOCATION, sized([unit(5)]), {HOUR: [name(5)]}, Most())) == [[unit(5)]]


def test_more_objects_than_a_query_may_return_are_asked_in_parts() -> None:
    listing = {HOUR: [name(minute) for minute in range(60)]}
    parts = list(in_parts(LOCATION, sized(map(unit, range(60))), listing, Most(objects=25)))
    assert sum(map(len, parts)) == 60
    assert max(map(len, parts)) <= 25


def test_no_query_is_for_more_bytes_than_it_may_scan_but_for_one_object() -> None:
    listing = {HOUR: [name(minute) for minute in range(10)]}
    sizes = {unit(minute): 1_000 if minute < 9 else 9_000 for minute in range(10)}
    parts = list(in_parts(LOCATION, sizes, listing, Most(stored_bytes=2_500)))
    assert sorted(each for part in parts for each in part) == sorted(sizes)
    assert [unit(9)] in parts
    assert all(sum(sizes[each] for each in part) <= 2_500 for part in parts if part != [unit(9)])


def test_a_query_names_no_more_ranges_than_athena_prunes_by() -> None:
    hours = [PathHour(ACCOUNT, REGION, HOUR.hour - back) for back in range(150)]
    listing = {hour: [name(5)] for hour in hours}
    units = [unit(5, hour.hour) for hour in hours]
    assert [len(part) for part in in_parts(LOCATION, sized(units), listing, Most())] == [100, 50]
    known = [f"{minute}" for minute in range(39)]
    asks = [ask_for_rest(LOCATION, hour, known) for hour in hours[:5]]
    assert [len(part) for part in in_queries(asks)] == [2, 2, 1]


def test_halves_hold_all_and_keep_runs_together() -> None:
    assert halves([unit(15), unit(5), unit(10)]) == ([unit(5)], [unit(10), unit(15)])


def test_a_path_is_that_of_the_object_it_is_read_as() -> None:
    path = path_of(LOCATION, unit(5))
    assert unit_of(LOCATION, path) == unit(5)
    assert unit_of(f"{LOCATION}/", path) == unit(5)


@pytest.mark.parametrize(
    "path",
    [
        f"{FOLDER}0500000Z_0123456789abcdef.json.gz".replace("/team/", "/teams/"),
        f"{FOLDER}0500000Z_0123456789abcdef.json.gz".replace("/12/", "/24/"),
        f"{FOLDER}0500000Z_0123456789abcdef.json.gz".replace("/05/28/", "/02/30/"),
        f"{FOLDER}0500000Z_0123456789abcdef.json.gz".replace("/05/", "/5/"),
        f"{FOLDER}0500000Z_0123456789abcdef.json.gz".replace("/12/", "/12/data/"),
        f"{FOLDER}0500000Z_0123456789abcdef.json.gz".replace("Bedrock", "QDeveloper"),
        "s3://logs/team/notes.txt",
        "",
    ],
)
def test_a_path_that_is_no_log_object_of_the_location_is_none(path: str) -> None:
    assert unit_of(LOCATION, path) is None
