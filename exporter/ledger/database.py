"""Opens the ledger's file: its lock, its version, and errors that say what to do."""

import fcntl
import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import IO

from exporter.ledger.schema import APPLICATION_ID, MIGRATIONS

_CACHE_KIB = 16_384
_CHECKPOINT_PAGES = 4_000


class LedgerError(Exception):
    """A ledger that cannot be used: `reason` for a label, the text for a person."""

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(text)
        self.reason = reason


def open_for_writing(
    path: Path, migrations: Sequence[str] = MIGRATIONS
) -> tuple[sqlite3.Connection, IO[str]]:
    """Open or create a ledger and bring it to the newest version.

    Returns the connection and the file whose lock keeps a second exporter out, to be held as long
    as the connection. Raises LedgerError; an existing file that is no sound ledger is left as is.
    """
    try:
        if path.is_dir():
            raise LedgerError("unwritable", f"ledger {path} is a folder; name a file")
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = _lock(path)
    except (FileExistsError, NotADirectoryError):
        raise LedgerError(
            "unwritable", f"ledger {path} cannot be made: {path.parent} is not a folder"
        ) from None
    except OSError as error:
        text = f"{error.filename or path}: {error.strerror}"
        raise LedgerError("unwritable", f"ledger {path} cannot be opened: {text}") from None
    try:
        version = _check_before_use(path, len(migrations)) if path.exists() else 0
        with _connected(path, "rwc") as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
            connection.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}")
            _migrate(connection, version, migrations)
    except BaseException:
        lock.close()
        raise
    return connection, lock


def open_for_reading(path: Path) -> sqlite3.Connection:
    """Open a ledger beside the exporter that may be writing to it. Raises LedgerError."""
    if not path.exists():
        raise LedgerError("not_found", f"ledger {path} does not exist")
    with _connected(path, "ro") as connection:
        if _check(connection, path, len(MIGRATIONS)) < len(MIGRATIONS):
            raise LedgerError(
                "old_version", f"ledger {path} is of an older version; start the exporter"
            )
    return connection


def _check_before_use(path: Path, newest: int) -> int:
    """Return an existing file's version without changing a byte of it.

    A connection that may write would, when it is closed, move what SQLite keeps beside the file
    into it. Only a journal left by a kill during the file's first moment needs one that may.
    """
    journal = path.with_name(path.name + "-journal")
    mode = "rw" if journal.exists() else "ro"
    with _connected(path, mode) as connection, closing(connection):
        return _check(connection, path, newest)


@contextmanager
def _connected(path: Path, mode: str) -> Iterator[sqlite3.Connection]:
    """Open a connection, and close it if what is done first fails. Raises LedgerError."""
    name = f"{path.absolute().as_uri()}?mode={mode}"
    with told(path):
        connection = sqlite3.connect(name, uri=True, isolation_level=None)
        try:
            yield connection
        except BaseException:
            connection.close()
            raise


@contextmanager
def told(path: Path) -> Iterator[None]:
    """Turn what SQLite raises into what is wrong with which file, and what to do."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code == sqlite3.SQLITE_FULL:
            raise LedgerError("full", f"ledger {path}: the disk is full; make room") from error
        if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            raise _corrupt(path, str(error)) from error
        raise LedgerError("failed", f"ledger {path}: {error}") from error


def _corrupt(path: Path, what: str) -> LedgerError:
    return LedgerError(
        "corrupt",
        f"ledger {path} is damaged ({what}); it is left as it is. Restore a copy, or move it away "
        "to read the logs again from the first day of last month",
    )


def _lock(path: Path) -> IO[str]:
    """Lock a file beside the ledger: SQLite's own locks would keep readers out too."""
    lock = path.with_name(path.name + ".lock").open("a+", encoding="ascii")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.seek(0)
        owner = lock.read(32).strip() or "unknown"
        lock.close()
        raise LedgerError(
            "locked",
            f"ledger {path} is in use by another exporter (process {owner}); give each its own",
        ) from None
    lock.seek(0)
    lock.truncate()
    lock.write(f"{os.getpid()}\n")
    lock.flush()
    return lock


def _check(connection: sqlite3.Connection, path: Path, newest: int) -> int:
    """Return the file's version; refuse what is foreign, damaged or newer than this program."""
    application_id: int = connection.execute("PRAGMA application_id").fetchone()[0]
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    tables = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
    if application_id != APPLICATION_ID and tables:
        raise LedgerError("foreign", f"{path} is an SQLite file, but no ledger of this exporter")
    if version > newest:
        raise LedgerError(
            "newer_version",
            f"ledger {path} is of version {version}, this exporter knows up to {newest}; "
            "run the newer exporter",
        )
    problem = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if problem != "ok":
        raise _corrupt(path, problem)
    return version


def _migrate(connection: sqlite3.Connection, version: int, migrations: Sequence[str]) -> None:
    for number, script in enumerate(migrations[version:], version + 1):
        try:
            connection.executescript(
                f"BEGIN IMMEDIATE; PRAGMA application_id = {APPLICATION_ID}; "
                f"{script}; PRAGMA user_version = {number}; COMMIT;"
            )
        except sqlite3.DatabaseError:
            if connection.in_transaction:
                connection.rollback()
            raise
