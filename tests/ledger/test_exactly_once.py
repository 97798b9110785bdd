"""Whatever is split, repeated, reordered or killed: the ledger is the sum of distinct records."""

import io
import shutil
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from exporter.ledger import Ledger, WritableLedger
from exporter.sources.invocation_record import RecordReader
from exporter.sources.object_reader import read_object
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


class KilledError(Exception):
    """Stands for the death of the process."""


class Transaction(NamedTuple):
    """Log objects that are applied together, and after how many of them the process dies."""

    objects: list[int]
    killed_after: int | None


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
                st.none() | st.integers(0, 6),
            ),
            max_size=8,
        )
    )
    # What a kill undid is delivered again at last, and nothing else is new by then.
    everything = draw(st.permutations(range(len(objects))))
    return objects, [*transactions, Transaction(everything, None)]


@settings(max_examples=150, deadline=None)
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
        for number, (chosen, killed_after) in enumerate(transactions):
            batches = [read(objects[index], units[index]) for index in chosen]
            survivor = Path(folder, f"survivor-{number}", "ledger.sqlite")
            try:
                new = ledger.apply(dying(batches, killed_after, ledger.path, survivor))
            except KilledError:
                ledger.close()
                ledger = WritableLedger.open(survivor)
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


def dying(
    batches: Sequence[Batch], killed_after: int | None, path: Path, survivor: Path
) -> Iterator[Batch]:
    """Yield batches up to the kill, which leaves of the ledger what is on the disk."""
    for number, batch in enumerate(batches):
        if number == killed_after:
            shutil.copytree(path.parent, survivor.parent, ignore=lambda _, names: others(names))
            raise KilledError
        yield batch


def others(names: Iterable[str]) -> list[str]:
    return [name for name in names if not name.startswith("ledger.sqlite")]


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
