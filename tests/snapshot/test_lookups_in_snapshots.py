"""What AWS said of names shows in the next snapshot, for all that was read before, too."""

from decimal import Decimal
from pathlib import Path

import pytest

from exporter.interpretation.names import Kind
from exporter.usage import LookedUp
from snapshots import ACCOUNT, HAIKU, REGION, Exporter, samples, total, used, utc, value

NOON, LATER = utc("2026-11-20T12:00"), utc("2026-11-20T12:05")
PROFILE = f"arn:aws:bedrock:{REGION}:{ACCOUNT}:application-inference-profile/r3p0rt"
HIDDEN = "application-inference-profile/r3p0rt"
ROUTES = [f"arn:aws:bedrock:{region}::foundation-model/{HAIKU}" for region in ("us-east-1", "")]
USER_ID = "d-9067642ac7.6f9619ff-8b86-4d01-b42d-00cf4fc964ff"
LOOKUPS = {
    "inference_profiles": True,
    "role_tags": {"team": "Team", "owner": "Owner"},
    "identity_center": {"identity_store_id": "d-9067642ac7", "region": "eu-west-1"},
}
BY_TAG = [{"from": "profile", "key": "App", "match": "(?P<application>.+)"}]


@pytest.fixture
def exporter(tmp_path: Path) -> Exporter:
    return Exporter(tmp_path, aws={"lookups": LOOKUPS})


def look_up(exporter, kind, key, *values, at=NOON):
    exporter.ledger.record_lookups([LookedUp(kind, key, values, at)])


def look_up_profile(exporter):
    look_up(exporter, Kind.INFERENCE_PROFILE, PROFILE, *(("model", arn) for arn in ROUTES))


def test_a_profile_gets_its_model_and_its_price_once_it_is_looked_up(exporter):
    exporter.fill(used(NOON, model=PROFILE, input=1_000_000), used(NOON, "bob", model=HAIKU))
    before = exporter.build(NOON)
    assert value(before, "bedrock_unpriced_requests_month_to_date", model=HIDDEN) == 1
    look_up_profile(exporter)
    after = exporter.build(LATER)
    assert not samples(after, "bedrock_tokens_today", model=HIDDEN)
    assert total(after, "bedrock_tokens_today", model=HAIKU) == 1_000_000
    assert total(after, "bedrock_cost_usd_month_to_date", user="alice") == Decimal("0.25")
    assert samples(after, "bedrock_tokens_by_routing_month_to_date", token_kind="input") == {
        (ACCOUNT, REGION, HAIKU, "global"): 1_000_000
    }
    assert not samples(after, "bedrock_unpriced_requests_month_to_date")


def test_usage_is_counted_under_the_name_that_is_known_when_it_is_first_shown(exporter):
    exporter.take(used(NOON, model=PROFILE, requests=2))
    look_up_profile(exporter)
    assert total(exporter.build(NOON), "bedrock_requests_total", model=HAIKU) == 0
    shown = exporter.build(LATER)
    assert total(shown, "bedrock_requests_total", model=HAIKU) == 2
    assert not samples(shown, "bedrock_requests_total", model=HIDDEN)


def test_what_was_counted_under_the_name_of_before_is_not_counted_again(exporter):
    exporter.take(used(NOON, model=PROFILE))
    exporter.build(NOON)
    look_up_profile(exporter)
    exporter.take(used(NOON, model=PROFILE, requests=2))
    exporter.build(LATER)
    shown = exporter.build(utc("2026-11-20T12:10"))
    assert total(shown, "bedrock_requests_total") == 2
    assert total(shown, "bedrock_requests_today") == 3


def test_an_application_is_named_by_the_tag_of_its_profile(exporter):
    exporter.configure(aws={"lookups": LOOKUPS}, attribution={"rules": BY_TAG})
    exporter.fill(used(NOON, model=PROFILE, requests=3))
    look_up(exporter, Kind.PROFILE_TAGS, PROFILE, ("App", "Search"))
    assert total(exporter.build(NOON), "bedrock_requests_today", application="Search") == 3


def test_a_user_is_called_by_name(exporter):
    exporter.fill(used(NOON, USER_ID, requests=3))
    look_up(exporter, Kind.IDENTITY_USER, USER_ID, ("user_name", "alice"))
    assert total(exporter.build(NOON), "bedrock_requests_today", user="alice") == 3


def test_the_tags_of_a_role_say_who_answers_for_its_application(exporter):
    exporter.fill(used(NOON, application="Shop"), used(NOON, application="Crm"))
    assert not samples(exporter.build(NOON), "bedrock_application_info")
    role = f"arn:aws:sts::{ACCOUNT}:assumed-role/Shop-BedrockRole"
    look_up(exporter, Kind.ROLE, role, ("Owner", ""), ("Team", "shop"))
    assert samples(exporter.build(LATER), "bedrock_application_info") == {
        ("Shop", "shop", "", ""): 1
    }


def test_nothing_is_interpreted_anew_while_aws_says_the_same(exporter):
    exporter.fill(used(NOON, model=PROFILE))
    look_up_profile(exporter)
    exporter.build(NOON)
    history = exporter.builder._history
    look_up(
        exporter, Kind.INFERENCE_PROFILE, PROFILE, *(("model", arn) for arn in ROUTES), at=LATER
    )
    look_up(exporter, Kind.ROLE, "arn:aws:sts::1:assumed-role/Refused")
    exporter.build(LATER)
    assert exporter.builder._history is history


def test_what_was_looked_up_is_unused_once_it_is_not_wanted(exporter):
    exporter.fill(used(NOON, model=PROFILE))
    look_up_profile(exporter)
    exporter.configure()
    assert samples(exporter.build(NOON), "bedrock_requests_today", model=HIDDEN)
