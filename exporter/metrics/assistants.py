"""What is exposed of developer assistants: Amazon Q Developer and Kiro.

What prompt logs and activity reports say stands under qdeveloper_, whose formats they are; the
label `product` tells whose users they speak of.
"""

from exporter.metrics.catalogue import MONTH, SINCE_START, counter, gauge

_PROMPTS = "requests in prompt logs"
_COUNTED = "Tokens counted with tiktoken's cl100k_base: not what the model's own tokenizer counts."
_ASKER = ("account_id", "region", "user", "product")
QDEVELOPER_REQUESTS = counter(
    "qdeveloper_requests_total",
    f"Developer assistants: {_PROMPTS}, {SINCE_START}.",
    *_ASKER,
    "request_kind",
)
QDEVELOPER_REQUESTS_TODAY = gauge(
    "qdeveloper_requests_today",
    f"Developer assistants: {_PROMPTS} today.",
    *_ASKER,
    "request_kind",
)
QDEVELOPER_REQUESTS_MONTH = gauge(
    "qdeveloper_requests_month_to_date",
    f"Developer assistants: {_PROMPTS} {MONTH}.",
    *_ASKER,
    "request_kind",
)
QDEVELOPER_TOKENS = counter(
    "qdeveloper_tokens_total",
    f"Developer assistants: tokens of {_PROMPTS}, {SINCE_START}. {_COUNTED}",
    *_ASKER,
    "request_kind",
    "token_kind",
)
QDEVELOPER_TOKENS_TODAY = gauge(
    "qdeveloper_tokens_today",
    f"Developer assistants: tokens of {_PROMPTS} today. {_COUNTED}",
    *_ASKER,
    "request_kind",
    "token_kind",
)
QDEVELOPER_TOKENS_MONTH = gauge(
    "qdeveloper_tokens_month_to_date",
    f"Developer assistants: tokens of {_PROMPTS} {MONTH}. {_COUNTED}",
    *_ASKER,
    "request_kind",
    "token_kind",
)
QDEVELOPER_CONTEXT_WINDOW = gauge(
    "qdeveloper_context_window_ratio",
    "Tokens of the user's largest conversation of today, its earlier days included, / "
    "assistants.context_window_tokens.",
    "user",
    "product",
)
QDEVELOPER_HOUR_OF_DAY = gauge(
    "qdeveloper_hour_of_day_requests",
    "Developer assistants: requests of the trailing 30 days by hour of the day in the configured "
    "time zone.",
    "product",
    "request_kind",
    "hour_of_day",
)
QDEVELOPER_DAY_OF_WEEK = gauge(
    "qdeveloper_day_of_week_requests",
    "Developer assistants: requests of the last 28 full days by day of the week, 1 for Monday, in "
    "the configured time zone.",
    "product",
    "request_kind",
    "day_of_week",
)
QDEVELOPER_ACTIVITY_TODAY = gauge(
    "qdeveloper_activity_today",
    "Activity of today as reported; absent until a report of today comes, mostly on the day after.",
    *_ASKER,
    "activity",
)
QDEVELOPER_ACTIVITY_LATEST_DAY = gauge(
    "qdeveloper_activity_latest_day",
    "Activity of the newest day that an account and region have a report of, in the last week.",
    *_ASKER,
    "activity",
)
QDEVELOPER_ACTIVITY_MONTH = gauge(
    "qdeveloper_activity_month_to_date",
    "Activity of this month's days (UTC) as far as they are reported.",
    *_ASKER,
    "activity",
)
_EVENTS = "Events are chats, suggestions, and runs of agents, reviews and transformations"
QDEVELOPER_ACTIVITY_MEAN = gauge(
    "qdeveloper_activity_daily_mean",
    f"Events of a user a day, of this month's days with any. {_EVENTS}.",
    "user",
    "product",
)
QDEVELOPER_ACTIVITY_MAX = gauge(
    "qdeveloper_activity_daily_max",
    f"Events of a user on the busiest of this month's days. {_EVENTS}.",
    "user",
    "product",
)
QDEVELOPER_ACTIVITY_MIN = gauge(
    "qdeveloper_activity_daily_min",
    f"Events of a user on the quietest of this month's days with any. {_EVENTS}.",
    "user",
    "product",
)
QDEVELOPER_ACTIVITY_PROJECTED = gauge(
    "qdeveloper_activity_projected_month",
    "Events of this month if its days still to be reported are as the last 7 reported ones were "
    f"on average. {_EVENTS}.",
    "user",
    "product",
)
QDEVELOPER_ACTIVITY_SPIKE = gauge(
    "qdeveloper_activity_spike_ratio",
    "Events of the newest reported day, or the one a week ago where that is later / mean of the "
    "user's active days in the 30 before it; absent with fewer than 3 of them.",
    "user",
    "product",
)
QDEVELOPER_ESTIMATED_TOKENS = gauge(
    "qdeveloper_estimated_tokens_month_to_date",
    f"An estimate from activity reports {MONTH}, by fixed tokens an activity; never a bill.",
    "user",
    "product",
    "token_kind",
)
QDEVELOPER_VIRTUAL_COST = gauge(
    "qdeveloper_virtual_cost_usd_month_to_date",
    f"US dollars that the tokens {MONTH} would have cost at the price of "
    "assistants.virtual_cost_model; measured from prompt logs or, where a user has none, estimated "
    "from activity reports.",
    "user",
    "product",
    "accuracy",
)
QDEVELOPER_SUBSCRIPTION = gauge(
    "qdeveloper_subscription_usd_month_to_date",
    "US dollars of assistants.subscription_usd_per_user for the part of this month that is over, "
    "for every user of Amazon Q Developer seen this month.",
    "user",
)
QDEVELOPER_IDLE = gauge(
    "qdeveloper_idle_seconds",
    "Whole days, in seconds, from the user's last day with activity, or else the first report of "
    "it, to the newest reported day, or a week ago where that is later; of users with a report of "
    "the last 90 reported days.",
    "user",
    "product",
)
KIRO_CREDITS = gauge(
    "kiro_credits_used_month_to_date",
    "Kiro credits used on this month's days (UTC) as far as they are reported, overage included.",
    "account_id",
    "region",
    "user",
    "tier",
    "client_type",
)
KIRO_OVERAGE = gauge(
    "kiro_overage_credits_month_to_date",
    "Kiro credits past the tier's limit on this month's days (UTC) as far as they are reported.",
    "account_id",
    "region",
    "user",
    "tier",
    "client_type",
)
KIRO_MESSAGES = gauge(
    "kiro_messages_month_to_date",
    "Kiro messages by model, as reports call it, or unknown, on this month's days (UTC) as far as "
    "they are reported.",
    "account_id",
    "region",
    "user",
    "model",
    "client_type",
)
KIRO_IDLE = gauge(
    "kiro_idle_seconds",
    "Whole days, in seconds, from the user's last day with credits or messages, or else the first "
    "report of it, to the newest reported day, or a week ago where that is later; of users with a "
    "report of the last 90 reported days.",
    "account_id",
    "region",
    "user",
    "tier",
)
