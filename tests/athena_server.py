"""An Athena to test against: its API over HTTP, its SQL executed, and told when to fail.

    with AthenaServer() as athena:
        athena.add_folder("s3://logs", path)  # or add_s3("s3://logs"): of this process's moto
        athena.faults.append(refuse("StartQueryExecution", "ThrottlingException", times=2))

Listens on loopback, on a port of its own. The table is `bedrock_exporter.invocation_logs`, unless
others are added. AWS_ENDPOINT_URL_ATHENA leads clients here.
"""

import json
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

from athena_engine import Engine, Table
from athena_logs import Listing, QueryFailedError, folder, moto_bucket
from athena_queries import Query, execution, page
from loopback_server import LoopbackServer

DATABASE = "bedrock_exporter"
TABLE = "invocation_logs"
MOST_BYTES = 262_144
"""Of a query's text."""
_PAGE_ROWS = 1000
_FOREVER = float("inf")


@dataclass
class WorkGroup:
    """What of a workgroup matters to who asks."""

    name: str
    cutoff_bytes: int | None = None
    enabled: bool = True
    output_location: str | None = "s3://results/"


@dataclass
class Fault:
    """What to do to the next `times` requests of an operation; without one, to queries."""

    operation: str = ""
    refusal: tuple[int, str, str] | None = None
    """HTTP status, code and message."""
    seconds: float = 0
    reason: str = ""
    """A query ends FAILED for it."""
    hangs: bool = False
    times: float = _FOREVER
    where: str = ""
    """Part of the query's text."""


def refuse(
    operation: str,
    code: str,
    message: str = "told to fail",
    *,
    status: int = 400,
    times: float = _FOREVER,
) -> Fault:
    """Answer an operation as Athena does when it will not."""
    return Fault(operation, refusal=(status, code, message), times=times)


def server_error(operation: str, *, times: float = _FOREVER) -> Fault:
    """Answer an operation with Athena's own error."""
    return refuse(operation, "InternalServerException", status=500, times=times)


def slow(operation: str, seconds: float, *, times: float = _FOREVER) -> Fault:
    """Answer an operation late."""
    return Fault(operation, seconds=seconds, times=times)


def fail(reason: str, *, where: str = "", times: float = _FOREVER) -> Fault:
    """Let a query end FAILED, for a reason; `where`: one whose text holds that."""
    return Fault(reason=reason, times=times, where=where)


def hang(*, times: float = _FOREVER) -> Fault:
    """Let a query run until it is stopped."""
    return Fault(hangs=True, times=times)


