"""Log objects in a folder, as `aws s3 sync` leaves them."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path

from exporter.sources.log_store import (
    SERVICE,
    ListedObject,
    ObjectGoneError,
    StoreError,
    Stream,
    hour_of,
    is_account,
    is_log_object,
    is_region,
    key_of,
    region_prefix,
)
from exporter.usage import LogObject


class FolderStore:
    """A folder that holds AWSLogs/."""

    concurrency = 1

    def __init__(self, root: Path) -> None:
        self._root = root

    def owners(self) -> list[tuple[str, str]]:
        """Return each (account id, region) that has a folder."""
        if not self._root.is_dir():
            raise StoreError("not_found", f"folder {self._root} does not exist")
        with _told(self._root):
            return [
                (account.name, region.name)
                for account in _folders(self._root / "AWSLogs")
                if is_account(account.name)
                for region in _folders(account / SERVICE)
                if is_region(region.name)
            ]

    def list_day(self, account_id: str, region: str, day: date) -> list[ListedObject]:
        """Return the log objects of one UTC day."""
        folder = self._root / region_prefix(account_id, region) / f"{day:%Y/%m/%d}"
        midnight = hour_of(datetime(day.year, day.month, day.day, tzinfo=UTC))
        with _told(folder):
            return [
                ListedObject(
                    LogObject(account_id, region, midnight + int(hour.name), file.name),
                    file.stat().st_size,
                )
                for hour in _folders(folder)
                if hour.name.isdecimal() and int(hour.name) < 24
                for file in hour.iterdir()
                if is_log_object(file.name)
            ]

    def open(self, listed: ListedObject) -> Stream:
        """Open a file."""
        path = self._root / key_of(listed.unit)
        with _told(path):
            try:
                return path.open("rb")
            except FileNotFoundError:
                raise ObjectGoneError(str(path)) from None


def _folders(path: Path) -> list[Path]:
    return sorted(entry for entry in path.iterdir() if entry.is_dir()) if path.is_dir() else []


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Say which path an operating system error is about."""
    try:
        yield
    except PermissionError as error:
        raise StoreError("access_denied", f"{error.filename or path}: permission denied") from None
    except OSError as error:
        text = f"{error.filename or path}: {error.strerror or error}"
        raise StoreError("unreadable", text) from None
