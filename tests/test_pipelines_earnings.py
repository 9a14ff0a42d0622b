"""The head of service reads what a month of prompts earned, or that it cannot be told yet."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner

from clv.errors import DataError
from clv.service import AgentCost
from pipelines.cli import app
from pipelines.earnings import Earned, earned
from pipelines.ingest import ingest
from pipelines.ledger import Ledger
from pipelines.sources import source_for

JUNE = date(2026, 6, 15)
AGENT = AgentCost(wage_per_hour=20.0, on_cost_factor=1.5, occupancy=0.75)  # 40 an hour


def questions(folder: Path, treated: int = 90, held: int = 30) -> Path:
    """Write one question on 10 June about each customer, and one in May that is another month's."""
    file = folder / "questions.csv"
    with file.open("w", newline="", encoding="utf-8") as out:
        writer = csv.writer(out)
        writer.writerow(
            ["decision_id", "at", "customer_id", "channel", "agent_id", "arm", "hints", "silence"]
        )
        for n in range(treated + held):
            arm = "treatment" if n < treated else "control"
            said = (2, "") if n < treated else (0, "held back: the customer is in the control group")
            writer.writerow([n, "2026-06-10T12:00:00+00:00", f"c{n}", "chat", "eva", arm, *said])
        writer.writerow(["may", "2026-05-31T23:59:59+00:00", "c0", "chat", "eva", "control", 0, "x"])
    return file


@pytest.fixture
def ledger(tmp_path: Path):
    """Sixty of ninety with prompts and ten of thirty without bought for 30 after they were asked about."""
    buyers = [*range(60), *range(90, 100)]
    lines = [f"c{n},{n},2026-06-20,30" for n in buyers]
    lines += [f"c{n},early{n},2026-06-09,500" for n in range(120)]  # before the question: nobody's merit
    lines += ["c0,next,2026-07-01,500", "c1,1,2026-06-25,-30"]  # the month after; c1 sent it back
    (tmp_path / "purchases.csv").write_text("\n".join(["customer_id,order_id,date,amount", *lines]))
    talks = ["t1,c0,2026-06-10,phone,inbound,1800", "t2,c1,2026-05-10,phone,inbound,1800"]
    head = "interaction_id,customer_id,occurred_at,channel,direction,handle_seconds"
    (tmp_path / "interactions.csv").write_text("\n".join([head, *talks]))
    with Ledger(tmp_path / "ledger.duckdb") as found:
        ingest(found, source_for(tmp_path / "purchases.csv", tmp_path / "interactions.csv"))
        yield found


def test_a_month_earns_the_difference_of_the_arms_for_everybody_with_prompts(
    ledger: Ledger, tmp_path: Path
) -> None:
    # with prompts 59 x 30 / 90 = 19.67 each, without 10 x 30 / 30 = 10: 9.67 x 90 = 870
    found = earned(ledger, questions(tmp_path), JUNE, agent=AGENT)
    assert (found.questions, found.silent, found.hints) == (120, 30, 180)
    assert found.impact is not None
    assert found.impact.treatment.rate == pytest.approx(60 / 90)
    assert found.impact.control.rate == pytest.approx(10 / 30)
    assert found.impact.earned == pytest.approx(59 * 30 - 90 * 10)
    assert (found.impact.cost, found.impact.net) == pytest.approx((20.0, 850.0))


def test_only_the_margin_is_earned(ledger: Ledger, tmp_path: Path) -> None:
    found = earned(ledger, questions(tmp_path), JUNE, margin_rate=0.25)
    assert found.impact is not None
    assert found.impact.earned == pytest.approx(0.25 * 870)


def test_too_few_customers_are_no_figure_but_a_reason(ledger: Ledger, tmp_path: Path) -> None:
    found = earned(ledger, questions(tmp_path, held=20), JUNE)
    assert isinstance(found, Earned)
    assert found.impact is None
    assert "Not enough data" in found.because


def test_a_month_without_questions_is_named(ledger: Ledger, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="2026-12"):
        earned(ledger, questions(tmp_path), date(2026, 12, 1))


def test_the_log_must_be_there(ledger: Ledger, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="clv feedback"):
        earned(ledger, tmp_path / "nowhere.csv", JUNE)


def test_the_report_is_one_command(ledger: Ledger, tmp_path: Path) -> None:
    questions(tmp_path)
    ledger.close()
    said = CliRunner().invoke(
        app, ["earned", "--month", "2026-06", "--data-dir", str(tmp_path), "--feedback", str(tmp_path)]
    )
    assert said.exit_code == 0, said.output
    assert "120 questions, 30 answered with silence, 180 hints" in said.output
    assert "Prompts earned 870" in said.output
