"""How each source is doing, as the refresh sees it and the snapshot shows it."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class SourceStatus:
    """One source after its last refresh."""

    name: str
    location: str
    up: bool = False
    complete: bool = False
    backlog_objects: int = 0
    last_success: datetime | None = None
    last_duration_seconds: float | None = None
    last_error: str | None = None
    history_read_to: date | None = None
    """UTC day back to which a first fill has come; None where none runs."""
    is_begun: bool = False
    """Whether it was looked at since the start; before, nothing is known of it."""


@dataclass(frozen=True, slots=True)
class AwsSpend:
    """What the exporter's own requests to AWS cost on the current UTC day."""

    cost_usd_by_service: dict[str, Decimal]
    ceiling_usd: Decimal

    @property
    def cost_usd(self) -> Decimal:
        """Return the cost of all services."""
        return sum(self.cost_usd_by_service.values(), Decimal(0))

    @property
    def is_spent(self) -> bool:
        """Tell whether the ceiling is reached."""
        return self.cost_usd >= self.ceiling_usd
