"""A history holds, at each moment, what a snapshot of the usage until then would have shown."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse

from exporter.backfill import BackfillError, parse_request, spool, write_history
from exporter.backfill.moments import choose_moments
from exporter.cli import main
from exporter.ledger import FIRST_FILL
from exporter.metrics import CATALOGUE, Type
from exporter.snapshot import Snapshot
from exporter.usage import Progress, Usage, slot_of, slot_start
from snapshots import ACCOUNT, HAIKU, REGION, UNKNOWN_MODEL, Exporter, config, used, utc
from tools import ROOT

NOW = utc("2026-11-20T12:00")
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
OF_THE_EXPORTER = {
    "bedrock_usage_source_info",
    "bedrock_newest_record_timestamp_seconds",
    *(name for name in CATALOGUE if name.startswith("bedrock_exporter_")),
    *(name for name in CATALOGUE if name.startswith(("qdeveloper_", "kiro_"))),
}
"""What the ledger cannot know of the past, or is not told of it."""

Series = tuple[str, frozenset[tuple[str, str]]]


class Asked(NamedTuple):
    """What is asked of a history, as it is typed."""

    first: str | None = None
    last: str | None = None
    step: str = "1h"
    labels: tuple[str, ...] = ()
    wait: str = "0s"


WHOLE = Asked()


class History:
    """A written history, read by Prometheus' own strict parser."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.moments: dict[int, dict[Series, float]] = {}
        for family in parse(text):
            for sample in family.samples:
                at = self.moments.setdefault(int(float(sample.timestamp)), {})
                series = sample.name, frozenset(sample.labels.items())
                assert series not in at
                at[series] = sample.value

    def at(self, moment: datetime, name: str, **labels: str) -> float | None:
        """Return the sum of the series of a metric with these labels; None where none is."""
        found = [
            value
            for (metric, own), value in self.moments.get(int(moment.timestamp()), {}).items()
            if metric == name and labels.items() <= dict(own).items()
        ]
        return sum(found) if found else None


def write(folder: Path, *usage: Usage, now: datetime = NOW, asked: Asked = WHOLE, **sections: Any):
    """Write the history of a filled ledger, and read it."""
    exporter = Exporter(folder, **sections)
    exporter.fill(*usage)
    exporter.ledger.leave_note(FIRST_FILL, "now")
    return write_of(exporter, now, asked, **sections)


def write_of(exporter: Exporter, now: datetime, asked: Asked, **sections: Any) -> History:
    """Write the history of an exporter's ledger beside it, and read it."""
    output = exporter.ledger.path.with_name("history.om")
    filled = config(ledger=exporter.ledger.path, **sections)
    write_history(filled, parse_request(*asked), output, lambda: now, never)
    return History(output.read_text(encoding="utf-8"))


def never(seconds: float) -> None:
    raise AssertionError("nothing was to be waited for")


def gauges(snapshot: Snapshot) -> dict[Series, float]:
    """What a snapshot shows of usage and limits, but for its counters."""
    return {
        (family.metric.name, frozenset(zip(family.labels, values, strict=True))): float(value)
        for family in snapshot.families
        if family.metric.type is Type.GAUGE and family.metric.name not in OF_THE_EXPORTER
        for values, value in family.samples.items()
    }


LIMITS = [
    {"name": "all", "measure": "cost_usd", "period": "month", "threshold": 7},
    {"name": "each", "by": ["user"], "measure": "tokens", "period": "day", "threshold": 1000},
    {"name": "week", "by": ["model"], "measure": "requests", "period": "week", "threshold": 9},
]
OVERRIDE = {"model": HAIKU, "effective_from": "2026-11-13", "usd_per_million_tokens": {"input": 9}}
SECTIONS = {"limits": LIMITS, "prices": {"overrides": [OVERRIDE]}}

EARLY = utc("2026-11-04T12:00")
"""A now whose week began in this month, and whose last 7 days in the month before."""

calls = st.builds(
    used,
    st.integers(1, 12 * 96).map(lambda slots: EARLY - slots * timedelta(minutes=15)),
    st.sampled_from(["alice", "bob"]),
    model=st.sampled_from([HAIKU, UNKNOWN_MODEL]),
    outcome=st.sampled_from(["ok", "ok", "ThrottlingException"]),
    requests=st.integers(1, 3),
    input=st.integers(0, 10**6),
    cache_read=st.integers(0, 10),
)


