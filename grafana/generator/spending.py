"""The tables that several dashboards share: who or what the money goes to."""

from collections.abc import Sequence

from grafana_foundation_sdk.builders import table

from exporter import metrics
from grafana.generator.panels import COUNT, SHARE, USD, WHOLE, Column, Key, listing
from grafana.generator.promql import over_range, ratio, total

NOTHING_SPENT = "Nothing has a price yet"


def spending(
    title: str, description: str, keys: Sequence[Key], where: Sequence[str]
) -> table.Panel:
    """Return what each of the keys costs and uses this month, exactly."""
    by = ", ".join(key.label for key in keys)
    month = total(metrics.COST_MONTH, *where, by=by)
    share = f"{month} / on () group_left () ({total(metrics.COST_MONTH, *where)} > 0)"
    return listing(
        title,
        description,
        keys,
        [
            Column("Today", total(metrics.COST_TODAY, *where, by=by), USD, 2, width=70),
            Column("This month", month, USD, 2, width=95),
            Column("Share", share, SHARE, 1, most=1, width=110),
            Column("Tokens", total(metrics.TOKENS_MONTH, *where, by=by), COUNT, 1, width=85),
        ],
        sort="This month",
        no_data=NOTHING_SPENT,
    )


def spending_in_range(
    title: str, description: str, keys: Sequence[Key], where: Sequence[str]
) -> table.Panel:
    """Return what each of the keys cost and used in the dashboard's range of time."""
    by = ", ".join(key.label for key in keys)
    cost = over_range(metrics.COST, *where, by=by)
    calls = over_range(metrics.REQUESTS, *where, by=by)
    tokens = over_range(metrics.TOKENS, *where, by=by)
    return listing(
        title,
        description,
        keys,
        [
            Column("Cost", cost, USD, 2, width=100),
            Column("Tokens", tokens, COUNT, 1, width=100),
            Column("Calls", calls, WHOLE, 0, width=100),
            Column("Cost a call", ratio(cost, calls, by), USD, 4, width=110),
            Column("Tokens a call", ratio(tokens, calls, by), COUNT, 1, width=120),
        ],
        sort="Cost",
        no_data="Nothing was read in this range",
    )
