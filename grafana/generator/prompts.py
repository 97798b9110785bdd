"""The panels that explain what developers ask, as prompt logs tell it.

Q Developer and Kiro share them; `where` tells whose prompts are meant.
"""

from collections.abc import Sequence

from grafana_foundation_sdk.builders import table

from exporter import metrics
from grafana.generator.layout import Placed
from grafana.generator.panels import COUNT, WHOLE, Column, Key, Series, bars, lines, listing
from grafana.generator.promql import per_interval, ratio, total

Where = Sequence[str]
NO_PROMPTS = "No prompt logs this month"
_KIND = "request_kind"


def by_kind(where: Where, link: str = "") -> table.Panel:
    """Return requests and tokens of each kind of request, in all and on average."""

    def tokens(metric: metrics.Metric, *which: str) -> str:
        return total(metric, *which, *where, by=_KIND)

    today = total(metrics.QDEVELOPER_REQUESTS_TODAY, *where, by=_KIND)
    month = total(metrics.QDEVELOPER_REQUESTS_MONTH, *where, by=_KIND)
    tokens_today = tokens(metrics.QDEVELOPER_TOKENS_TODAY)
    tokens_month = tokens(metrics.QDEVELOPER_TOKENS_MONTH)
    read = tokens(metrics.QDEVELOPER_TOKENS_MONTH, 'token_kind="input"')
    written = tokens(metrics.QDEVELOPER_TOKENS_MONTH, 'token_kind="output"')
    mean_today = ratio(tokens_today, today, _KIND)
    mean_month = ratio(tokens_month, month, _KIND)
    return listing(
        "Kinds of request, today and this month",
        "Requests in prompt logs and their tokens as tiktoken counts them; of a request: the mean.",
        [Key(_KIND, "Kind", link)],
        [
            Column("Requests today", today, WHOLE, 0, width=130),
            Column("Tokens today", tokens_today, COUNT, 1, width=130),
            Column("Tokens of a request today", mean_today, COUNT, 1, width=205),
            Column("Requests", month, WHOLE, 0, width=130),
            Column("Input tokens", read, COUNT, 1, width=130),
            Column("Output tokens", written, COUNT, 1, width=130),
            Column("Tokens of a request", mean_month, COUNT, 1, width=165),
        ],
        sort="Requests",
        no_data=NO_PROMPTS,
    )


def over_time(where: Where) -> list[Placed]:
    """Return requests and tokens by day, and how large requests were on average."""
    requests = per_interval(metrics.QDEVELOPER_REQUESTS, *where, by=_KIND)
    tokens = per_interval(metrics.QDEVELOPER_TOKENS, *where, by="token_kind")
    mean = ratio(
        total(metrics.QDEVELOPER_TOKENS_TODAY, *where, by=_KIND),
        total(metrics.QDEVELOPER_REQUESTS_TODAY, *where, by=_KIND),
        _KIND,
    )
    nothing = "No prompt logs in this range"
    panels = [
        bars(
            "Requests by day and kind",
            "Requests that were read in each day of the selected range.",
            [Series(requests, "{{request_kind}}")],
            COUNT,
            decimals=0,
            interval="1d",
            no_data=nothing,
        ),
        bars(
            "Tokens by day, input and output",
            "Tokens that were read in each day of the selected range, as tiktoken counts them.",
            [Series(tokens, "{{token_kind}}")],
            COUNT,
            interval="1d",
            no_data=nothing,
        ),
        lines(
            "Mean tokens of a request",
            "Of the requests of each day so far, by kind; it begins anew with the day.",
            [Series(mean, "{{request_kind}}")],
            COUNT,
            no_data=nothing,
        ),
    ]
    return [Placed(panel, 8, 8) for panel in panels]
