"""Prompts into log objects, and what comes of a day into reports, as AWS delivers them.

An object of prompts lies in the hour of its records and comes a minute or two after the last of
them, before the hour is over; a report lies under the day that it speaks of and comes when that is
over. Objects depend on the seed and the day alone; a stretch of time has those that come in it.
"""

import gzip
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import groupby
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

import msgspec

from exporter.simulate.activity_report import activity_report
from exporter.simulate.asked import read_asked
from exporter.simulate.calls import HOUR_SECONDS
from exporter.simulate.developers import ACCOUNT, DEVELOPERS, Service
from exporter.simulate.kiro_report import kiro_reports
from exporter.simulate.layout import assistants_day, assistants_folder, prompt_log_name
from exporter.simulate.objects import write_object
from exporter.simulate.prompt_records import log_type, prompt_record
from exporter.simulate.prompts import Kind, Prompt, live_prompts_of_day, prompts_of_day
from exporter.simulate.written import Written

_DELIVERY_SECONDS = 30, 150
"""Shortest and longest time from an object's last record to its delivery."""
_ALONE = "0123"
"""First digits of the requests whose records end an object, though it would hold two."""
_DAY = timedelta(days=1)
_KIRO_REPORT_DELAY = timedelta(hours=2)
"""After the end of the day; reports of activity come at once."""
_STRAY_OBJECTS = 3
_STRAY_BYTES = 103
_REGIONS = sorted({developer.region for developer in DEVELOPERS})


class _Object(NamedTuple):
    """Prompts that are delivered together."""

    delivered: int
    """Since the epoch."""
    prompts: tuple[Prompt, ...]


class _Report(NamedTuple):
    key: str
    text: str


def write_stray_objects(folder: Path) -> None:
    """Write the small objects, named by UUIDs, that Kiro leaves beside its logs."""
    text = b"Written to see whether the destination may be written to."
    for number in range(_STRAY_OBJECTS):
        name = str(UUID(int=number, version=4))
        key = f"{assistants_folder(ACCOUNT, Service.KIRO)}/{name}"
        write_object(folder / key, text.ljust(_STRAY_BYTES))


def write_assistants(
    folder: Path, *, seed: int, start: datetime, end: datetime, is_live: bool
) -> Written:
    """Write the objects and reports delivered from start, exclusive, to end, inclusive.

    Live, there are further prompts, whatever the hour. A report counts the prompts that lie in the
    folder; a day without any has none.
    """
    written = Written()
    day, first, last = start.date() - _DAY, int(start.timestamp()), int(end.timestamp())
    while day <= end.date():
        for each in _objects_of_day(seed, day, is_live):
            if first < each.delivered <= last:
                _write(folder, each)
                written = written.plus(_count(each))
        reports = 0
        for report in _reports_of_day(folder, seed, day, start, end):
            write_object(folder / report.key, report.text.encode())
            reports += 1
        written = written.plus(Written(reports=reports))
        day += _DAY
    return written


@lru_cache(maxsize=2)  # live asks for the same two days again and again
def _objects_of_day(seed: int, day: date, is_live: bool) -> tuple[_Object, ...]:
    objects = list(_pack(prompts_of_day(seed, day)))
    if is_live:
        objects += [_Object(each.second, (each,)) for each in live_prompts_of_day(seed, day)]
    return tuple(objects)


def _place(prompt: Prompt) -> tuple[str, str, str, int]:
    """Return what the records of one object have in common, the hour last."""
    developer = prompt.developer
    hour = prompt.second // HOUR_SECONDS
    return developer.service, log_type(prompt.kind), developer.region, hour


def _pack(prompts: list[Prompt]) -> Iterator[_Object]:
    """Yield objects of one record or two."""
    for (_, _, _, hour), group in groupby(sorted(prompts, key=_place), key=_place):
        waiting: tuple[Prompt, ...] = ()
        for prompt in group:
            waiting += (prompt,)
            if len(waiting) == 2 or prompt.request_id[0] in _ALONE:
                yield _object(waiting, hour)
                waiting = ()
        if waiting:
            yield _object(waiting, hour)


def _object(prompts: tuple[Prompt, ...], hour: int) -> _Object:
    shortest, longest = _DELIVERY_SECONDS
    last = prompts[-1]
    delivered = last.second + shortest + int(last.request_id[:4], 16) % (longest - shortest)
    return _Object(min(delivered, (hour + 1) * HOUR_SECONDS), prompts)


def _count(written: _Object) -> Written:
    router_turns = sum(prompt.kind is Kind.ROUTER_TURN for prompt in written.prompts)
    prompts = len(written.prompts) - router_turns
    return Written(prompt_objects=1, prompts=prompts, router_turns=router_turns)


def _write(folder: Path, each: _Object) -> None:
    """Write an object: for Amazon Q Developer a folder that ends in .gz, with JSON in it."""
    path = folder / _key(each)
    if path.exists():
        return
    text = msgspec.json.encode({"records": [prompt_record(prompt) for prompt in each.prompts]})
    write_object(path, gzip.compress(text, 6, mtime=0) if path.suffix == ".gz" else text)


def _key(each: _Object) -> str:
    first = each.prompts[0]
    service, kind, region, hour = _place(first)
    moment = datetime.fromtimestamp(hour * HOUR_SECONDS, UTC)
    token = first.request_id.replace("-", "")[:16]
    day = assistants_day(ACCOUNT, service, kind, region, moment.date())
    key = f"{day}/{moment:%H}/{prompt_log_name(ACCOUNT, kind, each.delivered, token)}"
    return f"{key}/{token}.json" if service == Service.QDEVELOPER else key


def _reports_of_day(
    folder: Path, seed: int, day: date, start: datetime, end: datetime
) -> Iterator[_Report]:
    over = datetime.combine(day, time(), UTC) + _DAY
    for region in _REGIONS:
        if start < over <= end:
            yield from _activity_reports(folder, seed, day, region)
        if start < over + _KIRO_REPORT_DELAY <= end:
            yield from _kiro_reports(folder, seed, day, region)


def _activity_reports(folder: Path, seed: int, day: date, region: str) -> Iterator[_Report]:
    asked = read_asked(folder, Service.QDEVELOPER, region, day)
    if text := activity_report(seed, day, region, asked):
        place = assistants_day(ACCOUNT, Service.QDEVELOPER, "by_user_analytic", region, day)
        name = f"{ACCOUNT}_by_user_analytic_{day:%Y%m%d}0000_report.csv"
        yield _Report(f"{place}/00/{name}", text)


def _kiro_reports(folder: Path, seed: int, day: date, region: str) -> Iterator[_Report]:
    asked = read_asked(folder, Service.KIRO, region, day)
    for client, text in kiro_reports(seed, day, region, asked).items():
        place = assistants_day(ACCOUNT, Service.KIRO, "user_report", region, day)
        name = f"{client}_{ACCOUNT}_user_report_{day:%Y%m%d}0000.csv"
        yield _Report(f"{place}/00/{name}", text)
