"""Whether application roles may call Bedrock: moto's IAM, and a simulator of our own.

The simulator answers as IAM's API reference has it: one result an action, in it one a resource.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import pytest
from click.testing import CliRunner, Result
from moto.iam.responses import IamResponse
from moto_aws import ACCOUNT_ID, MotoAws

from exporter.administration.models_in_use import models_in_use
from exporter.administration.role_access import (
    ACTIONS,
    Access,
    AccessError,
    as_table,
    asked_for,
    check_roles,
)
from exporter.cli import main
from exporter.config import Config
from exporter.ledger import Ledger, WritableLedger
from exporter.usage import LookedUp
from usage_builders import Call, batch

ROLE = f"arn:aws:iam::{ACCOUNT_ID}:role/apps/Shop-BedrockRole"
ATHENA = {"type": "athena", "location": "s3://logs", "region": "eu-west-1"}
DIRECT = {"type": "invocation_logs", "location": "s3://logs"}

Decide = Callable[[str, str, str], dict[str, Any]]
"""Of an action, a resource and a region, the fields of a ResourceSpecificResult."""


class Simulator:
    """What was simulated, and how it is decided."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []
        """Role and region."""
        self.resources: set[str] = set()
        self.organization_allows = True
        self.decide: Decide = lambda action, resource, region: {"EvalResourceDecision": "allowed"}

    def answer(self, response: IamResponse) -> str:
        asked = {name: values[0] for name, values in response.querystring.items()}
        region = asked["ContextEntries.member.1.ContextKeyValues.member.1"]
        assert asked["ContextEntries.member.1.ContextKeyName"] == "aws:RequestedRegion"
        self.asked.append((asked["PolicySourceArn"], region))
        resources = [asked[name] for name in sorted(asked) if name.startswith("ResourceArns.")]
        self.resources.update(resources)
        actions = [asked[name] for name in sorted(asked) if name.startswith("ActionNames.")]
        results = [
            {
                "EvalActionName": action,
                "EvalResourceName": "*",
                "EvalDecision": "implicitDeny",
                "OrganizationsDecisionDetail": {"AllowedByOrganizations": self.organization_allows},
                "ResourceSpecificResults": [
                    {"EvalResourceName": resource, **self.decide(action, resource, region)}
                    for resource in resources
                ],
            }
            for action in actions
        ]
        result = _xml({"IsTruncated": False, "EvaluationResults": results})
        return (
            '<SimulatePrincipalPolicyResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/">'
            f"<SimulatePrincipalPolicyResult>{result}</SimulatePrincipalPolicyResult>"
            "</SimulatePrincipalPolicyResponse>"
        )


def _xml(value: Any) -> str:
    if isinstance(value, dict):
        return "".join(f"<{name}>{_xml(item)}</{name}>" for name, item in value.items())
    if isinstance(value, list):
        return "".join(f"<member>{_xml(item)}</member>" for item in value)
    return str(value).lower() if isinstance(value, bool) else escape(str(value))


@pytest.fixture(scope="module")
def moto() -> Iterator[MotoAws]:
    with MotoAws() as running:
        yield running


@pytest.fixture
def aws(moto: MotoAws, monkeypatch: pytest.MonkeyPatch) -> Iterator[MotoAws]:
    """An account with two roles of applications and one of another kind."""
    with moto.fresh(monkeypatch) as fresh:
        iam = fresh.client("iam")
        for name in ("Shop-BedrockRole", "Chat-BedrockRole", "deployer"):
            iam.create_role(RoleName=name, Path="/apps/", AssumeRolePolicyDocument="{}")
        yield fresh


@pytest.fixture
def simulator(aws: MotoAws, monkeypatch: pytest.MonkeyPatch) -> Simulator:
    simulator = Simulator()
    monkeypatch.setattr(
        IamResponse,
        "simulate_principal_policy",
        lambda response: simulator.answer(response),
        raising=False,
    )
    return simulator


def config(*sources: dict[str, Any], **aws: Any) -> Config:
    return Config.model_validate({"sources": sources or [ATHENA], "aws": aws})


