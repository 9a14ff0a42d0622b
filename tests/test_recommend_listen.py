"""A message is understood in four languages' worth of typing, and nothing of it is kept."""

from __future__ import annotations

import csv
from dataclasses import fields
from pathlib import Path

import pytest

from recommend.ear import SENTENCES as EXAMPLES
from recommend.ear import TRAINED, WORDS, Ear
from recommend.examples import examples
from recommend.lexicon import Lexicon
from recommend.listen import Heard, listen
from recommend.script_forms import TRADITIONAL_TO_SIMPLIFIED, plain
from recommend.spelling import Spelling, slips

LISTENING = Path(__file__).parent / "listening"
HELD_OUT = LISTENING / "held_out.tsv"
CATALOGUE = {
    "COFFEE": ["coffee", "咖啡"],
    "GREEN TEA": ["green tea", "绿茶"],
    "TEA": ["tea", "茶"],
    "FLUID MILK WHITE ONLY": [],
    "CHOCOLATE MILK": [],
    "BREAD:ITALIAN/FRENCH": [],
    "AIR": ["air purifier", "空气净化器"],
    "SHAMPOO": ["氨基酸洗发水"],
}
LEXICON = Lexicon.build(CATALOGUE)


def sentences(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def share_right(path: Path, field: str) -> float:
    """Share of sentences whose label is met; several labels may be right, no topic means any."""
    rows = [row for row in sentences(path) if field != "topic" or row["topic"]]
    right = [getattr(listen(row["text"], LEXICON), field) in row[field].split("|") for row in rows]
    return sum(right) / len(right)


def test_the_labelled_sentences_cover_every_intent_and_language() -> None:
    rows = sentences(HELD_OUT)
    assert len(rows) >= 150
    assert {row["language"] for row in rows} == {"en", "zh-Hans", "zh-Hant", "mixed"}
    assert {row["intent"] for row in rows} == {"complaint", "cancel", "buy", "ask", "deliver", "pay", ""}
    written = {example.text for example in examples(EXAMPLES, WORDS)}
    for path in LISTENING.glob("*.tsv"):
        assert not {row["text"] for row in sentences(path)} & written


@pytest.mark.parametrize(("field", "least"), [("intent", 0.82), ("topic", 0.80), ("sentiment", 0.88)])
def test_sentences_never_seen_before_are_understood_as_often_as_stated(field: str, least: float) -> None:
    """Nobody looked at why one of these 154 fails: intent .86, topic .81, sentiment .90."""
    assert share_right(HELD_OUT, field) >= least


@pytest.mark.parametrize(("field", "least"), [("intent", 0.89), ("topic", 0.87), ("sentiment", 0.92)])
def test_sealed_sentences_are_understood_as_often_as_stated(field: str, least: float) -> None:
    """Half of 384 written at once before anything was tried; what fails was never looked at: .92, .92, .96.

    The other half, ``varied.tsv``, showed what was not heard, and is no measure any more.
    """
    assert share_right(LISTENING / "sealed.tsv", field) >= least


def test_few_clear_complaints_are_missed_and_none_for_a_sale() -> None:
    """Of sealed and held-out complaints: at least nine in ten silence a sale, by wish or by mood."""
    rows = [row for name in ("sealed", "held_out") for row in sentences(LISTENING / f"{name}.tsv")]
    heard = [listen(row["text"], LEXICON) for row in rows if row["intent"] == "complaint"]
    assert "buy" not in {one.intent for one in heard}
    stopped = [one.intent in {"complaint", "cancel"} or one.sentiment == "negative" for one in heard]
    assert sum(stopped) / len(stopped) >= 0.85


@pytest.mark.parametrize("text", ["Thank you. I want to buy tea", "谢谢。我想买茶", "唔該，我想買茶"])
def test_a_courtesy_does_not_drown_the_wish_beside_it(text: str) -> None:
    heard = listen(text, LEXICON)
    assert (heard.intent, heard.mentions[0]) == ("buy", "TEA")


@pytest.mark.parametrize(
    "text",
    [
        "I wanted to buy tea but your staff insulted me",
        "My last coffee order was mouldy, I wanted to buy more but not like this",
        "本来想再买咖啡，结果上次的发霉了",
        "原本想買茶，但係你哋客服態度好差",
    ],
)
def test_a_complaint_is_never_taken_for_a_wish_to_buy(text: str) -> None:
    heard = listen(text, LEXICON)
    assert (heard.intent, heard.sentiment) == ("complaint", "negative")


def test_the_shipped_model_is_what_the_example_sentences_teach() -> None:
    taught, shipped = Ear.fit(), Ear.load(TRAINED)
    assert taught.intent.vocabulary == shipped.intent.vocabulary == shipped.topic.vocabulary
    for row in sentences(HELD_OUT)[::10]:
        words = row["text"].lower().split()
        for mine, theirs in zip(taught.guess(words), shipped.guess(words), strict=True):
            # The solver stops at a gradient of 1e-4; another machine's arithmetic may stop a step apart.
            assert list(mine.values()) == pytest.approx(list(theirs.values()), abs=1e-2)


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("I want to cancel my order", "cancel"),
        ("I don't want to cancel, just a question: are you open on Sunday?", "ask"),
        ("I do not want to buy anything", ""),
        ("I won't renew my contract", "cancel"),
        ("我不想取消订单", ""),
        ("我沒有要取消訂單", ""),
        ("可不可以取消", "cancel"),
        ("不续费了", "cancel"),
        ("this is not good", "complaint"),
        ("my parcel was not delivered", "complaint"),
    ],
)
def test_a_no_turns_what_follows_it(text: str, intent: str) -> None:
    assert listen(text, LEXICON).intent == intent


