"""`bedrock-exporter aws testbed`, run as its user runs it, against an AWS on loopback."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import boto3
import pytest
from click.testing import CliRunner, Result
from moto.iam.access_control import IAMPolicy, PermissionResult
from moto.iam.models import iam_backends
from moto.server import ThreadedMotoServer
from testbed_bedrock import ACCOUNT, BedrockServer, Received

from exporter.administration.testbed.invoke import make_calls, plan_calls
from exporter.administration.testbed.place import Place
from exporter.cli import main
from tools import ROOT

PATH = "/bedrock-exporter-testbed/"
NAMES = ["CodeReviewer-BedrockRole", "CustomerServiceApp-BedrockRole", "SharedTools-BedrockRole"]
MODEL = "amazon.nova-micro-v1:0"
OTHER_POLICY = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Deny", "Action": "s3:*", "Resource": "*"}],
}
OTHER_TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Deny", "Action": "sts:AssumeRole", "Principal": {"AWS": "123456789012"}}
    ],
}


@pytest.fixture(scope="module")
def moto_url() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    yield f"http://127.0.0.1:{server.get_host_and_port()[1]}"
    server.stop()


@pytest.fixture(scope="module")
def server(moto_url: str) -> Iterator[BedrockServer]:
    with BedrockServer(moto_url) as server:
        yield server


@pytest.fixture
def bedrock(server: BedrockServer, moto_url: str, monkeypatch: pytest.MonkeyPatch) -> BedrockServer:
    """An empty account in us-east-1, and its credentials."""
    server.reset()
    for name, value in {
        "AWS_ENDPOINT_URL": moto_url,
        "AWS_ENDPOINT_URL_STS": server.url,
        "AWS_ENDPOINT_URL_BEDROCK": server.url,
        "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": server.url,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    iam_backends[ACCOUNT]["aws"].reset()
    return server


@pytest.fixture
def no_region(bedrock: BedrockServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """No ambient region."""
    monkeypatch.delenv("AWS_REGION")
    monkeypatch.delenv("AWS_DEFAULT_REGION")


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "config.yaml"
    file.write_text("sources:\n  - {type: invocation_logs, location: logs}\n")
    return file


def run(*arguments: str, account_id: str = ACCOUNT) -> Result:
    return CliRunner().invoke(
        main, ["aws", "testbed", arguments[0], "--account-id", account_id, *arguments[1:]]
    )


def invoke(config: Path, *arguments: str) -> Result:
    return run("invoke", "--config.file", str(config), *arguments)


def role_names() -> list[str]:
    return sorted(role["RoleName"] for role in boto3.client("iam").list_roles()["Roles"])


def tags_of(role: str) -> dict[str, str]:
    tags = boto3.client("iam").list_role_tags(RoleName=role)["Tags"]
    return {tag["Key"]: tag["Value"] for tag in tags}


def policy_of(role: str) -> str:
    policy = boto3.client("iam").get_role_policy(RoleName=role, PolicyName="invoke-one-model")
    return json.dumps(policy["PolicyDocument"])


def add_role(name: str, path: str = PATH, tags: dict[str, str] | None = None) -> None:
    boto3.client("iam").create_role(
        RoleName=name,
        Path=path,
        AssumeRolePolicyDocument=json.dumps(OTHER_TRUST),
        Tags=[{"Key": key, "Value": value} for key, value in (tags or {}).items()],
    )


# create


def test_create_makes_roles_that_carry_its_path_and_tag(bedrock: BedrockServer) -> None:
    assert run("create", "--yes").exit_code == 0
    assert role_names() == NAMES
    iam = boto3.client("iam")
    assert {iam.get_role(RoleName=name)["Role"]["Path"] for name in NAMES} == {PATH}
    assert tags_of("CodeReviewer-BedrockRole") == {
        "created-by": "bedrock-exporter-testbed",
        "model": MODEL,
        "region": "us-east-1",
        "team": "engineering",
        "cost_center": "CC-2001",
    }


@pytest.mark.parametrize(
    ("action", "resource", "allowed"),
    [
        ("InvokeModel", f"arn:aws:bedrock:us-west-2::foundation-model/{MODEL}", True),
        (
            "InvokeModelWithResponseStream",
            f"arn:aws:bedrock:us-east-1::foundation-model/{MODEL}",
            True,
        ),
        ("InvokeModel", f"arn:aws:bedrock:us-east-1:{ACCOUNT}:inference-profile/us.{MODEL}", True),
        ("InvokeModel", "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-pro-v1:0", False),
        (
            "InvokeModel",
            f"arn:aws:bedrock:us-east-1:{ACCOUNT}:inference-profile/us.amazon.nova-pro-v1:0",
            False,
        ),
        ("CreateInferenceProfile", f"arn:aws:bedrock:us-east-1::foundation-model/{MODEL}", False),
    ],
)
def test_a_role_may_call_its_model_and_its_profiles_and_nothing_else(
    bedrock: BedrockServer, action: str, resource: str, allowed: bool
) -> None:
    run("create", "--yes")
    policy = json.loads(policy_of("CodeReviewer-BedrockRole"))
    # moto's judge leaves conditions out: the statement that has one is looked at below.
    policy["Statement"] = [one for one in policy["Statement"] if "Condition" not in one]
    judged = IAMPolicy(json.dumps(policy)).is_action_permitted(f"bedrock:{action}", resource)
    assert (judged is PermissionResult.PERMITTED) == allowed


def test_a_role_may_call_only_application_profiles_that_carry_the_tag(
    bedrock: BedrockServer,
) -> None:
    run("create", "--yes")
    statements = json.loads(policy_of("CodeReviewer-BedrockRole"))["Statement"]
    assert [one for one in statements if "application-inference-profile" in str(one)] == [
        {
            "Effect": "Allow",
            "Action": "bedrock:InvokeModel*",
            "Resource": f"arn:aws:bedrock:*:{ACCOUNT}:application-inference-profile/*",
            "Condition": {
                "StringEquals": {"aws:ResourceTag/created-by": "bedrock-exporter-testbed"}
            },
        }
    ]


def test_only_this_account_with_the_external_id_may_assume_a_role(bedrock: BedrockServer) -> None:
    run("create", "--yes")
    role = boto3.client("iam").get_role(RoleName="CodeReviewer-BedrockRole")["Role"]
    assert role["AssumeRolePolicyDocument"]["Statement"] == [
        {
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
            "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {"sts:ExternalId": "bedrock-exporter-testbed"}},
        }
    ]


@pytest.mark.parametrize("arguments", [[], ["--inference-profile"]])
def test_create_finds_nothing_to_do_the_second_time(
    bedrock: BedrockServer, arguments: list[str]
) -> None:
    run("create", "--yes", *arguments)
    again = run("create", *arguments)
    assert again.exit_code == 0
    assert "Nothing to do" in again.output


def test_create_puts_right_what_was_changed_and_leaves_other_tags(bedrock: BedrockServer) -> None:
    run("create", "--yes")
    name, iam = NAMES[0], boto3.client("iam")
    right = policy_of(name)
    iam.put_role_policy(
        RoleName=name, PolicyName="invoke-one-model", PolicyDocument=json.dumps(OTHER_POLICY)
    )
    iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(OTHER_TRUST))
    changed = [{"Key": "team", "Value": "other"}, {"Key": "mine", "Value": "too"}]
    iam.tag_role(RoleName=name, Tags=changed)
    told = run("create", "--yes").output
    assert "Plan: 3 changes" in told
    assert "team: other -> engineering" in told
    assert policy_of(name) == right
    assert tags_of(name)["team"] == "engineering"
    assert tags_of(name)["mine"] == "too"
    assert "Nothing to do" in run("create").output


def test_create_goes_on_where_it_was_interrupted(bedrock: BedrockServer) -> None:
    run("create", "--yes")
    boto3.client("iam").delete_role_policy(RoleName=NAMES[0], PolicyName="invoke-one-model")
    assert "Plan: 1 change\n" in run("create", "--yes").output
    assert policy_of(NAMES[0]) == policy_of(NAMES[1])


@pytest.mark.parametrize("arguments", [["--dry-run"], []], ids=["dry run", "nobody to ask"])
def test_create_makes_nothing_that_was_not_agreed_to(
    bedrock: BedrockServer, arguments: list[str]
) -> None:
    told = run("create", *arguments)
    assert "create the role CodeReviewer-BedrockRole" in told.output
    assert role_names() == []


@pytest.mark.parametrize("command", ["create", "invoke", "cleanup"])
def test_credentials_of_another_account_are_refused(
    bedrock: BedrockServer, config: Path, command: str
) -> None:
    given = ["--config.file", str(config)] if command == "invoke" else []
    told = run(command, "--yes", *given, account_id="111122223333")
    assert told.exit_code == 1
    assert f"are of account {ACCOUNT}" in told.output
    assert role_names() == []


@pytest.mark.parametrize("command", ["create", "invoke", "cleanup"])
def test_every_command_has_the_account_named_and_says_what_it_is_for(command: str) -> None:
    told = CliRunner().invoke(main, ["aws", "testbed", command, "--yes"])
    assert told.exit_code == 2
    assert "Missing option '--account-id'" in told.output
    helped = CliRunner().invoke(main, ["aws", "testbed", "--help"]).output
    assert "For test accounts only." in " ".join(helped.split())


def test_a_role_of_the_same_name_elsewhere_is_refused(bedrock: BedrockServer) -> None:
    add_role("CodeReviewer-BedrockRole", path="/")
    told = run("create", "--yes")
    assert told.exit_code == 1
    assert "not below /bedrock-exporter-testbed/" in told.output
    assert role_names() == ["CodeReviewer-BedrockRole"]


def test_a_role_below_the_path_without_the_tag_is_refused(bedrock: BedrockServer) -> None:
    add_role("CodeReviewer-BedrockRole")
    told = run("create", "--yes")
    assert told.exit_code == 1
    assert "is not tagged created-by=bedrock-exporter-testbed" in told.output
    assert tags_of("CodeReviewer-BedrockRole") == {}


@pytest.mark.parametrize(
    "other", [["--model", "us.amazon.nova-lite-v1:0"], ["--region", "eu-west-1"]]
)
def test_a_second_testbed_for_another_model_or_region_is_refused(
    bedrock: BedrockServer, other: list[str]
) -> None:
    run("create", "--yes")
    told = run("create", "--yes", *other)
    assert told.exit_code == 1
    assert f"calls {MODEL} in us-east-1" in told.output
    assert tags_of(NAMES[0])["model"] == MODEL


def attach_policy(role: str) -> str:
    """Give a role a managed policy, and return its ARN."""
    iam = boto3.client("iam")
    made = iam.create_policy(PolicyName="All", PolicyDocument=json.dumps(OTHER_POLICY))
    iam.attach_role_policy(RoleName=role, PolicyArn=made["Policy"]["Arn"])
    return str(made["Policy"]["Arn"])


@pytest.mark.parametrize("command", ["create", "cleanup"])
def test_a_test_role_that_somebody_attached_a_policy_to_is_refused(
    bedrock: BedrockServer, command: str
) -> None:
    run("create", "--yes")
    attached = attach_policy(NAMES[0])
    told = run(command, "--yes")
    assert told.exit_code == 1
    assert f"policies that the testbed did not give it: {attached}" in told.output
    assert "Nothing to do" not in told.output


def test_create_needs_a_region_of_its_own(bedrock: BedrockServer, no_region: None) -> None:
    told = run("create", "--yes")
    assert told.exit_code == 1
    assert "--region: '' is not a region" in told.output


def test_a_profile_of_another_model_is_refused(bedrock: BedrockServer, config: Path) -> None:
    opus = "arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-opus-4-1-20250805-v1:0"
    run("create", "--yes")
    bedrock.add_profile(
        "bedrock-exporter-testbed", {"created-by": "bedrock-exporter-testbed"}, opus
    )
    for told in (run("create", "--yes", "--inference-profile"), invoke(config, "--yes")):
        assert told.exit_code == 1
        assert "leads to anthropic.claude-opus-4-1-20250805-v1:0 (in_region)" in told.output
    assert bedrock.received == []


def test_a_profile_of_the_model_in_a_geography_is_not_that_of_the_region(
    bedrock: BedrockServer, config: Path
) -> None:
    run("create", "--yes", "--inference-profile", "--model", f"us.{MODEL}")
    assert invoke(config, "--dry-run").exit_code == 0
    for name in NAMES:
        boto3.client("iam").tag_role(RoleName=name, Tags=[{"Key": "model", "Value": MODEL}])
    assert f"leads to {MODEL} (geo), not to {MODEL}" in invoke(config, "--dry-run").output


@pytest.mark.parametrize(
    "model", ["*", "amazon.*", "nova", f"arn:aws:bedrock:us-east-1::foundation-model/{MODEL}"]
)
def test_what_names_no_model_gets_into_no_policy(bedrock: BedrockServer, model: str) -> None:
    told = run("create", "--yes", "--model", model)
    assert told.exit_code == 1
    assert "is not the id of a foundation model" in told.output
    assert role_names() == []


@pytest.mark.parametrize(
    ("model", "source"),
    [
        (MODEL, f"arn:aws:bedrock:us-east-1::foundation-model/{MODEL}"),
        (f"us.{MODEL}", f"arn:aws:bedrock:us-east-1:{ACCOUNT}:inference-profile/us.{MODEL}"),
    ],
)
def test_the_inference_profile_is_of_the_model_and_says_whose_it_is(
    bedrock: BedrockServer, model: str, source: str
) -> None:
    assert run("create", "--yes", "--inference-profile", "--model", model).exit_code == 0
    assert list(bedrock.profiles.values()) == [
        {
            "name": "bedrock-exporter-testbed",
            "source": source,
            "tags": {
                "created-by": "bedrock-exporter-testbed",
                "application": "CodeReviewer",
                "team": "engineering",
                "cost_center": "CC-2001",
            },
        }
    ]


# invoke


def tokens_of(calls: list[Received]) -> tuple[int, int]:
    return sum(call.input_tokens for call in calls), sum(call.output_tokens for call in calls)


def rows_of(result: Result) -> dict[str, list[str]]:
    """The summary's rows by their session: application, user, model, figures."""
    lines = [line.split() for line in result.output.splitlines()]
    return {
        line[0].rpartition("/")[2]: line[1:]
        for line in lines
        if line and ("-BedrockRole/" in line[0] or line[0] == "total")
    }


