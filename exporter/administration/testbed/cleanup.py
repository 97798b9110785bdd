"""Plans the removal of a testbed: of what carries its tag below its path, and of nothing else."""

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from botocore.config import Config

from exporter.administration.plan import PlanError, Step
from exporter.administration.testbed.applications import PROFILE_NAME, REGION_TAG
from exporter.administration.testbed.found import (
    ForeignProfileError,
    FoundRole,
    find_profile,
    find_roles,
    refuse_other_policies,
)
from exporter.administration.testbed.place import Place, checked_region
from exporter.administration.testbed.policies import INLINE_POLICY

if TYPE_CHECKING:
    from boto3 import Session
    from mypy_boto3_iam import IAMClient

_SETTINGS = Config(connect_timeout=5, retries={"mode": "standard", "total_max_attempts": 2})
"""A region that the network does not reach is given up soon: there may be many to ask."""


class Removal(NamedTuple):
    """What removes a testbed, and what it leaves alone."""

    steps: list[Step]
    others: list[str]
    """ARNs of roles below the testbed's path that do not carry its tag."""
    unseen: str = ""
    """Where nobody could look for an inference profile, and why; empty: everywhere."""


def plan_cleanup(session: "Session", place: Place, region: str | None = None) -> Removal:
    """Plan the removal of the testbed, the profile first: the roles say where it lies.

    Where the roles are gone, the profile is looked for in the region that is given, or in all.
    Raises PlanError where somebody gave a role of the testbed a policy of their own.
    """
    iam: IAMClient = session.client("iam")
    found = find_roles(iam, place)
    ours = [role for role in found if role.is_ours]
    for role in ours:
        refuse_other_policies(role)
    stated = {role.tags[REGION_TAG] for role in ours if REGION_TAG in role.tags}
    stated |= {region} if region else set()
    steps: list[Step] = []
    unseen = ""
    if stated:
        for each in sorted(stated):
            steps += _profile_steps(session, place, checked_region(each))
    else:
        steps, unseen = _search(session, place)
    for role in ours:
        steps += _role_steps(iam, role)
    return Removal(steps, [role.arn for role in found if not role.is_ours], unseen)


def _search(session: "Session", place: Place) -> tuple[list[Step], str]:
    """Look for the profile in every region; one that is not enabled hides no other."""
    regions = session.get_available_regions("bedrock", place.partition)
    steps: list[Step] = []
    refused: dict[str, PlanError] = {}
    for region in regions:
        try:
            steps += _profile_steps(session, place, region)
        except ForeignProfileError:
            raise
        except PlanError as error:
            refused[region] = error
    if not refused:
        return steps, ""
    first = next(iter(refused.values()))
    if len(refused) == len(regions):
        raise first
    return steps, (
        f"Not looked for an inference profile in {', '.join(refused)}, which may not be enabled; "
        f"the first of them: {first}"
    )


def _profile_steps(session: "Session", place: Place, region: str) -> Iterator[Step]:
    bedrock = session.client("bedrock", region_name=region, config=_SETTINGS)
    if profile := find_profile(bedrock, place, region):
        yield Step(
            f"delete the application inference profile {PROFILE_NAME} in {region}",
            "bedrock:DeleteInferenceProfile",
            profile.arn,
            partial(bedrock.delete_inference_profile, inferenceProfileIdentifier=profile.arn),
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
