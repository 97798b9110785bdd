"""The dashboard of Amazon Q Developer: limits, context, tokens, users, pattern, spikes, value.

It opens with Amazon Q Developer alone. Prompt logs of Kiro look the same: the variable `product`
chooses them.
"""

from grafana_foundation_sdk.builders import table
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models import dashboard as model

from exporter import metrics
from grafana.generator import limits, links, prompts, saving
from grafana.generator.layout import Page, Placed, Question
from grafana.generator.panels import (
    COUNT,
    GREEN,
    IDLE_AND_DORMANT,
    NEAR_AND_REACHED,
    ORANGE,
    RED,
    SHARE,
    USD,
    WHOLE,
    Column,
    Key,
    Series,
    Steps,
    figure,
    lines,
    listing,
    pattern,
)
from grafana.generator.promql import TOLD_APART, chosen, highest, highest_in_range, ratio, total
from grafana.generator.trust import of_assistants
from grafana.generator.variables import at_first, choices, data_source

_LABELS = ("account_id", "region", "product", "user")
_PLACE = chosen("account_id", "region")
_WHO = chosen("product", "user")
_CHOSEN = chosen(*_LABELS)
_LIMITS = ('product!="bedrock"', *_WHO)
_USER = Key("user", "User", links.THIS_QDEVELOPER_USER)
_NO_REPORTS = "No activity reports this month"
_SPIKE: Steps = ((None, GREEN), (3, RED))
"""As the alert has it."""
_WEEKDAYS = {"1": "Mon", "2": "Tue", "3": "Wed", "4": "Thu", "5": "Fri", "6": "Sat", "7": "Sun"}


def qdeveloper() -> Page:
    """Return the dashboard."""
    return Page(
        uid="bedrock-qdeveloper",
        title="Assistants / Q Developer",
        description="How close users are to their limits, what they ask, and whether it pays.",
        variables=_variables(),
        questions=[
            Question("Are we within limits?", limits.figures(*_LIMITS, link=links.LIMITS)),
            Question("Can I trust the data?", of_assistants(*_PLACE)),
            Question(
                "Who is close to which limit, and when does it start anew?",
                [Placed(limits.table_of(*_LIMITS), 24, 10)],
            ),
            Question("Does a conversation outgrow the context window?", _context()),
            Question("What is asked in chat and inline?", _asked()),
            Question("Who uses it most?", [Placed(_users(), 24, 12)]),
            Question("Is it worth its price?", _value()),
            Question("How far do the three accuracies differ?", _accuracies()),
            Question("When is it used?", _pattern()),
            Question("Whose activity jumps?", _spikes()),
            Question("What is it used for?", _activities()),
        ],
        since="now-30d",
    )


def _variables() -> list[Builder[model.VariableModel]]:
    of = (metrics.QDEVELOPER_REQUESTS_MONTH, metrics.QDEVELOPER_ACTIVITY_MONTH)
    account, region, product, user = choices(*_LABELS, of=of)
    return [data_source(), account, region, at_first(product, "qdeveloper"), user]


def _context() -> list[Placed]:
    used = highest(metrics.QDEVELOPER_CONTEXT_WINDOW, *_WHO, by="user")
    most = highest_in_range(8, metrics.QDEVELOPER_CONTEXT_WINDOW, *_WHO, by="user")
    return [
        Placed(
            listing(
                "Largest conversations of today",
                "What the largest conversation of each user takes of the context window.",
                [_USER],
                [Column("Taken", used, SHARE, 1, NEAR_AND_REACHED, most=1, width=180)],
                sort="Taken",
                no_data="No conversation today",
            ),
            10,
            9,
        ),
        Placed(
            lines(
                "Largest conversation over time",
                "The eight users that took most of the context window within the range.",
                [Series(most, "{{user}}")],
                SHARE,
                steps=NEAR_AND_REACHED,
                at_least=1,
                no_data="No conversation in this range",
            ),
            14,
            9,
        ),
    ]


