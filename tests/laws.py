"""Laws every purchase model obeys; each model's test file calls the ones that concern it, or all.

A law takes a model class and a table of histories and asserts; its name is the sentence it checks.
"""

from __future__ import annotations

import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from clv.columns import AGE_DAYS, FREQUENCY, RECENCY_DAYS
from clv.errors import DataError, MissingColumn, NotFitted, UnknownFormat
from clv.process import PurchaseProcess

HORIZON = 90.0


def fitted(model: type[PurchaseProcess], table: pd.DataFrame) -> PurchaseProcess:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return model().fit(table)


def a_second_fit_gives_the_same_model(model, table):
    once = fitted(model, table)
    first = dict(once.parameters_)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        once.fit(table)
    assert once.parameters_ == first


def saving_and_loading_changes_no_prediction(model, table):
    before = fitted(model, table)
    for after in (model.from_json(before.to_json()), pickle.loads(pickle.dumps(before))):
        assert after.parameters_ == before.parameters_
        assert (
            after.expected_orders(table, HORIZON).tolist() == before.expected_orders(table, HORIZON).tolist()
        )
        assert after.probability_alive(table).tolist() == before.probability_alive(table).tolist()


def the_saved_model_holds_no_data(model, table):
    assert len(fitted(model, table).to_json()) < 1_500


def a_model_of_another_kind_or_a_later_format_is_refused(model, table):
    text = fitted(model, table).to_json()
    with pytest.raises(UnknownFormat):
        model.from_json(text.replace('"format": 1', '"format": 99'))
    with pytest.raises(UnknownFormat):
        model.from_json(text.replace(f'"{model.kind}"', '"another"'))


def a_clone_is_unfitted_and_has_the_same_settings(model, table):
    copy = clone(fitted(model, table))
    assert copy.get_params() == model().get_params()
    with pytest.raises(NotFitted):
        copy.probability_alive(table)


def the_order_of_rows_does_not_matter(model, table):
    backwards = table.iloc[::-1]
    there, back = fitted(model, table), fitted(model, backwards)
    assert back.parameters_ == pytest.approx(there.parameters_, rel=1e-6)
    assert there.expected_orders(backwards, HORIZON)[::-1] == pytest.approx(
        there.expected_orders(table, HORIZON)
    )


def a_weight_of_two_is_the_row_twice(model, table):
    weights = 1.0 + (np.arange(len(table)) % 3 == 0)
    doubled = pd.concat([table, table[weights == 2.0]])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        weighted = model().fit(table, sample_weight=weights)
    assert weighted.parameters_ == pytest.approx(fitted(model, doubled).parameters_, rel=1e-6)


def another_unit_of_time_gives_the_same_answers(model, table):
    hours = table.assign(**{name: table[name] * 24.0 for name in (RECENCY_DAYS, AGE_DAYS)})
    by_day, by_hour = fitted(model, table), fitted(model, hours)
    expected = by_day.expected_orders(table, HORIZON)
    assert by_hour.expected_orders(hours, 24 * HORIZON) == pytest.approx(expected, rel=1e-5)
    for name in model.names:
        factor = 24.0 if name in model.time_like else 1.0
        assert by_hour.parameters_[name] == pytest.approx(factor * by_day.parameters_[name], rel=1e-5)


def one_more_order_never_lowers_what_a_living_customer_is_expected_to_buy(model, table):
    one = fitted(model, table)
    x = np.arange(1.0, 40.0)
    today = np.full_like(x, 300.0)
    orders = one.orders(x, today, today, HORIZON, np.ones_like(x))
    assert (np.diff(orders) > 0).all()


def a_longer_silence_never_raises_the_probability_of_being_alive(model, table):
    one = fitted(model, table)
    age = np.linspace(101.0, 1500.0, 50)
    alive = one.alive(np.full_like(age, 4.0), np.full_like(age, 100.0), age)
    assert (np.diff(alive) <= 1e-12).all()
    assert ((alive >= 0) & (alive <= 1)).all()


def a_longer_horizon_never_lowers_expected_orders(model, table):
    one = fitted(model, table)
    by_horizon = [one.expected_orders(table, days) for days in (0.0, 1.0, 30.0, 365.0, 3650.0)]
    assert by_horizon[0] == pytest.approx(0.0, abs=1e-9)
    assert (np.diff(by_horizon, axis=0) >= -1e-9).all()


def no_discount_is_plain_expected_orders(model, table):
    one = fitted(model, table)
    x, t_x, T = (table[name].to_numpy(float) for name in (FREQUENCY, RECENCY_DAYS, AGE_DAYS))
    plain = one.orders(x, t_x, T, HORIZON)
    assert one.discounted_orders(x, t_x, T, HORIZON, 0.0) == pytest.approx(plain)
    assert one.discounted_orders(x, t_x, T, HORIZON, 1e-9) == pytest.approx(plain, rel=1e-6)


