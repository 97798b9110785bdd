"""Log objects in an S3 bucket."""

import io
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, closing, contextmanager
from datetime import UTC, date, datetime
from threading import Lock
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from exporter.aws import sessions
from exporter.aws.meter import Meter
from exporter.aws.sessions import RoleError
from exporter.sources.aws_errors import AWS_ERRORS, error_code, explain, is_denied
from exporter.sources.log_layout import INVOCATION_LOGS, Layout, is_log_type
from exporter.sources.log_store import (
    DayListing,
    ListedObject,
    ObjectGoneError,
    Owners,
    StoreError,
    Stream,
    hour_of,
    is_account,
    is_region,
    key_of,
    region_prefix,
)
from exporter.usage import LogObject

if TYPE_CHECKING:
    from botocore.response import StreamingBody
    from mypy_boto3_s3.client import S3Client
    from mypy_boto3_s3.type_defs import ListObjectsV2OutputTypeDef

    from exporter.config import Account

_WHOLE_BYTES = 4 * 2**20
"""Objects up to this size are fetched whole; larger ones are read while they come."""
_READ_SECONDS = 30
_HOURS = {f"{hour:02}": hour for hour in range(24)}
_OF_ALL = frozenset({"credentials", "network", "not_found"})
"""Reasons that are those of the whole location, wherever in it they are met."""


