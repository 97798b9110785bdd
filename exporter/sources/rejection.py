"""Why a log object, one of its records or a line of a report was not taken: the label `reason`."""

from enum import StrEnum


class Rejection(StrEnum):
    """Reasons for which input is rejected and counted, each costing nothing but itself."""

    EMPTY_OBJECT = "empty_object"
    """Holds no record, nor anything else."""
    NOT_JSON = "not_json"
    """The object is neither gzip nor JSON."""
    CORRUPT_GZIP = "corrupt_gzip"
    """Cut short or damaged; what came before the damage counts."""
    UNREADABLE_OBJECT = "unreadable_object"
    """Athena fails whenever it reads it; nothing of it counts."""
    OBJECT_TOO_LARGE = "object_too_large"
    """Inflates past max_object_bytes, or is a report of over 100,000 lines or 2,000,000 counts;
    nothing of it counts."""
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
    NOT_A_REPORT = "not_a_report"
    """Has no header with UserId and Date, in a user_report Credits_Used; nothing of it counts."""
    MALFORMED_ROW = "malformed_row"
    """A line with more cells than its header, a quote left open, or a garbled true or false."""
    INVALID_DATE = "invalid_date"
    """No date, or one that no calendar has."""
    INVALID_COUNT = "invalid_count"
    """Negative, fractional where things are counted, not a number, or impossibly large."""
    MISSING_USER = "missing_user"
    CONFLICTING_ROW = "conflicting_row"
    """A user and day stated twice in one delivery, with other figures; the last holds."""
    UNKNOWN_PROMPT_RECORD = "unknown_prompt_record"
    """A record of prompt logs of no known request."""


class Skip(StrEnum):
    """Reasons for which a sound record is no usage; it is counted apart."""

    ROUTER_TURN = "router_turn"
    """Kiro asked itself what kind of request a prompt is."""
