"""What a usage figure is about and what it counts: label sets and measures.

Shared by limits and snapshot. Knows neither where the figures come from nor what is exposed.
"""

import re
from decimal import Decimal
from typing import NamedTuple

UNKNOWN = "unknown"
"""The value of a label that nothing is known for."""

MAX_LABEL_CHARACTERS = 256

_UNPRINTABLE = re.compile(r"[\s\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]+")
"""White space, control characters, marks that reverse the reading direction, half characters."""


class Labels(NamedTuple):
    """The labels of Bedrock usage, in the order of config.LABELS."""

    account_id: str = ""
    region: str = ""
    application: str = ""
    user: str = ""
    model: str = ""


class Measures(NamedTuple):
    """What a limit can be set on; the fields are named as config.Measure."""

    cost_usd: Decimal = Decimal(0)
    """Of what could be priced."""
    tokens: int = 0
    """Of every kind."""
    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    """Of every lifetime."""
    requests: int = 0
    """Failed ones included."""
    request_errors: int = 0

    def plus(self, other: "Measures") -> "Measures":
        """Add field by field."""
        return Measures(
            self[0] + other[0],
            self[1] + other[1],
            self[2] + other[2],
            self[3] + other[3],
            self[4] + other[4],
            self[5] + other[5],
            self[6] + other[6],
            self[7] + other[7],
        )


def printable(text: str) -> str:
    """Return text from a log on one line and without what does not print; case stays.

    What does not print becomes one space, or nothing at the ends. Past 2,048 characters, more
    than any ARN has, text is not looked at.
    """
    return _UNPRINTABLE.sub(" ", text[:2048]).strip()


def label_text(text: str) -> str:
    """Return text from a log as a label's value: printable, and of bounded length.

    A longer text ends in an ellipsis, so that it shows that it was cut.
    """
    text = printable(text)
    if len(text) > MAX_LABEL_CHARACTERS:
        return text[: MAX_LABEL_CHARACTERS - 1] + "…"
    return text
