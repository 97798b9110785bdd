"""How a price is found, what counts cost, and that the bundled book is sound."""

import csv
import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal, localcontext
from fractions import Fraction
from itertools import groupby
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.config import PriceOverride
from exporter.interpretation.models import Routing
from exporter.interpretation.price_book import (
    PRICE_BOOK,
    PriceBookError,
    PriceRow,
    from_override,
    read_price_book,
)
from exporter.interpretation.prices import Price, PriceBook, Provenance, price_counts
from exporter.usage import Counts, TokenKind

BOOK = PriceBook.bundled()
DAY = date(2026, 11, 1)

SONNET_37 = "anthropic.claude-3-7-sonnet-20250219-v1:0"
SONNET_45 = "anthropic.claude-sonnet-4-5-20250929-v1:0"
SONNET_46 = "anthropic.claude-sonnet-4-6"
OPUS_46 = "anthropic.claude-opus-4-6-v1"
NOVA_PRO = "amazon.nova-pro-v1:0"
MODEL = "acme.model-v1:0"

REGIONS_TO_COVER = [
    "us-east-1",
    "us-west-2",
    "eu-central-1",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-southeast-1",
]
REGIONS = {
    "*",
    *("us-east-1", "us-east-2", "us-west-1", "us-west-2", "us-gov-east-1", "us-gov-west-1"),
    *("ca-central-1", "ca-west-1", "sa-east-1", "il-central-1", "me-central-1"),
    *("eu-central-1", "eu-central-2", "eu-north-1", "eu-south-1", "eu-south-2"),
    *("eu-west-1", "eu-west-2", "eu-west-3", "ap-south-1", "ap-south-2"),
    *("ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-southeast-1", "ap-southeast-2"),
    *("ap-southeast-3", "ap-southeast-4", "ap-southeast-5", "ap-southeast-7"),
}


def look_up(
    book: PriceBook,
    model: str = MODEL,
    region: str = "us-east-1",
    routing: Routing = Routing.IN_REGION,
    tier: str = "standard",
    context_from: int = 0,
    day: date = DAY,
) -> dict[str, tuple[Decimal, str]]:
    """Return USD per million tokens and provenance by kind."""
    prices = book.unit_prices(model, region, routing, tier, context_from, day)
    return {kind: (p.usd_per_token * 1_000_000, p.provenance) for kind, p in prices.items()}


def usd(prices: Mapping[str, tuple[Decimal, str]]) -> dict[str, Decimal]:
    return {kind: price for kind, (price, _) in prices.items()}


def row(
    region: str = "*",
    routing: str = "*",
    tier: str = "standard",
    context_from: int = 0,
    since: str = "2023-01-01",
    model: str = MODEL,
    **prices: str,
) -> PriceRow:
    return PriceRow(
        model=model,
        region=region,
        routing=routing,
        service_tier=tier,
        context_from=context_from,
        effective_from=date.fromisoformat(since),
        usd_per_million_tokens={TokenKind(k): Decimal(v) for k, v in prices.items()},
    )


def override(prices: Mapping[str, str], **fields: object) -> PriceRow:
    document = {"model": MODEL, **fields, "usd_per_million_tokens": prices}
    return from_override(PriceOverride.model_validate(document))


def priced(counts: Counts, **prices: str) -> dict[str, object]:
    unit_prices = {
        TokenKind(kind): Price(Decimal(price) / 1_000_000, Provenance.LIST)
        for kind, price in prices.items()
    }
    result = price_counts(unit_prices, counts)
    return {name: getattr(result, name) for name in result.__dataclass_fields__}


# Proof from a real bill, and figures seen in the AWS Price List.


def test_a_real_bill_is_reproduced_to_the_last_digit() -> None:
    prices = BOOK.unit_prices(
        SONNET_37, "us-east-1", Routing.IN_REGION, "standard", 0, date(2025, 8, 1)
    )
    bill = price_counts(prices, Counts(requests=23, input=506, output=4576))
    assert [line.cost_usd for line in bill.lines] == [Decimal("0.001518"), Decimal("0.068640")]
    assert bill.cost_usd == Decimal("0.070158")
    assert {line.provenance for line in bill.lines} == {Provenance.LIST}


