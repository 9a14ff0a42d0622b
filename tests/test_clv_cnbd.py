"""(M)BG/CNBD-k gives the numbers of Platzer and Reutterer's package, and the exact expectations."""

from __future__ import annotations

import numpy as np
import pytest

from clv.cnbd import BGCNBD, MBGCNBD
from clv.errors import MissingColumn, SettingError
from clv.mbgnbd import MBGNBD
from clv.summary import log_gaps
from tests import cdnow


@pytest.fixture(scope="module")
def calibration():
    split = cdnow.sample_split()
    gaps = log_gaps(cdnow.sample(), cdnow.CALIBRATION_END).reindex(split.summary["customer_id"]).to_numpy()
    summary = cdnow.weeks(split.summary)
    return summary.assign(log_gap_sum=gaps - summary["frequency"] * np.log(7.0))


@pytest.mark.parametrize(
    ("model", "printed", "likelihood"),
    [
        # BTYDplus: .580/2.288/1.135/1.585, .533/1.258/1.289/1.845; digits and likelihoods recomputed.
        (MBGCNBD(k=2, prior=False), (0.57990, 2.28815, 1.13445, 1.58497), -9853.253),
        (MBGCNBD(k=3, prior=False), (0.53297, 1.25820, 1.28866, 1.84521), -10394.363),
        (BGCNBD(k=2, prior=False), (0.22692, 1.46292, 0.94400, 2.07433), -9855.327),
    ],
)
def test_parameters_and_likelihood_are_those_of_btydplus(calibration, model, printed, likelihood):
    model.fit(calibration)
    assert [model.parameters_[name] for name in model.names] == pytest.approx(printed, abs=1e-5)
    assert model.log_likelihood_ == pytest.approx(likelihood, abs=5e-4)
    assert model.log_likelihood(calibration) == pytest.approx(
        likelihood - (model.parameters_["k"] - 1) * calibration["log_gap_sum"].sum(), abs=5e-4
    )


def test_cdnow_customers_are_not_regular_so_one_tick_an_order_is_found(calibration):
    found = MBGCNBD(prior=False).fit(calibration)
    assert found.parameters_["k"] == 1.0
    assert found.log_likelihood_ == pytest.approx(-9582.1357, abs=5e-5)


def test_one_tick_an_order_is_the_mbg_nbd_with_its_expectations(calibration):
    irregular = MBGNBD.of(r=0.52484, alpha=6.18308, a=0.89136, b=1.61400)
    ticking = MBGCNBD.of(k=1, r=0.52484, alpha=6.18308, a=0.89136, b=1.61400)
    few = calibration.iloc[::50]
    assert ticking.expected_orders(few, 39.0) == pytest.approx(irregular.expected_orders(few, 39.0), rel=1e-9)
    assert ticking.probability_alive(few) == pytest.approx(irregular.probability_alive(few), rel=1e-12)
    x, t_x, T = (few[name].to_numpy(float) for name in ("frequency", "recency_days", "age_days"))
    assert ticking.wait_if_alive(x, t_x, T, 0.5) == pytest.approx(
        irregular.wait_if_alive(x, t_x, T, 0.5), rel=1e-9
    )
    assert ticking.stays_if_alive(x, t_x, T, 20.0) == pytest.approx(
        irregular.stays_if_alive(x, t_x, T, 20.0), rel=1e-9
    )
    discounted = irregular.discounted_orders(x, t_x, T, 52.0, 0.002)
    assert ticking.discounted_orders(x, t_x, T, 52.0, 0.002) == pytest.approx(discounted, rel=1e-7)


def simulated(k, customers=3_000):
    rng = np.random.default_rng(5)
    rate, leave = rng.gamma(3.0, 1 / 20.0, customers) * k, rng.beta(0.5, 4.0, customers)
    rows = []
    for one, p in zip(rate, leave, strict=True):
        t, x, last, logs = 0.0, 0, 0.0, 0.0
        while rng.random() > p:
            gap = rng.gamma(k, 1 / one)
            t += gap
            if t > 300:
                break
            x, last, logs = x + 1, t, logs + np.log(gap)
        rows.append((x, last, 300.0, logs))
    x, last, T, logs = np.array(rows).T
    return {"frequency": x, "recency_days": last, "age_days": T, "log_gap_sum": logs}


def test_regular_buyers_are_recognised_and_their_ticks_counted():
    model = MBGCNBD().fit(simulated(3))
    assert model.parameters_["k"] == 3.0
    assert model.parameters_["a"] / (model.parameters_["a"] + model.parameters_["b"]) == pytest.approx(
        0.111, abs=0.01
    )


def test_a_regular_buyer_who_is_late_is_more_likely_gone_than_an_irregular_one():
    late = {"frequency": [10], "recency_days": [100.0], "age_days": [130.0]}
    regular = MBGCNBD.of(k=4, r=3.0, alpha=8.0, a=0.5, b=4.0)
    irregular = MBGCNBD.of(k=1, r=3.0, alpha=32.0, a=0.5, b=4.0)
    assert regular.probability_alive(late)[0] < irregular.probability_alive(late)[0]


def test_the_ticks_survive_json():
    model = MBGCNBD.of(k=3, r=0.5, alpha=8.0, a=0.9, b=1.6)
    again = MBGCNBD.from_json(model.to_json())
    late = {"frequency": [3], "recency_days": [100.0], "age_days": [130.0]}
    assert again.expected_orders(late, 50.0) == model.expected_orders(late, 50.0)


def test_finding_the_ticks_needs_the_gaps():
    with pytest.raises(MissingColumn, match="log_gap_sum"):
        MBGCNBD().fit({"frequency": [1, 0], "recency_days": [5, 0], "age_days": [9, 9]})


def test_half_a_tick_is_refused():
    with pytest.raises(SettingError, match="ticks"):
        MBGCNBD(k=0).fit({"frequency": [1, 0], "recency_days": [5, 0], "age_days": [9, 9]})


def test_a_window_that_starts_later_is_refused():
    model = MBGCNBD.of(k=2, r=0.5, alpha=8.0, a=0.9, b=1.6)
    with pytest.raises(SettingError, match="starts now"):
        model.window_if_alive(*np.array([[1.0], [2.0], [3.0]]), 5.0, 5.0)
