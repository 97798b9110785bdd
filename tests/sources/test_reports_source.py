"""Daily reports of two accounts and both products, from a folder and from S3, each read once."""

import gzip
import os
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from remembered import Remembered, refresh, times

from exporter.assistant_usage import Activity, Credits, Delivery, Product, ReportBatch
from exporter.config import ActivityReports, KiroReports
from exporter.identity import Privacy
from exporter.sources.events import Fault, Finished
from exporter.sources.log_objects import LogObjects
from exporter.sources.log_store import hour_of, key_of
from exporter.sources.reading import ReaderPool
from exporter.sources.reports import activity_reports, kiro_reports
from exporter.usage import LogObject
from log_sources import Put, put_into
from s3_server import S3Server

SHOP, BANK = "111122223333", "444455556666"
EAST, EUROPE = "us-east-1", "eu-central-1"
NOW = datetime(2026, 11, 21, 12, 30, tzinfo=UTC)
MIDNIGHT = datetime(2026, 11, 21, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
Q_ACTIVITY, KIRO_ACTIVITY = "QDeveloperLogs/by_user_analytic", "KiroLogs/by_user_analytic"
CREDITS = "KiroLogs/user_report"
USER = "6f9619ff-8b86-4d01-b42d-00cf4fc964ff"
STAMP = "202611210000"

Opened = Callable[..., LogObjects]


def report_at(
    moment: datetime, name: str, folder: str = Q_ACTIVITY, account: str = SHOP, region: str = EAST
) -> LogObject:
    return LogObject(account, region, hour_of(moment), f"{folder}/{name}")


def activity(day: date, messages: int = 3) -> bytes:
    return f'UserId,Date,Chat_MessagesSent\n"{USER}",{day:%m-%d-%Y},{messages}\n'.encode()


def credits(day: date) -> bytes:
    header = "Date,UserId,Client_Type,Credits_Used,Overage_Enabled,Subscription_Tier\n"
    return f'{header}{day},"{USER}",KIRO_IDE,12.5,false,PRO\n'.encode()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "logs"


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[S3Server]:
    with S3Server() as s3:
        monkeypatch.setenv("AWS_ENDPOINT_URL", s3.url)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
        yield s3


@pytest.fixture(params=["folder", "s3"])
def place(request: pytest.FixtureRequest, folder: Path) -> tuple[str, Put]:
    """A location, and what stores an object there."""
    if request.param == "folder":
        return str(folder), put_into(folder)
    s3: S3Server = request.getfixturevalue("s3")
    return s3.location, s3.put


def open_activity(location: Path | str, **options: Any) -> LogObjects:
    settings = ActivityReports(type="activity_reports", location=str(location), **options)
    return activity_reports(settings, None, Privacy(), ReaderPool(processes=1))


def open_credits(location: Path | str, **options: Any) -> LogObjects:
    settings = KiroReports(type="kiro_reports", location=str(location), **options)
    return kiro_reports(settings, None, Privacy(), ReaderPool(processes=1))


def batches(events: list[Any]) -> dict[LogObject, ReportBatch]:
    return {event.unit: event for event in events if isinstance(event, ReportBatch)}


def faults(events: list[Any]) -> list[str]:
    return [event.reason for event in events if isinstance(event, Fault)]


def is_complete(events: list[Any]) -> bool:
    return any(isinstance(event, Finished) and event.is_complete for event in events)


def test_activity_of_accounts_and_products_is_read_wherever_it_lies(place) -> None:
    location, put = place
    yesterday = (NOW - DAY).date()
    stored = {
        report_at(MIDNIGHT, f"{SHOP}_by_user_analytic_{STAMP}.csv"): activity(yesterday),
        report_at(
            MIDNIGHT, f"{BANK}_by_user_analytic_{STAMP}_report.csv.gz", KIRO_ACTIVITY, BANK, EUROPE
        ): gzip.compress(activity(yesterday, 4)),
        report_at(MIDNIGHT - 30 * DAY, "old.csv"): activity(yesterday - 30 * DAY, 5),
    }
    for unit, content in stored.items():
        put(key_of(unit), content)
    put(key_of(report_at(MIDNIGHT, "not-activity.csv", CREDITS)), credits(yesterday))
    source, known = open_activity(location), Remembered()
    events = refresh(source, known, NOW)
    assert (faults(events), is_complete(events)) == ([], True)
    read = batches(events)
    assert read.keys() == stored.keys()
    assert all(
        batch.rejected == {} and batch.source == "activity_reports" for batch in read.values()
    )
    assert [read[unit].rows for unit in stored] == [
        (Activity(yesterday, Product.QDEVELOPER, USER, (("chat_messages_sent", 3),)),),
        (Activity(yesterday, Product.KIRO, USER, (("chat_messages_sent", 4),)),),
        (Activity(yesterday - 30 * DAY, Product.QDEVELOPER, USER, (("chat_messages_sent", 5),)),),
    ]
    assert batches(refresh(source, known, NOW + HOUR)) == {}


def test_credits_are_read_wherever_they_lie(place) -> None:
    location, put = place
    yesterday = (NOW - DAY).date()
    unit = report_at(MIDNIGHT + 2 * HOUR, f"KIRO_IDE_{SHOP}_user_report_{STAMP}.csv", CREDITS)
    put(key_of(unit), credits(yesterday))
    put(key_of(report_at(MIDNIGHT, "not-credits.csv", KIRO_ACTIVITY)), activity(yesterday))
    events = refresh(open_credits(location), Remembered(), NOW)
    assert (faults(events), is_complete(events)) == ([], True)
    [batch] = batches(events).values()
    assert (batch.unit, batch.rejected, batch.source) == (unit, {}, "kiro_reports")
    [row] = batch.rows
    assert isinstance(row, Credits)
    assert (row.day, row.user, row.tier, str(row.used)) == (yesterday, USER, "PRO", "12.5")


def test_a_report_that_is_delivered_again_is_read_as_another(folder: Path) -> None:
    put, source, known = put_into(folder), open_activity(folder), Remembered()
    yesterday = (NOW - DAY).date()
    read = []
    for messages, stamp in enumerate(("202611210000", "202611210900"), 1):
        name = f"{SHOP}_by_user_analytic_{stamp}.csv"
        put(key_of(report_at(MIDNIGHT, name)), activity(yesterday, messages))
        [batch] = batches(refresh(source, known, NOW + messages * HOUR)).values()
        read.append((batch.delivery, dict(batch.rows[0].counts)))
    series = f"{SHOP}_by_user_analytic"
    assert [counts["chat_messages_sent"] for _, counts in read] == [1, 2]
    assert {delivery.series for delivery, _ in read} == {series}
    stamps = [delivery.stamp for delivery, _ in read]
    assert stamps == sorted(set(stamps))
    assert all(isinstance(delivery, Delivery) for delivery, _ in read)


def test_a_report_that_is_written_again_under_its_name_is_read_again(place) -> None:
    location, put = place
    source, known, yesterday = open_activity(location), Remembered(), (NOW - DAY).date()
    key = key_of(report_at(MIDNIGHT, f"{SHOP}_by_user_analytic_{STAMP}.csv"))
    versions = set()
    for hour, messages in enumerate((3, 40)):
        put(key, activity(yesterday, messages))
        [batch] = batches(refresh(source, known, NOW + hour * HOUR)).values()
        assert dict(batch.rows[0].counts) == {"chat_messages_sent": messages}
        versions.add(batch.version)
        assert batches(refresh(source, known, NOW + hour * HOUR)) == {}
    assert len(versions) == 2


def test_days_out_of_time_are_rejected_by_the_moments_of_the_refresh(folder: Path) -> None:
    late = datetime(2026, 11, 21, 22, 59, tzinfo=UTC)
    oldest = times(late).keep_from.date()
    days = {
        "today.csv": late.date(),
        "tomorrow.csv": late.date() + DAY,
        "oldest.csv": oldest,
        "expired.csv": oldest - DAY,
    }
    for name, day in days.items():
        put_into(folder)(key_of(report_at(MIDNIGHT, name)), activity(day))

    def rejected(now: datetime) -> dict[str, dict[str, int]]:
        read = batches(refresh(open_activity(folder), Remembered(), now))
        return {unit.name.rpartition("/")[2]: dict(read[unit].rejected) for unit in sorted(read)}

    told = {"expired.csv": {"expired_timestamp": 1}, "oldest.csv": {}, "today.csv": {}}
    assert rejected(late) == told | {"tomorrow.csv": {"future_timestamp": 1}}
    assert rejected(late + timedelta(minutes=1)) == told | {"tomorrow.csv": {}}


@pytest.mark.parametrize(
    ("opened", "logs"),
    [(open_activity, "activity reports"), (open_credits, "Kiro reports")],
    ids=["activity", "credits"],
)
def test_a_location_that_has_no_reports_is_told(folder: Path, opened: Opened, logs: str) -> None:
    chat = "KiroLogs/GenerateAssistantResponse"
    put_into(folder)(key_of(report_at(MIDNIGHT, "x.json", chat)), b"{}")
    events = refresh(opened(folder), Remembered(), NOW)
    [fault] = [event for event in events if isinstance(event, Fault)]
    assert fault.reason == "no_logs"
    assert fault.text.startswith(f"{folder}/AWSLogs/: no {logs}; ")


def test_progress_of_each_kind_of_report_is_kept_apart(folder: Path) -> None:
    put, known = put_into(folder), Remembered()
    put(key_of(report_at(MIDNIGHT, "a.csv")), activity((NOW - DAY).date()))
    put(key_of(report_at(MIDNIGHT, "a.csv", CREDITS)), credits((NOW - DAY).date()))
    for source in (open_activity(folder), open_credits(folder)):
        assert len(batches(refresh(source, known, NOW))) == 1
    assert known.locations == {f"{folder} (activity_reports)", f"{folder} (kiro_reports)"}


def test_a_report_that_comes_late_is_found_within_the_lookback(folder: Path) -> None:
    put, source, known = put_into(folder), open_activity(folder), Remembered()
    put(key_of(report_at(MIDNIGHT, "a.csv")), activity((NOW - DAY).date()))
    refresh(source, known, NOW)
    late = report_at(MIDNIGHT - 6 * DAY, "late.csv")
    put(key_of(late), activity((NOW - 7 * DAY).date()))
    assert batches(refresh(source, known, NOW + HOUR)).keys() == {late}


class TestAReportThatIsBeingCopied:
    """The numbers in half a report look like any others."""

    whole = activity(date(2026, 11, 20), 300) + f'"{USER[::-1]}",11-20-2026,450\n'.encode()

    @pytest.mark.parametrize("bytes_there", [0, len(whole) - 2, len(whole) - 1])
    def test_is_read_again_until_it_was_left_alone_for_a_minute(
        self, folder: Path, bytes_there: int
    ) -> None:
        unit = report_at(MIDNIGHT, "a.csv")
        put_into(folder)(key_of(unit), self.whole[:bytes_there])
        source, known = open_activity(folder), Remembered()
        events = refresh(source, known, NOW)
        assert (faults(events), batches(events)) == (["unsettled"], {})

        put_into(folder)(key_of(unit), self.whole)
        [batch] = batches(refresh(source, known, NOW + HOUR)).values()
        assert len(batch.rows) == 2

    def test_is_taken_as_it_is_after_a_minute(self, folder: Path) -> None:
        unit = report_at(MIDNIGHT, "a.csv")
        put_into(folder)(key_of(unit), self.whole[:-1])
        os.utime(folder / key_of(unit), (time.time() - 61, time.time() - 61))
        [batch] = batches(refresh(open_activity(folder), Remembered(), NOW)).values()
        assert len(batch.rows) == 2

    @pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
    def test_is_not_suspected_once_its_last_line_ends(self, folder: Path, end: bytes) -> None:
        put_into(folder)(key_of(report_at(MIDNIGHT, "a.csv")), self.whole.replace(b"\n", end))
        [batch] = batches(refresh(open_activity(folder), Remembered(), NOW)).values()
        assert len(batch.rows) == 2

    def test_is_not_suspected_in_gzip_that_ends(self, folder: Path) -> None:
        unit = report_at(MIDNIGHT, "a.csv.gz")
        put_into(folder)(key_of(unit), gzip.compress(self.whole[:-1]))
        [batch] = batches(refresh(open_activity(folder), Remembered(), NOW)).values()
        assert len(batch.rows) == 2

    def test_is_whole_where_s3_shows_it(self, s3: S3Server) -> None:
        s3.put(key_of(report_at(MIDNIGHT, "a.csv")), self.whole[:-1])
        [batch] = batches(refresh(open_activity(s3.location), Remembered(), NOW)).values()
        assert len(batch.rows) == 2
