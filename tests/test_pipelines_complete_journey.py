"""The demo's retail data: a year of a grocer's households as the six tables of the contract."""
# ruff: noqa: DTZ001  (the ledger holds UTC without a zone)

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime

import pytest

from clv.errors import DataError
from pipelines import complete_journey
from pipelines.features import contact_pressure, item_lines
from pipelines.ledger import Ledger
from pipelines.sources import Source, source_for
from pipelines.tally import IngestReport
from tests.exports import rows, take_in


@pytest.fixture(scope="module")
def journey() -> Iterator[tuple[Ledger, IngestReport]]:
    with Ledger(None) as ledger:
        yield ledger, take_in(ledger, "complete-journey")


def test_every_row_is_accepted(journey: tuple[Ledger, IngestReport]) -> None:
    # The counts the package's authors publish; 116,204 coupon lines are 1,197 coupons of a campaign.
    _, report = journey
    assert {table.table: table.accepted for table in report.tables} == {
        "products": 92_331,
        "customers": 801,
        "offers": 1_197,
        "purchases": 1_469_307,
        "interactions": 6_589,
        "outcomes": 2_102,
    }
    assert (report.duplicates, report.quarantined) == (0, 0)


def test_baskets_are_orders_and_households_customers(journey: tuple[Ledger, IngestReport]) -> None:
    ledger, _ = journey
    query = "SELECT count(DISTINCT customer_id), count(DISTINCT order_id) FROM purchases"
    assert rows(ledger, query) == [(2_469, 155_848)]
    first = "SELECT customer_id, order_id, ordered_at, amount FROM purchases WHERE rowid = 0"
    assert rows(ledger, first) == [("900", "31198570044", datetime(2017, 1, 1, 11, 53, 26), 0.5)]
    assert (ledger.currency(), ledger.absent()) == ("USD", ())


def test_a_coupon_of_a_campaign_is_an_offer_with_its_days(journey: tuple[Ledger, IngestReport]) -> None:
    ledger, _ = journey
    offer = """
    SELECT kind, "group", valid_from, valid_to, len(product_ids) > 0 FROM offers
    WHERE offer_id = 'coupon:1:51111030050'
    """
    assert rows(ledger, offer) == [
        ("cross_sell", "campaign-type-b", date(2017, 3, 3), date(2017, 4, 9), True)
    ]


def test_a_campaign_is_contact_and_a_redemption_an_answer(journey: tuple[Ledger, IngestReport]) -> None:
    ledger, _ = journey
    members = "SELECT DISTINCT direction, channel FROM interactions"
    assert rows(ledger, members) == [("outbound", "mail")]
    answers = "SELECT DISTINCT outcome FROM outcomes WHERE offer_id IN (SELECT offer_id FROM offers)"
    assert rows(ledger, answers) == [("accepted",)]
    # Household 105 belongs to campaign 1, which began on 3 March.
    pressure = contact_pressure(ledger, date(2017, 3, 3)).to_pandas().set_index("customer_id")
    assert pressure.loc["105", "contacts_7d"] == 1


def test_baskets_are_offered_at_the_level_of_product_types(journey: tuple[Ledger, IngestReport]) -> None:
    ledger, _ = journey
    # 528 products without a type, and 17 that no table lists, are items of their own.
    assert rows(ledger, "SELECT count(*) FROM products WHERE item = product_id") == [(528,)]
    items = item_lines(ledger, date(2017, 12, 31)).item.nunique().execute()
    assert 2_000 < items < 2_378 + 528 + 17


def test_without_the_package_the_cure_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(complete_journey, "find_spec", lambda _: None)
    with pytest.raises(DataError) as refusal:
        source_for("complete-journey")
    assert "pip install" in refusal.value.hint


def test_the_feeds_come_in_the_order_of_reference() -> None:
    source: Source = source_for("complete-journey")
    assert source.tables == ("products", "customers", "offers", "purchases", "interactions", "outcomes")
