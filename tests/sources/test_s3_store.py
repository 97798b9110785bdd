"""Log objects in S3: real boto3 against moto over HTTP, with faults told to a proxy between."""

import gzip
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest

from exporter.aws.meter import Meter
from exporter.config import Account
from exporter.sources import s3_store
from exporter.sources.log_layout import ACTIVITY_REPORTS, PROMPT_LOGS
from exporter.sources.log_store import ListedObject, ObjectGoneError, Owners, StoreError, hour_of
from exporter.sources.s3_store import S3Store
from exporter.usage import AwsRequest, LogObject
from s3_server import BUCKET, S3Server, cut, refuse, spoil, wait_for
from sts_server import StsServer

ACCOUNT = "111122223333"
REGION = "us-east-1"
DAY = date(2026, 11, 21)
HOURS = f"AWSLogs/{ACCOUNT}/BedrockModelInvocationLogs/{REGION}/2026/11/21"
NAME = "20261121T070000123Z_0123456789abcdef.json.gz"
KEY = f"{HOURS}/07/{NAME}"
SECRET = "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY"


@pytest.fixture(scope="module")
def server() -> Iterator[S3Server]:
    with S3Server() as server:
        yield server


@pytest.fixture
def s3(server: S3Server, monkeypatch: pytest.MonkeyPatch) -> S3Server:
    """A server that holds nothing, and credentials for it."""
    server.reset()
    monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=lambda seconds: None))
    return server


@pytest.fixture
def open_store(s3: S3Server) -> Callable[..., S3Store]:
    def open_store(prefix: str = "", **options: Any) -> S3Store:
        return S3Store(f"s3://{BUCKET}{prefix}", Meter(), sleep=lambda seconds: None, **options)

    return open_store


def listed(size: int, hour: int = 7, name: str = NAME) -> ListedObject:
    at = datetime(2026, 11, 21, hour, tzinfo=UTC)
    return ListedObject(LogObject(ACCOUNT, REGION, hour_of(at), name), size)


def names(store: S3Store) -> list[tuple[int, str]]:
    """UTC hour and name of each log object of the day."""
    return [
        (item.unit.hour % 24, item.unit.name) for item in store.list_day(ACCOUNT, REGION, DAY).found
    ]


def failure(call: Callable[[], object]) -> StoreError:
    with pytest.raises(StoreError) as caught:
        call()
    assert SECRET not in str(caught.value)
    assert f"s3://{BUCKET}/" in str(caught.value)
    return caught.value


def test_each_account_and_region_below_the_prefix_is_found(s3, open_store) -> None:
    for account, region in [(ACCOUNT, "us-east-1"), (ACCOUNT, "eu-central-1"), ("4" * 12, REGION)]:
        s3.put(f"AWSLogs/{account}/BedrockModelInvocationLogs/{region}/2026/11/21/07/{NAME}", b"")
    assert open_store().owners().found == [
        (ACCOUNT, "eu-central-1"),
        (ACCOUNT, "us-east-1"),
        ("4" * 12, REGION),
    ]


def test_what_is_no_account_or_region_is_passed_over(s3, open_store) -> None:
    for foreign in (
        f"{ACCOUNT}/CloudTrail/us-east-1/2026/x.json.gz",
        f"{ACCOUNT}/BedrockModelInvocationLogs/amazon-bedrock-logs-permission-check",
        f"{ACCOUNT}/BedrockModelInvocationLogs/Backup/x",
        "o-exampleorgid/BedrockModelInvocationLogs/us-east-1/x",
        ACCOUNT,
    ):
        s3.put(f"AWSLogs/{foreign}", b"")
    assert open_store().owners() == Owners([], [])


def logs_of(*accounts: str) -> list[str]:
    """The key of a log object of each account."""
    return [KEY.replace(ACCOUNT, account) for account in accounts]


def test_an_account_that_is_refused_hides_no_other(s3, open_store) -> None:
    for key in logs_of("1" * 12, "2" * 12, "3" * 12):
        s3.put(key, b"")
    s3.faults.append(refuse(f"AWSLogs/{'2' * 12}/", 403, "AccessDenied", lists=True))
    found, [fault] = open_store().owners()
    assert found == [("1" * 12, REGION), ("3" * 12, REGION)]
    assert fault.reason == "access_denied"
    place = f"s3://{BUCKET}/AWSLogs/{'2' * 12}/BedrockModelInvocationLogs/: "
    assert str(fault).startswith(place)


