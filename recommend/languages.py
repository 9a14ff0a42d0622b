"""Which of the languages we have words in does a reader's language tag mean?"""

from __future__ import annotations

from functools import lru_cache
from typing import Final, Literal, TypeAlias

Language: TypeAlias = Literal["en", "zh-Hans", "zh-Hant"]

LANGUAGES: Final[tuple[Language, ...]] = ("en", "zh-Hans", "zh-Hant")
_TRADITIONAL = frozenset({"hant", "tw", "hk", "mo"})


@lru_cache(maxsize=1_024)
def language_of(tag: str) -> Language:
    """Return the language to answer in; English where we have no words.

    Parameters
    ----------
    tag
        A language tag such as ``en-GB``, ``zh-CN`` or ``zh-Hant-HK``; case and underscores do not matter.

    Examples
    --------
    >>> [language_of(tag) for tag in ("en-GB", "zh", "zh_CN", "zh-TW", "zh-Hant-HK", "yue", "fr")]
    ['en', 'zh-Hans', 'zh-Hans', 'zh-Hant', 'zh-Hant', 'zh-Hant', 'en']
    """
    parts = tag.replace("_", "-").lower().split("-")
    if parts[0] == "yue":
        return "zh-Hans" if "hans" in parts else "zh-Hant"
    if parts[0] != "zh":
        return "en"
    if "hans" in parts:
        return "zh-Hans"
    return "zh-Hant" if _TRADITIONAL & set(parts[1:]) else "zh-Hans"
