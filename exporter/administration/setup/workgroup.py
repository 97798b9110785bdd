"""The Athena workgroup, compared with what it shall be.

It decides for whoever uses it: where results lie, how they are encrypted, and how much one query
may scan before Athena cancels it. One that was not made here is never changed: others work with it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from exporter.administration.plan import Change, PlanError, Step, allowed
from exporter.administration.setup.place import TAGS, Place
from exporter.sources.aws_errors import error_code

if TYPE_CHECKING:
    from mypy_boto3_athena.client import AthenaClient

ENGINE = "Athena engine version 3"


@dataclass(frozen=True)
class Wanted:
    """What a workgroup shall be."""

    name: str
    cutoff_bytes: int
    kms_key: str | None = None
    """ARN of the key that encrypts results; none: SSE-S3."""


def workgroup_steps(athena: "AthenaClient", place: Place, wanted: Wanted) -> Iterator[Step]:
    """Create a workgroup, or correct what differs.

    Raises PlanError where one of that name was not made here and will not do as it is.
    """
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
    if not _is_ours(athena, arn):
        _accept(old, wanted)
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


def _is_ours(athena: "AthenaClient", arn: str) -> bool:
    with allowed("athena:ListTagsForResource", arn):
        tags = athena.list_tags_for_resource(ResourceARN=arn)["Tags"]
    return TAGS.items() <= {tag["Key"]: tag["Value"] for tag in tags}.items()


def _accept(workgroup: Any, wanted: Wanted) -> None:
    """Take a workgroup of others as it is, if it has all that the exporter needs of one."""
    if lacking := [str(change) for change in _lacking(workgroup, wanted)]:
        raise PlanError(
            f"Athena workgroup {wanted.name} is there, was not made by this, and is not what the "
            f"exporter needs ({'; '.join(lacking)}); name another in the source's `workgroup`, "
            "or change that one to this yourself"
        )


def _lacking(workgroup: Any, wanted: Wanted) -> Iterator[Change]:
    configuration = workgroup.get("Configuration", {})
    if workgroup.get("State") != "ENABLED":
        yield Change("state", str(workgroup.get("State")), "ENABLED")
    is_managed = configuration.get("ManagedQueryResultsConfiguration", {}).get("Enabled")
    if not is_managed and not configuration.get("ResultConfiguration", {}).get("OutputLocation"):
        yield Change("results", None, "a location of theirs, or managed by Athena")
    engine = configuration.get("EngineVersion", {})
    effective = engine.get("EffectiveEngineVersion", engine.get("SelectedEngineVersion"))
    if effective not in (ENGINE, "AUTO", None):
        yield Change("engine", str(effective), ENGINE)
    cutoff = configuration.get("BytesScannedCutoffPerQuery")
    if cutoff is None or cutoff > wanted.cutoff_bytes:
        old = "any number" if cutoff is None else f"{cutoff:,}"
        yield Change("most bytes a query scans", old, f"{wanted.cutoff_bytes:,} or less")


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
