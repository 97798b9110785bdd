"""What Athena's refusals and failures mean: a reason for a label, and what to do.

The codes are those of the Athena API (API reference, "Common errors" and each operation's); the
states' reasons begin with the query engine's own error names, which Athena passes on.
"""

import re
from typing import NamedTuple

from botocore.exceptions import ClientError

from exporter.sources.aws_errors import AWS_ERRORS, error_code, explain
from exporter.sources.log_store import StoreError

_MOST_TOLD = 500
"""Characters of AWS's own words that are passed on."""


_PATH = re.compile(r"s3://\S+")


class Meaning(NamedTuple):
    """A reason for a label, and what to do about it."""

    reason: str
    remedy: str


_Table = tuple[tuple[re.Pattern[str], Meaning], ...]

_SETUP = "run `bedrock-exporter aws setup`"
_RIGHTS = "`bedrock-exporter aws permissions` prints the policy that the exporter needs"

_NO_TABLE = Meaning("missing_table", _SETUP)
_CODES = {"MetadataException": _NO_TABLE, "ResourceNotFoundException": _NO_TABLE}
_REFUSALS = (
    (re.compile(r"(?i)workgroup .*(?:not found|is disabled)"), Meaning("no_workgroup", _SETUP)),
    (re.compile(r"(?i)output location"), Meaning("no_workgroup", _SETUP)),
    (re.compile(r"(?i)query string|too long"), Meaning("bug", "please report it")),
)
"""Of InvalidRequestException, by what it says."""

_FAILURES = (
    (
        re.compile(
            r"(?i)slow ?down|throttl|rate exceeded|too many requests|status code: 50[03]|"
            r"connection reset|timed out"
        ),
        Meaning("throttled", "it is asked again at the next refresh"),
    ),
    (
        re.compile(r"(?i)\b(?:TABLE|SCHEMA|DATABASE)_NOT_FOUND|(?:table|schema) .* does not exist"),
        _NO_TABLE,
    ),
    (
        re.compile(
            r"COLUMN_NOT_FOUND|TYPE_MISMATCH|CONSTRAINT_VIOLATION|INVALID_TABLE_PROPERTY|"
            r"HIVE_INVALID_METADATA|HIVE_PARTITION|HIVE_INVALID_PARTITION|"
            r"HIVE_UNSUPPORTED_FORMAT|(?i:cannot be resolved)"
        ),
        Meaning("wrong_schema", f"the table is not as the exporter made it; {_SETUP}"),
    ),
    (
        re.compile(r"(?i)bytes scanned limit"),
        Meaning("scan_cutoff", "raise the workgroup's bytes-scanned cut-off"),
    ),
    (
        re.compile(r"NoSuchKey|Status Code: 404"),
        Meaning("object_gone", "it was deleted after it was listed"),
    ),
    (
        re.compile(r"InvalidObjectState"),
        Meaning("archived", "restore it, or move it out of the location"),
    ),
    (
        re.compile(r"(?i)access ?denied|insufficient .*permission|not authorized|status code: 403"),
        Meaning("access_denied", _RIGHTS),
    ),
    (
        re.compile(
            r"(?i)incorrect (?:data|header) check|not in gzip format|zipexception|eofexception|"
            r"unexpected end of|invalid (?:block|stored block|distance|code lengths|literal)|"
            r"corrupt"
        ),
        Meaning("damaged_object", "it is left out once it is found"),
    ),
    (
        re.compile(r"EXCEEDED_|(?i:exhausted resources|query time(?:d )?out|too large)"),
        Meaning("query_too_large", "it is asked in parts"),
    ),
    (
        re.compile(
            r"GENERIC_INTERNAL_ERROR|INVALID_FUNCTION_ARGUMENT|INVALID_CAST_ARGUMENT|"
            r"NUMERIC_VALUE_OUT_OF_RANGE|INTERNAL_ERROR_QUERY_ENGINE|HIVE_"
        ),
        Meaning("engine_error", "it is asked in parts, to find a log object that causes it"),
    ),
)
"""Of a query that FAILED, by the reason of its state; the first that fits."""
_FAILED = Meaning("query_failed", "it is asked again at the next refresh")


def explain_refusal(error: Exception, place: str) -> StoreError:
    """Return what an error of boto3, or the one behind PyAthena's, means at a place."""
    cause = error.__cause__ or error
    if not isinstance(cause, AWS_ERRORS):
        return _told(place, str(error), _FAILED)
    if isinstance(cause, ClientError):
        code, message = error_code(cause), str(cause.response["Error"].get("Message", ""))
        meaning = _CODES.get(code)
        if code == "InvalidRequestException":
            meaning = _first(_REFUSALS, message, Meaning("refused", "see what Athena says"))
        if meaning is not None:
            return _told(place, f"{code}: {message}", meaning)
    return explain(cause, place, "Athena")


def explain_failure(state_reason: str, place: str) -> StoreError:
    """Return what the reason of a FAILED query means at a place."""
    # Names of log objects hold anything.
    return _told(place, state_reason, _first(_FAILURES, _PATH.sub("", state_reason), _FAILED))


def path_in(failure: StoreError) -> str | None:
    """Return the log object that a failure names, if it does."""
    match = _PATH.search(str(failure))
    return match[0].rstrip(".,:;()'\"") if match else None


def _first(
    table: tuple[tuple[re.Pattern[str], Meaning], ...], text: str, other: Meaning
) -> Meaning:
    return next((meaning for pattern, meaning in table if pattern.search(text)), other)


def _told(place: str, words: str, meaning: Meaning) -> StoreError:
    words = " ".join(words.split())[:_MOST_TOLD] or "no reason was given"
    return StoreError(meaning.reason, f"{place}: {words}; {meaning.remedy}")
