"""The Glue table that Athena reads Model Invocation Logs by, as `glue:CreateTable` takes it.

One data column holds a line, the JSON text of a record as it stands: a JSON SerDe would fold the
case of names, and fail on fields of another type. Partitions are projected (Athena User Guide,
"Partition projection"): none has to be added as hours go by. Makes no request itself.
"""

from typing import Any

LINE = "line"
"""The one data column."""
ACCOUNT_ID = "account_id"
REGION = "region"
DATEHOUR = "datehour"
"""The partition columns, in the order of the path."""

FIRST_DATEHOUR = "2023/09/01/00"
"""The month in which Amazon Bedrock, and with it its logging, became generally available."""
_DATEHOUR_FORMAT = "yyyy/MM/dd/HH"


def table_input(name: str, location: str) -> dict[str, Any]:
    """Return the TableInput of a table over the logs below s3://bucket/prefix.

    `location` is what stands before AWSLogs/. A query must name the accounts and regions that it
    asks for: both are injected, so that none has to be known when the table is made.
    """
    root = f"{location.rstrip('/')}/AWSLogs/"
    return {
        "Name": name,
        "Description": "Model Invocation Logs, one record a line; made by bedrock-exporter",
        "TableType": "EXTERNAL_TABLE",
        "PartitionKeys": [
            {"Name": column, "Type": "string"} for column in (ACCOUNT_ID, REGION, DATEHOUR)
        ],
        "StorageDescriptor": {
            "Columns": [{"Name": LINE, "Type": "string"}],
            "Location": root,
            "InputFormat": "org.apache.hadoop.mapred.TextInputFormat",
            "OutputFormat": "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
            "SerdeInfo": {
                "SerializationLibrary": "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe",
                "Parameters": {"serialization.format": "1"},
            },
        },
        "Parameters": {
            "EXTERNAL": "TRUE",
            "projection.enabled": "true",
            f"projection.{ACCOUNT_ID}.type": "injected",
            f"projection.{REGION}.type": "injected",
            f"projection.{DATEHOUR}.type": "date",
            f"projection.{DATEHOUR}.format": _DATEHOUR_FORMAT,
            f"projection.{DATEHOUR}.range": f"{FIRST_DATEHOUR},NOW",
            f"projection.{DATEHOUR}.interval": "1",
            f"projection.{DATEHOUR}.interval.unit": "HOURS",
            "storage.location.template": (
                f"{root}${{{ACCOUNT_ID}}}/BedrockModelInvocationLogs/${{{REGION}}}/${{{DATEHOUR}}}/"
            ),
        },
    }
