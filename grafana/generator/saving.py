"""Whether a subscription pays: its price beside what the same tokens would have cost by the token.

Amazon Q Developer's: Kiro bills credits, which are no flat rate.
"""

from grafana_foundation_sdk.builders import table

from exporter import metrics
from grafana.generator.layout import Placed
from grafana.generator.panels import (
    COUNT,
    GREEN,
    NO_USERS,
    RED,
    SHARE,
    USD,
    Column,
    Key,
    figure,
    listing,
)
from grafana.generator.promql import TOLD_APART, chosen, each, ratio, total

_SUBSCRIBED = chosen("user")
_VALUED = ('product="qdeveloper"', *chosen("product", "user"))
_LOSS_AND_SAVING = ((None, RED), (0, GREEN))
_NO_SEATS = "No user is seen this month"
_NO_VALUE = "No tokens that have a price"


def saving(by: str) -> str:
    """Return virtual cost less the subscription, by labels of which `user` is one."""
    return f"{_virtual(by)} - on (user) group_left () {_subscription('user')}"


def figures() -> list[Placed]:
    """Return the sums of all users."""
    virtual, subscription = _virtual(), _subscription()
    measured = total(metrics.QDEVELOPER_VIRTUAL_COST, 'accuracy="measured"', *_VALUED)
    saved = f"({virtual} - {subscription})"
    panels = [
        figure(
            "Users",
            "Users of Amazon Q Developer that were seen this month; each is a subscription.",
            f"count({each(metrics.QDEVELOPER_SUBSCRIPTION, TOLD_APART, *_SUBSCRIBED)})",
            COUNT,
            no_data=NO_USERS,
        ),
        figure(
            "Virtual cost",
            "What the tokens of this month would have cost at the price of a model.",
            virtual,
            USD,
            decimals=2,
            no_data=_NO_VALUE,
        ),
        figure(
            "Subscriptions",
            "What the users' subscriptions cost for the part of this month that is over.",
            subscription,
            USD,
            decimals=2,
            no_data=_NO_SEATS,
        ),
        figure(
            "Saving",
            "Virtual cost less subscriptions; negative where tokens alone would be cheaper.",
            saved,
            USD,
            decimals=2,
            steps=_LOSS_AND_SAVING,
            no_data=_NO_VALUE,
        ),
        figure(
            "Saving share",
            "Saving as a part of the subscriptions; negative for a loss.",
            ratio(saved, subscription),
            SHARE,
            decimals=1,
            steps=_LOSS_AND_SAVING,
            no_data=_NO_VALUE,
        ),
        figure(
            "Measured part",
            "Part of the virtual cost that prompt logs measure; the rest reports estimate.",
            f"{ratio(measured, virtual)} or 0 * {virtual}",
            SHARE,
            decimals=1,
            no_data=_NO_VALUE,
        ),
    ]
    return [Placed(panel, 4, 4) for panel in panels]


def users(key: Key) -> table.Panel:
    """Return virtual cost and subscription of each user, and how accurate the former is."""
    by = f"{key.label}, accuracy"
    virtual, saved = _virtual(by), saving(by)
    # The price of a subscription does not depend on accuracy, the rows of the table do.
    subscription = f"0 * {virtual} + on (user) group_left () {_subscription('user')}"
    share = f"({saved}) / on (user) group_left () ({_subscription('user')} > 0)"
    return listing(
        "Virtual cost and subscription of each user",
        "This month so far, losses first; estimated where a user has reports and no prompt logs.",
        [key, Key("accuracy", "Accuracy", width=110)],
        [
            Column("Virtual cost", virtual, USD, 2, width=130),
            Column("Subscription", subscription, USD, 2, width=130),
            Column("Saving", saved, USD, 2, steps=_LOSS_AND_SAVING, width=130),
            Column("Saving share", share, SHARE, 1, steps=_LOSS_AND_SAVING, width=130),
        ],
        sort="Saving",
        descending=False,
        no_data=_NO_VALUE,
    )


def _virtual(by: str = "") -> str:
    return total(metrics.QDEVELOPER_VIRTUAL_COST, *_VALUED, by=by)


def _subscription(by: str = "") -> str:
    return total(metrics.QDEVELOPER_SUBSCRIPTION, *_SUBSCRIBED, by=by)
