"""How is a reason said in each language? One template a code; ``explain`` finds the reasons."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from recommend.languages import Language

# Code -> language -> template. Placeholders: item, gap (days), ago, times, quiet (days).
TEMPLATES: Final[Mapping[str, Mapping[Language, str]]] = {
    "mentioned": {
        "en": "Asked about {item} in this conversation",
        "zh-Hans": "本次对话中提到了{item}",
        "zh-Hant": "這次對話中提到了{item}",
    },
    "rhythm": {
        "en": "Buys {item} every {gap}, last {ago}",
        "zh-Hans": "大约每{gap}买一次{item}，上次是{ago}",
        "zh-Hant": "大約每{gap}買一次{item}，上次是{ago}",
    },
    "bought_before": {
        "en": "Bought {item} {times}, last {ago}",
        "zh-Hans": "买过{times}{item}，上次是{ago}",
        "zh-Hant": "買過{times}{item}，上次是{ago}",
    },
    "bought_once": {
        "en": "Bought {item} once, {ago}",
        "zh-Hans": "买过一次{item}，是在{ago}",
        "zh-Hant": "買過一次{item}，是在{ago}",
    },
    "win_back": {
        "en": "No order for {quiet}; used to order every {gap}",
        "zh-Hans": "已有{quiet}没有下单，以前大约每{gap}下一次单",
        "zh-Hant": "已有{quiet}沒有下單，以前大約每{gap}下一次單",
    },
    "campaign": {
        "en": "Chosen for the campaign this offer belongs to",
        "zh-Hans": "属于该优惠所在活动的目标顾客",
        "zh-Hant": "屬於該優惠所在活動的目標顧客",
    },
    "discount": {
        "en": "Often buys at a discount",
        "zh-Hans": "经常购买打折商品",
        "zh-Hant": "經常購買打折商品",
    },
    "co_purchase": {
        "en": "Often bought together with what this customer buys",
        "zh-Hans": "常与该顾客所买的商品一起购买",
        "zh-Hant": "常與該顧客所買的商品一起購買",
    },
    "bundle": {
        "en": "Completes a set that is often bought together",
        "zh-Hans": "可与常买的商品组成一套",
        "zh-Hant": "可與常買的商品組成一套",
    },
    "upsell": {
        "en": "A dearer choice of a kind this customer buys",
        "zh-Hans": "与该顾客所买的同类商品相比，价位更高的一款",
        "zh-Hant": "與該顧客所買的同類商品相比，價位較高的一款",
    },
    "neighbours": {
        "en": "Bought by customers with a similar basket",
        "zh-Hans": "购物习惯相近的顾客也买",
        "zh-Hant": "購物習慣相近的顧客也買",
    },
    "segment": {
        "en": "Popular in this customer's segment",
        "zh-Hans": "在该顾客所属的群体中受欢迎",
        "zh-Hant": "在該顧客所屬的群體中受歡迎",
    },
    "popular": {
        "en": "Bought by many customers",
        "zh-Hans": "许多顾客都买",
        "zh-Hant": "許多顧客都買",
    },
    "habit": {
        "en": "Fits what this customer buys again and again",
        "zh-Hans": "符合该顾客一贯的购买习惯",
        "zh-Hant": "符合該顧客一貫的購買習慣",
    },
    "kind": {
        "en": "Fits a kind of goods this customer buys",
        "zh-Hans": "属于该顾客常买的一类商品",
        "zh-Hant": "屬於該顧客常買的一類商品",
    },
    "timing": {
        "en": "The timing fits this customer's rhythm",
        "zh-Hans": "时间上符合该顾客的购买节奏",
        "zh-Hant": "時間上符合該顧客的購買節奏",
    },
    "newcomer": {
        "en": "Little is known about this customer yet",
        "zh-Hans": "目前对该顾客了解还不多",
        "zh-Hant": "目前對該顧客了解還不多",
    },
}


def days(count: float, language: Language) -> str:
    """Say a number of days, such as ``18 days`` after "every" or "for".

    >>> days(18, "en"), days(1, "en"), days(18, "zh-Hant")
    ('18 days', 'day', '18天')
    """
    whole = round(count)
    if language == "en":
        return "day" if whole <= 1 else f"{whole} days"
    return "1天" if whole <= 1 else f"{whole}天"


def ago(count: int, language: Language) -> str:
    """Say how long ago a day was.

    >>> [ago(count, "en") for count in (0, 1, 21)], [ago(count, "zh-Hans") for count in (0, 1, 21)]
    (['today', 'yesterday', '21 days ago'], ['今天', '昨天', '21天前'])
    """
    if language == "en":
        return ("today", "yesterday")[count] if count < 2 else f"{count} days ago"
    return ("今天", "昨天")[count] if count < 2 else f"{count}天前"


def times(count: int, language: Language) -> str:
    """Say how often.

    >>> [times(count, "en") for count in (1, 2, 5)], times(2, "zh-Hant")
    (['once', 'twice', '5 times'], '2次')
    """
    if language == "en":
        return f"{count} times" if count not in (1, 2) else ("once", "twice")[count - 1]
    return f"{count}次"


def plain_name(name: str) -> str:
    """Return the name of an item as one would say it: capitals throughout are a till's habit, not a word's.

    >>> plain_name("FLUID MILK WHITE ONLY"), plain_name("iPhone 15"), plain_name("咖啡豆")
    ('fluid milk white only', 'iPhone 15', '咖啡豆')
    """
    return name.lower() if name.isupper() else name