def test_an_account_that_fails_hides_no_other(s3, open_store) -> None:
    for key in logs_of("1" * 12, "2" * 12):
        s3.put(key, b"")
    s3.faults.append(refuse(f"AWSLogs/{'1' * 12}/", 503, "SlowDown", lists=True))
    found, [fault] = open_store().owners()
    assert (found, fault.reason) == ([("2" * 12, REGION)], "throttled")


def test_credentials_that_are_refused_meanwhile_are_no_fault_of_an_account(s3, open_store) -> None:
    for key in logs_of("1" * 12, "2" * 12):
        s3.put(key, b"")
    s3.faults.append(refuse(f"AWSLogs/{'2' * 12}/", 400, "ExpiredToken", lists=True))
    assert failure(open_store().owners).reason == "credentials"


def test_a_network_that_fails_is_not_waited_for_once_an_account(s3, open_store) -> None:
    for key in logs_of(*(f"{number:012}" for number in range(100))):
        s3.put(key, b"")
    s3.faults.append(wait_for("AWSLogs/0", s3.released.wait, lists=True))
    assert failure(open_store(read_seconds=0.05).owners).reason == "network"
    assert len({request.prefix for request in s3.lists}) < 60


@pytest.mark.parametrize("prefix", ["/team/bedrock", "/team/bedrock/", "//team/bedrock//"])
def test_a_prefix_is_the_same_with_and_without_slashes(s3, open_store, prefix) -> None:
    s3.put(f"team/bedrock/{KEY}", b"inside")
    s3.put(f"team/bedrock-other/{KEY}", b"outside")
    s3.put(KEY, b"outside")
    store = open_store(prefix)
    assert store.owners().found == [(ACCOUNT, REGION)]
    assert names(store) == [(7, NAME)]
    assert store.open(listed(6)).read(100) == b"inside"


def test_a_prefix_may_hold_what_urls_escape(s3, open_store) -> None:
    s3.put(f"a team+b&c=ü/{KEY}", b"x")
    store = open_store("/a team+b&c=ü")
    assert store.owners().found == [(ACCOUNT, REGION)]
    assert names(store) == [(7, NAME)]
    assert store.open(listed(1)).read(100) == b"x"


def test_only_log_objects_are_listed(s3, open_store) -> None:
    s3.put(KEY, b"x")
    for foreign in (
        f"{HOURS}/07/data/6f9619ff-8b86-4d01-b42d-00cf4fc964ff_input.json.gz",
        f"{HOURS}/07/data/{NAME}",
        f"{HOURS}/07/amazon-bedrock-logs-permission-check",
        f"{HOURS}/07/notes.txt",
        f"{HOURS}/07/",
        f"{HOURS}/7/{NAME}",
        f"{HOURS}/24/{NAME}",
        f"{HOURS}/070/{NAME}",
        f"{HOURS}/\u0660\u0667/{NAME}",
        f"{HOURS}/{NAME}",
        f"{HOURS}2/07/{NAME}",
    ):
        s3.put(foreign, b"x")
    assert names(open_store()) == [(7, NAME)]


def test_a_day_of_more_than_one_page_is_listed_whole(s3, open_store) -> None:
    expected = []
    for number in range(2100):
        name = f"20261121T{number % 24:02}0000000Z_{number:016x}.json.gz"
        s3.put(f"{HOURS}/{number % 24:02}/{name}", b"x")
        expected.append((number % 24, name))
    assert sorted(names(open_store())) == sorted(expected)
    assert len(s3.lists) == 3


def test_the_size_is_that_of_the_stored_bytes(s3, open_store) -> None:
    s3.put(KEY, b"x" * 1234)
    assert [item.size for item in open_store().list_day(ACCOUNT, REGION, DAY).found] == [1234]


def test_an_object_deleted_after_its_listing_is_gone(s3, open_store) -> None:
    s3.put(KEY, b"x")
    store = open_store()
    [item] = store.list_day(ACCOUNT, REGION, DAY).found
    s3.delete(KEY)
    with pytest.raises(ObjectGoneError, match=f"s3://{BUCKET}/{KEY}"):
        store.open(item)


