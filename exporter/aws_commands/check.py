"""`bedrock-exporter aws check`: tries everything that the configured sources need."""

import sys
from pathlib import Path

import click

from exporter.aws_commands.planning import config_option, fail


@click.command()
@config_option
@click.option(
    "--output",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="A table for people, or JSON for scripts.",
)
def check(config_file: Path, output: str) -> None:
    """Try everything that the configured sources need, and say what to do about what fails.

    Credentials, buckets, tables and rights are really used: some ten requests a source, one small
    query of Athena, and what they cost is printed. Changes nothing. Exits with 1 if a check failed.
    """
    from datetime import UTC, datetime

    from exporter import config
    from exporter.administration import check as checks
    from exporter.administration.check import rendering

    try:
        settings = config.load(config_file)
    except config.ConfigError as error:
        fail(error)
    report = checks.check(settings, datetime.now(UTC))
    if output == "json":
        click.echo(rendering.as_json(report))
    else:
        for line in rendering.as_table(report, colour=sys.stdout.isatty()):
            click.echo(line)
    sys.exit(1 if report.has_failed else 0)
