"""Known differences between customers move their rates, on orders and on leaving separately."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from clv.bgnbd import BGNBD
from clv.covariates import WithCovariates
from clv.errors import DataError, MissingColumn, NotFitted, SettingError, UnknownFormat
from clv.paretonbd import ParetoNBD


@pytest.fixture(scope="module")
def customers():
    """4,000 BG/NBD customers over a year: members buy twice as often and leave at half the odds."""
    rng = np.random.default_rng(11)
    member = rng.integers(0, 2, 4_000).astype(float)
    rate = rng.gamma(1.0, 1 / 40.0, 4_000) * np.exp(np.log(2.0) * member)
    leave = rng.beta(1.0 * np.exp(-np.log(2.0) * member), 4.0)
    rows = []
    for one, p in zip(rate, leave, strict=True):
        t, x, last = 0.0, 0, 0.0
        while True:
            t += rng.exponential(1 / one)
            if t > 365:
                break
            x, last = x + 1, t
            if rng.random() < p:
                break
        rows.append((x, last))
    x, last = np.array(rows).T
    return pd.DataFrame({"frequency": x, "recency_days": last, "age_days": 365.0, "member": member})


@pytest.fixture(scope="module")
def fitted(customers):
    return WithCovariates("bgnbd", purchase=("member",), dropout=("member",), prior=False).fit(customers)


def test_the_effects_put_in_are_found(fitted):
    effects, errors = fitted.effects_, fitted.effect_errors_
    assert abs(effects["purchase.member"] - np.log(2)) < 3 * errors["purchase.member"] < 0.5
    assert abs(effects["dropout.member"] + np.log(2)) < 3 * errors["dropout.member"] < 0.7


def test_the_mean_chance_to_leave_moves(fitted):
    stranger, member = (fitted.model_of({"member": z}).parameters_ for z in (0.0, 1.0))
    assert member["a"] / (member["a"] + member["b"]) < stranger["a"] / (stranger["a"] + stranger["b"])


def test_the_gradient_by_effects_is_exact(fitted, customers):
    # at the maximum a small step along any effect loses likelihood
    assert fitted.log_likelihood_ > BGNBD(prior=False).fit(customers).log_likelihood_


def test_a_constant_covariate_that_is_zero_changes_nothing(customers):
    flat = customers.assign(member=0.0)
    plain = ParetoNBD(prior=False).fit(customers)
    with_zero = WithCovariates("paretonbd", purchase=("member",)).fit(flat)
    assert with_zero.log_likelihood_ == pytest.approx(plain.log_likelihood_, abs=0.02)


def test_predictions_are_those_of_the_customers_own_model(fitted, customers):
    few = customers.iloc[:50]
    expected = fitted.expected_orders(few, 90.0)
    for z in (0.0, 1.0):
        own = few["member"] == z
        assert expected[own] == pytest.approx(fitted.model_of({"member": z}).expected_orders(few[own], 90.0))
    assert fitted.probability_alive(few).shape == (50,)


def test_one_effect_may_act_on_both(customers):
    model = WithCovariates("paretonbd", shared=("member",)).fit(customers)
    assert list(model.effects_) == ["shared.member"]


def test_covariates_survive_json(fitted, customers):
    again = WithCovariates.from_json(fitted.to_json())
    assert (
        again.expected_orders(customers[:9], 90.0).tolist()
        == fitted.expected_orders(customers[:9], 90.0).tolist()
    )
    with pytest.raises(UnknownFormat):
        WithCovariates.from_json('{"kind": "nbd", "format": 1}')


def test_what_cannot_be_answered_is_refused(customers):
    with pytest.raises(SettingError, match="takes no covariates"):
        WithCovariates("nbd", purchase=("member",)).fit(customers)
    with pytest.raises(SettingError, match="No covariate"):
        WithCovariates("bgnbd").fit(customers)
    with pytest.raises(MissingColumn, match="age_group"):
        WithCovariates("bgnbd", purchase=("age_group",)).fit(customers)
    with pytest.raises(DataError, match="member, row 0"):
        WithCovariates("bgnbd", purchase=("member",)).fit(customers.assign(member=np.nan))
    with pytest.raises(NotFitted):
        WithCovariates("bgnbd", purchase=("member",)).model_of({"member": 1.0})
