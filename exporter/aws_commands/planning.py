"""The flags of every command that changes something in AWS, and who is asked."""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

if TYPE_CHECKING:
    from exporter.administration.plan import Step

config_option = click.option(
    "--config.file",
    "config_file",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("config.yaml"),
    show_default=True,
    help="The configuration.",
)


def plan_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command --yes and --dry-run, as `yes` and `dry_run`."""
    command = click.option(
        "--dry-run", is_flag=True, help="Print what would be done, and do nothing."
    )(command)
    return click.option("--yes", is_flag=True, help="Do it without asking.")(command)


def carry_out(steps: "Sequence[Step]", *, yes: bool, dry_run: bool, then: str = "") -> int:
    """Print a plan, ask at the terminal unless told not to, and return the exit code."""
    from exporter.administration import plan

    return plan.carry_out(steps, click.echo, _agreement(yes), dry_run=dry_run, then=then)


def _agreement(yes: bool) -> Callable[[], bool] | None:
    if yes:
        return lambda: True
    if not sys.stdin.isatty():
        return None
    return lambda: click.confirm("Go ahead?")


def tell(problems: Sequence[str]) -> None:
    """Print what is wrong, a line each."""
    from exporter.administration.plan import printable

    for problem in problems:
        click.echo(printable(problem), err=True)


def fail(error: Exception) -> NoReturn:
    """Say what is wrong and stop."""
    tell(str(error).splitlines())
    sys.exit(1)
