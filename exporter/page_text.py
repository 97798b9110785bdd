"""Writes figures and names as the status page shows them.

Every name is hostile: stripped of control characters, and cut.
"""

import unicodedata
from datetime import UTC, datetime, timedelta
from decimal import ROUND_DOWN, Decimal

LONGEST_TEXT = 160
"""Characters of a name or a message that are sent at all."""


def money(usd: Decimal) -> str:
    """Write dollars to the cent; less than a cent says so and is not $0."""
    if 0 < usd < Decimal("0.01"):
        return "<$0.01"
    return f"${usd:,.2f}" if usd else "$0"


def exact_money(usd: Decimal) -> str:
    """Write dollars to the last digit."""
    return f"${usd.normalize():,f}"


def human(number: Decimal | int) -> str:
    """Write 12,345,678 as 12.3M; never rounds up, so that 999,999 is not 1.0M; 3.27 as 3.2."""
    for unit, size in (("T", 10**12), ("B", 10**9), ("M", 10**6), ("K", 10**3)):
        if number >= size:
            tenths = int(number * 10 // size)
            return f"{tenths // 10:,}.{tenths % 10}{unit}"
    if number == int(number):
        return str(int(number))
    return f"{Decimal(number).quantize(Decimal('0.1'), ROUND_DOWN)}"


def percent(ratio: Decimal) -> str:
    """Write a ratio with one decimal, rounded down: what is below 100 % never reads 100 %."""
    tenths = int(ratio * 1000)
    if ratio > 0 and not tenths:
        return "<0.1%"
    return f"{tenths // 10:,}.{tenths % 10}%" if tenths < 10_000 else f"{tenths // 10:,}%"


def share(part: Decimal, whole: Decimal) -> str:
    """Write a part of a whole; parts of nothing have no share."""
    return f"{part / whole:.1%}" if whole else "\u2013"


def amount(number: Decimal | int, measure: str) -> str:
    """Write what a limit counts, in the unit of its measure."""
    return money(Decimal(number)) if measure == "cost_usd" else human(number)


def relative(moment: datetime, now: datetime) -> str:
    """Write the distance of two moments in its largest unit: 3 min ago, in 9 days."""
    seconds = int((moment - now).total_seconds())
    for unit, size in ((" days", 86_400), (" h", 3600), (" min", 60), (" s", 1)):
        amount = abs(seconds) // size
        if amount >= (2 if size == 86_400 else 1):
            return f"in {amount}{unit}" if seconds > 0 else f"{amount}{unit} ago"
    return "now"


def duration(length: timedelta) -> str:
    """Write 5400 s as 1 h 30 min; what is below a second is left out."""
    minutes, seconds = divmod(int(length.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    parts = ((hours, "h"), (minutes, "min"), (seconds, "s"))
    return " ".join(f"{amount} {unit}" for amount, unit in parts if amount)


def utc(moment: datetime) -> str:
    """Write a moment to the second."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def clip(text: str) -> str:
    """Make hostile text harmless to look at: no control or direction characters, and not long.

    Lone surrogates, which UTF-8 cannot carry, are among what is replaced.
    """
    cut = text if len(text) <= LONGEST_TEXT else text[: LONGEST_TEXT - 1] + "…"
    shown = "".join("\ufffd" if _is_unprintable(char) else char for char in cut)
    return shown.strip() or "(empty)"


def _is_unprintable(char: str) -> bool:
    return unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp")
