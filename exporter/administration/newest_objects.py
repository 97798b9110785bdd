"""The newest log objects of a store, without listing all of it.

Looks back a day at a time, so that what it costs does not grow with the history. Opens nothing.
"""

from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta

from exporter.sources.log_store import DayListing, ListedObject, LogStore, StoreError

DAYS = 7
"""How many UTC days before today are looked at."""

_AHEAD = timedelta(hours=1)
"""A clock may be behind that of AWS."""

Owner = tuple[str, str]
"""Account id and region."""


def newest_first(
    store: LogStore, owners: Iterable[Owner], now: datetime
) -> Iterator[ListedObject | StoreError]:
    """Yield the log objects of accounts and regions, newest hour first, and what is refused.

    Lists one UTC day at a time, and none beyond what is taken. An account and region that cannot be
    listed is told once, and hides no other.
    """
    left = list(owners)
    told: set[str] = set()
    last = (now + _AHEAD).date()
    for back in range(DAYS + 1):
        listed: list[ListedObject] = []
        faults: dict[str, StoreError] = {}
        for owner in list(left):
            day = _list_day(store, owner, last - timedelta(days=back))
            if isinstance(day, StoreError):
                left.remove(owner)
                yield day
            else:
                listed += day.found
                faults |= {str(fault): fault for fault in day.faults}
        yield from sorted(listed, key=_age, reverse=True)
        yield from (faults[text] for text in faults if text not in told)
        told.update(faults)


def newest(store: LogStore, owner: Owner, now: datetime) -> ListedObject | None:
    """Return the newest log object of an account and region; None where there is none of late.

    Raises StoreError.
    """
    first = next(newest_first(store, [owner], now), None)
    if isinstance(first, StoreError):
        raise first
    return first


def _list_day(store: LogStore, owner: Owner, day: date) -> DayListing | StoreError:
    try:
        return store.list_day(*owner, day)
    except StoreError as error:
        return error


def _age(listed: ListedObject) -> tuple[int, str]:
    return listed.unit.hour, listed.unit.name
