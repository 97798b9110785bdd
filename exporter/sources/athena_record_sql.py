"""The SQL that makes of each line a record, or why it is none: record_reader.py in Athena's words.

Takes the relation `lines`; ends with the relation `judged`, one row a line, with the fields of a
Fact, the counts, and `reason`, a Rejection where the line is no record that counts.
"""

from collections.abc import Sequence

from exporter.sources.athena_body_sql import body_steps
from exporter.sources.athena_expressions import (
    OBJECT,
    array_of,
    field_path,
    json_at,
    listed,
    string_in,
)
from exporter.sources.invocation_record import MAX_FIELD, MAX_TOKENS, MODEL_INVOCATION_JOB
from exporter.sources.rejection import Rejection
from exporter.usage import CONTEXT_BANDS, SLOT_SECONDS, ServiceTier

_TEXTS = {
    "account_id": "$.accountId",
    "region": "$.region",
    "request_id": "$.requestId",
    "operation": "$.operation",
    "model_id": "$.modelId",
    "inference_region": "$.inferenceRegion",
    "error_code": "$.errorCode",
    "latency": "$.performanceConfig.latency",
}
"""Fields that are text or null; anything else makes the record none."""
_COUNTS = {
    "input": "$.input.inputTokenCount",
    "output": "$.output.outputTokenCount",
    "cache_read": "$.input.cacheReadInputTokenCount",
    "cache_write": "$.input.cacheWriteInputTokenCount",
}
_OTHERS = {
    "timestamp": "$.timestamp",
    "performance": "$.performanceConfig",
    "principal": "$.identity.arn",
    "metadata": "$.requestMetadata",
}

_MOMENT = (
    r"\A[0-9]{4}-[0-9]{2}-[0-9]{2}T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]+)?"
    r"(Z|[+-](0[0-9]|1[0-3]):[0-5][0-9]|[+-]14:00)?\z"
)
_MAY_ADD = r'"(?:cache|service_?[tT]ier|performanceConfig)'
_TIER = r"\A[a-z][a-z_]{0,31}\z"
_STANDARD_TIERS = ("default", "auto", "on_demand", ServiceTier.STANDARD)
_MAX_PLACE = 64
_MAX_ERROR_CODE = 65
"""One character more than one can have: what is longer is no error code all the same."""


def record_steps(
    metadata_keys: Sequence[str], first_slot: int, last_slot: int
) -> list[tuple[str, str]]:
    """Return the relations that follow `lines`, up to `judged`."""
    return [
        ("fields", f"SELECT *, {_fields()} FROM lines"),
        ("names", f"SELECT *, {_names(metadata_keys)} FROM fields"),
        *body_steps(),
        ("counted", f"SELECT *, {_counted()} FROM figures"),
        ("judged", f"SELECT *, {_judged(metadata_keys, first_slot, last_slot)} FROM counted"),
    ]


def metadata_columns(metadata_keys: Sequence[str]) -> list[str]:
    """Return the columns of the values of requestMetadata, one a key."""
    return [f"metadata_{number}" for number in range(1, len(metadata_keys) + 1)]


def _fields() -> str:
    """Return the JSON text of every field; bodies are passed over without being copied."""
    paths = _TEXTS | _COUNTS | _OTHERS
    columns = [f"{json_at('document', path)} AS {name}_json" for name, path in paths.items()]
    scalars = (f"json_extract_scalar(document, '$.{name}')" for name in ("input", "output"))
    return ", ".join([*columns, f"coalesce({', '.join(scalars)}) IS NOT NULL AS is_given_scalar"])


def _names(metadata_keys: Sequence[str]) -> str:
    texts = array_of(f"{name}_json" for name in _TEXTS)
    is_none = "x -> x <> 'null' AND NOT starts_with(x, '\"')"
    moment = (
        f"IF(regexp_like({string_in('timestamp_json')}, {_literal(_MOMENT)}), "
        "TRY(CAST(to_unixtime(from_iso8601_timestamp("
        f"regexp_replace({string_in('timestamp_json')}, '\\.[0-9]+', ''))) AS BIGINT)))"
    )
    return ", ".join(
        [
            f"is_given_scalar OR cardinality(filter({texts}, {is_none})) > 0 "
            f"OR coalesce(regexp_like(performance_json, '\\A[^{{n]'), FALSE) AS is_invalid",
            f"{moment} AS moment",
            f"{_place('account_id')} AS said_account_id",
            f"{_place('region')} AS said_region",
            f"coalesce(substr({string_in('inference_region_json')}, 1, {_MAX_PLACE}), '') "
            "AS inference_region",
            f"coalesce({string_in('principal_json')}, '') AS principal",
            f"coalesce({string_in('model_id_json')}, '') AS model_id",
            f"coalesce(substr({string_in('error_code_json')}, 1, {_MAX_ERROR_CODE}), '') "
            "AS error_code",
            *_metadata(metadata_keys),
            f"{_identity()} AS request",
            *(f"{_own_count(f'{name}_json')} AS own_{name}" for name in _COUNTS),
            f"IF({_is_open()}, {json_at('document', '$.output.outputBodyJson')}) AS body",
        ]
    )


