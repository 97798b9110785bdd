"""Whether application roles may call Bedrock, in every region, as IAM itself simulates it.

Nothing is called but IAM, whose simulator weighs the role's policies, its permissions boundary and
the organization's service control policies; it passes over conditions of the latter.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from exporter.administration.models_in_use import InUse
from exporter.administration.plan import PlanError, allowed
from exporter.aws import sessions
from exporter.aws.meter import Meter
from exporter.config import Account, Athena, Config
from exporter.config.partitions import partition_of
from exporter.interpretation.models import Routing, resolve
from exporter.interpretation.names import profile_of

if TYPE_CHECKING:
    from mypy_boto3_iam.client import IAMClient
    from mypy_boto3_iam.type_defs import EvaluationResultTypeDef, StatementTypeDef

ACTIONS = ("bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream")
"""Converse needs the first, ConverseStream the second: they have no actions of their own."""

ANY_MODEL = "*"
"""Allowed by a policy that names no models. A Deny of one model does not show in it."""
_MOST_NAMED = 20


class AccessError(Exception):
    """Roles cannot be asked about; says what is wrong and what to do."""


@dataclass(frozen=True)
class Access:
    """What one role may do in one region."""

    role: str
    region: str
    is_allowed: bool
    why: tuple[str, ...] = ()
    """What denies it, or which condition keys IAM was not told; nothing where all is allowed."""
    models: tuple[str, ...] = (ANY_MODEL,)
    """What was asked for."""


class _Verdict(NamedTuple):
    """What IAM says of one action on one resource."""

    action: str
    resource: str
    denial: str
    """Empty: it is allowed."""
    unknown_keys: tuple[str, ...]
    """Condition keys that the policies look at and a simulation does not know."""


def check_roles(
    config: Config,
    account: Account | None,
    pattern: str,
    regions: Sequence[str] = (),
    models: Sequence[str] = (),
    in_use: InUse = MappingProxyType({}),
) -> list[Access]:
    """Ask IAM of an account what its roles of matching names may do.

    Without regions, in those that the configuration names for the account; without those, in all
    that boto3 knows to have Bedrock. Without models, with every one, and besides by name with each
    that is in use in the account and region. Raises AccessError, also where no role matches.
    """
    try:
        with allowed("iam:ListRoles", "*"):
            region = sessions.session(account).region_name or _home(config)
            iam = sessions.client(sessions.session(account, region), "iam", Meter())
            roles = matching_roles(iam, pattern)
        if not roles:
            raise AccessError(f"no role is called {pattern!r}; patterns have * and ?, in quotes")
        regions = regions or _regions(config, account) or _all_regions(region)
        with allowed("iam:SimulatePrincipalPolicy", roles[0]):
            return [
                role_access(iam, role, region, models or _every_model(role, region, in_use))
                for role in roles
                for region in regions
            ]
    except PlanError as error:
        raise AccessError(str(error)) from None
    except KeyError:
        # botocore finds no result in an answer that is XML, but not of IAM.
        raise AccessError(
            "what answered for iam:ListRoles is not AWS; check the network and its proxy"
        ) from None


def _every_model(role_arn: str, region: str, in_use: InUse) -> tuple[str, ...]:
    account_id = role_arn.split(":")[4]
    return ANY_MODEL, *sorted(in_use.get((account_id, region), ()))


def _home(config: Config) -> str:
    return next(iter(_regions(config, None)), "us-east-1")


def _regions(config: Config, account: Account | None) -> list[str]:
    """Return the regions that a configuration names for an account."""
    if account is not None:
        return sorted(account.regions)
    named = {
        region
        for source in config.sources
        if isinstance(source, Athena) and source.account is None
        for region in (source.region, *(each for all_ in source.owners.values() for each in all_))
    }
    return sorted(named)


def _all_regions(region: str) -> list[str]:
    """Return the regions of a region's partition that boto3 knows to have Bedrock."""
    known = sessions.session(None).get_available_regions("bedrock", partition_of(region))
    return known or [region]


def as_table(accesses: Sequence[Access]) -> Iterator[str]:
    """Yield the lines of a table: role, region, allowed or denied, and why."""
    width = max((len(access.role) for access in accesses), default=0)
    region_width = max((len(access.region) for access in accesses), default=0)
    for access in accesses:
        verdict = "allowed" if access.is_allowed else "denied "
        start = f"{access.role:<{width}}  {access.region:<{region_width}}  {verdict}"
        for number, why in enumerate(access.why or ("",)):
            yield f"{start if number == 0 else ' ' * len(start)}  {why}".rstrip()


def asked_for(accesses: Sequence[Access]) -> str:
    """Say which models IAM was asked about, and what that leaves open."""
    models = sorted({model for access in accesses for model in access.models})
    names = [model for model in models if model != ANY_MODEL]
    told = ", ".join(names[:_MOST_NAMED]) + (" ..." if len(names) > _MOST_NAMED else "")
    if ANY_MODEL not in models:
        return f"Asked for {told}."
    every = "Asked for every model and profile at once, as *"
    if names:
        return f"{every}, and by name for those that the ledger has seen in the region: {told}."
    return (
        f"{every}. A Deny of a single model does not show in that, and the ledger names no model "
        "in use: ask with --model."
    )


