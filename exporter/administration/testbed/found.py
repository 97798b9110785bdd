"""What of a testbed there is in an account, and whose it is. Changes nothing."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from botocore.exceptions import ClientError

from exporter.administration.plan import PlanError, allowed
from exporter.administration.testbed.applications import (
    CREATED_BY,
    MODEL_TAG,
    PATH,
    PROFILE_NAME,
    REGION_TAG,
)
from exporter.administration.testbed.place import Place, checked_region
from exporter.administration.testbed.policies import INLINE_POLICY
from exporter.interpretation.models import resolve
from exporter.sources.aws_errors import error_code

if TYPE_CHECKING:
    from mypy_boto3_bedrock import BedrockClient
    from mypy_boto3_iam import IAMClient


@dataclass(frozen=True, slots=True)
class FoundRole:
    """A role below the testbed's path, as IAM has it."""

    name: str
    arn: str
    tags: Mapping[str, str]
    trust: Mapping[str, Any]
    inline: Mapping[str, Any]
    """Inline policies by their names."""
    attached: tuple[str, ...]
    """Managed policies, by their ARNs; the testbed attaches none."""

    @property
    def is_ours(self) -> bool:
        """Tell whether the testbed created it."""
        key, value = CREATED_BY
        return self.tags.get(key) == value


def refuse_other_policies(role: FoundRole) -> None:
    """Raise PlanError where somebody gave a role of the testbed a policy of their own."""
    others = [*role.attached, *(name for name in role.inline if name != INLINE_POLICY)]
    if others:
        raise PlanError(
            f"{role.arn} has policies that the testbed did not give it: {', '.join(others)}; "
            "take them away, then run the command again"
        )


class ForeignProfileError(PlanError):
    """A profile has the testbed's name, and is not the testbed's."""


class FoundProfile(NamedTuple):
    """The testbed's application inference profile of a region."""

    arn: str
    models: tuple[str, ...]
    """ARNs of the models that it routes to."""

    def check_model(self, model_id: str) -> None:
        """Raise PlanError where it leads elsewhere than a model id does."""
        leads_to = resolve(self.arn, {}, self.models)
        if leads_to != resolve(model_id, {}):
            raise PlanError(
                f"{self.arn} leads to {leads_to.model} ({leads_to.routing}), not to {model_id}; "
                "remove it with `aws testbed cleanup`, then make the testbed anew"
            )


def find_roles(iam: "IAMClient", place: Place) -> list[FoundRole]:
    """Return every role below the testbed's path, whoever made it."""
    with allowed("iam:ListRoles", place.role_arn("*")):
        pages = iam.get_paginator("list_roles").paginate(PathPrefix=PATH)
        roles = [role for page in pages for role in page["Roles"]]
    return [_found_role(iam, role) for role in roles]


def _found_role(iam: "IAMClient", role: Any) -> FoundRole:
    name, arn = role["RoleName"], role["Arn"]
    with allowed("iam:ListRoleTags", arn):
        tags = {tag["Key"]: tag["Value"] for tag in iam.list_role_tags(RoleName=name)["Tags"]}
    with allowed("iam:ListRolePolicies", arn):
        names = iam.list_role_policies(RoleName=name)["PolicyNames"]
    with allowed("iam:GetRolePolicy", arn):
        inline: dict[str, Any] = {
            policy: iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
            for policy in names
        }
    with allowed("iam:ListAttachedRolePolicies", arn):
        attached = iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]
    return FoundRole(
        name,
        arn,
        tags,
        role["AssumeRolePolicyDocument"],
        inline,
        tuple(policy["PolicyArn"] for policy in attached),
    )


def role_exists(iam: "IAMClient", name: str) -> bool:
    """Tell whether the account has a role of this name, below whatever path."""
    with allowed("iam:GetRole", name):
        try:
            iam.get_role(RoleName=name)
        except ClientError as error:
            if error_code(error) == "NoSuchEntity":
                return False
            raise
    return True


def find_profile(bedrock: "BedrockClient", place: Place, region: str) -> FoundProfile | None:
    """Return the testbed's application inference profile of a region.

    Raises ForeignProfileError, and PlanError where that cannot be asked.
    """
    for profile in _application_profiles(bedrock, place, region):
        if profile["inferenceProfileName"] != PROFILE_NAME:
            continue
        arn: str = profile["inferenceProfileArn"]
        with allowed("bedrock:ListTagsForResource", arn):
            tags = bedrock.list_tags_for_resource(resourceARN=arn).get("tags", [])
        if CREATED_BY not in {(tag["key"], tag["value"]) for tag in tags}:
            raise ForeignProfileError(
                f"{arn} is called {PROFILE_NAME}, but is not tagged {'='.join(CREATED_BY)}: "
                "it is not the testbed's and stays as it is; rename or remove it"
            )
        routes = tuple(model["modelArn"] for model in profile.get("models", []))
        return FoundProfile(arn, routes)
    return None


def _application_profiles(bedrock: "BedrockClient", place: Place, region: str) -> Iterator[Any]:
    with allowed("bedrock:ListInferenceProfiles", place.bedrock_arn("*", region)):
        pages = bedrock.get_paginator("list_inference_profiles").paginate(typeEquals="APPLICATION")
        for page in pages:
            yield from page["inferenceProfileSummaries"]


def model_and_region(roles: list[FoundRole]) -> tuple[str, str]:
    """Return what the testbed was created for.

    Raises PlanError where there is no testbed, or its roles do not agree.
    """
    stated = {(role.tags.get(MODEL_TAG, ""), role.tags.get(REGION_TAG, "")) for role in roles}
    if not stated:
        raise PlanError("there is no testbed in this account; make one with `aws testbed create`")
    if len(stated) > 1 or not all(next(iter(stated))):
        raise PlanError(
            f"the roles below {PATH} do not agree on model and region; "
            "begin anew with `aws testbed cleanup` and `create`"
        )
    model_id, region = stated.pop()
    return model_id, checked_region(region)
