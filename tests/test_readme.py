"""What the README promises is what happens."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from pipelines.cli import app
from serving.app import create_app

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
pytestmark = pytest.mark.xdist_group("night")


def block(opening: str) -> str:
    found = re.search(rf"^```{re.escape(opening)}\n(.*?)^```", README, re.DOTALL | re.MULTILINE)
    assert found is not None, f"the README has no block {opening}"
    return found[1]


def commands(holding: str) -> list[str]:
    blocks = re.findall(r"^```sh\n(.*?)^```", README, re.DOTALL | re.MULTILINE)
    chosen = next(text for text in blocks if holding in text)
    return [line.split("#")[0].strip() for line in chosen.splitlines()]


def test_the_walk_through_with_a_small_file_does_what_it_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "orders.csv").write_text(block("csv orders.csv"), encoding="utf-8")
    run, serve = commands("--source orders.csv")
    done = CliRunner().invoke(app, shlex.split(run)[1:], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    assert "13 read, 12 accepted, 0 duplicates, 1 quarantined" in " ".join(done.output.split())
    refused = next((tmp_path / "shop" / "quarantine").glob("*")).read_text(encoding="utf-8")
    assert "not known" in refused
    assert serve == "clv serve --data-dir shop"
    monkeypatch.setenv("CLV_DATA__DATA_DIR", "shop")
    with TestClient(create_app(), base_url="http://127.0.0.1:8000") as client:
        ann = client.get(block("http").split()[1]).json()
        hints = client.post("/v1/customers/ann/next-best-offers", json={}).json()
    assert ann["value"]["historic_clv"] == pytest.approx(20.50 + 18.00 + 22.75 + 19.90)
    assert ann["value"]["historic_number_of_orders"] == 4
    assert hints["hints"] == []
    assert "what was bought" in hints["silence"]


def test_what_was_heard_by_day_goes_into_the_next_night_as_it_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "orders.csv").write_text(block("csv orders.csv"), encoding="utf-8")
    first = ["run", "--source", "orders.csv"]
    assert CliRunner().invoke(app, first, catch_exceptions=False).exit_code == 0
    with TestClient(create_app(), base_url="http://127.0.0.1:8000") as client:
        day = client.get("/v1/segments").json()["as_of"]
        told = {
            "event": "Order Completed",
            "messageId": "m1",
            "userId": "ann",
            "timestamp": f"{day}T09:00:00Z",
        }
        client.post("/v1/events", json={**told, "properties": {"order_id": "n1", "total": 5.0}})
        before = client.get("/v1/customers/ann").json()
    feedback, *run = commands("clv feedback")
    for words in (feedback, " ".join(run).replace("\\", "")):
        done = CliRunner().invoke(app, shlex.split(words)[1:], catch_exceptions=False)
        assert done.exit_code == 0, done.output
    with TestClient(create_app(), base_url="http://127.0.0.1:8000") as client:
        after = client.get("/v1/customers/ann").json()
    assert (before["live"], after["live"]) == (True, False)
    assert after["value"]["historic_clv"] == pytest.approx(before["value"]["historic_clv"])


def test_every_verb_of_the_readme_is_one_of_the_command_line() -> None:
    promised = re.findall(r"^clv (\w+) {2,}", README, re.MULTILINE)
    helped = CliRunner().invoke(app, ["--help"]).output
    assert promised
    assert [verb for verb in promised if not re.search(rf"\b{verb}\b", helped)] == []


def test_every_file_the_readme_shows_is_there() -> None:
    shown = re.findall(r"!\[[^]]*\]\(([^)]+)\)", README)
    assert shown
    assert [name for name in shown if not (ROOT / name).exists()] == []
