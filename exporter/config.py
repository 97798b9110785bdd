"""config.yaml as a frozen, validated value; every mistake named at once, each by its place.

Knows the shape of the file and nothing of what is done with it. `load` is the only way in and
`ConfigError` the only way out for a bad file:

    config.yaml: limits[2].period: 'monthly' is not one of day, week, month
"""

import difflib
import os
import re
from collections.abc import Callable, Hashable, Iterator, Mapping
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)
from pydantic_core import ErrorDetails

from exporter.usage import CONTEXT_BANDS, ServiceTier, TokenKind

Label = Literal["account_id", "region", "application", "user", "model"]
LABELS: tuple[Label, ...] = ("account_id", "region", "application", "user", "model")

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

_DURATION = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")
_VARIABLE = re.compile(r"\$(\$|\{(\w+)\})")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


class ConfigError(Exception):
    """A configuration that cannot be used; `problems` holds one line for each mistake."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def _parse_duration(value: object) -> object:
    if isinstance(value, timedelta):
        return value
    match = _DURATION.fullmatch(value) if isinstance(value, str) and value else None
    if not match:
        raise ValueError(f"{value!r} is not a duration such as 30s, 5m, 48h, 7d or 1h30m")
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)


def _parse_zone(value: object) -> object:
    if isinstance(value, ZoneInfo):
        return value
    try:
        return ZoneInfo(str(value))
    except (LookupError, ValueError, OSError):
        raise ValueError(f"{value!r} is not a time zone such as UTC or Europe/Berlin") from None


def _parse_pattern(value: object) -> object:
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is not a regular expression")
    try:
        return re.compile(value)
    except re.error as error:
        raise ValueError(f"{value!r} is not a regular expression: {error}") from None


def _check_name(value: str) -> str:
    if not _NAME.fullmatch(value):
        raise ValueError(f"{value!r} is not a name of 1 to 64 letters, digits, '_', '.' or '-'")
    return value


def _check_any(value: tuple[Any, ...]) -> tuple[Any, ...]:
    if not value:
        raise ValueError("names none; at least one is needed")
    return value


def _at_least(minimum: timedelta) -> Callable[[timedelta], timedelta]:
    def check(value: timedelta) -> timedelta:
        if value < minimum:
            raise ValueError(f"must be {int(minimum.total_seconds())}s or more")
        return value

    return check


Duration = Annotated[timedelta, BeforeValidator(_parse_duration)]
Zone = Annotated[ZoneInfo, BeforeValidator(_parse_zone)]
Pattern = Annotated[re.Pattern[str], BeforeValidator(_parse_pattern)]
Name = Annotated[str, AfterValidator(_check_name)]
Money = Annotated[Decimal, Field(ge=0, allow_inf_nan=False)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


class InvocationLogs(_Section):
    """Model Invocation Logs, read directly from a folder or S3."""

    type: Literal["invocation_logs"]
    name: Name = "invocation_logs"
    location: str = Field(min_length=1)
    """A folder (absolute once loaded) or s3://bucket/prefix: what stands before AWSLogs/."""
    lookback: Annotated[Duration, AfterValidator(_at_least(timedelta(hours=1)))] = timedelta(
        hours=48
    )
    """How late a log object may arrive and still be found."""
    duplicates_window: Annotated[Duration, AfterValidator(_at_least(timedelta(hours=1)))] = (
        timedelta(days=7)
    )
    """How far back request ids are remembered, to count a record delivered twice once."""
    max_record_bytes: int = Field(default=16 * 2**20, ge=2**10)
    max_object_bytes: int = Field(default=2**30, ge=2**20)
    """Both after decompression."""


class Rule(_Section):
    """One attribution rule: what it looks at, the pattern, and the names that come of it."""

    origin: Literal["principal", "metadata", "profile"] = Field(alias="from")
    key: str | None = None
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


class Application(_Section):
    """Who answers for an application."""

    team: str = ""
    cost_center: str = ""
    owner: str = ""


class Attribution(_Section):
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


class PriceOverride(_Section):
    """A price that the user knows better than the book."""

    model: str = Field(min_length=1)
    region: str = "*"
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


class Prices(_Section):
    """Corrections to the bundled price book."""

    overrides: tuple[PriceOverride, ...] = ()


