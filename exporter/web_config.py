"""The web config file: TLS and basic auth in the format of Prometheus's exporter-toolkit.

Only certificate, key, lowest TLS version and bcrypt users are supported; any other key is refused
by its name, because a restriction that is written down but not enforced is worse than none. The
file is read at the start and on a reload.

    web.yml: tls_server_config.client_auth_type: unknown key; known keys: cert_file, ...
"""

import asyncio
import base64
import hashlib
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import bcrypt

from exporter.config import ConfigError, read_yaml

_KEYS = ("basic_auth_users", "tls_server_config")
_TLS_KEYS = ("cert_file", "key_file", "min_version")
_TLS_VERSIONS = {"TLS12": ssl.TLSVersion.TLSv1_2, "TLS13": ssl.TLSVersion.TLSv1_3}

_BCRYPT = re.compile(r"\$2[aby]\$([0-9]{2})\$([./A-Za-z0-9]{53})")
_COSTS = range(4, 16)
"""A check at cost 15 takes about two seconds; above, a login would outlast the stop of the web."""
_BCRYPT_PASSWORD_BYTES = 72
"""All that bcrypt looks at; htpasswd and the toolkit cut off what is longer, and so do we."""
_REMEMBERED_LOGINS = 128


@dataclass(frozen=True, slots=True)
class Tls:
    """Certificate chain and key in PEM files, absolute paths."""

    cert_file: Path
    key_file: Path
    minimum_version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_2


@dataclass(frozen=True, slots=True)
class WebConfig:
    """The whole of a web config file; without a file, plain HTTP for everybody."""

    tls: Tls | None = None
    users: Mapping[str, str] = field(default_factory=dict, repr=False)
    """User to bcrypt hash; none: nobody is asked for a password."""


class Gate:
    """TLS and users as the web applies them now; a reload changes them in place."""

    def __init__(self, config: WebConfig) -> None:
        """Raises ConfigError if certificate or key cannot be used any more."""
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER) if config.tls else None
        self._checking = asyncio.Lock()
        self.replace(config)

    def replace(self, config: WebConfig) -> None:
        """Apply another web config to connections and requests from now on.

        Raises ConfigError, the old one staying, if certificate or key cannot be used any more, or
        if TLS was switched on or off.
        """
        if (config.tls is None) != (self.context is None):
            state = "off" if config.tls is None else "on"
            raise ConfigError([f"tls_server_config: TLS is switched {state} by a restart only"])
        if config.tls is not None and self.context is not None:
            _load_chain(self.context, config.tls)
        self._users = config.users
        self._nobody = _hash_of_nobody(config.users)
        self._logins: set[bytes] = set()

    async def admits(self, authorization: str | None) -> bool:
        """Tell whether the value of an Authorization header opens the gate.

        bcrypt is slow on purpose: it runs in a thread, one check at a time, and once for a login
        that was right.
        """
        users, nobody, logins = self._users, self._nobody, self._logins
        credentials = _credentials(authorization or "")
        if not users or credentials is None:
            return not users
        login = hashlib.sha256(b":".join(credentials)).digest()
        if login in logins:
            return True
        name, password = credentials[0].decode("utf-8", "replace"), credentials[1]
        async with self._checking:
            if login in logins:
                return True
            right = await asyncio.to_thread(_matches, password, users.get(name, nobody))
        if right and len(logins) < _REMEMBERED_LOGINS:
            logins.add(login)
        return right


def load(path: Path) -> WebConfig:
    """Read and validate a web config file, certificate and key included.

    Raises ConfigError with every mistake found, each line beginning with the file's path. No line
    shows a value of basic_auth_users: it may be a password that was not hashed.
    """
    problems: list[str] = []
    document = _mapping("", read_yaml(path), problems)
    _refuse_unknown("", document, _KEYS, problems)
    tls = _read_tls(document.get("tls_server_config"), path.parent.resolve(), problems)
    users = _read_users(document.get("basic_auth_users"), problems)
    if problems:
        raise ConfigError([f"{path}: {problem}" for problem in problems])
    return WebConfig(tls, users)


def _mapping(place: str, section: object, problems: list[str]) -> Mapping[Any, Any]:
    """Return a section, an empty one if it is absent or no mapping."""
    if isinstance(section, dict):
        return section
    if section is not None:
        problems.append(f"{place}is not a mapping of keys to values")
    return {}


