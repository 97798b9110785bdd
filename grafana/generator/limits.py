"""The dashboard of limits: every one with what is used, where it leads and when it starts anew."""

from collections.abc import Sequence

from grafana_foundation_sdk.builders import table

from exporter import metrics
from exporter.metrics import Metric
from grafana.generator.layout import Page, Placed, Question
from grafana.generator.panels import (
    BAD_ABOVE_ZERO,
    COUNT,
    GREEN,
    NEAR_AND_REACHED,
    ORANGE,
    SECONDS,
    SHARE,
    Column,
    Key,
    Series,
    figure,
    gauges,
    lines,
    listing,
)
from grafana.generator.promql import each
from grafana.generator.variables import data_source, limit_choices

NO_LIMITS = "No limit is in use"
_CHOSEN = ('product=~"$product"', 'limit=~"$limit"')
_NAMED = "job, product, limit, subject"
_KEYS = f"{_NAMED}, measure, period"
_PRODUCT = Key("product", "Product", width=95)
_SUBJECT = '"subject", " ", "application", "user", "model", "region", "account_id"'


def limits() -> Page:
    """Return the dashboard."""
    return Page(
        uid="bedrock-limits",
        title="Bedrock / Limits",
        description="Every limit with what is used of it, where it leads and when it starts anew.",
        variables=[data_source(), *limit_choices()],
        questions=[
            Question("Is any limit in danger?", figures(*_CHOSEN)),
            Question(
                "Which limits, the most endangered first?",
                [Placed(table_of(*_CHOSEN, product=[_PRODUCT]), 24, 14)],
            ),
            Question("How did they get there?", _history()),
        ],
    )


def figures(*where: str, link: str = "") -> list[Placed]:
    """Return how many limits are reached, near and heading past, and which are closest."""
    used, projected = each(metrics.LIMIT_RATIO, *where), each(metrics.LIMIT_PROJECTED, *where)
    orange = ((None, GREEN), (1, ORANGE))
    counted = [
        (
            "Reached",
            "Limits of which 100 % or more is used.",
            f"{used} >= 1",
            BAD_ABOVE_ZERO,
        ),
        (
            "Near",
            "Limits of which 80 % or more is used, and less than 100 %.",
            f"({used} >= 0.8) < 1",
            orange,
        ),
        (
            "Will be exceeded",
            "Limits not yet reached that will be, at the mean of the last 7 days.",
            f"({projected} >= 1) unless ({used} >= 1)",
            orange,
        ),
    ]
    return [
        Placed(
            figure(
                title,
                description,
                f"count({condition}) or 0 * count({used})",
                COUNT,
                steps=steps,
                no_data=NO_LIMITS,
                link=link,
            ),
            4,
            6,
        )
        for title, description, condition, steps in counted
    ] + [closest(where, 12)]


def closest(where: Sequence[str], width: int) -> Placed:
    """Return the limits of which most is used."""
    used = _by_subject(metrics.LIMIT_RATIO, *where, keys=_NAMED)
    panel = gauges(
        "Closest limits",
        "The six limits of which most is used; 100 % is the threshold.",
        [Series(f"topk(6, {used})", "{{limit}}: {{subject}}")],
        SHARE,
        steps=NEAR_AND_REACHED,
        most=1,
        no_data=NO_LIMITS,
    )
    return Placed(panel, width, 6)


def _by_subject(metric: Metric, *where: str, keys: str = _KEYS) -> str:
    """Name what a limit is about by those of its labels that are not empty.

    Limits of two exporters, which are two jobs, may have the same name.
    """
    joined = f"label_join({each(metric, *where)}, {_SUBJECT})"
    trimmed = f'label_replace({joined}, "subject", "$1", "subject", " *(.*?) *")'
    return f'max by ({keys}) (label_replace({trimmed}, "subject", "all usage", "subject", ""))'


def table_of(*where: str, product: Sequence[Key] = ()) -> table.Panel:
    """Return limits with all that is known of them; `product` is its column, if it has one."""
    used = _by_subject(metrics.LIMIT_RATIO, *where)
    projected = _by_subject(metrics.LIMIT_PROJECTED, *where)
    reset = _by_subject(metrics.LIMIT_RESET, *where)
    return listing(
        "Limits",
        "Danger is the larger of what is used and what will be by the end of the period.",
        [
            Key("limit", "Limit", width=200),
            Key("subject", "For"),
            *product,
            Key("measure", "Measure", width=215),
            Key("period", "Period", width=65),
        ],
        [
            Column("Used", _by_subject(metrics.LIMIT_USED, *where), COUNT, 2, width=85),
            Column("Threshold", _by_subject(metrics.LIMIT_THRESHOLD, *where), COUNT, 1, width=85),
            Column("Used share", used, SHARE, 1, steps=NEAR_AND_REACHED, most=1, width=125),
            Column("Projected", projected, SHARE, 1, steps=NEAR_AND_REACHED, width=85),
            Column(
                "Danger",
                f"({used} >= {projected}) or {projected} or {used}",
                SHARE,
                1,
                steps=NEAR_AND_REACHED,
                width=85,
            ),
            Column("Time left", f"clamp_min({reset} - time(), 0)", SECONDS, 1, width=90),
        ],
        sort="Danger",
        hidden=["job"] if product else ["job", "product"],
        no_data=NO_LIMITS,
    )


def _history() -> list[Placed]:
    ratio = _by_subject(metrics.LIMIT_RATIO, *_CHOSEN, keys=_NAMED)
    # The same eight from the first moment to the last, instead of eight others at each.
    highest = f"topk(8, max_over_time({ratio}[$__range:1h] @ end()))"
    return [
        Placed(
            lines(
                "Used share over time",
                "The eight that came closest within the range; each begins anew with its period.",
                [Series(f"{ratio} and {highest}", "{{limit}}: {{subject}}")],
                SHARE,
                interval="1h",
                steps=NEAR_AND_REACHED,
                no_data=NO_LIMITS,
            ),
            24,
            10,
        )
    ]
