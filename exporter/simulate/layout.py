"""Where AWS puts log objects and reports, below the bucket and prefix that it was told."""

from datetime import UTC, date, datetime

BUCKET = "example-bedrock-logs"
PERMISSION_CHECK = "amazon-bedrock-logs-permission-check"
"""Empty object that Bedrock leaves when logging is configured."""


def logs_folder(account_id: str) -> str:
    """Return the key prefix of Bedrock's logs of an account."""
    return f"AWSLogs/{account_id}/BedrockModelInvocationLogs"


def hour_folder(account_id: str, region: str, second: int) -> str:
    """Return the key prefix of the UTC hour that holds a second since the epoch."""
    return f"{logs_folder(account_id)}/{region}/{_utc(second):%Y/%m/%d/%H}"


def object_name(second: int, digest: str) -> str:
    """Return the name of a log object delivered at a second since the epoch."""
    millisecond = int(digest[:4], 16) % 1000
    return f"{_utc(second):%Y%m%dT%H%M%S}{millisecond:03}Z_{digest}.json.gz"


def assistants_folder(account_id: str, service: str) -> str:
    """Return the key prefix of what an assistant of developers writes for an account."""
    return f"AWSLogs/{account_id}/{service}"


def assistants_day(account_id: str, service: str, log_type: str, region: str, day: date) -> str:
    """Return the key prefix of a UTC day's prompt logs or reports."""
    return f"{assistants_folder(account_id, service)}/{log_type}/{region}/{day:%Y/%m/%d}"


def prompt_log_name(account_id: str, log_type: str, second: int, token: str) -> str:
    """Return the name of an object of prompts delivered at a second since the epoch."""
    return f"{account_id}_{log_type}_{_utc(second):%Y%m%d%H%M}_{token}.json.gz"


def timestamp(second: int) -> str:
    """Return a second since the epoch as records write it."""
    return f"{_utc(second):%Y-%m-%dT%H:%M:%SZ}"


def _utc(second: int) -> datetime:
    return datetime.fromtimestamp(second, UTC)
