"""Candidates of many customers at once are the candidates of each one alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import numpy as np
import pandas as pd
import pytest

from recommend.candidate import Candidate
from recommend.candidates import Proposer
from recommend.catalogue import Catalogue, Offer
from recommend.context import Context
from recommend.profile import Contact, Profile
from recommend.proposed import Proposed
from recommend.proposing import MOST_BOUGHT, MOST_NEW
from tests.test_recommend_candidates import AS_OF, AT, coupons, profile_of, shoppers

ASKED = (
    Context(),
    Context(channel="email", mentions=("i07", "i33")),
    Context(attributes={"store_id": "north"}),
)


@pytest.fixture(scope="module")
def lines() -> pd.DataFrame:
    return shoppers()


@pytest.fixture(scope="module")
def proposer(lines: pd.DataFrame) -> Proposer:
    return Proposer().fit(lines, *coupons(lines), as_of=AS_OF, horizon_days=14, random_state=3)


@pytest.fixture(scope="module")
def catalogue(proposer: Proposer) -> Catalogue:
    business = [
        Offer("coupon:9:x", "Coupon", "cross_sell", group="Type A", items=("i01", "i02")),
        Offer("set", "Set", "bundle", items=("i00", "i03")),
        Offer("stay", "Stay", "retention", starting_propensity=0.2, starting_evidence=50.0),
        Offer("late", "Late", "upsell", items=("i05",), valid_from=date(2024, 9, 1)),
        Offer("odd", "Odd", "upsell", group="Type A", items=("a thing nobody sold",)),
    ]
    return Catalogue(business).with_items(proposer.vocabulary)


@pytest.fixture(scope="module")
def people(lines: pd.DataFrame) -> list[Profile]:
    known = [profile_of(lines, f"c{number}") for number in range(12)]
    told = Contact(datetime(2024, 7, 20, tzinfo=UTC), "chat", "accepted", "coupon:8:1")
    return [*known, Profile("nobody", AS_OF, known=False), replace(known[3], contacts=(told,))]


@pytest.mark.parametrize("context", ASKED, ids=("plain", "mentions", "store"))
def test_many_customers_get_what_each_would_get_alone(
    proposer: Proposer, catalogue: Catalogue, people: list[Profile], context: Context
) -> None:
    together = proposer.propose_all(people, catalogue, context, AT, explain=True)
    for found, profile in zip(together, people, strict=True):
        alone = sorted(
            proposer.propose(profile, catalogue, context, AT, explain=True), key=lambda one: one.offer_id
        )
        assert [repr(one) for one in found] == [repr(one) for one in alone]  # every digit, every feature


def test_only_what_a_proposer_reads_of_a_context_changes_the_candidates(proposer: Proposer) -> None:
    plain = Context(intent="ask", agent_id="kim", attributes={"weather": "rain"})
    assert proposer.same_for_all(plain, Context(channel="phone"))
    assert proposer.same_for_all(plain, Context(mentions=("unheard of",)))
    assert not proposer.same_for_all(plain, Context(mentions=("i07",)))
    assert not proposer.same_for_all(plain, Context(attributes={"store_id": "north"}))


def test_both_what_was_bought_and_what_is_new_have_their_places(
    proposer: Proposer, catalogue: Catalogue, people: list[Profile]
) -> None:
    for found, profile in zip(proposer.propose_all(people, catalogue, Context(), AT), people, strict=True):
        items = [one.item for one in found if one.offer_id.startswith("item:")]
        bought = [item for item in items if item in profile.history.items]
        assert len(bought) <= MOST_BOUGHT
        assert len(items) - len(bought) <= MOST_NEW


def test_columns_are_read_only_beside_their_own_catalogue() -> None:
    here, there = (
        Catalogue([Offer("a", "A", "upsell"), Offer("b", "B", "upsell")]),
        Catalogue([Offer("b", "B", "upsell"), Offer("a", "A", "upsell")]),
    )
    found = Proposed.of([Candidate("b", "", ("popular",), 0.3)], here.places)
    assert Proposed.by_offer(found, here.places).offers.tolist() == [1]
    assert Proposed.by_offer(found, there.places).offers.tolist() == [0]


def test_candidates_can_be_taken_from_either_end_and_not_beyond() -> None:
    one, two = Candidate("a", propensity=0.1), Candidate("b", propensity=0.2)
    found = Proposed.of([two, one], {"a": 0})
    assert (found[0], found[-1], found[:1]) == (one, two, [one])
    assert found.take(np.array([1, 0])) == [two, one]
    with pytest.raises(IndexError):
        found[2]
