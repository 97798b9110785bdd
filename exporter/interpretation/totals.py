"""Usage of a period, attributed and priced: what every gauge is taken from.

Facts come in, sums by label set go out. Sums of adjoining periods can be added, so that a month is
its closed days and today. Knows no clock and nothing of what is exposed.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NamedTuple, TypeVar

from exporter.interpretation.meaning import Meaning
from exporter.interpretation.measures import Labels, Measures
from exporter.interpretation.models import Routing, UnpricedReason
from exporter.interpretation.prices import Price, Priced, Provenance, price_counts
from exporter.usage import Counts, Summed, TokenKind

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
        )

    def measures(self) -> Measures:
        """Return what limits can be set on."""
        used = dict(zip(KINDS, self.tokens, strict=True))
        return Measures(
            cost_usd=self.cost_usd or Decimal(0),
            tokens=sum(self.tokens),
            input_tokens=used[TokenKind.INPUT],
            output_tokens=used[TokenKind.OUTPUT],
            cache_read_tokens=used[TokenKind.CACHE_READ],
            cache_write_tokens=used[TokenKind.CACHE_WRITE] + used[TokenKind.CACHE_WRITE_1H],
            requests=self.requests,
            request_errors=self.errors,
        )


class ModelPlace(NamedTuple):
    """A model where it is called."""

    account_id: str
    region: str
    model: str


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
    cost_by_kind: dict[tuple[Labels, TokenKind], Decimal] = field(default_factory=_decimals)
    """Labels without the user."""
    cost_by_provenance: dict[Provenance, Decimal] = field(default_factory=_decimals)
    cache_savings: dict[Labels, Decimal] = field(default_factory=_decimals)
    """Labels without the user; in US dollars, net of what writing to the cache cost more."""
    tokens_by_routing: dict[tuple[ModelPlace, Routing, TokenKind], int] = field(
        default_factory=_integers
    )
    unpriced_tokens: dict[tuple[ModelPlace, TokenKind], int] = field(default_factory=_integers)
    unpriced_requests: dict[tuple[ModelPlace, UnpricedReason], int] = field(
        default_factory=_integers
    )
    prices: dict[tuple[str, ...], Decimal] = field(default_factory=dict)
    """Model, region, routing, kind, provenance, of standard calls: US dollars for one token."""

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
        counts, first_slot = summed.counts, summed.first_slot
        if meaning.error_code is not None:
            total = GroupTotal(first_slot, counts.requests, counts.requests)
            self._add_group(meaning.labels, total)
            self.errors[meaning.labels, meaning.error_code] += counts.requests
            return
        priced = price_counts(unit_prices, counts)
        tokens = tokens_by_kind(counts)
        cost = priced.cost_usd if priced.lines else None
        self._add_group(meaning.labels, GroupTotal(first_slot, counts.requests, 0, tokens, cost))
        self._add_priced(meaning, priced, unit_prices)
        self._add_unpriced(meaning, priced, counts.requests)

    def _add_group(self, labels: Labels, total: GroupTotal) -> None:
        before = self.groups.get(labels)
        self.groups[labels] = before.plus(total) if before else total

    def _add_priced(
        self, meaning: Meaning, priced: Priced, unit_prices: Mapping[TokenKind, Price]
    ) -> None:
        labels = meaning.labels._replace(user="")
        place = _place(meaning)
        for kind, tokens, cost_usd, provenance in priced.lines:
            self.cost_by_kind[labels, kind] += cost_usd
            self.cost_by_provenance[provenance] += cost_usd
            self.tokens_by_routing[place, meaning.routing, kind] += tokens
        if priced.cache_savings_usd:
            self.cache_savings[labels] += priced.cache_savings_usd
        if meaning.service_tier == "standard" and meaning.context_from == 0:
            for kind, price in unit_prices.items():
                key = (labels.model, labels.region, meaning.routing, kind, price.provenance)
                self.prices[key] = price.usd_per_token

    def _add_unpriced(self, meaning: Meaning, priced: Priced, requests: int) -> None:
        place = _place(meaning)
        for kind, tokens in priced.unpriced.items():
            self.unpriced_tokens[place, kind] += tokens
            self.tokens_by_routing[place, meaning.routing, kind] += tokens
        reason = meaning.unpriced
        if reason is None and priced.unpriced and not priced.lines:
            reason = UnpricedReason.NO_PRICE
        if reason is not None:
            self.unpriced_requests[place, reason] += requests


def tokens_by_kind(counts: Counts) -> tuple[int, ...]:
    """Return the tokens of each kind, in the order of KINDS; unsplit writes count as 5 minutes."""
    return (
        counts.input,
        counts.output,
        counts.cache_read,
        counts.cache_write_5m + counts.cache_write_unsplit,
        counts.cache_write_1h,
    )


def _place(meaning: Meaning) -> ModelPlace:
    return ModelPlace(meaning.labels.account_id, meaning.labels.region, meaning.labels.model)


def _add(sums: dict[K, Any], more: Mapping[K, Any]) -> None:
    for key, value in more.items():
        sums[key] += value
