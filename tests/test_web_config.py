"""The web config file: what is accepted, what is refused and by which name, who is let in."""

import asyncio
import base64
from collections.abc import Callable
from pathlib import Path

import bcrypt
import pytest

from certificates import write_certificate
from exporter import web_config
from exporter.config import ConfigError
from exporter.web_config import Gate, WebConfig


def bcrypt_hash(password: str, prefix: bytes = b"2b") -> str:
    return bcrypt.hashpw(password.encode(), bcrypt.gensalt(4, prefix)).decode()


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str], Path]:
    """Write web.yml beside two certificates and their keys."""
    write_certificate(tmp_path, "web")
    write_certificate(tmp_path, "other")

    def write(text: str) -> Path:
        path = tmp_path / "web.yml"
        path.write_text(text)
        return path

    return write


def problems_of(path: Path) -> list[str]:
    with pytest.raises(ConfigError) as refused:
        web_config.load(path)
    return [problem.removeprefix(f"{path}: ") for problem in refused.value.problems]


def admits(gate: Gate, authorization: str | None) -> bool:
    return asyncio.run(gate.admits(authorization))


TLS = "tls_server_config: {cert_file: web.crt, key_file: web.key}\n"


def test_an_empty_file_is_plain_http_for_everybody(write: Callable[[str], Path]) -> None:
    config = web_config.load(write("# nothing yet\n"))
    assert config == WebConfig()
    assert Gate(config).context is None
    assert admits(Gate(config), None)


def test_paths_are_relative_to_the_file(write: Callable[[str], Path]) -> None:
    path = write(TLS)
    tls = web_config.load(path).tls
    assert tls is not None
    assert (tls.cert_file, tls.key_file) == (path.parent / "web.crt", path.parent / "web.key")


def test_every_unknown_key_is_refused_by_name_and_all_at_once(
    write: Callable[[str], Path],
) -> None:
    path = write(
        "tls_server_config:\n"
        "  cert_file: web.crt\n"
        "  key_fil: web.key\n"
        "  client_auth_type: RequireAndVerifyClientCert\n"
        "http_server_config: {http2: false}\n"
        "basic_auth_user: {}\n"
    )
    assert problems_of(path) == [
        "http_server_config: unknown key; known keys: basic_auth_users, tls_server_config",
        "basic_auth_user: unknown key; known keys: basic_auth_users, tls_server_config",
        "tls_server_config.key_fil: unknown key; known keys: cert_file, key_file, min_version",
        "tls_server_config.client_auth_type: unknown key; "
        "known keys: cert_file, key_file, min_version",
        "tls_server_config.key_file: is required",
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("- a list\n", "is not a mapping of keys to values"),
        ("tls_server_config: on\n", "tls_server_config: is not a mapping of keys to values"),
        ("basic_auth_users: [bob]\n", "basic_auth_users: is not a mapping of keys to values"),
        (
            "tls_server_config: {cert_file: web.crt, key_file: [web.key]}\n",
            "tls_server_config.key_file: ['web.key'] is not the path of a file",
        ),
        (
            "tls_server_config: {cert_file: web.crt, key_file: web.key, min_version: TLS11}\n",
            "tls_server_config.min_version: 'TLS11' is not one of TLS12, TLS13",
        ),
        (
            "tls_server_config: {cert_file: web.crt, key_file: web.key, min_version: [TLS12]}\n",
            "tls_server_config.min_version: ['TLS12'] is not one of TLS12, TLS13",
        ),
    ],
)
def test_a_mistake_is_named_by_its_place(
    write: Callable[[str], Path], text: str, problem: str
) -> None:
    assert problem in problems_of(write(text))


def test_a_missing_file_is_named(write: Callable[[str], Path], tmp_path: Path) -> None:
    (tmp_path / "web.key").unlink()
    assert problems_of(write(TLS)) == [
        f"tls_server_config.key_file: '{tmp_path}/web.key' cannot be read: "
        "No such file or directory"
    ]


def test_a_key_of_another_certificate_is_refused(write: Callable[[str], Path]) -> None:
    (problem,) = problems_of(write(TLS.replace("web.key", "other.key")))
    assert "are not a certificate chain and its unencrypted key" in problem
    assert "KEY_VALUES_MISMATCH" in problem


def test_an_encrypted_key_is_refused_instead_of_asked_for(
    write: Callable[[str], Path], tmp_path: Path
) -> None:
    write_certificate(tmp_path, "web", password=b"secret")
    (problem,) = problems_of(write(TLS))
    assert "unencrypted" in problem


@pytest.mark.parametrize(
    "value", ["hunter2", "''", "7", "$2b$10$short", "$2b$04$" + "z" * 53, "[a]"]
)
def test_what_is_no_bcrypt_hash_is_refused_and_not_repeated(
    write: Callable[[str], Path], value: str
) -> None:
    assert problems_of(write(f"basic_auth_users: {{bob: {value}}}\n")) == [
        "basic_auth_users.bob: is not a bcrypt hash; make one with 'htpasswd -nBC 10'"
    ]