def test_a_denied_listing_says_which_permission_is_missing(s3, open_store) -> None:
    s3.faults.append(refuse("", 403, "AccessDenied", lists=True))
    error = failure(open_store().owners)
    assert error.reason == "access_denied"
    assert "s3:ListBucket" in str(error)


@pytest.mark.parametrize("code", ["AccessDenied", "KMS.DisabledException", "KMS.NotFoundException"])
def test_a_denied_object_says_which_and_what_is_missing(s3, open_store, code) -> None:
    s3.put(KEY, b"x")
    s3.faults.append(refuse(NAME, 403, code))
    error = failure(lambda: open_store().open(listed(1)))
    assert error.reason == "access_denied"
    assert f"s3://{BUCKET}/{KEY}" in str(error)
    assert "s3:GetObject" in str(error)
    assert "kms:Decrypt" in str(error)


@pytest.mark.parametrize(
    ("status", "code", "reason"),
    [
        (503, "SlowDown", "throttled"),
        (503, "ServiceUnavailable", "server_error"),
        (500, "InternalError", "server_error"),
    ],
)
def test_a_failure_of_s3_is_tried_again_then_said(s3, open_store, status, code, reason) -> None:
    s3.put(KEY, b"x")
    s3.faults.append(refuse(NAME, status, code, times=3))
    assert open_store().open(listed(1)).read(10) == b"x"
    s3.requests.clear()
    s3.faults.append(refuse(NAME, status, code))
    assert failure(lambda: open_store().open(listed(1))).reason == reason
    assert len(s3.gets) == 4


def test_a_gateway_that_fails_without_a_code_is_a_failure_of_the_server(s3, open_store) -> None:
    s3.faults.append(refuse("", 502, "", lists=True))
    assert failure(open_store().owners).reason == "server_error"


@pytest.mark.parametrize("lists", [True, False])
def test_a_listing_that_is_refused_as_not_found_is_no_vanished_object(
    s3, open_store, lists
) -> None:
    s3.faults.append(refuse("", 404, "NoSuchKey", lists=True))
    call = open_store().owners if lists else lambda: names(open_store())
    assert failure(call).reason == "aws"


def test_a_listing_that_breaks_off_is_tried_again(s3, open_store) -> None:
    s3.put(KEY, b"x")
    s3.faults.append(cut("2026/11/21", 100, times=1, lists=True))
    assert names(open_store()) == [(7, NAME)]


def test_a_wrong_bucket_is_said(s3) -> None:
    store = S3Store("s3://no-such-bucket/prefix", Meter())
    with pytest.raises(StoreError, match=r"s3://no-such-bucket/prefix/AWSLogs/.*`location`") as it:
        store.owners()
    assert it.value.reason == "not_found"


def test_a_name_that_no_bucket_can_have_is_said(s3) -> None:
    with pytest.raises(StoreError, match=r"s3://no bucket/AWSLogs/") as caught:
        S3Store("s3://no bucket", Meter()).owners()
    assert caught.value.reason == "aws"


def test_an_archived_object_is_said_to_need_restoring(s3, open_store) -> None:
    s3.put(KEY, b"x")
    s3.faults.append(refuse(NAME, 403, "InvalidObjectState"))
    error = failure(lambda: open_store().open(listed(1)))
    assert error.reason == "archived"
    assert "restore" in str(error)


class TestCredentials:
    def test_none_at_all_is_said(self, s3, open_store, monkeypatch) -> None:
        monkeypatch.delenv("AWS_ACCESS_KEY_ID")
        monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
        error = failure(open_store().owners)
        assert error.reason == "credentials"
        assert "a role or a profile" in str(error)
        assert s3.requests == []

    def test_a_profile_that_does_not_exist_is_said(self, s3, open_store, monkeypatch) -> None:
        monkeypatch.setenv("AWS_PROFILE", "nightly")
        error = failure(open_store().owners)
        assert error.reason == "credentials"
        assert "nightly" in str(error)

    def test_an_expired_token_is_said(self, s3, open_store) -> None:
        s3.faults.append(refuse("", 400, "ExpiredToken", lists=True))
        error = failure(open_store().owners)
        assert error.reason == "credentials"
        assert "ExpiredToken" in str(error)
        assert "renew" in str(error)

    def test_renewed_ones_are_taken_without_a_restart(
        self, s3, open_store, monkeypatch, tmp_path: Path
    ) -> None:
        monkeypatch.delenv("AWS_ACCESS_KEY_ID")
        monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
        file = tmp_path / "credentials"
        monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(file))
        store = open_store()
        assert failure(store.owners).reason == "credentials"
        file.write_text(
            f"[default]\naws_access_key_id = AKIAOLD\naws_secret_access_key = {SECRET}\n"
        )
        s3.faults.append(refuse("", 400, "ExpiredToken", times=1, lists=True))
        assert failure(store.owners).reason == "credentials"
        file.write_text(
            f"[default]\naws_access_key_id = AKIANEW\naws_secret_access_key = {SECRET}\n"
        )
        assert store.owners() == Owners([], [])
        assert [request.access_key for request in s3.requests] == ["AKIAOLD", "AKIANEW"]


