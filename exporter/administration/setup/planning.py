"""The plan of a whole configuration: each place's bucket, catalog and workgroup, in that order.

A place that cannot be planned, because AWS refuses to say what is there or because a name is
taken, is told and left out; the others are planned all the same.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from exporter.administration.plan import PlanError, Step
from exporter.administration.setup import qdeveloper_table
from exporter.administration.setup.bucket import Bucket, read_encryption
from exporter.administration.setup.bucket_policy import tls_only
from exporter.administration.setup.catalog import database_steps, table_steps
from exporter.administration.setup.place import RESULTS_PREFIX, Place
from exporter.administration.setup.private_bucket import Wanted, bucket_steps
from exporter.administration.setup.site import Sessions, Site, enter
from exporter.administration.setup.workgroup import Wanted as WantedWorkgroup
from exporter.administration.setup.workgroup import workgroup_steps
from exporter.aws.athena_table import table_input
from exporter.config import Athena, Config

_ABORT_DAYS = 7


@dataclass(frozen=True)
class Options:
    """What a set-up may be told besides the configuration."""

    kms_key: str | None = None
    """ARN of the key for bucket and results; none: the one that is there, else SSE-S3."""
    sse_s3: bool = False
    """Whether it is SSE-S3, whatever is there."""
    scan_cutoff_bytes: int | None = None
    """The most that one query may scan; none: a tenth of what a day's ceiling pays for."""
    result_days: int = 7
    """How long query results are kept."""
    qdeveloper_location: str | None = None
    """s3://bucket/prefix of the activity reports; none: no table for them."""
    ambient: bool = False
    """Whether the ambient credentials act, not the roles of `aws.accounts`."""


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
    configured = _Configured(config, make_session, options.ambient)
    for together in _bring_together(sources, configured, setup.problems):
        try:
            steps = list(_steps(together, configured, options))
        except PlanError as error:
            setup.problems.append(f"{together.site.place}: {error}")
        else:
            setup.steps += steps
            setup.planned.append(together)
    return setup


@dataclass(frozen=True)
class _Configured:
    """A configuration, and the credentials that its sources are set up with."""

    config: Config
    make_session: Sessions
    ambient: bool

    def site(self, source: Athena) -> Site:
        """Return the site of a source.

        Raises PlanError where nobody gets there, or where somebody is of another account.
        """
        account = self.config.aws.account(source.account)
        site = enter(None if self.ambient else account, source.region, self.make_session)
        if account is not None and account.account_id != site.place.account_id:
            raise PlanError(
                f"the credentials are of account {site.place.account_id}, and the source is of "
                f"{account.name}, {account.account_id}; take credentials of that one, or choose "
                "a source with --source"
            )
        return site

    def cutoff_bytes(self, place: Place, workgroup: str) -> int:
        """Return how much a query may scan, by the dearest of all sources of a workgroup."""
        ceiling_usd = self.config.aws.max_cost_usd_per_day
        return min(
            source.most_bytes_a_query(ceiling_usd)
            for source in self.config.sources
            if isinstance(source, Athena)
            and (source.workgroup, source.region) == (workgroup, place.region)
            and self._account_id(source) in (place.account_id, None)
        )

    def _account_id(self, source: Athena) -> str | None:
        """Return the account of a source; None for one that has the ambient account."""
        account = self.config.aws.account(source.account)
        return account.account_id if account else None


def _bring_together(
    sources: Sequence[Athena], configured: _Configured, problems: list[str]
) -> list[Together]:
    found: dict[Place, Together] = {}
    for source in sources:
        try:
            site = configured.site(source)
        except PlanError as error:
            problems.append(f"source {source.name}: {error}")
            continue
        first = found.get(site.place, Together(site, ()))
        found[site.place] = Together(first.site, (*first.sources, source))
    return list(found.values())


def _steps(together: Together, configured: _Configured, options: Options) -> Iterator[Step]:
    site, sources = together.site, together.sources
    bucket = Bucket(site.client("s3"), site.place, site.place.analytics_bucket)
    kms_key = None if options.sse_s3 else options.kms_key or read_encryption(bucket)[1]
    yield from bucket_steps(bucket, _analytics_bucket(site.place, options))
    yield from _catalog_steps(site, sources, options)
    athena = site.client("athena")
    for name in dict.fromkeys(source.workgroup for source in sources):
        cutoff = options.scan_cutoff_bytes or configured.cutoff_bytes(site.place, name)
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
        keep_key=not options.sse_s3,
    )
