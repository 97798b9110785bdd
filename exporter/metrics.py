"""The catalogue: every metric's name, help, type and labels, in one place.

The names are the product's public interface. Help texts say the unit, the scope and the delay.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

Value = int | float | Decimal


class Type(StrEnum):
    """The Prometheus type of a metric."""

    COUNTER = "counter"
    GAUGE = "gauge"


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric of the catalogue; counters end in _total."""

    name: str
    help: str
    type: Type
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Family:
    """A metric with its samples: label values, in the order of `labels`, to the value.

    `labels` are the metric's own unless the configuration exposes fewer.
    """

    metric: Metric
    labels: tuple[str, ...]
    samples: Mapping[tuple[str, ...], Value] = field(default_factory=dict)
