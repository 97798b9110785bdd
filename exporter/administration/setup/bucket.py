"""A bucket, asked what it is and changed, one setting at a time.

What is compared is what is wanted: settings that nobody here asked about stay as they are.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from exporter.administration import plan
from exporter.administration.plan import Change, PlanError, Step, allowed
from exporter.administration.setup.bucket_policy import Statement, differing, merged
from exporter.administration.setup.place import TAGS, Place
from exporter.sources.aws_errors import error_code

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

_PRIVATE = {
    "BlockPublicAcls": True,
    "IgnorePublicAcls": True,
    "BlockPublicPolicy": True,
    "RestrictPublicBuckets": True,
}


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
        self,
        what: str,
        permission: str,
        operation: str,
        changes: list[Change],
        unless_changed: tuple[Callable[[], object], object] | None = None,
        **arguments: Any,
    ) -> Step:
        """Return the step that sets something.

        `unless_changed` is how to read what is replaced as a whole, and what was read of it.
        """
        operate: Callable[..., object] = getattr(self.s3, operation)

        def call() -> object:
            return operate(**self._addressed, **arguments)

        name = f"bucket {self.name}"
        return Step(
            f"{what} of {name}",
            permission,
            self.arn,
            plan.unless_changed(name, *unless_changed, call) if unless_changed else call,
            tuple(changes),
            group=str(self.place),
        )

    def creation(self) -> Step:
        """Return the step that creates it."""
        where: dict[str, Any] = {}
        if self.place.region != "us-east-1":
            where["CreateBucketConfiguration"] = {"LocationConstraint": self.place.region}

        def create() -> None:
            self.s3.create_bucket(Bucket=self.name, **where)
            self.exists = True

        return Step(
            f"create bucket {self.name} in {self.place.region}",
            "s3:CreateBucket",
            self.arn,
            create,
            group=str(self.place),
        )


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


def policy_steps(bucket: Bucket, wanted: Sequence[Statement]) -> Iterator[Step]:
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
            unless_changed=(lambda: read_policy(bucket), policy),
            Policy=document,
        )


def read_tags(bucket: Bucket) -> dict[str, str]:
    """Return the tags of a bucket."""
    answer = bucket.ask("get_bucket_tagging", "s3:GetBucketTagging", "NoSuchTagSet")
    return {tag["Key"]: tag["Value"] for tag in answer.get("TagSet", [])}


def is_ours(bucket: Bucket) -> bool:
    """Tell whether a bucket was made here, by its tag."""
    return TAGS.items() <= read_tags(bucket).items()


def tag_steps(bucket: Bucket) -> Iterator[Step]:
    """Mark a bucket as made here."""
    tags = read_tags(bucket)
    changes = _changes({key: tags.get(key) for key in TAGS}, TAGS)
    if changes:
        tag_set = [{"Key": key, "Value": value} for key, value in {**tags, **TAGS}.items()]
        yield bucket.step(
            "set the tags",
            "s3:PutBucketTagging",
            "put_bucket_tagging",
            changes,
            unless_changed=(lambda: read_tags(bucket), tags),
            Tagging={"TagSet": tag_set},
        )


def public_access_steps(bucket: Bucket) -> Iterator[Step]:
    """Keep the public out of a bucket, whatever policies and ACLs say."""
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


def encryption_steps(
    bucket: Bucket, kms_key: str | None, *, keep_key: bool = True
) -> Iterator[Step]:
    """Encrypt a bucket with a key; with none by SSE-S3, unless a key that is there is to stay."""
    algorithm, key = read_encryption(bucket)
    if kms_key is not None:
        is_well = key == kms_key
    else:
        is_well = algorithm is not None if keep_key else algorithm == "AES256"
    if is_well:
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


def _changes(old: dict[str, Any], new: dict[str, Any]) -> list[Change]:
    return [
        Change(key, None if old[key] is None else str(old[key]), str(value))
        for key, value in new.items()
        if old[key] != value
    ]
