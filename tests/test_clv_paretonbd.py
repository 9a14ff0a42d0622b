"""Pareto/NBD gives the numbers its papers and the BTYD walkthrough print."""

from __future__ import annotations

import numpy as np
import pytest

from clv.paretonbd import ParetoNBD
from clv.summary import summarize
from tests import cdnow


@pytest.fixture(scope="module")
def calibration():
    return cdnow.weeks(cdnow.sample_split().summary)


@pytest.fixture(scope="module")
def fitted(calibration):
    return ParetoNBD(prior=False).fit(calibration)


def test_parameters_errors_and_likelihood_are_those_of_fhl_2005_and_clvtools(fitted):
    # FHL 2005 print .553, 10.578, .606, 11.669, -9595.0; CLVTools' tests have the errors .0476264 ... 6.2105.
    assert fitted.parameters_ == pytest.approx(
        {"r": 0.55328, "alpha": 10.5777, "s": 0.60624, "beta": 11.6687}, abs=5e-5
    )
    assert fitted.standard_errors_ == pytest.approx(
        {"r": 0.0476264, "alpha": 0.8427222, "s": 0.1872594, "beta": 6.2105}, rel=2e-4
    )
    assert fitted.log_likelihood_ == pytest.approx(-9594.9762, abs=5e-5)


def test_the_likelihood_the_fit_maximises_is_the_closed_form(fitted, calibration):
    # The fit integrates numerically over the moment of leaving; the closed form is 2F1.
    assert fitted.log_likelihood(calibration) == pytest.approx(fitted.log_likelihood_, abs=1e-6)


def test_the_full_cdnow_log_has_the_parameters_of_the_reference():
    summary = cdnow.weeks(summarize(cdnow.full(), cdnow.CALIBRATION_END))
    model = ParetoNBD(prior=False).fit(summary)
    expected = {"r": 0.59742, "alpha": 11.58566, "s": 0.52219, "beta": 8.82776}
    assert model.parameters_ == pytest.approx(expected, abs=5e-6)
    assert model.log_likelihood_ == pytest.approx(-95415.1186, abs=5e-5)


def test_a_customer_of_the_btyd_walkthrough_is_alive_and_buys_as_printed(fitted):
    heavy = {"frequency": [26], "recency_days": [216 / 7], "age_days": [31.0]}
    assert fitted.probability_alive(heavy)[0] == pytest.approx(0.997874, abs=1e-6)
    # The walkthrough's optimiser stopped short of the maximum, which moves the fifth digit.
    assert fitted.expected_orders(heavy, 52.0)[0] == pytest.approx(25.45647, rel=6e-5)
    assert fitted.expected_orders_new(52.0) == pytest.approx(1.473434, abs=1e-6)


def test_customers_silent_for_19_weeks_buy_less_the_more_they_used_to():
    # BTYD walkthrough, x = 10, 15, 20, 25, at parameters of three printed digits.
    model = ParetoNBD.of(r=0.553, alpha=10.578, s=0.606, beta=11.669)
    silent = {"frequency": [10, 15, 20, 25], "recency_days": [20.0] * 4, "age_days": [39.0] * 4}
    printed = [0.7062289, 0.1442396, 0.02250658, 0.00309267]
    assert model.expected_orders(silent, 52.0) == pytest.approx(printed, rel=2e-4)


def test_expected_orders_of_a_new_customer_are_those_of_the_btyd_manual():
    model = ParetoNBD.of(r=0.55, alpha=10.56, s=0.61, beta=11.64)
    printed = [
        0.05077821, 0.09916088, 0.14542507, 0.18979930, 0.23247466,
        0.27361274, 0.31335159, 0.35181024, 0.38909211,
    ]  # fmt: skip
    assert [model.expected_orders_new(t) for t in range(1, 10)] == pytest.approx(printed, abs=5e-9)
    assert model.expected_orders_new(0.0) == 0.0


def test_the_probabilities_of_being_alive_have_the_mean_and_median_btydplus_prints(fitted, calibration):
    alive = fitted.probability_alive(calibration)
    assert alive.mean() == pytest.approx(0.4462, abs=1e-4)
    assert np.median(alive) == pytest.approx(0.3499, abs=2e-4)


def test_the_holdout_by_calibration_frequency_is_the_table_of_the_btyd_walkthrough(fitted, calibration):
    bins = np.minimum(calibration["frequency"], 7)
    expected = fitted.expected_orders(calibration, 39.0)
    means = [expected[bins == k].mean() for k in range(8)]
    printed = [0.138, 0.600, 1.196, 1.714, 2.399, 2.907, 3.819, 6.403]
    assert means == pytest.approx(printed, abs=1.1e-3)  # the walkthrough's parameters again


def test_cumulative_orders_of_weeks_20_to_25_are_those_of_the_btyd_walkthrough(fitted, calibration):
    age = calibration["age_days"].to_numpy()
    starts = age.max() - age  # weeks after the first customer at which each customer came
    printed = [1308.856, 1385.275, 1459.923, 1532.906, 1604.32, 1674.253]

    def cumulative(week):
        return sum(fitted.expected_orders_new(week - start) for start in starts if start < week)

    assert [cumulative(week) for week in (20, 25)] == pytest.approx([printed[0], printed[5]], rel=2e-4)


def test_discounted_orders_for_ever_fall_with_a_long_silence_of_a_frequent_buyer():
    model = ParetoNBD.of(r=0.5629966, alpha=12.559037, s=0.4081095, beta=10.5148048)
    x = np.arange(1.0, 11.0)
    dert = model.discounted_orders_for_ever(x, np.full(10, 30.0), np.full(10, 77.86), 0.0027)
    printed = [2.19916, 2.84353, 2.86713, 2.44541, 1.84050, 1.26242, 0.80962, 0.49480, 0.29202, 0.16793]
    assert dert == pytest.approx(printed, abs=6e-6)


def test_a_long_finite_horizon_approaches_the_infinite_one():
    model = ParetoNBD.of(r=0.5629966, alpha=12.559037, s=0.4081095, beta=10.5148048)
    x, t_x, T = np.array([[7.0], [35.0], [77.86]])
    finite = model.discounted_orders(x, t_x, T, 10_000.0, 0.0027)
    assert finite == pytest.approx(model.discounted_orders_for_ever(x, t_x, T, 0.0027), rel=1e-7)


def test_half_of_those_who_order_again_have_done_so_by_the_median_wait():
    model = ParetoNBD.of(r=0.56, alpha=88.0, s=0.41, beta=74.0)
    x, T = np.array([0.0, 3.0, 20.0, 400.0]), np.full(4, 500.0)
    ordered = 1.0 - model._silence(x, T, model.wait_if_alive(x, T, T, 0.5))
    assert ordered == pytest.approx(0.5 * (1.0 - model.never_again_if_alive(x, T)), rel=1e-9)