@settings(max_examples=12, deadline=None)
@given(
    usage=st.lists(calls, min_size=1, max_size=12),
    zone=st.sampled_from(["UTC", "Asia/Kolkata", "America/New_York"]),
    step=st.sampled_from(["12h", "1d"]),
    data=st.data(),
)
def test_every_moment_shows_what_a_ledger_of_the_usage_until_then_shows(
    usage: list[Usage], zone: str, step: str, data: st.DataObject
) -> None:
    sections = {**SECTIONS, "timezone": zone}
    with TemporaryDirectory() as folder:
        history = write(Path(folder), *usage, now=EARLY, asked=Asked(step=step), **sections)
    moments = sorted(history.moments)
    assert moments[-1] == EARLY.timestamp()
    for moment in {moments[-1], data.draw(st.sampled_from(moments))}:
        over = [u for u in usage if slot_start(u.slot + 1).timestamp() <= moment]
        with TemporaryDirectory() as folder:
            then = Exporter(Path(folder), **sections)
            then.fill(*over)
            expected = gauges(then.peek(datetime.fromtimestamp(moment, UTC)))
        found = history.moments[moment]
        assert {s: v for s, v in found.items() if not s[0].endswith("_total")} == expected


@settings(max_examples=12, deadline=None)
@given(usage=st.lists(calls, min_size=1, max_size=12))
def test_counters_begin_at_0_and_end_with_all_usage_of_the_history(usage: list[Usage]) -> None:
    with TemporaryDirectory() as folder:
        history = write(Path(folder), *usage, now=EARLY, asked=Asked(step="12h"), **SECTIONS)
    last: dict[Series, float] = {}
    for _, samples in sorted(history.moments.items()):
        for series, value in samples.items():
            if series[0].endswith("_total"):
                assert value >= last[series] if series in last else value == 0
                last[series] = value
    errors = [u.counts.requests for u in usage if u.fact.outcome != "ok"]
    tokens = [u.counts.input + u.counts.cache_read for u in usage if u.fact.outcome == "ok"]
    for name, expected in {
        "bedrock_requests_total": sum(u.counts.requests for u in usage),
        "bedrock_request_errors_total": sum(errors),
        "bedrock_tokens_total": sum(tokens),
    }.items():
        assert sum(value for series, value in last.items() if series[0] == name) == expected


def test_usage_counts_once_its_slot_is_over(tmp_path: Path) -> None:
    history = write(tmp_path, used(NOW - HOUR), used(NOW - HOUR / 2), asked=Asked(step="15m"))
    shown = {
        minutes: history.at(NOW - timedelta(minutes=minutes), "bedrock_requests_today")
        for minutes in (60, 45, 30, 15, 0)
    }
    assert shown == {60: None, 45: 1, 30: 1, 15: 2, 0: 2}


def test_a_day_is_whole_at_midnight_of_the_configured_time_zone(tmp_path: Path) -> None:
    midnight = utc("2026-11-19T18:30")  # in Kolkata
    last_quarter = used(midnight - timedelta(minutes=15), requests=5)
    history = write(tmp_path, used(NOW - 2 * DAY), last_quarter, timezone="Asia/Kolkata")
    for moment in (midnight, midnight + timedelta(seconds=1)):
        assert history.at(moment, "bedrock_requests_today") == 0
        assert history.at(moment, "bedrock_requests_month_to_date") == 6
        assert history.at(moment, "bedrock_requests_total") == 6


def test_a_label_set_that_is_not_used_again_vanishes_when_its_month_ends(tmp_path: Path) -> None:
    end = utc("2026-11-01T00:00")
    usage = used(end - DAY, "alice"), used(end + DAY, "bob")
    history = write(tmp_path, *usage, asked=Asked(last="2026-11-02"))
    month = "bedrock_requests_month_to_date"
    assert history.at(end - HOUR, month, user="alice") == 1
    assert history.at(end, month, user="alice") is None
    assert history.at(end, "bedrock_cost_usd_previous_month", user="alice") is not None


def test_what_came_in_late_counts_when_it_was_used(tmp_path: Path) -> None:
    exporter = Exporter(tmp_path)
    exporter.fill(used(NOW - DAY))
    exporter.ledger.leave_note(FIRST_FILL, "now")
    exporter.fill(used(NOW - DAY, "bob"))
    history = write_of(exporter, NOW, Asked())
    assert history.at(NOW - DAY + HOUR, "bedrock_requests_today") == 2


