"""Plans what makes an account's testbed complete: roles, their policies, an inference profile.

What is there and as it should be is left alone; what is not the testbed's is never touched.
"""

import json
from collections.abc import Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from exporter.administration.plan import Change, PlanError, Step
from exporter.administration.testbed.applications import (
    CALLERS,
    CREATED_BY,
    MODEL_TAG,
    PATH,
    PROFILE_NAME,
    REGION_TAG,
    ROLES,
    Role,
)
from exporter.administration.testbed.found import (
    FoundRole,
    find_profile,
    find_roles,
    model_and_region,
    refuse_other_policies,
    role_exists,
)
from exporter.administration.testbed.place import Place
from exporter.administration.testbed.policies import (
    INLINE_POLICY,
    foundation_model,
    invoke_policy,
    trust_policy,
)

if TYPE_CHECKING:
    from boto3 import Session
    from mypy_boto3_bedrock import BedrockClient
    from mypy_boto3_iam import IAMClient


def plan_create(
    session: "Session", place: Place, region: str, model_id: str, *, with_profile: bool
) -> list[Step]:
    """Return the steps from what there is to a testbed that calls one model in one region.

    Raises PlanError where a role of the same name is somebody else's, where somebody gave a role of
    the testbed a policy, or where the testbed of the account is for another model or region.
    """
    iam: IAMClient = session.client("iam")
    found = {role.name: role for role in find_roles(iam, place)}
    _refuse_others(iam, found)
    ours = [role for role in found.values() if role.is_ours]
    _refuse_another_testbed(ours, model_id, region)
    for role_found in ours:
        refuse_other_policies(role_found)
    steps: list[Step] = []
    for role in ROLES:
        wanted = dict([CREATED_BY, (MODEL_TAG, model_id), (REGION_TAG, region)]) | dict(role.tags)
        steps += _role_steps(iam, place, role, wanted, found.get(role.name))
        steps += _policy_steps(iam, place, role, model_id, found.get(role.name))
    if with_profile:
        steps += _profile_steps(
            session.client("bedrock", region_name=region), place, region, model_id
        )
    return steps


def _refuse_others(iam: "IAMClient", found: Mapping[str, FoundRole]) -> None:
    for role in ROLES:
        if role.name in found and not found[role.name].is_ours:
            raise PlanError(
                f"{found[role.name].arn} is not tagged {'='.join(CREATED_BY)}: it is not the "
                "testbed's and stays as it is; rename or remove it"
            )
        if role.name not in found and role_exists(iam, role.name):
            raise PlanError(
                f"this account has a role {role.name} that is not below {PATH}: it is not the "
                "testbed's and stays as it is. Is this an account for tests?"
            )


def _refuse_another_testbed(ours: list[FoundRole], model_id: str, region: str) -> None:
    if ours and model_and_region(ours) != (model_id, region):
        model, place = model_and_region(ours)
        raise PlanError(
            f"the testbed of this account calls {model} in {place}; remove it with "
            "`aws testbed cleanup` before you make one for another model or region"
        )


def _role_steps(
    iam: "IAMClient", place: Place, role: Role, tags: dict[str, str], found: FoundRole | None
) -> Iterator[Step]:
    arn, trust = place.role_arn(role.name), trust_policy(place)
    if found is None:
        yield Step(
            f"create the role {role.name}",
            "iam:CreateRole",
            arn,
            partial(
                iam.create_role,
                Path=PATH,
                RoleName=role.name,
                Description="A test role of bedrock-exporter; aws testbed cleanup removes it",
                AssumeRolePolicyDocument=json.dumps(trust),
                Tags=_upper_tags(tags),
            ),
            (
                Change("path", None, PATH),
                Change("tags", None, _told(tags)),
                Change("trust policy", None, json.dumps(trust)),
            ),
            group=role.name,
        )
        return
    if found.trust != trust:
        yield Step(
            f"correct the trust policy of {role.name}",
            "iam:UpdateAssumeRolePolicy",
            arn,
            partial(
                iam.update_assume_role_policy,
                RoleName=role.name,
                PolicyDocument=json.dumps(trust),
            ),
            (Change("trust policy", json.dumps(found.trust), json.dumps(trust)),),
            group=role.name,
        )
    missing = {key: value for key, value in tags.items() if found.tags.get(key) != value}
    if missing:
        yield Step(
            f"correct the tags of {role.name}",
            "iam:TagRole",
            arn,
            partial(iam.tag_role, RoleName=role.name, Tags=_upper_tags(missing)),
            tuple(Change(key, found.tags.get(key), value) for key, value in missing.items()),
            group=role.name,
        )


def _policy_steps(
    iam: "IAMClient", place: Place, role: Role, model_id: str, found: FoundRole | None
) -> Iterator[Step]:
    policy = invoke_policy(place, model_id)
    old = found.inline.get(INLINE_POLICY) if found else None
    if old == policy:
        return
    yield Step(
        f"let {role.name} call {model_id}, and nothing else",
        "iam:PutRolePolicy",
        place.role_arn(role.name),
        partial(
            iam.put_role_policy,
            RoleName=role.name,
            PolicyName=INLINE_POLICY,
            PolicyDocument=json.dumps(policy),
        ),
        (Change(f"inline policy {INLINE_POLICY}", old and json.dumps(old), json.dumps(policy)),),
        group=role.name,
    )


def _profile_steps(
    bedrock: "BedrockClient", place: Place, region: str, model_id: str
) -> Iterator[Step]:
    if profile := find_profile(bedrock, place, region):
        profile.check_model(model_id)
        return
    caller = next(caller for caller in CALLERS if caller.uses_profile)
    role = next(role for role in ROLES if role.name == caller.role)
    tags = dict([CREATED_BY, ("application", caller.application)]) | dict(role.tags)
    source = _model_source(place, region, model_id)
    yield Step(
        f"create the application inference profile {PROFILE_NAME} in {region}",
        "bedrock:CreateInferenceProfile",
        place.bedrock_arn("application-inference-profile/*", region),
        partial(
            bedrock.create_inference_profile,
            inferenceProfileName=PROFILE_NAME,
            modelSource={"copyFrom": source},
            tags=[{"key": key, "value": value} for key, value in tags.items()],
        ),
        (Change("copied from", None, source), Change("tags", None, _told(tags))),
    )


def _model_source(place: Place, region: str, model_id: str) -> str:
    """Return the ARN of a foundation model, or of the system-defined profile that names it."""
    if foundation_model(model_id) == model_id:
        return f"arn:{place.partition}:bedrock:{region}::foundation-model/{model_id}"
    return place.bedrock_arn(f"inference-profile/{model_id}", region)


def _upper_tags(tags: Mapping[str, str]) -> Any:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def _told(tags: Mapping[str, str]) -> str:
    return ", ".join(f"{key}={value}" for key, value in tags.items())
