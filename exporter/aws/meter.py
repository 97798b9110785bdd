"""Counts the requests made to AWS, so that what the exporter itself costs can be told."""

from collections import Counter
from decimal import Decimal
from threading import Lock
from typing import Any

from exporter.usage import AwsRequest

_PER_THOUSAND_USD = {
    AwsRequest("s3", "ListObjectsV2"): Decimal("0.005"),
    AwsRequest("s3", "GetObject"): Decimal("0.0004"),
    AwsRequest("s3", "HeadBucket"): Decimal("0.0004"),
}
"""S3 Standard request prices of us-east-1, in which most regions are equal (2026-11).

boto3 sends HeadBucket by itself, to find the region of a bucket.
"""


class Meter:
    """Counts each attempt of each request of the clients that it is attached to."""

    def __init__(self) -> None:
        self._counts: Counter[AwsRequest] = Counter()
        self._lock = Lock()

    def attach(self, client: Any) -> None:
        """Count what a boto3 client sends from now on, retries included."""
        client.meta.events.register("before-send", self._count)

    def take(self) -> Counter[AwsRequest]:
        """Return what was counted since the last call."""
        with self._lock:
            taken, self._counts = self._counts, Counter()
        return taken

    def _count(self, event_name: str, **_ignored: Any) -> None:
        service, operation = event_name.split(".")[1:3]
        with self._lock:
            self._counts[AwsRequest(service, operation)] += 1


def request_cost_usd(request: AwsRequest, count: int) -> Decimal:
    """Return what so many requests cost; those that are not billed cost nothing."""
    return _PER_THOUSAND_USD.get(request, Decimal(0)) * count / 1000
