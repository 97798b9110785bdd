"""Where Bedrock puts its log objects, below the bucket and prefix of the logging configuration."""

from datetime import UTC, datetime

BUCKET = "example-bedrock-logs"
PERMISSION_CHECK = "amazon-bedrock-logs-permission-check"
"""Empty object that Bedrock leaves when logging is configured."""


def logs_folder(account_id: str) -> str:
    """Return the key prefix of an account's logs."""
    return f"AWSLogs/{account_id}/BedrockModelInvocationLogs"


def hour_folder(account_id: str, region: str, second: int) -> str:
    """Return the key prefix of the UTC hour that holds a second since the epoch."""
    return f"{logs_folder(account_id)}/{region}/{_utc(second):%Y/%m/%d/%H}"


def object_name(second: int, digest: str) -> str:
    """Return the name of a log object delivered at a second since the epoch."""
    millisecond = int(digest[:4], 16) % 1000
    return f"{_utc(second):%Y%m%dT%H%M%S}{millisecond:03}Z_{digest}.json.gz"


def timestamp(second: int) -> str:
    """Return a second since the epoch as records write it."""
    return f"{_utc(second):%Y-%m-%dT%H:%M:%SZ}"


def _utc(second: int) -> datetime:
    return datetime.fromtimestamp(second, UTC)
