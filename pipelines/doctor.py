"""Is this machine fit to run the service: versions, native libraries, package names, store, registry?"""

from __future__ import annotations

import ctypes
import importlib
import platform
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from tempfile import TemporaryFile

from packaging.requirements import Requirement

from clv.errors import ClvError
from models.registry import Registry
from models.tracking import examine_store
from pipelines.ledger import Ledger
from pipelines.register import NAMES
from pipelines.siblings import OURS, intruders
from pipelines.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing examined: whether it is well, what was seen, and the cure if it is not."""

    name: str
    well: bool
    seen: str
    cure: str = ""


def examine(workspace: Workspace) -> list[Finding]:
    """Examine this machine and return every finding, good or bad.

    Parameters
    ----------
    workspace
        The data folder whose ledger and registry are looked at; nothing is created in it.
    """
    examinations: tuple[Callable[[], Finding], ...] = (
        _python,
        _requirements,
        _openmp,
        _package_names,
        lambda: _folder(workspace.root),
        lambda: _ledger(workspace),
        lambda: _registry(workspace),
    )
    return [look() for look in examinations]


def _python(running: tuple[int, ...] = tuple(sys.version_info[:2])) -> Finding:
    good = running >= (3, 11)
    return Finding("Python", good, platform.python_version(), "" if good else "Install Python 3.11 or newer.")


def _requirements(stated: Sequence[str] | None = None) -> Finding:
    wrong = list(_unmet(requires(OURS) or [] if stated is None else stated))
    if wrong:
        return Finding("packages", False, "; ".join(wrong), "pip install -c constraints.txt .")
    return Finding("packages", True, f"{OURS} {version(OURS)} and all it requires")


def _unmet(stated: Sequence[str]) -> Iterator[str]:
    for text in stated:
        requirement = Requirement(text)
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
            continue
        try:
            installed = version(requirement.name)
        except PackageNotFoundError:
            yield f"{requirement.name} is missing"
            continue
        if not requirement.specifier.contains(installed, prereleases=True):
            yield f"{requirement.name} is {installed}, needed {requirement.specifier}"


def _openmp(part: str = "lightgbm") -> Finding:
    """LightGBM is the one part that needs a library of the system: OpenMP's runtime."""
    try:
        importlib.import_module(part)
    except OSError as missing:
        return Finding("OpenMP", False, str(missing), "apt-get install libgomp1 (or your system's libgomp)")
    return Finding("OpenMP", True, f"LightGBM {version('lightgbm')} loads, {_libc()}")


def _libc() -> str:
    name, number = platform.libc_ver()
    pointer = ctypes.sizeof(ctypes.c_void_p) * 8
    return f"{name or 'libc'} {number}, {pointer} bit".replace("  ", " ")


def _package_names() -> Finding:
    found = intruders()
    if found:
        return Finding("package names", False, "; ".join(found), "Use an environment of its own.")
    return Finding("package names", True, "all five are ours alone")


def _folder(root: Path) -> Finding:
    nearest = next(folder for folder in (root.resolve(), *root.resolve().parents) if folder.exists())
    if not nearest.is_dir():
        return Finding("data folder", False, f"{nearest} is a file", "Name another folder with --data-dir.")
    try:
        with TemporaryFile(dir=nearest):  # without a name: it leaves no trace
            return Finding("data folder", True, str(root))
    except OSError as error:
        return Finding("data folder", False, f"{nearest}: {error.strerror}", f"Make {nearest} writable.")


def _ledger(workspace: Workspace) -> Finding:
    if not workspace.ledger.exists():
        return Finding("ledger", True, "none yet: `clv ingest` makes it")
    try:
        with Ledger(workspace.ledger, read_only=True) as ledger:
            rows = ledger.count("purchases")
    except ClvError as broken:
        return Finding("ledger", False, broken.what, broken.hint)
    return Finding("ledger", True, f"{rows:,} purchases")


def _registry(workspace: Workspace) -> Finding:
    store = workspace.root / "mlflow.db"
    if not store.exists() or (store.is_file() and not store.stat().st_size):
        return Finding("registry", True, "none yet: `clv register` makes it")
    try:
        examine_store(workspace.registry_uri)
        registry = Registry(workspace.registry_uri, workspace.artefacts)
        champions = {name: registry.champion(name) for name in NAMES.values()}
    except ClvError as broken:
        return Finding("registry", False, broken.what, broken.hint)
    named = (f"{name} {one.version if one else 'no champion'}" for name, one in champions.items())
    return Finding("registry", True, ", ".join(named))
