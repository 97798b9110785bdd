"""The kinds of value that config.yaml has: durations, time zones, patterns, names, money."""

import re
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field

_DURATION = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")
_LONGEST = timedelta(days=3650)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_REGION = re.compile(r"[a-z]{2,4}(-[a-z]+)+-\d{1,2}")
_MODEL_ID = re.compile(r"^[a-z0-9-]+\.[A-Za-z0-9.:_-]+$")
_ROUTING_PREFIXES = frozenset({"us", "us-gov", "eu", "apac", "au", "ca", "jp", "global"})
_ROLE_ARN = re.compile(r"arn:aws(-[a-z]+)*:iam::[0-9]{12}:role/[\w+=,.@/-]{1,512}", re.ASCII)
_FIELD = re.compile(r"\{(account_id|region)\}")
_S3_LOCATION = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/.*)?")
_NOT_IN_LOCATION = re.compile(r"[*?${}\x00-\x1f\x7f]")
"""What means something of its own to IAM, to Glue or to a terminal."""
_URL_OR_ARN = re.compile(r"[a-z][a-z0-9+.-]+://|arn:", re.IGNORECASE)
"""A scheme has two characters or more: one would be a drive."""


def _parse_duration(value: object) -> object:
    if isinstance(value, timedelta):
        return value
    match = _DURATION.fullmatch(value) if isinstance(value, str) and value else None
    if not match:
        raise ValueError(f"{value!r} is not a duration such as 30s, 5m, 48h, 7d or 1h30m")
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    if days + hours / 24 + minutes / 1440 + seconds / 86_400 > _LONGEST.days:
        raise ValueError(f"{value!r} is more than {_LONGEST.days}d")
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


def _check_name_pattern(value: str) -> str:
    if not value.strip():
        raise ValueError(f"{value!r} is neither a part nor a pattern of a name; leave it out")
    return value


def not_empty(value: tuple[Any, ...]) -> tuple[Any, ...]:
    """Refuse a list without entries."""
    if not value:
        raise ValueError("names none; at least one is needed")
    return value


def at_least(minimum: timedelta) -> Callable[[timedelta], timedelta]:
    """Return a check that refuses a shorter duration."""

    def check(value: timedelta) -> timedelta:
        if value < minimum:
            raise ValueError(f"must be {int(minimum.total_seconds())}s or more")
        return value

    return check


def check_s3_location(value: str) -> str:
    """Refuse what is not s3://bucket/prefix."""
    if not _S3_LOCATION.fullmatch(value):
        raise ValueError(f"location: {value!r} is not s3://bucket/prefix")
    return value


def check_key_prefix(value: str) -> str:
    """Refuse what no location may hold, besides {account_id} and {region}."""
    if stray := _NOT_IN_LOCATION.search(_FIELD.sub("", value)):
        raise ValueError(f"{value!r} holds {stray[0]!r}, which no location may")
    return value


def _check_location(value: str) -> str:
    before, inside, _ = f"{value}/".partition("/AWSLogs/")
    if inside:
        raise ValueError(f"{value!r} goes into AWSLogs; name what stands before it: {before!r}")
    if field := _FIELD.search(value):
        raise ValueError(f"{field[0]!r} is filled in only in the location of aws.accounts")
    if value.startswith("s3:"):
        check_key_prefix(value)
        if not _S3_LOCATION.fullmatch(value):
            raise ValueError(f"{value!r} is not s3://bucket/prefix")
    elif _URL_OR_ARN.match(value):
        raise ValueError(
            f"{value!r} is neither s3://bucket/prefix nor a folder; write one of the two, "
            "a folder as its path alone"
        )
    return value


def _check_location_template(value: str) -> str:
    if stray := re.search(r"\{[^{}]*\}?|\}", _FIELD.sub("", value)):
        raise ValueError(f"{stray[0]!r} is neither {{account_id}} nor {{region}}")
    return check_key_prefix(value)


