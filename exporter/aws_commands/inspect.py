"""`bedrock-exporter aws inspect`: the newest records of a source, and how each was read."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from exporter.aws_commands.planning import config_option, fail

if TYPE_CHECKING:
    from exporter.config import BedrockSource, Config
    from exporter.identity import Privacy
    from exporter.interpretation.names import Names

_ASSISTANTS = (
    "only records of Bedrock logs are shown, none of prompt logs or reports. `bedrock-exporter aws "
    "check` reads their newest object; bedrock_exporter_rejected_records_total and the log of the "
    "exporter say what was not taken, and why"
)


@click.command()
@config_option
@click.option(
    "--source",
    "name",
    metavar="NAME",
    help="Which source of Bedrock logs; needed if there are several.",
)
@click.option(
    "--records",
    type=click.IntRange(1, 1000),
    default=5,
    show_default=True,
    help="How many records to show.",
)
@click.option(
    "--objects",
    type=click.IntRange(1, 10_000),
    default=50,
    show_default=True,
    help="How many log objects to read at most.",
)
@click.option(
    "--unattributed",
    "only",
    flag_value="unattributed",
    help="Only those whose application or user is unknown, or that filters leave out.",
)
@click.option("--unpriced", "only", flag_value="unpriced", help="Only those that lack a price.")
@click.option("--rejected", "only", flag_value="rejected", help="Only those that cannot be read.")
def inspect(
    config_file: Path, name: str | None, records: int, objects: int, only: str | None
) -> None:
    """Show the newest records of a source, and how each was read.

    To see why something is unattributed or unpriced: who called, which rule named the application
    and the user, what the model was resolved to, and where its price comes from. Names of callers
    and the values of requestMetadata are shown, as far as privacy.users lets them be stored.
    Prompts and responses are not.

    The log objects are read from the location of the source, those of an Athena source, too. Prompt
    logs and reports of developer assistants are not shown: aws check reads their newest object.
    """
    from datetime import UTC, datetime

    from exporter import config
    from exporter.administration.inspect import Asked, Inspection, Only
    from exporter.administration.inspect_text import describe
    from exporter.administration.plan import PlanError, allowed
    from exporter.aws.meter import Meter
    from exporter.sources.log_store import StoreError
    from exporter.sources.reading import open_store

    try:
        settings = config.load(config_file)
        source = _chosen(settings, name)
        inspection = Inspection(
            settings, source, _privacy(settings), _names(settings), datetime.now(UTC)
        )
        store = open_store(source.location, Meter(), settings.aws.account(source.account))
        asked = Asked(Only(only) if only else None, records, objects)
        with allowed("s3:ListBucket", source.location):
            for item in inspection.run(store, asked):
                for line in describe(item):
                    click.echo(line)
                click.echo()
    except (config.ConfigError, StoreError, PlanError) as error:
        fail(error)
    click.echo(inspection.summary(asked))


def _chosen(settings: "Config", name: str | None) -> "BedrockSource":
    from exporter.config import BedrockSource

    shown = {each.name: each for each in settings.sources if isinstance(each, BedrockSource)}
    if name is None and len(shown) == 1:
        return next(iter(shown.values()))
    if name in shown:
        return shown[name]
    if not shown or name in {each.name for each in settings.sources}:
        raise click.BadParameter(_ASSISTANTS, param_hint="--source")
    raise click.BadParameter(f"one of {', '.join(shown)}", param_hint="--source")


def _privacy(settings: "Config") -> "Privacy":
    """Return what hides names; the key of pseudonyms is read, and not made here."""
    from exporter.config import ConfigError
    from exporter.identity import Privacy
    from exporter.pseudonym_key import pseudonym_key

    privacy, key_file = settings.privacy, settings.ledger.with_name(settings.ledger.name + ".key")
    if privacy.users == "pseudonym" and privacy.key is None and not key_file.exists():
        raise ConfigError(
            [f"privacy.key: {key_file} is not there; it is made when the exporter first starts"]
        )
    return Privacy(privacy.users, pseudonym_key(privacy, settings.ledger))


def _names(settings: "Config") -> "Names":
    """Return what AWS told of names, as the exporter's ledger remembers it."""
    from contextlib import closing

    from exporter.interpretation.names import Names
    from exporter.ledger import Ledger, LedgerError

    if not (settings.aws.lookups.are_wanted and settings.ledger.exists()):
        return Names()
    try:
        with closing(Ledger.open(settings.ledger)) as ledger:
            return Names(settings.aws.lookups, ledger.lookups())
    except LedgerError as error:
        click.echo(f"without what AWS told of names: {error}", err=True)
        return Names()
