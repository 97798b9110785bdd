"""Tokens estimated from activity, by the published rule of thumb."""

import pytest

from exporter.assistant_usage import ACTIVITIES, Product
from exporter.interpretation.activity import ActivityKey, UserKey
from exporter.interpretation.estimates import EstimatedTokens, estimate, estimate_users
from exporter.interpretation.measures import Labels

REFERENCE = {
    "chat_messages_sent": 601,
    "inline_suggestions_count": 536,
    "chat_ai_code_lines": 2_573,
    "inline_ai_code_lines": 201,
    "inline_acceptance_count": 201,
}
WEIGHTS = {
    "chat_messages_sent": (150, 500),
    "inline_suggestions_count": (60, 0),
    "inline_acceptance_count": (0, 60),
    "chat_ai_code_lines": (0, 75),
    "inline_ai_code_lines": (0, 75),
    "dev_generation_event_count": (600, 1_000),
    "test_generation_event_count": (450, 750),
    "doc_generation_event_count": (350, 600),
}


def test_the_reference_case():
    tokens = estimate(REFERENCE)
    assert tokens == EstimatedTokens(input=122_310, output=520_610)
    assert sum(tokens) == 642_920


@pytest.mark.parametrize("activity", ACTIVITIES)
def test_each_activity_takes_its_tokens_and_all_others_none(activity):
    assert estimate({activity: 1}) == WEIGHTS.get(activity, (0, 0))


def test_nothing_takes_nothing():
    assert estimate({}) == (0, 0)


def test_a_user_is_summed_over_accounts_and_regions_and_products_stay_apart():
    def chats(account, region, user, product):
        return ActivityKey(Labels(account, region, user=user), product, "chat_messages_sent")

    activity = {
        chats("111122223333", "us-east-1", "alice", Product.QDEVELOPER): 1,
        chats("111122223333", "eu-west-1", "alice", Product.QDEVELOPER): 2,
        chats("444455556666", "us-east-1", "alice", Product.QDEVELOPER): 3,
        chats("111122223333", "us-east-1", "alice", Product.KIRO): 10,
        chats("111122223333", "us-east-1", "bob", Product.QDEVELOPER): 100,
    }
    assert estimate_users(activity) == {
        UserKey("alice", Product.QDEVELOPER): (900, 3_000),
        UserKey("alice", Product.KIRO): (1_500, 5_000),
        UserKey("bob", Product.QDEVELOPER): (15_000, 50_000),
    }
