"""The test query: bounded, told, and stopped where it does not end."""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from moto_aws import ACCOUNT_ID, MotoAws

from exporter.administration.plan import PlanError
from exporter.administration.setup.newest_log import newest_log, owners
from exporter.administration.setup.place import Place
from exporter.administration.setup.trial import Trial, try_source
from exporter.config import Athena

REGION = "us-east-1"
PLACE = Place("aws", ACCOUNT_ID, REGION)
NOW = datetime(2026, 11, 22, 8, 30, tzinfo=UTC)
LOGS = "AWSLogs/111122223333/BedrockModelInvocationLogs/eu-west-1"


@pytest.fixture(scope="module")
def moto() -> Iterator[MotoAws]:
    with MotoAws() as running:
        yield running


@pytest.fixture
def aws(moto: MotoAws, monkeypatch: pytest.MonkeyPatch) -> Iterator[MotoAws]:
    """AWS with an empty bucket of logs and a workgroup."""
    with moto.fresh(monkeypatch) as fresh:
        fresh.client("s3").create_bucket(Bucket="logs")
        fresh.client("athena").create_work_group(Name="bedrock-exporter", Configuration={})
        yield fresh


def source(**values: Any) -> Athena:
    return Athena.model_validate(
        {"type": "athena", "region": REGION, "location": "s3://logs/it's", **values}
    )


def attempt(aws: MotoAws, asked: Athena, athena: Any = None) -> Trial:
    s3 = aws.client("s3")
    return try_source(s3, athena or aws.client("athena"), PLACE, asked, NOW, lambda _: None)


def put(aws: MotoAws, *keys: str) -> None:
    for key in keys:
        aws.client("s3").put_object(Bucket="logs", Key=f"it's/{key}", Body=b"{}")


def queries(aws: MotoAws) -> list[str]:
    return [
        call.arguments["QueryString"]
        for call in aws.calls
        if call.operation == "StartQueryExecution"
    ]


def test_it_counts_the_lines_of_the_newest_object(aws: MotoAws) -> None:
    newest = f"{LOGS}/2026/11/22/07/20261122T071500Z_0a.json.gz"
    put(aws, f"{LOGS}/2026/10/31/23/20261031T235959Z_0f.json.gz", newest)
    aws.queue_result(REGION, 12)
    trial = attempt(aws, source())
    assert queries(aws) == [
        'SELECT count(*) FROM "bedrock_exporter"."invocation_logs" '
        "WHERE account_id = '111122223333' AND region = 'eu-west-1' "
        f"AND datehour = '2026/11/22/07' AND \"$path\" = 's3://logs/it''s/{newest}'"
    ]
    assert str(trial) == (
        "12 lines in the newest log object of 111122223333 eu-west-1 2026/11/22/07; "
        "scanned 0 bytes, $0.00005"
    )


def test_without_logs_it_asks_for_the_last_full_hour(aws: MotoAws) -> None:
    aws.queue_result(REGION, 0)
    trial = attempt(aws, source())
    hour = f"s3://logs/it''s/AWSLogs/{ACCOUNT_ID}/BedrockModelInvocationLogs/us-east-1"
    assert queries(aws) == [
        'SELECT count(*) FROM "bedrock_exporter"."invocation_logs" '
        f"WHERE account_id = '{ACCOUNT_ID}' AND region = 'us-east-1' "
        f"AND datehour = '2026/11/22/07' AND \"$path\" BETWEEN '{hour}/2026/11/22/07/0' "
        f"AND '{hour}/2026/11/22/07/9~'"
    ]
    assert (trial.lines, trial.of_object) == (0, False)


def test_a_bucket_that_may_not_be_listed_is_not_listed(aws: MotoAws) -> None:
    put(aws, f"{LOGS}/2026/11/22/07/20261122T071500Z_0a.json.gz")
    aws.calls.clear()
    aws.queue_result(REGION, 3)
    trial = attempt(aws, source(list_objects=False, owners={"444455556666": ["ap-south-1"]}))
    assert "ListObjectsV2" not in [call.operation for call in aws.calls]
    assert (trial.account_id, trial.region) == ("444455556666", "ap-south-1")


