"""Reading in this process and in others: the same results, bounded, and nobody left behind."""

import gc
import gzip
import json
import os
import pickle
import re
import signal
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

import pytest

from exporter.assistant_usage import PromptBatch
from exporter.identity import Privacy
from exporter.sources import invocation_log_format, s3_store
from exporter.sources import reading as reading_module
from exporter.sources.invocation_log_format import InvocationLogFormat
from exporter.sources.log_store import ListedObject, StoreError, Stream, hour_of, key_of
from exporter.sources.reading import ObjectReader, ReaderPool, Reading, Result, read_task
from exporter.sources.record_reader import Recording
from exporter.sources.rejection import Rejection
from exporter.usage import AwsRequest, Batch, LogObject, slot_of
from s3_server import S3Server, cut, refuse, wait_for

ACCOUNT, REGION = "111122223333", "us-east-1"
HOUR = datetime(2026, 11, 21, 7, tzinfo=UTC)
PLAIN = Recording()


def never() -> bool:
    return False


def always() -> bool:
    return True


def log_object(number: int, records: int = 3) -> tuple[LogObject, bytes]:
    """An object of a few calls, and what it holds."""
    unit = LogObject(ACCOUNT, REGION, hour_of(HOUR), f"20261121T070000000Z_{number:08x}.json.gz")
    lines = [
        json.dumps(
            {
                "timestamp": f"2026-11-21T07:00:{second:02}Z",
                "requestId": f"{number}-{second}",
                "modelId": "anthropic.claude-sonnet-4-6",
                "identity": {"arn": f"arn:aws:iam::{ACCOUNT}:user/u{number}"},
                "input": {"inputTokenCount": number},
                "output": {"outputTokenCount": second},
            }
        )
        for second in range(records)
    ]
    return unit, gzip.compress("\n".join(lines).encode())


def reading_of(location: Path | str, recording: Recording = PLAIN) -> Reading:
    read_from, read_to = 0, slot_of(HOUR) + 4
    return Reading(
        str(location),
        InvocationLogFormat("logs", 2**20, 2**30, read_from, read_to, recording),
    )


@pytest.fixture
def folder(tmp_path: Path) -> Callable[[int], tuple[Reading, list[ListedObject]]]:
    """Writes so many log objects into a folder."""

    def write(count: int) -> tuple[Reading, list[ListedObject]]:
        listed = []
        for number in range(count):
            unit, content = log_object(number)
            path = tmp_path / "logs" / key_of(unit)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            listed.append(ListedObject(unit, len(content)))
        return reading_of(tmp_path / "logs"), listed

    return write


@pytest.fixture
def pool() -> Iterator[ReaderPool]:
    pool = ReaderPool(processes=2)
    yield pool
    pool.close()


@pytest.fixture
def small_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading_module, "_TASK_OBJECTS", 4)


def batches_of(results: list[Result]) -> list[Batch]:
    return sorted(
        (batch for result in results for batch in result.batches), key=lambda batch: batch.unit
    )


def workers(pool: ReaderPool) -> list[int]:
    assert pool._executor is not None
    return list(pool._executor._processes)


@pytest.fixture
def control_c() -> Iterator[None]:
    """Ctrl-C as a terminal has it; where tests run in the background it may be switched off."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def lives(pid: int) -> bool:
    """Tell whether a process runs; one that is dead and not waited for yet does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    return not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] != "Z"


def wait_until(condition: Callable[[], bool], seconds: float = 20) -> bool:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    return condition()


class TestTasks:
    def test_hold_a_bounded_number_of_objects_and_bytes(self, monkeypatch) -> None:
        unit = log_object(1)[0]
        sizes = [1] * 70 + [5 * 2**20, 5 * 2**20, 100 * 2**20, 1]
        tasks = list(reading_module._tasks([ListedObject(unit, size) for size in sizes]))
        assert [len(task) for task in tasks] == [32, 32, 7, 1, 1, 1]
        assert [item.size for task in tasks for item in task] == sizes

    def test_of_nothing_are_none(self, pool) -> None:
        assert list(pool.read(reading_of("/nowhere"), [], never)) == []


