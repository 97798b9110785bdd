"""Counters since the start of the process, each published at 0 before it first rises.

Prometheus sees a rise only between two scrapes: a series that appears at 600 has risen by nothing.
So a new series stands at 0 for a while, and what it counted meanwhile is shown after. A counter
never falls, whatever prices, rules or clocks do.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from exporter.metrics import Family, Metric, Value


@dataclass(slots=True)
class _Series:
    value: Value = 0
    published_at: datetime | None = None
    is_grown: bool = False


class Counters:
    """Every counter of the process, by metric and label values."""

    def __init__(self, birth: timedelta) -> None:
        self.birth = birth
        self._series: dict[Metric, dict[tuple[str, ...], _Series]] = {}

    def ensure(self, metric: Metric, *values: str) -> None:
        """Have a series, at 0 if it is new."""
        self._get(metric, values)

    def add(self, metric: Metric, amount: Value, *values: str) -> None:
        """Count an amount."""
        series = self._get(metric, values)
        if isinstance(amount, Decimal) and not isinstance(series.value, Decimal):
            series.value = Decimal(series.value)
        series.value += amount  # type: ignore[operator]

    def _get(self, metric: Metric, values: tuple[str, ...]) -> _Series:
        return self._series.setdefault(metric, {}).setdefault(values, _Series())

    def total(self, metric: Metric, *values: str) -> Value:
        """Return what a series has counted, shown or not."""
        return self._get(metric, values).value

    def totals(self, metric: Metric) -> dict[tuple[str, ...], Value]:
        """Return what every series of a metric has counted, shown or not."""
        return {values: series.value for values, series in self._series.get(metric, {}).items()}

    def families(self, now: datetime, labels: dict[Metric, tuple[str, ...]]) -> list[Family]:
        """Return every counter as it may be shown now; `labels` are those that are exposed."""
        return [
            Family(
                metric,
                labels.get(metric, metric.labels),
                {values: self._shown(series, now) for values, series in by_values.items()},
            )
            for metric, by_values in self._series.items()
        ]

    def _shown(self, series: _Series, now: datetime) -> Value:
        if series.published_at is None:
            series.published_at = now
        if not series.is_grown:
            series.is_grown = now - series.published_at >= self.birth
        return series.value if series.is_grown else 0
