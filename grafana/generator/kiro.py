"""The dashboard of Kiro: credits against limits, overage, tiers, models, dormant users, prompts."""

from grafana_foundation_sdk.builders import table

from exporter import metrics
from grafana.generator import limits, links, prompts
from grafana.generator.layout import Page, Placed, Question
from grafana.generator.panels import (
    COUNT,
    GREEN,
    IDLE_AND_DORMANT,
    NO_USERS,
    ORANGE,
    SHARE,
    WHOLE,
    Column,
    Key,
    Series,
    Steps,
    figure,
    lines,
    listing,
    shares,
)
from grafana.generator.promql import TOLD_APART, chosen, each, highest, ratio, total
from grafana.generator.trust import of_assistants
from grafana.generator.variables import choices, data_source

_LABELS = ("account_id", "region", "user")
_PLACE = chosen("account_id", "region")
_CHOSEN = chosen(*_LABELS)
_USERS = (TOLD_APART, *_CHOSEN)
_LIMITS = ('product="kiro"', *chosen("user"))
_PROMPTS = ('product="kiro"', *_CHOSEN)
_USER = Key("user", "User", links.THIS_KIRO_USER)
_TIER = Key("tier", "Tier", width=110)
_NO_REPORTS = "No Kiro reports this month"
_DORMANT_DAYS = 30
"""From how many idle days on a seat is dormant, as the alert has it."""
_OVERAGE: Steps = ((None, GREEN), (1e-9, ORANGE))

_CREDITS = total(metrics.KIRO_CREDITS, *_CHOSEN)
_OVER = total(metrics.KIRO_OVERAGE, *_CHOSEN)


def kiro() -> Page:
    """Return the dashboard."""
    of = (metrics.KIRO_CREDITS, metrics.KIRO_IDLE)
    return Page(
        uid="bedrock-kiro",
        title="Assistants / Kiro",
        description="Credits against limits, overage, by whom and on which tier; unused seats.",
        variables=[data_source(), *choices(*_LABELS, of=of)],
        questions=[
            Question("Are we within limits?", limits.figures(*_LIMITS, link=links.LIMITS)),
            Question("Can I trust the data?", of_assistants(*_PLACE)),
            Question(
                "Who is close to the limit, and when does it start anew?",
                [Placed(limits.table_of(*_LIMITS), 24, 10)],
            ),
            Question("How many credits are used, and how many past the limit?", _credits()),
            Question("Who uses them, and on which tier?", _users()),
            Question("Which models answer, in which clients?", _messages()),
            Question("Which seats are dormant?", _dormant()),
            Question("What do prompt logs say?", _prompts()),
        ],
        since="now-30d",
    )


def _credits() -> list[Placed]:
    by_user = total(metrics.KIRO_CREDITS, *_USERS, by="user")
    over_by_user = total(metrics.KIRO_OVERAGE, *_USERS, by="user")
    messages = total(metrics.KIRO_MESSAGES, *_CHOSEN)
    figures = [
        figure(
            "Credits",
            "Credits of this month's days (UTC) as far as they are reported, overage included.",
            _CREDITS,
            COUNT,
            decimals=1,
            no_data=_NO_REPORTS,
        ),
        figure(
            "Overage credits",
            "Credits past the tiers' limits; they are billed on top of the subscription.",
            _OVER,
            COUNT,
            decimals=1,
            steps=_OVERAGE,
            no_data=_NO_REPORTS,
        ),
        figure(
            "Users in overage",
            "Users that used credits past their tier's limit this month.",
            f"count({over_by_user} > 0) or 0 * count({over_by_user})",
            COUNT,
            steps=_OVERAGE,
            no_data=NO_USERS,
        ),
        figure(
            "Active users",
            "Users that used credits this month.",
            f"count({by_user} > 0) or 0 * count({by_user})",
            COUNT,
            no_data=NO_USERS,
        ),
        figure(
            "Credits a user",
            "Mean credits of the users that used any this month.",
            ratio(total(metrics.KIRO_CREDITS, *_USERS), f"count({by_user} > 0)"),
            COUNT,
            decimals=1,
            no_data=NO_USERS,
        ),
        figure(
            "Credits a message",
            "Mean credits of a message this month.",
            ratio(_CREDITS, messages),
            COUNT,
            decimals=2,
            no_data="No messages this month",
        ),
    ]
    return [*(Placed(one, 4, 4) for one in figures), *_credits_over_time()]


