"""What is exposed of Bedrock: requests, tokens, cost, prices."""

from exporter.metrics.catalogue import MONTH, SINCE_START, counter, gauge
from exporter.usage import LABELS

REQUESTS = counter(
    "bedrock_requests_total", f"Bedrock calls, failed ones included, {SINCE_START}.", *LABELS
)
REQUEST_ERRORS = counter(
    "bedrock_request_errors_total",
    f"Bedrock calls that failed, by the errorCode of the log, {SINCE_START}.",
    *LABELS,
    "error_code",
)
TOKENS = counter(
    "bedrock_tokens_total",
    f"Tokens of successful Bedrock calls, {SINCE_START}. The kinds never overlap.",
    *LABELS,
    "token_kind",
)
COST = counter(
    "bedrock_cost_usd_total",
    f"Cost in US dollars at the price of the moment of reading, {SINCE_START}. "
    "For money and budgets use the gauges.",
    *LABELS,
)
REQUESTS_TODAY = gauge(
    "bedrock_requests_today", "Bedrock calls today, failed ones included.", *LABELS
)
REQUESTS_MONTH = gauge(
    "bedrock_requests_month_to_date",
    f"Bedrock calls {MONTH}, failed ones included.",
    *LABELS,
)
TOKENS_TODAY = gauge(
    "bedrock_tokens_today", "Tokens of successful Bedrock calls today.", *LABELS, "token_kind"
)
TOKENS_MONTH = gauge(
    "bedrock_tokens_month_to_date",
    f"Tokens of successful Bedrock calls {MONTH}.",
    *LABELS,
    "token_kind",
)
COST_TODAY = gauge(
    "bedrock_cost_usd_today",
    "Cost today in US dollars; absent where nothing has a price.",
    *LABELS,
)
COST_MONTH = gauge(
    "bedrock_cost_usd_month_to_date",
    f"Cost {MONTH} in US dollars; absent where nothing has a price.",
    *LABELS,
)
COST_PREVIOUS_MONTH = gauge(
    "bedrock_cost_usd_previous_month", "Cost of the whole previous month in US dollars.", *LABELS
)
COST_PROJECTED = gauge(
    "bedrock_cost_usd_projected_month",
    "Cost of this month in US dollars if its remaining time costs what the last 7 full days did "
    "on average; absent below 24 hours of data.",
    *LABELS,
)
COST_DAILY_MEAN = gauge(
    "bedrock_cost_usd_daily_mean",
    "Mean cost of the last 7 full days in US dollars, of as many as there is data for.",
    *LABELS,
)
COST_BY_KIND = gauge(
    "bedrock_cost_usd_by_token_kind_month_to_date",
    f"Cost {MONTH} in US dollars by kind of token.",
    "account_id",
    "region",
    "application",
    "model",
    "token_kind",
)
COST_BY_PROVENANCE = gauge(
    "bedrock_cost_usd_by_provenance_month_to_date",
    f"Cost {MONTH} in US dollars by where its price comes from.",
    "provenance",
)
TOKENS_BY_ROUTING = gauge(
    "bedrock_tokens_by_routing_month_to_date",
    f"Tokens {MONTH} by where the called id allows them to be served.",
    "account_id",
    "region",
    "model",
    "routing",
    "token_kind",
)
CACHE_SAVINGS = gauge(
    "bedrock_cache_savings_usd_month_to_date",
    f"US dollars that prompt caching saved {MONTH}, net of what writing to the cache cost more.",
    "account_id",
    "region",
    "application",
    "model",
)
HOUR_OF_DAY = gauge(
    "bedrock_hour_of_day_requests",
    "Bedrock calls of the trailing 30 days by hour of the day in the configured time zone.",
    "application",
    "hour_of_day",
)
UNPRICED_TOKENS = gauge(
    "bedrock_unpriced_tokens_month_to_date",
    f"Tokens {MONTH} that no price applies to; they are in no cost.",
    "account_id",
    "region",
    "model",
    "token_kind",
)
UNPRICED_REQUESTS = gauge(
    "bedrock_unpriced_requests_month_to_date",
    f"Bedrock calls {MONTH} that have no price, by the reason.",
    "account_id",
    "region",
    "model",
    "reason",
)
PRICE = gauge(
    "bedrock_price_usd_per_token",
    "Price of one token in US dollars, of the standard tier and shortest context, for what was "
    "called this month, as of its last call.",
    "model",
    "region",
    "routing",
    "token_kind",
    "provenance",
)
MODEL_INFO = gauge(
    "bedrock_model_info", "Always 1; how a model is called.", "model", "name", "provider"
)
APPLICATION_INFO = gauge(
    "bedrock_application_info",
    "Always 1; who answers for an application, as configured.",
    "application",
    "team",
    "cost_center",
    "owner",
)
USAGE_SOURCE_INFO = gauge(
    "bedrock_usage_source_info",
    "Always 1; which source the usage of an account and region comes from, and whether its "
    "figures are measured or estimated.",
    "account_id",
    "region",
    "source",
    "accuracy",
)
NEWEST_RECORD = gauge(
    "bedrock_newest_record_timestamp_seconds",
    "Timestamp of the newest record read; old where nobody calls a model.",
    "account_id",
    "region",
    "source",
)
