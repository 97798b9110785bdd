"""The Glue database and its tables, compared with what they shall be.

A table of the right name that was not made here is never changed: it may be somebody's.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from exporter.administration.plan import Change, PlanError, Step, allowed, error_code
from exporter.administration.setup.place import TAGS, Place

if TYPE_CHECKING:
    from mypy_boto3_glue.client import GlueClient

TableInput = dict[str, Any]
"""A table, as Glue takes it."""

_OURS = ("projection.", "storage.")
"""Beginnings of table parameters that all say how partitions are found."""


def database_steps(glue: "GlueClient", place: Place, name: str) -> Iterator[Step]:
    """Create a database where it is missing."""
    arn = place.arn("glue", f"database/{name}")
    with allowed("glue:GetDatabase", arn):
        try:
            glue.get_database(Name=name)
        except ClientError as error:
            if error_code(error) != "EntityNotFoundException":
                raise
        else:
            return
    yield Step(
        f"create Glue database {name} in {place.region}",
        "glue:CreateDatabase",
        arn,
        lambda: glue.create_database(
            DatabaseInput={"Name": name, "Description": "Tables of bedrock-exporter"}, Tags=TAGS
        ),
        group=str(place),
    )


def table_steps(
    glue: "GlueClient", place: Place, database: str, table: TableInput
) -> Iterator[Step]:
    """Create a table, or correct one that was made here.

    Raises PlanError where a table of that name was made otherwise and is another one.
    """
    table = {**table, "Parameters": {**table["Parameters"], **TAGS}}
    name = f"{database}.{table['Name']}"
    arn = place.arn("glue", f"table/{database}/{table['Name']}")
    old = _read(glue, database, table["Name"], arn)
    changes = _changes(old, table)
    if old is None:
        yield Step(
            f"create Glue table {name} in {place.region}",
            "glue:CreateTable",
            arn,
            lambda: glue.create_table(DatabaseName=database, TableInput=table),  # type: ignore[arg-type]
            changes,
            group=str(place),
        )
        return
    if not changes:
        return
    if not TAGS.items() <= old.get("Parameters", {}).items():
        raise PlanError(
            f"Glue table {name} is there, was not made by this, and is another one "
            f"({'; '.join(map(str, changes))}); give the source another `table`, or drop that one"
        )
    foreign = {
        key: value for key, value in old.get("Parameters", {}).items() if not key.startswith(_OURS)
    }
    corrected: Any = {**table, "Parameters": {**foreign, **table["Parameters"]}}
    yield Step(
        f"change Glue table {name} in {place.region}",
        "glue:UpdateTable",
        arn,
        lambda: glue.update_table(DatabaseName=database, TableInput=corrected),
        changes,
        group=str(place),
    )


def _read(glue: "GlueClient", database: str, name: str, arn: str) -> TableInput | None:
    with allowed("glue:GetTable", arn):
        try:
            found: Any = glue.get_table(DatabaseName=database, Name=name)["Table"]
        except ClientError as error:
            if error_code(error) != "EntityNotFoundException":
                raise
            return None
    table: TableInput = found
    return table


def _changes(old: TableInput | None, new: TableInput) -> tuple[Change, ...]:
    before, after = _settings(old or {}), _settings(new)
    stale = {key for key in before if key.startswith(_OURS) and key not in after}
    return (
        *(
            Change(key, before.get(key), value)
            for key, value in after.items()
            if before.get(key) != value
        ),
        *(Change(key, before[key], "none") for key in sorted(stale)),
    )


def _settings(table: TableInput) -> dict[str, str]:
    """Return what decides how a table is read, as text."""
    storage = table.get("StorageDescriptor", {})
    serde = storage.get("SerdeInfo", {})
    settings = {
        "columns": _columns(storage.get("Columns", [])),
        "partition keys": _columns(table.get("PartitionKeys", [])),
        "location": storage.get("Location", ""),
        "input format": storage.get("InputFormat", ""),
        "output format": storage.get("OutputFormat", ""),
        "SerDe": serde.get("SerializationLibrary", ""),
        **{f"SerDe {key}": value for key, value in serde.get("Parameters", {}).items()},
        **table.get("Parameters", {}),
    }
    return {key: repr(value)[1:-1] for key, value in settings.items() if value}


def _columns(columns: list[dict[str, str]]) -> str:
    return ", ".join(f"{column['Name']} {column.get('Type', '')}" for column in columns)