class TestTheRoleOfAnAccount:
    role = "arn:aws:iam::444455556666:role/Reader"

    @pytest.fixture
    def sts(self, s3, monkeypatch) -> Iterator[StsServer]:
        with StsServer() as sts:
            monkeypatch.setenv("AWS_ENDPOINT_URL_STS", sts.url)
            yield sts

    @pytest.fixture
    def store(self, s3, sts) -> S3Store:
        account = Account(role_arn=self.role, regions=("us-east-1",))
        return S3Store(f"s3://{BUCKET}", Meter(), account)

    def test_signs_every_request(self, s3, store) -> None:
        s3.put(KEY, b"x")
        store.owners()
        names(store)
        store.open(listed(1))
        assert {request.access_key for request in s3.requests} == {"ASIA444455556666N1"}

    def test_is_assumed_again_after_its_credentials_were_refused(self, s3, store) -> None:
        s3.faults.append(refuse("", 400, "ExpiredToken", times=1, lists=True))
        assert failure(store.owners).reason == "credentials"
        assert store.owners() == Owners([], [])
        keys = [request.access_key for request in s3.requests]
        assert keys == ["ASIA444455556666N1", "ASIA444455556666N2"]

    def test_that_is_refused_is_said_and_tried_again(self, s3, sts, store) -> None:
        sts.refusals[self.role] = (403, "AccessDenied")
        error = failure(store.owners)
        assert error.reason == "access_denied"
        assert self.role in str(error)
        assert "trust policy" in str(error)
        assert "s3:ListBucket" not in str(error)
        sts.refusals.clear()
        assert store.owners() == Owners([], [])

    def test_that_worn_out_credentials_ask_for_is_taken_with_new_ones(
        self, s3, sts, store, monkeypatch
    ) -> None:
        sts.refusals[self.role] = (403, "ExpiredToken")
        assert failure(store.owners).reason == "credentials"
        sts.refusals.clear()
        assert store.owners() == Owners([], [])

    def test_is_metered(self, s3, sts) -> None:
        meter = Meter()
        account = Account(role_arn=self.role, regions=("us-east-1",))
        S3Store(f"s3://{BUCKET}", meter, account).owners()
        assert meter.take() == {
            AwsRequest("sts", "AssumeRole"): 1,
            AwsRequest("s3", "ListObjectsV2"): 1,
        }


class TestASmallObject:
    """Is fetched whole before it is read."""

    content = gzip.compress(os.urandom(50_000))

    def test_that_breaks_off_is_fetched_again(self, s3, open_store) -> None:
        s3.put(KEY, self.content)
        s3.faults.append(cut(NAME, 20_000, times=2))
        stream = open_store().open(listed(len(self.content)))
        assert stream.read(10**6) == self.content
        assert len(s3.gets) == 3

    def test_that_always_breaks_off_is_given_up(self, s3, open_store) -> None:
        s3.put(KEY, self.content)
        s3.faults.append(cut(NAME, 20_000))
        error = failure(lambda: open_store().open(listed(len(self.content))))
        assert error.reason == "network"
        assert NAME in str(error)
        assert len(s3.gets) == 4

    def test_whose_bytes_were_changed_on_their_way_is_fetched_again(self, s3, open_store) -> None:
        s3.put(KEY, self.content, checksum=True)
        s3.faults.append(spoil(NAME, times=1))
        stream = open_store().open(listed(len(self.content)))
        assert stream.read(10**6) == self.content
        assert len(s3.gets) == 2


