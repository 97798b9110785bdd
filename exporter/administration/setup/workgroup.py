"""The Athena workgroup, compared with what it shall be.

It decides for whoever uses it: where results lie, how they are encrypted, and how much one query
may scan before Athena cancels it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from exporter.administration.plan import Change, Step, allowed, error_code
from exporter.administration.setup.place import TAGS, Place

if TYPE_CHECKING:
    from mypy_boto3_athena.client import AthenaClient

ENGINE = "Athena engine version 3"
LEAST_CUTOFF_BYTES = 10_000_000
"""The least that Athena takes, and what it charges for a query at the least."""
_BYTES_PER_TERABYTE = 10**12


@dataclass(frozen=True)
class Wanted:
    """What a workgroup shall be."""

    name: str
    cutoff_bytes: int
    kms_key: str | None = None
    """ARN of the key that encrypts results; none: SSE-S3."""


def cutoff_bytes(max_cost_usd: Decimal, usd_per_terabyte: Decimal) -> int:
    """Return how much a query may scan so that one alone cannot cost more than a day may.

    Where scanning costs nothing, it is a terabyte.
    """
    if usd_per_terabyte == 0:
        return _BYTES_PER_TERABYTE
    affordable = int(max_cost_usd / usd_per_terabyte * _BYTES_PER_TERABYTE)
    return max(LEAST_CUTOFF_BYTES, affordable)


def workgroup_steps(athena: "AthenaClient", place: Place, wanted: Wanted) -> Iterator[Step]:
    """Create a workgroup, or correct what differs."""
    arn = place.arn("athena", f"workgroup/{wanted.name}")
    old = _read(athena, wanted.name, arn)
    configuration = _configuration(place, wanted)
    after = _settings({"State": "ENABLED", "Configuration": configuration})
    if old is None:
        yield Step(
            f"create Athena workgroup {wanted.name} in {place.region}",
            "athena:CreateWorkGroup",
            arn,
            lambda: athena.create_work_group(
                Name=wanted.name,
                Description="Queries of bedrock-exporter",
                Configuration=configuration,
                Tags=[{"Key": key, "Value": value} for key, value in TAGS.items()],
            ),
            tuple(Change(setting, None, value) for setting, value in after.items()),
            group=str(place),
        )
        return
    before = _settings(old)
    changes = tuple(
        Change(setting, before.get(setting), value)
        for setting, value in after.items()
        if before.get(setting) != value
    )
    if not changes:
        return
    updates: Any = {
        key: value for key, value in configuration.items() if key != "ResultConfiguration"
    }
    updates["ResultConfigurationUpdates"] = configuration["ResultConfiguration"]
    yield Step(
        f"change Athena workgroup {wanted.name} in {place.region}",
        "athena:UpdateWorkGroup",
        arn,
        lambda: athena.update_work_group(
            WorkGroup=wanted.name, State="ENABLED", ConfigurationUpdates=updates
        ),
        changes,
        group=str(place),
    )


def _read(athena: "AthenaClient", name: str, arn: str) -> Any:
    """Return a workgroup, None where there is none; Athena has no code of its own for that."""
    with allowed("athena:GetWorkGroup", arn):
        try:
            return athena.get_work_group(WorkGroup=name)["WorkGroup"]
        except ClientError as error:
            text = str(error).lower()
            if error_code(error) == "InvalidRequestException" and "not found" in text:
                return None
            raise


def _configuration(place: Place, wanted: Wanted) -> Any:
    encryption = {"EncryptionOption": "SSE_S3"}
    if wanted.kms_key is not None:
        encryption = {"EncryptionOption": "SSE_KMS", "KmsKey": wanted.kms_key}
    return {
        "ResultConfiguration": {
            "OutputLocation": place.results,
            "EncryptionConfiguration": encryption,
            "ExpectedBucketOwner": place.account_id,
        },
        "EnforceWorkGroupConfiguration": True,
        "PublishCloudWatchMetricsEnabled": False,
        "BytesScannedCutoffPerQuery": wanted.cutoff_bytes,
        "EngineVersion": {"SelectedEngineVersion": ENGINE},
    }


def _settings(workgroup: Any) -> dict[str, str]:
    """Return what is compared, as text."""
    configuration = workgroup.get("Configuration", {})
    results = configuration.get("ResultConfiguration", {})
    encryption = results.get("EncryptionConfiguration", {})
    cutoff = configuration.get("BytesScannedCutoffPerQuery")
    engine = configuration.get("EngineVersion", {}).get("SelectedEngineVersion")
    told = {
        "state": workgroup.get("State"),
        "results": results.get("OutputLocation"),
        "result encryption": encryption.get("KmsKey") or encryption.get("EncryptionOption"),
        "bucket owner": results.get("ExpectedBucketOwner"),
        "enforced": _yes(configuration.get("EnforceWorkGroupConfiguration")),
        "most bytes a query scans": None if cutoff is None else f"{cutoff:,}",
        "engine": engine,
        "CloudWatch metrics": _yes(configuration.get("PublishCloudWatchMetricsEnabled")),
    }
    return {setting: str(value) for setting, value in told.items() if value is not None}


def _yes(flag: bool | None) -> str:
    return "yes" if flag else "no"
