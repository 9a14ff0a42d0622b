"""The back-test tries every model on the log's own past, and the choice says why."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from clv.backtest import PROCESSES, WITH_DROPOUT, Trial, _choose, _reason, backtest
from clv.errors import BundleError, DataError, SettingError, TooLittleData
from clv.holdout import measure
from clv.intervals import futures
from clv.machine import BUYS_FILE
from clv.recent import features, names
from clv.season import season_index
from clv.valuation import ValueModel
from clv.value import ValueConfig
from tests import cdnow

AS_OF = cdnow.CALIBRATION_END


@pytest.fixture(scope="module")
def report():
    return backtest(cdnow.sample(), as_of=AS_OF, horizon_days=273, config=ValueConfig(margin_rate=0.3))


@pytest.fixture(scope="module")
def stacked():
    held = cdnow.sample_split()
    config = ValueConfig(kind="paretonbd", method="stack", annual_discount=0.0, horizon_days=273)
    return ValueModel.fit(held.summary, as_of=AS_OF, config=config, purchases=cdnow.sample())


def test_every_competitor_is_tried_on_three_days_and_the_choice_has_a_reason(report):
    table = report.table()
    assert {"nbd", "bgnbd", "mbgnbd", "paretonbd", "past spend", "stack", "machine"} <= set(table.index)
    assert (table["splits"].drop(index="mbgcnbd", errors="ignore") == 3).all()
    assert report.chosen in {report.process, "stack", "machine"}
    assert report.reason.startswith(
        f"{report.chosen} ranks best of those whose total is within 5% of the best"
    )
    assert "past spend has a Gini of" in report.reason


def coming_and_going():
    """Six hundred customers who buy every few days for two months, then not for eight: none ever leaves."""
    rng = np.random.default_rng(8)
    rows = []
    for customer in range(600):
        day, pace = rng.uniform(0, 300), rng.gamma(1.0, 12.0) + 1.0
        while day < 1_100:
            stop = day + rng.exponential(60)
            while day < min(stop, 1_100):
                rows.append((customer, int(day)))
                day += rng.exponential(pace)
            day += rng.exponential(240)
    lines = pd.DataFrame(rows, columns=["customer_id", "day"])
    ordered_at = pd.Timestamp("2020-01-01") + pd.to_timedelta(lines["day"], unit="D")
    return lines.assign(ordered_at=ordered_at, amount=10.0)


def test_where_silent_customers_come_back_no_model_of_leaving_is_underneath():
    report = backtest(coming_and_going(), as_of=date(2022, 12, 31), horizon_days=180)
    table = report.table()
    assert table.loc["nbd", "gini"] > table.loc[list(WITH_DROPOUT)[:3], "gini"].max() + 0.1
    assert report.process == report.config.kind == "nbd"
    assert f"{report.chosen} ranks" in report.reason


def test_a_total_further_off_costs_as_much_as_ranking_gains():
    day = date(2026, 1, 1)
    level = measure([1.0], [1.0])

    def trial(name, gini, off, on=day):
        return Trial(name, on, 90, replace(level, gini=gini, bias=off), level)

    close = [trial("bgnbd", 0.60, 0.02), trial("stack", 0.61, -0.07)]
    assert _choose(close, ("bgnbd", "stack")) == "stack"  # within five points: ranking decides
    far = [trial("bgnbd", 0.60, 0.02), trial("stack", 0.61, -0.20)]
    assert _choose(far, ("bgnbd", "stack")) == "bgnbd"  # thirteen points further off for one of Gini
    apart = [trial("bgnbd", 0.30, 0.02), trial("stack", 0.61, -0.20)]
    assert _choose(apart, ("bgnbd", "stack")) == "stack"
    assert "so much better that its total may be further off" in _reason(apart, ("bgnbd", "stack"), "stack")


def test_a_yardstick_that_ranks_higher_is_named():
    day, level = date(2026, 1, 1), measure([1.0], [1.0])
    ginis = {"bgnbd": 0.60, "nbd": 0.61, "past spend": 0.50}
    trials = [Trial(name, day, 90, replace(level, gini=gini), level) for name, gini in ginis.items()]
    assert "so a yardstick only: nbd." in _reason(trials, ("bgnbd",), "bgnbd")


def test_all_are_compared_on_the_days_all_were_tried_on():
    days = [date(2026, month, 1) for month in (1, 2, 3)]
    level = measure([1.0], [1.0])
    trials = [
        Trial("bgnbd", day, 90, replace(level, gini=g), level)
        for day, g in zip(days, (0.9, 0.5, 0.5), strict=True)
    ]
    late = [Trial("stack", day, 90, replace(level, gini=0.6), level) for day in days[1:]]
    assert _choose(trials + late, ("bgnbd", "stack")) == "stack"
    assert "the mean of 2 splits" in _reason(trials + late, ("bgnbd", "stack"), "stack")
    assert _choose(trials + late[:1], ("bgnbd", "stack")) == "bgnbd"  # one day tells nothing
    assert _reason(trials + late[:1], ("bgnbd", "stack"), "bgnbd").endswith("Too little past to try stack.")


def test_the_winner_s_settings_keep_what_was_asked(report):
    assert report.config.margin_rate == 0.3
    assert report.config.horizon_days == 273
    assert report.config.kind == report.process


def test_nothing_after_the_day_is_looked_at(report):
    later = cdnow.sample()["ordered_at"] > pd.Timestamp(AS_OF)
    changed = cdnow.sample().assign(amount=lambda table: table["amount"].where(~later, 1e6))
    again = backtest(changed, as_of=AS_OF, horizon_days=273, splits=1)
    latest = again.trials[0].as_of
    assert {trial for trial in again.trials if trial.name in PROCESSES} == {
        trial for trial in report.trials if trial.as_of == latest and trial.name in PROCESSES
    }


def test_the_stack_ranks_at_least_as_well_as_its_purchase_model_and_keeps_the_level(stacked):
    held = cdnow.sample_split()
    tilted = held.summary.assign(tilt=stacked.tilts(held.summary, cdnow.sample()))
    both = measure(held.revenue, stacked.predict(tilted, 273)["predicted_clv"])
    alone = measure(held.revenue, replace(stacked, stack=None).predict(held.summary, 273)["predicted_clv"])
    assert both.gini > alone.gini - 0.01
    assert abs(both.bias) < abs(alone.bias) + 0.02


def test_the_tilts_add_up_to_the_level(stacked):
    held = cdnow.sample_split()
    tilted = held.summary.assign(tilt=stacked.tilts(held.summary, cdnow.sample()))
    plain = replace(stacked, stack=None).predict(held.summary, 273)["predicted_clv"].sum()
    assert stacked.predict(tilted, 273)["predicted_clv"].sum() == pytest.approx(
        stacked.stack.level_value * plain, rel=1e-3
    )
    # without tilts the level alone is applied
    assert stacked.predict(held.summary, 273)["predicted_clv"].sum() == pytest.approx(
        stacked.stack.level_value * plain, rel=1e-9
    )


def test_one_customer_of_the_stack_is_scored_live_as_in_the_batch(stacked):
    held = cdnow.sample_split()
    tilted = held.summary.assign(tilt=stacked.tilts(held.summary, cdnow.sample()))
    for row in stacked.predict(tilted, 365).iloc[::300].to_dict("records"):
        one = stacked.predict_one(
            row["frequency"], row["recency_days"], row["age_days"], row["monetary_value"],
            historic_revenue=row["historic_revenue"], tilt=row["tilt"],
        )  # fmt: skip
        assert one.predicted_clv == pytest.approx(row["predicted_clv"], rel=1e-9)
        assert one.discounted_orders == pytest.approx(row["discounted_orders"], rel=1e-9)


def test_the_tilt_is_in_the_value_alone_and_orders_tell_one_story(stacked):
    history = {"frequency": 2, "recency_days": 213, "age_days": 272, "monetary_value": 30.0}
    level = stacked.stack
    plain, tilted = (stacked.predict_one(**history, horizon_days=273, tilt=tilt) for tilt in (None, 1.7))
    for name in ("predicted_number_of_orders", "discounted_orders", "churn_probability", "probability_alive"):
        assert getattr(tilted, name) == getattr(plain, name)
    assert tilted.expected_date_of_next_order == plain.expected_date_of_next_order
    orders = stacked.process.orders(*np.array([[2.0], [213.0], [272.0]]), 273)[0]
    assert plain.predicted_number_of_orders == pytest.approx(level.level_orders * orders)
    # undiscounted: value is orders times spend, times the tilt where there is one, the level where not
    assert plain.predicted_clv == pytest.approx(level.level_value * orders * plain.expected_order_value)
    assert tilted.predicted_clv == pytest.approx(1.7 * orders * tilted.expected_order_value)


def test_tilts_of_a_part_are_those_of_the_whole(stacked):
    held = cdnow.sample_split()
    whole = stacked.tilts(held.summary, cdnow.sample())
    assert stacked.tilts(held.summary.iloc[100:140], cdnow.sample()) == pytest.approx(
        whole[100:140], rel=1e-9
    )


def test_a_saved_stack_gives_the_same_numbers(stacked, tmp_path):
    held = cdnow.sample_split()
    stacked.save(tmp_path)
    again = ValueModel.load(tmp_path)
    assert (
        again.tilts(held.summary, cdnow.sample()).tolist()
        == stacked.tilts(held.summary, cdnow.sample()).tolist()
    )
    (tmp_path / BUYS_FILE).unlink()
    with pytest.raises(BundleError, match="missing"):
        ValueModel.load(tmp_path)


def test_the_purchase_model_alone_leans_nobody():
    held = cdnow.sample_split()
    model = ValueModel.fit(held.summary, as_of=AS_OF)
    assert model.tilts(held.summary, cdnow.sample()).tolist() == [1.0] * len(held.summary)


def test_the_likeliest_purchase_model_is_taken_when_asked():
    # Log-likelihoods on this sample: MBG/NBD -9582.14, BG/NBD -9582.43, Pareto/NBD -9594.98.
    model = ValueModel.fit(cdnow.sample_split().summary, as_of=AS_OF, config=ValueConfig(kind="auto"))
    assert model.config.kind == "mbgnbd"


def test_trees_need_the_log():
    with pytest.raises(DataError, match="learns from the purchase log"):
        ValueModel.fit(cdnow.sample_split().summary, as_of=AS_OF, config=ValueConfig(method="stack"))


def test_a_log_in_which_nobody_comes_back_is_too_little_for_trees():
    days = pd.date_range("2026-01-01", periods=300)
    once = pd.DataFrame({"customer_id": range(300), "ordered_at": days, "amount": 10.0})
    from clv.summary import summarize

    as_of = date(2026, 10, 27)
    with (
        pytest.warns(UserWarning, match="(bought twice|leave|unknown)"),
        pytest.raises(TooLittleData, match="came back"),
    ):
        ValueModel.fit(
            summarize(once, as_of), as_of=as_of, config=ValueConfig(method="stack"), purchases=once
        )


def test_a_short_or_empty_log_cannot_be_tried():
    with pytest.raises(TooLittleData, match="no purchases"):
        backtest(cdnow.sample(), as_of=date(1990, 1, 1), horizon_days=30)
    with pytest.raises(TooLittleData, match="too short"):
        backtest(cdnow.sample(), as_of=date(1997, 1, 2), horizon_days=30)


def test_an_unknown_method_is_refused():
    with pytest.raises(SettingError, match="no such method"):
        ValueConfig(method="oracle")


def test_every_feature_has_a_name_and_a_finite_value():
    held = cdnow.sample_split()
    some = np.full(len(held.summary), 0.5)
    table = features(
        held.summary, cdnow.sample(), AS_OF, alive=some, orders_a_day=some, spend=some,
        horizon_days=90, span_days=272, mean_order=35.0,
    )  # fmt: skip
    assert table.shape == (2357, len(names()))
    assert np.isfinite(table).all()


def peaking():
    """Two years of orders of thirty customers who came before, three times as many of them in December."""
    days = pd.date_range("2024-01-01", "2025-11-30")
    counts = np.where(days.month == 12, 30, 10)
    customers = np.concatenate([np.arange(count) for count in counts])
    ordered_at = np.repeat(days.to_numpy(), counts)
    again = pd.DataFrame({"customer_id": customers, "ordered_at": ordered_at, "amount": 5.0})
    first = pd.DataFrame({"customer_id": range(30), "ordered_at": pd.Timestamp("2023-12-31"), "amount": 5.0})
    return pd.concat([first, again])


def test_a_peak_is_known_from_the_year_before():
    # 31 days of 30 orders; the year around them holds 334 of 10 and 31 of 30: 930 / (4270 * 31 / 365) = 2.56.
    assert season_index(peaking(), date(2025, 11, 30), 31) == pytest.approx(2.56, abs=0.01)
    assert season_index(peaking(), date(2025, 8, 31), 31) < 0.9


def test_new_customers_are_no_season():
    # every order of a December is joined by a stranger's first: nobody came back more often for it
    strangers = peaking()[lambda table: table["ordered_at"].dt.month == 12].assign(
        customer_id=lambda t: -1 - np.arange(len(t))
    )
    both = pd.concat([peaking(), strangers])
    assert season_index(both, date(2025, 11, 30), 31) == season_index(peaking(), date(2025, 11, 30), 31)


def test_a_year_has_no_season_and_a_short_log_knows_none():
    assert season_index(peaking(), date(2025, 11, 30), 365) == 1.0
    assert season_index(peaking(), date(2024, 11, 30), 31) == 1.0
    few = peaking().iloc[::100]
    assert season_index(few, date(2025, 11, 30), 31) == 1.0


def test_a_peak_one_was_told_of_enters_the_level(stacked):
    held = cdnow.sample_split()
    told = replace(stacked.config, season=1.5)
    peak = ValueModel.fit(held.summary, as_of=AS_OF, config=told, purchases=cdnow.sample())
    assert peak.stack.level_value == pytest.approx(1.5 * stacked.stack.level_value)
    assert peak.stack.level_orders == pytest.approx(1.5 * stacked.stack.level_orders)


def test_days_after_the_log_s_end_are_not_needed_to_score_later(stacked):
    held = cdnow.sample_split()
    later = stacked.tilts(held.summary, cdnow.sample(), as_of=AS_OF + timedelta(days=0))
    assert later.tolist() == stacked.tilts(held.summary, cdnow.sample()).tolist()


def test_the_futures_of_a_corrected_model_have_its_mean(stacked):
    held = cdnow.sample_split()
    tilted = held.summary.assign(tilt=stacked.tilts(held.summary, cdnow.sample()))
    drawn = futures(stacked, tilted, 273, draws=150, random_state=3)
    expected = stacked.predict(tilted, 273)
    assert drawn.value.sum(axis=1).mean() == pytest.approx(expected["predicted_clv"].sum(), rel=0.06)
    assert drawn.orders.sum(axis=1).mean() == pytest.approx(
        expected["predicted_number_of_orders"].sum(), rel=0.06
    )