class S3Store:
    """A bucket and the prefix in it that stands before AWSLogs/."""

    concurrency = 8

    def __init__(
        self,
        location: str,
        meter: Meter,
        account: "Account | None" = None,
        layout: Layout = INVOCATION_LOGS,
        read_seconds: float = _READ_SECONDS,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Take the location and the layout of what is listed; opened is whatever is named."""
        self._bucket, _, prefix = location.removeprefix("s3://").partition("/")
        self._prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        self._meter = meter
        self._account = account
        self._layout = layout
        self._folders: dict[tuple[str, str], list[str]] = {}
        """Those that an account and region had logs in when the owners were asked for."""
        self._read_seconds = read_seconds
        self._sleep = sleep
        self._client: S3Client | None = None
        self._lock = Lock()

    def _s3(self) -> "S3Client":
        """Return the client of all threads; made anew after credentials failed."""
        with self._lock:
            if self._client is None:
                # A session of its own: the default one keeps credentials that have expired.
                self._client = sessions.client(
                    sessions.session(self._account, meter=self._meter),
                    "s3",
                    self._meter,
                    read_seconds=self._read_seconds,
                    connections=self.concurrency + 2,
                )
            return self._client

    def owners(self) -> Owners:
        """Return each (account id, region) that has keys, and which accounts are refused."""
        accounts = [name for name in self._names(f"{self._prefix}AWSLogs/") if is_account(name)]
        owners = Owners([], [])
        folders: dict[tuple[str, str], list[str]] = {}
        with ThreadPoolExecutor(self.concurrency) as pool:
            for account, found in zip(accounts, pool.map(self._regions, accounts), strict=True):
                if isinstance(found, StoreError):
                    owners.faults.append(found)
                else:
                    folders |= {(account, region): found[region] for region in found}
        owners.found.extend(folders)
        self._folders = folders
        return owners

    def _regions(self, account_id: str) -> dict[str, list[str]] | StoreError:
        """Return an account's regions and the log folders of each, or why they are not known."""
        found: dict[str, list[str]] = {}
        try:
            for folder in self._log_folders(account_id):
                names = self._names(f"{self._prefix}AWSLogs/{account_id}/{folder}/")
                for region in filter(is_region, names):
                    found.setdefault(region, []).append(folder)
        except StoreError as error:
            if error.reason in _OF_ALL:
                raise
            return error
        return dict(sorted(found.items()))

    def _log_folders(self, account_id: str) -> list[str]:
        """Return the folders of an account that hold the layout's logs, if they are there."""
        searched = [
            f"{service}/{name}"
            for service in self._layout.services
            for name in self._names(f"{self._prefix}AWSLogs/{account_id}/{service}/")
            if is_log_type(name)
        ]
        return [*self._layout.folders, *searched]

    def _names(self, prefix: str) -> list[str]:
        """Return the names of the folders directly below a prefix."""
        return [
            common["Prefix"].removeprefix(prefix).rstrip("/")
            for page in self._pages(prefix, Delimiter="/")
            for common in page.get("CommonPrefixes", [])
        ]

    def list_day(self, account_id: str, region: str, day: date) -> DayListing:
        """Return the log objects of one UTC day, in one pass over the keys of each folder."""
        folders = self._folders.get((account_id, region)) or self._log_folders(account_id)
        found = [
            listed for folder in folders for listed in self._list(folder, account_id, region, day)
        ]
        return DayListing(found, [])

    def _list(self, folder: str, account_id: str, region: str, day: date) -> Iterator[ListedObject]:
        prefix = f"{self._prefix}{region_prefix(account_id, region, folder)}{day:%Y/%m/%d}/"
        midnight = hour_of(datetime(day.year, day.month, day.day, tzinfo=UTC))
        for page in self._pages(prefix):
            for item in page.get("Contents", []):
                hour, _, rest = item["Key"].removeprefix(prefix).partition("/")
                if hour in _HOURS and (name := self._layout.object_name(folder, rest)):
                    unit = LogObject(account_id, region, midnight + _HOURS[hour], name)
                    version = item["ETag"] if self._layout.is_rewritten else ""
                    yield ListedObject(unit, item["Size"], version)

    def _pages(self, prefix: str, **options: Any) -> "Iterator[ListObjectsV2OutputTypeDef]":
        with self._told(prefix):
            paginator = self._s3().get_paginator("list_objects_v2")
            yield from paginator.paginate(Bucket=self._bucket, Prefix=prefix, **options)

    def is_settled(self, listed: ListedObject) -> bool:
        """Tell that an object is whole: S3 shows no other."""
        return True

    def open(self, listed: ListedObject) -> Stream:
        """Fetch a small object whole, or open a large one as a stream."""
        key = self._prefix + key_of(listed.unit)
        if listed.size > _WHOLE_BYTES:
            return self._get(key)
        for attempt in range(1, sessions.ATTEMPTS):
            body = self._get(key)
            try:
                return io.BytesIO(body.read())
            except StoreError:
                # botocore sends a request again, but does not mend a body that breaks off.
                self._sleep(0.2 * 2**attempt)
            finally:
                body.close()
        with closing(self._get(key)) as body:
            return io.BytesIO(body.read())

    def _get(self, key: str) -> "_Body":
        with self._told(key):
            try:
                answer = self._s3().get_object(Bucket=self._bucket, Key=key)
            except ClientError as error:
                if error_code(error) in ("NoSuchKey", "404"):
                    raise ObjectGoneError(f"s3://{self._bucket}/{key}") from None
                raise
            return _Body(answer["Body"], lambda: self._told(key))

    @contextmanager
    def _told(self, key: str) -> Iterator[None]:
        """Turn what boto3 raises into what went wrong, where, and what to do."""
        try:
            yield
        except AWS_ERRORS as error:
            told = _explain(error, f"s3://{self._bucket}/{key}")
            if told.reason == "credentials":
                self._client = None
            raise told from None


class _Body:
    """The stored bytes of an object; a failure says where it happened."""

    def __init__(self, body: "StreamingBody", told: Callable[[], AbstractContextManager[None]]):
        self._body = body
        self._told = told

    def read(self, size: int | None = None) -> bytes:
        with self._told():
            return self._body.read(size)

    def close(self) -> None:
        self._body.close()


def _explain(error: Exception, place: str) -> StoreError:
    code = error_code(error) if isinstance(error, ClientError) else ""
    if code == "NoSuchBucket":
        return StoreError("not_found", f"{place}: there is no such bucket; correct `location`")
    if code == "InvalidObjectState":
        return StoreError("archived", f"{place}: is archived; restore it to have it read")
    if (is_denied(code) and not isinstance(error, RoleError)) or code.startswith("KMS."):
        return StoreError(
            "access_denied",
            f"{place}: access denied ({code}); the exporter needs s3:ListBucket and s3:GetObject, "
            "and kms:Decrypt if the bucket is encrypted with a key of its own",
        )
    return explain(error, place, "S3")
