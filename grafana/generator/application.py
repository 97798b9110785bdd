"""The dashboard of an application: its cost, users, models, tokens, hours and errors."""

from exporter import metrics
from grafana.generator import limits, links, usage
from grafana.generator.layout import Page, Placed, Question
from grafana.generator.panels import COUNT, GREEN, RED, USD, Key, Series, figure, pattern, shares
from grafana.generator.promql import chosen, total
from grafana.generator.spending import NOTHING_SPENT, spending, spending_in_range
from grafana.generator.variables import choices, data_source

_LABELS = ("account_id", "region", "application")
_CHOSEN = chosen(*_LABELS)


def application() -> Page:
    """Return the dashboard."""
    return Page(
        uid="bedrock-application",
        title="Bedrock / Application",
        description="What an application costs, who uses it with which models, when, and how well.",
        variables=[data_source(), *choices(*_LABELS)],
        questions=[
            Question("What does it cost?", usage.cost_figures(_CHOSEN)),
            Question("Is it within its limits?", [limits.closest(chosen("application"), 24)]),
            Question("Who and what drives it this month?", _drivers()),
            Question("When is it used?", [*usage.over_time(_CHOSEN, "model"), *_hours()]),
            Question("Which tokens, and does caching pay?", [*usage.tokens(_CHOSEN), *_caching()]),
            Question("Does it fail?", usage.errors(_CHOSEN)),
        ],
        since="now-30d",
    )


def _drivers() -> list[Placed]:
    application = Key("application", "Application", width=180)
    user = Key("user", "User", links.THIS_USER)
    model = Key("model", "Model", links.THIS_MODEL)
    tables = [
        (spending("Users", "Users this month, the dearest first.", [user], _CHOSEN), 12),
        (spending("Models", "Models this month, the dearest first.", [model], _CHOSEN), 12),
        (
            spending_in_range(
                "Users of each application, in the selected range",
                "What was read within the dashboard's range of time, the dearest first.",
                [application, user],
                _CHOSEN,
            ),
            24,
        ),
    ]
    return [Placed(table, width, 9) for table, width in tables]


def _hours() -> list[Placed]:
    hours = total(metrics.HOUR_OF_DAY, *chosen("application"), by="hour_of_day")
    return [
        Placed(
            pattern(
                "Calls by hour of the day",
                "Calls of the last 30 days by hour, in the exporter's time zone.",
                hours,
                "hour_of_day",
                "Calls",
                COUNT,
                no_data="No calls in 30 days",
            ),
            24,
            7,
        )
    ]


def _caching() -> list[Placed]:
    by_kind = total(metrics.COST_BY_KIND, *_CHOSEN, by="token_kind")
    saved = total(metrics.CACHE_SAVINGS, *_CHOSEN)
    saved_by_model = total(metrics.CACHE_SAVINGS, *_CHOSEN, by="model")
    return [
        Placed(
            shares(
                "Cost by kind of token",
                "Cost of this month by the kind of token that it was paid for.",
                [Series(by_kind, "{{token_kind}}")],
                USD,
                decimals=2,
                no_data=NOTHING_SPENT,
            ),
            8,
            8,
        ),
        Placed(
            shares(
                "Saved by caching, by model",
                "What prompt caching saved this month, net of the premium for writing to it.",
                [Series(f"{saved_by_model} > 0", "{{model}}")],
                USD,
                decimals=2,
                no_data="No caching is used",
            ),
            12,
            8,
        ),
        Placed(
            figure(
                "Saved by caching",
                "What prompt caching saved this month, net; negative where writing cost more.",
                saved,
                USD,
                decimals=2,
                steps=((None, RED), (0, GREEN)),
                no_data="No caching is used",
            ),
            4,
            8,
        ),
    ]
