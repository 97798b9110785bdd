"""The status page: what was read, how fresh it is, what it cost, rendered once a refresh to bytes.

Takes values and returns HTML. Knows no ledger, no clock and no web server, and shows no text that
a caller wrote except names, which page_text.py makes harmless and the template escapes.
"""

import calendar
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import NamedTuple
from zoneinfo import ZoneInfo

from jinja2 import Environment, PackageLoader, StrictUndefined

from exporter import page_text

TOP = 10
"""Rows of a table; what is left is summed up in one more, so that the page stays small."""

NEAR = Decimal("0.8")
"""Ratio from which on a limit is shown as near."""

REMEDIES = {
    "unknown_model": "No price known. Add one under prices.overrides, or upgrade for newer prices.",
    "no_price": "No price for this region, routing or tier. Add one under prices.overrides.",
    "unresolved": "The id hides the model. Name the model under models: in config.yaml.",
    "not_token_billed": "Not billed by the token (images, video, rerank). See the AWS bill.",
    "provisioned": "Provisioned throughput is paid by the hour, used or not. See the AWS bill.",
    "custom": "A custom model has no public price by the token. See the AWS bill.",
    "imported": "An imported model is billed by the minute it is loaded. See the AWS bill.",
}
"""What to do about unpriced usage, by the reason that its metric names."""


@dataclass(frozen=True, slots=True)
class Absent:
    """A figure that cannot be known, and why; shown as a dash, never as zero."""

    because: str


@dataclass(frozen=True, slots=True)
class Total:
    """Usage of one period over everything; the cost leaves out the unpriced requests."""

    cost_usd: Decimal = Decimal(0)
    tokens: int = 0
    requests: int = 0
    unpriced_requests: int = 0


@dataclass(frozen=True, slots=True)
class Share:
    """What one application, user or model used; the costs leave out the unpriced requests."""

    name: str
    detail: str = ""
    cost_usd_today: Decimal = Decimal(0)
    cost_usd_month: Decimal = Decimal(0)
    tokens_month: int = 0
    requests_month: int = 0
    unpriced_requests_month: int = 0


@dataclass(frozen=True, slots=True)
class Ranking:
    """The largest shares, largest first, and the rest as one; together they are everything."""

    top: tuple[Share, ...] = ()
    others: Share | None = None

    @property
    def cost_usd_month(self) -> Decimal:
        """Return the cost of all shares."""
        rest = self.others.cost_usd_month if self.others else Decimal(0)
        return sum((share.cost_usd_month for share in self.top), rest)


@dataclass(frozen=True, slots=True)
class LimitRow:
    """A limit of one label set. `used` and `threshold` are in the unit of the measure."""

    name: str
    scope: str
    measure: str
    period: str
    used: Decimal | int
    threshold: Decimal | int
    projected_ratio: Decimal | None
    """None: not enough data for a projection."""
    reset: datetime

    @property
    def ratio(self) -> Decimal:
        """Return used / threshold; 1 means 100 %."""
        return Decimal(self.used) / Decimal(self.threshold)


@dataclass(frozen=True, slots=True)
class UnpricedRow:
    """Usage of this month that no price applies to."""

    model: str
    region: str
    reason: str
    requests: int
    tokens: int

    @property
    def remedy(self) -> str:
        """Return what to do about it."""
        return REMEDIES[self.reason]


@dataclass(frozen=True, slots=True)
class SourceRow:
    """How a source is doing. `location` and `last_error` are shown: no secret may be in them."""

    name: str
    location: str
    up: bool
    complete: bool
    backlog_objects: int
    last_success: datetime | None
    newest_record: datetime | None
    log_objects: int
    records: int
    """Both since the start of the process, as are the rejected."""
    rejected: Mapping[str, int] = field(default_factory=dict)
    last_error: str | None = None
    accuracy: str = "measured"


@dataclass(frozen=True, slots=True)
class AssistantRow:
    """What one developer assistant's users did this month; None: no log or report tells."""

    name: str
    users: int
    requests: int | None = None
    tokens: int | None = None
    """Counted from prompt logs."""
    estimated_tokens: int | None = None
    """From activity reports."""
    virtual_cost_usd: Decimal | None = None
    """What the tokens would have cost."""
    subscription_usd: Decimal | None = None
    """What the seats cost so far."""
    credits: Decimal | None = None
    overage_credits: Decimal | None = None


@dataclass(frozen=True, slots=True)
class PageView:
    """All that the page shows. Today and month are those of `timezone`."""

    built_at: datetime
    version: str
    timezone: ZoneInfo
    refresh_interval: timedelta
    today: Total
    month_to_date: Total
    previous_month: Total | Absent
    projected_month_usd: Decimal | Absent
    daily_mean_usd: Decimal | Absent
    """Of the last 7 full days."""
    daily_cost_usd: tuple[tuple[date, Decimal], ...]
    """Days of this month up to today; a day that is not named was not read."""
    cost_usd_month_by_provenance: Mapping[str, Decimal]
    top_applications: Ranking
    top_users: Ranking
    top_models: Ranking
    limits: tuple[LimitRow, ...]
    unpriced: tuple[UnpricedRow, ...]
    sources: tuple[SourceRow, ...]
    assistants: tuple[AssistantRow, ...]
    aws_cost_usd_today: Decimal
    aws_cost_usd_ceiling: Decimal
    docs_url: str | None = None


