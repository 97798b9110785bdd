"""One Model Invocation Log record, from JSON to usage.

The format is that of schemaVersion 1.0 (Bedrock User Guide, "Model invocation logging"); where
the record's own counts are absent, the provider's body is looked into. Prompt and response text
is passed over: it is neither decoded nor kept.
"""

import json
import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from hashlib import blake2b
from typing import NamedTuple

import msgspec

from exporter.sources.rejection import Rejection
from exporter.sources.response_body import BodyFigures, Count, body_figures, first_stated
from exporter.usage import OK, SLOT_SECONDS, Counts, Fact, LogObject, ServiceTier, context_band

MAX_TOKENS = 10**9
"""More than any call can use: a larger count is an error of the log."""
MAX_FIELD = 2048
"""Longest identifier that AWS allows (modelId)."""

_MODEL_INVOCATION_JOB = "CreateModelInvocationJob"
_OUTCOME = re.compile(r"[A-Za-z][A-Za-z0-9_.:-]{0,63}")
_OTHER_OUTCOME = "other"
_TIER = re.compile(r"[a-z][a-z_]{0,31}")
_STANDARD_TIERS = frozenset({"default", "auto", "on_demand", ServiceTier.STANDARD})


class _Input(msgspec.Struct, rename="camel"):
    input_token_count: Count = None
    cache_read_input_token_count: Count = None
    cache_write_input_token_count: Count = None


class _Output(msgspec.Struct, rename="camel"):
    output_token_count: Count = None
    output_body_json: msgspec.Raw = msgspec.Raw()


class _Identity(msgspec.Struct):
    arn: str | None = None


class _PerformanceConfig(msgspec.Struct):
    latency: str | None = None


class Record(msgspec.Struct, rename="camel"):
    """What of a record is looked at; every other field is skipped undecoded."""

    timestamp: str
    account_id: str | None = None
    region: str | None = None
    request_id: str | None = None
    operation: str | None = None
    model_id: str | None = None
    identity: _Identity | None = None
    inference_region: str | None = None
    request_metadata: dict[str, str | None] | None = None
    error_code: str | None = None
    performance_config: _PerformanceConfig | None = None
    input: _Input | None = None
    output: _Output | None = None


class Entry(NamedTuple):
    """One record as the ledger takes it; `digest` and the slot identify it."""

    timestamp: int
    slot: int
    digest: int
    fact: Fact
    counts: Counts


_record_decoder = msgspec.json.Decoder(Record)


def decode_record(text: bytes) -> Record | Rejection:
    """Decode the JSON object of one record; bodies stay undecoded slices of `text`."""
    try:
        return _record_decoder.decode(text)
    except msgspec.ValidationError as error:
        return _explain(error)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _decode_leniently(text)
    except RecursionError:
        return Rejection.MALFORMED_JSON


def _decode_leniently(text: bytes) -> Record | Rejection:
    """Decode what a strict parser refuses: lone surrogates, bad UTF-8, control characters, NaN."""
    if not text.endswith(b"}"):
        return Rejection.MALFORMED_JSON
    try:
        value = json.loads(
            text.decode("utf-8", "replace"), strict=False, parse_constant=lambda _: None
        )
        clean = json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")
        return _record_decoder.decode(clean)
    except msgspec.ValidationError as error:
        return _explain(error)
    except (ValueError, RecursionError):
        return Rejection.MALFORMED_JSON


def _explain(error: msgspec.ValidationError) -> Rejection:
    message = str(error)
    if "TokenCount" in message:
        return Rejection.INVALID_TOKEN_COUNT
    if "`timestamp`" in message or "$.timestamp" in message:
        return Rejection.INVALID_TIMESTAMP
    return Rejection.INVALID_RECORD