def test_the_summary_says_what_bedrock_answered(bedrock: BedrockServer, config: Path) -> None:
    run("create", "--yes")
    result = invoke(config, "--yes")
    assert result.exit_code == 0
    assert len(bedrock.received) == 15
    rows = rows_of(result)
    alice = [call for call in bedrock.received if call.principal.endswith("/alice")]
    figures = ["3", *map(str, tokens_of(alice))]
    assert rows["alice"] == ["CustomerServiceApp", "alice", MODEL, *figures]
    assert rows["total"] == ["15", *map(str, tokens_of(bedrock.received))]


def test_each_caller_calls_in_all_three_ways(bedrock: BedrockServer, config: Path) -> None:
    run("create", "--yes")
    invoke(config, "--yes")
    by_caller: dict[str, list[str]] = {}
    for call in bedrock.received:
        by_caller.setdefault(call.principal, []).append(call.operation)
    assert by_caller == {
        f"arn:aws:sts::{ACCOUNT}:assumed-role/{caller}": [
            "Converse",
            "ConverseStream",
            "InvokeModel",
        ]
        for caller in (
            "CustomerServiceApp-BedrockRole/alice",
            "CustomerServiceApp-BedrockRole/bob",
            "CodeReviewer-BedrockRole/carol",
            "SharedTools-BedrockRole/ReportWriter",
            "SharedTools-BedrockRole/MeetingNotes",
        )
    }


