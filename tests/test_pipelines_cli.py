"""The command line explains itself, and explains what went wrong instead of tracing it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipelines.cli import app

VERBS = (
    "ingest",
    "features",
    "train",
    "evaluate",
    "register",
    "score",
    "publish",
    "run",
    "serve",
    "demo",
    "doctor",
)


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_explains_itself(verb: str) -> None:
    told = CliRunner().invoke(app, [verb, "--help"])
    assert told.exit_code == 0
    assert "--config" in told.output


@pytest.mark.parametrize(
    "verb", ["ingest", "features", "train", "evaluate", "register", "score", "publish", "run"]
)
def test_every_verb_that_writes_can_be_rehearsed(verb: str) -> None:
    assert "--dry-run" in CliRunner().invoke(app, [verb, "--help"]).output


def test_a_mistake_is_explained_in_one_line_with_a_cure(tmp_path: Path) -> None:
    clv = Path(sys.executable).with_name("clv")
    done = subprocess.run(
        [clv, "features", "--data-dir", tmp_path / "var"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "There is no ledger yet." in done.stderr
    assert "Hint: Run `clv ingest` first." in done.stderr
    assert "Traceback" not in done.stderr


def test_an_unreadable_day_is_refused(tmp_path: Path) -> None:
    told = CliRunner().invoke(app, ["features", "--data-dir", str(tmp_path), "--as-of", "31/12/2025"])
    assert told.exit_code == 2


def test_the_doctor_finds_this_machine_well_and_leaves_no_trace(tmp_path: Path) -> None:
    told = CliRunner().invoke(app, ["doctor", "--data-dir", str(tmp_path / "var")], catch_exceptions=False)
    assert told.exit_code == 0, told.output
    assert "all is well" in told.output
    assert not (tmp_path / "var").exists()


def test_without_the_openmp_runtime_the_cure_is_named(tmp_path: Path) -> None:
    """A machine without libgomp, made by a LightGBM that fails to load as the real one does there."""
    (tmp_path / "lightgbm").mkdir()
    fault = "raise OSError('libgomp.so.1: cannot open shared object file')\n"
    (tmp_path / "lightgbm" / "__init__.py").write_text(fault)
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); from pipelines.entrance import main; main()"
    done = subprocess.run([sys.executable, "-c", code, "doctor"], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "libgomp.so.1" in done.stderr
    assert "install libgomp1" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_service_starts_without_loading_what_only_the_night_needs() -> None:
    asked = (
        "import sys, pipelines.cli, serving.app; "
        "print(sorted({'mlflow', 'duckdb', 'ibis', 'matplotlib'} & sys.modules.keys()))"
    )
    told = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"


def test_ctrl_c_while_the_libraries_still_load_traces_nothing(tmp_path: Path) -> None:
    (tmp_path / "lightgbm").mkdir()
    (tmp_path / "lightgbm" / "__init__.py").write_text("raise KeyboardInterrupt\n")
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); from pipelines.entrance import main; main()"
    done = subprocess.run([sys.executable, "-c", code, "doctor"], capture_output=True, text=True, check=False)
    assert done.returncode == 130
    assert "Traceback" not in done.stderr