class TestProcesses:
    def test_give_what_reading_here_gives(self, folder, pool, small_tasks) -> None:
        reading, listed = folder(30)
        apart = list(pool.read(reading, listed, never))
        assert len(workers(pool)) == 2
        assert batches_of(apart) == batches_of([read_task(reading, listed)])
        assert sum(result.objects for result in apart) == 30

    def test_are_not_started_for_a_little(self, folder, pool) -> None:
        reading, listed = folder(64)
        assert len(batches_of(list(pool.read(reading, listed, never)))) == 64
        assert pool._executor is None

    def test_hide_names_as_here(self, folder, pool, small_tasks) -> None:
        reading, listed = folder(12)
        hidden = Recording(privacy=Privacy("pseudonym", b"0123456789abcdef"))
        reading = reading_of(reading.location, recording=hidden)
        apart = batches_of(list(pool.read(reading, listed, never)))
        assert apart == batches_of([read_task(reading, listed)])
        assert "user/user-" in apart[0].usage[0].fact.principal

    def test_that_are_killed_cost_one_round(self, folder, pool, small_tasks) -> None:
        reading, listed = folder(40)
        results = pool.read(reading, listed, never)
        next(results)
        for pid in workers(pool):
            os.kill(pid, signal.SIGKILL)
        with pytest.raises(StoreError, match="memory") as caught:
            list(results)
        assert caught.value.reason == "reader_killed"
        assert len(batches_of(list(pool.read(reading, listed, never)))) == 40

    def test_that_are_killed_while_they_rest_cost_one_round(
        self, folder, pool, small_tasks
    ) -> None:
        reading, listed = folder(40)
        list(pool.read(reading, listed, never))
        for pid in workers(pool):
            os.kill(pid, signal.SIGKILL)
        try:
            list(pool.read(reading, listed, never))
        except StoreError as error:
            assert error.reason == "reader_killed"
        assert len(batches_of(list(pool.read(reading, listed, never)))) == 40

    def test_leave_control_c_to_their_parent(self, folder, pool, small_tasks, control_c) -> None:
        reading, listed = folder(40)
        results = pool.read(reading, listed, never)
        first = next(results)
        for pid in workers(pool):
            os.kill(pid, signal.SIGINT)
        assert len(batches_of([first, *results])) == 40

    def test_end_when_they_are_let_go(self, folder, pool, small_tasks) -> None:
        reading, listed = folder(40)
        list(pool.read(reading, listed, never))
        pids = workers(pool)
        pool.close()
        assert wait_until(lambda: not any(map(lives, pids)))

    def test_end_when_their_parent_is_killed(self, folder, tmp_path) -> None:
        reading, _ = folder(40)
        script = tmp_path / "parent.py"
        script.write_text(PARENT)
        parent = subprocess.Popen(
            [sys.executable, str(script), reading.location],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(Path.cwd())},
        )
        assert parent.stdout is not None
        pids = [int(pid) for pid in parent.stdout.readline().split()]
        assert len(pids) == 2
        assert all(map(lives, pids))
        parent.kill()
        parent.wait()
        parent.stdout.close()
        assert wait_until(lambda: not any(map(lives, pids)))


PARENT = """
import sys, time
from pathlib import Path
from exporter.sources import reading as module
from exporter.sources.folder_store import FolderStore
from exporter.sources.invocation_log_format import InvocationLogFormat
from exporter.sources.record_reader import Recording
from datetime import date

if __name__ == "__main__":
    module._TASK_OBJECTS = 1
    location = sys.argv[1]
    format = InvocationLogFormat("logs", 2**20, 2**20, 0, 2**40, Recording())
    reading = module.Reading(location, format)
    store = FolderStore(Path(location))
    listed = store.list_day("111122223333", "us-east-1", date(2026, 11, 21)).found
    pool = module.ReaderPool(processes=2)
    results = pool.read(reading, listed, lambda: False)
    next(results)
    print(*pool._executor._processes, flush=True)
    time.sleep(60)
"""


