"""BG/NBD and MBG/NBD give the numbers their papers print."""

from __future__ import annotations

import numpy as np
import pytest

from clv.bgnbd import BGNBD, pmf
from clv.mbgnbd import MBGNBD
from clv.nbd import NBD
from tests import cdnow

PAPER = {"r": 0.243, "alpha": 4.414, "a": 0.793, "b": 2.426}


@pytest.fixture(scope="module")
def calibration():
    return cdnow.weeks(cdnow.sample_split().summary)


@pytest.fixture(scope="module")
def fitted(calibration):
    return BGNBD(prior=False).fit(calibration)


def test_the_cdnow_sample_is_that_of_the_paper():
    summary = cdnow.sample_split().summary
    assert (len(summary), summary["frequency"].sum(), (summary["frequency"] > 0).sum()) == (2357, 2457, 946)
    assert summary["frequency"].max() == 29
    assert cdnow.sample_split().orders.sum() == 1882


def test_parameters_and_likelihood_are_those_of_fader_hardie_and_lee_2005(fitted):
    # FHL 2005 print .243, 4.414, .793, 2.426 and -9582.4; the BTYD vignette and CLVTools -9582.429.
    assert fitted.parameters_ == pytest.approx(
        {"r": 0.24259, "alpha": 4.41360, "a": 0.79292, "b": 2.42591}, abs=5e-6
    )
    assert fitted.log_likelihood_ == pytest.approx(-9582.4292, abs=5e-5)


def test_standard_errors_are_those_of_the_inverse_hessian(fitted):
    errors = {"r": 0.0126, "alpha": 0.3782, "a": 0.1857, "b": 0.7054}
    assert fitted.standard_errors_ == pytest.approx(errors, abs=5e-5)


def test_mbg_nbd_has_the_parameters_of_btydplus_and_lifetimes(calibration):
    model = MBGNBD(prior=False).fit(calibration)
    assert model.parameters_ == pytest.approx(
        {"r": 0.52484, "alpha": 6.18308, "a": 0.89136, "b": 1.61400}, abs=1e-5
    )
    assert model.standard_errors_ == pytest.approx(
        {"r": 0.0833, "alpha": 0.6956, "a": 0.1548, "b": 0.5375}, abs=5e-5
    )
    assert model.log_likelihood_ == pytest.approx(-9582.1357, abs=5e-5)


def test_nbd_has_the_parameters_of_the_reference(calibration):
    model = NBD(prior=False).fit(calibration)
    assert model.parameters_ == pytest.approx({"r": 0.38477, "alpha": 12.0720}, abs=5e-5)
    assert model.log_likelihood_ == pytest.approx(-9763.6576, abs=5e-5)


def test_the_full_cdnow_log_has_the_parameters_lifetimes_and_clvkit_agree_on():
    from clv.summary import summarize

    summary = cdnow.weeks(summarize(cdnow.full(), cdnow.CALIBRATION_END))
    model = BGNBD(prior=False).fit(summary)
    assert model.parameters_ == pytest.approx(
        {"r": 0.25162, "alpha": 4.78894, "a": 0.72343, "b": 2.16109}, abs=5e-6
    )
    assert model.log_likelihood_ == pytest.approx(-95368.4439, abs=5e-5)
    other = MBGNBD(prior=False).fit(summary)
    assert other.parameters_ == pytest.approx(
        {"r": 0.63714, "alpha": 7.31029, "a": 0.80747, "b": 1.22839}, abs=5e-6
    )
    assert other.log_likelihood_ == pytest.approx(-95336.9583, abs=5e-5)


def test_a_customer_of_the_btyd_walkthrough_is_alive_and_buys_as_printed(fitted):
    # BTYD walkthrough: x=26, t_x=30.857, T=31 weeks; 52 weeks ahead 25.75659 orders, alive with .9688523.
    heavy = {"frequency": [26], "recency_days": [216 / 7], "age_days": [31.0]}
    # Its optimiser stopped a hair before the maximum , which moves the fifth digit.
    assert fitted.probability_alive(heavy)[0] == pytest.approx(0.9688523, abs=3e-6)
    assert fitted.expected_orders(heavy, 52.0)[0] == pytest.approx(25.75659, rel=4e-5)
    assert fitted.expected_orders_new(52.0) == pytest.approx(1.444004, abs=1e-5)


def test_customers_silent_for_19_weeks_buy_less_the_more_they_used_to(fitted):
    # BTYD walkthrough: x = 10, 15, 20, 25, t_x = 20, T = 39, the next 52 weeks.
    silent = {"frequency": [10, 15, 20, 25], "recency_days": [20.0] * 4, "age_days": [39.0] * 4}
    printed = [0.3474606, 0.04283391, 0.004158973, 0.0003583685]
    assert fitted.expected_orders(silent, 52.0) == pytest.approx(
        printed, rel=1e-4
    )  # printed at an unfinished maximum


def test_the_paper_s_own_example_expects_1_226_orders():
    history = {"frequency": [2], "recency_days": [30.43], "age_days": [38.86]}
    assert BGNBD.of(**PAPER).expected_orders(history, 39.0)[0] == pytest.approx(1.226, abs=5e-4)


def test_a_new_customer_s_expected_orders_are_those_of_the_paper_s_table(fitted):
    # The paper's spreadsheet works with unrounded parameters of its own solver, which moves the fourth digit.
    times = (0.1429, 1, 3, 31.8571, 32, 78)
    printed = (0.0078, 0.0532, 0.1506, 1.0405, 1.0437, 1.8576)
    assert [fitted.expected_orders_new(t) for t in times] == pytest.approx(printed, abs=5e-5, rel=2.5e-4)


def test_the_distribution_of_orders_is_that_of_the_btyd_manual():
    assert pmf(0, 39.0, **PAPER) == pytest.approx(0.5737864, abs=5e-8)
    assert pmf(10, 2.0, **PAPER) == pytest.approx(1.07869e-07, abs=5e-13)
    printed = [
        0.0019995214, 0.0015170236, 0.0011633150, 0.0009003148, 0.0007023638,
        0.0005517902, 0.0004361913, 0.0003467171, 0.0002769613, 0.0002222260,
    ]  # fmt: skip
    assert [pmf(x, 30.0, **PAPER) for x in range(11, 21)] == pytest.approx(printed, abs=5e-11)


def test_the_probabilities_of_being_alive_have_the_mean_and_quartile_btydplus_prints(fitted, calibration):
    alive = fitted.probability_alive(calibration)
    assert alive.mean() == pytest.approx(0.8134, abs=5e-5)
    assert np.quantile(alive, 0.25) == pytest.approx(0.6604, abs=5e-5)


def test_the_holdout_by_calibration_frequency_is_the_table_of_the_btyd_walkthrough(fitted, calibration):
    bins = np.minimum(calibration["frequency"], 7)
    split = cdnow.sample_split()
    expected = fitted.expected_orders(calibration, 39.0)
    assert np.bincount(bins).tolist() == [1411, 439, 214, 100, 62, 38, 29, 64]
    actual = [split.orders[bins == k].mean() for k in range(8)]
    assert actual == pytest.approx([0.237, 0.697, 1.393, 1.560, 2.532, 2.947, 3.862, 6.359], abs=5e-4)
    means = [expected[bins == k].mean() for k in range(8)]
    assert means == pytest.approx([0.225, 0.523, 1.044, 1.520, 2.164, 2.654, 3.504, 6.157], abs=5e-4)
