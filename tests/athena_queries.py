"""Queries that the Athena to test against was asked, and what its API says of them."""

import time
import uuid
from dataclasses import dataclass, field
from typing import Any

TERMINAL = ("SUCCEEDED", "FAILED", "CANCELLED")
_STRING_PRECISION = 2_147_483_647
_NUMBER_PRECISION = 19


@dataclass
class Query:
    """A query that was started."""

    sql: str
    workgroup: str
    database: str | None = None
    reuse_minutes: int | None = None
    """How old a result may be that is taken in place of a new one; None: no result is."""
    token: str | None = None
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    started: float = field(default_factory=time.time)
    state: str = "RUNNING"
    outcome: str = "SUCCEEDED"
    """The state that it ends in, once it was asked for often enough."""
    reason: str = ""
    """Of a state that is not SUCCEEDED."""
    scanned_bytes: int = 0
    scanned_paths: tuple[str, ...] = ()
    reused: bool = False
    polls: int = 0
    """How often it was asked for."""
    hangs: bool = False
    stopped: bool = False
    columns: list[tuple[str, str]] = field(default_factory=list)
    """Names and Trino's types."""
    rows: list[tuple[Any, ...]] = field(default_factory=list)

    @property
    def is_done(self) -> bool:
        return self.state in TERMINAL


def execution(query: Query, output_location: str | None) -> dict[str, Any]:
    """Describe a query as GetQueryExecution does."""
    return {
        "QueryExecutionId": query.id,
        "Query": query.sql,
        "StatementType": "DML",
        "ResultConfiguration": {"OutputLocation": f"{output_location}{query.id}.csv"},
        "QueryExecutionContext": {"Database": query.database} if query.database else {},
        "Status": _status(query),
        "Statistics": {
            "DataScannedInBytes": query.scanned_bytes if query.is_done else 0,
            "EngineExecutionTimeInMillis": 1,
            "ResultReuseInformation": {"ReusedPreviousResult": query.reused},
        },
        "WorkGroup": query.workgroup,
        "EngineVersion": {"EffectiveEngineVersion": "Athena engine version 3"},
    }


def _status(query: Query) -> dict[str, Any]:
    status: dict[str, Any] = {"State": query.state, "SubmissionDateTime": query.started}
    if query.is_done:
        status["CompletionDateTime"] = time.time()
    if query.is_done and query.reason:
        status["StateChangeReason"] = query.reason
        status["AthenaError"] = {
            "ErrorCategory": 2,
            "ErrorType": 1,
            "Retryable": False,
            "ErrorMessage": query.reason,
        }
    return status


def page(query: Query, first: int, size: int) -> dict[str, Any]:
    """Answer GetQueryResults with so many rows; the header is the first of all."""
    header = tuple(name for name, _ in query.columns)
    rows = [header, *query.rows]
    answer: dict[str, Any] = {
        "ResultSet": {
            "Rows": [{"Data": list(map(_datum, row))} for row in rows[first : first + size]],
            "ResultSetMetadata": {"ColumnInfo": [_column(*column) for column in query.columns]},
        },
        "UpdateCount": 0,
    }
    if first + size < len(rows):
        answer["NextToken"] = str(first + size)
    return answer


def _datum(value: Any) -> dict[str, str]:
    """Write a value as text, NULL as nothing."""
    if value is None:
        return {}
    return {"VarCharValue": str(value).lower() if isinstance(value, bool) else str(value)}


def _column(name: str, kind: str) -> dict[str, Any]:
    return {
        "CatalogName": "hive",
        "SchemaName": "",
        "TableName": "",
        "Name": name,
        "Label": name,
        "Type": kind,
        "Precision": _STRING_PRECISION if kind == "varchar" else _NUMBER_PRECISION,
        "Scale": 0,
        "Nullable": "UNKNOWN",
        "CaseSensitive": kind == "varchar",
    }
