"""Usage of a period, attributed and priced: what every gauge is taken from.

Facts come in, sums by label set go out. Sums of adjoining periods can be added, so that a month is
its closed days and today. Knows no clock and nothing of what is exposed.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NamedTuple, TypeVar

from exporter.interpretation.meaning import Meaning, ModelPlace
from exporter.interpretation.measures import Labels, Measures
from exporter.interpretation.models import Routing, UnpricedReason
from exporter.interpretation.prices import Price, Priced, Provenance, price_counts
from exporter.usage import Counts, ServiceTier, Summed, TokenKind

K = TypeVar("K")
KINDS = tuple(TokenKind)
_NO_TOKENS = (0,) * len(KINDS)


class GroupTotal(NamedTuple):
    """What one label set used; failed calls are requests and errors, but their tokens no usage."""

    first_slot: int
    requests: int = 0
    errors: int = 0
    tokens: tuple[int, ...] = _NO_TOKENS
    """By kind, in the order of KINDS."""
    cost_usd: Decimal | None = None
    """None where nothing has a price."""
    unpriced_requests: int = 0

    def plus(self, other: "GroupTotal") -> "GroupTotal":
        """Add what the same label set used elsewhere."""
        if self.cost_usd is None or other.cost_usd is None:
            cost = self.cost_usd if other.cost_usd is None else other.cost_usd
        else:
            cost = self.cost_usd + other.cost_usd
        return GroupTotal(
            min(self.first_slot, other.first_slot),
            self.requests + other.requests,
            self.errors + other.errors,
            tuple(map(int.__add__, self.tokens, other.tokens)),
            cost,
            self.unpriced_requests + other.unpriced_requests,
        )

    def measures(self) -> Measures:
        """Return what limits can be set on."""
        inputs, outputs, cache_reads, *cache_writes = self.tokens
        return Measures(
            cost_usd=self.cost_usd or Decimal(0),
            tokens=sum(self.tokens),
            input_tokens=inputs,
            output_tokens=outputs,
            cache_read_tokens=cache_reads,
            cache_write_tokens=sum(cache_writes),
            requests=self.requests,
            request_errors=self.errors,
        )


class Called(NamedTuple):
    """What has one price on one day, service tier and context aside."""

    model: str
    region: str
    routing: Routing
    token_kind: TokenKind


def _decimals() -> defaultdict[Any, Decimal]:
    return defaultdict(Decimal)


def _integers() -> defaultdict[Any, int]:
    return defaultdict(int)


@dataclass(frozen=True, slots=True)
class Totals:
    """The usage of one period by what it is asked for."""

    groups: dict[Labels, GroupTotal] = field(default_factory=dict)
    errors: dict[tuple[Labels, str], int] = field(default_factory=_integers)
    """By errorCode."""
    cost_by_kind: dict[tuple[ModelPlace, str, TokenKind], Decimal] = field(
        default_factory=_decimals
    )
    """By application, too."""
    cost_by_provenance: dict[Provenance, Decimal] = field(default_factory=_decimals)
    cache_savings: dict[tuple[ModelPlace, str], Decimal] = field(default_factory=_decimals)
    """By application, too; in US dollars, net of what writing to the cache cost more."""
    tokens_by_routing: dict[tuple[ModelPlace, Routing, TokenKind], int] = field(
        default_factory=_integers
    )
    unpriced_tokens: dict[tuple[ModelPlace, UnpricedReason, TokenKind], int] = field(
        default_factory=_integers
    )
    """With those of calls that are priced in part."""
    unpriced_requests: dict[tuple[ModelPlace, UnpricedReason], int] = field(
        default_factory=_integers
    )
    prices: dict[Called, Price] = field(default_factory=dict)
    """Of standard calls of the shortest context, as of the last."""

    def add(self, other: "Totals") -> None:
        """Add a later period."""
        for labels, total in other.groups.items():
            self._add_group(labels, total)
        _add(self.errors, other.errors)
        _add(self.cost_by_kind, other.cost_by_kind)
        _add(self.cost_by_provenance, other.cost_by_provenance)
        _add(self.cache_savings, other.cache_savings)
        _add(self.tokens_by_routing, other.tokens_by_routing)
        _add(self.unpriced_tokens, other.unpriced_tokens)
        _add(self.unpriced_requests, other.unpriced_requests)
        self.prices.update(other.prices)

    def add_usage(
        self, meaning: Meaning, summed: Summed, unit_prices: Mapping[TokenKind, Price]
    ) -> None:
        """Add what one fact amounted to at one price."""
        first_slot, counts = summed
        requests = counts.requests
        if meaning.error_code is not None:
            self._add_group(meaning.labels, GroupTotal(first_slot, requests, errors=requests))
            self.errors[meaning.labels, meaning.error_code] += requests
            return
        priced = price_counts(unit_prices, counts)
        reason = _unpriced_reason(meaning, priced, unit_prices)
        self._add_group(
            meaning.labels,
            GroupTotal(
                first_slot,
                requests,
                tokens=tokens_by_kind(counts),
                cost_usd=None if reason else priced.cost_usd,
                unpriced_requests=requests if reason else 0,
            ),
        )
        if reason:
            self.unpriced_requests[meaning.place, reason] += requests
        self._add_lines(meaning, priced)
        self._note_prices(meaning, unit_prices)

    def _add_group(self, labels: Labels, total: GroupTotal) -> None:
        before = self.groups.get(labels)
        self.groups[labels] = before.plus(total) if before else total

    def _add_lines(self, meaning: Meaning, priced: Priced) -> None:
        place, application = meaning.place, meaning.labels.application
        for kind, tokens, cost_usd, provenance in priced.lines:
            self.cost_by_kind[place, application, kind] += cost_usd
            self.cost_by_provenance[provenance] += cost_usd
            self.tokens_by_routing[place, meaning.routing, kind] += tokens
        for kind, tokens in priced.unpriced.items():
            reason = meaning.unpriced or UnpricedReason.NO_PRICE
            self.unpriced_tokens[place, reason, kind] += tokens
            self.tokens_by_routing[place, meaning.routing, kind] += tokens
        if priced.cache_savings_usd:
            self.cache_savings[place, application] += priced.cache_savings_usd

    def _note_prices(self, meaning: Meaning, unit_prices: Mapping[TokenKind, Price]) -> None:
        if meaning.service_tier == ServiceTier.STANDARD and meaning.context_from == 0:
            _, region, model = meaning.place
            for kind, price in unit_prices.items():
                self.prices[Called(model, region, meaning.routing, kind)] = price


def tokens_by_kind(counts: Counts) -> tuple[int, ...]:
    """Return the tokens of each kind, in the order of KINDS; unsplit writes count as 5 minutes."""
    return (
        counts.input,
        counts.output,
        counts.cache_read,
        counts.cache_write_5m + counts.cache_write_unsplit,
        counts.cache_write_1h,
    )


def _unpriced_reason(
    meaning: Meaning, priced: Priced, unit_prices: Mapping[TokenKind, Price]
) -> UnpricedReason | None:
    """Return why calls have no price at all; None where some of their tokens have one.

    Calls without tokens, such as those that a guardrail blocked, cost $0 if tokens would cost.
    """
    if meaning.unpriced is not None:
        return meaning.unpriced
    is_priced = priced.lines or (unit_prices and not priced.unpriced)
    return None if is_priced else UnpricedReason.NO_PRICE


def _add(sums: dict[K, Any], more: Mapping[K, Any]) -> None:
    for key, value in more.items():
        sums[key] += value
