"""What tokens cost: how a price is found for a call, and the cost of counts at these prices.

Knows models by their foundation model id, without a routing prefix, and is told the source region
of the call. A model, kind or service tier without a price has none: nothing is guessed, and
nothing is $0 that no list says is free. docs/prices.md states these rules for users.
"""

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import MAX_EMAX, MAX_PREC, MIN_EMIN, Context, Decimal, Inexact
from enum import StrEnum
from fnmatch import fnmatchcase
from types import MappingProxyType
from typing import NamedTuple, Self

from exporter.config import PriceOverride
from exporter.interpretation.models import Routing
from exporter.interpretation.price_book import (
    ALWAYS,
    ANY,
    NOT_TOKEN_BILLED,
    PRICE_BOOK,
    PriceRow,
    from_override,
    read_not_token_billed,
    read_price_book,
)
from exporter.usage import Counts, ServiceTier, TokenKind

FALLBACK_REGION = "us-east-1"
"""Whose price is taken, as derived, where the book has none for a region."""

TIER_FACTORS = {
    ServiceTier.BATCH: Decimal("0.5"),
    ServiceTier.FLEX: Decimal("0.5"),
    ServiceTier.PRIORITY: Decimal("1.75"),
}
"""What AWS asks for a tier, relative to standard, wherever it lists both."""

CACHE_FACTORS = {
    "anthropic.": {
        TokenKind.CACHE_READ: Decimal("0.1"),
        TokenKind.CACHE_WRITE: Decimal("1.25"),
        TokenKind.CACHE_WRITE_1H: Decimal("2"),
    },
    "amazon.nova-": {TokenKind.CACHE_READ: Decimal("0.25")},
}
"""What a provider asks for cached tokens, relative to input, where the book states no price."""

_TIERS = frozenset(ServiceTier)
_COMMERCIAL_REGION = re.compile(
    r"(af|ap|ca|eu|il|me|mx|sa|us)-(north|south|(north|south)?(east|west|central))-\d"
)
_EXACT = Context(prec=MAX_PREC, Emin=MIN_EMIN, Emax=MAX_EMAX, traps=[Inexact])
"""Adds and multiplies without ever rounding, however many tokens or digits there are."""


class Provenance(StrEnum):
    """Where a price comes from."""

    LIST = "list"
    OVERRIDE = "override"
    DERIVED = "derived"


@dataclass(frozen=True, slots=True)
class Price:
    """What one token costs."""

    usd_per_token: Decimal
    provenance: Provenance


class _Call(NamedTuple):
    """All that decides the price of a call."""

    model: str
    region: str
    routing: str
    service_tier: str
    context_from: int
    day: date


