"""Opening a ledger: whose it is, of which version, and what is refused without touching it."""

import os
import random
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from exporter.ledger import Ledger, LedgerError, WritableLedger
from exporter.ledger.database import open_for_writing
from exporter.ledger.schema import APPLICATION_ID, MIGRATIONS
from usage_builders import Call, batch

NEXT_STEP = "ALTER TABLE note ADD COLUMN written_at INTEGER NOT NULL DEFAULT 0;"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.sqlite"


@pytest.fixture
def filled(path: Path) -> Path:
    """A sound ledger of some pages."""
    ledger = WritableLedger.open(path)
    ledger.apply([batch(*(Call(f"r{n}", user=f"user{n}") for n in range(500)))])
    ledger.close()
    return path


def refusal(path: Path) -> LedgerError:
    """What an exporter is told that opens a ledger which it must not have."""
    with pytest.raises(LedgerError) as caught:
        WritableLedger.open(path)
    assert str(path) in str(caught.value)
    return caught.value


def version_of(path: Path) -> tuple[int, int]:
    connection = sqlite3.connect(path)
    try:
        return tuple(
            connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("application_id", "user_version")
        )
    finally:
        connection.close()


def test_a_ledger_is_made_with_the_folders_that_lead_to_it(tmp_path: Path) -> None:
    path = tmp_path / "some" / "where" / "ledger.sqlite"
    WritableLedger.open(path).close()
    assert version_of(path) == (APPLICATION_ID, len(MIGRATIONS))


def test_what_was_written_is_there_when_it_is_opened_again(filled: Path) -> None:
    ledger = WritableLedger.open(filled)
    assert sum(s.counts.requests for s in ledger.sum_usage(0, 2**40).values()) == 500
    ledger.close()


def test_a_second_exporter_is_refused_with_the_process_that_has_it(filled: Path) -> None:
    ledger = WritableLedger.open(filled)
    error = refusal(filled)
    assert error.reason == "locked"
    assert f"in use by another exporter (process {os.getpid()})" in str(error)
    ledger.close()


def test_a_ledger_is_free_again_when_it_is_closed(filled: Path) -> None:
    WritableLedger.open(filled).close()
    again = WritableLedger.open(filled)
    assert again.path == filled
    again.close()


def test_a_ledger_is_free_again_when_its_owner_is_killed(filled: Path) -> None:
    hold = (
        "import sys, pathlib; from exporter.ledger import WritableLedger\n"
        "ledger = WritableLedger.open(pathlib.Path(sys.argv[1])); print('has it', flush=True)\n"
        "sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", hold, filled], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as owner:
        assert owner.stdout is not None
        assert owner.stdout.readline() == b"has it\n"
        assert refusal(filled).reason == "locked"
        owner.kill()
        owner.wait()
    WritableLedger.open(filled).close()


def test_a_reader_is_let_in_beside_the_exporter_and_sees_what_it_writes(filled: Path) -> None:
    ledger = WritableLedger.open(filled)
    reader = Ledger.open(filled)
    ledger.apply([batch(Call("later"))])
    assert sum(s.counts.requests for s in reader.sum_usage(0, 2**40).values()) == 501
    reader.close()
    ledger.close()


def test_a_reader_keeps_no_exporter_out(filled: Path) -> None:
    reader = Ledger.open(filled)
    WritableLedger.open(filled).close()
    reader.close()


