"""What the name of a report says: of which series it is a delivery, and when it was written.

Also which part of that it is, and whose client it speaks of.

AWS has named reports in several ways, and more than one of them may lie in one folder:

    111122223333_by_user_analytic_{stamp}.csv, ..._{stamp}_part_1.csv, ..._{stamp}_{random}.csv
    111122223333_by_user_analytic_{stamp}_report.csv
    KIRO_IDE_111122223333_user_report_{stamp}.csv

A name that is none of these is a series of its own, without what in it looks like a moment.
"""

import re
from datetime import UTC, datetime
from typing import NamedTuple

from exporter.assistant_usage import Delivery
from exporter.usage import LogObject

_SUFFIX = re.compile(r"(\.csv)?(\.gz)?$", re.IGNORECASE)
_NAME = re.compile(r"((?:.*_)?(?:by_user_analytic|user_report))(?:[_-](.*))?", re.IGNORECASE)
_CLIENT = re.compile(r"(.+)_[0-9]{12}_user_report(?![0-9A-Z])", re.IGNORECASE)
_PART = re.compile(r"(?:[_-]|(?<![0-9A-Z]))part[_-]?0*([0-9]{1,3})(?![0-9A-Z])", re.IGNORECASE)
"""Of AWS's 1,000 users each; more digits are a moment."""
_DATE = r"(20[0-9]{2})(-?)([0-9]{2})\2([0-9]{2})"
_CLOCK = r"([0-9]{2})(?:[:-]?([0-9]{2})(?:[:-]?([0-9]{2})(?:[.,]?([0-9]{1,9}))?)?)?"
_MOMENT = re.compile(rf"(?<![0-9A-Za-z]){_DATE}(?:[T-]?{_CLOCK})?Z?(?![0-9A-Za-z])")
_SINCE_EPOCH = re.compile(r"(?<![0-9A-Za-z])(1[0-9]{9})((?:[0-9]{3}){0,3})(?![0-9A-Za-z])")
"""Seconds, or thousandths, millionths or thousand-millionths of them."""


class _Stamp(NamedTuple):
    """A moment in a name: its place, and 20 digits from the year to the microsecond."""

    start: int
    end: int
    digits: str


def delivery_of(unit: LogObject) -> Delivery:
    """Return what a report is a delivery of, as its name says. Whatever that is, it is answered."""
    name, part = _without_part(_SUFFIX.sub("", _file_name(unit), count=1))
    if match := _NAME.fullmatch(name):
        stamp = _find_stamp(match[2] or "", account_id="")
        return Delivery(match[1], stamp.digits if stamp else "", part)
    stamp = _find_stamp(name, unit.account_id)
    if stamp is None:
        return Delivery(name, "", part)
    return Delivery((name[: stamp.start] + name[stamp.end :]).strip("_-."), stamp.digits, part)


def client_in_name(unit: LogObject) -> str:
    """Return what stands before the account in the name of a user_report, such as KIRO_IDE."""
    match = _CLIENT.match(_file_name(unit))
    return match[1] if match else ""


def _file_name(unit: LogObject) -> str:
    return unit.name.rpartition("/")[2]


def _without_part(name: str) -> tuple[str, str]:
    """Return a name without the number of a part, and that, without leading zeros."""
    if found := _PART.search(name):
        return (name[: found.start()] + name[found.end() :]).lstrip("_-"), found[1]
    return name, ""


def _find_stamp(text: str, account_id: str) -> _Stamp | None:
    """Return the first moment in a text; an account id may look like one and is none."""
    for found in _MOMENT.finditer(text):
        year, _, month, day, hour, minute, second, fraction = found.groups(default="")
        digits = f"{year}{month}{day}{hour:0<2}{minute:0<2}{second:0<2}"
        if found[0] != account_id and _is_moment(digits):
            return _Stamp(*found.span(), f"{digits}{fraction[:6]:0<6}")
    if since := _SINCE_EPOCH.search(text):
        moment = datetime.fromtimestamp(int(since[1]), UTC)
        return _Stamp(*since.span(), f"{moment:%Y%m%d%H%M%S}{since[2][:6]:0<6}")
    return None


def _is_moment(digits: str) -> bool:
    try:
        datetime.strptime(f"{digits}Z", "%Y%m%d%H%M%S%z")
    except ValueError:
        return False
    return True
