"""Who uses Amazon Q Developer and Kiro: made-up people, as one table.

Each is there to show something: a limit that is near, an overage, a seat that nobody uses, a
conversation that fills its context window. Nothing here depends on the seed.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from exporter.simulate.workloads import ENGINEERING

ACCOUNT = ENGINEERING
"""Whose assistants these are."""
IDENTITY_STORE = "d-9067c1a2b3"
"""Directory that prompt logs put before a user's id."""

_WORKING_DAYS = 22
"""Of a month."""
_WEEKEND = 0.1
"""Of a weekend's day, how much of a working day it is."""
_EARLY_LEFT = 0.84
"""Part of the rest of a month's amount that a working day leaves, where it is used early."""


class Service(StrEnum):
    """Folder of an assistant's logs."""

    QDEVELOPER = "QDeveloperLogs"
    KIRO = "KiroLogs"


@dataclass(frozen=True, slots=True)
class Monthly:
    """An amount that is used up over a month, weekends little."""

    amount: float = 0
    is_early: bool = False
    """Most of it in the first half, ever less a day: as one does who has a limit in sight."""

    def until(self, day: date) -> float:
        """Return what is used from the first of the month to the end of a day."""
        days = (day.replace(day=number) for number in range(1, day.day + 1))
        worked = sum(1 if each.weekday() < 5 else _WEEKEND for each in days)
        part = 1 - _EARLY_LEFT**worked if self.is_early else worked / _WORKING_DAYS
        return self.amount * part

    def before(self, day: date) -> float:
        """Return what is used from the first of the month to the beginning of a day."""
        return self.until(day - timedelta(days=1)) if day.day > 1 else 0

    def whole_on(self, day: date) -> int:
        """Return what a day uses of an amount that comes in whole numbers."""
        return round(self.until(day)) - round(self.before(day))


@dataclass(frozen=True, slots=True)
class Seat:
    """A Kiro subscription."""

    tier: str
    credits: Monthly
    clients: tuple[str, ...] = ("KIRO_IDE",)
    overage_enabled: bool = False


@dataclass(frozen=True, slots=True)
class Developer:
    """One user of one assistant."""

    user_id: str
    """Without the directory."""
    region: str
    utc_offset: int
    """In hours."""
    chats: float = 0
    """A day, in the mean over a week; likewise the next."""
    completions: float = 0
    """Inline suggestions that are accepted or rejected."""
    dev_tasks: Monthly = Monthly()
    """Uses of /dev."""
    transformed_lines: Monthly = Monthly()
    asks_daily: bool = False
    """At least one chat, on weekends too."""
    long_conversation_weekday: int | None = None
    """Day on which a conversation begins that goes on for a week, Monday being 0."""
    seat: Seat | None = None
    """Of Kiro; None for a user of Amazon Q Developer."""

    @property
    def service(self) -> Service:
        """Return the assistant."""
        return Service.KIRO if self.seat else Service.QDEVELOPER


_EUROPE, _AMERICA = "eu-central-1", "us-east-1"

DEVELOPERS = (
    Developer(
        "6513270e-269e-4d37-b2a7-4de452e6b438",
        region=_EUROPE,
        utc_offset=1,
        chats=6,
        completions=2,
        dev_tasks=Monthly(4),
        asks_daily=True,
        long_conversation_weekday=0,
    ),
    Developer(
        "d23f0824-128b-4f33-8c5c-7fd0a6a3a450",
        region=_EUROPE,
        utc_offset=1,
        chats=3,
        completions=2,
        dev_tasks=Monthly(29, is_early=True),
    ),
    Developer(
        "9531985d-5d9d-49f8-9818-e811892f902b",
        region=_EUROPE,
        utc_offset=0,
        chats=2,
        completions=4,
        transformed_lines=Monthly(3_800, is_early=True),
    ),
    Developer(
        "36f675cc-81e7-4ef5-a8e2-5d940ed90475",
        region=_EUROPE,
        utc_offset=2,
        chats=2,
        completions=1,
        dev_tasks=Monthly(3),
    ),
    Developer(
        "6b0d549b-6f03-475a-9600-a35a099950d8",
        region=_EUROPE,
        utc_offset=1,
        chats=1,
        completions=1,
    ),
    Developer(
        "8d116ece-1738-47d9-bd9c-172411e20b8f",
        region=_AMERICA,
        utc_offset=-5,
        chats=3,
        completions=3,
        dev_tasks=Monthly(12),
        transformed_lines=Monthly(800),
    ),
    Developer(
        "90c192cf-d3ac-44af-8f21-ddb66cad4a26",
        region=_AMERICA,
        utc_offset=-6,
        chats=3,
        completions=3,
        dev_tasks=Monthly(8),
    ),
    Developer(
        "a170b338-3926-4059-b28c-105d1fb17c23",
        region=_AMERICA,
        utc_offset=-8,
        chats=2,
        completions=2,
        dev_tasks=Monthly(5),
    ),
    Developer(
        "0fd630f1-f29d-4da9-953f-48f1a09f76b5",
        region=_AMERICA,
        utc_offset=-5,
        chats=1,
        completions=1,
    ),
    Developer(
        "0cb1e29c-658c-4a14-95e6-0af593bd04cf",
        region=_AMERICA,
        utc_offset=1,
        chats=6,
        asks_daily=True,
        long_conversation_weekday=3,
        seat=Seat("PRO", Monthly(960, is_early=True)),
    ),
    Developer(
        "8e81973e-0bec-47b0-b898-d190f9ebdacc",
        region=_AMERICA,
        utc_offset=-5,
        chats=5,
        asks_daily=True,
        seat=Seat("PRO", Monthly(1_400, is_early=True), overage_enabled=True),
    ),
    Developer(
        "6b4cb242-4a23-4596-a217-beaddbc496cb",
        region=_AMERICA,
        utc_offset=-8,
        chats=5,
        asks_daily=True,
        seat=Seat("PRO_PLUS", Monthly(1_100), ("KIRO_IDE", "KIRO_CLI")),
    ),
    Developer(
        "92276658-1e27-41c0-8a6a-63ec24ede6a4",
        region=_AMERICA,
        utc_offset=0,
        chats=4,
        asks_daily=True,
        seat=Seat("POWER", Monthly(4_800), ("KIRO_CLI",)),
    ),
    Developer(
        "ae97ba94-d0ed-482f-8f6d-05584ef8aa38",
        region=_AMERICA,
        utc_offset=1,
        chats=2,
        asks_daily=True,
        seat=Seat("PRO", Monthly(180)),
    ),
    Developer(
        "923a7369-94e3-4f91-9a61-dbe22e44158b",
        region=_AMERICA,
        utc_offset=-6,
        seat=Seat("PRO_PLUS", Monthly(0)),
    ),
)
"""The last one has a seat and never uses it."""


def developers_of(service: Service) -> tuple[Developer, ...]:
    """Return the users of an assistant."""
    return tuple(each for each in DEVELOPERS if each.service is service)
