"""Reading log objects from a folder, against a plain loop and against gunzip alone."""

import gzip
import multiprocessing
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import orjson
from isal import igzip

from benchmarks.logs import Shape, frozen_now, write_logs
from exporter.config import InvocationLogs
from exporter.ledger import NewestRecord, WritableLedger
from exporter.sources.events import Times
from exporter.sources.invocation_logs import invocation_logs
from exporter.sources.log_schedule import Known
from exporter.sources.reading import ReaderPool
from exporter.sources.record_reader import Recording
from exporter.usage import Batch

SHAPES = (Shape(2000, 50, 4096), Shape(200, 50, 40_960))
_ROUNDS = 3
_BATCHES_A_TRANSACTION = 256


def run() -> None:
    """Print the speed of reading for each shape."""
    for shape in SHAPES:
        with TemporaryDirectory() as folder:
            size = write_logs(Path(folder), shape, frozen_now())
            _compare(shape, Path(folder), size)


def _compare(shape: Shape, folder: Path, size: int) -> None:
    """Take every way in turn, several times, so that all meet the same machine."""
    files = sorted(folder.rglob("*.json.gz"))
    with multiprocessing.get_context("spawn").Pool(2) as gunzip_pool:
        pool = ReaderPool(2)
        read_all(str(folder), pool)  # starts the processes
        ways: dict[str, Callable[[], object]] = {
            "gzip + orjson loop": lambda: _plain_loop(files),
            "gunzip alone, 2 processes": lambda: gunzip_pool.map(_gunzip, files, chunksize=16),
            "ours, to batches": lambda: read_all(str(folder), pool),
            "ours, into the ledger": lambda: _read_into_ledger(str(folder), pool),
        }
        seconds: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(_ROUNDS):
            for name, way in ways.items():
                started = time.perf_counter()
                way()
                seconds[name].append(time.perf_counter() - started)
        pool.close()
    _print(shape, size, {name: median(values) for name, values in seconds.items()})


def _print(shape: Shape, size: int, seconds: dict[str, float]) -> None:
    plain, gunzip, *_ = seconds.values()
    print(f"\nReading {shape}, {size / 1e6:.0f} MB of JSON")
    for name, taken in seconds.items():
        print(
            f"  {name:<28}{size / taken / 1e9:6.2f} GB/s  {plain / taken:5.2f}x the loop  "
            f"{gunzip / taken:5.0%} of gunzip"
        )


def _plain_loop(files: Sequence[Path]) -> int:
    tokens = 0
    for file in files:
        with gzip.open(file) as lines:
            for line in lines:
                tokens += orjson.loads(line)["input"]["inputTokenCount"]
    return tokens


def _gunzip(file: Path) -> int:
    return len(igzip.decompress(file.read_bytes()))


class _Nothing:
    """What a ledger knows that has read nothing."""

    def progress(self, *_: object) -> None:
        return None

    def known_objects(self, *_: object) -> set[tuple[int, str]]:
        return set()

    def newest_records(self) -> list[NewestRecord]:
        return []


def _read(location: str, pool: ReaderPool, known: Known) -> Iterator[Batch]:
    now = frozen_now()
    settings = InvocationLogs(type="invocation_logs", location=location, max_object_bytes=2**30)
    source = invocation_logs(settings, None, Recording(), pool)
    times = Times(now, now - timedelta(days=3), now - timedelta(days=400))
    for event in source.read(times, known, lambda: False):
        if isinstance(event, Batch):
            yield event


def read_all(location: str, pool: ReaderPool) -> int:
    """Read everything at a location; returns the records."""
    return sum(batch.records for batch in _read(location, pool, _Nothing()))


def _read_into_ledger(location: str, pool: ReaderPool) -> None:
    with TemporaryDirectory() as folder:
        ledger = WritableLedger.open(Path(folder) / "ledger.sqlite")
        batches: list[Batch] = []
        for batch in _read(location, pool, ledger):
            batches.append(batch)
            if len(batches) == _BATCHES_A_TRANSACTION:
                ledger.apply(batches)
                batches = []
        ledger.apply(batches)
        ledger.close()