@pytest.mark.parametrize(
    ("model", "routing", "tier", "kind", "price"),
    [
        (OPUS_46, Routing.GLOBAL, "standard", "input", "5.00"),
        (OPUS_46, Routing.GEO, "standard", "input", "5.50"),
        (OPUS_46, Routing.IN_REGION, "standard", "input", "5.50"),
        (OPUS_46, Routing.GEO, "batch", "input", "2.75"),
        (OPUS_46, Routing.GLOBAL, "batch", "input", "2.50"),
        (OPUS_46, Routing.GLOBAL, "standard", "cache_write_1h", "10.00"),
        (OPUS_46, Routing.GEO, "standard", "cache_write_1h", "11.00"),
        (OPUS_46, Routing.GLOBAL, "standard", "cache_read", "0.50"),
        (SONNET_46, Routing.GLOBAL, "standard", "cache_write", "3.75"),
        (SONNET_45, Routing.IN_REGION, "standard", "output", "16.5"),
        (SONNET_45, Routing.GLOBAL, "standard", "output", "15"),
        (NOVA_PRO, Routing.IN_REGION, "latency_optimized", "output", "4"),
    ],
)
def test_the_book_has_the_prices_that_aws_lists(
    model: str, routing: Routing, tier: str, kind: str, price: str
) -> None:
    assert usd(look_up(BOOK, model, routing=routing, tier=tier))[kind] == Decimal(price)


def test_nova_costs_what_its_region_costs() -> None:
    inputs = {region: usd(look_up(BOOK, NOVA_PRO, region))["input"] for region in REGIONS_TO_COVER}
    assert inputs == {
        "us-east-1": Decimal("0.8"),
        "us-west-2": Decimal("0.8"),
        "eu-central-1": Decimal("1.05"),
        "ap-northeast-1": Decimal("0.96"),
        "ap-northeast-2": Decimal("0.95"),
        "ap-southeast-1": Decimal("1.08"),
    }


def test_nova_cache_writes_are_free_because_the_list_says_so() -> None:
    assert look_up(BOOK, NOVA_PRO)["cache_write"] == (Decimal(0), "list")


@pytest.mark.parametrize(
    ("day", "price"), [(date(2026, 3, 12), "10"), (date(2026, 3, 13), "5"), (DAY, "5")]
)
def test_long_prompts_of_opus_4_6_cost_double_until_the_flat_price(day: date, price: str) -> None:
    prices = look_up(BOOK, OPUS_46, routing=Routing.GLOBAL, context_from=200_000, day=day)
    assert usd(prices)["input"] == Decimal(price)


def test_long_prompts_of_sonnet_4_5_cost_more() -> None:
    assert usd(look_up(BOOK, SONNET_45, routing=Routing.GLOBAL, context_from=256_000)) == {
        "input": Decimal(6),
        "output": Decimal("22.5"),
        "cache_read": Decimal("0.6"),
        "cache_write": Decimal("7.5"),
        "cache_write_1h": Decimal(12),
    }


# The order in which a price is looked for.


def test_the_region_itself_comes_before_the_price_of_every_region() -> None:
    book = PriceBook([row(input="1"), row("eu-west-1", input="2")])
    assert look_up(book, region="eu-west-1") == {"input": (Decimal(2), "list")}
    assert look_up(book, region="eu-west-2") == {"input": (Decimal(1), "list")}


def test_a_region_without_a_price_borrows_that_of_us_east_1_as_derived() -> None:
    book = PriceBook([row("us-east-1", input="1"), row("eu-west-1", input="2")])
    assert look_up(book, region="ap-northeast-2") == {"input": (Decimal(1), "derived")}


def test_a_model_that_us_east_1_has_no_price_for_has_none_elsewhere() -> None:
    book = PriceBook([row("eu-west-1", input="2")])
    assert look_up(book, region="ap-northeast-2") == {}


@pytest.mark.parametrize("region", ["us-gov-west-1", "cn-north-1", "eusc-de-east-1", "", "x\n*"])
def test_the_price_of_every_commercial_region_is_only_derived_for_others(region: str) -> None:
    book = PriceBook([row(input="1")])
    assert look_up(book, region=region) == {"input": (Decimal(1), "derived")}


