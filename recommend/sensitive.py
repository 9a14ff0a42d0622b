"""Which attributes of a customer must never be shown to an agent or used as a spoken reason?

Denial is the default: a model's feature is only spoken of if it belongs to a family of plain facts about
buying, and the names below are refused even there.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

# Special categories of personal data, what stands in for them, and what identifies a person or their means.
DENIED: Final = frozenset(
    {
        "age",
        "birth",
        "birthday",
        "birthdate",
        "gender",
        "sex",
        "sexual",
        "orientation",
        "race",
        "racial",
        "ethnic",
        "ethnicity",
        "nationality",
        "citizenship",
        "origin",
        "religion",
        "religious",
        "faith",
        "political",
        "politics",
        "party",
        "union",
        "health",
        "medical",
        "disability",
        "disabled",
        "disease",
        "diagnosis",
        "pregnant",
        "pregnancy",
        "genetic",
        "biometric",
        "criminal",
        "conviction",
        "marital",
        "married",
        "divorced",
        "widowed",
        "children",
        "kids",
        "household",
        "family",
        "income",
        "salary",
        "wealth",
        "debt",
        "credit",
        "solvency",
        "homeowner",
        "education",
        "occupation",
        "job",
        "address",
        "postcode",
        "zip",
        "email",
        "phone",
        "passport",
        "ssn",
    }
)

# Goods whose purchase tells of health: spoken of to nobody who did not name them.
_OF_HEALTH: Final = (
    r"pregnan|fertility|ovulation|contracepti|condom|incontinen"
    r"|adult diaper|feminine|sanitary napkin|tampon"
    r"|haemorrhoid|hemorrhoid|laxative|antidepress|insulin|glucose test|hiv\b|viagra|hair loss"
    r"|lice treat|smoking cessation|alcohol test"
    r"|避孕|安全套|保险套|保險套|验孕|驗孕|怀孕|懷孕"
    r"|卫生巾|衛生棉|卫生棉|失禁"
    r"|痔疮|痔瘡|胰岛素|胰島素|抗抑郁|抗憂鬱"
)
_HEALTH_GOODS: Final = re.compile(_OF_HEALTH, re.IGNORECASE)
# Those, and goods that tell of love life, faith or means: never spoken of as a habit.
_PRIVATE_GOODS: Final = re.compile(
    _OF_HEALTH + r"|nicotine|adult toy|erotic|lingerie|bible|quran|torah|pawn|payday|孕妇|孕婦|情趣",
    re.IGNORECASE,
)
# Goods that are sold to grown-ups and can do harm: not brought to somebody who does not buy them.
_HARMFUL_GOODS: Final = re.compile(
    r"\b(cigarettes?|cigars?|cigarillos?|tobacco|nicotine|vap(?:e|es|ing)|snuff|lotter(?:y|ies)"
    r"|beers?|beeralemalt|ales?|lagers?|wines?|liquors?|spirits?|whisk(?:e?y|ies)|vodkas?|gins?|rums?|tequilas?"
    r"|brand(?:y|ies)|champagnes?|sak[eé])\b"
    r"|香烟|香菸|卷烟|雪茄|烟草|菸草|电子烟|電子煙|彩票|彩券|六合彩|啤酒|红酒|紅酒|白酒|葡萄酒|威士忌|伏特加|清酒|洋酒|烈酒",
    re.IGNORECASE,
)
_HARMLESS_GOODS: Final = re.compile(
    r"vinegar|root beer|ginger (?:beer|ale)|non.?alc|alcohol.?free|cooking|glass|opener|\bnuts?\b|cracker"
    r"|醋|无醇|無醇|无酒精|無酒精|杯",
    re.IGNORECASE,
)

# Words of the trade in which a denied word is harmless: days since a first purchase.
_HARMLESS: Final = frozenset({"age_days", "item_age_days", "offer_age_days"})


def is_sensitive(name: str) -> bool:
    """Tell whether a field's name speaks of something an agent must not see.

    Examples
    --------
    >>> [is_sensitive(name) for name in ("birth_year", "HouseholdIncome", "item_since", "age_days", "age")]
    [True, True, False, False, True]
    """
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
    if spaced in _HARMLESS:
        return False
    return not DENIED.isdisjoint(re.split(r"[^a-z]+", spaced))


@lru_cache(maxsize=65_536)
def is_private_good(name: str) -> bool:
    """Tell whether buying this says something of a customer that an agent should not read out.

    >>> [is_private_good(name) for name in ("PREGNANCY TESTS", "COFFEE", "保險套")]
    [True, False, True]
    """
    return _PRIVATE_GOODS.search(name) is not None


def rule_of_care(item: str, name: str = "") -> str:
    """Return the rule that an offer of an item must meet so as not to embarrass or tempt; empty for most.

    Goods that tell of health are offered to who names them, goods that can harm to who buys or names them.

    Examples
    --------
    >>> rule_of_care("CIGARETTES")
    "customer.items has 'CIGARETTES' or context.mentions has 'CIGARETTES'"
    >>> rule_of_care("PREGNANCY TESTS"), rule_of_care("ROOT BEER"), rule_of_care("WINE VINEGAR")
    ("context.mentions has 'PREGNANCY TESTS'", '', '')
    """
    called = f"{item} {name}"
    key = "'" + item.replace("'", "''") + "'"
    if _HEALTH_GOODS.search(called):
        return f"context.mentions has {key}"
    if _HARMFUL_GOODS.search(called) and not _HARMLESS_GOODS.search(called):
        return f"customer.items has {key} or context.mentions has {key}"
    return ""
