"""The plan that switches Model Invocation Logging to S3 on: bucket, its policy, configuration.

What the configuration says of CloudWatch Logs stays as it is, and so does every statement of the
bucket's policy.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from exporter.administration.logging_setup.modalities import chosen
from exporter.administration.plan import Change, PlanError, Step, allowed, unless_changed
from exporter.administration.setup.bucket import Bucket, is_ours, policy_steps, read_policy
from exporter.administration.setup.bucket_policy import (
    Delivery,
    allows,
    bedrock_delivery,
    folder,
    refusal,
    tls_only,
)
from exporter.administration.setup.ownership import ownership_steps
from exporter.administration.setup.place import Place
from exporter.administration.setup.private_bucket import Wanted, bucket_steps
from exporter.sources.aws_errors import error_code

if TYPE_CHECKING:
    from mypy_boto3_bedrock.client import BedrockClient
    from mypy_boto3_s3.client import S3Client

Sleep = Callable[[float], None]

_ATTEMPTS = 6
_WAIT_SECONDS = 5.0
"""S3 takes some seconds until a new policy holds, and Bedrock tries to write at once."""


@dataclass(frozen=True)
class Destination:
    """Where logs are to go; both may hold {account_id} and {region}."""

    bucket: str
    prefix: str = ""
    create: bool = False
    """Whether a bucket that is missing is created."""
    drop_grants: bool = False
    """Whether what the ACL of the bucket grants to others may end."""

    def at(self, place: Place) -> "Destination":
        """Return the destination of one region."""
        return replace(self, bucket=_filled(self.bucket, place), prefix=_filled(self.prefix, place))


@dataclass(frozen=True)
class Enabling:
    """What is wanted of the logging of every region."""

    destination: Destination
    modalities: dict[str, bool | None] = field(default_factory=dict)
    """By name; None: as it is."""


def plan_enabling(
    bedrock: "BedrockClient",
    s3: "S3Client",
    place: Place,
    enabling: Enabling,
    sleep: Sleep = time.sleep,
) -> Iterator[Step]:
    """Compare the logging of a region with what is wanted.

    Raises PlanError where the bucket cannot be the one.
    """
    destination = enabling.destination.at(place)
    delivery = bedrock_delivery(place, destination.bucket, destination.prefix)
    yield from destination_steps(s3, place, destination, delivery)
    yield from _configuration_steps(bedrock, place, destination, enabling.modalities, sleep)


def destination_steps(
    s3: "S3Client", place: Place, destination: Destination, delivery: Delivery
) -> Iterator[Step]:
    """Let a service write into a bucket: made private if it is ours, else as it is otherwise.

    One that was made here is completed, wherever its making ended.
    """
    bucket = Bucket(s3, place, destination.bucket)
    if not bucket.exists and not destination.create:
        raise PlanError(
            f"bucket {bucket.name} does not exist; name one in {place.region}, "
            "or have it made with --create-bucket"
        )
    policy = read_policy(bucket)
    if refused := refusal(policy, delivery):
        raise PlanError(
            f"the policy of bucket {bucket.name} {refused}; change that statement, or name another "
            "bucket"
        )
    needed = () if allows(policy, delivery) else (delivery.statement(),)
    if not bucket.exists or is_ours(bucket):
        statements = (tls_only(place, bucket.name), *needed)
        yield from bucket_steps(bucket, Wanted(statements=statements))
        return
    yield from ownership_steps(bucket, drop_grants=destination.drop_grants)
    yield from policy_steps(bucket, needed)


def read_logging(bedrock: "BedrockClient") -> dict[str, Any]:
    """Return the logging configuration of a region; empty where logging is off."""
    with allowed("bedrock:GetModelInvocationLoggingConfiguration", "*"):
        answer: Any = bedrock.get_model_invocation_logging_configuration()
    configuration: dict[str, Any] = answer.get("loggingConfig") or {}
    return configuration


def _configuration_steps(
    bedrock: "BedrockClient",
    place: Place,
    destination: Destination,
    modalities: dict[str, bool | None],
    sleep: Sleep,
) -> Iterator[Step]:
    current = read_logging(bedrock)
    wanted: Any = {**current, **chosen(current, modalities)}
    wanted["s3Config"] = {"bucketName": destination.bucket}
    if prefix := folder(destination.prefix).rstrip("/"):
        wanted["s3Config"]["keyPrefix"] = prefix
    before, after = configured(current), configured(wanted)
    changes = tuple(
        Change(setting, before.get(setting), value)
        for setting, value in after.items()
        if before.get(setting) != value
    )
    if changes:
        yield Step(
            f"{'change' if current else 'enable'} Model Invocation Logging in {place.region}",
            "bedrock:PutModelInvocationLoggingConfiguration",
            "*",
            unless_changed(
                f"Model Invocation Logging in {place.region}",
                lambda: read_logging(bedrock),
                current,
                lambda: _put(bedrock, wanted, sleep),
            ),
            changes,
            group=str(place),
        )


def configured(logging: dict[str, Any]) -> dict[str, str]:
    """Return a logging configuration as the reader is to see it."""
    settings: dict[str, str] = {}
    if s3 := logging.get("s3Config"):
        settings["S3"] = f"s3://{s3['bucketName']}/{folder(s3.get('keyPrefix', ''))}"
    if cloudwatch := logging.get("cloudWatchConfig"):
        settings["CloudWatch Logs"] = str(cloudwatch.get("logGroupName"))
    for key, value in sorted(logging.items()):
        if key.endswith("DataDeliveryEnabled"):
            settings[key.removesuffix("DataDeliveryEnabled")] = "on" if value else "off"
    return settings


def _put(bedrock: "BedrockClient", wanted: Any, sleep: Sleep) -> None:
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            bedrock.put_model_invocation_logging_configuration(loggingConfig=wanted)
            return
        except ClientError as error:
            is_early = error_code(error) == "ValidationException" and "permission" in str(error)
            if not is_early or attempt == _ATTEMPTS:
                raise
        sleep(_WAIT_SECONDS)


def _filled(text: str, place: Place) -> str:
    return text.replace("{account_id}", place.account_id).replace("{region}", place.region)