class PriceBook:
    """The prices of all models on all days; immutable."""

    def __init__(
        self,
        rows: Iterable[PriceRow],
        overrides: Iterable[PriceRow] = (),
        not_token_billed: Iterable[str] = (),
    ) -> None:
        book, overriding = tuple(rows), tuple(sorted(overrides, key=_specificity))
        every = (*book, *overriding)
        self._rows: dict[tuple[str, ...], list[PriceRow]] = defaultdict(list)
        for row in book:
            self._rows[row.model, row.region, row.routing, row.service_tier].append(row)
        self._overrides: dict[str, list[PriceRow]] = defaultdict(list)
        for row in overriding:
            self._overrides[row.model].append(row)
        self._not_token_billed = tuple(not_token_billed)
        self._models = frozenset(row.model for row in every)
        self._regions = frozenset(row.region for row in every) - {ANY}
        self._days = sorted({row.effective_from for row in every} - {ALWAYS})
        self._found: dict[tuple[str | int, ...], Mapping[TokenKind, Price]] = {}

    @classmethod
    def bundled(cls, overrides: Sequence[PriceOverride] = ()) -> Self:
        """Load the book that the package ships, corrected by the configuration.

        Raises PriceBookError if a shipped file is malformed.
        """
        return cls(
            read_price_book(PRICE_BOOK),
            map(from_override, overrides),
            read_not_token_billed(NOT_TOKEN_BILLED),
        )

    def knows(self, model: str) -> bool:
        """Tell whether the book or an override names the model."""
        return model in self._models

    def billed_otherwise(self, model: str) -> bool:
        """Tell whether AWS bills the model by the image, second or query; an override ends that."""
        return not self.knows(model) and any(
            fnmatchcase(model, pattern) for pattern in self._not_token_billed
        )

    def change_days(self) -> frozenset[date]:
        """Return the UTC days on which some price of some model changes."""
        return frozenset(self._days)

    def unit_prices(
        self,
        model: str,
        region: str,
        routing: Routing,
        service_tier: str,
        context_from: int,
        day: date,
    ) -> Mapping[TokenKind, Price]:
        """Return the price of each kind of token that has one; of none for an unknown model.

        `region` is the source region, `context_from` the lower bound of the prompt's context band
        and `day` a UTC day.
        """
        if model not in self._models or service_tier not in _TIERS:
            return MappingProxyType({})
        if region not in self._regions and not _COMMERCIAL_REGION.fullmatch(region):
            region = ""  # a log may name any region, and what was found is kept
        era = bisect_right(self._days, day)
        key = (model, region, routing, service_tier, context_from, era)
        if key not in self._found:
            call = _Call(model, region, routing, service_tier, context_from, day)
            self._found[key] = MappingProxyType(self._prices(call))
        return self._found[key]

    def _prices(self, call: _Call) -> dict[TokenKind, Price]:
        """Take the book's prices, or derive them, and lay the overrides over them."""
        place = self._place(call)
        prices: dict[TokenKind, Price] = {}
        if row := self._own_row(call, place):
            prices = _prices_of(row, _provenance(place, call.region))
        elif factor := TIER_FACTORS.get(ServiceTier(call.service_tier)):
            standard = self._prices(call._replace(service_tier=ServiceTier.STANDARD))
            prices = {kind: _derive(price, factor) for kind, price in standard.items()}
        for override in self._overrides.get(call.model, ()):
            if _applies(override, call):
                prices |= _prices_of(override, Provenance.OVERRIDE)
        return _with_cached_kinds(call.model, prices)

    def _place(self, call: _Call) -> str:
        """Return the nearest region for which the book prices the call, in its tier or standard."""
        for place in (call.region, ANY):
            if any(self._row(call, place, tier) for tier in (call.service_tier, "standard")):
                return place
        return FALLBACK_REGION

    def _own_row(self, call: _Call, place: str) -> PriceRow | None:
        """Return the row of the call's own tier, unless the standard row fits the call better."""
        own = self._row(call, place, call.service_tier)
        standard = self._row(call, place, ServiceTier.STANDARD)
        if own is None or standard is None:
            return own
        fits = own.context_from >= standard.context_from and standard.routing in (own.routing, ANY)
        return own if fits else None

    def _row(self, call: _Call, place: str, tier: str) -> PriceRow | None:
        """Return the row of the highest context band that the prompt reaches, its latest."""
        for routing in (call.routing, ANY):
            rows = self._rows.get((call.model, place, routing, tier), ())
            covering = [row for row in rows if _covers(row, call)]
            if covering:
                return max(covering, key=lambda row: (row.context_from, row.effective_from))
        return None


class PricedLine(NamedTuple):
    """What the tokens of one kind and provenance cost."""

    token_kind: TokenKind
    tokens: int
    cost_usd: Decimal
    provenance: Provenance


@dataclass(frozen=True, slots=True)
class Priced:
    """What counts cost. Cache writes make two lines where only some stated their lifetime."""

    lines: tuple[PricedLine, ...]
    unpriced: Mapping[TokenKind, int]
    """Tokens of the kinds that have no price."""
    cost_usd: Decimal
    """Of the lines: what is unpriced is not in it."""
    cache_savings_usd: Decimal
    """What reading from the cache saved, less what writing to it cost more than plain input."""