class RefusedError(Exception):
    """A request that is answered with an error."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.status = status


class AthenaServer(LoopbackServer):
    """The endpoint, its tables and workgroups, and what was asked of it."""

    def __init__(self) -> None:
        self.workgroups = {name: WorkGroup(name) for name in ("primary", "bedrock-exporter")}
        self.queries: list[Query] = []
        self.requests: list[str] = []
        """Operations, in the order in which they were asked for."""
        self.faults: list[Fault] = []
        self.polls = 1
        """How often a query is RUNNING when it is asked for."""
        self._catalog: dict[str, dict[str, Table]] = {}
        self._engine = Engine(self._catalog)
        self._lock = threading.Lock()

    def handler(self) -> type[BaseHTTPRequestHandler]:
        return _handler(self)

    def add_folder(
        self, location: str, path: Path, *, database: str = DATABASE, table: str = TABLE
    ) -> None:
        """Let a table lie over a folder in AWS's layout, as if it were at an s3:// location."""
        self._add(location, folder(path), database, table)

    def add_s3(
        self,
        location: str,
        *,
        database: str = DATABASE,
        table: str = TABLE,
        account_id: str = "123456789012",
    ) -> None:
        """Let a table lie over a location in the moto that runs in this process.

        Nothing of it goes over HTTP, so that a proxy before moto sees what others ask only.
        """
        bucket, _, prefix = location.removeprefix("s3://").partition("/")
        self._add(location, moto_bucket(bucket, prefix, account_id), database, table)

    def _add(self, location: str, listing: Listing, database: str, table: str) -> None:
        tables = self._catalog.setdefault(database, {})
        tables.setdefault(table, Table()).locations[location] = listing

    def reset(self) -> None:
        """Forget what was asked and told; tables stay."""
        self.queries.clear()
        self.requests.clear()
        self.faults.clear()

    def answer(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        """Do what a request asks. Raises RefusedError."""
        self.requests.append(operation)
        fault = self._fault(operation)
        if fault:
            time.sleep(fault.seconds)
            if fault.refusal:
                status, code, message = fault.refusal
                raise RefusedError(code, message, status)
        operations: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
            "StartQueryExecution": self._start,
            "GetQueryExecution": self._get,
            "GetQueryResults": self._results,
            "StopQueryExecution": self._stop,
            "GetWorkGroup": self._get_workgroup,
        }
        if operation not in operations:
            raise RefusedError("UnknownOperationException", f"{operation} is not known here")
        return operations[operation](request)

    def _fault(self, operation: str, sql: str = "") -> Fault | None:
        """Return the first fault that is meant for an operation, and count it down."""
        with self._lock:
            for fault in self.faults:
                if fault.times > 0 and fault.operation == operation and fault.where in sql:
                    fault.times -= 1
                    return fault
        return None

    def _start(self, request: dict[str, Any]) -> dict[str, Any]:
        reuse = request.get("ResultReuseConfiguration", {}).get("ResultReuseByAgeConfiguration", {})
        query = Query(
            sql=request["QueryString"],
            workgroup=request.get("WorkGroup", "primary"),
            database=request.get("QueryExecutionContext", {}).get("Database"),
            reuse_minutes=reuse.get("MaxAgeInMinutes", 60) if reuse.get("Enabled") else None,
            token=request.get("ClientRequestToken"),
        )
        self._check(query, request)
        for earlier in self.queries:
            if query.token and earlier.token == query.token:
                if earlier.sql != query.sql:
                    message = "Idempotent parameters do not match"
                    raise RefusedError("InvalidRequestException", message)
                return {"QueryExecutionId": earlier.id}
        self._execute(query)
        self.queries.append(query)
        return {"QueryExecutionId": query.id}

    def _check(self, query: Query, request: dict[str, Any]) -> None:
        group = self.workgroups.get(query.workgroup)
        if not 0 < len(query.sql.encode()) <= MOST_BYTES:
            message = f"Query string length must be between 1 and {MOST_BYTES} bytes"
        elif group is None:
            message = f"WorkGroup {query.workgroup} is not found."
        elif not group.enabled:
            message = f"WorkGroup {query.workgroup} is disabled."
        elif not (
            group.output_location or request.get("ResultConfiguration", {}).get("OutputLocation")
        ):
            message = (
                "No output location provided. An output location is required either through the "
                "Workgroup result configuration setting or as an API input."
            )
        else:
            return
        raise RefusedError("InvalidRequestException", message)

    def _execute(self, query: Query) -> None:
        """Work out how a query will end."""
        fault = self._fault("", query.sql)
        if fault and fault.hangs:
            query.hangs = True
            return
        earlier = self._earlier(query)
        if earlier and not fault:
            query.columns, query.rows, query.reused = earlier.columns, earlier.rows, True
            return
        try:
            if fault:
                raise QueryFailedError(fault.reason)
            result = self._engine.execute(query.sql, query.database)
        except QueryFailedError as error:
            query.outcome, query.reason = "FAILED", str(error)
            return
        query.columns, query.rows = result.columns, result.rows
        query.scanned_bytes = result.scanned_bytes
        query.scanned_paths = tuple(file.path for file in result.scanned)
        cutoff = self.workgroups[query.workgroup].cutoff_bytes
        if cutoff is not None and query.scanned_bytes > cutoff:
            query.outcome, query.scanned_bytes = "CANCELLED", cutoff
            query.reason = "Query cancelled! : Bytes scanned limit was exceeded"

    def _earlier(self, query: Query) -> Query | None:
        """Return a query of the same text whose result is young enough; only that is compared."""
        oldest = time.time() - 60 * (query.reuse_minutes or 0)
        for earlier in self.queries:
            is_same = (earlier.sql, earlier.workgroup) == (query.sql, query.workgroup)
            if is_same and earlier.state == "SUCCEEDED" and earlier.started > oldest:
                return earlier
        return None

    def _find(self, request: dict[str, Any]) -> Query:
        for query in self.queries:
            if query.id == request["QueryExecutionId"]:
                return query
        message = f"QueryExecution {request['QueryExecutionId']} was not found"
        raise RefusedError("InvalidRequestException", message)

    def _get(self, request: dict[str, Any]) -> dict[str, Any]:
        query = self._find(request)
        query.polls += 1
        if query.polls > self.polls and not query.hangs and not query.is_done:
            query.state = query.outcome
        location = self.workgroups[query.workgroup].output_location
        return {"QueryExecution": execution(query, location)}

    def _results(self, request: dict[str, Any]) -> dict[str, Any]:
        query = self._find(request)
        if query.state != "SUCCEEDED":
            message = f"Query did not finish successfully. Final query state: {query.state}"
            raise RefusedError("InvalidRequestException", message)
        size = request.get("MaxResults", _PAGE_ROWS)
        if not 1 <= size <= _PAGE_ROWS:
            raise RefusedError("InvalidRequestException", f"MaxResults is more than {_PAGE_ROWS}")
        return page(query, int(request.get("NextToken", 0)), size)

    def _stop(self, request: dict[str, Any]) -> dict[str, Any]:
        query = self._find(request)
        if not query.is_done:
            query.state, query.stopped = "CANCELLED", True
            query.reason = "Query cancelled by user"
        return {}

    def _get_workgroup(self, request: dict[str, Any]) -> dict[str, Any]:
        group = self.workgroups.get(request["WorkGroup"])
        if group is None:
            message = f"WorkGroup {request['WorkGroup']} is not found."
            raise RefusedError("InvalidRequestException", message)
        settings: dict[str, Any] = {"EnforceWorkGroupConfiguration": True}
        if group.output_location:
            settings["ResultConfiguration"] = {"OutputLocation": group.output_location}
        if group.cutoff_bytes is not None:
            settings["BytesScannedCutoffPerQuery"] = group.cutoff_bytes
        state = "ENABLED" if group.enabled else "DISABLED"
        return {"WorkGroup": {"Name": group.name, "State": state, "Configuration": settings}}


def _handler(athena: AthenaServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            operation = self.headers["X-Amz-Target"].removeprefix("AmazonAthena.")
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            try:
                status, answer = 200, athena.answer(operation, request)
            except RefusedError as error:
                status, answer = error.status, {"__type": error.code, "Message": str(error)}
            with suppress(ConnectionError):  # who asked has lost patience
                self._send(status, json.dumps(answer).encode())

        def _send(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/x-amz-json-1.1")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Keep quiet."""

    return Handler
