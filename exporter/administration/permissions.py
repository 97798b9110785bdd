"""The least that IAM must allow for one configuration, as policy documents.

Pure: AWS is not asked. What the configuration does not tell, such as the account of the exporter's
own credentials, is `*`. Knows the actions that the code really sends, and those that Athena sends
on behalf of whoever asks it; nothing is allowed in advance.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from exporter.administration.log_keys import keys_read, split_location
from exporter.administration.setup.place import Place
from exporter.config import Account, Athena, BedrockSource, Config, Source
from exporter.config.partitions import partition_of

Document = dict[str, Any]
"""A policy document or a part of one, as IAM reads it."""

MAX_MANAGED_POLICY = 6144
"""Most characters of a managed policy, white space aside (IAM quotas)."""

ANY = "*"
"""As an account id: whichever it is."""

_PRINCIPAL = re.compile(
    r"arn:aws(-[a-z]+)*:iam::[0-9]{12}:((role|user)/[\w+=,.@/-]+|root)", re.ASCII
)
_ACCOUNT_ID = re.compile(r"[0-9]{12}|\*")
_S3_LOCATION = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[^*?]*)?")
_KMS_KEY = re.compile(r"arn:aws(-[a-z]+)*:kms:[a-z0-9-]+:[0-9]{12}:key/[a-zA-Z0-9-]+", re.ASCII)


class PermissionsError(Exception):
    """A policy that cannot be written; says what is wrong and what would be right."""


@dataclass(frozen=True)
class Wishes:
    """What the configuration does not tell, and what goes beyond reading."""

    partition: str | None = None
    """Of the exporter's own credentials; none: that of the regions and roles in use."""
    account_id: str | None = None
    """Of the exporter's own credentials; none: any."""
    results: str | None = None
    """s3://bucket/prefix of the workgroup's results; none: the bucket that `aws setup` makes."""
    kms_keys: Sequence[str] = ()
    """ARNs of the keys that the buckets are encrypted with."""
    checks: bool = False
    """Whether `aws check` shall see all that it can look at."""

    def __post_init__(self) -> None:
        """Refuse what would make another ARN than meant. Raises PermissionsError."""
        if not _ACCOUNT_ID.fullmatch(self.account_id or ANY):
            raise PermissionsError(f"{self.account_id!r} is not an account id of 12 digits")
        if self.results is not None and not _S3_LOCATION.fullmatch(self.results):
            raise PermissionsError(f"{self.results!r} is not s3://bucket/prefix")
        for key in self.kms_keys:
            if not _KMS_KEY.fullmatch(key):
                raise PermissionsError(
                    f"{key!r} is not the ARN of a KMS key, such as "
                    "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
                )


class _Identity(NamedTuple):
    """Whose policy it is: that of the role of an account, or of the exporter's own credentials."""

    name: str | None
    """Of the account; None: the exporter's own."""
    partition: str
    account_id: str
    sources: tuple[Source, ...]
    """Those that are read with it, and lie in S3."""

    def place(self, region: str) -> Place:
        return Place(self.partition, self.account_id, region)

    def arn(self, service: str, region: str, resource: str) -> str:
        return self.place(region).arn(service, resource)

    def s3(self, path: str) -> str:
        return self.place("").bucket_arn(path)

    @property
    def queried(self) -> tuple[Athena, ...]:
        return tuple(source for source in self.sources if isinstance(source, Athena))


def policy(config: Config, account: Account | None = None, wishes: Wishes = Wishes()) -> Document:
    """Return the policy of an account's role; without one, that of the exporter's own credentials.

    Its list of statements is empty where nothing is needed, which IAM refuses.
    """
    identity = _identity(config, account, wishes)
    statements = [*_logs(identity), *_queries(identity, wishes.results)]
    if account is None and config.aws.accounts:
        roles = [each.role_arn for each in config.aws.accounts]
        statements.append(_allow("AssumeRoles", ["sts:AssumeRole"], roles))
    statements += _lookups(config, identity)
    statements += _keys(identity, wishes.kms_keys)
    statements += _checks(identity) if wishes.checks else ()
    return _document(statements)


def trust_policy(account: Account, principal: str) -> Document:
    """Return who may assume the role of an account: the exporter's own role or user, by its ARN.

    Raises PermissionsError.
    """
    if not _PRINCIPAL.fullmatch(principal):
        raise PermissionsError(
            f"{principal!r} is not the ARN of a role or user that can assume the role, such as "
            "arn:aws:iam::111122223333:role/bedrock-exporter"
        )
    statement: Document = {
        "Sid": "AssumedByTheExporter",
        "Effect": "Allow",
        "Principal": {"AWS": principal},
        "Action": "sts:AssumeRole",
    }
    if account.external_id is not None:
        statement["Condition"] = {"StringEquals": {"sts:ExternalId": account.external_id}}
    return _document([statement])


def _identity(config: Config, account: Account | None, wishes: Wishes) -> _Identity:
    name = account.name if account else None
    sources = tuple(
        source
        for source in config.sources
        if source.account == name and source.location.startswith("s3://")
    )
    if account is not None:
        return _Identity(name, account.partition, account.account_id, sources)
    told = [partition_of(source.region) for source in sources if isinstance(source, Athena)]
    told += [each.partition for each in config.aws.accounts]
    partition = wishes.partition or (told[0] if told else "aws")
    return _Identity(name, partition, wishes.account_id or ANY, sources)


