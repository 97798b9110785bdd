"""Where a command acts: a session, and the place that AWS says it is in."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from exporter.administration.plan import allowed
from exporter.administration.setup.place import Place
from exporter.aws import sessions
from exporter.aws.meter import Meter
from exporter.config import Account

if TYPE_CHECKING:
    from boto3 import Session

Sessions = Callable[[Account | None, str | None], "Session"]
"""Gives the session of an account, None for the ambient one, in a region, None for its own."""


@dataclass(frozen=True)
class Site:
    """A place, and the session that acts there."""

    place: Place
    session: "Session"

    def client(self, service: str) -> Any:
        """Return a client of the place's account and region."""
        return sessions.client(self.session, service, Meter())


def enter(account: Account | None, region: str, make_session: Sessions) -> Site:
    """Make the session of an account in a region, and ask AWS whose it is.

    Raises PlanError where there are no credentials, or AWS refuses them.
    """
    with allowed("sts:GetCallerIdentity", "*"):
        session = make_session(account, region)
        identity = session.client("sts").get_caller_identity()
    place = Place(identity["Arn"].split(":")[1], identity["Account"], region)
    return Site(place, session)
