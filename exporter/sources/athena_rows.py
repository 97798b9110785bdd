"""The rows of athena_sql's query as usage, the log objects that were read, and what was rejected.

Trusts nothing of their form: a row that is another's would be counted wrongly. Names pass through
the same door as those of records that are read directly.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from exporter.sources.athena_record_sql import metadata_columns
from exporter.sources.athena_sql import columns
from exporter.sources.log_store import StoreError
from exporter.sources.record_reader import RecordReader, Said
from exporter.sources.rejection import Rejection
from exporter.usage import CONTEXT_BANDS, Counts, Fact, Usage

_REASONS = frozenset(Rejection)


class ObjectRead(NamedTuple):
    """What was read of one log object."""

    records: int
    """Records taken, duplicates included."""
    bytes: int
    """Of JSON, after decompression."""
    newest: int
    """Timestamp of the newest record, in seconds since the epoch; 0 where there is none."""


class Answer(NamedTuple):
    """All that a query returned."""

    usage: tuple[Usage, ...]
    objects: Mapping[str, ObjectRead]
    """By path; an object without a line is not among them."""
    rejected: Mapping[str, int]
    """Records that were not taken, by reason."""


def read_rows(
    rows: Iterable[Sequence[Any]], metadata_keys: Sequence[str], reader: RecordReader
) -> Answer:
    """Return what the rows of a query say; facts that are stored alike are one.

    `metadata_keys` are those of the query. Raises StoreError where a row is none of its rows.
    """
    names = columns(metadata_keys)
    sums: dict[tuple[int, Fact], Counts] = {}
    objects: dict[str, ObjectRead] = {}
    rejected: Counter[str] = Counter()
    for row in rows:
        if len(row) != len(names):
            raise _misfit(f"{len(row)} columns, not {len(names)}")
        said = dict(zip(names, row, strict=True))
        match said["kind"]:
            case "usage":
                fact = reader.fact(_said(said, metadata_keys))
                counts = _counts(said)
                if isinstance(fact, Rejection):
                    rejected[fact] += counts.requests
                else:
                    key = _number(said, "slot"), fact
                    sums[key] = counts.plus(sums.get(key, Counts()))
            case "object":
                objects[_text(said, "path")] = _object_read(said)
            case "rejected":
                rejected[_reason(said)] += _number(said, "rejected")
            case kind:
                raise _misfit(f"a row of the kind {kind!r}")
    usage = tuple(Usage(slot, fact, counts) for (slot, fact), counts in sums.items())
    return Answer(usage, objects, dict(rejected))


def _said(row: Mapping[str, Any], metadata_keys: Sequence[str]) -> Said:
    """Return the fields of a Fact as the records had them, before anything of it is stored."""
    context_from = _number(row, "context_from")
    if context_from not in CONTEXT_BANDS:
        raise _misfit(f"context_from {context_from}")
    values = {
        key: row[column]
        for key, column in zip(metadata_keys, metadata_columns(metadata_keys), strict=True)
        if row[column] is not None
    }
    return (
        _text(row, "account_id"),
        _text(row, "region"),
        _text(row, "inference_region"),
        _text(row, "principal"),
        _text(row, "model_id"),
        context_from,
        _text(row, "service_tier"),
        _text(row, "error_code"),
        tuple(sorted((key, str(value)) for key, value in values.items())),
    )


def _counts(row: Mapping[str, Any]) -> Counts:
    counts = Counts(*(_number(row, name) for name in Counts._fields))
    if not counts.requests:
        raise _misfit("usage of no request")
    return counts


def _object_read(row: Mapping[str, Any]) -> ObjectRead:
    newest = 0 if row["newest"] is None else _number(row, "newest")
    return ObjectRead(_number(row, "requests"), _number(row, "bytes"), newest)


def _reason(row: Mapping[str, Any]) -> str:
    reason = _text(row, "reason")
    if reason not in _REASONS:
        raise _misfit(f"the reason {reason!r}")
    return reason


def _number(row: Mapping[str, Any], name: str) -> int:
    value = row[name]
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise _misfit(f"{name} is no count")
    return value


def _text(row: Mapping[str, Any], name: str) -> str:
    value = row[name]
    if not isinstance(value, str):
        raise _misfit(f"{name} is no text")
    return value


def _misfit(what: str) -> StoreError:
    text = f"Athena answered with {what[:100]}, which the exporter did not ask for"
    return StoreError("wrong_schema", f"{text}; run `bedrock-exporter aws setup`")
