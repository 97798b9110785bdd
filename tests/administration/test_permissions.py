"""The policy of a configuration: all that the code asks for, and nothing else."""

import gzip
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from athena_server import AthenaServer, hang
from exporter.administration.permissions import (
    Document,
    PermissionsError,
    Wishes,
    policy,
    trust_policy,
)
from exporter.aws.meter import Meter
from exporter.cli import main
from exporter.config import Config, load
from exporter.ledger import WritableLedger
from exporter.sources.athena import Athena
from exporter.sources.events import AwsRequests, Times
from exporter.sources.log_layout import LAYOUTS
from exporter.sources.log_store import key_of
from exporter.sources.lookups import _ACTIONS as LOOKUP_ACTIONS
from exporter.sources.reading import open_store
from exporter.sources.record_reader import Recording
from exporter.usage import AwsRequest
from log_sources import open_bedrock_logs
from s3_server import BUCKET, S3Server
from tools import ROOT
from usage_builders import Call, json_lines, log_object

NOW = datetime(2026, 11, 22, 8, 30, tzinfo=UTC)
DIRECT = {"type": "invocation_logs", "location": "s3://shop-logs/bedrock"}
ATHENA = {"type": "athena", "location": "s3://org-logs", "region": "eu-west-1"}
RESEARCH = {
    "name": "research",
    "role_arn": "arn:aws:iam::444455556666:role/BedrockExporterReader",
    "external_id": "an-external-id",
    "regions": ["us-east-1"],
}
KEY = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
EXPORTER = "arn:aws:iam::111122223333:role/bedrock-exporter"

ACTIONS = {
    AwsRequest("s3", "ListObjectsV2"): "s3:ListBucket",
    AwsRequest("s3", "GetObject"): "s3:GetObject",
    AwsRequest("athena", "StartQueryExecution"): "athena:StartQueryExecution",
    AwsRequest("athena", "GetQueryExecution"): "athena:GetQueryExecution",
    AwsRequest("athena", "GetQueryResults"): "athena:GetQueryResults",
    AwsRequest("athena", "StopQueryExecution"): "athena:StopQueryExecution",
}
"""What IAM calls the operations that sources send."""


def config(*sources: dict[str, Any], **aws: Any) -> Config:
    return Config.model_validate({"sources": sources or [DIRECT], "aws": aws})


def assistants(kind: str) -> dict[str, Any]:
    """A source of a kind, all at one location."""
    return {"type": kind, "location": "s3://q-logs/q"}


def statements(document: Document) -> dict[str, Document]:
    """The statements of a policy by their names."""
    return {statement["Sid"]: statement for statement in document["Statement"]}


def allowed(document: Document) -> set[str]:
    return {action for statement in document["Statement"] for action in statement["Action"]}


def resources(document: Document) -> set[str]:
    return {arn for statement in document["Statement"] for arn in statement["Resource"]}


def test_direct_reading_needs_two_actions_below_its_location() -> None:
    assert policy(config(DIRECT)) == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "ListLogs",
                "Effect": "Allow",
                "Action": ["s3:ListBucket"],
                "Resource": ["arn:aws:s3:::shop-logs"],
                "Condition": {"StringLike": {"s3:prefix": ["bedrock/AWSLogs/*"]}},
            },
            {
                "Sid": "ReadLogs",
                "Effect": "Allow",
                "Action": ["s3:GetObject"],
                "Resource": [
                    "arn:aws:s3:::shop-logs/bedrock/AWSLogs/*/BedrockModelInvocationLogs/*"
                ],
            },
        ],
    }


def test_a_bucket_without_prefix_is_read_below_awslogs_only() -> None:
    named = statements(policy(config({**DIRECT, "location": "s3://shop-logs/"})))
    assert named["ListLogs"]["Condition"]["StringLike"]["s3:prefix"] == ["AWSLogs/*"]
    assert named["ReadLogs"]["Resource"] == [
        "arn:aws:s3:::shop-logs/AWSLogs/*/BedrockModelInvocationLogs/*"
    ]


def test_two_prefixes_of_one_bucket_are_one_statement() -> None:
    named = statements(
        policy(config(DIRECT, {**DIRECT, "name": "b", "location": "s3://shop-logs/other"}))
    )
    assert named.keys() == {"ListLogs", "ReadLogs"}
    assert named["ListLogs"]["Condition"]["StringLike"]["s3:prefix"] == [
        "bedrock/AWSLogs/*",
        "other/AWSLogs/*",
    ]


