"""Serving costs money, and value net of it can be negative."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from clv.errors import MissingColumn, SettingError
from clv.nbd import NBD
from clv.service import AgentCost, margin_rates, service_costs
from clv.spend import GammaGamma
from clv.valuation import ValueModel
from clv.value import ValueConfig

AS_OF = date(2026, 3, 31)
# One hour costs 20 x 1.5 / 0.75 = 40, a minute two thirds.
AGENT = AgentCost(wage_per_hour=20.0, on_cost_factor=1.5, occupancy=0.75)
SUMMARY = pd.DataFrame(
    {
        "customer_id": ["ann", "bob", "eve"],
        "frequency": [3, 0, 1],
        "recency_days": [80, 0, 40],
        "age_days": [100, 100, 100],
        "monetary_value": [30.0, 0.0, 20.0],
        "historic_revenue": [120.0, 25.0, 40.0],
    }
)


def contacts(*rows):
    table = pd.DataFrame(rows, columns=["customer_id", "occurred_at", "handle_seconds", "wrap_up_seconds"])
    return table.assign(occurred_at=pd.to_datetime(table["occurred_at"], format="ISO8601"))


def test_what_was_spent_on_a_customer_is_time_times_loaded_cost():
    costs = service_costs(
        contacts(
            ("ann", "2026-03-01", 240, 60), ("ann", "2026-03-31 23:00", 300, 0), ("ann", "2026-04-01", 999, 0)
        ),
        SUMMARY,
        AS_OF,
        AGENT,
    )
    assert costs["historic_service_cost"].tolist() == pytest.approx([600 / 3600 * 40, 0.0, 0.0])
    # ann calls more often than the others are expected to, bob and eve as everybody
    rate = costs["service_cost_per_day"]
    assert rate[0] > rate[1] == rate[2] > 0


def test_an_unknown_handling_time_counts_as_the_usual_one():
    costs = service_costs(
        contacts(("ann", "2026-03-01", 300, 0), ("bob", "2026-03-01", None, None)), SUMMARY, AS_OF, AGENT
    )
    assert costs["historic_service_cost"][1] == pytest.approx(300 / 3600 * 40)


def test_nobody_who_called_costs_nothing():
    costs = service_costs(contacts(), SUMMARY, AS_OF, AGENT)
    assert (costs == 0.0).all().all()


def test_net_value_is_value_less_the_cost_of_the_days_a_customer_stays():
    model = ValueModel(
        NBD.of(r=1.0, alpha=50.0),
        GammaGamma.of(p=6.0, q=4.0, gamma=15.0),
        AS_OF,
        ValueConfig(annual_discount=0.0),
    )
    table = SUMMARY.assign(service_cost_per_day=[0.1, 0.1, 5.0], historic_service_cost=[10.0, 0.0, 0.0])
    scored = model.predict(table, 365)
    # nobody leaves in this model: 365 days at the daily cost
    assert scored["predicted_service_cost"].tolist() == pytest.approx([36.5, 36.5, 1825.0])
    assert scored["net_clv"].to_numpy() == pytest.approx(
        (scored["total_clv"] - table["historic_service_cost"] - scored["predicted_service_cost"]).to_numpy()
    )
    assert scored["net_clv"][2] < 0


def test_one_customer_scored_live_costs_what_the_batch_says():
    model = ValueModel(NBD.of(r=1.0, alpha=50.0), GammaGamma.of(p=6.0, q=4.0, gamma=15.0), AS_OF)
    known = SUMMARY.assign(
        margin_rate=[0.4, 0.3, 0.2],
        service_cost_per_day=[0.1, 0.2, 0.0],
        historic_service_cost=[7.0, 0.0, 3.0],
    )
    for row in model.predict(known, 365).to_dict("records"):
        one = model.predict_one(
            row["frequency"],
            row["recency_days"],
            row["age_days"],
            row["monetary_value"],
            historic_revenue=row["historic_revenue"],
            margin_rate=row["margin_rate"],
            service_cost_per_day=row["service_cost_per_day"],
            historic_service_cost=row["historic_service_cost"],
        )
        for name in ("historic_clv", "predicted_clv", "total_clv", "predicted_service_cost", "net_clv"):
            assert getattr(one, name) == pytest.approx(row[name], rel=1e-12), name


def test_costs_that_are_not_known_are_no_fields_of_a_customer():
    model = ValueModel(NBD.of(r=1.0, alpha=50.0), GammaGamma.of(p=6.0, q=4.0, gamma=15.0), AS_OF)
    assert "net_clv" not in model.predict_one(3, 80, 100, 30.0).as_fields()


def test_unit_costs_give_each_customer_a_margin_between_their_own_and_everybody_s():
    purchases = pd.DataFrame(
        {
            "customer_id": ["ann"] * 10 + ["bob"] * 10,
            "ordered_at": pd.Timestamp("2026-03-01"),
            "amount": 10.0,
            "unit_cost": [2.0] * 10 + [8.0] * 10,
        }
    )
    rates = margin_rates(purchases, SUMMARY, AS_OF)
    # own margins .8 and .2, everybody's .5; ten lines weigh as much as the prior: halfway
    assert rates.tolist() == pytest.approx([0.65, 0.35, 0.5])
    model = ValueModel(NBD.of(r=1.0, alpha=50.0), GammaGamma.of(p=6.0, q=4.0, gamma=15.0), AS_OF)
    own, whole = model.predict(SUMMARY.assign(margin_rate=rates), 365), model.predict(SUMMARY, 365)
    assert own["total_clv"].to_numpy() == pytest.approx(rates * whole["total_clv"].to_numpy())
    assert np.isfinite(own["predicted_clv"]).all()


def test_a_new_customer_is_worth_their_repeat_orders():
    model = ValueModel(
        NBD.of(r=1.0, alpha=50.0),
        GammaGamma.of(p=6.0, q=4.0, gamma=15.0),
        AS_OF,
        ValueConfig(annual_discount=0.0, margin_rate=0.5),
    )
    # 100 / 50 orders at a mean of 6 x 15 / 3 = 30, half of it margin
    assert model.new_customer_value(100) == pytest.approx(30.0)


def test_what_is_missing_or_out_of_range_is_named():
    with pytest.raises(MissingColumn, match="handle_seconds"):
        service_costs(contacts().drop(columns=["handle_seconds"]), SUMMARY, AS_OF, AGENT)
    with pytest.raises(MissingColumn, match="unit_cost"):
        margin_rates(pd.DataFrame({"customer_id": []}), SUMMARY, AS_OF)
    with pytest.raises(SettingError, match="out of range"):
        AgentCost(wage_per_hour=20.0, occupancy=0.0)
