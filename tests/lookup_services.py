"""All that lookups ask, to test against: STS, IAM and Identity Center of moto, Bedrock of our own.

    with LookupServices() as services:
        services.use(monkeypatch)
        services.create_role("Shop-BedrockRole", Team="Shop")

The ambient credentials are of the account AMBIENT; a role of any other may be assumed.
"""

from types import SimpleNamespace
from typing import Any, Self

import boto3
import pytest
from moto.iam.models import iam_backends
from moto.identitystore.models import identitystore_backends
from moto.server import ThreadedMotoServer

from bedrock_server import BedrockServer

AMBIENT = "123456789012"
"""The account that moto gives to credentials it does not know."""
ACCESS_KEY = "AKIAIOSFODNN7EXAMPLE"
STORE = "d-1234567890"
STORE_REGION = "eu-west-1"


class LookupServices:
    """The services, on loopback."""

    def __init__(self) -> None:
        self.bedrock = BedrockServer()
        self._moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)

    def __enter__(self) -> Self:
        self._moto.start()
        self.bedrock.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.bedrock.__exit__()
        self._moto.stop()

    def use(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Forget everything, and lead boto3 here with credentials."""
        self.bedrock.reset()
        for backends in (iam_backends, identitystore_backends):
            for of_account in backends.values():
                of_account.reset()
        port = self._moto.get_host_and_port()[1]
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
        monkeypatch.setenv("AWS_ENDPOINT_URL_BEDROCK", self.bedrock.url)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY")
        monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=lambda seconds: None))

    def create_role(
        self, role: str, *, account: str = AMBIENT, path: str = "/", **tags: str
    ) -> None:
        """Have a role with tags."""
        _client("iam", "us-east-1", account).create_role(
            RoleName=role,
            Path=path,
            AssumeRolePolicyDocument="{}",
            Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
        )

    def create_user(self, user_name: str, *, account: str = AMBIENT) -> str:
        """Have a user of Identity Center whose display name is another, and return its id."""
        created = _client("identitystore", STORE_REGION, account).create_user(
            IdentityStoreId=STORE,
            UserName=user_name,
            DisplayName="Somebody",
            Name={"GivenName": "Some", "FamilyName": "Body"},
        )
        user_id: str = created["UserId"]
        return user_id


def _client(service: str, region: str, account: str) -> Any:
    untyped: Any = boto3
    if account == AMBIENT:
        return untyped.client(service, region_name=region)
    sts = untyped.client("sts", region_name="us-east-1")
    role = f"arn:aws:iam::{account}:role/Any"
    given = sts.assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
    return untyped.client(
        service,
        region_name=region,
        aws_access_key_id=given["AccessKeyId"],
        aws_secret_access_key=given["SecretAccessKey"],
        aws_session_token=given["SessionToken"],
    )
