"""sBG gives the numbers of Fader and Hardie (2007)."""

from __future__ import annotations

import pytest

from clv.contractual import ShiftedBetaGeometric
from clv.errors import DataError, NotFitted, UnknownFormat

# Percent still subscribed after year 0, 1, ... 7, of 1,000 customers each (their table 1).
REGULAR = [1000, 631, 468, 382, 326, 289, 262, 241]
HIGH_END = [1000, 869, 743, 653, 593, 551, 517, 491]


@pytest.mark.parametrize(
    ("retained", "alpha", "beta", "likelihood"),
    [(REGULAR, 0.70408, 1.18204, -1680.2652), (HIGH_END, 0.66809, 3.80610, -1611.1581)],
    ids=["regular", "high-end"],
)
def test_parameters_and_likelihood_are_those_of_the_paper(retained, alpha, beta, likelihood):
    # The paper prints .704/1.182 and .668/3.806.
    model = ShiftedBetaGeometric(prior=False).fit(retained)
    assert model.parameters_ == pytest.approx({"alpha": alpha, "beta": beta}, abs=1e-5)
    assert model.log_likelihood_ == pytest.approx(likelihood, abs=5e-5)


def test_survival_is_the_product_of_retention():
    model = ShiftedBetaGeometric().fit(HIGH_END)
    assert model.survival(3) == pytest.approx(model.retention([1, 2, 3]).prod())
    assert model.survival(0) == 1.0


def test_those_who_renewed_often_are_worth_more():
    model = ShiftedBetaGeometric().fit(REGULAR)
    worth = model.expected_periods([0, 1, 5], 0.10)
    assert worth[0] < worth[1] < worth[2]
    # by hand: the discounted sum of the shares that renew for period n + 1, n + 2, ...
    by_hand = sum(float(model.survival(2 + t) / model.survival(1)) / 1.1**t for t in range(2000))
    assert worth[1] == pytest.approx(by_hand, rel=1e-6)


def test_a_growing_cohort_is_refused():
    with pytest.raises(DataError, match="cannot grow"):
        ShiftedBetaGeometric().fit([100, 90, 95])


def test_a_single_count_is_refused():
    with pytest.raises(DataError, match="at least one period"):
        ShiftedBetaGeometric().fit([100])


def test_retention_before_fit_is_an_error():
    with pytest.raises(NotFitted):
        ShiftedBetaGeometric().survival(1)


def test_a_retention_model_survives_json():
    model = ShiftedBetaGeometric().fit(REGULAR)
    assert (
        ShiftedBetaGeometric.from_json(model.to_json()).survival([1, 5]).tolist()
        == model.survival([1, 5]).tolist()
    )
    with pytest.raises(UnknownFormat):
        ShiftedBetaGeometric.from_json('{"kind": "nbd", "format": 1}')


def test_nobody_leaving_is_still_answered():
    model = ShiftedBetaGeometric().fit([50, 50, 50])
    assert 0.95 < model.survival(3) <= 1.0
