"""A daily report from its stored bytes to a batch: damage, repetition, privacy, and its bounds."""

import gzip
import pickle
from collections.abc import Mapping
from dataclasses import fields
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from bad_input import memory_of, repeat
from hypothesis import given, settings
from hypothesis import strategies as st
from report_builders import (
    ALICE,
    BOB,
    activities,
    activity_line,
    credits_of,
    kiro_line,
    kiro_unit,
    read_report,
    report,
    report_unit,
)

from exporter.assistant_usage import Delivery, ReportBatch
from exporter.identity import Privacy
from exporter.sources import report_format
from exporter.sources.log_store import StoreError
from exporter.sources.rejection import Rejection
from exporter.sources.report_format import Kind, ReportFormat

DAY = "2025-04-17"
GOOD = report(
    activity_line(ALICE, Chat_MessagesSent=1),
    activity_line(BOB, Chat_MessagesSent=2),
    activity_line("carol", Chat_MessagesSent=3),
)
DROP = Privacy("drop")
PSEUDONYM = Privacy("pseudonym", b"key")


def sent(batch: ReportBatch) -> dict[str, int]:
    """The messages sent of each user in a batch, which speaks of one day."""
    assert {day for day, _, _ in activities(batch)} <= {DAY}
    return {user: counts["chat_messages_sent"] for _, user, counts in activities(batch)}


ALL_SENT = {ALICE: 1, BOB: 2, "carol": 3}


@pytest.mark.parametrize("pack", [str.encode, lambda text: gzip.compress(text.encode())])
@pytest.mark.parametrize("step", [None, 1, 100])
def test_gzip_and_plain_text_are_told_by_their_bytes(pack: Any, step: int | None) -> None:
    batch = read_report(pack(GOOD), step=step)
    assert (sent(batch), batch.rejected) == (ALL_SENT, {})


def test_a_batch_says_where_it_is_from_and_what_it_held() -> None:
    batch = read_report(GOOD)
    assert (batch.source, batch.unit) == ("reports", report_unit())
    assert batch.delivery == Delivery("111122223333_by_user_analytic", "20250418000000000000")
    assert (batch.records, batch.bytes, batch.newest) == (3, len(GOOD), 1_744_848_000)


def test_a_format_and_its_batches_pass_between_processes() -> None:
    form = ReportFormat("r", "activity", PSEUDONYM, date(2025, 1, 1), date(2025, 12, 31), 2**20)
    assert pickle.loads(pickle.dumps(form)) == form
    batch = read_report(GOOD)
    assert pickle.loads(pickle.dumps(batch)) == batch


def test_an_empty_object_holds_nothing() -> None:
    for stored in (b"", b"\n\n", gzip.compress(b"")):
        batch = read_report(stored)
        assert (batch.rows, batch.rejected) == ((), {Rejection.EMPTY_OBJECT: 1})


def test_a_report_of_nobody_is_sound() -> None:
    batch = read_report(report(header=["UserId", "Date", "Chat_MessagesSent"]))
    assert (batch.rows, batch.rejected, batch.records, batch.newest) == ((), {}, 0, 0)


@pytest.mark.parametrize("missing", ["UserId", "Date"])
@pytest.mark.parametrize("kind", ["activity", "kiro"])
def test_without_users_or_days_it_is_no_report(kind: Kind, missing: str) -> None:
    line = activity_line() if kind == "activity" else kiro_line()
    del line[missing]
    batch = read_report(report(line), kind)
    assert (batch.rows, batch.rejected) == ((), {Rejection.NOT_A_REPORT: 1})


@pytest.mark.parametrize("cut", [1, 20, 60])
def test_what_stands_before_damage_counts(cut: int) -> None:
    lines = [activity_line(f"user-{number}", Chat_MessagesSent=number + 1) for number in range(500)]
    batch = read_report(gzip.compress(report(*lines).encode())[:-cut])
    assert batch.rejected == {Rejection.CORRUPT_GZIP: 1}
    assert 300 < len(batch.rows) <= 500
    assert all(user == f"user-{count - 1}" for user, count in sent(batch).items())


def test_nothing_of_a_report_counts_that_is_too_large() -> None:
    header = report(activity_line(Chat_MessagesSent=1)).encode()
    batch = read_report(header * 50, max_object_bytes=40 * len(header))
    assert (batch.rows, batch.records) == ((), 0)
    assert batch.rejected == {Rejection.OBJECT_TOO_LARGE: 1}


