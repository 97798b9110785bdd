"""Calls into log objects, as Bedrock delivers them: in batches by account and region.

An object lies in the hour of its delivery, which now and then is later than that of its records.
"""

import gzip
import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import msgspec

from exporter.simulate.calls import HOUR_SECONDS, Call, Quirk, Tokens
from exporter.simulate.layout import PERMISSION_CHECK, hour_folder, logs_folder, object_name
from exporter.simulate.objects import write_object
from exporter.simulate.records import is_answered, record, side_objects
from exporter.simulate.workloads import WORKLOADS
from exporter.simulate.written import Written

_MAX_OBJECT_RECORDS = 30
_DELIVERY_SECONDS = 30, 150
"""Shortest and longest time from an object's last record to its delivery."""
_COPIES_AT_ONCE = {Quirk.LATE: 0, Quirk.DOUBLED: 2}
_HELD = (Quirk.LATE, Quirk.REPEATED)

_Stream = tuple[str, str]
"""Account and region: each has its own objects."""


class _Object(NamedTuple):
    stream: _Stream
    delivered: int
    lines: list[bytes]


def write_permission_checks(folder: Path) -> None:
    """Write the empty object that Bedrock leaves in each account's logs."""
    for account_id in sorted({workload.account_id for workload in WORKLOADS}):
        path = folder / logs_folder(account_id) / PERMISSION_CHECK
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()


def write_calls(folder: Path, calls: Iterable[Call], end: int) -> Written:
    """Write calls, given in the order of time, as log objects delivered by the second `end`.

    The same calls and end make the same objects, byte for byte.
    """
    written = Written()
    held: dict[_Stream, list[bytes]] = {}
    for _, group in groupby(calls, key=lambda call: call.second // HOUR_SECONDS):
        calls_of_hour = list(group)
        side = _write_side_objects(folder, calls_of_hour)
        objects = _write_objects(folder, _pack(calls_of_hour, held, end), written.objects)
        written = written.plus(_count(calls_of_hour)).plus(Written(objects, side))
    left = (_Object(stream, end, lines) for stream, lines in sorted(held.items()))
    return written.plus(Written(_write_objects(folder, left, written.objects)))


def _pack(calls: Iterable[Call], held: dict[_Stream, list[bytes]], end: int) -> Iterator[_Object]:
    """Yield the objects of an hour's calls.

    Takes the lines that earlier hours left in `held`, and leaves there what is to come later.
    """
    streams = defaultdict(list)
    for call in calls:
        streams[call.workload.account_id, call.workload.region].append(call)
    for stream in sorted(streams):
        lines, later = held.pop(stream, []), []
        for batch in _batches(streams[stream]):
            for call in batch:
                line = msgspec.json.encode(record(call))
                lines += [line] * _COPIES_AT_ONCE.get(call.quirk, 1)
                later += [line] * (call.quirk in _HELD)
            if lines:
                yield _Object(stream, min(_delivered(batch[-1]), end), lines)
            lines = []
        if later:
            held[stream] = later


def _batches(calls: Sequence[Call]) -> Iterator[Sequence[Call]]:
    for first in range(0, len(calls), _MAX_OBJECT_RECORDS):
        yield calls[first : first + _MAX_OBJECT_RECORDS]


def _delivered(last: Call) -> int:
    shortest, longest = _DELIVERY_SECONDS
    return last.second + shortest + int(last.request_id[:4], 16) % (longest - shortest)


def _count(calls: Sequence[Call]) -> Written:
    answered = [call.tokens for call in calls if is_answered(call)]
    return Written(
        0,
        0,
        len(calls),
        sum(call.quirk in (Quirk.REPEATED, Quirk.DOUBLED) for call in calls),
        len(calls) - len(answered),
        *map(sum, zip(Tokens(), *answered, strict=True)),
    )


def _write_objects(folder: Path, objects: Iterable[_Object], number: int) -> int:
    """Write log objects, counted on from `number`; return how many."""
    first = number
    for account_and_region, delivered, lines in objects:
        text = b"\n".join(lines) + b"\n"
        # The number keeps the names of two objects apart that hold the same copy of a record.
        digest = hashlib.sha256(b"%d\n" % number + text).hexdigest()[:16]
        key = f"{hour_folder(*account_and_region, delivered)}/{object_name(delivered, digest)}"
        _write_gzip(folder / key, text)
        number += 1
    return number - first


def _write_side_objects(folder: Path, calls: Iterable[Call]) -> int:
    number = 0
    for call in calls:
        for key, body in side_objects(call).items():
            _write_gzip(folder / key, msgspec.json.encode(body))
            number += 1
    return number


def _write_gzip(path: Path, text: bytes) -> None:
    if not path.exists():  # compressing takes longer than looking
        write_object(path, gzip.compress(text, 6, mtime=0))
