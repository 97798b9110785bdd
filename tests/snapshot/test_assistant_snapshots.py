"""Developer assistants in snapshots: prompts, activity, credits, limits, value for money."""

from datetime import timedelta
from decimal import Decimal

import pytest

from assistant_builders import ANN, BOB, TODAY, activity, asker, credits, prompt, report
from exporter.assistant_usage import Product, RequestKind
from snapshots import Exporter, samples, used, value
from usage_builders import ACCOUNT, NOON, REGION

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MINUTES = timedelta(minutes=3)
PLACE = {"account_id": ACCOUNT, "region": REGION}
QUSER = {**PLACE, "user": ANN, "product": "qdeveloper"}
CHAT = {**QUSER, "request_kind": "chat"}
INLINE = asker(kind=RequestKind.INLINE)
KIRO = {"folder": "KiroLogs/user_report", "series": "KIRO_IDE", "source": "kiro_reports"}


@pytest.fixture
def exporter(tmp_path):
    return Exporter(tmp_path)


def test_prompts_show_today_and_this_month(exporter):
    exporter.fill_prompts(prompt(100, 10), prompt(200, 20, at=NOON - DAY))
    exporter.fill_prompts(prompt(7, 3, who=INLINE, at=NOON - DAY))
    snapshot = exporter.build(NOON)
    assert samples(snapshot, "qdeveloper_requests_today", **QUSER) == {("chat",): 1, ("inline",): 0}
    assert value(snapshot, "qdeveloper_requests_month_to_date", **CHAT) == 2
    assert samples(snapshot, "qdeveloper_tokens_today", **CHAT) == {
        ("input",): 100,
        ("output",): 10,
    }
    assert samples(snapshot, "qdeveloper_tokens_month_to_date", **CHAT) == {
        ("input",): 300,
        ("output",): 30,
    }


def test_days_are_those_of_the_time_zone(exporter):
    exporter.configure(timezone="Asia/Tokyo")
    exporter.fill_prompts(prompt(100, 10, at=NOON - 20 * HOUR), prompt(1, 1, at=NOON - 22 * HOUR))
    snapshot = exporter.build(NOON)  # 21:00 of the 20th in Tokyo
    assert samples(snapshot, "qdeveloper_tokens_today", **CHAT) == {
        ("input",): 100,
        ("output",): 10,
    }


def test_what_is_newly_read_is_counted_after_a_moment_at_zero(exporter):
    exporter.fill_prompts(prompt(100, 10))
    exporter.build(NOON)
    exporter.build(NOON + MINUTES)
    exporter.take_prompts(prompt(1, 2), prompt(10, 20))
    snapshot = exporter.build(NOON + 2 * MINUTES)
    assert value(snapshot, "qdeveloper_requests_total", **CHAT) == 2
    assert samples(snapshot, "qdeveloper_tokens_total", **CHAT) == {("input",): 11, ("output",): 22}


def test_a_new_user_is_counted_from_zero(exporter):
    exporter.take_prompts(prompt(100, 10))
    assert value(exporter.build(NOON), "qdeveloper_requests_total", **CHAT) == 0
    assert value(exporter.build(NOON + MINUTES), "qdeveloper_requests_total", **CHAT) == 1


def test_the_largest_conversation_of_today_is_held_against_the_context_window(exporter):
    exporter.fill_prompts(
        prompt(90_000, 0, conversation=1, at=NOON - DAY),
        prompt(60_000, 10_000, conversation=1),
        prompt(190_000, 0, conversation=2, at=NOON - DAY),
        prompt(30_000, 0),
    )
    ratio = {"user": ANN, "product": "qdeveloper"}
    assert value(exporter.build(NOON), "qdeveloper_context_window_ratio", **ratio) == Decimal("0.8")
    exporter.configure(assistants={"context_window_tokens": 40_000})
    assert value(exporter.build(NOON), "qdeveloper_context_window_ratio", **ratio) == 4


def test_a_late_prompt_of_an_earlier_day_makes_todays_conversation_larger(exporter):
    exporter.fill_prompts(prompt(20_000, 0, conversation=1))
    exporter.build(NOON)
    exporter.fill_prompts(prompt(60_000, 0, conversation=1, at=NOON - 3 * DAY))
    snapshot = exporter.build(NOON)
    assert value(snapshot, "qdeveloper_context_window_ratio", user=ANN) == Decimal("0.4")


