"""What the ear learns from is spelled out of patterns, the same way every time."""

from __future__ import annotations

from pathlib import Path

import pytest

from recommend.ear import SENTENCES, WORDS
from recommend.examples import SPELLED_OUT, examples

HEAD = "language\tintent\ttopic\tsentiment\ttext\n"


@pytest.fixture
def words(tmp_path: Path) -> Path:
    path = tmp_path / "words.tsv"
    path.write_text(
        "name\tlanguage\twords\nitem\ten\ttea|milk\nmoney\t*\t$5\nopening\ten\tHi, \nclosing\ten\t please\n",
        encoding="utf-8",
    )
    return path


def spelled(tmp_path: Path, words: Path, row: str) -> list[str]:
    path = tmp_path / "sentences.tsv"
    path.write_text(HEAD + row + "\n", encoding="utf-8")
    return [example.text for example in examples(path, words)]


def test_a_plain_sentence_stays_as_it_is(tmp_path: Path, words: Path) -> None:
    assert spelled(tmp_path, words, "en\tbuy\t\tneutral\tOne tea") == ["One tea"]


def test_every_wording_of_a_small_pattern_is_spelled_out(tmp_path: Path, words: Path) -> None:
    texts = spelled(tmp_path, words, "en\tbuy\t\tneutral\t[I want|Give me] a <item> for <money>")
    bare = {text.removeprefix("Hi, ").removesuffix(" please") for text in texts}
    assert bare == {f"{start} a {item} for $5" for start in ("I want", "Give me") for item in ("tea", "milk")}


def test_a_large_pattern_is_spelled_out_a_few_times_and_alike_each_time(tmp_path: Path, words: Path) -> None:
    row = "en\tbuy\t\tneutral\t[a|b|c|d|e] [f|g|h|i|j] [k|l|m|n|o]"
    texts = spelled(tmp_path, words, row)
    assert len(texts) == SPELLED_OUT
    assert texts == spelled(tmp_path, words, row)


def test_the_shipped_examples_hold_every_intent_in_every_language() -> None:
    shipped = examples(SENTENCES, WORDS)
    assert len(shipped) > 8_000
    for language in ("en", "zh-Hans", "zh-Hant", "mixed"):
        wanted = {example.intent for example in shipped if example.language == language}
        assert wanted == {"complaint", "cancel", "buy", "ask", "deliver", "pay", ""}
    assert not [example.text for example in shipped if set("[]<>|") & set(example.text)]