def _logs(identity: _Identity) -> Iterator[Document]:
    """List the keys of the logs, and read log objects; other services' logs stay closed."""
    places = sorted({split_location(source.location) for source in identity.sources})
    for bucket in sorted({bucket for bucket, _ in places}):
        prefixes = [f"{prefix}AWSLogs/*" for other, prefix in places if other == bucket]
        condition = {"StringLike": {"s3:prefix": prefixes}}
        yield _allow("ListLogs", ["s3:ListBucket"], [identity.s3(bucket)], condition)
    if places:
        yield _allow("ReadLogs", ["s3:GetObject"], map(identity.s3, keys_read(identity.sources)))


def _queries(identity: _Identity, results: str | None) -> Iterator[Document]:
    """Ask Athena, which reads table, logs and results with the rights of whoever asks."""
    if not identity.queried:
        return
    yield _allow(
        "RunQueries",
        [
            "athena:GetQueryExecution",
            "athena:GetQueryResults",
            "athena:StartQueryExecution",
            "athena:StopQueryExecution",
        ],
        _workgroups(identity),
    )
    yield _allow(
        "ReadTable",
        ["glue:GetDatabase", "glue:GetPartitions", "glue:GetTable"],
        [arn for source in identity.queried for arn in _table(identity, source)],
    )
    logs = {split_location(source.location)[0] for source in identity.queried}
    stored = {
        split_location(results or identity.place(source.region).results)
        for source in identity.queried
    }
    buckets = [identity.s3(bucket) for bucket, _ in stored]
    yield _allow("LocateBuckets", ["s3:GetBucketLocation"], [*map(identity.s3, logs), *buckets])
    yield _allow("ListResults", ["s3:ListBucket", "s3:ListBucketMultipartUploads"], buckets)
    yield _allow(
        "KeepResults",
        [
            "s3:AbortMultipartUpload",
            "s3:GetObject",
            "s3:ListMultipartUploadParts",
            "s3:PutObject",
        ],
        [identity.s3(f"{bucket}/{prefix}*") for bucket, prefix in stored],
    )


def _lookups(config: Config, identity: _Identity) -> Iterator[Document]:
    """Ask for the names that logs leave open, where the configuration says so."""
    if config.aws.lookups.inference_profiles:
        actions = ["bedrock:GetInferenceProfile"]
        if any(rule.key_of("profile") for rule in config.attribution.rules):
            actions.append("bedrock:ListTagsForResource")
        profiles = identity.arn("bedrock", "*", "application-inference-profile/*")
        yield _allow("LookUpInferenceProfiles", actions, [profiles])
    if config.aws.lookups.role_tags.keys:
        yield _allow("LookUpRoleTags", ["iam:ListRoleTags"], [identity.arn("iam", "", "role/*")])
    center = config.aws.lookups.identity_center
    if center is not None and center.account == identity.name:
        store = identity.arn("identitystore", "", f"identitystore/{center.identity_store_id}")
        users = f"arn:{identity.partition}:identitystore:::user/*"
        yield _allow("LookUpUsers", ["identitystore:DescribeUser"], [store, users])


def _keys(identity: _Identity, kms_keys: Sequence[str]) -> Iterator[Document]:
    """Use the keys of encrypted buckets, through S3 only."""
    for key in kms_keys:
        region = key.split(":")[3]
        # Results are written, too.
        actions = ["kms:Decrypt", *(["kms:GenerateDataKey"] if identity.queried else [])]
        condition = {"StringLike": {"kms:ViaService": f"s3.{region}.amazonaws.com*"}}
        yield _allow("UseKey", actions, [key], condition)


def _checks(identity: _Identity) -> Iterator[Document]:
    """See what only `aws check` looks at."""
    if any(isinstance(source, BedrockSource) for source in identity.sources):
        actions = ["bedrock:GetModelInvocationLoggingConfiguration"]
        yield _allow("CheckLogging", actions, ["*"])
    if identity.queried:
        yield _allow("CheckWorkgroups", ["athena:GetWorkGroup"], _workgroups(identity))


def _workgroups(identity: _Identity) -> list[str]:
    return [
        identity.arn("athena", source.region, f"workgroup/{source.workgroup}")
        for source in identity.queried
    ]


def _table(identity: _Identity, source: Athena) -> Iterator[str]:
    """Name the table and what it lies in, each of which Glue asks the right to.

    Athena looks at the database `default`, too (Athena User Guide, "Configure access to databases
    and tables in the AWS Glue Data Catalog").
    """
    for resource in (
        "catalog",
        "database/default",
        f"database/{source.database}",
        f"table/{source.database}/{source.table}",
    ):
        yield identity.arn("glue", source.region, resource)


def _allow(
    sid: str, actions: Sequence[str], resources: Iterable[str], condition: Document | None = None
) -> Document:
    statement: Document = {
        "Sid": sid,
        "Effect": "Allow",
        "Action": sorted(actions),
        "Resource": sorted(set(resources)),
    }
    return statement | ({"Condition": condition} if condition else {})


def _document(statements: Iterable[Document]) -> Document:
    """Number the names that stand twice, which IAM refuses."""
    seen: Counter[str] = Counter()
    numbered = []
    for statement in statements:
        seen[statement["Sid"]] += 1
        number = seen[statement["Sid"]]
        sid = statement["Sid"] if number == 1 else f"{statement['Sid']}{number}"
        numbered.append(statement | {"Sid": sid})
    return {"Version": "2012-10-17", "Statement": numbered}
