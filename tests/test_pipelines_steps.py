"""A step is done once, again when what it reads changed, and never half."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from pipelines.steps import Json, StepLog, fingerprint


class Work:
    """Writes its output and counts how often it was asked to."""

    def __init__(self, output: Path, *, fails: bool = False) -> None:
        self.output, self.fails, self.times = output, fails, 0

    def __call__(self) -> Mapping[str, Json]:
        self.times += 1
        if self.fails:
            raise KeyboardInterrupt
        self.output.write_text("made")
        return {"rows": 3}


@pytest.fixture
def log(tmp_path: Path) -> StepLog:
    return StepLog(tmp_path / "runs")


def test_unchanged_inputs_are_not_worked_on_twice(log: StepLog, tmp_path: Path) -> None:
    work = Work(tmp_path / "features.parquet")
    first = log.run("features", fingerprint("ledger 1"), [work.output], work)
    second = log.run("features", fingerprint("ledger 1"), [work.output], work)
    assert (first.ran, second.ran, work.times) == (True, False, 1)
    assert second.summary == {"rows": 3}


def test_changed_inputs_are_worked_on_again(log: StepLog, tmp_path: Path) -> None:
    work = Work(tmp_path / "features.parquet")
    log.run("features", fingerprint("ledger 1"), [work.output], work)
    assert log.run("features", fingerprint("ledger 2"), [work.output], work).ran


def test_a_lost_output_is_made_again(log: StepLog, tmp_path: Path) -> None:
    work = Work(tmp_path / "features.parquet")
    log.run("features", fingerprint("ledger 1"), [work.output], work)
    work.output.unlink()
    assert log.run("features", fingerprint("ledger 1"), [work.output], work).ran


def test_an_interrupted_step_runs_again_and_its_past_does_not_count(log: StepLog, tmp_path: Path) -> None:
    output = tmp_path / "features.parquet"
    log.run("features", fingerprint("ledger 1"), [output], Work(output))
    with pytest.raises(KeyboardInterrupt):
        log.run("features", fingerprint("ledger 2"), [output], Work(output, fails=True))
    assert log.run("features", fingerprint("ledger 1"), [output], Work(output)).ran


def test_a_step_can_be_forced(log: StepLog, tmp_path: Path) -> None:
    work = Work(tmp_path / "features.parquet")
    log.run("features", fingerprint("ledger 1"), [work.output], work)
    assert log.run("features", fingerprint("ledger 1"), [work.output], work, again=True).ran


def test_a_damaged_log_means_the_step_is_not_done(log: StepLog, tmp_path: Path) -> None:
    work = Work(tmp_path / "features.parquet")
    log.run("features", fingerprint("ledger 1"), [work.output], work)
    (tmp_path / "runs" / "features.json").write_text('{"read": ')
    assert log.run("features", fingerprint("ledger 1"), [work.output], work).ran
