"""Who a call is attributed to: rules in order, each field by itself, filters before all."""

from datetime import UTC, datetime

import pytest

from exporter import config
from exporter.config.lookups import Lookups
from exporter.interpretation.attribution import Attributed, Attribution
from exporter.interpretation.names import Names
from exporter.usage import LookedUp

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
MODEL = "anthropic.claude-sonnet-4-5-20250929-v1:0"
ALICE = "arn:aws:sts::111122223333:assumed-role/CustomerServiceApp-BedrockRole/alice"


def attribution(**settings):
    return Attribution(config.Attribution.model_validate(settings))


def attribute(principal=ALICE, metadata=(), model_id=MODEL, **settings):
    return attribution(**settings).attribute(principal, tuple(metadata), model_id)


DEFAULTS = {
    "role convention": (
        "arn:aws:sts::111122223333:assumed-role/CustomerServiceApp-BedrockRole/alice",
        Attributed("CustomerServiceApp", "alice"),
    ),
    "role convention in another partition": (
        "arn:aws-us-gov:sts::111122223333:assumed-role/CustomerServiceApp-BedrockRole/alice",
        Attributed("CustomerServiceApp", "alice"),
    ),
    "an application with a dash": (
        "arn:aws:sts::111122223333:assumed-role/Data-Analysis-BedrockRole/bob.m",
        Attributed("Data-Analysis", "bob.m"),
    ),
    "SSO role with an e-mail": (
        "arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_Dev_0123456789abcdef/al@example.com",
        Attributed("unknown", "al@example.com"),
    ),
    "IAM user": ("arn:aws:iam::111122223333:user/carol", Attributed("unknown", "carol")),
    "IAM user with a path": (
        "arn:aws:iam::111122223333:user/people/eu/carol",
        Attributed("unknown", "carol"),
    ),
    "another role": (
        "arn:aws:sts::111122223333:assumed-role/LambdaRole/chat-handler",
        Attributed("unknown", "unknown"),
    ),
    "case as it is": (
        "arn:aws:sts::111122223333:assumed-role/crm-BedrockRole/Alice",
        Attributed("crm", "Alice"),
    ),
    "case of the convention": (
        "arn:aws:sts::111122223333:assumed-role/crm-bedrockrole/alice",
        Attributed("unknown", "unknown"),
    ),
    "federated user": (
        "arn:aws:sts::111122223333:federated-user/dave",
        Attributed("unknown", "unknown"),
    ),
    "root": ("arn:aws:iam::111122223333:root", Attributed("unknown", "unknown")),
    "no principal": ("", Attributed("unknown", "unknown")),
    "a service": ("bedrock.amazonaws.com", Attributed("unknown", "unknown")),
    "no ARN": ("AROAEXAMPLE:alice", Attributed("unknown", "unknown")),
    "machine": (
        "arn:aws:sts::111122223333:assumed-role/crm-BedrockRole/machine",
        Attributed("crm", "machine"),
    ),
}


@pytest.mark.parametrize("case", DEFAULTS)
def test_the_default_rules(case):
    principal, expected = DEFAULTS[case]
    assert attribute(principal) == expected


def test_a_principal_cannot_be_overruled_by_the_metadata_that_a_caller_forges():
    forged = [("application", "Free"), ("user", "mallory")]
    assert attribute(ALICE, forged) == Attributed("CustomerServiceApp", "alice")


def test_each_field_takes_its_own_first_match():
    sso = "arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_Dev_0a/al@example.com"
    assert attribute(sso, [("application", "Ads"), ("user", "mallory")]) == Attributed(
        "Ads", "al@example.com"
    )


def test_rules_go_in_their_order():
    rules = [
        {"from": "principal", "match": ".*/alice", "application": "first"},
        {"from": "principal", "match": ".*/alice", "application": "second", "user": "A"},
    ]
    assert attribute(rules=rules) == Attributed("first", "A")
    assert attribute(rules=rules[::-1]) == Attributed("second", "A")


def test_a_pattern_must_match_the_whole_resource_part():
    part = [{"from": "principal", "match": "BedrockRole/(?P<user>.+)"}]
    assert attribute(rules=part).user == "unknown"
    trailing = [{"from": "principal", "match": "assumed-role/[^/]+/ali", "user": "cut"}]
    assert attribute(rules=trailing).user == "unknown"


def test_the_resource_part_keeps_its_own_colons():
    rules = [{"from": "principal", "match": "user/(?P<user>.+)"}]
    assert attribute("arn:aws:iam::111122223333:user/a:b:c", rules=rules).user == "a:b:c"


