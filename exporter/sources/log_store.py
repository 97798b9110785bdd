"""Where log objects lie: a folder or an S3 bucket, in the key layout that AWS writes.

    {location}/AWSLogs/{account}/BedrockModelInvocationLogs/{region}/YYYY/MM/DD/HH/{name}
    {location}/AWSLogs/{account}/{service}/{log type}/{region}/YYYY/MM/DD/HH/{rest}

The second is that of developer assistants, whose objects are named service/log type/rest. Lists and
opens; does not know what an object says. Bodies kept aside under data/, the permission-check marker
and foreign files are passed over by their names.
"""

import re
from datetime import UTC, date, datetime
from typing import NamedTuple, Protocol

from exporter.usage import LogObject

OBJECT_NAME = r"[0-9]{8}T[0-9]{6,9}Z_[0-9A-Za-z]+\.json(\.gz)?"
"""A pattern of the names that AWS gives to objects of Bedrock's logs."""
_OBJECT_NAME = re.compile(OBJECT_NAME)
_ACCOUNT = re.compile(r"[0-9]{12}")
_REGION = re.compile(r"[a-z]{2,4}(-[a-z]+)+-[0-9]{1,2}")
_HOUR = re.compile(r"[01][0-9]|2[0-3]")
SERVICE = "BedrockModelInvocationLogs"
"""The folder of Bedrock's logs, which have no log type."""


class ObjectGoneError(Exception):
    """A listed object is no longer there."""


class StoreError(Exception):
    """A store that cannot be listed or read: `reason` for a label, the text for a person."""

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(text)
        self.reason = reason


class Stream(Protocol):
    """What is read of an open object."""

    def read(self, size: int) -> bytes:
        """Return up to `size` bytes, none at the end. Raises StoreError."""

    def close(self) -> None:
        """Let go of it."""


class ListedObject(NamedTuple):
    """A log object and its size as stored, in bytes."""

    unit: LogObject
    size: int
    version: str = ""
    """Tells one writing from another, where the layout says that an object may be rewritten."""


class Owners(NamedTuple):
    """Whose logs lie at a location, as far as it can be listed."""

    found: list[tuple[str, str]]
    """Account id and region."""
    faults: list[StoreError]
    """One for each account or folder whose regions cannot be listed; it hides no other."""


class DayListing(NamedTuple):
    """The log objects of one UTC day, as far as they can be listed."""

    found: list[ListedObject]
    faults: list[StoreError]
    """One for each folder that cannot be listed, or not all of it; it hides no other."""


class LogStore(Protocol):
    """Where the log objects of several accounts and regions lie."""

    def owners(self) -> Owners:
        """Return each (account id, region) that has logs. Raises StoreError for the location."""

    def list_day(self, account_id: str, region: str, day: date) -> DayListing:
        """Return the log objects below one UTC day. Raises StoreError if there is no listing."""

    def open(self, listed: ListedObject) -> Stream:
        """Open an object's stored bytes. Raises ObjectGoneError; it and `read` StoreError."""

    def is_settled(self, listed: ListedObject) -> bool:
        """Tell whether an object is whole: nobody can be writing it still."""

    @property
    def concurrency(self) -> int:
        """How many objects are worth opening at once, to wait for all of them together."""


def hour_of(moment: datetime) -> int:
    """Return the number of whole hours since the epoch."""
    return int(moment.timestamp()) // 3600


def hour_start(hour: int) -> datetime:
    """Return the UTC moment at which an hour begins."""
    return datetime.fromtimestamp(hour * 3600, UTC)


def region_prefix(account_id: str, region: str, folder: str = SERVICE) -> str:
    """Return the key prefix of one folder of an account and region, ending in a slash."""
    return f"AWSLogs/{account_id}/{folder}/{region}/"


def name_in(folder: str, rest: str) -> str:
    """Return the name of the object whose key ends in `rest`: of Bedrock's logs the bare name."""
    return rest if folder == SERVICE else f"{folder}/{rest}"


def key_of(unit: LogObject) -> str:
    """Return an object's key below its location."""
    *folder, rest = unit.name.split("/", 2)
    prefix = region_prefix(unit.account_id, unit.region, "/".join(folder) or SERVICE)
    return f"{prefix}{hour_start(unit.hour):%Y/%m/%d/%H}/{rest}"


def is_log_object(name: str) -> bool:
    """Tell whether a file name is one that AWS gives to an object of Bedrock's logs."""
    return _OBJECT_NAME.fullmatch(name) is not None


def is_account(text: str) -> bool:
    """Tell whether a path element is an account id."""
    return _ACCOUNT.fullmatch(text) is not None


def is_region(text: str) -> bool:
    """Tell whether a path element has the form of a region's name."""
    return _REGION.fullmatch(text) is not None


def is_hour(text: str) -> bool:
    """Tell whether a path element is an hour of the day, as AWS writes it."""
    return _HOUR.fullmatch(text) is not None
