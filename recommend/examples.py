"""Which sentences does the ear learn from? Labelled ones, many written as patterns of several wordings.

``[a|b]`` stands for either wording, ``<item>`` for one of the words listed under that name. A pattern is
spelled out a few times only, so that what is frequent among the examples is what people often say, not what
has the most wordings. Some of what is spelled out stands among the courtesies people put around what they
want ("Thank you. I want to buy tea"): a courtesy says nothing of the wish beside it.
"""

from __future__ import annotations

import csv
import random
import re
from collections.abc import Mapping, Sequence
from math import prod
from pathlib import Path
from typing import Final, NamedTuple

SPELLED_OUT: Final = 12  # sentences made of one pattern, at most
COURTEOUS: Final = 0.3  # share of the sentences spelled out that are met with a courtesy
_CHOICE: Final = re.compile(r"\[([^\[\]]*)\]")
_WORD: Final = re.compile(r"<(\w+)>")


class Example(NamedTuple):
    """One sentence and its labels; ``pattern`` numbers the row it was spelled out from."""

    pattern: int
    language: str
    intent: str
    topic: str
    sentiment: str
    text: str


def examples(sentences: Path, words: Path, *, random_state: int = 0) -> list[Example]:
    """Return the sentences that a file of patterns spells out.

    Parameters
    ----------
    sentences
        Tab-separated: language, intent, topic, sentiment, text; of several labels (``a|b``) the first counts.
    words
        Tab-separated: name, language, words (separated by ``|``), for ``<name>`` in a text of that language.
        A row whose language is ``*`` serves all of them.
    random_state
        Seed of what is spelled out.
    """
    listed = _listed(words)
    spelled: list[Example] = []
    for number, row in enumerate(_rows(sentences)):
        rng = random.Random(f"{random_state} {row['text']}")  # noqa: S311  (a choice of examples is no secret)
        intent, topic, mood = (row[label].split("|")[0] for label in ("intent", "topic", "sentiment"))
        texts = _spelled_out(row["text"], row["language"], listed, rng)
        for text in texts:
            polite = _polite(text, row["language"], listed, rng) if len(texts) > 1 else text
            spelled.append(Example(number, row["language"], intent, topic, mood, polite))
    return spelled


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def _listed(path: Path) -> dict[tuple[str, str], list[str]]:
    return {(row["name"], row["language"]): row["words"].split("|") for row in _rows(path)}


def _spelled_out(
    text: str, language: str, listed: Mapping[tuple[str, str], Sequence[str]], rng: random.Random
) -> list[str]:
    """Return different wordings of one pattern."""
    choices = prod(len(choice.split("|")) for choice in _CHOICE.findall(text))
    wordings = choices * (6 if _WORD.search(text) else 1)
    wanted = min(wordings, SPELLED_OUT)
    made: dict[str, None] = {}
    for _ in range(4 * wanted):
        one = _CHOICE.sub(lambda found: rng.choice(found[1].split("|")), text)
        made[_WORD.sub(lambda found: rng.choice(_words(found[1], language, listed)), one).strip()] = None
        if len(made) == wanted:
            break
    return list(made)


def _words(name: str, language: str, listed: Mapping[tuple[str, str], Sequence[str]]) -> Sequence[str]:
    return listed.get((name, language)) or listed[name, "*"]


def _polite(
    text: str, language: str, listed: Mapping[tuple[str, str], Sequence[str]], rng: random.Random
) -> str:
    if rng.random() >= COURTEOUS:
        return text
    before, after = rng.random() < 0.7, rng.random() < 0.4
    opening = rng.choice(_words("opening", language, listed)) if before else ""
    closing = rng.choice(_words("closing", language, listed)) if after else ""
    return f"{opening}{text}{closing}"
