"""Meters what the exporter's own calls to AWS cost, and tells when the day's ceiling is reached.

What was asked and scanned is kept in the ledger, so that a restart forgets no cost; prices are
applied when it is read.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal

from exporter import config, metrics
from exporter.aws.meter import request_cost_usd
from exporter.config import Config
from exporter.ledger import WritableLedger
from exporter.snapshot.counters import Counters
from exporter.status import AwsSpend
from exporter.usage import AthenaScan, AwsRequest


class Spend:
    """The meter of one exporter; days are UTC days, as on a bill."""

    def __init__(
        self,
        settings: Config,
        ledger: WritableLedger,
        counters: Counters,
        clock: Callable[[], datetime],
    ) -> None:
        self._ceiling_usd = settings.aws.max_cost_usd_per_day
        self._services = _billed_services(settings.sources)
        self._usd_per_terabyte = {
            source.name: source.usd_per_terabyte
            for source in settings.sources
            if isinstance(source, config.Athena)
        }
        self._ledger = ledger
        self._counters = counters
        self._clock = clock
        if self._usd_per_terabyte:
            counters.ensure(metrics.ATHENA_SCANNED_BYTES)

    def record_requests(self, counts: Counter[AwsRequest]) -> None:
        """Count requests to AWS. Raises LedgerError."""
        if counts:
            self._ledger.record_aws_requests(self._clock().date(), counts)
        for (service, operation), count in counts.items():
            self._counters.add(metrics.AWS_REQUESTS, count, service, operation)

    def record_scan(self, scan: AthenaScan) -> None:
        """Count what a query of Athena scanned. Raises LedgerError."""
        self._ledger.record_athena_scan(self._clock().date(), scan)
        self._counters.add(metrics.ATHENA_SCANNED_BYTES, scan.scanned_bytes)

    def today(self, now: datetime) -> AwsSpend:
        """Return what was spent since midnight UTC. Raises LedgerError."""
        costs = dict.fromkeys(self._services, Decimal(0))
        for request, count in self._ledger.aws_requests(now.date()).items():
            cost = request_cost_usd(request, count)
            costs[request.service] = costs.get(request.service, Decimal(0)) + cost
        for scan in self._ledger.athena_scans(now.date()):
            # Of a source that is configured no more, the price is that of most regions.
            usd = self._usd_per_terabyte.get(scan.source, config.DEFAULT_USD_PER_TERABYTE)
            cost = usd * scan.billed_bytes / config.TERABYTE
            costs["athena"] = costs.get("athena", Decimal(0)) + cost
        return AwsSpend(costs, self._ceiling_usd)


def _billed_services(sources: Sequence[config.Source]) -> list[str]:
    """Return the services whose cost stands at 0 before anything was asked of them."""
    services = []
    if any(source.location.startswith("s3://") for source in sources):
        services.append("s3")
    if any(isinstance(source, config.Athena) for source in sources):
        services.append("athena")
    return services