def test_applications_of_one_role_differ_in_session_metadata_and_user_agent(
    bedrock: BedrockServer, config: Path
) -> None:
    run("create", "--yes")
    invoke(config, "--yes")
    shared = [call for call in bedrock.received if "SharedTools" in call.principal]
    told = {
        (
            call.principal.rpartition("/")[2],
            call.metadata["application"],
            call.metadata["user"],
            next(part for part in call.user_agent.split() if part.startswith("app/")),
        )
        for call in shared
    }
    assert told == {
        ("ReportWriter", "ReportWriter", "dave", "app/ReportWriter"),
        ("MeetingNotes", "MeetingNotes", "erin", "app/MeetingNotes"),
    }


def test_the_summary_names_callers_as_the_configuration_does(
    bedrock: BedrockServer, config: Path
) -> None:
    run("create", "--yes")
    assert rows_of(invoke(config, "--yes"))["ReportWriter"][:2] == ["SharedTools", "ReportWriter"]
    config.write_text(
        config.read_text()
        + "attribution:\n"
        + "  rules:\n"
        + "    - {from: metadata, key: application, match: '(?P<application>.+)'}\n"
        + "    - {from: metadata, key: user, match: '(?P<user>.+)'}\n"
    )
    assert rows_of(invoke(config, "--yes"))["ReportWriter"][:2] == ["ReportWriter", "dave"]


