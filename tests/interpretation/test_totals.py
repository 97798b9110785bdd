"""Totals: what facts amount to by label set, and how periods are put together."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.interpretation.meaning import Meaning, ModelPlace
from exporter.interpretation.measures import Labels, Measures
from exporter.interpretation.models import Routing, UnpricedReason
from exporter.interpretation.prices import Price, Provenance
from exporter.interpretation.totals import KINDS, Called, GroupTotal, Totals, tokens_by_kind
from exporter.usage import Counts, Summed, TokenKind

PLACE = ModelPlace("111122223333", "us-east-1", "model")
ALICE = Labels("111122223333", "us-east-1", "Shop", "alice", "model")
PRICES = {
    TokenKind.INPUT: Price(Decimal("0.000003"), Provenance.LIST),
    TokenKind.OUTPUT: Price(Decimal("0.000015"), Provenance.OVERRIDE),
    TokenKind.CACHE_READ: Price(Decimal("0.0000003"), Provenance.DERIVED),
}


def meaning(user="alice", error_code=None, unpriced=None, tier="standard", context_from=0):
    labels = ALICE._replace(user=user)
    return Meaning(labels, PLACE, Routing.GEO, unpriced, error_code, tier, context_from)


def totals(*parts):
    """Add up (meaning, first slot, counts, unit prices)."""
    result = Totals()
    for meant, slot, counts, unit_prices in parts:
        result.add_usage(meant, Summed(slot, counts), unit_prices)
    return result


def test_one_fact_is_in_every_sum():
    found = totals((meaning(), 7, Counts(2, 1000, 100, 10), PRICES))
    cost = Decimal("0.003") + Decimal("0.0015") + Decimal("0.000003")
    assert found.groups == {ALICE: GroupTotal(7, 2, 0, (1000, 100, 10, 0, 0), cost, 0)}
    assert found.cost_by_kind == {
        (PLACE, "Shop", TokenKind.INPUT): Decimal("0.003"),
        (PLACE, "Shop", TokenKind.OUTPUT): Decimal("0.0015"),
        (PLACE, "Shop", TokenKind.CACHE_READ): Decimal("0.000003"),
    }
    assert found.cost_by_provenance == {
        Provenance.LIST: Decimal("0.003"),
        Provenance.OVERRIDE: Decimal("0.0015"),
        Provenance.DERIVED: Decimal("0.000003"),
    }
    assert found.cache_savings == {(PLACE, "Shop"): Decimal("0.000027")}
    assert sum(found.tokens_by_routing.values()) == 1110
    assert not found.errors and not found.unpriced_tokens and not found.unpriced_requests


def test_a_failed_call_is_a_request_and_an_error_and_nothing_else():
    found = totals((meaning(error_code="ThrottlingException"), 7, Counts(3, 900, 9), PRICES))
    assert found == Totals(
        groups={ALICE: GroupTotal(7, requests=3, errors=3)},
        errors={(ALICE, "ThrottlingException"): 3},
    )


def test_a_label_set_has_a_cost_as_soon_as_something_of_it_has_one():
    unknown = meaning(unpriced=UnpricedReason.UNKNOWN_MODEL)
    found = totals((unknown, 9, Counts(1, 50), {}), (meaning(), 8, Counts(2, 1000), PRICES))
    assert found.groups == {
        ALICE: GroupTotal(8, 3, 0, (1050, 0, 0, 0, 0), Decimal("0.003"), unpriced_requests=1)
    }
    assert found.unpriced_requests == {(PLACE, UnpricedReason.UNKNOWN_MODEL): 1}


@pytest.mark.parametrize(
    ("unpriced", "counts", "unit_prices", "cost", "reason"),
    [
        (None, Counts(1, 1000), PRICES, Decimal("0.003"), None),
        (None, Counts(1), PRICES, Decimal(0), None),
        (None, Counts(1, 1000, cache_write_5m=5), PRICES, Decimal("0.003"), None),
        (None, Counts(1, cache_write_5m=5), PRICES, None, "no_price"),
        (None, Counts(1, 1000), {}, None, "no_price"),
        (None, Counts(1), {}, None, "no_price"),
        (UnpricedReason.CUSTOM, Counts(1, 1000), {}, None, "custom"),
        (UnpricedReason.CUSTOM, Counts(1), {}, None, "custom"),
    ],
)
def test_what_has_no_price_has_a_reason_and_no_cost(unpriced, counts, unit_prices, cost, reason):
    found = totals((meaning(unpriced=unpriced), 7, counts, unit_prices))
    group = found.groups[ALICE]
    assert (group.cost_usd, group.unpriced_requests) == (cost, 1 if reason else 0)
    assert found.unpriced_requests == ({(PLACE, reason): 1} if reason else {})


def test_unsplit_cache_writes_are_of_the_kind_of_five_minutes():
    counts = Counts(1, cache_write_5m=3, cache_write_1h=40, cache_write_unsplit=500)
    assert dict(zip(KINDS, tokens_by_kind(counts), strict=True)) == {
        TokenKind.INPUT: 0,
        TokenKind.OUTPUT: 0,
        TokenKind.CACHE_READ: 0,
        TokenKind.CACHE_WRITE: 503,
        TokenKind.CACHE_WRITE_1H: 40,
    }


def test_a_group_counts_what_limits_measure():
    group = GroupTotal(0, 9, 2, (1, 20, 300, 4000, 50_000), Decimal("1.5"))
    assert group.measures() == Measures(Decimal("1.5"), 54_321, 1, 20, 300, 54_000, 9, 2)
    assert GroupTotal(0, 1).measures() == Measures(requests=1)


def test_the_price_of_the_later_period_stands():
    dearer = {TokenKind.INPUT: Price(Decimal("0.000004"), Provenance.OVERRIDE)}
    first = totals((meaning(), 7, Counts(1, 1), PRICES))
    first.add(totals((meaning(), 8, Counts(1, 1), dearer)))
    called = Called("model", "us-east-1", Routing.GEO, TokenKind.INPUT)
    assert first.prices[called] == dearer[TokenKind.INPUT]
    assert len(first.prices) == len(PRICES)


def test_other_tiers_and_longer_contexts_are_not_the_price_of_a_token():
    assert not totals((meaning(tier="batch"), 7, Counts(1, 1), PRICES)).prices
    assert not totals((meaning(context_from=200_000), 7, Counts(1, 1), PRICES)).prices


numbers = st.integers(0, 10**12)
parts = st.tuples(
    st.builds(
        meaning,
        st.sampled_from(["alice", "bob"]),
        st.sampled_from([None, None, "ThrottlingException"]),
        st.sampled_from([None, None, UnpricedReason.UNKNOWN_MODEL]),
    ),
    st.integers(0, 10),
    st.builds(Counts, st.integers(1, 99), *[numbers] * 6),
    st.sampled_from([PRICES, {}]),
)


@given(st.lists(parts), st.integers(0, 20))
def test_two_periods_added_are_one_period(taken, border):
    taken = [(m, s, c, {} if m.unpriced else p) for m, s, c, p in taken]
    first, second = totals(*taken[:border]), totals(*taken[border:])
    before = (Totals(**first_fields(first)), Totals(**first_fields(second)))
    together = Totals()
    together.add(first)
    together.add(second)
    assert together == totals(*taken)
    assert (first, second) == before  # what is remembered stays as it was


def first_fields(found: Totals):
    return {name: dict(getattr(found, name)) for name in Totals.__dataclass_fields__}
