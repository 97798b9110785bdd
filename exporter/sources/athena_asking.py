"""What asks for log objects share: how to ask, and what a failure means for the next query."""

from collections.abc import Generator, Mapping, Sequence
from typing import Protocol

from exporter.sources.athena_sql import HourAsk
from exporter.sources.events import Event
from exporter.sources.log_store import StoreError
from exporter.sources.rejection import Rejection
from exporter.usage import LogObject, QueryBatch

ASKED_IN_PARTS = frozenset(
    {
        *("query_too_large", "scan_cutoff", "damaged_object"),
        *("archived", "object_gone", "engine_error"),
    }
)
"""Reasons for which a query fails that one of its parts may not have."""
GO_ON = ASKED_IN_PARTS | {"query_failed", "not_read"}
"""Reasons that say nothing of the next query; after any other, the rest waits for a refresh."""


class Queries(Protocol):
    """What runs queries."""

    location: str

    def ask(
        self,
        asks: Sequence[HourAsk],
        units: Mapping[LogObject, int] | None = None,
        may_reuse: bool = True,
    ) -> Generator[Event, None, StoreError | None]:
        """Run one query; `units` are its objects with their stored bytes, where they are known.

        Returns why it failed. Raises StoreError where none could be started.
        """

    def leave_out(self, unit: LogObject, why: Rejection) -> QueryBatch:
        """Return the batch of a log object that cannot be read at all."""
