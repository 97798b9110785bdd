"""Figures of developer assistants as metric families."""

from collections.abc import Iterator, Mapping
from decimal import Decimal

from exporter import metrics
from exporter.interpretation.activity import ActivityFigures, ActivityKey, UserActivity, UserKey
from exporter.interpretation.estimates import EstimatedTokens
from exporter.interpretation.kiro import KiroFigures
from exporter.interpretation.measures import Labels
from exporter.interpretation.prompts import PromptGroup, Prompts
from exporter.metrics import Family, Metric, Value
from exporter.snapshot.assistant_figures import AssistantFigures
from exporter.snapshot.assistant_history import AssistantUsage, Pattern
from exporter.snapshot.exposure import Exposure, largest, smallest_of_users, summed
from exporter.usage import TokenKind

_DAY_SECONDS = 86_400

Sample = tuple[Labels, tuple[str, ...], Value]


def assistant_families(
    figures: AssistantFigures, exposure: Exposure, context_window_tokens: int
) -> list[Family]:
    """Return the gauges of developer assistants."""
    return [
        *_prompt_families(figures.usage, exposure, context_window_tokens),
        *_pattern_families(figures.usage),
        *_activity_families(figures.reports.activity, exposure),
        *_value_families(figures, exposure),
        *_kiro_families(figures.reports.kiro, exposure),
    ]


def prompt_labels(group: PromptGroup) -> tuple[str, ...]:
    """Return the values of the labels that Bedrock's usage has not."""
    return group.product, group.request_kind


def tokens_by_kind(tokens: EstimatedTokens) -> Iterator[tuple[TokenKind, int]]:
    """Yield the tokens of each kind."""
    yield TokenKind.INPUT, tokens.input
    yield TokenKind.OUTPUT, tokens.output


def _prompt_families(
    usage: AssistantUsage, exposure: Exposure, context_window_tokens: int
) -> list[Family]:
    """Return today and this month; who asked this month stays, at 0 if need be, until it ends."""
    return [
        _requests(exposure, metrics.QDEVELOPER_REQUESTS_TODAY, usage.today, usage.month),
        _requests(exposure, metrics.QDEVELOPER_REQUESTS_MONTH, usage.month, usage.month),
        _tokens(exposure, metrics.QDEVELOPER_TOKENS_TODAY, usage.today, usage.month),
        _tokens(exposure, metrics.QDEVELOPER_TOKENS_MONTH, usage.month, usage.month),
        largest(
            exposure,
            metrics.QDEVELOPER_CONTEXT_WINDOW,
            (
                (Labels(user=user), (product,), _ratio(tokens, context_window_tokens))
                for (user, product), tokens in usage.largest_conversations.items()
            ),
        ),
    ]


def _ratio(part: int, whole: int) -> Decimal:
    return Decimal(part) / whole


def _requests(exposure: Exposure, metric: Metric, prompts: Prompts, of_month: Prompts) -> Family:
    return summed(
        exposure,
        metric,
        (
            (
                group.labels,
                prompt_labels(group),
                prompts[group].counts.requests if group in prompts else 0,
            )
            for group in of_month
        ),
    )


def _tokens(exposure: Exposure, metric: Metric, prompts: Prompts, of_month: Prompts) -> Family:
    def samples() -> Iterator[tuple[Labels, tuple[str, ...], int]]:
        for group in of_month:
            counts = prompts[group].counts if group in prompts else None
            others = prompt_labels(group)
            yield group.labels, (*others, TokenKind.INPUT), counts.input if counts else 0
            yield group.labels, (*others, TokenKind.OUTPUT), counts.output if counts else 0

    return summed(exposure, metric, samples())


