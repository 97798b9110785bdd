"""Checks whether Model Invocation Logging is on in a region, and delivers where a source reads."""

from collections.abc import Collection
from typing import Any

from botocore.exceptions import ClientError

from exporter.administration.check.identities import Identity, name_of
from exporter.administration.check.refusals import AWS_ERRORS, told
from exporter.administration.check.rows import Row, failed, ok, warning
from exporter.administration.permissions import split_location
from exporter.administration.plan import error_code, is_denied

_PERMISSION = "bedrock:GetModelInvocationLoggingConfiguration"
_TURN_ON = "turn it on: `bedrock-exporter aws logging enable`"


def check_logging(
    identity: Identity, region: str, locations: Collection[str], is_wanted: bool
) -> Row:
    """Ask Bedrock of one region; it must be on where the configuration names the region.

    `locations` are those of all sources.
    """
    subject = name_of(identity.account)
    check = f"logging in {region}"
    try:
        bedrock = identity.client("bedrock", region)
        answer = bedrock.get_model_invocation_logging_configuration()
    except AWS_ERRORS as error:
        if isinstance(error, ClientError) and is_denied(error_code(error)):
            # The exporter reads logs without this right; it is but told less here.
            remedy = f"to have it checked, allow {_PERMISSION} on *"
            return warning(subject, check, told(error), remedy)
        remedy = f"check network and region; Bedrock may not be in {region}"
        return warning(subject, check, told(error), remedy)
    delivery = (answer.get("loggingConfig") or {}).get("s3Config") or {}
    if not delivery.get("bucketName"):
        found = "off" if not answer.get("loggingConfig") else "on, but not to S3"
        judge = failed if is_wanted else warning
        return judge(subject, check, found, _TURN_ON)
    return _judge_place(subject, check, delivery, locations)


def _judge_place(
    subject: str, check: str, delivery: dict[str, Any], locations: Collection[str]
) -> Row:
    target = f"s3://{delivery['bucketName']}/{delivery.get('keyPrefix') or ''}".rstrip("/")
    read = {split_location(location) for location in locations if location.startswith("s3://")}
    if split_location(target) in read:
        return ok(subject, check, f"on, to {target}")
    return warning(
        subject,
        check,
        f"on, to {target}, which no source reads",
        f"unless these logs are copied to where a source reads, add a source: `location: {target}`",
    )
