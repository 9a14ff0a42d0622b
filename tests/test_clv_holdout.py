"""Splits hide the future; measures mean what they say."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from clv.bgnbd import BGNBD
from clv.errors import TooLittleData
from clv.holdout import (
    cut_offs,
    decile_mape,
    measure,
    normalised_gini,
    past_rate,
    past_spend_rate,
    population_mean,
    population_mean_spend,
    split,
)
from clv.mbgnbd import MBGNBD
from clv.nbd import NBD
from clv.paretonbd import ParetoNBD
from tests import cdnow

LOG = pd.DataFrame(
    {
        "customer_id": ["ann", "ann", "ann", "bob", "eve"],
        "ordered_at": pd.to_datetime(["2026-01-01", "2026-01-11", "2026-02-05", "2026-01-21", "2026-02-02"]),
        "amount": [10.0, 20.0, 30.0, 40.0, 50.0],
    }
)


def test_a_split_asks_only_for_customers_known_on_the_day():
    cut = split(LOG, date(2026, 1, 31), 10)
    assert cut.summary["customer_id"].tolist() == ["ann", "bob"]
    assert cut.orders.tolist() == [1.0, 0.0]
    assert cut.revenue.tolist() == [30.0, 0.0]


def test_the_last_day_of_the_horizon_counts_and_the_next_does_not():
    assert split(LOG, date(2026, 1, 31), 5).orders.sum() == 1.0
    assert split(LOG, date(2026, 1, 31), 4).orders.sum() == 0.0


def test_the_baselines_can_be_worked_out_by_hand():
    summary = split(LOG, date(2026, 1, 31), 10).summary  # ann: x=1, T=30, 30.-; bob: x=0, T=10, 40.-
    assert past_rate(summary, 30).tolist() == [2.0, 3.0]
    assert past_spend_rate(summary, 30).tolist() == [30.0, 120.0]
    assert population_mean(summary, 40).tolist() == [1.0, 1.0]  # one repeat in 40 customer days
    assert population_mean_spend(summary, 40) == pytest.approx([70 / 3, 70 / 3])


def test_gini_of_ties_lies_between_the_best_and_the_worst_order():
    actual = np.array([0.0, 1.0, 3.0])
    assert normalised_gini(actual, np.ones(3)) == 0.0
    assert normalised_gini(actual, np.array([1.0, 2.0, 2.0])) == pytest.approx(2 / 3)  # places 1, 2.5, 2.5


def test_decile_error_of_twice_the_truth_is_one():
    actual = np.arange(1.0, 101.0)
    assert decile_mape(actual, 2 * actual) == pytest.approx(1.0)


def test_a_holdout_without_orders_has_no_ranking_and_infinite_bias():
    nothing = measure([0.0, 0.0], [1.0, 2.0])
    assert (nothing.gini, nothing.spearman, nothing.bias) == (0.0, 0.0, float("inf"))


def test_measures_by_hand():
    m = measure([0.0, 2.0, 4.0], [1.0, 1.0, 7.0])
    assert m.bias == pytest.approx(0.5)
    assert m.mae == pytest.approx(5 / 3)
    assert m.rmse == pytest.approx((11 / 3) ** 0.5)


def test_cut_offs_leave_a_whole_horizon_and_a_third_of_the_log():
    days = cut_offs(LOG.assign(ordered_at=pd.date_range("2026-01-01", periods=5, freq="25D")), 20, 3)
    # The log ends on 2026-04-11; a third of its 100 days is over on 2026-02-03.
    assert days == [date(2026, 3, 22), date(2026, 3, 2), date(2026, 2, 10)]


def test_a_log_too_short_to_hide_the_horizon_is_refused():
    with pytest.raises(TooLittleData, match="35 days"):
        cut_offs(LOG, 30, 3)


@pytest.mark.parametrize(
    ("model", "mape", "rmse", "msle", "mae", "off"),
    [
        (NBD, 1.303, 1.859, 0.362, 1.041, 0.557),
        (ParetoNBD, 0.945, 1.603, 0.238, 0.7545, -0.115),
        (BGNBD, 0.984, 1.608, 0.234, 0.7855, -0.121),
        (MBGNBD, 0.958, 1.607, 0.231, 0.7648, -0.162),
    ],
    ids=lambda one: getattr(one, "kind", ""),
)
def test_the_39_weeks_held_out_of_cdnow_give_the_table_of_btydplus(model, mape, rmse, msle, mae, off):
    held = cdnow.sample_split()
    expected = model(prior=False).fit(held.summary).expected_orders(held.summary, 273)
    found = measure(held.orders, expected)
    # BTYDplus' MAPE is the sum of absolute errors over the sum of orders, its bias that of the sums
    assert np.abs(expected - held.orders).sum() / held.orders.sum() == pytest.approx(mape, abs=8e-4)
    assert found.rmse == pytest.approx(rmse, abs=6e-4)
    assert np.mean((np.log1p(expected) - np.log1p(held.orders)) ** 2) == pytest.approx(msle, abs=6e-4)
    assert found.mae == pytest.approx(mae, abs=6e-4)
    assert found.bias == pytest.approx(off, abs=6e-4)