def test_every_call_bounds_its_answer(bedrock: BedrockServer, config: Path) -> None:
    run("create", "--yes")
    invoke(config, "--yes")
    bounds = [call.body["inferenceConfig"]["maxTokens"] for call in bedrock.received]
    assert bounds == [32] * 15


def test_a_claude_is_asked_in_its_own_words(bedrock: BedrockServer, config: Path) -> None:
    run("create", "--yes", "--model", "us.anthropic.claude-haiku-4-5-20251001-v1:0")
    assert invoke(config, "--yes").exit_code == 0
    body = next(call.body for call in bedrock.received if call.operation == "InvokeModel")
    assert body["anthropic_version"] == "bedrock-2023-05-31"
    assert body["max_tokens"] == 32


def test_a_model_whose_words_are_not_known_is_called_by_converse_alone(
    bedrock: BedrockServer, config: Path
) -> None:
    run("create", "--yes", "--model", "openai.gpt-oss-20b-1:0")
    invoke(config, "--yes")
    assert {call.operation for call in bedrock.received} == {"Converse", "ConverseStream"}


@pytest.mark.parametrize(
    ("model", "cost"),
    [
        (MODEL, "$0.000101"),  # 15 calls of at most 64 and 32 tokens, at $0.035 and $0.14 a million
        ("us.amazon.nova-2-lite-v1:0", "$0.001637"),  # at $0.33 and $2.75
        ("global.amazon.nova-2-lite-v1:0", "$0.001488"),  # at $0.30 and $2.50
    ],
)
def test_the_cost_is_told_before_anybody_is_asked(
    bedrock: BedrockServer, config: Path, model: str, cost: str
) -> None:
    run("create", "--yes", "--inference-profile", "--model", model)
    told = invoke(config, "--dry-run").output
    assert f"cost: {cost} at most" in told
    assert bedrock.received == []


