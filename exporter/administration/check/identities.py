"""Checks whose credentials are used: the ambient ones, and those of the roles of accounts."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import boto3

from exporter.administration.check.refusals import not_from_aws, refused
from exporter.administration.check.rows import Row, ok
from exporter.aws import sessions
from exporter.aws.meter import Meter
from exporter.config import Account, Athena, Config
from exporter.sources.aws_errors import AWS_ERRORS


def name_of(account: Account | None) -> str:
    """Return what an identity is called: that of an account, or the exporter's own."""
    return f"account {account.name}" if account else "exporter"


@dataclass(frozen=True)
class Identity:
    """Credentials that work, and whose they are."""

    account: Account | None
    account_id: str
    partition: str
    region: str
    """In which to ask for what is of no region."""
    meter: Meter
    _sessions: dict[str, boto3.Session] = field(default_factory=dict, repr=False)
    """By region, so that a role is assumed once for each."""

    def client(self, service: str, region: str | None = None) -> Any:
        """Return a metered client. Raises what boto3 raises."""
        region = region or self.region
        if region not in self._sessions:
            self._sessions[region] = sessions.session(self.account, region, self.meter)
        return sessions.client(self._sessions[region], service, self.meter)

    def arn(self, service: str, region: str, resource: str) -> str:
        """Return the ARN of a resource that belongs to the account."""
        return f"arn:{self.partition}:{service}:{region}:{self.account_id}:{resource}"

    def bucket(self, name: str) -> str:
        """Return the ARN of a bucket, or of bucket/key."""
        return f"arn:{self.partition}:s3:::{name}"


def accounts_in_use(config: Config) -> Iterator[Account | None]:
    """Yield each account whose credentials are needed, None for the exporter's own.

    A role is assumed with the exporter's own, which are checked first.
    """
    in_s3 = [source for source in config.sources if source.location.startswith("s3://")]
    if in_s3 or config.aws.lookups.are_wanted:
        yield None
    if config.aws.lookups.are_wanted:
        yield from config.aws.accounts
        return
    named = {source.account for source in in_s3}
    yield from (account for account in config.aws.accounts if account.name in named)


def home_region(config: Config) -> str:
    """Return a region to ask in where none is set: one that the configuration names."""
    told = [source.region for source in config.sources if isinstance(source, Athena)]
    told += [account.regions[0] for account in config.aws.accounts]
    return told[0] if told else "us-east-1"


def check_identity(
    account: Account | None, fallback: str, meter: Meter
) -> tuple[Row, Identity | None]:
    """Ask AWS whose the credentials of an account are; in `fallback` where no region is set."""
    subject = name_of(account)
    try:
        region = sessions.session(account).region_name or fallback
        session = sessions.session(account, region, meter)
        said = sessions.client(session, "sts", meter).get_caller_identity()
        account_id, arn = said["Account"], said["Arn"]
    except AWS_ERRORS as error:
        resource = account.role_arn if account else "*"
        row = refused(subject, "credentials", error, "sts:AssumeRole", resource, None)
        return row, None
    except KeyError:
        # botocore finds no result in an answer that is XML, but not of STS.
        return not_from_aws(subject, "credentials", "sts:GetCallerIdentity"), None
    identity = Identity(account, account_id, arn.split(":")[1], region, meter, {region: session})
    return ok(subject, "credentials", arn), identity
