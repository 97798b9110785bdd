"""The newest log object below a location, found with a few requests however many there are.

Years, months, days and hours are listed as folders, the newest first; side objects below data/ are
left out. What is deleted or empty on the way is stepped over, but not forever.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

_OBJECT = re.compile(r"\d{8}T\d{6,9}Z_[0-9a-f]+\.json(\.gz)?", re.ASCII)
_PARTS = (r"\d{4}", r"\d{2}", r"\d{2}", r"\d{2}")
"""Year, month, day, hour."""
_HOURS_TRIED = 3
_PAGES = 10
"""Of a thousand keys each; an hour with more is judged by its first ten thousand."""


@dataclass(frozen=True)
class NewestLog:
    """A log object, as it is listed."""

    bucket: str
    key: str
    size_bytes: int
    written_at: datetime
    account_id: str
    region: str
    datehour: str
    """As the table has it: 2026/11/22/07."""

    @property
    def url(self) -> str:
        """Return its address, as Athena's "$path" has it."""
        return f"s3://{self.bucket}/{self.key}"


def owners(s3: "S3Client", bucket: str, root: str) -> Iterator[tuple[str, str]]:
    """Yield each (account id, region) with logs below a prefix; root ends in a slash or is empty.

    Raises what boto3 raises.
    """
    for account_id in _folders(s3, bucket, f"{root}AWSLogs/", r"\d{12}"):
        below = f"{root}AWSLogs/{account_id}/BedrockModelInvocationLogs/"
        for region in _folders(s3, bucket, below, r"[a-z]{2,4}(-[a-z]+)+-\d{1,2}"):
            yield account_id, region


def newest_log(
    s3: "S3Client", bucket: str, root: str, account_id: str, region: str
) -> NewestLog | None:
    """Return the newest log object of an account and region; None where none is found.

    Raises what boto3 raises.
    """
    logs = f"{root}AWSLogs/{account_id}/BedrockModelInvocationLogs/{region}/"
    for tried, datehour in enumerate(_hours(s3, bucket, logs)):
        if tried == _HOURS_TRIED:
            break
        newest = _newest_of(s3, bucket, f"{logs}{datehour}/")
        if newest is not None:
            key, size_bytes, written_at = newest
            return NewestLog(bucket, key, size_bytes, written_at, account_id, region, datehour)
    return None


def _hours(s3: "S3Client", bucket: str, logs: str, above: str = "") -> Iterator[str]:
    """Yield the hours that have keys, as 2026/11/22/07, the newest first."""
    depth = above.count("/") + 1 if above else 0
    for name in reversed(_folders(s3, bucket, f"{logs}{above}/" if above else logs, _PARTS[depth])):
        below = f"{above}/{name}" if above else name
        if depth + 1 == len(_PARTS):
            yield below
        else:
            yield from _hours(s3, bucket, logs, below)


def _folders(s3: "S3Client", bucket: str, prefix: str, name: str) -> list[str]:
    answer = s3.list_objects_v2(Bucket=bucket, Prefix=prefix, Delimiter="/")
    found = [
        common["Prefix"].removeprefix(prefix).rstrip("/")
        for common in answer.get("CommonPrefixes", [])
    ]
    return sorted(folder for folder in found if re.fullmatch(name, folder, re.ASCII))


def _newest_of(s3: "S3Client", bucket: str, hour: str) -> tuple[str, int, datetime] | None:
    pages = s3.get_paginator("list_objects_v2").paginate(
        Bucket=bucket, Prefix=hour, Delimiter="/", PaginationConfig={"MaxItems": 1000 * _PAGES}
    )
    listed = [
        (item["LastModified"], item["Key"], item["Size"])
        for page in pages
        for item in page.get("Contents", [])
        if _OBJECT.fullmatch(item["Key"].removeprefix(hour))
    ]
    if not listed:
        return None
    written_at, key, size_bytes = max(listed)
    return key, size_bytes, written_at