def price_counts(unit_prices: Mapping[TokenKind, Price], counts: Counts) -> Priced:
    """Price counts exactly; cache writes of unstated lifetime as 5 minutes, and as derived."""
    lines: list[PricedLine] = []
    unpriced: dict[TokenKind, int] = defaultdict(int)
    for kind, tokens, stated in _tokens_by_kind(counts):
        if tokens and kind in unit_prices:
            price = unit_prices[kind]
            cost_usd = _EXACT.multiply(tokens, price.usd_per_token)
            provenance = price.provenance if stated else Provenance.DERIVED
            lines.append(PricedLine(kind, tokens, cost_usd, provenance))
        elif tokens:
            unpriced[kind] += tokens
    return Priced(
        lines=tuple(lines),
        unpriced=MappingProxyType(dict(unpriced)),
        cost_usd=_sum(line.cost_usd for line in lines),
        cache_savings_usd=_cache_savings_usd(unit_prices, lines),
    )


def _specificity(override: PriceRow) -> tuple[bool, bool, int, date]:
    """Rank an override: one that names more comes later, and so wins."""
    names_region, names_routing = override.region != ANY, override.routing != ANY
    return names_region, names_routing, override.context_from, override.effective_from


def _covers(row: PriceRow, call: _Call) -> bool:
    return row.context_from <= call.context_from and row.effective_from <= call.day


def _applies(override: PriceRow, call: _Call) -> bool:
    return (
        override.region in (call.region, ANY)
        and override.routing in (call.routing, ANY)
        and override.service_tier == call.service_tier
        and _covers(override, call)
    )


def _provenance(place: str, region: str) -> Provenance:
    """Tell a price of the region itself from a borrowed one."""
    listed = place == region or (place == ANY and _COMMERCIAL_REGION.fullmatch(region))
    return Provenance.LIST if listed else Provenance.DERIVED


def _prices_of(row: PriceRow, provenance: Provenance) -> dict[TokenKind, Price]:
    return {
        kind: Price(_EXACT.scaleb(usd, -6), provenance)
        for kind, usd in row.usd_per_million_tokens.items()
    }


def _derive(price: Price, factor: Decimal) -> Price:
    return Price(_EXACT.multiply(price.usd_per_token, factor), Provenance.DERIVED)


def _with_cached_kinds(model: str, prices: dict[TokenKind, Price]) -> dict[TokenKind, Price]:
    """Add the cached kinds that have no price, where the provider publishes a factor."""
    if TokenKind.INPUT not in prices:
        return prices
    for prefix, factors in CACHE_FACTORS.items():
        if model.startswith(prefix):
            derived = {kind: _derive(prices[TokenKind.INPUT], f) for kind, f in factors.items()}
            return derived | prices
    return prices


def _tokens_by_kind(counts: Counts) -> Iterator[tuple[TokenKind, int, bool]]:
    """Yield each count with its kind, and whether the log stated that kind."""
    yield TokenKind.INPUT, counts.input, True
    yield TokenKind.OUTPUT, counts.output, True
    yield TokenKind.CACHE_READ, counts.cache_read, True
    yield TokenKind.CACHE_WRITE, counts.cache_write_5m, True
    yield TokenKind.CACHE_WRITE, counts.cache_write_unsplit, False
    yield TokenKind.CACHE_WRITE_1H, counts.cache_write_1h, True


def _cache_savings_usd(
    unit_prices: Mapping[TokenKind, Price], lines: Iterable[PricedLine]
) -> Decimal:
    """Compare what cached tokens cost with what they would have cost as plain input."""
    if TokenKind.INPUT not in unit_prices:
        return Decimal(0)
    plain = unit_prices[TokenKind.INPUT].usd_per_token
    return _sum(
        _EXACT.subtract(_EXACT.multiply(line.tokens, plain), line.cost_usd)
        for line in lines
        if line.token_kind not in (TokenKind.INPUT, TokenKind.OUTPUT)
    )


def _sum(amounts: Iterable[Decimal]) -> Decimal:
    total = Decimal(0)
    for amount in amounts:
        total = _EXACT.add(total, amount)
    return total
