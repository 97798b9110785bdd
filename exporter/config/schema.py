"""The sections of config.yaml and what each of their keys may be."""

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from exporter.config.fields import (
    Duration,
    LabelValues,
    Location,
    ModelId,
    ModelOrProfileId,
    Money,
    Name,
    Pattern,
    Region,
    Zone,
    at_least,
    not_empty,
)
from exporter.usage import CONTEXT_BANDS, LABELS, Label, ServiceTier, TokenKind

Measure = Literal[
    "cost_usd",
    "tokens",
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "requests",
    "request_errors",
]
Period = Literal["day", "week", "month"]


def _unique(value: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(value)) < len(value):
        raise ValueError("names a label twice")
    return value


def _not_blank(value: Path) -> Path:
    if value == Path():
        raise ValueError("names no file")
    return value


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


class InvocationLogs(Section):
    """Model Invocation Logs, read directly from a folder or S3."""

    type: Literal["invocation_logs"]
    name: Name = "invocation_logs"
    location: Location
    """A folder (absolute once loaded) or s3://bucket/prefix: what stands before AWSLogs/."""
    lookback: Annotated[Duration, AfterValidator(at_least(timedelta(hours=1)))] = timedelta(
        hours=48
    )
    """How late a log object may arrive and still be found."""
    duplicates_window: Annotated[Duration, AfterValidator(at_least(timedelta(hours=1)))] = (
        timedelta(days=7)
    )
    """How far back request ids are remembered, to count a record delivered twice once."""
    max_record_bytes: int = Field(default=16 * 2**20, ge=2**10)
    max_object_bytes: int = Field(default=2**28, ge=2**20)
    """Both after decompression."""


class Rule(Section):
    """One attribution rule: what it looks at, the pattern, and the names that come of it."""

    origin: Literal["principal", "metadata", "profile"] = Field(alias="from")
    key: str | None = Field(default=None, min_length=1)
    """Of requestMetadata; only with `from: metadata`."""
    match: Pattern
    """Of the whole resource part of the ARN, or of the whole metadata value."""
    application: str | None = None
    user: str | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.key is None) == (self.origin == "metadata"):
            raise ValueError("'key' goes with 'from: metadata', and only with it")
        groups = set(self.match.groupindex)
        if unknown := groups - {"application", "user"}:
            raise ValueError(f"match: groups are application and user, not {_join(unknown)}")
        if not groups and self.application is None and self.user is None:
            raise ValueError("names neither an application nor a user")
        return self

    @property
    def names_user(self) -> bool:
        """Tell whether the rule takes a user's name out of what it looks at."""
        return "user" in self.match.groupindex


def _rule(origin: str, match: str, key: str | None = None) -> Rule:
    return Rule.model_validate({"from": origin, "match": match, "key": key})


DEFAULT_RULES = (
    _rule("principal", r"assumed-role/(?P<application>.+)-BedrockRole/(?P<user>.+)"),
    _rule("principal", r"assumed-role/AWSReservedSSO_[^/]+/(?P<user>.+)"),
    _rule("principal", r"user/(?:.+/)?(?P<user>[^/]+)"),
    _rule("metadata", r"(?P<application>.+)", key="application"),
    _rule("metadata", r"(?P<user>.+)", key="user"),
)
"""What the principal says comes first: a caller can forge metadata, but not its principal."""


class Application(Section):
    """Who answers for an application."""

    team: str = ""
    cost_center: str = ""
    owner: str = ""


class Attribution(Section):
    """How principals become applications and users."""

    rules: tuple[Rule, ...] = DEFAULT_RULES
    include: tuple[str, ...] = ()
    """Case-sensitive parts of the principal's ARN, or patterns of it with * and ?; none: all."""
    exclude: tuple[str, ...] = ()
    applications: dict[str, Application] = {}

    @property
    def metadata_keys(self) -> frozenset[str]:
        """Return the keys of requestMetadata that some rule looks at."""
        return frozenset(rule.key for rule in self.rules if rule.key is not None)

    @property
    def user_metadata_keys(self) -> frozenset[str]:
        """Return the keys whose values are names of users."""
        return frozenset(rule.key for rule in self.rules if rule.key and rule.names_user)


class PriceOverride(Section):
    """A price that the user knows better than the book."""

    model: ModelId
    region: Region = "*"
    routing: Literal["*", "in_region", "geo", "global"] = "*"
    service_tier: ServiceTier = ServiceTier.STANDARD
    context_from: int = 0
    """Lower bound of the context band in prompt tokens."""
    effective_from: date | None = None
    """UTC day; none: always."""
    usd_per_million_tokens: dict[TokenKind, Money] = Field(min_length=1)

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.context_from not in CONTEXT_BANDS:
            raise ValueError(
                f"context_from: {self.context_from} is not one of {_join(CONTEXT_BANDS)}"
            )
        return self


class Prices(Section):
    """Corrections to the bundled price book."""

    overrides: tuple[PriceOverride, ...] = ()


class Limit(Section):
    """A threshold on the usage of one period."""

    name: Name
    match: dict[Label, LabelValues] = {}
    """The values of a label that count; a list means any of them."""
    by: Annotated[tuple[Label, ...], AfterValidator(_unique)] = ()
    """Makes one limit for each value of these labels."""
    measure: Measure
    period: Period
    threshold: Annotated[Decimal, Field(ge=Decimal("1e-9"), le=Decimal("1e18"))]

    @model_validator(mode="after")
    def _check(self) -> Self:
        if twice := set(self.by) & set(self.match):
            raise ValueError(f"{_join(twice)} in both match and by")
        return self


class Metrics(Section):
    """What is exposed."""

    labels: Annotated[tuple[Label, ...], AfterValidator(_unique)] = LABELS
    max_series: int = Field(default=100_000, ge=100)
    counter_birth: Duration = timedelta(minutes=2)
    """How long a new counter stands at 0, so that a scrape sees it there before it rises."""


class Privacy(Section):
    """What of a user's name is written down."""

    users: Literal["plain", "pseudonym", "drop"] = "plain"
    key: str | None = Field(default=None, min_length=16, repr=False)
    """Secret of the pseudonyms; none: one is made beside the ledger and kept."""


class Aws(Section):
    """What the exporter itself may spend."""

    max_cost_usd_per_day: Money = Decimal("1.00")


class Config(Section):
    """The whole of config.yaml; paths are absolute."""

    timezone: Zone = ZoneInfo("UTC")
    refresh_interval: Annotated[Duration, AfterValidator(at_least(timedelta(seconds=1)))] = (
        timedelta(minutes=5)
    )
    ledger: Annotated[Path, AfterValidator(_not_blank)] = Path("data/ledger.sqlite")
    retention_months: int = Field(default=13, ge=2, le=1200)
    sources: Annotated[tuple[InvocationLogs, ...], AfterValidator(not_empty)]
    attribution: Attribution = Attribution()
    models: dict[str, ModelOrProfileId] = {}
    """Opaque ARN, or its last part, to a foundation model or inference profile id."""
    prices: Prices = Prices()
    limits: tuple[Limit, ...] = ()
    metrics: Metrics = Metrics()
    privacy: Privacy = Privacy()
    aws: Aws = Aws()


def _join(names: Any) -> str:
    return ", ".join(sorted(map(str, names), key=lambda name: (len(name), name)))
