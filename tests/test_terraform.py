"""The Terraform module declares what `aws setup`, `aws logging` and `aws permissions` make.

The files are parsed, not run: Terraform itself is not needed. Interpolations are filled with the
values of one account, and what the commands would send is recorded from clients that know nothing.
"""

import json
import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import hcl2
import pytest
from botocore.exceptions import ClientError

from exporter.administration.logging_setup.enabling import Destination, Enabling, plan_enabling
from exporter.administration.permissions import Wishes, policy
from exporter.administration.setup.place import TAGS, Place
from exporter.administration.setup.planning import Options, athena_sources, plan_setup
from exporter.aws.athena_table import table_input
from exporter.config import Config, load
from tools import ROOT

MODULE = ROOT / "terraform"
PLACE = Place("aws-us-gov", "111122223333", "us-gov-west-1")
KEY = "arn:aws-us-gov:kms:us-gov-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
GIVEN = {
    "var.log_bucket": "our-logs",
    "data.aws_caller_identity.current.account_id": PLACE.account_id,
    "data.aws_partition.current.partition": PLACE.partition,
    "data.aws_region.current.id": PLACE.region,
}
REFERENCE = re.compile(r"(?<!\$)\$\{([a-z_.]+)\}")


def plain(value: Any) -> Any:
    """What the parser read, without its quotes and marks."""
    if isinstance(value, dict):
        return {plain(key): plain(item) for key, item in value.items() if key != "__is_block__"}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, str) and value.startswith('"') and value.endswith('"'):
        return value[1:-1]
    return value


def parse(path: Path) -> dict[str, Any]:
    with path.open(encoding="utf-8") as file:
        return plain(hcl2.load(file))


def blocks(kind: str) -> dict[str, Any]:
    """The blocks of a kind: variables by name, resources by type and name."""
    found: dict[str, Any] = {}
    for path in sorted(MODULE.glob("*.tf")):
        for block in parse(path).get(kind, []):
            for name, content in block.items():
                nested = kind in ("resource", "data")
                for inner, body in content.items() if nested else [("", content)]:
                    found[f"{name}.{inner}" if nested else name] = body
    return found


@pytest.fixture(scope="module")
def values() -> dict[str, Any]:
    """The value of each variable and local."""
    defaults = {
        f"var.{name}": body["default"]
        for name, body in blocks("variable").items()
        if "default" in body
    }
    local = {f"local.{name}": value for name, value in blocks("locals").items()}
    return {**defaults, **local, **GIVEN}


def filled(value: Any, values: dict[str, Any]) -> Any:
    """Fill interpolations; what is computed or unknown stays as it stands."""
    if isinstance(value, dict):
        return {key: filled(item, values) for key, item in value.items()}
    if isinstance(value, list):
        return [filled(item, values) for item in value]
    if not isinstance(value, str):
        return value
    whole = REFERENCE.fullmatch(value)
    if whole and whole[1] in values:
        return filled(values[whole[1]], values)

    def fill(match: re.Match[str]) -> str:
        return str(filled(values[match[1]], values)) if match[1] in values else match[0]

    text = REFERENCE.sub(fill, value)
    return text.replace("$${", "${")


@pytest.fixture(scope="module")
def declared(values: dict[str, Any]) -> dict[str, Any]:
    """Every resource and document, with its interpolations filled."""
    return filled({**blocks("resource"), **blocks("data")}, values)


class Unknowing:
    """A client of an account in which nothing exists; keeps what it is told to make."""

    def __init__(self, sent: dict[str, Any]) -> None:
        self._sent = sent
        self.meta = SimpleNamespace(events=SimpleNamespace(register=lambda *_: None))

    def __getattr__(self, operation: str) -> Any:
        def call(**arguments: Any) -> Any:
            if operation == "get_caller_identity":
                arn = f"arn:{PLACE.partition}:iam::{PLACE.account_id}:user/me"
                return {"Account": PLACE.account_id, "Arn": arn}
            if operation == "get_model_invocation_logging_configuration":
                return {}
            absent = {
                "head_bucket": "404",
                "get_database": "EntityNotFoundException",
                "get_table": "EntityNotFoundException",
                "get_work_group": "InvalidRequestException",
            }
            if operation in absent:
                answer: Any = {"Error": {"Code": absent[operation], "Message": "is not found"}}
                raise ClientError(answer, operation)
            self._sent[operation] = arguments
            return {}

        return call


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Config:
    """The configuration that the output `source` describes."""
    path = tmp_path_factory.mktemp("terraform") / "config.yaml"
    location = "s3://our-logs/bedrock"
    path.write_text(
        f"sources: [{{type: athena, region: {PLACE.region}, location: '{location}'}}]",
        encoding="utf-8",
    )
    return load(path)


