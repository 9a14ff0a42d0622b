"""What is a message about, learned from interactions that somebody labelled?

TF-IDF of words and of runs of characters, and a linear model on top. What is stored is a vocabulary (JSON)
and numbers (npz): loading runs no code, and the loaded model gives the same probabilities as the fitted one
because both read messages through the same function here. The vocabulary holds only pieces that several
messages share (of several customers, where it is known who wrote), with digits blanked, so that no name or
number of a single customer is kept.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from clv.errors import TooLittleData, UnknownFormat
from recommend.script_forms import plain, tokens
from recommend.vitals import Floats

FORMAT: Final = 1
FEWEST_MESSAGES, FEWEST_PER_TOPIC = 60, 10
SHARED_BY: Final = 3  # messages a piece must occur in
MOST_PIECES: Final = 30_000
RUNS: Final = (3, 4)  # letters in a run within a word


@dataclass(frozen=True, slots=True)
class TopicModel:
    """A trained model of topics.

    Parameters
    ----------
    topics
        The labels it knows.
    vocabulary
        Piece of text -> its number.
    rarity
        Shape (pieces,): inverse document frequency.
    weights, biases
        Shape (topics, pieces) and (topics,).
    sure
        Probability from which it speaks up.
    evaluation
        On messages held out, the latest where times are known: ``accuracy``, ``majority`` (that of always
        naming the most frequent topic), ``lead_se`` (standard error of the difference, paired by message),
        ``macro_f1``, ``answered`` (share) and ``accuracy_when_answered``; ``held_out`` and ``messages`` are
        numbers of messages.
    """

    topics: tuple[str, ...]
    vocabulary: dict[str, int]
    rarity: Floats
    weights: Floats
    biases: Floats
    sure: float
    evaluation: dict[str, float]

    @classmethod
    def fit(
        cls,
        texts: Sequence[str],
        labels: Sequence[str],
        *,
        senders: Sequence[str] | None = None,
        at: Sequence[datetime] | None = None,
        shares: Sequence[float] | None = None,
        sure: float = 0.5,
        shared_by: int = SHARED_BY,
        random_state: int = 0,
    ) -> TopicModel:
        """Learn topics; the last fifth of the messages is held out to see how well, then all are used.

        Parameters
        ----------
        texts, labels
            Messages and their topics; topics with fewer than ten messages are left out.
        senders
            Who wrote each message, so that a piece of text counts once for each of them.
        at
            When each was written: the model is judged on the latest fifth by what was written before it, as
            it will have to read what is written next. Without times a fifth of each topic is drawn.
        shares
            How much each message counts, above 0; by default all alike.
        sure
            Probability from which the model speaks up.
        shared_by
            Messages, or senders, a piece of text must come from to be kept.
        random_state
            Seed of the split of messages without times.

        Raises
        ------
        TooLittleData
            With fewer than 60 usable messages or two topics, or two topics before the last fifth.
        """
        counts = Counter(label for label in labels if label)
        kept = [i for i, label in enumerate(labels) if counts.get(label, 0) >= FEWEST_PER_TOPIC]
        if len(kept) < FEWEST_MESSAGES or len({labels[i] for i in kept}) < 2:
            raise TooLittleData(
                f"{len(kept)} labelled messages are too few to learn topics from.",
                where="interactions.topic",
                hint=f"Label {FEWEST_MESSAGES} or more, at least {FEWEST_PER_TOPIC} for each of two topics.",
            )
        docs = [pieces(texts[i]) for i in kept]
        wrote = [str(i) if senders is None else senders[i] for i in kept]
        counted = np.array([1.0 if shares is None else shares[i] for i in kept])
        fitted = partial(_fitted, sure=sure, shared_by=shared_by)
        answers = np.array([labels[i] for i in kept], dtype=object)
        held = _held_out(answers, random_state) if at is None else _latest([at[i] for i in kept])
        if len(set(answers[~held].tolist())) < 2:
            raise TooLittleData(
                "All messages before the last fifth are about one topic.",
                where="interactions.topic",
                hint="Label messages of an earlier time too, of two topics or more.",
            )
        seen = np.flatnonzero(~held)
        trial = fitted([docs[i] for i in seen], [wrote[i] for i in seen], answers[~held], counted[~held])
        evaluation = _evaluate(trial, [docs[i] for i in np.flatnonzero(held)], answers[held])
        model = fitted(docs, wrote, answers, counted)
        return replace(model, evaluation={**evaluation, "messages": float(len(kept))})

    def probabilities(self, text: str) -> dict[str, float]:
        """Return the probability of every topic."""
        return dict(zip(self.topics, self._softmax(pieces(text)).tolist(), strict=True))

    def predict(self, text: str) -> str:
        """Return the topic, empty if the model is not sure enough of any."""
        chances = self._softmax(pieces(text))
        best = int(chances.argmax())
        return self.topics[best] if chances[best] >= self.sure else ""

    def save(self, folder: Path) -> None:
        """Write ``topics.json`` and ``topics.npz`` into a folder."""
        folder.mkdir(parents=True, exist_ok=True)
        words = sorted(self.vocabulary, key=self.vocabulary.__getitem__)
        head = {
            "format": FORMAT,
            "topics": self.topics,
            "vocabulary": words,
            "sure": self.sure,
            "evaluation": self.evaluation,
        }
        (folder / "topics.json").write_text(json.dumps(head, ensure_ascii=False), encoding="utf-8")
        np.savez_compressed(
            folder / "topics.npz",
            rarity=self.rarity,
            weights=self.weights.astype(np.float32),
            biases=self.biases.astype(np.float32),
        )

    @classmethod
    def load(cls, folder: Path) -> TopicModel:
        """Read what :meth:`save` wrote; no code is run.

        Raises
        ------
        UnknownFormat
            If a newer version wrote it.
        """
        head: dict[str, Any] = json.loads((folder / "topics.json").read_text(encoding="utf-8"))
        if head.get("format") != FORMAT:
            raise UnknownFormat(
                f"Topics of format {head.get('format')!r} cannot be read.",
                where="topics.json",
                hint=f"This version reads format {FORMAT}: train again.",
            )
        with np.load(folder / "topics.npz", allow_pickle=False) as arrays:
            rarity, weights, biases = (
                arrays[name].astype(np.float64) for name in ("rarity", "weights", "biases")
            )
        return cls(
            topics=tuple(head["topics"]),
            vocabulary={word: number for number, word in enumerate(head["vocabulary"])},
            rarity=rarity,
            weights=weights,
            biases=biases,
            sure=float(head["sure"]),
            evaluation=head["evaluation"],
        )

    def _softmax(self, found: Sequence[str]) -> Floats:
        return self.chances(*self.weigh(found))

    def chances(self, numbers: NDArray[np.intp], values: Floats) -> Floats:
        """Return the probability of every topic, shape (topics,), of a message as :meth:`weigh` read it."""
        scores = self.weights[:, numbers] @ values + self.biases
        raised = np.exp(scores - scores.max())
        return np.asarray(raised / raised.sum(), dtype=np.float64)

    def weigh(self, found: Sequence[str]) -> tuple[NDArray[np.intp], Floats]:
        """Return the known pieces and their TF-IDF: (1 + ln count) x rarity, of length one."""
        counts = Counter(number for piece in found if (number := self.vocabulary.get(piece)) is not None)
        numbers = np.fromiter(sorted(counts), dtype=np.intp, count=len(counts))
        times = np.array([counts[number] for number in numbers.tolist()], dtype=np.float64)
        values = (1.0 + np.log(times)) * self.rarity[numbers]
        length = float(np.sqrt(values @ values))
        return numbers, values / length if length > 0 else values


def pieces(text: str) -> list[str]:
    """Return what a message is weighed by: words, pairs of neighbours, and runs of letters within words.

    >>> pieces("Pay 12?")
    ['pay', '0', '?', 'pay 0', '0 ?', '_pa', 'pay', 'ay_', '_pay', 'pay_']
    """
    return pieces_of(tokens(plain(text)))


def pieces_of(tokens_read: Sequence[str]) -> list[str]:
    """Return the pieces of a message whose words are already read: see :func:`pieces`."""
    words = ["0" if word.isdigit() else word for word in tokens_read]
    found = [*words, *(f"{one} {two}" for one, two in pairwise(words))]
    for word in words:
        if len(word) > 2:
            padded = f"_{word}_"
            found += [padded[at : at + n] for n in RUNS for at in range(len(padded) - n + 1)]
    return found


def _fitted(
    docs: Sequence[Sequence[str]],
    senders: Sequence[str],
    answers: NDArray[np.object_],
    shares: Floats,
    *,
    sure: float,
    shared_by: int,
) -> TopicModel:
    from scipy.sparse import csr_array  # noqa: PLC0415  (serving reads models, it does not train them)
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # noqa: PLC0415  (ships no types)

    seen = Counter(piece for doc in docs for piece in set(doc))
    of = Counter(
        piece for _, piece in {(who, p) for who, doc in zip(senders, docs, strict=True) for p in doc}
    )
    shared = sorted((p for p, count in of.items() if count >= shared_by), key=lambda p: (-seen[p], p))
    vocabulary = {piece: number for number, piece in enumerate(sorted(shared[:MOST_PIECES]))}
    documents = np.array([seen[piece] for piece in vocabulary], dtype=np.float64)
    rarity = (
        np.log((1 + len(docs)) / (1 + documents)) + 1.0
    )  # scikit-learn's smoothed inverse document frequency
    topics = tuple(sorted(set(answers.tolist())))
    empty = TopicModel(topics, vocabulary, rarity, np.zeros((0, 0)), np.zeros(0), sure, {})
    rows = [empty.weigh(doc) for doc in docs]
    starts = np.cumsum([0, *(len(numbers) for numbers, _ in rows)])
    matrix = csr_array(
        (np.concatenate([v for _, v in rows]), np.concatenate([n for n, _ in rows]), starts),
        shape=(len(docs), len(vocabulary)),
    )
    with threadpool_limits(1):  # threads cost more than they bring on matrices this small
        model = LogisticRegression(C=10.0, max_iter=500, class_weight="balanced").fit(matrix, answers, shares)
    weights, biases = (
        np.asarray(model.coef_, dtype=np.float64),
        np.asarray(model.intercept_, dtype=np.float64),
    )
    if len(topics) == 2:  # one row of log-odds: the other topic stands at zero
        weights, biases = np.vstack([0 * weights, weights]), np.concatenate([0 * biases, biases])
    return replace(empty, weights=_as_stored(weights), biases=_as_stored(biases))


def _as_stored(numbers: Floats) -> Floats:
    """Return numbers at the precision they are stored with, so that a loaded model gives the very same."""
    return numbers.astype(np.float32).astype(np.float64)


def _held_out(answers: NDArray[np.object_], random_state: int) -> NDArray[np.bool_]:
    """Pick every fifth message of each topic, in random order."""
    rng = np.random.default_rng(random_state)
    held = np.zeros(len(answers), dtype=bool)
    for topic in sorted(set(answers.tolist())):
        held[rng.permutation(np.flatnonzero(answers == topic))[::5]] = True
    return held


def _latest(at: Sequence[datetime]) -> NDArray[np.bool_]:
    """Pick the latest fifth of the messages; of those written at once, the later in order."""
    held = np.zeros(len(at), dtype=bool)
    held[sorted(range(len(at)), key=lambda i: at[i])[-(len(at) // 5) :]] = True
    return held


def _evaluate(
    model: TopicModel, docs: Sequence[Sequence[str]], answers: NDArray[np.object_]
) -> dict[str, float]:
    chances = np.array([model._softmax(doc) for doc in docs])
    said = np.array(model.topics, dtype=object)[chances.argmax(axis=1)]
    right, spoke = said == answers, chances.max(axis=1) >= model.sure
    usual = answers == Counter(answers.tolist()).most_common(1)[0][0]
    gap = right.astype(np.float64) - usual.astype(np.float64)
    scores = []
    for topic in sorted({*model.topics, *answers.tolist()}):
        hit = float(((said == topic) & (answers == topic)).sum())
        scores.append(2 * hit / max(1.0, float((said == topic).sum() + (answers == topic).sum())))
    return {
        "accuracy": float(right.mean()),
        "majority": float(usual.mean()),
        "lead_se": float(gap.std(ddof=1) / np.sqrt(len(gap))),
        "held_out": float(len(answers)),
        "macro_f1": float(np.mean(scores)),
        "answered": float(spoke.mean()),
        "accuracy_when_answered": float(right[spoke].mean()) if spoke.any() else 0.0,
    }
