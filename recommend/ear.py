"""What does a message sound like? A guess at intent, mood and topic from its words and runs of characters.

Three linear models, learned from the example sentences beside this package's weights (our own, in English,
simplified and traditional Chinese, and mixtures). They hear what no dictionary lists; the dictionaries hear
what no example says.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from recommend.examples import examples
from recommend.topics import TopicModel, pieces_of
from recommend.vitals import Floats

TRAINED: Final = Path(__file__).parent / "trained"
SENTENCES: Final = TRAINED / "sentences.tsv"
WORDS: Final = TRAINED / "words.tsv"
NOTHING: Final = "none"  # the label of a message that wants nothing, or is about nothing in particular
PARTS: Final = ("intent", "sentiment", "topic")
# A guess is toned down where fewer pieces than these, or a smaller share of them, are known: it has little
# to go by.
ENOUGH: Final = 10
FAMILIAR: Final = 0.4
LISTENED: Final = 100  # words of a message; a chat message seldom has more


class Guess(NamedTuple):
    """Log-probability of every intent, mood and topic."""

    intents: dict[str, float]
    sentiments: dict[str, float]
    topics: dict[str, float]


@dataclass(frozen=True, slots=True)
class Ear:
    """The three models; they share one vocabulary, as they were learned from the same sentences."""

    intent: TopicModel
    sentiment: TopicModel
    topic: TopicModel

    @classmethod
    def fit(cls, path: Path = SENTENCES, words: Path = WORDS) -> Ear:
        """Learn from labelled sentences.

        Parameters
        ----------
        path, words
            Sentences and the words that stand in them: see :func:`recommend.examples.examples`. What one
            pattern spells out counts as the square root of so many sentences, and a piece of text is kept
            that two patterns share.
        """
        known = examples(path, words)
        wordings = Counter(example.pattern for example in known)
        fitted = partial(
            TopicModel.fit,
            [example.text for example in known],
            senders=[str(example.pattern) for example in known],
            shares=[wordings[example.pattern] ** -0.5 for example in known],
            shared_by=2,
        )
        intent, sentiment, topic = (
            fitted([getattr(example, part) or NOTHING for example in known]) for part in PARTS
        )
        return cls(intent, sentiment, topic)

    @classmethod
    @cache
    def shipped(cls) -> Ear:
        """Return the models that come with this package."""
        return cls.load(TRAINED)

    @classmethod
    def load(cls, folder: Path) -> Ear:
        """Read what :meth:`save` wrote; no code is run."""
        return cls(*(TopicModel.load(folder / part) for part in PARTS))

    def save(self, folder: Path) -> None:
        """Write the three models into a folder."""
        for part, model in zip(PARTS, (self.intent, self.sentiment, self.topic), strict=True):
            model.save(folder / part)

    def guess(self, words: Sequence[str]) -> Guess:
        """Guess what a message whose words are read wants, feels and is about."""
        found = pieces_of(words[:LISTENED])
        numbers, values = self.intent.weigh(found)
        known = sum(piece in self.intent.vocabulary for piece in found)
        firm = min(1.0, known / max(ENOUGH, FAMILIAR * len(found)))
        models = (self.intent, self.sentiment, self.topic)
        return Guess(*(_log(model.topics, model.chances(numbers, values) ** firm) for model in models))


def _log(labels: Sequence[str], weights: Floats) -> dict[str, float]:
    return dict(zip(labels, np.log(weights / weights.sum()).tolist(), strict=True))
