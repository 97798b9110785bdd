"""Rows of the query as usage: what they say is taken, and a row that does not fit is refused."""

from typing import Any

import pytest
from bad_input import ARN, NOW_SLOT, reader

from exporter.identity import Privacy
from exporter.sources.athena_rows import Answer, ObjectRead, read_rows
from exporter.sources.athena_sql import columns
from exporter.sources.log_store import StoreError
from exporter.sources.record_reader import Recording, make_record_reader
from exporter.usage import Counts, Fact

MODEL = "anthropic.claude-3-7-sonnet-20250219-v1:0"
PATH = "s3://logs/AWSLogs/111122223333/BedrockModelInvocationLogs/us-east-1/x.json.gz"
USAGE = {
    "kind": "usage",
    "slot": 1_959_305,
    "account_id": "111122223333",
    "region": "us-east-1",
    "inference_region": "us-west-2",
    "principal": ARN,
    "model_id": MODEL,
    "context_from": 128_000,
    "service_tier": "flex",
    "error_code": "",
    "requests": 3,
    "input": 10,
    "output": 20,
    "cache_read": 30,
    "cache_write_5m": 4,
    "cache_write_1h": 5,
    "cache_write_unsplit": 6,
    "rejected": 0,
    "bytes": 900,
    "newest": 1_763_374_830,
}
OBJECT = {
    "kind": "object",
    "path": PATH,
    "requests": 3,
    "rejected": 1,
    "bytes": 950,
    "newest": 1_763_374_830,
}
REJECTED = {"kind": "rejected", "reason": "malformed_json", "requests": 0, "rejected": 2}


def row(of: dict[str, Any], keys: tuple[str, ...] = (), **changes: Any) -> tuple[Any, ...]:
    """A row of the query; what it does not state is NULL."""
    stated = of | changes
    return tuple(stated.get(name) for name in columns(keys))


def read(*rows: tuple[Any, ...], keys: tuple[str, ...] = ()) -> Answer:
    return read_rows(rows, keys, reader(keys))


def test_usage_is_a_fact_in_a_slot_with_its_counts() -> None:
    [usage] = read(row(USAGE)).usage
    assert usage.slot == 1_959_305
    assert usage.fact == Fact(
        account_id="111122223333",
        region="us-east-1",
        inference_region="us-west-2",
        principal=ARN,
        model_id=MODEL,
        context_from=128_000,
        service_tier="flex",
        outcome="ok",
        metadata=(),
    )
    assert usage.counts == Counts(3, 10, 20, 30, 4, 5, 6)


def test_metadata_that_a_record_does_not_name_is_left_out() -> None:
    keys = ("stage", "team", "tenant")
    [usage] = read(row(USAGE, keys, metadata_2="search", metadata_3="t"), keys=keys).usage
    assert usage.fact.metadata == (("team", "search"), ("tenant", "t"))


def test_metadata_is_sorted_by_key_whatever_the_order_of_the_columns() -> None:
    keys = ("tenant", "team")
    [usage] = read(row(USAGE, keys, metadata_1="t", metadata_2="search"), keys=keys).usage
    assert usage.fact.metadata == (("team", "search"), ("tenant", "t"))


def test_an_error_code_becomes_an_outcome() -> None:
    throttled, strange = row(USAGE, error_code="Throttled"), row(USAGE, error_code="<b>")
    assert [usage.fact.outcome for usage in read(throttled, strange).usage] == [
        "Throttled",
        "other",
    ]


def test_an_object_is_what_was_read_of_it() -> None:
    answer = read(row(OBJECT), row(OBJECT, path="s3://b", requests=0, newest=None))
    assert answer.objects == {
        PATH: ObjectRead(records=3, bytes=950, newest=1_763_374_830),
        "s3://b": ObjectRead(records=0, bytes=950, newest=0),
    }
    assert answer.usage == ()


def test_rejected_records_are_counted_by_reason() -> None:
    answer = read(row(REJECTED), row(REJECTED, reason="invalid_record", rejected=5))
    assert answer.rejected == {"malformed_json": 2, "invalid_record": 5}


def test_no_row_is_no_answer_to_anything() -> None:
    assert read() == Answer((), {}, {})


def test_facts_that_are_stored_alike_are_one() -> None:
    """Sessions that machines named fold to one name at the ledger's door."""
    arns = [f"{ARN.rpartition('/')[0]}/botocore-session-169999999{n}" for n in range(3)]
    folding = make_record_reader(Recording(), 0, NOW_SLOT)
    rows = [row(USAGE, principal=arn) for arn in arns]
    [usage] = read_rows(rows, (), folding).usage
    assert usage.counts == Counts(9, 30, 60, 90, 12, 15, 18)
    assert "botocore" not in usage.fact.principal


def test_privacy_is_applied_to_what_is_asked_as_to_what_is_read() -> None:
    private = make_record_reader(Recording(privacy=Privacy("drop")), 0, NOW_SLOT)
    [usage] = read_rows([row(USAGE)], (), private).usage
    assert "alice" not in usage.fact.principal


def test_a_fact_that_may_not_be_stored_is_rejected_with_all_its_records() -> None:
    answer = read(row(USAGE, model_id="m" * 2049), row(USAGE, model_id=""), row(USAGE))
    assert answer.rejected == {"field_too_long": 3, "missing_model_id": 3}
    assert len(answer.usage) == 1


MISFITS: dict[str, tuple[Any, ...]] = {
    "no column": (),
    "a column too many": (*row(USAGE), 1),
    "an unknown kind": row(USAGE, kind="secret"),
    "no kind": row(USAGE, kind=None),
    "a count as text": row(USAGE, input="10"),
    "a count that is missing": row(USAGE, input=None),
    "a count that is negative": row(USAGE, input=-1),
    "a count that is a fraction": row(USAGE, input=1.5),
    "a truth for a count": row(USAGE, input=True),
    "no slot": row(USAGE, slot=None),
    "usage of nothing": row(USAGE, requests=0),
    "no model": row(USAGE, model_id=None),
    "a number as a name": row(USAGE, principal=5),
    "a band that is none": row(USAGE, context_from=7),
    "an object without a path": row(OBJECT, path=None),
    "an object without a size": row(OBJECT, bytes=None),
    "a reason that is none": row(REJECTED, reason="bad luck"),
    "a rejection of nobody knows how many": row(REJECTED, rejected=None),
}


@pytest.mark.parametrize("name", MISFITS)
def test_a_row_that_does_not_fit_is_refused_and_the_error_says_what_to_do(name: str) -> None:
    with pytest.raises(StoreError, match="aws setup") as refused:
        read(row(OBJECT), MISFITS[name])
    assert refused.value.reason == "wrong_schema"


def test_an_error_repeats_no_more_than_a_little_of_a_row() -> None:
    with pytest.raises(StoreError) as refused:
        read(row(USAGE, kind="x" * 10_000))
    assert len(str(refused.value)) < 300