def test_athena_lists_with_the_rights_of_the_exporter_that_does_not_list() -> None:
    blind = {**ATHENA, "list_objects": False, "owners": {"111122223333": ["eu-west-1"]}}
    assert policy(config(blind)) == policy(config(ATHENA))
    assert {"s3:ListBucket", "s3:GetObject"} <= allowed(policy(config(blind)))


def test_prompt_logs_are_read_in_the_folders_of_both_products() -> None:
    named = statements(policy(config(assistants("prompt_logs"))))
    assert named["ListLogs"]["Condition"]["StringLike"]["s3:prefix"] == ["q/AWSLogs/*"]
    assert named["ReadLogs"]["Resource"] == [
        "arn:aws:s3:::q-logs/q/AWSLogs/*/KiroLogs/*",
        "arn:aws:s3:::q-logs/q/AWSLogs/*/QDeveloperLogs/*",
    ]
    assert allowed(policy(config(assistants("prompt_logs")))) == {"s3:ListBucket", "s3:GetObject"}


def test_who_reads_reports_alone_may_read_no_prompts() -> None:
    document = policy(config(assistants("activity_reports"), assistants("kiro_reports")))
    assert statements(document)["ReadLogs"]["Resource"] == [
        "arn:aws:s3:::q-logs/q/AWSLogs/*/KiroLogs/by_user_analytic/*",
        "arn:aws:s3:::q-logs/q/AWSLogs/*/KiroLogs/user_report/*",
        "arn:aws:s3:::q-logs/q/AWSLogs/*/QDeveloperLogs/by_user_analytic/*",
    ]


def test_a_location_shared_by_all_kinds_of_logs_doubles_nothing() -> None:
    kinds = ("prompt_logs", "activity_reports", "kiro_reports", "invocation_logs")
    document = policy(config(*map(assistants, kinds)))
    assert [statement["Sid"] for statement in document["Statement"]] == ["ListLogs", "ReadLogs"]
    assert statements(document)["ListLogs"]["Resource"] == ["arn:aws:s3:::q-logs"]
    assert statements(document)["ReadLogs"]["Resource"] == [
        "arn:aws:s3:::q-logs/q/AWSLogs/*/BedrockModelInvocationLogs/*",
        "arn:aws:s3:::q-logs/q/AWSLogs/*/KiroLogs/*",
        "arn:aws:s3:::q-logs/q/AWSLogs/*/QDeveloperLogs/*",
    ]


def test_prompts_at_one_place_open_no_reports_at_another() -> None:
    other = {**assistants("kiro_reports"), "location": "s3://q-logs/reports"}
    named = statements(policy(config(assistants("prompt_logs"), other)))
    assert (
        "arn:aws:s3:::q-logs/reports/AWSLogs/*/KiroLogs/user_report/*"
        in named["ReadLogs"]["Resource"]
    )


def test_the_key_of_a_bucket_of_prompts_only_decrypts() -> None:
    named = statements(policy(config(assistants("prompt_logs")), None, Wishes(kms_keys=[KEY])))
    assert named["UseKey"]["Action"] == ["kms:Decrypt"]


def test_the_logging_of_bedrock_is_not_looked_at_for_assistants_alone() -> None:
    settings = config(assistants("prompt_logs"), assistants("kiro_reports"))
    assert policy(settings, None, Wishes(checks=True)) == policy(settings)


def test_a_folder_needs_nothing() -> None:
    folder = {"type": "invocation_logs", "location": "logs"}
    assert policy(config(folder))["Statement"] == []


def test_athena_is_asked_in_one_workgroup_about_one_table() -> None:
    named = statements(policy(config(ATHENA)))
    assert named["RunQueries"]["Resource"] == [
        "arn:aws:athena:eu-west-1:*:workgroup/bedrock-exporter"
    ]
    assert set(named["ReadTable"]["Resource"]) == {
        "arn:aws:glue:eu-west-1:*:catalog",
        "arn:aws:glue:eu-west-1:*:database/default",
        "arn:aws:glue:eu-west-1:*:database/bedrock_exporter",
        "arn:aws:glue:eu-west-1:*:table/bedrock_exporter/invocation_logs",
    }
    assert named["LocateBuckets"]["Resource"] == [
        "arn:aws:s3:::bedrock-exporter-*-eu-west-1",
        "arn:aws:s3:::org-logs",
    ]
    assert named["KeepResults"]["Resource"] == [
        "arn:aws:s3:::bedrock-exporter-*-eu-west-1/athena/*"
    ]


