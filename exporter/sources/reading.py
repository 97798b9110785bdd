"""Reads a handful of log objects, in this process or in one of several that do nothing else.

What an object says is the business of its format.
"""

import gc
import multiprocessing
import os
import signal
import threading
import traceback
from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Sequence
from concurrent.futures import (
    FIRST_COMPLETED,
    ProcessPoolExecutor,
    ThreadPoolExecutor,
    wait,
)
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from exporter.assistant_usage import ReportBatch
from exporter.aws.meter import Meter
from exporter.sources.events import Fault, ObjectBatch
from exporter.sources.log_layout import INVOCATION_LOGS, Layout
from exporter.sources.log_store import (
    ListedObject,
    LogStore,
    ObjectGoneError,
    StoreError,
    Stream,
    key_of,
)
from exporter.sources.rejection import Rejection
from exporter.usage import AwsRequest, LogObject

if TYPE_CHECKING:
    from exporter.config import Account

_TASK_OBJECTS = 32
_TASK_BYTES = 8 * 2**20
"""Of stored bytes: what one process may hold at a time, but for one object that is larger."""
_INLINE_TASKS = 2
"""So little is read without starting processes for it."""
_MOST_PROCESSES = 4
"""More would take memory, 50 MB each with S3, to wait for the one that writes the ledger."""
_STREAM_ATTEMPTS = 3
_READERS = 4
"""One for each format that a location is likely to have; an older one is let go."""

ObjectReader = Callable[[LogObject, Stream], ObjectBatch]
"""Reads one object; raises only what the stream raises."""


class Format(Hashable, Protocol):
    """How the objects of one source are read: a value that can be pickled."""

    def reader(self) -> ObjectReader:
        """Return what reads them. It is kept, for as long as objects of the format come."""


@dataclass(frozen=True, slots=True)
class Reading:
    """All that a process must know to read log objects of one source."""

    location: str
    format: Format
    account: "Account | None" = None
    """In whose role the location is read; none: the ambient credentials."""


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one task: a batch for each object that could be read."""

    objects: int
    batches: list[ObjectBatch]
    faults: list[tuple[LogObject, Fault]]
    aws_requests: Counter[AwsRequest]


def open_store(
    location: str,
    meter: Meter,
    account: "Account | None" = None,
    layout: Layout = INVOCATION_LOGS,
) -> LogStore:
    """Return the store of a source's location, in the role of an account."""
    if location.startswith("s3://"):
        # boto3 takes 30 MB of memory, which a process that reads a folder need not have.
        from exporter.sources.s3_store import S3Store

        return S3Store(location, meter, account, layout)
    from exporter.sources.folder_store import FolderStore

    return FolderStore(Path(location), layout)


def read_task(reading: Reading, task: Sequence[ListedObject]) -> Result:
    """Read each object of a task; one that fails costs no other."""
    store, meter = _store(reading.location, reading.account)
    reader = _reader(reading.format)
    result = Result(len(task), [], [], Counter())
    for listed, opened in zip(task, _opened(store, task), strict=True):
        outcome = _read(reader, store, listed, opened)
        if isinstance(outcome, Fault):
            result.faults.append((listed.unit, outcome))
        else:
            result.batches.append(outcome)
    result.aws_requests.update(meter.take())
    return result


def _opened(store: LogStore, task: Sequence[ListedObject]) -> Iterator[Callable[[], Stream]]:
    """Open objects ahead where that takes time; yield what returns each, or raises."""
    if store.concurrency == 1:
        yield from (partial(store.open, listed) for listed in task)
        return
    with ThreadPoolExecutor(store.concurrency) as pool:
        yield from [pool.submit(store.open, listed).result for listed in task]


def _read(
    reader: ObjectReader, store: LogStore, listed: ListedObject, opened: Callable[[], Stream]
) -> ObjectBatch | Fault:
    try:
        for attempt in range(1, _STREAM_ATTEMPTS + 1):
            stream = _Watched(opened() if attempt == 1 else store.open(listed))
            try:
                batch = reader(listed.unit, stream)
                if isinstance(batch, ReportBatch):
                    batch = replace(batch, version=listed.version)
                is_taken = _is_whole(batch, stream.last) or store.is_settled(listed)
                return batch if is_taken else _unsettled(listed)
            except StoreError as error:
                # A large object that broke off is read again from its beginning.
                if error.reason != "network" or attempt == _STREAM_ATTEMPTS:
                    raise
            finally:
                stream.close()
        raise AssertionError("the last attempt returns or raises")
    except ObjectGoneError as error:
        return Fault("object_gone", f"{error}: deleted before it was read", is_outage=False)
    except StoreError as error:
        return Fault(error.reason, str(error), is_outage=error.reason != "archived")
    except Exception as error:  # a bug of ours must cost one object, and must be seen
        place = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{Path(place.filename).name}:{place.lineno}"
        return Fault("bug", f"{key_of(listed.unit)}: {type(error).__name__} at {where}")


