"""Which names in use AWS is to be asked for: those that logs leave open and something depends on.

Asks nothing itself, and knows nothing of what was asked before.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from exporter.config import Config
from exporter.interpretation.assistant_users import AssistantUsers
from exporter.interpretation.attribution import Attribution
from exporter.interpretation.models import UnpricedReason, resolve
from exporter.interpretation.names import Kind, Names, profile_of, role_of, user_id_of
from exporter.interpretation.owners import application_of


class Question(NamedTuple):
    """One thing to ask of one name."""

    kind: Kind
    key: str
    """The name, as the logs have it."""
    account_id: str
    """Who owns the name; empty where the configuration says whom to ask."""
    region: str
    subject: str
    """The name, as AWS takes it."""
    tags: frozenset[str] = frozenset()
    """Keys of the tags that are wanted."""


Named = tuple[str, str, str, str]
"""Account id, region, principal and model id of some usage."""


def questions(
    settings: Config, names: Names, named: Iterable[Named], assistant_users: Iterable[str] = ()
) -> list[Question]:
    """Return what to ask of the names in use, each once; none of who is left out.

    `assistant_users` are the ids of developer assistants' users.
    """
    asker = _Asker(settings, names)
    found: dict[tuple[str, str], Question] = {}
    for usage in sorted(named):
        for question in asker.questions(*usage):
            found.setdefault((question.kind, question.key), question)
    for user in sorted(assistant_users):
        for question in asker.of_assistant_user(user):
            found.setdefault((question.kind, question.key), question)
    return list(found.values())


class _Asker:
    def __init__(self, settings: Config, names: Names) -> None:
        self._aliases = settings.models
        self._lookups = settings.aws.lookups
        self._attribution = Attribution(settings.attribution, names)
        self._profile_tags = settings.attribution.profile_tags
        self._applications = settings.attribution.applications
        self._assistant_users = AssistantUsers(settings.assistants.users, names)

    def questions(
        self, account_id: str, region: str, principal: str, model_id: str
    ) -> Iterator[Question]:
        attributed = self._attribution.attribute(principal, (), model_id)
        if attributed is None:
            return
        if self._lookups.inference_profiles:
            yield from self._of_profile(region, model_id)
        if self._lookups.role_tags.keys:
            yield from self._of_role(region, principal)
        if self._lookups.identity_center:
            yield from self._of_user(attributed.user)

    def of_assistant_user(self, user: str) -> Iterator[Question]:
        if self._assistant_users.name_of(user) is not None:
            yield from self._of_user(user)

    def _of_profile(self, region: str, model_id: str) -> Iterator[Question]:
        """Ask for a profile of the region of the call: it can be called in no other."""
        profile = profile_of(model_id)
        if profile is None or profile.region != region:
            return
        place = profile.arn, profile.account_id, profile.region, profile.arn
        if resolve(model_id, self._aliases).unpriced is UnpricedReason.UNRESOLVED:
            yield Question(Kind.INFERENCE_PROFILE, *place)
        if self._profile_tags:
            yield Question(Kind.PROFILE_TAGS, *place, self._profile_tags)

    def _of_role(self, region: str, principal: str) -> Iterator[Question]:
        """Ask for the role of an application that nobody is configured to answer for."""
        role = role_of(principal)
        application = application_of(principal, self._attribution) if role else None
        if role and application is not None and application not in self._applications:
            tags = self._lookups.role_tags.keys
            yield Question(Kind.ROLE, role.arn, role.account_id, region, role.name, tags)

    def _of_user(self, user: str) -> Iterator[Question]:
        """Ask for a user of the configured identity store, or of none that the id names."""
        center, user_id = self._lookups.identity_center, user_id_of(user)
        if center and user_id and user_id.store in ("", center.identity_store_id):
            yield Question(Kind.IDENTITY_USER, user, "", center.region, user_id.user_id)