def test_a_routing_of_its_own_comes_before_the_price_of_every_routing() -> None:
    book = PriceBook([row(input="3.3"), row(routing="global", input="3")])
    prices = {r: usd(look_up(book, routing=r))["input"] for r in Routing}
    assert prices == {
        Routing.IN_REGION: Decimal("3.3"),
        Routing.GEO: Decimal("3.3"),
        Routing.GLOBAL: Decimal(3),
    }


def test_a_price_holds_from_its_day_on() -> None:
    book = PriceBook([row(input="2"), row(since="2026-08-21", input="1")])
    assert usd(look_up(book, day=date(2026, 8, 20))) == {"input": Decimal(2)}
    assert usd(look_up(book, day=date(2026, 8, 21))) == {"input": Decimal(1)}


def test_a_call_before_the_first_price_has_none() -> None:
    assert look_up(PriceBook([row(input="2")]), day=date(2022, 12, 31)) == {}


def test_a_context_band_without_a_row_takes_the_next_lower_band() -> None:
    book = PriceBook([row(input="1"), row(context_from=200_000, input="2")])
    bands = (0, 128_000, 200_000, 512_000)
    prices = [look_up(book, context_from=band)["input"] for band in bands]
    assert prices == [(Decimal(p), "list") for p in (1, 1, 2, 2)]


def test_a_newer_price_of_short_prompts_leaves_that_of_long_ones() -> None:
    book = PriceBook(
        [row(input="2"), row(context_from=200_000, input="4"), row(since="2026-07-01", input="1")]
    )
    assert usd(look_up(book, context_from=200_000)) == {"input": Decimal(4)}


@pytest.mark.parametrize(("tier", "price"), [("batch", "2"), ("flex", "2"), ("priority", "7")])
def test_a_tier_without_a_price_is_derived_by_the_factor_of_the_tier(tier: str, price: str) -> None:
    book = PriceBook([row(input="4")])
    assert look_up(book, tier=tier) == {"input": (Decimal(price), "derived")}


@pytest.mark.parametrize("tier", ["reserved", "latency_optimized", "turbo", ""])
def test_a_tier_without_a_factor_has_no_price(tier: str) -> None:
    assert look_up(PriceBook([row(input="4")]), tier=tier) == {}


def test_the_listed_price_of_a_tier_comes_before_the_factor() -> None:
    book = PriceBook([row(input="4"), row(tier="batch", input="3")])
    assert look_up(book, tier="batch") == {"input": (Decimal(3), "list")}


def test_the_tier_is_derived_in_the_region_of_the_call_rather_than_borrowed() -> None:
    book = PriceBook(
        [
            row("us-east-1", input="4"),
            row("us-east-1", tier="batch", input="2"),
            row("eu-west-1", input="6"),
        ]
    )
    assert look_up(book, region="eu-west-1", tier="batch") == {"input": (Decimal(3), "derived")}


def test_the_tier_of_a_long_prompt_is_derived_from_the_long_price() -> None:
    book = PriceBook(
        [row(input="4"), row(context_from=200_000, input="8"), row(tier="batch", input="2")]
    )
    assert look_up(book, tier="batch", context_from=200_000) == {"input": (Decimal(4), "derived")}


def test_the_tier_of_a_global_call_is_derived_from_the_global_price() -> None:
    book = PriceBook(
        [row(input="4.4"), row(routing="global", input="4"), row(tier="batch", input="2.2")]
    )
    prices = look_up(book, routing=Routing.GLOBAL, tier="batch")
    assert prices == {"input": (Decimal(2), "derived")}


def test_cached_kinds_of_anthropic_are_derived_by_the_published_factors() -> None:
    book = PriceBook([row(model="anthropic.claude-x", input="3", cache_read="0.2")])
    assert look_up(book, "anthropic.claude-x") == {
        "input": (Decimal(3), "list"),
        "cache_read": (Decimal("0.2"), "list"),
        "cache_write": (Decimal("3.75"), "derived"),
        "cache_write_1h": (Decimal(6), "derived"),
    }


def test_cached_reads_of_nova_are_derived_and_its_writes_are_not() -> None:
    book = PriceBook([row(model="amazon.nova-x", input="4", output="8")])
    assert look_up(book, "amazon.nova-x")["cache_read"] == (Decimal(1), "derived")
    assert "cache_write" not in look_up(book, "amazon.nova-x")


