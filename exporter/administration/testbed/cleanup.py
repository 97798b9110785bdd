"""Plans the removal of a testbed: of what carries its tag below its path, and of nothing else."""

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from exporter.administration.plan import PlanError, Step
from exporter.administration.testbed.applications import PROFILE_NAME, REGION_TAG
from exporter.administration.testbed.found import FoundRole, find_profile, find_roles
from exporter.administration.testbed.place import Place, region_of
from exporter.administration.testbed.policies import INLINE_POLICY

if TYPE_CHECKING:
    from boto3 import Session
    from mypy_boto3_iam import IAMClient


class Removal(NamedTuple):
    """What removes a testbed, and what it leaves alone."""

    steps: list[Step]
    others: list[str]
    """ARNs of roles below the testbed's path that do not carry its tag."""


def plan_cleanup(session: "Session", place: Place) -> Removal:
    """Plan the removal of the testbed, the profile first: the roles say where it lies.

    Raises PlanError where somebody gave a role of the testbed a policy of their own.
    """
    iam: IAMClient = session.client("iam")
    found = find_roles(iam, place)
    ours = [role for role in found if role.is_ours]
    for role in ours:
        _refuse_others(role)
    regions = sorted({role.tags[REGION_TAG] for role in ours if REGION_TAG in role.tags})
    steps: list[Step] = []
    for region in regions:
        steps += _profile_steps(session, place, region_of(session, region))
    for role in ours:
        steps += _role_steps(iam, role)
    return Removal(steps, [role.arn for role in found if not role.is_ours])


def _refuse_others(role: FoundRole) -> None:
    others = [*role.attached, *(name for name in role.inline if name != INLINE_POLICY)]
    if others:
        raise PlanError(
            f"{role.arn} has policies that the testbed did not give it: {', '.join(others)}; "
            "take them away, then run the command again"
        )


def _profile_steps(session: "Session", place: Place, region: str) -> Iterator[Step]:
    bedrock = session.client("bedrock", region_name=region)
    if arn := find_profile(bedrock, place, region):
        yield Step(
            f"delete the application inference profile {PROFILE_NAME} in {region}",
            "bedrock:DeleteInferenceProfile",
            arn,
            partial(bedrock.delete_inference_profile, inferenceProfileIdentifier=arn),
        )


def _role_steps(iam: "IAMClient", role: FoundRole) -> Iterator[Step]:
    if INLINE_POLICY in role.inline:
        yield Step(
            f"delete the inline policy {INLINE_POLICY} of {role.name}",
            "iam:DeleteRolePolicy",
            role.arn,
            partial(iam.delete_role_policy, RoleName=role.name, PolicyName=INLINE_POLICY),
        )
    yield Step(
        f"delete the role {role.name}",
        "iam:DeleteRole",
        role.arn,
        partial(iam.delete_role, RoleName=role.name),
    )
