"""Which labels are exposed, and which users fold into one so that the number of series holds.

Folding takes from the figures nothing but a name: what folds is summed under `other`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeVar

from exporter.config import LABELS
from exporter.interpretation.measures import Labels
from exporter.metrics import Family

OTHER = "other"
"""The user that the others fold into."""

V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Exposure:
    """The configured labels, and the users without series of their own."""

    labels: tuple[str, ...]
    folded: frozenset[str] = frozenset()

    def names(self, names: tuple[str, ...]) -> tuple[str, ...]:
        """Return those of a metric's label names that are exposed."""
        return tuple(name for name in names if name not in LABELS or name in self.labels)

    def values(self, labels: Labels, names: Iterable[str] = LABELS) -> tuple[str, ...]:
        """Return the exposed values of a label set, in the order of `names`."""
        return tuple(
            OTHER if name == "user" and labels.user in self.folded else getattr(labels, name)
            for name in names
            if name in self.labels
        )


def users_to_fold(
    families: Iterable[Family],
    cost_usd: Mapping[str, Decimal],
    exposed_before: frozenset[str],
    max_series: int,
) -> frozenset[str]:
    """Return the users that must fold for all families together to have at most `max_series`.

    `families` are those of unfolded users. Users that spend least fold first; one that had series
    of its own before this month only if nothing else is left. Without the label `user`, or where
    the other series alone are too many, the bound cannot be held.
    """
    by_user: dict[str, set[tuple[str, ...]]] = {}
    total = 0
    for family in families:
        total += len(family.samples)
        if "user" in family.labels:
            position = family.labels.index("user")
            for values in family.samples:
                rest = (family.metric.name, *values[:position], *values[position + 1 :])
                by_user.setdefault(values[position], set()).add(rest)
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
