"""Names that logs leave open, and what AWS said of them.

Knows which names these are and how a log writes them; asks AWS nothing. What the configuration no
longer wants looked up is not used either, though it is remembered.
"""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

from exporter.config.lookups import Lookups
from exporter.usage import LookedUp

Pairs = tuple[tuple[str, str], ...]

MODEL = "model"
"""Names the ARN of a model that an inference profile routes to."""

USER_NAME = "user_name"
"""Names the user name of an Identity Center user."""

_PROFILE = re.compile(
    r"arn:aws(?:-[a-z]+)*:bedrock:(?P<region>[a-z]{2,4}(?:-[a-z]+)+-[0-9]{1,2})"
    r":(?P<account_id>[0-9]{12}):application-inference-profile/[a-zA-Z0-9:.-]{1,64}"
)
_ROLE = re.compile(
    r"(?P<arn>arn:aws(?:-[a-z]+)*:sts::(?P<account_id>[0-9]{12})"
    r":assumed-role/(?P<name>[\w+=,.@-]{1,64}))/.+",
    re.ASCII | re.DOTALL,
)
_UUID = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_USER = re.compile(rf"(?:(?P<store>d-[0-9a-f]{{10}})\.)?(?P<user_id>(?:[0-9a-f]{{10}}-)?{_UUID})")


class Kind(StrEnum):
    """What is asked of a name; one request each, so that a refusal costs no other answer."""

    INFERENCE_PROFILE = "inference_profile"
    """Which models an application inference profile routes to."""
    PROFILE_TAGS = "profile_tags"
    ROLE = "role"
    """Which tags a role has."""
    IDENTITY_USER = "identity_user"
    """What a user of Identity Center is called."""


class Profile(NamedTuple):
    """An application inference profile."""

    arn: str
    account_id: str
    region: str


class Role(NamedTuple):
    """A role that was assumed."""

    arn: str
    """As STS writes it, without the session: it lacks the path that the role may have."""
    account_id: str
    name: str


class UserId(NamedTuple):
    """The id of a user of Identity Center."""

    store: str
    """The identity store that the id names; empty where it names none."""
    user_id: str


def profile_of(model_id: str) -> Profile | None:
    """Return the application inference profile that a model id is the ARN of."""
    match = _PROFILE.fullmatch(model_id)
    return Profile(match[0], match["account_id"], match["region"]) if match else None


def role_of(principal: str) -> Role | None:
    """Return the role that a principal assumed."""
    match = _ROLE.fullmatch(principal)
    return Role(match["arn"], match["account_id"], match["name"]) if match else None


def user_id_of(user: str) -> UserId | None:
    """Return the id that a user is called by: a UUID, before which its identity store may stand."""
    match = _USER.fullmatch(user)
    return UserId(match["store"] or "", match["user_id"]) if match else None


class Names:
    """What AWS said of names; the same answers are equal, whenever they were given."""

    def __init__(
        self,
        wanted: Lookups | None = None,
        lookups: Mapping[tuple[str, str], LookedUp] | None = None,
    ) -> None:
        """Take what of the remembered lookups is wanted; nothing, without any."""
        kinds = _kinds(wanted) if wanted else set()
        self._answers = {
            name: looked_up.values
            for name, looked_up in (lookups or {}).items()
            if looked_up.kind in kinds and looked_up.values
        }

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Names) and self._answers == other._answers

    __hash__ = None  # type: ignore[assignment]  # compared, never looked up

    def models_of(self, model_id: str) -> tuple[str, ...]:
        """Return the ARNs of the models that a profile routes to; none where it is not known."""
        answer = self._answer(Kind.INFERENCE_PROFILE, model_id)
        return tuple(value for name, value in answer if name == MODEL)

    def profile_tag(self, model_id: str, key: str) -> str:
        """Return the value of a profile's tag; empty where it has none or is not known."""
        return dict(self._answer(Kind.PROFILE_TAGS, model_id)).get(key, "")

    def role_tags(self, principal: str) -> Mapping[str, str]:
        """Return the tags of the role that a principal assumed; none where it is not known."""
        role = role_of(principal)
        return dict(self._answer(Kind.ROLE, role.arn)) if role else {}

    def user_name(self, user: str) -> str:
        """Return what a user is called that a log calls by its id; empty where it is not known."""
        return dict(self._answer(Kind.IDENTITY_USER, user)).get(USER_NAME, "")

    def _answer(self, kind: Kind, key: str) -> Pairs:
        return self._answers.get((kind, key), ())


def _kinds(wanted: Lookups) -> set[str]:
    kinds: set[str] = set()
    if wanted.inference_profiles:
        kinds |= {Kind.INFERENCE_PROFILE, Kind.PROFILE_TAGS}
    if wanted.role_tags.keys:
        kinds.add(Kind.ROLE)
    if wanted.identity_center is not None:
        kinds.add(Kind.IDENTITY_USER)
    return kinds