def _asked() -> list[Placed]:
    return [Placed(prompts.by_kind(_CHOSEN), 24, 6), *prompts.over_time(_CHOSEN)]


def _users() -> table.Panel:
    by = "user, product"
    tokens = total(metrics.QDEVELOPER_TOKENS_MONTH, *_CHOSEN, by=by)
    estimated = total(metrics.QDEVELOPER_ESTIMATED_TOKENS, *_WHO, by=by)
    requests = total(metrics.QDEVELOPER_REQUESTS_MONTH, *_CHOSEN, by=by)
    virtual = total(metrics.QDEVELOPER_VIRTUAL_COST, *_WHO, by=by)

    def of_user(metric: metrics.Metric) -> str:
        return highest(metric, *_WHO, by=by)

    idle = f"{of_user(metrics.QDEVELOPER_IDLE)} / 86400"

    return listing(
        "Users this month",
        "Tokens as tiktoken counts them and as an estimate from reports; events are of a day.",
        [_USER, Key("product", "Product", width=95)],
        [
            Column("Requests", requests, WHOLE, 0, width=85),
            Column("Tokens", tokens, COUNT, 1, width=85),
            Column("Estimate", estimated, COUNT, 1, width=85),
            Column("Mean events", of_user(metrics.QDEVELOPER_ACTIVITY_MEAN), COUNT, 1, width=110),
            Column("Least", of_user(metrics.QDEVELOPER_ACTIVITY_MIN), COUNT, 0, width=70),
            Column("Most", of_user(metrics.QDEVELOPER_ACTIVITY_MAX), COUNT, 0, width=70),
            Column("Spike", of_user(metrics.QDEVELOPER_ACTIVITY_SPIKE), COUNT, 1, _SPIKE, width=70),
            Column("Idle days", idle, COUNT, 0, IDLE_AND_DORMANT, width=85),
            Column("Virtual cost", virtual, USD, 2, width=105),
            Column("Saving", saving.saving(by), USD, 2, ((None, RED), (0, GREEN)), width=90),
        ],
        sort="Tokens",
        no_data="No prompt logs or activity reports this month",
    )


def _value() -> list[Placed]:
    return [*saving.figures(), Placed(saving.users(_USER), 24, 10)]


def _accuracies() -> list[Placed]:
    measured = total(metrics.QDEVELOPER_TOKENS_MONTH, *_CHOSEN)
    estimated = total(metrics.QDEVELOPER_ESTIMATED_TOKENS, *_WHO)
    credits_used = total(metrics.KIRO_CREDITS, *_PLACE, *chosen("user"))
    figures = [
        figure(
            "Measured tokens",
            "Counted by tiktoken in this month's prompt logs: all that was asked and answered.",
            measured,
            COUNT,
            decimals=1,
            no_data=prompts.NO_PROMPTS,
        ),
        figure(
            "Estimated tokens",
            "An estimate from this month's activity reports, of all accounts; never a bill.",
            estimated,
            COUNT,
            decimals=1,
            no_data=_NO_REPORTS,
        ),
        figure(
            "Kiro credits",
            "What Kiro billed for this month, whichever product is chosen above.",
            credits_used,
            COUNT,
            decimals=1,
            no_data="No Kiro reports this month",
            link=links.KIRO,
        ),
    ]
    return [*(Placed(one, 4, 9) for one in figures), Placed(_side_by_side(), 12, 9)]


def _side_by_side() -> table.Panel:
    measured = total(metrics.QDEVELOPER_TOKENS_MONTH, *_WHO, by="user, product")
    estimated = total(metrics.QDEVELOPER_ESTIMATED_TOKENS, *_WHO, by="user, product")
    both = "and on (user, product)"
    return listing(
        "Measured and estimated tokens of users with both",
        "From prompt logs and from activity reports, of all accounts.",
        [_USER],
        [
            Column("Measured", f"{measured} {both} {estimated}", COUNT, 1, width=95),
            Column("Estimated", f"{estimated} {both} {measured}", COUNT, 1, width=95),
            Column(
                "Estimate / measured",
                ratio(estimated, measured, "user, product"),
                COUNT,
                2,
                width=155,
            ),
        ],
        sort="Measured",
        hidden=["product"],
        no_data="No user has both",
    )


