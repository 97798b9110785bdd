"""The applications that the testbed plays: their roles, and who calls through them.

Values only. Role names are those that the built-in attribution rules know; people and teams are
made up.
"""

from collections.abc import Mapping
from dataclasses import dataclass

PATH = "/bedrock-exporter-testbed/"
"""Of every role of the testbed."""
CREATED_BY = ("created-by", "bedrock-exporter-testbed")
"""The tag of everything of the testbed; a role is its own by this and PATH together."""
MODEL_TAG, REGION_TAG = "model", "region"
"""Tags of a role that say what is called through it, and where."""
PROFILE_NAME = "bedrock-exporter-testbed"


@dataclass(frozen=True, slots=True)
class Role:
    """A role of the testbed."""

    name: str
    tags: Mapping[str, str]
    """Who answers for the application."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls: an application and a person, in a session of a role."""

    role: str
    session: str
    """The last part of the principal's ARN."""
    application: str
    """Sent in requestMetadata and in the user agent."""
    user: str
    """Sent in requestMetadata."""
    uses_profile: bool = False
    """Whether it calls through the application inference profile, where there is one."""


_SHARED = "SharedTools-BedrockRole"

ROLES = (
    Role("CustomerServiceApp-BedrockRole", {"team": "customer-care", "cost_center": "CC-1001"}),
    Role("CodeReviewer-BedrockRole", {"team": "engineering", "cost_center": "CC-2001"}),
    Role(_SHARED, {"team": "knowledge", "cost_center": "CC-3001"}),
)

CALLERS = (
    Caller("CustomerServiceApp-BedrockRole", "alice", "CustomerServiceApp", "alice"),
    Caller("CustomerServiceApp-BedrockRole", "bob", "CustomerServiceApp", "bob"),
    Caller("CodeReviewer-BedrockRole", "carol", "CodeReviewer", "carol", uses_profile=True),
    Caller(_SHARED, "ReportWriter", "ReportWriter", "dave"),
    Caller(_SHARED, "MeetingNotes", "MeetingNotes", "erin"),
)
"""The last two share a role: only session, metadata and user agent tell them apart."""