def _place(name: str) -> str:
    said = f"nullif({string_in(f'{name}_json')}, '')"
    return f"substr(coalesce({said}, path_{name}), 1, {_MAX_PLACE})"


def _metadata(metadata_keys: Sequence[str]) -> list[str]:
    values = (string_in(json_at("metadata_json", field_path(key))) for key in metadata_keys)
    return [
        f"IF(starts_with(metadata_json, {OBJECT}), nullif({value}, '')) AS {column}"
        for value, column in zip(values, metadata_columns(metadata_keys), strict=True)
    ]


def _identity() -> str:
    """Return what a record that is delivered twice has in common with itself."""
    request_id = f"nullif({string_in('request_id_json')}, '')"
    return f"coalesce('id ' || {request_id}, 'text ' || to_hex(sha256(to_utf8(document))))"


def _own_count(json: str) -> str:
    """Return a count of the record itself; -1 where it is no number that one can be."""
    return (
        f"CASE WHEN regexp_like({json}, '\\A[0-9]{{1,15}}\\z') THEN CAST({json} AS BIGINT) "
        f"WHEN {json} <> 'null' THEN -1 END"
    )


def _is_open() -> str:
    """Tell whether a body can add to the record; quicker told than read.

    A record that counts cache writes, which a body may split, holds _MAY_ADD itself.
    """
    return (
        "coalesce(input_json, 'null') = 'null' OR coalesce(output_json, 'null') = 'null' "
        f"OR regexp_like(document, {_literal(_MAY_ADD)})"
    )


def _counted() -> str:
    written = "coalesce(own_cache_write, body_cache_write, 0)"
    one_hour = f"least(greatest(coalesce(body_cache_write_1h, 0), 0), {written})"
    five_minutes = f"least(greatest(coalesce(body_cache_write_5m, 0), 0), {written} - {one_hour})"
    return ", ".join(
        [
            f"CAST(floor(moment / {SLOT_SECONDS}e0) AS BIGINT) AS slot",
            "coalesce(own_input, body_input, 0) AS input_tokens",
            "coalesce(own_output, body_output, 0) AS output_tokens",
            "coalesce(own_cache_read, body_cache_read, 0) AS cache_read_tokens",
            f"{written} AS cache_write_tokens",
            f"{five_minutes} AS cache_write_5m_tokens",
            f"{one_hour} AS cache_write_1h_tokens",
            f"{_service_tier()} AS service_tier",
        ]
    )


def _service_tier() -> str:
    latency = f"coalesce(nullif({string_in('latency_json')}, ''), body_latency)"
    return (
        f"CASE WHEN {string_in('operation_json')} = '{MODEL_INVOCATION_JOB}' "
        f"THEN '{ServiceTier.BATCH}' "
        f"WHEN {latency} = 'optimized' THEN '{ServiceTier.LATENCY_OPTIMIZED}' "
        f"WHEN coalesce(nullif(body_tier, ''), 'default') IN ({listed(_STANDARD_TIERS)}) "
        f"THEN '{ServiceTier.STANDARD}' "
        f"WHEN regexp_like(body_tier, {_literal(_TIER)}) THEN body_tier ELSE 'other' END"
    )


def _judged(metadata_keys: Sequence[str], first_slot: int, last_slot: int) -> str:
    counts = "input_tokens, output_tokens, cache_read_tokens, cache_write_tokens"
    lengths = (f"length({name})" for name in ("model_id", "principal"))
    metadata_lengths = (f"coalesce(length({name}), 0)" for name in metadata_columns(metadata_keys))
    reasons = {
        "is_blank": "NULL",
        "document IS NULL OR is_body_malformed": f"'{Rejection.MALFORMED_JSON}'",
        "is_invalid": f"'{Rejection.INVALID_RECORD}'",
        "moment IS NULL": f"'{Rejection.INVALID_TIMESTAMP}'",
        f"slot > {last_slot}": f"'{Rejection.FUTURE_TIMESTAMP}'",
        f"slot < {first_slot}": f"'{Rejection.EXPIRED_TIMESTAMP}'",
        f"least({counts}) < 0 OR greatest({counts}) > {MAX_TOKENS}": (
            f"'{Rejection.INVALID_TOKEN_COUNT}'"
        ),
        "model_id = ''": f"'{Rejection.MISSING_MODEL_ID}'",
        f"greatest({', '.join([*lengths, *metadata_lengths])}) > {MAX_FIELD}": (
            f"'{Rejection.FIELD_TOO_LONG}'"
        ),
    }
    cases = " ".join(f"WHEN {case} THEN {reason}" for case, reason in reasons.items())
    return f"{_context_band()} AS context_from, CASE {cases} END AS reason"


def _context_band() -> str:
    prompt = "input_tokens + cache_read_tokens + cache_write_tokens"
    bands = " ".join(f"WHEN {prompt} > {bound} THEN {bound}" for bound in CONTEXT_BANDS[:0:-1])
    return f"CASE {bands} ELSE {CONTEXT_BANDS[0]} END"


def _literal(pattern: str) -> str:
    return "'" + pattern + "'"
