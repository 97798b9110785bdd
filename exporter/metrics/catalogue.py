"""What a metric is, and the catalogue that every metric stands in."""

from collections.abc import Mapping
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


CATALOGUE: dict[str, Metric] = {}
"""Every metric by its name, in the order of exposition."""


def _metric(kind: Type, name: str, text: str, *labels: str) -> Metric:
    CATALOGUE[name] = Metric(name, text, kind, labels)
    return CATALOGUE[name]


def counter(name: str, text: str, *labels: str) -> Metric:
    """Add a counter to the catalogue."""
    return _metric(Type.COUNTER, name, text, *labels)


def gauge(name: str, text: str, *labels: str) -> Metric:
    """Add a gauge to the catalogue."""
    return _metric(Type.GAUGE, name, text, *labels)


SINCE_START = "newly read since the exporter started; history of a first fill is not counted"
MONTH = "this month so far"
