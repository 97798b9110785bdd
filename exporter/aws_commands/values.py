"""The values that flags take, checked before AWS is asked anything."""

import re

import click

_FIELD = re.compile(r"\{(account_id|region)\}")
_EXAMPLES = {"account_id": "111122223333", "region": "us-east-1"}
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_KEY = re.compile(
    r"arn:aws(-[a-z]+)*:kms:[a-z0-9-]+:[0-9]{12}:(key/[A-Za-z0-9-]+|alias/[A-Za-z0-9/_-]+)"
)


def s3_location(
    context: click.Context, parameter: click.Parameter, value: str | None
) -> str | None:
    """Take s3://bucket/prefix."""
    from exporter.config.fields import check_key_prefix, check_s3_location

    if value is None:
        return None
    if "{" in value:
        raise click.BadParameter(f"{value!r} holds '{{', which is filled in nowhere here")
    try:
        return check_s3_location(check_key_prefix(value))
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


def regions(
    context: click.Context, parameter: click.Parameter, values: tuple[str, ...]
) -> tuple[str, ...]:
    """Take names of regions."""
    from exporter.config.fields import check_region_name

    try:
        return tuple(check_region_name(value) for value in values)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


def bucket(context: click.Context, parameter: click.Parameter, value: str) -> str:
    """Take the name of a bucket, in which {account_id} and {region} may stand."""
    if value.startswith(("s3:", "arn:")):
        raise click.BadParameter(
            f"{value!r} is an address; give the name of the bucket alone, and --prefix"
        )
    if stray := re.search(r"\{[^{}]*\}?|\}", _FIELD.sub("", value)):
        raise click.BadParameter(f"{stray[0]!r} is neither {{account_id}} nor {{region}}")
    if not _BUCKET.fullmatch(_FIELD.sub(lambda field: _EXAMPLES[field[1]], value)):
        raise click.BadParameter(f"{value!r} is not the name of a bucket")
    return value


def key_prefix(context: click.Context, parameter: click.Parameter, value: str) -> str:
    """Take what keys begin with, in which {account_id} and {region} may stand."""
    from exporter.config.fields import check_key_prefix

    try:
        return check_key_prefix(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


def kms_key(context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    """Take the ARN of a key or of an alias."""
    if value is not None and not _KEY.fullmatch(value):
        raise click.BadParameter(
            f"{value!r} is not the ARN of a key, such as "
            "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab, "
            "or of an alias"
        )
    return value


def check_key_region(key: str | None, region: str) -> None:
    """Refuse a key that is not of a region and its partition. Raises BadParameter."""
    from exporter.config import partition_of

    if key is None:
        return
    partition, of_region = key.split(":")[1], key.split(":")[3]
    if (partition, of_region) != (partition_of(region), region):
        raise click.BadParameter(
            f"{key} is not in {region}; a region has keys of its own, so set up the sources of one "
            "region at a time with --source",
            param_hint="--kms-key",
        )
