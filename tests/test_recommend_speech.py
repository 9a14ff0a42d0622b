"""One hint carries words in the customer's language and reasons in the agent's."""

from __future__ import annotations

from datetime import date

from recommend.candidate import Candidate
from recommend.catalogue import Offer, Treatment
from recommend.context import Context
from recommend.history import History
from recommend.profile import Profile
from recommend.speech import Speech

TODAY = date(2024, 6, 30)
DAY0 = (TODAY - date(1970, 1, 1)).days
ANNA = Profile("anna", TODAY, history=History((DAY0 - 41, DAY0 - 31, DAY0 - 21), ("COFFEE",), ((0, 1, 2),)))
OFFER = Offer("item:COFFEE", "COFFEE", "replenish", items=("COFFEE",))
COFFEE = Candidate("item:COFFEE", "COFFEE", sources=("own_repeat",))


def test_a_replenishment_speaks_of_the_rhythm_in_both_places() -> None:
    said, why = Speech()(OFFER, COFFEE, ANNA, Context(), "replenish")
    assert said == "You usually buy coffee about every 10 days. Is it time again, or not yet?"
    assert why == ("Buys coffee every 10 days, last 21 days ago",)


def test_a_name_written_for_a_list_is_said_in_small_letters_within_a_sentence() -> None:
    listed = Offer("item:COFFEE", "Coffee", "cross_sell", items=("COFFEE",), generated=True)
    assert Speech()(listed, COFFEE, ANNA, Context(), "replenish")[0].startswith(
        "You usually buy coffee about"
    )


def test_a_name_shortened_for_a_list_is_said_in_small_letters_too() -> None:
    listed = Offer("item:TEA (LOOSE/B", "Tea", "cross_sell", items=("TEA (LOOSE/B",), generated=True)
    tea = Candidate("item:TEA (LOOSE/B", "TEA (LOOSE/B", sources=("popular",))
    said, _ = Speech()(listed, tea, ANNA, Context(), "cross_sell")
    assert said == "In case it is useful: tea. I can tell you more, or we leave it there."


def test_a_generated_name_that_is_a_brand_keeps_its_capital() -> None:
    listed = Offer("item:Nutella", "Nutella", "cross_sell", items=("Nutella",), generated=True)
    spread = Candidate("item:Nutella", "Nutella", sources=("popular",))
    assert Speech()(listed, spread, ANNA, Context(), "replenish")[0].startswith(
        "You have bought Nutella before."
    )


def test_the_agent_may_read_another_language_than_the_customer_hears() -> None:
    said, why = Speech(reasons_locale="en")(OFFER, COFFEE, ANNA, Context(locale="zh-Hant"), "replenish")
    assert said.startswith("您通常每10天左右買一次coffee")
    assert why == ("Buys coffee every 10 days, last 21 days ago",)


def test_the_offers_own_script_for_the_channel_is_used() -> None:
    gold = Offer(
        "gold", "Gold plan", "upsell", treatments=(Treatment("chat", scripts={"zh-Hans": "有{name}。"}),)
    )
    candidate = Candidate("gold")
    assert Speech()(gold, candidate, ANNA, Context(locale="zh-CN"), "upsell")[0] == "有Gold plan。"
    assert Speech()(gold, candidate, ANNA, Context(locale="en"), "upsell")[0].startswith(
        "There is also Gold plan."
    )


def test_items_are_called_by_their_names_where_given() -> None:
    said, why = Speech(names={"COFFEE": "ground coffee"})(
        Offer("item:COFFEE", "COFFEE", "replenish", generated=True), COFFEE, ANNA, Context(), "replenish"
    )
    assert "ground coffee" in said
    assert "ground coffee" in why[0]