class _Watched:
    """A stream that remembers the last byte that was read."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self.last = b""

    def read(self, size: int) -> bytes:
        data = self._stream.read(size)
        self.last = data[-1:] or self.last
        return data

    def close(self) -> None:
        self._stream.close()


def _is_whole(batch: ObjectBatch, last: bytes) -> bool:
    """Tell whether an object has no sign of being cut short."""
    if batch.rejected.keys() & {Rejection.CORRUPT_GZIP, Rejection.EMPTY_OBJECT}:
        return False
    # The numbers in half a report look like any others.
    is_plain_report = isinstance(batch, ReportBatch) and batch.unit.name.endswith(".csv")
    return not is_plain_report or last in b"\r\n"


def _unsettled(listed: ListedObject) -> Fault:
    text = f"{key_of(listed.unit)}: is cut short, and was changed within the last minute"
    return Fault("unsettled", f"{text}; it is read again at the next refresh")


@lru_cache(maxsize=16)
def _store(location: str, account: "Account | None") -> tuple[LogStore, Meter]:
    meter = Meter()
    return open_store(location, meter, account), meter


@lru_cache(maxsize=_READERS)
def _reader(format: Format) -> ObjectReader:
    return format.reader()


class ReaderPool:
    """The processes that read; they are started when there is much to read, and let go after."""

    def __init__(self, processes: int | None = None) -> None:
        self._processes = processes or min(os.cpu_count() or 1, _MOST_PROCESSES)
        self._executor: ProcessPoolExecutor | None = None

    def read(
        self, reading: Reading, objects: Sequence[ListedObject], is_due: Callable[[], bool]
    ) -> Iterator[Result]:
        """Read objects, about in their order, and yield what came of each task.

        Once something is read and `is_due`, no further task is begun. Raises StoreError if a
        process is killed from outside; what was not yielded is not read.
        """
        tasks = list(_tasks(objects))
        try:
            if len(tasks) <= _INLINE_TASKS:
                yield from _read_here(reading, tasks, is_due)
            else:
                yield from self._read_apart(reading, tasks, is_due)
        except BrokenProcessPool:
            self.close()
            raise StoreError(
                "reader_killed", "a reading process was killed; is memory short?"
            ) from None

    def _read_apart(
        self,
        reading: Reading,
        tasks: Sequence[Sequence[ListedObject]],
        is_due: Callable[[], bool],
    ) -> Iterator[Result]:
        executor = self._started()
        # Twice as many tasks as there are processes, so that none waits for the next.
        ahead = 2 * self._processes
        running = {executor.submit(read_task, reading, task) for task in tasks[:ahead]}
        waiting = iter(tasks[ahead:])
        try:
            while running:
                done, running = wait(running, return_when=FIRST_COMPLETED)
                for task in () if is_due() else islice(waiting, len(done)):
                    running.add(executor.submit(read_task, reading, task))
                for future in done:
                    yield future.result()
        finally:
            for future in running:
                future.cancel()

    def _started(self) -> ProcessPoolExecutor:
        if self._executor is None:
            self._executor = ProcessPoolExecutor(
                self._processes,
                mp_context=multiprocessing.get_context("spawn"),
                initializer=_end_with_parent,
            )
        return self._executor

    def close(self) -> None:
        """Let the processes go."""
        if self._executor is not None:
            self._executor.shutdown(wait=False, cancel_futures=True)
            self._executor = None


def _read_here(
    reading: Reading, tasks: Sequence[Sequence[ListedObject]], is_due: Callable[[], bool]
) -> Iterator[Result]:
    for task in tasks:
        yield read_task(reading, task)
        if is_due():
            return


def _tasks(objects: Sequence[ListedObject]) -> Iterator[list[ListedObject]]:
    task: list[ListedObject] = []
    size = 0
    for listed in objects:
        if task and (len(task) == _TASK_OBJECTS or size + listed.size > _TASK_BYTES):
            yield task
            task, size = [], 0
        task.append(listed)
        size += listed.size
    if task:
        yield task


def _end_with_parent() -> None:
    """End this process when its parent does, even if that is killed; leave Ctrl-C to the parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Records make no cycles: looking for them less often saves a few per cent.
    gc.set_threshold(100_000, 50, 50)
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def watch() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
