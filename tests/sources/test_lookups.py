"""The source of what AWS says of names: which it asks for, when again, and whom a refusal costs."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest
import structlog

from bedrock_server import BedrockServer, Fault
from exporter.ledger import WritableLedger
from exporter.refresh import Refresh
from exporter.snapshot import Snapshot
from exporter.sources import lookups
from exporter.sources.events import AwsRequests, Finished, Times
from exporter.sources.events import Fault as Told
from exporter.usage import AwsRequest, Batch, LogObject, LookedUp, slot_of
from lookup_services import AMBIENT, STORE, STORE_REGION, LookupServices
from snapshots import SONNET, config, samples, total, used, value
from sts_server import StsServer

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
NOW = NOON + timedelta(milliseconds=250)
LAST_MONTH = datetime(2026, 10, 1, tzinfo=UTC)
OTHER, THIRD = "444455556666", "777788889999"
REGION = "us-east-1"
ROUTE = f"arn:aws:bedrock:{REGION}::foundation-model/{SONNET}"
DAY, WEEK = timedelta(days=1), timedelta(days=7)

PROFILES = {"inference_profiles": True}
ROLES = {"role_tags": {"team": "Team", "owner": "Owner"}}
USERS = {"identity_center": {"identity_store_id": STORE, "region": STORE_REGION}}
ACCOUNTS = [
    {"role_arn": f"arn:aws:iam::{account}:role/Reader", "regions": [REGION]}
    for account in (OTHER, THIRD)
]
BY_TAG = {"rules": [{"from": "profile", "key": "App", "match": "(?P<application>.+)"}]}


def profile(name="a1b2c3", account=AMBIENT, region=REGION):
    return f"arn:aws:bedrock:{region}:{account}:application-inference-profile/{name}"


def role(application="Shop", user="alice", account=AMBIENT):
    return f"arn:aws:sts::{account}:assumed-role/{application}-BedrockRole/{user}"


def call(model_id=SONNET, principal="", account=AMBIENT, region=REGION):
    return account, region, principal, model_id


class Memory:
    """As much of a ledger as this source asks: names in use, and what was looked up."""

    def __init__(self, *named):
        self.named = set(named)
        self.assistant_users = set()
        self.asked_since = None
        self._lookups = {}

    def named_since(self, slot):
        self.asked_since = slot
        return self.named

    def assistant_users_since(self, slot):
        assert slot == self.asked_since
        return self.assistant_users

    def lookups(self):
        return self._lookups

    def take(self, looked_up):
        """Remember whole seconds, as the ledger does."""
        at = looked_up.at.replace(microsecond=0)
        key = looked_up.kind, looked_up.key
        self._lookups = {**self._lookups, key: looked_up._replace(at=at)}


class Exporter:
    """A source that asks for what a memory names, at moments of the test's choosing."""

    def __init__(self, memory, wanted, accounts=(), **sections):
        aws = {"lookups": wanted, "accounts": list(accounts)}
        self.memory = memory
        self.source = lookups.Lookups(config(aws=aws, **sections))

    def refresh(self, now=NOW, is_due=lambda: False):
        """Return the events of one refresh; what was looked up is remembered."""
        times = Times(now, fill_from=LAST_MONTH, keep_from=LAST_MONTH)
        events = list(self.source.read(times, self.memory, is_due))
        for event in events:
            if isinstance(event, LookedUp):
                self.memory.take(event)
        return events


def answers(events):
    return {(event.kind, event.key): event.values for event in events if is_answer(event)}


def is_answer(event):
    return isinstance(event, LookedUp)


def faults(events):
    return [event for event in events if isinstance(event, Told)]


def is_complete(events):
    return [event.is_complete for event in events if isinstance(event, Finished)]


@pytest.fixture(scope="module")
def shared_services() -> Iterator[LookupServices]:
    with LookupServices() as services:
        yield services


