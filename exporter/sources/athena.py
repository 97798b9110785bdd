"""Bedrock Model Invocation Logs through Amazon Athena, for volumes past one machine.

The query runs where the logs are: what comes back is usage by slot and fact, and the names of the
log objects that it was summed from, so that each is scanned and counted once. Where the bucket may
be listed, a query names the objects that were not read yet; where it may not, all of an hour but
those that were. This module writes nothing.
"""

from collections.abc import Callable, Generator
from datetime import timedelta

from exporter import config
from exporter.aws.meter import Meter
from exporter.sources.athena_batches import Queries
from exporter.sources.athena_blind import BlindReader
from exporter.sources.athena_listing import Experience, ListingReader
from exporter.sources.athena_plan import Most
from exporter.sources.athena_query import AthenaClient, Place
from exporter.sources.events import AwsRequests, Event, Fault, Times
from exporter.sources.log_schedule import DayReader, Known, LogSchedule, SlotRange
from exporter.sources.log_store import Owners, StoreError
from exporter.sources.reading import open_store
from exporter.sources.record_reader import Recording

_WHOLE_LOOKBACK_EVERY = timedelta(hours=1)
"""How often all hours that can still change are asked, where the bucket may not be listed."""


class Athena:
    """The source of one table."""

    is_billed = True
    has_history = True
    duplicates_window = timedelta(0)

    def __init__(
        self,
        settings: config.Athena,
        account: config.Account | None,
        recording: Recording,
        most_bytes: int,
        wait: Callable[[float], bool],
    ) -> None:
        """Take the configuration, and the most that a query should scan where that is known.

        `wait` waits so many seconds and tells whether to stop.
        """
        self._experience = Experience(Most(stored_bytes=most_bytes))
        self.name = settings.name
        self.location = settings.location
        self.lookback = settings.lookback
        self._settings = settings
        self._recording = recording
        self._meter = Meter()
        self._store = open_store(settings.location, self._meter, account)
        place = Place(settings.region, settings.workgroup, settings.database, account)
        self._client = AthenaClient(place, settings.query_timeout, self._meter, wait)
        self._schedule = LogSchedule(
            settings.location,
            settings.lookback,
            timedelta(0) if settings.list_objects else _WHOLE_LOOKBACK_EVERY,
        )

    def read(
        self, times: Times, known: Known, is_due: Callable[[], bool]
    ) -> Generator[Event, None, None]:
        """Have what is new summed, newest first, then history as far as time allows.

        `is_due` tells, between two queries, that the next refresh should begin.
        """

        def begin(slots: SlotRange) -> DayReader:
            queries = Queries(self._settings, self._recording, slots, self._client)
            if self._settings.list_objects:
                return ListingReader(queries, self._store, known, self._experience, is_due)
            return BlindReader(queries, known, is_due)

        try:
            yield from self._schedule.read(times, known, self._owners, begin)
            if not self._settings.list_objects and not self._has_logs(times, known):
                text = f"{self.location}: Athena found no log object of `owners`"
                yield Fault("no_logs", f"{text}; `bedrock-exporter aws check` tells more")
        except StoreError as error:
            yield Fault(error.reason, str(error))
        yield AwsRequests(self._meter.take())

    def _has_logs(self, times: Times, known: Known) -> bool:
        """Tell whether any log object was ever read since a first fill begins."""
        days = range((times.now - times.fill_from).days + 2)
        return any(
            known.known_objects(*owner, (times.now - timedelta(days=day)).date())
            for owner in self._owners().found
            for day in days
        )

    def _owners(self) -> Owners:
        if self._settings.list_objects:
            return self._store.owners()
        owners = self._settings.owners.items()
        return Owners([(account, region) for account, regions in owners for region in regions], [])