def check(
    pattern: str = "Shop-*", regions: tuple[str, ...] = ("eu-west-1",), **options: Any
) -> Any:
    return check_roles(config(), None, pattern, regions, **options)


def test_roles_are_found_by_their_names_whatever_their_path(simulator: Simulator) -> None:
    found = check("*-BedrockRole")
    assert [access.role for access in found] == ["Chat-BedrockRole", "Shop-BedrockRole"]
    assert [role for role, _ in simulator.asked] == [ROLE.replace("Shop", "Chat"), ROLE]


def test_every_model_and_profile_is_asked_for_in_every_region(simulator: Simulator) -> None:
    assert check(regions=("eu-west-1", "us-east-1")) == [
        Access("Shop-BedrockRole", "eu-west-1", True),
        Access("Shop-BedrockRole", "us-east-1", True),
    ]
    assert simulator.resources == {
        "arn:aws:bedrock:eu-west-1::foundation-model/*",
        f"arn:aws:bedrock:eu-west-1:{ACCOUNT_ID}:inference-profile/*",
        "arn:aws:bedrock:us-east-1::foundation-model/*",
        f"arn:aws:bedrock:us-east-1:{ACCOUNT_ID}:inference-profile/*",
    }


def test_a_profile_is_asked_for_with_the_model_behind_it(simulator: Simulator) -> None:
    check(models=("eu.anthropic.claude-sonnet-4-5-20250929-v1:0", "amazon.nova-lite-v1:0"))
    assert {arn.rpartition("/")[0].rpartition(":")[2] for arn in simulator.resources} == {
        "foundation-model",
        "inference-profile",
    }
    assert {arn.rpartition("/")[2] for arn in simulator.resources} == {
        "anthropic.claude-sonnet-4-5-20250929-v1:0",
        "eu.anthropic.claude-sonnet-4-5-20250929-v1:0",
        "amazon.nova-lite-v1:0",
    }


NOVA = "amazon.nova-pro-v1:0"
NOW = datetime(2026, 11, 22, 8, 30, tzinfo=UTC)


def deny_nova(action: str, resource: str, region: str) -> dict[str, Any]:
    """Deny one model, as IAM does: the literal * is none of it."""
    is_denied = resource.endswith(f"foundation-model/{NOVA}")
    return {"EvalResourceDecision": "explicitDeny" if is_denied else "allowed"}


def test_a_deny_of_one_model_that_is_in_use_is_seen(simulator: Simulator) -> None:
    simulator.decide = deny_nova
    in_use = {(ACCOUNT_ID, "eu-west-1"): frozenset({NOVA})}
    (access,) = check(in_use=in_use)
    assert not access.is_allowed
    assert access.why[0].endswith(f"on foundation-model/{NOVA}")
    (access,) = check(regions=("us-east-1",), in_use=in_use)
    assert access.is_allowed


def test_it_is_said_what_was_asked_for(simulator: Simulator) -> None:
    assert "the ledger names no model in use: ask with --model" in asked_for(check())
    in_use = {(ACCOUNT_ID, "eu-west-1"): frozenset({NOVA})}
    told = asked_for(check(in_use=in_use))
    assert told.endswith(f"by name for those that the ledger has seen in the region: {NOVA}.")
    assert asked_for(check(models=(NOVA,), in_use=in_use)) == f"Asked for {NOVA}."


def test_the_profile_of_an_application_is_asked_for_as_it_is_called(simulator: Simulator) -> None:
    arn = f"arn:aws:bedrock:eu-west-1:{ACCOUNT_ID}:application-inference-profile/a1b2c3"
    check(models=(arn,))
    assert simulator.resources == {arn}


def in_use(folder: Path, *model_ids: str, profiles: dict[str, str] | None = None) -> Any:
    """What a ledger names of calls in eu-west-1; profiles with the models they route to."""
    path = folder / "ledger.sqlite"
    ledger = WritableLedger.open(path)
    calls = [
        Call(str(number), NOW, account_id=ACCOUNT_ID, region="eu-west-1", model_id=model_id)
        for number, model_id in enumerate(model_ids)
    ]
    ledger.apply([batch(*calls)])
    ledger.record_lookups(
        LookedUp("inference_profile", profile, (("model", model),), NOW)
        for profile, model in (profiles or {}).items()
    )
    ledger.close()
    reading = Ledger.open(path)
    try:
        return models_in_use(config(lookups={"inference_profiles": True}), reading)
    finally:
        reading.close()