class RecordReader:
    """Turns records into entries, for one configuration and one moment.

    `store_principal` and `store_metadata` are what the configuration lets be stored of a name;
    records outside [`first_slot`, `last_slot`] are rejected.
    """

    def __init__(
        self,
        store_principal: Callable[[str], str],
        store_metadata: Callable[[str, str], str],
        metadata_keys: Iterable[str],
        first_slot: int,
        last_slot: int,
    ) -> None:
        self._store_principal = store_principal
        self._store_metadata = store_metadata
        self._metadata_keys = sorted(metadata_keys)
        self._first_slot = first_slot
        self._last_slot = last_slot

    def read(self, text: bytes, unit: LogObject) -> Entry | Rejection:
        """Return the record in a JSON text as an entry, or why it is none.

        `unit` stands in for an account or region that the record does not name.
        """
        record = decode_record(text)
        if isinstance(record, Rejection):
            return record
        entry = self._enter(record, unit)
        # Without a requestId, a record is the same as another if every byte of it is.
        if isinstance(entry, Entry) and not record.request_id:
            return entry._replace(digest=digest_of(text))
        return entry

    def _enter(self, record: Record, unit: LogObject) -> Entry | Rejection:
        timestamp = parse_timestamp(record.timestamp)
        if timestamp is None:
            return Rejection.INVALID_TIMESTAMP
        slot = timestamp // SLOT_SECONDS
        if slot > self._last_slot:
            return Rejection.FUTURE_TIMESTAMP
        if slot < self._first_slot:
            return Rejection.EXPIRED_TIMESTAMP
        if not record.model_id:
            return Rejection.MISSING_MODEL_ID
        principal = record.identity.arn or "" if record.identity else ""
        if len(record.model_id) > MAX_FIELD or len(principal) > MAX_FIELD:
            return Rejection.FIELD_TOO_LONG
        figures = _figures(record)
        counts = count_tokens(record, figures)
        if counts is None:
            return Rejection.INVALID_TOKEN_COUNT
        prompt = counts.input + sum(counts[3:])
        fact = Fact(
            account_id=(record.account_id or unit.account_id)[:64],
            region=(record.region or unit.region)[:64],
            inference_region=(record.inference_region or "")[:64],
            principal=self._store_principal(principal),
            model_id=record.model_id,
            context_from=context_band(prompt),
            service_tier=_service_tier(record, figures),
            outcome=_outcome(record.error_code),
            metadata=self._metadata(record.request_metadata),
        )
        digest = digest_of((record.request_id or "").encode("utf-8", "replace"))
        return Entry(timestamp, slot, digest, fact, counts)

    def _metadata(self, pairs: dict[str, str | None] | None) -> tuple[tuple[str, str], ...]:
        if not pairs:
            return ()
        return tuple(
            (key, self._store_metadata(key, value))
            for key in self._metadata_keys
            if (value := pairs.get(key))
        )


def digest_of(text: bytes) -> int:
    """Return 64 bits that stand for a text, as a signed integer."""
    return int.from_bytes(blake2b(text, digest_size=8).digest(), "big", signed=True)


def parse_timestamp(text: str) -> int | None:
    """Return the seconds since the epoch of an ISO 8601 moment, UTC unless it says otherwise."""
    if "T" not in text:
        return None
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return int(moment.timestamp())
    except (ValueError, OverflowError):
        return None


def count_tokens(record: Record, figures: BodyFigures) -> Counts | None:
    """Return the record's tokens by kind, or None where a count is impossible.

    The record's own counts come first; each that is absent is taken from the body. Cache writes
    are split by what the body says of their lifetime, as far as that goes.
    """
    given_in, given_out = record.input or _Input(), record.output or _Output()
    tokens = [
        first_stated(given_in.input_token_count, figures.input) or 0,
        first_stated(given_out.output_token_count, figures.output) or 0,
        first_stated(given_in.cache_read_input_token_count, figures.cache_read) or 0,
        first_stated(given_in.cache_write_input_token_count, figures.cache_write) or 0,
    ]
    split = [figures.cache_write_1h or 0, figures.cache_write_5m or 0]
    if min(tokens + split) < 0 or max(tokens + split) > MAX_TOKENS:
        return None
    written = tokens[3]
    one_hour = min(split[0], written)
    five_minutes = min(split[1], written - one_hour)
    return Counts(
        1,
        tokens[0],
        tokens[1],
        tokens[2],
        five_minutes,
        one_hour,
        written - one_hour - five_minutes,
    )


def _figures(record: Record) -> BodyFigures:
    """Look into the response body where it can add to the record, and only there."""
    output = record.output or _Output()
    body = bytes(output.output_body_json)
    if body and _is_open(record.input or _Input(), output, body):
        return body_figures(body)
    return BodyFigures()


def _is_open(given: _Input, output: _Output, body: bytes) -> bool:
    return (
        given.input_token_count is None
        or output.output_token_count is None
        or bool(given.cache_write_input_token_count)
        or (
            (
                given.cache_read_input_token_count is None
                or given.cache_write_input_token_count is None
            )
            and b"ache" in body
        )
        or b"erviceTier" in body
        or b"ervice_tier" in body
    )


def _service_tier(record: Record, figures: BodyFigures) -> str:
    if record.operation == _MODEL_INVOCATION_JOB:
        return ServiceTier.BATCH
    if record.performance_config is not None and record.performance_config.latency == "optimized":
        return ServiceTier.LATENCY_OPTIMIZED
    tier = figures.service_tier
    if tier is None or tier in _STANDARD_TIERS:
        return ServiceTier.STANDARD
    return tier if _TIER.fullmatch(tier) else "other"


def _outcome(error_code: str | None) -> str:
    """Keep an errorCode that can be one; the label must stay bounded whatever a log says."""
    if not error_code:
        return OK
    return error_code if _OUTCOME.fullmatch(error_code) else _OTHER_OUTCOME