class Executor:
    """Runs tasks in threads and knows how many were begun."""

    def __init__(self, processes: int, **_: object) -> None:
        self._threads = ThreadPoolExecutor(processes)
        self.processes = processes
        self.begun = 0

    def submit(self, *call: Any) -> "Future[Result]":
        self.begun += 1
        return self._threads.submit(*call)

    def shutdown(self, **_: object) -> None:
        self._threads.shutdown()


@pytest.fixture
def in_threads(monkeypatch: pytest.MonkeyPatch, small_tasks: None) -> None:
    monkeypatch.setattr(reading_module, "ProcessPoolExecutor", Executor)


class TestTasksUnderWay:
    def test_are_bounded_however_slowly_results_are_taken(self, folder, pool, in_threads) -> None:
        reading, listed = folder(100)
        taken = 0
        for _ in pool.read(reading, listed, never):
            taken += 1
            # Those that run, and results that were waited for together and not yielded yet.
            assert pool._executor.begun <= taken + 2 * (2 * 2)
        assert taken == 25

    def test_run_in_a_few_processes_however_large_the_machine(
        self, folder, in_threads, monkeypatch
    ) -> None:
        monkeypatch.setattr(os, "cpu_count", lambda: 64)
        pool = ReaderPool()
        reading, listed = folder(20)
        list(pool.read(reading, listed, never))
        assert pool._executor.processes == 4
        pool.close()

    def test_are_finished_when_the_next_refresh_is_due(self, folder, pool, in_threads) -> None:
        """What was begun is not thrown away, and nothing more is begun."""
        reading, listed = folder(100)
        results = list(pool.read(reading, listed, always))
        assert len(results) == pool._executor.begun == 4
        assert len(batches_of(results)) == 16

    def test_here_are_one_when_the_next_refresh_is_due(self, folder, pool, small_tasks) -> None:
        reading, listed = folder(8)
        assert len(batches_of(list(pool.read(reading, listed, always)))) == 4


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[S3Server]:
    with S3Server() as s3:
        monkeypatch.setenv("AWS_ENDPOINT_URL", s3.url)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
        reading_module._store.cache_clear()
        yield s3
        reading_module._store.cache_clear()


def store(s3: S3Server, *numbers: int, records: int = 3) -> list[ListedObject]:
    listed = []
    for number in numbers:
        unit, content = log_object(number, records)
        s3.put(key_of(unit), content)
        listed.append(ListedObject(unit, len(content)))
    return listed


