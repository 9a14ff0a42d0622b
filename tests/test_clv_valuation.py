"""A fitted valuation gives every field, the same in the batch and live, before and after a file."""

from __future__ import annotations

import json
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from clv.bgnbd import BGNBD
from clv.columns import VALUE_FIELDS
from clv.errors import BundleError, SettingError, UnknownFormat
from clv.spend import GammaGamma
from clv.summary import log_gaps
from clv.valuation import ValueConfig, ValueModel
from tests import cdnow

AS_OF = cdnow.CALIBRATION_END


@pytest.fixture(scope="module")
def summary():
    return cdnow.sample_split().summary


@pytest.fixture(scope="module", params=["bgnbd", "mbgnbd", "nbd", "paretonbd", "mbgcnbd"])
def model(request, summary):
    gaps = log_gaps(cdnow.sample(), AS_OF).reindex(summary["customer_id"]).to_numpy()
    return ValueModel.fit(
        summary.assign(log_gap_sum=gaps), as_of=AS_OF, config=ValueConfig(kind=request.param)
    )


@pytest.fixture(scope="module")
def scored(model, summary):
    return model.predict(summary, 365)


def test_every_field_is_there_and_finite(scored, summary):
    assert set(VALUE_FIELDS) <= set(scored.columns)
    assert len(scored) == len(summary)
    for name in set(VALUE_FIELDS) - {"expected_date_of_next_order", "average_days_between_orders"}:
        assert np.isfinite(scored[name].to_numpy(float)).all(), name


def test_total_is_historic_and_predicted(scored):
    assert scored["total_clv"].to_numpy() == pytest.approx(
        (scored["historic_clv"] + scored["predicted_clv"]).to_numpy()
    )


def test_one_customer_scored_live_has_the_numbers_of_the_batch(model, scored):
    for row in scored.iloc[::101].to_dict("records"):
        one = model.predict_one(
            row["frequency"],
            row["recency_days"],
            row["age_days"],
            row["monetary_value"],
            historic_revenue=row["historic_revenue"],
        )
        for name in set(VALUE_FIELDS) - {"expected_date_of_next_order", "average_days_between_orders"}:
            assert getattr(one, name) == pytest.approx(row[name], rel=1e-9), name
        due = row["expected_date_of_next_order"]
        assert one.expected_date_of_next_order == (None if pd.isna(due) else due.date())


def test_a_discounted_order_is_worth_less_than_an_order_and_more_than_one_at_the_end(scored):
    orders = scored["predicted_number_of_orders"].to_numpy()
    assert (scored["discounted_orders"].to_numpy() < orders).all()
    assert (scored["discounted_orders"].to_numpy() > orders / 1.10).all()


def test_discounting_adds_up_day_by_day():
    process = BGNBD.of(r=0.243, alpha=30.9, a=0.793, b=2.426)
    x, t_x, T = np.array([[0.0, 5.0], [0.0, 200.0], [3.0, 272.0]])
    days = np.arange(366.0)
    orders = np.array([process.orders(x, t_x, T, day) for day in days])
    middle = np.exp(-0.0003 * (days[1:] - 0.5))
    by_day = (np.diff(orders, axis=0) * middle[:, None]).sum(axis=0)
    assert process.discounted_orders(x, t_x, T, 365.0, 0.0003) == pytest.approx(by_day, rel=1e-7)


def test_the_median_waiting_time_is_the_day_even_chances_are_reached(summary):
    model = ValueModel(
        BGNBD.of(r=2.0, alpha=30.0, a=0.5, b=5.0), GammaGamma.of(p=6.0, q=4.0, gamma=15.0), AS_OF
    )
    one = model.predict_one(3, 80, 100, 20.0)
    # Given an order comes: (130 / (130 + w)) ** 5 = 1/2 at w = 130 (2 ** (1/5) - 1) = 19.33.
    assert one.expected_date_of_next_order == AS_OF + timedelta(days=19)
    assert model.predict_one(0, 0, 3000, 0.0).expected_date_of_next_order == AS_OF + timedelta(days=1255)


def test_a_saved_model_gives_the_same_numbers(model, scored, summary, tmp_path):
    model.save(tmp_path)
    again = ValueModel.load(tmp_path)
    assert again.as_of == AS_OF
    assert again.predict(summary, 365)["total_clv"].tolist() == scored["total_clv"].tolist()


def test_a_folder_without_a_model_says_so(tmp_path):
    with pytest.raises(BundleError, match="no value model"):
        ValueModel.load(tmp_path)


def test_a_model_of_a_later_format_is_refused(model, tmp_path):
    model.save(tmp_path)
    path = tmp_path / "value.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "format": 99}))
    with pytest.raises(UnknownFormat, match="99"):
        ValueModel.load(tmp_path)


def test_margin_scales_value_and_nothing_else(model, summary):
    half = model.with_config(margin_rate=0.5).predict(summary, 365)
    whole = model.predict(summary, 365)
    assert half["total_clv"].to_numpy() == pytest.approx(0.5 * whole["total_clv"].to_numpy())
    assert half["churn_probability"].equals(whole["churn_probability"])


@pytest.mark.parametrize(
    "wrong",
    [
        {"margin_rate": 0.0},
        {"margin_rate": 1.5},
        {"annual_discount": -0.1},
        {"horizon_days": 0},
        {"season": 0.0},
    ],
)
def test_settings_out_of_range_are_refused(wrong):
    with pytest.raises(SettingError):
        ValueConfig(**wrong)


def test_an_unknown_kind_lists_the_known_ones(summary):
    with pytest.raises(SettingError, match="bgnbd"):
        ValueModel.fit(summary, as_of=date(1997, 9, 30), config=ValueConfig(kind="oracle"))
