"""The catalogue: every metric's name, help, type and labels, in one place.

The names are the product's public interface. Help texts say the unit, the scope and the delay.
Today and month are those of the configured time zone.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from exporter.usage import LABELS

Value = int | float | Decimal


class Type(StrEnum):
    """The Prometheus type of a metric."""

    COUNTER = "counter"
    GAUGE = "gauge"


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric of the catalogue; counters end in _total."""

    name: str
    help: str
    type: Type
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Family:
    """A metric with its samples: label values, in the order of `labels`, to the value.

    `labels` are the metric's own unless the configuration exposes fewer.
    """

    metric: Metric
    labels: tuple[str, ...]
    samples: Mapping[tuple[str, ...], Value] = field(default_factory=dict)


CATALOGUE: dict[str, Metric] = {}
"""Every metric by its name, in the order of exposition."""


def _metric(kind: Type, name: str, text: str, *labels: str) -> Metric:
    CATALOGUE[name] = Metric(name, text, kind, labels)
    return CATALOGUE[name]


def _counter(name: str, text: str, *labels: str) -> Metric:
    return _metric(Type.COUNTER, name, text, *labels)


def _gauge(name: str, text: str, *labels: str) -> Metric:
    return _metric(Type.GAUGE, name, text, *labels)


_SINCE_START = "newly read since the exporter started; history of a first fill is not counted"
_MONTH = "this month so far"

REQUESTS = _counter(
    "bedrock_requests_total", f"Bedrock calls, failed ones included, {_SINCE_START}.", *LABELS
)
REQUEST_ERRORS = _counter(
    "bedrock_request_errors_total",
    f"Bedrock calls that failed, by the errorCode of the log, {_SINCE_START}.",
    *LABELS,
    "error_code",
)
TOKENS = _counter(
    "bedrock_tokens_total",
    f"Tokens of successful Bedrock calls, {_SINCE_START}. The kinds never overlap.",
    *LABELS,
    "token_kind",
)
COST = _counter(
    "bedrock_cost_usd_total",
    f"Cost in US dollars at the price of the moment of reading, {_SINCE_START}. "
    "For money and budgets use the gauges.",
    *LABELS,
)
REQUESTS_TODAY = _gauge(
    "bedrock_requests_today", "Bedrock calls today, failed ones included.", *LABELS
)
REQUESTS_MONTH = _gauge(
    "bedrock_requests_month_to_date",
    f"Bedrock calls {_MONTH}, failed ones included.",
    *LABELS,
)
TOKENS_TODAY = _gauge(
    "bedrock_tokens_today", "Tokens of successful Bedrock calls today.", *LABELS, "token_kind"
)
TOKENS_MONTH = _gauge(
    "bedrock_tokens_month_to_date",
    f"Tokens of successful Bedrock calls {_MONTH}.",
    *LABELS,
    "token_kind",
)
COST_TODAY = _gauge(
    "bedrock_cost_usd_today",
    "Cost today in US dollars; absent where nothing has a price.",
    *LABELS,
)
COST_MONTH = _gauge(
    "bedrock_cost_usd_month_to_date",
    f"Cost {_MONTH} in US dollars; absent where nothing has a price.",
    *LABELS,
)
COST_PREVIOUS_MONTH = _gauge(
    "bedrock_cost_usd_previous_month", "Cost of the whole previous month in US dollars.", *LABELS
)
COST_PROJECTED = _gauge(
    "bedrock_cost_usd_projected_month",
    "Cost of this month in US dollars if its remaining time costs what the last 7 full days did "
    "on average; absent below 24 hours of data.",
    *LABELS,
)
COST_DAILY_MEAN = _gauge(
    "bedrock_cost_usd_daily_mean",
    "Mean cost of the last 7 full days in US dollars, of as many as there is data for.",
    *LABELS,
)
COST_BY_KIND = _gauge(
    "bedrock_cost_usd_by_token_kind_month_to_date",
    f"Cost {_MONTH} in US dollars by kind of token.",
    "account_id",
    "region",
    "application",
    "model",
    "token_kind",
)
COST_BY_PROVENANCE = _gauge(
    "bedrock_cost_usd_by_provenance_month_to_date",
    f"Cost {_MONTH} in US dollars by where its price comes from.",
    "provenance",
)
TOKENS_BY_ROUTING = _gauge(
    "bedrock_tokens_by_routing_month_to_date",
    f"Tokens {_MONTH} by where the called id allows them to be served.",
    "account_id",
    "region",
    "model",
    "routing",
    "token_kind",
)
CACHE_SAVINGS = _gauge(
    "bedrock_cache_savings_usd_month_to_date",
    f"US dollars that prompt caching saved {_MONTH}, net of what writing to the cache cost more.",
    "account_id",
    "region",
    "application",
    "model",
)
HOUR_OF_DAY = _gauge(
    "bedrock_hour_of_day_requests",
    "Bedrock calls of the trailing 30 days by hour of the day in the configured time zone.",
    "application",
    "hour_of_day",
)
UNPRICED_TOKENS = _gauge(
    "bedrock_unpriced_tokens_month_to_date",
    f"Tokens {_MONTH} that no price applies to; they are in no cost.",
    "account_id",
    "region",
    "model",
    "token_kind",
)
UNPRICED_REQUESTS = _gauge(
    "bedrock_unpriced_requests_month_to_date",
    f"Bedrock calls {_MONTH} that have no price, by the reason.",
    "account_id",
    "region",
    "model",
    "reason",
)
PRICE = _gauge(
    "bedrock_price_usd_per_token",
    "Price of one token in US dollars, of the standard tier and shortest context, for what was "
    "called this month, as of its last call.",
    "model",
    "region",
    "routing",
    "token_kind",
    "provenance",
)
MODEL_INFO = _gauge(
    "bedrock_model_info", "Always 1; how a model is called.", "model", "name", "provider"
)
APPLICATION_INFO = _gauge(
    "bedrock_application_info",
    "Always 1; who answers for an application, as configured.",
    "application",
    "team",
    "cost_center",
    "owner",
)
USAGE_SOURCE_INFO = _gauge(
    "bedrock_usage_source_info",
    "Always 1; which source the usage of an account and region comes from, and whether its "
    "figures are measured or estimated.",
    "account_id",
    "region",
    "source",
    "accuracy",
)
NEWEST_RECORD = _gauge(
    "bedrock_newest_record_timestamp_seconds",
    "Timestamp of the newest record read; old where nobody calls a model.",
    "account_id",
    "region",
    "source",
)