@pytest.fixture
def services(shared_services, monkeypatch) -> LookupServices:
    """Services that hold nothing."""
    shared_services.use(monkeypatch)
    return shared_services


@pytest.fixture
def bedrock(services) -> BedrockServer:
    return services.bedrock


def test_each_name_in_use_is_asked_for_once_and_told_with_its_moment(services):
    services.bedrock.add(profile(), [ROUTE], App="Search")
    services.create_role("Shop-BedrockRole", Team="shop", Stage="prod")
    user_id = services.create_user("alice")
    sso = f"arn:aws:sts::{AMBIENT}:assumed-role/AWSReservedSSO_Dev_0a/{STORE}.{user_id}"
    memory = Memory(
        call(profile(), role(user="alice")), call(profile(), role(user="bob")), call(principal=sso)
    )
    events = Exporter(memory, PROFILES | ROLES | USERS).refresh()
    assert answers(events) == {
        ("inference_profile", profile()): (("model", ROUTE),),
        ("role", f"arn:aws:sts::{AMBIENT}:assumed-role/Shop-BedrockRole"): (
            ("Owner", ""),
            ("Team", "shop"),
        ),
        ("identity_user", f"{STORE}.{user_id}"): (("user_name", "alice"),),
    }
    assert {event.at for event in events if is_answer(event)} == {NOW}
    assert faults(events) == []
    assert is_complete(events) == [True]


def test_names_are_those_in_use_since_the_start_of_last_month(services):
    memory = Memory()
    Exporter(memory, PROFILES).refresh()
    assert memory.asked_since == slot_of(LAST_MONTH)


def test_requests_are_metered(bedrock):
    bedrock.add(profile(), [ROUTE])
    events = Exporter(Memory(call(profile())), PROFILES).refresh()
    assert events[-1] == AwsRequests(
        {AwsRequest("sts", "GetCallerIdentity"): 1, AwsRequest("bedrock", "GetInferenceProfile"): 1}
    )


def test_an_answer_holds_until_it_is_too_old(bedrock):
    bedrock.add(profile(), [ROUTE])
    exporter = Exporter(Memory(call(profile())), PROFILES | {"refresh_after": "2d"})
    exporter.refresh()
    for hours in (1, 24, 47):
        assert answers(exporter.refresh(NOW + timedelta(hours=hours))) == {}
    assert len(answers(exporter.refresh(NOW + timedelta(hours=48)))) == 1
    assert len(bedrock.asked("GetInferenceProfile")) == 2


def test_an_answer_dated_ahead_by_a_wrong_clock_is_asked_for_again(bedrock):
    bedrock.add(profile(), [ROUTE])
    exporter = Exporter(Memory(call(profile())), PROFILES)
    exporter.refresh(NOW + timedelta(days=300))
    assert len(answers(exporter.refresh(NOW))) == 1


def test_what_aws_does_not_know_is_left_alone_for_a_day_and_told_as_no_outage(bedrock):
    exporter = Exporter(Memory(call(profile())), PROFILES)
    events = exporter.refresh()
    assert answers(events) == {("inference_profile", profile()): ()}
    [fault] = faults(events)
    assert (fault.reason, fault.is_outage) == ("not_found", False)
    assert f"bedrock:GetInferenceProfile in account {AMBIENT}" in fault.text
    assert profile() in fault.text
    for later in (timedelta(minutes=5), DAY - timedelta(minutes=5)):
        quiet = exporter.refresh(NOW + later)
        assert (answers(quiet), faults(quiet), is_complete(quiet)) == ({}, [], [True])
    bedrock.add(profile(), [ROUTE])
    assert answers(exporter.refresh(NOW + DAY + timedelta(seconds=1))) == {
        ("inference_profile", profile()): (("model", ROUTE),)
    }


