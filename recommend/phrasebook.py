"""Which known phrases occur in a list of tokens? The longest match wins, and matches do not overlap.

A phrase is looked up by its tokens joined, and only at the lengths that phrases beginning with the same
token have: a few dictionary look-ups a token, whether ten phrases are known or a hundred thousand.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Generic, NamedTuple, TypeVar

Payload = TypeVar("Payload")


class Found(NamedTuple, Generic[Payload]):
    """A phrase at tokens ``start`` to ``stop`` (exclusive), and what is known about it."""

    start: int
    stop: int
    payload: Payload


class PhraseBook(Generic[Payload]):
    """Phrases and what each means.

    Parameters
    ----------
    entries
        Phrases as tokens, with a payload each; of equal phrases the last one counts.

    Examples
    --------
    >>> book = PhraseBook([(["green", "tea"], "GREEN TEA"), (["tea"], "TEA")])
    >>> [found.payload for found in book.find("tea or green tea".split())]
    ['TEA', 'GREEN TEA']
    """

    def __init__(self, entries: Iterable[tuple[Sequence[str], Payload]]) -> None:
        self.phrases: dict[str, Payload] = {}
        lengths: dict[str, set[int]] = {}
        for words, payload in entries:
            if words:
                self.phrases[" ".join(words)] = payload
                lengths.setdefault(words[0], set()).add(len(words))
        self.lengths = {first: tuple(sorted(seen, reverse=True)) for first, seen in lengths.items()}

    def find(self, words: Sequence[str]) -> list[Found[Payload]]:
        """Return the phrases that occur, from left to right."""
        found: list[Found[Payload]] = []
        lengths, phrases, count = self.lengths, self.phrases, len(words)
        free = 0  # the first token no phrase has taken yet
        for at, word in enumerate(words):
            if word not in lengths or at < free:
                continue
            for length in lengths[word]:
                if at + length > count:
                    continue
                phrase = word if length == 1 else " ".join(words[at : at + length])
                if phrase in phrases:
                    free = at + length
                    found.append(Found(at, free, phrases[phrase]))
                    break
        return found
