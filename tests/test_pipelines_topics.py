"""Topics people gave to messages become a registered model like the others, and none is made without them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from models.files import read_bundle, write_bundle
from models.registry import Registry
from models.snapshot import Snapshot
from models.tracking import mlflow, tracking_to
from pipelines.ledger import Ledger
from pipelines.night import Night
from pipelines.register import register
from pipelines.settings import DataSettings, Settings
from pipelines.topics import evaluate_topics, labelled_messages, train_topics
from pipelines.trained import Absent, Trained
from recommend.topics import TopicModel
from tests.shop import CUSTOMERS, write_shop

pytestmark = pytest.mark.xdist_group("night")

LAST = date(2025, 10, 1)
WORDS = {
    "roaming": ("abroad", "roaming", "travel"),
    "outage": ("signal", "outage", "offline"),
    "handset": ("phone", "handset", "screen"),
}
FILLERS = ("please help", "since today", "once more", "what now")


def interactions(n: int = 300, *, sensible: bool = True) -> pd.DataFrame:
    """Messages of many customers, labelled by what they are about, or at random."""
    rng = np.random.default_rng(5)
    rows = []
    for i in range(n):
        topic = list(WORDS)[i % 3]
        about = topic if sensible else list(WORDS)[rng.integers(3)]
        text = f"{FILLERS[rng.integers(4)]} {WORDS[about][rng.integers(3)]} {FILLERS[rng.integers(4)]}"
        when = pd.Timestamp("2025-03-01") + pd.Timedelta(hours=i)
        rows.append((f"i{i:04}", f"c{i % CUSTOMERS:03}", when, "chat", text, topic))
    columns = ["interaction_id", "customer_id", "occurred_at", "channel", "text", "topic"]
    return pd.DataFrame(rows, columns=columns)


def filled(rows: pd.DataFrame) -> Ledger:
    ledger = Ledger(None)
    ledger.connection.register("given", rows)
    ledger.connection.execute("INSERT INTO interactions BY NAME SELECT * FROM given")
    return ledger


@pytest.fixture
def ledger() -> Iterator[Ledger]:
    with filled(interactions()) as made:
        yield made


def test_only_labelled_messages_of_customers_up_to_the_day_are_read() -> None:
    rows = interactions(6).assign(direction=["inbound", None, "outbound", "inbound", "inbound", "inbound"])
    rows.loc[3, "topic"], rows.loc[4, "text"] = "", None
    rows.loc[5, "occurred_at"] = pd.Timestamp("2025-10-02 00:00")
    with filled(rows) as few:
        found = labelled_messages(few, LAST)
    assert found["customer_id"].tolist() == ["c001", "c000"]  # the newest first


def test_a_topic_model_is_better_than_the_most_frequent_topic_and_says_by_how_much(
    ledger: Ledger, tmp_path: Path
) -> None:
    made = train_topics(ledger, LAST, tmp_path / "topics")
    assert isinstance(made, Trained)
    assert (made.rows, made.customers) == (300, CUSTOMERS)
    found = evaluate_topics(tmp_path / "topics", tmp_path / "report")
    assert found.verdict.promoted
    assert found.metrics["majority"] == pytest.approx(1 / 3)
    assert "most frequent topic in 33.3 %" in found.verdict.reason.replace("%", " %")
    assert read_bundle(tmp_path / "topics").metrics["accuracy"] == found.metrics["accuracy"] > 0.9
    assert found.verdict.reason in (tmp_path / "report" / "model_card.md").read_text()


def test_labels_that_say_nothing_make_no_champion(tmp_path: Path) -> None:
    with filled(interactions(sensible=False)) as confused:
        train_topics(confused, LAST, tmp_path / "topics")
    found = evaluate_topics(tmp_path / "topics", tmp_path / "report")
    assert not found.verdict.promoted
    assert "the most frequent topic in 33.3%" in found.verdict.reason


def test_without_labels_there_is_no_model_and_the_reason_is_told(tmp_path: Path) -> None:
    (tmp_path / "topics").mkdir()  # of an earlier night
    with Ledger(None) as empty:
        none = train_topics(empty, LAST, tmp_path / "topics")
    assert isinstance(none, Absent)
    assert "no message of a customer has both text and a topic" in none.because
    assert not (tmp_path / "topics").exists()
    with filled(interactions(30)) as few:
        some = train_topics(few, LAST, tmp_path / "topics")
    assert isinstance(some, Absent)
    assert some.because == "30 labelled messages are too few to learn topics from"


@pytest.mark.parametrize(("day", "lead", "held"), [(date(2025, 9, 1), 0.1, True), (LAST, 0.99, False)])
def test_a_topic_champion_is_compared_by_its_lead(
    ledger: Ledger, tmp_path: Path, day: date, lead: float, held: bool
) -> None:
    train_topics(ledger, LAST, tmp_path / "topics")
    (tmp_path / "champion").mkdir()
    (tmp_path / "champion" / "topics.json").write_text("{}")
    write_bundle(
        tmp_path / "champion",
        kind="topics",
        as_of=day,
        fingerprint="",
        metrics={"lead": lead, "lead_se": 0.01},
    )
    found = evaluate_topics(tmp_path / "topics", tmp_path / "report", champion=tmp_path / "champion")
    assert found.verdict.checks[-1].passed is held
    same = evaluate_topics(tmp_path / "topics", tmp_path / "report", champion=tmp_path / "topics")
    assert same.verdict.checks[-1].words == "it is the champion's equal, file by file"


def test_the_bundle_holds_pieces_of_words_and_no_message(ledger: Ledger, tmp_path: Path) -> None:
    train_topics(ledger, LAST, tmp_path / "topics")
    kept = (tmp_path / "topics" / "topics.json").read_text()
    messages = labelled_messages(ledger, LAST)["text"]
    assert not [text for text in messages if text in kept]
    assert "c001" not in kept


def test_the_registered_topic_model_answers_with_typed_topics(ledger: Ledger, tmp_path: Path) -> None:
    train_topics(ledger, LAST, tmp_path / "topics")
    evaluate_topics(tmp_path / "topics", tmp_path / "report")
    store = Registry(f"sqlite:///{tmp_path}/mlflow.db", tmp_path / "artefacts")
    made = register(store, tmp_path / "topics", tmp_path / "report")
    assert (made.name, made.promoted) == ("clv-topics", True)
    with tracking_to(store.uri):
        served = mlflow.pyfunc.load_model(f"models:/{made.name}/{made.version}")
        (answer,) = served.predict([{"text": "roaming abroad"}])
        with pytest.raises(mlflow.MlflowException, match="text"):
            served.predict([{"words": "roaming"}])
    assert answer.topic == "roaming"
    assert sum(answer.probabilities.values()) == pytest.approx(1.0)


def test_a_night_with_labels_publishes_the_topic_model(tmp_path: Path) -> None:
    source = write_shop(tmp_path / "shop")
    interactions().to_csv(source / "interactions.csv", index=False)
    lines = pd.read_csv(source / "purchases.csv").drop(columns="product_id")
    lines.to_csv(source / "purchases.csv", index=False)
    list(Night(Settings(data=DataSettings(data_dir=tmp_path / "var"))).run([str(source)], None))
    with Snapshot.current(tmp_path / "var" / "published") as snapshot:
        folder = snapshot.folder("topics")
        assert folder is not None
        assert snapshot.manifest.facts["clv-topics"] == "1"
        assert TopicModel.load(folder).predict("no signal, an outage") == "outage"
    absent = json.loads(next((tmp_path / "var" / "training").glob("*/absent.json")).read_text())
    assert list(absent) == ["propensity"]