def test_a_new_configuration_asks_at_once_for_what_was_refused_to_another(bedrock):
    memory = Memory(call(profile()))
    Exporter(memory, PROFILES).refresh()
    bedrock.add(profile(), [ROUTE])
    again = Exporter(memory, PROFILES).refresh(NOW + timedelta(minutes=5))
    assert answers(again) == {("inference_profile", profile()): (("model", ROUTE),)}


def test_one_refusal_hides_no_other_name_and_the_refused_are_told_together(bedrock):
    for name in ("p1", "p2", "p3", "p4"):
        bedrock.add(profile(name), [ROUTE])
    bedrock.faults.append(
        Fault("GetInferenceProfile", "/p1", 403, "AccessDeniedException"),
    )
    bedrock.faults.append(
        Fault("GetInferenceProfile", "/p3", 403, "AccessDeniedException"),
    )
    memory = Memory(*(call(profile(name)) for name in ("p1", "p2", "p3", "p4")))
    events = Exporter(memory, PROFILES).refresh()
    known = [bool(values) for _, values in sorted(answers(events).items())]
    assert known == [False, True, False, True]
    [fault] = faults(events)
    assert (fault.reason, fault.is_outage) == ("access_denied", False)
    assert fault.text.endswith(f"for {profile('p1')} and 1 more")
    assert is_complete(events) == [True]


def test_what_was_known_stays_when_aws_no_longer_tells(bedrock):
    bedrock.add(profile(), [ROUTE])
    exporter = Exporter(Memory(call(profile())), PROFILES)
    exporter.refresh()
    bedrock.profiles.clear()
    events = exporter.refresh(NOW + WEEK)
    assert answers(events) == {("inference_profile", profile()): (("model", ROUTE),)}
    assert [fault.reason for fault in faults(events)] == ["not_found"]
    assert answers(exporter.refresh(NOW + WEEK + DAY)) == {}


def test_an_account_whose_role_is_refused_hides_no_other_and_is_asked_at_each_refresh(
    bedrock, monkeypatch
):
    for account in (OTHER, THIRD):
        bedrock.add(profile("p", account), [ROUTE])
    memory = Memory(*(call(profile("p", account)) for account in (OTHER, THIRD)))
    exporter = Exporter(memory, PROFILES, ACCOUNTS)
    with StsServer() as sts:
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", sts.url)
        sts.refusals[ACCOUNTS[0]["role_arn"]] = (403, "AccessDenied")
        events = exporter.refresh()
        assert answers(events) == {("inference_profile", profile("p", THIRD)): (("model", ROUTE),)}
        [fault] = faults(events)
        assert (fault.reason, fault.is_outage) == ("credentials", True)
        assert ACCOUNTS[0]["role_arn"] in fault.text
        assert is_complete(events) == [False]
        sts.refusals.clear()
        later = exporter.refresh(NOW + timedelta(minutes=5))
    assert list(answers(later)) == [("inference_profile", profile("p", OTHER))]
    assert is_complete(later) == [True]


def test_credentials_that_expired_are_no_answer_and_made_anew(bedrock, monkeypatch):
    bedrock.add(profile(), [ROUTE])
    bedrock.faults.append(Fault("GetInferenceProfile", "", 403, "ExpiredTokenException", times=1))
    exporter = Exporter(Memory(call(profile())), PROFILES)
    events = exporter.refresh()
    assert answers(events) == {}
    assert [(fault.reason, fault.is_outage) for fault in faults(events)] == [("credentials", True)]
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAI44QH8DHBEXAMPLE")
    assert len(answers(exporter.refresh(NOW + timedelta(minutes=5)))) == 1
    assert bedrock.requests[-1].access_key == "AKIAI44QH8DHBEXAMPLE"


