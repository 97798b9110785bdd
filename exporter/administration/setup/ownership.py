"""ACLs of a bucket: switched off, as the policy has no effect on what a service writes otherwise.

Whoever reads or writes by a grant of the ACL cannot do so any longer. AWS switches no ACL off that
grants something to others; the grants must go first, and go only where that was said.
"""

from collections.abc import Iterator
from typing import Any

from exporter.administration.plan import Change, PlanError, Step
from exporter.administration.setup.bucket import Bucket, is_ours

_ENFORCED = "BucketOwnerEnforced"


def ownership_steps(bucket: Bucket, *, drop_grants: bool = False) -> Iterator[Step]:
    """Switch the ACLs of a bucket off.

    Raises PlanError where its ACL grants something to others, and neither the bucket was made here
    nor dropping the grants was asked for.
    """
    answer = bucket.ask(
        "get_bucket_ownership_controls",
        "s3:GetBucketOwnershipControls",
        "OwnershipControlsNotFoundError",
    )
    rules = answer.get("OwnershipControls", {}).get("Rules", [])
    old = rules[0]["ObjectOwnership"] if rules else None
    if old == _ENFORCED:
        return
    if grants := _grants(bucket):
        if not drop_grants and not is_ours(bucket):
            raise PlanError(
                f"the ACL of bucket {bucket.name} grants {'; '.join(grants)}: this ends when ACLs "
                "are switched off, as they must be for the policy to hold; grant it in the bucket "
                "policy instead and add --drop-acl-grants, or name another bucket"
            )
        yield bucket.step(
            "drop the grants in the ACL",
            "s3:PutBucketAcl",
            "put_bucket_acl",
            [Change("grant", grant, "none") for grant in grants],
            unless_changed=(lambda: _grants(bucket), grants),
            ACL="private",
        )
    new = f"{_ENFORCED}; ACLs of objects in it no longer hold" if bucket.exists else _ENFORCED
    yield bucket.step(
        "set the object ownership",
        "s3:PutBucketOwnershipControls",
        "put_bucket_ownership_controls",
        [Change("ownership", old, new)],
        OwnershipControls={"Rules": [{"ObjectOwnership": _ENFORCED}]},
    )


def _grants(bucket: Bucket) -> list[str]:
    """Return what the ACL grants to others than the owner of the bucket."""
    answer = bucket.ask("get_bucket_acl", "s3:GetBucketAcl", "")
    owner = answer.get("Owner", {}).get("ID")
    return [
        f"{grant['Permission']} to {_grantee(grant['Grantee'])}"
        for grant in answer.get("Grants", [])
        if grant.get("Grantee", {}).get("ID", "") != owner
    ]


def _grantee(grantee: dict[str, Any]) -> str:
    return str(grantee.get("URI") or grantee.get("ID") or grantee.get("EmailAddress"))
