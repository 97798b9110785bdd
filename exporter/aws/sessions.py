"""Sessions of boto3: in the ambient credentials, or in the role of one of `aws.accounts`.

A session asks AWS for nothing before its first request. One of a role assumes it then, and again
before its credentials expire; the ambient credentials that do so are kept fresh by botocore.
Time-outs and retries are the same for all clients. All sessions share boto's descriptions of
services: one's own would cost it a quarter of a second and 14 MB. Knows nothing of what is asked.
"""

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.credentials import (
    CredentialProvider,
    CredentialResolver,
    DeferredRefreshableCredentials,
)
from botocore.exceptions import ClientError, CredentialRetrievalError
from botocore.loaders import Loader, create_loader
from botocore.session import Session as CoreSession

from exporter.aws.meter import Meter

if TYPE_CHECKING:
    from exporter.config import Account

ATTEMPTS = 4
"""How often a request is sent before it has failed."""
_CONNECT_SECONDS = 5
_READ_SECONDS = 30
_CONNECTIONS = 10
_SESSION_NAME = "bedrock-exporter"
"""By which CloudTrail shows who was in the role."""
_MOST_TOLD = 500
"""Characters of AWS's own words that are passed on."""
_WORN_OUT = frozenset(
    {"ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId", "SignatureDoesNotMatch"}
)

# A refusal is raised and told once, by whoever asked; botocore would log a traceback besides.
logging.getLogger("botocore.credentials").setLevel(logging.ERROR)


def _utc_now() -> datetime:
    return datetime.now(UTC)


def session(
    account: "Account | None",
    region: str | None = None,
    meter: Meter | None = None,
    now: Callable[[], datetime] = _utc_now,
) -> boto3.Session:
    """Return a session of an account, or for None of the ambient credentials.

    Without a region it is the first of the account, or the ambient one. The meter counts what is
    asked of STS. All clients of a session share its credentials. Raises ProfileNotFound; a request
    in a role that is refused raises RoleError.
    """
    core = CoreSession()
    if account is not None:
        provider = _RoleProvider(_Role(account, meter, now))
        core.register_component("credential_provider", CredentialResolver([provider]))
        region = region or account.regions[0]
    made = boto3.Session(botocore_session=core, region_name=region)
    # Last: boto3 adds to the search path of the loader that it finds, at each session.
    core.register_component("data_loader", _loader(core.get_config_variable("data_path")))
    return made


@cache
def _loader(data_path: str | None) -> Loader:
    """Return what reads descriptions of services, and keeps them."""
    return create_loader(data_path)


def client(
    aws: boto3.Session,
    service: str,
    meter: Meter,
    read_seconds: float = _READ_SECONDS,
    connections: int = _CONNECTIONS,
) -> Any:
    """Return a metered client that waits and tries again as all of the exporter's do."""
    settings = Config(
        retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
        connect_timeout=_CONNECT_SECONDS,
        read_timeout=read_seconds,
        max_pool_connections=connections,
    )
    untyped: Any = aws
    made = untyped.client(service, config=settings)
    meter.attach(made)
    return made


class RoleError(ClientError):
    """AWS refuses a role of `aws.accounts`: says which, to whom, and what to do."""

    def __init__(self, account: "Account", error: ClientError) -> None:
        told = error.response.get("Error", {})
        code = str(told.get("Code", "Unknown"))
        words = " ".join(str(told.get("Message", "")).split())[:_MOST_TOLD]
        text = f"cannot assume {account.role_arn} ({words}); {_remedy(account, code)}"
        response: Any = {**error.response, "Error": {**told, "Message": text}}
        super().__init__(response, "AssumeRole")


def _remedy(account: "Account", code: str) -> str:
    if code == "AccessDenied":
        external_id = (
            "with the `external_id` of aws.accounts"
            if account.external_id
            else "without an external id, or give aws.accounts its `external_id`"
        )
        return (
            "its trust policy must allow sts:AssumeRole to the exporter's own identity "
            f"{external_id}; that identity's policies must allow it, too"
        )
    if code == "RegionDisabledException":
        return "activate STS in that region, or set AWS_REGION to one where it is active"
    if code in _WORN_OUT:
        return "AWS refuses the exporter's own credentials; renew them"
    return "it is tried again at the next refresh"


class _Role:
    """Assumes the role of an account."""

    def __init__(
        self, account: "Account", meter: Meter | None, now: Callable[[], datetime]
    ) -> None:
        self._account = account
        self._meter = meter or Meter()
        self.now = now

    def credentials(self) -> dict[str, str]:
        """Return new credentials, as botocore takes them. Raises RoleError."""
        sts = client(_ambient_for(self._account), "sts", self._meter)
        external_id = self._account.external_id
        try:
            answer = sts.assume_role(
                RoleArn=self._account.role_arn,
                RoleSessionName=_SESSION_NAME,
                **({"ExternalId": external_id} if external_id else {}),
            )["Credentials"]
        except ClientError as error:
            raise RoleError(self._account, error) from None
        if answer["Expiration"] <= self.now():
            problem = f"those of {self._account.role_arn} have expired already; is the clock right?"
            raise CredentialRetrievalError(provider="assume-role", error_msg=problem)
        return {
            "access_key": answer["AccessKeyId"],
            "secret_key": answer["SecretAccessKey"],
            "token": answer["SessionToken"],
            "expiry_time": answer["Expiration"].isoformat(),
        }


def _ambient_for(account: "Account") -> boto3.Session:
    """Return the ambient session, in a region of the account's partition.

    STS is asked in the exporter's own region if it has one there: that is sure to be active in its
    account, and may be the only one that its network reaches. Roles are good in every region.
    """
    # Imported here, as it brings 8 MB that a process without accounts need not have.
    from exporter.config import partition_of

    ambient = session(None)
    if ambient.region_name and partition_of(ambient.region_name) == account.partition:
        return ambient
    return session(None, account.regions[0])


class _RoleProvider(CredentialProvider):
    """Gives botocore the credentials of a role, to be fetched once they are needed."""

    METHOD = "assume-role"

    def __init__(self, role: _Role) -> None:
        super().__init__()
        self._role = role

    def load(self) -> DeferredRefreshableCredentials:
        return DeferredRefreshableCredentials(
            refresh_using=self._role.credentials, method=self.METHOD, time_fetcher=self._role.now
        )
