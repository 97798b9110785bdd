"""The sections of config.yaml and what each of their keys may be."""

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, ValidationInfo, field_validator, model_validator

from exporter.assistant_usage import ACTIVITIES, Product
from exporter.config.assistants import Assistants
from exporter.config.aws import Aws
from exporter.config.fields import (
    Duration,
    LabelValues,
    ModelId,
    ModelOrProfileId,
    Money,
    Name,
    NamePattern,
    Pattern,
    Region,
    Zone,
    at_least,
    not_empty,
)
from exporter.config.section import Section
from exporter.config.sources import Source
from exporter.usage import CONTEXT_BANDS, LABELS, Label, ServiceTier, TokenKind

Measure = str
"""One of MEASURES, of the product that a limit is for."""
PROMPT_MEASURES = ("requests", "tokens", "input_tokens", "output_tokens")
"""What prompt logs tell, of either assistant."""
CREDIT_MEASURES = ("credits", "overage_credits", "messages")
MEASURES: dict[str, tuple[Measure, ...]] = {
    "bedrock": (
        "cost_usd",
        "tokens",
        "input_tokens",
        "output_tokens",
        "cache_read_tokens",
        "cache_write_tokens",
        "requests",
        "request_errors",
    ),
    Product.QDEVELOPER: (*PROMPT_MEASURES, *ACTIVITIES),
    Product.KIRO: (*PROMPT_MEASURES, *CREDIT_MEASURES),
}
"""What a limit can be set on, by product."""
_ASSISTANT_LABELS = frozenset({"account_id", "region", "user"})
Period = Literal["day", "week", "month"]


def _unique(value: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(value)) < len(value):
        raise ValueError("names a label twice")
    return value


def _not_blank(value: Path) -> Path:
    if value == Path():
        raise ValueError("names no file")
    return value


class Rule(Section):
    """One attribution rule: what it looks at, the pattern, and the names that come of it."""

    origin: Literal["principal", "metadata", "profile"] = Field(alias="from")
    key: str | None = Field(default=None, min_length=1)
    """Of requestMetadata with `from: metadata`, of a tag with `from: profile`."""
    match: Pattern
    """Of the whole resource part of the ARN, or of the whole value of the key."""
    application: str | None = None
    user: str | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.key is None and self.origin == "metadata":
            raise ValueError("'from: metadata' needs the 'key' to look at")
        if self.key is not None and self.origin == "principal":
            raise ValueError("'key' goes with 'from: metadata' and 'from: profile' only")
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

    def key_of(self, origin: Literal["metadata", "profile"]) -> str | None:
        """Return the key that the rule looks at there; None where it looks elsewhere."""
        return self.key if self.origin == origin else None


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
    include: tuple[NamePattern, ...] = ()
    """Case-sensitive parts of the principal's ARN, or patterns of it with * and ?; none: all."""
    exclude: tuple[NamePattern, ...] = ()
    applications: dict[str, Application] = Field(default_factory=dict)

    @property
    def metadata_keys(self) -> frozenset[str]:
        """Return the keys of requestMetadata that some rule looks at."""
        return frozenset(key for rule in self.rules if (key := rule.key_of("metadata")))

    @property
    def user_metadata_keys(self) -> frozenset[str]:
        """Return the keys of requestMetadata whose values are names of users."""
        return frozenset(
            key for rule in self.rules if rule.names_user and (key := rule.key_of("metadata"))
        )

    @property
    def profile_tags(self) -> frozenset[str]:
        """Return the keys of inference profiles' tags that some rule looks at."""
        return frozenset(key for rule in self.rules if (key := rule.key_of("profile")))


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
    product: Literal["bedrock", "qdeveloper", "kiro"] = "bedrock"
    match: dict[Label, LabelValues] = Field(default_factory=dict)
    """The values of a label that count; a list means any of them."""
    by: Annotated[tuple[Label, ...], AfterValidator(_unique)] = ()
    """Makes one limit for each value of these labels."""
    measure: Measure
    period: Period
    threshold: Annotated[Decimal, Field(ge=Decimal("1e-9"), le=Decimal("1e18"))]

    @field_validator("measure")
    @classmethod
    def _check_measure(cls, value: str, info: ValidationInfo) -> str:
        product = info.data.get("product")  # none if that was no product
        if product and value not in MEASURES[product]:
            near = get_close_matches(value.lower(), MEASURES[product], 1)
            known = (
                f"did you mean {near[0]!r}?"
                if near
                else f"those are {', '.join(MEASURES[product])}"
            )
            raise ValueError(f"{value!r} is no measure of {product}; {known}")
        return value

    @model_validator(mode="after")
    def _check(self) -> Self:
        labels = {*self.by, *self.match}
        if twice := set(self.by) & set(self.match):
            raise ValueError(f"{_join(twice)} in both match and by")
        is_told_by_days = self.product != "bedrock" and self.measure not in PROMPT_MEASURES
        if is_told_by_days and self.period == "day":
            raise ValueError(
                f"period: reports tell {self.measure} a day after its end; take week or month"
            )
        if self.product != "bedrock" and (foreign := labels - _ASSISTANT_LABELS):
            raise ValueError(f"{_join(foreign)}: no label of product {self.product!r}")
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


