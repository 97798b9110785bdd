"""The secret of the pseudonyms and its file."""

import stat

import pytest

from exporter import config
from exporter.pseudonym_key import pseudonym_key


def pseudonyms(key=None):
    return config.Privacy(users="pseudonym", key=key)


def test_a_configured_key_is_used_and_no_file_is_made(tmp_path):
    key = pseudonym_key(pseudonyms("a secret of some length"), tmp_path / "ledger.sqlite")
    assert key == b"a secret of some length"
    assert list(tmp_path.iterdir()) == []


def test_without_pseudonyms_no_key_is_made(tmp_path):
    assert pseudonym_key(config.Privacy(users="drop"), tmp_path / "ledger.sqlite") == b""
    assert list(tmp_path.iterdir()) == []


def test_a_key_is_made_beside_the_ledger_once_for_its_owner_only(tmp_path):
    ledger = tmp_path / "data" / "ledger.sqlite"
    key = pseudonym_key(pseudonyms(), ledger)
    path = tmp_path / "data" / "ledger.sqlite.key"
    assert len(key) == 32
    assert path.read_text() == key.hex() + "\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(path.parent.iterdir()) == [path]
    assert pseudonym_key(pseudonyms(), ledger) == key


def test_two_ledgers_have_different_keys(tmp_path):
    assert pseudonym_key(pseudonyms(), tmp_path / "a") != pseudonym_key(
        pseudonyms(), tmp_path / "b"
    )


@pytest.mark.parametrize("content", [b"", b"\n", b"ab" * 31, b"zz" * 32, b"\xff" * 64])
def test_a_damaged_key_file_is_refused_and_left_alone(tmp_path, content):
    path = tmp_path / "ledger.sqlite.key"
    path.write_bytes(content)
    with pytest.raises(config.ConfigError) as caught:
        pseudonym_key(pseudonyms(), tmp_path / "ledger.sqlite")
    assert str(caught.value) == (
        f"privacy.key: {path} does not hold a key of 64 hexadecimal digits; "
        "restore it, or remove it to begin with new pseudonyms"
    )
    assert path.read_bytes() == content


def test_a_key_file_that_cannot_be_read_is_said_so(tmp_path):
    path = tmp_path / "ledger.sqlite.key"
    path.mkdir()
    with pytest.raises(config.ConfigError) as caught:
        pseudonym_key(pseudonyms(), tmp_path / "ledger.sqlite")
    assert str(caught.value) == (
        f"privacy.key: {path} cannot be read or made: Is a directory; "
        "correct that, or set privacy.key"
    )


def test_a_key_that_cannot_be_made_is_said_so(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(config.ConfigError, match=r"cannot be read or made: File exists"):
        pseudonym_key(pseudonyms(), tmp_path / "file" / "ledger.sqlite")
