"""BG/BB gives the numbers of Fader, Hardie and Shang (2010) for the donations of 11,104 first-time donors."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from clv.bgbb import BGBB
from clv.errors import DataError
from tests import cdnow, laws


@pytest.fixture(scope="module")
def donations():
    table = pd.read_csv(cdnow.folder() / "donations.csv")
    return table.rename(columns={"recency": "recency_days", "periods": "age_days"})


@pytest.fixture(scope="module")
def fitted(donations):
    return BGBB(prior=False).fit(donations, sample_weight=donations["weights"])


def test_parameters_errors_and_likelihood_are_those_of_the_paper_and_btyd(fitted):
    # Paper: 1.204, .750, .657, 2.783; BTYD: -33225.58.
    assert fitted.parameters_ == pytest.approx(
        {"alpha": 1.20352, "beta": 0.74972, "gamma": 0.65672, "delta": 2.78344}, abs=5e-6
    )
    assert fitted.standard_errors_ == pytest.approx(
        {"alpha": 0.0694, "beta": 0.0294, "gamma": 0.0510, "delta": 0.3208}, abs=5.5e-5
    )
    assert fitted.log_likelihood_ == pytest.approx(-33225.5813, abs=5e-5)


def test_donors_are_alive_in_2002_as_the_paper_s_table_says(fitted):
    donors = {"frequency": [0, 2, 6], "recency_days": [0, 4, 6], "age_days": [6, 6, 6]}
    assert fitted.probability_alive(donors) == pytest.approx([0.11, 0.59, 0.93], abs=5e-3)


def test_donations_of_the_next_years_are_those_of_the_paper(fitted, donations):
    five_years = fitted.expected_orders(donations, 5)
    assert donations["weights"] @ five_years == pytest.approx(12884.2, abs=0.05)
    two = {"frequency": [0, 4], "recency_days": [0, 5], "age_days": [6, 6]}
    assert fitted.expected_orders(two, 10) == pytest.approx([0.1302169, 3.627858], rel=4e-5)
    assert fitted.expected_orders_new(10) == pytest.approx(3.179805, abs=3e-5)
    by_frequency = [
        np.average(
            five_years[donations["frequency"] == x], weights=donations["weights"][donations["frequency"] == x]
        )
        for x in range(7)
    ]
    assert by_frequency == pytest.approx([0.0729, 0.325, 0.709, 1.334, 2.031, 2.784, 3.753], abs=6e-4)


def test_in_sample_counts_are_those_of_the_paper(fitted):
    # 3,454.9 donors are expected to give in none of six years, 1,253.1 in all.
    alpha, beta, gamma, delta = fitted.parameters_.values()
    never = np.exp(fitted._log_likelihoods(np.zeros(1), np.zeros(1), np.full(1, 6.0)))[0]
    always = np.exp(fitted._log_likelihoods(np.full(1, 6.0), np.full(1, 6.0), np.full(1, 6.0)))[0]
    assert 11104 * never == pytest.approx(3454.9, abs=0.05)
    assert 11104 * always == pytest.approx(1253.1, abs=0.05)
    del alpha, beta, gamma, delta


def test_the_chance_of_an_occasion_taken_adds_up_over_what_can_happen(fitted):
    # Worked out occasion by occasion: there next time with P, takes it with (alpha + x) / (alpha + beta + n).
    donor = {"frequency": [2], "recency_days": [4], "age_days": [6]}
    x, t_x, n = np.array([2.0]), np.array([4.0]), np.array([6.0])
    takes = (fitted.parameters_["alpha"] + 2) / (fitted.parameters_["alpha"] + fitted.parameters_["beta"] + 6)
    assert fitted.window_if_alive(x, t_x, n, 0.0, 1.0)[0] == pytest.approx(takes)
    assert fitted.expected_orders(donor, 1)[0] == pytest.approx(fitted.probability_alive(donor)[0] * takes)
    # taking none of two: miss the first, and then either leave or miss the second as well
    alpha, beta, gamma, delta = fitted.parameters_.values()
    miss = (beta + 4) / (alpha + beta + 6)
    leave = gamma / (gamma + delta + 7)
    again = (beta + 5) / (alpha + beta + 7)
    assert 1 - fitted.window_if_alive(x, t_x, n, 0.0, 2.0)[0] == pytest.approx(
        miss * (leave + (1 - leave) * again)
    )


def test_half_of_those_who_give_again_have_done_so_by_the_median_year(fitted):
    x, t_x, n = np.array([1.0, 6.0]), np.array([1.0, 6.0]), np.array([6.0, 6.0])
    wait = fitted.wait_if_alive(x, t_x, n, 0.5)
    ever = fitted.window_if_alive(x, t_x, n, 0.0, 1000.0)
    for i, years in enumerate(wait):
        assert fitted.window_if_alive(x, t_x, n, 0.0, years)[i] >= 0.5 * ever[i]
        assert fitted.window_if_alive(x, t_x, n, 0.0, years - 1)[i] < 0.5 * ever[i]


def test_more_gifts_than_occasions_are_refused():
    with pytest.raises(DataError, match="at most one order"):
        BGBB().fit({"frequency": [3, 1], "recency_days": [2, 1], "age_days": [6, 6]})


def test_a_gift_next_year_is_worth_less_than_one_today(fitted):
    x, t_x, n = np.array([2.0]), np.array([4.0]), np.array([6.0])
    one, two = (float(fitted.orders(x, t_x, n, years)[0]) for years in (1, 2))
    by_hand = one / 1.1 + (two - one) / 1.21
    assert fitted.discounted_orders(x, t_x, n, 2, np.log(1.1))[0] == pytest.approx(by_hand)


@pytest.mark.parametrize(
    "law",
    [
        laws.a_second_fit_gives_the_same_model,
        laws.saving_and_loading_changes_no_prediction,
        laws.the_saved_model_holds_no_data,
        laws.a_model_of_another_kind_or_a_later_format_is_refused,
        laws.a_clone_is_unfitted_and_has_the_same_settings,
        laws.the_order_of_rows_does_not_matter,
        laws.a_weight_of_two_is_the_row_twice,
        laws.survival_is_one_now_and_falls,
    ],
    ids=lambda law: law.__name__,
)
def test_law(law, donations):
    law(BGBB, donations[["frequency", "recency_days", "age_days"]].astype(float))