class Endless:
    """A stream of a report that never ends, and how much of it was read."""

    def __init__(self, line: bytes) -> None:
        self.bytes = 0
        self._start = b"UserId,Date,Chat_MessagesSent\n"
        self._line = line

    def read(self, size: int) -> bytes:
        chunk = (self._start + self._line * (size // len(self._line)))[:size]
        self._start = b""
        self.bytes += len(chunk)
        return chunk

    def close(self) -> None:
        pass


@pytest.mark.parametrize("line", [b"x", b'"', b"\n", b",", b"\0", b'"x\n'])
def test_no_more_is_read_and_held_than_the_bounds(
    line: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = Endless(line)
    form = ReportFormat("r", "activity", Privacy(), date(2000, 1, 1), date(2099, 1, 1), 2**21)
    monkeypatch.setattr(report_format, "_MOST_LINES", 1000)
    batch, peak = memory_of(lambda: form.reader()(report_unit(), stream))
    assert batch.rejected == {Rejection.OBJECT_TOO_LARGE: 1}
    assert (batch.rows, batch.records) == ((), 0)
    assert stream.bytes < 2**22
    assert peak < 2**24


def test_a_small_object_that_inflates_without_end_is_too_large() -> None:
    stored = gzip.compress(GOOD.encode()) + repeat(b"x,04-17-2025,1\n", 2**21)
    batch = read_report(stored, max_object_bytes=2**20)
    assert (batch.rows, batch.rejected) == ((), {Rejection.OBJECT_TOO_LARGE: 1})


def test_a_report_of_too_many_lines_is_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report_format, "_MOST_LINES", 3)
    assert read_report(GOOD).records == 3
    for more in ("x\n", "\n"):
        batch = read_report(GOOD + more)
        assert (batch.rows, batch.rejected) == ((), {Rejection.OBJECT_TOO_LARGE: 1})


def test_a_report_of_too_many_counts_is_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report_format, "_MOST_COUNTS", 4)
    activity = [activity_line(f"user-{n}", Chat_MessagesSent=1, Dev_Lines=2) for n in range(3)]
    kiro = [kiro_line(f"user-{n}", auto_messages=1, opus_messages=2) for n in range(3)]
    for kind, lines in (("activity", activity), ("kiro", kiro)):
        assert read_report(report(*lines[:2], header=list(lines[0])), kind).records == 2
        batch = read_report(report(*lines), kind)
        assert (batch.rows, batch.records) == ((), 0)
        assert batch.rejected == {Rejection.OBJECT_TOO_LARGE: 1}


def test_after_too_many_counts_no_more_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report_format, "_MOST_COUNTS", 100)
    stream = Endless(b"alice,04-17-2025,1\n")
    form = ReportFormat("r", "activity", Privacy(), date(2000, 1, 1), date(2099, 1, 1), 2**30)
    batch = form.reader()(report_unit(), stream)
    assert batch.rejected == {Rejection.OBJECT_TOO_LARGE: 1}
    assert stream.bytes < 2**21


def test_the_faults_of_a_store_pass() -> None:
    class Broken:
        def read(self, size: int) -> bytes:
            raise StoreError("network", "broke off")

        def close(self) -> None:
            pass

    form = ReportFormat("r", "kiro", Privacy(), date(2000, 1, 1), date(2099, 1, 1), 2**20)
    with pytest.raises(StoreError):
        form.reader()(kiro_unit(), Broken())


def test_each_bad_line_costs_only_itself() -> None:
    header, *good = GOOD.splitlines()
    bad = {
        ",04-17-2025,1": Rejection.MISSING_USER,
        '"d-1234567890.",04-17-2025,1': Rejection.MISSING_USER,
        f"{'x' * 257},04-17-2025,1": Rejection.FIELD_TOO_LONG,
        "dave,04-31-2025,1": Rejection.INVALID_DATE,
        "dave": Rejection.INVALID_DATE,
        "dave,04-17-2025,-1": Rejection.INVALID_COUNT,
        "dave" + ",1" * 60: Rejection.MALFORMED_ROW,
        '"dave,04-17-2025,1': Rejection.MALFORMED_ROW,
        "dave,04-17-1999,1": Rejection.EXPIRED_TIMESTAMP,
        "dave,04-17-2100,1": Rejection.FUTURE_TIMESTAMP,
    }
    text = "\n".join([header, good[0], *bad, good[1], good[2], ""])
    batch = read_report(text)
    assert sent(batch) == ALL_SENT
    assert batch.records == 3
    assert batch.rejected == {reason: list(bad.values()).count(reason) for reason in bad.values()}


