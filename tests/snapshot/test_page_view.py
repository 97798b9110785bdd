"""What the page shows comes of the same values as the metrics."""

import re
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from assistant_builders import BOB, activity, asker, credits, prompt, report
from exporter import metrics, page
from exporter.page import Absent, AssistantRow
from exporter.status import SourceStatus
from snapshots import HAIKU, SONNET, UNKNOWN_MODEL, Exporter, total, used, utc, value

NOON = utc("2026-11-20T12:00")
YESTERDAY = utc("2026-11-19T12:00")


@pytest.fixture
def exporter(tmp_path: Path) -> Exporter:
    return Exporter(tmp_path)


def million(time, user="alice", **labels):
    """Return usage of $3."""
    return used(time, user, input=1_000_000, **labels)


def test_totals_are_those_of_the_gauges(exporter):
    exporter.fill(million(utc("2026-10-20T12:00")), million(YESTERDAY), million(NOON, "bob"))
    exporter.fill(used(NOON, model=UNKNOWN_MODEL, requests=4, input=50))
    snapshot = exporter.build(NOON)
    view = snapshot.page
    assert (view.today.cost_usd, view.today.requests, view.today.tokens) == (3, 5, 1_000_050)
    assert view.month_to_date.cost_usd == 6
    assert view.month_to_date.unpriced_requests == 4
    assert view.previous_month.cost_usd == 3
    assert view.daily_mean_usd == total(snapshot, "bedrock_cost_usd_daily_mean")
    assert view.projected_month_usd == total(snapshot, "bedrock_cost_usd_projected_month")
    assert view.cost_usd_month_by_provenance == {"list": 6}


def test_what_cannot_be_known_is_absent_and_says_why(exporter):
    exporter.fill(used(NOON))
    view = exporter.build(NOON).page
    assert view.previous_month == Absent("no usage read")
    assert view.projected_month_usd == view.daily_mean_usd == Absent("less than 24 hours of data")


def test_days_without_usage_have_no_bar(exporter):
    exporter.fill(
        million(utc("2026-11-01T00:00")),
        used(YESTERDAY, outcome="ThrottlingException", input=1_000_000),
        million(NOON),
    )
    assert exporter.build(NOON).page.daily_cost_usd == (
        (date(2026, 11, 1), Decimal(3)),
        (date(2026, 11, 19), Decimal(0)),
        (date(2026, 11, 20), Decimal(3)),
    )


def test_a_bar_prices_each_tier_context_and_routing_by_its_own(exporter):
    sonnet = "anthropic.claude-sonnet-4-5-20250929-v1:0"
    exporter.fill(million(NOON, model=sonnet))
    exporter.fill(million(NOON, model=sonnet, context_from=272_000))
    exporter.fill(million(NOON, model=sonnet, tier="batch"))
    exporter.fill(million(NOON, model=f"global.{sonnet}"))
    snapshot = exporter.build(NOON)
    ((_, usd),) = snapshot.page.daily_cost_usd
    assert usd == total(snapshot, "bedrock_cost_usd_today") == Decimal("14.55")


def test_a_bar_leaves_out_what_is_unpriced_though_its_model_has_a_price(exporter):
    exporter.configure(models={"abcdefghijkl": SONNET})
    provisioned = "arn:aws:bedrock:us-east-1:111122223333:provisioned-model/abcdefghijkl"
    exporter.fill(million(NOON), million(NOON, model=provisioned))
    assert exporter.build(NOON).page.daily_cost_usd == ((date(2026, 11, 20), Decimal(3)),)


def test_shares_are_of_today_and_this_month_and_say_who_answers(exporter):
    applications = {"Shop": {"team": "sales"}, "john.doe": {"team": "nobody"}}
    exporter.configure(attribution={"applications": applications})
    exporter.fill(million(YESTERDAY, "john.doe"), million(NOON, "john.doe", model=HAIKU))
    view = exporter.build(NOON).page
    (application,) = view.top_applications.top
    assert (application.name, application.detail) == ("Shop", "sales")
    assert (application.cost_usd_today, application.cost_usd_month) == (
        *(Decimal("0.25"), Decimal("3.25")),
    )
    assert [(share.name, share.detail) for share in view.top_models.top] == [
        (SONNET, "Anthropic Claude 3.7 Sonnet"),
        (HAIKU, "Anthropic Claude 3 Haiku"),
    ]
    # A user may be called like an application, and look like a model's id.
    assert [(share.name, share.detail) for share in view.top_users.top] == [("john.doe", "")]


