"""What prompt logs say, by who is meant and what limits can be set on."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from exporter.assistant_usage import (
    Asker,
    Conversation,
    Product,
    PromptCounts,
    PromptSum,
    RequestKind,
)
from exporter.interpretation.limits import Amounts, GroupUsage
from exporter.interpretation.measures import UNKNOWN, Labels, label_text
from exporter.interpretation.reported_lines import NameOf

_NOTHING = PromptSum(0, PromptCounts())


class PromptGroup(NamedTuple):
    """Who asked which assistant for what, as exposed."""

    labels: Labels
    product: Product
    request_kind: RequestKind


Prompts = dict[PromptGroup, PromptSum]


def attribute(sums: Mapping[Asker, PromptSum], name_of: NameOf) -> Prompts:
    """Return the sums by names, without the users who are left out."""
    prompts: Prompts = {}
    for asker, of_asker in sums.items():
        group = group_of(asker, name_of)
        if group is not None:
            before = prompts.get(group)
            prompts[group] = before.plus(of_asker) if before else of_asker
    return prompts


def add(parts: Iterable[Prompts]) -> Prompts:
    """Add the sums of several periods."""
    total: Prompts = {}
    for part in parts:
        for group, sums in part.items():
            before = total.get(group)
            total[group] = before.plus(sums) if before else sums
    return total


def group_of(asker: Asker, name_of: NameOf) -> PromptGroup | None:
    """Return who an asker is; None for who is left out."""
    user = name_of(asker.user)
    if user is None:
        return None
    labels = labels_of(asker.account_id, asker.region, user)
    return PromptGroup(labels, asker.product, asker.request_kind)


def labels_of(account_id: str, region: str, user: str) -> Labels:
    """Return the labels of an assistant's user."""
    return Labels(label_text(account_id) or UNKNOWN, label_text(region) or UNKNOWN, user=user)


def largest_conversations(
    conversations: Iterable[Conversation], name_of: NameOf
) -> dict[tuple[str, Product], int]:
    """Return the tokens of each user's largest conversation, by user and product."""
    largest: dict[tuple[str, Product], int] = defaultdict(int)
    for conversation in conversations:
        user = name_of(conversation.user)
        if user is not None:
            key = user, conversation.product
            largest[key] = max(largest[key], conversation.tokens)
    return dict(largest)


def group_prompts(
    product: str,
    today: Prompts,
    week: Prompts,
    month: Prompts,
    last_7_days: Prompts,
    previous_month: Prompts,
) -> list[GroupUsage]:
    """Return what the limits of a product are evaluated on; amounts are config.PROMPT_MEASURES."""
    spans = today, week, month, last_7_days, previous_month
    return [
        GroupUsage(
            labels=group.labels,
            day=_amounts(today, group),
            week=_amounts(week, group),
            month=_amounts(month, group),
            last_7_days=_amounts(last_7_days, group),
            first_slot=min(span[group].first_slot for span in spans if group in span),
        )
        for group in {group for span in spans for group in span}
        if group.product == product
    ]


def _amounts(prompts: Prompts, group: PromptGroup) -> Amounts:
    counts = prompts.get(group, _NOTHING).counts
    return counts.requests, counts.input + counts.output, counts.input, counts.output