class TestS3:
    def test_objects_are_fetched_several_at_a_time(self, s3) -> None:
        """Each is held back until eight are asked for; one after the other would never end."""
        eight = threading.Barrier(8, timeout=20)
        s3.faults.append(wait_for("AWSLogs/", eight.wait))
        listed = store(s3, *range(64))
        result = read_task(reading_of(s3.location), listed)
        assert len(result.batches) == 64
        assert result.faults == []

    def test_an_object_is_parsed_while_others_are_on_their_way(self, s3, monkeypatch) -> None:
        parsed = threading.Event()
        read = invocation_log_format.read_object

        def watched(*args: Any) -> Batch:
            batch = read(*args)
            parsed.set()
            return batch

        monkeypatch.setattr(invocation_log_format, "read_object", watched)
        listed = store(s3, 1, 2)
        waited: list[bool] = []
        s3.faults.append(wait_for(listed[1].unit.name, lambda: waited.append(parsed.wait(20))))
        assert len(read_task(reading_of(s3.location), listed).batches) == 2
        assert waited == [True]

    def test_an_object_that_fails_costs_no_other(self, s3) -> None:
        listed = store(s3, 1, 2, 3, 4)
        s3.faults.append(refuse(listed[1].unit.name, 403, "AccessDenied"))
        s3.delete(key_of(listed[2].unit))
        result = read_task(reading_of(s3.location), listed)
        assert [batch.unit for batch in result.batches] == [listed[0].unit, listed[3].unit]
        assert [(unit, fault.reason, fault.is_outage) for unit, fault in result.faults] == [
            (listed[1].unit, "access_denied", True),
            (listed[2].unit, "object_gone", False),
        ]
        assert result.aws_requests == {AwsRequest("s3", "GetObject"): 4}

    def test_a_large_object_that_breaks_off_is_read_again_and_counts_once(
        self, s3, monkeypatch
    ) -> None:
        monkeypatch.setattr(s3_store, "_WHOLE_BYTES", 10)
        monkeypatch.setattr("exporter.sources.object_reader._READ_BYTES", 1000)
        [listed] = store(s3, 1, records=59)
        s3.faults.append(cut(listed.unit.name, listed.size - 100, times=2))
        result = read_task(reading_of(s3.location), [listed])
        [batch] = result.batches
        assert batch.records == 59
        assert sum(usage.counts.requests for usage in batch.usage) == 59
        assert batch.rejected == {}
        assert len(s3.gets) == 3

    def test_a_large_object_that_always_breaks_off_gives_no_half_batch(
        self, s3, monkeypatch
    ) -> None:
        monkeypatch.setattr(s3_store, "_WHOLE_BYTES", 10)
        [listed] = store(s3, 1, records=59)
        s3.faults.append(cut(listed.unit.name, listed.size - 100))
        result = read_task(reading_of(s3.location), [listed])
        assert result.batches == []
        [(unit, fault)] = result.faults
        assert (unit, fault.reason, fault.is_outage) == (listed.unit, "network", True)
        assert listed.unit.name in fault.text
        assert len(s3.gets) == 3

    def test_processes_meter_what_they_ask_for(self, s3, pool, small_tasks) -> None:
        listed = store(s3, *range(16))
        results = list(pool.read(reading_of(s3.location), listed, never))
        assert len(batches_of(results)) == 16
        asked = sum(result.aws_requests[AwsRequest("s3", "GetObject")] for result in results)
        assert asked == len(s3.gets) == 16


def test_a_bug_costs_one_object_and_says_where_it_is_without_what_it_read(
    folder, monkeypatch
) -> None:
    reading, listed = folder(3)
    read = invocation_log_format.read_object

    def broken(source: str, unit: LogObject, *args: Any) -> Batch:
        if unit == listed[1].unit:
            raise KeyError("a prompt that nobody may see")
        return read(source, unit, *args)

    monkeypatch.setattr(invocation_log_format, "read_object", broken)
    result = read_task(reading, listed)
    assert [batch.unit for batch in result.batches] == [listed[0].unit, listed[2].unit]
    [(_, fault)] = result.faults
    assert fault.reason == "bug"
    assert "KeyError at test_reading.py:" in fault.text
    assert listed[1].unit.name in fault.text
    assert "prompt" not in fault.text


def test_a_process_that_reads_a_folder_does_not_carry_boto3() -> None:
    """It takes 30 MB."""
    code = "import exporter.sources.reading, sys; print('boto3' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "False\n"


@dataclass(frozen=True)
class Requests:
    """A format that is not Bedrock's: a byte is a request; a zero is damage, an X a bug."""

    source: str
    made_ready: ClassVar[list[str]] = []

    def reader(self) -> ObjectReader:
        self.made_ready.append(self.source)
        return self._read

    def _read(self, unit: LogObject, stream: Stream) -> PromptBatch:
        content = stream.read(1000)
        if b"X" in content:
            raise ValueError("a prompt that nobody may see")
        damage = {Rejection.CORRUPT_GZIP: 1} if b"\0" in content else {}
        return PromptBatch(self.source, unit, records=len(content), rejected=damage)