def _pattern() -> list[Placed]:
    where = chosen("product")
    hours = total(metrics.QDEVELOPER_HOUR_OF_DAY, *where, by="hour_of_day")
    days = total(metrics.QDEVELOPER_DAY_OF_WEEK, *where, by="day_of_week")
    return [
        Placed(
            pattern(
                "Requests by hour of the day",
                "Of the last 30 days and all users, in the exporter's time zone.",
                hours,
                "hour_of_day",
                "Requests",
                COUNT,
                no_data="No requests in 30 days",
            ),
            14,
            8,
        ),
        Placed(
            pattern(
                "Requests by day of the week",
                "Of the last 28 full days and all users, in the exporter's time zone.",
                days,
                "day_of_week",
                "Requests",
                COUNT,
                words=_WEEKDAYS,
                no_data="No requests in 28 days",
            ),
            10,
            8,
        ),
    ]


def _spikes() -> list[Placed]:
    spike = highest(metrics.QDEVELOPER_ACTIVITY_SPIKE, *_WHO, by="user")
    most = highest_in_range(8, metrics.QDEVELOPER_ACTIVITY_SPIKE, *_WHO, by="user")
    mean = highest(metrics.QDEVELOPER_ACTIVITY_MEAN, *_WHO, by="user")
    projected = highest(metrics.QDEVELOPER_ACTIVITY_PROJECTED, *_WHO, by="user")
    return [
        Placed(
            listing(
                "Newest day against the days before",
                "Spike: events of the newest reported day / mean of the active days before it.",
                [_USER],
                [
                    Column("Spike", spike, COUNT, 1, _SPIKE, width=75),
                    Column("Mean events", mean, COUNT, 1, width=110),
                    Column("Projected month", projected, COUNT, 0, width=130),
                ],
                sort="Spike",
                no_data=_NO_REPORTS,
            ),
            12,
            9,
        ),
        Placed(
            lines(
                "Spikes over time",
                "The eight users with the highest spike within the range; the alert is above 3.",
                [Series(most, "{{user}}")],
                COUNT,
                steps=((None, GREEN), (3, ORANGE)),
                at_least=4,
                no_data="No user has four active days",
            ),
            12,
            9,
        ),
    ]


def _activities() -> list[Placed]:
    lines_of_code = 'activity=~".+_lines?(_.+)?"'
    return [
        Placed(
            _activity(
                "Events",
                "Chats, suggestions, runs of agents and what became of them, as reports count.",
                lines_of_code.replace("=~", "!~"),
            ),
            12,
            12,
        ),
        Placed(
            _activity(
                "Lines of code",
                "Lines that were generated, accepted, rejected or transformed, as reports count.",
                lines_of_code,
            ),
            12,
            12,
        ),
    ]


def _activity(title: str, description: str, which: str) -> table.Panel:
    month = total(metrics.QDEVELOPER_ACTIVITY_MONTH, which, *_CHOSEN, by="activity")
    newest = total(metrics.QDEVELOPER_ACTIVITY_LATEST_DAY, which, *_CHOSEN, by="activity")
    users = (which, TOLD_APART, *_CHOSEN)
    by_user = total(metrics.QDEVELOPER_ACTIVITY_MONTH, *users, by="activity, user")
    return listing(
        title,
        description,
        [Key("activity", "Activity")],
        [
            Column("Newest day", newest, WHOLE, 0, width=115),
            Column("This month", month, WHOLE, 0, width=115),
            Column("Users", f"count by (activity) ({by_user} > 0)", WHOLE, 0, width=75),
        ],
        sort="This month",
        no_data=_NO_REPORTS,
    )
