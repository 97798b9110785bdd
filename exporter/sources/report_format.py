"""How a daily report is read: from its stored bytes to a batch.

The report is read line by line, but what day a line speaks of is known only at the end, because the
order of day and month is decided for all of them. A line that cannot be read is counted, and costs
nothing but itself.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from functools import partial
from typing import Literal, NamedTuple

from exporter.assistant_usage import Activity, Credits, ReportBatch, Row
from exporter.identity import UNKNOWN, Privacy
from exporter.sources import activity_report, kiro_report
from exporter.sources.activity_report import ActivityRows, product_of, sum_activities
from exporter.sources.csv_lines import Cells, open_table
from exporter.sources.kiro_report import CreditRows, sum_credits
from exporter.sources.log_store import Stream
from exporter.sources.object_reader import Inflater
from exporter.sources.rejection import Rejection
from exporter.sources.report_cells import Columns
from exporter.sources.report_dates import WrittenDate, day_of, order_of, parse_date, path_day
from exporter.sources.report_name import delivery_of
from exporter.usage import LogObject

MAX_USER = 256
"""Characters of a user id; with that of its directory, AWS's have 49."""
_MOST_LINES = 100_000
"""Empty ones included. AWS splits a report at 1,000 users."""
_MOST_COUNTS = 2_000_000
"""Counts that are not 0, of all lines of a report: 20 on each of the most lines."""
_PLAIN = Privacy()

Kind = Literal["activity", "kiro"]


class _Line(NamedTuple):
    """A line that is sound, but for its day."""

    written: date | WrittenDate
    user: str
    """Whom it speaks of. In `row` stands what privacy leaves of that, the same for many perhaps."""
    row: Row


class _Key(NamedTuple):
    """Of what a report has one line."""

    day: date
    user: str
    client_type: str


@dataclass(frozen=True, slots=True)
class ReportFormat:
    """How one source reads reports; lines of days outside the two, both included, are rejected."""

    source: str
    kind: Kind
    privacy: Privacy
    first_day: date
    last_day: date
    max_object_bytes: int
    """After decompression; nothing of a larger report counts."""

    def reader(self) -> Callable[[LogObject, Stream], ReportBatch]:
        """Return what reads one report. It raises only what the stream raises."""
        return partial(_read, self)


def _read(form: ReportFormat, unit: LogObject, stream: Stream) -> ReportBatch:
    inflater = Inflater(stream, form.max_object_bytes, is_json=False)
    required = activity_report.REQUIRED if form.kind == "activity" else kiro_report.REQUIRED
    table = open_table(inflater.chunks(), required, lambda: inflater.fault is not None)
    if isinstance(table, Rejection):
        return _unread(form, unit, inflater.fault or table, inflater.bytes)
    report = _Report(form, unit, Columns(table.columns))
    for number, cells in enumerate(table.rows):
        if cells:
            report.take(cells)
        if number == _MOST_LINES or report.counts > _MOST_COUNTS:
            return _unread(form, unit, Rejection.OBJECT_TOO_LARGE, inflater.bytes)
    if inflater.fault is Rejection.OBJECT_TOO_LARGE:
        return _unread(form, unit, inflater.fault, inflater.bytes)
    if inflater.fault:
        report.rejected[inflater.fault] += 1
    return report.batch(inflater.bytes)


def _unread(form: ReportFormat, unit: LogObject, reason: Rejection, size: int) -> ReportBatch:
    """Return the batch of an object of which nothing counts."""
    return ReportBatch(form.source, unit, delivery_of(unit), rejected={reason: 1}, bytes=size)


class _Report:
    """Takes the lines of one report, and says in the end what holds of them."""

    def __init__(self, form: ReportFormat, unit: LogObject, columns: Columns) -> None:
        self.rejected: Counter[str] = Counter()
        self.counts = 0
        """Of all lines kept, those that are not 0."""
        self._form = form
        self._unit = unit
        self._columns = columns
        self._rows = (
            ActivityRows(columns, product_of(unit))
            if form.kind == "activity"
            else CreditRows(columns, unit)
        )
        self._lines: list[_Line] = []

    def take(self, cells: Cells | Rejection) -> None:
        """Keep a line, or count why it is none."""
        line = cells if isinstance(cells, Rejection) else self._line(cells)
        if isinstance(line, Rejection):
            self.rejected[line] += 1
        else:
            self._lines.append(line)
            self.counts += _counts(line.row)

    def batch(self, size: int) -> ReportBatch:
        """Return what all lines amount to, of an object of so many bytes."""
        stated: dict[_Key, Row] = {}
        records = 0
        for key, row in self._dated():
            if stated.get(key, row) == row:
                records += 1
            else:
                self.rejected[Rejection.CONFLICTING_ROW] += 1
            stated[key] = row
        newest = max((key.day for key in stated), default=None)
        return ReportBatch(
            source=self._form.source,
            unit=self._unit,
            delivery=delivery_of(self._unit),
            rows=_stored(stated),
            rejected=dict(self.rejected),
            records=records,
            bytes=size,
            newest=int(datetime.combine(newest, time(), UTC).timestamp()) if newest else 0,
        )

    def _line(self, cells: Cells) -> _Line | Rejection:
        said = self._columns.text(cells, "UserId")
        if len(said) > MAX_USER:
            return Rejection.FIELD_TOO_LONG
        user = _PLAIN.user_id(said)
        if not user:
            return Rejection.MISSING_USER
        written = parse_date(self._columns.text(cells, "Date"))
        if written is None:
            return Rejection.INVALID_DATE
        row = self._rows.read(cells, self._form.privacy.user_id(said))
        return row if isinstance(row, Rejection) else _Line(written, user, row)

    def _dated(self) -> Iterable[tuple[_Key, Row]]:
        """Yield each line with its day, those with one in the range."""
        dates = Counter(line.written for line in self._lines)
        days = self._days(dates)
        for written, user, row in self._lines:
            day = days[written]
            if isinstance(day, Rejection):
                self.rejected[day] += 1
            else:
                client_type = row.client_type if isinstance(row, Credits) else ""
                yield _Key(day, user, client_type), row._replace(day=day)

    def _days(
        self, dates: Mapping[date | WrittenDate, int]
    ) -> dict[date | WrittenDate, date | Rejection]:
        """Return what day each date names, or why that does not count."""
        open_dates = {
            written: lines for written, lines in dates.items() if isinstance(written, WrittenDate)
        }
        order = order_of(open_dates, path_day(self._unit))
        return {written: self._checked(day_of(written, order)) for written in dates}

    def _checked(self, day: date | None) -> date | Rejection:
        if day is None:
            return Rejection.INVALID_DATE
        if day > self._form.last_day:
            return Rejection.FUTURE_TIMESTAMP
        return Rejection.EXPIRED_TIMESTAMP if day < self._form.first_day else day


def _counts(row: Row) -> int:
    return len(row.counts if isinstance(row, Activity) else row.messages_by_model)


def _stored(stated: Mapping[_Key, Row]) -> tuple[Row, ...]:
    """Return one row a day, user and client, as far as privacy tells users apart."""
    alike: defaultdict[_Key, list[Row]] = defaultdict(list)
    for key, row in stated.items():
        alike[key._replace(user=row.user)].append(row)
    return tuple(_sum(alike[key]) for key in sorted(alike))


def _sum(rows: list[Row]) -> Row:
    if len(rows) == 1 and rows[0].user != UNKNOWN:
        return rows[0]
    activities = [row for row in rows if isinstance(row, Activity)]
    credits = [row for row in rows if isinstance(row, Credits)]
    return sum_activities(activities) if activities else sum_credits(credits)
