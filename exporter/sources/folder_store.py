"""Log objects in a folder, as `aws s3 sync` leaves them."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime
from pathlib import Path
from typing import BinaryIO

from exporter.sources.log_store import (
    SERVICE,
    ListedObject,
    ObjectGoneError,
    Owners,
    StoreError,
    Stream,
    hour_of,
    is_account,
    is_hour,
    is_log_object,
    is_region,
    key_of,
    region_prefix,
)
from exporter.usage import LogObject

_SETTLING_SECONDS = 60
"""A file that was changed more recently may still be being copied."""


class FolderStore:
    """A folder that holds AWSLogs/."""

    concurrency = 1

    def __init__(self, root: Path) -> None:
        self._root = root

    def owners(self) -> Owners:
        """Return each (account id, region) that has a folder, and which may not be read."""
        with _told(self._root):
            if not self._root.is_dir():
                raise StoreError("not_found", f"{self._root}: there is no such folder")
            accounts = _folders(self._root / "AWSLogs")
        owners = Owners([], [])
        for account in accounts:
            if is_account(account.name):
                try:
                    with _told(account):
                        regions = _folders(account / SERVICE)
                except StoreError as error:
                    owners.faults.append(error)
                    continue
                owners.found.extend((account.name, r.name) for r in regions if is_region(r.name))
        return owners

    def list_day(self, account_id: str, region: str, day: date) -> list[ListedObject]:
        """Return the log objects of one UTC day."""
        folder = self._root / region_prefix(account_id, region) / f"{day:%Y/%m/%d}"
        midnight = hour_of(datetime(day.year, day.month, day.day, tzinfo=UTC))
        with _told(folder):
            return [
                ListedObject(LogObject(account_id, region, midnight + int(hour.name), name), size)
                for hour in _folders(folder)
                if is_hour(hour.name)
                for name, size in _files(hour)
                if is_log_object(name)
            ]

    def is_settled(self, listed: ListedObject) -> bool:
        """Tell whether a file has been left alone long enough to be whole."""
        path = self._root / key_of(listed.unit)
        with suppress(OSError):
            return time.time() - path.stat().st_mtime > _SETTLING_SECONDS
        return True

    def open(self, listed: ListedObject) -> Stream:
        """Open a file."""
        path = self._root / key_of(listed.unit)
        with _told(path):
            try:
                return _File(path, path.open("rb"))
            except FileNotFoundError:
                raise ObjectGoneError(str(path)) from None


class _File:
    """A stream whose failures say where they happened."""

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self._path = path
        self._file = file

    def read(self, size: int) -> bytes:
        with _told(self._path):
            return self._file.read(size)

    def close(self) -> None:
        self._file.close()


def _folders(path: Path) -> list[Path]:
    return sorted(entry for entry in path.iterdir() if entry.is_dir()) if path.is_dir() else []


def _files(folder: Path) -> Iterator[tuple[str, int]]:
    """Yield name and size of each regular file; one that goes while it is looked at is gone."""
    with os.scandir(folder) as entries:
        for entry in entries:
            with suppress(FileNotFoundError):
                if entry.is_file():
                    yield entry.name, entry.stat().st_size


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
