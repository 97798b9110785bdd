"""Checks the rights that look-ups need, by asking for names that nobody bears.

AWS weighs rights before it looks for a name: "there is no such" means that it may be asked.
"""

from collections.abc import Callable, Iterator
from typing import Any

from botocore.exceptions import ClientError

from exporter.administration.check.identities import Identity, name_of
from exporter.administration.check.refusals import refused
from exporter.administration.check.rows import Row, ok
from exporter.config import Config
from exporter.sources.aws_errors import AWS_ERRORS, error_code

_NOBODY = "bedrock-exporter-asks-for-nobody"
_NO_PROFILE = "000000000000"
_NO_USER = "00000000-0000-0000-0000-000000000000"
_UNKNOWN = frozenset(
    {"ResourceNotFoundException", "NoSuchEntity", "NoSuchEntityException", "ValidationException"}
)


def check_lookups(config: Config, identity: Identity, region: str) -> Iterator[Row]:
    """Try each look-up that is configured for an identity."""
    lookups = config.aws.lookups
    if lookups.inference_profiles:
        arn = identity.arn("bedrock", region, f"application-inference-profile/{_NO_PROFILE}")
        bedrock = identity.client("bedrock", region)
        yield _try(
            identity,
            "bedrock:GetInferenceProfile",
            arn,
            lambda: bedrock.get_inference_profile(inferenceProfileIdentifier=arn),
        )
        if any(rule.key_of("profile") for rule in config.attribution.rules):
            yield _try(
                identity,
                "bedrock:ListTagsForResource",
                arn,
                lambda: bedrock.list_tags_for_resource(resourceARN=arn),
            )
    if lookups.role_tags.keys:
        iam = identity.client("iam", region)
        arn = identity.arn("iam", "", f"role/{_NOBODY}")
        yield _try(identity, "iam:ListRoleTags", arn, lambda: iam.list_role_tags(RoleName=_NOBODY))
    center = lookups.identity_center
    name = identity.account.name if identity.account else None
    if center is not None and center.account == name:
        store = identity.client("identitystore", center.region)
        arn = identity.arn("identitystore", "", f"identitystore/{center.identity_store_id}")
        yield _try(
            identity,
            "identitystore:DescribeUser",
            arn,
            lambda: store.describe_user(IdentityStoreId=center.identity_store_id, UserId=_NO_USER),
        )


def _try(identity: Identity, permission: str, arn: str, call: Callable[[], Any]) -> Row:
    subject = name_of(identity.account)
    try:
        call()
    except AWS_ERRORS as error:
        if not (isinstance(error, ClientError) and error_code(error) in _UNKNOWN):
            return refused(subject, "look-up", error, permission, arn, identity.account)
    return ok(subject, "look-up", f"{permission} is allowed")
