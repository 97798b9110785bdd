"""The same log objects read directly and summed by Athena's SQL, to hold one against the other."""

import io
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from pathlib import Path

from bad_input import NOW_SLOT, pack, reader

from athena_engine import Engine, Table
from athena_logs import folder
from exporter.sources.athena_rows import Answer, ObjectRead, read_rows
from exporter.sources.athena_sql import HourAsk, PathRange, usage_query
from exporter.sources.log_store import key_of
from exporter.sources.object_reader import read_object
from exporter.sources.record_reader import RecordReader
from exporter.usage import Batch, Counts, Fact, LogObject, Usage

LOCATION = "s3://logs/prefix"
LAST_SLOT = NOW_SLOT + 4
_LARGEST = 2**24

Objects = Mapping[LogObject, Sequence[bytes]]
"""The lines of log objects."""


def path_of(unit: LogObject) -> str:
    """The whole URL of a log object."""
    return f"{LOCATION}/{key_of(unit)}"


def write(root: Path, objects: Objects) -> None:
    """Write log objects in AWS's layout."""
    for unit, lines in objects.items():
        path = root / key_of(unit)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(pack(*lines))


def asks_for(units: Iterable[LogObject]) -> list[HourAsk]:
    """Ask for these log objects, each by its own path."""
    asks = []
    for place, group in groupby(sorted(units), key=lambda unit: unit[:3]):
        paths = [path_of(unit) for unit in group]
        asks.append(HourAsk(*place, tuple(PathRange(path, path) for path in paths)))
    return asks


class Athena:
    """The table over a folder, and what a query of it says."""

    def __init__(self, root: Path) -> None:
        self.engine = Engine({"db": {"logs": Table({LOCATION: folder(root)})}})

    def ask(
        self,
        hours: Sequence[HourAsk],
        keys: Sequence[str] = (),
        last_slot: int = LAST_SLOT,
    ) -> Answer:
        """Ask for hours, and read the answer with a reader that keeps every name."""
        sql = usage_query("db", "logs", hours, keys, 0, last_slot)
        return read_rows(self.engine.execute(sql).rows, keys, reader(keys))


def read_directly(
    root: Path, units: Iterable[LogObject], with_reader: RecordReader
) -> tuple[Answer, dict[LogObject, Batch]]:
    """Read log objects as the direct source and the ledger do: each record counts once."""
    known: set[tuple[int, int]] = set()
    sums: dict[tuple[int, Fact], Counts] = {}
    rejected: Counter[str] = Counter()
    batches = {}
    for unit in sorted(units):
        stream = io.BytesIO((root / key_of(unit)).read_bytes())
        batch = read_object("logs", unit, stream, with_reader, _LARGEST, _LARGEST)
        batches[unit] = batch
        rejected.update(batch.rejected)
        size = len(Counts._fields)
        for number, request in enumerate(
            zip(batch.requests.slot, batch.requests.digest, strict=True)
        ):
            if request not in known:
                known.add(request)
                usage = batch.usage[batch.requests.usage[number]]
                counts = Counts(*batch.requests.counts[number * size : (number + 1) * size])
                key = usage.slot, usage.fact
                sums[key] = counts.plus(sums.get(key, Counts()))
    usage = tuple(Usage(*key, counts) for key, counts in sums.items())
    objects = {
        path_of(unit): ObjectRead(batch.records, batch.bytes, batch.newest)
        for unit, batch in batches.items()
    }
    return Answer(usage, objects, dict(rejected)), batches
