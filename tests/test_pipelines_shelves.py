"""What stands beside what on the shelf, and what it costs, is read from the ledger as of a day."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pandas as pd
import pytest

from pipelines.ledger import Ledger
from pipelines.responses import responses_of
from pipelines.shelves import shelves

LAST = date(2025, 3, 31)
PRODUCTS = pd.DataFrame(
    [
        ("p1", "Drinks/Coffee/Instant", "Instant"),
        ("p2", "Drinks/Coffee/Ground", "Ground"),
        ("p3", "Drinks/Coffee", "Filter bags"),  # an item that is no level of its category
        ("p4", "Salt", "Salt"),  # one level: nothing stands above it
        ("p5", None, "p5"),
    ],
    columns=["product_id", "category", "item"],
)
PURCHASES = pd.DataFrame(
    [
        ("a", "2025-03-01", "p1", 4.0, 2, 0.5, False),
        ("b", "2025-03-02", "p1", 8.0, 2, 1.5, False),  # 12 for four pieces: 3 each; cost 4 for four
        ("a", "2025-03-03", "p2", 5.0, None, None, False),
        ("a", "2025-03-04", "p2", -5.0, None, None, True),  # a return is no price
        ("a", "2025-03-04", "p3", 2.0, 1, None, False),
        ("a", "2025-03-04", "p4", 1.0, 1, None, False),
        ("a", "2025-03-04", "p5", 1.0, 1, None, False),
        ("b", "2025-04-01", "p1", 90.0, 1, 0.0, False),  # the day after
        ("b", "2025-04-01", "p9", 90.0, 1, 0.0, False),
    ],
    columns=["customer_id", "ordered_at", "product_id", "amount", "quantity", "unit_cost", "is_return"],
)


@pytest.fixture
def ledger() -> Iterator[Ledger]:
    with Ledger(None) as made:
        made.connection.register("products_given", PRODUCTS)
        made.connection.execute("INSERT INTO products BY NAME SELECT * FROM products_given")
        rows = PURCHASES.assign(
            order_id=PURCHASES.index.astype(str),
            line_id=PURCHASES.index.astype(str),
            ordered_at=pd.to_datetime(PURCHASES["ordered_at"]),
        )
        made.connection.register("purchases_given", rows)
        made.connection.execute("INSERT INTO purchases BY NAME SELECT * FROM purchases_given")
        yield made


def test_the_kind_of_an_item_is_the_level_above_it(ledger: Ledger) -> None:
    found = shelves(ledger, LAST).set_index("item")["kind"]
    assert found.drop(["Salt", "p5"]).to_dict() == dict.fromkeys(
        ("Instant", "Ground", "Filter bags"), "Drinks/Coffee"
    )
    assert found[["Salt", "p5"]].isna().all()


def test_a_price_is_that_of_one_piece_sold_up_to_the_day(ledger: Ledger) -> None:
    found = shelves(ledger, LAST).set_index("item")
    assert found["price"].to_dict() == pytest.approx(
        {"Instant": 3.0, "Ground": 5.0, "Filter bags": 2.0, "Salt": 1.0, "p5": 1.0}
    )
    # 12 earned less 2 x 0.5 and 2 x 1.5, over four pieces; no cost, no margin
    assert found["margin"].dropna().to_dict() == pytest.approx({"Instant": 2.0})


def test_the_propensity_model_is_told_of_kinds_and_prices(ledger: Ledger) -> None:
    known = responses_of(ledger, LAST)
    assert known.products is not None
    assert known.products["item"].tolist() == ["Filter bags", "Ground", "Instant", "Salt", "p5"]
    ledger.connection.execute("UPDATE products SET category = 'Drinks/Tea/Ground' WHERE product_id = 'p2'")
    assert responses_of(ledger, LAST).fingerprint != known.fingerprint
