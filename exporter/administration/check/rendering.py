"""A report of checks as a table for people, or as JSON for scripts."""

import json
from collections import Counter
from collections.abc import Iterator

from exporter.administration.check.rows import Report, Row, Status
from exporter.administration.plan import printable

_COLOURS = {Status.OK: "32", Status.WARNING: "33", Status.FAILED: "31"}
"""SGR codes of ECMA-48: green, yellow, red."""


def as_table(report: Report, colour: bool) -> Iterator[str]:
    """Yield the lines of a table; the status stands in words, in colour besides if wanted."""
    widths = [
        max((len(text) for text in column), default=0)
        for column in zip(
            *((row.status, row.subject, row.check) for row in report.rows), strict=True
        )
    ] or [0, 0, 0]
    for row in report.rows:
        yield from _lines(row, widths, colour)
    yield ""
    yield _summary(report)
    yield from (f"Not checked: {sentence}" for sentence in report.not_checked)
    yield _cost(report)


def _lines(row: Row, widths: list[int], colour: bool) -> Iterator[str]:
    status = f"{row.status:<{widths[0]}}"
    if colour:
        status = f"\x1b[{_COLOURS[row.status]}m{status}\x1b[0m"
    rest = f"{row.subject:<{widths[1]}}  {row.check:<{widths[2]}}  {row.found}"
    yield f"{status}  {printable(rest).rstrip()}"
    if row.remedy:
        yield f"{' ' * widths[0]}  {' ' * widths[1]}  {'':<{widths[2]}}  -> {printable(row.remedy)}"


def _summary(report: Report) -> str:
    counts = Counter(row.status for row in report.rows)
    return ", ".join(f"{counts[status]} {status}" for status in Status) + "."


def _cost(report: Report) -> str:
    requests = (
        "1 billed request"
        if report.billed_requests == 1
        else (f"{report.billed_requests} billed requests")
    )
    scanned = f", {report.scanned_bytes:,} bytes scanned by Athena" if report.scanned_bytes else ""
    return f"This took {requests}{scanned}: about ${report.cost_usd:f}."


def as_json(report: Report) -> str:
    """Return a report as one JSON object."""
    return json.dumps(
        {
            "failed": report.has_failed,
            "rows": [
                {
                    "status": row.status,
                    "subject": row.subject,
                    "check": row.check,
                    "found": row.found,
                    "remedy": row.remedy,
                }
                for row in report.rows
            ],
            "not_checked": list(report.not_checked),
            "billed_requests": report.billed_requests,
            "athena_scanned_bytes": report.scanned_bytes,
            "cost_usd": f"{report.cost_usd:f}",
        },
        indent=2,
        ensure_ascii=False,
    )