class TestAFormat:
    @pytest.fixture(autouse=True)
    def made_ready(self) -> Iterator[list[str]]:
        yield Requests.made_ready
        Requests.made_ready.clear()
        reading_module._reader.cache_clear()

    def put(self, folder: Path, content: bytes) -> ListedObject:
        unit = LogObject(ACCOUNT, REGION, hour_of(HOUR), "KiroLogs/Chat/a.json")
        path = folder / key_of(unit)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return ListedObject(unit, len(content))

    def test_tells_what_a_batch_is(self, tmp_path: Path) -> None:
        listed = self.put(tmp_path, b"abc")
        result = read_task(Reading(str(tmp_path), Requests("prompts")), [listed])
        assert result.batches == [PromptBatch("prompts", listed.unit, records=3)]

    def test_is_made_ready_once_for_all_tasks_that_a_process_is_given(
        self, tmp_path: Path, made_ready: list[str]
    ) -> None:
        """It may need a vocabulary, or remember the names it has seen."""
        listed = self.put(tmp_path, b"abc")
        for source in ("prompts", "prompts", "others", "prompts"):
            reading = pickle.loads(pickle.dumps(Reading(str(tmp_path), Requests(source))))
            read_task(reading, [listed])
        assert made_ready == ["prompts", "others"]

    def test_that_is_of_an_earlier_refresh_is_let_go(self, tmp_path: Path) -> None:
        listed = self.put(tmp_path, b"abc")
        formats = [Requests(f"refresh {number}") for number in range(10)]
        first = weakref.ref(formats[0])
        for _ in range(10):
            read_task(Reading(str(tmp_path), formats.pop(0)), [listed])
        gc.collect()
        assert first() is None

    def test_with_a_bug_costs_one_object_and_says_where_without_what_it_read(
        self, tmp_path: Path
    ) -> None:
        listed = self.put(tmp_path, b"X")
        result = read_task(Reading(str(tmp_path), Requests("prompts")), [listed])
        [(_, fault)] = result.faults
        assert fault.reason == "bug"
        assert re.fullmatch(
            rf"{key_of(listed.unit)}: ValueError at test_reading\.py:[0-9]+", fault.text
        )

    def test_that_finds_damage_in_a_new_file_has_it_read_again(self, tmp_path: Path) -> None:
        listed = self.put(tmp_path, b"ab\0")
        reading = Reading(str(tmp_path), Requests("prompts"))
        [(_, fault)] = read_task(reading, [listed]).faults
        assert (fault.reason, fault.is_outage) == ("unsettled", True)
        os.utime(tmp_path / key_of(listed.unit), (time.time() - 61, time.time() - 61))
        [batch] = read_task(reading, [listed]).batches
        assert batch.rejected == {Rejection.CORRUPT_GZIP: 1}


class TestAFileThatIsBeingCopied:
    @pytest.mark.parametrize("share", [0, 0.5])
    def test_is_read_again_until_it_was_left_alone_for_a_minute(
        self, tmp_path: Path, share: float
    ) -> None:
        unit, whole = log_object(1, records=50)
        path = tmp_path / key_of(unit)
        path.parent.mkdir(parents=True)
        path.write_bytes(whole[: int(len(whole) * share)])
        reading = reading_of(tmp_path)
        task = [ListedObject(unit, len(whole))]

        (fault,) = (fault for _, fault in read_task(reading, task).faults)
        assert (fault.reason, fault.is_outage) == ("unsettled", True)

        os.utime(path, (time.time() - 61, time.time() - 61))
        (batch,) = read_task(reading, task).batches
        assert batch.rejected

        path.write_bytes(whole)
        (batch,) = read_task(reading, task).batches
        assert (batch.records, batch.rejected) == (50, {})
