"""Runs all checks of one configuration, in the order in which they hang on each other.

Changes nothing but the result that Athena keeps of one query. A check that fails stops no other;
what hangs on credentials that AWS refuses is not tried, and says so.
"""

import traceback
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from functools import partial
from pathlib import Path

from exporter.administration.check import assistant_logs
from exporter.administration.check.athena import check_query, check_table, check_workgroup
from exporter.administration.check.identities import (
    Identity,
    accounts_in_use,
    check_identity,
    home_region,
    name_of,
)
from exporter.administration.check.invocation_logging import Logging, check_empty, check_logging
from exporter.administration.check.logs import Owner, check_bucket, check_listing, check_newest
from exporter.administration.check.lookups import check_lookups
from exporter.administration.check.refusals import unanswered
from exporter.administration.check.rows import Report, Row, failed
from exporter.aws.meter import Meter
from exporter.config import Athena, BedrockSource, Config, Source
from exporter.sources.aws_errors import AWS_ERRORS
from exporter.sources.log_layout import LAYOUTS
from exporter.sources.log_store import ListedObject
from exporter.sources.reading import open_store

_PRICES = "AWS price lists: the exporter asks none, its prices are bundled"
_SWITCHES = (
    "whether prompt logs and reports of Amazon Q Developer and Kiro are switched on: AWS has no "
    "API that tells"
)
_MOST_NAMED = 5
_LOGGING = "whether logging is on in {}: there are no credentials of these accounts"


def check(config: Config, now: datetime) -> Report:
    """Check everything that a configuration needs, at an aware moment."""
    return _Checks(config, now).run()


