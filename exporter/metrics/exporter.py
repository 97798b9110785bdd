"""What is exposed of the exporter itself: its sources, its own cost, its configuration."""

from exporter.metrics.catalogue import counter, gauge

SOURCE_UP = gauge(
    "bedrock_exporter_source_up",
    "Whether the last refresh of the source had no error; its earlier data stays.",
    "source",
)
SOURCE_COMPLETE = gauge(
    "bedrock_exporter_source_complete",
    "Whether all that is known to exist was read: 0 while a first fill or a catch-up runs.",
    "source",
)
SOURCE_BACKLOG = gauge(
    "bedrock_exporter_source_backlog_objects",
    "Log objects that are listed and not yet read.",
    "source",
)
SOURCE_LAST_SUCCESS = gauge(
    "bedrock_exporter_source_last_success_timestamp_seconds",
    "When the source was last refreshed without error.",
    "source",
)
SOURCE_DURATION = gauge(
    "bedrock_exporter_source_last_refresh_duration_seconds",
    "How long the last refresh of the source took.",
    "source",
)
SOURCE_ERRORS = counter(
    "bedrock_exporter_source_errors_total",
    "Failures to list or read, each tried again at the next refresh.",
    "source",
    "reason",
)
LOG_OBJECTS = counter("bedrock_exporter_log_objects_total", "Log objects read.", "source")
LOG_BYTES = counter(
    "bedrock_exporter_log_bytes_total", "Bytes of JSON or CSV read, after decompression.", "source"
)
LOG_RECORDS = counter("bedrock_exporter_log_records_total", "Log records taken.", "source")
REJECTED_RECORDS = counter(
    "bedrock_exporter_rejected_records_total",
    "Log records, or whole objects, that were not taken.",
    "source",
    "reason",
)
SKIPPED_RECORDS = counter(
    "bedrock_exporter_skipped_records_total",
    "Log records that are sound and no usage, such as Kiro's own routing of a prompt.",
    "source",
    "reason",
)
AWS_REQUESTS = counter(
    "bedrock_exporter_aws_requests_total",
    "Requests to AWS, retries included.",
    "aws_service",
    "operation",
)
ATHENA_SCANNED_BYTES = counter(
    "bedrock_exporter_athena_scanned_bytes_total", "Bytes that the exporter's queries scanned."
)
AWS_COST_TODAY = gauge(
    "bedrock_exporter_aws_cost_usd_today",
    "What the exporter's own requests to AWS cost this UTC day in US dollars, at list prices.",
    "aws_service",
)
AWS_COST_CEILING = gauge(
    "bedrock_exporter_aws_cost_usd_ceiling",
    "US dollars a UTC day at which the exporter stops its own billed requests.",
)
REFRESH_INTERVAL = gauge(
    "bedrock_exporter_refresh_interval_seconds",
    "How often the sources are refreshed, as configured; data is stale after two without success.",
)
SERIES = gauge("bedrock_exporter_series", "Series of the last snapshot.")
FOLDED_USERS = gauge(
    "bedrock_exporter_folded_users",
    'Users that fold into user="other", so that metrics.max_series holds.',
)
BUILD_INFO = gauge(
    "bedrock_exporter_build_info",
    "Always 1; the versions of the exporter and of Python are its labels.",
    "version",
    "pythonversion",
)
CONFIG_LAST_RELOAD_SUCCESSFUL = gauge(
    "bedrock_exporter_config_last_reload_successful",
    "1 if the last attempt to load the configuration succeeded; at 0 the one before is in use.",
)
CONFIG_LAST_RELOAD_SUCCESS_TIMESTAMP_SECONDS = gauge(
    "bedrock_exporter_config_last_reload_success_timestamp_seconds",
    "When the configuration in use was loaded, as Unix time.",
)