def _credits_over_time() -> list[Placed]:
    by_tier = total(metrics.KIRO_CREDITS, *_CHOSEN, by="tier")
    by_client = total(metrics.KIRO_CREDITS, *_CHOSEN, by="client_type")
    return [
        Placed(
            lines(
                "Month to date",
                "How this month's credits add up by tier, report by report, and those of overage.",
                [Series(by_tier, "{{tier}}"), Series(_OVER, "overage, all tiers")],
                COUNT,
                no_data="No Kiro reports in this range",
            ),
            12,
            8,
        ),
        Placed(
            shares(
                "Credits by tier",
                "Credits of this month by the tier of the subscription.",
                [Series(by_tier, "{{tier}}")],
                COUNT,
                decimals=1,
                no_data=_NO_REPORTS,
            ),
            6,
            8,
        ),
        Placed(
            shares(
                "Credits by client",
                "Credits of this month by the client that they were used with.",
                [Series(by_client, "{{client_type}}")],
                COUNT,
                decimals=1,
                no_data=_NO_REPORTS,
            ),
            6,
            8,
        ),
    ]


def _users() -> list[Placed]:
    return [Placed(_users_table(), 14, 11), Placed(_tiers_table(), 10, 11)]


def _users_table() -> table.Panel:
    by = "user, tier"
    used = total(metrics.KIRO_CREDITS, *_CHOSEN, by=by)
    over = total(metrics.KIRO_OVERAGE, *_CHOSEN, by=by)
    share = f"{used} / on () group_left () ({_CREDITS} > 0)"
    return listing(
        "Users",
        "Credits of this month, the highest first.",
        [_USER, _TIER],
        [
            Column("Credits", used, COUNT, 1, width=90),
            Column("Share", share, SHARE, 1, most=1, width=120),
            Column("Overage", over, COUNT, 1, steps=_OVERAGE, width=90),
        ],
        sort="Credits",
        no_data=_NO_REPORTS,
    )


def _tiers_table() -> table.Panel:
    used = total(metrics.KIRO_CREDITS, *_CHOSEN, by="tier")
    over = total(metrics.KIRO_OVERAGE, *_CHOSEN, by="tier")
    of_users = total(metrics.KIRO_CREDITS, *_USERS, by="tier")
    users = f"count by (tier) ({total(metrics.KIRO_CREDITS, *_USERS, by='tier, user')})"
    return listing(
        "Tiers",
        "Users reported on each tier this month, and their credits.",
        [Key("tier", "Tier")],
        [
            Column("Users", users, WHOLE, 0, width=70),
            Column("Credits", used, COUNT, 1, width=90),
            Column("Credits a user", ratio(of_users, users, "tier"), COUNT, 1, width=120),
            Column("Overage", over, COUNT, 1, steps=_OVERAGE, width=90),
        ],
        sort="Credits",
        no_data=_NO_REPORTS,
    )


def _messages() -> list[Placed]:
    by_model = total(metrics.KIRO_MESSAGES, *_CHOSEN, by="model")
    by = "model, client_type"
    by_both = total(metrics.KIRO_MESSAGES, *_CHOSEN, by=by)
    by_user = total(metrics.KIRO_MESSAGES, *_USERS, by=f"{by}, user")
    nothing = "No messages this month"
    return [
        Placed(
            shares(
                "Messages by model",
                "Messages of this month by the model, as reports call it.",
                [Series(by_model, "{{model}}")],
                COUNT,
                decimals=1,
                no_data=nothing,
            ),
            10,
            9,
        ),
        Placed(
            listing(
                "Models and clients",
                "Messages of this month, and how many users sent them.",
                [Key("model", "Model"), Key("client_type", "Client", width=130)],
                [
                    Column("Messages", by_both, WHOLE, 0, width=100),
                    Column("Users", f"count by ({by}) ({by_user} > 0)", WHOLE, 0, width=80),
                ],
                sort="Messages",
                no_data=nothing,
            ),
            14,
            9,
        ),
    ]


def _dormant() -> list[Placed]:
    paid = each(metrics.KIRO_IDLE, 'tier!~".*FREE.*"', *_USERS)
    idle = highest(metrics.KIRO_IDLE, *_CHOSEN, by="user, tier, account_id")
    return [
        Placed(
            figure(
                "Dormant paid seats",
                f"Users of a paid tier that used nothing for {_DORMANT_DAYS} days or more.",
                f"count({paid} >= {_DORMANT_DAYS} * 86400) or 0 * count({paid})",
                COUNT,
                steps=((None, GREEN), (1, ORANGE)),
                no_data=NO_USERS,
            ),
            4,
            9,
        ),
        Placed(
            listing(
                "Idle days",
                "Days without use as far as reports tell; a seat never used is in no report.",
                [_USER, _TIER, Key("account_id", "Account", width=130)],
                [
                    Column(
                        "Idle days",
                        f"{idle} / 86400",
                        WHOLE,
                        0,
                        steps=IDLE_AND_DORMANT,
                        width=100,
                    )
                ],
                sort="Idle days",
                no_data="No Kiro reports",
            ),
            20,
            9,
        ),
    ]


def _prompts() -> list[Placed]:
    return [
        Placed(prompts.by_kind(_PROMPTS, links.KIRO_PROMPTS), 24, 6),
        *prompts.over_time(_PROMPTS),
    ]
