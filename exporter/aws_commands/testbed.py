"""`bedrock-exporter aws testbed`: test roles and a few real calls, for test accounts only."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from exporter.aws_commands.planning import carry_out, config_option, fail, plan_options

_WARNING = "For test accounts only: this makes roles that may spend money, and calls through them."


def _account_id(context: click.Context, parameter: click.Parameter, value: str) -> str:
    if not re.fullmatch(r"[0-9]{12}", value):
        raise click.BadParameter("an account id has 12 digits")
    return value


def _account_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Have the account named: that of the credentials is not enough."""
    return click.option(
        "--account-id",
        required=True,
        callback=_account_id,
        help="The test account; refused unless the credentials are of it.",
    )(command)


@click.group()
def testbed() -> None:
    """Make test roles and a few real, paid calls through them. For test accounts only."""


@testbed.command()
@_account_option
@click.option("--region", help="Where the roles will call; that of the credentials by default.")
@click.option(
    "--model",
    "model_id",
    default="amazon.nova-micro-v1:0",
    show_default=True,
    help="What the roles may call: a model, or a profile such as us.amazon.nova-micro-v1:0.",
)
@click.option(
    "--inference-profile",
    "with_profile",
    is_flag=True,
    help="Make a tagged application inference profile, too.",
)
@plan_options
def create(
    account_id: str,
    region: str | None,
    model_id: str,
    with_profile: bool,
    yes: bool,
    dry_run: bool,
) -> None:
    """Make roles that may call one cheap model, and nothing else."""
    from exporter.administration.plan import PlanError
    from exporter.administration.testbed.create import plan_create
    from exporter.administration.testbed.place import enter, region_of

    click.echo(_WARNING)
    try:
        session, place = enter(account_id, region)
        region = region_of(region)
        steps = plan_create(session, place, region, model_id, with_profile=with_profile)
        code = carry_out(steps, yes=yes, dry_run=dry_run)
    except PlanError as error:
        fail(error)
    raise SystemExit(code)


@testbed.command()
@_account_option
@click.option(
    "--region", help="Where STS is asked; the testbed's own region is that of its roles' tags."
)
@config_option
@click.option(
    "--calls",
    type=click.IntRange(1, 50),
    default=3,
    show_default=True,
    help="Calls of each caller; there are five callers.",
)
@plan_options
def invoke(
    account_id: str, region: str | None, config_file: Path, calls: int, yes: bool, dry_run: bool
) -> None:
    """Call Bedrock through the test roles, and sum up what it answered. Costs a little."""
    import time
    from datetime import UTC, datetime

    from exporter import config
    from exporter.administration.plan import PlanError, printable
    from exporter.administration.testbed.invoke import Outcome, make_calls, plan_calls
    from exporter.administration.testbed.place import enter
    from exporter.administration.testbed.summary import calls_step, lines

    click.echo(_WARNING)
    outcomes: list[Outcome] = []
    try:
        settings = config.load(config_file)
        session, place = enter(account_id, region)
        planned = plan_calls(session, place, calls)
        step = calls_step(
            settings,
            place,
            planned,
            datetime.now(UTC).date(),
            lambda: outcomes.extend(make_calls(session, place, planned, time.sleep)),
        )
        code = carry_out([step], yes=yes, dry_run=dry_run)
    except (config.ConfigError, PlanError) as error:
        fail(error)
    if outcomes:
        for line in lines(settings, place, outcomes):
            click.echo(printable(line))
    raise SystemExit(code or any(outcome.tokens is None for outcome in outcomes))


@testbed.command()
@_account_option
@click.option("--region", help="Where to look for an inference profile, too.")
@plan_options
def cleanup(account_id: str, region: str | None, yes: bool, dry_run: bool) -> None:
    """Remove what `create` made: what carries its tag below its path, and nothing else.

    The tags of the roles say where their inference profile is. Where the roles are gone, it is
    looked for in --region, else in all regions.
    """
    from exporter.administration.plan import PlanError, printable
    from exporter.administration.testbed.cleanup import plan_cleanup
    from exporter.administration.testbed.place import enter

    click.echo(_WARNING)
    try:
        removal = plan_cleanup(*enter(account_id, region), region)
        for arn in removal.others:
            click.echo(printable(f"Left alone, for the testbed did not create it: {arn}"))
        if removal.unseen:
            click.echo(printable(removal.unseen))
        code = carry_out(removal.steps, yes=yes, dry_run=dry_run)
    except PlanError as error:
        fail(error)
    raise SystemExit(code)
