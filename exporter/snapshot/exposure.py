"""Which labels are exposed, and which users fold into one so that the number of series holds.

Folding takes from the figures nothing but a name: what folds is summed under `other`.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeVar

from exporter.interpretation.measures import Labels
from exporter.metrics import Family, Metric, Value
from exporter.usage import LABELS

V = TypeVar("V", bound=Value)

OTHER = "other"
"""The user that the others fold into."""


@dataclass(frozen=True, slots=True)
class Exposure:
    """The configured labels, and the users without series of their own."""

    labels: tuple[str, ...]
    folded: frozenset[str] = frozenset()

    def names(self, names: Iterable[str]) -> tuple[str, ...]:
        """Return those of a metric's label names that are exposed."""
        return tuple(name for name in names if name not in LABELS or name in self.labels)

    def values_of(self, names: Iterable[str] = LABELS) -> Callable[[Labels], tuple[str, ...]]:
        """Return what takes the exposed values of some of these names out of a label set."""
        positions = [LABELS.index(name) for name in names if name in self.labels]
        folded = self.folded

        def values(labels: Labels) -> tuple[str, ...]:
            if labels.user in folded:
                labels = labels._replace(user=OTHER)
            return tuple([labels[position] for position in positions])

        return values


def summed(
    exposure: Exposure, metric: Metric, samples: Iterable[tuple[Labels, tuple[str, ...], V]]
) -> Family:
    """Sum samples, each a label set and the values of the metric's other labels, as exposed."""
    values_of = exposure.values_of(metric.labels)
    sums: dict[tuple[str, ...], Value] = {}
    for labels, others, value in samples:
        key = values_of(labels) + others
        sums[key] = sums[key] + value if key in sums else value  # type: ignore[operator]
    return Family(metric, exposure.names(metric.labels), sums)


def largest(
    exposure: Exposure, metric: Metric, samples: Iterable[tuple[Labels, tuple[str, ...], V]]
) -> Family:
    """Take the largest of the samples that are exposed as one."""
    return _one_of_each(max, exposure, metric, samples)


def smallest_of_users(
    exposure: Exposure, metric: Metric, samples: Iterable[tuple[Labels, tuple[str, ...], V]]
) -> Family:
    """Take the samples of users with series of their own, of which no sum would mean anything.

    Of those of one user that are exposed as one, the smallest.
    """
    if "user" not in exposure.labels:
        return Family(metric, exposure.names(metric.labels))
    own = (sample for sample in samples if sample[0].user not in exposure.folded)
    return _one_of_each(min, exposure, metric, own)


def _one_of_each(
    choose: Callable[[V, V], V],
    exposure: Exposure,
    metric: Metric,
    samples: Iterable[tuple[Labels, tuple[str, ...], V]],
) -> Family:
    values_of = exposure.values_of(metric.labels)
    found: dict[tuple[str, ...], V] = {}
    for labels, others, value in samples:
        key = values_of(labels) + others
        found[key] = choose(value, found.get(key, value))
    return Family(metric, exposure.names(metric.labels), found)


def users_to_fold(
    families: Sequence[Family],
    cost_usd: Mapping[str, Decimal],
    exposed_before: frozenset[str],
    max_series: int,
) -> frozenset[str]:
    """Return the users that must fold for all families together to have at most `max_series`.

    `families` are those of unfolded users. Users that spend least fold first; one that had series
    of its own before this month only if nothing else is left. Without the label `user`, or where
    the other series alone are too many, the bound cannot be held.
    """
    total = sum(len(family.samples) for family in families)
    if total <= max_series:
        return frozenset()
    by_user = _series_by_user(families)
    order = sorted(
        by_user,
        key=lambda user: (user in exposed_before, cost_usd.get(user, Decimal(0)), user),
    )
    folded: set[str] = set()
    others: set[tuple[str, ...]] = set()
    for user in order:
        if total <= max_series:
            break
        total += len(by_user[user] - others) - len(by_user[user])
        others |= by_user[user]
        folded.add(user)
    return frozenset(folded)


def _series_by_user(families: Iterable[Family]) -> dict[str, set[tuple[str, ...]]]:
    """Return what tells the series of each user apart: metric and other labels."""
    by_user: dict[str, set[tuple[str, ...]]] = {}
    for family in families:
        if "user" in family.labels:
            position = family.labels.index("user")
            for values in family.samples:
                rest = (family.metric.name, *values[:position], *values[position + 1 :])
                by_user.setdefault(values[position], set()).add(rest)
    return by_user