def test_a_price_that_the_configuration_corrects_is_that_of_the_whole_history(
    tmp_path: Path,
) -> None:
    million = used(NOW - 3 * DAY, model=HAIKU, input=10**6)
    history = write(tmp_path, million, **SECTIONS)  # $0.25 a million, $9 from the 13th on
    assert history.at(NOW - 2 * DAY, "bedrock_cost_usd_month_to_date") == 9


def test_users_fold_as_they_do_live_and_stay_unfolded_for_the_month(tmp_path: Path) -> None:
    cheap = used(NOW - 3 * DAY, "early", input=1)
    many = [used(NOW - DAY, f"user-{number}", input=1000 + number) for number in range(30)]
    history = write(tmp_path, cheap, *many, metrics={"max_series": 100})
    month = "bedrock_requests_month_to_date"
    assert history.at(NOW, month) == 31
    assert history.at(NOW, month, user="other") > 1
    assert history.at(NOW, month, user="early") == 1
    assert max(map(len, history.moments.values())) <= 100


def test_all_is_told_but_what_the_ledger_cannot_know(tmp_path: Path) -> None:
    exporter = Exporter(tmp_path, **SECTIONS)
    exporter.fill(
        used(NOW - 30 * DAY, input=1),
        used(NOW - DAY, input=1, cache_read=1),
        used(NOW - DAY, model=UNKNOWN_MODEL, input=1),
        used(NOW - DAY, outcome="ThrottlingException"),
        newest=NOW - DAY,
    )
    exporter.ledger.leave_note(FIRST_FILL, "now")
    sections = {**SECTIONS, "attribution": {"applications": {"Shop": {"team": "sales"}}}}
    history = write_of(exporter, NOW, Asked(step="1d"), **sections)
    told = {name for samples in history.moments.values() for name, _ in samples}
    assert told == CATALOGUE.keys() - OF_THE_EXPORTER


def test_hours_of_which_only_a_part_was_read_are_left_out(tmp_path: Path) -> None:
    """Objects of the first hour hold some records of the hour before."""
    exporter = Exporter(tmp_path)
    begin = utc("2026-10-01T00:00")
    exporter.fill(used(begin - timedelta(minutes=15), requests=3), used(begin + HOUR))
    exporter.ledger.leave_note(FIRST_FILL, "now")
    filled = Progress("logs", ACCOUNT, REGION, NOW, filled_to=begin, fill_from=begin)
    exporter.ledger.record_progress(filled)
    history = write_of(exporter, NOW, Asked(last="2026-10-01"))
    assert history.at(begin + 2 * HOUR, "bedrock_requests_month_to_date") == 1
    assert history.at(begin + 2 * HOUR, "bedrock_cost_usd_previous_month") is None
    assert history.at(begin + 2 * HOUR, "bedrock_hour_of_day_requests") == 1


# The range.


def times(first_slot: str, now: datetime = NOW, zone: str = "UTC", **asked: str) -> list[str]:
    """Return the chosen moments, in UTC, as 20 12:00:00: day of the month, and time."""
    chosen = choose_moments(
        parse_request(*Asked(**asked)), slot_of(utc(first_slot)), now, ZoneInfo(zone)
    )
    return [f"{datetime.fromtimestamp(moment, UTC):%d %H:%M:%S}" for moment in chosen]


def test_both_ends_of_the_range_are_in_it() -> None:
    assert times("2026-01-01T00:00", first="2026-11-17", last="2026-11-18", step="12h") == [
        *("17 00:00:00", "17 00:00:01", "17 12:00:00"),
        *("18 00:00:00", "18 00:00:01", "18 12:00:00", "19 00:00:00"),
    ]


@pytest.mark.parametrize("last", [None, "2026-11-20", "2027-01-01"])
def test_nothing_is_later_than_the_last_quarter_of_an_hour_that_is_over(last: str | None) -> None:
    now = NOW + timedelta(minutes=59, seconds=59)
    asked = {"last": last} if last else {}
    assert times("2026-01-01T00:00", now=now, first="2026-11-20", step="6h", **asked) == [
        *("20 00:00:00", "20 00:00:01", "20 06:00:00", "20 12:00:00", "20 12:45:00"),
    ]


