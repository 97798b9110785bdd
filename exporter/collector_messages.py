"""What the collecting process says over the pipe besides snapshots."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Failed:
    """Said over the pipe before the collector ends for a reason that a person must mend."""

    text: str


@dataclass(frozen=True, slots=True)
class Started:
    """Said over the pipe once the ledger is open."""
