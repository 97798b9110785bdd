"""One Model Invocation Log record, from JSON to usage.

The format is that of schemaVersion 1.0 (Bedrock User Guide, "Model invocation logging"); where
the record's own counts are absent, the provider's body is looked into. Prompt and response text
is passed over: it is neither decoded nor kept.
"""

import re
from datetime import UTC, datetime
from typing import Any

import msgspec

from exporter.sources.json_repair import repaired
from exporter.sources.rejection import Rejection
from exporter.sources.response_body import BodyFigures, Count, body_figures, first_stated
from exporter.usage import OK, Counts, ServiceTier

MAX_TOKENS = 10**9
"""More than any call can use: a larger count is an error of the log."""
MAX_FIELD = 2048
"""Longest identifier that AWS allows (modelId); principals and metadata are shorter."""

_MAY_ADD = re.compile(rb'"(?:cache|service_?[tT]ier|performanceConfig)')
"""Keys of a body that can add to a record that states its counts; quicker found than decoded."""
MODEL_INVOCATION_JOB = "CreateModelInvocationJob"
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
    request_metadata: dict[str, Any] | None = None
    error_code: str | None = None
    performance_config: _PerformanceConfig | None = None
    input: _Input | None = None
    output: _Output | None = None


_record_decoder = msgspec.json.Decoder(Record)
_fields_decoder = msgspec.json.Decoder(dict[str, msgspec.Raw])
_CALLER_DECODERS = {
    "identity": msgspec.json.Decoder(_Identity | None),
    "requestMetadata": msgspec.json.Decoder(dict[str, Any] | None),
}
"""Of the fields that tell whose call it was, and nothing of what it used."""


def decode_record(text: bytes) -> Record | Rejection:
    """Decode the JSON object of one record; bodies stay undecoded slices of `text`."""
    try:
        return _record_decoder.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _decode_again(text)


def _decode_again(text: bytes) -> Record | Rejection:
    """Decode what a strict parser refuses, or tell why it is no record.

    A caller who cannot be made out costs the call its name, but not its tokens.
    """
    if not text.endswith(b"}"):
        return Rejection.MALFORMED_JSON
    try:
        fields = _fields_decoder.decode(repaired(text))
        for name in _CALLER_DECODERS.keys() & fields.keys():
            if not _fits(fields[name], _CALLER_DECODERS[name]):
                del fields[name]
        return _record_decoder.decode(msgspec.json.encode(fields))
    except msgspec.ValidationError as error:
        return _explain(error)
    except msgspec.DecodeError:
        return Rejection.MALFORMED_JSON


def _fits(value: msgspec.Raw, decoder: msgspec.json.Decoder[Any]) -> bool:
    try:
        decoder.decode(value)
    except msgspec.ValidationError:
        return False
    return True


def _explain(error: msgspec.ValidationError) -> Rejection:
    message = str(error)
    if "TokenCount" in message:
        return Rejection.INVALID_TOKEN_COUNT
    if "timestamp`" in message or "$.timestamp" in message:
        return Rejection.INVALID_TIMESTAMP
    return Rejection.INVALID_RECORD


def parse_timestamp(text: str) -> int | None:
    """Return the seconds since the epoch of an ISO 8601 moment, UTC unless it says otherwise."""
    try:
        return _seconds(msgspec.convert(text, datetime))
    except msgspec.ValidationError:
        pass
    try:
        return _seconds(datetime.fromisoformat(text)) if "T" in text else None
    except (ValueError, OverflowError):
        return None


def _seconds(moment: datetime) -> int:
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


def count_tokens(record: Record, figures: BodyFigures) -> Counts | None:
    """Return the record's tokens by kind, or None where a count is impossible.

    The record's own counts come first; each that is absent or null is taken from the body. Cache
    writes are split by what the body says of their lifetime, as far as that goes.
    """
    given_in, given_out = record.input or _Input(), record.output or _Output()
    tokens = [
        first_stated(given_in.input_token_count, figures.input) or 0,
        first_stated(given_out.output_token_count, figures.output) or 0,
        first_stated(given_in.cache_read_input_token_count, figures.cache_read) or 0,
        first_stated(given_in.cache_write_input_token_count, figures.cache_write) or 0,
    ]
    if min(tokens) < 0 or max(tokens) > MAX_TOKENS:
        return None
    written = tokens[3]
    one_hour = min(max(figures.cache_write_1h or 0, 0), written)
    five_minutes = min(max(figures.cache_write_5m or 0, 0), written - one_hour)
    return Counts(
        1,
        tokens[0],
        tokens[1],
        tokens[2],
        five_minutes,
        one_hour,
        written - one_hour - five_minutes,
    )


def record_figures(record: Record) -> BodyFigures:
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
        or _MAY_ADD.search(body) is not None
    )


def service_tier(record: Record, figures: BodyFigures) -> str:
    """Return the ServiceTier of a call, or what its log calls a tier that is none yet."""
    if record.operation == MODEL_INVOCATION_JOB:
        return ServiceTier.BATCH
    stated = record.performance_config.latency if record.performance_config else None
    if (stated or figures.latency) == "optimized":
        return ServiceTier.LATENCY_OPTIMIZED
    tier = figures.service_tier
    if not tier or tier in _STANDARD_TIERS:
        return ServiceTier.STANDARD
    return tier if _TIER.fullmatch(tier) else "other"


def outcome_of(error_code: str) -> str:
    """Keep an errorCode that can be one; the label must stay bounded whatever a log says."""
    if not error_code:
        return OK
    is_one = error_code != OK and _OUTCOME.fullmatch(error_code)
    return error_code if is_one else _OTHER_OUTCOME