def matching_roles(iam: "IAMClient", pattern: str) -> list[str]:
    """Return the ARNs of the roles whose names match a pattern with * and ?, case-sensitive.

    Raises what boto3 raises.
    """
    return sorted(
        role["Arn"]
        for page in iam.get_paginator("list_roles").paginate()
        for role in page["Roles"]
        if fnmatchcase(role["RoleName"], pattern)
    )


def role_access(
    iam: "IAMClient", role_arn: str, region: str, models: Sequence[str] = (ANY_MODEL,)
) -> Access:
    """Ask IAM what a role may do in a region with every one of the models.

    A model is the id of a foundation model or of an inference profile, or the ARN of one that an
    application has. ANY_MODEL is all of them: a policy that names its models does not allow it.
    Raises what boto3 raises.
    """
    _, partition, _, _, account_id, name = role_arn.split(":", 5)
    owners = {"inference-profile": account_id, "foundation-model": ""}
    resources = {
        f"arn:{partition}:bedrock:{region}:{owners[kind]}:{kind}/{model}" if kind else model
        for kind, model in _resources(models)
    }
    verdicts = list(_simulate(iam, role_arn, region, sorted(resources)))
    return Access(
        role=name.rpartition("/")[2],
        region=region,
        is_allowed=not any(verdict.denial for verdict in verdicts),
        why=tuple(_explain(verdicts)),
        models=tuple(models),
    )


def _resources(models: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield what must be allowed, by its kind and name; an ARN has no kind.

    A profile needs its model, too.
    """
    for model in models:
        if model == ANY_MODEL:
            yield "foundation-model", ANY_MODEL
            yield "inference-profile", ANY_MODEL
        elif profile_of(model):
            yield "", model
        else:
            resolved = resolve(model, {})
            yield "foundation-model", resolved.model
            if resolved.routing is not Routing.IN_REGION:
                yield "inference-profile", model.rpartition("/")[2]


def _simulate(
    iam: "IAMClient", role_arn: str, region: str, resources: Sequence[str]
) -> Iterator[_Verdict]:
    pages = iam.get_paginator("simulate_principal_policy").paginate(
        PolicySourceArn=role_arn,
        ActionNames=ACTIONS,
        ResourceArns=resources,
        ContextEntries=[
            {
                "ContextKeyName": "aws:RequestedRegion",
                "ContextKeyValues": [region],
                "ContextKeyType": "string",
            }
        ],
    )
    for page in pages:
        for result in page["EvaluationResults"]:
            yield from _verdicts(result)


def _verdicts(result: "EvaluationResultTypeDef") -> Iterator[_Verdict]:
    """Read the answer for one action: by resource where IAM tells them apart."""
    organization = result.get("OrganizationsDecisionDetail", {})
    boundary = result.get("PermissionsBoundaryDecisionDetail", {})
    parts: list[dict[str, Any]] = [dict(part) for part in result.get("ResourceSpecificResults", [])]
    for part in parts or [{}]:
        # What is not said of a resource is said of all of them.
        stated = {**result, **part}
        decision = part.get("EvalResourceDecision", result["EvalDecision"])
        if not organization.get("AllowedByOrganizations", True):
            denial = "denied by a service control policy"
        elif decision == "allowed":
            denial = ""
        elif decision == "explicitDeny":
            denial = _explicit_denial(stated.get("MatchedStatements", []))
        elif not stated.get("PermissionsBoundaryDecisionDetail", boundary).get(
            "AllowedByPermissionsBoundary", True
        ):
            denial = "not allowed by the permissions boundary"
        else:
            denial = "implicit deny: no policy allows it"
        yield _Verdict(
            result["EvalActionName"],
            stated.get("EvalResourceName", ANY_MODEL),
            denial,
            tuple(stated.get("MissingContextValues", [])),
        )


def _explicit_denial(statements: "Sequence[StatementTypeDef]") -> str:
    policies = sorted({each.get("SourcePolicyId", "") for each in statements} - {""})
    return f"explicit deny in {', '.join(policies)}" if policies else "explicit deny"


def _explain(verdicts: Iterable[_Verdict]) -> Iterator[str]:
    """Say what denies which actions on which resource, and what IAM could not weigh."""
    denied: dict[tuple[str, str], set[str]] = defaultdict(set)
    unknown: set[str] = set()
    for verdict in verdicts:
        unknown.update(verdict.unknown_keys)
        if verdict.denial:
            resource = verdict.resource.split(":", 5)[-1]
            denied[verdict.denial, resource].add(verdict.action.removeprefix("bedrock:"))
    for (denial, resource), actions in sorted(denied.items()):
        yield f"{denial}: {', '.join(sorted(actions))} on {resource}"
    if unknown:
        yield f"depends on {', '.join(sorted(unknown))}, which a simulation does not know"