def test_without_a_first_day_it_is_the_first_of_last_month() -> None:
    assert times("2026-01-01T00:00", zone="Asia/Kolkata")[:2] == ["30 18:30:00", "30 18:30:01"]


def test_a_range_begins_where_the_ledger_does() -> None:
    begun = times("2026-11-20T10:45", first="2026-10-01")
    assert begun == ["20 10:45:00", "20 11:00:00", "20 12:00:00"]


def test_days_begin_in_the_configured_time_zone() -> None:
    day = {"first": "2026-11-18", "last": "2026-11-18", "step": "6h"}
    assert times("2026-01-01T00:00", zone="Asia/Kolkata", **day) == [
        *("17 18:30:00", "17 18:30:01", "18 00:00:00", "18 06:00:00", "18 12:00:00"),
        *("18 18:00:00", "18 18:30:00"),
    ]


def test_a_day_of_25_hours_is_whole() -> None:
    day = {"first": "2026-11-01", "last": "2026-11-01"}
    hours = times("2026-01-01T00:00", zone="America/New_York", **day)
    assert (hours[0], hours[-1], len(hours)) == ("01 04:00:00", "02 05:00:00", 27)


def test_a_first_day_to_come_is_refused() -> None:
    with pytest.raises(BackfillError, match="--from 2026-11-21 has not begun: today is 2026-11-20"):
        times("2026-01-01T00:00", first="2026-11-21")


@pytest.mark.parametrize("usage", [[], [used(NOW - DAY)]], ids=["no usage", "usage after it"])
def test_a_range_without_usage_makes_a_history_without_samples(
    tmp_path: Path, usage: list[Usage]
) -> None:
    asked = Asked(first="2026-11-01", last="2026-11-02")
    assert write(tmp_path, *usage, asked=asked).text == "# EOF\n"


# The text.


def test_target_labels_are_added_where_a_metric_has_no_such_label(tmp_path: Path) -> None:
    labels = ("job=bedrock", "region=eu-west-9", "application=x")
    history = write(tmp_path, used(NOW - DAY), asked=Asked(labels=labels), limits=LIMITS)
    assert history.at(NOW, "bedrock_requests_today", job="bedrock", region=REGION) == 0
    assert history.at(NOW, "bedrock_model_info", region="eu-west-9", application="x") == 1
    assert history.at(NOW, "usage_limit_used", limit="all", region="", application="") is not None
    assert all(("job", "bedrock") in labels for at in history.moments.values() for _, labels in at)


def test_names_of_any_characters_come_out_as_they_went_in(tmp_path: Path) -> None:
    name = 'e"v\\e <é> 😀'
    history = write(tmp_path, used(NOW - DAY, name), asked=Asked(labels=('job=a"\\b\n',)))
    assert history.at(NOW, "bedrock_requests_today", user=name, job='a"\\b\n') == 0


def test_values_are_those_of_the_exposition_to_the_last_digit(tmp_path: Path) -> None:
    history = write(tmp_path, used(NOW - HOUR, input=10**15 + 1, output=7))
    expected = float(Decimal(10**15 + 1) * 3 / 10**6 + Decimal(7) * 15 / 10**6)
    assert history.at(NOW, "bedrock_cost_usd_today") == expected


def test_it_does_not_matter_how_much_fits_into_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    exporter = Exporter(tmp_path)
    exporter.fill(*(used(NOW - n * HOUR, f"user-{n % 9}", input=n) for n in range(1, 20)))
    exporter.ledger.leave_note(FIRST_FILL, "now")
    whole = write_of(exporter, NOW, Asked())
    monkeypatch.setattr(spool, "_BUFFERED_SAMPLES", 50)
    monkeypatch.setattr(spool, "_SERIES_PER_FILE", 4)
    assert write_of(exporter, NOW, Asked()).text == whole.text
    assert sorted(path.name for path in tmp_path.iterdir() if "ledger" not in path.name) == [
        "history.om"
    ]


# Where it goes.


def test_a_pipe_is_written_into_and_stays(tmp_path: Path) -> None:
    pipe = tmp_path / "history.om"
    os.mkfifo(pipe)
    with ThreadPoolExecutor() as pool:
        read = pool.submit(pipe.read_text, encoding="utf-8")
        exporter = Exporter(tmp_path)
        exporter.ledger.leave_note(FIRST_FILL, "now")
        write_to(pipe, exporter)
        assert read.result() == "# EOF\n"
    assert pipe.is_fifo()


