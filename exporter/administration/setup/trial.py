"""The test query: one small count through workgroup and table, to see that all of it works.

It counts the lines of the newest log object that a listing shows; where none is shown, of the last
full hour. The workgroup's cut-off bounds it, and what it scanned is told.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from exporter.administration.plan import PlanError, allowed
from exporter.administration.setup.bucket_policy import folder
from exporter.administration.setup.newest_log import NewestLog, newest_log, owners
from exporter.administration.setup.place import Place
from exporter.config import MINIMUM_BILLED_BYTES, TERABYTE, Athena

if TYPE_CHECKING:
    from mypy_boto3_athena.client import AthenaClient
    from mypy_boto3_s3.client import S3Client

_POLL_SECONDS = 1.0


@dataclass(frozen=True)
class Trial:
    """What the test query found."""

    datehour: str
    account_id: str
    region: str
    lines: int
    scanned_bytes: int
    cost_usd: Decimal
    of_object: bool
    """Whether it read one log object, not the whole hour."""

    def __str__(self) -> str:
        what = "the newest log object" if self.of_object else "hour"
        return (
            f"{self.lines:,} lines in {what} of {self.account_id} {self.region} "
            f"{self.datehour}; scanned {self.scanned_bytes:,} bytes, ${self.cost_usd:f}"
        )


def try_source(
    s3: "S3Client",
    athena: "AthenaClient",
    place: Place,
    source: Athena,
    now: datetime,
    sleep: Callable[[float], None] = time.sleep,
) -> Trial:
    """Run the test query of a source.

    Raises PlanError, which says what failed and what to do.
    """
    newest = _newest(s3, place, source)
    sql, of = _query(place, source, newest, now)
    arn = place.arn("athena", f"workgroup/{source.workgroup}")
    with allowed("athena:StartQueryExecution", arn):
        execution = athena.start_query_execution(
            QueryString=sql,
            WorkGroup=source.workgroup,
            QueryExecutionContext={"Database": source.database},
        )["QueryExecutionId"]
    scanned = _wait(athena, execution, arn, source, sleep)
    with allowed("athena:GetQueryResults", arn):
        rows = athena.get_query_results(QueryExecutionId=execution)["ResultSet"]["Rows"]
    billed = max(MINIMUM_BILLED_BYTES, scanned)
    return Trial(
        *of,
        lines=_count(rows),
        scanned_bytes=scanned,
        cost_usd=source.usd_per_terabyte * billed / TERABYTE,
        of_object=newest is not None,
    )


def _newest(s3: "S3Client", place: Place, source: Athena) -> NewestLog | None:
    """Return the newest object of the first account and region; None where nothing is shown."""
    if not source.list_objects:
        return None
    bucket, _, prefix = source.location.removeprefix("s3://").partition("/")
    with allowed("s3:ListBucket", place.bucket_arn(bucket)):
        for account_id, region in owners(s3, bucket, folder(prefix)):
            if newest := newest_log(s3, bucket, folder(prefix), account_id, region):
                return newest
    return None


def _query(
    place: Place, source: Athena, newest: NewestLog | None, now: datetime
) -> tuple[str, tuple[str, str, str]]:
    """Return the SQL, and the hour, account and region that it is about.

    Every value is from the configuration, validated, or matched when it was listed.
    """
    if newest is not None:
        of = (newest.datehour, newest.account_id, newest.region)
    else:
        account_id, regions = next(
            iter(source.owners.items()), (place.account_id, (source.region,))
        )
        of = (f"{now - timedelta(hours=1):%Y/%m/%d/%H}", account_id, regions[0])
    sql = (
        f'SELECT count(*) FROM "{source.database}"."{source.table}" '
        f"WHERE account_id = '{of[1]}' AND region = '{of[2]}' AND datehour = '{of[0]}'"
    )
    if newest is not None:
        return f'{sql} AND "$path" = {_quoted(newest.url)}', of
    # Log objects begin with a digit; what lies below data/ is left out.
    hour = (
        f"{source.location.rstrip('/')}/AWSLogs/{of[1]}/BedrockModelInvocationLogs/{of[2]}/{of[0]}"
    )
    return f'{sql} AND "$path" BETWEEN {_quoted(f"{hour}/0")} AND {_quoted(f"{hour}/9~")}', of


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _wait(
    athena: "AthenaClient",
    execution: str,
    arn: str,
    source: Athena,
    sleep: Callable[[float], None],
) -> int:
    """Wait until a query has ended well, and return what it scanned; stop it if it takes long."""
    waited = 0.0
    while True:
        with allowed("athena:GetQueryExecution", arn):
            answer = athena.get_query_execution(QueryExecutionId=execution)["QueryExecution"]
        status = answer["Status"]
        if status["State"] == "SUCCEEDED":
            return answer.get("Statistics", {}).get("DataScannedInBytes", 0)
        if status["State"] in ("FAILED", "CANCELLED"):
            reason = status.get("StateChangeReason", "no reason given")
            raise PlanError(f"the test query ended {status['State']}: {reason}")
        if waited >= source.query_timeout.total_seconds():
            with allowed("athena:StopQueryExecution", arn):
                athena.stop_query_execution(QueryExecutionId=execution)
            raise PlanError(
                f"the test query was stopped after {waited:.0f}s, the `query_timeout` of source "
                f"{source.name}; look at query {execution} in the Athena console"
            )
        sleep(_POLL_SECONDS)
        waited += _POLL_SECONDS


def _count(rows: list[Any]) -> int:
    """Return the single figure of a result, which stands below its heading."""
    return int(rows[-1]["Data"][0].get("VarCharValue", 0)) if rows else 0
