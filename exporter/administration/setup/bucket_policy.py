"""Bucket policies: what a service needs to write its logs, and how that joins what is there.

Pure. Nothing that somebody else put into a policy is lost: statements are added, and only those
that were added here before, known by their Sid, are corrected.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from exporter.administration.setup.place import Place

Statement = dict[str, Any]
Policy = dict[str, Any]

_VERSION = "2012-10-17"


@dataclass(frozen=True)
class Delivery:
    """A service of AWS that writes logs into a bucket."""

    sid: str
    principal: str
    source_arn: str
    """Of what the service writes for; the condition that keeps others' logs out."""
    objects: str
    """ARN of the objects that it writes, with * at its end."""
    account_id: str

    def statement(self) -> Statement:
        """Return the statement that AWS documents for it."""
        return {
            "Sid": self.sid,
            "Effect": "Allow",
            "Principal": {"Service": self.principal},
            "Action": "s3:PutObject",
            "Resource": self.objects,
            "Condition": {
                "StringEquals": {"aws:SourceAccount": self.account_id},
                "ArnLike": {"aws:SourceArn": self.source_arn},
            },
        }


def bedrock_delivery(place: Place, bucket: str, prefix: str) -> Delivery:
    """Return what Model Invocation Logging needs (Bedrock User Guide, model invocation logging)."""
    key = f"{bucket}/{folder(prefix)}AWSLogs/{place.account_id}/BedrockModelInvocationLogs/*"
    return Delivery(
        "BedrockExporterInvocationLogs",
        "bedrock.amazonaws.com",
        place.arn("bedrock", "*"),
        place.bucket_arn(key),
        place.account_id,
    )


def qdeveloper_delivery(place: Place, bucket: str, prefix: str) -> Delivery:
    """Return what the logs and reports of Amazon Q Developer need (its User Guide)."""
    return Delivery(
        "BedrockExporterQDeveloperLogs",
        "q.amazonaws.com",
        place.arn("codewhisperer", "*"),
        place.bucket_arn(f"{bucket}/{folder(prefix)}*"),
        place.account_id,
    )


def tls_only(place: Place, bucket: str) -> Statement:
    """Return the statement that refuses whatever comes without TLS."""
    return {
        "Sid": "BedrockExporterTlsOnly",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [place.bucket_arn(bucket), place.bucket_arn(f"{bucket}/*")],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }


def folder(prefix: str) -> str:
    """Return a prefix as keys begin with it: ending in a slash, or empty."""
    return f"{prefix.strip('/')}/" if prefix.strip("/") else ""


def statements(policy: Policy) -> list[Statement]:
    """Return the statements of a policy, which may hold a single one without a list."""
    return list(_listed(policy.get("Statement", [])))


def merged(policy: Policy, wanted: Sequence[Statement]) -> Policy:
    """Add statements to a policy; one of the same Sid is replaced, all others stay."""
    kept = statements(policy)
    for statement in wanted:
        if any(_canonical(statement) == _canonical(other) for other in kept):
            continue
        sids = [other.get("Sid") for other in kept]
        if statement["Sid"] in sids:
            kept[sids.index(statement["Sid"])] = statement
        else:
            kept.append(statement)
    return {"Version": _VERSION, **policy, "Statement": kept}


def differing(policy: Policy, wanted: Sequence[Statement]) -> list[tuple[str | None, str]]:
    """Return what merging changes: each statement as it stands, None if new, and as wanted."""
    before = {statement.get("Sid"): statement for statement in statements(policy)}
    kept = [_canonical(statement) for statement in statements(policy)]
    return [
        (_text(before[new["Sid"]]) if new["Sid"] in before else None, _text(new))
        for new in wanted
        if _canonical(new) not in kept
    ]


def refusal(policy: Policy, delivery: Delivery) -> str | None:
    """Tell how a policy refuses a service to write; None where nothing in it does.

    Whether a statement with a condition refuses it, only AWS can tell: it is passed over.
    """
    done = f"refuses {delivery.principal} to write {delivery.objects}"
    for statement in statements(policy):
        if statement.get("Effect") != "Deny" or "Condition" in statement:
            continue
        if not _speaks_of_writing(statement, delivery):
            continue
        if "NotPrincipal" in statement:
            if delivery.principal not in _services(statement["NotPrincipal"]):
                return f"perhaps {done}, by NotPrincipal: {_text(statement)}"
        elif _is_anybody(statement.get("Principal")) or _names(statement, delivery):
            return f"{done}: {_text(statement)}"
    return None


def allows(policy: Policy, delivery: Delivery) -> bool:
    """Tell whether a policy lets a service write, as far as that can be told from it.

    A statement with a condition that this does not know allows nothing.
    """
    return refusal(policy, delivery) is None and any(
        statement.get("Effect") == "Allow"
        and _names(statement, delivery)
        and _speaks_of_writing(statement, delivery)
        and _holds(statement.get("Condition", {}), delivery)
        for statement in statements(policy)
    )


def _names(statement: Statement, delivery: Delivery) -> bool:
    return delivery.principal in _services(statement.get("Principal"))


def _services(principal: Any) -> Sequence[Any]:
    return _listed(principal.get("Service", [])) if isinstance(principal, dict) else []


def _is_anybody(principal: Any) -> bool:
    """Tell whether a principal is everybody: *, or * of some kind, as {"AWS": "*"}."""
    if isinstance(principal, dict):
        return any("*" in _listed(named) for named in principal.values())
    return bool(principal == "*")


def _speaks_of_writing(statement: Statement, delivery: Delivery) -> bool:
    example = delivery.objects.removesuffix("*") + "x"
    return _includes(statement, "Action", "s3:PutObject".lower(), str.lower) and _includes(
        statement, "Resource", example, str
    )


def _includes(
    statement: Statement, key: str, example: str, as_compared: Callable[[str], str]
) -> bool:
    """Tell whether Action or Resource, or their opposites NotAction and NotResource, include it."""

    def is_named(name: str) -> bool:
        return any(_matches(example, as_compared(str(each))) for each in _of(statement, name))

    return not is_named(f"Not{key}") if f"Not{key}" in statement else is_named(key)


def _holds(condition: dict[str, Any], delivery: Delivery) -> bool:
    """Tell whether every condition is one that the delivery meets."""
    facts = {"aws:sourceaccount": delivery.account_id, "aws:sourcearn": delivery.source_arn}
    for operator, keys in condition.items():
        for key, values in keys.items():
            fact = facts.get(key.lower())
            patterns = [str(value) for value in _listed(values)]
            if operator == "StringEquals":
                met = fact in patterns
            elif operator in ("ArnLike", "ArnEquals", "StringLike"):
                met = fact is not None and any(_matches(fact, pattern) for pattern in patterns)
            else:
                met = False
            if not met:
                return False
    return True


def _matches(text: str, pattern: str) -> bool:
    return fnmatchcase(text, pattern.replace("[", "[[]"))


def _of(statement: Statement, key: str) -> Sequence[Any]:
    return _listed(statement.get(key, []))


def _listed(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list) else [value]


def _canonical(statement: Statement) -> object:
    """Return a statement without its Sid, with lists of one and their order made equal."""
    return _plain({key: value for key, value in statement.items() if key != "Sid"})


def _plain(value: Any) -> object:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return sorted(str(item) for item in _listed(value))


def _text(statement: Statement) -> str:
    return json.dumps(statement, separators=(",", ":"))
