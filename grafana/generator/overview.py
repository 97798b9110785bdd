"""The dashboard for everybody: limits, money, who and what drives it, and whether to trust it."""

from exporter import metrics
from grafana.generator import limits, links, usage
from grafana.generator.layout import Page, Placed, Question
from grafana.generator.panels import (
    GREEN,
    ORANGE,
    RED,
    SHARE,
    USD,
    Key,
    Series,
    bars,
    figure,
    lines,
)
from grafana.generator.promql import chosen, per_interval, ratio, total
from grafana.generator.spending import spending
from grafana.generator.trust import state_of_sources
from grafana.generator.variables import choices, data_source

_CHOSEN = chosen("account_id", "region")
_MONTH = total(metrics.COST_MONTH, *_CHOSEN)
_PROJECTED = total(metrics.COST_PROJECTED, *_CHOSEN)
_PREVIOUS = total(metrics.COST_PREVIOUS_MONTH, *_CHOSEN)


def overview() -> Page:
    """Return the dashboard."""
    return Page(
        uid="bedrock-overview",
        title="Bedrock / Overview",
        description="Are we within limits, what does it cost, who drives it, can it be trusted?",
        variables=[data_source(), *choices("account_id", "region")],
        questions=[
            Question("Are we within limits?", limits.figures(link=links.LIMITS)),
            Question("What does it cost?", _cost()),
            Question("Who and what drives it?", _drivers()),
            Question("Can I trust the data?", _trust()),
        ],
        since="now-30d",
    )


def _cost() -> list[Placed]:
    against = f"{_PROJECTED} / ({_PREVIOUS} > 0) - 1"
    saved = total(metrics.CACHE_SAVINGS, *_CHOSEN)
    by_day = per_interval(metrics.COST, *_CHOSEN, by="application")
    figures = [
        figure(
            "Against previous",
            "Projected cost of this month against the previous month.",
            against,
            SHARE,
            decimals=1,
            steps=((None, GREEN), (0.1, ORANGE), (0.5, RED)),
            no_data="No month to compare with",
        ),
        figure(
            "Saved by caching",
            "What prompt caching saved this month, net of the premium for writing to the cache.",
            saved,
            USD,
            decimals=2,
            steps=((None, RED), (0, GREEN)),
            no_data="No caching is used",
        ),
    ]
    return [
        *usage.month_figures(_CHOSEN),
        *(Placed(one, 4, 4) for one in figures),
        Placed(
            bars(
                "Cost by day and application",
                "What was read in each day of the selected range, at the price of that moment.",
                [Series(by_day, "{{application}}")],
                USD,
                interval="1d",
            ),
            14,
            9,
        ),
        Placed(
            lines(
                "Month to date",
                "How this month's cost adds up, exactly; it begins anew with the month.",
                [Series(_MONTH, "this month so far"), Series(_PREVIOUS, "whole previous month")],
                USD,
                interval="1h",
            ),
            10,
            9,
        ),
    ]


def _drivers() -> list[Placed]:
    application = Key("application", "Application", links.THIS_APPLICATION)
    user = Key("user", "User", links.THIS_USER)
    model = Key("model", "Model", links.THIS_MODEL)
    place = [Key("account_id", "Account", width=115), Key("region", "Region", width=125)]
    about = "this month, the dearest first; a click opens its dashboard."
    tables = [
        spending("Applications", f"Applications {about}", [application], _CHOSEN),
        spending("Users", f"Users {about}", [user], _CHOSEN),
        spending("Models", f"Models {about}", [model], _CHOSEN),
        spending(
            "Accounts and regions",
            "Where the calls were made, this month, the dearest first.",
            place,
            _CHOSEN,
        ),
    ]
    return [Placed(one, 12, 9) for one in tables]


def _trust() -> list[Placed]:
    is_billed = 'reason!~"not_token_billed|provisioned|custom|imported"'
    unpriced = ratio(
        total(metrics.UNPRICED_REQUESTS, is_billed, *_CHOSEN),
        total(metrics.REQUESTS_MONTH, *_CHOSEN),
    )
    unattributed = ratio(total(metrics.COST_MONTH, 'application="unknown"', *_CHOSEN), _MONTH)
    derived = ratio(
        total(metrics.COST_BY_PROVENANCE, 'provenance="derived"'), total(metrics.COST_BY_PROVENANCE)
    )
    figures = [
        figure(
            "Unpriced calls",
            "Part of this month's calls billed by token without a price; in no cost above.",
            f"{unpriced} or 0 * {total(metrics.REQUESTS_MONTH, *_CHOSEN)}",
            SHARE,
            decimals=1,
            steps=((None, GREEN), (0.001, ORANGE), (0.1, RED)),
            link=links.MODELS,
        ),
        figure(
            "Unattributed",
            "Part of this month's cost that belongs to no known application.",
            f"{unattributed} or 0 * {_MONTH}",
            SHARE,
            decimals=1,
            steps=((None, GREEN), (0.05, ORANGE), (0.1, RED)),
        ),
        figure(
            "Derived prices",
            "Part of this month's cost whose price is derived, not listed; of all accounts.",
            f"{derived} or 0 * {total(metrics.COST_BY_PROVENANCE)}",
            SHARE,
            decimals=1,
            steps=((None, GREEN), (0.05, ORANGE)),
            link=links.MODELS,
        ),
    ]
    return [*state_of_sources(4), *(Placed(one, 4, 4) for one in figures)]
