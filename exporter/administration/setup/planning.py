"""The plan of a whole configuration: each place's bucket, catalog and workgroup, in that order.

A place that cannot be planned, because AWS refuses to say what is there or because a name is
taken, is told and left out; the others are planned all the same.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from exporter.administration.plan import PlanError, Step
from exporter.administration.setup import qdeveloper_table
from exporter.administration.setup.bucket import Bucket, Wanted, bucket_steps, read_encryption
from exporter.administration.setup.bucket_policy import tls_only
from exporter.administration.setup.catalog import database_steps, table_steps
from exporter.administration.setup.place import RESULTS_PREFIX, Place
from exporter.administration.setup.site import Sessions, Site, enter
from exporter.administration.setup.workgroup import Wanted as WantedWorkgroup
from exporter.administration.setup.workgroup import cutoff_bytes, workgroup_steps
from exporter.aws.athena_table import table_input
from exporter.config import Athena, Config

_ABORT_DAYS = 7


@dataclass(frozen=True)
class Options:
    """What a set-up may be told besides the configuration."""

    kms_key: str | None = None
    """ARN of the key for bucket and results; none: SSE-S3."""
    scan_cutoff_bytes: int | None = None
    """The most that one query may scan; none: what a day's ceiling pays for."""
    result_days: int = 7
    """How long query results are kept."""
    qdeveloper_location: str | None = None
    """s3://bucket/prefix of the activity reports; none: no table for them."""


@dataclass(frozen=True)
class Together:
    """A site, with the sources that share it."""

    site: Site
    sources: tuple[Athena, ...]


@dataclass
class Setup:
    """What is to be done, and what stands in the way."""

    steps: list[Step] = field(default_factory=list)
    planned: list[Together] = field(default_factory=list)
    """What could be planned."""
    problems: list[str] = field(default_factory=list)


def athena_sources(config: Config, name: str | None = None) -> tuple[Athena, ...]:
    """Return the athena sources of a configuration, or the one of a name.

    Raises PlanError where there is none.
    """
    found = tuple(
        source
        for source in config.sources
        if isinstance(source, Athena) and name in (None, source.name)
    )
    if not found:
        wanted = "no source of type athena" if name is None else f"no athena source {name!r}"
        raise PlanError(f"the configuration has {wanted}; add one to `sources`")
    return found


def plan_setup(
    config: Config, sources: Sequence[Athena], options: Options, make_session: Sessions
) -> Setup:
    """Compare all that the sources need with what exists."""
    setup = Setup()
    for together in _bring_together(config, sources, make_session, setup.problems):
        try:
            steps = list(_steps(together, config.aws.max_cost_usd_per_day, options))
        except PlanError as error:
            setup.problems.append(f"{together.site.place}: {error}")
        else:
            setup.steps += steps
            setup.planned.append(together)
    return setup


def _bring_together(
    config: Config, sources: Sequence[Athena], make_session: Sessions, problems: list[str]
) -> list[Together]:
    found: dict[Place, Together] = {}
    for source in sources:
        account = config.aws.account(source.account)
        try:
            site = enter(account, source.region, make_session)
        except PlanError as error:
            problems.append(f"source {source.name}: {error}")
            continue
        first = found.get(site.place, Together(site, ()))
        found[site.place] = Together(first.site, (*first.sources, source))
    return list(found.values())


def _steps(together: Together, max_cost_usd: Decimal, options: Options) -> Iterator[Step]:
    site, sources = together.site, together.sources
    bucket = Bucket(site.client("s3"), site.place, site.place.analytics_bucket)
    kms_key = options.kms_key or read_encryption(bucket)[1]
    yield from bucket_steps(bucket, _analytics_bucket(site.place, options))
    yield from _catalog_steps(site, sources, options)
    athena = site.client("athena")
    for name in dict.fromkeys(source.workgroup for source in sources):
        cutoff = options.scan_cutoff_bytes or min(
            cutoff_bytes(max_cost_usd, source.usd_per_terabyte)
            for source in sources
            if source.workgroup == name
        )
        wanted = WantedWorkgroup(name, cutoff, kms_key)
        yield from workgroup_steps(athena, site.place, wanted)


def _catalog_steps(site: Site, sources: Sequence[Athena], options: Options) -> Iterator[Step]:
    glue = site.client("glue")
    for database in dict.fromkeys(source.database for source in sources):
        yield from database_steps(glue, site.place, database)
        tables = [
            table_input(name, location) for name, location in _locations(sources, database).items()
        ]
        if options.qdeveloper_location is not None:
            tables.append(qdeveloper_table.table_input(options.qdeveloper_location))
        for table in tables:
            yield from table_steps(glue, site.place, database, table)


def _locations(sources: Sequence[Athena], database: str) -> dict[str, str]:
    """Return the location of each table of a database."""
    locations: dict[str, str] = {}
    for source in (source for source in sources if source.database == database):
        other = locations.setdefault(source.table, source.location)
        if other != source.location:
            raise PlanError(
                f"two sources have the table {source.database}.{source.table}, over {other} and "
                f"over {source.location}; give one of them another `table`"
            )
    return locations


def _analytics_bucket(place: Place, options: Options) -> Wanted:
    return Wanted(
        place.analytics_bucket,
        statements=(tls_only(place, place.analytics_bucket),),
        lifecycle=(
            {
                "ID": "bedrock-exporter-query-results",
                "Status": "Enabled",
                "Filter": {"Prefix": RESULTS_PREFIX},
                "Expiration": {"Days": options.result_days},
            },
            {
                "ID": "bedrock-exporter-unfinished-uploads",
                "Status": "Enabled",
                "Filter": {"Prefix": ""},
                "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": _ABORT_DAYS},
            },
        ),
        kms_key=options.kms_key,
    )
