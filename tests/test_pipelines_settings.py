"""Settings come from one file and the environment, and a wrong one is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from clv.errors import SettingError
from pipelines.settings import load_settings
from recommend.explore import EpsilonGreedy, PlackettLuce, Thompson, explorer_from
from recommend.worth import Arbitration


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def written(folder: Path, text: str) -> Path:
    file = folder / "clv.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_without_a_file_the_defaults_hold() -> None:
    settings = load_settings()
    assert (settings.data.data_dir, settings.value.horizon_days) == (Path("var"), 365)


def test_a_file_in_the_working_folder_is_read(tmp_path: Path) -> None:
    written(tmp_path, "[value]\nhorizon_days = 180\n")
    assert load_settings().value.horizon_days == 180


def test_the_environment_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = written(tmp_path, "[value]\nhorizon_days = 180\n")
    monkeypatch.setenv("CLV_VALUE__HORIZON_DAYS", "90")
    assert load_settings(file).value.horizon_days == 90


def test_the_services_own_section_is_left_to_the_service(tmp_path: Path) -> None:
    file = written(tmp_path, "[serving]\nport = 9000\n")
    assert load_settings(file).value.horizon_days == 365


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[value]\nhorizon_days = 0\n", "value.horizon_days"),
        ("[value]\nmargin_rate = 1.5\n", "value.margin_rate"),
        ("[data]\nsauce = 'cdnow'\n", "data.sauce"),
        ("[trainings]\nthreads = 2\n", "trainings"),
        ("[decision]\nexploration = 'bandit'\n", "decision.exploration"),
        ("[decision]\nepsilon = 2\n", "decision.epsilon"),
        ("[decision.arbitration]\nflour = 1\n", "decision.arbitration.*flour"),
        ("[decision.arbitration]\nfloor = -1\n", "decision.arbitration.*negative"),
        ("[value\n", "TOML"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(tmp_path: Path, text: str, named: str) -> None:
    with pytest.raises(SettingError, match=named):
        load_settings(written(tmp_path, text))


def test_a_missing_file_is_an_error_and_not_a_default(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="does not exist"):
        load_settings(tmp_path / "nowhere.toml")


def test_how_offers_are_weighed_and_tried_is_read_as_it_will_be_published(tmp_path: Path) -> None:
    assert load_settings().decision.explorer() == {}
    text = """
[decision]
exploration = "thompson"
seed = 7
[decision.arbitration]
floor = 0.5
group_levers = {wine = 20.0}
[[decision.arbitration.context_weights]]
key = "mention"
value = ""
percent = 300.0
"""
    decision = load_settings(written(tmp_path, text)).decision
    assert explorer_from(decision.explorer()) == Thompson(seed=7)
    weights = Arbitration.from_json(decision.arbitration)
    assert (weights.floor, weights.group_levers) == (0.5, {"wine": 20.0})
    assert [(weight.key, weight.percent) for weight in weights.context_weights] == [("mention", 300.0)]
    for kind in (EpsilonGreedy(), PlackettLuce()):
        name = {"EpsilonGreedy": "epsilon", "PlackettLuce": "plackett_luce"}[type(kind).__name__]
        settings = load_settings(written(tmp_path, f"[decision]\nexploration = '{name}'\n"))
        assert explorer_from(settings.decision.explorer()) == kind
