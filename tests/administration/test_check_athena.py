"""What `aws check` says of an Athena source: moto has table and bucket, and the SQL is executed."""

import gzip
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from moto_aws import ACCOUNT_ID, MotoAws

from athena_server import AthenaServer, WorkGroup, fail, refuse
from exporter.administration.check import Report, Row, Status, check
from exporter.aws.athena_table import table_input
from exporter.config import Config
from exporter.sources.log_store import key_of
from usage_builders import Call, json_lines, log_object

NOW = datetime(2026, 11, 22, 8, 30, tzinfo=UTC)
LOCATION = "s3://logs/bedrock"
RESULTS = f"s3://bedrock-exporter-{ACCOUNT_ID}-us-east-1/athena/"


@pytest.fixture(scope="module")
def servers() -> Iterator[tuple[MotoAws, AthenaServer]]:
    with MotoAws() as moto, AthenaServer() as athena:
        athena.add_s3(LOCATION)
        yield moto, athena


@pytest.fixture
def aws(
    servers: tuple[MotoAws, AthenaServer], monkeypatch: pytest.MonkeyPatch
) -> Iterator[MotoAws]:
    """A bucket of logs and the table over it."""
    monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=lambda seconds: None))
    with servers[0].fresh(monkeypatch) as fresh:
        monkeypatch.setenv("AWS_ENDPOINT_URL_ATHENA", servers[1].url)
        fresh.client("s3").create_bucket(Bucket="logs")
        call = Call("one", NOW, account_id=ACCOUNT_ID)
        fresh.client("s3").put_object(
            Bucket="logs",
            Key=f"bedrock/{key_of(log_object(NOW, ACCOUNT_ID))}",
            Body=gzip.compress(json_lines([call])),
        )
        create_table(fresh, table_input("invocation_logs", LOCATION))
        yield fresh


@pytest.fixture
def athena(servers: tuple[MotoAws, AthenaServer]) -> AthenaServer:
    """An Athena whose workgroup is as `aws setup` makes it."""
    athena = servers[1]
    athena.reset()
    athena.polls = 0
    athena.workgroups["bedrock-exporter"] = WorkGroup(
        "bedrock-exporter", cutoff_bytes=200_000_000_000, output_location=RESULTS
    )
    return athena


def create_table(aws: MotoAws, table: dict[str, Any]) -> None:
    glue = aws.client("glue")
    glue.create_database(DatabaseInput={"Name": "bedrock_exporter"})
    glue.create_table(DatabaseName="bedrock_exporter", TableInput=table)


def run(**changes: Any) -> Report:
    source = {"type": "athena", "location": LOCATION, "region": "us-east-1", **changes}
    return check(Config.model_validate({"sources": [source]}), NOW)


def row(name: str, **changes: Any) -> Row:
    """The row of one check of the source."""
    (found,) = [row for row in run(**changes).rows if row.check == name]
    return found


def test_what_works_is_green(aws: MotoAws, athena: AthenaServer) -> None:
    told = {row.check: row for row in run().rows if row.subject == "source athena"}
    assert {name: row.status for name, row in told.items()} == dict.fromkeys(
        ("bucket", "workgroup", "table", "list logs", "newest log object", "query"), Status.OK
    )
    assert RESULTS in told["workgroup"].found
    assert "at most 200,000,000,000 bytes a query" in told["workgroup"].found


def test_the_query_sums_the_newest_log_object_and_no_other(
    aws: MotoAws, athena: AthenaServer
) -> None:
    unit = log_object(NOW - timedelta(hours=9), ACCOUNT_ID)
    aws.client("s3").put_object(Bucket="logs", Key=f"bedrock/{key_of(unit)}", Body=b"no gzip")
    report = run()
    (query,) = athena.queries
    assert len(query.scanned_paths) == 1
    assert report.scanned_bytes == query.scanned_bytes
    assert report.queries_usd > 0


def test_the_query_runs_anew_each_time(aws: MotoAws, athena: AthenaServer) -> None:
    run()
    run()
    assert [query.reused for query in athena.queries] == [False, False]


def test_a_day_that_may_not_be_listed_is_asked_by_the_hour(
    aws: MotoAws, athena: AthenaServer
) -> None:
    told = row("query", list_objects=False, owners={ACCOUNT_ID: ["us-east-1"]})
    assert told.status is Status.OK
    assert "ListObjectsV2" not in {call.operation for call in aws.calls}


def test_without_a_log_object_there_is_nothing_to_ask(aws: MotoAws, athena: AthenaServer) -> None:
    told = row("query", location="s3://logs/other")
    assert told.status is Status.WARNING
    assert athena.queries == []


@pytest.mark.parametrize(
    ("group", "words"),
    [
        (None, "not found"),
        (WorkGroup("bedrock-exporter", enabled=False), "is disabled"),
        (WorkGroup("bedrock-exporter", output_location=None), "does not say where results go"),
    ],
)
def test_a_workgroup_that_cannot_be_used_is_red(
    aws: MotoAws, athena: AthenaServer, group: WorkGroup | None, words: str
) -> None:
    if group is None:
        del athena.workgroups["bedrock-exporter"]
    else:
        athena.workgroups["bedrock-exporter"] = group
    told = row("workgroup")
    assert told.status is Status.FAILED
    assert words in told.found
    assert "`bedrock-exporter aws setup`" in told.remedy


