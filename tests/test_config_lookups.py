"""The section aws.lookups: what may be looked up, and what the rest of the file must say for it."""

from datetime import timedelta
from pathlib import Path

import pytest

from exporter.config import Config, ConfigError, load
from exporter.config.lookups import Lookups

SOURCES = "sources: [{type: invocation_logs, location: logs}]\n"
ROLE = "role_arn: 'arn:aws:iam::111122223333:role/Reader', regions: [us-east-1]"
CENTER = "identity_center: {identity_store_id: d-1234567890, region: eu-west-1"
TAG_RULE = "{from: profile, key: App, match: '(?P<application>.+)'}"
USER_RULE = "{from: profile, key: Owner, match: '(?P<user>.+)'}"
CONSTANT_RULE = "{from: profile, key: Owner, match: '.+', user: somebody}"


@pytest.fixture
def loaded(tmp_path: Path):
    def loaded(text: str) -> Config:
        file = tmp_path / "config.yaml"
        file.write_text(SOURCES + text)
        return load(file, {})

    return loaded


def test_nothing_is_looked_up_by_default(loaded):
    lookups = loaded("").aws.lookups
    assert lookups == Lookups()
    assert not lookups.are_wanted
    assert lookups.refresh_after == timedelta(days=7)


@pytest.mark.parametrize(
    "section",
    ["inference_profiles: true", "role_tags: {owner: Owner}", f"{CENTER}}}"],
)
def test_each_kind_of_lookup_is_wanted_by_itself(loaded, section):
    assert loaded(f"aws: {{lookups: {{{section}}}}}").aws.lookups.are_wanted


def test_every_key_is_taken(loaded):
    settings = loaded(
        f"""\
attribution: {{rules: [{TAG_RULE}, {USER_RULE}, {{from: metadata, key: who, match: x, user: y}}]}}
aws:
  accounts: [{{name: identities, {ROLE}}}]
  lookups:
    inference_profiles: true
    role_tags: {{team: Team, owner: 'aws:owner'}}
    {CENTER}, account: identities}}
    refresh_after: 12h
"""
    )
    lookups = settings.aws.lookups
    assert lookups.role_tags.keys == {"Team", "aws:owner"}
    assert lookups.identity_center is not None
    assert lookups.identity_center.account == "identities"
    assert lookups.refresh_after == timedelta(hours=12)
    assert settings.attribution.profile_tags == {"App", "Owner"}
    assert settings.attribution.metadata_keys == {"who"}
    assert settings.attribution.user_metadata_keys == set()


def test_the_source_of_lookups_has_its_name_for_itself(tmp_path):
    named = "sources: [{type: invocation_logs, location: logs, name: lookups}]\n"
    file = tmp_path / "config.yaml"
    file.write_text(named)
    load(file, {})
    file.write_text(named + "aws: {lookups: {inference_profiles: true}}")
    with pytest.raises(ConfigError, match="name 'lookups' is that of what aws"):
        load(file, {})


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            f"attribution: {{rules: [{TAG_RULE}]}}",
            "attribution.rules: 'from: profile' with a 'key' looks at tags, which needs "
            "'aws.lookups.inference_profiles: true'",
        ),
        (
            f"privacy: {{users: pseudonym}}\naws: {{lookups: {{{CENTER}}}}}}}",
            "aws.lookups.identity_center: stores the names of users as they are, which only "
            "'privacy.users: plain' allows",
        ),
        (
            f"privacy: {{users: drop}}\nattribution: {{rules: [{USER_RULE}]}}\n"
            "aws: {lookups: {inference_profiles: true}}",
            "attribution.rules: a user that a profile's tag names is stored as it is, which only "
            "'privacy.users: plain' allows",
        ),
        (
            f"aws: {{lookups: {{{CENTER}, account: nobody}}}}}}",
            "aws.lookups.identity_center.account: 'nobody' is none of aws.accounts",
        ),
        (
            "aws: {lookups: {identity_center: {identity_store_id: ssoins-1, region: eu-west-1}}}",
            "aws.lookups.identity_center.identity_store_id: 'ssoins-1' is not an identity store id "
            "such as d-1234567890",
        ),
        (
            "aws: {lookups: {identity_center: {identity_store_id: d-1234567890}}}",
            "aws.lookups.identity_center.region: is required",
        ),
        (
            "aws: {lookups: {refresh_after: 5m}}",
            "aws.lookups.refresh_after: must be 3600s or more",
        ),
        (
            "aws: {lookups: {role_tags: {teem: Team}}}",
            "aws.lookups.role_tags.teem: unknown key; did you mean 'team'?",
        ),
        (
            "aws: {lookups: {role_tags: {team: ''}}}",
            "aws.lookups.role_tags.team: '': string should have at least 1 character",
        ),
        (
            "aws: {lookups: {inference_profile: true}}",
            "aws.lookups.inference_profile: unknown key; did you mean 'inference_profiles'?",
        ),
    ],
)
def test_a_mistake_is_named(loaded, text, problem):
    with pytest.raises(ConfigError) as error:
        loaded(text)
    assert [line.partition("config.yaml: ")[2] for line in error.value.problems] == [problem]


def test_a_rule_of_a_tag_that_takes_no_user_from_it_goes_with_every_privacy(loaded):
    settings = loaded(
        f"privacy: {{users: drop}}\nattribution: {{rules: [{TAG_RULE}, {CONSTANT_RULE}]}}\n"
        "aws: {lookups: {inference_profiles: true}}"
    )
    assert settings.attribution.profile_tags == {"App", "Owner"}
