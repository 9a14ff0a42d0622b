"""The house is in order: maps are true, names are ours, files are short enough to read."""

from __future__ import annotations

import ast
import importlib
import os
import pkgutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.siblings import NAMES, intruders

ROOT = Path(__file__).resolve().parents[1]
FILES = sorted(file for name in NAMES for file in (ROOT / name).rglob("*.py"))


def modules_on(folder: Path) -> set[str]:
    return {module.name for module in pkgutil.iter_modules([str(folder)])}


def mapped_in(docstring: str) -> set[str]:
    """Words that open a line of the map."""
    return {line.split()[0] for line in docstring.splitlines() if line.split()}


@pytest.mark.parametrize("name", NAMES)
def test_every_module_is_on_its_packages_map(name: str) -> None:
    package = importlib.import_module(name)
    missing = modules_on(ROOT / name) - mapped_in(package.__doc__ or "")
    assert missing == set()


@pytest.mark.parametrize("name", NAMES)
def test_the_map_names_no_module_that_is_gone(name: str) -> None:
    doc = importlib.import_module(name).__doc__ or ""
    drawn = doc.split("Map\n---\n", 1)[1].split("\n\n", 1)[0]
    on_map = {line.split()[0] for line in drawn.splitlines() if line and not line.startswith(" ")}
    assert on_map - modules_on(ROOT / name) == set()


@pytest.mark.parametrize("name", NAMES)
def test_what_a_package_offers_can_be_imported(name: str) -> None:
    package = importlib.import_module(name)
    offered = getattr(package, "__all__", [])
    assert [public for public in offered if not hasattr(package, public)] == []


def test_the_five_packages_are_ours_alone() -> None:
    assert intruders() == []


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.relative_to(ROOT).as_posix())
def test_a_module_is_short_enough_to_read(file: Path) -> None:
    assert len(file.read_text(encoding="utf-8").splitlines()) <= 400


def long_functions() -> Iterator[str]:
    for file in FILES:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno - docstring_lines(node)
                if lines > 60:
                    yield f"{file.relative_to(ROOT)}:{node.lineno} {node.name} has {lines} lines"


def docstring_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    first = node.body[0]
    is_docstring = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    return (first.end_lineno or first.lineno) - first.lineno + 1 if is_docstring else 0


def test_a_function_is_short_enough_to_read() -> None:
    assert list(long_functions()) == []


@pytest.mark.xdist_group("house")
def test_tests_of_one_group_share_a_process(request: pytest.FixtureRequest) -> None:
    """Nights are worked once and not once in each process, and faults are timed beside no other fault."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        kept = request.node.nodeid.endswith("@house")
        assert kept, "--dist loadgroup is missing, or pytest and xdist do not agree on groups: see pyproject"


def test_no_module_is_a_drawer_for_everything() -> None:
    drawers = {"utils", "helpers", "common", "misc", "base", "core"}
    assert [file for file in FILES if file.stem in drawers] == []