@pytest.mark.parametrize(
    ("called", "asked"),
    [
        (NOVA, {NOVA}),
        (f"arn:aws:bedrock:eu-west-1::foundation-model/{NOVA}", {NOVA}),
        (f"eu.{NOVA}", {f"eu.{NOVA}", NOVA}),
        (
            f"arn:aws:bedrock:eu-west-1:{ACCOUNT_ID}:inference-profile/eu.{NOVA}",
            {f"eu.{NOVA}", NOVA},
        ),
        ("no model: at all", set()),
        (f"arn:aws:bedrock:eu-west-1:{ACCOUNT_ID}:provisioned-model/abc", set()),
    ],
)
def test_models_in_use_are_those_of_the_ledger_that_iam_can_be_asked_for(
    tmp_path: Path, called: str, asked: set[str]
) -> None:
    assert in_use(tmp_path, called) == {(ACCOUNT_ID, "eu-west-1"): asked}


def test_an_application_s_profile_in_use_brings_the_model_behind_it(tmp_path: Path) -> None:
    arn = f"arn:aws:bedrock:eu-west-1:{ACCOUNT_ID}:application-inference-profile/a1b2c3"
    routes = {arn: f"arn:aws:bedrock:eu-west-1::foundation-model/{NOVA}"}
    assert in_use(tmp_path, arn, profiles=routes)[ACCOUNT_ID, "eu-west-1"] == {arn, NOVA}


def denied(**fields: Any) -> Decide:
    """Deny profiles, and allow models."""

    def decide(action: str, resource: str, region: str) -> dict[str, Any]:
        if "inference-profile" not in resource:
            return {"EvalResourceDecision": "allowed"}
        return {"EvalResourceDecision": "implicitDeny", **fields}

    return decide


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({}, "implicit deny: no policy allows it"),
        (
            {"PermissionsBoundaryDecisionDetail": {"AllowedByPermissionsBoundary": False}},
            "not allowed by the permissions boundary",
        ),
        (
            {
                "EvalResourceDecision": "explicitDeny",
                "MatchedStatements": [{"SourcePolicyId": "DenyProfiles"}],
            },
            "explicit deny in DenyProfiles",
        ),
    ],
)
def test_a_denial_says_what_denies_which_actions_where(
    simulator: Simulator, fields: dict[str, Any], why: str
) -> None:
    simulator.decide = denied(**fields)
    (access,) = check()
    assert not access.is_allowed
    assert access.why == (
        f"{why}: InvokeModel, InvokeModelWithResponseStream on inference-profile/*",
    )


def test_a_service_control_policy_denies_whatever_the_role_allows(simulator: Simulator) -> None:
    simulator.organization_allows = False
    (access,) = check()
    assert not access.is_allowed
    assert all(why.startswith("denied by a service control policy") for why in access.why)


def test_a_role_may_be_allowed_in_one_region_and_not_in_another(simulator: Simulator) -> None:
    simulator.decide = lambda action, resource, region: {
        "EvalResourceDecision": "allowed" if region == "us-east-1" else "explicitDeny"
    }
    found = check(regions=("us-east-1", "eu-west-1"))
    assert [(access.region, access.is_allowed) for access in found] == [
        ("us-east-1", True),
        ("eu-west-1", False),
    ]


def test_conditions_that_a_simulation_does_not_know_are_named(simulator: Simulator) -> None:
    simulator.decide = lambda action, resource, region: {
        "EvalResourceDecision": "allowed",
        "MissingContextValues": ["aws:SourceVpce"],
    }
    (access,) = check()
    assert access.is_allowed
    assert access.why == ("depends on aws:SourceVpce, which a simulation does not know",)