def test_cached_kinds_of_others_have_no_price() -> None:
    assert usd(look_up(PriceBook([row(input="3")]))) == {"input": Decimal(3)}


def test_an_unknown_model_has_no_price_and_is_not_known() -> None:
    assert look_up(BOOK, "acme.unheard-of") == {}
    assert not BOOK.knows("acme.unheard-of")
    assert BOOK.knows(SONNET_37)


# Overrides.


def test_an_override_of_one_kind_leaves_the_book_s_for_the_others() -> None:
    book = PriceBook([row(input="3", output="15")], [override({"input": "2"})])
    assert look_up(book) == {"input": (Decimal(2), "override"), "output": (Decimal(15), "list")}


def test_the_override_that_names_more_wins_whatever_its_place_in_the_file() -> None:
    overrides = [
        override({"input": "3"}, region="eu-west-1", routing="global"),
        override({"input": "2"}, region="eu-west-1"),
        override({"input": "1"}),
    ]
    book = PriceBook([], overrides)
    assert usd(look_up(book, region="eu-west-1", routing=Routing.GLOBAL)) == {"input": Decimal(3)}
    assert usd(look_up(book, region="eu-west-1")) == {"input": Decimal(2)}
    assert usd(look_up(book)) == {"input": Decimal(1)}


def test_an_override_holds_for_its_context_band_and_those_above() -> None:
    book = PriceBook([row(input="1")], [override({"input": "2"}, context_from=200_000)])
    assert look_up(book, context_from=128_000) == {"input": (Decimal(1), "list")}
    assert look_up(book, context_from=272_000) == {"input": (Decimal(2), "override")}


def test_an_override_holds_from_its_day_on() -> None:
    book = PriceBook([row(input="1")], [override({"input": "2"}, effective_from="2026-07-01")])
    assert look_up(book, day=date(2026, 6, 30)) == {"input": (Decimal(1), "list")}
    assert look_up(book, day=date(2026, 7, 1)) == {"input": (Decimal(2), "override")}


def test_an_override_makes_an_unknown_model_known_in_every_region_and_tier() -> None:
    book = PriceBook([], [override({"input": "2"})])
    assert book.knows(MODEL)
    assert look_up(book, region="nowhere") == {"input": (Decimal(2), "override")}
    assert look_up(book, tier="batch") == {"input": (Decimal(1), "derived")}


def test_an_override_of_standard_leaves_the_listed_price_of_another_tier() -> None:
    book = PriceBook([row(input="4"), row(tier="batch", input="2")], [override({"input": "1"})])
    assert look_up(book, tier="batch") == {"input": (Decimal(2), "list")}


def test_an_override_can_name_a_tier() -> None:
    book = PriceBook([row(input="4")], [override({"input": "1"}, service_tier="reserved")])
    assert look_up(book, tier="reserved") == {"input": (Decimal(1), "override")}
    assert look_up(book) == {"input": (Decimal(4), "list")}


def test_cached_kinds_follow_an_override_where_the_book_states_none() -> None:
    claude = "anthropic.claude-x"
    book = PriceBook([], [override({"input": "2"}, model=claude)])
    assert look_up(book, claude)["cache_read"] == (Decimal("0.2"), "derived")


def test_the_bundled_book_takes_the_overrides_of_the_configuration() -> None:
    document = {"model": SONNET_37, "usd_per_million_tokens": {"input": "2.7"}}
    book = PriceBook.bundled([PriceOverride.model_validate(document)])
    assert look_up(book, SONNET_37)["input"] == (Decimal("2.7"), "override")
    assert look_up(book, SONNET_37)["output"] == (Decimal(15), "list")


def test_change_days_are_those_of_the_book_and_of_the_overrides() -> None:
    book = PriceBook(
        [row(input="2"), row(since="2026-08-21", input="1")],
        [override({"input": "3"}), override({"input": "4"}, effective_from="2026-09-01")],
    )
    assert book.change_days() == {date(2023, 1, 1), date(2026, 8, 21), date(2026, 9, 1)}


