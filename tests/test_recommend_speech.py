"""One hint carries words in the customer's language and reasons in the agent's."""

from __future__ import annotations

from datetime import date
from typing import get_args

from hypothesis import given
from hypothesis import strategies as st

from recommend.candidate import Candidate
from recommend.catalogue import Catalogue, Offer, Treatment
from recommend.context import Context
from recommend.decision import Kind
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


def test_an_item_is_called_by_its_name_in_the_readers_language() -> None:
    catalogue = Catalogue().with_items(["COFFEE"], translations={"COFFEE": {"zh-Hans": "咖啡豆"}})
    offer = catalogue.by_id["item:COFFEE"]
    speech = Speech(catalogue=catalogue)
    said, why = speech(offer, COFFEE, ANNA, Context(locale="zh-CN"), "replenish")
    assert said == "您通常每10天左右买一次咖啡豆。这次需要吗？还是先不用？"
    assert why == ("大约每10天买一次咖啡豆，上次是21天前",)
    assert "咖啡豆" in speech(offer, COFFEE, ANNA, Context(locale="zh-HK"), "replenish")[0]
    assert "coffee" in speech(offer, COFFEE, ANNA, Context(locale="en"), "replenish")[0].lower()
    assert Catalogue.from_json(catalogue.as_json()) == catalogue


def test_who_asked_for_it_is_not_told_it_may_be_useful() -> None:
    context = Context(locale="zh-TW", intent="buy", mentions=("COFFEE",))
    said, why = Speech()(OFFER, COFFEE, ANNA, context, "replenish")
    assert said == "您提到了coffee。需要我介紹一下，還是幫您下單？"
    assert why[0] == "這次對話中提到了coffee"


def test_a_pace_is_spoken_of_only_while_it_is_steady_and_kept() -> None:
    """Gaps of 2, 100 and 3 days are no rhythm; a rhythm of 10 days is over after 31 days of silence."""
    days = (DAY0 - 110, DAY0 - 108, DAY0 - 8, DAY0 - 5)
    now_and_then = Profile("bo", TODAY, history=History(days, ("COFFEE",), ((0, 1, 2, 3),)))
    days = (DAY0 - 52, DAY0 - 42, DAY0 - 32)
    no_more = Profile("cy", TODAY, history=History(days, ("COFFEE",), ((0, 1, 2),)))
    for profile, fact in (
        (now_and_then, "Bought coffee 4 times, last 5 days ago"),
        (no_more, "Bought coffee 3 times, last 32 days ago"),
    ):
        said, why = Speech()(OFFER, COFFEE, profile, Context(), "replenish")
        assert said == "You have bought coffee before. Is it time again, or not for now?"
        assert why[0] == fact


ITEMS = ("COFFEE", "TEA (LOOSE/B", "PREGNANCY TESTS", "咖啡豆")
TOWN = Catalogue(
    [Offer("gold", "Gold plan", "upsell", names={"zh-Hans": "金牌"}, treatments=(Treatment("chat"),))]
).with_items(
    ITEMS, names={"TEA (LOOSE/B": "Tea"}, translations={"COFFEE": {"zh-Hant": "咖啡", "en": "Coffee"}}
)


@st.composite
def profiles(draw: st.DrawFn) -> Profile:
    """Return customers who bought nothing, once or often."""
    days = sorted(draw(st.lists(st.integers(DAY0 - 90, DAY0), max_size=6)))
    items = draw(st.lists(st.sampled_from(ITEMS), unique=True)) if days else []
    all_days = tuple(range(len(days)))
    return Profile("bo", TODAY, history=History(tuple(days), tuple(items), (all_days,) * len(items)))


QUESTIONS = st.tuples(
    st.sampled_from(list(TOWN.by_id.values())),
    st.builds(
        Candidate,
        st.just("o"),
        st.sampled_from((*ITEMS, "")),
        st.lists(st.sampled_from(("campaign", "mention", "popular", "segment")), unique=True).map(tuple),
    ),
    profiles(),
    st.builds(
        Context,
        locale=st.sampled_from(("en", "en-GB", "zh-CN", "zh-TW", "fr")),
        mentions=st.sampled_from(((), ("COFFEE",))),
        intent=st.sampled_from(("", "buy")),
    ),
    st.sampled_from(get_args(Kind)),
)


@given(questions=st.lists(QUESTIONS, max_size=5), reader=st.sampled_from(("", "en", "zh-CN")))
def test_what_was_asked_before_changes_no_word(
    questions: list[tuple[Offer, Candidate, Profile, Context, Kind]], reader: str
) -> None:
    """One who has answered others, in any order, says what one says who is asked for the first time."""
    speech = Speech(reader, catalogue=TOWN)
    first = [speech(*question) for question in questions]
    assert [speech(*question) for question in reversed(questions)] == first[::-1]
    assert [Speech(reader, catalogue=TOWN)(*question) for question in questions] == first


def test_two_catalogues_call_the_same_offer_each_by_its_own_name() -> None:
    speeches = [
        Speech(catalogue=Catalogue([Offer("o", name, "upsell")]).with_items(["X"], names={"X": name}))
        for name in ("Gold", "Silver")
    ]
    for speech, name in zip(speeches * 2, ("Gold", "Silver") * 2, strict=True):
        offer = Offer("o", name, "upsell")
        said, why = speech(offer, Candidate("o", "X"), ANNA, Context(mentions=("X",)), "upsell")
        assert said.startswith(f"There is also {name}.")
        assert why == (f"Asked about {name} in this conversation",)


def test_an_offer_that_is_not_the_catalogues_own_is_not_called_by_its_name() -> None:
    speech = Speech(catalogue=Catalogue([own := Offer("o", "Gold", "upsell")]))
    for offer in (own, Offer("o", "Silver", "upsell"), own, Offer("p", "Bronze", "upsell")):
        said, _ = speech(offer, Candidate("o"), ANNA, Context(), "upsell")
        assert said.startswith(f"There is also {offer.name}.")