def test_a_share_counts_what_has_no_price_beside_what_has_one(exporter):
    exporter.fill(million(NOON), used(NOON, tier="reserved", requests=4, input=9))
    exporter.fill(used(NOON, "blocked", requests=2))
    exporter.fill(used(NOON, "failed", outcome="ValidationException", requests=2))
    shares = {share.name: share for share in exporter.build(NOON).page.top_users.top}
    assert shares["alice"].cost_usd_month == 3
    assert shares["alice"].unpriced_requests_month == 4
    assert shares["blocked"].unpriced_requests_month == 0
    assert shares["failed"].unpriced_requests_month == 0


def test_unpriced_usage_stands_by_model_region_and_reason(exporter):
    exporter.fill(used(NOON, model=UNKNOWN_MODEL, requests=4, input=50, output=1))
    exporter.fill(used(NOON, "bob", model=UNKNOWN_MODEL, account="444455556666", input=7))
    exporter.fill(used(NOON, tier="reserved", input=9))
    rows = {
        (row.model, row.region, row.reason): (row.requests, row.tokens)
        for row in exporter.build(NOON).page.unpriced
    }
    assert rows == {
        (UNKNOWN_MODEL, "us-east-1", "unknown_model"): (5, 58),
        (SONNET, "us-east-1", "no_price"): (1, 9),
    }


def test_a_limit_says_whom_it_is_about(exporter):
    each = {"name": "each", "by": ["user"], "match": {"application": ["Shop", "Crm"]}}
    exporter.configure(
        limits=[{**each, "measure": "tokens", "period": "day", "threshold": 2_000_000}]
    )
    exporter.fill(million(NOON))
    (row,) = exporter.build(NOON).page.limits
    assert row.scope == "application Crm|Shop, user alice"
    assert (row.used, row.ratio, row.projected_ratio) == (1_000_000, Decimal("0.5"), None)


@pytest.mark.parametrize(
    ("measure", "words"),
    [
        ("dev_generation_event_count", "3 of 30 dev generation events a month"),
        ("inline_suggestions_count", "3 of 30 inline suggestions a month"),
        ("chat_messages_sent", "3 of 30 chat messages sent a month"),
    ],
)
def test_a_limit_calls_what_it_counts_by_words(exporter, measure, words):
    limit = {"name": "agents", "product": "qdeveloper", "period": "month", "threshold": 30}
    exporter.configure(limits=[{**limit, "measure": measure}])
    counts = {"dev_generation_event_count": 3, "inline_suggestions_count": 3}
    exporter.ledger.apply_reports([report(activity(chat_messages_sent=3, **counts))])
    assert words in re.sub(r"<[^>]*>", "", page.render(exporter.build(NOON).page).decode())


def test_a_source_shows_its_own_records_and_rejections(exporter):
    exporter.fill(used(NOON), newest=NOON)
    exporter.counters.add(metrics.LOG_OBJECTS, 2, "logs")
    exporter.counters.add(metrics.LOG_RECORDS, 30, "logs")
    exporter.counters.add(metrics.REJECTED_RECORDS, 3, "logs", "malformed_json")
    exporter.counters.add(metrics.REJECTED_RECORDS, 9, "other", "malformed_json")
    status = SourceStatus("logs", "data/logs", up=True, last_error="AccessDenied")
    view = exporter.build(NOON, [status, SourceStatus("other", "data/other")]).page
    row, other = view.sources
    assert (row.log_objects, row.records, row.rejected) == (2, 30, {"malformed_json": 3})
    assert (row.newest_record, row.last_error) == (NOON, "AccessDenied")
    assert other.newest_record is None and other.rejected == {"malformed_json": 9}


def test_a_ledger_without_usage_makes_a_page(exporter):
    snapshot = exporter.build(NOON)
    assert value(snapshot, "bedrock_exporter_folded_users") == 0
    assert b"<html" in page.render(snapshot.page)


def test_assistants_show_the_figures_of_the_metrics(tmp_path):
    exporter = Exporter(tmp_path)
    exporter.fill_prompts(prompt(10**6, 0), prompt(who=asker(BOB), input=5, output=5))
    exporter.ledger.apply_reports(
        [
            report(activity(chat_messages_sent=10)),
            report(
                credits("10.5", overage="2"),
                folder="KiroLogs/user_report",
                series="KIRO_IDE",
                source="kiro_reports",
            ),
        ]
    )
    q_developer, kiro = exporter.build(NOON).page.assistants
    assert q_developer == AssistantRow(
        "Amazon Q Developer",
        users=2,
        requests=2,
        tokens=1_000_010,
        estimated_tokens=6_500,
        virtual_cost_usd=Decimal("3.00009"),
        subscription_usd=Decimal(19) * 39 / 60 * 2,
        credits=None,
        overage_credits=None,
    )
    assert kiro == AssistantRow("Kiro", 1, credits=Decimal("10.5"), overage_credits=Decimal(2))


def test_without_assistants_none_is_shown(tmp_path):
    assert Exporter(tmp_path).build(NOON).page.assistants == ()
