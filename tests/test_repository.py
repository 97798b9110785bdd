"""What a stranger finds in the checkout is there, agrees with itself, and works as shipped."""

import re
import subprocess
import tomllib
from pathlib import Path, PurePosixPath

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from exporter.config import Config, load
from tools import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def files() -> list[str]:
    """Paths of the repository's files; those about to be added count, ignored ones do not."""
    command = ["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others"]
    try:
        listing = subprocess.run(
            [*command, "--exclude-standard"], cwd=ROOT, check=True, capture_output=True, text=True
        )
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("this is no git checkout")
    return [path for path in listing.stdout.split("\0") if (ROOT / path).is_file()]


def locked(lock: str) -> dict[str, set[str]]:
    """The packages of a lock file with their versions, of which markers may allow several."""
    versions: dict[str, set[str]] = {}
    for line in (ROOT / lock).read_text(encoding="utf-8").splitlines():
        if match := re.match(r"([\w.-]+)==([^\s;]+)", line):
            versions.setdefault(canonicalize_name(match[1]), set()).add(match[2])
    return versions


def required(*, extra: str | None = None) -> list[Requirement]:
    project = PROJECT["project"]
    listed = project["optional-dependencies"][extra] if extra else project["dependencies"]
    return [Requirement(line) for line in listed]


def unmet(requirements: list[Requirement], lock: str) -> list[str]:
    versions = locked(lock)
    return [
        str(requirement)
        for requirement in requirements
        if not any(
            requirement.specifier.contains(version)
            for version in versions.get(canonicalize_name(requirement.name), ())
        )
    ]


def test_the_runtime_lock_meets_every_dependency() -> None:
    assert unmet(required(), "requirements.lock") == []


def test_the_development_lock_meets_every_dependency_and_tool() -> None:
    assert unmet(required() + required(extra="dev"), "requirements-dev.lock") == []


def test_tools_are_not_installed_for_users() -> None:
    tools = {canonicalize_name(requirement.name) for requirement in required(extra="dev")}
    assert tools & locked("requirements.lock").keys() == set()


def test_users_run_the_versions_that_are_tested() -> None:
    development = locked("requirements-dev.lock")
    runtime = locked("requirements.lock")
    assert {name: development.get(name) for name in runtime} == runtime


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_every_locked_package_is_hashed(lock: str) -> None:
    entries = re.split(r"(?m)^(?=\w)", (ROOT / lock).read_text(encoding="utf-8"))
    assert [entry for entry in entries if entry.strip() and "--hash=sha256:" not in entry] == []


@pytest.mark.parametrize("name", ["LICENSE", "README.md", "CHANGELOG.md", "CONTRIBUTING.md"])
def test_a_stranger_finds_the_usual_files(name: str) -> None:
    assert (ROOT / name).read_text(encoding="utf-8").strip()


def test_the_license_is_the_one_that_the_package_names() -> None:
    assert PROJECT["project"]["license"] == "MIT"
    assert (ROOT / "LICENSE").read_text(encoding="utf-8").startswith("MIT License\n")


@pytest.mark.parametrize("command", ["make run", "make test"])
def test_the_readme_names_both_commands(command: str) -> None:
    assert command in (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_changelog_speaks_of_this_version() -> None:
    heading = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8").splitlines()[0]
    assert heading.startswith(f"## {PROJECT['project']['version']} / ")


@pytest.mark.parametrize("target", ["run", "test", "lint", "bench"])
def test_make_knows_the_promised_targets(target: str) -> None:
    assert re.search(rf"(?m)^{target}:", (ROOT / "Makefile").read_text(encoding="utf-8"))


def test_the_shipped_configuration_validates() -> None:
    config = load(ROOT / "config.yaml", environ={})
    assert config.sources[0].location == str(ROOT / "data/logs")


def test_the_shipped_configuration_explains_every_section() -> None:
    text = (ROOT / "config.yaml").read_text(encoding="utf-8")
    assert [name for name in Config.model_fields if not re.search(rf"(?m)^{name}:", text)] == []


def test_the_commented_examples_of_the_configuration_validate(tmp_path: Path) -> None:
    text = (ROOT / "config.yaml").read_text(encoding="utf-8")
    document = yaml.safe_load(text)
    examples = re.findall(r"((?:^#   .*\n)+)(\w+):", re.sub(r"^#\n", "", text, flags=re.M), re.M)
    assert {section for _, section in examples} == {
        "attribution",
        "aws",
        "models",
        "prices",
        "sources",
    }
    for commented, section in examples:
        example = yaml.safe_load(commented.replace("#   ", ""))
        document[section] = example.get(section, example)
    written = tmp_path / "config.yaml"
    written.write_text(yaml.safe_dump(document), encoding="utf-8")
    load(written, environ={})


def test_whatever_the_package_reads_at_run_time_is_in_the_wheel() -> None:
    patterns = PROJECT["tool"]["setuptools"]["package-data"]["exporter"]
    data = [path for path in files() if path.startswith("exporter/") and not path.endswith(".py")]
    assert [path for path in data if not _matches(path, patterns)] == []


def _matches(path: str, patterns: list[str]) -> bool:
    inside = PurePosixPath(path).relative_to("exporter")
    return any(inside.match(pattern.removeprefix("**/")) for pattern in patterns)


def test_no_file_speaks_of_the_machine_it_was_written_on() -> None:
    elsewhere = re.compile("/wo" + r"rk/|\.libr" + "ary/")
    speaking = [
        path
        for path in files()
        if elsewhere.search((ROOT / path).read_bytes().decode("utf-8", "replace"))
    ]
    assert speaking == []
