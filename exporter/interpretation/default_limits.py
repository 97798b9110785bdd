"""The limits that AWS publishes of Amazon Q Developer Pro, for who configures none of that name.

They stand in default_limits.csv with their source and how sure they are. They hold for every user
of an activity report, because no report tells who has which subscription.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from functools import cache
from pathlib import Path

from exporter import config
from exporter.assistant_usage import Product
from exporter.interpretation.dated_table import DatedTable

DEFAULT_LIMITS = Path(__file__).with_name("default_limits.csv")

_COLUMNS = ("name", "measure", "threshold", "period", "by")


def default_limits(day: date, configured: Sequence[config.Limit]) -> tuple[config.Limit, ...]:
    """Return the limits in force on a day, but none whose name the configuration has."""
    names = {limit.name for limit in configured}
    published = _published().in_force(day)
    return tuple(limit for name, limit in published.items() if name not in names)


def all_default_limits() -> tuple[config.Limit, ...]:
    """Return every limit that is in force on some day."""
    return tuple(limit for _, _, limit in _published().rows)


@cache
def _published() -> DatedTable[config.Limit]:
    return DatedTable.read(DEFAULT_LIMITS, _COLUMNS, _parse)


def _parse(fields: Mapping[str, str]) -> config.Limit:
    """Make a limit of a row; several labels of `by` are parted by a space."""
    return config.Limit.model_validate(
        {
            "name": fields["name"],
            "product": Product.QDEVELOPER,
            "measure": fields["measure"],
            "threshold": fields["threshold"],
            "period": fields["period"],
            "by": fields["by"].split(),
        }
    )
