"""Where a testbed lies, confirmed: the account of the credentials is the one that was named."""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from exporter.administration.plan import PlanError, allowed
from exporter.administration.testbed.applications import PATH
from exporter.aws import sessions

if TYPE_CHECKING:
    from boto3 import Session

_ANY_REGION = "us-east-1"
"""Where STS is asked without a region; IAM and its answers are of none."""
_REGION = re.compile(r"[a-z]{2,}(-[a-z]+)+-[0-9]+")


@dataclass(frozen=True, slots=True)
class Place:
    """An account that may hold a testbed."""

    account_id: str
    partition: str
    """aws, aws-us-gov or aws-cn."""

    def role_arn(self, name: str) -> str:
        """Return the ARN of a role of the testbed; * stands for all of them."""
        return f"arn:{self.partition}:iam::{self.account_id}:role{PATH}{name}"

    def session_arn(self, role: str, session: str) -> str:
        """Return the principal that a log names; it does not hold the role's path."""
        return f"arn:{self.partition}:sts::{self.account_id}:assumed-role/{role}/{session}"

    def bedrock_arn(self, resource: str, region: str) -> str:
        """Return the ARN of a resource of Bedrock in this account."""
        return f"arn:{self.partition}:bedrock:{region}:{self.account_id}:{resource}"


def enter(account_id: str, region: str | None = None) -> "tuple[Session, Place]":
    """Return a session of the ambient credentials, and the account that they are of.

    Without a region it is the ambient one, or else one of the partition aws. Raises PlanError where
    it is another account than the one that was named, or none.
    """
    with allowed("sts:GetCallerIdentity", "*"):
        region = region or sessions.session(None).region_name or _ANY_REGION
        session = sessions.session(None, region)
        try:
            identity = session.client("sts").get_caller_identity()
        except KeyError:
            # botocore finds no result in an answer that is XML, but not of STS.
            raise PlanError(
                "what answered for sts:GetCallerIdentity is not AWS; check the network and its "
                "proxy"
            ) from None
    if identity["Account"] != account_id:
        raise PlanError(
            f"--account-id: the credentials are of account {identity['Account']} "
            f"({identity['Arn']}), not of {account_id}; nothing was done. "
            "Name the account for tests, and use its credentials"
        )
    return session, Place(account_id, identity["Arn"].split(":")[1])


def region_of(given: str | None) -> str:
    """Return the region that was given, else the ambient one. Raises PlanError without any."""
    with allowed("sts:GetCallerIdentity", "*"):
        region = given or sessions.session(None).region_name or ""
    return checked_region(region)


def checked_region(region: str) -> str:
    """Return a region that reads like one. Raises PlanError."""
    if not _REGION.fullmatch(region):
        raise PlanError(f"--region: {region!r} is not a region; name one, such as us-east-1")
    return region