class TestALargeObject:
    """Is read while it comes, so that it is never whole in memory."""

    def test_is_not_waited_for(self, s3, open_store, monkeypatch) -> None:
        monkeypatch.setattr(s3_store, "_WHOLE_BYTES", 1000)
        s3.put(KEY, b"x" * 5000)
        stream = open_store().open(listed(5000))
        assert [len(stream.read(4000)), len(stream.read(4000)), stream.read(4000)] == [
            4000,
            1000,
            b"",
        ]
        stream.close()

    def test_that_breaks_off_says_so_and_where(self, s3, open_store, monkeypatch) -> None:
        monkeypatch.setattr(s3_store, "_WHOLE_BYTES", 1000)
        s3.put(KEY, b"x" * 300_000)
        s3.faults.append(cut(NAME, 200_000))
        stream = open_store().open(listed(300_000))

        def read_all() -> None:
            while stream.read(2**16):
                pass

        error = failure(read_all)
        stream.close()
        assert error.reason == "network"
        assert NAME in str(error)

    def test_whose_bytes_were_changed_on_their_way_says_so(
        self, s3, open_store, monkeypatch
    ) -> None:
        monkeypatch.setattr(s3_store, "_WHOLE_BYTES", 1000)
        s3.put(KEY, b"x" * 5000, checksum=True)
        s3.faults.append(spoil(NAME))
        with closing(open_store().open(listed(5000))) as stream:
            stream.read(5000)
            assert failure(lambda: stream.read(1)).reason == "network"


class TestANetworkThatFails:
    def test_a_server_that_hangs_is_given_up(self, s3, open_store) -> None:
        s3.faults.append(wait_for("", s3.released.wait, lists=True))
        error = failure(open_store(read_seconds=0.05).owners)
        assert error.reason == "network"
        assert "timeout" in str(error).lower()
        assert len(s3.requests) == 4

    def test_an_object_that_hangs_is_not_asked_for_more_than_four_times(
        self, s3, open_store
    ) -> None:
        s3.put(KEY, b"x")
        s3.faults.append(wait_for(NAME, s3.released.wait))
        assert failure(lambda: open_store(read_seconds=0.05).open(listed(1))).reason == "network"
        assert len(s3.gets) == 4

    def test_nobody_listening_is_said(self, s3, open_store, monkeypatch, free_port) -> None:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{free_port}")
        error = failure(open_store().owners)
        assert error.reason == "network"
        assert "check the network" in str(error)


def test_threads_that_come_at_once_share_one_client(s3, open_store, monkeypatch) -> None:
    made = []
    make = boto3.Session.client

    def counted(*args: object, **options: object) -> object:
        made.append(1)
        return make(*args, **options)

    monkeypatch.setattr(boto3.Session, "client", counted)
    s3.put(KEY, b"x")
    store = open_store()
    with ThreadPoolExecutor(8) as pool:
        streams = list(pool.map(lambda _: store.open(listed(1)), range(32)))
    assert [stream.read(10) for stream in streams] == [b"x"] * 32
    assert len(made) == 1


def test_every_attempt_is_metered(s3) -> None:
    meter = Meter()
    store = S3Store(f"s3://{BUCKET}", meter, sleep=lambda seconds: None)
    s3.put(KEY, b"x")
    s3.faults.append(refuse(NAME, 503, "SlowDown", times=2))
    store.owners()
    store.open(listed(1))
    assert meter.take() == {
        AwsRequest("s3", "ListObjectsV2"): 2,
        AwsRequest("s3", "GetObject"): 3,
    }