def _refuse_unknown(
    place: str, section: Mapping[Any, Any], keys: tuple[str, ...], problems: list[str]
) -> None:
    for key in section:
        if key not in keys:
            problems.append(f"{place}{key}: unknown key; known keys: {', '.join(keys)}")


def _read_tls(section: object, folder: Path, problems: list[str]) -> Tls | None:
    if section is None:
        return None
    known = len(problems)
    mapping = _mapping("tls_server_config: ", section, problems)
    _refuse_unknown("tls_server_config.", mapping, _TLS_KEYS, problems)
    cert_file, key_file = (
        _read_path(key, mapping.get(key), folder, problems) for key in ("cert_file", "key_file")
    )
    version = mapping.get("min_version", "TLS12")
    if not isinstance(version, str) or version not in _TLS_VERSIONS:
        known_versions = ", ".join(_TLS_VERSIONS)
        problems.append(
            f"tls_server_config.min_version: {version!r} is not one of {known_versions}"
        )
    if len(problems) > known:
        return None
    tls = Tls(cert_file, key_file, _TLS_VERSIONS[version])
    try:
        _load_chain(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), tls)
    except ConfigError as error:
        problems += error.problems
    return tls


def _read_path(key: str, value: object, folder: Path, problems: list[str]) -> Path:
    """Return the absolute path of a file that can be read."""
    if value is None:
        problems.append(f"tls_server_config.{key}: is required")
    elif not isinstance(value, str) or not value:
        problems.append(f"tls_server_config.{key}: {value!r} is not the path of a file")
    else:
        folder /= value
        try:
            folder.open("rb").close()
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            problems.append(f"tls_server_config.{key}: {str(folder)!r} cannot be read: {reason}")
    return folder


def _load_chain(context: ssl.SSLContext, tls: Tls) -> None:
    """Use certificate and key for new connections; raises ConfigError if they are not usable."""
    try:
        # The empty password keeps OpenSSL from asking for one at the terminal.
        context.load_cert_chain(tls.cert_file, tls.key_file, password="")
    except OSError as error:
        reason = getattr(error, "reason", None) or error
        raise ConfigError(
            [
                f"tls_server_config: '{tls.cert_file}' and '{tls.key_file}' are not a certificate "
                f"chain and its unencrypted key in PEM: {reason}"
            ]
        ) from None
    context.minimum_version = tls.minimum_version


def _read_users(section: object, problems: list[str]) -> dict[str, str]:
    users = _mapping("basic_auth_users: ", section, problems)
    for name, hashed in users.items():
        if not isinstance(name, str) or not name or ":" in name:
            problems.append(f"basic_auth_users.{name}: is not the name of a user")
        cost = _bcrypt_cost(hashed)
        if cost is None:
            problems.append(
                f"basic_auth_users.{name}: is not a bcrypt hash; make one with 'htpasswd -nBC 10'"
            )
        elif cost not in _COSTS:
            problems.append(
                f"basic_auth_users.{name}: bcrypt cost {cost} is not one of "
                f"{_COSTS[0]} to {_COSTS[-1]}; 10 is usual"
            )
    return dict(users)


def _bcrypt_cost(hashed: object) -> int | None:
    """Return the cost of a bcrypt hash, or None if it is none."""
    match = _BCRYPT.fullmatch(hashed) if isinstance(hashed, str) else None
    if not match:
        return None
    try:
        bcrypt.checkpw(b"", f"$2b$04${match[2]}".encode())  # of the least cost: is the salt one?
    except ValueError:
        return None
    return int(match[1])


def _hash_of_nobody(users: Mapping[str, str]) -> str:
    """Return a hash that no password has, as costly as any: unknown users take as long as known."""
    cost = max((hashed[4:6] for hashed in users.values()), default="04")
    return f"$2b${cost}${'.' * 53}"


def _credentials(authorization: str) -> tuple[bytes, bytes] | None:
    """Return user and password of a Basic Authorization header, or None if it is none."""
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        decoded = base64.b64decode(encoded.strip(), validate=True)
    except ValueError:
        return None
    name, colon, password = decoded.partition(b":")
    return (name, password) if colon else None


def _matches(password: bytes, hashed: str) -> bool:
    return bcrypt.checkpw(password[:_BCRYPT_PASSWORD_BYTES], hashed.encode())
