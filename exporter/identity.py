"""What of a caller's name may be stored: applied before anything is written.

Two rules. Names that machines make up fold to MACHINE, so that an hourly session is not a new
user each hour. And `privacy.users` other than `plain` replaces what names a person. Both lose
something for good, so the folding rule is built in and has a version; when in doubt a name is
kept, for the number of series is bounded elsewhere.

A name folds when some part of it matches the table MACHINE_MADE. A name with an @ never folds, nor
does the id of an Identity Center user: both name a person.
Names that are fixed once deployed are kept, though a machine may bear them: Lambda functions
(CloudFormation's random suffixes included), `GitHubActions`, account aliases.

Does not decide who is which application or user: that is interpretation.
"""

import hashlib
import hmac
import re
from dataclasses import dataclass, field
from typing import Literal

FOLDING_VERSION = 2
"""Raised whenever what folds changes: names stored under another version may differ."""

MACHINE = "machine"
"""What every name made up by a machine folds to."""

UNKNOWN = "unknown"
"""What `privacy.users: drop` leaves of a name."""

MACHINE_MADE = {
    "time in seconds or finer, numeric id: botocore-session-1699999999": r"[0-9]{10}",
    "date and time: backup-20251121T153000Z": (
        r"[0-9]{8}[T_-][0-9]{6}|[0-9]{4}-[0-9]{2}-[0-9]{2}[T_-][0-9]{2}"
    ),
    "UUID: session-6f9619ff-8b86-4d01-b42d-00cf4fc964ff": (
        r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
    ),
    "long hexadecimal id, ECS task: 1f2a3b4c5d6e7f8091a2b3c4d5e6f708": (
        r"(?<![0-9A-Za-z])(?=[a-fA-F]*[0-9]+[a-fA-F])[0-9a-fA-F]{12,}(?![0-9A-Za-z])"
    ),
    "shorter hexadecimal id, nothing else: 9f86d081": (
        r"^(?=[a-fA-F]*[0-9]+[a-fA-F])[0-9a-fA-F]{8,}$"
    ),
    "EC2 or managed instance: i-0abc123def4567890": r"^m?i-[0-9a-f]{8}(?:[0-9a-f]{9})?$",
    "EC2 host name: ip-10-0-1-23.ec2.internal": r"^ip(?:-[0-9]{1,3}){4}(?![0-9])",
    "pod of a Kubernetes Deployment: app-7d9c5b6f4-x2x9z": (
        r"-[b-df-hj-np-tv-xz2456789]{6,10}-[b-df-hj-np-tv-xz2456789]{5}$"
    ),
    "pod of a Kubernetes CronJob: nightly-29384756-x2x9z": (
        r"-[0-9]{8}-[b-df-hj-np-tv-xz2456789]{5}$"
    ),
    "Terraform run: terraform-run-CZcmD7eagjhyX0vN": r"^(?:terraform-)?run-[0-9A-Za-z]{16}$",
    "Step Functions, 32 letters of random case: oJnFfdRGSgOnSkHfTTdQfMXmHabcDeFg": (
        r"^(?=[a-z]*(?:[A-Z0-9]+[a-z]+){7})[0-9A-Za-z]{32}$"
    ),
}
"""The rule: an example of what a machine made up, to the part that gives it away.

A hexadecimal id has a digit before a letter, which a name such as abbe1984 has not. Kubernetes
writes its random parts without vowels. Random case is seven or more capitals after small letters.
"""

_MACHINE_MADE = re.compile("|".join(MACHINE_MADE.values()))
_PERSON = re.compile(
    r"(?:d-[0-9a-f]{10}\.(?:[0-9a-f]{10}-)?|[0-9a-f]{10}-)"
    r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
)
"""The id of an Identity Center user, with that of its directory. A bare UUID may be anything."""
_DIRECTORY = re.compile(r"^d-[a-z0-9]+\.")
"""Of a user id, the part that tells its directory."""
_USER_OF_ARN = re.compile(
    r"(arn:[^:]*:(?:sts::[0-9]*:(?:assumed-role/[^/]+/|federated-user/)|iam::[0-9]*:user/))(.+)",
    re.DOTALL,
)
"""The part that says where a caller is from, and the part that names it (an IAM user with path)."""
_SESSION_ARN = re.compile(r"arn:[^:]*:sts::[0-9]*:(?:assumed-role/[^/]+|federated-user)/")
_NOBODY_OF_ARN = re.compile(
    r"arn:[^:]*:iam::[0-9]*:(?:root|role/[\w+=,.@/-]+)|[a-z0-9-]+(?:\.[a-z0-9-]+)?\.amazonaws\.com(?:\.cn)?",
    re.ASCII,
)
"""Principals that name no person: an account's root, a role without a session, an AWS service."""


def fold_principal(arn: str) -> str:
    """Replace a session name that a machine made up; every other principal stays as it is.

    IAM users stay too: they are created by hand or by deployment, and are few.
    """
    match = _SESSION_ARN.match(arn)
    return arn[: match.end()] + fold_value(arn[match.end() :]) if match else arn


def fold_value(value: str) -> str:
    """Return MACHINE for a name or metadata value that a machine made up, else the value."""
    if "@" in value or _PERSON.fullmatch(value):
        return value
    return MACHINE if _MACHINE_MADE.search(value) else value


@dataclass(frozen=True, slots=True)
class Privacy:
    """What `privacy.users` leaves of a name. Folds first, for a pseudonym would look random.

    plain leaves it; pseudonym writes `user-` and 16 hexadecimal digits, the same for the same name
    and key wherever the name occurs; drop writes UNKNOWN. MACHINE and an absent name stay.
    """

    users: Literal["plain", "pseudonym", "drop"] = "plain"
    key: bytes = field(default=b"", repr=False)

    def principal(self, arn: str) -> str:
        """Fold and hide the user in a principal: session, federated user, IAM user with its path.

        A principal that is none of these and could name a person is replaced whole.
        """
        arn = fold_principal(arn)
        if self.users == "plain" or _NOBODY_OF_ARN.fullmatch(arn):
            return arn
        match = _USER_OF_ARN.fullmatch(arn)
        if match is None:
            return self._hide(arn)
        origin, name = match.groups()
        return origin + self._hide(name.rpartition("/")[2] if ":user/" in origin else name)

    def value(self, value: str) -> str:
        """Fold and hide a metadata value that names a user."""
        value = fold_value(value)
        return value if self.users == "plain" else self._hide(value)

    def user_id(self, text: str) -> str:
        """Return the id of a developer assistant's user without its directory, and hide it.

        Prompt logs write d-1234567890.UUID where reports write UUID; both are one user. Ids do not
        fold: a UUID names a person here.
        """
        user_id = _DIRECTORY.sub("", text)
        return user_id if self.users == "plain" else self._hide(user_id)

    def _hide(self, name: str) -> str:
        if name in ("", MACHINE):
            return name
        if self.users == "drop":
            return UNKNOWN
        text = name.encode("utf-8", "surrogatepass")
        return "user-" + hmac.new(self.key, text, hashlib.sha256).hexdigest()[:16]
