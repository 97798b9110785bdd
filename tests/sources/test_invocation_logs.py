"""Which log objects are read, in which order: a real folder, a real ledger, a clock of our own."""

import errno
import json
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exporter.ledger import WritableLedger
from exporter.sources import reading as reading_module
from exporter.sources.events import AwsRequests, Backlog, Event, Fault, Finished, Times
from exporter.sources.folder_store import FolderStore
from exporter.sources.log_objects import LogObjects
from exporter.sources.log_store import (
    DayListing,
    ListedObject,
    ObjectGoneError,
    StoreError,
    Stream,
    hour_of,
    key_of,
)
from exporter.usage import AwsRequest, Batch, LogObject, Progress, slot_of
from log_sources import open_bedrock_logs
from s3_server import S3Server, days_listed

ACCOUNT = "111122223333"
EAST, EUROPE = "us-east-1", "eu-central-1"
NOW = datetime(2026, 11, 21, 12, 30, tzinfo=UTC)
FILL_FROM = datetime(2026, 10, 1, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def never() -> bool:
    return False


def always() -> bool:
    return True


def times(now: datetime) -> Times:
    """The moments of a refresh: a first fill goes back to the first day of last month."""
    month = now.replace(day=1, hour=0, minute=0)
    return Times(now, fill_from=(month - DAY).replace(day=1), keep_from=month - 400 * DAY)


def unit_at(moment: datetime, name: str, region: str = EAST) -> LogObject:
    return LogObject(ACCOUNT, region, hour_of(moment), f"{moment:%Y%m%dT%H%M%S}000Z_{name}.json")


def put(folder: Path, moment: datetime, name: str, region: str = EAST) -> str:
    """Write a log object of one call with one input token; returns its name."""
    unit = unit_at(moment, name, region)
    path = folder / key_of(unit)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(call(moment, name, region))
    return unit.name


def call(moment: datetime, request_id: str, region: str) -> bytes:
    record = {
        "timestamp": f"{moment:%Y-%m-%dT%H:%M:%SZ}",
        "accountId": ACCOUNT,
        "region": region,
        "requestId": request_id,
        "modelId": "anthropic.claude-sonnet-4-6",
        "input": {"inputTokenCount": 1},
        "output": {"outputTokenCount": 1},
    }
    return json.dumps(record).encode()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "logs"


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[WritableLedger]:
    ledger = WritableLedger.open(tmp_path / "ledger.sqlite")
    yield ledger
    ledger.close()


def open_source(location: Path | str, lookback: timedelta = 48 * HOUR) -> LogObjects:
    return open_bedrock_logs(location, lookback=lookback)


def refresh(
    source: LogObjects,
    ledger: WritableLedger,
    now: datetime,
    is_due: Callable[[], bool] = never,
) -> list[Event]:
    """Do what the refresh loop does with the events of one round."""
    events = []
    for event in source.read(times(now), ledger, is_due):
        events.append(event)
        if isinstance(event, Batch):
            ledger.apply([event])
        elif isinstance(event, Progress):
            ledger.record_progress(event)
    return events


def read_names(events: list[Event]) -> list[str]:
    return [event.unit.name for event in events if isinstance(event, Batch)]


def faults(events: list[Event]) -> list[str]:
    return [event.reason for event in events if isinstance(event, Fault)]


def finished(events: list[Event]) -> Finished | None:
    return next((event for event in events if isinstance(event, Finished)), None)


def is_complete(events: list[Event]) -> bool:
    ended = finished(events)
    return ended is not None and ended.is_complete


def counted(ledger: WritableLedger) -> int:
    """Return how many calls the ledger holds."""
    return sum(summed.counts.requests for summed in ledger.sum_usage(0, 2**40).values())


class Listings:
    """Watches a folder's listings, and fails those of a region or the opening of a name."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.days: list[tuple[str, date]] = []
        self.unlistable: set[str] = set()
        self.unreadable: dict[str, Exception] = {}
        list_day, open_ = FolderStore.list_day, FolderStore.open

        def watched(store: FolderStore, account_id: str, region: str, day: date) -> DayListing:
            self.days.append((region, day))
            if region in self.unlistable:
                raise StoreError("access_denied", f"{region}: access denied")
            return list_day(store, account_id, region, day)

        def opened(store: FolderStore, listed: ListedObject) -> Stream:
            if error := self.unreadable.get(listed.unit.name):
                raise error
            return open_(store, listed)

        monkeypatch.setattr(FolderStore, "list_day", watched)
        monkeypatch.setattr(FolderStore, "open", opened)


@pytest.fixture
def listings(monkeypatch: pytest.MonkeyPatch) -> Listings:
    return Listings(monkeypatch)


@pytest.fixture
def one_object_a_task(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a refresh be due after every single object."""
    monkeypatch.setattr(reading_module, "_TASK_OBJECTS", 1)
    monkeypatch.setattr(reading_module, "_INLINE_TASKS", 10**6)


class TestWhatIsNew:
    def test_a_refresh_with_nothing_new_reads_nothing(self, folder, ledger) -> None:
        put(folder, NOW - HOUR, "a")
        source = open_source(folder)
        assert len(read_names(refresh(source, ledger, NOW))) == 1
        assert read_names(refresh(source, ledger, NOW + timedelta(minutes=5))) == []

    def test_a_restart_reads_nothing_again(self, folder, ledger) -> None:
        put(folder, NOW - HOUR, "a")
        put(folder, NOW - 30 * DAY, "b")
        refresh(open_source(folder), ledger, NOW)
        events = refresh(open_source(folder), ledger, NOW + HOUR)
        assert read_names(events) == []
        assert is_complete(events)

    def test_only_the_hours_that_can_still_receive_are_listed(
        self, folder, ledger, listings
    ) -> None:
        put(folder, NOW - HOUR, "a")
        source = open_source(folder)
        refresh(source, ledger, NOW)
        listings.days.clear()
        refresh(source, ledger, NOW + HOUR)
        assert listings.days == [
            (EAST, date(2026, 11, 21)),
            (EAST, date(2026, 11, 20)),
            (EAST, date(2026, 11, 19)),
        ]

    def test_an_object_delivered_late_into_an_old_hour_is_found(self, folder, ledger) -> None:
        put(folder, NOW - HOUR, "a")
        source = open_source(folder)
        refresh(source, ledger, NOW)
        late = put(folder, NOW - 47 * HOUR, "late")
        assert read_names(refresh(source, ledger, NOW + timedelta(minutes=5))) == [late]

    def test_an_object_later_than_the_lookback_is_not_looked_for(self, folder, ledger) -> None:
        put(folder, NOW - HOUR, "a")
        source = open_source(folder, lookback=6 * HOUR)
        refresh(source, ledger, NOW)
        put(folder, NOW - 8 * HOUR, "late")
        assert read_names(refresh(source, ledger, NOW + timedelta(minutes=5))) == []

    def test_an_outage_of_days_loses_nothing(self, folder, ledger) -> None:
        put(folder, NOW - HOUR, "a")
        refresh(open_source(folder), ledger, NOW)
        missed = [put(folder, NOW + hours * HOUR, f"h{hours}") for hours in range(0, 24 * 20, 7)]
        events = refresh(open_source(folder), ledger, NOW + 20 * DAY)
        assert read_names(events) == sorted(missed, reverse=True)
        assert is_complete(events)

    def test_an_hour_that_has_not_begun_is_left_for_later(self, folder, ledger) -> None:
        put(folder, NOW, "a")
        later = put(folder, NOW + HOUR, "later")
        source = open_source(folder)
        assert later not in read_names(refresh(source, ledger, NOW))
        assert read_names(refresh(source, ledger, NOW + HOUR)) == [later]

    def test_a_listing_cut_off_by_a_kill_is_done_again(self, folder, ledger) -> None:
        for hours in range(0, 40, 10):
            put(folder, NOW - hours * HOUR, f"h{hours}")
        events = open_source(folder).read(times(NOW), ledger, never)
        next(event for event in events if isinstance(event, Batch))  # read, never applied
        events.close()
        refresh(open_source(folder), ledger, NOW)
        assert counted(ledger) == 4


class TestAFirstFill:
    def test_goes_back_to_the_first_day_of_last_month_newest_first(self, folder, ledger) -> None:
        inside = [put(folder, FILL_FROM + days * DAY, f"d{days}") for days in range(0, 52, 3)]
        put(folder, FILL_FROM - HOUR, "before")
        events = refresh(open_source(folder), ledger, NOW)
        assert read_names(events) == sorted(inside, reverse=True)
        assert finished(events) == Finished(is_complete=True, history_read_to=None)

    def test_that_is_stopped_goes_on_where_it_was(self, folder, ledger, listings) -> None:
        for days in range(50):
            put(folder, FILL_FROM + days * DAY, f"d{days}")
        events = open_source(folder).read(times(NOW), ledger, never)
        for event in events:
            if isinstance(event, Batch):
                ledger.apply([event])
            elif isinstance(event, Progress):
                ledger.record_progress(event)
                if event.filled_to < datetime(2026, 11, 1, tzinfo=UTC):
                    break
        events.close()
        before = counted(ledger)
        listings.days.clear()
        events = refresh(open_source(folder), ledger, NOW + HOUR)
        assert len(read_names(events)) == 50 - before
        assert date(2026, 11, 1) not in {day for _, day in listings.days}
        assert is_complete(events)

    def test_lists_no_day_again_once_it_is_complete(self, folder, ledger, listings) -> None:
        put(folder, FILL_FROM, "a")
        source = open_source(folder)
        refresh(source, ledger, NOW)
        listings.days.clear()
        refresh(source, ledger, NOW + HOUR)
        assert min(day for _, day in listings.days) == date(2026, 11, 19)

    def test_says_how_far_it_got_while_it_runs(self, folder, ledger, one_object_a_task) -> None:
        for days in range(40):
            put(folder, NOW - days * DAY, f"d{days}")
        steps = []
        for _ in range(60):
            ended = finished(refresh(open_source(folder), ledger, NOW, is_due=always))
            assert ended is not None
            if ended.is_complete:
                break
            steps.append(ended.history_read_to)
        assert ended == Finished(is_complete=True, history_read_to=None)
        assert len(steps) > 35
        assert steps == sorted(steps, reverse=True)

    def test_that_is_cut_off_goes_back_as_far_in_the_next_month(
        self, folder, ledger, one_object_a_task
    ) -> None:
        names = [put(folder, NOW, "a"), put(folder, NOW - HOUR, "b"), put(folder, FILL_FROM, "c")]
        refresh(open_source(folder), ledger, NOW, is_due=always)
        events = refresh(open_source(folder), ledger, NOW + 12 * DAY)
        assert read_names(events) == names[1:]

    def test_of_a_region_that_appears_later_is_its_own(self, folder, ledger) -> None:
        put(folder, NOW - HOUR, "a")
        source = open_source(folder)
        refresh(source, ledger, NOW)
        appeared = [
            put(folder, NOW - 30 * DAY, "old", EUROPE),
            put(folder, NOW + HOUR, "new", EUROPE),
        ]
        events = refresh(source, ledger, NOW + HOUR)
        assert sorted(read_names(events)) == sorted(appeared)
        assert is_complete(events)

    def test_begins_in_the_hour_of_a_midnight_that_is_no_full_hour_of_utc(
        self, folder, ledger
    ) -> None:
        midnight = datetime(2026, 9, 30, 18, 30, tzinfo=UTC)  # of 1 October in Asia/Kolkata
        name = put(folder, midnight + timedelta(minutes=5), "a")
        moments = times(NOW)._replace(fill_from=midnight)
        events = list(open_source(folder).read(moments, ledger, never))
        assert read_names(events) == [name]
        assert is_complete(events)

    def test_that_the_lookback_covers_is_complete_at_once(self, folder, ledger) -> None:
        name = put(folder, FILL_FROM, "a")
        source = open_source(folder, lookback=NOW - FILL_FROM - timedelta(minutes=20))
        events = refresh(source, ledger, NOW)
        assert read_names(events) == [name]
        assert is_complete(events)


class TestARefreshThatIsDue:
    def test_stops_and_leaves_the_rest_to_the_next(self, folder, ledger, one_object_a_task) -> None:
        names = [put(folder, NOW - hours * HOUR, f"h{hours}") for hours in range(3)]
        first = refresh(open_source(folder), ledger, NOW, is_due=always)
        assert read_names(first) == names[:1]
        assert not is_complete(first)
        assert [event.objects for event in first if isinstance(event, Backlog)][-1] == 2
        second = refresh(open_source(folder), ledger, NOW)
        assert read_names(second) == names[1:]
        assert is_complete(second)

    def test_reads_something_however_soon_it_is_due(
        self, folder, ledger, one_object_a_task
    ) -> None:
        """One object a round is read, and one arrives every second round."""
        source = open_source(folder)
        names = [
            put(folder, NOW - number * timedelta(hours=8), f"n{number}") for number in range(40)
        ]
        rounds = 0
        events: list[Event] = []
        while not is_complete(events) and rounds < 200:
            rounds += 1
            now = NOW + rounds * timedelta(seconds=1)
            if rounds % 2:
                names.append(put(folder, now, f"new{rounds}"))
            events = refresh(source, ledger, now, is_due=always)
        assert counted(ledger) == len(names)
        assert is_complete(events)

    def test_takes_new_objects_before_history(self, folder, ledger, one_object_a_task) -> None:
        for days in range(3, 30):
            put(folder, NOW - days * DAY, f"d{days}")
        source = open_source(folder)
        refresh(source, ledger, NOW, is_due=always)
        new = put(folder, NOW, "new")
        assert read_names(refresh(source, ledger, NOW, is_due=always))[0] == new

    def test_goes_on_behind_an_object_that_is_never_readable(
        self, folder, ledger, listings, one_object_a_task
    ) -> None:
        names = [put(folder, NOW - days * DAY, f"d{days}") for days in range(12)]
        listings.unreadable[names[5]] = StoreError("access_denied", "no key")
        for _ in range(12):
            refresh(open_source(folder), ledger, NOW, is_due=always)
        assert counted(ledger) == 11


class TestAClock:
    def test_that_was_ahead_hides_nothing_that_came_since(self, folder, ledger) -> None:
        put(folder, NOW - HOUR, "a")
        source = open_source(folder)
        refresh(source, ledger, NOW + 10 * DAY)
        new = put(folder, NOW, "new")
        assert read_names(refresh(source, ledger, NOW)) == [new]
        after = put(folder, NOW + HOUR, "after")
        outage = refresh(source, ledger, NOW + 5 * DAY)
        assert read_names(outage) == [after]

    @pytest.mark.parametrize("ahead", [15 * DAY, 45 * DAY, 400 * DAY])
    def test_that_was_ahead_at_the_first_fill_hides_no_history(
        self, folder, ledger, listings, ahead
    ) -> None:
        for days in range(0, 51, 5):
            put(folder, NOW - days * DAY, f"d{days}")
        source = open_source(folder)
        refresh(source, ledger, NOW + ahead)
        listings.days.clear()
        events = refresh(source, ledger, NOW)
        assert counted(ledger) == 11
        assert is_complete(events)
        assert max(day for _, day in listings.days) == NOW.date()

    def test_that_is_behind_what_was_read_is_refused(self, folder, ledger) -> None:
        """It would have all hours listed again whose marks may be deleted by then."""
        put(folder, NOW - HOUR, "a")
        source = open_source(folder)
        refresh(source, ledger, NOW)
        known = ledger.all_progress(str(folder))
        events = refresh(source, ledger, datetime(1970, 1, 1, 0, 5, tzinfo=UTC))
        assert faults(events) == ["clock_behind"]
        assert not is_complete(events)
        assert ledger.all_progress(str(folder)) == known
        assert faults(refresh(source, ledger, NOW)) == []

    def test_that_steps_back_a_little_is_no_matter(self, folder, ledger) -> None:
        put(folder, NOW, "a")
        source = open_source(folder)
        refresh(source, ledger, NOW)
        assert faults(refresh(source, ledger, NOW - timedelta(minutes=59))) == []


class TestWhatCannotBeRead:
    def test_a_region_that_cannot_be_listed_stops_no_other(self, folder, ledger, listings) -> None:
        put(folder, NOW - HOUR, "denied", EUROPE)
        read = [put(folder, NOW - HOUR, "a"), put(folder, NOW - 30 * DAY, "b")]
        listings.unlistable.add(EUROPE)
        events = refresh(open_source(folder), ledger, NOW)
        assert read_names(events) == read
        assert faults(events) == ["access_denied"]
        assert not is_complete(events)

    def test_a_folder_that_cannot_be_listed_costs_itself_and_is_looked_at_again(
        self, folder, ledger, monkeypatch
    ) -> None:
        source = open_source(folder)
        read = [put(folder, NOW - HOUR, "a"), put(folder, NOW - 30 * DAY, "b")]
        missed = put(folder, NOW, "missed")
        closed = (folder / key_of(unit_at(NOW, "missed"))).parent
        scandir = os.scandir

        def refuse(path: Path) -> Iterator[os.DirEntry[str]]:
            if path == closed:
                raise PermissionError(errno.EACCES, "Permission denied", str(path))
            return scandir(path)

        with monkeypatch.context() as refused:
            refused.setattr(os, "scandir", refuse)
            events = refresh(source, ledger, NOW)
        assert read_names(events) == read
        assert faults(events) == ["access_denied"]
        assert not is_complete(events)
        assert read_names(refresh(source, ledger, NOW + 9 * DAY)) == [missed]

    def test_a_region_that_can_be_listed_again_has_lost_nothing(
        self, folder, ledger, listings
    ) -> None:
        source = open_source(folder)
        put(folder, NOW - HOUR, "a", EUROPE)
        refresh(source, ledger, NOW)
        missed = put(folder, NOW, "missed", EUROPE)
        listings.unlistable.add(EUROPE)
        refresh(source, ledger, NOW + HOUR)
        refresh(source, ledger, NOW + 9 * DAY)
        listings.unlistable.clear()
        events = refresh(source, ledger, NOW + 10 * DAY)
        assert read_names(events) == [missed]
        assert is_complete(events)

    def test_an_object_that_fails_is_tried_again_until_it_is_read(
        self, folder, ledger, listings
    ) -> None:
        bad = put(folder, NOW - HOUR, "bad")
        good = put(folder, NOW - 2 * HOUR, "good")
        listings.unreadable[bad] = StoreError("access_denied", "no key")
        source = open_source(folder)
        events = refresh(source, ledger, NOW)
        assert read_names(events) == [good]
        assert faults(events) == ["access_denied"]
        assert not is_complete(events)
        assert faults(refresh(source, ledger, NOW + 5 * DAY)) == ["access_denied"]
        listings.unreadable.clear()
        events = refresh(source, ledger, NOW + 10 * DAY)
        assert read_names(events) == [bad]
        assert is_complete(events)

    @pytest.mark.parametrize("bad", [0, 5, 20], ids=["new", "history", "old history"])
    def test_an_object_that_fails_keeps_no_other_day_from_being_read(
        self, folder, ledger, listings, bad
    ) -> None:
        names = [put(folder, NOW - days * DAY, f"d{days}") for days in range(30)]
        listings.unreadable[names[bad]] = StoreError("access_denied", "no key")
        events = refresh(open_source(folder), ledger, NOW)
        assert read_names(events) == [name for name in names if name != names[bad]]
        assert not is_complete(events)
        listings.unreadable.clear()
        events = refresh(open_source(folder), ledger, NOW)
        assert read_names(events) == [names[bad]]
        assert is_complete(events)

    def test_an_object_that_vanished_is_said_and_done_with(self, folder, ledger, listings) -> None:
        gone = put(folder, NOW - HOUR, "gone")
        listings.unreadable[gone] = ObjectGoneError(gone)
        events = refresh(open_source(folder), ledger, NOW)
        [fault] = [event for event in events if isinstance(event, Fault)]
        assert (fault.reason, fault.is_outage) == ("object_gone", False)
        assert gone in fault.text
        assert is_complete(events)

    def test_an_archived_object_is_said_once_and_keeps_nothing_waiting(
        self, folder, ledger, listings
    ) -> None:
        archived = put(folder, NOW - 40 * DAY, "archived")
        listings.unreadable[archived] = StoreError("archived", "restore it")
        source = open_source(folder)
        events = refresh(source, ledger, NOW)
        [fault] = [event for event in events if isinstance(event, Fault)]
        assert (fault.reason, fault.is_outage) == ("archived", False)
        assert is_complete(events)
        assert faults(refresh(source, ledger, NOW + HOUR)) == []

    def test_a_location_that_does_not_exist_is_said(self, folder, ledger) -> None:
        events = refresh(open_source(folder), ledger, NOW)
        assert faults(events) == ["not_found"]
        assert finished(events) is None

    def test_a_location_without_logs_is_said(self, folder, ledger) -> None:
        folder.mkdir()
        assert faults(refresh(open_source(folder), ledger, NOW)) == ["no_logs"]


class TestTwoLocations:
    def test_that_hold_the_same_objects_count_them_once(self, tmp_path, ledger) -> None:
        for days in range(0, 40, 4):
            put(tmp_path / "logs", NOW - days * DAY, f"d{days}")
        shutil.copytree(tmp_path / "logs", tmp_path / "copy")
        sources = [open_source(tmp_path / "logs"), open_source(tmp_path / "copy")]
        ended = [is_complete(refresh(source, ledger, NOW)) for source in sources]
        assert counted(ledger) == 10
        assert ended == [True, True]

    def test_of_one_region_are_each_read_whole(self, tmp_path, ledger) -> None:
        for days in range(0, 40, 4):
            put(tmp_path / "old bucket", NOW - days * DAY, f"old{days}")
            put(tmp_path / "new bucket", NOW - days * DAY, f"new{days}")
        for location in ("old bucket", "new bucket"):
            refresh(open_source(tmp_path / location), ledger, NOW)
        assert counted(ledger) == 20

    def test_that_are_read_at_the_same_time_count_once(self, tmp_path, ledger) -> None:
        """Neither knows that the other has listed the object too."""
        put(tmp_path / "logs", NOW, "a")
        put(tmp_path / "copy", NOW, "a")
        both = [
            batch
            for location in ("logs", "copy")
            for batch in open_source(tmp_path / location).read(times(NOW), ledger, never)
            if isinstance(batch, Batch)
        ]
        ledger.apply(both)
        assert (len(both), counted(ledger)) == (2, 1)


def test_records_out_of_time_are_rejected_by_the_moments_of_the_refresh(folder, ledger) -> None:
    unit = unit_at(NOW, "a")
    path = folder / key_of(unit)
    path.parent.mkdir(parents=True)
    moments = times(NOW)
    path.write_bytes(
        call(NOW + timedelta(minutes=59), "soon", EAST)
        + call(NOW + timedelta(minutes=76), "future", EAST)
        + call(moments.keep_from, "oldest", EAST)
        + call(moments.keep_from - timedelta(minutes=1), "expired", EAST)
    )
    [batch] = [
        event
        for event in open_source(folder).read(moments, ledger, never)
        if isinstance(event, Batch)
    ]
    assert batch.records == 2
    assert batch.rejected == {"future_timestamp": 1, "expired_timestamp": 1}
    assert {usage.slot for usage in batch.usage} == {
        slot_of(NOW + timedelta(minutes=59)),
        slot_of(moments.keep_from),
    }


@settings(deadline=None, max_examples=25)
@given(
    arrivals=st.lists(
        st.tuples(
            st.integers(0, 9),  # the round before which it arrives
            st.integers(0, 47),  # how many hours late
            st.sampled_from([EAST, EUROPE]),
        ),
        max_size=15,
    ),
    history=st.lists(st.integers(0, 24 * 45), max_size=10, unique=True),
    pauses=st.lists(st.sampled_from([0, 1, 5, 40, 24 * 6]), min_size=10, max_size=10),
    stops=st.lists(st.booleans(), min_size=200, max_size=200),
)
def test_whatever_arrives_when_and_however_refreshes_end_everything_counts_once(
    arrivals: list[tuple[int, int, str]],
    history: list[int],
    pauses: list[int],
    stops: list[bool],
) -> None:
    """An invariant over hours of arrival, outages, due refreshes and kills."""
    due, kill = iter(stops * 20), iter(stops[::-1] * 20)
    with ExitStack() as opened:
        name = opened.enter_context(tempfile.TemporaryDirectory())
        patch = opened.enter_context(pytest.MonkeyPatch.context())
        patch.setattr(reading_module, "_TASK_OBJECTS", 1)
        patch.setattr(reading_module, "_INLINE_TASKS", 10**6)
        folder = Path(name) / "logs"
        ledger = opened.enter_context(closing(WritableLedger.open(Path(name) / "ledger.sqlite")))
        now = NOW
        for hours in history:
            put(folder, NOW - hours * HOUR, f"h{hours}", EUROPE)
        for number, pause in enumerate(pauses):
            now += pause * HOUR
            for index, (at, late, region) in enumerate(arrivals):
                if at == number:
                    put(folder, now - late * HOUR, f"a{index}", region)
            folder.mkdir(exist_ok=True)
            for event in open_source(folder).read(times(now), ledger, lambda: next(due)):
                if next(kill) and number % 3 == 1:
                    break
                if isinstance(event, Batch):
                    ledger.apply([event])
                elif isinstance(event, Progress):
                    ledger.record_progress(event)
        events = refresh(open_source(folder), ledger, now)
        assert counted(ledger) == len(history) + len(arrivals)
        assert is_complete(events) or (not history and not arrivals)


class TestTheCostOfListing:
    """Requests to S3 are paid for one by one."""

    @pytest.fixture
    def s3(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[S3Server]:
        with S3Server() as s3:
            monkeypatch.setenv("AWS_ENDPOINT_URL", s3.url)
            monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
            monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
            yield s3

    def test_is_three_listings_a_region_and_one_an_account(self, s3, ledger) -> None:
        for region in (EAST, EUROPE):
            s3.put(key_of(unit_at(NOW, "a", region)), call(NOW, "a", region))
        source = open_source(s3.location)
        assert is_complete(refresh(source, ledger, NOW))
        s3.requests.clear()
        events = refresh(source, ledger, NOW + HOUR)
        assert days_listed(s3.lists) == [
            f"{ACCOUNT}/{region}/2026-11-{day}" for region in (EUROPE, EAST) for day in (19, 20, 21)
        ]
        assert len(s3.lists) == 6 + 1 + 1  # the accounts, and the regions of the one account
        assert s3.gets == []
        metered = sum((e.counts for e in events if isinstance(e, AwsRequests)), Counter())
        assert metered == {AwsRequest("s3", "ListObjectsV2"): 8}

    def test_is_metered_also_when_listing_fails(self, s3, ledger) -> None:
        events = refresh(open_source("s3://no-such-bucket"), ledger, NOW)
        assert faults(events) == ["not_found"]
        assert events[-1] == AwsRequests(Counter({AwsRequest("s3", "ListObjectsV2"): 1}))
