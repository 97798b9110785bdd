"""Counters since the start of the process, each published at 0 before it first rises.

Prometheus sees a rise only between two scrapes: a series that appears at 600 has risen by nothing.
So a new series stands at 0 for a while, and what it counted meanwhile is shown after. A counter
never falls, whatever prices, rules or clocks do.
"""

from collections import defaultdict
from collections.abc import Iterable
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
        self._labels: dict[str, tuple[str, ...]] = {}
        self._series: dict[str, dict[tuple[str, ...], _Series]] = defaultdict(dict)

    def name_labels(self, metric: Metric, labels: tuple[str, ...]) -> None:
        """Say which labels the series of a metric have, where not all; if others, begin anew."""
        if self._labels.get(metric.name, metric.labels) != labels:
            self._series.pop(metric.name, None)
        self._labels[metric.name] = labels

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
        of_metric = self._series[metric.name]
        series = of_metric.get(values)
        if series is None:
            series = of_metric[values] = _Series()
        return series

    def total(self, metric: Metric, *values: str) -> Value:
        """Return what a series has counted, shown or not."""
        return self._get(metric, values).value

    def totals(self, metric: Metric) -> dict[tuple[str, ...], Value]:
        """Return what every series of a metric has counted, shown or not."""
        return {values: series.value for values, series in self._series[metric.name].items()}

    def family(
        self, metric: Metric, now: datetime, shown: Iterable[tuple[str, ...]] | None = None
    ) -> Family:
        """Return a counter as it may be shown now: the named series, or all that there are.

        A named series that is new is born.
        """
        keys = list(self._series[metric.name]) if shown is None else shown
        return Family(
            metric,
            self._labels.get(metric.name, metric.labels),
            {values: self._show(self._get(metric, values), now) for values in keys},
        )

    def _show(self, series: _Series, now: datetime) -> Value:
        """Publish a series; a clock that went back does not keep it at 0 for longer."""
        if series.is_grown:
            return series.value
        series.published_at = min(series.published_at or now, now)
        series.is_grown = now - series.published_at >= self.birth
        return series.value if series.is_grown else 0
