"""A private bucket: what it shall be, compared with what it is.

What is compared is what is wanted: settings that nobody here asked about stay as they are, and
nothing is ever deleted.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from exporter.administration.plan import Change, PlanError, Step, allowed, error_code
from exporter.administration.setup.bucket_policy import Statement, differing, merged
from exporter.administration.setup.place import TAGS, Place

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

Rule = dict[str, Any]
"""A lifecycle rule, as S3 takes it."""

_PRIVATE = {
    "BlockPublicAcls": True,
    "IgnorePublicAcls": True,
    "BlockPublicPolicy": True,
    "RestrictPublicBuckets": True,
}
_OWNER_ENFORCED = "BucketOwnerEnforced"


@dataclass(frozen=True)
class Wanted:
    """What a bucket shall be."""

    name: str
    statements: tuple[Statement, ...] = ()
    """What its policy shall hold, besides what it holds."""
    lifecycle: tuple[Rule, ...] = ()
    """Rules it shall have, each known by its ID, besides those it has."""
    kms_key: str | None = None
    """ARN of the key that encrypts it; none: SSE-S3, unless it is encrypted already."""


@dataclass
class Bucket:
    """A bucket in a place: asked what it is, and changed."""

    s3: "S3Client"
    place: Place
    name: str
    exists: bool = field(init=False)

    def __post_init__(self) -> None:
        """Ask whether it exists.

        Raises PlanError where it is somebody else's, in another region, or must not be asked.
        """
        self.exists = self._look()

    @property
    def arn(self) -> str:
        return self.place.bucket_arn(self.name)

    def _look(self) -> bool:
        with allowed("s3:ListBucket", self.arn):
            try:
                answer = self.s3.head_bucket(
                    Bucket=self.name, ExpectedBucketOwner=self.place.account_id
                )
            except ClientError as error:
                if error_code(error) in ("404", "NoSuchBucket"):
                    return False
                if error_code(error) in ("403", "AccessDenied"):
                    raise PlanError(
                        f"bucket {self.name} is of another account than {self.place.account_id}, "
                        f"or s3:ListBucket on {self.arn} is not allowed to whoever runs this; "
                        "nothing of it is changed"
                    ) from None
                raise
        found = answer.get("BucketRegion") or self.place.region
        if found != self.place.region:
            raise PlanError(
                f"bucket {self.name} is in {found}, not in {self.place.region}; name one there"
            )
        return True

    def ask(self, operation: str, permission: str, absent: str) -> dict[str, Any]:
        """Return what a setting is; empty where there is none, or no bucket."""
        if not self.exists:
            return {}
        with allowed(permission, self.arn):
            try:
                answer: dict[str, Any] = getattr(self.s3, operation)(**self._addressed)
            except ClientError as error:
                if error_code(error) != absent:
                    raise
                return {}
        return answer

    @property
    def _addressed(self) -> dict[str, str]:
        return {"Bucket": self.name, "ExpectedBucketOwner": self.place.account_id}

    def step(
        self, what: str, permission: str, operation: str, changes: list[Change], **arguments: Any
    ) -> Step:
        """Return the step that sets something."""
        call: Callable[..., Any] = getattr(self.s3, operation)
        return Step(
            f"{what} of bucket {self.name}",
            permission,
            self.arn,
            lambda: call(**self._addressed, **arguments),
            tuple(changes),
            group=str(self.place),
        )

    def creation(self) -> Step:
        """Return the step that creates it."""
        where: dict[str, Any] = {}
        if self.place.region != "us-east-1":
            where["CreateBucketConfiguration"] = {"LocationConstraint": self.place.region}
        return Step(
            f"create bucket {self.name} in {self.place.region}",
            "s3:CreateBucket",
            self.arn,
            lambda: self.s3.create_bucket(Bucket=self.name, **where),
            group=str(self.place),
        )


def bucket_steps(bucket: Bucket, wanted: Wanted) -> Iterator[Step]:
    """Compare a bucket with what it shall be, and create it where it is missing."""
    if not bucket.exists:
        yield bucket.creation()
    yield from _tag_steps(bucket)
    yield from _public_access_steps(bucket)
    yield from ownership_steps(bucket)
    yield from _encryption_steps(bucket, wanted.kms_key)
    yield from policy_steps(bucket, wanted.statements)
    yield from _lifecycle_steps(bucket, wanted.lifecycle)


def read_policy(bucket: Bucket) -> dict[str, Any]:
    """Return the policy of a bucket; empty where there is none."""
    answer = bucket.ask("get_bucket_policy", "s3:GetBucketPolicy", "NoSuchBucketPolicy")
    policy: dict[str, Any] = json.loads(answer.get("Policy", "{}"))
    return policy


def read_encryption(bucket: Bucket) -> tuple[str | None, str | None]:
    """Return the algorithm that a bucket is encrypted by, and the KMS key."""
    answer = bucket.ask(
        "get_bucket_encryption",
        "s3:GetEncryptionConfiguration",
        "ServerSideEncryptionConfigurationNotFoundError",
    )
    rules = answer.get("ServerSideEncryptionConfiguration", {}).get("Rules", [])
    default = rules[0].get("ApplyServerSideEncryptionByDefault", {}) if rules else {}
    return default.get("SSEAlgorithm"), default.get("KMSMasterKeyID")


def policy_steps(bucket: Bucket, wanted: tuple[Statement, ...]) -> Iterator[Step]:
    """Add statements to the policy of a bucket."""
    policy = read_policy(bucket)
    changes = [Change("statement", old, new) for old, new in differing(policy, wanted)]
    if changes:
        document = json.dumps(merged(policy, wanted))
        yield bucket.step(
            "add to the policy",
            "s3:PutBucketPolicy",
            "put_bucket_policy",
            changes,
            Policy=document,
        )


def ownership_steps(bucket: Bucket) -> Iterator[Step]:
    """Switch the ACLs of a bucket off."""
    answer = bucket.ask(
        "get_bucket_ownership_controls",
        "s3:GetBucketOwnershipControls",
        "OwnershipControlsNotFoundError",
    )
    rules = answer.get("OwnershipControls", {}).get("Rules", [])
    old = rules[0]["ObjectOwnership"] if rules else None
    if old != _OWNER_ENFORCED:
        yield bucket.step(
            "set the object ownership",
            "s3:PutBucketOwnershipControls",
            "put_bucket_ownership_controls",
            [Change("ownership", old, _OWNER_ENFORCED)],
            OwnershipControls={"Rules": [{"ObjectOwnership": _OWNER_ENFORCED}]},
        )


def _tag_steps(bucket: Bucket) -> Iterator[Step]:
    answer = bucket.ask("get_bucket_tagging", "s3:GetBucketTagging", "NoSuchTagSet")
    tags = {tag["Key"]: tag["Value"] for tag in answer.get("TagSet", [])}
    changes = _changes({key: tags.get(key) for key in TAGS}, TAGS)
    if changes:
        tag_set = [{"Key": key, "Value": value} for key, value in {**tags, **TAGS}.items()]
        yield bucket.step(
            "set the tags",
            "s3:PutBucketTagging",
            "put_bucket_tagging",
            changes,
            Tagging={"TagSet": tag_set},
        )


def _public_access_steps(bucket: Bucket) -> Iterator[Step]:
    answer = bucket.ask(
        "get_public_access_block",
        "s3:GetBucketPublicAccessBlock",
        "NoSuchPublicAccessBlockConfiguration",
    )
    is_set = answer.get("PublicAccessBlockConfiguration", {})
    changes = _changes({key: is_set.get(key) for key in _PRIVATE}, _PRIVATE)
    if changes:
        yield bucket.step(
            "block public access",
            "s3:PutBucketPublicAccessBlock",
            "put_public_access_block",
            changes,
            PublicAccessBlockConfiguration=_PRIVATE,
        )


def _encryption_steps(bucket: Bucket, kms_key: str | None) -> Iterator[Step]:
    algorithm, key = read_encryption(bucket)
    if algorithm is not None if kms_key is None else key == kms_key:
        return
    default: dict[str, Any] = {"SSEAlgorithm": "AES256"}
    if kms_key is not None:
        default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": kms_key}
    rule = {"ApplyServerSideEncryptionByDefault": default, "BucketKeyEnabled": kms_key is not None}
    yield bucket.step(
        "set the encryption",
        "s3:PutEncryptionConfiguration",
        "put_bucket_encryption",
        [Change("encryption", key or algorithm, kms_key or "AES256 (SSE-S3)")],
        ServerSideEncryptionConfiguration={"Rules": [rule]},
    )


def _lifecycle_steps(bucket: Bucket, wanted: tuple[Rule, ...]) -> Iterator[Step]:
    if not wanted:
        return
    answer = bucket.ask(
        "get_bucket_lifecycle_configuration",
        "s3:GetLifecycleConfiguration",
        "NoSuchLifecycleConfiguration",
    )
    rules = answer.get("Rules", [])
    before = {rule.get("ID"): rule for rule in rules}
    changes = [
        Change(f"rule {rule['ID']}", told(before.get(rule["ID"])), str(told(rule)))
        for rule in wanted
        if told(before.get(rule["ID"])) != told(rule)
    ]
    if changes:
        ids = {rule["ID"] for rule in wanted}
        kept = [rule for rule in rules if rule.get("ID") not in ids]
        yield bucket.step(
            "set the lifecycle",
            "s3:PutLifecycleConfiguration",
            "put_bucket_lifecycle_configuration",
            changes,
            LifecycleConfiguration={"Rules": [*kept, *wanted]},
            **_kept_size(answer),
        )


def _kept_size(answer: dict[str, Any]) -> dict[str, Any]:
    name = "TransitionDefaultMinimumObjectSize"
    return {name: answer[name]} if name in answer else {}


def told(rule: Rule | None) -> str | None:
    """Tell a lifecycle rule in words; None where there is none."""
    if rule is None:
        return None
    prefix = rule.get("Filter", {}).get("Prefix", rule.get("Prefix", ""))
    parts = [f"{rule['Status']} below {prefix}" if prefix else rule["Status"]]
    if days := rule.get("Expiration", {}).get("Days"):
        parts.append(f"objects expire after {days} days")
    if days := rule.get("AbortIncompleteMultipartUpload", {}).get("DaysAfterInitiation"):
        parts.append(f"unfinished uploads are aborted after {days} days")
    return ", ".join(parts)


def _changes(old: dict[str, Any], new: dict[str, Any]) -> list[Change]:
    return [
        Change(key, None if old[key] is None else str(old[key]), str(value))
        for key, value in new.items()
        if old[key] != value
    ]
