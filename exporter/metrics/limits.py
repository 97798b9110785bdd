"""What is exposed of limits: one family for every product."""

from exporter.metrics.catalogue import gauge
from exporter.usage import LABELS

_LIMIT_LABELS = ("product", "limit", *LABELS, "measure", "period")
_LIMIT_SCOPE = "Labels that the limit does not name are empty; units differ by measure."
LIMIT_THRESHOLD = gauge(
    "usage_limit_threshold", f"The configured threshold. {_LIMIT_SCOPE}", *_LIMIT_LABELS
)
LIMIT_USED = gauge(
    "usage_limit_used", f"What is used in the current period. {_LIMIT_SCOPE}", *_LIMIT_LABELS
)
LIMIT_RATIO = gauge(
    "usage_limit_ratio", "Used / threshold; 1 is 100 % and may be exceeded.", *_LIMIT_LABELS
)
LIMIT_PROJECTED = gauge(
    "usage_limit_projected_ratio",
    "Ratio at the end of the period if its remaining time uses what the last 7 full days did on "
    "average; absent below 24 hours of data.",
    *_LIMIT_LABELS,
)
LIMIT_RESET = gauge(
    "usage_limit_reset_timestamp_seconds", "When the current period ends.", *_LIMIT_LABELS
)