_LIMIT_LABELS = ("product", "limit", *LABELS, "measure", "period")
_LIMIT_SCOPE = "Labels that the limit does not name are empty; units differ by measure."
LIMIT_THRESHOLD = _gauge(
    "usage_limit_threshold", f"The configured threshold. {_LIMIT_SCOPE}", *_LIMIT_LABELS
)
LIMIT_USED = _gauge(
    "usage_limit_used", f"What is used in the current period. {_LIMIT_SCOPE}", *_LIMIT_LABELS
)
LIMIT_RATIO = _gauge(
    "usage_limit_ratio", "Used / threshold; 1 is 100 % and may be exceeded.", *_LIMIT_LABELS
)
LIMIT_PROJECTED = _gauge(
    "usage_limit_projected_ratio",
    "Ratio at the end of the period if its remaining time uses what the last 7 full days did on "
    "average; absent below 24 hours of data.",
    *_LIMIT_LABELS,
)
LIMIT_RESET = _gauge(
    "usage_limit_reset_timestamp_seconds", "When the current period ends.", *_LIMIT_LABELS
)

SOURCE_UP = _gauge(
    "bedrock_exporter_source_up",
    "Whether the last refresh of the source had no error; its earlier data stays.",
    "source",
)
SOURCE_COMPLETE = _gauge(
    "bedrock_exporter_source_complete",
    "Whether all that is known to exist was read: 0 while a first fill or a catch-up runs.",
    "source",
)
SOURCE_BACKLOG = _gauge(
    "bedrock_exporter_source_backlog_objects",
    "Log objects that are listed and not yet read.",
    "source",
)
SOURCE_LAST_SUCCESS = _gauge(
    "bedrock_exporter_source_last_success_timestamp_seconds",
    "When the source was last refreshed without error.",
    "source",
)
SOURCE_DURATION = _gauge(
    "bedrock_exporter_source_last_refresh_duration_seconds",
    "How long the last refresh of the source took.",
    "source",
)
SOURCE_ERRORS = _counter(
    "bedrock_exporter_source_errors_total",
    "Failures to list or read, each tried again at the next refresh.",
    "source",
    "reason",
)
LOG_OBJECTS = _counter("bedrock_exporter_log_objects_total", "Log objects read.", "source")
LOG_BYTES = _counter(
    "bedrock_exporter_log_bytes_total", "Bytes of JSON read, after decompression.", "source"
)
LOG_RECORDS = _counter("bedrock_exporter_log_records_total", "Log records taken.", "source")
REJECTED_RECORDS = _counter(
    "bedrock_exporter_rejected_records_total",
    "Log records, or whole objects, that were not taken.",
    "source",
    "reason",
)
AWS_REQUESTS = _counter(
    "bedrock_exporter_aws_requests_total",
    "Requests to AWS, retries included.",
    "aws_service",
    "operation",
)
ATHENA_SCANNED_BYTES = _counter(
    "bedrock_exporter_athena_scanned_bytes_total", "Bytes that the exporter's queries scanned."
)
AWS_COST_TODAY = _gauge(
    "bedrock_exporter_aws_cost_usd_today",
    "What the exporter's own requests to AWS cost this UTC day in US dollars, at list prices.",
    "aws_service",
)
AWS_COST_CEILING = _gauge(
    "bedrock_exporter_aws_cost_usd_ceiling",
    "US dollars a UTC day at which the exporter stops its own billed requests.",
)
REFRESH_INTERVAL = _gauge(
    "bedrock_exporter_refresh_interval_seconds",
    "How often the sources are refreshed, as configured; data is stale after two without success.",
)
SERIES = _gauge("bedrock_exporter_series", "Series of the last snapshot.")
FOLDED_USERS = _gauge(
    "bedrock_exporter_folded_users",
    'Users that fold into user="other", so that metrics.max_series holds.',
)
BUILD_INFO = _gauge(
    "bedrock_exporter_build_info",
    "Always 1; the versions of the exporter and of Python are its labels.",
    "version",
    "pythonversion",
)
CONFIG_LAST_RELOAD_SUCCESSFUL = _gauge(
    "bedrock_exporter_config_last_reload_successful",
    "1 if the last attempt to load the configuration succeeded; at 0 the one before is in use.",
)
CONFIG_LAST_RELOAD_SUCCESS_TIMESTAMP_SECONDS = _gauge(
    "bedrock_exporter_config_last_reload_success_timestamp_seconds",
    "When the configuration in use was loaded, as Unix time.",
)
