"""Runs one query of Athena at a time, through PyAthena: waits, cancels, and says what it scanned.

Knows nothing of what a query asks.
"""

import logging
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any, NamedTuple

from botocore.config import Config
from pyathena.connection import Connection
from pyathena.cursor import Cursor
from pyathena.error import Error as PyAthenaError
from pyathena.model import AthenaQueryExecution
from pyathena.util import RetryConfig

from exporter.aws import sessions
from exporter.aws.meter import Meter
from exporter.config import MINIMUM_BILLED_BYTES, Account
from exporter.sources.athena_errors import explain_failure, explain_refusal
from exporter.sources.aws_errors import AWS_ERRORS
from exporter.sources.log_store import StoreError

_REUSE_MINUTES = 60
_FIRST_WAIT = 0.25
_LONGEST_WAIT = 5.0
"""Seconds between two looks at a query: each time twice as long."""
_LOOKS_AFTER_CANCEL = 8
_MEGABYTE = 10**6

# Its messages repeat what is raised, with a traceback.
logging.getLogger("pyathena").setLevel(logging.CRITICAL)


class Place(NamedTuple):
    """Where queries run."""

    region: str
    workgroup: str
    database: str
    account: Account | None = None

    def __str__(self) -> str:
        return f"Athena workgroup {self.workgroup} in {self.region}"


class Answered(NamedTuple):
    """A query that came to an end: its rows, or why there are none."""

    rows: list[tuple[Any, ...]]
    failure: StoreError | None
    scanned_bytes: int
    billed_bytes: int


class AthenaClient:
    """Runs queries in one place."""

    def __init__(
        self, place: Place, timeout: timedelta, meter: Meter, wait: Callable[[float], bool]
    ) -> None:
        """Take the place; `wait` waits so many seconds and tells whether the exporter stops."""
        self.place = place
        self._timeout = timeout.total_seconds()
        self._meter = meter
        self._wait = wait
        self._watch = self._new_watch()
        self._connection: Connection[Cursor] | None = None

    def run(self, sql: str, may_reuse: bool = False) -> Answered:
        """Run a query to its end, or take what the same text was answered in the last hour.

        One that outlives its time, or the exporter, is cancelled; what it scanned is told all the
        same. Raises StoreError where none could be started.
        """
        self._watch = self._new_watch()
        try:
            with self._connected().cursor() as cursor:
                return self._run(cursor, sql, may_reuse)
        except (*AWS_ERRORS, PyAthenaError) as error:
            raise self._refused(error) from None

    def _run(self, cursor: Cursor, sql: str, may_reuse: bool) -> Answered:
        watch = self._watch
        try:
            cursor.execute(sql, result_reuse_enable=may_reuse, result_reuse_minutes=_REUSE_MINUTES)
            rows = [tuple(row) for row in cursor.fetchall()]
        except _GivenUpError as given_up:
            self._cancel(cursor)
            return watch.answered([], given_up.failure)
        except (*AWS_ERRORS, PyAthenaError) as error:
            if not cursor.query_id:
                raise
            # It was started, and costs what it scans whether its rows arrive or not.
            failure = watch.failure or self._refused(error)
            if not watch.is_over:
                self._cancel(cursor)
            return watch.answered([], failure)
        return watch.answered(rows, None)

    def _cancel(self, cursor: Cursor) -> None:
        """Cancel a query and learn what it had scanned, as far as Athena answers at all."""
        with suppress(*AWS_ERRORS, PyAthenaError):
            cursor.cancel()
            self._watch.look_again(cursor.connection.client, str(cursor.query_id))

    def _refused(self, error: Exception) -> StoreError:
        told = explain_refusal(error, str(self.place))
        if told.reason == "credentials":
            self._connection = None
        return told

    def _new_watch(self) -> "_Watch":
        return _Watch(self.place, self._timeout, self._wait)

    def _connected(self) -> Connection[Cursor]:
        if self._connection is None:
            retries: Any = {"mode": "standard", "total_max_attempts": sessions.ATTEMPTS}
            self._connection = Connection(
                session=sessions.session(self.place.account, self.place.region, self._meter),
                region_name=self.place.region,
                schema_name=self.place.database,
                work_group=self.place.workgroup,
                s3_staging_dir="",  # the workgroup says where results go
                poll_interval=0,  # the watch waits
                kill_on_interrupt=False,
                retry_config=RetryConfig(attempt=1),  # botocore tries again
                glue_metadata_fallback=False,
                on_poll=lambda execution: self._watch.look(execution),
                config=Config(retries=retries, connect_timeout=5, read_timeout=30),
            )
            self._meter.attach(self._connection.client)
        return self._connection


class _GivenUpError(Exception):
    """A query that is not waited for any longer."""

    def __init__(self, failure: StoreError) -> None:
        super().__init__(str(failure))
        self.failure = failure


class _Watch:
    """Watches one query: waits between two looks, and gives up when it is time to."""

    def __init__(self, place: Place, seconds: float, wait: Callable[[float], bool]) -> None:
        self._place = place
        self._deadline = time.monotonic() + seconds
        self._seconds = seconds
        self._wait = wait
        self._pause = _FIRST_WAIT
        self._execution: AthenaQueryExecution | None = None

    def look(self, execution: Any) -> None:
        """Take what Athena says of the query, then wait. Raises _GivenUpError."""
        self._execution = execution
        if self.is_over:
            return
        left = self._deadline - time.monotonic()
        if left <= 0:
            text = f"{self._place}: a query took more than {self._seconds:.0f} s and was cancelled"
            raise _GivenUpError(StoreError("query_too_large", f"{text}; it is asked in parts"))
        if self._wait(min(self._pause, left)):
            raise _GivenUpError(StoreError("stopped", f"{self._place}: a query was cancelled"))
        self._pause = min(2 * self._pause, _LONGEST_WAIT)

    def look_again(self, client: Any, query_id: str) -> None:
        """Learn what a cancelled query had scanned by its end."""
        for _ in range(_LOOKS_AFTER_CANCEL):
            said = client.get_query_execution(QueryExecutionId=query_id)
            self._execution = AthenaQueryExecution(said)
            if self.is_over:
                return
            time.sleep(_FIRST_WAIT)

    @property
    def is_over(self) -> bool:
        """Tell whether the query came to an end."""
        execution = self._execution
        return execution is not None and execution.state in AthenaQueryExecution.TERMINAL_STATES

    @property
    def failure(self) -> StoreError | None:
        """Return why the query has no rows; None where that is not for the query's own sake."""
        if self._execution is None or self._execution.state not in ("FAILED", "CANCELLED"):
            return None
        return explain_failure(self._execution.state_change_reason or "", str(self._place))

    def answered(self, rows: list[tuple[Any, ...]], failure: StoreError | None) -> Answered:
        """Return the end of the query, with what it scanned and what of that is billed."""
        execution = self._execution
        scanned = (execution.data_scanned_in_bytes if execution else None) or 0
        is_billed = execution is not None and execution.state != "FAILED"
        return Answered(rows, failure, scanned, billed_bytes(scanned) if is_billed else 0)


def billed_bytes(scanned: int) -> int:
    """Return the bytes that a query is billed for.

    Up to the next megabyte, and 10 MB at least; nothing for what scanned nothing (DDL, a reused
    result). Failed queries are not billed, cancelled ones are (Athena pricing, 2026-11).
    """
    if scanned == 0:
        return 0
    return max(MINIMUM_BILLED_BYTES, -(-scanned // _MEGABYTE) * _MEGABYTE)
