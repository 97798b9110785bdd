"""The Glue table over the user activity reports of Amazon Q Developer, for queries of one's own.

OpenCSVSerde reads columns by position: a report with another header, such as an early one with
fewer columns, is misread. The exporter itself does not read this table.
"""

from typing import Any

NAME = "qdeveloper_by_user_analytic"

HEADER = (
    *("UserId", "Date", "Chat_AICodeLines", "Chat_MessagesInteracted", "Chat_MessagesSent"),
    *("CodeFix_AcceptanceEventCount", "CodeFix_AcceptedLines", "CodeFix_GeneratedLines"),
    *("CodeFix_GenerationEventCount", "CodeReview_FailedEventCount", "CodeReview_FindingsCount"),
    *("CodeReview_SucceededEventCount", "Dev_AcceptanceEventCount", "Dev_AcceptedLines"),
    *("Dev_GeneratedLines", "Dev_GenerationEventCount", "DocGeneration_AcceptedFileUpdates"),
    *("DocGeneration_AcceptedFilesCreations", "DocGeneration_AcceptedLineAdditions"),
    *("DocGeneration_AcceptedLineUpdates", "DocGeneration_EventCount"),
    *("DocGeneration_RejectedFileCreations", "DocGeneration_RejectedFileUpdates"),
    *("DocGeneration_RejectedLineAdditions", "DocGeneration_RejectedLineUpdates"),
    *("InlineChat_AcceptanceEventCount", "InlineChat_AcceptedLineAdditions"),
    *("InlineChat_AcceptedLineDeletions", "InlineChat_DismissalEventCount"),
    *("InlineChat_DismissedLineAdditions", "InlineChat_DismissedLineDeletions"),
    *("InlineChat_RejectedLineAdditions", "InlineChat_RejectedLineDeletions"),
    *("InlineChat_RejectionEventCount", "InlineChat_TotalEventCount", "Inline_AICodeLines"),
    *("Inline_AcceptanceCount", "Inline_SuggestionsCount", "TestGeneration_AcceptedLines"),
    *("TestGeneration_AcceptedTests", "TestGeneration_EventCount"),
    *("TestGeneration_GeneratedLines", "TestGeneration_GeneratedTests"),
    *("Transformation_EventCount", "Transformation_LinesGenerated"),
    "Transformation_LinesIngested",
)
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
