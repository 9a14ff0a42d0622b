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

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from recommend.constructions import Construction, constructions_in
from recommend.context import Sentiment
from recommend.lexicon import CONCERN, Labels, Lexicon
from recommend.phrasebook import Found
from recommend.script_forms import plain, tokens
from recommend.topics import TopicModel

INTENTS: Final = ("complaint", "cancel", "pay", "deliver", "buy", "ask")  # in the order ties are decided
MOST_SLIPS: Final = 12  # words of one message that are looked up as misspelt
MOST_MENTIONS: Final = 5
GRAVE: Final = 2.0  # score of a complaint that, said in a bad mood, goes before the business it is about
CERTAIN: Final = 1.0  # score from which an intent, and distance from which a mood is believed
_LOOKED_THROUGH: Final = frozenset("有要想是会能再用必需打算得到很太那么怎这特别非常十分大够曾过")
_STOPS: Final = frozenset(",.;:!?。，；：、")
_NEVER_TURNED: Final = frozenset({"pay", "ask", "deliver", "question"})  # "can't pay" is still about paying
_TURNED: Final = {"keep": "cancel", "arrival": "complaint"}
_USUAL_TOPIC: Final = {"deliver": "delivery", "pay": "payment", "ask": "product"}
_MOODS: Final = (
    {"❤": 1.5, "♥": 1.5}
    | dict.fromkeys("😀😃😄😁😊🙂😍🥰👍🙏😘🎉💯👏", 1.5)
    | dict.fromkeys("😠😡🤬😞😢😭👎😤💔🙁☹😒🤮😩😫", -1.5)
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
        As the customer wrote it; what exceeds 600 characters is not read.
    lexicon
        Cues and names.
    topics
        A trained model; where it is sure of a topic, its word counts before the dictionaries'.

    Examples
    --------
    >>> lexicon = Lexicon.build({"COFFEE": ["coffee", "咖啡"]})
    >>> listen("I'd like to order more cofee, great stuff!", lexicon)
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
    sentiment = _sentiment(felt.mood + sum(phrase.mood for phrase in phrases), intents)
    mentions = _mentions(words, lexicon)
    intent = _intent(intents, sentiment)
    topic = topics.predict(text) if topics else ""
    topic = topic or _about(lexicon.topics.find(words), phrases)
    topic = topic or _USUAL_TOPIC.get(intent, "product" if mentions else "")
    return Heard(topic, intent, sentiment, mentions)


def _forgiven(words: list[str], lexicon: Lexicon) -> list[str]:
    """Return the words with slips of the keyboard mended."""
    left = MOST_SLIPS
    spelling, right = lexicon.spelling, lexicon.right
    for at, word in enumerate(words):
        if left and len(word) >= 5 and word not in right and word not in spelling.known:
            left -= 1
            words[at] = spelling.meant(word) or word
    return words


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
    return label, weight if label in _NEVER_TURNED else 0.0


def _felt(words: Sequence[str], cues: Sequence[Found[float]], turns: _Turns) -> _Felt:
    mood, refused_praise = sum(_MOODS.get(word, 0.0) for word in words), 0.0
    for found in cues:
        refused, stressed = turns.before(found)
        mood += found.payload * (-0.75 if refused else 1.0) * (1.5 if stressed else 1.0)
        if refused and found.payload > 0.5:  # not good, not happy
            refused_praise += 1.0
    return _Felt(mood, refused_praise)


def _about(cues: Sequence[Found[Labels]], phrases: Sequence[Construction]) -> str:
    scores: dict[str, float] = {}
    for found in cues:
        for topic, weight in found.payload:
            _add(scores, topic, weight)
    for phrase in phrases:
        _add(scores, phrase.topic, 1.5)
    return _strongest(scores, tuple(scores))


def _intent(scores: dict[str, float], sentiment: Sentiment) -> str:
    """Return what the customer wants; a bare question asks, and a bare grudge complains."""
    wanted = _strongest(scores, INTENTS)
    grudge = sentiment == "negative" and (wanted in {"", "ask"} or scores.get("complaint", 0.0) >= GRAVE)
    if grudge and wanted != "cancel":
        return "complaint"
    if wanted and wanted != "ask":
        return wanted
    asks = scores.get("question", 0.0) > (0.8 if sentiment == "positive" else 0.0)  # "what a lovely team"
    return wanted or ("ask" if asks else "")


def _add(scores: dict[str, float], label: str, amount: float) -> None:
    if label:
        scores[label] = scores.get(label, 0.0) + amount


def _strongest(scores: dict[str, float], order: Sequence[str]) -> str:
    best = max(order, key=lambda label: scores.get(label, 0.0), default="")
    return best if scores.get(best, 0.0) >= CERTAIN - 0.2 else ""


def _sentiment(mood: float, intents: dict[str, float]) -> Sentiment:
    complaint = intents.get("complaint", 0.0)
    if complaint >= 1.0:
        mood -= 1.0
    if mood <= -CERTAIN:
        return "negative"
    return "positive" if mood >= CERTAIN else "neutral"


def _mentions(words: Sequence[str], lexicon: Lexicon) -> tuple[str, ...]:
    whole = lexicon.names.find(words)
    numbers = [number for found in reversed(whole) for number in found.payload]
    taken = {at for found in whole for at in range(found.start, found.stop)}
    score: dict[int, float] = {}
    size: dict[int, int] = {}
    said = {found.payload for found in lexicon.parts.find(words) if found.start not in taken}
    for part in said:
        for number, length in part:
            score[number] = score.get(number, 0.0) + 1.0
            size[number] = length
    likely = sorted(score, key=lambda number: (-score[number] / size[number], number))
    meant = [number for number in likely if score[number] >= CONCERN * size[number]] or likely[:1]
    return tuple(lexicon.items[number] for number in dict.fromkeys([*numbers, *meant]))[:MOST_MENTIONS]
