"""The section `aws.lookups`: what AWS is asked of names that logs leave open."""

import re
from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator, Field

from exporter.config.fields import Duration, Name, RegionName, at_least
from exporter.config.section import Section

_STORE = re.compile(r"d-[0-9a-f]{10}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def _check_store(value: str) -> str:
    if not _STORE.fullmatch(value):
        raise ValueError(f"{value!r} is not an identity store id such as d-1234567890")
    return value


TagKey = Annotated[str, Field(min_length=1, max_length=128)]


class RoleTags(Section):
    """The keys of a role's tags that say who answers for its application; none: not asked for."""

    team: TagKey | None = None
    cost_center: TagKey | None = None
    owner: TagKey | None = None

    @property
    def keys(self) -> frozenset[str]:
        """Return the keys that are asked for."""
        return frozenset(filter(None, (self.team, self.cost_center, self.owner)))


class IdentityCenter(Section):
    """Where the names of Identity Center's users are."""

    identity_store_id: Annotated[str, AfterValidator(_check_store)]
    region: RegionName
    """Of Identity Center."""
    account: Name | None = None
    """Which of `aws.accounts` asks; none: the ambient credentials."""


class Lookups(Section):
    """What is looked up; nothing unless the configuration says so."""

    inference_profiles: bool = False
    """Ask Bedrock for the model of application inference profiles, and the tags that rules name."""
    role_tags: RoleTags = RoleTags()
    """Ask IAM who answers for applications, by the tags of their roles."""
    identity_center: IdentityCenter | None = None
    """Ask for the names of users that are called by their id."""
    refresh_after: Annotated[Duration, AfterValidator(at_least(timedelta(hours=1)))] = timedelta(
        days=7
    )
    """How long an answer holds before AWS is asked again."""

    @property
    def are_wanted(self) -> bool:
        """Tell whether AWS is asked anything."""
        return bool(self.inference_profiles or self.role_tags.keys or self.identity_center)