def test_a_principal_that_is_no_arn_is_looked_at_whole():
    rules = [{"from": "principal", "match": r"(\w+)\.amazonaws\.com", "application": "AWS"}]
    assert attribute("bedrock.amazonaws.com", rules=rules).application == "AWS"


def test_constants_apply_where_the_rule_matches():
    rules = [{"from": "principal", "match": ".*-BedrockRole/.*", "application": "CRM", "user": "u"}]
    assert attribute(rules=rules) == Attributed("CRM", "u")
    assert attribute("arn:aws:iam::1:user/x", rules=rules) == Attributed("unknown", "unknown")


def test_an_empty_group_gives_no_name_and_a_later_rule_may():
    rules = [
        {"from": "principal", "match": "assumed-role/(?P<application>.*)-BedrockRole/(?P<user>.*)"},
        {"from": "principal", "match": "assumed-role/.*", "application": "later"},
    ]
    principal = "arn:aws:sts::111122223333:assumed-role/-BedrockRole/alice"
    assert attribute(principal, rules=rules) == Attributed("later", "alice")


def test_a_group_that_took_no_part_gives_no_name():
    rules = [{"from": "principal", "match": "user/(?:(?P<application>\\w+)/)?(?P<user>\\w+)"}]
    assert attribute("arn:aws:iam::1:user/bob", rules=rules) == Attributed("unknown", "bob")


def test_an_empty_group_falls_back_on_the_rules_constant():
    rules = [{"from": "principal", "match": "user/(?P<user>.*)", "user": "nobody"}]
    assert attribute("arn:aws:iam::1:user/", rules=rules).user == "nobody"
    assert attribute("arn:aws:iam::1:user/eve", rules=rules).user == "eve"


def test_metadata_is_looked_up_by_key_and_matched_whole():
    rules = [{"from": "metadata", "key": "team", "match": "team-(?P<application>[a-z]+)"}]
    assert attribute(metadata=[("team", "team-ads")], rules=rules).application == "ads"
    assert attribute(metadata=[("team", "team-ads2")], rules=rules).application == "unknown"
    assert attribute(metadata=[("Team", "team-ads")], rules=rules).application == "unknown"


def test_an_absent_or_empty_metadata_value_matches_no_rule():
    rules = [{"from": "metadata", "key": "team", "match": ".*", "application": "any"}]
    assert attribute(metadata=[], rules=rules).application == "unknown"
    assert attribute(metadata=[("team", "")], rules=rules).application == "unknown"
    assert attribute(metadata=[("team", "x")], rules=rules).application == "any"


PROFILE_RULES = [
    {"from": "profile", "match": "application-inference-profile/a1b2c3", "application": "Search"},
    {"from": "profile", "match": "inference-profile/us\\..+", "application": "US"},
    {"from": "profile", "match": ".*", "application": "another profile"},
]


@pytest.mark.parametrize(
    ("model_id", "application"),
    [
        (
            "arn:aws:bedrock:us-east-1:111122223333:application-inference-profile/a1b2c3",
            "Search",
        ),
        (
            "arn:aws-cn:bedrock:cn-north-1:111122223333:application-inference-profile/a1b2c3",
            "Search",
        ),
        ("arn:aws:bedrock:us-east-1:111122223333:inference-profile/us.amazon.nova-pro-v1:0", "US"),
        (
            "arn:aws:bedrock:us-east-1:111122223333:application-inference-profile/zzz",
            "another profile",
        ),
        ("arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-pro-v1:0", "unknown"),
        ("application-inference-profile/a1b2c3", "unknown"),
        ("us.amazon.nova-pro-v1:0", "unknown"),
        ("", "unknown"),
    ],
)
def test_a_profile_rule_looks_at_inference_profile_arns_only(model_id, application):
    assert attribute(model_id=model_id, rules=PROFILE_RULES).application == application


TAGGED = "arn:aws:bedrock:us-east-1:111122223333:application-inference-profile/a1b2c3"
BY_TAG = [
    {"from": "profile", "key": "App", "match": "(?P<application>.+)"},
    {"from": "profile", "key": "Owner", "match": "(?P<user>[^@]+)@example.com"},
]


def attribute_tagged(tags, model_id=TAGGED, principal="", metadata=(), rules=BY_TAG):
    """Attribute a call, given the tags of the profile TAGGED."""
    looked_up = LookedUp("profile_tags", TAGGED, tuple(sorted(tags.items())), NOON)
    names = Names(Lookups(inference_profiles=True), {("profile_tags", TAGGED): looked_up})
    settings = config.Attribution.model_validate({"rules": rules})
    return Attribution(settings, names).attribute(principal, tuple(metadata), model_id)


