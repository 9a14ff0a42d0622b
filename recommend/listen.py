"""What does a chat message tell: its topic, what the customer wants, in what mood, and what they name?

English, simplified and traditional Chinese, and mixtures of them. The message is read in one form, its
words are met with dictionaries of cues, slips of the keyboard are forgiven by runs of letters, and names of
the catalogue are found longest first. Nothing of the text is kept: what comes back are labels and keys of
the catalogue.

What the intents mean: ``complaint`` something went wrong; ``cancel`` undo an order, a contract or a
purchase (return, refund, exchange); ``buy``; ``ask`` for information; ``deliver`` about delivery; ``pay``
about paying, invoices, and when a refund arrives. Empty: none of these.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp, log
from typing import Any, Final, NamedTuple

from recommend.constructions import Construction, constructions_in
from recommend.context import Sentiment
from recommend.ear import NOTHING, Guess
from recommend.lexicon import Labels, Lexicon
from recommend.mentions import mentions, whole_names
from recommend.phrasebook import Found
from recommend.script_forms import plain, tokens
from recommend.topics import TopicModel

MOST_SLIPS: Final = 12  # words of one message that are looked up as misspelt
SURE: Final = 0.25  # probability from which the model is believed without a single cue
# Probability of a complaint from which it is heard: on doubt, service comes before a sale.
HARM: Final = 0.4
HARM_BESIDE_A_SALE: Final = 0.2
TRUST: Final = 0.5  # log-odds that one unit of cue weight is worth
_LOOKED_THROUGH: Final = frozenset("有要想是会能再用必需打算得到很太那么怎这特别非常十分大够曾过")
_STOPS: Final = frozenset(",.;:!?。，；：、")
_NEVER_TURNED: Final = frozenset({"pay", "ask", "deliver", "question"})  # "can't pay" is still about paying
_TURNED: Final = {"keep": "cancel", "arrival": "complaint"}
# How well an intent goes with a bad mood, against any other mood; a complaint is the other way round.
_SOUR: Final = {"cancel": 0.1, NOTHING: 0.1}
_SELDOM: Final = 0.03
_SENTIMENTS: Final[tuple[Sentiment, ...]] = ("negative", "neutral", "positive")
_USUAL_TOPIC: Final = {"deliver": "delivery", "pay": "payment", "ask": "product"}
_MOODS: Final = (
    {"❤": 1.5, "♥": 1.5}
    | dict.fromkeys("😀😃😄😁😊🙂😍🥰👍🙏😘🎉💯👏", 5.0)
    | dict.fromkeys("😠😡🤬😞😢😭👎😤💔🙁☹😒🤮😩😫", -5.0)
)


@dataclass(frozen=True, slots=True)
class Heard:
    """What a message told.

    Parameters
    ----------
    topic
        What it is about, such as ``delivery`` or ``billing``; empty if unknown.
    intent
        One of ``complaint``, ``cancel``, ``buy``, ``ask``, ``deliver``, ``pay``; empty if none.
    sentiment
        Mood of the customer's words.
    mentions
        Items of the catalogue that were named: whole names first, the last named first.
    """

    topic: str = ""
    intent: str = ""
    sentiment: Sentiment = "neutral"
    mentions: tuple[str, ...] = ()


def listen(text: str, lexicon: Lexicon, topics: TopicModel | None = None) -> Heard:
    """Read one message.

    Parameters
    ----------
    text
        As the customer wrote it; what exceeds 400 characters is not read.
    lexicon
        Cues and names.
    topics
        A trained model; where it is sure of a topic, its word counts before the dictionaries'.

    Examples
    --------
    >>> lexicon = Lexicon.build({"COFFEE": ["coffee", "咖啡"]})
    >>> listen("The last cofee was excellent, I'd like to order more, thank you!", lexicon)
    Heard(topic='product', intent='buy', sentiment='positive', mentions=('COFFEE',))
    >>> listen("咖啡還沒收到，等了好久", lexicon)
    Heard(topic='delivery', intent='complaint', sentiment='negative', mentions=('COFFEE',))
    """
    read = plain(text)
    words = _forgiven(tokens(read), lexicon)
    wanted, moods = lexicon.intents.find(words), lexicon.moods.find(words)
    inside = {at for found in wanted for at in range(found.start, found.stop)}
    inside.update(at for found in moods for at in range(found.start, found.stop))
    turns = _Turns(words, inside, lexicon)
    phrases = constructions_in(read)
    intents, felt = _wanted(wanted, turns), _felt(words, moods, turns)
    _add(intents, "complaint", felt.refused_praise)
    for phrase in phrases:
        _add(intents, phrase.intent, phrase.weight)
    names = whole_names(words, lexicon)
    guess = lexicon.ear.guess(_besides(words, names))
    named = mentions(words, names, lexicon)
    mood = felt.mood + sum(phrase.mood for phrase in phrases)
    intent, sentiment = _wish_and_mood(guess, _claims(intents), mood)
    topic = topics.predict(text) if topics else ""
    topic = topic or _subject(guess, _about(lexicon.topics.find(words), phrases))
    topic = topic or _USUAL_TOPIC.get(intent, "product" if named else "")
    return Heard(topic, intent, sentiment, named)


def _forgiven(words: list[str], lexicon: Lexicon) -> list[str]:
    """Return the words with slips of the keyboard mended."""
    left = MOST_SLIPS
    spelling, right = lexicon.spelling, lexicon.right
    for at, word in enumerate(words):
        if left and len(word) >= 5 and word not in right and word not in spelling.known:
            left -= 1
            words[at] = spelling.meant(word) or word
    return words


def _besides(words: Sequence[str], names: Sequence[Found[tuple[int, ...]]]) -> list[str]:
    """Return the words that are no name: what is sold here says nothing of what is wanted."""
    taken = {at for found in names for at in range(found.start, found.stop)}
    return [word for at, word in enumerate(words) if at not in taken]


class _Turns:
    """Tells of a cue whether the words before it, in the same clause, turn it round or stress it.

    In English the three words before count. In Chinese, which writes no spaces, only what directly precedes
    does, looking through auxiliaries. A "no" inside another cue has said what it had to say.
    """

    def __init__(self, words: Sequence[str], inside: set[int], lexicon: Lexicon) -> None:
        self.words, self.inside, self.lexicon = words, inside, lexicon

    def before(self, found: Found[Any]) -> tuple[bool, bool]:
        """Return whether a cue is refused, and whether it is stressed."""
        refused = stressed = False
        for at in range(found.start - 1, max(-1, found.start - 5), -1):
            word = self.words[at]
            if word in _STOPS or (word.isascii() and at < found.start - 3):
                break
            if word in self.lexicon.refusing and at not in self.inside:
                refused = True
            stressed = stressed or word in self.lexicon.stressing
            if not word.isascii() and word not in _LOOKED_THROUGH:
                break
        return refused, stressed


class _Felt(NamedTuple):
    mood: float
    refused_praise: float


def _wanted(cues: Sequence[Found[Labels]], turns: _Turns) -> dict[str, float]:
    scores: dict[str, float] = {}
    for found in cues:
        refused, _ = turns.before(found)
        for label, weight in found.payload:
            _add(scores, *(_turned(label, weight) if refused else (label, weight)))
    return scores


def _turned(label: str, weight: float) -> tuple[str, float]:
    """Return what a refused intent amounts to.

    Not renewed is cancelled, not arrived is complained of; "can't pay" is still about paying.
    """
    if label in _TURNED:
        return _TURNED[label], weight
    return label, weight if label in _NEVER_TURNED else -4.0 * weight


def _felt(words: Sequence[str], cues: Sequence[Found[float]], turns: _Turns) -> _Felt:
    mood, refused_praise = sum(_MOODS.get(word, 0.0) for word in words), 0.0
    for found in cues:
        refused, stressed = turns.before(found)
        # "Not good" is worse than "not bad" is good.
        turned = 1.0 if not refused else -2.0 if found.payload > 0 else -0.75
        mood += found.payload * turned * (1.5 if stressed else 1.0)
        refused_praise += 1.0 if refused and found.payload > 0.5 else 0.0
    return _Felt(mood, refused_praise)


def _about(cues: Sequence[Found[Labels]], phrases: Sequence[Construction]) -> dict[str, float]:
    scores: dict[str, float] = {}
    for found in cues:
        for topic, weight in found.payload:
            _add(scores, topic, weight)
    for phrase in phrases:
        _add(scores, phrase.topic, 1.5)
    return scores


def _claims(intents: Mapping[str, float]) -> dict[str, float]:
    """Return what the dictionaries claim for every intent; any question asks a little."""
    asks = intents.get("ask", 0.0) + min(0.8, intents.get("question", 0.0))
    return {**intents, "ask": asks}


def _subject(guess: Guess, claims: Mapping[str, float]) -> str:
    """Return the topic likeliest to both witnesses: the model's log-probability and the cues' weight."""
    weighed = {topic: chance + TRUST * claims.get(topic, 0.0) for topic, chance in guess.topics.items()}
    best = max(weighed, key=weighed.__getitem__, default=NOTHING)
    unsure = claims.get(best, 0.0) <= 0 and guess.topics[best] < log(SURE)
    return "" if best == NOTHING or unsure else best


def _wish_and_mood(guess: Guess, claims: Mapping[str, float], mood: float) -> tuple[str, Sentiment]:
    """Return intent and mood, weighed together: who complains is not content, who orders seldom angry."""
    felt = {"negative": -mood, "neutral": 0.5, "positive": mood}
    moods = {name: exp(guess.sentiments[name] + TRUST * felt[name]) for name in felt}
    both: dict[str, dict[str, float]] = {}
    for intent, chance in guess.intents.items():
        wished = exp(chance + TRUST * claims.get(intent, 0.0))
        both[intent] = {name: wished * moods[name] * _fits(intent, name) for name in moods}
    likely = {intent: sum(chances.values()) for intent, chances in both.items()}
    total = sum(likely.values())
    harm = likely.pop("complaint") / total
    best = max(likely, key=likely.__getitem__)
    if harm >= (HARM_BESIDE_A_SALE if best == "buy" else HARM):
        return "complaint", "negative"
    heard: Sentiment = max(_SENTIMENTS, key=both[best].__getitem__)
    unsure = claims.get(best, 0.0) <= 0 and likely[best] < SURE * total
    return "" if best == NOTHING or unsure else best, heard


def _fits(intent: str, mood: str) -> float:
    if intent == "complaint":
        return 1.0 if mood == "negative" else _SELDOM
    return _SOUR.get(intent, _SELDOM) if mood == "negative" else 1.0


def _add(scores: dict[str, float], label: str, amount: float) -> None:
    if label:
        scores[label] = scores.get(label, 0.0) + amount
