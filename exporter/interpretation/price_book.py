"""The rows of the price book: as the package ships them, and as the configuration overrides them.

Reads and checks price_book.csv and not_token_billed.csv; what a row means for a call, and which
row wins, is decided in prices.
"""

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

from exporter.config import PriceOverride
from exporter.interpretation.models import Routing
from exporter.usage import CONTEXT_BANDS, ServiceTier, TokenKind

ANY = "*"
"""As a region: every commercial region. As a routing: every routing without a row of its own."""

ALWAYS = date.min
"""Since when an override without a date holds."""

PRICE_BOOK = Path(__file__).with_name("price_book.csv")
NOT_TOKEN_BILLED = Path(__file__).with_name("not_token_billed.csv")

_COLUMNS = (
    *("model", "region", "routing", "service_tier", "context_from"),
    *TokenKind,
    *("effective_from", "source", "as_of"),
)
_MODEL = re.compile(r"[a-z0-9]+\.[a-z0-9.:-]+")
_REGION = re.compile(r"\*|[a-z]{2,4}(-[a-z]+)+-\d")
_PRICE = re.compile(r"\d+(\.\d+)?")


class PriceBookError(Exception):
    """A bundled file is malformed, at `file:line: problem`: a bug in the package."""


@dataclass(frozen=True, slots=True)
class PriceRow:
    """One line of the book, or one override: the prices of some calls from a UTC day on."""

    model: str
    region: str
    routing: str
    service_tier: str
    context_from: int
    effective_from: date
    usd_per_million_tokens: Mapping[TokenKind, Decimal]


def read_price_book(path: Path) -> Iterator[PriceRow]:
    """Read the rows of a price book; raises PriceBookError at the first that is malformed."""
    seen = set()
    for line, fields in _read(path, _COLUMNS):
        try:
            row = _parse(dict(zip(_COLUMNS, fields, strict=True)))
            key = (*fields[:5], row.effective_from)
            _require(key not in seen, "a row of the same key stands above")
        except ValueError as error:
            raise PriceBookError(f"{path}:{line}: {error}") from None
        seen.add(key)
        yield row


def read_not_token_billed(path: Path) -> Iterator[str]:
    """Read the patterns of the ids of models that AWS does not bill by the token alone."""
    for _, (pattern, _) in _read(path, ("pattern", "billed_by")):
        yield pattern


def from_override(override: PriceOverride) -> PriceRow:
    """Make a row of an override of the configuration, which is checked already."""
    return PriceRow(
        model=override.model,
        region=override.region,
        routing=override.routing,
        service_tier=override.service_tier,
        context_from=override.context_from,
        effective_from=override.effective_from or ALWAYS,
        usd_per_million_tokens=override.usd_per_million_tokens,
    )


def _read(path: Path, columns: Sequence[str]) -> Iterator[tuple[int, list[str]]]:
    """Yield each line's number and fields."""
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.reader(file, strict=True)
        if next(reader, None) != list(columns):
            raise PriceBookError(f"{path}:1: the columns are not {','.join(columns)}")
        for fields in reader:
            if len(fields) != len(columns):
                raise PriceBookError(f"{path}:{reader.line_num}: not {len(columns)} fields")
            yield reader.line_num, fields


def _parse(fields: Mapping[str, str]) -> PriceRow:
    """Make a row of its fields; raises ValueError that says what is wrong with them."""
    _require(_MODEL.fullmatch(fields["model"]), f"model {fields['model']!r}")
    _require(_REGION.fullmatch(fields["region"]), f"region {fields['region']!r}")
    _require(fields["routing"] in {ANY, *Routing}, f"routing {fields['routing']!r}")
    _require(
        fields["context_from"] in map(str, CONTEXT_BANDS),
        f"context_from {fields['context_from']!r} is no context band",
    )
    _require(fields["source"], "no source")
    date.fromisoformat(fields["as_of"])
    stated = {kind: fields[kind] for kind in TokenKind if fields[kind]}
    _require(stated, "no price")
    for kind, price in stated.items():
        _require(_PRICE.fullmatch(price), f"{kind} {price!r} is not a plain decimal number")
    return PriceRow(
        model=fields["model"],
        region=fields["region"],
        routing=fields["routing"],
        service_tier=ServiceTier(fields["service_tier"]),
        context_from=int(fields["context_from"]),
        effective_from=date.fromisoformat(fields["effective_from"]),
        usd_per_million_tokens={kind: Decimal(price) for kind, price in stated.items()},
    )


def _require(condition: object, problem: str) -> None:
    if not condition:
        raise ValueError(problem)
