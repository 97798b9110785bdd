"""Daily reports as AWS writes them, and as nobody should, for the tests of reading."""

import io
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from bad_input import Dripping

from exporter.assistant_usage import ACTIVITY_COLUMNS, Activity, Credits, ReportBatch
from exporter.identity import Privacy
from exporter.sources.report_format import Kind, ReportFormat
from exporter.usage import LogObject

ALICE = "6f9619ff-8b86-4d01-b42d-00cf4fc964ff"
BOB = "0c1d2e3f-4a5b-4c6d-8e7f-8091a2b3c4d5"
ACTIVITY_HEADER = ("UserId", "Date", *ACTIVITY_COLUMNS)
KIRO_HEADER = (
    *("Date", "UserId", "Client_Type", "Chat_Conversations", "Credits_Used", "Overage_Cap"),
    *("Overage_Credits_Used", "Overage_Enabled", "ProfileId", "Subscription_Tier"),
    *("Total_Messages", "New_User", "User_Email", "Usage_Limit"),
)
"""The columns of September 2026 that are always there."""
_PROFILE = "arn:aws:codewhisperer:us-east-1:111122223333:profile/EXAMPLE"


def activity_line(user: str = ALICE, day: str = "04-17-2025", **counts: Any) -> dict[str, Any]:
    """What a by_user_analytic report says of a user: the counts by column, the others 0."""
    return {"UserId": f'"{user}"', "Date": day} | dict.fromkeys(ACTIVITY_COLUMNS, 0) | counts


def kiro_line(user: str = ALICE, day: str = "2026-07-10", **cells: Any) -> dict[str, Any]:
    """What a user_report says of a user, with some cells changed."""
    whole = {
        "Date": day,
        "UserId": f'"{user}"',
        "Client_Type": "KIRO_CLI",
        "Chat_Conversations": 8,
        "Credits_Used": "114.45787414391377",
        "Overage_Cap": "2500.0",
        "Overage_Credits_Used": "0.0",
        "Overage_Enabled": "false",
        "ProfileId": f'"{_PROFILE}"',
        "Subscription_Tier": "PRO_MAX",
        "Total_Messages": 131,
        "New_User": "false",
        "User_Email": '"alice@example.com"',
        "Usage_Limit": "5000.0",
    }
    return whole | cells


def report(
    *lines: Mapping[str, Any],
    header: Sequence[str] | None = None,
    delimiter: str = ",",
    end: str = "\n",
) -> str:
    """Lines as the text of a report; cells as they stand there, quotes included.

    Without a header, it names what the lines name, in their order.
    """
    columns = header or list(dict.fromkeys(name for line in lines for name in line))
    rows = [columns, *([str(line.get(name, "")) for name in columns] for line in lines)]
    return "".join(delimiter.join(row) + end for row in rows)


def report_unit(day: date = date(2025, 4, 18), name: str = "") -> LogObject:
    """A report's object below a day; its name is that of an activity report of Amazon Q."""
    name = name or f"111122223333_by_user_analytic_{day:%Y%m%d}0000_report.csv"
    folder = "" if "/" in name else "QDeveloperLogs/by_user_analytic/"
    hour = (day - date(1970, 1, 1)).days * 24
    return LogObject("111122223333", "us-east-1", hour, f"{folder}{name}")


def kiro_unit(day: date = date(2026, 7, 11), client_type: str = "KIRO_CLI") -> LogObject:
    """A user_report's object below a day."""
    name = f"{client_type}_111122223333_user_report_{day:%Y%m%d}0000.csv"
    return report_unit(day, f"KiroLogs/user_report/{name}")


def read_report(
    stored: str | bytes,
    kind: Kind = "activity",
    unit: LogObject | None = None,
    privacy: Privacy = Privacy(),  # noqa: B008  # frozen
    first_day: date = date(2000, 1, 1),
    last_day: date = date(2099, 12, 31),
    max_object_bytes: int = 2**26,
    step: int | None = None,
) -> ReportBatch:
    """Read a report from its text or stored bytes, `step` bytes at a time if given."""
    data = stored.encode() if isinstance(stored, str) else stored
    stream = io.BytesIO(data) if step is None else Dripping(data, step)
    form = ReportFormat("reports", kind, privacy, first_day, last_day, max_object_bytes)
    return form.reader()(unit or (report_unit() if kind == "activity" else kiro_unit()), stream)


def activities(batch: ReportBatch) -> list[tuple[str, str, dict[str, int]]]:
    """Of each line of a batch: day, user and counts."""
    rows = [row for row in batch.rows if isinstance(row, Activity)]
    assert len(rows) == len(batch.rows)
    return [(f"{row.day}", row.user, dict(row.counts)) for row in rows]


def credits_of(batch: ReportBatch) -> list[Credits]:
    """The lines of a batch, all of which are of Kiro."""
    rows = [row for row in batch.rows if isinstance(row, Credits)]
    assert len(rows) == len(batch.rows)
    return rows


def one_credits(*lines: Mapping[str, Any], **options: Any) -> Credits:
    """The one line that a user_report of some lines comes to; nothing of it is rejected."""
    batch = read_report(report(*lines, **options), "kiro")
    assert batch.rejected == {}
    (row,) = credits_of(batch)
    return row