@pytest.mark.parametrize(
    "user",
    ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "two\nlines", "nul\0", "김민수", "x" * 256],
)
def test_any_text_is_a_user(user: str) -> None:
    batch = read_report(report(activity_line(user, Chat_MessagesSent=4)))
    assert (sent(batch), batch.rejected) == ({user: 4}, {})


def test_a_user_is_one_with_and_without_the_directory() -> None:
    lines = [
        activity_line(f"d-1234567890.{ALICE}", Chat_MessagesSent=3),
        activity_line(ALICE, Chat_MessagesSent=3),
    ]
    batch = read_report(report(*lines))
    assert (sent(batch), batch.records, batch.rejected) == ({ALICE: 3}, 2, {})


def test_a_user_loses_one_directory_and_no_more() -> None:
    line = activity_line("d-1234567890.d-1234567890.carol", Chat_MessagesSent=3)
    assert sent(read_report(report(line))) == {"d-1234567890.carol": 3}


def test_a_line_stated_twice_counts_once() -> None:
    line = kiro_line()
    batch = read_report(report(line, line | {"Credits_Used": "114.457874143913770"}), "kiro")
    assert [row.used for row in credits_of(batch)] == [Decimal("114.45787414391377")]
    assert (batch.records, batch.rejected) == (2, {})


def test_of_lines_that_disagree_the_last_holds() -> None:
    lines = [activity_line(ALICE, Chat_MessagesSent=count) for count in (5, 7, 6)]
    batch = read_report(report(*lines, activity_line(BOB, Chat_MessagesSent=1)))
    assert sent(batch) == {ALICE: 6, BOB: 1}
    assert (batch.records, batch.rejected) == (2, {Rejection.CONFLICTING_ROW: 2})


def test_lines_of_other_days_or_clients_do_not_disagree() -> None:
    batch = read_report(
        report(
            kiro_line(Credits_Used=1),
            kiro_line(Credits_Used=2, Client_Type="KIRO_IDE"),
            kiro_line(Credits_Used=3, day="2026-07-09"),
        ),
        "kiro",
    )
    assert [int(row.used) for row in credits_of(batch)] == [3, 1, 2]
    assert batch.rejected == {}


def test_a_pseudonym_is_that_of_the_id_without_the_directory() -> None:
    lines = [
        activity_line(f"d-1234567890.{ALICE}", Chat_MessagesSent=1),
        activity_line(BOB, Chat_MessagesSent=2),
    ]
    batch = read_report(report(*lines), privacy=PSEUDONYM)
    assert sent(batch) == {PSEUDONYM.user_id(ALICE): 1, PSEUDONYM.user_id(BOB): 2}


def test_users_that_privacy_drops_are_summed() -> None:
    lines = [
        activity_line(ALICE, Chat_MessagesSent=1, Inline_AICodeLines=5),
        activity_line(BOB, Chat_MessagesSent=2),
    ]
    batch = read_report(report(*lines), privacy=DROP)
    assert activities(batch) == [
        (DAY, "unknown", {"chat_messages_sent": 3, "inline_ai_code_lines": 5})
    ]
    assert (batch.records, batch.rejected) == (2, {})


def test_credits_of_users_that_privacy_drops_are_summed_by_client() -> None:
    lines = [
        kiro_line(ALICE, Credits_Used="900000000", Overage_Credits_Used="1", auto_messages=131),
        kiro_line(
            BOB,
            Credits_Used="0.000000000000000000000001",
            Subscription_Tier="PRO",
            auto_messages=131,
        ),
        kiro_line(BOB, Credits_Used="0.4", Client_Type="PLUGIN", auto_messages=131),
    ]
    both, plugin = credits_of(read_report(report(*lines), "kiro", privacy=DROP))
    assert (both.user, both.client_type, both.tier) == ("unknown", "KIRO_CLI", "")
    assert (both.used, both.overage) == (Decimal("900000000.000000000000000000000001"), 1)
    assert (both.usage_limit, both.overage_cap) == (None, None)
    assert (both.conversations, both.messages) == (16, 262)
    assert both.messages_by_model == (("auto", 262),)
    assert (plugin.used, plugin.tier, plugin.usage_limit) == (Decimal("0.4"), "", None)


