"""Replay answers what another policy would have brought, or says that the log cannot tell."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest

from clv.errors import DataError, MissingColumn, TooLittleData
from recommend.candidate import Candidate
from recommend.catalogue import Catalogue, Offer
from recommend.context import Context
from recommend.control import ControlGroup
from recommend.engine import Engine
from recommend.explore import EpsilonGreedy
from recommend.policies import Policies
from recommend.profile import Profile
from recommend.replay import Replay, replay, resampled_means, table_of
from recommend.reward import expected_rewards

OFFERS = ("a", "b", "c")
RATES = {"young": (0.5, 0.1, 0.2), "old": (0.1, 0.4, 0.2)}


def simulated(rows: int, seed: int) -> tuple[pd.DataFrame, np.ndarray]:
    """A log of a policy that prefers `a`, whoever is there; and the truth about each row and offer."""
    random = np.random.default_rng(seed)
    who = random.choice(["young", "old"], size=rows)
    truth = np.array([RATES[one] for one in who])
    logged = np.array([0.6, 0.25, 0.15])
    made = random.choice(3, size=rows, p=logged)
    rewards = (random.random(rows) < truth[np.arange(rows), made]).astype(float)
    table = pd.DataFrame(
        {
            "offer_id": np.array(OFFERS)[made],
            "selection_probability": logged[made],
            "reward": rewards,
            "who": who,
            "visits": random.normal(size=rows),
        }
    )
    return table, truth


def personal(table: pd.DataFrame) -> np.ndarray:
    """A target policy: mostly the best offer of each group."""
    return np.where((table["who"] == "young").to_numpy()[:, None], [0.8, 0.1, 0.1], [0.1, 0.8, 0.1])


def answer(rows: int = 4_000, seed: int = 1, **more: object) -> tuple[Replay, float]:
    table, truth = simulated(rows, seed)
    target = personal(table)
    found = replay(table, target, features=["who", "visits"], samples=200, **more)  # type: ignore[arg-type]
    return found, float((target * truth).sum(axis=1).mean())


def test_hand_worked_weights_give_the_hand_worked_answers() -> None:
    # 60 times a (b = 0.5) with 12 rewards, 40 times b (b = 0.2) with 20 rewards; target: a 0.25, b 0.75
    # weights 0.5 and 3.75: IPS = (12 x 0.5 + 20 x 3.75) / 100 = 0.81; they sum to 60 x 0.5 + 40 x 3.75 = 180
    # SNIPS = 81 / 180 = 0.45; effective = 180^2 / (60 x 0.25 + 40 x 14.0625) = 32,400 / 577.5 = 56.1
    table = pd.DataFrame(
        {
            "offer_id": ["a"] * 60 + ["b"] * 40,
            "selection_probability": [0.5] * 60 + [0.2] * 40,
            "reward": [1] * 12 + [0] * 48 + [1] * 20 + [0] * 20,
            "target": [0.25] * 60 + [0.75] * 40,
        }
    )
    found = replay(table, "target")
    assert found.estimate("ips").value == pytest.approx(0.81)
    assert found.estimate("snips").value == pytest.approx(0.45)
    assert found.logged.value == pytest.approx(0.32)
    assert found.effective_decisions == pytest.approx(32_400 / 577.5)
    assert found.largest_weight == pytest.approx(3.75)
    assert [one.estimator for one in found.estimates] == ["ips", "snips"]
    by_offer = replay(table, {"a": 0.25, "b": 0.75})
    assert by_offer.estimate("ips").value == pytest.approx(0.81)
    assert [one.estimator for one in by_offer.estimates] == ["ips", "snips", "dm", "dr", "switch_dr"]


def test_every_estimator_finds_a_policy_that_is_better_in_truth() -> None:
    found, truth = answer(confidence=0.999)
    assert found.verdict == "better"
    assert found.warnings == ()
    for one in found.estimates:
        assert one.low < one.value < one.high
        assert one.is_about(truth), one
        # the model has no interaction of group and offer, so DM alone is off by up to 0.15
        assert one.value == pytest.approx(truth, abs=0.15 if one.estimator == "dm" else 0.035), one


def test_intervals_hold_the_truth_as_often_as_they_say_and_doubly_robust_is_steadier_than_weights() -> None:
    names = ("ips", "snips", "dr")
    held, errors = dict.fromkeys(names, 0), dict.fromkeys(names, 0.0)
    for seed in range(20):
        found, truth = answer(rows=400, seed=seed)
        for name in names:
            held[name] += found.estimate(name).is_about(truth)
            errors[name] += (found.estimate(name).value - truth) ** 2
    # 95 % of 20 is 19; 16 or fewer would come about once in 60 such tests
    assert min(held.values()) >= 17, held
    assert errors["dr"] < errors["ips"]


def test_the_logged_policy_is_worth_its_own_mean() -> None:
    table, _ = simulated(2_000, 3)
    found = replay(table.assign(same=table["selection_probability"]), "same")
    assert found.estimate("ips").value == pytest.approx(found.logged.value)
    assert found.effective_decisions == pytest.approx(2_000)
    assert found.verdict == "not enough data"


def test_a_worse_policy_is_called_worse() -> None:
    table, _ = simulated(4_000, 4)
    upside_down = personal(table)[:, [1, 0, 2]]
    assert replay(table, upside_down, features=["who"]).verdict == "worse"


def test_a_small_log_says_how_many_decisions_would_tell() -> None:
    table, _ = simulated(300, 6)
    found = replay(table, {"a": 0.5, "b": 0.3, "c": 0.2})
    assert found.verdict == "not enough data"
    assert "decisions would tell" in found.reason


def test_money_is_judged_as_well_as_yes_and_no() -> None:
    table, truth = simulated(4_000, 7)
    target = personal(table)
    found = replay(table.assign(reward=table["reward"] * 12.5), target, features=["who"], samples=200)
    assert found.estimate("dr").is_about(12.5 * float((target * truth).sum(axis=1).mean()))


@pytest.mark.parametrize(
    ("target", "warning"),
    [
        (
            {"a": 0.1, "b": 0.1, "c": 0.1, "z": 0.7},
            "70.0% of the target's decisions are offers the log never shows",
        ),
        ({"c": 1.0}, ""),
    ],
)
def test_what_the_log_cannot_witness_is_called_out(target: dict[str, float], warning: str) -> None:
    table, _ = simulated(2_000, 8)
    found = replay(table, target)
    assert any(warning in one for one in found.warnings) == bool(warning)


def test_wrong_probabilities_few_effective_decisions_and_a_single_heavy_one_are_called_out() -> None:
    table, _ = simulated(2_000, 9)
    doubled = table.assign(
        selection_probability=table["selection_probability"] / 2, same=table["selection_probability"]
    )
    assert any("the weights' mean is 2.000" in one for one in replay(doubled, "same").warnings)
    heavy = table.assign(same=0.001)
    heavy.loc[0, "same"] = 1.0
    warnings = replay(heavy, "same").warnings
    assert any("decisions of the target policy, of 2000" in one for one in warnings)
    assert any("one decision carries" in one for one in warnings)


@pytest.mark.parametrize(
    ("column", "value", "error", "what"),
    [
        ("selection_probability", 0.0, DataError, "selection_probability is"),
        ("selection_probability", 1.2, DataError, "selection_probability is"),
        ("selection_probability", None, DataError, "selection_probability is"),
        ("reward", "much", DataError, "reward is 'much'"),
        ("p", -0.1, DataError, "p is"),
        ("selection_probability", "drop", MissingColumn, "'selection_probability' is missing"),
        ("reward", 0.0, TooLittleData, "200 decisions, 0 of them with a reward"),
    ],
)
def test_a_log_that_cannot_be_replayed_says_why(column: str, value: object, error: type, what: str) -> None:
    table, _ = simulated(200, 10)
    table = table.assign(p=0.3).astype({"reward": object})
    table = table.drop(columns=column) if value == "drop" else table
    if column == "reward" and value == 0.0:
        table["reward"] = 0.0
    elif value != "drop":
        table.loc[3, column] = value
    with pytest.raises(error, match=what):
        replay(table, "p")


def test_too_short_a_log_is_not_enough_data() -> None:
    table, _ = simulated(99, 11)
    with pytest.raises(TooLittleData, match="Not enough data: 99 decisions"):
        replay(table, {"a": 1.0})


@pytest.mark.parametrize("target", [np.full((200, 2), 0.5), np.full((200, 3), 0.5), {"a": 0.5}])
def test_a_target_that_is_no_policy_is_refused(target: object) -> None:
    table, _ = simulated(200, 12)
    with pytest.raises(DataError):
        replay(table, target)  # type: ignore[arg-type]


def test_a_large_log_is_resampled_in_groups_with_the_same_spread() -> None:
    values = np.random.default_rng(13).normal(size=(50_000, 1))
    spread = resampled_means(values, 400, 0)[0].std()
    assert spread == pytest.approx(1 / np.sqrt(50_000), rel=0.12)  # 400 samples: 3.5 % standard error, x 3


def test_a_reward_that_never_varies_is_its_own_expectation() -> None:
    table, _ = simulated(120, 14)
    offers = np.zeros(120, dtype=np.intp)
    for level in (0.0, 1.0, 7.5):
        expected = expected_rewards(table, ["who"], offers, np.full(120, level), 1)
        assert expected.of(offers) == pytest.approx(np.full(120, level), abs=1e-9)


def test_logged_decisions_become_a_table_with_what_came_of_them() -> None:
    offers = [Offer("a", "A", "upsell", margin=3.0), Offer("b", "B", "cross_sell", margin=2.0)]
    engine = Engine(
        Catalogue(offers),
        Policies(control=ControlGroup(0.5)),
        proposer=Both(),
        explorer=EpsilonGreedy(0.5, seed=1),
    )
    at = datetime(2026, 2, 10, tzinfo=UTC)
    asked = [(Profile(f"c{i}", at.date()), f"d{i}") for i in range(400)]
    decisions = [engine.decide(profile, Context(), at, decision_id) for profile, decision_id in asked]
    table = table_of(decisions, {("d0", "a"): 1.0, ("d0", "b"): 1.0})
    treated = [decision for decision in decisions if decision.arm == "treatment"]
    assert len(table) == 2 * len(treated)
    # the better offer comes first unless an even draw, half the time, turns the two round: 0.5 + 0.5 / 2
    first = table[table["place"] == 1]
    expected = np.where(first["offer_id"] == "a", 0.75, 0.25)
    assert first["selection_probability"].to_numpy() == pytest.approx(expected)
    assert table.loc[table["place"] == 2, "selection_probability"].to_numpy() == pytest.approx(1.0)
    share = float((first["offer_id"] == "a").mean())
    assert share == pytest.approx(0.75, abs=4 * np.sqrt(0.75 * 0.25 / len(first)))


class Both:
    def propose(
        self, profile: Profile, catalogue: Catalogue, context: Context, at: datetime, explain: bool = False
    ) -> list[Candidate]:
        return [Candidate("a", propensity=0.5), Candidate("b", propensity=0.5)]