def test_results_elsewhere_are_allowed_there_only() -> None:
    document = policy(config(ATHENA), None, Wishes(results="s3://our-results/queries/"))
    assert statements(document)["KeepResults"]["Resource"] == ["arn:aws:s3:::our-results/queries/*"]
    assert not any("bedrock-exporter-" in arn for arn in resources(document))


def test_an_account_id_that_is_told_stands_in_every_arn() -> None:
    document = policy(config(ATHENA), None, Wishes(account_id="111122223333"))
    assert "arn:aws:s3:::bedrock-exporter-111122223333-eu-west-1/athena/*" in resources(document)
    assert not any(":*:" in arn for arn in resources(document))


def test_nothing_is_written_but_results() -> None:
    document = policy(config(DIRECT, ATHENA))
    writing = {"s3:PutObject", "s3:AbortMultipartUpload"}
    places = [
        statement["Resource"]
        for statement in document["Statement"]
        if writing & set(statement["Action"])
    ]
    assert places == [["arn:aws:s3:::bedrock-exporter-*-eu-west-1/athena/*"]]


def test_each_identity_may_read_its_own_sources_only() -> None:
    other = {"type": "invocation_logs", "name": "r", "location": "s3://r-logs"}
    settings = config(DIRECT, {**other, "account": "research"}, accounts=[RESEARCH])
    own, role = policy(settings), policy(settings, settings.aws.accounts[0])
    assert statements(own)["AssumeRoles"]["Resource"] == [RESEARCH["role_arn"]]
    assert not any("r-logs" in arn for arn in resources(own))
    assert allowed(role) == {"s3:ListBucket", "s3:GetObject"}
    assert not any("shop-logs" in arn for arn in resources(role))


def test_the_role_of_an_account_names_that_account() -> None:
    settings = config({**ATHENA, "account": "research"}, accounts=[RESEARCH])
    role = policy(settings, settings.aws.accounts[0], Wishes(account_id="111122223333"))
    assert "arn:aws:athena:eu-west-1:444455556666:workgroup/bedrock-exporter" in resources(role)
    assert not any(":*:" in arn or "111122223333" in arn for arn in resources(role))


@pytest.mark.parametrize(
    ("region", "partition"),
    [("us-gov-west-1", "aws-us-gov"), ("cn-north-1", "aws-cn"), ("eu-west-1", "aws")],
)
def test_arns_are_of_the_partition_that_the_region_is_in(region: str, partition: str) -> None:
    document = policy(config({**ATHENA, "region": region}))
    assert {arn.split(":")[1] for arn in resources(document)} == {partition}


def test_a_partition_that_nothing_tells_can_be_told() -> None:
    document = policy(config(DIRECT), None, Wishes(partition="aws-cn"))
    assert {arn.split(":")[1] for arn in resources(document)} == {"aws-cn"}


def test_keys_are_used_through_s3_and_only_if_named() -> None:
    assert not any(action.startswith("kms:") for action in allowed(policy(config(DIRECT, ATHENA))))
    named = statements(policy(config(ATHENA), None, Wishes(kms_keys=[KEY])))
    assert named["UseKey"]["Action"] == ["kms:Decrypt", "kms:GenerateDataKey"]
    assert named["UseKey"]["Resource"] == [KEY]
    assert named["UseKey"]["Condition"] == {
        "StringLike": {"kms:ViaService": "s3.eu-west-1.amazonaws.com*"}
    }


def test_who_only_reads_may_only_decrypt() -> None:
    named = statements(policy(config(DIRECT), None, Wishes(kms_keys=[KEY])))
    assert named["UseKey"]["Action"] == ["kms:Decrypt"]


def test_look_ups_are_allowed_where_they_are_configured() -> None:
    center = {"identity_store_id": "d-1234567890", "region": "eu-west-1", "account": "research"}
    lookups = {
        "inference_profiles": True,
        "role_tags": {"team": "team"},
        "identity_center": center,
    }
    settings = config(DIRECT, accounts=[RESEARCH], lookups=lookups)
    assert allowed(policy(config(DIRECT))) == {"s3:ListBucket", "s3:GetObject"}
    role = statements(policy(settings, settings.aws.accounts[0]))
    assert role["LookUpInferenceProfiles"]["Action"] == ["bedrock:GetInferenceProfile"]
    assert role["LookUpInferenceProfiles"]["Resource"] == [
        "arn:aws:bedrock:*:444455556666:application-inference-profile/*"
    ]
    assert role["LookUpRoleTags"]["Resource"] == ["arn:aws:iam::444455556666:role/*"]
    assert role["LookUpUsers"]["Resource"] == [
        "arn:aws:identitystore::444455556666:identitystore/d-1234567890",
        "arn:aws:identitystore:::user/*",
    ]
    assert "LookUpUsers" not in statements(policy(settings))


