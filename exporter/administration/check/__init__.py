"""What `aws check` does: tries everything that the configured sources need, once, and tells."""

from exporter.administration.check.rows import Report, Row, Status
from exporter.administration.check.run import check

__all__ = ["Report", "Row", "Status", "check"]
