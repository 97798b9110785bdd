"""The ledger, interpreted: an immutable value with every sample that is exposed.

Built at the end of a refresh; a scrape never comes here.
"""

from exporter.snapshot.builder import Snapshot, SnapshotBuilder, UsageSnapshot

__all__ = ["Snapshot", "SnapshotBuilder", "UsageSnapshot"]
