"""The dashboard of a user: cost, applications, models, tokens, hours and errors."""

from grafana.generator import limits, links, usage
from grafana.generator.layout import Page, Placed, Question
from grafana.generator.panels import Key
from grafana.generator.promql import chosen
from grafana.generator.spending import spending, spending_in_range
from grafana.generator.variables import choices, data_source

_LABELS = ("account_id", "region", "application", "user")
_CHOSEN = chosen(*_LABELS)


def user() -> Page:
    """Return the dashboard."""
    return Page(
        uid="bedrock-user",
        title="Bedrock / User",
        description="What a user costs, in which applications and with which models, and when.",
        variables=[data_source(), *choices(*_LABELS)],
        questions=[
            Question("What does it cost?", usage.cost_figures(_CHOSEN)),
            Question("Within the limits?", [limits.closest(chosen("user"), 24)]),
            Question("What is it for, this month?", _purposes()),
            Question(
                "When?",
                [*usage.over_time(_CHOSEN, "application"), *usage.over_time(_CHOSEN, "model")],
            ),
            Question("Which tokens?", usage.tokens(_CHOSEN)),
            Question("Do calls fail?", usage.errors(_CHOSEN)),
        ],
        since="now-30d",
    )


def _purposes() -> list[Placed]:
    application = Key("application", "Application", links.THIS_APPLICATION)
    model = Key("model", "Model", links.THIS_MODEL)
    return [
        Placed(
            spending(
                "Applications",
                "Applications this month, the dearest first.",
                [application],
                _CHOSEN,
            ),
            12,
            8,
        ),
        Placed(
            spending("Models", "Models this month, the dearest first.", [model], _CHOSEN), 12, 8
        ),
        Placed(
            spending_in_range(
                "Users and their models, in the selected range",
                "What was read within the dashboard's range of time, the dearest first.",
                [Key("user", "User", links.THIS_USER, width=220), model],
                _CHOSEN,
            ),
            24,
            9,
        ),
    ]
