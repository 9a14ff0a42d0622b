"""The topic model of a day: learnt from messages that somebody labelled, judged, and let into the contest.

Where no message has a label the answer is an :class:`pipelines.trained.Absent` that says so: the service then
listens with its dictionaries alone.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Final

import pandas as pd

from clv.errors import TooLittleData
from models.card import Comparison
from models.files import read_bundle
from models.verdict import Check, Verdict
from pipelines.chance import interval, told
from pipelines.evaluation import Evaluation
from pipelines.lead import lead_check
from pipelines.ledger import Ledger
from pipelines.orders import fingerprint_of
from pipelines.progress import Progress, silent
from pipelines.report import TOPICS_PURPOSE, write_report
from pipelines.trained import TOPICS, Absent, Trained, absent, seal, seal_again
from recommend.topics import TopicModel

MOST_MESSAGES: Final = 100_000
_LEADS: Final = "its lead over the most frequent topic is {ours:.1%}, the champion's was {theirs:.1%}"
_LABELLED: Final = """
SELECT customer_id, "text", topic, occurred_at FROM interactions
WHERE occurred_at::DATE <= ? AND trim("text") <> '' AND trim(topic) <> ''
  AND coalesce(direction, 'inbound') = 'inbound'
ORDER BY occurred_at DESC, interaction_id LIMIT ?
"""


def labelled_messages(ledger: Ledger, as_of: date) -> pd.DataFrame:
    """Return the newest messages of customers that have a topic, up to and including a day.

    Returns
    -------
    pandas.DataFrame
        ``customer_id``, ``text``, ``topic``, ``occurred_at``; the newest first, at most
        :data:`MOST_MESSAGES`.
    """
    found: pd.DataFrame = ledger.connection.execute(_LABELLED, [as_of, MOST_MESSAGES]).df()
    return found


def train_topics(
    ledger: Ledger, as_of: date, folder: Path, *, progress: Progress = silent
) -> Trained | Absent:
    """Fit the topic model on labelled messages up to a day; it is judged on the latest fifth of them.

    Parameters
    ----------
    ledger
        Where the interactions lie.
    as_of
        The last visible day.
    folder
        Where the bundle goes; what is there is replaced once the new one is whole, and removed if there is
        to be none.
    progress
        Told what is being done.

    Returns
    -------
    Trained or Absent
        Absent when no message is labelled, or too few are.
    """
    progress("topics: fit", 0, 1)
    known = labelled_messages(ledger, as_of)
    if known.empty:
        hint = "Add text and topic to the interactions."
        return absent(TOPICS, folder, "no message of a customer has both text and a topic", hint)
    senders, texts, topics = (known[name].astype(str).tolist() for name in ("customer_id", "text", "topic"))
    try:
        model = TopicModel.fit(texts, topics, senders=senders, at=known["occurred_at"].tolist())
    except TooLittleData as error:
        return absent(TOPICS, folder, error.what, error.hint)
    facts = {"topics": ", ".join(model.topics), "messages": str(len(known))}
    bundle = seal(
        folder, model.save, kind=TOPICS, as_of=as_of, fingerprint=fingerprint_of(known), facts=facts
    )
    progress("topics: fit", 1, 1)
    return Trained(folder, bundle, customers=int(known["customer_id"].nunique()), rows=len(known))


def evaluate_topics(
    folder: Path, report: Path, *, champion: Path | None = None, progress: Progress = silent
) -> Evaluation:
    """Judge the topic model by the messages it held out while it was trained.

    Parameters
    ----------
    folder
        The trained bundle; it is sealed again, with the figures.
    report
        Where the evaluation and the card go.
    champion
        Bundle of the present champion, if there is one.
    progress
        Told what is being done.
    """
    progress("topics: report", 0, 1)
    bundle, model = read_bundle(folder), TopicModel.load(folder)
    figures = model.evaluation
    metrics = {**figures, "lead": figures["accuracy"] - figures["majority"]}
    rival = None if champion is None else read_bundle(champion)
    ours, usual = metrics["accuracy"], metrics["majority"]
    names = ("accuracy", "macro_f1", "answered", "accuracy_when_answered")
    title = f"{metrics['held_out']:,.0f} latest messages held out, {len(model.topics)} topics."
    constant = (usual, 2 * usual / (1 + usual) / len(model.topics), 1.0, usual)
    rows = {"model": tuple(metrics[name] for name in names), "most frequent topic": constant}
    evaluation = Evaluation(
        kind=bundle.kind,
        version=bundle.version,
        comparisons=(Comparison(title, names, rows),),
        metrics=metrics,
        headline=f"topics accuracy {ours:.3f} (most frequent topic {usual:.3f}), "
        f"{metrics['accuracy_when_answered']:.3f} on the {metrics['answered']:.0%} it answers",
        verdict=Verdict.of([_majority_check(metrics), *lead_check(bundle, rival, metrics, "lead", _LEADS)]),
    )
    write_report(seal_again(folder, bundle, metrics), TOPICS_PURPOSE, evaluation, {}, report)
    progress("topics: report", 1, 1)
    return evaluation


def _majority_check(metrics: dict[str, float]) -> Check:
    """Ask for more than chance: a model that may be no better than one fixed topic must not speak first."""
    lead, error = metrics["lead"], metrics["lead_se"]
    words = (
        f"topics are right in {metrics['accuracy']:.1%} of messages, the most frequent topic in "
        f"{metrics['majority']:.1%} ({told(lead, error)})"
    )
    return Check(
        "most frequent topic",
        interval(lead, error)[0] > 0,
        metrics["accuracy"],
        metrics["majority"],
        words,
    )