def test_requests_show_by_hour_and_weekday_of_the_time_zone(exporter):
    exporter.configure(timezone="Asia/Kolkata")
    exporter.fill_prompts(prompt(at=NOON - DAY), prompt(at=NOON), prompt(at=NOON - 31 * DAY))
    snapshot = exporter.build(NOON)
    of = {"product": "qdeveloper", "request_kind": "chat"}
    assert samples(snapshot, "qdeveloper_hour_of_day_requests", **of) == {("17",): 2}
    assert samples(snapshot, "qdeveloper_day_of_week_requests", **of) == {("4",): 1}


def test_late_prompts_fall_into_their_day(exporter):
    exporter.fill_prompts(prompt(1, 1, at=NOON - 9 * DAY))
    exporter.build(NOON)
    exporter.fill_prompts(prompt(1, 1, at=NOON - 9 * DAY))
    exporter.fill_prompts(prompt(1, 1, at=NOON - DAY))
    assert value(exporter.build(NOON), "qdeveloper_requests_month_to_date", **CHAT) == 3


def test_activity_shows_the_newest_day_and_the_month(exporter):
    exporter.ledger.apply_reports(
        [
            report(activity(TODAY - DAY, chat_messages_sent=4), folder_day=TODAY - DAY),
            report(
                activity(TODAY - 2 * DAY, chat_messages_sent=3, dev_generation_event_count=1),
                folder_day=TODAY - 2 * DAY,
            ),
        ]
    )
    snapshot = exporter.build(NOON)
    assert samples(snapshot, "qdeveloper_activity_today") == {}
    assert (
        value(snapshot, "qdeveloper_activity_latest_day", **QUSER, activity="chat_messages_sent")
        == 4
    )
    assert samples(snapshot, "qdeveloper_activity_month_to_date", **QUSER) == {
        ("chat_messages_sent",): 7,
        ("dev_generation_event_count",): 1,
    }
    pace = {"user": ANN, "product": "qdeveloper"}
    assert value(snapshot, "qdeveloper_activity_daily_mean", **pace) == 4
    assert value(snapshot, "qdeveloper_activity_daily_max", **pace) == 4
    assert value(snapshot, "qdeveloper_idle_seconds", **pace) == 0


def test_a_corrected_report_shows_at_the_next_snapshot(exporter):
    name = "qdeveloper_activity_month_to_date"
    exporter.ledger.apply_reports([report(activity(chat_messages_sent=4))])
    assert value(exporter.build(NOON), name, **QUSER, activity="chat_messages_sent") == 4
    again = report(activity(chat_messages_sent=9), stamp="20261121000000000000")
    exporter.ledger.apply_reports([again])
    assert value(exporter.build(NOON), name, **QUSER, activity="chat_messages_sent") == 9


def test_estimated_tokens_follow_the_formula(exporter):
    """601 chats, 536 suggestions, 2,573 and 201 lines of code, 201 accepted."""
    exporter.ledger.apply_reports(
        [
            report(
                activity(
                    chat_messages_sent=601,
                    inline_suggestions_count=536,
                    chat_ai_code_lines=2573,
                    inline_ai_code_lines=201,
                    inline_acceptance_count=201,
                )
            )
        ]
    )
    found = samples(exporter.build(NOON), "qdeveloper_estimated_tokens_month_to_date", user=ANN)
    assert found == {("qdeveloper", "input"): 122_310, ("qdeveloper", "output"): 520_610}


def test_measured_tokens_are_valued_before_estimated_ones(exporter):
    exporter.fill_prompts(prompt(10**6, 0))
    exporter.ledger.apply_reports(
        [
            report(
                activity(chat_messages_sent=1000),
                activity(user=BOB, chat_messages_sent=1000),
            )
        ]
    )
    found = samples(exporter.build(NOON), "qdeveloper_virtual_cost_usd_month_to_date")
    assert found == {
        (ANN, "qdeveloper", "measured"): 3,
        (BOB, "qdeveloper", "estimated"): Decimal("7.95"),  # 150,000 in and 500,000 out
    }


def test_who_is_seen_this_month_has_a_seat_of_q_developer(exporter):
    exporter.fill_prompts(prompt(), prompt(who=asker("kim", product=Product.KIRO)))
    exporter.fill_prompts(prompt(who=asker("past"), at=NOON - 30 * DAY))
    exporter.ledger.apply_reports([report(activity(user=BOB, chat_messages_sent=1))])
    seats = samples(exporter.build(NOON), "qdeveloper_subscription_usd_month_to_date")
    assert seats.keys() == {(ANN,), (BOB,)}
    assert seats[ANN,] == Decimal(19) * 39 / 60  # 19.5 of 30 days


