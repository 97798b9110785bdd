"""Whether the figures can be trusted: the state of the sources, and how old their records are."""

from grafana_foundation_sdk.builders import table

from exporter import metrics
from grafana.generator import links
from grafana.generator.layout import Placed
from grafana.generator.panels import (
    AGO,
    COUNT,
    GOOD_AT_ONE,
    GREEN,
    ORANGE,
    Column,
    Key,
    figure,
    listing,
)
from grafana.generator.promql import each, highest, selected

_OF_ASSISTANTS = 'source!~"invocation_logs|athena|cloudtrail"'
"""Leaves out sources of Bedrock's usage, as far as they have their default names."""


def state_of_sources(height: int, *where: str) -> list[Placed]:
    """Return in three figures whether all is read; a click tells what is not."""
    figures = [
        figure(
            "Sources",
            "Whether every source was read without error at its last refresh.",
            f"min({each(metrics.SOURCE_UP, *where)})",
            COUNT,
            steps=GOOD_AT_ONE,
            words={"1": "All up", "0": "Failing"},
            link=links.EXPORTER,
        ),
        figure(
            "Complete",
            "Whether all logs that are known to exist were read.",
            f"min({each(metrics.SOURCE_COMPLETE, *where)})",
            COUNT,
            steps=((None, ORANGE), (1, GREEN)),
            words={"1": "Yes", "0": "Catching up"},
            link=links.EXPORTER,
        ),
        figure(
            "Fresh",
            "Whether every source was read without error within the last two refreshes.",
            f"{age_in_refreshes(*where)} <= bool 2",
            COUNT,
            steps=GOOD_AT_ONE,
            words={"1": "Yes", "0": "Stale"},
            no_data="Never read",
            link=links.EXPORTER,
        ),
    ]
    return [Placed(one, 4, height) for one in figures]


def newest_records(description: str, *where: str) -> table.Panel:
    """Return how old the newest record of each account, region and source is."""
    place = "account_id, region, source"
    accuracy = highest(metrics.USAGE_SOURCE_INFO, *where, by=f"{place}, accuracy")
    newest = highest(metrics.NEWEST_RECORD, *where, by=place)
    return listing(
        "Newest record",
        description,
        [
            Key("account_id", "Account", width=115),
            Key("region", "Region", width=125),
            Key("source", "Source"),
            Key("accuracy", "Accuracy", width=85),
        ],
        [
            Column(
                "Newest",
                f"1000 * {newest} * on ({place}) group_left (accuracy) {accuracy}",
                AGO,
                width=115,
            )
        ],
        sort="Newest",
        descending=False,
        no_data="No record was read yet",
    )


def of_assistants(*where: str) -> list[Placed]:
    """Return whether all logs and reports of assistants are read, and how old they are."""
    records = newest_records(
        "Of each account and region; a report tells of a day and comes on the day after.",
        _OF_ASSISTANTS,
        *where,
    )
    return [*state_of_sources(8, _OF_ASSISTANTS), Placed(records, 12, 8)]


def age_in_refreshes(*where: str) -> str:
    """Return the age of the oldest data, in refresh intervals, at the moment of the scrape.

    How seldom Prometheus scrapes is not the exporter's delay.
    """
    success = selected(metrics.SOURCE_LAST_SUCCESS, *where)
    age = f"min without (instance, pod) (timestamp({success}) - {success})"
    return f"max({age}) / max({each(metrics.REFRESH_INTERVAL)})"
