"""What is known of developer assistants at one moment: usage interpreted, valued, held to limits.

Joins what prompt logs and reports say; what of it is exposed is decided in assistant_families.py.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Literal, NamedTuple

from exporter import config
from exporter.assistant_usage import ACTIVITIES, Product
from exporter.config import Config
from exporter.interpretation.activity import ActivityFigures, UserKey
from exporter.interpretation.assistant_users import AssistantUsers
from exporter.interpretation.default_limits import all_default_limits, default_limits
from exporter.interpretation.estimates import EstimatedTokens
from exporter.interpretation.limits import LimitState, evaluate
from exporter.interpretation.measures import UNKNOWN
from exporter.interpretation.prices import PriceBook
from exporter.interpretation.prompts import group_prompts
from exporter.interpretation.virtual_cost import VirtualPrice, subscription_usd
from exporter.snapshot.assistant_history import AssistantUsage
from exporter.snapshot.report_figures import ReportFigures, Reports

Accuracy = Literal["measured", "estimated"]


class Valued(NamedTuple):
    """What a user's tokens of this month would have cost."""

    cost_usd: Decimal
    accuracy: Accuracy


@dataclass(frozen=True, slots=True)
class AssistantFigures:
    """Everything that can be exposed of developer assistants, with every user."""

    usage: AssistantUsage
    reports: ReportFigures
    virtual_cost: Mapping[UserKey, Valued]
    subscription_usd: Mapping[str, Decimal]
    """By user of Amazon Q Developer."""
    limits: tuple[LimitState, ...]


class AssistantInterpreter:
    """Interprets the usage of assistants under one configuration."""

    def __init__(self, settings: Config, book: PriceBook, users: AssistantUsers) -> None:
        self._settings = settings
        self._price = VirtualPrice(settings, book)
        tiers = settings.assistants.kiro_tier_credits
        limits = [*settings.limits, *all_default_limits()]
        activities = sorted({limit.measure for limit in limits} & {*ACTIVITIES})
        self._reports = Reports(tiers, users.name_of, activities)

    def figures(self, usage: AssistantUsage, now: datetime) -> AssistantFigures:
        """Return all that is known as of `now`."""
        reports = self._reports.figures(usage.lines, usage.day)
        return AssistantFigures(
            usage=usage,
            reports=reports,
            virtual_cost=self._virtual_cost(usage, reports.estimated_tokens, now),
            subscription_usd=self._subscriptions(usage, reports.activity, now),
            limits=tuple(self._limits(usage, reports, now)),
        )

    def _virtual_cost(
        self, usage: AssistantUsage, estimated: Mapping[UserKey, EstimatedTokens], now: datetime
    ) -> dict[UserKey, Valued]:
        """Value each user's tokens as prompt logs tell them or, without any, as estimated."""
        measured: dict[UserKey, EstimatedTokens] = {}
        for group, (_, counts) in usage.month.items():
            key = UserKey(group.labels.user, group.product)
            before = measured.get(key, EstimatedTokens(0, 0))
            measured[key] = EstimatedTokens(before[0] + counts.input, before[1] + counts.output)
        day = now.astimezone(UTC).date()
        valued: dict[UserKey, Valued] = {}
        for key, tokens in {**estimated, **measured}.items():
            cost = self._price.cost_usd(tokens.input, tokens.output, day)
            if cost is not None:
                valued[key] = Valued(cost, "measured" if key in measured else "estimated")
        return valued

    def _subscriptions(
        self, usage: AssistantUsage, activity: ActivityFigures, now: datetime
    ) -> dict[str, Decimal]:
        """Return what the seat of each known user seen this month cost so far."""
        settings = self._settings
        usd = subscription_usd(
            settings.assistants.subscription_usd_per_user, now, settings.timezone
        )
        seen = {UserKey(group.labels.user, group.product) for group in usage.month} | activity.seen
        users = {user for user, product in seen if product is Product.QDEVELOPER}
        return dict.fromkeys(sorted(users - {UNKNOWN}), usd)

    def _limits(
        self, usage: AssistantUsage, reports: ReportFigures, now: datetime
    ) -> Iterator[LimitState]:
        """Return the limits that are configured, then those that are published, as far as used."""
        settings = self._settings
        for limit in settings.limits:
            if limit.product != "bedrock":
                yield from self._states(limit, usage, reports, now)
        if settings.assistants.default_limits:
            for limit in default_limits(usage.day, settings.limits):
                states = self._states(limit, usage, reports, now)
                yield from (state for state in states if _is_of_a_user(state))
        configured = {limit.name for limit in settings.limits}
        yield from (state for state in reports.credit_limits if state.name not in configured)

    def _states(
        self, limit: config.Limit, usage: AssistantUsage, reports: ReportFigures, now: datetime
    ) -> list[LimitState]:
        zone = self._settings.timezone
        if limit.measure in config.PROMPT_MEASURES:
            groups = group_prompts(
                limit.product,
                usage.today,
                usage.week,
                usage.month,
                usage.last_7_days,
                usage.previous_month,
            )
            return evaluate([limit], groups, now, zone, config.PROMPT_MEASURES)
        groups, measures = reports.usage[limit.product], self._reports.measures[limit.product]
        return evaluate([limit], groups, now, zone, measures, is_told_by_days=True)


def _is_of_a_user(state: LimitState) -> bool:
    """Tell whether a published limit stands for a user that is known and used something of it.

    Users that privacy has made one would all be held against the limit of one.
    """
    return state.used > 0 and state.labels.user != UNKNOWN