@pytest.fixture(scope="module")
def set_up(settings: Config) -> dict[str, Any]:
    """What `aws setup` sends, by operation."""
    sent: dict[str, Any] = {}
    session: Any = SimpleNamespace(client=lambda *_, **__: Unknowing(sent))
    setup = plan_setup(settings, athena_sources(settings), Options(), lambda *_: session)
    assert setup.problems == []
    for step in setup.steps:
        step.call()
    return sent


@pytest.fixture(scope="module")
def enabled() -> dict[str, Any]:
    """What `aws logging enable --create-bucket` sends, by operation."""
    sent: dict[str, Any] = {}
    client: Any = Unknowing(sent)
    wanted = Enabling(Destination("our-logs", "bedrock", create=True))
    for step in plan_enabling(client, client, PLACE, wanted):
        step.call()
    return sent


def test_the_table_is_that_of_the_source(declared: dict[str, Any]) -> None:
    table = declared["aws_glue_catalog_table.invocation_logs"]
    wanted = table_input("invocation_logs", "s3://our-logs/bedrock")
    storage = wanted["StorageDescriptor"]
    assert table["name"] == wanted["Name"]
    assert table["description"] == wanted["Description"]
    assert table["table_type"] == wanted["TableType"]
    assert table["parameters"] == {**wanted["Parameters"], **TAGS}
    assert _columns(table["partition_keys"]) == wanted["PartitionKeys"]
    declared_storage = table["storage_descriptor"][0]
    assert _columns(declared_storage["columns"]) == storage["Columns"]
    assert declared_storage["location"] == storage["Location"]
    assert declared_storage["input_format"] == storage["InputFormat"]
    assert declared_storage["output_format"] == storage["OutputFormat"]
    serde = declared_storage["ser_de_info"][0]
    assert serde["serialization_library"] == storage["SerdeInfo"]["SerializationLibrary"]
    assert serde["parameters"] == storage["SerdeInfo"]["Parameters"]


def _columns(columns: list[dict[str, str]]) -> list[dict[str, str]]:
    return [{"Name": column["name"], "Type": column["type"]} for column in columns]


def test_the_database_and_its_table_have_the_names_of_the_source(
    declared: dict[str, Any], set_up: dict[str, Any]
) -> None:
    database = declared["aws_glue_catalog_database.this"]
    made = set_up["create_database"]
    assert (database["name"], database["tags"]) == (made["DatabaseInput"]["Name"], made["Tags"])
    assert database["description"] == made["DatabaseInput"]["Description"]


def test_the_workgroup_is_that_of_the_setup(
    declared: dict[str, Any], set_up: dict[str, Any]
) -> None:
    workgroup = declared["aws_athena_workgroup.this"]
    made = set_up["create_work_group"]
    configuration, wanted = workgroup["configuration"][0], made["Configuration"]
    assert workgroup["name"] == made["Name"]
    assert workgroup["state"] == "ENABLED"
    assert workgroup["tags"] == TAGS
    assert configuration["enforce_workgroup_configuration"] is True
    assert configuration["publish_cloudwatch_metrics_enabled"] is False
    assert configuration["bytes_scanned_cutoff_per_query"] == wanted["BytesScannedCutoffPerQuery"]
    engine = configuration["engine_version"][0]["selected_engine_version"]
    assert engine == wanted["EngineVersion"]["SelectedEngineVersion"]
    results = configuration["result_configuration"][0]
    assert results["output_location"] == wanted["ResultConfiguration"]["OutputLocation"]
    assert results["expected_bucket_owner"] == PLACE.account_id
    encryption = results["encryption_configuration"][0]["encryption_option"]
    assert encryption == '${var.kms_key_arn == null ? "SSE_S3" : "SSE_KMS"}'


