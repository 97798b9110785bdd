"""Prompts by who is meant, and as usage that limits are set on."""

from assistant_builders import ANN, BOB, asker
from exporter.assistant_usage import (
    Conversation,
    Product,
    PromptCounts,
    PromptSum,
    RequestKind,
)
from exporter.config import PROMPT_MEASURES
from exporter.interpretation.measures import Labels
from exporter.interpretation.prompts import (
    PromptGroup,
    add,
    attribute,
    group_prompts,
    largest_conversations,
)
from usage_builders import ACCOUNT, REGION

NAMES = {ANN: "ann", BOB: "ann"}


def group(user, kind=RequestKind.CHAT, product=Product.QDEVELOPER):
    return PromptGroup(Labels(ACCOUNT, REGION, user=user), product, kind)


def sums(requests, input, output, first_slot=100):
    return PromptSum(first_slot, PromptCounts(requests, input, output))


def test_ids_of_one_name_add_up():
    found = attribute({asker(ANN): sums(1, 10, 1, 7), asker(BOB): sums(2, 20, 2, 5)}, NAMES.get)
    assert found == {group("ann"): sums(3, 30, 3, 5)}


def test_who_has_no_name_is_left_out():
    assert attribute({asker("robot"): sums(1, 1, 1)}, NAMES.get) == {}


def test_request_kinds_and_products_stay_apart():
    inline, kiro = asker(kind=RequestKind.INLINE), asker(product=Product.KIRO)
    found = attribute({inline: sums(1, 1, 1), kiro: sums(2, 2, 2)}, NAMES.get)
    assert found == {
        group("ann", RequestKind.INLINE): sums(1, 1, 1),
        group("ann", product=Product.KIRO): sums(2, 2, 2),
    }


def test_periods_add_up_from_the_earliest_slot():
    later, earlier = {group("ann"): sums(1, 10, 1, 9)}, {group("ann"): sums(2, 5, 5, 4)}
    assert add([later, earlier, {group("bob"): sums(1, 1, 1)}]) == {
        group("ann"): sums(3, 15, 6, 4),
        group("bob"): sums(1, 1, 1),
    }


def test_the_largest_conversation_of_a_user_is_taken_over_accounts():
    found = [
        Conversation("1", "us-east-1", Product.QDEVELOPER, ANN, 500),
        Conversation("2", "eu-west-1", Product.QDEVELOPER, BOB, 900),
        Conversation("2", "eu-west-1", Product.KIRO, ANN, 100),
        Conversation("2", "eu-west-1", Product.KIRO, "robot", 10_000),
    ]
    assert largest_conversations(found, NAMES.get) == {
        ("ann", Product.QDEVELOPER): 900,
        ("ann", Product.KIRO): 100,
    }


def test_limits_see_each_period_of_their_product():
    kiro = group("ann", product=Product.KIRO)
    (found,) = group_prompts(
        "qdeveloper",
        today={group("ann"): sums(1, 10, 1)},
        week={group("ann"): sums(2, 20, 2)},
        month={group("ann"): sums(3, 30, 3, 50), kiro: sums(9, 9, 9)},
        last_7_days={},
        previous_month={group("ann"): sums(4, 40, 4, 20)},
    )
    assert PROMPT_MEASURES == ("requests", "tokens", "input_tokens", "output_tokens")
    assert found.labels == Labels(ACCOUNT, REGION, user="ann")
    assert (found.day, found.week) == ((1, 11, 10, 1), (2, 22, 20, 2))
    assert (found.month, found.last_7_days) == ((3, 33, 30, 3), (0, 0, 0, 0))
    assert found.first_slot == 20
