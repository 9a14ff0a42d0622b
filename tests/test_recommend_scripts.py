"""Words to say inform, in the customer's language, and never press."""

from __future__ import annotations

from typing import get_args

import pytest

from recommend.decision import Kind
from recommend.languages import LANGUAGES
from recommend.scripts import SCRIPTS, pushing_words, words

KINDS = get_args(Kind)
# Characters that exist in one script only, among those our sentences use.
SIMPLIFIED_ONLY = set("参们绍没关系说价较买这还时间单兴决办处让诉选为您") - set("您")
TRADITIONAL_ONLY = set("參們紹沒關係說價較買這還時間單興決辦處讓訴選為")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("locale", LANGUAGES)
def test_there_are_words_for_every_kind_and_language_and_none_of_them_press(kind: Kind, locale: str) -> None:
    said = words("Assam tea", kind, locale, gap_days=14)
    assert "Assam tea" in said
    assert "{" not in said
    assert pushing_words(said) == ""


def test_the_two_chinese_scripts_are_not_mixed() -> None:
    for kind in KINDS:
        assert not TRADITIONAL_ONLY & set(SCRIPTS["zh-Hans"][kind])
        assert not SIMPLIFIED_ONLY & set(SCRIPTS["zh-Hant"][kind])


def test_a_known_rhythm_is_mentioned_when_something_runs_low() -> None:
    assert words("COFFEE", "replenish", "en", gap_days=18.4).startswith(
        "You usually buy coffee about every 18 days."
    )
    assert words("COFFEE", "replenish", "en").startswith("You have bought coffee before.")


def test_an_offers_own_script_wins_in_its_language_only() -> None:
    own = {"zh-TW": "我們有{name}。", "fr": "Nous avons {name}."}
    assert words("茶", "cross_sell", "zh-HK", scripts=own) == "我們有茶。"
    assert words("Thé", "cross_sell", "fr", scripts=own) == "Nous avons Thé."
    assert words("tea", "cross_sell", "en", scripts=own).startswith("In case it is useful")
    assert words("tea", "cross_sell", "de", scripts=own).startswith("In case it is useful")


def test_a_script_cannot_reach_into_the_program() -> None:
    assert words("tea", "service", scripts={"en": "{name.__class__} {0}"}) == "{name.__class__} {0}"


@pytest.mark.parametrize("text", ["Hurry up, buy!", "This is your LAST CHANCE.", "机不可失！", "限時優惠"])
def test_a_pushing_script_is_noticed(text: str) -> None:
    assert pushing_words(text)


def test_an_empty_script_leaves_our_own_words() -> None:
    assert words("tea", "upsell", "en", scripts={"en": ""}) == words("tea", "upsell", "en")
    assert (
        words("tea", "replenish", "en", scripts={"en": "More {name}?"}, gap_days=9, asked=True) == "More tea?"
    )


def test_who_asks_for_what_is_not_sold_hears_the_usual_words() -> None:
    assert words("Gold plan", "retention", asked=True) == words("Gold plan", "retention")
    assert words("tea", "replenish", asked=True, gap_days=9).startswith("You mentioned tea.")


@pytest.mark.parametrize("gap", [None, 0.0, -3.0])
def test_no_gap_is_no_rhythm(gap: float | None) -> None:
    assert words("tea", "replenish", gap_days=gap) == words("tea", "replenish")
