"""Which attributes of a customer must never be shown to an agent or used as a spoken reason?

Denial is the default: a model's feature is only spoken of if it belongs to a family of plain facts about
buying, and the names below are refused even there.
"""

from __future__ import annotations

import re
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

# Goods whose purchase tells of health, love life, faith or means: never spoken of as a habit.
_PRIVATE_GOODS: Final = re.compile(
    r"pregnan|fertility|ovulation|contracepti|condom|incontinen"
    r"|adult diaper|feminine|sanitary napkin|tampon"
    r"|haemorrhoid|hemorrhoid|laxative|antidepress|insulin|glucose test|hiv\b|viagra|hair loss"
    r"|lice treat"
    r"|smoking cessation|nicotine|alcohol test|adult toy|erotic|lingerie|bible|quran|torah|pawn|payday"
    r"|避孕|安全套|保险套|保險套|验孕|驗孕|怀孕|懷孕|孕妇|孕婦"
    r"|卫生巾|衛生棉|卫生棉|失禁"
    r"|痔疮|痔瘡|胰岛素|胰島素|抗抑郁|抗憂鬱|情趣",
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


def is_private_good(name: str) -> bool:
    """Tell whether buying this says something of a customer that an agent should not read out.

    >>> [is_private_good(name) for name in ("PREGNANCY TESTS", "COFFEE", "保險套")]
    [True, False, True]
    """
    return _PRIVATE_GOODS.search(name) is not None