def test_a_hash_that_takes_minutes_to_check_is_refused(write: Callable[[str], Path]) -> None:
    costly = bcrypt_hash("s").replace("$04$", "$18$")
    assert problems_of(write(f"basic_auth_users: {{bob: {costly}}}\n")) == [
        "basic_auth_users.bob: bcrypt cost 18 is not one of 4 to 15; 10 is usual"
    ]


def test_a_user_that_stands_twice_is_refused(write: Callable[[str], Path]) -> None:
    path = write(f"basic_auth_users:\n  bob: {bcrypt_hash('a')}\n  bob: {bcrypt_hash('b')}\n")
    assert problems_of(path) == ["line 3, column 3: key 'bob' stands twice"]


@pytest.mark.parametrize("prefix", [b"2a", b"2b", b"2y"])
def test_hashes_of_every_tool_are_accepted(write: Callable[[str], Path], prefix: bytes) -> None:
    hashed = bcrypt_hash("pässword", b"2b").replace("$2b$", f"${prefix.decode()}$")
    gate = Gate(web_config.load(write(f"basic_auth_users: {{bob: {hashed}}}\n")))
    assert admits(gate, basic("bob", "pässword"))
    assert not admits(gate, basic("bob", "password"))


def test_only_the_right_user_with_the_right_password_is_admitted() -> None:
    gate = Gate(WebConfig(users={"bob": bcrypt_hash("right"), "eve": bcrypt_hash("other")}))
    assert admits(gate, basic("bob", "right"))
    assert admits(gate, basic("bob", "right").replace("Basic", "basic"))
    for authorization in (
        *(basic("bob", "wrong"), basic("bob", "other"), basic("mallory", "right")),
        *(basic("", ""), basic("bob", ""), basic("bob", "right\0"), basic("bob", "x" * 5000)),
        *(None, "", "Basic", "Basic !", "Bearer right", "Basic " + "A" * 5000, "Basic \ud800"),
    ):
        assert not admits(gate, authorization), authorization


def test_a_password_longer_than_bcrypt_looks_at_is_cut_as_htpasswd_cuts_it() -> None:
    gate = Gate(WebConfig(users={"bob": bcrypt_hash("x" * 72)}))
    assert admits(gate, basic("bob", "x" * 72 + "ignored"))


def test_a_right_login_is_checked_once_and_a_wrong_one_each_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    checked = []

    def count(password: bytes, hashed: bytes) -> bool:
        checked.append(password)
        return password == b"right"

    gate = Gate(WebConfig(users={"bob": bcrypt_hash("right")}))
    monkeypatch.setattr(bcrypt, "checkpw", count)
    for _ in range(3):
        assert admits(gate, basic("bob", "right"))
        assert not admits(gate, basic("bob", "wrong"))
    assert checked == [b"right", b"wrong", b"wrong", b"wrong"]


def test_an_unknown_user_costs_the_same_check_as_a_known_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    costs = []

    def record(password: bytes, hashed: bytes) -> bool:
        costs.append(hashed[4:6])
        return False

    gate = Gate(WebConfig(users={"bob": bcrypt_hash("right").replace("$04$", "$12$")}))
    monkeypatch.setattr(bcrypt, "checkpw", record)
    assert not admits(gate, basic("bob", "wrong"))
    assert not admits(gate, basic("mallory", "wrong"))
    assert costs == [b"12", b"12"]


def test_replaced_users_are_in_force_at_once() -> None:
    gate = Gate(WebConfig(users={"bob": bcrypt_hash("old")}))
    assert admits(gate, basic("bob", "old"))
    gate.replace(WebConfig(users={"bob": bcrypt_hash("new")}))
    assert not admits(gate, basic("bob", "old"))
    assert admits(gate, basic("bob", "new"))


def test_switching_tls_on_or_off_needs_a_restart(write: Callable[[str], Path]) -> None:
    with_tls = web_config.load(write(TLS))
    for before, after in ((with_tls, WebConfig()), (WebConfig(), with_tls)):
        with pytest.raises(ConfigError, match="by a restart only"):
            Gate(before).replace(after)


def test_a_certificate_that_went_bad_leaves_the_gate_as_it_was(
    write: Callable[[str], Path], tmp_path: Path
) -> None:
    config = web_config.load(write(TLS))
    gate = Gate(WebConfig(config.tls, {"bob": bcrypt_hash("old")}))
    (tmp_path / "web.crt").write_text("no certificate")
    with pytest.raises(ConfigError, match="are not a certificate chain"):
        gate.replace(WebConfig(config.tls, {"bob": bcrypt_hash("new")}))
    assert admits(gate, basic("bob", "old"))
