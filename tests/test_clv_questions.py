"""What people ask of a customer's orders has an exact answer."""

from __future__ import annotations

import numpy as np
import pytest

from clv.bgnbd import BGNBD
from clv.cnbd import MBGCNBD
from clv.draws import draw_orders
from clv.errors import DataError, SettingError
from clv.mbgnbd import MBGNBD
from clv.nbd import NBD
from clv.paretonbd import ParetoNBD
from clv.questions import (
    alive_path,
    churn_probability,
    days_to_next_order,
    expected_days_to_next_order,
    order_probability,
)

MODELS = [
    BGNBD.of(r=0.8, alpha=40.0, a=0.8, b=2.5),
    MBGNBD.of(r=0.8, alpha=40.0, a=0.8, b=2.5),
    ParetoNBD.of(r=0.8, alpha=40.0, s=0.7, beta=150.0),
]
ANN = {"frequency": [3.0], "recency_days": [80.0], "age_days": [100.0]}
MANY = tuple(np.full(200_000, ANN[name][0]) for name in ("frequency", "recency_days", "age_days"))


def lives(model, rng, horizon):
    """Order times of living customers like Ann, simulated one order at a time."""
    p, (x, _, T) = model.parameters_, MANY
    rate = rng.gamma(p["r"] + x) / (p["alpha"] + T)
    if model.kind == "paretonbd":
        chance, end = (
            np.zeros_like(rate),
            rng.exponential(size=rate.size) / (rng.gamma(p["s"], size=rate.size) / (p["beta"] + T)),
        )
    else:
        chance, end = rng.beta(p["a"], p["b"] + x + (model.kind == "mbgnbd")), np.full_like(rate, np.inf)
    clock, alive, times = np.zeros_like(rate), np.ones(rate.size, dtype=bool), []
    for _ in range(400):
        clock = clock + rng.exponential(size=rate.size) / rate
        alive = alive & (clock <= end)
        times.append(np.where(alive, clock, np.inf))
        left = rng.random(rate.size) < chance
        end = np.where(alive & left, clock, end)
        alive = alive & ~left
        if not (alive & (clock < horizon)).any():
            break
    return np.array(times), end


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.kind)
def test_windows_survival_and_waits_are_those_of_simulated_lives(model):
    times, end = lives(model, np.random.default_rng(3), 400.0)
    alive = model.probability_alive(ANN)[0]
    for start, stop in ((0.0, 30.0), (30.0, 90.0), (200.0, 210.0)):
        share = ((times > start) & (times <= stop)).any(axis=0).mean() * alive
        assert order_probability(model, ANN, start, stop)[0] == pytest.approx(share, abs=0.004)
    stays = (end > 120.0).mean() * alive
    assert 1.0 - churn_probability(model, ANN, 120.0)[0] == pytest.approx(stays, abs=0.004)
    first = times[0][np.isfinite(times[0])]
    assert days_to_next_order(model, ANN)[0] == pytest.approx(np.median(first), rel=0.02)
    assert days_to_next_order(model, ANN, 0.9)[0] == pytest.approx(np.quantile(first, 0.9), rel=0.03)
    assert expected_days_to_next_order(model, ANN)[0] == pytest.approx(first.mean(), rel=0.04)


def test_churn_now_is_one_less_the_probability_of_being_alive():
    model = MODELS[0]
    assert churn_probability(model, ANN)[0] == pytest.approx(1.0 - model.probability_alive(ANN)[0])


def test_a_customer_s_path_falls_in_silence_and_rises_with_an_order():
    path = alive_path(MODELS[0], [20, 25, 90], 120)
    assert path[:20].tolist() == [1.0] * 20  # who never came back may come yet, in this model
    assert path[89] < path[30] < path[26]
    assert path[90] > path[89]
    assert path[120] == pytest.approx(
        MODELS[0].probability_alive({"frequency": [3], "recency_days": [90], "age_days": [120]})[0]
    )


def test_the_draws_agree_with_the_window():
    model = MODELS[1]
    drawn = draw_orders(model, np.random.default_rng(4), *MANY, 60.0)
    assert order_probability(model, ANN, 0.0, 60.0)[0] == pytest.approx((drawn > 0).mean(), abs=0.004)


def test_a_mean_wait_that_does_not_exist_is_infinite():
    stranger = {"frequency": [0.0], "recency_days": [0.0], "age_days": [50.0]}
    assert expected_days_to_next_order(NBD.of(r=0.5, alpha=10.0), stranger)[0] == np.inf
    assert (
        expected_days_to_next_order(ParetoNBD.of(r=0.2, alpha=10.0, s=0.3, beta=10.0), stranger)[0] == np.inf
    )


def test_what_makes_no_sense_is_refused():
    with pytest.raises(SettingError, match="ends after it starts"):
        order_probability(MODELS[0], ANN, 30.0, 10.0)
    with pytest.raises(SettingError, match="between 0 and 1"):
        days_to_next_order(MODELS[0], ANN, 1.0)
    with pytest.raises(SettingError, match="median"):
        expected_days_to_next_order(MBGCNBD.of(k=2, r=1.0, alpha=1.0, a=1.0, b=1.0), ANN)
    with pytest.raises(DataError, match="rise"):
        alive_path(MODELS[0], [5, 5], 10)
