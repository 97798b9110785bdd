"""Who answers for an application, as the tags of the roles say that it calls in."""

from datetime import UTC, datetime

from exporter.config import Application
from exporter.interpretation.meaning import Interpreter
from exporter.interpretation.names import Names
from exporter.interpretation.prices import PriceBook
from exporter.usage import LookedUp
from snapshots import config

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
TAGS = {"team": "Team", "cost_center": "CostCenter", "owner": "Owner"}


def role(name, account="111122223333"):
    return f"arn:aws:sts::{account}:assumed-role/{name}"


def applications(tags, principals, keys=TAGS, **sections):
    """Return who answers for applications, given the tags of roles by their ARN."""
    settings = config(aws={"lookups": {"role_tags": keys}}, **sections)
    lookups = {
        ("role", arn): LookedUp("role", arn, tuple(sorted(values.items())), NOW)
        for arn, values in tags.items()
    }
    names = Names(settings.aws.lookups, lookups)
    return Interpreter(settings, PriceBook.bundled(), names).applications(principals)


SHOP = role("Shop-BedrockRole")
SHOP_TAGS = {"Team": "shop", "CostCenter": "CC-1", "Owner": "shop@example.com"}
SHOP_APPLICATION = Application(team="shop", cost_center="CC-1", owner="shop@example.com")


def test_the_tags_of_its_role_say_who_answers_for_an_application():
    assert applications({SHOP: SHOP_TAGS}, [f"{SHOP}/alice", f"{SHOP}/bob"]) == {
        "Shop": SHOP_APPLICATION
    }


def test_only_tags_whose_keys_are_configured_count():
    told = applications({SHOP: SHOP_TAGS}, [f"{SHOP}/alice"], keys={"team": "Team"})
    assert told == {"Shop": Application(team="shop")}
    assert applications({SHOP: SHOP_TAGS}, [f"{SHOP}/alice"], keys={}) == {}


def test_what_the_configuration_says_of_an_application_is_all_that_is_said_of_it():
    configured = {"applications": {"Shop": {"team": "configured"}}}
    told = applications({SHOP: SHOP_TAGS}, [f"{SHOP}/alice"], attribution=configured)
    assert told == {"Shop": Application(team="configured")}


def test_a_field_on_which_the_roles_of_an_application_disagree_stays_empty():
    there = role("Shop-BedrockRole", account="444455556666")
    tags = {SHOP: SHOP_TAGS, there: {**SHOP_TAGS, "Team": "another", "Owner": ""}}
    told = applications(tags, [f"{SHOP}/alice", f"{there}/alice"])
    assert told == {"Shop": Application(cost_center="CC-1", owner="shop@example.com")}


def test_a_role_without_such_tags_or_not_known_says_nothing():
    tags = {SHOP: {"Team": "", "Stage": "prod"}}
    assert applications(tags, [f"{SHOP}/alice", f"{role('Crm-BedrockRole')}/bob"]) == {}


def test_a_role_does_not_speak_for_an_application_that_its_arn_does_not_name():
    """What the metadata of its calls names can be forged, or be one of many."""
    gateway = role("Gateway")
    assert applications({gateway: SHOP_TAGS}, [f"{gateway}/alice"]) == {}


def test_a_role_that_is_left_out_says_nothing():
    left_out = {"exclude": ["Shop-"]}
    assert applications({SHOP: SHOP_TAGS}, [f"{SHOP}/alice"], attribution=left_out) == {}


def test_a_hostile_tag_is_one_line_of_bounded_length():
    told = applications({SHOP: {"Team": "a\nb\u202e" + "x" * 999}}, [f"{SHOP}/alice"])
    assert told["Shop"].team.startswith("a b x")
    assert len(told["Shop"].team) == 256