def test_who_is_reported_to_have_done_nothing_has_a_seat_too(exporter):
    exporter.ledger.apply_reports([report(activity())])
    seats = samples(exporter.build(NOON), "qdeveloper_subscription_usd_month_to_date")
    assert seats.keys() == {(ANN,)}


def test_a_log_that_names_nobody_has_no_seat(exporter):
    exporter.fill_prompts(prompt(who=asker("")))
    snapshot = exporter.build(NOON)
    assert samples(snapshot, "qdeveloper_subscription_usd_month_to_date") == {}
    assert value(snapshot, "qdeveloper_requests_today", user="unknown") == 1


def test_kiro_shows_credits_overage_and_messages(exporter):
    exporter.ledger.apply_reports(
        [
            report(
                credits("10.25", overage="2.5", messages=[("auto", 3), ("claude_opus_4.8", 1)]),
                credits("5", client_type="KIRO_CLI", messages=[("auto", 2)]),
                **KIRO,
            ),
            report(credits("1", day=TODAY - DAY), folder_day=TODAY - DAY, **KIRO),
        ]
    )
    snapshot = exporter.build(NOON)
    seat = {**PLACE, "user": ANN, "tier": "PRO"}
    assert samples(snapshot, "kiro_credits_used_month_to_date", **seat) == {
        ("KIRO_IDE",): Decimal("11.25"),
        ("KIRO_CLI",): 5,
    }
    assert value(
        snapshot, "kiro_overage_credits_month_to_date", **seat, client_type="KIRO_IDE"
    ) == Decimal("2.5")
    assert samples(snapshot, "kiro_messages_month_to_date", **PLACE, user=ANN) == {
        ("auto", "KIRO_IDE"): 3,
        ("claude_opus_4.8", "KIRO_IDE"): 1,
        ("auto", "KIRO_CLI"): 2,
    }
    assert value(snapshot, "kiro_idle_seconds", **seat) == 0


def test_a_seat_is_idle_up_to_the_newest_report(exporter):
    exporter.ledger.apply_reports(
        [
            report(credits(day=TODAY - 40 * DAY), folder_day=TODAY - 40 * DAY, **KIRO),
            report(credits(day=TODAY - DAY, user=BOB), folder_day=TODAY - DAY, **KIRO),
            report(activity(TODAY - 3 * DAY, BOB, chat_messages_sent=1)),
            report(activity(TODAY - DAY, chat_messages_sent=1), series="other"),
        ]
    )
    snapshot = exporter.build(NOON)
    assert value(snapshot, "kiro_idle_seconds", user=ANN) == 39 * 86_400
    assert value(snapshot, "qdeveloper_idle_seconds", user=BOB) == 2 * 86_400


LIMITS = [
    {
        "name": "chat",
        "product": "qdeveloper",
        "measure": "requests",
        "period": "day",
        "threshold": 10,
        "by": ["user"],
    },
    {
        "name": "kiro-tokens",
        "product": "kiro",
        "measure": "tokens",
        "period": "month",
        "threshold": 1000,
    },
    {"name": "money", "measure": "cost_usd", "period": "month", "threshold": 10},
]


def limits(snapshot, metric="usage_limit_used"):
    found = {}
    for family in snapshot.families:
        if family.metric.name == metric:
            for values, amount in family.samples.items():
                labels = dict(zip(family.labels, values, strict=True))
                found[labels["product"], labels["limit"], labels["user"]] = amount
    return found


def test_the_limits_of_all_products_are_one_family(exporter):
    exporter.configure(limits=LIMITS)
    exporter.fill(used(NOON, input=10**6))
    exporter.fill_prompts(prompt(), prompt(), prompt(who=asker("kim", product=Product.KIRO)))
    exporter.ledger.apply_reports(
        [
            report(activity(dev_generation_event_count=27, transformation_lines_ingested=1000)),
            report(credits("250", usage_limit="1000"), **KIRO),
        ]
    )
    snapshot = exporter.build(NOON)
    assert limits(snapshot) == {
        ("bedrock", "money", ""): 3,
        ("qdeveloper", "chat", ANN): 2,
        ("kiro", "kiro-tokens", ""): 110,
        ("qdeveloper", "qdeveloper-dev", ANN): 27,
        ("qdeveloper", "qdeveloper-transformation-lines", ANN): 1000,
        ("kiro", "kiro-credits", ANN): 250,
    }
    ratios = limits(snapshot, "usage_limit_ratio")
    assert ratios["qdeveloper", "qdeveloper-dev", ANN] == Decimal("0.9")
    assert ratios["qdeveloper", "qdeveloper-transformation-lines", ANN] == Decimal("0.25")
    assert ratios["kiro", "kiro-credits", ANN] == Decimal("0.25")


