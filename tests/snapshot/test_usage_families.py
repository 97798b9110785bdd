"""The gauges of usage, cost and limits, each figure worked out by hand or by a plain sum."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exporter.interpretation.models import Routing
from exporter.interpretation.prices import PriceBook
from exporter.usage import TokenKind, Usage
from snapshots import (
    HAIKU,
    SONNET,
    UNKNOWN_MODEL,
    Exporter,
    config,
    samples,
    total,
    used,
    utc,
    value,
)

NOON = utc("2026-11-20T12:00")
"""A Friday; 10.5 days of November are left."""
LONG_AGO = utc("2026-10-01T00:00")
DAY = timedelta(days=1)
CANVAS = "amazon.nova-canvas-v1:0"
PROVISIONED = "arn:aws:bedrock:us-east-1:111122223333:provisioned-model/abcdefghijkl"
HIDDEN = "arn:aws:bedrock:us-east-1:111122223333:application-inference-profile/r3p0rt"


@pytest.fixture
def exporter(tmp_path: Path) -> Exporter:
    return Exporter(tmp_path)


def test_a_real_bill_comes_out_to_the_last_digit(exporter):
    exporter.fill(used(NOON, requests=23, input=506, output=4576))
    snapshot = exporter.build(NOON)
    for period in ("today", "month_to_date"):
        assert value(snapshot, f"bedrock_requests_{period}") == 23
        assert samples(snapshot, f"bedrock_tokens_{period}", user="alice", model=SONNET) == {
            ("111122223333", "us-east-1", "Shop", "input"): 506,
            ("111122223333", "us-east-1", "Shop", "output"): 4576,
        }
        assert value(snapshot, f"bedrock_cost_usd_{period}") == Decimal("0.070158")
    by_kind = "bedrock_cost_usd_by_token_kind_month_to_date"
    assert value(snapshot, by_kind, token_kind="input") == Decimal("0.001518")
    assert value(snapshot, by_kind, token_kind="output") == Decimal("0.068640")


def test_what_was_used_this_month_stays_at_zero_today_and_what_never_was_has_no_series(exporter):
    exporter.fill(used(utc("2026-11-01T00:00"), input=10, cache_read=5))
    snapshot = exporter.build(utc("2026-11-30T23:59"))
    assert value(snapshot, "bedrock_requests_today") == 0
    assert value(snapshot, "bedrock_cost_usd_today") == 0
    kinds = {"input": 0, "cache_read": 0}
    for kind in TokenKind:
        assert value(snapshot, "bedrock_tokens_today", token_kind=kind) == kinds.get(kind)
    december = exporter.build(utc("2026-12-01T00:00"))
    assert not samples(december, "bedrock_requests_today")
    assert not samples(december, "bedrock_tokens_month_to_date")
    assert value(december, "bedrock_cost_usd_previous_month") == Decimal("0.0000315")


def test_unpriced_usage_is_never_zero_dollars(exporter):
    unpriced = {
        "unknown_model": UNKNOWN_MODEL,
        "unresolved": HIDDEN,
        "not_token_billed": CANVAS,
        "provisioned": PROVISIONED,
        "custom": "arn:aws:bedrock:us-east-1:111122223333:custom-model/amazon.nova/abcdefghijkl",
        "imported": "arn:aws:bedrock:us-east-1:111122223333:imported-model/abcdefghijkl",
    }
    usage = [used(NOON, model=model, requests=2, input=5) for model in unpriced.values()]
    exporter.fill(*usage, used(NOON, tier="reserved", requests=2, input=5))
    snapshot = exporter.build(NOON)
    assert not [
        family.metric.name
        for family in snapshot.families
        if family.samples and family.metric.name.startswith("bedrock_cost_usd")
    ]
    assert not samples(snapshot, "bedrock_price_usd_per_token", model=UNKNOWN_MODEL)
    for reason in [*unpriced, "no_price"]:
        assert value(snapshot, "bedrock_unpriced_requests_month_to_date", reason=reason) == 2
    assert total(snapshot, "bedrock_unpriced_tokens_month_to_date", token_kind="input") == 35
    assert total(snapshot, "bedrock_tokens_by_routing_month_to_date") == 35


def test_a_call_priced_in_part_has_a_cost_and_shows_what_is_not_in_it(exporter):
    override = {"model": UNKNOWN_MODEL, "usd_per_million_tokens": {"output": 10}}
    exporter.configure(prices={"overrides": [override]})
    exporter.fill(used(NOON, model=UNKNOWN_MODEL, input=7, output=100))
    snapshot = exporter.build(NOON)
    assert value(snapshot, "bedrock_cost_usd_today") == Decimal("0.001")
    assert value(snapshot, "bedrock_unpriced_tokens_month_to_date", token_kind="input") == 7
    assert not samples(snapshot, "bedrock_unpriced_requests_month_to_date")
    assert [(row.requests, row.tokens) for row in snapshot.page.unpriced] == [(0, 7)]


def test_a_failed_call_is_a_request_and_an_error_and_its_tokens_are_nowhere(exporter):
    exporter.fill(used(NOON, outcome="ModelTimeoutException", requests=3, input=900))
    snapshot = exporter.build(NOON)
    assert value(snapshot, "bedrock_requests_today") == 3
    for name in ("tokens_today", "tokens_month_to_date", "cost_usd_today", "price_usd_per_token"):
        assert not samples(snapshot, f"bedrock_{name}")
    for name in ("unpriced_requests", "unpriced_tokens", "tokens_by_routing"):
        assert not samples(snapshot, f"bedrock_{name}_month_to_date")
    assert value(snapshot, "bedrock_hour_of_day_requests") == 3


def test_calls_without_tokens_to_a_priced_model_cost_nothing_and_are_not_unpriced(exporter):
    exporter.fill(used(NOON, requests=2))  # stopped by a guardrail
    snapshot = exporter.build(NOON)
    assert value(snapshot, "bedrock_cost_usd_today") == 0
    assert not samples(snapshot, "bedrock_unpriced_requests_month_to_date")
    assert not samples(snapshot, "bedrock_tokens_today")


def test_cache_savings_are_net_of_what_writing_cost_more(exporter):
    exporter.fill(used(NOON, cache_read=1_000_000, cache_write_5m=1_000_000))
    exporter.fill(used(NOON, model=HAIKU, cache_write_1h=1_000_000))
    snapshot = exporter.build(NOON)
    name = "bedrock_cache_savings_usd_month_to_date"
    assert value(snapshot, name, model=SONNET) == Decimal("1.95")  # 2.70 saved, 0.75 for writing
    assert value(snapshot, name, model=HAIKU) == Decimal("-0.25")


def test_a_cache_write_of_unstated_lifetime_is_priced_as_five_minutes_and_derived(exporter):
    exporter.fill(used(NOON, cache_write_5m=1_000_000, cache_write_unsplit=2_000_000))
    snapshot = exporter.build(NOON)
    assert value(snapshot, "bedrock_tokens_today", token_kind="cache_write") == 3_000_000
    by_provenance = samples(snapshot, "bedrock_cost_usd_by_provenance_month_to_date")
    assert by_provenance == {("list",): Decimal("3.75"), ("derived",): Decimal("7.50")}


def test_routing_is_what_the_called_id_says(exporter):
    sonnet = "anthropic.claude-sonnet-4-5-20250929-v1:0"
    for number, model in enumerate((sonnet, f"us.{sonnet}", f"global.{sonnet}"), 1):
        exporter.fill(used(NOON, model=model, input=number * 1_000_000))
    snapshot = exporter.build(NOON)
    name = "bedrock_tokens_by_routing_month_to_date"
    for number, routing in enumerate(Routing, 1):
        assert value(snapshot, name, model=sonnet, routing=routing) == number * 1_000_000
    # $3.30 in the region and in the geography, $3 globally.
    assert value(snapshot, "bedrock_cost_usd_today", model=sonnet) == Decimal("18.9")
    price = "bedrock_price_usd_per_token"
    for routing, usd in zip(Routing, ("0.0000033", "0.0000033", "0.000003"), strict=True):
        assert value(snapshot, price, routing=routing, token_kind="input") == Decimal(usd)


def test_a_price_shows_once_as_of_the_last_call_whatever_it_came_from_before(exporter):
    override = {"model": HAIKU, "effective_from": "2026-11-10"}
    override |= {"usd_per_million_tokens": {"input": 1}}
    exporter.configure(prices={"overrides": [override]})
    exporter.fill(used(utc("2026-11-05T12:00"), model=HAIKU, input=1))
    before = exporter.build(NOON)
    price = "bedrock_price_usd_per_token"
    assert value(before, price, token_kind="input", provenance="list") == Decimal("2.5E-7")
    exporter.fill(used(utc("2026-11-12T12:00"), model=HAIKU, input=1))
    after = exporter.build(NOON)
    assert value(after, price, token_kind="input") == Decimal("0.000001")
    assert value(after, price, token_kind="input", provenance="override") == Decimal("0.000001")


def test_a_price_is_of_the_standard_tier_and_the_shortest_context(exporter):
    sonnet = "anthropic.claude-sonnet-4-5-20250929-v1:0"
    exporter.fill(used(NOON, model=sonnet, input=1))
    exporter.fill(used(NOON, model=sonnet, input=300_000, context_from=272_000))
    exporter.fill(used(NOON, model=sonnet, input=1, tier="priority"))
    price = "bedrock_price_usd_per_token"
    assert value(exporter.build(NOON), price, token_kind="input") == Decimal("0.0000033")


def test_models_and_applications_are_described(exporter):
    crm = {"team": "sales", "cost_center": "CC-1", "owner": "crm@example.com"}
    exporter.configure(attribution={"applications": {"Crm": crm}}, metrics={"labels": []})
    exporter.fill(used(NOON), used(NOON, application="Unlisted", model=HIDDEN))
    snapshot = exporter.build(NOON)
    assert samples(snapshot, "bedrock_application_info") == {
        ("Crm", "sales", "CC-1", "crm@example.com"): 1
    }
    assert samples(snapshot, "bedrock_model_info") == {
        (SONNET, "Claude 3.7 Sonnet", "Anthropic"): 1,
        ("application-inference-profile/r3p0rt",) * 2 + ("unknown",): 1,
    }


# Mean and projection. $1 is 333,333 1/3 input tokens of SONNET: $3 are a million.


def million(time, user="alice", **labels) -> Usage:
    return used(time, user, input=1_000_000, **labels)


def test_the_mean_is_that_of_the_seven_full_days_before_today(exporter):
    exporter.fill(million(LONG_AGO))
    exporter.fill(million(utc("2026-11-12T23:45")))  # eight days ago
    exporter.fill(million(utc("2026-11-13T00:00")), million(utc("2026-11-19T23:45")))
    exporter.fill(million(utc("2026-11-20T00:00")))  # today
    snapshot = exporter.build(NOON)
    assert value(snapshot, "bedrock_cost_usd_daily_mean") == Decimal(6) / 7
    # $12 this month so far, and 10.5 days to come.
    assert value(snapshot, "bedrock_cost_usd_projected_month") == 12 + Decimal("10.5") * 6 / 7


def test_below_24_hours_of_data_there_is_no_mean_and_no_projection(exporter):
    exporter.fill(million(NOON - DAY + timedelta(minutes=15)))
    for name in ("daily_mean", "projected_month"):
        assert not samples(exporter.build(NOON), f"bedrock_cost_usd_{name}")
    later = exporter.build(NOON + timedelta(minutes=15))
    for name in ("daily_mean", "projected_month"):
        assert samples(later, f"bedrock_cost_usd_{name}")


def test_a_mean_is_over_as_many_days_as_there_is_data_for(exporter):
    exporter.fill(million(utc("2026-11-17T12:00")), million(utc("2026-11-19T12:00"), "bob"))
    snapshot = exporter.build(NOON)
    # 2.5 days from the first record to the begin of today, for every label set alike.
    assert value(snapshot, "bedrock_cost_usd_daily_mean", user="alice") == Decimal("1.2")
    assert value(snapshot, "bedrock_cost_usd_daily_mean", user="bob") == Decimal("1.2")
    projected = value(snapshot, "bedrock_cost_usd_projected_month", user="bob")
    assert projected == 3 + Decimal("10.5") * Decimal("1.2")


def test_a_projection_reaches_into_a_new_month_by_what_the_old_one_cost(exporter):
    exporter.fill(million(utc("2026-11-24T12:00")))
    snapshot = exporter.build(utc("2026-12-01T00:00"))
    assert value(snapshot, "bedrock_cost_usd_month_to_date") is None
    assert value(snapshot, "bedrock_cost_usd_projected_month") == pytest.approx(
        Decimal(31) * 3 / Decimal("6.5")
    )


def test_a_month_with_a_change_of_the_clock_has_its_own_length(tmp_path: Path):
    exporter = Exporter(tmp_path, timezone="Europe/Berlin")
    exporter.fill(million(utc("2026-09-01T12:00")), million(utc("2026-10-20T12:00")))
    now = utc("2026-10-24T22:00")  # midnight; a day of 25 hours and six of 24 are left
    projected = value(exporter.build(now), "bedrock_cost_usd_projected_month")
    assert projected == pytest.approx(3 + (7 + Decimal(1) / 24) * 3 / 7)


# Limits.

LIMIT_LABELS = {
    "product": "bedrock",
    "limit": "shop",
    "account_id": "",
    "region": "",
    "application": "Shop",
    "user": "",
    "model": "",
    "measure": "cost_usd",
    "period": "month",
}


def test_a_limit_has_every_label_and_those_it_does_not_name_are_empty(exporter):
    budget = {"name": "shop", "match": {"application": "Shop"}, "measure": "cost_usd"}
    budget |= {"period": "month", "threshold": 12}
    exporter.configure(limits=[budget], metrics={"labels": ["model"]})
    exporter.fill(million(LONG_AGO), million(NOON - DAY), million(NOON, application="Crm"))
    snapshot = exporter.build(NOON)
    (family,) = (f for f in snapshot.families if f.metric.name == "usage_limit_used")
    assert dict(zip(family.labels, *family.samples, strict=True)) == LIMIT_LABELS
    assert value(snapshot, "usage_limit_threshold", **LIMIT_LABELS) == 12
    assert value(snapshot, "usage_limit_used", **LIMIT_LABELS) == 3
    assert value(snapshot, "usage_limit_ratio", **LIMIT_LABELS) == Decimal("0.25")
    projected = value(snapshot, "usage_limit_projected_ratio", **LIMIT_LABELS)
    assert projected == (3 + Decimal("10.5") * 3 / 7) / 12
    reset = value(snapshot, "usage_limit_reset_timestamp_seconds", **LIMIT_LABELS)
    assert reset == utc("2026-12-01T00:00").timestamp()


def test_limits_of_every_period_and_measure_hold_what_the_gauges_say(exporter):
    measures = ("cost_usd", "tokens", "input_tokens", "output_tokens", "cache_read_tokens")
    measures += ("cache_write_tokens", "requests", "request_errors")
    exporter.configure(
        limits=[
            {"name": f"{measure}-{period}", "measure": measure, "period": period, "threshold": 1}
            for measure in measures
            for period in ("day", "week", "month")
        ]
    )
    tokens = {"input": 1, "output": 20, "cache_read": 300}
    tokens |= {"cache_write_5m": 4000, "cache_write_1h": 50_000, "cache_write_unsplit": 600_000}
    times = (NOON, utc("2026-11-16T00:00"), utc("2026-11-15T23:45"))  # today, Monday, Sunday
    exporter.fill(*(used(time, **tokens) for time in times))
    exporter.fill(used(NOON, outcome="ThrottlingException", input=9))
    snapshot = exporter.build(NOON)
    once = {"tokens": 654_321, "input_tokens": 1, "output_tokens": 20, "cache_read_tokens": 300}
    once |= {"cache_write_tokens": 654_000, "requests": 1, "request_errors": 0}
    for measure in measures[1:]:
        for days, period in enumerate(("day", "week", "month"), 1):
            failed = measure in ("requests", "request_errors")
            found = value(snapshot, "usage_limit_used", measure=measure, period=period)
            assert found == days * once[measure] + failed, (measure, period)
    cost = total(snapshot, "bedrock_cost_usd_today")
    assert value(snapshot, "usage_limit_used", measure="cost_usd", period="week") == 2 * cost


# Whatever is used, however it is cut: the sums are the same.

USERS = ["alice", "bob", "carol"]
MODELS = [
    SONNET,
    HAIKU,
    "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
    "global.anthropic.claude-sonnet-4-5-20250929-v1:0",
    "amazon.nova-pro-v1:0",
    UNKNOWN_MODEL,
    PROVISIONED,
]
OVERRIDE = {
    "model": HAIKU,
    "effective_from": "2026-11-10",
    "usd_per_million_tokens": {"input": "0.123456789", "cache_write": "7.7"},
}
BOOK = PriceBook.bundled(config(prices={"overrides": [OVERRIDE]}).prices.overrides)
tokens = st.integers(0, 10**9)
usage = st.builds(
    used,
    st.sampled_from([NOON, NOON - DAY, utc("2026-11-10T00:00"), utc("2026-11-09T23:45")]),
    st.sampled_from(USERS),
    application=st.sampled_from(["Shop", "Crm"]),
    model=st.sampled_from(MODELS),
    region=st.sampled_from(["us-east-1", "ap-northeast-1", "xx-nowhere-1"]),
    tier=st.sampled_from(["standard", "batch", "priority", "reserved"]),
    context_from=st.sampled_from([0, 200_000]),
    outcome=st.sampled_from(["ok", "ok", "ok", "ThrottlingException"]),
    requests=st.integers(1, 100),
    input=tokens,
    output=tokens,
    cache_read=tokens,
    cache_write_5m=tokens,
    cache_write_1h=tokens,
    cache_write_unsplit=tokens,
)


@pytest.fixture(scope="module")
def month(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exporter]:
    exporter = Exporter(tmp_path_factory.mktemp("month"), prices={"overrides": [OVERRIDE]})
    yield exporter
    exporter.ledger.close()


def plain_cost_usd(part: Usage) -> tuple[Decimal, int]:
    """Price usage with nothing but the book; return the cost and the tokens without a price."""
    slot, fact, counts = part
    if fact.outcome != "ok":
        return Decimal(0), 0
    by_kind = {
        TokenKind.INPUT: counts.input,
        TokenKind.OUTPUT: counts.output,
        TokenKind.CACHE_READ: counts.cache_read,
        TokenKind.CACHE_WRITE: counts.cache_write_5m + counts.cache_write_unsplit,
        TokenKind.CACHE_WRITE_1H: counts.cache_write_1h,
    }
    prefix, _, bare = fact.model_id.partition(".")
    routing = {"us": Routing.GEO, "global": Routing.GLOBAL}.get(prefix, Routing.IN_REGION)
    model = fact.model_id if routing is Routing.IN_REGION else bare
    day = datetime.fromtimestamp(slot * 900, UTC).date()
    prices = BOOK.unit_prices(
        model, fact.region, routing, fact.service_tier, fact.context_from, day
    )
    cost = sum(
        (count * prices[kind].usd_per_token for kind, count in by_kind.items() if kind in prices),
        Decimal(0),
    )
    return cost, sum(count for kind, count in by_kind.items() if kind not in prices)


numbers = count()


@given(st.lists(usage, max_size=12))
@settings(max_examples=60, deadline=None)
def test_every_way_to_cut_the_cost_adds_up_to_the_same(month: Exporter, taken: list[Usage]) -> None:
    place = f"case{next(numbers)}"  # every case is an account of its own in one ledger
    taken = [part._replace(fact=part.fact._replace(account_id=place)) for part in taken]
    month.fill(*taken)
    snapshot = month.peek(NOON)
    priced = [plain_cost_usd(part) for part in taken]
    cost = sum((usd for usd, _ in priced), Decimal(0))
    assert total(snapshot, "bedrock_cost_usd_month_to_date", account_id=place) == cost
    by_kind = "bedrock_cost_usd_by_token_kind_month_to_date"
    assert total(snapshot, by_kind, account_id=place) == cost
    provenance = "bedrock_cost_usd_by_provenance_month_to_date"
    assert total(snapshot, provenance) == total(snapshot, "bedrock_cost_usd_month_to_date")
    assert total(snapshot, provenance) == sum(usd for _, usd in snapshot.page.daily_cost_usd)
    unpriced = "bedrock_unpriced_tokens_month_to_date"
    assert total(snapshot, unpriced, account_id=place) == sum(left for _, left in priced)
    succeeded = [part.counts for part in taken if part.fact.outcome == "ok"]
    used_tokens = sum(sum(counts[1:]) for counts in succeeded)
    assert total(snapshot, "bedrock_tokens_month_to_date", account_id=place) == used_tokens
    routing = "bedrock_tokens_by_routing_month_to_date"
    assert total(snapshot, routing, account_id=place) == used_tokens
    requests = sum(part.counts.requests for part in taken)
    assert total(snapshot, "bedrock_requests_month_to_date", account_id=place) == requests