class TestPromptLogs:
    """Several services and log types, each with its regions, below one account."""

    q_chat, q_inline = "QDeveloperLogs/GenerateAssistantResponse", "QDeveloperLogs/Completions"
    kiro_chat = "KiroLogs/GenerateAssistantResponse"

    @pytest.fixture
    def store(self, open_store) -> S3Store:
        return open_store(layout=PROMPT_LOGS)

    def put(self, s3: S3Server, below: str, account: str = ACCOUNT) -> None:
        s3.put(f"AWSLogs/{account}/{below}", b"text")

    def put_all(self, s3: S3Server) -> None:
        """Chat of both products in one region, and inline suggestions in another."""
        self.put(s3, f"{self.q_chat}/{REGION}/2026/11/21/07/a.json.gz/b.json")
        self.put(s3, f"{self.kiro_chat}/{REGION}/2026/11/21/09/c.json.gz")
        self.put(s3, f"{self.q_inline}/eu-central-1/2026/11/21/07/d.json.gz")
        for foreign in (
            f"{self.kiro_chat}/{REGION}/2026/11/21/09/6f9619ff-8b86-4d01-b42d-00cf4fc964ff",
            f"{self.kiro_chat}/{REGION}/2026/11/21/09/hostile\u202e.json",
            f"{self.kiro_chat}/{REGION}/2026/11/21/24/x.json",
            "KiroLogs/6f9619ff-8b86-4d01-b42d-00cf4fc964ff",
            f"KiroLogs/{REGION}/2026/11/21/09/x.json",
            "KiroLogs/user_report/ap-south-1/2026/11/21/00/x.csv",
            f"BedrockModelInvocationLogs/ap-south-1/2026/11/21/07/{NAME}",
        ):
            self.put(s3, foreign)

    def test_are_found_and_listed_whatever_their_log_type(self, s3, store) -> None:
        self.put_all(s3)
        self.put(s3, f"{self.q_chat}/{REGION}/x", "4" * 12)
        assert store.owners() == Owners(
            [(ACCOUNT, "eu-central-1"), (ACCOUNT, REGION), ("4" * 12, REGION)], []
        )
        assert sorted(names(store)) == [
            (7, f"{self.q_chat}/a.json.gz/b.json"),
            (9, f"{self.kiro_chat}/c.json.gz"),
        ]
        assert names(open_bedrock := S3Store(f"s3://{BUCKET}", Meter())) == []
        assert open_bedrock.owners().found == [(ACCOUNT, "ap-south-1")]

    def test_are_opened_by_what_tells_them(self, s3, store) -> None:
        self.put_all(s3)
        [item] = store.list_day(ACCOUNT, "eu-central-1", DAY).found
        assert store.open(item).read(10) == b"text"

    def test_cost_one_listing_for_a_day_and_log_type_that_a_region_has(self, s3, store) -> None:
        self.put_all(s3)
        store.owners()
        assert len(s3.lists) == 1 + 2 + 3  # the accounts, the services, the log types
        s3.requests.clear()
        assert len(names(store)) == 2
        assert sorted(request.prefix for request in s3.lists) == [
            f"AWSLogs/{ACCOUNT}/{folder}/{REGION}/2026/11/21/"
            for folder in (self.kiro_chat, self.q_chat)
        ]

    def test_are_listed_also_by_who_did_not_ask_whose_they_are(self, s3, store) -> None:
        self.put_all(s3)
        assert len(names(store)) == 2
        assert len(s3.lists) == 2 + 3

    def test_of_a_log_type_that_appears_are_listed_from_the_next_look_on(self, s3, store) -> None:
        self.put_all(s3)
        store.owners()
        self.put(s3, f"KiroLogs/New/{REGION}/2026/11/21/10/e.json.gz")
        assert len(names(store)) == 2
        store.owners()
        assert (10, "KiroLogs/New/e.json.gz") in names(store)

    def test_of_a_log_type_that_is_refused_leave_their_account_for_later(self, s3, store) -> None:
        """Read on without it, the account would count as read when it may be read again."""
        self.put_all(s3)
        self.put(s3, f"{self.q_chat}/{REGION}/x", "4" * 12)
        s3.faults.append(refuse(f"{ACCOUNT}/KiroLogs/", 403, "AccessDenied", lists=True))
        found, [fault] = store.owners()
        assert (found, fault.reason) == ([("4" * 12, REGION)], "access_denied")
        assert str(fault).startswith(f"s3://{BUCKET}/AWSLogs/{ACCOUNT}/KiroLogs/: ")


def test_reports_cost_one_listing_for_a_day_and_product_that_has_some(s3, open_store) -> None:
    store = open_store(layout=ACTIVITY_REPORTS)
    s3.put(f"AWSLogs/{ACCOUNT}/KiroLogs/by_user_analytic/{REGION}/2026/11/21/00/x.csv", b"")
    assert store.owners().found == [(ACCOUNT, REGION)]
    assert len(s3.lists) == 1 + 2
    assert names(store) == [(0, "KiroLogs/by_user_analytic/x.csv")]
    assert len(s3.lists) == 1 + 2 + 1
