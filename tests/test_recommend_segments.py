"""Customers land on the right lists, and on the same ones by night and live."""

from __future__ import annotations

import json
import math
from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clv.errors import MissingColumn, TooLittleData, UnknownFormat
from recommend import lifecycle, rfm
from recommend.lifecycle import Lifecycle
from recommend.rfm import RfmCuts
from recommend.segments import SegmentModel
from recommend.vitals import Vitals, vitals_table

TODAY = date(2024, 6, 30)


def crowd(n: int = 400, seed: int = 1) -> pd.DataFrame:
    """Customers with gamma-distributed pace who leave at random; some columns partly missing."""
    rng = np.random.default_rng(seed)
    age = rng.integers(1, 700, n).astype(float)
    frequency = rng.poisson(rng.gamma(0.8, 6.0, n)).astype(float)
    recency = np.where(frequency == 0, 0.0, np.floor(age * rng.beta(3, 1, n)))
    return pd.DataFrame(
        {
            "customer_id": [f"c{i}" for i in range(n)],
            "frequency": frequency,
            "recency_days": recency,
            "age_days": age,
            "historic_revenue": np.round((frequency + 1) * rng.gamma(2, 15, n), 2),
            "predicted_clv": np.round(rng.gamma(1, 80, n), 2),
            "probability_alive": rng.beta(3, 1, n),
            "last_gap_days": np.where(frequency == 0, np.nan, np.floor(recency * rng.random(n))),
        }
    )


def lists_of(members: pd.DataFrame, customer: str) -> set[str]:
    return set(members.loc[members["customer_id"] == customer, "segment"])


def vitals(frequency: float, recency: float, age: float, alive: float = 1.0, gap: float = math.nan) -> Vitals:
    return Vitals(frequency, recency, age, 100.0, 100.0, alive, gap)


def test_the_grid_gives_every_pair_of_scores_one_of_the_eleven_standard_names() -> None:
    assert {name for row in rfm.GRID for name in row} == set(rfm.DESCRIPTIONS)
    assert len(rfm.DESCRIPTIONS) == 11
    assert [len(row) for row in rfm.GRID] == [5] * 5


@pytest.mark.parametrize(
    ("quiet", "orders", "spend", "name"),
    [  # cut points: silence 7/30/60/120 days, repeat orders 0/1/3/8, spend 20/50/120/400
        (3, 20, 900, "champions"),
        (3, 0, 10, "new"),
        (3, 1, 40, "potential_loyalist"),
        (20, 0, 15, "promising"),
        (20, 4, 300, "loyal"),
        (45, 1, 60, "need_attention"),  # orders score 2, spend score 3: weight 3 (half up)
        (45, 0, 30, "about_to_sleep"),
        (100, 2, 90, "at_risk"),
        (100, 0, 10, "hibernating"),
        (300, 20, 900, "cant_lose"),
        (300, 0, 10, "lost"),
    ],
)
def test_each_standard_segment_is_reached(quiet: float, orders: float, spend: float, name: str) -> None:
    cuts = RfmCuts((7, 30, 60, 120), (0, 1, 3, 8), (20, 50, 120, 400))
    assert rfm.rfm_name(Vitals(orders, 400.0, 400.0 + quiet, spend, spend, 1.0, math.nan), cuts) == name


def test_customers_with_equal_numbers_share_a_segment_whatever_the_order_of_the_rows() -> None:
    scored = crowd(300)
    scored["frequency"] = np.minimum(scored["frequency"], 1.0)  # heavy ties
    model = SegmentModel.fit(scored, TODAY)
    shuffled = scored.sample(frac=1.0, random_state=3)
    assert SegmentModel.fit(shuffled, TODAY) == model
    pd.testing.assert_frame_equal(model.assign(shuffled), model.assign(scored))


