"""The section `assistants`: how the figures of Amazon Q Developer and Kiro are read."""

from decimal import Decimal
from typing import Annotated

from pydantic import AfterValidator, Field

from exporter.config.fields import ModelOrProfileId, Money, NamePattern
from exporter.config.section import Section

Credits = Annotated[Decimal, Field(gt=0, le=Decimal("1e12"))]


def _capitals(value: dict[str, Decimal]) -> dict[str, Decimal]:
    return {tier.upper(): credits for tier, credits in value.items()}


class Users(Section):
    """Which users count."""

    include: tuple[NamePattern, ...] = ()
    """Case-sensitive parts of the user's id or name, or patterns of it with * and ?; none: all."""
    exclude: tuple[NamePattern, ...] = ()


class Assistants(Section):
    """What no log says of developer assistants."""

    users: Users = Users()
    context_window_tokens: int = Field(default=200_000, ge=1, le=10**9)
    """What the largest conversation is held against."""
    virtual_cost_model: ModelOrProfileId = "global.anthropic.claude-sonnet-4-5-20250929-v1:0"
    """At whose price the tokens are valued; a `global` profile costs what Claude's own API does."""
    subscription_usd_per_user: Money = Decimal(19)
    """Of Amazon Q Developer Pro, a month."""
    default_limits: bool = True
    """Whether AWS's published limits of Amazon Q Developer Pro are among the limits."""
    kiro_tier_credits: Annotated[dict[str, Credits], AfterValidator(_capitals)] = Field(
        default_factory=dict
    )
    """Credits a month by tier, in place of those that Kiro publishes."""
