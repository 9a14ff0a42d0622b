"""What is known beyond orders: trees find a signal that orders do not carry, and see nothing too early."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from clv.backtest import backtest
from clv.circumstances import aligned
from clv.errors import DataError, MissingColumn
from clv.holdout import measure, split
from clv.valuation import ValueModel
from clv.value import ValueConfig
from tests import cdnow

AS_OF = date(2025, 9, 30)
HORIZON = 90
START = pd.Timestamp("2024-01-01")


@pytest.fixture(scope="module")
def town():
    """A town of 1,500: half of them buy pets' food and stay, the others leave soon after a complaint.

    Orders alone do not tell the two apart until the silence is long.
    """
    rng = np.random.default_rng(3)
    lines, complaints, pets = [], [], rng.random(1_500) < 0.5
    for customer, stays in enumerate(pets):
        day, pace = rng.uniform(0, 500), rng.gamma(4.0, 8.0)
        leaves = 10_000.0 if stays else day + rng.exponential(150)
        if not stays:
            complaints.append((customer, leaves - rng.uniform(0, 15)))
        while day < min(leaves, 730):
            lines.append((customer, day, rng.gamma(5.0, 8.0)))
            day += rng.exponential(pace)
    purchases = pd.DataFrame(lines, columns=["customer_id", "day", "amount"])
    purchases["ordered_at"] = START + pd.to_timedelta(np.floor(purchases["day"]), unit="D")
    said = pd.DataFrame(complaints, columns=["customer_id", "day"])
    said["at"] = START + pd.to_timedelta(np.floor(said["day"]), unit="D")

    def known(as_of):
        end = pd.Timestamp(as_of)
        heard = said[said["at"] <= end]
        there = purchases.loc[purchases["ordered_at"] <= end, "customer_id"].unique()
        return pd.DataFrame(
            {
                "customer_id": there,
                "share of pets": pets[there].astype(float),
                "about complaint": np.isin(there, heard["customer_id"]).astype(float),
            }
        )

    return purchases.drop(columns="day"), known


@pytest.fixture(scope="module")
def held(town):
    return split(town[0], AS_OF, HORIZON)


def fitted(town, held, circumstances, method="machine"):
    config = ValueConfig(kind="bgnbd", method=method, annual_discount=0.0, horizon_days=HORIZON)
    model = ValueModel.fit(
        held.summary, as_of=AS_OF, config=config, purchases=town[0], circumstances=circumstances
    )
    tilts = model.tilts(held.summary, town[0], circumstances=circumstances)
    return model, model.predict(held.summary.assign(tilt=tilts), HORIZON)


@pytest.mark.parametrize("method", ["machine", "stack"])
def test_trees_find_what_categories_and_complaints_say(town, held, method):
    _, told = fitted(town, held, town[1], method)
    _, blind = fitted(town, held, None, method)
    with_it, without = (measure(held.revenue, table["predicted_clv"]) for table in (told, blind))
    assert with_it.gini > without.gini + 0.01
    assert with_it.spearman > without.spearman + 0.01


@pytest.fixture(scope="module")
def tried(town):
    """A back-test told what is known, and the days it asked about."""
    asked = []

    def spied(as_of):
        asked.append(as_of)
        return town[1](as_of)

    return backtest(town[0], as_of=AS_OF, horizon_days=HORIZON, circumstances=spied), asked


def test_the_back_test_takes_them_where_they_rank_better_on_every_day(tried):
    report, _ = tried
    assert report.chosen.endswith("beyond orders")
    assert report.config.beyond_orders
    assert report.config.method in {"stack", "machine"}
    gini = report.table()["gini"]
    assert gini["machine beyond orders"] > gini["machine"]


def test_the_back_test_leaves_out_what_says_nothing(town):
    def dice(as_of):
        ids = town[0]["customer_id"].unique()
        return pd.DataFrame({"customer_id": ids, "dice": np.random.default_rng(as_of.day).random(ids.size)})

    report = backtest(town[0], as_of=AS_OF, horizon_days=HORIZON, circumstances=dice)
    assert not report.config.beyond_orders
    assert "did not rank better on every day tried" in report.reason


def test_only_days_that_are_over_are_asked_for(town, held, tried):
    asked = []

    def spied(as_of):
        asked.append(as_of)
        return town[1](as_of)

    fitted(town, held, spied)
    assert max(asked) == AS_OF
    assert len({day for day in asked if day < AS_OF}) >= 2
    assert max(tried[1]) == AS_OF - timedelta(days=HORIZON)


def test_without_circumstances_nothing_changes(town, held):
    bare, blind = fitted(town, held, None)
    nothing, empty = fitted(town, held, lambda as_of: town[1](as_of)[["customer_id"]])
    assert bare.stack.circumstances == nothing.stack.circumstances == ()
    assert empty["predicted_clv"].tolist() == blind["predicted_clv"].tolist()
    asked_not_to = ValueModel.fit(
        held.summary, as_of=AS_OF, config=replace(bare.config, beyond_orders=False), purchases=town[0],
        circumstances=town[1],
    )  # fmt: skip
    assert asked_not_to.stack.circumstances == ()


def test_a_saved_model_remembers_what_it_was_told_and_asks_for_it(town, held, tmp_path):
    model, told = fitted(town, held, town[1])
    model.save(tmp_path)
    again = ValueModel.load(tmp_path)
    tilts = again.tilts(held.summary, town[0], circumstances=town[1])
    predicted = again.predict(held.summary.assign(tilt=tilts), HORIZON)
    assert predicted["predicted_clv"].tolist() == told["predicted_clv"].tolist()
    assert again.stack.circumstances == ("share of pets", "about complaint")
    with pytest.raises(DataError, match="more than their orders"):
        again.tilts(held.summary, town[0])


def test_one_customer_is_scored_live_with_last_night_s_tilt_and_a_stranger_without(town, held):
    model, told = fitted(town, held, town[1])
    row = told.iloc[7].to_dict()
    history = (row["frequency"], row["recency_days"], row["age_days"], row["monetary_value"])
    live = model.predict_one(
        *history, historic_revenue=row["historic_revenue"], tilt=row["tilt"], horizon_days=HORIZON
    )
    assert live.predicted_clv == pytest.approx(row["predicted_clv"], rel=1e-9)
    # one more order today: the value moves by the purchase model, the tilt stays what the night knew
    moved = (row["frequency"] + 1, row["age_days"], row["age_days"], row["monetary_value"])
    news = {"historic_revenue": row["historic_revenue"] + row["monetary_value"], "horizon_days": HORIZON}
    with_tilt, without = (model.predict_one(*moved, **news, tilt=tilt) for tilt in (row["tilt"], None))
    ratio = row["tilt"] / model.stack.level_value
    assert with_tilt.predicted_clv == pytest.approx(ratio * without.predicted_clv, rel=1e-9)


def test_a_column_the_day_does_not_know_is_missing_not_zero(town, held):
    model, _ = fitted(town, held, town[1])
    later = model.tilts(held.summary, town[0], circumstances=lambda as_of: town[1](as_of).iloc[:0])
    assert np.isfinite(later).all()


def test_circumstances_that_cannot_be_read_are_refused():
    ids = pd.Series(["ann", "bob"])
    with pytest.raises(MissingColumn, match="whose"):
        aligned(pd.DataFrame({"tea": [1.0]}), ids, ("tea",))
    with pytest.raises(DataError, match="two rows"):
        aligned(pd.DataFrame({"customer_id": ["ann", "ann"], "tea": [1.0, 2.0]}), ids, ("tea",))
    with pytest.raises(DataError, match="not a number"):
        aligned(pd.DataFrame({"customer_id": ["ann"], "tea": ["green"]}), ids, ("tea",))
    with pytest.raises(DataError, match="other customers"):
        aligned(pd.DataFrame({"customer_id": [7], "tea": [1.0]}), pd.Series(["7"]), ("tea",))


def test_a_log_without_circumstances_gives_the_numbers_it_gave():
    summary = cdnow.sample_split().summary
    config = ValueConfig(kind="paretonbd", method="stack", annual_discount=0.0, horizon_days=273)
    model = ValueModel.fit(summary, as_of=cdnow.CALIBRATION_END, config=config, purchases=cdnow.sample())
    assert model.stack.circumstances == ()
    assert model.stack.machine.buys.num_feature() == 24
