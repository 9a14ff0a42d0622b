"""Reasons are facts, in the reader's language, and tell nothing private."""

from __future__ import annotations

from datetime import date
from itertools import accumulate, pairwise
from math import sqrt

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from recommend.candidate import Candidate
from recommend.explain import FAMILIES, family_of, reason_codes, reasons, sentence
from recommend.history import History
from recommend.pace import STEADY, STILL, pace_days
from recommend.phrases import TEMPLATES
from recommend.profile import Profile, Tag
from recommend.sensitive import DENIED, is_sensitive
from recommend.sources import SOURCES

TODAY = date(2024, 6, 30)
DAY0 = (TODAY - date(1970, 1, 1)).days
COFFEE = History(tuple(DAY0 - ago for ago in (57, 39, 21)), ("COFFEE", "TEA"), ((0, 1, 2), (2,)))
ANNA = Profile("anna", TODAY, history=COFFEE)


def test_a_rhythm_is_said_with_its_days() -> None:
    offer = Candidate("item:COFFEE", "COFFEE", sources=("own_repeat",))
    assert reasons(offer, ANNA) == ("Buys coffee every 18 days, last 21 days ago",)
    assert reasons(offer, ANNA, locale="zh-CN", item_name="咖啡") == ("大约每18天买一次咖啡，上次是21天前",)
    assert reasons(offer, ANNA, locale="zh-TW", item_name="咖啡") == ("大約每18天買一次咖啡，上次是21天前",)


def test_a_single_purchase_is_not_called_a_rhythm() -> None:
    assert reasons(Candidate("item:TEA", "TEA"), ANNA) == ("Bought tea once, 21 days ago",)


def test_what_the_customer_asked_about_comes_first() -> None:
    found = reason_codes(Candidate("item:COFFEE", "COFFEE", sources=("popular",)), ANNA, mentions=("COFFEE",))
    assert [reason.code for reason in found] == ["mentioned", "rhythm", "popular"]


def test_silence_is_a_reason_to_win_back() -> None:
    value = {"frequency": 5, "recency_days": 100, "age_days": 190}
    gone = Profile("bo", TODAY, value=value, segments=("lifecycle_at_risk",), history=COFFEE)
    assert reasons(Candidate("x", sources=("win_back",)), gone) == (
        "No order for 90 days; used to order every 20 days",
    )


def test_a_coupon_is_explained_by_the_campaign_and_the_taste_for_discounts() -> None:
    thrifty = Profile("cy", TODAY, tags=(Tag("price_sensitive", "discounts", TODAY),), history=COFFEE)
    assert [r.code for r in reason_codes(Candidate("c", sources=("campaign",)), thrifty)] == [
        "campaign",
        "discount",
    ]


def test_the_models_contributions_speak_by_family_loudest_first() -> None:
    offer = Candidate(
        "item:WINE",
        "WINE",
        contributions={
            "co_purchase_score": 0.4,
            "neighbours_rank": 0.5,
            "neighbours_score": 0.4,
            "popular_rank": -0.3,
            "zeta": 2.0,
        },
    )
    assert [reason.code for reason in reason_codes(offer, ANNA)] == ["neighbours", "co_purchase"]


def test_a_fact_is_not_repeated_by_the_model() -> None:
    offer = Candidate("item:COFFEE", "COFFEE", contributions={"days_since_item": 0.9, "item_decay": 0.8})
    assert [reason.code for reason in reason_codes(offer, ANNA)] == ["rhythm"]


def test_a_stranger_is_called_a_stranger() -> None:
    assert reasons(Candidate("item:X", "X"), Profile("?", TODAY, known=False)) == (
        "Little is known about this customer yet",
    )


@pytest.mark.parametrize("name", sorted(DENIED))
def test_no_sensitive_attribute_is_ever_a_reason(name: str) -> None:
    features = [f"{name}_recent_count", f"own_{name}", f"customer.{name}", name.title() + "Repeat"]
    assert all(is_sensitive(feature) for feature in features)
    offer = Candidate("item:X", "X", contributions=dict.fromkeys(features, 5.0))
    assert reasons(offer, ANNA) == ()


def test_the_profiles_attributes_cannot_reach_the_reasons() -> None:
    offer = Candidate(
        "item:COFFEE", "COFFEE", sources=("popular", "segment"), contributions={"own_count": 1.0}
    )
    bare = reasons(offer, ANNA, most=9)
    told = Profile(
        "anna", TODAY, history=COFFEE, attributes={"religion": "x", "income": 9.0, "birth_year": 1980}
    )
    assert reasons(offer, told, most=9) == bare


