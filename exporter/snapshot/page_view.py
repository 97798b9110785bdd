"""The status page's view of a snapshot."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal

from exporter import __version__, metrics
from exporter.assistant_usage import Product
from exporter.config import Application, Config
from exporter.interpretation.limits import LimitState
from exporter.interpretation.measures import Labels
from exporter.interpretation.models import UnpricedReason, describe
from exporter.interpretation.totals import GroupTotal, Totals
from exporter.ledger import NewestRecord
from exporter.page import (
    Absent,
    AssistantRow,
    LimitRow,
    PageView,
    Ranking,
    Share,
    SourceRow,
    Total,
    UnpricedRow,
    rank,
)
from exporter.snapshot.assistant_figures import AssistantFigures
from exporter.snapshot.counters import Counters
from exporter.snapshot.exporter_families import accuracies
from exporter.snapshot.history import PeriodUsage
from exporter.snapshot.usage_families import mean_days, remaining_days
from exporter.status import AwsSpend, SourceStatus
from exporter.usage import LABELS, Label

_ASSISTANTS = {Product.QDEVELOPER: "Amazon Q Developer", Product.KIRO: "Kiro"}
_TOO_LITTLE = Absent("less than 24 hours of data")


def page_view(
    settings: Config,
    applications: Mapping[str, Application],
    usage: PeriodUsage,
    daily_cost_usd: tuple[tuple[date, Decimal], ...],
    assistants: AssistantFigures,
    limits: Iterable[LimitState],
    sources: Sequence[SourceStatus],
    newest: Sequence[NewestRecord],
    counters: Counters,
    spend: AwsSpend,
    now: datetime,
) -> PageView:
    """Return all that the page shows, from the same values as the metrics."""
    mean_usd, projected_usd = _forecast(settings, usage, now)
    accuracy = accuracies(settings.sources)
    return PageView(
        built_at=now,
        version=__version__,
        timezone=settings.timezone,
        refresh_interval=settings.refresh_interval,
        today=_total(usage.today),
        month_to_date=_total(usage.month),
        previous_month=_total(usage.previous_month)
        if usage.previous_month.groups
        else Absent("no usage read"),
        projected_month_usd=projected_usd,
        daily_mean_usd=mean_usd,
        daily_cost_usd=daily_cost_usd,
        cost_usd_month_by_provenance={
            str(of): cost for of, cost in usage.month.cost_by_provenance.items()
        },
        top_applications=_ranking(usage, "application", _team(applications)),
        top_users=_ranking(usage, "user", lambda _: ""),
        top_models=_ranking(usage, "model", _model_name),
        limits=tuple(_limit_row(state) for state in limits),
        unpriced=_unpriced(usage.month),
        sources=tuple(
            _source_row(source, newest, counters, accuracy.get(source.name, "measured"))
            for source in sources
        ),
        assistants=tuple(_assistant_rows(assistants)),
        aws_cost_usd_today=spend.cost_usd,
        aws_cost_usd_ceiling=spend.ceiling_usd,
    )


def _cost(groups: Iterable[GroupTotal]) -> Decimal:
    return sum((total.cost_usd or Decimal(0) for total in groups), Decimal(0))


def _forecast(
    settings: Config, usage: PeriodUsage, now: datetime
) -> tuple[Decimal | Absent, Decimal | Absent]:
    days = mean_days(usage, now, settings.timezone)
    if days is None:
        return _TOO_LITTLE, _TOO_LITTLE
    mean = _cost(usage.last_7_days.values()) / days
    left = remaining_days(now, settings.timezone)
    return mean, _cost(usage.month.groups.values()) + left * mean


def _total(totals: Totals) -> Total:
    groups = totals.groups.values()
    return Total(
        cost_usd=_cost(groups),
        tokens=sum(sum(total.tokens) for total in groups),
        requests=sum(total.requests for total in groups),
        unpriced_requests=sum(totals.unpriced_requests.values()),
    )


def _ranking(usage: PeriodUsage, label: Label, detail: Callable[[str], str]) -> Ranking:
    position = LABELS.index(label)
    month: dict[str, list[tuple[Labels, GroupTotal]]] = defaultdict(list)
    for labels, total in usage.month.groups.items():
        month[labels[position]].append((labels, total))
    today: Mapping[Labels, GroupTotal] = usage.today.groups
    return rank(
        Share(
            name=name,
            detail=detail(name),
            cost_usd_today=_cost(today[labels] for labels, _ in members if labels in today),
            cost_usd_month=_cost(total for _, total in members),
            tokens_month=sum(sum(total.tokens) for _, total in members),
            requests_month=sum(total.requests for _, total in members),
            unpriced_requests_month=sum(total.unpriced_requests for _, total in members),
        )
        for name, members in month.items()
    )


def _team(applications: Mapping[str, Application]) -> Callable[[str], str]:
    """Return what tells the team that answers for an application."""
    return lambda name: applications[name].team if name in applications else ""


def _model_name(model: str) -> str:
    info = describe(model)
    return "" if info.name == model else f"{info.provider} {info.name}"


def _limit_row(state: LimitState) -> LimitRow:
    return LimitRow(
        name=state.name,
        scope=", ".join(
            f"{label} {value}" for label, value in state.labels._asdict().items() if value
        ),
        measure=words_of(state.measure),
        period=state.period,
        used=state.used,
        threshold=state.threshold,
        projected_ratio=state.projected_ratio,
        reset=state.reset,
    )


def words_of(measure: str) -> str:
    """Return a measure as alerts call it: dev_generation_events for dev_generation_event_count."""
    return re.sub("s?_count$", "s", measure)


def _unpriced(month: Totals) -> tuple[UnpricedRow, ...]:
    """Return what has no price; with tokens but no requests, where some tokens have one."""
    requests: dict[tuple[str, str, UnpricedReason], int] = defaultdict(int)
    tokens: dict[tuple[str, str, UnpricedReason], int] = defaultdict(int)
    for (place, reason), count in month.unpriced_requests.items():
        requests[place.model, place.region, reason] += count
    for (place, reason, _), count in month.unpriced_tokens.items():
        tokens[place.model, place.region, reason] += count
    return tuple(
        UnpricedRow(*key, requests=requests.get(key, 0), tokens=tokens.get(key, 0))
        for key in requests | tokens
    )


def _source_row(
    source: SourceStatus, newest: Sequence[NewestRecord], counters: Counters, accuracy: str
) -> SourceRow:
    records = [row.timestamp for row in newest if row.source == source.name]
    return SourceRow(
        name=source.name,
        location=source.location,
        up=source.up or not source.is_begun,
        complete=source.complete,
        backlog_objects=source.backlog_objects,
        last_success=source.last_success,
        newest_record=datetime.fromtimestamp(max(records), UTC) if records else None,
        log_objects=int(counters.total(metrics.LOG_OBJECTS, source.name)),
        records=int(counters.total(metrics.LOG_RECORDS, source.name)),
        rejected={
            reason: int(count)
            for (name, reason), count in counters.totals(metrics.REJECTED_RECORDS).items()
            if name == source.name
        },
        last_error=source.last_error,
        accuracy=accuracy,
    )


def _assistant_rows(figures: AssistantFigures) -> Iterator[AssistantRow]:
    """Return the assistants that somebody used this month or has credits of."""
    for product, name in _ASSISTANTS.items():
        groups = {g: sums for g, sums in figures.usage.month.items() if g.product is product}
        estimated = [
            t for key, t in figures.reports.estimated_tokens.items() if key.product is product
        ]
        values = [v for key, v in figures.virtual_cost.items() if key.product is product]
        credits = figures.reports.kiro.credits if product is Product.KIRO else {}
        users = {group.labels.user for group in groups} | {key.labels.user for key in credits}
        users |= {key.user for key in figures.reports.estimated_tokens if key.product is product}
        if not users:
            continue
        counts = [sums.counts for sums in groups.values()]
        seats = figures.subscription_usd if product is Product.QDEVELOPER else {}
        yield AssistantRow(
            name=name,
            users=len(users),
            requests=sum(count.requests for count in counts) if counts else None,
            tokens=sum(count.input + count.output for count in counts) if counts else None,
            estimated_tokens=sum(map(sum, estimated)) if estimated else None,
            virtual_cost_usd=sum((v.cost_usd for v in values), Decimal(0)) if values else None,
            subscription_usd=sum(seats.values(), Decimal(0)) if seats else None,
            credits=sum((s.used for s in credits.values()), Decimal(0)) if credits else None,
            overage_credits=sum((s.overage for s in credits.values()), Decimal(0))
            if credits
            else None,
        )