@given(
    st.sampled_from([SONNET_45, OPUS_46, "openai.gpt-5.6-sol", "openai.gpt-5.6-luna"]),
    st.dates(date(2025, 1, 1), date(2027, 1, 1)),
    st.sampled_from(list(Routing)),
    st.sampled_from([0, 200_000, 272_000]),
)
def test_no_price_changes_between_change_days(
    model: str, day: date, routing: Routing, band: int
) -> None:
    since = max(changed for changed in BOOK.change_days() if changed <= day)
    at = [look_up(BOOK, model, routing=routing, context_from=band, day=d) for d in (since, day)]
    assert at[0] == at[1]


# Models that are not billed by the token.


@pytest.mark.parametrize(
    "model",
    [
        "stability.sd3-5-large-v1:0",
        "amazon.nova-canvas-v1:0",
        "amazon.titan-image-generator-v2:0",
        "luma.ray-v2:0",
        "amazon.nova-sonic-v1:0",
        "cohere.rerank-v3-5:0",
        "twelvelabs.pegasus-1-2-v1:0",
    ],
)
def test_images_video_speech_and_reranking_are_billed_otherwise(model: str) -> None:
    assert BOOK.billed_otherwise(model)
    assert look_up(BOOK, model) == {}


@pytest.mark.parametrize("model", [NOVA_PRO, "cohere.command-r-v1:0", "acme.unheard-of"])
def test_text_models_and_unknown_ones_are_not_billed_otherwise(model: str) -> None:
    assert not BOOK.billed_otherwise(model)


def test_an_override_prices_even_what_is_billed_otherwise() -> None:
    model = "amazon.nova-sonic-v1:0"
    document = {"model": model, "usd_per_million_tokens": {"input": "0.06"}}
    book = PriceBook.bundled([PriceOverride.model_validate(document)])
    assert not book.billed_otherwise(model)
    assert look_up(book, model)["input"] == (Decimal("0.06"), "override")


# The cost of counts.


def test_each_kind_has_a_line_and_the_total_is_their_sum() -> None:
    counts = Counts(
        requests=1, input=1000, output=200, cache_read=3000, cache_write_5m=400, cache_write_1h=50
    )
    result = priced(
        counts, input="3", output="15", cache_read="0.3", cache_write="3.75", cache_write_1h="6"
    )
    assert result["lines"] == (
        ("input", 1000, Decimal("0.003"), "list"),
        ("output", 200, Decimal("0.003"), "list"),
        ("cache_read", 3000, Decimal("0.0009"), "list"),
        ("cache_write", 400, Decimal("0.0015"), "list"),
        ("cache_write_1h", 50, Decimal("0.0003"), "list"),
    )
    assert result["cost_usd"] == Decimal("0.0087")
    assert result["unpriced"] == {}


def test_writes_of_unstated_lifetime_cost_as_5_minutes_and_say_that_they_are_derived() -> None:
    counts = Counts(cache_write_5m=400, cache_write_unsplit=800)
    assert priced(counts, cache_write="3.75")["lines"] == (
        ("cache_write", 400, Decimal("0.0015"), "list"),
        ("cache_write", 800, Decimal("0.003"), "derived"),
    )


def test_tokens_without_a_price_are_counted_and_cost_nothing_known() -> None:
    counts = Counts(input=10, cache_read=7, cache_write_5m=2, cache_write_unsplit=3)
    result = priced(counts, input="1")
    assert result["unpriced"] == {"cache_read": 7, "cache_write": 5}
    assert result["cost_usd"] == Decimal("0.00001")


def test_a_price_of_zero_is_a_price() -> None:
    result = priced(Counts(cache_write_5m=5), cache_write="0")
    assert result["lines"] == (("cache_write", 5, Decimal(0), "list"),)
    assert result["unpriced"] == {}


def test_no_tokens_make_no_lines() -> None:
    assert priced(Counts(requests=3), input="1") == {
        "lines": (),
        "unpriced": {},
        "cost_usd": Decimal(0),
        "cache_savings_usd": Decimal(0),
    }


def test_cache_savings_are_net_of_the_write_premium() -> None:
    counts = Counts(input=7, output=9, cache_read=1000, cache_write_5m=100, cache_write_1h=10)
    prices = {
        "input": "3",
        "output": "15",
        "cache_read": "0.3",
        "cache_write": "3.75",
        "cache_write_1h": "6",
    }
    # 1000 x 2.70 - 100 x 0.75 - 10 x 3.00, per million
    assert priced(counts, **prices)["cache_savings_usd"] == Decimal("0.002595")