class Config(Section):
    """The whole of config.yaml; paths are absolute."""

    timezone: Zone = ZoneInfo("UTC")
    refresh_interval: Annotated[Duration, AfterValidator(at_least(timedelta(seconds=1)))] = (
        timedelta(minutes=5)
    )
    ledger: Annotated[Path, AfterValidator(_not_blank)] = Path("data/ledger.sqlite")
    retention_months: int = Field(default=13, ge=2, le=1200)
    sources: Annotated[tuple[Source, ...], AfterValidator(not_empty)]
    attribution: Attribution = Attribution()
    models: dict[str, ModelOrProfileId] = Field(default_factory=dict)
    """Opaque ARN, or its last part, to a foundation model or inference profile id."""
    prices: Prices = Prices()
    limits: tuple[Limit, ...] = ()
    assistants: Assistants = Assistants()
    metrics: Metrics = Metrics()
    privacy: Privacy = Privacy()
    aws: Aws = Aws()

    @model_validator(mode="after")
    def _check_lookups(self) -> Self:
        if problem := next(_lookup_problems(self), None):
            raise ValueError(problem)
        return self


def _lookup_problems(config: Config) -> Iterator[str]:
    """Find where lookups do not go with the rest of the configuration."""
    lookups = config.aws.lookups
    tag_rules = [rule for rule in config.attribution.rules if rule.key_of("profile")]
    if tag_rules and not lookups.inference_profiles:
        yield (
            "attribution.rules: 'from: profile' with a 'key' looks at tags, which needs "
            "'aws.lookups.inference_profiles: true'"
        )
    if lookups.are_wanted and any(source.name == "lookups" for source in config.sources):
        yield "sources: the name 'lookups' is that of what aws.lookups asks; take another"
    is_plain = config.privacy.users == "plain"
    if lookups.identity_center and not is_plain:
        yield (
            "aws.lookups.identity_center: stores the names of users as they are, which only "
            "'privacy.users: plain' allows"
        )
    if any(rule.names_user for rule in tag_rules) and not is_plain:
        yield (
            "attribution.rules: a user that a profile's tag names is stored as it is, which only "
            "'privacy.users: plain' allows"
        )
    account = lookups.identity_center and lookups.identity_center.account
    if account and account not in {known.name for known in config.aws.accounts}:
        yield f"aws.lookups.identity_center.account: {account!r} is none of aws.accounts"


def _join(names: Any) -> str:
    return ", ".join(sorted(map(str, names), key=lambda name: (len(name), name)))
