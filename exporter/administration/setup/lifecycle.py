"""Lifecycle rules of a bucket: those that shall be there, among those of others.

A rule is known by its ID. What others added to one of ours, as a transition, stays.
"""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from exporter.administration.plan import Change, Step
from exporter.administration.setup.bucket import Bucket

Rule = dict[str, Any]
"""A lifecycle rule, as S3 takes it."""

_OURS = ("ID", "Status", "Filter", "Prefix", "Expiration", "AbortIncompleteMultipartUpload")
"""What this knows to tell of a rule."""
_MINIMUM_SIZE = "TransitionDefaultMinimumObjectSize"


def lifecycle_steps(bucket: Bucket, wanted: Sequence[Rule]) -> Iterator[Step]:
    """Set the rules that are missing or differ; all others stay."""
    if not wanted:
        return
    seen = _read(bucket)
    rules: list[Rule] = seen.get("Rules", [])
    before = {rule.get("ID"): rule for rule in rules}
    after = {rule["ID"]: _joined(before.get(rule["ID"], {}), rule) for rule in wanted}
    changes = [
        Change(f"rule {id_}", told(before.get(id_)), str(told(rule)))
        for id_, rule in after.items()
        if told(before.get(id_)) != told(rule)
    ]
    if changes:
        kept = [rule for rule in rules if rule.get("ID") not in after]
        yield bucket.step(
            "set the lifecycle",
            "s3:PutLifecycleConfiguration",
            "put_bucket_lifecycle_configuration",
            changes,
            unless_changed=(lambda: _read(bucket), seen),
            LifecycleConfiguration={"Rules": [*kept, *after.values()]},
            **({_MINIMUM_SIZE: seen[_MINIMUM_SIZE]} if _MINIMUM_SIZE in seen else {}),
        )


def told(rule: Rule | None) -> str | None:
    """Tell a lifecycle rule in words; None where there is none."""
    if rule is None:
        return None
    parts = [f"{rule['Status']}{_where(rule)}"]
    expiration = rule.get("Expiration", {})
    if days := expiration.get("Days"):
        parts.append(f"objects expire after {days} days")
    elif expiration:
        parts.append(f"expiration {_text(expiration)}")
    if days := rule.get("AbortIncompleteMultipartUpload", {}).get("DaysAfterInitiation"):
        parts.append(f"unfinished uploads are aborted after {days} days")
    parts += [f"{key} {_text(value)}" for key, value in rule.items() if key not in _OURS]
    return ", ".join(parts)


def _where(rule: Rule) -> str:
    """Return which objects a rule is about; nothing for all of them."""
    chosen = rule.get("Filter", {"Prefix": rule.get("Prefix", "")})
    if set(chosen) - {"Prefix"}:
        return f" for {_text(chosen)}"
    return f" below {chosen['Prefix']}" if chosen.get("Prefix") else ""


def _joined(old: Rule, new: Rule) -> Rule:
    """Return a rule with what others added to it; Prefix is Filter in the older form."""
    return {**{key: value for key, value in old.items() if key != "Prefix"}, **new}


def _read(bucket: Bucket) -> dict[str, Any]:
    answer = bucket.ask(
        "get_bucket_lifecycle_configuration",
        "s3:GetLifecycleConfiguration",
        "NoSuchLifecycleConfiguration",
    )
    return {key: value for key, value in answer.items() if key in ("Rules", _MINIMUM_SIZE)}


def _text(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), default=str)
