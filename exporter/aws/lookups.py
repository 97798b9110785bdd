"""Asks AWS for what it knows of a name: one request or two, in the account that owns the name.

That account is one of `aws.accounts`, or the one that the ambient credentials belong to; no other
is asked, since a role of the same name may be another's there. What boto3 raises passes through.
"""

from collections.abc import Callable, Iterable
from typing import Any

import boto3

from exporter.aws.meter import Meter
from exporter.aws.sessions import client, session
from exporter.config import Account
from exporter.config.lookups import IdentityCenter


class NoAccountError(Exception):
    """The exporter has no credentials of the account that owns a name."""


class Directory:
    """What AWS knows of names; its clients are kept, so that they are made once."""

    def __init__(
        self,
        accounts: Iterable[Account],
        meter: Meter,
        open_session: Callable[[Account | None, str, Meter], boto3.Session] = session,
    ) -> None:
        self._accounts = tuple(accounts)
        self._meter = meter
        self._open_session = open_session
        self._clients: dict[tuple[str, str, str], Any] = {}
        self._ambient_id = ""

    def forget_clients(self) -> None:
        """Make clients anew from now on: those that there are have bad credentials."""
        self._clients.clear()
        self._ambient_id = ""

    def profile_models(self, account_id: str, region: str, profile_arn: str) -> list[str]:
        """Return the ARNs of the models that an application inference profile routes to."""
        bedrock = self._client("bedrock", self._owner(account_id, region), region)
        answer = bedrock.get_inference_profile(inferenceProfileIdentifier=profile_arn)
        return sorted({model["modelArn"] for model in answer.get("models", [])})

    def profile_tags(self, account_id: str, region: str, profile_arn: str) -> dict[str, str]:
        """Return the tags of an application inference profile."""
        bedrock = self._client("bedrock", self._owner(account_id, region), region)
        answer = bedrock.list_tags_for_resource(resourceARN=profile_arn)
        return {tag["key"]: tag["value"] for tag in answer.get("tags", [])}

    def role_tags(self, account_id: str, region: str, role_name: str) -> dict[str, str]:
        """Return the tags of a role; IAM is asked in the partition that the region lies in."""
        iam = self._client("iam", self._owner(account_id, region), region)
        pages = iam.get_paginator("list_role_tags")
        return {
            tag["Key"]: tag["Value"]
            for page in pages.paginate(RoleName=role_name)
            for tag in page["Tags"]
        }

    def user_name(self, center: IdentityCenter, user_id: str) -> str:
        """Return the user name of an Identity Center user; empty where it has none.

        The user name is unique in its directory, and it is what the sessions of SSO roles are
        called: so a person is one user, whichever way a call comes. Display names may be shared.
        """
        account = next((known for known in self._accounts if known.name == center.account), None)
        identity_store = self._client("identitystore", account, center.region)
        answer = identity_store.describe_user(
            IdentityStoreId=center.identity_store_id, UserId=user_id
        )
        name: str = answer.get("UserName", "")
        return name

    def _owner(self, account_id: str, region: str) -> Account | None:
        """Return how an account is reached; None by the ambient credentials.

        Raises NoAccountError.
        """
        for account in self._accounts:
            if account.account_id == account_id:
                return account
        if not self._ambient_id:
            sts = self._client("sts", None, region)
            self._ambient_id = sts.get_caller_identity()["Account"]
        if self._ambient_id != account_id:
            raise NoAccountError(
                f"there are no credentials of account {account_id}; name it in aws.accounts"
            )
        return None

    def _client(self, service: str, account: Account | None, region: str) -> Any:
        key = service, account.name if account else "", region
        if key not in self._clients:
            aws = self._open_session(account, region, self._meter)
            self._clients[key] = client(aws, service, self._meter)
        return self._clients[key]
