"""Lines of by_user_analytic: what one user of Amazon Q Developer, or Kiro, did on one day.

Each column after UserId and Date counts something, and is read by its name. A column that is new
counts something new, where its name and its cells look like it; no text is kept. Of columns that
count the same, such as InlineChat_EventCount and InlineChat_TotalEventCount, the larger holds: they
are one figure under two names.

Format: https://docs.aws.amazon.com/amazonq/latest/qdeveloper-ug/user-activity-metrics.html
"""

import re
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from exporter.assistant_usage import ACTIVITIES, ACTIVITY_COLUMNS, Activity, Product, activity_of
from exporter.sources.rejection import Rejection
from exporter.sources.report_cells import Columns, parse_count
from exporter.sources.report_dates import UNDATED
from exporter.usage import LogObject

REQUIRED = ("UserId", "Date")

_NAMES = (*ACTIVITY_COLUMNS, "InlineChat_EventCount")
_KNOWN = {name.casefold(): activity_of(name) for name in _NAMES}
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")
_NO_COUNTS = frozenset(
    ("userid", "date", "user_email", "email", "profileid", "new_user", "client_type")
)
_NOTHING = ("", "0")
"""What most cells say."""


class _Counted(NamedTuple):
    """An activity, and the columns that count it."""

    activity: str
    columns: list[int]
    is_known: bool


class ActivityRows:
    """Reads the lines below one header."""

    def __init__(self, columns: Columns, product: Product) -> None:
        self._product = product
        self._counted = _counted(columns)
        self._pairs: dict[tuple[str, int], tuple[str, int]] = {}

    def read(self, cells: Sequence[str], user: str) -> Activity | Rejection:
        """Return what a user did, UNDATED. A known column without a count rejects the line."""
        counts: list[tuple[str, int]] = []
        for activity, columns, is_known in self._counted:
            most = 0
            for column in columns:
                if (cell := cells[column]) in _NOTHING:
                    continue
                count = parse_count(cell)
                if count is None and is_known:
                    return Rejection.INVALID_COUNT
                if count is not None and count > most:
                    most = count
            if most:
                pair = (activity, most)
                # Equal pairs are one object: most of a report's counts are the same few numbers.
                counts.append(self._pairs.setdefault(pair, pair))
        return Activity(UNDATED, self._product, user, tuple(counts))


def product_of(unit: LogObject) -> Product:
    """Return whose users a report is about, by the folder that it lies in."""
    return Product.KIRO if unit.name.startswith("KiroLogs/") else Product.QDEVELOPER


def sum_activities(rows: Sequence[Activity]) -> Activity:
    """Return what several users, of whom nobody may know which, did on one day together."""
    counts: Counter[str] = Counter()
    for row in rows:
        counts.update(dict(row.counts))
    return rows[0]._replace(counts=tuple(sorted(counts.items())))


def _counted(columns: Columns) -> list[_Counted]:
    """Sort the columns that count by what they count."""
    activities = dict(_KNOWN)
    places: dict[str, list[int]] = {}
    for place, name in columns:
        if name.casefold() not in _NO_COUNTS and _NAME.fullmatch(name):
            activity = activities.setdefault(name.casefold(), activity_of(name))
            places.setdefault(activity, []).append(place)
    known = frozenset(ACTIVITIES)
    return [_Counted(activity, places[activity], activity in known) for activity in sorted(places)]
