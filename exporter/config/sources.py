"""The sources that config.yaml may name, by their type."""

from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from exporter.config.fields import (
    AccountId,
    Duration,
    Identifier,
    Location,
    Money,
    Name,
    RegionName,
    RegionNames,
    Workgroup,
    at_least,
    check_s3_location,
)
from exporter.config.section import Section

TERABYTE = 10**12
MINIMUM_BILLED_BYTES = 10_000_000
"""Of each query that scans anything; also the least that a workgroup's cut-off can be."""
DEFAULT_USD_PER_TERABYTE = Decimal(5)
"""Of Athena's on-demand queries in us-east-1 and most other regions (2026-11)."""

_Lookback = Annotated[Duration, AfterValidator(at_least(timedelta(hours=1)))]


class _Records(Section):
    """Log objects of records, read directly from a folder or S3."""

    location: Location = ""
    """A folder (absolute once loaded) or s3://bucket/prefix: what stands before AWSLogs/.

    Without it, the location of every one of `aws.accounts`; empty in no loaded configuration.
    """
    account: Name | None = None
    """Which of `aws.accounts` reads the location; none: the ambient credentials."""
    lookback: _Lookback = timedelta(hours=48)
    """How late a log object may arrive and still be found."""
    duplicates_window: Annotated[Duration, AfterValidator(at_least(timedelta(hours=1)))] = (
        timedelta(days=7)
    )
    """How far back request ids are remembered, to count a record delivered twice once."""
    max_record_bytes: int = Field(default=16 * 2**20, ge=2**10)
    max_object_bytes: int = Field(default=2**28, ge=2**20)
    """Both after decompression."""


class InvocationLogs(_Records):
    """Model Invocation Logs, read directly."""

    type: Literal["invocation_logs"]
    name: Name = "invocation_logs"


class Athena(Section):
    """Model Invocation Logs, summed by Amazon Athena where they lie."""

    type: Literal["athena"]
    name: Name = "athena"
    location: Location = ""
    """s3://bucket/prefix, as for InvocationLogs; the table lies over it."""
    account: Name | None = None
    """Which of `aws.accounts` asks Athena and lists the bucket; none: the ambient credentials."""
    region: RegionName = ""
    """Of Athena, its workgroup and its table.

    Without it, the one that stands in the account's location, or the account's only one; empty in
    no loaded configuration.
    """
    database: Identifier = "bedrock_exporter"
    table: Identifier = "invocation_logs"
    workgroup: Workgroup = "bedrock-exporter"
    list_objects: bool = True
    """Whether the exporter lists the bucket, which finds new log objects for next to nothing.

    Athena lists and reads it in any case, with the same rights, except through Lake Formation.
    """
    owners: dict[AccountId, RegionNames] = Field(default_factory=dict)
    """Accounts and regions whose logs lie at the location, where the exporter does not list it.

    Without `location`, those of `aws.accounts`.
    """
    lookback: _Lookback = timedelta(hours=48)
    query_timeout: Annotated[Duration, AfterValidator(at_least(timedelta(seconds=10)))] = timedelta(
        minutes=10
    )
    usd_per_terabyte: Money = DEFAULT_USD_PER_TERABYTE
    """What Athena charges for 10**12 bytes scanned; at least 10 MB a query."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.owners and self.list_objects:
            raise ValueError("'owners' goes with 'list_objects: false', and only with it")
        if self.owners and not self.location:
            raise ValueError(
                "'owners' goes with 'location'; without it, aws.accounts are the owners"
            )
        if self.location and not self.list_objects and not self.owners:
            raise ValueError("'list_objects: false' needs 'owners', whose logs to ask for")
        if self.location:
            check_s3_location(self.location)
        return self

    def most_bytes_a_query(self, ceiling_usd: Decimal) -> int:
        """Return the most that one query should scan, where so much may be spent in a day.

        A tenth of what the day's ceiling buys: what a cancelled query costs leaves most of it.
        """
        if not self.usd_per_terabyte:
            return TERABYTE
        bought = ceiling_usd / self.usd_per_terabyte * TERABYTE
        return min(max(int(bought / 10), MINIMUM_BILLED_BYTES), TERABYTE)


class PromptLogs(_Records):
    """Prompt logs of Amazon Q Developer and Kiro; only their tokens are counted."""

    type: Literal["prompt_logs"]
    name: Name = "prompt_logs"


class _Reports(Section):
    """Daily reports as CSV."""

    location: Location = ""
    """As for InvocationLogs: what stands before AWSLogs/."""
    account: Name | None = None
    lookback: _Lookback = timedelta(days=7)
    """How late a report may arrive, or be delivered again, and still be found."""
    max_object_bytes: int = Field(default=2**26, ge=2**20)
    """Of one report, after decompression; one of a thousand users has about 200 KB."""


class ActivityReports(_Reports):
    """Amazon Q Developer's by_user_analytic reports, also as Kiro writes them."""

    type: Literal["activity_reports"]
    name: Name = "activity_reports"


class KiroReports(_Reports):
    """Kiro's user_report reports: credits."""

    type: Literal["kiro_reports"]
    name: Name = "kiro_reports"


AssistantSource = PromptLogs | ActivityReports | KiroReports
BedrockSource = InvocationLogs | Athena

Source = Annotated[BedrockSource | AssistantSource, Field(discriminator="type")]