@pytest.mark.parametrize(
    ("text", "sentiment"),
    [
        ("great, thank you", "positive"),
        ("not great, very slow", "negative"),
        ("不錯，很滿意", "positive"),
        ("不太满意", "negative"),
        ("👍🎉", "positive"),
        ("😡", "negative"),
        ("What time do you open?", "neutral"),
    ],
)
def test_mood_is_heard_with_its_no_and_its_emoji(text: str, sentiment: str) -> None:
    assert listen(text, LEXICON).sentiment == sentiment


@pytest.mark.parametrize(
    ("text", "mentions"),
    [
        ("do you have green tea?", ("GREEN TEA",)),  # the longest name, not TEA
        ("green tea or tea?", ("TEA", "GREEN TEA")),  # the last named first
        ("我要買綠茶和咖啡", ("COFFEE", "GREEN TEA")),
        ("two cofees please", ("COFFEE",)),
        ("some chocolate milk", ("CHOCOLATE MILK",)),
        (
            "I need milk",
            ("FLUID MILK WHITE ONLY", "CHOCOLATE MILK"),
        ),  # half of what tells; the popular one first
        ("french bread", ("BREAD:ITALIAN/FRENCH",)),
        ("想买洗发水", ("SHAMPOO",)),  # the end of a longer name
        ("ＣＯＦＦＥＥ", ("COFFEE",)),
        ("teapots are lovely", ()),  # a name inside another word is not meant
        ("nothing of the kind", ()),
    ],
)
def test_what_is_named_is_found(text: str, mentions: tuple[str, ...]) -> None:
    assert listen(text, LEXICON).mentions == mentions


@pytest.mark.parametrize(
    ("text", "mentions"),
    [
        ("我想买咖啡", ("COFFEE",)),
        ("想買鮮奶", ("FLUID MILK WHITE ONLY",)),
        ("有冇士多啤梨呀", ("STRAWBERRIES",)),
        ("买张茶几", ()),  # a tea table is no tea
        ("我想买大米", ("米",)),  # what the catalogue itself says in Chinese comes first
    ],
)
def test_everyday_goods_are_heard_in_chinese_where_the_catalogue_is_english(
    text: str, mentions: tuple[str, ...]
) -> None:
    names = {"FLUID MILK WHITE ONLY": [], "COFFEE": [], "TEA DRY": [], "STRAWBERRIES": [], "米": ["大米"]}
    assert listen(text, Lexicon.build(names)).mentions == mentions


def test_traditional_and_simplified_are_heard_alike() -> None:
    assert plain("訂單還沒收到") == "订单还没收到"
    simplified, traditional = listen("包裹还没收到，很失望", LEXICON), listen("包裹還沒收到，很失望", LEXICON)
    assert simplified == traditional
    assert all(len(to) == 1 for to in TRADITIONAL_TO_SIMPLIFIED.values())
    assert not set(TRADITIONAL_TO_SIMPLIFIED) & {ord(to) for to in TRADITIONAL_TO_SIMPLIFIED.values()}


def test_slips_of_the_keyboard_are_forgiven_but_words_are_not_invented() -> None:
    assert listen("I want a refnud, please cancle it", LEXICON).intent == "cancel"
    spelling = Spelling(["delivery", "quality"])
    assert spelling.meant("delviery") == "delivery"
    assert spelling.meant("gallery") == ""
    assert spelling.meant("tea") == ""
    assert slips("abcdef", "abcdef", 1) == 0
    assert slips("kitten", "sitting", 2) == 3


def test_empty_and_endless_messages_are_heard_without_fuss() -> None:
    assert listen("", LEXICON) == Heard()
    assert listen("   \n", LEXICON) == Heard()
    assert listen("x" * 100_000, LEXICON) == Heard()
    assert listen("please cancel my order " + "x" * 5_000, LEXICON).intent == "cancel"


def test_nothing_of_the_text_is_kept() -> None:
    heard = listen("My name is Zebediah, card 4111 1111, I want to cancel the coffee order", LEXICON)
    assert {field.name for field in fields(heard)} == {"topic", "intent", "sentiment", "mentions"}
    assert "Zebediah" not in repr(heard)
    assert heard.mentions == ("COFFEE",)


def test_a_catalogue_of_bare_names_will_do() -> None:
    assert listen("any pasta left?", Lexicon.build(["PASTA", "RICE"])).mentions == ("PASTA",)
    assert listen("any pasta left?", Lexicon.build()).mentions == ()