def _pattern_families(usage: AssistantUsage) -> list[Family]:
    """Return when requests come, over all users."""

    def family(metric: Metric, pattern: Pattern, digits: int) -> Family:
        return Family(
            metric,
            metric.labels,
            {
                (product, kind, f"{place:0{digits}}"): requests
                for (product, kind, place), requests in pattern.items()
            },
        )

    return [
        family(metrics.QDEVELOPER_HOUR_OF_DAY, usage.requests_by_hour, 2),
        family(metrics.QDEVELOPER_DAY_OF_WEEK, usage.requests_by_weekday, 1),
    ]


def _activity_families(activity: ActivityFigures, exposure: Exposure) -> list[Family]:
    def counts(metric: Metric, counted: Mapping[ActivityKey, int]) -> Family:
        return summed(
            exposure,
            metric,
            (
                (labels, (product, name), count)
                for (labels, product, name), count in counted.items()
            ),
        )

    def pace(metric: Metric, field: str) -> Family:
        return smallest_of_users(exposure, metric, _of_users(activity.users, field))

    return [
        counts(metrics.QDEVELOPER_ACTIVITY_TODAY, activity.today),
        counts(metrics.QDEVELOPER_ACTIVITY_LATEST_DAY, activity.latest_day),
        counts(metrics.QDEVELOPER_ACTIVITY_MONTH, activity.month),
        pace(metrics.QDEVELOPER_ACTIVITY_MEAN, "daily_mean"),
        pace(metrics.QDEVELOPER_ACTIVITY_MAX, "daily_max"),
        pace(metrics.QDEVELOPER_ACTIVITY_MIN, "daily_min"),
        pace(metrics.QDEVELOPER_ACTIVITY_SPIKE, "spike_ratio"),
        smallest_of_users(
            exposure,
            metrics.QDEVELOPER_IDLE,
            (
                (Labels(user=user), (product,), figures.idle_days * _DAY_SECONDS)
                for (user, product), figures in activity.users.items()
            ),
        ),
        summed(
            exposure,
            metrics.QDEVELOPER_ACTIVITY_PROJECTED,
            _of_users(activity.users, "projected_month"),
        ),
    ]


def _of_users(users: Mapping[UserKey, UserActivity], field: str) -> Iterator[Sample]:
    """Yield one figure of every user that has it."""
    for (user, product), figures in users.items():
        value = getattr(figures, field)
        if value is not None:
            yield Labels(user=user), (product,), value


def _value_families(figures: AssistantFigures, exposure: Exposure) -> list[Family]:
    """Return what the assistants are worth, beside what they cost."""
    return [
        summed(
            exposure,
            metrics.QDEVELOPER_ESTIMATED_TOKENS,
            (
                (Labels(user=user), (product, kind), count)
                for (user, product), tokens in figures.reports.estimated_tokens.items()
                for kind, count in tokens_by_kind(tokens)
            ),
        ),
        summed(
            exposure,
            metrics.QDEVELOPER_VIRTUAL_COST,
            (
                (Labels(user=user), (product, valued.accuracy), valued.cost_usd)
                for (user, product), valued in figures.virtual_cost.items()
            ),
        ),
        summed(
            exposure,
            metrics.QDEVELOPER_SUBSCRIPTION,
            ((Labels(user=user), (), usd) for user, usd in figures.subscription_usd.items()),
        ),
    ]


def _kiro_families(kiro: KiroFigures, exposure: Exposure) -> list[Family]:
    return [
        summed(
            exposure,
            metrics.KIRO_CREDITS,
            ((key.labels, key[1:], spent.used) for key, spent in kiro.credits.items()),
        ),
        summed(
            exposure,
            metrics.KIRO_OVERAGE,
            ((key.labels, key[1:], spent.overage) for key, spent in kiro.credits.items()),
        ),
        summed(
            exposure,
            metrics.KIRO_MESSAGES,
            (
                (key.labels._replace(model=key.model), (key.client_type,), count)
                for key, count in kiro.messages.items()
            ),
        ),
        smallest_of_users(
            exposure,
            metrics.KIRO_IDLE,
            (
                (key.labels, (key.tier,), days * _DAY_SECONDS)
                for key, days in kiro.idle_days.items()
            ),
        ),
    ]
