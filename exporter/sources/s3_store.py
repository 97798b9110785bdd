"""Log objects in an S3 bucket."""

import io
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    HTTPClientError,
    NoCredentialsError,
    PartialCredentialsError,
)

from exporter.aws.meter import Meter
from exporter.sources.log_store import (
    SERVICE,
    ListedObject,
    ObjectGoneError,
    StoreError,
    Stream,
    hour_of,
    is_account,
    is_log_object,
    is_region,
    key_of,
    region_prefix,
)
from exporter.usage import LogObject

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

_WHOLE_BYTES = 4 * 2**20
"""Objects up to this size are fetched whole; larger ones are read while they come."""
_ATTEMPTS = 4
_SERVER_ERRORS = frozenset({"InternalError", "ServiceUnavailable", "500", "502", "503", "504"})
_THROTTLES = frozenset({"SlowDown", "Throttling", "ThrottlingException", "RequestLimitExceeded"})
_EXPIRED = frozenset(
    {"ExpiredToken", "InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidToken"}
)


class S3Store:
    """A bucket and the prefix in it that stands before AWSLogs/."""

    concurrency = 8

    def __init__(
        self, location: str, meter: Meter, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._location = location
        self._bucket, _, prefix = location.removeprefix("s3://").partition("/")
        self._prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        self._meter = meter
        self._sleep = sleep

    @cached_property
    def _client(self) -> "S3Client":
        retries: Any = {"mode": "standard", "total_max_attempts": _ATTEMPTS}
        client: S3Client = boto3.client(
            "s3",
            config=Config(
                retries=retries,
                connect_timeout=5,
                read_timeout=30,
                max_pool_connections=self.concurrency + 2,
            ),
        )
        self._meter.attach(client)
        return client

    def owners(self) -> list[tuple[str, str]]:
        """Return each (account id, region) that has keys."""
        accounts = filter(is_account, self._names(f"{self._prefix}AWSLogs/"))
        return [
            (account, region)
            for account in accounts
            for region in self._names(f"{self._prefix}AWSLogs/{account}/{SERVICE}/")
            if is_region(region)
        ]

    def _names(self, prefix: str) -> list[str]:
        """Return the names of the folders directly below a prefix."""
        with self._told(prefix):
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self._bucket, Prefix=prefix, Delimiter="/"
            )
            return [
                common["Prefix"].removeprefix(prefix).rstrip("/")
                for page in pages
                for common in page.get("CommonPrefixes", [])
            ]

    def list_day(self, account_id: str, region: str, day: date) -> list[ListedObject]:
        """Return the log objects of one UTC day, in one pass over its keys."""
        prefix = f"{self._prefix}{region_prefix(account_id, region)}{day:%Y/%m/%d}/"
        midnight = hour_of(datetime(day.year, day.month, day.day, tzinfo=UTC))
        listed = []
        with self._told(prefix):
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self._bucket, Prefix=prefix
            )
            for page in pages:
                for item in page.get("Contents", []):
                    hour, _, name = item["Key"].removeprefix(prefix).partition("/")
                    if is_log_object(name) and hour.isdecimal() and int(hour) < 24:
                        unit = LogObject(account_id, region, midnight + int(hour), name)
                        listed.append(ListedObject(unit, item["Size"]))
        return listed

    def open(self, listed: ListedObject) -> Stream:
        """Fetch a small object whole, or open a large one as a stream."""
        key = self._prefix + key_of(listed.unit)
        if listed.size > _WHOLE_BYTES:
            return _Told(self._get(key), lambda: self._told(key))
        for attempt in range(1, _ATTEMPTS):
            try:
                return io.BytesIO(self._get_whole(key))
            except StoreError as error:
                # botocore retries a request, but not a body that breaks off.
                if error.reason != "network":
                    raise
                self._sleep(0.2 * 2**attempt)
        return io.BytesIO(self._get_whole(key))

    def _get_whole(self, key: str) -> bytes:
        with self._told(key):
            body = self._get(key)
            try:
                content: bytes = body.read()
            finally:
                body.close()
            return content

    def _get(self, key: str) -> Any:
        with self._told(key):
            return self._client.get_object(Bucket=self._bucket, Key=key)["Body"]

    @contextmanager
    def _told(self, key: str) -> Iterator[None]:
        """Turn what boto3 raises into what went wrong, where, and what to do."""
        place = f"s3://{self._bucket}/{key}"
        try:
            yield
        except ClientError as error:
            raise _explain(error, place) from None
        except (NoCredentialsError, PartialCredentialsError, CredentialRetrievalError) as error:
            raise StoreError(
                "credentials",
                f"{place}: no AWS credentials ({error}); give the exporter a role or a profile",
            ) from None
        except (HTTPClientError, OSError) as error:
            raise StoreError("network", f"{place}: {error}") from None
        except BotoCoreError as error:
            raise StoreError("aws", f"{place}: {error}") from None


class _Told:
    """A stream whose failures say where they happened."""

    def __init__(self, body: Any, told: Callable[[], Any]) -> None:
        self._body = body
        self._told = told

    def read(self, size: int) -> bytes:
        with self._told():
            data: bytes = self._body.read(size)
            return data

    def close(self) -> None:
        self._body.close()


def _explain(error: ClientError, place: str) -> Exception:
    code = str(error.response.get("Error", {}).get("Code", ""))
    if code in ("NoSuchKey", "404"):
        return ObjectGoneError(place)
    if code == "NoSuchBucket":
        return StoreError("not_found", f"{place}: there is no such bucket")
    if code in ("AccessDenied", "403", "AllAccessDisabled", "KMS.DisabledException"):
        return StoreError(
            "access_denied",
            f"{place}: access denied; the exporter needs s3:ListBucket and s3:GetObject, "
            "and kms:Decrypt if the bucket is encrypted with a key of its own",
        )
    if code in _EXPIRED:
        return StoreError("credentials", f"{place}: AWS refuses the credentials ({code})")
    if code in _THROTTLES:
        return StoreError("throttled", f"{place}: S3 asks to slow down; tried {_ATTEMPTS} times")
    if code in _SERVER_ERRORS:
        return StoreError("server_error", f"{place}: S3 failed ({code}); tried {_ATTEMPTS} times")
    return StoreError("aws", f"{place}: {error}")