def test_the_bucket_of_results_is_that_of_the_setup(
    declared: dict[str, Any], set_up: dict[str, Any]
) -> None:
    assert declared["aws_s3_bucket.analytics"]["bucket"] == set_up["create_bucket"]["Bucket"]
    assert declared["aws_s3_bucket.analytics"]["tags"] == TAGS
    rules = declared["aws_s3_bucket_lifecycle_configuration.analytics"]["rule"]
    wanted = set_up["put_bucket_lifecycle_configuration"]["LifecycleConfiguration"]["Rules"]
    assert [rule["id"] for rule in rules] == [rule["ID"] for rule in wanted]
    expiry, abortion = rules
    assert expiry["filter"][0]["prefix"] == wanted[0]["Filter"]["Prefix"]
    assert expiry["expiration"][0]["days"] == wanted[0]["Expiration"]["Days"]
    days = abortion["abort_incomplete_multipart_upload"][0]["days_after_initiation"]
    assert days == wanted[1]["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"]


@pytest.mark.parametrize("bucket", ["analytics", "logs"])
def test_buckets_are_private_and_encrypted(declared: dict[str, Any], bucket: str) -> None:
    block = declared[f"aws_s3_bucket_public_access_block.{bucket}"]
    assert [block[f"{each}_public_{what}"] for each, what in PUBLIC] == [True] * 3
    assert block["restrict_public_buckets"] is True
    ownership = declared[f"aws_s3_bucket_ownership_controls.{bucket}"]["rule"][0]
    assert ownership["object_ownership"] == "BucketOwnerEnforced"
    rule = declared[f"aws_s3_bucket_server_side_encryption_configuration.{bucket}"]["rule"][0]
    algorithm = rule["apply_server_side_encryption_by_default"][0]["sse_algorithm"]
    assert '"AES256"' in algorithm or algorithm == "AES256"


PUBLIC = [("block", "acls"), ("ignore", "acls"), ("block", "policy")]


def test_the_policies_of_the_buckets_are_those_of_the_commands(
    declared: dict[str, Any], set_up: dict[str, Any], enabled: dict[str, Any]
) -> None:
    for name, sent in (("analytics", set_up), ("logs", enabled)):
        statements = declared[f"aws_iam_policy_document.{name}"]["statement"]
        wanted = json.loads(sent["put_bucket_policy"]["Policy"])["Statement"]
        assert [_statement(each) for each in statements] == [_listed(each) for each in wanted]


def test_logging_is_configured_as_the_command_does_it(
    declared: dict[str, Any], enabled: dict[str, Any], values: dict[str, Any]
) -> None:
    logging = declared["aws_bedrock_model_invocation_logging_configuration.this"]
    declared_logging = logging["logging_config"][0]
    wanted = enabled["put_model_invocation_logging_configuration"]["loggingConfig"]
    for modality in ("text", "embedding", "image", "video"):
        key = f"{modality}DataDeliveryEnabled"
        assert declared_logging[f"{modality}_data_delivery_enabled"] is wanted[key]
    s3 = declared_logging["s3_config"][0]
    assert s3["bucket_name"] == wanted["s3Config"]["bucketName"]
    assert 'trimsuffix(var.log_prefix, "/")' in s3["key_prefix"]
    assert values["var.log_prefix"].rstrip("/") == wanted["s3Config"]["keyPrefix"]


def test_the_exporter_may_do_what_aws_permissions_says_and_nothing_else(
    declared: dict[str, Any], settings: Config
) -> None:
    document = declared["aws_iam_policy_document.exporter"]
    wishes = Wishes(account_id=PLACE.account_id, kms_keys=[KEY])
    wanted = policy(settings, wishes=wishes)["Statement"]
    key = dict(_on_demand(document)["UseKey"])
    assert key["resources"] == ["${statement.value}"]
    key["resources"] = [KEY]
    statements = [_statement(each) for each in [*document["statement"], key]]
    assert _by_sid(statements) == _by_sid(_listed(each) for each in wanted)