def test_a_crowd_of_single_orders_is_not_called_loyal() -> None:
    scored = crowd(100).assign(frequency=0.0, recency_days=0.0, historic_revenue=25.0)
    names = set(SegmentModel.fit(scored, TODAY).assign(scored)["segment"])
    assert {name for name in names if name.startswith("rfm_")} <= {
        "rfm_new",
        "rfm_promising",
        "rfm_about_to_sleep",
        "rfm_hibernating",
        "rfm_lost",
    }


@pytest.mark.parametrize(
    ("who", "stage"),
    [  # typical gap 30 days; usual gap = (t_x + 30) / (x + 1)
        (vitals(0, 0, 10), "new"),
        (vitals(0, 0, 60), "cooling"),  # two typical gaps without a second order
        (vitals(0, 0, 90), "at_risk"),
        (vitals(0, 0, 180), "lost"),
        (vitals(9, 270, 285, 0.97), "active"),  # usual gap 30, silence half a gap
        (vitals(9, 270, 340, 0.9), "cooling"),  # 70 / 30 = 2.3 gaps
        (vitals(9, 270, 285, 0.7), "cooling"),  # the model doubts though the timing does not
        (vitals(9, 270, 285, 0.4), "at_risk"),
        (vitals(9, 270, 285, 0.1), "lost"),
        (
            vitals(4, 300, 310, 0.95, gap=200.0),
            "returning",
        ),  # before: (100 + 30) / 4 = 32.5 days; 200 > 3 x 32.5
        (vitals(4, 300, 310, 0.95, gap=90.0), "active"),  # before: (210 + 30) / 4 = 60; 90 < 180
    ],
)
def test_the_stage_of_life_follows_p_alive_and_timing(who: Vitals, stage: str) -> None:
    assert Lifecycle(typical_gap_days=30.0).stage(who) == stage


def test_a_longer_silence_never_makes_a_customer_look_livelier() -> None:
    gravity = ["new", "returning", "active", "cooling", "at_risk", "lost"]
    for frequency, recency in ((0, 0), (1, 40), (8, 300)):
        seen = [
            gravity.index(Lifecycle(30.0).stage(vitals(frequency, recency, recency + quiet)))
            for quiet in range(0, 400, 5)
        ]
        assert seen == sorted(seen)


def test_a_log_of_customer_date_and_amount_is_enough() -> None:
    """Only the summary and the revenue are there: no prediction, no P(alive)."""
    scored = crowd(200)[["customer_id", "frequency", "recency_days", "age_days", "historic_revenue"]]
    model = SegmentModel.fit(scored, TODAY)
    families = {name.split("_")[0] for name in model.assign(scored)["segment"]}
    assert families == {"rfm", "value", "lifecycle", "cluster"}
    assert model.worth_field == "historic_revenue"


def test_even_a_bare_summary_gives_rfm_and_lifecycle() -> None:
    scored = crowd(50)[["customer_id", "frequency", "recency_days", "age_days"]]
    model = SegmentModel.fit(scored, TODAY)
    assert {name.split("_")[0] for name in model.assign(scored)["segment"]} == {"rfm", "lifecycle"}


def test_the_top_tier_is_the_best_tenth() -> None:
    scored = crowd(1000)
    model = SegmentModel.fit(scored, TODAY)
    sizes = model.assign(scored)["segment"].value_counts()
    assert [sizes[f"value_{tier}"] for tier in ("top", "high", "middle", "low")] == [100, 200, 400, 300]


def test_who_never_bought_is_on_no_list() -> None:
    scored = crowd(20)
    scored.loc[0, ["frequency", "recency_days", "age_days", "historic_revenue", "predicted_clv"]] = np.nan
    model = SegmentModel.fit(scored, TODAY)
    assert lists_of(model.assign(scored), "c0") == set()
    assert model.segments_of({}) == ()
    bare = SegmentModel.fit(scored, TODAY, audiences=[{"name": "unknown", "rule": "frequency is missing"}])
    assert bare.segments_of({}) == ("unknown",)
    assert lists_of(bare.assign(scored), "c0") == {"unknown"}


