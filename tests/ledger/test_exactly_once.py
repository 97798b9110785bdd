"""Whatever is split, repeated, reordered or killed: the ledger is the sum of distinct records."""

import io
import shutil
from collections.abc import Iterable, Sequence
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from exporter.ledger import Ledger, WritableLedger
from exporter.sources.object_reader import read_object
from exporter.sources.record_reader import RecordReader
from exporter.usage import Batch, Counts, Fact, LogObject, Usage
from usage_builders import NOON, Call, json_lines, log_object, plain_sum

READER = RecordReader(
    store_principal=str,
    store_metadata=lambda key, value: value,
    metadata_keys=(),
    first_slot=0,
    last_slot=2**40,
)

Sums = dict[tuple[int, Fact], Counts]


class Transaction(NamedTuple):
    """Log objects that are applied together, and the SQL statement before which a kill comes."""

    objects: list[int]
    killed_at: int | None


class Kill:
    """Keeps what a kill before a certain statement would leave on the disk."""

    def __init__(self, ledger: WritableLedger, statement: int | None, survivor: Path) -> None:
        self.survivor = survivor / ledger.path.name
        self.has_come = False
        self._folder = ledger.path.parent
        self._left = statement
        ledger._connection.set_trace_callback(self._see)

    def _see(self, statement: str) -> None:
        if self._left == 0:
            survives = shutil.ignore_patterns("survivor*", "*.lock", "*-shm")
            shutil.copytree(self._folder, self.survivor.parent, ignore=survives)
            self.has_come = True
        if self._left is not None:
            self._left -= 1


calls = st.builds(
    Call,
    request_id=st.uuids().map(str),
    time=st.integers(0, 90).map(lambda minutes: NOON + timedelta(minutes=minutes)),
    user=st.sampled_from(["alice", "bob"]),
    model_id=st.sampled_from(["amazon.nova-lite-v1:0", "amazon.nova-pro-v1:0"]),
    input=st.integers(0, 90_000),
    output=st.integers(0, 90_000),
    error_code=st.sampled_from([None, None, "ThrottlingException"]),
)


@st.composite
def deliveries(draw: st.DrawFn) -> tuple[list[list[Call]], list[Transaction]]:
    """Records in any objects, with duplicates; objects in any order, with duplicates and kills."""
    records = draw(st.lists(calls, min_size=1, max_size=10, unique_by=lambda c: c.request_id))
    objects = draw(
        st.lists(
            st.lists(st.sampled_from(records), min_size=1, max_size=12), min_size=1, max_size=6
        )
    )
    numbers = st.integers(0, len(objects) - 1)
    transactions = draw(
        st.lists(
            st.builds(
                Transaction,
                st.lists(numbers, min_size=1, max_size=6),
                st.none() | st.integers(0, 40),
            ),
            max_size=8,
        )
    )
    # What a kill undid is delivered again at last, and nothing else is new by then.
    everything = draw(st.permutations(range(len(objects))))
    return objects, [*transactions, Transaction(everything, None)]


@settings(max_examples=80, deadline=None)
@given(deliveries())
def test_the_sums_are_those_of_distinct_records_whatever_happens(
    delivered: tuple[list[list[Call]], list[Transaction]],
) -> None:
    objects, transactions = delivered
    units = [log_object() for _ in objects]
    counted: Sums = {}
    taken: set[int] = set()
    with TemporaryDirectory() as folder:
        ledger = WritableLedger.open(Path(folder, "ledger.sqlite"))
        for number, (chosen, killed_at) in enumerate(transactions):
            batches = [read(objects[index], units[index]) for index in chosen]
            kill = Kill(ledger, killed_at, Path(folder, f"survivor-{number}"))
            new = ledger.apply(batches)
            if kill.has_come:
                ledger.close()
                ledger = WritableLedger.open(kill.survivor)
            else:
                add(counted, new)
                taken.update(chosen)
            expected = plain_sum(call for index in taken for call in objects[index])
            assert sums(ledger) == expected
            assert counted == expected
        ledger.close()
    assert taken == set(range(len(objects)))


def read(calls: Sequence[Call], unit: LogObject) -> Batch:
    """Read a log object as the source does."""
    stream = io.BytesIO(json_lines(calls))
    return read_object("logs", unit, stream, READER, 2**20, 2**24)


def add(sums: Sums, usage: Iterable[Usage]) -> None:
    for slot, fact, counts in usage:
        sums[slot, fact] = sums.get((slot, fact), Counts()).plus(counts)


def sums(ledger: Ledger) -> Sums:
    """What the ledger holds, by slot and fact."""
    first = int(NOON.timestamp()) // 900
    return {
        (slot, ledger.fact(number)): summed.counts
        for slot in range(first, first + 7)
        for number, summed in ledger.sum_usage(slot, slot + 1).items()
    }
