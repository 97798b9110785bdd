"""Sessions in the ambient credentials and in roles: real boto3 over HTTP against STS."""

import pickle
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from types import SimpleNamespace

import boto3
import pytest
from botocore.exceptions import ClientError, CredentialRetrievalError, NoCredentialsError
from botocore.loaders import JSONFileLoader
from moto.server import ThreadedMotoServer

from exporter.aws.meter import Meter
from exporter.aws.sessions import RoleError, client, session
from exporter.config import Account
from exporter.usage import AwsRequest
from sts_server import CALLER, StsServer

ASSUME = AwsRequest("sts", "AssumeRole")
SECRET = "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY"


def account(account_id: str = "111122223333", partition: str = "aws", **keys: object) -> Account:
    return Account(
        role_arn=f"arn:{partition}:iam::{account_id}:role/Reader",
        **{"regions": ("eu-west-1",), **keys},
    )


@pytest.fixture(scope="module")
def server() -> Iterator[StsServer]:
    with StsServer() as server:
        yield server


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    yield "http://{}:{}".format(*server.get_host_and_port())
    server.stop()


@pytest.fixture(autouse=True)
def ambient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials of the exporter's own."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=lambda seconds: None))


@pytest.fixture
def sts(server: StsServer, monkeypatch: pytest.MonkeyPatch) -> StsServer:
    server.reset()
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", server.url)
    return server


def key_of(aws: boto3.Session) -> str:
    """The access key that a request would be signed with now."""
    return aws.get_credentials().get_frozen_credentials().access_key


def caller(of: Account | None) -> str:
    identity = client(session(of, "us-east-1"), "sts", Meter()).get_caller_identity()
    return identity["Account"]


