"""Topics are learned from labelled messages, saved as plain data, and predicted alike after loading."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from clv.errors import TooLittleData, UnknownFormat
from recommend.lexicon import Lexicon
from recommend.listen import listen
from recommend.topics import TopicModel, pieces

WORDS = {
    "roaming": ["abroad", "roaming", "travel", "国外", "漫遊"],
    "outage": ["signal", "outage", "no internet", "断网", "沒訊號"],
    "handset": ["phone", "handset", "screen", "手机", "手機"],
}
FILLERS = ["please help", "my number is 555", "again today", "谢谢", "請問", "what now"]


def messages(n: int = 240) -> tuple[list[str], list[str]]:
    rng = np.random.default_rng(3)
    labels = [list(WORDS)[i % 3] for i in range(n)]
    texts = [
        f"{FILLERS[rng.integers(6)]} {WORDS[label][rng.integers(5)]} {FILLERS[rng.integers(6)]}"
        for label in labels
    ]
    return texts, labels


START = datetime(2024, 1, 1, tzinfo=UTC)
TEXTS, LABELS = messages()
MODEL = TopicModel.fit(TEXTS, LABELS)


def test_topics_are_learned_in_several_languages() -> None:
    assert MODEL.evaluation["accuracy"] > 0.9
    assert MODEL.predict("how do I use roaming") == "roaming"
    assert MODEL.predict("我家斷網了") == "outage"


def test_the_model_keeps_quiet_when_it_is_not_sure() -> None:
    assert MODEL.predict("zzz") == ""
    assert sum(MODEL.probabilities("zzz").values()) == pytest.approx(1.0)


def test_saving_and_loading_changes_no_prediction(tmp_path: Path) -> None:
    MODEL.save(tmp_path)
    again = TopicModel.load(tmp_path)
    assert {file.name for file in tmp_path.iterdir()} == {"topics.json", "topics.npz"}
    assert again.evaluation == MODEL.evaluation
    for text in [*TEXTS[:50], "", "something else entirely"]:
        assert again.probabilities(text) == MODEL.probabilities(text)


def test_it_is_the_textbooks_tf_idf_and_logistic_regression() -> None:
    """The same numbers as scikit-learn's own vectoriser with the same pieces."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    vectoriser = TfidfVectorizer(analyzer=pieces, min_df=3, sublinear_tf=True)
    matrix = vectoriser.fit_transform(TEXTS)
    peer = LogisticRegression(C=10.0, max_iter=500, class_weight="balanced").fit(matrix, LABELS)
    expected = peer.predict_proba(vectoriser.transform(["roaming and signal"]))[0]
    # Both stop at the solver's tolerance of 1e-4 on the gradient.
    assert list(MODEL.probabilities("roaming and signal").values()) == pytest.approx(expected, abs=1e-4)


def test_no_number_and_no_rare_word_is_kept() -> None:
    texts = [*TEXTS, "Zebediah calls about roaming 98765"]
    model = TopicModel.fit(texts, [*LABELS, "roaming"])
    assert not [piece for piece in model.vocabulary if "zebe" in piece or "555" in piece or "987" in piece]


def test_a_word_of_one_customer_is_not_kept_however_often_they_wrote_it() -> None:
    senders = [f"c{i}" for i in range(len(TEXTS))] + ["zebediah"] * 5
    texts, labels = [*TEXTS, *["Zebediah about roaming"] * 5], [*LABELS, *["roaming"] * 5]
    alone = TopicModel.fit(texts, labels, senders=senders)
    assert not [piece for piece in alone.vocabulary if "zebe" in piece]
    together = TopicModel.fit(texts, labels)  # nobody said who wrote
    assert "zebediah" in together.vocabulary


def test_it_is_measured_next_to_always_naming_the_most_frequent_topic() -> None:
    texts, labels = messages(300)
    few = [i for i, label in enumerate(labels) if label == "roaming" or i % 2]
    model = TopicModel.fit([texts[i] for i in few], [labels[i] for i in few])
    # 100 about roaming, 50 each of the others: a fifth of each is held out, half of it about roaming
    assert (model.evaluation["held_out"], model.evaluation["majority"]) == (40.0, 0.5)
    assert 0 < model.evaluation["lead_se"] < 0.1  # sqrt(0.25 / 39) = 0.08 if every answer is right


def test_two_topics_work_as_three_do(tmp_path: Path) -> None:
    pairs = [(t, label) for t, label in zip(TEXTS, LABELS, strict=True) if label != "handset"]
    model = TopicModel.fit([t for t, _ in pairs], [label for _, label in pairs])
    assert model.topics == ("outage", "roaming")
    assert model.predict("roaming abroad") == "roaming"


def test_a_trained_topic_goes_before_the_dictionaries() -> None:
    lexicon = Lexicon.build()
    assert listen("no internet on my phone line, outage", lexicon, MODEL).topic == "outage"
    assert listen("when will my parcel arrive", lexicon, MODEL).topic == "delivery"


def test_too_few_labels_are_refused() -> None:
    with pytest.raises(TooLittleData, match="too few"):
        TopicModel.fit(TEXTS[:30], LABELS[:30])
    with pytest.raises(TooLittleData, match="too few"):
        TopicModel.fit(TEXTS, ["one"] * len(TEXTS))


def test_a_newer_format_is_refused(tmp_path: Path) -> None:
    MODEL.save(tmp_path)
    head = json.loads((tmp_path / "topics.json").read_text(encoding="utf-8"))
    (tmp_path / "topics.json").write_text(json.dumps({**head, "format": 9}), encoding="utf-8")
    with pytest.raises(UnknownFormat, match="9"):
        TopicModel.load(tmp_path)


def test_it_is_judged_on_what_was_written_last() -> None:
    """In the last fifth the words mean other topics: whoever learned from the past is wrong about them."""
    texts, labels = messages(300)
    turned = {"roaming": "outage", "outage": "handset", "handset": "roaming"}
    labels = [turned[label] if i >= 240 else label for i, label in enumerate(labels)]
    days = [START + timedelta(hours=i) for i in range(300)]
    shuffled = np.random.default_rng(1).permutation(300).tolist()
    late = TopicModel.fit(
        [texts[i] for i in shuffled], [labels[i] for i in shuffled], at=[days[i] for i in shuffled]
    )
    assert late.evaluation["held_out"] == 60
    assert late.evaluation["accuracy"] < 0.1
    assert TopicModel.fit(texts, labels).evaluation["accuracy"] > 0.5


def test_messages_of_one_topic_before_the_last_fifth_are_too_little() -> None:
    labels = ["one"] * 80 + ["two"] * 20
    days = [START + timedelta(days=i) for i in range(100)]
    with pytest.raises(TooLittleData, match="before the last fifth"):
        TopicModel.fit([f"about {label}" for label in labels], labels, at=days)


def test_a_message_of_double_share_counts_as_two() -> None:
    twice = TopicModel.fit([*TEXTS, *TEXTS[:60]], [*LABELS, *LABELS[:60]], shared_by=1)
    shares = [2.0 if i < 60 else 1.0 for i in range(len(TEXTS))]
    heavy = TopicModel.fit(TEXTS, LABELS, shares=shares, shared_by=1)
    alike = TopicModel.fit(TEXTS, LABELS, shared_by=1)
    gaps = [abs(twice.probabilities(t)["roaming"] - heavy.probabilities(t)["roaming"]) for t in TEXTS]
    plain_gaps = [abs(twice.probabilities(t)["roaming"] - alike.probabilities(t)["roaming"]) for t in TEXTS]
    assert np.mean(gaps) < np.mean(plain_gaps)
