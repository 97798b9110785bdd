"""The Glue database and its tables, compared with what they shall be.

A table of the right name that was not made here is never changed: it may be somebody's.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from exporter.administration.plan import Change, PlanError, Step, allowed, unless_changed
from exporter.administration.setup.place import TAGS, Place
from exporter.sources.aws_errors import error_code

if TYPE_CHECKING:
    from mypy_boto3_glue.client import GlueClient

TableInput = dict[str, Any]
"""A table, as Glue takes it."""

_ALTERING = (
    *("projection.", "storage.", "skip.", "serialization.", "textinputformat.", "input."),
    *("field.", "line.", "escape.", "quote.", "colelction.", "collection.", "mapkey."),
    *("has_encrypted_data", "ignore_empty_lines", "metadata_location", "table_type"),
    *("transactional", "compressionType", "recursiveDirectories", "use.null.for.invalid.data"),
)
"""Beginnings of table parameters that decide which data is read, and how; of any case."""
_READ = ("TableType", "PartitionKeys", "StorageDescriptor", "Parameters")
"""What of a table is written as a whole."""


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
    name = f"{database}.{table['Name']}"
    arn = place.arn("glue", f"table/{database}/{table['Name']}")

    def read() -> TableInput | None:
        return _read(glue, database, table["Name"], arn)

    old = read()
    changes = table_changes(old or {}, table)
    table = {**table, "Parameters": {**table["Parameters"], **TAGS}}
    if old is None:
        yield Step(
            f"create Glue table {name} in {place.region}",
            "glue:CreateTable",
            arn,
            lambda: glue.create_table(DatabaseName=database, TableInput=table),  # type: ignore[arg-type]
            (*changes, *(Change(key, None, value) for key, value in TAGS.items())),
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
    foreign = {key: value for key, value in old.get("Parameters", {}).items() if not _alters(key)}
    corrected: Any = {**table, "Parameters": {**foreign, **table["Parameters"]}}
    yield Step(
        f"change Glue table {name} in {place.region}",
        "glue:UpdateTable",
        arn,
        unless_changed(
            f"Glue table {name}",
            read,
            old,
            lambda: glue.update_table(DatabaseName=database, TableInput=corrected),
        ),
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
    return {key: found[key] for key in _READ if key in found}


def table_changes(found: TableInput, wanted: TableInput) -> tuple[Change, ...]:
    """Return in what a table, as Glue returns it, is read otherwise than the wanted one.

    Parameters that alter nothing of that, as others put them there, are no difference.
    """
    before, after = _settings(found), _settings(wanted)
    stale = {key for key in before if key not in after and _alters(key)}
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
        "table type": table.get("TableType", ""),
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


def _alters(key: str) -> bool:
    """Tell whether a setting decides how a table is read; every parameter of a SerDe does."""
    altering = ("SerDe ", *_ALTERING)
    return key.lower().startswith(tuple(beginning.lower() for beginning in altering))


def _columns(columns: list[dict[str, str]]) -> str:
    return ", ".join(f"{column['Name']} {column.get('Type', '')}" for column in columns)