CANARIES = ("carol.canary@example.com", "=HYPERLINK(canary)")
TEXT_COLUMNS = ("ProfileId", "User_Email", "New_User", "Client_Type", "Subscription_Tier", "Note")


@pytest.mark.parametrize("canary", CANARIES)
@pytest.mark.parametrize("privacy", [Privacy(), PSEUDONYM, DROP], ids=lambda given: given.users)
@pytest.mark.parametrize("kind", ["activity", "kiro"])
def test_no_text_of_a_report_is_kept_but_the_user(
    kind: Kind, privacy: Privacy, canary: str
) -> None:
    line = activity_line(canary) if kind == "activity" else kiro_line(canary)
    texts = dict.fromkeys((*TEXT_COLUMNS, canary, f"{canary}_messages"), f'"{canary}"')
    batch = read_report(report(line | texts | {f"{canary}_messages": "1"}), kind, privacy=privacy)
    (row,) = batch.rows
    assert row.user == privacy.user_id(canary)
    held = [getattr(batch, field.name) for field in fields(batch) if field.name != "rows"]
    assert "canary" not in repr([held, row._replace(user="")]).lower()


@pytest.mark.parametrize("privacy", [Privacy(), PSEUDONYM, DROP], ids=lambda given: given.users)
@pytest.mark.parametrize("column", TEXT_COLUMNS)
def test_no_word_that_stands_in_a_wrong_column_is_kept(column: str, privacy: Privacy) -> None:
    batch = read_report(report(kiro_line() | {column: "CANARYq7Zx"}), "kiro", privacy=privacy)
    assert batch.records == 1
    assert "canary" not in repr(batch).lower()


@pytest.mark.parametrize("kind", ["activity", "kiro"])
def test_no_text_of_a_report_that_is_rejected_is_kept(kind: Kind) -> None:
    canary = CANARIES[0]
    line = activity_line(canary) if kind == "activity" else kiro_line(canary)
    number = "Chat_MessagesSent" if kind == "activity" else "Credits_Used"
    bad = [line | {number: canary}, line | {"Date": canary}, line | {"UserId": canary * 20}]
    for batch in (read_report(report(*bad), kind), read_report(canary, kind)):
        assert batch.rows == ()
        assert "canary" not in repr(batch)


@st.composite
def lines_of_a_day(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Lines of different users, good ones and bad ones."""
    cells = st.sampled_from(["", "0", "1", "3.0", "-1", "1.5", "x", "10000000000"])
    dates = st.sampled_from(["04-17-2025", "2025-04-17", "04-31-2025", "", "04-17-1999"])
    users = draw(st.lists(st.text("abc=@ ü", max_size=4), unique_by=str.strip, max_size=8))
    return [
        activity_line(user, draw(dates), Chat_MessagesSent=draw(cells), Chat_NewThing=draw(cells))
        for user in users
    ]


@given(lines=lines_of_a_day(), data=st.data())
@settings(deadline=None)
def test_neither_order_nor_form_changes_what_a_report_says(
    lines: list[dict[str, Any]], data: st.DataObject
) -> None:
    header = list(activity_line(Chat_NewThing=0))
    whole = read_report(report(*lines, header=header))
    text = report(
        *data.draw(st.permutations(lines)),
        header=data.draw(st.permutations(header)),
        delimiter=data.draw(st.sampled_from(",;\t|")),
        end=data.draw(st.sampled_from(["\n", "\r\n", "\r", "\n\n"])),
    )
    encoding = data.draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]))
    other = read_report(text.encode(encoding), step=data.draw(st.sampled_from([None, 1, 50])))
    assert (other.rows, other.rejected) == (whole.rows, whole.rejected)


@given(lines=st.lists(lines_of_a_day(), max_size=3))
@settings(deadline=None)
def test_every_line_is_taken_or_rejected(lines: list[list[dict[str, Any]]]) -> None:
    said: list[Mapping[str, Any]] = [line for group in lines for line in group]
    batch = read_report(report(*said, header=list(activity_line(Chat_NewThing=0))))
    assert batch.records + sum(batch.rejected.values()) == len(said)
    assert len(batch.rows) <= batch.records
