"""Each thing the doctor examines can be found ill, at once and with a cure."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import duckdb
import pytest
from typer.testing import CliRunner

from models.registry import Registry
from pipelines.cli import app
from pipelines.doctor import Finding, _openmp, _python, _requirements, examine
from pipelines.ledger import Ledger
from pipelines.siblings import intruders
from pipelines.workspace import Workspace


def found(root: Path, name: str) -> Finding:
    (one,) = [finding for finding in examine(Workspace(root)) if finding.name == name]
    return one


# -- the machine -----------------------------------------------------------------------------------------
def test_an_old_python_is_ill() -> None:
    assert not _python((3, 10)).well
    assert _python((3, 11)).well


def test_a_package_that_is_missing_or_too_old_is_named() -> None:
    ill = _requirements(["numpy>=999", "no-such-package-here", "numpy>=1; python_version < '3'"])
    assert not ill.well
    first, second = ill.seen.split("; ")
    assert first.startswith("numpy is ")
    assert first.endswith("needed >=999")
    assert second == "no-such-package-here is missing"
    assert "pip install" in ill.cure


def test_a_missing_library_of_the_system_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "part_without_openmp.py").write_text("raise OSError('libgomp.so.1: no such file')")
    monkeypatch.syspath_prepend(tmp_path)
    ill = _openmp("part_without_openmp")
    assert (ill.well, ill.seen) == (False, "libgomp.so.1: no such file")
    assert "libgomp" in ill.cure


# -- package names ---------------------------------------------------------------------------------------
def test_a_second_distribution_with_a_package_of_our_name_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    info = tmp_path / "other_shop-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: other-shop\nVersion: 1.0\n")
    (info / "top_level.txt").write_text("models\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert intruders() == ["package models is also installed by other-shop"]
    assert not found(tmp_path, "package names").well


def test_a_folder_of_our_name_in_the_way_is_found(tmp_path: Path) -> None:
    (tmp_path / "recommend").mkdir()
    (tmp_path / "recommend" / "__init__.py").write_text("")
    command = [sys.executable, "-c", "from pipelines.siblings import intruders; print(*intruders())"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert f"`import recommend` finds {tmp_path.resolve()}" in done.stdout


# -- the data folder -------------------------------------------------------------------------------------
def test_a_data_folder_below_a_file_is_ill(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    ill = found(tmp_path / "file" / "var", "data folder")
    assert (ill.well, ill.cure) == (False, "Name another folder with --data-dir.")


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs a folder that takes no file from anybody")
def test_a_data_folder_nobody_may_write_to_is_ill() -> None:
    ill = found(Path("/proc/var"), "data folder")
    assert (ill.well, ill.cure) == (False, "Make /proc writable.")


# -- the ledger ------------------------------------------------------------------------------------------
def newer_ledger(path: Path) -> None:
    with Ledger(path) as ledger:
        ledger.connection.execute("UPDATE format SET version = 99")


def no_ledger(path: Path) -> None:
    with closing(duckdb.connect(str(path))) as other:
        other.execute("CREATE TABLE mine (a INTEGER)")


@pytest.mark.parametrize(
    ("make", "seen"),
    [
        (newer_ledger, "The ledger has format 99; this version reads 1."),
        (no_ledger, "The file is a DuckDB database, but no ledger."),
        (lambda path: path.write_text("not a database at all"), "The ledger cannot be opened."),
    ],
)
def test_a_ledger_that_cannot_be_read_is_ill(
    tmp_path: Path, make: Callable[[Path], object], seen: str
) -> None:
    make(tmp_path / "ledger.duckdb")
    ill = found(tmp_path, "ledger")
    assert (ill.well, ill.seen) == (False, seen)
    assert ill.cure


# -- the registry ----------------------------------------------------------------------------------------
def others_database(path: Path) -> None:
    with closing(sqlite3.connect(path)) as store, store:
        store.execute("CREATE TABLE mine (a BLOB)")
        store.executemany("INSERT INTO mine VALUES (?)", [(bytes(200),)] * 500)


def cut_short(path: Path) -> None:
    others_database(path)
    path.write_bytes(path.read_bytes()[:30_000])


@pytest.mark.parametrize(
    ("make", "seen"),
    [
        (lambda path: path.write_text("not a database"), "is not an SQLite database"),
        (lambda path: path.write_bytes(b"SQLite format 3\0" + bytes(range(256)) * 20), "is damaged"),
        (cut_short, "is damaged"),
        (others_database, "holds no registry"),
        (lambda path: path.mkdir(), "cannot be written"),
    ],
)
def test_a_registry_that_cannot_be_read_is_told_at_once_and_left_as_it_is(
    tmp_path: Path, make: Callable[[Path], object], seen: str
) -> None:
    store = tmp_path / "mlflow.db"
    make(store)
    before = store.read_bytes() if store.is_file() else b""
    started = time.monotonic()
    ill = found(tmp_path, "registry")
    assert time.monotonic() - started < 20  # MLflow itself tries again for minutes
    assert not ill.well
    assert seen in ill.seen
    assert ill.cure
    assert (store.read_bytes() if store.is_file() else b"") == before


def test_an_empty_file_is_a_registry_still_to_be_made(tmp_path: Path) -> None:
    (tmp_path / "mlflow.db").touch()
    assert found(tmp_path, "registry").seen.startswith("none yet")
    assert not (tmp_path / "mlflow.db").stat().st_size


def test_a_registry_without_champions_is_well(tmp_path: Path) -> None:
    registry = Registry(f"sqlite:///{tmp_path}/mlflow.db", tmp_path)
    assert registry.champion("clv-value") is None  # makes the tables
    well = found(tmp_path, "registry")
    assert well.well
    assert well.seen == "clv-value no champion, clv-propensity no champion, clv-topics no champion"


def test_an_ill_machine_ends_the_verb_with_a_failure(tmp_path: Path) -> None:
    (tmp_path / "mlflow.db").write_text("not a database")
    told = CliRunner().invoke(app, ["doctor", "--data-dir", str(tmp_path)])
    assert told.exit_code == 1
    assert "1 to cure" in told.output
