"""Checks where logs lie: a bucket or folder can be listed, and its newest log object be read."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from exporter.administration.check.assistant_logs import oldest_fresh, where_to_look
from exporter.administration.check.identities import Identity
from exporter.administration.check.refusals import refused, unreadable
from exporter.administration.check.rows import Row, failed, ok, warning
from exporter.administration.newest_objects import DAYS, newest
from exporter.config import Athena, BedrockSource, Source
from exporter.sources.aws_errors import AWS_ERRORS
from exporter.sources.log_store import (
    ListedObject,
    LogStore,
    ObjectGoneError,
    StoreError,
    hour_start,
)

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

Owner = tuple[str, str]
_IS_LOGGING_ON = "was no model called, or is logging off? `bedrock-exporter aws logging show` tells"
_STALE = timedelta(days=1)
"""Older than that, the newest log object is worth a second look."""


def check_bucket(source: Source, identity: Identity) -> tuple[Row, str | None]:
    """Find the bucket and its region; Athena reads one of another region at a price."""
    subject, check = f"source {source.name}", "bucket"
    name = source.location.removeprefix("s3://").partition("/")[0]
    try:
        region = _region_of(identity.client("s3"), name)
    except AWS_ERRORS as error:
        arn = identity.bucket(name)
        return refused(subject, check, error, "s3:ListBucket", arn, identity.account), None
    if region is None:
        found = f"{name}: there is no such bucket"
        return failed(subject, check, found, "correct `location`"), None
    if isinstance(source, Athena) and region != source.region:
        return warning(
            subject,
            check,
            f"{name} is in {region}, Athena in {source.region}",
            f"set the source's `region` to {region}: data between regions is billed",
        ), region
    return ok(subject, check, f"{name} is in {region}"), region


def _region_of(s3: "S3Client", bucket: str) -> str | None:
    """Return the region of a bucket, which S3 tells to whoever may not look into it, too."""
    try:
        answer: Any = s3.head_bucket(Bucket=bucket)["ResponseMetadata"]
    except ClientError as error:
        answer = error.response["ResponseMetadata"]
        if answer["HTTPStatusCode"] == 404:
            return None
        if "x-amz-bucket-region" not in answer.get("HTTPHeaders", {}):
            raise
    return answer["HTTPHeaders"].get("x-amz-bucket-region") or "us-east-1"


def check_listing(
    source: Source, store: LogStore, identity: Identity | None
) -> tuple[list[Row], list[Owner]]:
    """List whose logs lie at a location; an account that is refused hides no other.

    No row at all where there are no logs and nothing is refused.
    """
    subject, check = f"source {source.name}", "list logs"
    account = identity.account if identity else None
    try:
        owners = store.owners()
    except StoreError as error:
        return [unreadable(subject, check, error, account)], []
    rows = [unreadable(subject, check, fault, account) for fault in owners.faults]
    if owners.found:
        accounts = len({account_id for account_id, _ in owners.found})
        found = f"{_count(accounts, 'account')}, {_count(len(owners.found), 'region')}"
        rows.insert(0, ok(subject, check, f"{source.location}: {found}"))
    return rows, owners.found


def check_newest(
    source: Source,
    store: LogStore,
    identity: Identity | None,
    owner: Owner,
    now: datetime,
) -> tuple[Row, ListedObject | None]:
    """Find the newest log object of an account and region, and begin to read it."""
    subject, check = f"source {source.name}", "newest log object"
    account = identity.account if identity else None
    place = "/".join(owner)
    try:
        listed = newest(store, owner, now)
        if listed is None:
            return warning(
                subject,
                check,
                f"{place}: none in the last {DAYS} days",
                _why_none(source),
            ), None
        stream = store.open(listed)
        try:
            stream.read(1)
        finally:
            stream.close()
    except StoreError as error:
        return unreadable(subject, check, error, account), None
    except ObjectGoneError as error:
        found = f"{error}: deleted while it was looked at"
        remedy = "keep log objects for longer than the exporter's `lookback`"
        return warning(subject, check, found, remedy), None
    return _tell_age(source, place, listed, now), listed


def _tell_age(source: Source, place: str, listed: ListedObject, now: datetime) -> Row:
    subject, check = f"source {source.name}", "newest log object"
    age = max(now - hour_start(listed.unit.hour + 1), timedelta(0))
    found = f"{place}: {_age(now, listed)}, {listed.size:,} bytes, can be read"
    oldest = _STALE if isinstance(source, BedrockSource) else oldest_fresh(source)
    if age > oldest:
        return warning(subject, check, found, _why_none(source))
    return ok(subject, check, found)


def _why_none(source: Source) -> str:
    return _IS_LOGGING_ON if isinstance(source, BedrockSource) else where_to_look(source)


def _age(now: datetime, listed: ListedObject) -> str:
    """Return how old a log object is, by the hour of its path."""
    hours = int((now - hour_start(listed.unit.hour)).total_seconds()) // 3600
    if hours < 1:
        return "of this hour"
    return f"{_count(hours, 'hour')} old" if hours < 48 else f"{hours // 24} days old"


def _count(number: int, what: str) -> str:
    return f"1 {what}" if number == 1 else f"{number} {what}s"
