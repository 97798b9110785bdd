"""The Glue table over the user activity reports of Amazon Q Developer, for queries of one's own.

OpenCSVSerde reads columns by position: a report with another header, such as an early one with
fewer columns, is misread. The exporter itself does not read this table: its source
`activity_reports` reads the reports, by their header.
"""

from typing import Any

from exporter.assistant_usage import ACTIVITY_COLUMNS

NAME = "qdeveloper_by_user_analytic"

HEADER = ("UserId", "Date", *ACTIVITY_COLUMNS)
"""The columns of a report as it is written, in order."""


def table_input(location: str) -> dict[str, Any]:
    """Return the table over s3://bucket/prefix, the part of the reports' keys before AWSLogs/."""
    root = f"{location.rstrip('/')}/AWSLogs/"
    days = f"{root}${{account_id}}/QDeveloperLogs/by_user_analytic/${{region}}/${{day}}/00/"
    return {
        "Name": NAME,
        "TableType": "EXTERNAL_TABLE",
        "PartitionKeys": [
            {"Name": "account_id", "Type": "string"},
            {"Name": "region", "Type": "string"},
            {"Name": "day", "Type": "string"},
        ],
        "StorageDescriptor": {
            "Columns": [{"Name": column.lower(), "Type": "string"} for column in HEADER],
            "Location": root,
            "InputFormat": "org.apache.hadoop.mapred.TextInputFormat",
            "OutputFormat": "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
            "SerdeInfo": {
                "SerializationLibrary": "org.apache.hadoop.hive.serde2.OpenCSVSerde",
                "Parameters": {"separatorChar": ",", "quoteChar": '"', "escapeChar": "\\"},
            },
        },
        "Parameters": {
            "EXTERNAL": "TRUE",
            "skip.header.line.count": "1",
            "projection.enabled": "true",
            "projection.account_id.type": "injected",
            "projection.region.type": "injected",
            "projection.day.type": "date",
            "projection.day.format": "yyyy/MM/dd",
            "projection.day.range": "2024/04/30,NOW",
            "projection.day.interval": "1",
            "projection.day.interval.unit": "DAYS",
            "storage.location.template": days,
        },
    }
