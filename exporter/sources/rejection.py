"""Why a log object or one of its records was not taken; the values are the label `reason`."""

from enum import StrEnum


class Rejection(StrEnum):
    """Reasons for which input is rejected and counted, each costing nothing but itself."""

    EMPTY_OBJECT = "empty_object"
    """Holds no record, nor anything else."""
    NOT_JSON = "not_json"
    """The object is neither gzip nor JSON."""
    CORRUPT_GZIP = "corrupt_gzip"
    """Cut short or damaged; what came before the damage counts."""
    OBJECT_TOO_LARGE = "object_too_large"
    """Inflates past max_object_bytes; nothing of it counts."""
    NOT_A_LOG = "not_a_log"
    """Holds so much that is no record that what is left of it was passed over."""
    RECORD_TOO_LARGE = "record_too_large"
    MALFORMED_JSON = "malformed_json"
    """Text that is no JSON object, or only a part of one."""
    INVALID_RECORD = "invalid_record"
    """JSON of another shape than a Model Invocation Log."""
    INVALID_TIMESTAMP = "invalid_timestamp"
    FUTURE_TIMESTAMP = "future_timestamp"
    """More than an hour ahead."""
    EXPIRED_TIMESTAMP = "expired_timestamp"
    """Before the retention."""
    INVALID_TOKEN_COUNT = "invalid_token_count"
    """Negative, fractional, not a number, or above what a call can use."""
    MISSING_MODEL_ID = "missing_model_id"
    FIELD_TOO_LONG = "field_too_long"
    """An identifier longer than AWS allows."""