def test_a_cost_that_nobody_knows_is_not_called_nothing(
    bedrock: BedrockServer, config: Path
) -> None:
    run("create", "--yes", "--model", "amazon.nova-of-tomorrow-v1:0")
    assert "cost: unknown: no price is known" in invoke(config, "--dry-run").output


def test_calls_go_through_the_inference_profile_where_there_is_one(
    bedrock: BedrockServer, config: Path
) -> None:
    run("create", "--yes", "--inference-profile")
    result = invoke(config, "--yes")
    called = {(call.principal.rpartition("/")[2], call.model_id) for call in bedrock.received}
    (profile,) = bedrock.profiles
    assert called == {
        ("carol", profile),
        *((name, MODEL) for name in ("alice", "bob", "ReportWriter", "MeetingNotes")),
    }
    assert rows_of(result)["carol"][2] == "application-inference-profile/profile0"
    assert "cost: $0.000101 at most" in result.output


def test_a_call_that_fails_costs_no_other_and_says_why(
    bedrock: BedrockServer, config: Path
) -> None:
    run("create", "--yes")
    bedrock.refuse["Converse"] = (403, "AccessDeniedException", "no access to the model")
    result = invoke(config, "--yes")
    assert result.exit_code == 1
    assert "failed: 1 x Converse as CodeReviewer-BedrockRole/carol" in result.output
    assert "no access to the model" in result.output
    assert "give the account access to the model" in result.output
    assert rows_of(result)["total"][0] == "10"