class Limit(_Section):
    """A threshold on the usage of one period."""

    name: Name
    match: dict[Label, str | tuple[str, ...]] = {}
    by: tuple[Label, ...] = ()
    """Makes one limit for each value of these labels."""
    measure: Measure
    period: Period
    threshold: Annotated[Decimal, Field(gt=0, allow_inf_nan=False)]

    @model_validator(mode="after")
    def _check(self) -> Self:
        if twice := set(self.by) & set(self.match):
            raise ValueError(f"{_join(twice)} in both match and by")
        if len(set(self.by)) < len(self.by):
            raise ValueError("by: names a label twice")
        return self


class Metrics(_Section):
    """What is exposed."""

    labels: tuple[Label, ...] = LABELS
    max_series: int = Field(default=100_000, ge=100)
    counter_birth: Duration = timedelta(minutes=2)
    """How long a new counter stands at 0, so that a scrape sees it there before it rises."""


class Privacy(_Section):
    """What of a user's name is written down."""

    users: Literal["plain", "pseudonym", "drop"] = "plain"
    key: str | None = Field(default=None, min_length=16, repr=False)
    """Secret of the pseudonyms; none: one is made beside the ledger and kept."""


class Aws(_Section):
    """What the exporter itself may spend."""

    max_cost_usd_per_day: Money = Decimal("1.00")


class Config(_Section):
    """The whole of config.yaml; paths are absolute."""

    timezone: Zone = ZoneInfo("UTC")
    refresh_interval: Annotated[Duration, AfterValidator(_at_least(timedelta(seconds=1)))] = (
        timedelta(minutes=5)
    )
    ledger: Path = Path("data/ledger.sqlite")
    retention_months: int = Field(default=13, ge=2)
    sources: Annotated[tuple[InvocationLogs, ...], AfterValidator(_check_any)]
    attribution: Attribution = Attribution()
    models: dict[str, str] = {}
    """Opaque ARN, or its last part, to a foundation model or inference profile id."""
    prices: Prices = Prices()
    limits: tuple[Limit, ...] = ()
    metrics: Metrics = Metrics()
    privacy: Privacy = Privacy()
    aws: Aws = Aws()


def load(path: Path, environ: Mapping[str, str] = os.environ) -> Config:
    """Read and validate a configuration file.

    Raises ConfigError with every mistake found, each line beginning with the file's path.
    """
    problems: list[str] = []
    document = _expand(_read_yaml(path), "", environ, problems)
    config = None
    try:
        config = Config.model_validate({} if document is None else document)
    except ValidationError as error:
        problems += [_explain(detail) for detail in error.errors(include_url=False)]
    if config is not None:
        config = _resolve_paths(config, path.parent.resolve())
        problems += _cross_check(config)
    if config is None or problems:
        raise ConfigError([f"{path}: {problem}" for problem in problems])
    return config


