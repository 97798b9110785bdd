"""What a check found: rows of a table, each green, yellow or red, with what to do about it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from exporter.aws.meter import request_cost_usd
from exporter.usage import AwsRequest


class Status(StrEnum):
    """How a check ended."""

    OK = "ok"
    WARNING = "warning"
    """The exporter works, but perhaps not as it is meant to."""
    FAILED = "failed"


@dataclass(frozen=True)
class Row:
    """One thing that was checked."""

    subject: str
    """What it was checked for: a source, an account."""
    check: str
    status: Status
    found: str
    remedy: str = ""
    """What to do; every row that is not OK has one."""


@dataclass(frozen=True)
class Report:
    """All that was checked, and what that cost."""

    rows: Sequence[Row]
    not_checked: Sequence[str] = ()
    """What nobody should take for checked, in sentences."""
    requests: Counter[AwsRequest] = field(default_factory=Counter)
    scanned_bytes: int = 0
    """By Athena."""
    queries_usd: Decimal = Decimal(0)

    @property
    def has_failed(self) -> bool:
        """Tell whether some row is red."""
        return any(row.status is Status.FAILED for row in self.rows)

    @property
    def billed_requests(self) -> int:
        """Return how many of the requests AWS bills, retries included."""
        return sum(
            count for request, count in self.requests.items() if request_cost_usd(request, count)
        )

    @property
    def cost_usd(self) -> Decimal:
        """Return what the requests and queries cost."""
        requests = sum(
            (request_cost_usd(request, count) for request, count in self.requests.items()),
            Decimal(0),
        )
        return requests + self.queries_usd


def ok(subject: str, check: str, found: str) -> Row:
    """Return a green row."""
    return Row(subject, check, Status.OK, found)


def warning(subject: str, check: str, found: str, remedy: str) -> Row:
    """Return a yellow row."""
    return Row(subject, check, Status.WARNING, found, remedy)


def failed(subject: str, check: str, found: str, remedy: str) -> Row:
    """Return a red row."""
    return Row(subject, check, Status.FAILED, found, remedy)