def the_chance_of_an_order_is_what_the_likelihood_says(model, table):
    # Silent until T and until T + d are the same history seen later: their likelihoods' ratio is the chance.
    one = fitted(model, table)
    x, t_x, T = (table[name].to_numpy(float) for name in (FREQUENCY, RECENCY_DAYS, AGE_DAYS))
    later = one._log_likelihoods(x, t_x, T + HORIZON) - one._log_likelihoods(x, t_x, T)
    ordered = one.alive(x, t_x, T) * one.window_if_alive(x, t_x, T, 0.0, HORIZON)
    assert ordered == pytest.approx(-np.expm1(later), abs=1e-9)


def survival_is_one_now_and_falls(model, table):
    one = fitted(model, table)
    x, t_x, T = (table[name].to_numpy(float) for name in (FREQUENCY, RECENCY_DAYS, AGE_DAYS))
    assert one.stays_if_alive(x, t_x, T, 0.0) == pytest.approx(1.0)
    ahead = [one.stays_if_alive(x, t_x, T, days) for days in (0.0, 10.0, 100.0, 1000.0)]
    assert (np.diff(ahead, axis=0) <= 1e-12).all()


def half_have_ordered_by_the_median_wait(model, table):
    one = fitted(model, table)
    x, t_x, T = (table[name].to_numpy(float)[:20] for name in (FREQUENCY, RECENCY_DAYS, AGE_DAYS))
    wait = one.wait_if_alive(x, t_x, T, 0.5)
    ever = one.window_if_alive(x, t_x, T, 0.0, 1e60)
    for i, days in enumerate(wait):
        ordered = one.window_if_alive(x, t_x, T, 0.0, float(days))[i]
        assert ordered == pytest.approx(0.5 * ever[i], abs=2e-3)


def extreme_tables_have_finite_answers(model, table):
    del table
    heavy = pd.DataFrame(
        {FREQUENCY: [10_000, 0, 0], RECENCY_DAYS: [3_640, 0, 0], AGE_DAYS: [3_650, 3_650, 10]}
    )
    once = pd.DataFrame({FREQUENCY: [0] * 40, RECENCY_DAYS: [0] * 40, AGE_DAYS: list(range(1, 41))})
    ten = pd.DataFrame(
        {
            FREQUENCY: [0, 1, 2, 0, 5, 0, 0, 1, 0, 3],
            RECENCY_DAYS: [0, 20, 90, 0, 200, 0, 0, 3, 0, 77],
            AGE_DAYS: [300, 250, 100, 20, 210, 5, 0, 300, 120, 365],
        }
    )
    today = pd.DataFrame({FREQUENCY: [0] * 5, RECENCY_DAYS: [0] * 5, AGE_DAYS: [0] * 5})
    for extreme in (heavy, once, ten, today, ten.iloc[:1], ten.iloc[1:2]):
        one = fitted(model, extreme)
        for answer in (
            one.probability_alive(extreme),
            one.expected_orders(extreme, 365.0),
            one.expected_orders(heavy, 365.0),
            np.array(list(one.parameters_.values())),
            np.array(list(one.standard_errors_.values())),
        ):
            assert np.isfinite(answer).all()


def bad_tables_are_refused_with_the_row(model, table):
    bad = {
        "missing or infinite": {AGE_DAYS: [9.0, np.nan]},
        "negative": {FREQUENCY: [2.0, -1.0]},
        "after the as-of day": {RECENCY_DAYS: [5.0, 99.0]},
        "contradict": {FREQUENCY: [2.0, 0.0]},
    }
    good = {FREQUENCY: [2.0, 1.0], RECENCY_DAYS: [5.0, 5.0], AGE_DAYS: [9.0, 9.0]}
    for words, change in bad.items():
        with pytest.raises(DataError, match=words) as caught:
            model().fit({**good, **change})
        assert caught.value.where == "row 1"
    with pytest.raises(MissingColumn, match="age_days"):
        model().fit({FREQUENCY: [1.0], RECENCY_DAYS: [1.0]})
    with pytest.raises(DataError, match="length"):
        model().fit({**good, AGE_DAYS: [9.0]})
    with pytest.raises(DataError, match="sample_weight"):
        model().fit(good, sample_weight=[1.0])


OF_ALL = (
    a_second_fit_gives_the_same_model,
    saving_and_loading_changes_no_prediction,
    the_saved_model_holds_no_data,
    a_model_of_another_kind_or_a_later_format_is_refused,
    a_clone_is_unfitted_and_has_the_same_settings,
    the_order_of_rows_does_not_matter,
    a_weight_of_two_is_the_row_twice,
    another_unit_of_time_gives_the_same_answers,
    one_more_order_never_lowers_what_a_living_customer_is_expected_to_buy,
    a_longer_silence_never_raises_the_probability_of_being_alive,
    a_longer_horizon_never_lowers_expected_orders,
    no_discount_is_plain_expected_orders,
    the_chance_of_an_order_is_what_the_likelihood_says,
    survival_is_one_now_and_falls,
    half_have_ordered_by_the_median_wait,
    extreme_tables_have_finite_answers,
    bad_tables_are_refused_with_the_row,
)
