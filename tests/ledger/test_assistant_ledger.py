"""What the ledger keeps of developer assistants: each prompt once, of each day the last report."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assistant_builders import (
    ANN,
    BOB,
    TODAY,
    activity,
    asker,
    credits,
    prompt,
    prompt_batch,
    report,
)
from exporter.assistant_usage import (
    Asker,
    Conversation,
    Product,
    PromptCounts,
    ReportBatch,
    Reported,
    RequestKind,
)
from exporter.ledger import WritableLedger
from exporter.usage import slot_of
from usage_builders import ACCOUNT, NOON, REGION

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NOW = slot_of(NOON)
EARLIER, LATER = "20261120000000000000", "20261120060000000000"
INLINE = asker(kind=RequestKind.INLINE)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[WritableLedger]:
    opened = WritableLedger.open(tmp_path / "ledger.sqlite")
    yield opened
    opened.close()


def counts(ledger: WritableLedger, start: int = 0, end: int = NOW + 1) -> dict[Asker, PromptCounts]:
    return {who: sums.counts for who, sums in ledger.assistants.sum_prompts(start, end).items()}


def rows(ledger: WritableLedger) -> list[object]:
    return [found.row for found in reported(ledger)]


def reported(ledger: WritableLedger) -> list[Reported]:
    return sorted(ledger.assistants.reported(TODAY - 40 * DAY, TODAY), key=repr)


def test_prompts_add_up_by_who_asked_for_what(ledger: WritableLedger) -> None:
    ledger.apply_prompts([prompt_batch(prompt(100, 10), prompt(200, 20))])
    ledger.apply_prompts([prompt_batch(prompt(7, 3, who=INLINE))])
    assert counts(ledger) == {asker(): PromptCounts(2, 300, 30), INLINE: PromptCounts(1, 7, 3)}


def test_prompts_are_those_of_the_slots_from_start_to_before_end(ledger: WritableLedger) -> None:
    ledger.apply_prompts([prompt_batch(prompt(at=NOON - HOUR), prompt())])
    assert counts(ledger, NOW - 4, NOW) == {asker(): PromptCounts(1, 100, 10)}
    assert ledger.assistants.sum_prompts(0, NOW + 1)[asker()].first_slot == NOW - 4


def test_an_object_of_prompts_delivered_twice_counts_once(ledger: WritableLedger) -> None:
    batch = prompt_batch(prompt())
    assert ledger.apply_prompts([batch]) == {(NOW, asker()): PromptCounts(1, 100, 10)}
    assert ledger.apply_prompts([batch]) == {}
    assert counts(ledger) == {asker(): PromptCounts(1, 100, 10)}


def test_a_prompt_in_two_objects_counts_once(ledger: WritableLedger) -> None:
    same = prompt(conversation=5)
    ledger.apply_prompts([prompt_batch(same), prompt_batch(same)])
    assert ledger.apply_prompts([prompt_batch(same)]) == {}
    assert counts(ledger) == {asker(): PromptCounts(1, 100, 10)}
    assert [each.tokens for each in ledger.assistants.conversations(0, NOW + 1)] == [110]


def test_a_conversation_counts_all_that_it_had_before(ledger: WritableLedger) -> None:
    ledger.apply_prompts(
        [
            prompt_batch(prompt(1000, 1, at=NOON - DAY, conversation=5)),
            prompt_batch(prompt(100, 10, conversation=5)),
            prompt_batch(prompt(9000, 0, at=NOON - DAY, conversation=6)),
            prompt_batch(prompt(50, 0, at=NOON + HOUR, conversation=5)),
        ]
    )
    today = list(ledger.assistants.conversations(NOW - 48, NOW + 1))
    assert today == [Conversation(ACCOUNT, REGION, Product.QDEVELOPER, ANN, 1111)]


def test_requests_without_a_conversation_each_stand_alone(ledger: WritableLedger) -> None:
    ledger.apply_prompts([prompt_batch(prompt(100, 10), prompt(70, 5), prompt(90, 0))])
    ledger.apply_prompts([prompt_batch(prompt(80, 5))])
    assert [each.tokens for each in ledger.assistants.conversations(0, NOW + 1)] == [110]


def test_one_conversation_id_of_two_users_is_two_conversations(ledger: WritableLedger) -> None:
    other = asker(BOB)
    ledger.apply_prompts([prompt_batch(prompt(conversation=5), prompt(conversation=5, who=other))])
    assert [each.tokens for each in ledger.assistants.conversations(0, NOW + 1)] == [110, 110]


def test_prompts_by_hour_are_those_of_the_time_zone(ledger: WritableLedger) -> None:
    ledger.apply_prompts([prompt_batch(prompt(), prompt(at=NOON + HOUR))])
    by_hour = ledger.assistants.count_prompts_by_hour(0, NOW + 5, offset=8)
    assert by_hour == {(asker(), 14): 1, (asker(), 15): 1}


def test_prompts_change_the_days_that_they_fall_into(ledger: WritableLedger) -> None:
    changes = ledger.assistants.changes
    before = changes.last(NOW - 96, NOW), changes.last(NOW - 960, NOW - 950)
    ledger.apply_prompts([prompt_batch(prompt())])
    assert changes.last(NOW - 96, NOW) > before[0]
    assert changes.last(NOW - 960, NOW - 950) == before[1]


def test_a_failure_among_prompts_takes_none_of_them(ledger: WritableLedger) -> None:
    def failing() -> Iterator[object]:
        yield prompt_batch(prompt())
        raise RuntimeError

    with pytest.raises(RuntimeError):
        ledger.apply_prompts(failing())  # type: ignore[arg-type]
    assert counts(ledger) == {}
    ledger.apply_prompts([prompt_batch(prompt(who=INLINE))])
    assert counts(ledger) == {INLINE: PromptCounts(1, 100, 10)}


def test_report_lines_come_back_as_they_were_given(ledger: WritableLedger) -> None:
    spent = credits("3.2750000000000004", usage_limit="1000", messages=[("auto", 3)])
    done = activity(chat_messages_sent=3, dev_generation_event_count=1)
    ledger.apply_reports([report(done)])
    ledger.apply_reports([report(spent, folder="KiroLogs/user_report", series="KIRO_IDE")])
    assert reported(ledger) == [Reported(ACCOUNT, REGION, done), Reported(ACCOUNT, REGION, spent)]
    assert spent.used == Decimal("3.2750000000000004")


def test_a_report_delivered_again_replaces_its_day(ledger: WritableLedger) -> None:
    ledger.apply_reports(
        [report(activity(chat_messages_sent=3), activity(user=BOB), stamp=EARLIER)]
    )
    ledger.apply_reports([report(activity(chat_messages_sent=5), stamp=LATER)])
    assert rows(ledger) == [activity(chat_messages_sent=5)]


def test_a_report_written_again_under_its_name_replaces_what_it_said(
    ledger: WritableLedger,
) -> None:
    first = report(activity(chat_messages_sent=3), activity(user=BOB), version="1")
    ledger.apply_reports([first])
    ledger.apply_reports([report(activity(chat_messages_sent=5), version="2")])
    assert rows(ledger) == [activity(chat_messages_sent=5)]
    known = ledger.known_objects(ACCOUNT, REGION, TODAY)
    assert {name.partition("\t")[2] for _, name in known} == {"2"}


def test_a_report_that_is_written_as_it_once_was_is_taken_again(ledger: WritableLedger) -> None:
    first = report(activity(chat_messages_sent=3), version="1")
    other = report(activity(user=BOB), part="x", version="1")
    ledger.apply_reports([other, first, report(activity(chat_messages_sent=5), version="2")])
    ledger.apply_reports([first])
    assert rows(ledger) == [activity(user=BOB), activity(chat_messages_sent=3)]
    assert len(ledger.known_objects(ACCOUNT, REGION, TODAY)) == 2


def test_an_earlier_delivery_that_comes_late_changes_nothing(ledger: WritableLedger) -> None:
    ledger.apply_reports([report(activity(chat_messages_sent=5), stamp=LATER)])
    ledger.apply_reports(
        [report(activity(chat_messages_sent=3), activity(user=BOB), stamp=EARLIER)]
    )
    assert rows(ledger) == [activity(chat_messages_sent=5)]


def test_the_parts_of_a_delivery_are_one_report(ledger: WritableLedger) -> None:
    ledger.apply_reports([report(activity(), part="_part_1")])
    ledger.apply_reports([report(activity(user=BOB), part="_part_2")])
    assert {row.user for row in rows(ledger)} == {ANN, BOB}  # type: ignore[attr-defined]


def test_parts_may_be_written_at_different_moments(ledger: WritableLedger) -> None:
    first = report(activity(), part="_part_1", number="1", stamp=EARLIER)
    second = report(activity(user=BOB), part="_part_2", number="2", stamp=LATER)
    ledger.apply_reports([second, first])
    assert {row.user for row in rows(ledger)} == {ANN, BOB}  # type: ignore[attr-defined]


def test_a_later_delivery_replaces_the_part_of_its_number(ledger: WritableLedger) -> None:
    early = {"part": "_part_1", "number": "1", "stamp": EARLIER}
    ledger.apply_reports([report(activity(chat_messages_sent=1), activity(user=BOB), **early)])
    late = {"part": "_part_1", "number": "1", "stamp": LATER}
    ledger.apply_reports([report(activity(chat_messages_sent=2), **late)])
    assert rows(ledger) == [activity(chat_messages_sent=2)]


def test_a_delivery_that_is_whole_replaces_one_in_parts(ledger: WritableLedger) -> None:
    parts = [
        report(activity(user=user), part=f"_part_{number}", number=number, stamp=EARLIER)
        for user, number in ((ANN, "1"), (BOB, "2"))
    ]
    ledger.apply_reports([*parts, report(activity(chat_messages_sent=2), stamp=LATER)])
    assert rows(ledger) == [activity(chat_messages_sent=2)]


def test_parts_that_disagree_are_counted_and_the_last_by_name_holds(
    ledger: WritableLedger,
) -> None:
    first = report(activity(chat_messages_sent=3), activity(user=BOB), part="_part_1")
    second = report(activity(chat_messages_sent=4), activity(user=BOB), part="_part_2")
    assert ledger.apply_reports([second, first]) == {"activity_reports": 1}
    assert activity(chat_messages_sent=4) in rows(ledger)
    assert len(rows(ledger)) == 2


def test_users_that_privacy_has_made_one_count_in_every_part(ledger: WritableLedger) -> None:
    """All of them are `unknown`: a line a part, of the sum of its users."""
    parts = [
        report(activity(user="unknown", chat_messages_sent=count), part=f"_part_{count}")
        for count in (3, 4)
    ]
    assert ledger.apply_reports(parts) == {}
    assert sorted(dict(row.counts)["chat_messages_sent"] for row in rows(ledger)) == [3, 4]  # type: ignore[attr-defined]
    later = report(activity(user="unknown", chat_messages_sent=5), stamp=LATER)
    ledger.apply_reports([later])
    assert rows(ledger) == [activity(user="unknown", chat_messages_sent=5)]


def test_parts_of_one_day_count_for_users_that_privacy_has_made_one(ledger: WritableLedger) -> None:
    """A delivery of fewer parts leaves one of the day before, which counts no more."""

    def deliver(stamp: str, *parts: int) -> None:
        for number, count in enumerate(parts, 1):
            row = activity(user="unknown", chat_messages_sent=count)
            written = f"{stamp}00000{number}000000"
            name = {"part": f"_part_{number}", "number": str(number), "stamp": written}
            ledger.apply_reports([report(row, **name)])

    def sent() -> list[int]:
        return [dict(row.counts)["chat_messages_sent"] for row in rows(ledger)]  # type: ignore[attr-defined]

    deliver("20261120", 5, 6, 7)
    assert sent() == [5, 6, 7]
    deliver("20261121", 8, 9)
    assert sent() == [8, 9]


def test_reports_of_other_series_and_folders_replace_nothing(ledger: WritableLedger) -> None:
    kiro = {"folder": "KiroLogs/user_report", "source": "kiro_reports"}
    ide = report(credits("1"), series="KIRO_IDE_1_user_report", stamp=EARLIER, **kiro)
    cli = report(
        credits("2", client_type="KIRO_CLI"), series="KIRO_CLI_1_user_report", stamp=LATER, **kiro
    )
    ledger.apply_reports([ide, cli, report(activity(chat_messages_sent=1))])
    assert len(rows(ledger)) == 3


def test_a_day_stated_in_two_folders_is_as_the_last_one_written_says(
    ledger: WritableLedger,
) -> None:
    late = report(
        activity(TODAY - DAY, chat_messages_sent=9), folder_day=TODAY, stamp="20261121000000000000"
    )
    own = report(
        activity(TODAY - DAY, chat_messages_sent=3),
        activity(TODAY - DAY, BOB, chat_messages_sent=1),
        folder_day=TODAY - DAY,
    )
    ledger.apply_reports([late, own])
    assert set(rows(ledger)) == {
        activity(TODAY - DAY, chat_messages_sent=9),
        activity(TODAY - DAY, BOB, chat_messages_sent=1),
    }


def test_a_report_of_which_nothing_could_be_taken_replaces_nothing(ledger: WritableLedger) -> None:
    ledger.apply_reports([report(activity(chat_messages_sent=3), stamp=EARLIER)])
    ledger.apply_reports([report(stamp=LATER)])
    assert rows(ledger) == [activity(chat_messages_sent=3)]


DELIVERIES = [
    report(
        activity(TODAY - day * DAY, user, chat_messages_sent=number),
        stamp=f"202611200{number}0000000000",
        folder_day=TODAY - folder * DAY,
        part=part,
    )
    for number, (day, folder, user, part) in enumerate(
        [
            (1, 1, ANN, ""),
            (1, 1, BOB, ""),
            (1, 0, ANN, "_part_1"),
            (0, 0, BOB, "_part_2"),
            (0, 0, ANN, "_part_2"),
            (2, 1, ANN, ""),
        ]
    )
]


@given(st.permutations([*DELIVERIES, *DELIVERIES[:2]]), st.sampled_from([1, 2, 8]))
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_the_order_of_deliveries_changes_no_figure(
    tmp_path_factory: pytest.TempPathFactory, order: list[ReportBatch], size: int
) -> None:
    def figures(batches: list[ReportBatch], size: int) -> list[Reported]:
        ledger = WritableLedger.open(tmp_path_factory.mktemp("ledger") / "ledger.sqlite")
        for start in range(0, len(batches), size):
            ledger.apply_reports(batches[start : start + size])
        found = reported(ledger)
        ledger.close()
        return found

    assert figures(order, size) == figures(DELIVERIES, len(DELIVERIES))


def test_pruning_forgets_prompts_conversations_and_reports(ledger: WritableLedger) -> None:
    old = NOON - 3 * DAY
    ledger.apply_prompts([prompt_batch(prompt(at=old, conversation=5, who=INLINE))])
    ledger.apply_prompts([prompt_batch(prompt(conversation=5, who=INLINE), prompt())])
    ledger.apply_reports([report(activity(TODAY - 3 * DAY), activity())])
    change = ledger.assistants.report_changes
    before = slot_of(NOON - DAY)
    ledger.prune(before, 0, 0, conversations_before=before)
    assert counts(ledger) == {
        INLINE: PromptCounts(1, 100, 10),
        asker(): PromptCounts(1, 100, 10),
    }
    assert sorted(each.tokens for each in ledger.assistants.conversations(0, NOW + 1)) == [110, 110]
    assert rows(ledger) == [activity()]
    assert ledger.assistants.report_changes > change


def test_the_users_of_prompts_and_reports_are_known(ledger: WritableLedger) -> None:
    ledger.apply_prompts([prompt_batch(prompt())])
    ledger.apply_reports([report(activity(user=BOB))])
    assert ledger.assistants.users_since(NOW) == {ANN, BOB}
    assert ledger.assistants.users_since(NOW + 96) == set()


def test_the_newest_record_of_prompts_and_reports_is_known(ledger: WritableLedger) -> None:
    ledger.apply_prompts([prompt_batch(prompt())])
    ledger.apply_reports([report(activity())])
    newest = {row.source: row.timestamp for row in ledger.newest_records()}
    midnight = int(NOON.replace(hour=0).timestamp())
    assert newest == {"prompt_logs": NOW * 900, "activity_reports": midnight}