def test_each_account_is_reached_in_its_own_role(moto, monkeypatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", moto)
    shop, bank = account("111122223333"), account("444455556666")
    assert [caller(shop), caller(bank), caller(shop)] == [
        "111122223333",
        "444455556666",
        "111122223333",
    ]
    assert caller(None) == "123456789012"  # moto's own


def test_what_one_account_holds_is_not_seen_in_another(moto, monkeypatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", moto)
    shop, bank = (
        client(session(account(number), "us-east-1"), "s3", Meter())
        for number in ("111122223333", "444455556666")
    )
    shop.create_bucket(Bucket="shop-logs")
    assert [bucket["Name"] for bucket in shop.list_buckets()["Buckets"]] == ["shop-logs"]
    assert bank.list_buckets()["Buckets"] == []


def test_a_role_is_assumed_with_its_external_id_under_the_exporters_name(sts) -> None:
    key_of(session(account(external_id="shared-with-us")))
    key_of(session(account()))
    assert [
        (asked["RoleArn"], asked["RoleSessionName"], asked.get("ExternalId")) for asked in sts.asked
    ] == [
        ("arn:aws:iam::111122223333:role/Reader", "bedrock-exporter", "shared-with-us"),
        ("arn:aws:iam::111122223333:role/Reader", "bedrock-exporter", None),
    ]


def test_nothing_is_asked_before_it_is_needed(sts) -> None:
    aws = session(account())
    client(aws, "s3", Meter())
    client(aws, "athena", Meter())
    assert sts.asked == []


def test_the_clients_of_a_session_share_a_role(sts) -> None:
    aws = session(account())
    assert key_of(aws) == key_of(aws) == "ASIA111122223333N1"


def test_credentials_are_renewed_before_they_expire(sts) -> None:
    clock = [datetime.now(UTC)]
    aws = session(account(), now=lambda: clock[0])
    start = clock[0]
    keys = {}
    for minutes in (0, 30, 44, 50, 59):
        clock[0] = start + timedelta(minutes=minutes)
        if minutes == 50:
            sts.lifetime = timedelta(hours=2)
        keys[minutes] = key_of(aws)
    first, second = "ASIA111122223333N1", "ASIA111122223333N2"
    assert keys == {0: first, 30: first, 44: first, 50: second, 59: second}


def test_a_renewal_that_fails_early_leaves_the_credentials_that_still_hold(sts) -> None:
    clock = [datetime.now(UTC)]
    aws = session(account(), now=lambda: clock[0])
    first = key_of(aws)
    sts.refusals["arn:aws:iam::111122223333:role/Reader"] = (403, "AccessDenied")
    clock[0] += timedelta(minutes=48)
    assert key_of(aws) == first
    clock[0] += timedelta(minutes=4)
    with pytest.raises(RoleError):
        key_of(aws)


def test_credentials_that_have_expired_when_they_come_are_refused(sts) -> None:
    sts.lifetime = timedelta(minutes=-1)
    with pytest.raises(CredentialRetrievalError, match=r"111122223333:role/Reader.*clock"):
        key_of(session(account()))


class TestARefusedRole:
    role = "arn:aws:iam::111122223333:role/Reader"

    def refusal(self, sts: StsServer, status: int, code: str, **keys: object) -> RoleError:
        sts.refusals[self.role] = (status, code)
        with pytest.raises(RoleError) as caught:
            key_of(session(account(**keys)))
        assert SECRET not in str(caught.value)
        return caught.value

    def test_says_who_which_and_what_to_do(self, sts) -> None:
        text = str(self.refusal(sts, 403, "AccessDenied"))
        assert f"cannot assume {self.role}" in text
        assert CALLER in text
        assert "trust policy must allow sts:AssumeRole" in text
        assert "give aws.accounts its `external_id`" in text

    def test_says_that_the_external_id_may_be_wrong_without_showing_it(self, sts) -> None:
        text = str(self.refusal(sts, 403, "AccessDenied", external_id="shared-with-us"))
        assert "with the `external_id` of aws.accounts" in text
        assert "shared-with-us" not in text

    def test_by_a_region_without_sts_says_so(self, sts) -> None:
        text = str(self.refusal(sts, 403, "RegionDisabledException"))
        assert "activate STS in that region" in text

    def test_by_worn_out_credentials_blames_those(self, sts) -> None:
        text = str(self.refusal(sts, 403, "ExpiredToken"))
        assert "AWS refuses the exporter's own credentials; renew them" in text
        assert "trust policy" not in text

    def test_that_sts_fails_to_give_blames_nobody(self, sts) -> None:
        text = str(self.refusal(sts, 503, "ServiceUnavailable"))
        assert "tried again at the next refresh" in text
        assert "renew" not in text

    def test_is_an_error_of_aws_like_any_other(self, sts) -> None:
        error = self.refusal(sts, 403, "AccessDenied")
        assert isinstance(error, ClientError)
        assert error.response["Error"]["Code"] == "AccessDenied"
        assert error.operation_name == "AssumeRole"
        assert self.role in error.response["Error"]["Message"]

    def test_is_not_logged_besides(self, sts, caplog) -> None:
        self.refusal(sts, 403, "AccessDenied")
        assert caplog.text == ""

    def test_hides_no_other(self, sts) -> None:
        self.refusal(sts, 403, "AccessDenied")
        assert key_of(session(account("444455556666"))).startswith("ASIA444455556666")

    def test_is_asked_for_again_once_it_is_allowed(self, sts) -> None:
        sts.refusals[self.role] = (403, "AccessDenied")
        aws = session(account())
        with pytest.raises(RoleError):
            key_of(aws)
        sts.refusals.clear()
        assert key_of(aws).startswith("ASIA111122223333")


def test_without_credentials_of_its_own_there_is_no_role(sts, monkeypatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(NoCredentialsError):
        key_of(session(account()))


def test_requests_to_sts_are_metered_too_retries_included(sts) -> None:
    meter = Meter()
    sts.refusals["arn:aws:iam::111122223333:role/Reader"] = (500, "InternalFailure")
    with pytest.raises(RoleError):
        key_of(session(account(), meter=meter))
    assert meter.take() == {ASSUME: 4}


class Endpoints(Meter):
    """Notes where each client sends to, instead of what it sends."""

    def __init__(self) -> None:
        super().__init__()
        self.hosts: list[str] = []

    def attach(self, client: object) -> None:
        self.hosts.append(client.meta.endpoint_url)
        client.meta.events.register("before-send", self._stop)

    def _stop(self, **_: object) -> None:
        raise ConnectionAbortedError("not sent")


@pytest.mark.parametrize(
    ("partition", "regions", "own_region", "host"),
    [
        ("aws", ("eu-west-1", "us-east-1"), None, "sts.eu-west-1.amazonaws.com"),
        ("aws", ("eu-west-1",), "ap-south-1", "sts.ap-south-1.amazonaws.com"),
        ("aws", ("us-east-1",), None, "sts.us-east-1.amazonaws.com"),
        ("aws-us-gov", ("us-gov-east-1",), None, "sts.us-gov-east-1.amazonaws.com"),
        ("aws-us-gov", ("us-gov-east-1",), "us-east-1", "sts.us-gov-east-1.amazonaws.com"),
        ("aws-cn", ("cn-north-1",), None, "sts.cn-north-1.amazonaws.com.cn"),
        ("aws-cn", ("cn-north-1",), "cn-northwest-1", "sts.cn-northwest-1.amazonaws.com.cn"),
    ],
)
def test_sts_is_asked_at_an_endpoint_of_the_partition(
    monkeypatch, partition, regions, own_region, host
) -> None:
    if own_region:
        monkeypatch.setenv("AWS_DEFAULT_REGION", own_region)
    meter = Endpoints()
    with pytest.raises(ConnectionAbortedError):
        key_of(session(account(partition=partition, regions=regions), meter=meter))
    assert meter.hosts == [f"https://{host}"]


@pytest.mark.parametrize(
    ("of", "region", "expected"),
    [
        (account(regions=("eu-north-1", "us-east-1")), None, "eu-north-1"),
        (account(regions=("eu-north-1", "us-east-1")), "us-east-1", "us-east-1"),
        (None, None, "ap-south-1"),
        (None, "us-east-1", "us-east-1"),
    ],
)
def test_the_region_is_the_one_asked_for_or_the_first_of_the_account(
    monkeypatch, of, region, expected
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "ap-south-1")
    assert session(of, region).region_name == expected


def test_sessions_read_boto_s_descriptions_of_services_once(monkeypatch) -> None:
    loaded: list[str] = []

    def load_file(loader: JSONFileLoader, path: str) -> object:
        loaded.append(path)
        return load(loader, path)

    load = JSONFileLoader.load_file
    monkeypatch.setattr(JSONFileLoader, "load_file", load_file)
    for number in range(5):
        client(session(account(f"{number:012}")), "athena", Meter())
        client(session(None, "us-east-1"), "athena", Meter())
    assert len(loaded) == len(set(loaded))


def test_every_client_waits_and_retries_alike() -> None:
    made = client(session(None, "us-east-1"), "athena", Meter(), read_seconds=7, connections=3)
    settings = made.meta.config
    assert settings.retries == {"mode": "standard", "total_max_attempts": 4}
    assert (settings.connect_timeout, settings.read_timeout) == (5, 7)
    assert settings.max_pool_connections == 3


def _key_in_another_process(of: Account) -> str:
    return key_of(session(of))


def test_another_process_assumes_the_role_itself(sts) -> None:
    assert pickle.loads(pickle.dumps(account())) == account()
    with get_context("spawn").Pool(1) as pool:
        assert pool.apply(_key_in_another_process, (account(),)).startswith("ASIA111122223333")
