"""Lines of by_user_analytic: what one user of Amazon Q Developer, or Kiro, did on one day.

Columns are read by their names. A new one counts something new of a known feature, such as
Chat_NewThing of Chat; any other may number people, and is not read. Of columns that count the same,
such as InlineChat_EventCount and InlineChat_TotalEventCount, the larger holds: they are one figure
under two names.

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
_FEATURES = sorted({name.partition("_")[0] for name in ACTIVITY_COLUMNS})
_NAME = re.compile(rf"(?:{'|'.join(_FEATURES)})_[A-Z0-9_]{{1,48}}", re.IGNORECASE | re.ASCII)
_MOST_NEW = 32
"""Activities that no column of AWS's list counts."""
_MOST_PAIRS = 4096
"""Of an activity and a count that are remembered; those of one line more at most."""
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
        # Equal pairs are one object: most of a report's counts are the same few numbers.
        share = self._pairs.get if len(self._pairs) >= _MOST_PAIRS else self._pairs.setdefault
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
                counts.append(share(pair, pair))
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
    """Sort the columns that count by what they count; leave out all but so many new activities."""
    activities = dict(_KNOWN)
    places: dict[str, list[int]] = {}
    for place, name in columns:
        if _NAME.fullmatch(name):
            activity = activities.setdefault(name.casefold(), activity_of(name))
            places.setdefault(activity, []).append(place)
    known = places.keys() & set(ACTIVITIES)
    new = sorted(places.keys() - known)[:_MOST_NEW]
    return [
        _Counted(activity, places[activity], activity in known)
        for activity in sorted([*known, *new])
    ]
