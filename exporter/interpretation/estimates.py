"""Tokens estimated from activity: fixed numbers of tokens for each thing that a user did.

An estimate, and always named one: no activity report counts tokens. Where prompt logs exist, they
are counted instead.
"""

from collections import defaultdict
from collections.abc import Mapping
from typing import NamedTuple

from exporter.interpretation.activity import ActivityKey, UserKey

_INPUT_TOKENS = {
    "chat_messages_sent": 150,
    "inline_suggestions_count": 60,
    "dev_generation_event_count": 600,
    "test_generation_event_count": 450,
    "doc_generation_event_count": 350,
}
_OUTPUT_TOKENS = {
    "chat_messages_sent": 500,
    "chat_ai_code_lines": 75,
    "inline_ai_code_lines": 75,
    "inline_acceptance_count": 60,
    "dev_generation_event_count": 1_000,
    "test_generation_event_count": 750,
    "doc_generation_event_count": 600,
}


class EstimatedTokens(NamedTuple):
    """What some activity took, by the rule of thumb."""

    input: int
    output: int


def estimate(counts: Mapping[str, int]) -> EstimatedTokens:
    """Return the tokens of some activity; counts of anything else take none."""
    return EstimatedTokens(_weigh(counts, _INPUT_TOKENS), _weigh(counts, _OUTPUT_TOKENS))


def estimate_users(activity: Mapping[ActivityKey, int]) -> dict[UserKey, EstimatedTokens]:
    """Return the tokens of every user of some activity, over accounts and regions."""
    users: dict[UserKey, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for key, count in activity.items():
        users[UserKey(key.labels.user, key.product)][key.activity] += count
    return {user: estimate(counts) for user, counts in users.items()}


def _weigh(counts: Mapping[str, int], tokens: Mapping[str, int]) -> int:
    return sum(each * counts.get(activity, 0) for activity, each in tokens.items())