def test_a_link_leads_to_the_file_that_is_written(tmp_path: Path) -> None:
    file, link = tmp_path / "file", tmp_path / "link"
    link.symlink_to(file)
    exporter = Exporter(tmp_path)
    exporter.ledger.leave_note(FIRST_FILL, "now")
    write_to(link, exporter)
    assert link.is_symlink() and file.read_text() == "# EOF\n"


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    exporter = Exporter(tmp_path)
    exporter.ledger.leave_note(FIRST_FILL, "now")
    with pytest.raises(BackfillError, match=r"nowhere/out cannot be written: No such file"):
        write_to(tmp_path / "nowhere" / "out", exporter)


def write_to(output: Path, exporter: Exporter) -> None:
    filled = config(ledger=exporter.ledger.path)
    write_history(filled, parse_request(*WHOLE), output, lambda: NOW, never)


def run(folder: Path, *arguments: str) -> Result:
    """Run the command on a ledger of some folder."""
    return CliRunner().invoke(main, ["backfill", f"--config.file={configure(folder)}", *arguments])


def configure(folder: Path) -> Path:
    """Write a configuration for the ledger of some folder."""
    file = folder / "config.yaml"
    file.write_text("ledger: ledger.sqlite\nsources: [{type: invocation_logs, location: logs}]\n")
    return file


def test_standard_output_is_the_history_and_nothing_else(tmp_path: Path) -> None:
    exporter = Exporter(tmp_path)
    exporter.fill(used(datetime.now(UTC) - DAY))
    exporter.ledger.leave_note(FIRST_FILL, "now")
    result = run(tmp_path, "--step=1d", "--label=job=bedrock")
    assert result.exit_code == 0
    assert History(result.stdout).moments
    assert re.fullmatch(
        r"\d+ series with \d+ samples at \d+ moments from .+Z to .+Z\n", result.stderr
    )


def test_a_refused_history_leaves_the_file_of_an_earlier_one(tmp_path: Path) -> None:
    output = tmp_path / "history.om"
    output.write_text("# EOF\n")
    result = run(tmp_path, f"--output={output}")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "ledger.sqlite does not exist" in result.stderr
    assert output.read_text() == "# EOF\n"


def test_who_is_asked_to_end_leaves_nothing_unfinished(tmp_path: Path) -> None:
    exporter = Exporter(tmp_path)
    exporter.fill(used(datetime.now(UTC) - DAY))
    exporter.ledger.leave_note(FIRST_FILL, "now")
    unfinished, pipe = tmp_path / "tmp", tmp_path / "pipe"
    unfinished.mkdir()
    os.mkfifo(pipe)  # which nobody reads, so that it waits to be written
    command = [sys.executable, "-m", "exporter", "backfill", f"--output={pipe}", "--step=1d"]
    with subprocess.Popen(
        [*command, f"--config.file={configure(tmp_path)}"],
        cwd=ROOT,
        env=os.environ | {"TMPDIR": str(unfinished)},
    ) as process:
        deadline = time.monotonic() + 20
        while not list(unfinished.rglob("*")) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert list(unfinished.iterdir())
        process.terminate()
        assert process.wait(10) == 128 + signal.SIGTERM
    assert list(unfinished.iterdir()) == []


def test_a_mistyped_flag_is_refused_before_anything_is_looked_for(tmp_path: Path) -> None:
    result = run(tmp_path, "--step=7m", "--wait=10m")
    assert result.exit_code == 2
    assert "--step 7m: usage is kept by the quarter-hour" in result.stderr


# The ledger.


def refuse(folder: Path, **asked: str) -> str:
    """Return why no history is written."""
    settings_ = config(ledger=folder / "ledger.sqlite")
    with pytest.raises(BackfillError) as caught:
        write_history(
            settings_, parse_request(*Asked(**asked)), folder / "out", lambda: NOW, lambda _: None
        )
    assert not (folder / "out").exists()
    return str(caught.value)


def test_a_ledger_that_is_still_being_filled_is_refused_with_a_remedy(tmp_path: Path) -> None:
    Exporter(tmp_path).fill(used(NOW - DAY))
    assert refuse(tmp_path) == (
        f"ledger {tmp_path / 'ledger.sqlite'}: its first fill is not complete. start the exporter "
        "and wait until bedrock_exporter_source_complete is 1; --wait 10m waits"
    )


