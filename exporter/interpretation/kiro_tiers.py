"""The tiers of Kiro's subscriptions, and the credits of a month that Kiro publishes of each."""

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from functools import cache, lru_cache
from pathlib import Path

from exporter.interpretation.dated_table import DatedTable

KIRO_TIERS = Path(__file__).with_name("kiro_tiers.csv")

_CREDITS = re.compile(r"[1-9]\d*(\.\d+)?")


@lru_cache(maxsize=1000)
def bare_tier(tier: str) -> str:
    """Return a tier so that PRO_PLUS, ProPlus, Pro+ and KIRO PRO+ are one."""
    letters = re.sub(r"[^A-Z0-9]", "", tier.upper().replace("+", "PLUS"))
    return letters.removeprefix("KIRO")


@cache
def published_credits(day: date) -> Mapping[str, Decimal]:
    """Return the credits of each tier that was published by a day, by its bare name."""
    return {bare_tier(tier): credits for tier, credits in _table().in_force(day).items()}


@cache
def _table() -> DatedTable[Decimal]:
    return DatedTable.read(KIRO_TIERS, ("tier", "credits"), _parse)


def _parse(fields: Mapping[str, str]) -> Decimal:
    if not _CREDITS.fullmatch(fields["credits"]):
        raise ValueError(f"credits {fields['credits']!r} is no number above 0")
    return Decimal(fields["credits"])
