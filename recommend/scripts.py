"""Which words can the agent say for an offer, in the customer's language?

They inform: what there is, why it may matter, and that "no" is an answer. They do not press: no urgency, no
scarcity, no flattery. An offer's own script wins over these where it has one in the language;
:func:`pushing_words` tells its author when it presses.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from recommend.decision import Kind
from recommend.languages import Language, language_of
from recommend.phrases import days, plain_name

SCRIPTS: Final[Mapping[Language, Mapping[Kind, str]]] = {
    "en": {
        "cross_sell": "In case it is useful: {name}. I can tell you more, or we leave it there.",
        "upsell": "There is also {name}. I can say what is different and what it costs, so you can compare.",
        "replenish": "You have bought {name} before. Is it time again, or not for now?",
        "win_back": "It has been a while since your last order. There is {name}, if you like; if not, fine.",
        "bundle": "{name} is available as a set. I can tell you what the parts cost alone and together.",
        "retention": "Before you decide: {name} is open to you. Whichever you choose, I will arrange it.",
        "service": "I can help you with {name} now, if you would like that.",
    },
    "zh-Hans": {
        "cross_sell": "供您参考：我们还有{name}。需要的话我可以介绍一下，不需要也没关系。",
        "upsell": "另外还有{name}可选。我可以说明它的不同之处和价格，方便您比较。",
        "replenish": "您以前买过{name}。这次还需要吗？还是先不用？",
        "win_back": "您有一段时间没有下单了。如果有兴趣，可以了解一下{name}；不需要也没关系。",
        "bundle": "{name}可以成套购买。我可以告诉您单买和成套的价格。",
        "retention": "在您决定之前，想让您知道您还可以选择{name}。无论您怎么选，我都会为您办好。",
        "service": "如果您需要，我现在可以帮您处理{name}。",
    },
    "zh-Hant": {
        "cross_sell": "供您參考：我們還有{name}。需要的話我可以介紹一下，不需要也沒關係。",
        "upsell": "另外還有{name}可選。我可以說明它的不同之處和價格，方便您比較。",
        "replenish": "您以前買過{name}。這次還需要嗎？還是先不用？",
        "win_back": "您有一段時間沒有下單了。如果有興趣，可以了解一下{name}；不需要也沒關係。",
        "bundle": "{name}可以成套購買。我可以告訴您單買和成套的價格。",
        "retention": "在您決定之前，想讓您知道您還可以選擇{name}。無論您怎麼選，我都會為您辦好。",
        "service": "如果您需要，我現在可以幫您處理{name}。",
    },
}

_ASKED: Final[Mapping[Language, str]] = {
    "en": "You mentioned {name}. Shall I tell you more about it, or add it to an order for you?",
    "zh-Hans": "您提到了{name}。需要我介绍一下，还是帮您下单？",
    "zh-Hant": "您提到了{name}。需要我介紹一下，還是幫您下單？",
}
_SOLD: Final = frozenset({"cross_sell", "upsell", "replenish", "win_back", "bundle"})
_RHYTHM: Final[Mapping[Language, str]] = {
    "en": "You usually buy {name} about every {gap}. Is it time again, or not yet?",
    "zh-Hans": "您通常每{gap}左右买一次{name}。这次需要吗？还是先不用？",
    "zh-Hant": "您通常每{gap}左右買一次{name}。這次需要嗎？還是先不用？",
}

_PUSHING: Final = re.compile(
    r"\b(hurry|act now|buy now|order now|only today|today only|last chance"
    r"|don't miss|do not miss|limited time|while stocks|you must|you have to|you need to"
    r"|can't afford|once in a lifetime|guaranteed"
    r"|best ever|trust me|everyone else)\b"
    r"|赶快|赶紧|马上购买|立即购买|立刻下单|最后机会|机不可失|错过|限时|限量|仅限今天"
    r"|必须买|抢购|千万|保证您"
    r"|趕快|趕緊|馬上購買|立即購買|立刻下單|最後機會|機不可失|錯過|限時|僅限今天"
    r"|必須買|搶購|千萬|保證您",
    re.IGNORECASE,
)


def words(
    offer_name: str,
    kind: Kind,
    locale: str = "en",
    *,
    scripts: Mapping[str, str] | None = None,
    gap_days: float | None = None,
    asked: bool = False,
) -> str:
    """Return words to say for an offer.

    Parameters
    ----------
    offer_name
        How the offer is called; stands where a script has ``{name}``.
    kind
        What kind of offer it is.
    locale
        Language tag of the customer; English where we have no words.
    scripts
        The offer's own words by language tag; the exact tag is tried first, then its language.
    gap_days
        The customer's usual days between purchases of it, if known.
    asked
        Whether the customer spoke of it, wishing to buy or asking.

    Examples
    --------
    >>> words("COFFEE", "replenish", "en-GB", gap_days=18.2)
    'You usually buy coffee about every 18 days. Is it time again, or not yet?'
    >>> words("咖啡豆", "cross_sell", "zh-TW")
    '供您參考：我們還有咖啡豆。需要的話我可以介紹一下，不需要也沒關係。'
    """
    language = language_of(locale)
    own = _own_script(scripts, locale, language) if scripts else ""
    template = own or _template(kind, language, gap_days, asked=asked)
    said = template.replace("{name}", plain_name(offer_name))
    return said[:1].upper() + said[1:]


def pushing_words(text: str) -> str:
    """Return the first expression in a script that presses the customer, empty if there is none.

    >>> pushing_words("Hurry, only today!"), pushing_words("We also have tea.")
    ('Hurry', '')
    """
    found = _PUSHING.search(text)
    return found.group(0) if found else ""


def _template(kind: Kind, language: Language, gap_days: float | None, *, asked: bool) -> str:
    if asked and kind in _SOLD:
        return _ASKED[language]
    if kind == "replenish" and gap_days is not None and gap_days > 0:
        return _RHYTHM[language].replace("{gap}", days(gap_days, language))
    return SCRIPTS[language][kind]


def _own_script(scripts: Mapping[str, str], locale: str, language: Language) -> str:
    if locale in scripts:
        return scripts[locale]
    return next(
        (
            text
            for tag, text in scripts.items()
            if tag and language_of(tag) == language and _covers(tag, language)
        ),
        "",
    )


def _covers(tag: str, language: Language) -> bool:
    """Whether a script's own tag is of the language, and not one we merely answer in English for."""
    return language != "en" or tag.lower().startswith("en")
