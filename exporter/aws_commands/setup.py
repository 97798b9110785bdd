"""`bedrock-exporter aws setup`: bucket, table and workgroup of the source `athena`."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from exporter.aws_commands import values
from exporter.aws_commands.planning import carry_out, config_option, fail, plan_options, tell

if TYPE_CHECKING:
    from exporter.administration.setup.planning import Setup

_QUERY = "a test query for each source; Athena bills 10 MB at the least"


@click.command()
@config_option
@click.option("--source", "source_name", help="Only this source; without it, all of type athena.")
@click.option(
    "--kms-key",
    metavar="ARN",
    callback=values.kms_key,
    help="The key, or its alias, that encrypts query results; without it, the one that does so "
    "already, else SSE-S3.",
)
@click.option("--sse-s3", is_flag=True, help="Encrypt by SSE-S3, with no key of yours any longer.")
@click.option(
    "--scan-cutoff-bytes",
    type=click.IntRange(min=10_000_000),
    help="The most that one query may scan; without it, a tenth of what "
    "aws.max_cost_usd_per_day pays for.",
)
@click.option(
    "--result-days",
    type=click.IntRange(min=1),
    default=7,
    show_default=True,
    help="How long query results are kept.",
)
@click.option(
    "--qdeveloper-location",
    metavar="S3_URL",
    callback=values.s3_location,
    help="Where Amazon Q Developer's activity reports lie, the part before AWSLogs/: makes a "
    "table over them for queries of your own. The source activity_reports needs none.",
)
@click.option(
    "--ambient",
    is_flag=True,
    help="Act with your own credentials instead of the roles of aws.accounts, which may only read; "
    "they must be of the source's account.",
)
@click.option(
    "--test-query/--no-test-query", default=True, help="Whether to run a small query at the end."
)
@plan_options
def setup(
    config_file: Path,
    source_name: str | None,
    kms_key: str | None,
    sse_s3: bool,
    scan_cutoff_bytes: int | None,
    result_days: int,
    qdeveloper_location: str | None,
    ambient: bool,
    test_query: bool,
    yes: bool,
    dry_run: bool,
) -> None:
    """Make what the source athena needs, or correct what differs; a second run changes nothing."""
    from exporter import config
    from exporter.administration.plan import DONE, PlanError
    from exporter.administration.setup.planning import Options, athena_sources, plan_setup
    from exporter.aws.sessions import session

    if kms_key and sse_s3:
        raise click.UsageError("--kms-key and --sse-s3: which of the two?")
    options = Options(kms_key, sse_s3, scan_cutoff_bytes, result_days, qdeveloper_location, ambient)
    try:
        settings = config.load(config_file)
        sources = athena_sources(settings, source_name)
        for source in sources:
            values.check_key_region(kms_key, source.region)
        setup_plan = plan_setup(settings, sources, options, session)
    except (config.ConfigError, PlanError) as error:
        fail(error)
    tell(setup_plan.problems)
    if not setup_plan.planned:
        sys.exit(1)
    then = _QUERY if test_query else ""
    code = carry_out(setup_plan.steps, yes=yes, dry_run=dry_run, then=then)
    tried_well = True
    if test_query and not dry_run and code == DONE:
        tried_well = _try(setup_plan)
    sys.exit(code if tried_well and not setup_plan.problems else 1)


def _try(setup_plan: "Setup") -> bool:
    """Run the test query of every source; tell whether all went well."""
    from datetime import UTC, datetime

    from exporter.administration.plan import PlanError, printable
    from exporter.administration.setup.trial import try_source

    problems = []
    for together in setup_plan.planned:
        site = together.site
        s3, athena = site.client("s3"), site.client("athena")
        for source in together.sources:
            try:
                trial = try_source(s3, athena, site.place, source, datetime.now(UTC))
            except PlanError as error:
                problems.append(f"test query of source {source.name}: {error}")
            else:
                click.echo(printable(f"test query of source {source.name}: {trial}"))
    tell(problems)
    return not problems
