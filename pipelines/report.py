"""What people look at after a training: pictures, a model card, and the evaluation they belong to."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from clv import plots
from clv.columns import AGE_DAYS, FREQUENCY, PREDICTED_CLV, PREDICTED_NUMBER_OF_ORDERS
from clv.holdout import Split, past_spend_rate
from clv.valuation import ValueModel
from models.bundle import Bundle
from models.card import CARD, Purpose, write_card
from pipelines import pictures
from pipelines.evaluation import Evaluation

VALUE_PURPOSE: Final = Purpose(
    title="Lifetime value of a customer",
    answers="How many orders and how much margin is each customer expected to bring over the coming days, "
    "and are they still a customer? It reads when and for how much they bought, nothing about the person.",
    not_for="Deciding on credit, prices for one person, or anything a law reserves to people; customers on a "
    "contract, whose leaving is visible.",
    limits=(
        "A customer with one order is judged by what customers like that did.",
        "It knows no seasons: a holdout over a peak will come out higher than promised.",
        "Money is counted in the currency of the log; margin is a share of it unless unit costs are known.",
    ),
)
PROPENSITY_PURPOSE: Final = Purpose(
    title="Propensity of a customer to take up an item or an offer",
    answers="How likely is this customer to buy an item within the horizon, or to take up an offer put "
    "before them? It reads what they bought and which offers they met, nothing about the person.",
    not_for="Deciding on credit, prices for one person, or whether to serve somebody. Buying is not the same "
    "as buying because of a hint: what hints bring is measured against a control group.",
    limits=(
        "An item nobody bought before the as-of day cannot be proposed by it.",
        "A new offer is judged by its items and by the starting propensity its owner gave it.",
        "Its promise for an item holds for the horizon it was trained with.",
    ),
)
TOPICS_PURPOSE: Final = Purpose(
    title="Topic of a message",
    answers="Which of the topics that people gave to earlier messages is this message about, if the model is "
    "sure enough of any? It reads the words, nothing about the person.",
    not_for="Judging a person, or deciding anything by itself. A message it is not sure of is left to the "
    "dictionaries.",
    limits=(
        "It knows only topics with ten labelled messages or more, in the languages of those messages.",
        "It repeats the labels it learnt from, with their mistakes.",
        "It keeps pieces of words that several customers wrote, and no message.",
    ),
)


def value_report(
    bundle: Bundle,
    evaluation: Evaluation,
    model: ValueModel,
    held: Split,
    predicted: pd.DataFrame,
    orders: pd.DataFrame,
    folder: Path,
) -> None:
    """Write the report of a value model.

    Parameters
    ----------
    bundle
        Its manifest.
    evaluation
        How it did.
    model
        The model that was fitted before the holdout.
    held
        The days kept back, and what was known before them.
    predicted
        What the model said about them, in the order of ``held.summary``.
    orders
        The log to the end of the holdout.
    folder
        Written anew: ``plots/*.png``, ``model_card.md``, ``evaluation.json``.
    """
    spend = predicted[PREDICTED_CLV].to_numpy(np.float64)
    expected = predicted[PREDICTED_NUMBER_OF_ORDERS].to_numpy(np.float64)
    answers = {"model": spend, "past rate": past_spend_rate(held.summary, held.horizon_days)}
    until = held.as_of + timedelta(days=held.horizon_days)
    age = max(float(held.summary[AGE_DAYS].median()), 1.0)
    most = int(np.clip(held.summary[FREQUENCY].quantile(0.95), 5, 100))
    drawn = {
        "calibration": plots.decile_chart(held.revenue, spend),
        "gain": plots.gain_chart(held.revenue, answers),
        "orders_by_frequency": pictures.orders_by_frequency(held.summary, held.orders, expected),
        "frequency_recency_alive": plots.alive_matrix(model.process, age, most),
        "frequency_recency_orders": plots.expected_orders_matrix(model.process, age, held.horizon_days, most),
        "spend": plots.spend_fit(model.spend, held.summary),
        "tracking": plots.tracking(model.process, orders, held.as_of, until),
    }
    write_report(bundle, VALUE_PURPOSE, evaluation, drawn, folder)


def propensity_report(
    bundle: Bundle, evaluation: Evaluation, figures: Mapping[str, Any], folder: Path
) -> None:
    """Write the report of a propensity model.

    Parameters
    ----------
    bundle
        Its manifest.
    evaluation
        How it did.
    figures
        What the model noted about its last slice of time: ``reliability``, and under ``offers`` the same.
    folder
        Written anew: ``plots/*.png``, ``model_card.md``, ``evaluation.json``.
    """
    tables = {"items": figures.get("reliability")}
    if isinstance(figures.get("offers"), dict):
        tables["offers"] = figures["offers"].get("reliability")
    drawn = {}
    for what, table in tables.items():
        if table:
            drawn[f"calibration_{what}"] = pictures.reliability(table, what=what)
            drawn[f"gain_{what}"] = pictures.reliability_gain(table, what=what)
    write_report(bundle, PROPENSITY_PURPOSE, evaluation, drawn, folder)


def write_report(
    bundle: Bundle, purpose: Purpose, evaluation: Evaluation, drawn: Mapping[str, Figure], folder: Path
) -> None:
    """Write card, evaluation and pictures into a folder made anew."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "plots").mkdir(parents=True)
    for name, figure in drawn.items():
        figure.savefig(folder / "plots" / f"{name}.png")
    card = write_card(bundle, purpose, evaluation.comparisons, evaluation.verdict)
    (folder / CARD).write_text(card, encoding="utf-8")
    evaluation.write(folder)