class _UniqueKeyLoader(yaml.SafeLoader):
    """Refuses a key that stands twice in one mapping, where YAML would keep the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen = set()
        for key_node, _ in node.value:
            key = key_node.value
            if key in seen:
                raise yaml.MarkedYAMLError(
                    problem=f"key {key!r} stands twice", problem_mark=key_node.start_mark
                )
            seen.add(key)
        return super().construct_mapping(node, deep)


def _read_yaml(path: Path) -> object:
    try:
        return yaml.load(path.read_text(encoding="utf-8"), _UniqueKeyLoader)
    except OSError as error:
        raise ConfigError([f"{path}: cannot be read: {error.strerror}"]) from None
    except UnicodeDecodeError:
        raise ConfigError([f"{path}: is not UTF-8 text"]) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        raise ConfigError([f"{path}: {place}{error.problem}"]) from None
    except yaml.YAMLError as error:
        raise ConfigError([f"{path}: {error}"]) from None


def _expand(value: object, place: str, environ: Mapping[str, str], problems: list[str]) -> object:
    """Replace ${NAME} in every string value; $$ stands for one dollar sign."""
    if isinstance(value, dict):
        return {
            key: _expand(item, f"{place}.{key}" if place else str(key), environ, problems)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [
            _expand(item, f"{place}[{index}]", environ, problems)
            for index, item in enumerate(value)
        ]
    if not isinstance(value, str):
        return value

    def substitute(match: re.Match[str]) -> str:
        name = match[2]
        if name is None:
            return "$"
        if name not in environ:
            problems.append(f"{place}: environment variable {name} is not set")
        return environ.get(name, "")

    return _VARIABLE.sub(substitute, value)


def _explain(detail: ErrorDetails) -> str:
    place, value, context = _place(detail["loc"]), detail["input"], detail.get("ctx", {})
    match detail["type"]:
        case "extra_forbidden":
            problem = "unknown key" + _suggestion(detail["loc"])
        case "missing":
            problem = "is required"
        case "literal_error" | "enum":
            allowed = re.sub(
                r"'| or ", lambda m: ", " if m[0] == " or " else "", context["expected"]
            )
            problem = f"{value!r} is not one of {allowed}"
        case "value_error":
            problem = str(context["error"])
        case "model_type" | "dict_type" | "model_attributes_type":
            problem = f"{value!r} is not a mapping of keys to values"
        case "tuple_type":
            problem = f"{value!r} is not a list"
        case _:
            problem = f"{value!r}: {detail['msg'][:1].lower()}{detail['msg'][1:]}"
    return f"{place}: {problem}" if place else problem


def _place(location: tuple[int | str, ...]) -> str:
    place = ""
    for part in location:
        if isinstance(part, int):
            place += f"[{part}]"
        elif part not in ("str", "[key]") and not part.startswith("tuple["):
            place += f".{part}" if place else part
    return place


def _suggestion(location: tuple[int | str, ...]) -> str:
    """Offer the known key that is nearest to the last part of a location."""
    section: Any = Config
    for part in location[:-1]:
        if isinstance(part, str) and hasattr(section, "model_fields"):
            names = {field.alias or name: field for name, field in section.model_fields.items()}
            section = next(_sections(names[part].annotation), None) if part in names else None
    if section is None:
        return ""
    keys = [field.alias or name for name, field in section.model_fields.items()]
    near = difflib.get_close_matches(str(location[-1]), keys, 1)
    return f"; did you mean {near[0]!r}?" if near else f"; known keys: {', '.join(sorted(keys))}"


def _sections(annotation: Any) -> Iterator[type[_Section]]:
    if isinstance(annotation, type) and issubclass(annotation, _Section):
        yield annotation
    for argument in getattr(annotation, "__args__", ()):
        yield from _sections(argument)


def _resolve_paths(config: Config, folder: Path) -> Config:
    sources = tuple(
        source
        if source.location.startswith("s3://")
        else source.model_copy(
            update={"location": str((folder / Path(source.location).expanduser()).resolve())}
        )
        for source in config.sources
    )
    ledger = (folder / config.ledger.expanduser()).resolve()
    return config.model_copy(update={"sources": sources, "ledger": ledger})


def _cross_check(config: Config) -> Iterator[str]:
    yield from _check_unique("sources", [source.name for source in config.sources])
    yield from _check_unique("limits", [limit.name for limit in config.limits])
    if len(set(config.metrics.labels)) < len(config.metrics.labels):
        yield "metrics.labels: names a label twice"
    for index, source in enumerate(config.sources):
        if source.location.startswith("s3:") and not re.fullmatch(
            r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/.*)?", source.location
        ):
            yield f"sources[{index}].location: {source.location!r} is not s3://bucket/prefix"
        for other_index, other in enumerate(config.sources[:index]):
            if _overlap(source.location, other.location):
                yield (
                    f"sources[{index}].location: {source.location!r} overlaps that of "
                    f"sources[{other_index}]; each log may be read by one source only"
                )


def _check_unique(section: str, names: list[str]) -> Iterator[str]:
    for index, name in enumerate(names):
        if name in names[:index]:
            yield f"{section}[{index}].name: {name!r} is taken by {section}[{names.index(name)}]"


def _overlap(one: str, other: str) -> bool:
    one, other = (location.rstrip("/") + "/" for location in (one, other))
    return one.startswith(other) or other.startswith(one)


def _join(names: Any) -> str:
    return ", ".join(sorted(map(str, names), key=lambda name: (len(name), name)))
