"""What a ledger knows of earlier reading, kept in memory, for sources of any kind of log."""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

from exporter.assistant_usage import PromptBatch, ReportBatch
from exporter.sources.events import Event, Times
from exporter.sources.log_objects import LogObjects
from exporter.sources.log_store import hour_start
from exporter.usage import Batch, LogObject, Progress


class Remembered:
    """Takes batches and progress as the ledger does, each object by what tells it."""

    def __init__(self) -> None:
        self.taken: Counter[LogObject] = Counter()
        self._progress: dict[tuple[str, str, str], Progress] = {}

    def take(self, event: Event) -> None:
        """Do what the refresh loop does with an event."""
        if isinstance(event, Batch | PromptBatch | ReportBatch):
            version = event.version if isinstance(event, ReportBatch) else ""
            self.taken[event.unit.at_version(version)] += 1
        elif isinstance(event, Progress):
            key = (event.location, event.account_id, event.region)
            self._progress[key] = event

    def progress(self, location: str, account_id: str, region: str) -> Progress | None:
        return self._progress.get((location, account_id, region))

    @property
    def locations(self) -> set[str]:
        return {location for location, _, _ in self._progress}

    def known_objects(self, account_id: str, region: str, day: date) -> set[tuple[int, str]]:
        return {
            (unit.hour, unit.name)
            for unit in self.taken
            if (unit.account_id, unit.region) == (account_id, region)
            and hour_start(unit.hour).date() == day
        }

    def newest_records(self) -> list[object]:
        return []


def times(now: datetime) -> Times:
    """The moments of a refresh: a first fill goes back to the first day of last month."""
    month = datetime(now.year, now.month, 1, tzinfo=UTC)
    day = timedelta(days=1)
    return Times(now, fill_from=(month - day).replace(day=1), keep_from=month - 400 * day)


def refresh(
    source: LogObjects,
    known: Remembered,
    now: datetime,
    is_due: Callable[[], bool] = lambda: False,
) -> list[Event]:
    """Read once, and take all that comes."""
    events = []
    for event in source.read(times(now), known, is_due):
        events.append(event)
        known.take(event)
    return events
