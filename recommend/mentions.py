"""Which items of the catalogue does a message name, whole or by a telling part of their name?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from recommend.lexicon import CONCERN, Lexicon, Part
from recommend.phrasebook import Found

MOST_MENTIONS: Final = 5
MOST_OF_A_PART: Final = 3  # items one word can mean


def whole_names(words: Sequence[str], lexicon: Lexicon) -> list[Found[tuple[int, ...]]]:
    """Return where whole names stand, from left to right."""
    return lexicon.names.find(words)


def mentions(
    words: Sequence[str], whole: Sequence[Found[tuple[int, ...]]], lexicon: Lexicon
) -> tuple[str, ...]:
    """Return the items named: by whole names first, the last named first; then by telling parts.

    Parameters
    ----------
    words
        The message, word by word.
    whole
        What :func:`whole_names` found in it.
    lexicon
        Where the names stand.

    Examples
    --------
    >>> lexicon = Lexicon.build(["CANNED CAT FOOD", "BABY FOOD", "COFFEE"])
    >>> words = ["coffee", "and", "cat", "food"]
    >>> mentions(words, whole_names(words, lexicon), lexicon)
    ('COFFEE', 'CANNED CAT FOOD')
    """
    named = [number for found in reversed(whole) for number in found.payload]
    taken = {at for found in whole for at in range(found.start, found.stop)}
    parts = [found for found in lexicon.parts.find(words) if found.start not in taken]
    meant = _meant(parts)
    return tuple(lexicon.items[number] for number in dict.fromkeys([*named, *meant]))[:MOST_MENTIONS]


def _meant(parts: Sequence[Found[tuple[Part, ...]]]) -> list[int]:
    """Return the items meant; a part that helps to name one item does not name others alone."""
    said: dict[int, set[int]] = {}
    size: dict[int, int] = {}
    for found in parts:
        for number, length in found.payload:
            said.setdefault(number, set()).add(found.start)
            size[number] = min(length, size.get(number, length))
    together = {number for number, places in said.items() if len(places) > 1}
    spoken_for = {place for number in together for place in said[number]}
    alone = [number for number, places in said.items() if not places & spoken_for]
    ranked = sorted(alone, key=lambda number: (-1 / size[number], number))
    kept = [number for number in ranked if size[number] * CONCERN <= 1] or ranked[:1]
    whole = sorted(
        together, key=lambda number: (-len(said[number]), -len(said[number]) / size[number], number)
    )
    return [*whole[:MOST_OF_A_PART], *kept[:MOST_OF_A_PART]]
