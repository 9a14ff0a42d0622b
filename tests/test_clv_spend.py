"""Gamma-Gamma gives the numbers of note 025, and an answer where its likelihood has none."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from clv.errors import DataError, NotFitted, UnknownFormat
from clv.fitting import LittleEvidence
from clv.spend import GammaGamma
from tests import cdnow


@pytest.fixture(scope="module")
def buyers():
    table = pd.read_csv(cdnow.folder() / "cdnow_customers_summary_with_transactions.csv")
    table.columns = pd.Index(["customer_id", "frequency", "recency", "T", "monetary_value"])
    return table[table["frequency"] > 0]


def test_the_946_repeat_buyers_of_cdnow_give_the_parameters_of_note_025(buyers):
    model = GammaGamma(prior=False).fit(buyers["frequency"], buyers["monetary_value"])
    assert model.customers_ == 946
    assert model.parameters_ == pytest.approx({"p": 6.2488, "q": 3.7446, "gamma": 15.4478}, abs=1e-3)
    assert model.standard_errors_ == pytest.approx({"p": 1.19, "q": 0.290, "gamma": 4.16}, abs=5e-3)
    assert model.log_likelihood_ == pytest.approx(-4055.923, abs=5e-4)
    assert model.mean_ == pytest.approx(35.171, abs=1e-3)


def test_the_first_ten_customers_are_expected_to_spend_what_note_025_prints():
    table = pd.read_csv(cdnow.folder() / "cdnow_customers_summary_with_transactions.csv")
    spend = GammaGamma.of(p=6.25, q=3.74, gamma=15.44).expected_spend(table.iloc[:, 1], table.iloc[:, 4])
    printed = [24.65, 18.91, 35.17, 35.17, 35.17, 71.46, 18.91, 35.17, 27.28, 35.17]
    # The note's mean of 35.17 is that of unrounded parameters; these rounded ones give 35.22.
    assert spend[:10] == pytest.approx(printed, abs=0.06)


def test_spend_does_not_depend_on_the_currency_s_unit(buyers):
    euros = GammaGamma().fit(buyers["frequency"], buyers["monetary_value"])
    cents = GammaGamma().fit(buyers["frequency"], buyers["monetary_value"] * 100)
    assert cents.mean_ == pytest.approx(100 * euros.mean_, rel=1e-6)
    assert cents.parameters_["p"] == pytest.approx(euros.parameters_["p"], rel=1e-5)


def test_customers_who_always_spend_the_same_are_expected_to_go_on():
    model = GammaGamma(prior=False).fit(np.full(50, 3.0), np.full(50, 20.0))
    assert model.expected_spend([3, 0], [20.0, 0.0]) == pytest.approx([20.0, 20.0], rel=0.02)


def test_amounts_without_a_mean_fall_back_to_the_observed_mean():
    # Drawn with q = 0.6: below 1 the mean over the population is infinite.
    rng = np.random.default_rng(3)
    rates = rng.gamma(0.6, 1.0, 2000)
    amounts = rng.gamma(5.0 * 20, 1.0, 2000) / 20 / rates
    with pytest.warns(LittleEvidence, match="no mean"):
        model = GammaGamma().fit(np.full(2000, 20.0), amounts)
    assert model.expected_spend([0], [0.0])[0] == pytest.approx(amounts.mean())
    assert model.expected_spend([20], [7.0])[0] == pytest.approx(7.0, rel=0.05)


def test_nobody_with_a_repeat_order_means_spend_is_unknown_and_zero():
    with pytest.warns(LittleEvidence, match="spend is unknown"):
        model = GammaGamma().fit(np.zeros(5), np.zeros(5))
    assert model.expected_spend([0, 0], [0.0, 0.0]).tolist() == [0.0, 0.0]


def test_a_missing_amount_is_refused():
    with pytest.raises(DataError, match="missing or infinite"):
        GammaGamma().fit([1.0], [np.nan])


def test_columns_of_different_length_are_refused():
    with pytest.raises(DataError, match="differ in length"):
        GammaGamma().fit([1.0, 2.0], [3.0])


def test_spend_before_fit_is_an_error():
    with pytest.raises(NotFitted):
        GammaGamma().expected_spend([1], [1.0])


def test_known_parameters_without_a_mean_are_refused():
    with pytest.raises(DataError, match="no mean"):
        GammaGamma.of(p=1.0, q=0.9, gamma=1.0)


def test_a_spend_model_survives_json(buyers):
    model = GammaGamma().fit(buyers["frequency"], buyers["monetary_value"])
    again = GammaGamma.from_json(model.to_json())
    assert again.expected_spend([2], [30.0]) == model.expected_spend([2], [30.0])
    with pytest.raises(UnknownFormat):
        GammaGamma.from_json('{"kind": "bgnbd", "format": 1}')
