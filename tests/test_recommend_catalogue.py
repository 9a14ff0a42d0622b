"""A catalogue says what it holds, survives being written down, and refuses what cannot be meant."""

from __future__ import annotations

import json
from datetime import date, datetime

import pandas as pd
import pytest

from clv.errors import DataError, SettingError
from recommend.catalogue import Cap, Catalogue, Offer, Treatment, offer_from
from recommend.policies import Policies
from recommend.worth import Annoyance, Arbitration

FULL = Offer(
    "gold",
    "Gold plan",
    "upsell",
    issue="grow",
    group="plans",
    items=("PLAN",),
    margin=12.0,
    cost=2.0,
    valid_from=date(2026, 1, 1),
    valid_to=date(2026, 3, 31),
    caps=(Cap(2, "presented", 30),),
    eligibility=("customer.known",),
    treatments=(Treatment("chat", {"en": "Shall we look at Gold?"}),),
    starting_propensity=0.3,
    starting_evidence=50.0,
)


def test_a_catalogue_written_down_and_read_is_the_same() -> None:
    catalogue = Catalogue([FULL], note="").with_items(["TEA"], names={"TEA": "Tea"}, margins={"TEA": 0.4})
    assert Catalogue.from_json(json.loads(json.dumps(catalogue.as_json()))) == catalogue
    assert len(catalogue) == 2
    assert catalogue.by_item == {"PLAN": ("gold",), "TEA": ("item:TEA",)}


def test_a_row_of_the_offers_table_becomes_an_offer() -> None:
    row = {
        "offer_id": "coupon:8:1",
        "name": None,
        "kind": "cross_sell",
        "product_ids": ["TEA", "CUPS"],
        "value": 1.5,
        "valid_from": datetime(2026, 1, 5),  # noqa: DTZ001
        "valid_to": pd.NaT,
        "channels": ["chat", "email"],
        "scripts": {"en": "A coupon for you."},
        "cost": float("nan"),
        "levers": 10,
    }
    offer = offer_from(row)
    assert (offer.name, offer.items) == ("coupon:8:1", ("TEA", "CUPS"))
    assert (offer.margin, offer.cost, offer.lever) == (1.5, 0.0, 10.0)
    assert (offer.valid_from, offer.valid_to) == (date(2026, 1, 5), None)
    assert [t.channel for t in offer.treatments] == ["chat", "email"]
    assert offer.words("email", "en-US") == "A coupon for you."


def test_words_without_channels_are_for_every_channel() -> None:
    offer = offer_from({"offer_id": "a", "scripts": {"en": "Hello."}, "eligibility": "customer.known"})
    assert offer.words("phone", "en") == "Hello."
    assert offer.eligibility == ("customer.known",)


@pytest.mark.parametrize(
    ("row", "what"),
    [
        ({"name": "x"}, "needs an offer_id"),
        ({"offer_id": "x", "kind": "spam"}, "'spam' is no kind of offer"),
        (
            {"offer_id": "x", "valid_from": "2026-02-01", "valid_to": "2026-01-01"},
            "last day is before its first",
        ),
        ({"offer_id": "x", "valid_to": "soon"}, "'soon' is no day"),
        ({"offer_id": "x", "starting_propensity": 5}, "outside 0 to 1"),
        ({"offer_id": "x", "cost": -1.0}, "cannot be negative"),
        ({"offer_id": "x", "caps": [{"count": 0}]}, "cannot be negative"),
        ({"offer_id": "x", "margin": "inf"}, "not finite"),
        ({"offer_id": "x", "lever": float("inf")}, "not finite"),
        ({"offer_id": "x", "colour": "red"}, "no field 'colour'"),
        ({"offer_id": "x", "margin": "a lot"}, "'a lot' is no number"),
    ],
)
def test_an_offer_that_cannot_be_meant_is_refused(row: dict[str, object], what: str) -> None:
    with pytest.raises(DataError, match=what):
        offer_from(row)


def test_an_offer_is_in_the_catalogue_once() -> None:
    with pytest.raises(DataError, match="there twice"):
        Catalogue([FULL, FULL])


def test_policies_and_weights_written_down_and_read_are_the_same() -> None:
    for record in (Policies(), Arbitration(floor=0.5, annoyance=Annoyance(rate=0.1))):
        assert type(record).from_json(json.loads(json.dumps(record.as_json()))) == record


@pytest.mark.parametrize(
    ("toml", "where"),
    [
        ("sllate = 3", "policies"),
        ("[slate]\nhints = 0", "slate"),
        ("[slate]\nhints = '3'", "policies.slate.hints"),
        ("[slate]\nhints = true", "policies.slate.hints"),
        ("[control]\nshare = 1.0", "control.share"),
        ("[[rules]]\nstage = 'mood'\nrule = 'x'", r"policies.rules\[0\].stage"),
        ("[[rules]]\nstage = 'eligibility'", r"policies.rules\[0\]"),
        ("rules = 'none'", "policies.rules"),
        ("rules = [3]", r"policies.rules\[0\]"),
        ("fields = 3", "policies.fields"),
        ("[fields]\n'customer.age' = 'colour'", "policies.fields.customer.age"),
        ("[[limits]]\ncount = 1\ndays = 0", "limits"),
        (
            "[[suppressions]]\noutcome='rejected'\nscope='all'\ncount=0\nwindow_days=1\npause_days=1",
            "suppressions",
        ),
        ("slate =", "policies"),
    ],
)
def test_a_setting_that_cannot_be_meant_is_named(toml: str, where: str) -> None:
    with pytest.raises(SettingError, match=rf"\({where}\)"):
        Policies.from_toml(toml)


@pytest.mark.parametrize("raw", [{"floor": -1}, {"default_value": -1}, {"annoyance": {"rate": -1}}])
def test_weights_that_cannot_be_meant_are_refused(raw: dict[str, object]) -> None:
    with pytest.raises(SettingError, match="cannot be negative"):
        Arbitration.from_json(raw)
