"""What AWS said of names: what of it is used, and when it is the same."""

from datetime import UTC, datetime, timedelta

import pytest

from exporter.config.lookups import Lookups
from exporter.interpretation.names import Names
from exporter.usage import LookedUp

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
PROFILE = "arn:aws:bedrock:us-east-1:111122223333:application-inference-profile/a1b2c3"
ROUTE = "arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-3-haiku-20240307-v1:0"
ROLE = "arn:aws:sts::111122223333:assumed-role/Shop-BedrockRole"
USER = "6f9619ff-8b86-4d01-b42d-00cf4fc964ff"

PROFILES = {"inference_profiles": True}
ROLES = {"role_tags": {"team": "Team"}}
USERS = {"identity_center": {"identity_store_id": "d-9067642ac7", "region": "eu-west-1"}}


def names(*wanted, at=NOW, **changed):
    answers = {
        "inference_profile": (PROFILE, (("model", ROUTE),)),
        "profile_tags": (PROFILE, (("App", "Search"),)),
        "role": (ROLE, (("Team", "shop"),)),
        "identity_user": (USER, (("user_name", "alice"),)),
    }
    lookups = {
        (kind, key): LookedUp(kind, key, changed.get(kind, values), at)
        for kind, (key, values) in answers.items()
    }
    merged = {key: value for some in wanted for key, value in some.items()}
    return Names(Lookups.model_validate(merged), lookups)


def told(names):
    return (
        names.models_of(PROFILE),
        names.profile_tag(PROFILE, "App"),
        dict(names.role_tags(f"{ROLE}/alice")),
        names.user_name(USER),
    )


def test_every_answer_is_found_by_the_name_that_a_log_has():
    assert told(names(PROFILES, ROLES, USERS)) == (
        (ROUTE,),
        "Search",
        {"Team": "shop"},
        "alice",
    )


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (PROFILES, ((ROUTE,), "Search", {}, "")),
        (ROLES, ((), "", {"Team": "shop"}, "")),
        (USERS, ((), "", {}, "alice")),
        ({}, ((), "", {}, "")),
    ],
)
def test_what_is_not_wanted_is_not_used_though_it_was_looked_up_once(wanted, expected):
    assert told(names(wanted)) == expected


def test_an_unknown_name_has_no_answer():
    known = names(PROFILES, ROLES, USERS)
    assert known.models_of(PROFILE + "x") == ()
    assert known.profile_tag(PROFILE, "Team") == ""
    assert known.role_tags(f"{ROLE}-2/alice") == {}
    assert known.role_tags("arn:aws:iam::111122223333:user/alice") == {}
    assert known.user_name("alice") == ""


def test_the_same_answers_are_equal_whenever_they_were_given():
    wanted = PROFILES | ROLES
    assert names(wanted) == names(wanted, at=NOW + timedelta(days=7))
    assert names(wanted) == names(wanted, identity_user=(("user_name", "bob"),))
    assert names(wanted) != names(wanted, role=(("Team", "crm"),))
    assert names(wanted) != names(wanted, role=())
    assert names({}) == Names()
