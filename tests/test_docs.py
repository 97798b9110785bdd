"""The documentation says what the code does."""

import importlib.util
import re
from pathlib import Path

import pytest
from click import Command, Group

from exporter.cli import main
from exporter.interpretation.models import UnpricedReason
from exporter.sources.rejection import Rejection, Skip

ROOT = Path(__file__).parent.parent


def _generator():
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("page", ["metrics.md", "aws-commands.md"])
def test_a_generated_page_is_what_it_is_written_from(page):
    assert (ROOT / "docs" / page).read_text() == _generator().PAGES[page](), "run `make docs`"


@pytest.mark.parametrize("reason", [*Rejection, *Skip, *UnpricedReason])
def test_every_reason_is_explained(reason):
    assert f"`{reason}`" in (ROOT / "docs" / "operation.md").read_text()


@pytest.mark.parametrize("file", [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))])
def test_every_link_between_documents_leads_somewhere(file):
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", file.read_text()):
        if "://" not in target:
            assert (file.parent / target).exists(), f"{file.name}: {target}"


def _commands(command: Command):
    if isinstance(command, Group):
        for sub in command.commands.values():
            yield from _commands(sub)
    else:
        yield command


@pytest.mark.parametrize("command", list(_commands(main)), ids=lambda command: command.name)
def test_every_command_and_flag_explains_itself(command):
    assert command.help
    pages = ("configuration.md", "aws-commands.md")
    text = "".join((ROOT / "docs" / page).read_text() for page in pages)
    for parameter in command.params:
        for flag in parameter.opts:
            if flag.startswith("--"):
                assert f"`{flag}" in text, f"no page names {flag}"
                assert parameter.help, f"{flag} says nothing"