def test_tags_of_profiles_are_allowed_where_a_rule_looks_at_them() -> None:
    rule = {"from": "profile", "key": "app", "match": "(?P<application>.+)"}
    settings = Config.model_validate(
        {
            "sources": [DIRECT],
            "attribution": {"rules": [rule]},
            "aws": {"lookups": {"inference_profiles": True}},
        }
    )
    named = statements(policy(settings))
    assert "bedrock:ListTagsForResource" in named["LookUpInferenceProfiles"]["Action"]


def test_what_only_aws_check_looks_at_is_allowed_on_demand() -> None:
    extra = {"bedrock:GetModelInvocationLoggingConfiguration", "athena:GetWorkGroup"}
    assert not extra & allowed(policy(config(DIRECT, ATHENA)))
    checked = policy(config(DIRECT, ATHENA), None, Wishes(checks=True))
    assert allowed(checked) - allowed(policy(config(DIRECT, ATHENA))) == extra


def test_names_of_statements_are_such_as_iam_takes() -> None:
    several = [
        {**DIRECT, "name": f"logs-{number}", "location": f"s3://logs-{number}"}
        for number in range(3)
    ]
    document = policy(config(*several), None, Wishes(kms_keys=[KEY, f"{KEY}0"]))
    sids = [statement["Sid"] for statement in document["Statement"]]
    assert len(set(sids)) == len(sids)
    assert all(re.fullmatch("[A-Za-z0-9]+", sid) for sid in sids)


def test_a_role_is_assumed_by_the_exporter_who_knows_the_external_id() -> None:
    account = config(DIRECT, accounts=[RESEARCH]).aws.accounts[0]
    assert trust_policy(account, EXPORTER)["Statement"] == [
        {
            "Sid": "AssumedByTheExporter",
            "Effect": "Allow",
            "Principal": {"AWS": EXPORTER},
            "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {"sts:ExternalId": "an-external-id"}},
        }
    ]


def test_without_an_external_id_there_is_no_condition() -> None:
    account = config(DIRECT, accounts=[{**RESEARCH, "external_id": None}]).aws.accounts[0]
    assert "Condition" not in trust_policy(account, EXPORTER)["Statement"][0]


@pytest.mark.parametrize(
    "principal", ["*", "arn:aws:sts::111122223333:assumed-role/exporter/session", "exporter", ""]
)
def test_nobody_else_is_trusted(principal: str) -> None:
    account = config(DIRECT, accounts=[RESEARCH]).aws.accounts[0]
    with pytest.raises(PermissionsError, match="not the ARN of a role or user"):
        trust_policy(account, principal)


@pytest.mark.parametrize(
    "wishes",
    [
        {"account_id": "12345"},
        {"results": "our-results"},
        {"results": "s3://our-results/*"},
        {"kms_keys": ["alias/our-key"]},
    ],
)
def test_what_would_make_another_arn_is_refused(wishes: dict[str, Any]) -> None:
    with pytest.raises(PermissionsError):
        Wishes(**wishes)


@pytest.fixture(scope="module")
def servers() -> Iterator[tuple[S3Server, AthenaServer]]:
    with S3Server() as s3, AthenaServer() as athena, pytest.MonkeyPatch.context() as environment:
        environment.setenv("AWS_ENDPOINT_URL_S3", s3.url)
        environment.setenv("AWS_ENDPOINT_URL_ATHENA", athena.url)
        environment.setenv("AWS_ACCESS_KEY_ID", "testing")
        environment.setenv("AWS_SECRET_ACCESS_KEY", "testing")
        environment.setenv("AWS_DEFAULT_REGION", "us-east-1")
        athena.add_s3(f"s3://{BUCKET}/bedrock")
        call = Call("one", NOW - timedelta(hours=1))
        s3.put(f"bedrock/{key_of(log_object(call.time))}", gzip.compress(json_lines([call])))
        yield s3, athena