def _parse_label_values(value: object) -> object:
    """Take one value or a list of them, as text."""
    values = value if isinstance(value, (list, tuple)) else [value]
    if not values:
        raise ValueError("names no value")
    for item in values:
        if not isinstance(item, str):
            raise ValueError(f"{item!r} is not text; quote it: '{item}'")
        if not item.strip():
            raise ValueError(f"{item!r} is no label's value; name one, or leave it out")
    return tuple(values)


def check_region_name(value: str) -> str:
    """Refuse what does not look like a region."""
    if not _REGION.fullmatch(value):
        raise ValueError(f"{value!r} is not a region such as us-east-1")
    return value


def _check_regions(value: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(value)) < len(value):
        raise ValueError("names a region twice")
    return not_empty(value)


def _check_account_id(value: object) -> object:
    if not (isinstance(value, str) and re.fullmatch(r"[0-9]{12}", value)):
        raise ValueError(f"{value!r} is not an account id of 12 digits; quote it")
    return value


def _check_role_arn(value: str) -> str:
    if not _ROLE_ARN.fullmatch(value):
        raise ValueError(f"{value!r} is not the ARN of a role, arn:aws:iam::111122223333:role/Name")
    return value


def _check_identifier(value: str) -> str:
    if not re.fullmatch(r"[a-z0-9_]{1,128}", value):
        raise ValueError(f"{value!r} is not a name of small letters, digits and '_'")
    return value


def _check_workgroup(value: str) -> str:
    if not re.fullmatch(r"[a-zA-Z0-9._-]{1,128}", value):
        raise ValueError(f"{value!r} is not a name of letters, digits, '.', '_' and '-'")
    return value


def _check_region(value: str) -> str:
    if value != "*" and not _REGION.fullmatch(value):
        raise ValueError(f"{value!r} is neither a region such as us-east-1 nor '*'")
    return value


def _check_model(value: str) -> str:
    if not _MODEL_ID.fullmatch(value):
        raise ValueError(f"{value!r} is not a foundation model id")
    prefix, _, model = value.partition(".")
    if prefix in _ROUTING_PREFIXES:
        raise ValueError(f"{value!r} is a profile id; name the model, {model!r}, and `routing`")
    return value


Duration = Annotated[timedelta, BeforeValidator(_parse_duration)]
Zone = Annotated[ZoneInfo, BeforeValidator(_parse_zone)]
Pattern = Annotated[re.Pattern[str], BeforeValidator(_parse_pattern)]
Name = Annotated[str, AfterValidator(_check_name)]
NamePattern = Annotated[str, AfterValidator(_check_name_pattern)]
"""A part of a name, or a pattern of it with * and ?; never blank, as that is part of any name."""
Money = Annotated[Decimal, Field(ge=0, allow_inf_nan=False)]
Location = Annotated[str, Field(min_length=1), AfterValidator(_check_location)]
LocationTemplate = Annotated[str, Field(min_length=1), AfterValidator(_check_location_template)]
AccountId = Annotated[str, BeforeValidator(_check_account_id)]
RoleArn = Annotated[str, AfterValidator(_check_role_arn)]
Identifier = Annotated[str, AfterValidator(_check_identifier)]
"""Of a Glue database or table, as Athena takes it without quotes."""
Workgroup = Annotated[str, AfterValidator(_check_workgroup)]
LabelValues = Annotated[tuple[str, ...], BeforeValidator(_parse_label_values)]
RegionName = Annotated[str, AfterValidator(check_region_name)]
RegionNames = Annotated[tuple[RegionName, ...], AfterValidator(_check_regions)]
Region = Annotated[str, AfterValidator(_check_region)]
"""A region, or * for all of them."""
ModelId = Annotated[str, AfterValidator(_check_model)]
ModelOrProfileId = Annotated[str, Field(pattern=_MODEL_ID.pattern)]
