"""Log objects in a folder, as `aws s3 sync` leaves them."""

import errno
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime
from pathlib import Path
from typing import BinaryIO

from exporter.sources.log_layout import INVOCATION_LOGS, Layout, is_log_type
from exporter.sources.log_store import (
    DayListing,
    ListedObject,
    ObjectGoneError,
    Owners,
    StoreError,
    Stream,
    hour_of,
    is_account,
    is_hour,
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

    def __init__(self, root: Path, layout: Layout = INVOCATION_LOGS) -> None:
        """Take the folder and the layout of what is listed; opened is whatever is named."""
        self._root = root
        self._layout = layout

    def owners(self) -> Owners:
        """Return each (account id, region) that has a folder, and which may not be read."""
        with _told(self._root):
            if not self._root.is_dir():
                raise StoreError("not_found", f"{self._root}: there is no such folder")
            accounts = _folders(self._root / "AWSLogs")
        owners = Owners([], [])
        for account in accounts:
            if is_account(account.name):
                regions = self._regions(account, owners.faults)
                owners.found.extend((account.name, region) for region in regions)
        return owners

    def _regions(self, account: Path, faults: list[StoreError]) -> list[str]:
        """Return the regions that an account has logs of."""
        regions: set[str] = set()
        for folder in self._log_folders(account, faults):
            with _noted(account / folder, faults):
                regions.update(region.name for region in _folders(account / folder))
        return sorted(filter(is_region, regions))

    def _log_folders(self, account: Path, faults: list[StoreError]) -> list[str]:
        """Return the folders of an account that hold the layout's logs, if they are there."""
        folders = list(self._layout.folders)
        for service in self._layout.services:
            with _noted(account / service, faults):
                names = [log_type.name for log_type in _folders(account / service)]
                folders += [f"{service}/{name}" for name in names if is_log_type(name)]
        return folders

    def list_day(self, account_id: str, region: str, day: date) -> DayListing:
        """Return the log objects of one UTC day, and which folders of it may not be read."""
        listing = DayListing([], [])
        midnight = hour_of(datetime(day.year, day.month, day.day, tzinfo=UTC))
        account = self._root / "AWSLogs" / account_id
        for folder in self._log_folders(account, listing.faults):
            prefix = region_prefix(account_id, region, folder)
            for hour in self._hours(self._root / prefix / f"{day:%Y/%m/%d}", listing.faults):
                for rest, found in self._files(hour, listing.faults):
                    if name := self._layout.object_name(folder, rest):
                        unit = LogObject(account_id, region, midnight + int(hour.name), name)
                        listed = ListedObject(unit, found.st_size, self._version(found))
                        listing.found.append(listed)
        return listing

    def _hours(self, day: Path, faults: list[StoreError]) -> list[Path]:
        with _noted(day, faults):
            return [hour for hour in _folders(day) if is_hour(hour.name)]
        return []

    def _version(self, found: os.stat_result) -> str:
        return f"{found.st_mtime_ns}-{found.st_size}" if self._layout.is_rewritten else ""

    def _files(
        self, folder: Path, faults: list[StoreError], above: str = ""
    ) -> Iterator[tuple[str, os.stat_result]]:
        """Yield name and state of each regular file of an hour, and of folders that are entered.

        What goes while it is looked at is gone, and a link to itself leads nowhere. Of what else
        cannot be looked at, the first is told.
        """
        refused: list[StoreError] = []
        with _noted(folder, faults), os.scandir(folder) as entries:
            for entry in entries:
                try:
                    if entry.is_file():
                        yield above + entry.name, entry.stat()
                    elif not above and self._layout.is_entered(entry.name) and entry.is_dir():
                        yield from self._files(Path(entry), faults, f"{entry.name}/")
                except OSError as error:
                    if error.errno not in (errno.ENOENT, errno.ELOOP):
                        refused.append(_explain(error, Path(entry)))
        faults += refused[:1]

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


@contextmanager
def _noted(path: Path, faults: list[StoreError]) -> Iterator[None]:
    """Add an operating system error to the faults, unless what it is about is gone."""
    try:
        yield
    except FileNotFoundError:
        pass
    except OSError as error:
        faults.append(_explain(error, path))


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Say which path an operating system error is about."""
    try:
        yield
    except OSError as error:
        raise _explain(error, path) from None


def _explain(error: OSError, path: Path) -> StoreError:
    place = error.filename or path
    if isinstance(error, PermissionError):
        return StoreError("access_denied", f"{place}: permission denied")
    return StoreError("unreadable", f"{place}: {error.strerror or error}")