def test_cache_savings_leave_out_what_has_no_price() -> None:
    counts = Counts(cache_read=1000, cache_write_5m=100)
    savings = priced(counts, input="3", cache_read="0.3")["cache_savings_usd"]
    assert savings == Decimal("0.0027")
    assert priced(counts, cache_read="0.3")["cache_savings_usd"] == Decimal(0)


@given(
    st.builds(Counts, *[st.integers(0, 10**15)] * len(Counts._fields)),
    st.dictionaries(
        st.sampled_from(list(TokenKind)),
        st.decimals(0, 1000, allow_nan=False, places=40),
        min_size=1,
    ),
)
def test_costs_are_exact_however_many_tokens_and_digits(
    counts: Counts, prices: dict[TokenKind, Decimal]
) -> None:
    unit_prices = {kind: Price(price, Provenance.LIST) for kind, price in prices.items()}
    with localcontext(prec=3):
        result = price_counts(unit_prices, counts)
    tokens = {
        TokenKind.INPUT: counts.input,
        TokenKind.OUTPUT: counts.output,
        TokenKind.CACHE_READ: counts.cache_read,
        TokenKind.CACHE_WRITE: counts.cache_write_5m + counts.cache_write_unsplit,
        TokenKind.CACHE_WRITE_1H: counts.cache_write_1h,
    }
    exact = sum(Fraction(prices[kind]) * n for kind, n in tokens.items() if kind in prices)
    assert Fraction(result.cost_usd) == exact
    unpriced = {kind: n for kind, n in tokens.items() if n and kind not in prices}
    assert result.unpriced == unpriced


# The bundled book.

HEADER, *LINES = list(csv.reader(PRICE_BOOK.read_text(encoding="utf-8").splitlines()))
RECORDS = [dict(zip(HEADER, line, strict=True)) for line in LINES]
KEY = ["model", "region", "routing", "service_tier", "context_from", "effective_from"]


def test_the_book_is_sorted_so_that_a_change_is_one_line_of_diff() -> None:
    keys = [tuple(record[column] for column in KEY) for record in RECORDS]
    keys = [(*key[:4], int(key[4]), key[5]) for key in keys]
    assert keys == sorted(set(keys))


def test_the_book_names_known_regions_only() -> None:
    assert {record["region"] for record in RECORDS} <= REGIONS


def test_prices_are_written_without_superfluous_digits() -> None:
    prices = [record[kind] for record in RECORDS for kind in TokenKind if record[kind]]
    assert [p for p in prices if p != format(Decimal(p).normalize(), "f")] == []


def test_every_model_has_a_standard_price_since_ever() -> None:
    first = {r["model"] for r in RECORDS if r["effective_from"] == "2023-01-01"}
    assert {r["model"] for r in RECORDS} == first


def test_global_is_regional_divided_by_1_1_for_models_of_one_price() -> None:
    everywhere = [r for r in RECORDS if r["region"] == "*"]
    columns = ["model", "service_tier", "context_from", "effective_from"]
    pairs = 0
    by_key = sorted(everywhere, key=lambda r: [r[c] for c in columns])
    for _, group in groupby(by_key, key=lambda r: [r[c] for c in columns]):
        rows = {record["routing"]: record for record in group}
        if "global" not in rows or "*" not in rows:
            continue
        pairs += 1
        for kind in TokenKind:
            regional, worldwide = rows["*"][kind], rows["global"][kind]
            assert bool(regional) == bool(worldwide), rows["*"]["model"]
            if regional:
                assert Decimal(regional) == Decimal(worldwide) * Decimal("1.1"), rows["*"]
    assert pairs >= 40


@pytest.mark.parametrize("region", REGIONS_TO_COVER)
@pytest.mark.parametrize(
    "model",
    [
        SONNET_37,
        SONNET_45,
        "anthropic.claude-3-haiku-20240307-v1:0",
        "amazon.nova-micro-v1:0",
        "amazon.nova-lite-v1:0",
        NOVA_PRO,
        "amazon.titan-embed-text-v2:0",
        "cohere.embed-v4:0",
    ],
)
def test_the_models_of_the_regions_to_cover_have_a_price_of_their_own(
    model: str, region: str
) -> None:
    assert look_up(BOOK, model, region)["input"][1] == Provenance.LIST