def test_published_limits_can_be_replaced_or_left_out(exporter):
    exporter.ledger.apply_reports([report(activity(dev_generation_event_count=27))])
    own = {
        "name": "qdeveloper-dev",
        "product": "qdeveloper",
        "measure": "dev_generation_event_count",
        "period": "month",
        "threshold": 270,
    }
    exporter.configure(limits=[own])
    ratios = limits(exporter.build(NOON), "usage_limit_ratio")
    assert ratios["qdeveloper", "qdeveloper-dev", ""] == Decimal("0.1")
    exporter.configure(assistants={"default_limits": False})
    assert limits(exporter.build(NOON)) == {}


def test_a_limit_of_the_name_of_kiros_takes_its_place(exporter):
    exporter.ledger.apply_reports([report(credits("250", usage_limit="1000"), **KIRO)])
    own = {
        "name": "kiro-credits",
        "product": "kiro",
        "measure": "credits",
        "period": "month",
        "threshold": 500,
    }
    exporter.configure(limits=[own])
    ratios = limits(exporter.build(NOON), "usage_limit_ratio")
    assert ratios == {("kiro", "kiro-credits", ""): Decimal("0.5")}


def test_a_published_limit_stands_only_for_who_used_something_of_it(exporter):
    exporter.ledger.apply_reports(
        [report(activity(chat_messages_sent=9), activity(user=BOB, dev_generation_event_count=1))]
    )
    assert limits(exporter.build(NOON)) == {("qdeveloper", "qdeveloper-dev", BOB): 1}


def test_users_that_nobody_may_know_share_no_published_limit(exporter):
    dev = activity(user="unknown", dev_generation_event_count=99)
    exporter.ledger.apply_reports([report(dev), report(credits(user="unknown"), **KIRO)])
    assert limits(exporter.build(NOON)) == {}


def test_users_can_be_left_out(exporter):
    exporter.configure(assistants={"users": {"exclude": [BOB]}})
    exporter.take_prompts(prompt(), prompt(who=asker(BOB)))
    exporter.ledger.apply_reports([report(activity(user=BOB, chat_messages_sent=9))])
    exporter.ledger.apply_reports([report(credits(user=BOB), **KIRO)])
    exposed = exporter.build(NOON)
    assert not any(BOB in values for family in exposed.families for values in family.samples)
    assert exposed.exposed_users == {ANN}


def test_users_fold_together_whatever_they_use(exporter):
    for number in range(60):
        user = f"user{number:02}"
        exporter.fill_prompts(prompt(100 + number, 0, who=asker(user)))
        exporter.ledger.apply_reports(
            [report(activity(user=user, chat_messages_sent=1), series=f"s{number}")]
        )
    before = exporter.peek(NOON)
    exporter.configure(metrics={"max_series": 500})
    folded = exporter.peek(NOON)
    assert folded.series <= 500 < before.series
    for name in (
        "qdeveloper_tokens_month_to_date",
        "qdeveloper_activity_month_to_date",
        "qdeveloper_estimated_tokens_month_to_date",
        "qdeveloper_virtual_cost_usd_month_to_date",
        "qdeveloper_subscription_usd_month_to_date",
    ):
        assert sum(samples(folded, name).values()) == sum(samples(before, name).values())
        assert any("other" in values for values in samples(folded, name))
    # What no sum means anything of is shown of nobody that folds.
    assert not any("other" in values for values in samples(folded, "qdeveloper_idle_seconds"))
    assert "user59" in folded.exposed_users
    assert "user00" not in folded.exposed_users


def test_without_the_label_user_nobody_is_named(exporter):
    exporter.configure(metrics={"labels": ["account_id"]})
    exporter.take_prompts(prompt(), prompt(who=asker(BOB)))
    exporter.ledger.apply_reports([report(activity(chat_messages_sent=9), activity(user=BOB))])
    exporter.ledger.apply_reports([report(credits(messages=[("auto", 1)]), **KIRO)])
    snapshot = exporter.build(NOON)
    found = samples(snapshot, "qdeveloper_requests_month_to_date")
    assert found == {(ACCOUNT, "qdeveloper", "chat"): 2}
    assert samples(snapshot, "qdeveloper_idle_seconds") == {}
    for family in snapshot.families:
        for values in family.samples:
            assert "usage_limit" in family.metric.name or not {ANN, BOB} & set(values)
