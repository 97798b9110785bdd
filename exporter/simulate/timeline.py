"""What has been written so far, and what comes next: past days, then live.

A small file beside AWSLogs/ holds the last stretch of time that was written. It says so before the
first object of a stretch is written and after the last, so that one cut short is finished as it
was begun; hence no record is written twice but on purpose, and none is left out.
"""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from exporter.simulate.assistants import write_assistants, write_stray_objects
from exporter.simulate.calls import Rate, calls_between
from exporter.simulate.delivery import write_calls, write_permission_checks
from exporter.simulate.written import Written

STATE_NAME = ".simulate.json"

_LONGEST_LIVE_GAP = timedelta(hours=1)
"""Of a machine that slept, say: what is longer is filled as the past is."""


class SimulateError(Exception):
    """A folder that cannot be written to; says why, and the remedy."""


@dataclass(frozen=True, slots=True)
class _Stretch:
    """A stretch of time whose logs are written in one go; it determines every byte of them."""

    seed: int
    start: datetime
    end: datetime
    calls_per_day: int
    calls_per_minute: float | None = None
    """Of live calls; None for those of the past."""
    assistants: bool = False
    """Whether there are logs of developer assistants besides those of Bedrock."""
    is_complete: bool = False


def simulate(
    folder: Path,
    *,
    seed: int,
    start: datetime,
    end: datetime,
    calls_per_day: int,
    assistants: bool = False,
) -> Written:
    """Write the log objects of the calls from start, inclusive, to end, exclusive.

    The same arguments make the same bytes. Late records, and second copies of some, are delivered
    by `end` at the latest. With `assistants`, also what assistants deliver by `end`: begin
    at a midnight, for a report counts the prompts of its day that are there.

    Raises SimulateError where the folder holds calls later than start, of another seed, or logs
    that were not simulated.
    """
    until, written = _resume(folder, seed)
    start, end = _whole_second(start), _whole_second(end)
    if until is not None and start < until:
        raise SimulateError(
            f"{folder}: calls up to {until:%Y-%m-%dT%H:%M:%SZ} are there already; "
            "begin at that time, or use another folder"
        )
    if start >= end:
        return written
    stretch = _Stretch(seed, start, end, calls_per_day, assistants=assistants)
    return written.plus(_write(folder, stretch))


def live(
    folder: Path,
    *,
    seed: int,
    calls_per_day: int,
    calls_per_minute: float,
    interval: timedelta,
    clock: Callable[[], datetime],
    wait: Callable[[float], object],
    assistants: bool = False,
) -> Written:
    """Write at every interval what was called since the last, going on from where writing ended.

    Calls come at `calls_per_minute`, whatever the hour, and are as much smaller as they are more
    frequent than `calls_per_day`: a day of them costs what a day of the past does. With
    `assistants`, prompts come every few minutes, and reports when a day is over. `wait` gets
    seconds and returns true to stop, which time.sleep never does: KeyboardInterrupt ends that, at
    any moment. Raises SimulateError where the folder holds calls of another seed, or logs that were
    not simulated.
    """
    until, written = _resume(folder, seed)
    until = until or _whole_second(clock())
    while not wait(interval.total_seconds()):
        now = _whole_second(clock())
        if now <= until:
            continue
        stretch = _Stretch(seed, until, now, calls_per_day, assistants=assistants)
        if now - until <= _LONGEST_LIVE_GAP:
            stretch = replace(stretch, calls_per_minute=calls_per_minute)
        written = written.plus(_write(folder, stretch))
        until = now
    return written


def run(
    folder: Path,
    *,
    seed: int,
    days: int,
    calls_per_day: int,
    calls_per_minute: float | None,
    interval: timedelta,
    clock: Callable[[], datetime],
    wait: Callable[[float], object],
    announce: Callable[[Written], object] = lambda written: None,
) -> Written:
    """Write the past up to now, then, with `calls_per_minute`, live until `wait` says to stop.

    Both of Bedrock and of developer assistants.

    A new folder begins at the UTC midnight that is `days` days before today's; one that holds
    simulated logs goes on from their end. `announce` is told of the past once it is written.
    Raises SimulateError where the folder holds calls of another seed, or logs that were not
    simulated.
    """
    now = _whole_second(clock())
    midnight = now.replace(hour=0, minute=0, second=0)
    until, written = _resume(folder, seed)
    start = until or midnight - timedelta(days=days)
    if start < now:
        stretch = _Stretch(seed, start, now, calls_per_day, assistants=True)
        written = written.plus(_write(folder, stretch))
    announce(written)
    if calls_per_minute is None:
        return written
    return written.plus(
        live(
            folder,
            seed=seed,
            calls_per_day=calls_per_day,
            calls_per_minute=calls_per_minute,
            interval=interval,
            clock=clock,
            wait=wait,
            assistants=True,
        )
    )


def _resume(folder: Path, seed: int) -> tuple[datetime | None, Written]:
    """Return up to when the folder is written, and what had to be written to finish that."""
    stretch = _load(folder)
    if stretch is None:
        if (folder / "AWSLogs").exists():
            raise SimulateError(f"{folder}: holds logs that were not simulated; use another folder")
        return None, Written()
    if stretch.seed != seed:
        raise SimulateError(
            f"{folder}: was simulated with seed {stretch.seed}, not {seed}; "
            f"use --seed {stretch.seed}, or another folder"
        )
    return stretch.end, Written() if stretch.is_complete else _write(folder, stretch)


def _write(folder: Path, stretch: _Stretch) -> Written:
    folder.mkdir(parents=True, exist_ok=True)
    _save(folder, stretch)
    write_permission_checks(folder)
    rate = Rate(stretch.calls_per_day, stretch.calls_per_minute)
    calls = calls_between(stretch.seed, rate, stretch.start, stretch.end)
    written = write_calls(folder, calls, int(stretch.end.timestamp()))
    if stretch.assistants:
        written = written.plus(_write_assistants(folder, stretch))
    _save(folder, replace(stretch, is_complete=True))
    return written


def _write_assistants(folder: Path, stretch: _Stretch) -> Written:
    write_stray_objects(folder)
    is_live = stretch.calls_per_minute is not None
    return write_assistants(
        folder, seed=stretch.seed, start=stretch.start, end=stretch.end, is_live=is_live
    )


def _load(folder: Path) -> _Stretch | None:
    path = folder / STATE_NAME
    try:
        fields: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        start, end = (datetime.fromisoformat(fields.pop(name)) for name in ("start", "end"))
        return _Stretch(start=start, end=end, **fields)
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, KeyError, AttributeError):
        raise SimulateError(
            f"{path}: is not readable as written; remove the folder to begin anew"
        ) from None


def _save(folder: Path, stretch: _Stretch) -> None:
    unfinished = folder / f"{STATE_NAME}.part"
    unfinished.write_text(json.dumps(asdict(stretch), default=datetime.isoformat) + "\n")
    unfinished.replace(folder / STATE_NAME)


def _whole_second(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(microsecond=0)
