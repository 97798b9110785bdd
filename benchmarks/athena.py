"""What Athena scans of a month's logs, for each byte that was logged: ours, and the usual ways.

Simulated logs are delivered over a month; the source lists and names log objects as it does for
Athena, and what its names cover is added up. No query runs: only how much each would scan counts.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Generator, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from exporter import simulate
from exporter.sources.athena_blind import BlindReader
from exporter.sources.athena_listing import Experience, ListingReader
from exporter.sources.athena_plan import Most, path_of
from exporter.sources.athena_sql import HourAsk
from exporter.sources.events import Event, Times
from exporter.sources.folder_store import FolderStore
from exporter.sources.log_schedule import DayReader, LogSchedule, SlotRange
from exporter.sources.log_store import DayListing, ListedObject, Owners, StoreError
from exporter.sources.rejection import Rejection
from exporter.usage import LogObject, Progress, QueryBatch

_START = datetime(2026, 10, 1, tzinfo=UTC)
_END = datetime(2026, 11, 1, tzinfo=UTC)
_CALLS_PER_DAY = 20_000
_LOCATION = "s3://logs"
_MEGABYTE = 10**6


class _Delivered(NamedTuple):
    at: datetime
    listed: ListedObject


class Bucket:
    """Log objects that appear one after the other; also what the ledger knows, and Athena."""

    concurrency = 1
    location = _LOCATION

    def __init__(self, deliveries: Sequence[_Delivered]) -> None:
        self.now = _START
        self.scanned = 0
        self.billed = 0
        self.queries = 0
        self._days: dict[tuple[str, str, date], list[_Delivered]] = defaultdict(list)
        self._paths: dict[tuple[str, str, int], list[tuple[str, _Delivered]]] = defaultdict(list)
        for delivered in deliveries:
            unit = delivered.listed.unit
            day = datetime.fromtimestamp(unit.hour * 3600, UTC).date()
            self._days[unit.account_id, unit.region, day].append(delivered)
            path = path_of(_LOCATION, unit)
            self._paths[unit[:3]].append((path, delivered))
        for paths in self._paths.values():
            paths.sort()
        self._known: dict[tuple[str, str, date], set[tuple[int, str]]] = defaultdict(set)
        self._progress: dict[tuple[str, str], Progress] = {}

    # What the source asks of the bucket

    def owners(self) -> Owners:
        """Return each account and region."""
        return Owners(sorted({key[:2] for key in self._days}), [])

    def list_day(self, account_id: str, region: str, day: date) -> DayListing:
        """Return what was delivered by now."""
        there = self._days.get((account_id, region, day), [])
        listed = [delivered.listed for delivered in there if delivered.at <= self.now]
        return DayListing(listed, [])

    # What it asks of the ledger

    def progress(self, location: str, account_id: str, region: str) -> Progress | None:
        """Return how far an owner is read."""
        return self._progress.get((account_id, region))

    def known_objects(self, account_id: str, region: str, day: date) -> set[tuple[int, str]]:
        """Return what was read of a day."""
        return self._known[account_id, region, day]

    def newest_records(self) -> Sequence[Progress]:
        """Return none: the clock is right."""
        return []

    # What it asks of Athena

    def ask(
        self,
        asks: Sequence[HourAsk],
        units: Mapping[LogObject, int] | None = None,
        may_reuse: bool = True,
    ) -> Generator[Event, None, StoreError | None]:
        """Add up what a query would scan, and take its objects as read."""
        scanned = 0
        for ask in asks:
            for delivered in self._named(ask):
                scanned += delivered.listed.size
                unit = delivered.listed.unit
                day = datetime.fromtimestamp(unit.hour * 3600, UTC).date()
                self._known[unit.account_id, unit.region, day].add((unit.hour, unit.name))
        self.count(scanned)
        yield QueryBatch("athena", tuple(units or ()))
        return None

    def leave_out(self, unit: LogObject, why: Rejection) -> QueryBatch:
        """Return the batch of a log object that cannot be read; here, all can."""
        return QueryBatch("athena", (unit,), rejected={why: 1})

    def _named(self, ask: HourAsk) -> Iterator[_Delivered]:
        paths = self._paths.get((ask.account_id, ask.region, ask.hour), [])
        without = set(ask.without)
        for first, last in ask.ranges:
            begin = bisect_left(paths, first, key=lambda item: item[0])
            end = bisect_right(paths, last, key=lambda item: item[0])
            for path, delivered in paths[begin:end]:
                if delivered.at <= self.now and path not in without:
                    yield delivered

    def count(self, scanned: int) -> None:
        """Count one query."""
        self.queries += 1
        self.scanned += scanned
        if scanned:
            self.billed += max(10 * _MEGABYTE, -(-scanned // _MEGABYTE) * _MEGABYTE)

    def take(self, event: Event) -> None:
        """Remember how far an owner is read."""
        if isinstance(event, Progress):
            self._progress[event.account_id, event.region] = event


def run() -> None:
    """Print scanned bytes for each logged byte, at two intervals."""
    print(
        f"\nAthena: a month of simulated logs, {_CALLS_PER_DAY} calls a working day, "
        "scanned bytes for each byte logged"
    )
    with TemporaryDirectory() as name:
        deliveries = list(_simulated(Path(name)))
    logged = sum(delivered.listed.size for delivered in deliveries)
    print(f"  {len(deliveries)} log objects, {logged / _MEGABYTE:.1f} MB as stored")
    for interval in (timedelta(minutes=5), timedelta(hours=1)):
        print(f"  every {interval.total_seconds() / 60:.0f} minutes")
        _tell("month to date, asked each time", logged, _range_each_time(deliveries, interval))
        _tell("partition hours that changed", logged, _hours_that_changed(deliveries, interval))
        _tell("ours, bucket listed", logged, _ours(deliveries, interval, lists=True))
        _tell("ours, bucket not listed", logged, _ours(deliveries, interval, lists=False))


def _tell(way: str, logged: int, bucket: Bucket) -> None:
    print(
        f"    {way:32}{bucket.scanned / logged:10.2f}  {bucket.queries:6} queries, "
        f"{bucket.billed / 10**9:8.2f} GB billed"
    )


def _simulated(folder: Path) -> Iterator[_Delivered]:
    simulate.simulate(folder, seed=1, start=_START, end=_END, calls_per_day=_CALLS_PER_DAY)
    store = FolderStore(folder)
    for owner in store.owners().found:
        for number in range((_END - _START).days):
            for listed in store.list_day(*owner, (_START + timedelta(days=number)).date()).found:
                at = datetime.strptime(listed.unit.name[:15], "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
                yield _Delivered(at, listed)


def _refreshes(interval: timedelta) -> Iterator[datetime]:
    now = _START + interval
    while now <= _END:
        yield now
        now += interval


def _ours(deliveries: Sequence[_Delivered], interval: timedelta, lists: bool) -> Bucket:
    bucket = Bucket(deliveries)
    every = timedelta(0) if lists else timedelta(hours=1)
    schedule = LogSchedule(_LOCATION, timedelta(hours=48), every)

    def begin(slots: SlotRange) -> DayReader:
        if lists:
            return ListingReader(bucket, bucket, bucket, Experience(Most()), lambda: False)
        return BlindReader(bucket, bucket, lambda: False)

    for bucket.now in _refreshes(interval):
        times = Times(bucket.now, _START, _START)
        for event in schedule.read(times, bucket, bucket.owners, begin):
            bucket.take(event)
    return bucket


def _range_each_time(deliveries: Sequence[_Delivered], interval: timedelta) -> Bucket:
    """What a dashboard does that asks for the month to date at each refresh."""
    bucket = Bucket(deliveries)
    ordered = sorted((delivered.at, delivered.listed.size) for delivered in deliveries)
    there = position = 0
    for now in _refreshes(interval):
        while position < len(ordered) and ordered[position][0] <= now:
            there += ordered[position][1]
            position += 1
        bucket.count(there)
    return bucket


def _hours_that_changed(deliveries: Sequence[_Delivered], interval: timedelta) -> Bucket:
    """What replacing whole partition hours would scan, if a listing tells which have changed."""
    bucket = Bucket(deliveries)
    ordered = sorted(deliveries, key=lambda delivered: delivered.at)
    sizes: dict[tuple[str, str, int], int] = defaultdict(int)
    position = 0
    for now in _refreshes(interval):
        changed = set()
        while position < len(ordered) and ordered[position].at <= now:
            unit, size = ordered[position].listed
            sizes[unit[:3]] += size
            changed.add(unit[:3])
            position += 1
        if changed:
            bucket.count(sum(sizes[hour] for hour in changed))
    return bucket
