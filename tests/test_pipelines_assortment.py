"""Items are called what the products table calls them, in every language it knows."""

from __future__ import annotations

from datetime import date

import pandas as pd
import pytest

from pipelines.assortment import assortment
from pipelines.ledger import Ledger
from recommend.listen import listen
from serving.engines import _lexicon

PRODUCTS = pd.DataFrame(
    [
        ("17", "Espresso Roma", "17", '{"name_zh-Hant": "羅馬咖啡", "name_zh_hans": "罗马咖啡"}'),
        ("18", "Sencha loose", "TEA", '{"name_zh": "煎茶", "item_zh": "茶叶", "colour": "green"}'),
        ("19", "Earl Grey", "TEA", '{"name_zh": "伯爵茶", "item_zh": "茶叶"}'),
    ],
    columns=["product_id", "name", "item", "attributes"],
)
PURCHASES = pd.DataFrame(
    [("ann", "2025-03-01", "17"), ("ann", "2025-03-02", "18"), ("bob", "2025-03-02", "20")],
    columns=["customer_id", "ordered_at", "product_id"],
)


@pytest.fixture(scope="module")
def ledger() -> Ledger:
    made = Ledger(None)
    numbers = PURCHASES.index.astype(str)
    rows = PURCHASES.assign(
        order_id=numbers, line_id=numbers, amount=2.0, ordered_at=pd.to_datetime(PURCHASES["ordered_at"])
    )
    made.connection.register("given_products", PRODUCTS)
    made.connection.execute("INSERT INTO products BY NAME SELECT * FROM given_products")
    made.connection.register("given_purchases", rows)
    made.connection.execute("INSERT INTO purchases BY NAME SELECT * FROM given_purchases")
    return made


def test_an_item_has_the_name_of_its_product_and_its_names_in_other_languages(ledger: Ledger) -> None:
    offers = assortment(ledger, date(2025, 3, 31)).by_id
    assert (offers["item:17"].name, offers["item:TEA"].name) == ("Espresso Roma", "Tea")
    assert offers["item:20"].name == "Article 20"  # nobody said what it is
    assert offers["item:17"].names == {"zh-Hant": "羅馬咖啡", "zh-hans": "罗马咖啡"}
    assert offers["item:TEA"].names == {"zh": "茶叶"}  # the two products of it are called differently
    assert offers["item:17"].called("zh-CN") == "罗马咖啡"


@pytest.mark.parametrize("text", ["我想買羅馬咖啡", "我想买罗马咖啡", "I want to buy espresso roma"])
def test_what_is_named_in_any_of_them_is_heard(ledger: Ledger, text: str) -> None:
    heard = listen(text, _lexicon(assortment(ledger, date(2025, 3, 31))))
    assert (heard.intent, heard.mentions) == ("buy", ("17",))
