"""Remembers what was computed of a range of slots until the ledger changes there."""

from collections.abc import Callable
from typing import TypeVar

from exporter.interpretation.periods import SlotRange

T = TypeVar("T")


class Remembered:
    """Computed values by what they are and their range; those of one snapshot serve the next."""

    def __init__(self, last_change: Callable[[int, int], int]) -> None:
        """Take what tells of a range of slots a number that grows with every change."""
        self._last_change = last_change
        self._old: dict[tuple[str, SlotRange], tuple[int, object]] = {}
        self._used: dict[tuple[str, SlotRange], tuple[int, object]] = {}

    def begin(self) -> None:
        """Begin another snapshot: what the last one did not use is forgotten."""
        self._old, self._used = self._used, {}

    def get(self, what: str, slots: SlotRange, compute: Callable[[SlotRange], T]) -> T:
        """Return what was computed before, unless the ledger has changed in the range since."""
        change = self._last_change(*slots)
        known = self._used.get((what, slots)) or self._old.get((what, slots))
        if known is None or known[0] != change:
            known = change, compute(slots)
        self._used[what, slots] = known
        result: T = known[1]  # type: ignore[assignment]  # `what` tells the type
        return result


def parts(slots: SlotRange, *borders: int) -> list[SlotRange]:
    """Return the parts of a range between borders that lie within it."""
    cuts = [border for border in sorted(set(borders)) if slots.start < border < slots.end]
    pairs = zip([slots.start, *cuts], [*cuts, slots.end], strict=True)
    return [SlotRange(*pair) for pair in pairs]
