"""Which names in use are asked for: those that logs leave open and something depends on."""

import pytest

from exporter.config import Config
from exporter.interpretation.names import Kind, Names
from exporter.interpretation.questions import Question, questions
from snapshots import SONNET, config

HERE, REGION = "111122223333", "us-east-1"
STORE = "d-9067642ac7"
UUID = "6f9619ff-8b86-4d01-b42d-00cf4fc964ff"
PROFILE = f"arn:aws:bedrock:{REGION}:{HERE}:application-inference-profile/a1b2c3"
SHOP = f"arn:aws:sts::{HERE}:assumed-role/Shop-BedrockRole"

ALL = {
    "inference_profiles": True,
    "role_tags": {"team": "Team", "cost_center": "CostCenter"},
    "identity_center": {"identity_store_id": STORE, "region": "eu-west-1"},
}
BY_TAG = [{"from": "profile", "key": "App", "match": "(?P<application>.+)"}]


def asked(*calls, lookups=ALL, **sections):
    """Return what is asked of calls, each a principal and a model id."""
    settings: Config = config(aws={"lookups": lookups}, **sections)
    named = [(HERE, REGION, principal, model_id) for principal, model_id in calls]
    return questions(settings, Names(), named)


def kinds(*calls, **options):
    return [str(question.kind) for question in asked(*calls, **options)]


def test_a_call_through_a_profile_in_a_role_asks_for_the_model_and_for_the_roles_tags():
    assert asked((f"{SHOP}/alice", PROFILE)) == [
        Question(Kind.INFERENCE_PROFILE, PROFILE, HERE, REGION, PROFILE),
        Question(
            Kind.ROLE, SHOP, HERE, REGION, "Shop-BedrockRole", frozenset({"Team", "CostCenter"})
        ),
    ]


def test_the_tags_of_a_profile_are_asked_for_if_a_rule_names_them():
    rules = {"rules": BY_TAG}
    wanted = {"inference_profiles": True}
    assert asked(("", PROFILE), lookups=wanted, attribution=rules) == [
        Question(Kind.INFERENCE_PROFILE, PROFILE, HERE, REGION, PROFILE),
        Question(Kind.PROFILE_TAGS, PROFILE, HERE, REGION, PROFILE, frozenset({"App"})),
    ]


def test_nothing_is_asked_by_default():
    user = f"arn:aws:iam::{HERE}:user/{UUID}"
    assert asked((f"{SHOP}/alice", PROFILE), (user, PROFILE), lookups={}) == []


def test_a_name_is_asked_for_once_however_many_used_it():
    calls = [(f"{SHOP}/user{number}", PROFILE) for number in range(5)]
    assert kinds(*calls) == ["inference_profile", "role"]


@pytest.mark.parametrize(
    "model_id",
    [
        SONNET,
        f"us.{SONNET}",
        f"arn:aws:bedrock:{REGION}:{HERE}:inference-profile/us.{SONNET}",
        f"arn:aws:bedrock:{REGION}::foundation-model/{SONNET}",
        f"arn:aws:bedrock:{REGION}:{HERE}:provisioned-model/abc123def456",
        f"arn:aws:bedrock:{REGION}:{HERE}:prompt/ABCDE12345",
        "a1b2c3",
        "",
        f"arn:aws:bedrock:eu-west-1:{HERE}:application-inference-profile/of-another-region",
        f"arn:aws:bedrock:{REGION}.example.com:{HERE}:application-inference-profile/a1b2c3",
        f"arn:aws:bedrock:{REGION}:1:application-inference-profile/a1b2c3",
        f"arn:aws:bedrock:{REGION}:{HERE}:application-inference-profile/a/../b",
        f"arn:evil:bedrock:{REGION}:{HERE}:application-inference-profile/a1b2c3",
        f"{PROFILE}\n",
    ],
)
def test_what_is_no_profile_of_the_calls_region_is_not_asked_for(model_id):
    assert asked(("", model_id)) == []


def test_a_profile_that_the_configuration_names_is_not_asked_for():
    assert asked(("", PROFILE), models={"a1b2c3": f"us.{SONNET}"}) == []
    assert kinds(("", PROFILE), models={"other": SONNET}) == ["inference_profile"]


def test_a_role_that_names_no_application_or_a_configured_one_is_not_asked_for():
    other = f"arn:aws:sts::{HERE}:assumed-role/LambdaRole/chat"
    assert kinds((other, SONNET), (f"{SHOP}/alice", SONNET)) == ["role"]
    shop = {"applications": {"Shop": {"team": "shop"}}}
    assert asked((f"{SHOP}/alice", SONNET), attribution=shop) == []


def test_a_principal_that_the_filters_leave_out_is_not_asked_for():
    assert asked((f"{SHOP}/alice", PROFILE), attribution={"exclude": ["Shop-"]}) == []


@pytest.mark.parametrize(
    ("name", "subject"),
    [
        (f"{STORE}.{UUID}", UUID),
        (UUID, UUID),
        (f"9067642ac7-{UUID}", f"9067642ac7-{UUID}"),
        (f"{STORE}.9067642ac7-{UUID}", f"9067642ac7-{UUID}"),
    ],
)
def test_a_user_who_is_called_by_an_id_is_asked_for_by_its_uuid(name, subject):
    principal = f"arn:aws:iam::{HERE}:user/{name}"
    assert asked((principal, SONNET)) == [
        Question(Kind.IDENTITY_USER, name, "", "eu-west-1", subject)
    ]


@pytest.mark.parametrize("name", [f"d-0000000000.{UUID}", "alice", f"{UUID}-x", "machine"])
def test_other_users_and_those_of_another_identity_store_are_not_asked_for(name):
    assert asked((f"arn:aws:iam::{HERE}:user/{name}", SONNET)) == []


def test_a_user_of_an_assistant_is_asked_for_by_the_id():
    settings: Config = config(aws={"lookups": ALL})
    asked_for = questions(settings, Names(), [], [UUID, "unknown", ""])
    assert asked_for == [Question(Kind.IDENTITY_USER, UUID, "", "eu-west-1", UUID)]


def test_a_user_of_an_assistant_who_is_left_out_is_not_asked_for():
    settings: Config = config(aws={"lookups": ALL}, assistants={"users": {"exclude": [UUID]}})
    assert questions(settings, Names(), [], [UUID]) == []
