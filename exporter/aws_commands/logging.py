"""`bedrock-exporter aws logging`: what logs, and where to, region by region."""

import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from exporter.aws_commands import values
from exporter.aws_commands.planning import carry_out, config_option, fail, plan_options, tell

if TYPE_CHECKING:
    from exporter.administration.logging_setup.enabling import Destination
    from exporter.administration.logging_setup.regions import Entered
    from exporter.administration.plan import Step
    from exporter.config import Account


def _place_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command --account and --region, as `account_name` and `given`."""
    command = click.option(
        "--region",
        "given",
        multiple=True,
        callback=values.regions,
        help="Of which region; by default the configured ones. With it, and without --account, "
        "no configuration is read",
    )(command)
    return click.option(
        "--account", "account_name", help="Which of aws.accounts; without it, your credentials."
    )(command)


def _bucket_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command --bucket, --prefix, --create-bucket and --drop-acl-grants, in one value."""

    @wraps(command)
    def with_destination(
        bucket: str, prefix: str, create_bucket: bool, drop_acl_grants: bool, **others: Any
    ) -> Any:
        from exporter.administration.logging_setup.enabling import Destination

        destination = Destination(bucket, prefix, create_bucket, drop_acl_grants)
        return command(destination=destination, **others)

    wrapped = click.option(
        "--drop-acl-grants",
        is_flag=True,
        help="Drop what the ACL of a bucket of yours grants to others; it ends in any case once "
        "ACLs are switched off.",
    )(with_destination)
    wrapped = click.option(
        "--create-bucket", is_flag=True, help="Make the bucket where it is missing; private."
    )(wrapped)
    wrapped = click.option(
        "--prefix",
        default="",
        callback=values.key_prefix,
        help="What the logs' keys begin with; may hold {region}, too.",
    )(wrapped)
    return click.option(
        "--bucket",
        required=True,
        callback=values.bucket,
        help="Where logs go, such as bedrock-logs-{account_id}-{region}; the braces are filled.",
    )(wrapped)


@click.group()
def logging() -> None:
    """Show and configure Model Invocation Logging and what logs of Q Developer and Kiro need."""


@logging.command()
@config_option
@_place_options
def show(config_file: Path, account_name: str | None, given: tuple[str, ...]) -> None:
    """Show what is logged where, whether it may be written, and the newest log object."""
    from datetime import UTC, datetime

    from exporter.administration.logging_setup.showing import show_logging
    from exporter.administration.plan import PlanError, printable

    entered = _enter(config_file, account_name, given)
    all_good = not entered.problems
    for site in entered.sites:
        click.echo(f"{site.place}:")
        bedrock, s3 = site.client("bedrock"), site.client("s3")
        try:
            for finding in show_logging(bedrock, s3, site.place, datetime.now(UTC)):
                click.echo(printable(f"  {finding.name}: {finding.text}"))
                all_good &= finding.is_good
        except PlanError as error:
            click.echo(printable(f"  {error}"))
            all_good = False
    tell(entered.problems)
    sys.exit(0 if all_good else 1)


def _modality_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command a flag for each modality."""
    for name in ("audio", "video", "image", "embedding", "text"):
        command = click.option(
            f"--{name}/--no-{name}",
            name,
            default=None,
            help=f"Whether {name} bodies are logged; by default as it is, "
            f"else {'yes' if name in ('text', 'embedding') else 'no'}.",
        )(command)
    return command


@logging.command()
@config_option
@_place_options
@_bucket_options
@_modality_options
@plan_options
def enable(
    config_file: Path,
    account_name: str | None,
    given: tuple[str, ...],
    destination: "Destination",
    yes: bool,
    dry_run: bool,
    **modalities: bool | None,
) -> None:
    """Log every call of Bedrock to S3: bucket policy and configuration of each region.

    Bedrock delivers only into a bucket of the same account and region.
    """
    from exporter.administration.logging_setup.enabling import Enabling, plan_enabling

    enabling = Enabling(destination, modalities)
    entered = _enter(config_file, account_name, given, destination.bucket)
    steps = entered.plan(
        lambda site: plan_enabling(site.client("bedrock"), site.client("s3"), site.place, enabling)
    )
    sys.exit(_carry_out(entered, steps, yes=yes, dry_run=dry_run))


@logging.command()
@config_option
@_place_options
@_bucket_options
@plan_options
def qdeveloper(
    config_file: Path,
    account_name: str | None,
    given: tuple[str, ...],
    destination: "Destination",
    yes: bool,
    dry_run: bool,
) -> None:
    """Prepare the bucket of Amazon Q Developer's and Kiro's logs; tell what is left to do by hand.

    AWS has no API that switches their prompt logging or their reports on.
    """
    from exporter.administration.logging_setup.qdeveloper import console_steps, plan_qdeveloper

    entered = _enter(config_file, account_name, given, destination.bucket)
    steps = entered.plan(lambda site: plan_qdeveloper(site.client("s3"), site.place, destination))
    code = _carry_out(entered, steps, yes=yes, dry_run=dry_run)
    for site in entered.sites:
        for line in console_steps(site.place, destination):
            click.echo(line)
    sys.exit(code)


def _carry_out(entered: "Entered", steps: "list[Step]", *, yes: bool, dry_run: bool) -> int:
    """Tell what cannot be planned, and carry out the rest."""
    tell(entered.problems)
    if not entered.sites:
        return 1
    code = carry_out(steps, yes=yes, dry_run=dry_run)
    return 1 if entered.problems else code


def _enter(
    config_file: Path, account_name: str | None, given: tuple[str, ...], bucket: str = "{region}"
) -> "Entered":
    """Enter the regions that were asked for; several need a bucket each."""
    from exporter.administration.logging_setup.regions import enter_regions
    from exporter.aws.sessions import session

    account, regions = None, tuple(dict.fromkeys(given))
    if account_name is not None or not given:
        account, regions = _configured(config_file, account_name, given)
    if len(regions) > 1 and "{region}" not in bucket:
        raise click.UsageError(
            "--bucket: Bedrock delivers only into a bucket of the same region; for several, "
            "put {region} into its name"
        )
    return enter_regions(account, regions, session)


def _configured(
    config_file: Path, account_name: str | None, given: tuple[str, ...]
) -> "tuple[Account | None, tuple[str, ...]]":
    """Return the account and the regions that the configuration says."""
    from exporter import config
    from exporter.administration.logging_setup.regions import (
        ambient_region,
        named_account,
        regions_of,
    )
    from exporter.administration.plan import PlanError
    from exporter.aws.sessions import session

    try:
        settings = config.load(config_file)
        account = named_account(settings, account_name)
        ambient = None if account or given else ambient_region(session)
        return account, regions_of(settings, account, given, ambient)
    except (config.ConfigError, PlanError) as error:
        fail(error)
