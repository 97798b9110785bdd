"""Commands and flags; no logic of its own.

Each command imports what it needs when it runs: the processes that read logs import this module
too, and need none of it.
"""

import sys
from pathlib import Path

import click

from exporter import __version__
from exporter.aws_commands import aws

_EXISTING_FILE = click.Path(dir_okay=False, path_type=Path)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="bedrock-exporter")
def main() -> None:
    """Prometheus exporter for Amazon Bedrock: tokens, cost and limits from the logs AWS writes."""


main.add_command(aws)


@main.command()
@click.option(
    "--config.file",
    "config_file",
    type=_EXISTING_FILE,
    default=Path("config.yaml"),
    show_default=True,
    help="The configuration.",
)
@click.option("--config.check", "check", is_flag=True, help="Check the configuration and stop.")
@click.option(
    "--web.listen-address",
    "listen_address",
    default="127.0.0.1:10118",
    show_default=True,
    help="Where to listen; :10118 is every interface. User names are personal data.",
)
@click.option(
    "--web.config.file",
    "web_config_file",
    type=_EXISTING_FILE,
    help="TLS and basic auth, in the Prometheus exporter-toolkit format.",
)
@click.option(
    "--web.enable-lifecycle", "lifecycle", is_flag=True, help="Allow a reload by POST /-/reload."
)
@click.option(
    "--log.level",
    "level",
    type=click.Choice(["debug", "info", "warning", "error"]),
    default="info",
    show_default=True,
    help="The least that is logged.",
)
@click.option(
    "--log.format",
    "line_format",
    type=click.Choice(["logfmt", "json"]),
    default="logfmt",
    show_default=True,
    help="How log lines are written.",
)
def serve(
    config_file: Path,
    check: bool,
    listen_address: str,
    web_config_file: Path | None,
    lifecycle: bool,
    level: str,
    line_format: str,
) -> None:
    """Read the logs every so often and expose what they say on /metrics."""
    import asyncio

    from exporter import logs
    from exporter.app import App, CollectorError
    from exporter.config import ConfigError
    from exporter.web_server import ListenError, parse_address

    logs.configure(level, "json" if line_format == "json" else "logfmt")
    try:
        address = parse_address(listen_address)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--web.listen-address") from None
    try:
        app = App(
            config_file,
            web_config_file,
            lifecycle,
            level,
            "json" if line_format == "json" else "logfmt",
        )
        if check:
            click.echo(f"{config_file}: valid")
            return
        asyncio.run(app.run(address))
    except (ConfigError, ListenError, CollectorError) as error:
        click.echo(str(error), err=True)
        sys.exit(1)


@main.command()
@click.option(
    "--config.file",
    "config_file",
    type=_EXISTING_FILE,
    default=Path("config.yaml"),
    show_default=True,
    help="The configuration of the exporter whose ledger is read.",
)
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file to write; without it, standard output.",
)
@click.option(
    "--from",
    "first",
    metavar="DATE",
    help="The first day, such as 2026-10-01; without it, the first of last month.",
)
@click.option("--to", "last", metavar="DATE", help="The last day; without it, up to now.")
@click.option(
    "--step",
    default="1h",
    show_default=True,
    help="Time between two moments: a multiple of 15m, 1d at most.",
)
@click.option(
    "--label",
    "labels",
    metavar="NAME=VALUE",
    multiple=True,
    help="A label that Prometheus adds when it scrapes, such as job=bedrock; repeatable.",
)
@click.option(
    "--wait",
    default="0s",
    show_default=True,
    help="How long to wait until the exporter has read all of its history.",
)
def backfill(
    config_file: Path,
    output: Path | None,
    first: str | None,
    last: str | None,
    step: str,
    labels: tuple[str, ...],
    wait: str,
) -> None:
    """Write history as OpenMetrics, for promtool tsdb create-blocks-from.

    Each gauge and counter of usage and limits, as the exporter would have shown it at each moment.
    """
    import signal
    import time
    from datetime import UTC, datetime

    from exporter import config
    from exporter.backfill import BackfillError, parse_request, write_history

    try:
        request = parse_request(first, last, step, labels, wait)
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    # What is unfinished is removed on the way out.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    try:
        settings = config.load(config_file)
        written = write_history(settings, request, output, lambda: datetime.now(UTC), time.sleep)
    except (config.ConfigError, BackfillError) as error:
        click.echo(str(error), err=True)
        sys.exit(1)
    click.echo(str(written), err=True)


@main.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--days",
    type=click.IntRange(min=0),
    default=62,
    show_default=True,
    help="How far back the past begins.",
)
@click.option(
    "--calls-per-day",
    type=click.IntRange(min=0),
    default=400,
    show_default=True,
    help="Calls of a working day.",
)
@click.option("--live", is_flag=True, help="Go on with live calls until stopped.")
@click.option(
    "--calls-per-minute",
    type=click.FloatRange(min=0, min_open=True),
    default=3.0,
    show_default=True,
    help="Live calls, whatever the hour.",
)
@click.option("--seed", default=1, show_default=True, help="The same seed makes the same logs.")
def simulate(
    folder: Path, days: int, calls_per_day: int, live: bool, calls_per_minute: float, seed: int
) -> None:
    """Write realistic logs in AWS's own layout below FOLDER, to try the exporter without AWS."""
    import itertools
    import signal
    import time
    from datetime import UTC, datetime, timedelta

    from exporter import simulate as simulation

    signals = itertools.count()

    def interrupt(*_: object) -> None:
        # Ctrl-C may come with a TERM right behind it: one is enough, and no lock is waited for, as
        # Event.set would. What is left unfinished the next start writes.
        if next(signals) == 0:
            raise KeyboardInterrupt

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, interrupt)

    def announce(written: simulation.Written) -> None:
        of_developers = f"{written.prompts} prompts and {written.reports} reports of developers"
        click.echo(f"{of_developers}, {written.records} calls written to {folder}")

    try:
        simulation.run(
            folder,
            seed=seed,
            days=days,
            calls_per_day=calls_per_day,
            calls_per_minute=calls_per_minute if live else None,
            interval=timedelta(seconds=10),
            clock=lambda: datetime.now(UTC),
            wait=time.sleep,
            announce=announce,
        )
    except KeyboardInterrupt:
        if not live:
            raise
    except simulation.SimulateError as error:
        click.echo(str(error), err=True)
        sys.exit(1)