def test_every_provider_and_the_retired_models_are_in_the_book() -> None:
    providers = {record["model"].split(".")[0] for record in RECORDS}
    assert providers >= {
        *("ai21", "amazon", "anthropic", "cohere", "deepseek", "google", "meta", "minimax"),
        *("mistral", "moonshotai", "nvidia", "openai", "qwen", "writer", "xai", "zai"),
    }
    for retired in (
        "anthropic.claude-v2:1",
        "anthropic.claude-instant-v1",
        "anthropic.claude-3-opus-20240229-v1:0",
        "meta.llama2-70b-chat-v1",
        "amazon.titan-text-express-v1",
        "ai21.j2-ultra-v1",
        "cohere.command-text-v14",
    ):
        assert BOOK.knows(retired), retired


def test_cached_tokens_are_never_dearer_to_read_than_plain_input() -> None:
    for record in RECORDS:
        if record["cache_read"]:
            assert Decimal(record["cache_read"]) < Decimal(record["input"]), record


def test_every_listed_tier_is_near_the_factor_that_others_are_derived_by() -> None:
    factors = {"batch": "0.5", "flex": "0.5", "priority": "1.75"}
    for record in RECORDS:
        tier, gov = record["service_tier"], "gov" in record["region"]
        if tier in factors and not gov:
            day = date.fromisoformat(record["effective_from"])
            routing = Routing.GLOBAL if record["routing"] == "global" else Routing.GEO
            region = "us-east-1" if record["region"] == "*" else record["region"]
            band = int(record["context_from"])
            standard = usd(look_up(BOOK, record["model"], region, routing, "standard", band, day))
            ratio = Decimal(record["input"]) / standard["input"]
            # AWS rounds some, and lists the batch price of one Mistral model at 0.75.
            assert abs(ratio - Decimal(factors[tier])) <= Decimal("0.26"), record


def test_every_source_is_explained_to_users() -> None:
    text = (Path(__file__).parents[2] / "docs" / "prices.md").read_text(encoding="utf-8")
    sources = text.partition("## Sources")[2].partition("## ")[0]
    explained = set(re.findall(r"^\| `([a-z0-9-]+)` \|", sources, re.MULTILINE))
    assert {record["source"] for record in RECORDS} == explained


GOOD = "acme.model,*,*,standard,0,1,2,,,,2023-01-01,a-list,2026-09-01"


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (GOOD, "a row of the same key stands above"),
        ("acme.model,*,*", "not 13 fields"),
        (GOOD.replace("acme.model", "Acme"), "model 'Acme'"),
        (GOOD.replace(",*,*", ",Virginia,*"), "region 'Virginia'"),
        (GOOD.replace(",*,*", ",*,orbital"), "routing 'orbital'"),
        (GOOD.replace("standard", "fast"), "'fast' is not a valid ServiceTier"),
        (GOOD.replace("standard,0", "standard,7"), "context_from '7' is no context band"),
        (GOOD.replace(",0,1,2,", ",0,1e3,2,"), "input '1e3' is not a plain decimal number"),
        (GOOD.replace(",0,1,2,", ",0,-1,2,"), "input '-1' is not a plain decimal number"),
        (GOOD.replace(",0,1,2,", ",0,,,"), "no price"),
        (GOOD.replace("2023-01-01", "yesterday"), "Invalid isoformat string: 'yesterday'"),
        (GOOD.replace("2026-09-01", ""), "Invalid isoformat string: ''"),
        (GOOD.replace("a-list", ""), "no source"),
    ],
)
def test_a_malformed_book_is_refused_by_file_line_and_problem(
    tmp_path: Path, line: str, problem: str
) -> None:
    path = tmp_path / "book.csv"
    path.write_text("\n".join([",".join(HEADER), GOOD, line, ""]), encoding="utf-8")
    with pytest.raises(PriceBookError) as error:
        list(read_price_book(path))
    assert str(error.value) == f"{path}:3: {problem}"


def test_a_book_of_other_columns_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "book.csv"
    path.write_text("model,price\n", encoding="utf-8")
    with pytest.raises(PriceBookError, match=r"book\.csv:1: the columns are not model,region,"):
        list(read_price_book(path))
