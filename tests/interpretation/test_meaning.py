"""What a fact means: whose it is, of which model, and whether it has a price at all."""

from datetime import date
from decimal import Decimal

import pytest

from exporter.interpretation.meaning import Interpreter
from exporter.interpretation.measures import Labels
from exporter.interpretation.models import Routing, UnpricedReason
from exporter.interpretation.names import Names
from exporter.interpretation.prices import PriceBook
from exporter.usage import LookedUp, TokenKind
from snapshots import HAIKU, SONNET, UNKNOWN_MODEL, config, used, utc

NOON = utc("2026-11-20T12:00")
BEDROCK = "arn:aws:bedrock:us-east-1:111122223333"


def interpret(*, sections=None, **fields):
    settings = config(**(sections or {}))
    book = PriceBook.bundled(settings.prices.overrides)
    return Interpreter(settings, book).interpret(used(NOON, **fields).fact)


def test_a_call_by_the_role_convention_is_the_applications_and_the_sessions():
    meaning = interpret(model=f"us.{SONNET}", tier="flex", context_from=200_000)
    assert meaning.labels == Labels("111122223333", "us-east-1", "Shop", "alice", SONNET)
    assert meaning.place == ("111122223333", "us-east-1", SONNET)
    assert (meaning.routing, meaning.unpriced, meaning.error_code) == (Routing.GEO, None, None)
    assert (meaning.service_tier, meaning.context_from) == ("flex", 200_000)


def test_an_outcome_other_than_ok_is_an_error_code():
    assert interpret(outcome="ThrottlingException").error_code == "ThrottlingException"


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        (SONNET, None),
        (UNKNOWN_MODEL, UnpricedReason.UNKNOWN_MODEL),
        ("amazon.nova-canvas-v1:0", UnpricedReason.NOT_TOKEN_BILLED),
        (f"{BEDROCK}:application-inference-profile/r3p0rt", UnpricedReason.UNRESOLVED),
        (f"{BEDROCK}:provisioned-model/abcdefghijkl", UnpricedReason.PROVISIONED),
        (f"{BEDROCK}:custom-model/amazon.nova/abcdefghijkl", UnpricedReason.CUSTOM),
        (f"{BEDROCK}:imported-model/abcdefghijkl", UnpricedReason.IMPORTED),
    ],
)
def test_what_has_no_price_says_why(model, reason):
    assert interpret(model=model).unpriced is reason


def test_an_alias_gives_a_hidden_model_its_price():
    profile = f"{BEDROCK}:application-inference-profile/r3p0rt"
    meaning = interpret(model=profile, sections={"models": {"r3p0rt": f"global.{HAIKU}"}})
    assert (meaning.labels.model, meaning.unpriced) == (HAIKU, None)
    assert meaning.routing is Routing.GLOBAL


PROFILE = f"{BEDROCK}:application-inference-profile/r3p0rt"
STORE = {"identity_store_id": "d-9067642ac7", "region": "eu-west-1"}
USER_ID = "d-9067642ac7.6f9619ff-8b86-4d01-b42d-00cf4fc964ff"


def interpreter_that_knows(kind, key, *values):
    """Return an interpreter that AWS told one thing."""
    settings = config(aws={"lookups": {"inference_profiles": True, "identity_center": STORE}})
    names = Names(settings.aws.lookups, {(kind, key): LookedUp(kind, key, values, NOON)})
    return Interpreter(settings, PriceBook.bundled(), names)


@pytest.mark.parametrize(
    ("copied", "regions"),
    [
        (SONNET, ["us-east-1"]),
        (f"us.{SONNET}", ["us-east-1", "us-east-2", "us-west-2"]),
        (f"global.{SONNET}", ["", "us-east-1"]),
    ],
)
def test_a_call_through_a_looked_up_profile_costs_what_it_does_through_the_one_it_copies(
    copied, regions
):
    routes = [
        ("model", f"arn:aws:bedrock:{region}::foundation-model/{SONNET}") for region in regions
    ]
    interpreter = interpreter_that_knows("inference_profile", PROFILE, *routes)
    through = interpreter.interpret(used(NOON, model=PROFILE).fact)
    direct = interpreter.interpret(used(NOON, model=copied).fact)
    assert through == direct
    prices = interpreter.unit_prices(through, NOON.date())
    assert prices == interpreter.unit_prices(direct, NOON.date())
    assert prices


def test_a_user_whose_id_was_looked_up_is_called_by_name():
    interpreter = interpreter_that_knows("identity_user", USER_ID, ("user_name", "alice\n"))
    assert interpreter.interpret(used(NOON, USER_ID).fact).labels.user == "alice"
    assert interpreter.interpret(used(NOON, "bob").fact).labels.user == "bob"


def test_a_user_without_a_printable_name_keeps_the_id():
    interpreter = interpreter_that_knows("identity_user", USER_ID, ("user_name", " \n"))
    assert interpreter.interpret(used(NOON, USER_ID).fact).labels.user == USER_ID


def test_a_provisioned_model_never_has_the_price_of_the_model_behind_it():
    settings = config(models={"abcdefghijkl": SONNET})
    interpreter = Interpreter(settings, PriceBook.bundled())
    provisioned = f"{BEDROCK}:provisioned-model/abcdefghijkl"
    meaning = interpreter.interpret(used(NOON, model=provisioned).fact)
    assert (meaning.labels.model, meaning.unpriced) == (SONNET, UnpricedReason.PROVISIONED)
    assert interpreter.unit_prices(meaning, NOON.date()) == {}


def test_an_override_makes_an_unknown_model_known():
    override = {"model": UNKNOWN_MODEL, "usd_per_million_tokens": {"input": 1}}
    sections = {"prices": {"overrides": [override]}}
    assert interpret(model=UNKNOWN_MODEL, sections=sections).unpriced is None


def test_a_principal_outside_the_filters_means_nothing():
    assert interpret(sections={"attribution": {"include": ["Crm-BedrockRole"]}}) is None


def test_what_nobody_says_is_unknown():
    meaning = interpret(principal="", account=" ", region="\n")
    assert meaning.labels == Labels("unknown", "unknown", "unknown", "unknown", SONNET)


def test_hostile_names_are_one_line_of_bounded_length():
    meaning = interpret(
        account="1\n2", region="<b>\x00x\u202e", model="x" * 2000, user="a\r\nb" + "c" * 2000
    )
    assert (meaning.labels.account_id, meaning.labels.region) == ("1 2", "<b> x")
    assert meaning.labels.user.startswith("a bccc")
    assert all(len(text) <= 256 for text in meaning.labels)


def test_prices_are_those_of_the_day_and_none_of_what_is_unpriced():
    changed = {"model": HAIKU, "effective_from": "2026-11-10"}
    settings = config(prices={"overrides": [{**changed, "usd_per_million_tokens": {"input": 2}}]})
    interpreter = Interpreter(settings, PriceBook.bundled(settings.prices.overrides))
    assert date(2026, 11, 10) in interpreter.change_days
    haiku = interpreter.interpret(used(NOON, model=HAIKU).fact)
    for day, usd in ((9, "2.5E-7"), (10, "0.000002")):
        price = interpreter.unit_prices(haiku, date(2026, 11, day))[TokenKind.INPUT]
        assert price.usd_per_token == Decimal(usd)
    unknown = interpreter.interpret(used(NOON, model=UNKNOWN_MODEL).fact)
    assert interpreter.unit_prices(unknown, date(2026, 11, 10)) == {}