def test_streaming_alone_may_be_denied(simulator: Simulator) -> None:
    simulator.decide = lambda action, resource, region: {
        "EvalResourceDecision": "allowed" if action == ACTIONS[0] else "implicitDeny"
    }
    (access,) = check()
    assert access.why[0].endswith("InvokeModelWithResponseStream on foundation-model/*")


def test_without_regions_those_of_the_configuration_are_asked(simulator: Simulator) -> None:
    assert {access.region for access in check(regions=())} == {"eu-west-1"}


def test_without_any_region_all_that_have_bedrock_are_asked(
    simulator: Simulator, aws: MotoAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-gov-west-1")
    aws.client("iam", "us-gov-west-1").create_role(
        RoleName="Shop-BedrockRole", AssumeRolePolicyDocument="{}"
    )
    found = check_roles(config(DIRECT), None, "Shop-*")
    assert {access.region for access in found} == {"us-gov-east-1", "us-gov-west-1"}
    assert {arn.split(":")[1] for arn in simulator.resources} == {"aws-us-gov"}


def test_a_pattern_that_matches_no_role_is_an_error(simulator: Simulator) -> None:
    with pytest.raises(AccessError, match="no role is called 'Nobody-\\*'"):
        check("Nobody-*")


@pytest.mark.parametrize("operation", ["ListRoles", "SimulatePrincipalPolicy"])
def test_a_refusal_names_the_permission(simulator: Simulator, aws: MotoAws, operation: str) -> None:
    aws.refused[operation] = "AccessDenied"
    with pytest.raises(AccessError, match=f"allow iam:{operation}"):
        check()


def test_the_table_has_a_line_for_each_reason() -> None:
    accesses = [
        Access("Shop-BedrockRole", "eu-west-1", True),
        Access("Chat-BedrockRole", "us-east-1", False, ("implicit deny: a", "depends on b")),
    ]
    assert list(as_table(accesses)) == [
        "Shop-BedrockRole  eu-west-1  allowed",
        "Chat-BedrockRole  us-east-1  denied   implicit deny: a",
        "                                      depends on b",
    ]


def typed(folder: Path, *arguments: str) -> Result:
    file = folder / "config.yaml"
    file.write_text(
        "{sources: [{type: athena, location: 's3://logs', region: eu-west-1}], ledger: l.sqlite}"
    )
    command = ["aws", "permissions", f"--config.file={file}", *arguments]
    return CliRunner().invoke(main, command)


def test_the_command_exits_with_1_if_some_role_is_denied(
    simulator: Simulator, tmp_path: Path
) -> None:
    allowed = typed(tmp_path, "--roles", "*-BedrockRole")
    assert (allowed.exit_code, allowed.output.count("allowed")) == (0, 2)
    simulator.decide = denied()
    refused = typed(tmp_path, "--roles", "*-BedrockRole")
    assert (refused.exit_code, refused.output.count("denied ")) == (1, 2)


def test_the_command_says_what_it_lacks(simulator: Simulator, tmp_path: Path) -> None:
    result = typed(tmp_path, "--roles", "Nobody")
    assert result.exit_code == 1
    assert "no role is called 'Nobody'" in result.output


def test_the_command_asks_for_what_the_ledger_has_seen(
    simulator: Simulator, tmp_path: Path
) -> None:
    simulator.decide = deny_nova
    unseen = typed(tmp_path, "--roles", "Shop-*")
    assert (unseen.exit_code, "ask with --model" in unseen.output) == (0, True)
    ledger = WritableLedger.open(tmp_path / "l.sqlite")
    call = Call("one", NOW, account_id=ACCOUNT_ID, region="eu-west-1", model_id=NOVA)
    ledger.apply([batch(call)])
    ledger.close()
    seen = typed(tmp_path, "--roles", "Shop-*")
    assert (seen.exit_code, f"foundation-model/{NOVA}" in seen.output) == (1, True)


def test_the_command_goes_on_without_a_ledger_that_is_broken(
    simulator: Simulator, tmp_path: Path
) -> None:
    (tmp_path / "l.sqlite").write_bytes(b"no ledger" * 1000)
    told = typed(tmp_path, "--roles", "Shop-*")
    assert told.exit_code == 0
    assert "without the models in use: " in told.output