def _on_demand(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The statements that a variable switches on, by their names."""
    contents = [block["statement"]["content"][0] for block in document["dynamic"]]
    return {content["sid"]: content for content in contents}


ASSISTANTS = ("prompt_logs", "activity_reports", "kiro_reports")


@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize("first", range(3))
def test_of_assistants_the_exporter_may_read_what_aws_permissions_says(
    declared: dict[str, Any], values: dict[str, Any], first: int, count: int
) -> None:
    sources = [*ASSISTANTS, *ASSISTANTS][first : first + count]
    location = "s3://q-logs/qdeveloper"
    settings = Config.model_validate(
        {"sources": [{"type": source, "location": location} for source in sources]}
    )
    wanted = _by_sid(policy(settings, wishes=Wishes(partition=PLACE.partition))["Statement"])
    own = _on_demand(declared["aws_iam_policy_document.exporter"])
    listing = _statement(filled(own["ListAssistantLogs"], {"statement.value": "q-logs"}))
    assert listing == {**_listed(wanted["ListLogs"]), "Sid": "ListAssistantLogs"}
    template = own["ReadAssistantLogs"]["resources"]
    arn = re.search('"(arn:[^"]+)"', template)
    assert arn is not None and "for folder in local.folders_read" in template
    folders = values["local.assistant_folders"]
    resources = {
        filled(arn[1], {"statement.value": "q-logs", "folder": folder})
        for source in sources
        for folder in folders[source]
    }
    assert _widest(resources) == set(wanted["ReadLogs"]["Resource"])
    assert own["ReadAssistantLogs"]["actions"] == wanted["ReadLogs"]["Action"]


def _widest(arns: set[str]) -> set[str]:
    """Without those that another one includes."""
    return {arn for arn in arns if not any(arn != each and fnmatchcase(arn, each) for each in arns)}


def test_every_source_of_assistants_can_be_declared(values: dict[str, Any]) -> None:
    assert values["var.assistant_sources"] == list(ASSISTANTS)
    assert values["local.assistant_folders"].keys() == set(ASSISTANTS)
    assert values["var.assistant_prefix"] == "qdeveloper/"
    assert values["var.assistant_bucket"] is None


def _statement(block: dict[str, Any]) -> dict[str, Any]:
    """A statement of a policy document as IAM has it, with lists for all that may be one."""
    statement: dict[str, Any] = {
        "Sid": block["sid"],
        "Effect": block.get("effect", "Allow"),
        "Action": sorted(block["actions"]),
        "Resource": sorted(block["resources"]),
    }
    for principal in block.get("principals", []):
        is_all = principal["type"] == "*"
        named = {principal["type"]: sorted(principal["identifiers"])}
        statement["Principal"] = "*" if is_all else named
    for condition in block.get("condition", []):
        tests = statement.setdefault("Condition", {})
        tests.setdefault(condition["test"], {})[condition["variable"]] = condition["values"]
    return statement


def _listed(statement: dict[str, Any]) -> dict[str, Any]:
    def listed(value: Any) -> list[str]:
        return sorted(value) if isinstance(value, list) else [value]

    result = {**statement, "Action": listed(statement["Action"])}
    result["Resource"] = listed(statement["Resource"])
    if isinstance(statement.get("Principal"), dict):
        result["Principal"] = {key: listed(of) for key, of in statement["Principal"].items()}
    if "Condition" in statement:
        result["Condition"] = {
            test: {key: listed(value) for key, value in keys.items()}
            for test, keys in statement["Condition"].items()
        }
    return result


def _by_sid(statements: Iterator[dict[str, Any]] | list[dict[str, Any]]) -> dict[str, Any]:
    return {statement["Sid"]: statement for statement in statements}


def test_every_name_that_is_used_is_declared_and_the_other_way_round() -> None:
    text = "\n".join(path.read_text(encoding="utf-8") for path in MODULE.glob("*.tf"))
    text = re.sub(r"(?m)#.*$", "", text)
    assert set(re.findall(r"\bvar\.(\w+)", text)) == blocks("variable").keys()
    assert set(re.findall(r"\blocal\.(\w+)", text)) == blocks("locals").keys()
    used = set(re.findall(r"(?<!data\.)\b(aws_\w+\.\w+)(?=[.\[,\]])", text))
    known = blocks("resource").keys() | blocks("data").keys()
    assert used - {each for each in known if each.startswith("aws_")} == set()


def test_the_example_names_what_is_required_and_nothing_unknown() -> None:
    example = parse(MODULE / "examples" / "one-region" / "main.tf")
    arguments = next(iter(example["module"][0].values()))
    variables = blocks("variable")
    required = {name for name, body in variables.items() if "default" not in body}
    assert required <= arguments.keys() - {"source"} <= variables.keys()
    text = (MODULE / "examples" / "one-region" / "main.tf").read_text(encoding="utf-8")
    assert set(re.findall(r"module\.bedrock_exporter\.(\w+)", text)) <= blocks("output").keys()
    versions = parse(MODULE / "versions.tf")["terraform"]
    assert example["terraform"] == versions


def test_the_module_says_that_terraform_was_not_run() -> None:
    assert "Terraform itself was not run" in (MODULE / "README.md").read_text(encoding="utf-8")