def test_no_call_is_made_twice(bedrock: BedrockServer, config: Path) -> None:
    run("create", "--yes")
    bedrock.refuse["Converse"] = (429, "ThrottlingException", "slow down")
    invoke(config, "--yes")
    assert len(bedrock.received) == 15


@pytest.mark.parametrize(
    ("end", "why"), [("an error", "the model broke off"), ("silence", "without token counts")]
)
def test_a_stream_that_breaks_off_has_failed(
    bedrock: BedrockServer, config: Path, end: Literal["an error", "silence"], why: str
) -> None:
    run("create", "--yes")
    bedrock.stream_ends_in = end
    result = invoke(config, "--yes")
    assert "failed: 1 x ConverseStream as CustomerServiceApp-BedrockRole/alice" in result.output
    assert why in result.output
    assert rows_of(result)["alice"][3] == "2"


def test_an_answer_without_token_counts_is_not_counted_as_none(
    bedrock: BedrockServer, config: Path
) -> None:
    run("create", "--yes")
    bedrock.counts_tokens = False
    result = invoke(config, "--yes")
    assert result.exit_code == 1
    assert "answered without token counts" in result.output
    assert rows_of(result)["alice"][3] == "2"


def test_calls_wait_for_roles_that_are_too_new_and_not_for_ever(bedrock: BedrockServer) -> None:
    run("create", "--yes")
    session, place = boto3.Session(), Place(ACCOUNT, "aws")
    calls, pauses = plan_calls(session, place, 1), []
    bedrock.refused_roles = 2
    outcomes = list(make_calls(session, place, calls, pauses.append))
    assert all(outcome.tokens for outcome in outcomes)
    assert pauses == [5.0, 5.0]

    bedrock.refused_roles = 1000
    outcomes = list(make_calls(session, place, calls, pauses.append))
    assert not any(outcome.tokens for outcome in outcomes)
    assert all("sts:AssumeRole" in outcome.failure for outcome in outcomes)
    assert len(pauses) == 2 + 6


def test_without_a_testbed_there_is_nothing_to_call_through(
    bedrock: BedrockServer, config: Path
) -> None:
    told = invoke(config, "--yes")
    assert told.exit_code == 1
    assert "aws testbed create" in told.output


def test_no_prompt_and_no_answer_is_printed(bedrock: BedrockServer, config: Path) -> None:
    run("create", "--yes")
    told = invoke(config, "--yes").output
    assert "river" not in told
    assert "Rhine" not in told


# cleanup


def test_cleanup_leaves_nothing_of_the_testbed(bedrock: BedrockServer) -> None:
    run("create", "--yes", "--inference-profile")
    assert run("cleanup", "--yes").exit_code == 0
    assert role_names() == []
    assert bedrock.profiles == {}


def delete_roles() -> None:
    """Delete the test roles by hand."""
    iam = boto3.client("iam")
    for name in NAMES:
        iam.delete_role_policy(RoleName=name, PolicyName="invoke-one-model")
        iam.delete_role(RoleName=name)


@pytest.mark.parametrize("options", [[], ["--region", "eu-west-1"]], ids=["all", "one"])
def test_cleanup_finds_the_profile_whose_roles_were_deleted(
    bedrock: BedrockServer, options: list[str]
) -> None:
    run("create", "--yes", "--inference-profile", "--region", "eu-west-1")
    delete_roles()
    bedrock.disabled_regions = {"me-south-1", "af-south-1"} if not options else set()
    told = run("cleanup", "--yes", *options)
    assert told.exit_code == 0
    assert bedrock.profiles == {}
    said = "Not looked for an inference profile in af-south-1, me-south-1, " in told.output
    assert said == (not options)


