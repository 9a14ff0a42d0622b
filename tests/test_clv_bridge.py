"""Models cross to lifetimes and back with equal predictions."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

from clv.bgbb import BGBB
from clv.bgnbd import BGNBD
from clv.bridge import from_lifetimes, read_lifetimes, to_lifetimes
from clv.errors import BundleError, SettingError
from clv.mbgnbd import MBGNBD
from clv.nbd import NBD
from clv.paretonbd import ParetoNBD
from clv.spend import GammaGamma
from tests import cdnow

MODELS = [
    BGNBD.of(r=0.243, alpha=4.414, a=0.793, b=2.426),
    MBGNBD.of(r=0.525, alpha=6.183, a=0.891, b=1.614),
    ParetoNBD.of(r=0.553, alpha=10.578, s=0.606, beta=11.669),
]


@pytest.fixture
def quiet():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@pytest.fixture(scope="module")
def table():
    return cdnow.weeks(cdnow.sample_split().summary).iloc[::40]


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.kind)
def test_a_model_given_to_lifetimes_predicts_the_same_there_and_back(model, table):
    fitter = to_lifetimes(model)
    x, t_x, T = (table[name].to_numpy(float) for name in ("frequency", "recency_days", "age_days"))
    assert fitter.predict(39.0, x, t_x, T) == pytest.approx(model.expected_orders(table, 39.0), rel=1e-6)
    assert fitter.conditional_probability_alive(x, t_x, T) == pytest.approx(
        model.probability_alive(table), rel=1e-6
    )
    again = from_lifetimes(fitter)
    assert type(again) is type(model)
    assert again.parameters_ == model.parameters_


@pytest.mark.usefixtures("quiet")
def test_the_donations_model_crosses_too():
    model = BGBB.of(alpha=1.204, beta=0.750, gamma=0.657, delta=2.783)
    there = to_lifetimes(model).conditional_expected_number_of_purchases_up_to_time(
        5, np.array([2.0]), np.array([4.0]), np.array([6.0])
    )
    ours = model.expected_orders({"frequency": [2], "recency_days": [4], "age_days": [6]}, 5)
    assert np.asarray(there) == pytest.approx(ours, rel=1e-6)


@pytest.mark.usefixtures("quiet")
def test_spend_crosses_too():
    model = GammaGamma.of(p=6.25, q=3.74, gamma=15.44)
    there = to_lifetimes(model).conditional_expected_average_profit(
        np.array([2.0, 0.0]), np.array([30.0, 0.0])
    )
    assert np.asarray(there) == pytest.approx(model.expected_spend([2, 0], [30.0, 0.0]))
    assert from_lifetimes(to_lifetimes(model)).parameters_ == model.parameters_


@pytest.mark.usefixtures("quiet")
def test_a_fitter_fitted_there_is_taken_over_with_its_errors_and_a_symmetric_matrix(tmp_path):
    summary = cdnow.weeks(cdnow.sample_split().summary)
    import lifetimes

    fitter = lifetimes.BetaGeoFitter(penalizer_coef=0.0)
    fitter.fit(summary["frequency"], summary["recency_days"], summary["age_days"])
    taken = from_lifetimes(fitter)
    ours = BGNBD(prior=False).fit(summary)
    assert taken.parameters_ == pytest.approx(ours.parameters_, rel=1e-3)
    assert taken.standard_errors_ == pytest.approx(ours.standard_errors_, rel=2e-2)
    # lifetimes' own matrix is not symmetric, as it should be
    theirs = pd.DataFrame(fitter.variance_matrix_)
    assert abs(theirs.loc["r", "alpha"] - theirs.loc["alpha", "r"]) > 0.05
    assert taken.covariance_ == pytest.approx(taken.covariance_.T)
    path = tmp_path / "model.pkl"
    fitter.save_model(str(path), save_data=False, save_generate_data_method=False)
    read = read_lifetimes(path, fitter="BetaGeoFitter", trusted=True)
    assert read.parameters_ == taken.parameters_
    with pytest.raises(BundleError, match="runs the code"):
        read_lifetimes(path, fitter="BetaGeoFitter", trusted=False)
    with pytest.raises(BundleError, match="no such file"):
        read_lifetimes(tmp_path / "none.pkl", fitter="BetaGeoFitter", trusted=True)


@pytest.mark.usefixtures("quiet")
def test_a_customer_lifetimes_cannot_answer_has_an_answer_here():
    model = BGNBD.of(r=0.11, alpha=2.24, a=0.31, b=0.5)
    assert np.isnan(to_lifetimes(model).predict(30.0, np.array([0.0]), np.array([0.0]), np.array([1.0])))[0]
    ours = model.expected_orders({"frequency": [0], "recency_days": [0], "age_days": [1]}, 30.0)[0]
    assert ours == pytest.approx(0.56459, abs=5e-6)  # mpmath, as in test_clv_numerics


@pytest.mark.usefixtures("quiet")
def test_what_has_no_counterpart_is_refused():
    with pytest.raises(SettingError, match="no such model"):
        to_lifetimes(NBD.of(r=1.0, alpha=1.0))
    with pytest.raises(SettingError, match="no counterpart"):
        from_lifetimes(object())
    with pytest.raises(SettingError, match="no counterpart"):
        read_lifetimes(cdnow.folder() / "donations.csv", fitter="Oracle", trusted=True)
    import lifetimes

    with pytest.raises(SettingError, match="not been fitted"):
        from_lifetimes(lifetimes.BetaGeoFitter())


def test_using_lifetimes_leaves_the_warning_filters_as_they_were():
    before = list(warnings.filters)
    to_lifetimes(GammaGamma.of(p=6.0, q=4.0, gamma=15.0))
    assert list(warnings.filters) == before
