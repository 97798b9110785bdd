"""`bedrock-exporter aws logging`: what logs, and where to, region by region."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from exporter.aws_commands.planning import carry_out, config_option, fail, plan_options, tell

if TYPE_CHECKING:
    from exporter.administration.logging_setup.regions import Entered
    from exporter.administration.plan import Step


def _place_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command --account and --region, as `account_name` and `given`."""
    command = click.option(
        "--region", "given", multiple=True, help="Of which region; repeatable. By default the "
        "configured ones.",
    )(command)  # fmt: skip
    return click.option(
        "--account", "account_name", help="Which of aws.accounts; without it, your credentials."
    )(command)


def _bucket_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command --bucket, --prefix and --create-bucket."""
    command = click.option(
        "--create-bucket", is_flag=True, help="Make the bucket where it is missing; private."
    )(command)
    command = click.option(
        "--prefix", default="", help="What the logs' keys begin with; may hold {region}, too."
    )(command)
    return click.option(
        "--bucket",
        required=True,
        help="Where logs go, such as bedrock-logs-{account_id}-{region}; the braces are filled.",
    )(command)


@click.group()
def logging() -> None:
    """Show and configure Model Invocation Logging and what Amazon Q Developer logs need."""


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
    bucket: str,
    prefix: str,
    create_bucket: bool,
    yes: bool,
    dry_run: bool,
    **modalities: bool | None,
) -> None:
    """Log every call of Bedrock to S3: bucket policy and configuration of each region.

    Bedrock delivers only into a bucket of the same account and region.
    """
    from exporter.administration.logging_setup.enabling import Destination, Enabling, plan_enabling

    enabling = Enabling(Destination(bucket, prefix, create_bucket), modalities)

    entered = _enter(config_file, account_name, given, bucket)
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
    bucket: str,
    prefix: str,
    create_bucket: bool,
    yes: bool,
    dry_run: bool,
) -> None:
    """Prepare the bucket of Amazon Q Developer's logs, and tell what is left to do by hand.

    AWS has no API that switches its prompt logging or its activity reports on.
    """
    from exporter.administration.logging_setup.enabling import Destination
    from exporter.administration.logging_setup.qdeveloper import console_steps, plan_qdeveloper

    wanted = Destination(bucket, prefix, create_bucket)
    entered = _enter(config_file, account_name, given, bucket)
    steps = entered.plan(lambda site: plan_qdeveloper(site.client("s3"), site.place, wanted))
    code = _carry_out(entered, steps, yes=yes, dry_run=dry_run)
    for site in entered.sites:
        for line in console_steps(site.place, wanted):
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
    from exporter import config
    from exporter.administration.logging_setup.regions import (
        enter_regions,
        named_account,
        regions_of,
    )
    from exporter.administration.plan import PlanError
    from exporter.aws.sessions import session

    try:
        settings = config.load(config_file)
        account = named_account(settings, account_name)
        regions = regions_of(settings, account, given, session(account).region_name)
    except (config.ConfigError, PlanError) as error:
        fail(error)
    if len(regions) > 1 and "{region}" not in bucket:
        raise click.UsageError(
            "--bucket: Bedrock delivers only into a bucket of the same region; for several, "
            "put {region} into its name"
        )
    return enter_regions(account, regions, session)