def test_the_tags_of_a_profile_name_application_and_user():
    tags = {"App": "Search", "Owner": "dana@example.com"}
    assert attribute_tagged(tags) == Attributed("Search", "dana")


def test_a_tag_is_matched_whole_and_an_empty_or_absent_one_matches_nothing():
    assert attribute_tagged({"App": "", "Owner": "dana@example.com.evil"}) == Attributed(
        "unknown", "unknown"
    )
    anything = [{"from": "profile", "key": "App", "match": ".*", "application": "any"}]
    assert attribute_tagged({"Other": "x"}, rules=anything).application == "unknown"


def test_the_tags_of_a_profile_are_of_no_other():
    assert attribute_tagged({"App": "Search"}, model_id=TAGGED + "x").application == "unknown"
    assert attribute_tagged({"App": "Search"}, model_id=MODEL).application == "unknown"


def test_a_tag_is_not_a_key_of_the_metadata_nor_the_other_way_round():
    forged = [("App", "Forged")]
    assert attribute_tagged({}, metadata=forged).application == "unknown"
    by_metadata = [{"from": "metadata", "key": "App", "match": "(?P<application>.+)"}]
    assert attribute_tagged({"App": "Search"}, rules=by_metadata).application == "unknown"


def test_rules_of_tags_take_their_turn_among_the_others():
    principal = [{"from": "principal", "match": "user/.*", "application": "Direct"}]
    by_tag = BY_TAG[:1]
    bob = "arn:aws:iam::111122223333:user/bob"
    tags = {"App": "Search"}
    assert attribute_tagged(tags, principal=bob, rules=principal + by_tag).application == "Direct"
    assert attribute_tagged(tags, principal=bob, rules=by_tag + principal).application == "Search"


def test_without_rules_everything_is_unknown():
    assert attribute(rules=[]) == Attributed("unknown", "unknown")


FILTERS = [
    # include, exclude, is ALICE taken?
    ([], [], True),
    (["CustomerServiceApp"], [], True),
    (["customerserviceapp"], [], False),
    (["111122223333"], [], True),
    (["444455556666"], [], False),
    (["444455556666", "/alice"], [], True),
    (["arn:aws:sts::*-BedrockRole/*"], [], True),
    (["assumed-role/*"], [], False),
    (["*/alic?"], [], True),
    (["*/Alic?"], [], False),
    (["*/alic"], [], False),
    (["a.n"], [], False),
    ([], ["alice"], False),
    ([], ["Alice"], True),
    ([], ["*/bob"], True),
    (["CustomerServiceApp"], ["*/alice"], False),
]


@pytest.mark.parametrize(("include", "exclude", "taken"), FILTERS)
def test_filters_are_parts_of_the_arn_or_patterns_of_the_whole(include, exclude, taken):
    assert (attribute(include=include, exclude=exclude) is not None) is taken


def test_a_call_without_a_principal_is_included_only_by_no_filter():
    assert attribute("", include=["*"]) is not None
    assert attribute("", include=["arn:"]) is None
    assert attribute("", exclude=["arn:"]) is not None


USER = [{"from": "metadata", "key": "user", "match": "(?P<user>.*)"}]


@pytest.mark.parametrize(
    ("said", "label"),
    [
        ("  alice \n", "alice"),
        ("alice\nliddell", "alice liddell"),
        ("a\t\x00\x1b b", "a b"),
        ("\u202eecila", "ecila"),
        ("a\ud800b", "a b"),
        (" \n ", "unknown"),
        ("Zoë 김", "Zoë 김"),
        ('<b>"x\\y"</b>', '<b>"x\\y"</b>'),
    ],
)
def test_a_name_is_one_printable_line_and_otherwise_as_it_was_said(said, label):
    assert attribute(metadata=[("user", said)], rules=USER).user == label


def test_a_long_name_is_cut_visibly():
    assert attribute(metadata=[("user", "x" * 256)], rules=USER).user == "x" * 256
    assert attribute(metadata=[("user", "x" * 257)], rules=USER).user == "x" * 255 + "…"
    assert attribute(metadata=[("user", "x" * 10_000)], rules=USER).user == "x" * 255 + "…"


def test_a_user_below_a_long_path_keeps_its_name():
    path = "/".join(["folder"] * 70)
    assert attribute(f"arn:aws:iam::111122223333:user/{path}/carol").user == "carol"