numbers = st.one_of(st.none(), st.integers(0, 800).map(float), st.floats(0, 5000))


@settings(max_examples=80, deadline=None)
@given(
    frequency=numbers,
    recency=numbers,
    quiet=numbers,
    spend=numbers,
    worth=numbers,
    alive=st.one_of(st.none(), st.floats(0, 1)),
    gap=numbers,
)
def test_the_live_answer_equals_the_nights_lists(
    frequency: float | None,
    recency: float | None,
    quiet: float | None,
    spend: float | None,
    worth: float | None,
    alive: float | None,
    gap: float | None,
) -> None:
    record = {
        "customer_id": "c",
        "frequency": None if frequency is None else math.floor(frequency),
        "recency_days": recency,
        "age_days": None if recency is None or quiet is None else recency + quiet,
        "historic_revenue": spend,
        "predicted_clv": worth,
        "probability_alive": alive,
        "last_gap_days": gap,
    }
    members = MODEL.assign(pd.DataFrame([record]))
    assert set(MODEL.segments_of(record)) == set(members["segment"])


AUDIENCES = (
    {
        "name": "worth_a_call",
        "rule": "predicted_clv > 60 and segments has any ('lifecycle_at_risk', 'lifecycle_cooling')",
    },
    {
        "name": "once_only",
        "rule": "tags has 'one_time_buyer' or frequency is missing",
        "description": "Only once",
    },
)
MODEL = SegmentModel.fit(crowd(), TODAY, audiences=AUDIENCES)


def test_live_equals_night_for_a_whole_crowd_and_after_a_round_trip_through_json() -> None:
    scored = crowd(300, seed=9)
    again = SegmentModel.from_json(json.loads(json.dumps(MODEL.to_json())))
    assert again == MODEL
    members = MODEL.assign(scored)
    by_customer = members.groupby("customer_id")["segment"].apply(set).to_dict()
    live = {str(row["customer_id"]): set(again.segments_of(row)) for row in scored.to_dict("records")}
    assert live == by_customer


def test_members_come_ordered_for_paging() -> None:
    members = MODEL.assign(crowd(60))
    assert members.equals(members.sort_values(["segment", "customer_id"], ignore_index=True))


def test_every_segment_that_can_be_assigned_is_described() -> None:
    described = {segment.name: segment for segment in MODEL.describe()}
    assert set(MODEL.assign(crowd(2000, seed=4))["segment"]) <= set(described)
    discovered = [name for name in described if name.startswith("cluster_")]
    assert 3 <= len(discovered) <= 6
    assert set(described) >= {"worth_a_call", "once_only"}
    assert len(described) == 11 + 4 + 6 + len(discovered) + 2
    assert set(lifecycle.DESCRIPTIONS) == {
        n.removeprefix("lifecycle_") for n in described if n.startswith("life")
    }
    assert described["value_top"].rule == f"predicted_clv > {MODEL.tiers[2]:.10g}"
    assert described["rfm_cant_lose"].rule.startswith("recency 2 with weight 5; recency 1 with weight 4, 5")


def test_a_table_without_the_summary_is_refused_by_name() -> None:
    with pytest.raises(MissingColumn, match="age_days"):
        SegmentModel.fit(crowd().drop(columns="age_days"), TODAY)


def test_no_customer_is_too_little_to_learn_from() -> None:
    with pytest.raises(TooLittleData, match="no customer with a purchase"):
        SegmentModel.fit(crowd().iloc[:0], TODAY)


def test_segments_of_a_newer_format_are_refused() -> None:
    with pytest.raises(UnknownFormat, match="99"):
        SegmentModel.from_json({**MODEL.to_json(), "format": 99})


def test_without_repeat_orders_the_typical_gap_falls_back_on_age() -> None:
    scored = crowd(11).assign(frequency=0.0, recency_days=0.0, age_days=np.arange(10.0, 21.0))
    assert Lifecycle.fit(vitals_table(scored, "", "")).typical_gap_days == 15.0
