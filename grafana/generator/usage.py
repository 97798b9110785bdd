"""The panels that explain the usage of what the reader chose: an application, a user, a model."""

from collections.abc import Sequence

from exporter import metrics
from grafana.generator.layout import Placed
from grafana.generator.panels import (
    COUNT,
    GREEN,
    ORANGE,
    SHARE,
    USD,
    Series,
    bars,
    figure,
    lines,
    shares,
)
from grafana.generator.promql import per_interval, ratio, total
from grafana.generator.spending import NOTHING_SPENT

Where = Sequence[str]
_NO_CALLS = "No calls in this range"


def month_figures(where: Where) -> list[Placed]:
    """Return what today and the months cost, in figures that stand side by side."""
    cost = [
        (
            "Today",
            "Cost today, in the exporter's time zone.",
            metrics.COST_TODAY,
            NOTHING_SPENT,
        ),
        ("This month", "Cost this month so far.", metrics.COST_MONTH, NOTHING_SPENT),
        (
            "Projected month",
            "This month, if its remaining days cost what the last 7 did on average.",
            metrics.COST_PROJECTED,
            "Known after a day of data",
        ),
        (
            "Previous month",
            "Cost of the whole previous month.",
            metrics.COST_PREVIOUS_MONTH,
            "Nothing is known of it",
        ),
    ]
    return [
        _usd(title, description, total(metric, *where), no_data)
        for title, description, metric, no_data in cost
    ]


def cost_figures(where: Where) -> list[Placed]:
    """Return what it costs, in one line of figures."""
    a_day = total(metrics.COST_DAILY_MEAN, *where)
    a_call = ratio(total(metrics.COST_MONTH, *where), total(metrics.REQUESTS_MONTH, *where))
    return [
        *month_figures(where),
        _usd("Mean day", "Mean cost of the last 7 full days.", a_day, NOTHING_SPENT),
        _usd("Mean call", "Mean cost of a call this month.", a_call, NOTHING_SPENT, decimals=4),
    ]


def _usd(title: str, description: str, expr: str, no_data: str, decimals: int = 2) -> Placed:
    return Placed(figure(title, description, expr, USD, decimals=decimals, no_data=no_data), 4, 4)


def over_time(where: Where, by: str) -> list[Placed]:
    """Return cost by day and calls by hour, split by a label."""
    series = "{{" + by + "}}"
    cost = per_interval(metrics.COST, *where, by=by)
    calls = per_interval(metrics.REQUESTS, *where, by=by)
    return [
        Placed(
            bars(
                f"Cost by day and {by}",
                "What was read in each day of the selected range, at the price of that moment.",
                [Series(cost, series)],
                USD,
                interval="1d",
                no_data=_NO_CALLS,
            ),
            12,
            8,
        ),
        Placed(
            bars(
                f"Calls by hour and {by}",
                "Calls read in each hour; in longer steps where the range is long.",
                [Series(calls, series)],
                COUNT,
                decimals=0,
                interval="1h",
                no_data=_NO_CALLS,
            ),
            12,
            8,
        ),
    ]


def tokens(where: Where) -> list[Placed]:
    """Return which kinds of token are used, and how much of the prompt comes from the cache."""
    kinds = total(metrics.TOKENS_MONTH, *where, by="token_kind")
    read = total(metrics.TOKENS_MONTH, 'token_kind="cache_read"', *where)
    prompt = total(metrics.TOKENS_MONTH, 'token_kind!="output"', *where)
    read_then = per_interval(metrics.TOKENS, 'token_kind="cache_read"', *where)
    prompt_then = per_interval(metrics.TOKENS, 'token_kind!="output"', *where)
    calls = total(metrics.REQUESTS_MONTH, *where)
    no_cache = "No prompt came from the cache"
    return [
        Placed(
            shares(
                "Tokens by kind",
                "Tokens of this month by their kind.",
                [Series(kinds, "{{token_kind}}")],
                COUNT,
                decimals=1,
                no_data="No tokens this month",
            ),
            8,
            8,
        ),
        Placed(
            lines(
                "Prompt from the cache",
                "Part of the prompt's tokens that was read from the cache instead of paid in full.",
                [Series(ratio(read_then, prompt_then), "cache hit share")],
                SHARE,
                interval="6h",
                at_least=1,
                no_data=no_cache,
            ),
            8,
            8,
        ),
        Placed(
            figure(
                "Cache hit share",
                "Part of this month's prompt tokens that was read from the cache.",
                ratio(read, prompt),
                SHARE,
                decimals=1,
                no_data=no_cache,
            ),
            4,
            8,
        ),
        Placed(
            figure(
                "Tokens a call",
                "Mean tokens of a call this month, of all kinds.",
                ratio(total(metrics.TOKENS_MONTH, *where), calls),
                COUNT,
                decimals=1,
                no_data="No calls this month",
            ),
            4,
            8,
        ),
    ]


def errors(where: Where) -> list[Placed]:
    """Return how many calls fail, and why."""
    failed = per_interval(metrics.REQUEST_ERRORS, *where)
    calls = per_interval(metrics.REQUESTS, *where)
    by_code = per_interval(metrics.REQUEST_ERRORS, *where, by="error_code")
    return [
        Placed(
            lines(
                "Error share",
                "Part of the calls that failed; the alert is at 10 %.",
                [Series(f"{ratio(failed, calls)} or 0 * ({calls} > 0)", "failed")],
                SHARE,
                interval="6h",
                steps=((None, GREEN), (0.1, ORANGE)),
                at_least=0.2,
                no_data=_NO_CALLS,
            ),
            12,
            7,
        ),
        Placed(
            bars(
                "Errors by code",
                "Failed calls by the errorCode of the log.",
                [Series(by_code, "{{error_code}}")],
                COUNT,
                interval="6h",
                no_data="No call failed in this range",
            ),
            12,
            7,
        ),
    ]