def test_cleanup_that_may_look_nowhere_fails(bedrock: BedrockServer) -> None:
    bedrock.disabled_regions = set(boto3.Session().get_available_regions("bedrock"))
    told = run("cleanup", "--yes")
    assert told.exit_code == 1
    assert "AWS refuses the credentials" in told.output


def test_cleanup_of_an_orphaned_profile_that_is_not_the_testbed_s_is_refused(
    bedrock: BedrockServer,
) -> None:
    bedrock.add_profile("bedrock-exporter-testbed", {}, region="eu-west-1")
    told = run("cleanup", "--yes")
    assert told.exit_code == 1
    assert "is not tagged" in told.output


def test_the_three_commands_of_the_documentation_need_no_ambient_region(
    bedrock: BedrockServer, config: Path, no_region: None
) -> None:
    assert run("create", "--yes", "--region", "us-east-1", "--inference-profile").exit_code == 0
    assert invoke(config, "--yes", "--calls", "1").exit_code == 0
    assert len(bedrock.received) == 5
    assert run("cleanup", "--yes").exit_code == 0
    assert bedrock.profiles == {}


def test_cleanup_finds_nothing_to_do_the_second_time(bedrock: BedrockServer) -> None:
    run("create", "--yes")
    run("cleanup", "--yes")
    again = run("cleanup")
    assert again.exit_code == 0
    assert "Nothing to do" in again.output


def test_cleanup_removes_only_what_has_both_path_and_tag(bedrock: BedrockServer) -> None:
    run("create", "--yes")
    add_role("OnlyPath-BedrockRole")
    add_role("OnlyTag-BedrockRole", "/", {"created-by": "bedrock-exporter-testbed"})
    bedrock.add_profile("of-somebody", {"created-by": "bedrock-exporter-testbed"})
    told = run("cleanup", "--yes").output
    assert role_names() == ["OnlyPath-BedrockRole", "OnlyTag-BedrockRole"]
    assert f"Left alone, for the testbed did not create it: arn:aws:iam::{ACCOUNT}:role" in told
    assert len(bedrock.profiles) == 1


def test_cleanup_refuses_a_profile_of_its_name_without_its_tag(bedrock: BedrockServer) -> None:
    run("create", "--yes")
    bedrock.add_profile("bedrock-exporter-testbed", {})
    told = run("cleanup", "--yes")
    assert told.exit_code == 1
    assert "is not tagged" in told.output
    assert len(bedrock.profiles) == 1


def test_cleanup_lists_what_it_would_remove(bedrock: BedrockServer) -> None:
    run("create", "--yes", "--inference-profile")
    told = run("cleanup", "--dry-run").output
    assert "delete the application inference profile bedrock-exporter-testbed" in told
    for name in NAMES:
        assert f"delete the role {name}" in told
    assert role_names() == NAMES


def test_cleanup_takes_no_policy_that_somebody_else_gave(bedrock: BedrockServer) -> None:
    run("create", "--yes")
    boto3.client("iam").put_role_policy(
        RoleName=NAMES[0], PolicyName="mine", PolicyDocument=json.dumps(OTHER_POLICY)
    )
    told = run("cleanup", "--yes")
    assert told.exit_code == 1
    assert "policies that the testbed did not give it: mine" in told.output
    assert role_names() == NAMES


def test_cleanup_removes_a_testbed_that_is_half_made(bedrock: BedrockServer) -> None:
    run("create", "--yes")
    boto3.client("iam").delete_role_policy(RoleName=NAMES[0], PolicyName="invoke-one-model")
    assert run("cleanup", "--yes").exit_code == 0
    assert role_names() == []


# and nowhere else


def test_what_serves_metrics_never_loads_the_testbed() -> None:
    program = (
        "import sys, exporter.cli, exporter.app, exporter.collector, exporter.collector_process\n"
        "print([name for name in sys.modules if name.startswith('exporter.administration')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
