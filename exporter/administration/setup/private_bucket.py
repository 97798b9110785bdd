"""A private bucket: what it shall be, compared with what it is.

Nothing is ever deleted, and what others set besides stays.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from exporter.administration.plan import Step
from exporter.administration.setup.bucket import (
    Bucket,
    encryption_steps,
    policy_steps,
    public_access_steps,
    tag_steps,
)
from exporter.administration.setup.bucket_policy import Statement
from exporter.administration.setup.lifecycle import Rule, lifecycle_steps
from exporter.administration.setup.ownership import ownership_steps


@dataclass(frozen=True)
class Wanted:
    """What a bucket shall be."""

    statements: tuple[Statement, ...] = ()
    """What its policy shall hold, besides what it holds."""
    lifecycle: tuple[Rule, ...] = ()
    """Rules it shall have, each known by its ID, besides those it has."""
    kms_key: str | None = None
    """ARN of the key that encrypts it; none: SSE-S3."""
    keep_key: bool = True
    """Whether a key that encrypts it already stays, where none is named."""


def bucket_steps(bucket: Bucket, wanted: Wanted) -> Iterator[Step]:
    """Compare a bucket of ours with what it shall be, and create it where it is missing."""
    if not bucket.exists:
        yield bucket.creation()
    yield from tag_steps(bucket)
    yield from public_access_steps(bucket)
    yield from ownership_steps(bucket, drop_grants=True)
    yield from encryption_steps(bucket, wanted.kms_key, keep_key=wanted.keep_key)
    yield from policy_steps(bucket, wanted.statements)
    yield from lifecycle_steps(bucket, wanted.lifecycle)