@dataclass
class _Checks:
    """The checks of one configuration."""

    config: Config
    now: datetime
    meter: Meter = field(default_factory=Meter)
    rows: list[Row] = field(default_factory=list)
    identities: dict[str | None, Identity] = field(default_factory=dict)
    """By the name of the account; the exporter's own by None."""
    owners: set[Owner] = field(default_factory=set)
    """All whose Bedrock logs are read from S3."""
    bucket_regions: dict[str, str] = field(default_factory=dict)
    """By the name of the source."""
    loggings: dict[tuple[str, str], Logging] = field(default_factory=dict)
    """What was asked so far, by whose it is and the region."""
    scanned_bytes: int = 0
    queries_usd: Decimal = Decimal(0)

    def run(self) -> Report:
        for account in accounts_in_use(self.config):
            row, identity = check_identity(account, home_region(self.config), self.meter)
            self.rows.append(row)
            if identity is not None:
                self.identities[account.name if account else None] = identity
        for source in self.config.sources:
            self._check_source(source)
        for identity in self.identities.values():
            self._check_account(identity)
        return Report(
            self.rows, self._not_checked(), self.meter.take(), self.scanned_bytes, self.queries_usd
        )

    def _keep(self, subject: str, name: str, check: Callable[[], Iterable[Row]]) -> None:
        """Keep the rows of a check; one that has a bug is a red row, and stops no other."""
        try:
            self.rows += check()
        except AWS_ERRORS as error:
            self.rows.append(unanswered(subject, name, error))
        except Exception as error:
            place = traceback.extract_tb(error.__traceback__)[-1]
            found = f"{type(error).__name__} at {Path(place.filename).name}:{place.lineno}"
            self.rows.append(failed(subject, name, found, "please report it"))

    def _check_source(self, source: Source) -> None:
        subject = f"source {source.name}"
        if not source.location.startswith("s3://"):
            self._keep(subject, "logs", lambda: self._check_logs(source, None))
            return
        identity = self.identities.get(source.account)
        if identity is None:
            found = "not tried: its credentials do not work"
            remedy = "mend the credentials, then run this again"
            self.rows.append(failed(subject, "credentials", found, remedy))
            return
        self._keep(subject, "bucket", lambda: self._check_bucket(source, identity))
        if isinstance(source, Athena):
            self._keep(subject, "workgroup", lambda: [check_workgroup(source, identity)])
            self._keep(subject, "table", lambda: [check_table(source, identity)])
        self._keep(subject, "logs", lambda: self._check_logs(source, identity))

    def _check_bucket(self, source: Source, identity: Identity) -> Iterator[Row]:
        row, region = check_bucket(source, identity)
        if region is not None:
            self.bucket_regions[source.name] = region
        yield row

    def _check_logs(self, source: Source, identity: Identity | None) -> Iterator[Row]:
        """List and read; have Athena sum the newest log object."""
        newest: list[ListedObject] = []
        if isinstance(source, Athena) and not source.list_objects:
            self.owners |= {(id_, region) for id_, all_ in source.owners.items() for region in all_}
        else:
            account = identity.account if identity else None
            store = open_store(source.location, self.meter, account, LAYOUTS[source.type])
            rows, owners = check_listing(source, store, identity)
            yield from rows or [self._check_empty(source, identity)]
            if identity and isinstance(source, BedrockSource):
                self.owners |= set(owners)
            for owner in owners:
                row, listed = check_newest(source, store, identity, owner, self.now)
                yield row
                newest += [listed] if listed else []
        if isinstance(source, Athena) and identity is not None:
            last = max(newest, key=lambda listed: listed.unit.hour, default=None)
            row, scan = check_query(source, identity, last, self.now)
            self.scanned_bytes += scan.scanned_bytes
            self.queries_usd += scan.cost_usd
            yield row

    def _check_empty(self, source: Source, identity: Identity | None) -> Row:
        """Ask where its logs may come from whether logging is on, if AWS tells that."""
        if not isinstance(source, BedrockSource):
            return assistant_logs.check_empty(f"source {source.name}", "list logs", source)
        loggings: list[Logging] = []
        if identity is not None:
            regions = {identity.region, *self._named_regions(identity)}
            regions |= {self.bucket_regions.get(source.name, identity.region)}
            regions |= {source.region} if isinstance(source, Athena) else set()
            loggings = [self._logging(identity, region) for region in sorted(regions)]
        return check_empty(f"source {source.name}", "list logs", source.location, loggings)

    def _check_account(self, identity: Identity) -> None:
        """Look at what is not of one source: logging in each region, and look-ups."""
        subject = name_of(identity.account)
        named = self._named_regions(identity)
        owned = {region for id_, region in self.owners if id_ == identity.account_id}
        asked = {region for whose, region in self.loggings if whose == subject}
        wanted = named if self._is_of_bedrock(identity) else set()
        for region in sorted(wanted | owned | asked):
            self._keep(
                subject, f"logging in {region}", partial(self._logging_row, identity, region)
            )
        region = min(named | owned, default=identity.region)
        self._keep(subject, "look-up", lambda: check_lookups(self.config, identity, region))

    def _is_of_bedrock(self, identity: Identity) -> bool:
        """Tell whether Bedrock's logs are wanted of an identity, not those of assistants alone."""
        name = identity.account.name if identity.account else None
        own = [source for source in self.config.sources if source.account == name]
        return any(isinstance(source, BedrockSource) for source in own or self.config.sources)

    def _named_regions(self, identity: Identity) -> set[str]:
        """Return the regions that the configuration names for an account."""
        return set(identity.account.regions) if identity.account else set()

    def _logging_row(self, identity: Identity, region: str) -> Iterator[Row]:
        yield self._logging(identity, region).row

    def _logging(self, identity: Identity, region: str) -> Logging:
        key = (name_of(identity.account), region)
        if key not in self.loggings:
            locations = [
                source.location
                for source in self.config.sources
                if isinstance(source, BedrockSource)
            ]
            is_wanted = region in self._named_regions(identity)
            self.loggings[key] = check_logging(identity, region, locations, is_wanted)
        return self.loggings[key]

    def _not_checked(self) -> list[str]:
        asked = {identity.account_id for identity in self.identities.values()}
        others = sorted({account_id for account_id, _ in self.owners} - asked)
        listed = ", ".join(others[:_MOST_NAMED]) + (" ..." if len(others) > _MOST_NAMED else "")
        told = [_PRICES, *([_LOGGING.format(listed)] if others else [])]
        if not all(isinstance(source, BedrockSource) for source in self.config.sources):
            told.append(_SWITCHES)
        return told
