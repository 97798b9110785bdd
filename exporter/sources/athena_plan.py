"""Which log objects a query names, and by what: as few ranges of paths as tell them from the rest.

Pure: no clock, no AWS. Log objects sort by the time in their names, so what is new of an hour is
mostly one range at its end.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from exporter.sources.athena_sql import MOST_RANGES, HourAsk, PathRange
from exporter.sources.log_store import is_account, is_hour, is_log_object, is_region, key_of
from exporter.usage import LogObject


class PathHour(NamedTuple):
    """One partition hour."""

    account_id: str
    region: str
    hour: int
    """UTC hours since the epoch."""


MOST_CHARACTERS = 150_000
"""Of the names of log objects in one query; Athena takes 262,144 bytes in all."""
_CHARACTERS_BESIDES = 24
"""What a query says of each path, besides the path."""
MOST_OBJECTS = 20_000
"""In one query: each comes back as a row, of which a page holds 1,000."""


class Most(NamedTuple):
    """What one query should be for, at most."""

    objects: int = MOST_OBJECTS
    stored_bytes: int = 10**12


Listing = Mapping[PathHour, Sequence[str]]
"""The names of all log objects of hours, sorted, read before or not."""


def asks_for(location: str, units: Iterable[LogObject], listing: Listing) -> list[HourAsk]:
    """Name log objects so that none else of what is listed is named; newest hours first."""
    wanted: dict[PathHour, set[str]] = defaultdict(set)
    for unit in units:
        wanted[hour_of_unit(unit)].add(unit.name)
    return [
        HourAsk(*hour, ranges=tuple(_ranges(location, hour, listing[hour], names)))
        for hour, names in sorted(wanted.items(), key=lambda item: item[0].hour, reverse=True)
    ]


def ask_for_rest(location: str, hour: PathHour, known: Iterable[str]) -> HourAsk:
    """Name all log objects of an hour but those that were read, whatever else there may be."""
    # Names begin with the digits of a date; "/" and ":" stand before and after all digits.
    folder = path_of(location, LogObject(*hour, ""))
    whole = PathRange(f"{folder}0", f"{folder}:")
    return HourAsk(*hour, ranges=(whole,), without=tuple(f"{folder}{name}" for name in known))


def _ranges(
    location: str, hour: PathHour, listed: Sequence[str], wanted: set[str]
) -> Iterator[PathRange]:
    run: list[str] = []
    for name in (*listed, None):
        if name in wanted:
            run.append(str(name))
        elif run:
            first, last = (path_of(location, LogObject(*hour, end)) for end in (run[0], run[-1]))
            yield PathRange(first, last)
            run = []


def in_parts(
    location: str, units: Mapping[LogObject, int], listing: Listing, most: Most
) -> Iterator[list[LogObject]]:
    """Part log objects into as many as one query can name, scan and give back.

    `units` are given with their stored bytes, and keep their order but within an hour.
    """
    hours: dict[PathHour, list[LogObject]] = defaultdict(list)
    for unit in units:
        hours[hour_of_unit(unit)].append(unit)
    part: list[LogObject] = []
    size = _Size()

    def size_of_part(part: Sequence[LogObject]) -> _Size:
        size = _Size(objects=len(part), stored_bytes=sum(units[unit] for unit in part))
        for ask in asks_for(location, part, listing):
            size = size.plus(size_of(ask))
        return size

    def fitting(group: list[LogObject]) -> Iterator[tuple[list[LogObject], _Size]]:
        size = size_of_part(group)
        if len(group) == 1 or size.fits(most):
            yield group, size
        else:
            for half in halves(group):
                yield from fitting(half)

    for group in hours.values():
        for piece, added in fitting(group):
            if part and not size.plus(added).fits(most):
                yield part
                part, size = [], _Size()
            part = part + piece
            size = size.plus(added)
    if part:
        yield part


def in_queries(asks: Iterable[HourAsk]) -> Iterator[list[HourAsk]]:
    """Part asks into as many as one query can hold."""
    part: list[HourAsk] = []
    size = _Size()
    for ask in asks:
        if part and not size.plus(size_of(ask)).fits(Most()):
            yield part
            part, size = [], _Size()
        part.append(ask)
        size = size.plus(size_of(ask))
    if part:
        yield part


class _Size(NamedTuple):
    """What is bounded of a query."""

    characters: int = 0
    ranges: int = 0
    objects: int = 0
    stored_bytes: int = 0

    def plus(self, other: "_Size") -> "_Size":
        return _Size(*map(int.__add__, self, other))

    def fits(self, most: "Most") -> bool:
        return (
            self.characters <= MOST_CHARACTERS
            and self.ranges <= MOST_RANGES
            and self.objects <= most.objects
            and self.stored_bytes <= most.stored_bytes
        )


def size_of(ask: HourAsk) -> _Size:
    """Return what an ask takes of a query, so far as that is known beforehand."""
    paths = [path for ends in ask.ranges for path in ends] + list(ask.without)
    characters = sum(len(path) + _CHARACTERS_BESIDES for path in paths)
    return _Size(characters, len(ask.ranges) + len(ask.without))


def halves(units: Sequence[LogObject]) -> tuple[list[LogObject], list[LogObject]]:
    """Part log objects in two, so that each part can still be named by few ranges."""
    units = sorted(units)
    middle = len(units) // 2
    return units[:middle], units[middle:]


def hour_of_unit(unit: LogObject) -> PathHour:
    """Return the partition hour in which a log object lies."""
    return PathHour(unit.account_id, unit.region, unit.hour)


def unit_of(location: str, path: str) -> LogObject | None:
    """Return the log object of a value of "$path"; None where it is none of the location's."""
    key = path.removeprefix(f"{location.rstrip('/')}/")
    parts = key.split("/")
    if len(parts) != 9 or parts[0] != "AWSLogs" or not is_log_object(parts[8]):
        return None
    account_id, region = parts[1], parts[3]
    if not (is_account(account_id) and is_region(region) and is_hour(parts[7])):
        return None
    try:
        hour = datetime.strptime("/".join(parts[4:8]), "%Y/%m/%d/%H").replace(tzinfo=UTC)
    except ValueError:
        return None
    unit = LogObject(account_id, region, int(hour.timestamp()) // 3600, parts[8])
    return unit if key_of(unit) == key else None


def path_of(location: str, unit: LogObject) -> str:
    """Return the value of "$path" for a log object."""
    return f"{location.rstrip('/')}/{key_of(unit)}"