def run(source: Any, folder: Path) -> set[AwsRequest]:
    """Refresh a source once; return the operations that it sent."""
    times = Times(NOW, NOW - timedelta(days=40), NOW - timedelta(days=400))
    ledger = WritableLedger.open(folder / "ledger.sqlite")
    try:
        events = list(source.read(times, ledger, lambda: False))
    finally:
        ledger.close()
    return {
        request for event in events if isinstance(event, AwsRequests) for request in event.counts
    }


def test_what_direct_reading_sends_is_allowed_where_it_is_sent(
    servers: tuple[S3Server, AthenaServer], tmp_path: Path
) -> None:
    s3, _ = servers
    settings = config({**DIRECT, "location": f"s3://{BUCKET}/bedrock"})
    s3.requests.clear()
    sent = run(open_bedrock_logs(settings.sources[0].location), tmp_path)
    document = policy(settings)
    assert {ACTIONS[request] for request in sent} == allowed(document)
    prefixes = statements(document)["ListLogs"]["Condition"]["StringLike"]["s3:prefix"]
    objects = statements(document)["ReadLogs"]["Resource"]
    assert s3.lists
    assert s3.gets
    for request in s3.lists:
        assert any(fnmatchcase(request.prefix, pattern) for pattern in prefixes)
    for request in s3.gets:
        arn = f"arn:aws:s3:::{request.path.removeprefix('/')}"
        assert any(fnmatchcase(arn, pattern) for pattern in objects)


LOGS = {
    "prompt_logs": [
        "QDeveloperLogs/GenerateAssistantResponse/us-east-1/2026/11/22/07/a.json.gz/b.json",
        "KiroLogs/GenerateCompletions/us-east-1/2026/11/22/07/c.json.gz",
    ],
    "activity_reports": [
        "QDeveloperLogs/by_user_analytic/us-east-1/2026/11/22/00/"
        "111122223333_by_user_analytic_202611220000.csv",
        "KiroLogs/by_user_analytic/us-east-1/2026/11/22/00/"
        "111122223333_by_user_analytic_202611220000_report.csv",
    ],
    "kiro_reports": [
        "KiroLogs/user_report/us-east-1/2026/11/22/00/"
        "KIRO_IDE_111122223333_user_report_202611220000.csv",
    ],
}


@pytest.mark.parametrize("kind", LOGS)
def test_what_sources_of_assistants_list_and_open_is_allowed_and_the_rest_is_not(
    servers: tuple[S3Server, AthenaServer], kind: str
) -> None:
    s3, _ = servers
    keys = {of: [f"q/AWSLogs/111122223333/{key}" for key in LOGS[of]] for of in LOGS}
    for key in (key for of in keys.values() for key in of):
        s3.put(key, b"x")
    s3.requests.clear()
    (source,) = config({"type": kind, "location": f"s3://{BUCKET}/q"}).sources
    store = open_store(source.location, Meter(), None, LAYOUTS[source.type])
    for owner in store.owners().found:
        for listed in store.list_day(*owner, NOW.date()).found:
            store.open(listed).close()
    named = statements(policy(config(source.model_dump())))
    prefixes = named["ListLogs"]["Condition"]["StringLike"]["s3:prefix"]
    opened = {request.path.removeprefix(f"/{BUCKET}/") for request in s3.gets}
    assert opened == set(keys[kind])
    assert all(any(fnmatchcase(one.prefix, each) for each in prefixes) for one in s3.lists)
    others = {key for of, all_ in keys.items() if of != kind for key in all_}
    readable = {
        key
        for key in opened | others
        for arn in named["ReadLogs"]["Resource"]
        if fnmatchcase(f"arn:aws:s3:::{BUCKET}/{key}", arn)
    }
    assert readable >= opened
    assert readable == opened or kind == "prompt_logs"


def test_what_athena_is_sent_is_allowed(
    servers: tuple[S3Server, AthenaServer], tmp_path: Path
) -> None:
    settings = config({**ATHENA, "location": f"s3://{BUCKET}/bedrock", "region": "us-east-1"})
    source = Athena(settings.sources[0], None, Recording(), 10**12, lambda seconds: False)
    sent = run(source, tmp_path)
    assert AwsRequest("athena", "GetQueryResults") in sent
    assert {ACTIONS[request] for request in sent} <= allowed(policy(settings))


