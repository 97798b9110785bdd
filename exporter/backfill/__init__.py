"""History as OpenMetrics text, from which promtool makes blocks for Prometheus.

For each moment of the past, the figures that an exporter would have shown if every record had been
read as soon as its slot was over. They come from the same functions as those of a live snapshot;
nothing here prices or adds up. What the ledger cannot know of the past is absent: how sources did,
what AWS requests cost, when the newest record came.

`request` says what is asked for, `readiness` waits for the ledger, `moments` chooses the times,
`spool` turns moments into series, and `history` joins them.
"""

from exporter.backfill.history import Written, write_history
from exporter.backfill.request import BackfillError, Request, parse_request

__all__ = ["BackfillError", "Request", "Written", "parse_request", "write_history"]
