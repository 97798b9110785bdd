"""The rules that keep the data flowing one way: who may import whom, and what stays pure."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

from tools import ROOT

MAXIMUM_LINES = 400

ONLY_IN = {
    "boto3": {"administration", "aws", "sources"},
    "botocore": {"administration", "aws", "sources"},
    "pyathena": {"sources"},
    "sqlite3": {"ledger"},
    "prometheus_client": {"exposition", "web"},
    "click": {"cli", "aws_commands"},
}
"""Packages, and the parts of the exporter that may import them."""

MAY_IMPORT = {
    "usage": set(),
    "metrics": {"usage"},
    "assistant_usage": {"usage"},
    "config": {"usage", "assistant_usage"},
    "interpretation": {"usage", "assistant_usage", "config"},
}
"""All that these parts may import of ours, besides themselves."""

MUST_NOT_IMPORT = {
    "sources": {"ledger", "snapshot", "exposition", "refresh", "web", "page", "app", "cli"},
    "ledger": {"sources", "aws", "interpretation", "snapshot", "exposition", "web", "app", "cli"},
    "snapshot": {"sources", "aws", "exposition", "web", "app", "cli"},
    "web": {"sources", "aws", "ledger", "snapshot", "collector", "app", "cli"},
    "page": {"sources", "aws", "ledger", "app", "cli"},
}

ONLY_IMPORTED_BY = {"administration": {"aws_commands"}, "aws_commands": {"cli"}}
"""Parts that `serve` has no use for."""

IMPURE = {
    *("os", "time", "random", "secrets", "logging", "socket", "subprocess", "threading"),
    *("sqlite3", "boto3", "botocore"),
}
CLOCKS = {"datetime.now", "datetime.utcnow", "datetime.today", "date.today"}


@cache
def modules() -> dict[str, ast.Module]:
    """Every module of the exporter by its dotted name."""
    return {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): ast.parse(
            path.read_text(encoding="utf-8"), str(path)
        )
        for path in module_paths()
    }


def module_paths() -> list[Path]:
    return sorted((ROOT / "exporter").rglob("*.py"))


def imports(tree: ast.Module) -> Iterator[str]:
    """Dotted names that a module imports, wherever in it; of `from a import b`, a.b."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports within the exporter are absolute"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def part(name: str) -> str | None:
    """The part of the exporter that a dotted name belongs to: exporter.sources.listing: sources."""
    package, _, rest = name.partition(".")
    return rest.partition(".")[0] if package == "exporter" and rest else None


def parts_imported() -> dict[str, set[str]]:
    """Each part with the other parts of the exporter that it imports."""
    known = {part(name) for name in modules()} - {None}
    graph: dict[str, set[str]] = {}
    for name, tree in modules().items():
        if importer := part(name):
            imported = {part(target) for target in imports(tree)} & known
            graph.setdefault(importer, set()).update(imported - {importer})
    return graph


def test_the_rules_speak_of_parts_that_exist() -> None:
    named = set().union(*ONLY_IN.values(), MAY_IMPORT, MUST_NOT_IMPORT, *MUST_NOT_IMPORT.values())
    assert named - parts_imported().keys() == set()


def test_an_import_is_found_wherever_it_hides() -> None:
    tree = ast.parse("def f():\n    import sqlite3\n    from exporter.sources import listing")
    assert list(imports(tree)) == ["sqlite3", "exporter.sources.listing"]


def test_outside_packages_stay_in_their_part() -> None:
    strays = [
        f"{name} imports {target}"
        for name, tree in modules().items()
        for target in imports(tree)
        for package, allowed in ONLY_IN.items()
        if target.partition(".")[0] == package and part(name) not in allowed
    ]
    assert strays == []


def test_what_only_commands_need_only_commands_import() -> None:
    graph = parts_imported()
    for target, allowed in ONLY_IMPORTED_BY.items():
        importers = {name for name, imported in graph.items() if target in imported}
        assert importers - {target} == allowed


def test_the_core_imports_only_what_it_is_made_of() -> None:
    graph = parts_imported()
    assert {name: graph[name] - allowed for name, allowed in MAY_IMPORT.items()} == {
        name: set() for name in MAY_IMPORT
    }


def test_no_part_reaches_past_its_neighbours() -> None:
    graph = parts_imported()
    assert {name: graph.get(name, set()) & barred for name, barred in MUST_NOT_IMPORT.items()} == {
        name: set() for name in MUST_NOT_IMPORT
    }


def test_only_app_and_cli_join_sources_and_web() -> None:
    joining = {
        name for name, imported in parts_imported().items() if imported >= {"sources", "web"}
    }
    assert joining <= {"app", "cli"}


def test_imports_point_one_way() -> None:
    list(TopologicalSorter(parts_imported()).static_order())  # raises CycleError with the circle


def test_interpretation_is_pure() -> None:
    effects = []
    for name, tree in modules().items():
        if part(name) != "interpretation":
            continue
        effects += [
            f"{name} imports {target}"
            for target in imports(tree)
            if target.partition(".")[0] in IMPURE
        ]
        effects += [
            f"{name}:{node.lineno} reads the clock"
            for node in ast.walk(tree)
            if isinstance(node, ast.Attribute) and ast.unparse(node) in CLOCKS
        ]
    assert effects == []


def test_every_module_says_what_it_is_for() -> None:
    assert [name for name, tree in modules().items() if not ast.get_docstring(tree)] == []


def test_no_module_is_long() -> None:
    lengths = {
        str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines())
        for path in module_paths()
    }
    assert {path: lines for path, lines in lengths.items() if lines > MAXIMUM_LINES} == {}


def patterns() -> Iterator[tuple[str, str]]:
    """Each regular expression that is written out in a call of re.compile, and its module."""
    for name, tree in modules().items():
        for node in ast.walk(tree):
            match node:
                case ast.Call(ast.Attribute(ast.Name("re"), "compile"), [ast.Constant(text), *_]):
                    yield name, text.decode("latin-1") if isinstance(text, bytes) else text


def test_no_regular_expression_is_possessive() -> None:
    """Python 3.11.0 to 3.11.4 match those wrongly (gh-106052), and Debian 12 has 3.11.2."""
    assert len(list(patterns())) > 50
    possessive = re.compile(r"(?<!\\)[*+?}]\+")
    outside_classes = [
        (name, re.sub(r"\[\^?\]?(?:\\.|[^\]\\])*\]", "[]", text)) for name, text in patterns()
    ]
    assert [name for name, text in outside_classes if possessive.search(text)] == []
