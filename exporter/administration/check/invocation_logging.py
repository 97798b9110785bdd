"""Checks whether Model Invocation Logging is on in a region, and delivers where a source reads."""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from botocore.exceptions import ClientError

from exporter.administration.check.identities import Identity, name_of
from exporter.administration.check.refusals import told
from exporter.administration.check.rows import Row, failed, ok, warning
from exporter.administration.log_keys import split_location
from exporter.sources.aws_errors import AWS_ERRORS, error_code, is_denied

_PERMISSION = "bedrock:GetModelInvocationLoggingConfiguration"
Target = tuple[str, str]
"""A bucket, and the prefix in it."""

_TURN_ON = "turn it on: `bedrock-exporter aws logging enable`"


class Logging(NamedTuple):
    """Whether Model Invocation Logging is on in a region."""

    row: Row
    is_known: bool
    """Whether Bedrock told."""
    target: Target | None = None
    """Where it delivers in S3; None where it is off, or not known."""


def check_logging(
    identity: Identity, region: str, locations: Collection[str], is_wanted: bool
) -> Logging:
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
        else:
            remedy = f"check network and region; Bedrock may not be in {region}"
        return Logging(warning(subject, check, told(error), remedy), is_known=False)
    delivery = (answer.get("loggingConfig") or {}).get("s3Config") or {}
    if not delivery.get("bucketName"):
        found = "off" if not answer.get("loggingConfig") else "on, but not to S3"
        judge = failed if is_wanted else warning
        return Logging(judge(subject, check, found, _TURN_ON), is_known=True)
    target = split_location(f"{delivery['bucketName']}/{delivery.get('keyPrefix') or ''}")
    return Logging(_judge_target(subject, check, target, locations), True, target)


def _judge_target(subject: str, check: str, target: Target, locations: Collection[str]) -> Row:
    told_target = f"s3://{'/'.join(target)}".rstrip("/")
    if target in {split_location(each) for each in locations if each.startswith("s3://")}:
        return ok(subject, check, f"on, to {told_target}")
    return warning(
        subject,
        check,
        f"on, to {told_target}, which no source reads",
        "unless these logs are copied to where a source reads, add a source: "
        f"`location: {told_target}`",
    )


def check_empty(subject: str, check: str, location: str, loggings: Sequence[Logging]) -> Row:
    """Judge a location without logs: none are there yet, or none will come.

    `loggings` are those of the regions that its logs may come from.
    """
    found = f"{location}/AWSLogs/: no Bedrock logs"
    if location.startswith("s3://"):
        if split_location(location) in {logging.target for logging in loggings}:
            remedy = "logging is on: call a model, then run this again after some minutes"
            return warning(subject, check, f"{found} yet", remedy)
        if loggings and not any(logging.is_known for logging in loggings):
            remedy = "`bedrock-exporter aws logging show` tells whether logging is on"
            return warning(subject, check, f"{found} yet", remedy)
    return failed(
        subject,
        check,
        found,
        "correct `location`, which is what stands before AWSLogs/, or turn logging on: "
        "`bedrock-exporter aws logging enable`",
    )