def test_what_nobody_has_credentials_for_is_told_and_not_asked(bedrock):
    memory = Memory(call(profile("p", OTHER)), call(profile()))
    bedrock.add(profile(), [ROUTE])
    events = Exporter(memory, PROFILES).refresh()
    assert answers(events) == {
        ("inference_profile", profile("p", OTHER)): (),
        ("inference_profile", profile()): (("model", ROUTE),),
    }
    [fault] = faults(events)
    assert (fault.reason, fault.is_outage) == ("no_account", False)
    assert "name it in aws.accounts" in fault.text
    assert bedrock.asked("GetInferenceProfile") == [profile()]


def test_throttling_stops_asking_and_goes_on_at_the_next_refresh(bedrock):
    names = [f"p{number}" for number in range(6)]
    for name in names:
        bedrock.add(profile(name), [ROUTE], App=name)
    memory = Memory(*(call(profile(name)) for name in names))
    exporter = Exporter(memory, PROFILES, attribution=BY_TAG)
    bedrock.faults.append(Fault("GetInferenceProfile", "/p2", 429, "ThrottlingException", times=4))
    events = exporter.refresh()
    throttled = {key for kind, key in answers(events) if kind == "inference_profile"}
    assert throttled == {profile("p0"), profile("p1")}
    assert len([key for kind, key in answers(events) if kind == "profile_tags"]) == 6
    [fault] = faults(events)
    assert (fault.reason, fault.is_outage) == ("throttled", True)
    assert is_complete(events) == [False]
    rest = exporter.refresh(NOW + timedelta(minutes=5))
    assert {key for _, key in answers(rest)} == {profile(f"p{number}") for number in (2, 3, 4, 5)}
    assert is_complete(rest) == [True]


def test_a_server_error_is_no_answer(bedrock):
    bedrock.faults.append(Fault("GetInferenceProfile", "", 500, "InternalServerException"))
    events = Exporter(Memory(call(profile())), PROFILES).refresh()
    assert answers(events) == {}
    assert [(fault.reason, fault.is_outage) for fault in faults(events)] == [("server_error", True)]


def test_a_refresh_asks_for_a_bounded_number_of_names_longest_waiting_first(bedrock, monkeypatch):
    monkeypatch.setattr(lookups, "_MOST_A_REFRESH", 2)
    for name in ("p1", "p2", "p3"):
        bedrock.add(profile(name), [ROUTE])
    memory = Memory(call(profile("p1")))
    exporter = Exporter(memory, PROFILES)
    exporter.refresh()
    memory.named |= {call(profile("p2")), call(profile("p3"))}
    later = exporter.refresh(NOW + WEEK)
    assert [key for _, key in answers(later)] == [profile("p2"), profile("p3")]
    assert is_complete(later) == [False]
    last = exporter.refresh(NOW + WEEK + timedelta(minutes=5))
    assert [key for _, key in answers(last)] == [profile("p1")]
    assert is_complete(last) == [True]


def test_a_refresh_that_is_due_to_end_asks_for_one_name_and_leaves_the_rest(bedrock):
    for name in ("p1", "p2"):
        bedrock.add(profile(name), [ROUTE])
    memory = Memory(call(profile("p1")), call(profile("p2")))
    exporter = Exporter(memory, PROFILES)
    events = exporter.refresh(is_due=lambda: True)
    assert list(answers(events)) == [("inference_profile", profile("p1"))]
    assert is_complete(events) == [False]


def test_a_tag_that_a_rule_newly_names_is_asked_for_at_once(bedrock):
    bedrock.add(profile(), [ROUTE], App="Search", Unit="web", Secret="hush")
    memory = Memory(call(profile()))
    tags = ("profile_tags", profile())
    Exporter(memory, PROFILES, attribution=BY_TAG).refresh()
    assert memory.lookups()[tags].values == (("App", "Search"),)
    rules = [*BY_TAG["rules"], {"from": "profile", "key": "Unit", "match": "x", "user": "y"}]
    exporter = Exporter(memory, PROFILES, attribution={"rules": rules})
    exporter.refresh(NOW + timedelta(minutes=5))
    assert memory.lookups()[tags].values == (("App", "Search"), ("Unit", "web"))
    assert answers(exporter.refresh(NOW + timedelta(minutes=10))) == {}


