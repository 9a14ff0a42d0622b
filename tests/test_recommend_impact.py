"""What the prompts earned against the control group, with the error of that number."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from clv.errors import DataError, MissingColumn, TooLittleData
from recommend.impact import decisions_needed, detectable_lift, impact, lift


def table(treated: int, bought: int, held: int, bought_held: int, value: float = 20.0) -> pd.DataFrame:
    rows = [("treatment", i < bought) for i in range(treated)] + [
        ("control", i < bought_held) for i in range(held)
    ]
    return pd.DataFrame(
        {
            "customer_id": [f"c{i}" for i in range(len(rows))],
            "arm": [arm for arm, _ in rows],
            "converted": [int(yes) for _, yes in rows],
            "value": [value * yes for _, yes in rows],
        }
    )


def test_lift_and_its_error_follow_the_delta_method() -> None:
    # t = 550 of 10,000, c = 500 of 10,000: SE_t = sqrt(.055 x .945 / 10,000) = .0022798, SE_c = .0021794
    # lift 10 %; SE = sqrt(.0022798^2 + (1.1 x .0021794)^2) / .05 = .066166
    found = impact(table(10_000, 550, 10_000, 500)).conversion
    assert found.lift == pytest.approx(0.10)
    assert found.error == pytest.approx(0.066166, rel=1e-4)
    assert found.low == pytest.approx(0.10 - 1.959964 * 0.066166, rel=1e-3)
    assert not found.significant


def test_the_delta_method_agrees_with_simulation() -> None:
    random = np.random.default_rng(1)
    treated, held = random.binomial(9_000, 0.06, 4_000) / 9_000, random.binomial(3_000, 0.05, 4_000) / 3_000
    simulated = (treated / held - 1).std()
    t, c = 0.06, 0.05
    error = lift(t, np.sqrt(t * (1 - t) / 9_000), c, np.sqrt(c * (1 - c) / 3_000)).error
    assert simulated == pytest.approx(
        error, rel=0.05
    )  # 4,000 simulations: 1.1 % standard error, and curvature


def test_what_was_earned_is_the_difference_times_the_customers_less_the_cost() -> None:
    # 6 % against 5 %, 20 each: (1.2 - 1.0) x 9,000 = 1,800
    found = impact(table(9_000, 540, 1_000, 50), cost=500.0)
    assert found.earned == pytest.approx(1_800.0)
    assert found.net == pytest.approx(1_300.0)
    assert found.earned_low < 1_800 < found.earned_high
    assert found.value is not None
    assert found.value.lift == pytest.approx(0.2)


def test_a_clear_effect_is_said_in_a_sentence_and_an_unclear_one_is_not_claimed() -> None:
    assert impact(table(20_000, 2_000, 2_000, 100)).verdict.startswith(
        "100.0% more customers convert with prompts"
    )
    assert impact(table(20_000, 500, 2_000, 100)).verdict.startswith("50.0% fewer customers")
    unclear = impact(table(900, 50, 100, 5))
    assert unclear.verdict.startswith("Not enough data to tell prompts from none")
    assert f"{unclear.detectable_lift:.1%} would have shown" in unclear.verdict


def test_the_total_sample_is_twice_what_the_halved_formula_says() -> None:
    # 5 % conversion, +10 %, 80 % power: 31,231 in each of two equal arms, so 62,462 together
    assert decisions_needed(0.05, 0.10, 0.50) == pytest.approx(62_462, abs=2)
    assert decisions_needed(0.05, 0.10, 0.10) == pytest.approx(173_500, rel=0.001)
    assert decisions_needed(0.05, 0.10, 0.02) == pytest.approx(797_000, rel=0.001)


def test_the_sample_size_gives_the_power_it_promises() -> None:
    total = decisions_needed(0.05, 0.10, 0.10)
    held = total // 10
    random = np.random.default_rng(2)
    t, c = (
        random.binomial(total - held, 0.055, 4_000) / (total - held),
        random.binomial(held, 0.05, 4_000) / held,
    )
    error = np.sqrt(t * (1 - t) / (total - held) + c * (1 - c) / held)
    # arms of unequal size and variance: the mean of both variances is a little off, hence 3 points
    assert np.mean((t - c) / error > 1.959964) == pytest.approx(0.80, abs=0.03)


def test_the_detectable_lift_shrinks_with_the_control_group() -> None:
    # (1.959964 + 0.841621) x sqrt(.05 x .95 x (1/9,000 + 1/1,000)) / .05 = .40706
    assert detectable_lift(0.05, 9_000, 1_000) == pytest.approx(0.40706, rel=1e-4)
    assert detectable_lift(0.05, 5_000, 5_000) < detectable_lift(0.05, 9_000, 1_000)


def test_a_customers_decisions_are_added_up_before_arms_are_compared() -> None:
    once = table(400, 40, 100, 10)
    split = pd.concat(
        [once.assign(value=once["value"] / 2), once.assign(value=once["value"] / 2, converted=0)]
    )
    assert impact(split) == impact(once)


@pytest.mark.parametrize(
    ("change", "error", "what"),
    [
        (lambda t: t.drop(columns="arm"), MissingColumn, "'arm' is missing"),
        (lambda t: t.assign(arm="holdout"), DataError, "Unknown arm 'holdout'"),
        (lambda t: t.assign(customer_id="c1"), DataError, "in both arms"),
        (lambda t: t[t["arm"] == "treatment"], TooLittleData, "the control arm has 0 customers"),
        (
            lambda t: t.assign(converted=0),
            TooLittleData,
            "the control arm has 100 customers, 0 of them converted",
        ),
    ],
)
def test_arms_that_cannot_be_compared_are_refused(change: object, error: type, what: str) -> None:
    with pytest.raises(error, match=what):
        impact(change(table(400, 40, 100, 10)))  # type: ignore[operator]


def test_a_control_without_value_has_no_relative_lift_of_value() -> None:
    worthless = table(400, 40, 100, 10, value=0.0)
    assert impact(worthless).value is None