class SourceState(StrEnum):
    """How far a source can be trusted, worst first."""

    DOWN = "down"
    STALE = "stale"
    """No read succeeded for two refreshes."""
    READING = "reading"
    """A first fill or a catch-up runs."""
    OK = "ok"


class LimitLevel(StrEnum):
    """How near a limit is, worst first."""

    OVER = "over"
    PROJECTED = "projected"
    """Not over yet, but on course to be before its reset."""
    NEAR = "near"
    OK = "ok"


class Day(NamedTuple):
    """One bar of the daily chart; the cost is None on a day to come or not read."""

    day: date
    cost_usd: Decimal | None
    height: str


def rank(shares: Iterable[Share]) -> Ranking:
    """Return the largest shares by this month's cost, then tokens, and the sum of the others."""
    ordered = sorted(shares, key=lambda s: (-s.cost_usd_month, -s.tokens_month, s.name, s.detail))
    rest = ordered[TOP:]
    if not rest:
        return Ranking(tuple(ordered))
    others = Share(
        name=f"{len(rest):,} others",
        cost_usd_today=sum((share.cost_usd_today for share in rest), Decimal(0)),
        cost_usd_month=sum((share.cost_usd_month for share in rest), Decimal(0)),
        tokens_month=sum(share.tokens_month for share in rest),
        requests_month=sum(share.requests_month for share in rest),
        unpriced_requests_month=sum(share.unpriced_requests_month for share in rest),
    )
    return Ranking(tuple(ordered[:TOP]), others)


def render(view: PageView) -> bytes:
    """Return the page as UTF-8; ages on it are as of `view.built_at`."""
    limits = sorted(view.limits, key=_danger)
    unpriced = sorted(view.unpriced, key=lambda row: (-row.requests, -row.tokens, row.model))
    html = _TEMPLATE.render(
        view=view,
        now=view.built_at,
        local=view.built_at.astimezone(view.timezone),
        days=chart_days(view),
        limits=limits[:TOP],
        more_limits=limits[TOP:],
        unpriced=unpriced[:TOP],
        more_unpriced=unpriced[TOP:],
        sources=[(row, source_state(row, view)) for row in view.sources],
    )
    return html.encode()


def source_state(row: SourceRow, view: PageView) -> SourceState:
    """Return the worst that is true of a source."""
    if not row.up:
        return SourceState.DOWN
    if not row.complete:
        return SourceState.READING
    if row.last_success and view.built_at - row.last_success > 2 * view.refresh_interval:
        return SourceState.STALE
    return SourceState.OK


def limit_level(row: LimitRow) -> LimitLevel:
    """Return the worst level that a limit is at. Exactly used up is over."""
    if row.ratio >= 1:
        return LimitLevel.OVER
    if row.projected_ratio is not None and row.projected_ratio >= 1:
        return LimitLevel.PROJECTED
    return LimitLevel.NEAR if row.ratio >= NEAR else LimitLevel.OK


def _danger(row: LimitRow) -> tuple[int, Decimal, str, str]:
    """Order limits: worst level first, then the highest ratio."""
    return list(LimitLevel).index(limit_level(row)), -row.ratio, row.name, row.scope


def chart_days(view: PageView) -> list[Day]:
    """Return a bar for each day of this month, those to come included."""
    today = view.built_at.astimezone(view.timezone).date()
    cost = {day: usd for day, usd in view.daily_cost_usd if day <= today}
    highest = max(cost.values(), default=Decimal(0))
    last = calendar.monthrange(today.year, today.month)[1]
    days = [today.replace(day=number) for number in range(1, last + 1)]
    return [Day(day, cost.get(day), _width(cost.get(day), highest)) for day in days]


def _width(part: Decimal | int | None, whole: Decimal | int = 1) -> str:
    """Return the length of a bar in percent of the longest, as CSS."""
    if not part or not whole:
        return "0%"
    return f"{min(100.0, float(Fraction(part) / Fraction(whole) * 100)):.2f}%"


def _template_environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("exporter"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "money": page_text.money,
        "exact_money": page_text.exact_money,
        "human": page_text.human,
        "count": "{:,}".format,
        "percent": page_text.percent,
        "share": page_text.share,
        "amount": page_text.amount,
        "width": _width,
        "relative": page_text.relative,
        "duration": page_text.duration,
        "utc": page_text.utc,
        "clip": page_text.clip,
        "limit_level": limit_level,
    }
    environment.tests["absent"] = lambda value: isinstance(value, Absent)
    return environment


_TEMPLATE = _template_environment().get_template("page.html")