def test_a_new_tag_that_is_refused_leaves_the_known_ones_and_is_not_asked_for_at_once(bedrock):
    bedrock.add(profile(), [ROUTE], App="Search")
    memory = Memory(call(profile()))
    Exporter(memory, PROFILES, attribution=BY_TAG).refresh()
    bedrock.faults.append(Fault("ListTagsForResource", "", 403, "AccessDeniedException"))
    rules = [*BY_TAG["rules"], {"from": "profile", "key": "Unit", "match": "x", "user": "y"}]
    exporter = Exporter(memory, PROFILES, attribution={"rules": rules})
    exporter.refresh(NOW + timedelta(minutes=5))
    assert memory.lookups()["profile_tags", profile()].values == (("App", "Search"), ("Unit", ""))
    assert answers(exporter.refresh(NOW + timedelta(minutes=10))) == {}


def test_tags_that_are_refused_cost_no_model(bedrock):
    bedrock.add(profile(), [ROUTE], App="Search")
    bedrock.faults.append(Fault("ListTagsForResource", "", 403, "AccessDeniedException"))
    events = Exporter(Memory(call(profile())), PROFILES, attribution=BY_TAG).refresh()
    assert answers(events) == {
        ("inference_profile", profile()): (("model", ROUTE),),
        ("profile_tags", profile()): (),
    }
    assert "bedrock:ListTagsForResource" in faults(events)[0].text


def test_a_role_that_is_gone_is_unknown(services):
    services.create_role("Shop-BedrockRole", Team="shop")
    memory = Memory(call(principal=role("Shop")), call(principal=role("Gone")))
    events = Exporter(memory, ROLES).refresh()
    assert [bool(values) for _, values in sorted(answers(events).items())] == [False, True]
    assert [fault.reason for fault in faults(events)] == ["not_found"]


def test_an_unreachable_aws_is_an_outage(bedrock, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL_BEDROCK", "http://127.0.0.1:9")
    events = Exporter(Memory(call(profile())), PROFILES).refresh()
    assert answers(events) == {}
    assert [(fault.reason, fault.is_outage) for fault in faults(events)] == [("network", True)]


def test_without_credentials_nothing_is_answered(bedrock, monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    events = Exporter(Memory(call(profile())), PROFILES).refresh()
    assert answers(events) == {}
    assert [(fault.reason, fault.is_outage) for fault in faults(events)] == [("credentials", True)]


def test_a_refresh_remembers_answers_and_publishes_the_model_at_once(bedrock, tmp_path):
    bedrock.add(profile(), [ROUTE])
    settings = config(aws={"lookups": PROFILES}, ledger=tmp_path / "ledger.sqlite")
    snapshots: list[Snapshot] = []
    with closing(WritableLedger.open(settings.ledger)) as ledger:
        unit = LogObject(AMBIENT, REGION, 1, "object")
        ledger.apply([Batch("logs", unit, (used(NOON, model=profile(), input=1_000_000),))])
        Refresh(
            settings,
            [lookups.Lookups(settings)],
            ledger,
            publish=snapshots.append,
            clock=lambda: NOON,
            is_stopping=lambda: False,
            is_interrupted=lambda: False,
            log=structlog.get_logger("exporter"),
        ).run()
        assert ledger.lookups()["inference_profile", profile()].values == (("model", ROUTE),)
    snapshot = snapshots[-1]
    assert total(snapshot, "bedrock_tokens_today", model=SONNET) == 1_000_000
    assert total(snapshot, "bedrock_cost_usd_today") > 0
    assert value(snapshot, "bedrock_exporter_source_up", source="lookups") == 1
    assert not samples(snapshot, "bedrock_unpriced_requests_month_to_date")
