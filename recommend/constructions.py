"""What do turns of phrase with a gap in them tell ("ordered ... but got ...", "买的是...结果...")?

Rows of (intent, weight, topic, mood, pattern) on the plain text of a message. Every gap is bounded, so that
a message is read in time proportional to its length.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from recommend import constructions_en, constructions_zh


class Construction(NamedTuple):
    """A turn of phrase: what is wanted and how surely, what it is about, in what mood."""

    intent: str
    weight: float
    topic: str
    mood: float
    pattern: re.Pattern[str]


HEARD: Final = 250  # characters of a message in which turns of phrase are looked for
_LATIN: Final = re.compile(r"[a-z]{3}")
_HAN: Final = re.compile(r"[\u3400-\u9fff]")


def _compiled(rows: tuple[tuple[str, float, str, float, str], ...]) -> tuple[Construction, ...]:
    return tuple(Construction(*row[:4], re.compile(row[4])) for row in rows)


ENGLISH: Final = _compiled(constructions_en.ROWS)
CHINESE: Final = _compiled(constructions_zh.ROWS)


def constructions_in(text: str) -> list[Construction]:
    """Return the turns of phrase that occur in a plain text.

    >>> [found.intent for found in constructions_in("i ordered red shoes but got blue ones")]
    ['complaint']
    """
    heard = text[:HEARD]
    known = (*(ENGLISH if _LATIN.search(heard) else ()), *(CHINESE if _HAN.search(heard) else ()))
    return [construction for construction in known if construction.pattern.search(heard)]
