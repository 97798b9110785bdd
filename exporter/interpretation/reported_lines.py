"""The lines of daily reports that figures are made of: of one kind, not after today, and named.

Which line holds where several state one day is decided before: every line given here counts.
"""

from collections.abc import Callable, Iterable
from datetime import date
from functools import cache
from typing import Generic, NamedTuple, TypeVar

from exporter.assistant_usage import Activity, Credits, Reported
from exporter.interpretation.measures import Labels

R = TypeVar("R", Activity, Credits)

NameOf = Callable[[str], str | None]
"""The name of a user by its id; None where the configuration leaves the user out."""


class Line(NamedTuple, Generic[R]):
    """A line of a report, and whose it is."""

    labels: Labels
    """Of them, account_id and region, and user once it is named."""
    row: R


def lines_of(reported: Iterable[Reported], kind: type[R], today: date) -> list[Line[R]]:
    """Return the lines of one kind of report, without users yet.

    Lines of a day after today are left out, because no such day can be over.
    """
    place = cache(Labels)
    return [
        Line(place(account_id, region), row)
        for account_id, region, row in reported
        if isinstance(row, kind) and row.day <= today
    ]


def name_users(lines: Iterable[Line[R]], name_of: NameOf) -> list[Line[R]]:
    """Give every line the name of its user; lines of users left out fall out."""

    @cache
    def name(place: Labels, user_id: str) -> Labels | None:
        user = name_of(user_id)
        return None if user is None else place._replace(user=user)

    return [
        Line(named, row) for labels, row in lines if (named := name(labels, row.user)) is not None
    ]