def test_a_reader_may_name_the_ledger_by_a_relative_path(
    filled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(filled.parent)
    Ledger.open(Path(filled.name)).close()


def test_a_reader_does_not_make_a_ledger(path: Path) -> None:
    with pytest.raises(LedgerError, match="does not exist"):
        Ledger.open(path)
    assert list(path.parent.iterdir()) == []


def as_a_killed_exporter_leaves_it(path: Path, folder: Path) -> Path:
    """Return a copy of a ledger whose last batch is in SQLite's write-ahead log only."""
    ledger = WritableLedger.open(path)
    ledger.apply([batch(Call("only in the write-ahead log"))])
    shutil.copytree(path.parent, folder, ignore=shutil.ignore_patterns(folder.name, "*-shm"))
    ledger.close()
    return folder / path.name


def fill_with_noise(path: Path) -> None:
    path.write_bytes(random.Random(1).randbytes(50_000))


def cut_in_half(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2 // 4096 * 4096)


def cut_within_the_header(path: Path) -> None:
    os.truncate(path, 60)


def flip_a_page(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(3 * 4096)
        page = file.read(4096)
        file.seek(3 * 4096)
        file.write(bytes(byte ^ 0xFF for byte in page))


def put_a_line_in_front(path: Path) -> None:
    path.write_bytes(b"<html>\n" + path.read_bytes())


@pytest.mark.parametrize(
    "damage",
    [fill_with_noise, cut_in_half, cut_within_the_header, flip_a_page, put_a_line_in_front],
)
def test_a_damaged_ledger_is_refused_and_left_as_it_is(
    filled: Path, damage: Callable[[Path], None]
) -> None:
    damage(filled)
    before = filled.read_bytes()
    error = refusal(filled)
    assert error.reason == "corrupt"
    assert "Restore a copy, or move it away" in str(error)
    assert filled.read_bytes() == before
    with pytest.raises(LedgerError, match="damaged"):
        Ledger.open(filled)
    assert filled.read_bytes() == before


def test_a_damaged_ledger_is_not_even_changed_by_what_a_killed_exporter_left_beside_it(
    filled: Path, tmp_path: Path
) -> None:
    killed = as_a_killed_exporter_leaves_it(filled, tmp_path / "killed")
    flip_a_page(killed)
    before = killed.read_bytes()
    assert refusal(killed).reason == "corrupt"
    assert killed.read_bytes() == before


def test_what_a_killed_exporter_left_beside_a_sound_ledger_is_taken_up(
    filled: Path, tmp_path: Path
) -> None:
    killed = as_a_killed_exporter_leaves_it(filled, tmp_path / "killed")
    ledger = WritableLedger.open(killed)
    assert sum(s.counts.requests for s in ledger.sum_usage(0, 2**40).values()) == 501
    ledger.close()


def test_another_programs_database_is_refused_and_left_as_it_is(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE recipes (name TEXT)")
    connection.commit()
    connection.close()
    before = path.read_bytes()
    error = refusal(path)
    assert error.reason == "foreign"
    assert "no ledger of this exporter" in str(error)
    assert path.read_bytes() == before


def test_a_ledger_of_a_newer_version_is_refused_and_left_as_it_is(path: Path) -> None:
    connection, lock = open_for_writing(path, (*MIGRATIONS, NEXT_STEP))
    connection.close()
    lock.close()
    before = path.read_bytes()
    error = refusal(path)
    assert error.reason == "newer_version"
    newer, known = len(MIGRATIONS) + 1, len(MIGRATIONS)
    assert f"is of version {newer}, this exporter knows up to {known}" in str(error)
    assert path.read_bytes() == before


def test_a_ledger_of_an_older_version_is_brought_up_to_date_with_all_it_holds(filled: Path) -> None:
    ledger = WritableLedger.open(filled)
    ledger.leave_note("who", "me")
    ledger.close()
    connection, lock = open_for_writing(filled, (*MIGRATIONS, NEXT_STEP))
    assert connection.execute("SELECT * FROM note").fetchall() == [("who", "me", 0)]
    assert connection.execute("SELECT sum(requests) FROM usage").fetchone() == (500,)
    connection.close()
    lock.close()
    assert version_of(filled) == (APPLICATION_ID, len(MIGRATIONS) + 1)


def test_a_step_that_fails_is_undone_whole(filled: Path) -> None:
    broken = f"{NEXT_STEP} INSERT INTO no_such_table VALUES (1);"
    with pytest.raises(LedgerError, match="no_such_table"):
        open_for_writing(filled, (*MIGRATIONS, broken))
    assert version_of(filled) == (APPLICATION_ID, len(MIGRATIONS))
    WritableLedger.open(filled).close()


def test_a_reader_refuses_an_older_version_rather_than_change_it(path: Path) -> None:
    connection, lock = open_for_writing(path, ())
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.close()
    lock.close()
    with pytest.raises(LedgerError, match="older version; start the exporter"):
        Ledger.open(path)


def test_a_folder_is_no_ledger(tmp_path: Path) -> None:
    error = refusal(tmp_path)
    assert (error.reason, str(error)) == (
        "unwritable",
        f"ledger {tmp_path} is a folder; name a file",
    )


def test_a_place_where_no_folder_can_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    error = refusal(tmp_path / "file" / "ledger.sqlite")
    assert error.reason == "unwritable"


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is forbidden to root")
def test_a_folder_that_may_not_be_written_to_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "locked"
    folder.mkdir(mode=0o555)
    error = refusal(folder / "ledger.sqlite")
    assert error.reason == "unwritable"
    assert "Permission denied" in str(error)


def test_a_ledger_whose_owner_was_killed_while_it_was_being_made_is_finished(path: Path) -> None:
    begin = (
        "import os, sqlite3, sys\n"
        "file = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "file.executescript('CREATE TABLE t (x); DROP TABLE t; PRAGMA cache_size = 5; BEGIN;')\n"
        "file.execute('CREATE TABLE half_made (x)')\n"
        "file.executemany('INSERT INTO half_made VALUES (?)', [('x' * 1000,)] * 1000)\n"
        "os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", begin, path], check=False)
    assert Path(f"{path}-journal").stat().st_size > 0
    WritableLedger.open(path).close()
    assert version_of(path) == (APPLICATION_ID, len(MIGRATIONS))
