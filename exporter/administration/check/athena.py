"""Checks what an `athena` source needs: workgroup, table, and a query over one log object."""

import time
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from botocore.exceptions import ClientError

from exporter.administration.check.identities import Identity
from exporter.administration.check.refusals import refused, told, unreadable
from exporter.administration.check.rows import Row, failed, ok, warning
from exporter.administration.setup.catalog import table_changes
from exporter.aws.athena_table import table_input
from exporter.config import Athena
from exporter.sources.athena_plan import PathHour, ask_for_rest, asks_for, hour_of_unit, path_of
from exporter.sources.athena_query import AthenaClient, Place
from exporter.sources.athena_sql import HourAsk, columns, usage_query
from exporter.sources.aws_errors import AWS_ERRORS, error_code, is_denied
from exporter.sources.log_store import ListedObject, StoreError, hour_of
from exporter.usage import slot_of

_SETUP = "`bedrock-exporter aws setup` creates it"
_MEND = "`bedrock-exporter aws setup` mends it"
_TERABYTE = 10**12
_KIND = columns(()).index("kind")


class Scan(NamedTuple):
    """What the test query scanned, and what that costs."""

    scanned_bytes: int = 0
    cost_usd: Decimal = Decimal(0)


def check_workgroup(source: Athena, identity: Identity) -> Row:
    """Look at the workgroup: it must be there, enabled, and say where results go."""
    subject, check = f"source {source.name}", "workgroup"
    arn = identity.arn("athena", source.region, f"workgroup/{source.workgroup}")
    try:
        athena = identity.client("athena", source.region)
        workgroup = athena.get_work_group(WorkGroup=source.workgroup).get("WorkGroup")
    except AWS_ERRORS as error:
        code = error_code(error) if isinstance(error, ClientError) else ""
        if is_denied(code):
            # Queries need no such right: the test query below tells whether they run.
            return warning(
                subject,
                check,
                told(error),
                f"to have it checked, allow athena:GetWorkGroup on {arn}",
            )
        if code == "InvalidRequestException":
            return failed(subject, check, told(error), _SETUP)
        return refused(subject, check, error, "athena:GetWorkGroup", arn, identity.account)
    if not workgroup:
        return failed(subject, check, f"there is no workgroup {source.workgroup}", _SETUP)
    return _judge_workgroup(subject, check, source.workgroup, workgroup)


def _judge_workgroup(subject: str, check: str, name: str, workgroup: Mapping[str, Any]) -> Row:
    settings = workgroup.get("Configuration", {})
    results = settings.get("ResultConfiguration", {}).get("OutputLocation")
    cutoff = settings.get("BytesScannedCutoffPerQuery")
    if workgroup.get("State", "ENABLED") != "ENABLED":
        return failed(subject, check, f"{name} is disabled", _MEND)
    if not results and not settings.get("ManagedQueryResultsConfiguration", {}).get("Enabled"):
        return failed(subject, check, f"{name} does not say where results go", _MEND)
    found = f"{name}, results to {results or 'storage that Athena manages'}"
    if not cutoff:
        return warning(subject, check, f"{found}, no cut-off: a query may scan anything", _MEND)
    return ok(subject, check, f"{found}, at most {cutoff:,} bytes a query")


def check_table(source: Athena, identity: Identity) -> Row:
    """Compare the Glue table with the one that queries are written for, as `aws setup` does."""
    subject, check = f"source {source.name}", "table"
    name = f"{source.database}.{source.table}"
    arn = identity.arn("glue", source.region, f"table/{source.database}/{source.table}")
    try:
        glue = identity.client("glue", source.region)
        answer = glue.get_table(DatabaseName=source.database, Name=source.table)
    except AWS_ERRORS as error:
        if isinstance(error, ClientError) and error_code(error) == "EntityNotFoundException":
            return failed(subject, check, f"there is no table {name}", _SETUP)
        return refused(subject, check, error, "glue:GetTable", arn, identity.account)
    wanted = table_input(source.table, source.location)
    if changes := table_changes(answer["Table"], wanted):
        found = f"{name} differs in {', '.join(change.setting for change in changes)}"
        return failed(subject, check, found, f"{_MEND}, or name another `table`")
    return ok(subject, check, f"{name}, partitions by projection")


def check_query(
    source: Athena, identity: Identity, listed: ListedObject | None, now: datetime
) -> tuple[Row, Scan]:
    """Sum the newest log object as a refresh would; where none may be listed, the hour before now.

    So Athena reads table and logs, writes the result, and has it read.
    """
    subject, check = f"source {source.name}", "query"
    ask = _ask(source, listed, now)
    if ask is None:
        found = "not tried: there is no log object to ask for"
        return warning(subject, check, found, "run this again once there is one"), Scan()
    sql = usage_query(source.database, source.table, [ask], (), 0, slot_of(now + timedelta(days=1)))
    place = Place(source.region, source.workgroup, source.database, identity.account)
    client = AthenaClient(place, source.query_timeout, identity.meter, _wait)
    try:
        answered = client.run(sql, may_reuse=False)
    except StoreError as error:
        return unreadable(subject, check, error, identity.account), Scan()
    cost_usd = answered.billed_bytes * source.usd_per_terabyte / _TERABYTE
    scan = Scan(answered.scanned_bytes, cost_usd)
    if answered.failure is not None:
        return unreadable(subject, check, answered.failure, identity.account), scan
    objects = sum(row[_KIND] == "object" for row in answered.rows)
    if listed is not None and not objects:
        found = f"Athena finds nothing at {path_of(source.location, listed.unit)}"
        return failed(subject, check, found, f"{_MEND}: the table must lie over the location"), scan
    found = f"summed {objects} of the newest log objects, {scan.scanned_bytes:,} bytes scanned"
    return ok(subject, check, found), scan


def _ask(source: Athena, listed: ListedObject | None, now: datetime) -> HourAsk | None:
    if listed is not None:
        hour = hour_of_unit(listed.unit)
        return asks_for(source.location, [listed.unit], {hour: [listed.unit.name]})[0]
    for account_id, regions in source.owners.items():
        last = PathHour(account_id, regions[0], hour_of(now - timedelta(hours=1)))
        return ask_for_rest(source.location, last, ())
    return None


def _wait(seconds: float) -> bool:
    time.sleep(seconds)
    return False
