"""Which known word was meant by a misspelt one? By shared runs of three letters, then by distance."""

from __future__ import annotations

from collections.abc import Iterable

SHORTEST = 5  # letters; shorter words have too many neighbours
CHECKED = 4  # candidates whose distance is measured


class Spelling:
    """Known words, found again by their runs of three letters.

    Parameters
    ----------
    known
        Words a misspelling may be corrected to; those under five letters are ignored.

    Examples
    --------
    >>> spelling = Spelling(["delivery", "coffee", "receive"])
    >>> [spelling.meant(word) for word in ("delivary", "cofee", "recieve", "quantum")]
    ['delivery', 'coffee', 'receive', '']
    """

    def __init__(self, known: Iterable[str]) -> None:
        self.words = sorted(
            {word for word in known if len(word) >= SHORTEST and word.isascii() and word.isalpha()}
        )
        self.known = frozenset(self.words)
        self.grams: dict[str, list[int]] = {}
        for number, word in enumerate(self.words):
            for gram in _grams(word):
                self.grams.setdefault(gram, []).append(number)

    def meant(self, word: str) -> str:
        """Return the known word this one is a slip of, empty if it is none or is no slip.

        One slip (a letter too many, missing, wrong, or two swapped) is forgiven under eight letters, two
        from eight on; the first letter has to be right.
        """
        if len(word) < SHORTEST or not word.isascii() or not word.isalpha():
            return ""
        shared: dict[int, int] = {}
        grams = _grams(word)
        for gram in grams:
            for number in self.grams.get(gram, ()):
                shared[number] = shared.get(number, 0) + 1
        allowed = 1 if len(word) < 8 else 2
        likely = [
            (-2 * count / (len(grams) + len(self.words[number])), self.words[number])
            for number, count in shared.items()
            if count >= 2 and self._near(number, word, allowed)
        ]
        for score, candidate in sorted(likely)[:CHECKED]:
            if score <= -0.35 and slips(word, candidate, allowed) <= allowed:
                return candidate
        return ""

    def _near(self, number: int, word: str, allowed: int) -> bool:
        candidate = self.words[number]
        return candidate[0] == word[0] and abs(len(candidate) - len(word)) <= allowed


def slips(written: str, meant: str, most: int) -> int:
    """Count the slips between two words, up to ``most`` + 1: letters added, left out, changed, or swapped.

    >>> slips("recieve", "receive", 2), slips("tea", "coffee", 2)
    (1, 3)
    """
    before: list[int] = []
    above = list(range(len(meant) + 1))
    for row, letter in enumerate(written, start=1):
        current = [row]
        for column, other in enumerate(meant, start=1):
            cost = min(above[column] + 1, current[-1] + 1, above[column - 1] + (letter != other))
            swapped = row > 1 and column > 1 and letter == meant[column - 2] and written[row - 2] == other
            current.append(min(cost, before[column - 2] + 1) if swapped else cost)
        if min(current) > most:
            return most + 1
        before, above = above, current
    return min(above[-1], most + 1)


def _grams(word: str) -> list[str]:
    padded = f"^{word}$"
    return [padded[at : at + 3] for at in range(len(padded) - 2)]