def test_the_models_word_on_habits_counts_only_for_what_was_bought() -> None:
    numbers = {"decayed_95": 1.0, "due_ratio": 0.9}
    assert reasons(Candidate("item:WINE", "WINE", contributions=numbers), ANNA) == ()
    found = reason_codes(Candidate("item:TEA", "TEA", contributions=numbers), ANNA)
    assert [reason.code for reason in found] == ["bought_before", "timing"]


def test_private_purchases_are_not_read_out() -> None:
    history = History((DAY0 - 30, DAY0 - 20, DAY0 - 10), ("PREGNANCY TESTS",), ((0, 1, 2),))
    model = {"times_bought": 2.0, "due_ratio": 1.0}
    offer = Candidate("item:PREGNANCY TESTS", "PREGNANCY TESTS", sources=("own_repeat",), contributions=model)
    assert reasons(offer, Profile("d", TODAY, history=history)) == ()


def test_a_name_nobody_put_into_words_stays_unspoken() -> None:
    assert family_of("f_17") == ""


def test_every_source_of_candidates_and_every_family_can_be_said() -> None:
    said = {code for code, _ in FAMILIES}
    assert said <= set(TEMPLATES)
    facts = {"own_repeat", "replenish", "win_back"}  # said by the history itself
    for source in set(SOURCES) - facts:
        assert reasons(Candidate("item:X", "X", sources=(source,)), ANNA), source


def test_what_describes_the_customer_alone_is_no_reason_for_an_item() -> None:
    alone = ["baskets", "basket_size", "distinct_items", "history_days", "weekday", "repeat_share"]
    assert [family_of(name) for name in alone] == [""] * 6
    assert family_of("kind_decayed") == "kind"
    assert family_of("upsell_rank") == "upsell"


def test_every_reason_has_words_in_every_language() -> None:
    assert all(set(words) == {"en", "zh-Hans", "zh-Hant"} for words in TEMPLATES.values())


def test_reasons_become_one_sentence() -> None:
    assert (
        sentence(("大约每18天买一次咖啡", "许多顾客都买"), "zh-Hans")
        == "大约每18天买一次咖啡；许多顾客都买。"
    )
    assert sentence(()) == ""


def test_a_name_with_braces_is_said_as_it_is() -> None:
    odd = ("{ago} {gap}", "{times}", "{item}")
    history = History(COFFEE.order_days, odd, ((0, 1, 2), (2,), (0, 2)))
    bo = Profile("bo", TODAY, history=history)
    assert [reasons(Candidate("o", item), bo, mentions=odd) for item in odd] == [
        ("Asked about {ago} {gap} in this conversation", "Buys {ago} {gap} every 18 days, last 21 days ago"),
        ("Asked about {times} in this conversation", "Bought {times} once, 21 days ago"),
        ("Asked about {item} in this conversation", "Bought {item} twice, last 21 days ago"),
    ]


def test_a_taste_for_discounts_is_no_reason_without_a_campaign() -> None:
    thrifty = Profile("cy", TODAY, tags=(Tag("price_sensitive", "discounts", TODAY),), history=COFFEE)
    assert [r.code for r in reason_codes(Candidate("c", sources=("popular",)), thrifty)] == ["popular"]


@given(sources=st.lists(st.sampled_from((*SOURCES, "campaign", "elsewhere"))).map(tuple))
def test_what_the_sources_say_is_the_same_whatever_is_known_besides(sources: tuple[str, ...]) -> None:
    value = {"frequency": 5, "recency_days": 100, "age_days": 190}
    gone = Profile("bo", TODAY, value=value, segments=("lifecycle_lost",), history=COFFEE)
    alone = reasons(Candidate("o", sources=sources), Profile("cy", TODAY, history=COFFEE), most=9)
    told = reasons(Candidate("o", "COFFEE", sources=sources), gone, mentions=("COFFEE",), most=19)
    assert told[len(told) - len(alone) :] == alone


@given(
    gaps=st.lists(st.integers(0, 60), min_size=2, max_size=12),
    since=st.integers(0, 200),
)
@example(gaps=[1, 7], since=3)  # a tie, and two that rounding parts
@example(gaps=[1, 1, 1, 4, 1], since=3)
@example(gaps=[4, 1, 9, 1, 9], since=3)
def test_a_pace_is_the_mean_gap_if_the_gaps_are_alike_and_the_last_is_not_long_ago(
    gaps: list[int], since: int
) -> None:
    bought = tuple(accumulate(gaps, initial=19000))
    steps = [later - earlier for earlier, later in pairwise(bought)]
    mean = sum(steps) / len(steps)
    spread = sqrt(sum((step - mean) ** 2 for step in steps) / len(steps))
    spoken = mean > 0 and spread <= STEADY * mean and since <= STILL * mean
    history = History(bought, ("TEA",), (tuple(range(len(bought))),))
    assert pace_days(history, "TEA", bought[-1] + since) == (mean if spoken else None)