def test_a_query_that_is_cancelled_needs_a_right_of_its_own(
    servers: tuple[S3Server, AthenaServer], tmp_path: Path
) -> None:
    settings = config({**ATHENA, "location": f"s3://{BUCKET}/bedrock", "region": "us-east-1"})
    servers[1].reset()
    servers[1].faults.append(hang())
    source = Athena(settings.sources[0], None, Recording(), 10**12, lambda seconds: True)
    sent = run(source, tmp_path)
    assert AwsRequest("athena", "StopQueryExecution") in sent
    assert {ACTIONS[request] for request in sent} <= allowed(policy(settings))


def test_every_look_up_is_allowed() -> None:
    rule = {"from": "profile", "key": "app", "match": "(?P<application>.+)"}
    center = {"identity_store_id": "d-1234567890", "region": "eu-west-1"}
    lookups = {
        "inference_profiles": True,
        "role_tags": {"team": "team"},
        "identity_center": center,
    }
    settings = Config.model_validate(
        {
            "sources": [DIRECT],
            "attribution": {"rules": [rule]},
            "aws": {"lookups": lookups},
        }
    )
    assert set(LOOKUP_ACTIONS.values()) <= allowed(policy(settings))


def typed(folder: Path, text: str, *arguments: str) -> Result:
    """Run the command on a configuration."""
    file = folder / "config.yaml"
    file.write_text(text, encoding="utf-8")
    command = ["aws", "permissions", f"--config.file={file}", *arguments]
    return CliRunner().invoke(main, command)


CONFIGURED = f"""
sources:
  - {{type: invocation_logs, location: 's3://shop-logs/bedrock'}}
  - {{type: invocation_logs, name: research, location: 's3://r-logs', account: research}}
aws:
  accounts:
    - {{name: research, role_arn: '{RESEARCH["role_arn"]}', external_id: x-1, regions: [us-east-1]}}
"""


def test_the_command_prints_a_document_that_iam_takes_as_it_is(tmp_path: Path) -> None:
    result = typed(tmp_path, CONFIGURED)
    assert result.exit_code == 0
    assert json.loads(result.stdout) == policy(load(tmp_path / "config.yaml"))
    assert "--account research" in result.stderr


def test_the_command_prints_the_policy_and_the_trust_of_a_role(tmp_path: Path) -> None:
    role = typed(tmp_path, CONFIGURED, "--account", "research")
    assert json.loads(role.stdout)["Statement"][0]["Resource"] == ["arn:aws:s3:::r-logs"]
    trust = typed(tmp_path, CONFIGURED, "--account", "research", "--trust", EXPORTER)
    assert json.loads(trust.stdout)["Statement"][0]["Action"] == "sts:AssumeRole"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--account", "nobody"], "none of aws.accounts (research)"),
        (["--trust", EXPORTER], "--trust goes with --account"),
        (["--account", "research", "--trust", "me"], "not the ARN of a role or user"),
        (["--kms-key", "alias/x"], "not the ARN of a KMS key"),
        (["--region", "us-east-1"], "go with --roles"),
    ],
)
def test_the_command_refuses_what_makes_no_sense(
    tmp_path: Path, arguments: list[str], words: str
) -> None:
    result = typed(tmp_path, CONFIGURED, *arguments)
    assert result.exit_code != 0
    assert words in result.output


def test_the_command_says_that_a_folder_needs_nothing(tmp_path: Path) -> None:
    result = typed(tmp_path, "sources: [{type: invocation_logs, location: logs}]")
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == "no permissions are needed\n"


def _documented() -> list[tuple[str, str, Document]]:
    """Each configuration, command and policy that the documentation shows together."""
    text = (ROOT / "docs" / "aws-permissions.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```(yaml|console|json)\n(.*?)```", text, re.DOTALL)
    shown, settings, command = [], "", ""
    for language, content in blocks:
        if language == "yaml":
            settings = content
        elif language == "console":
            command = content
        else:
            shown.append((settings, command, json.loads(content)))
    return shown


@pytest.mark.parametrize(("settings", "command", "document"), _documented())
def test_the_documentation_shows_what_the_command_prints(
    tmp_path: Path, settings: str, command: str, document: Document
) -> None:
    _, _, arguments = command.strip().partition("aws permissions")
    result = typed(tmp_path, settings, *arguments.split())
    assert json.loads(result.stdout) == document


def test_the_documentation_shows_every_kind_of_policy() -> None:
    commands = [command for _, command, _ in _documented()]
    assert len(commands) >= 4
    assert any("--trust" in command for command in commands)
    assert any("--account research" in command for command in commands)
