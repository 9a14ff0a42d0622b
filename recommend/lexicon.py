"""What does a listener know: cues of intent, topic and mood, and the names in the catalogue?

Built once, read by every message. Names are matched whole (longest first) and, failing that, by the words
that are telling among all names: "milk" finds the items of which it is the better part.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeAlias

from recommend import cues_en, cues_zh, moods
from recommend.ear import Ear
from recommend.everyday import EVERYDAY, SPELT_RIGHT
from recommend.goods import in_chinese
from recommend.phrasebook import PhraseBook
from recommend.script_forms import plain, tokens
from recommend.spelling import Spelling

Labels: TypeAlias = tuple[tuple[str, float], ...]

ROWS: Final = (*cues_en.ROWS, *cues_zh.ROWS, *moods.ENGLISH, *moods.CHINESE)
BEST_OF_A_WORD: Final = 12  # items kept for one word
CONCERN: Final = 0.5  # of a name's words, from which it is meant


class Part(NamedTuple):
    """A word of a name: which item, and how many telling words the name has."""

    item: int
    size: int


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Everything a listener looks up.

    Parameters
    ----------
    intents, topics
        Phrases that tell what is wanted and what it is about: labels with weights.
    moods
        Phrases that tell a mood, from -2 to 2. Phrases of no meaning stand in all three, to be read over.
    names
        Whole names of the catalogue, each with the numbers of its items.
    parts
        Telling parts of names -> the items whose names hold them, those of which they are the better part
        first.
    items
        The items, by number.
    spelling
        Finds what was meant by a misspelt word.
    right
        Words never taken for a slip of another.
    refusing, stressing
        Words that turn the next cue round, and that make it stronger.
    ear
        Guesses from runs of characters, learned from example sentences.
    """

    intents: PhraseBook[Labels]
    topics: PhraseBook[Labels]
    moods: PhraseBook[float]
    names: PhraseBook[tuple[int, ...]]
    parts: PhraseBook[tuple[Part, ...]]
    items: tuple[str, ...]
    spelling: Spelling
    right: frozenset[str]
    refusing: frozenset[str]
    stressing: frozenset[str]
    ear: Ear

    @classmethod
    def build(cls, names: Mapping[str, Iterable[str]] | Iterable[str] = ()) -> Lexicon:
        """Make a lexicon for a catalogue.

        Parameters
        ----------
        names
            Item -> what it is called (in any of our languages), the most popular item first; or just the
            items.

        Examples
        --------
        >>> lexicon = Lexicon.build({"COFFEE": ["ground coffee", "咖啡"], "TEA": ["tea", "茶"]})
        >>> lexicon.items
        ('COFFEE', 'TEA')
        """
        called = names if isinstance(names, Mapping) else {item: (item,) for item in names}
        items = tuple(called)
        intents, topics, felt = {**_amounts(), **_cues("intent")}, _cues("topic"), _cues("mood")
        phrases = {*intents, *topics, *felt}
        common = frozenset(EVERYDAY.split())
        whole: dict[tuple[str, ...], list[int]] = {}
        for number, item in enumerate(items):
            for name in (item, *called[item]):
                words = tuple(_words(name))
                if words and not (len(words) == 1 and (words[0] in common or words[0].isdigit())):
                    whole.setdefault(words, []).append(number)
        parts = _parts(whole, common | {" ".join(phrase) for phrase in phrases})
        parts = {**_in_chinese(parts, whole), **parts}
        vocabulary = {word for phrase in (*phrases, *whole) for word in phrase}
        return cls(
            intents=_labelled(intents),
            topics=_labelled(topics),
            moods=PhraseBook((words, sum(weights.values())) for words, weights in felt.items()),
            names=PhraseBook((words, tuple(dict.fromkeys(numbers))) for words, numbers in whole.items()),
            parts=PhraseBook((part.split(), held) for part, held in parts.items()),
            items=items,
            spelling=Spelling(vocabulary - common),
            right=common | frozenset(SPELT_RIGHT.split()),
            refusing=frozenset((*cues_en.REFUSING.split(), *cues_zh.REFUSING.split())),
            stressing=frozenset((*cues_en.STRESSING.split(), *cues_zh.STRESSING.split())),
            ear=Ear.shipped(),
        )


def _in_chinese(
    parts: Mapping[str, tuple[Part, ...]], whole: Mapping[tuple[str, ...], list[int]]
) -> dict[str, tuple[Part, ...]]:
    """Return Chinese words for everyday goods -> what their English word means in this catalogue."""
    found: dict[str, tuple[Part, ...]] = {}
    for english, chinese in in_chinese().items():
        meant = parts.get(english) or tuple(Part(item, 1) for item in whole.get(tuple(english.split()), ()))
        for word in chinese:  # of what is not sold here too: a tea table is no tea
            found[" ".join(tokens(plain(word)))] = meant
    return found


def _cues(what: str) -> dict[tuple[str, ...], dict[str, float]]:
    """Return phrases -> label -> weight, of one kind; phrases of no meaning have no label."""
    told: dict[tuple[str, ...], dict[str, float]] = {}
    for kind, label, weight, phrases in ROWS:
        if kind in {what, "quiet"}:
            for phrase in phrases.split("|"):
                labels = told.setdefault(tuple(tokens(plain(phrase))), {})
                if kind == what:
                    labels[label] = max(weight, labels.get(label, weight), key=abs)
    return told


def _labelled(told: Mapping[tuple[str, ...], dict[str, float]]) -> PhraseBook[Labels]:
    return PhraseBook((words, tuple(labels.items())) for words, labels in told.items())


def _amounts() -> dict[tuple[str, ...], dict[str, float]]:
    """Return Chinese counts with a measure word ("两箱"): somebody who counts goods often wants them."""
    return {
        (count, measure): {"buy": 0.6}
        for count in "一二两三四五六七八九十几"
        for measure in "盒箱瓶包袋桶件台份杯罐双斤组套"
    }


def _words(name: str) -> list[str]:
    """Return the words of a name, without its punctuation."""
    return [word for word in tokens(plain(name)) if word[0].isalnum()]


def _telling(words: Sequence[str]) -> list[str]:
    """Return what of a name may be said in its place: words of three letters, and the ends of Chinese names.

    >>> _telling(["bread", "12", "ml"]), _telling(["有", "机", "咖", "啡", "豆"])
    (['bread'], ['机 咖 啡 豆', '咖 啡 豆', '啡 豆'])
    """
    if any("\u3400" <= word <= "\u9fff" for word in words):
        return [" ".join(words[at:]) for at in range(1, len(words) - 1)]
    return [word for word in words if len(word) >= 3 and not word.isdigit()]


def _parts(whole: Mapping[tuple[str, ...], list[int]], silent: frozenset[str]) -> dict[str, tuple[Part, ...]]:
    parts: dict[str, dict[int, int]] = {}
    for words, numbers in whole.items():
        telling = [word for word in _telling(words) if word not in silent]
        for word in telling:
            for number in numbers:
                held = parts.setdefault(word, {})
                held[number] = min(len(telling), held.get(number, len(telling)))
    for (
        held
    ) in parts.values():  # the most popular of them is meant, however small the word's part in its name
        favourite = min(held)
        held[favourite] = min(held[favourite], 2)
    return {
        word: tuple(
            Part(number, size) for size, number in sorted((s, n) for n, s in held.items())[:BEST_OF_A_WORD]
        )
        for word, held in parts.items()
    }