def test_it_is_told_how_far_a_fill_has_come(tmp_path: Path) -> None:
    exporter = Exporter(tmp_path)
    exporter.ledger.leave_note(FIRST_FILL, "now")
    begin = utc("2026-10-01T00:00")
    exporter.ledger.record_progress(
        Progress("logs", ACCOUNT, REGION, NOW, filled_to=begin + 9 * DAY, fill_from=begin)
    )
    assert (
        "the logs of account 111122223333 in us-east-1 are read back to 2026-10-10 00:00 of "
        "2026-10-01 00:00 UTC" in refuse(tmp_path)
    )


def test_a_ledger_that_does_not_exist_is_refused_and_not_made(tmp_path: Path) -> None:
    assert "does not exist. start the exporter" in refuse(tmp_path, wait="5s")
    assert list(tmp_path.iterdir()) == []


def test_waiting_ends_when_the_exporter_has_read_everything(tmp_path: Path) -> None:
    steps: list[Callable[[], object]] = [
        lambda: exporters.append(Exporter(tmp_path)),
        lambda: exporters[0].fill(used(NOW - DAY)),
        lambda: exporters[0].ledger.leave_note(FIRST_FILL, "now"),
    ]
    exporters: list[Exporter] = []
    written = write_history(
        config(ledger=tmp_path / "ledger.sqlite"),
        parse_request(*Asked(wait="1m")),
        tmp_path / "out",
        lambda: NOW,
        lambda _: steps.pop(0)(),
    )
    assert steps == [] and written.samples > 0


def test_waiting_does_not_help_a_file_that_is_no_ledger(tmp_path: Path) -> None:
    (tmp_path / "ledger.sqlite").write_bytes(b"something else entirely " * 100)
    with pytest.raises(BackfillError, match="is damaged"):
        write_history(
            config(ledger=tmp_path / "ledger.sqlite"),
            parse_request(*Asked(wait="1m")),
            None,
            lambda: NOW,
            never,
        )


def test_a_history_is_written_beside_the_exporter_that_owns_the_ledger(tmp_path: Path) -> None:
    exporter = Exporter(tmp_path)
    exporter.fill(used(NOW - DAY))
    exporter.ledger.leave_note(FIRST_FILL, "now")

    def clock() -> datetime:
        exporter.fill(used(NOW - DAY, "late"))  # after the history began
        return NOW

    settings_ = config(ledger=exporter.ledger.path)
    output = tmp_path / "out"
    write_history(settings_, parse_request(*Asked()), output, clock, never)
    history = History(output.read_text())
    assert history.at(NOW, "bedrock_requests_month_to_date") == 1
    exporter.fill(used(NOW - HOUR))


# Asking.


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"first": "2026-13-01"}, "--from 2026-13-01: not a date such as 2026-10-01"),
        ({"last": "today"}, "--to today: not a date"),
        ({"first": "2026-11-02", "last": "2026-11-01"}, "--from 2026-11-02 comes after --to"),
        ({"step": "10m"}, "--step 10m: usage is kept by the quarter-hour"),
        ({"step": "0s"}, "--step 0s: "),
        ({"step": "2d"}, "--step 2d: "),
        ({"step": "often"}, "--step: 'often' is not a duration such as"),
        ({"wait": "-1"}, "--wait: '-1' is not a duration such as"),
        ({"labels": ["job"]}, "--label job: write NAME=VALUE"),
        ({"labels": ["job="]}, "--label job=: write NAME=VALUE"),
        ({"labels": ["1st=x"]}, "--label 1st=x: '1st' is not a label name"),
        ({"labels": ["jöb=x"]}, "'jöb' is not a label name"),
        ({"labels": ["__name__=x"]}, "names that begin with __ are Prometheus' own"),
        ({"labels": ["a=1", "a=2"]}, "--label a=2: 'a' is given twice"),
    ],
)
def test_what_cannot_be_asked_is_refused_by_its_flag(asked: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=r"^--") as caught:
        parse_request(*Asked(**asked))
    assert told in str(caught.value)


def test_a_value_may_hold_what_a_name_may_not() -> None:
    request = parse_request(*Asked(labels=("instance=exporter:10118", "query=a=b")))
    assert request.labels == {"instance": "exporter:10118", "query": "a=b"}
    assert request.first is None and request.step == HOUR
    assert parse_request(*Asked(first="2026-10-01")).first == date(2026, 10, 1)
