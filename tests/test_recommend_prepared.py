"""Candidates prepared at night give by day the very decisions the proposer would have given."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pandas as pd
import pytest

from recommend.candidates import Proposer
from recommend.catalogue import Catalogue, Offer
from recommend.context import Context
from recommend.engine import Engine
from recommend.explore import Thompson
from recommend.prepared import Prepared, digest
from recommend.profile import Profile
from tests.test_recommend_candidates import AS_OF, AT, coupons, profile_of, shoppers

TOMORROW = AT + timedelta(days=1)


@pytest.fixture(scope="module")
def lines() -> pd.DataFrame:
    return shoppers()


@pytest.fixture(scope="module")
def proposer(lines: pd.DataFrame) -> Proposer:
    return Proposer().fit(lines, *coupons(lines), as_of=AS_OF, horizon_days=14, random_state=3)


@pytest.fixture(scope="module")
def catalogue(proposer: Proposer) -> Catalogue:
    business = [
        Offer("coupon:9:x", "Coupon", "cross_sell", group="Type A", items=("i01", "i02"), margin=3.0),
        Offer("set", "Set", "bundle", items=("i00", "i03"), margin=9.0),
        Offer("stay", "Stay", "retention", starting_propensity=0.2, starting_evidence=50.0),
        Offer("recall", "Recall", "service", mandatory=True, purpose="service"),
    ]
    return proposer.complete(Catalogue(business))


@pytest.fixture(scope="module")
def prepared(proposer: Proposer, catalogue: Catalogue) -> Prepared:
    made = Prepared(proposer, catalogue, AS_OF)
    again = Prepared.from_json(made.as_json(), proposer, catalogue)
    assert again is not None
    return again


@pytest.fixture(scope="module")
def people(lines: pd.DataFrame) -> list[Profile]:
    everybody = sorted(set(lines["customer_id"]))
    return [*(profile_of(lines, name) for name in everybody), Profile("nobody", AS_OF, known=False)]


@pytest.mark.parametrize("explorer", [None, Thompson()], ids=["best", "thompson"])
def test_everybody_gets_the_same_decision_both_ways(
    proposer: Proposer,
    catalogue: Catalogue,
    prepared: Prepared,
    people: list[Profile],
    explorer: Thompson | None,
) -> None:
    class NotAsked(Proposer):
        def propose(self, *_: object, **__: object) -> None:  # type: ignore[override]
            raise AssertionError("The proposer is not asked where candidates are prepared.")

    asking = Engine(catalogue, proposer=proposer, explorer=explorer)
    reading = Engine(catalogue, proposer=NotAsked(), explorer=explorer, prepared=prepared)
    contexts = (Context(intent="ask"), Context(channel="email", direction="outbound", locale="zh-TW"))
    found = list(prepared.pack_all(people))
    assert [profile for profile, _ in found] == people
    for profile, packed in found:
        for context in contexts:
            live = asking.decide(profile, context, TOMORROW, profile.customer_id)
            assert reading.decide(profile, context, TOMORROW, profile.customer_id, prepared=packed) == live


def test_another_day_or_what_the_customer_names_asks_the_proposer(prepared: Prepared) -> None:
    assert prepared.holds(Context(), TOMORROW)
    assert not prepared.holds(Context(), AT)
    assert not prepared.holds(Context(mentions=("i07",)), TOMORROW)
    assert not prepared.holds(Context(attributes={"store_id": "north"}), TOMORROW)


def test_what_was_prepared_for_another_catalogue_is_not_read(
    prepared: Prepared, proposer: Proposer, catalogue: Catalogue
) -> None:
    told = prepared.as_json()
    dearer = Catalogue([replace(offer, price=12.0, lever=5.0) for offer in catalogue.offers])
    fewer = Catalogue(catalogue.offers[1:])
    assert Prepared.from_json(told, proposer, dearer) is not None  # a price is nothing a proposer reads
    assert Prepared.from_json(told, proposer, fewer) is None
    again = Catalogue([replace(offer, repeatable=not offer.repeatable) for offer in catalogue.offers])
    assert Prepared.from_json(told, proposer, again) is None  # what is owned may now be sold twice
    assert Prepared.from_json({**told, "layout": ["<f8"]}, proposer, catalogue) is None
    assert digest(dearer) == digest(catalogue) != digest(fewer)


def test_nothing_is_prepared_where_an_offer_comes_twice(proposer: Proposer, lines: pd.DataFrame) -> None:
    own = Catalogue([Offer("item:i00", "Ours", "upsell", items=("i01",))])
    twice = Prepared(proposer, proposer.complete(own), AS_OF)
    assert [packed for _, packed in twice.pack_all([profile_of(lines, "c1")])] == [b""]
