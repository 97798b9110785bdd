"""What Athena's refusals and failures are told as: the reason, where, and what to do."""

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError
from pyathena.error import OperationalError

from exporter.sources.athena_errors import explain_failure, explain_refusal

PLACE = "Athena workgroup bedrock-exporter in us-east-1"


def refused(code: str, message: str = "told to fail", status: int = 400) -> OperationalError:
    answer = {
        "Error": {"Code": code, "Message": message},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }
    error = OperationalError(message)
    error.__cause__ = ClientError(answer, "StartQueryExecution")
    return error


@pytest.mark.parametrize(
    ("error", "reason", "remedy"),
    [
        (refused("ThrottlingException"), "throttled", "slow down"),
        (refused("TooManyRequestsException"), "throttled", "slow down"),
        (refused("ExpiredTokenException"), "credentials", "renew them"),
        (refused("UnrecognizedClientException"), "credentials", "renew them"),
        (refused("AccessDeniedException"), "access_denied", "access denied"),
        (refused("InternalServerException", status=500), "server_error", "Athena failed (500)"),
        (
            refused("InvalidRequestException", "WorkGroup bedrock-exporter is not found."),
            "no_workgroup",
            "aws setup",
        ),
        (
            refused("InvalidRequestException", "No output location provided."),
            "no_workgroup",
            "aws setup",
        ),
        (refused("MetadataException", "no such catalog"), "missing_table", "aws setup"),
        (refused("InvalidRequestException", "who knows"), "refused", "who knows"),
        (NoCredentialsError(), "credentials", "role or a profile"),
        (
            EndpointConnectionError(endpoint_url="https://athena.us-east-1.amazonaws.com"),
            "network",
            "check the network",
        ),
    ],
)
def test_a_refusal_says_what_to_do(error: Exception, reason: str, remedy: str) -> None:
    told = explain_refusal(error, PLACE)
    assert (told.reason, remedy in str(told)) == (reason, True), str(told)
    assert str(told).startswith(f"{PLACE}: ")


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (
            "TABLE_NOT_FOUND: line 1:15: Table 'awsdatacatalog.a.b' does not exist",
            "missing_table",
        ),
        ("SCHEMA_NOT_FOUND: line 1:15: Schema 'x' does not exist", "missing_table"),
        ("COLUMN_NOT_FOUND: line 1:8: Column 'line' cannot be resolved", "wrong_schema"),
        (
            "CONSTRAINT_VIOLATION: For the injected projected partition column account_id, the "
            "WHERE clause must contain only static equality conditions",
            "wrong_schema",
        ),
        ("TYPE_MISMATCH: line 3:9: Cannot apply operator", "wrong_schema"),
        (
            "Query cancelled! : Bytes scanned limit was exceeded : limit: 10000000",
            "scan_cutoff",
        ),
        ("HIVE_CURSOR_ERROR: incorrect data check", "damaged_object"),
        ("HIVE_CURSOR_ERROR: java.util.zip.ZipException: Not in GZIP format", "damaged_object"),
        ("HIVE_CURSOR_ERROR: Unexpected end of input stream", "damaged_object"),
        ("HIVE_BAD_DATA: Error reading line from text file", "engine_error"),
        ("HIVE_CURSOR_ERROR: Read timed out", "throttled"),
        (
            "HIVE_CURSOR_ERROR: Please reduce your request rate. (Service: Amazon S3; "
            "Status Code: 503; Error Code: SlowDown)",
            "throttled",
        ),
        (
            "HIVE_CANNOT_OPEN_SPLIT: Error opening Hive split s3://logs/x (offset=0, length=1): "
            "Slow Down (Service: Amazon S3; Status Code: 503; Error Code: 503 Slow Down)",
            "throttled",
        ),
        (
            "HIVE_CANNOT_OPEN_SPLIT: Error opening Hive split s3://logs/x (offset=0, length=1): "
            "Access Denied (Service: Amazon S3; Status Code: 403)",
            "access_denied",
        ),
        ("Insufficient permissions to execute the query", "access_denied"),
        ("Insufficient Lake Formation permission(s) on invocation_logs", "access_denied"),
        (
            "HIVE_CURSOR_ERROR: incorrect data check: s3://logs/permission/503/20261121T114030000Z",
            "damaged_object",
        ),
        (
            "HIVE_CANNOT_OPEN_SPLIT: The operation is not valid for the object's storage class "
            "(Service: Amazon S3; Status Code: 403; Error Code: InvalidObjectState)",
            "archived",
        ),
        ("Query exhausted resources at this scale factor", "query_too_large"),
        ("EXCEEDED_MEMORY_LIMIT: Query exceeded per-node memory limit", "query_too_large"),
        ("Query timeout", "query_too_large"),
        ("GENERIC_INTERNAL_ERROR: null", "engine_error"),
        ("FUNCTION_NOT_FOUND: line 1:8", "query_failed"),
        ("", "query_failed"),
    ],
)
def test_a_failed_query_says_why(said: str, reason: str) -> None:
    told = explain_failure(said, PLACE)
    assert told.reason == reason, str(told)
    assert str(told).startswith(f"{PLACE}: ")


def test_what_aws_says_is_cut_where_it_says_too_much() -> None:
    assert len(str(explain_failure("x" * 10_000, PLACE))) < 700
