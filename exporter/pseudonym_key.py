"""The secret of the pseudonyms: configured, or made once and kept beside the ledger."""

import os
import re
import secrets
from contextlib import suppress
from pathlib import Path

from exporter import config


def pseudonym_key(privacy: config.Privacy, ledger: Path) -> bytes:
    """Return the secret of the pseudonyms: the configured one, or that of the file `<ledger>.key`.

    The file is made at the first use, readable by its owner only. Without pseudonyms there is no
    secret, and b"" is returned. Raises ConfigError when the file cannot be read or made.
    """
    if privacy.users != "pseudonym":
        return b""
    if privacy.key is not None:
        return privacy.key.encode()
    path = ledger.with_name(ledger.name + ".key")
    try:
        if not path.exists():
            _create_key(path)
        text = path.read_text(encoding="ascii").strip()
    except OSError as error:
        raise config.ConfigError(
            [
                f"privacy.key: {path} cannot be read or made: {error.strerror}; "
                "correct that, or set privacy.key"
            ]
        ) from None
    except UnicodeDecodeError:
        text = ""
    if not re.fullmatch(r"[0-9a-f]{64}", text):
        raise config.ConfigError(
            [
                f"privacy.key: {path} does not hold a key of 64 hexadecimal digits; "
                "restore it, or remove it to begin with new pseudonyms"
            ]
        )
    return bytes.fromhex(text)


def _create_key(path: Path) -> None:
    """Write a new key so that the file is there whole or not at all; the first writer wins."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}.new")
    draft.unlink(missing_ok=True)
    try:
        with os.fdopen(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
            file.write(secrets.token_hex(32) + "\n")
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            path.hardlink_to(draft)
    finally:
        draft.unlink(missing_ok=True)