def test_a_listing_that_is_refused_says_what_is_missing(aws: MotoAws) -> None:
    aws.refused["ListObjectsV2"] = "AccessDenied"
    with pytest.raises(PlanError, match="allow s3:ListBucket on arn:aws:s3:::logs to"):
        attempt(aws, source())


def test_a_query_that_is_refused_says_what_is_missing(aws: MotoAws) -> None:
    aws.refused["StartQueryExecution"] = "AccessDeniedException"
    with pytest.raises(PlanError, match=r"allow athena:StartQueryExecution on arn:aws:athena:"):
        attempt(aws, source())


class Athenas:
    """As much of Athena as a query needs that ends in some way; moto's all succeed."""

    def __init__(self, state: str, reason: str = "", scanned_bytes: int = 0) -> None:
        self.status = {"State": state, **({"StateChangeReason": reason} if reason else {})}
        self.scanned_bytes = scanned_bytes
        self.stopped: list[str] = []

    def start_query_execution(self, **_: Any) -> Any:
        return {"QueryExecutionId": "q1"}

    def get_query_execution(self, **_: Any) -> Any:
        statistics = {"DataScannedInBytes": self.scanned_bytes}
        return {"QueryExecution": {"Status": self.status, "Statistics": statistics}}

    def stop_query_execution(self, QueryExecutionId: str) -> Any:  # noqa: N803
        self.stopped.append(QueryExecutionId)

    def get_query_results(self, **_: Any) -> Any:
        rows = [{"Data": [{"VarCharValue": text}]} for text in ("_col0", "7")]
        return {"ResultSet": {"Rows": rows}}


@pytest.mark.parametrize("state", ["FAILED", "CANCELLED"])
def test_a_query_that_ends_badly_says_why(aws: MotoAws, state: str) -> None:
    with pytest.raises(PlanError, match=f"ended {state}: Bytes scanned limit was exceeded"):
        attempt(aws, source(), Athenas(state, "Bytes scanned limit was exceeded"))


def test_a_query_that_does_not_end_is_stopped(aws: MotoAws) -> None:
    athena = Athenas("RUNNING")
    with pytest.raises(PlanError, match="stopped after 10s, the `query_timeout`"):
        attempt(aws, source(query_timeout="10s"), athena)
    assert athena.stopped == ["q1"]


@pytest.mark.parametrize(
    ("scanned_bytes", "cost_usd"),
    [(0, "0.00005"), (10_000_000, "0.00005"), (2_000_000_000, "0.01")],
)
def test_what_it_cost_is_told(aws: MotoAws, scanned_bytes: int, cost_usd: str) -> None:
    trial = attempt(aws, source(), Athenas("SUCCEEDED", scanned_bytes=scanned_bytes))
    assert (trial.lines, trial.cost_usd) == (7, Decimal(cost_usd))


def test_the_newest_object_is_found_with_few_requests(aws: MotoAws) -> None:
    put(
        aws,
        *(f"{LOGS}/2026/{month:02}/01/00/2026{month:02}01T000000Z_0a.json.gz" for month in (9, 10)),
        *(f"{LOGS}/2026/11/22/05/20261122T05000{each}Z_0a.json.gz" for each in range(5)),
        # What is no log object is stepped over, and so is an hour without any.
        f"{LOGS}/2026/11/22/05/data/20261122T090000Z_0a.json.gz",
        f"{LOGS}/2026/11/22/06/data/0a_input.json.gz",
        f"{LOGS}/amazon-bedrock-logs-permission-check",
        "AWSLogs/not-an-account/BedrockModelInvocationLogs/eu-west-1/2027/01/01/00/x.json.gz",
    )
    aws.calls.clear()
    s3 = aws.client("s3")
    assert list(owners(s3, "logs", "it's/")) == [("111122223333", "eu-west-1")]
    newest = newest_log(s3, "logs", "it's/", "111122223333", "eu-west-1")
    assert newest is not None
    assert newest.key == f"it's/{LOGS}/2026/11/22/05/20261122T050004Z_0a.json.gz"
    assert len(aws.calls) == 2 + 3 + 1 + 2


def test_where_nothing_lies_nothing_is_found(aws: MotoAws) -> None:
    assert newest_log(aws.client("s3"), "logs", "", "111122223333", "eu-west-1") is None
