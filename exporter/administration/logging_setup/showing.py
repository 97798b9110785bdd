"""What the logging of a region is, and whether its logs arrive. Changes nothing."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from exporter.administration.logging_setup.enabling import configured, read_logging
from exporter.administration.logging_setup.modalities import MODALITIES
from exporter.administration.plan import PlanError, allowed
from exporter.administration.setup.bucket import Bucket, is_ours, read_encryption, read_policy
from exporter.administration.setup.bucket_policy import (
    allows,
    bedrock_delivery,
    folder,
    refusal,
    tls_only,
)
from exporter.administration.setup.newest_log import newest_log
from exporter.administration.setup.ownership import ownership_steps
from exporter.administration.setup.place import Place
from exporter.administration.setup.private_bucket import Wanted, bucket_steps

if TYPE_CHECKING:
    from mypy_boto3_bedrock.client import BedrockClient
    from mypy_boto3_s3.client import S3Client


@dataclass(frozen=True)
class Finding:
    """One thing about the logging of a region."""

    name: str
    text: str
    is_good: bool = True


def show_logging(
    bedrock: "BedrockClient", s3: "S3Client", place: Place, now: datetime
) -> Iterator[Finding]:
    """Tell configuration, bucket and newest object of a region.

    What may not be read is told, too. Raises PlanError where not even the configuration may.
    """
    logging = read_logging(bedrock)
    destination = logging.get("s3Config")
    if not logging:
        yield Finding("logging", "off; switch it on with `aws logging enable`", is_good=False)
        return
    settings = configured(logging)
    if destination is None:
        told = f"none; the exporter reads no CloudWatch Logs ({settings.get('CloudWatch Logs')})"
        yield Finding("S3", told, is_good=False)
    for name, value in settings.items():
        yield Finding(name, value + _missed(name, value))
    if destination is not None:
        bucket, prefix = destination["bucketName"], destination.get("keyPrefix", "")
        yield from _bucket_findings(s3, place, bucket, prefix)
        yield _newest(s3, place, bucket, prefix, now)


def _missed(name: str, value: str) -> str:
    """Return what the figures lack for want of a modality."""
    meaning = next((each.meaning for each in MODALITIES if each.name == name), "")
    return f" ({meaning})" if meaning and value == "off" else ""


def _bucket_findings(s3: "S3Client", place: Place, name: str, prefix: str) -> Iterator[Finding]:
    try:
        bucket = Bucket(s3, place, name)
        if not bucket.exists:
            yield Finding("bucket", f"{name} does not exist; no log is kept", is_good=False)
            return
        yield from _missing(bucket)
        yield _policy(bucket, prefix)
        _, key = read_encryption(bucket)
        if key:
            told = f"by {key}, whose policy must allow bedrock.amazonaws.com kms:GenerateDataKey"
            yield Finding("encryption", told)
    except PlanError as error:
        yield Finding("bucket", str(error), is_good=False)


def _missing(bucket: Bucket) -> Iterator[Finding]:
    """Tell what a bucket lacks: one that was made here, of a private one; another, of its use."""
    wanted = Wanted(statements=(tls_only(bucket.place, bucket.name),))
    of = f" of bucket {bucket.name}"
    if is_ours(bucket):
        if steps := [step.title.removesuffix(of) for step in bucket_steps(bucket, wanted)]:
            told = f"half made, lacks: {', '.join(steps)}; `aws logging enable` goes on with it"
            yield Finding("bucket", told, is_good=False)
        return
    if list(ownership_steps(bucket, drop_grants=True)):
        told = "ACLs rule, so that the policy has no effect; `aws logging enable` switches them off"
        yield Finding("ownership", told, is_good=False)


def _policy(bucket: Bucket, prefix: str) -> Finding:
    policy, delivery = read_policy(bucket), bedrock_delivery(bucket.place, bucket.name, prefix)
    if refused := refusal(policy, delivery):
        return Finding("policy", f"{refused}; change that statement", is_good=False)
    if allows(policy, delivery):
        return Finding("policy", "lets bedrock.amazonaws.com write")
    told = "does not let bedrock.amazonaws.com write; mend it with `aws logging enable`"
    return Finding("policy", told, is_good=False)


def _newest(s3: "S3Client", place: Place, bucket: str, prefix: str, now: datetime) -> Finding:
    try:
        with allowed("s3:ListBucket", place.bucket_arn(bucket)):
            newest = newest_log(s3, bucket, folder(prefix), place.account_id, place.region)
    except PlanError as error:
        return Finding("newest object", str(error), is_good=False)
    if newest is None:
        return Finding("newest object", "none yet; a call shows after some minutes")
    age = timedelta(seconds=max(0, int((now - newest.written_at).total_seconds())))
    return Finding("newest object", f"{newest.key}, {newest.size_bytes:,} bytes, {age} old")