def test_a_workgroup_without_cut_off_is_yellow(aws: MotoAws, athena: AthenaServer) -> None:
    athena.workgroups["bedrock-exporter"].cutoff_bytes = None
    assert row("workgroup").status is Status.WARNING


def test_a_workgroup_that_may_not_be_looked_at_is_yellow_if_queries_run(
    aws: MotoAws, athena: AthenaServer
) -> None:
    athena.faults.append(refuse("GetWorkGroup", "AccessDeniedException"))
    told = {row.check: row for row in run().rows}
    assert told["workgroup"].status is Status.WARNING
    assert "allow athena:GetWorkGroup on arn:aws:athena:" in told["workgroup"].remedy
    assert told["query"].status is Status.OK


def test_a_table_that_is_not_there_is_red(aws: MotoAws, athena: AthenaServer) -> None:
    aws.client("glue").delete_table(DatabaseName="bedrock_exporter", Name="invocation_logs")
    told = row("table")
    assert (told.status, told.found) == (
        Status.FAILED,
        "there is no table bedrock_exporter.invocation_logs",
    )
    assert "`bedrock-exporter aws setup`" in told.remedy


def test_a_table_of_another_kind_is_red_and_says_what_differs(
    aws: MotoAws, athena: AthenaServer
) -> None:
    other = table_input("invocation_logs", "s3://elsewhere")
    other["StorageDescriptor"]["Columns"] = [{"Name": "modelid", "Type": "string"}]
    other["Parameters"]["projection.datehour.interval"] = "2"
    aws.client("glue").update_table(DatabaseName="bedrock_exporter", TableInput=other)
    told = row("table")
    assert told.status is Status.FAILED
    for words in ("columns", "projection.datehour.interval", "storage.location.template"):
        assert words in told.found


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("SerDe", "SerDe field.delim"),
        ("header", "skip.header.line.count"),
        ("location", "location"),
    ],
)
def test_a_table_that_is_read_otherwise_is_red(
    aws: MotoAws, athena: AthenaServer, change: str, words: str
) -> None:
    changed = table_input("invocation_logs", LOCATION)
    storage = changed["StorageDescriptor"]
    if change == "SerDe":
        storage["SerdeInfo"]["Parameters"]["field.delim"] = ","
    elif change == "header":
        changed["Parameters"]["skip.header.line.count"] = "1"
    else:
        storage["Location"] = "s3://elsewhere/AWSLogs/"
    aws.client("glue").update_table(DatabaseName="bedrock_exporter", TableInput=changed)
    told = row("table")
    assert told.status is Status.FAILED
    assert told.found == f"bedrock_exporter.invocation_logs differs in {words}"


def test_a_table_that_was_made_otherwise_but_is_the_same_is_green(
    aws: MotoAws, athena: AthenaServer
) -> None:
    same = table_input("invocation_logs", LOCATION)
    same["Parameters"]["classification"] = "text"
    same["Description"] = "made by Terraform"
    aws.client("glue").update_table(DatabaseName="bedrock_exporter", TableInput=same)
    assert row("table").status is Status.OK


def test_a_table_that_may_not_be_looked_at_is_red(aws: MotoAws, athena: AthenaServer) -> None:
    aws.refused["GetTable"] = "AccessDeniedException"
    told = row("table")
    assert told.status is Status.FAILED
    arn = f"arn:aws:glue:us-east-1:{ACCOUNT_ID}:table/bedrock_exporter/invocation_logs"
    assert f"allow glue:GetTable on {arn}" in told.remedy


@pytest.mark.parametrize(
    ("reason", "remedy"),
    [
        ("TABLE_NOT_FOUND: line 1: Table does not exist", "aws setup"),
        ("Access Denied (Service: Amazon S3; Status Code: 403)", "aws permissions"),
    ],
)
def test_a_query_that_fails_is_red(
    aws: MotoAws, athena: AthenaServer, reason: str, remedy: str
) -> None:
    athena.faults.append(fail(reason))
    told = row("query")
    assert told.status is Status.FAILED
    assert remedy in told.remedy


@pytest.mark.parametrize("operation", ["StartQueryExecution", "GetQueryExecution"])
def test_a_query_that_may_not_be_sent_or_watched_is_red(
    aws: MotoAws, athena: AthenaServer, operation: str
) -> None:
    athena.faults.append(refuse(operation, "AccessDeniedException"))
    told = row("query")
    assert told.status is Status.FAILED
    assert "`bedrock-exporter aws permissions`" in told.remedy


def test_a_table_over_another_location_is_found_by_the_query(
    aws: MotoAws, athena: AthenaServer
) -> None:
    aws.client("s3").create_bucket(Bucket="others")
    unit = log_object(NOW, ACCOUNT_ID)
    content = gzip.compress(json_lines([Call("one", NOW, account_id=ACCOUNT_ID)]))
    aws.client("s3").put_object(Bucket="others", Key=key_of(unit), Body=content)
    told = row("query", location="s3://others")
    assert told.status is Status.FAILED
    assert told.found.startswith("Athena finds nothing at s3://others/AWSLogs/")


def test_nothing_is_changed(aws: MotoAws, athena: AthenaServer) -> None:
    aws.calls.clear()
    run()
    assert [call.operation for call in aws.take_changes()] == ["StartQueryExecution"]
