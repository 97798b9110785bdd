"""What AWS is asked of names, over HTTP: IAM and Identity Center of moto, Bedrock of our own."""

from collections.abc import Iterator

import pytest
from botocore.exceptions import ClientError

from bedrock_server import BedrockServer
from exporter.aws.lookups import Directory, NoAccountError
from exporter.aws.meter import Meter
from exporter.config import Account
from exporter.config.lookups import IdentityCenter
from exporter.usage import AwsRequest
from lookup_services import ACCESS_KEY, AMBIENT, STORE, STORE_REGION, LookupServices

OTHER = "444455556666"
REGION = "eu-central-1"
SONNET = "anthropic.claude-sonnet-4-5-20250929-v1:0"


def profile(account_id=AMBIENT):
    return f"arn:aws:bedrock:{REGION}:{account_id}:application-inference-profile/a1b2c3d4e5f6"


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


@pytest.fixture
def meter() -> Meter:
    return Meter()


@pytest.fixture
def directory(services, meter) -> Directory:
    role = f"arn:aws:iam::{OTHER}:role/Reader"
    other = Account(name="other", role_arn=role, regions=("us-east-1",))
    return Directory([other], meter)


def test_a_profile_is_asked_in_its_own_region_for_the_models_that_it_routes_to(directory, bedrock):
    routes = [
        f"arn:aws:bedrock:{region}::foundation-model/{SONNET}"
        for region in ("eu-west-3", "eu-central-1", "eu-west-1")
    ]
    bedrock.add(profile(), routes)
    assert directory.profile_models(AMBIENT, REGION, profile()) == sorted(routes)
    assert [request.region for request in bedrock.requests] == ["eu-central-1"]


def test_a_profile_has_tags(directory, bedrock):
    bedrock.add(profile(), [], Team="Search", Stage="")
    tags = directory.profile_tags(AMBIENT, REGION, profile())
    assert tags == {"Team": "Search", "Stage": ""}


def test_a_profile_of_an_account_of_the_configuration_is_asked_in_its_role(directory, bedrock):
    for account_id in (AMBIENT, OTHER):
        bedrock.add(profile(account_id), [])
        directory.profile_models(account_id, REGION, profile(account_id))
    ambient, other = bedrock.requests
    assert ambient.access_key == ACCESS_KEY
    assert other.access_key.startswith("ASIA")


def test_roles_of_one_name_in_two_accounts_keep_their_own_tags(directory, services):
    services.create_role("Shop-BedrockRole", Team="ours")
    services.create_role("Shop-BedrockRole", Team="theirs", account=OTHER)
    assert directory.role_tags(AMBIENT, REGION, "Shop-BedrockRole") == {"Team": "ours"}
    assert directory.role_tags(OTHER, REGION, "Shop-BedrockRole") == {"Team": "theirs"}


def test_a_role_below_a_path_is_found_by_its_name(directory, services):
    services.create_role("Shop-BedrockRole", path="/apps/eu/", Team="sales")
    assert directory.role_tags(AMBIENT, REGION, "Shop-BedrockRole") == {"Team": "sales"}


def test_all_pages_of_a_roles_tags_are_read(directory, services, monkeypatch):
    services.create_role("Shop-BedrockRole", **{f"key{number}": "x" for number in range(50)})
    monkeypatch.setattr("moto.iam.models.IAMBackend.list_role_tags", _twenty_a_page)
    assert len(directory.role_tags(AMBIENT, REGION, "Shop-BedrockRole")) == 50


def _twenty_a_page(backend, role_name, marker, max_items=100):
    tags = sorted(backend.get_role(role_name).tags, key=lambda tag: tag["Key"])
    start = int(marker or 0)
    return tags[start : start + 20], str(start + 20) if start + 20 < len(tags) else None


def test_an_account_without_credentials_is_not_asked_with_those_of_another(directory, bedrock):
    with pytest.raises(NoAccountError, match="account 999900009999; name it"):
        directory.role_tags("999900009999", REGION, "Shop-BedrockRole")
    with pytest.raises(NoAccountError):
        directory.profile_models("999900009999", REGION, profile("999900009999"))
    assert bedrock.requests == []


def test_a_user_is_called_by_the_user_name_and_not_by_the_display_name(directory, services):
    user_id = services.create_user("alice@example.com")
    center = IdentityCenter(identity_store_id=STORE, region=STORE_REGION)
    assert directory.user_name(center, user_id) == "alice@example.com"


def test_users_of_an_account_of_the_configuration_are_asked_for_in_its_role(directory, services):
    user_id = services.create_user("bob", account=OTHER)
    here = IdentityCenter(identity_store_id=STORE, region=STORE_REGION)
    there = here.model_copy(update={"account": "other"})
    assert directory.user_name(there, user_id) == "bob"
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        directory.user_name(here, user_id)


def test_every_request_is_metered_and_the_ambient_account_found_out_once(
    directory, services, meter
):
    services.create_role("Shop-BedrockRole")
    for _ in range(3):
        directory.role_tags(AMBIENT, REGION, "Shop-BedrockRole")
    tags, identity = AwsRequest("iam", "ListRoleTags"), AwsRequest("sts", "GetCallerIdentity")
    assert meter.take() == {tags: 3, identity: 1}
    directory.forget_clients()
    directory.role_tags(AMBIENT, REGION, "Shop-BedrockRole")
    assert meter.take() == {tags: 1, identity: 1}
