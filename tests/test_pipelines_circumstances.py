"""What the value model's trees are told beyond orders: worked out by hand, and nothing of it too early."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pandas as pd
import pytest

from clv.errors import DataError
from clv.valuation import ValueConfig, ValueModel
from pipelines.circumstances import circumstances_of
from pipelines.evaluate import evaluate_value
from pipelines.ledger import Ledger
from pipelines.orders import fingerprint_of, order_log, summary_of, tilted
from pipelines.train import train_value
from tests import shop

AS_OF = date(2025, 6, 30)


def fill(ledger: Ledger, table: str, rows: pd.DataFrame) -> None:
    names = ", ".join(f'"{name}"' for name in rows.columns)
    ledger.connection.register("rows", rows)
    ledger.connection.execute(f"INSERT INTO {table} ({names}) SELECT * FROM rows")
    ledger.connection.unregister("rows")


def purchases(*lines: tuple[str, str, float, str, float]) -> pd.DataFrame:
    table = pd.DataFrame(lines, columns=["customer_id", "ordered_at", "amount", "product_id", "discount"])
    return table.assign(ordered_at=pd.to_datetime(table["ordered_at"]))


@pytest.fixture
def village() -> Iterator[Ledger]:
    with Ledger(None) as ledger:
        lines = (
            ("ann", "2024-12-31", 30.0, "tea", 10.0),
            ("ann", "2025-06-01", 10.0, "rice", 0.0),
            ("bob", "2025-06-10", 20.0, "rice", 0.0),
            ("ann", "2025-07-02", 99.0, "soap", 0.0),
        )
        fill(ledger, "purchases", purchases(*lines))
        categories = {"tea": "drinks/hot", "rice": "food/dry", "soap": "home/care"}
        fill(ledger, "products", pd.DataFrame(categories.items(), columns=["product_id", "category"]))
        said = pd.DataFrame(
            {
                "interaction_id": ["1", "2", "3"],
                "customer_id": ["ann", "ann", "ann"],
                "occurred_at": pd.to_datetime(["2025-01-15", "2025-06-20", "2025-07-01"]),
                "channel": ["phone", "chat", "chat"],
                "direction": ["inbound", "inbound", "inbound"],
                "topic": ["delivery", "complaint", "cancel"],
            }
        )
        fill(ledger, "interactions", said)
        yield ledger


def test_shares_rates_and_recent_counts_are_those_worked_out_by_hand(village: Ledger) -> None:
    circumstances = circumstances_of(village)
    assert circumstances is not None
    known = circumstances(AS_OF).set_index("customer_id")
    ann, bob = known.loc["ann"], known.loc["bob"]
    assert (ann["share of drinks"], ann["share of food"], bob["share of food"]) == (0.75, 0.25, 1.0)
    assert (ann["categories"], ann["largest_share"], bob["categories"]) == (2, 0.75, 1)
    assert ann["discount_share"] == pytest.approx(10 / 50)
    # known since 31 December, 181 days: two interactions are 2 * 365 / 181 a year, one of them in 90 days
    assert ann["interactions a year"] == pytest.approx(2 * 365 / 181)
    assert (ann["recent interactions"], ann["recent interactions_chat"]) == (1, 1)
    assert (ann["about complaint"], bob["about complaint"]) == (1, 0)
    assert ann["last_interaction_days"] == 10
    assert (bob["interactions a year"], bob["recent interactions"]) == (0, 0)
    assert pd.isna(bob["last_interaction_days"])


def test_nothing_later_than_the_day_is_seen(village: Ledger) -> None:
    circumstances = circumstances_of(village)
    assert circumstances is not None
    before = circumstances(AS_OF)
    assert {"share of home", "about cancel"}.isdisjoint(before.columns)
    late = purchases(("bob", "2025-07-05", 500.0, "soap", 50.0), ("eve", "2025-07-06", 5.0, "tea", 0.0))
    fill(village, "purchases", late)
    again = circumstances_of(village)
    assert again is not None
    pd.testing.assert_frame_equal(again(AS_OF), before)
    assert "share of home" in again(date(2025, 7, 31)).columns
    early = again(date(2025, 1, 1))
    assert early["customer_id"].tolist() == ["ann"]
    assert early["interactions a year"].tolist() == [0.0]


def test_a_log_of_orders_alone_has_none() -> None:
    with Ledger(None) as ledger:
        assert circumstances_of(ledger) is None
        fill(ledger, "purchases", purchases(("ann", "2025-01-01", 5.0, "tea", 0.0)))
        assert circumstances_of(ledger) is None


def test_a_single_top_level_is_looked_below(village: Ledger) -> None:
    village.connection.execute("UPDATE products SET category = 'shop/' || category")
    circumstances = circumstances_of(village)
    assert circumstances is not None
    assert "share of shop/drinks" in circumstances(AS_OF).columns


@pytest.fixture(scope="module")
def counter() -> Iterator[Ledger]:
    """The made-up shop, and a counter where every customer asked something in their last month."""
    with Ledger(None) as ledger:
        lines = shop.lines().drop(columns="quantity")
        fill(ledger, "purchases", lines.assign(ordered_at=pd.to_datetime(lines["ordered_at"])))
        last = lines.groupby("customer_id", as_index=False)["ordered_at"].max()
        asked = pd.DataFrame(
            {
                "interaction_id": last["customer_id"],
                "customer_id": last["customer_id"],
                "occurred_at": pd.to_datetime(last["ordered_at"]) - pd.Timedelta(days=9),
                "channel": "store",
                "topic": "returns",
            }
        )
        fill(ledger, "interactions", asked)
        yield ledger


def test_training_judging_and_scoring_are_told_the_same(counter: Ledger, tmp_path: Path) -> None:
    last = shop.FIRST_DAY + timedelta(days=shop.DAYS - 1)
    config = ValueConfig(method="stack", horizon_days=60)
    trained = train_value(counter, last, tmp_path / "value", config=config, choose=False)
    assert "about returns" in trained.bundle.facts["knows beyond orders"]
    orders = order_log(counter, last)
    assert trained.bundle.fingerprint != fingerprint_of(orders)
    model = ValueModel.load(tmp_path / "value")
    summary = summary_of(orders, last)
    scored = tilted(model, summary, orders, last, circumstances_of(counter))
    again = tilted(model, summary, orders, last, circumstances_of(counter))
    assert scored["tilt"].tolist() == again["tilt"].tolist()
    with pytest.raises(DataError, match="more than their orders"):
        tilted(model, summary, orders, last)
    found = evaluate_value(counter, last, tmp_path / "value", tmp_path / "report", holdout_days=60)
    assert found.metrics["spend_gini"] > 0.3
