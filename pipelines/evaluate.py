"""How good is the value model on days it did not see, and may it become the champion?

It is fitted again on what was visible some time ago and asked for what came since, next to two naive
answers: everybody goes on at their own past rate, and everybody does what the average customer does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Final, TypeAlias

import pandas as pd

from clv.circumstances import Circumstances
from clv.columns import PREDICTED_CLV, PREDICTED_NUMBER_OF_ORDERS
from clv.errors import TooLittleData
from clv.histories import FloatArray
from clv.holdout import (
    Measures,
    Split,
    measure,
    past_rate,
    past_spend_rate,
    population_mean,
    population_mean_spend,
    split,
)
from clv.valuation import ValueModel
from models.bundle import Bundle
from models.card import Comparison
from models.files import read_bundle
from models.verdict import Check, Verdict
from pipelines.circumstances import circumstances_of
from pipelines.evaluation import Evaluation
from pipelines.ledger import Ledger
from pipelines.orders import order_log, summary_of, tilted
from pipelines.progress import Progress, silent
from pipelines.report import VALUE_PURPOSE, value_report, write_report
from pipelines.train import fit_value
from pipelines.trained import seal_again

MODEL: Final = "model"
CHAMPION: Final = "champion"
BASELINES: Final = ("past rate", "population mean")
LEAST_HOLDOUT_DAYS: Final = 7
MOST_BIAS: Final = 0.25  # a total that is a quarter off is no basis for a budget
RANKING_NOISE: Final = 0.02  # of a normalised Gini on a few thousand customers
SAME_ERROR: Final = 0.01  # errors within one per cent of each other count as equal
Answers: TypeAlias = dict[str, tuple[FloatArray, FloatArray]]  # by competitor: orders and revenue
Measured: TypeAlias = Mapping[str, tuple[Measures, Measures]]


def evaluate_value(
    ledger: Ledger,
    as_of: date,
    folder: Path,
    report: Path,
    *,
    holdout_days: int | None = None,
    champion: Path | None = None,
    progress: Progress = silent,
) -> Evaluation:
    """Judge the value model on the last days of the log.

    Parameters
    ----------
    ledger
        Where the purchases lie.
    as_of
        The last visible day, which is the end of the holdout.
    folder
        The trained bundle; it is sealed again, with the figures.
    report
        Where the evaluation, the pictures and the card go.
    holdout_days
        Days kept back; a quarter of the log unless given.
    champion
        Bundle of the present champion, if there is one.
    progress
        Told what is being done.

    Returns
    -------
    Evaluation
        With too little data to judge, its verdict denies and says so.
    """
    progress("value: holdout", 0, 2)
    bundle, model = read_bundle(folder), ValueModel.load(folder)
    orders, circumstances = order_log(ledger, as_of), circumstances_of(ledger)
    try:
        held = _hold_out(orders, as_of, holdout_days)
        config = replace(model.config, horizon_days=held.horizon_days)
        past, _ = fit_value(orders, held.summary, held.as_of, config, circumstances)
    except TooLittleData as error:
        return _unjudged(bundle, report, error)
    predicted = _predicted(past, held, orders, circumstances)
    rivals = _champion_answers(champion, held, orders, circumstances)
    answers = {MODEL: _answers(predicted), **_baselines(held), **rivals}
    measured = {name: (measure(held.orders, o), measure(held.revenue, s)) for name, (o, s) in answers.items()}
    progress("value: report", 1, 2)
    rival = None if champion is None else read_bundle(champion)
    metrics = _value_metrics(held, measured)
    checks = [*_value_checks(measured), *_champion_check(bundle, rival, metrics, measured)]
    evaluation = Evaluation(
        kind=bundle.kind,
        version=bundle.version,
        comparisons=_value_tables(held, measured),
        metrics=metrics,
        headline=_value_headline(measured),
        verdict=Verdict.of(checks),
    )
    value_report(seal_again(folder, bundle, metrics), evaluation, past, held, predicted, orders, report)
    progress("value: report", 2, 2)
    return evaluation


def _hold_out(orders: pd.DataFrame, as_of: date, holdout_days: int | None) -> Split:
    first = orders["ordered_at"].min().date()
    days = holdout_days if holdout_days is not None else (as_of - first).days // 4
    if days < LEAST_HOLDOUT_DAYS or as_of - timedelta(days=days) <= first:
        raise TooLittleData(f"a log of {(as_of - first).days} days is too short to keep {days} of them back")
    held = split(orders, as_of - timedelta(days=days), days)
    if held.revenue.sum() <= 0:
        raise TooLittleData(f"nothing was bought in the {days} days kept back")
    return replace(held, summary=summary_of(orders, held.as_of))


def _predicted(
    model: ValueModel, held: Split, orders: pd.DataFrame, circumstances: Circumstances | None
) -> pd.DataFrame:
    """Ask a model about the days kept back, counting money as it comes in, as the holdout does."""
    plain = model.with_config(annual_discount=0.0, margin_rate=1.0)
    known = tilted(plain, held.summary, orders, held.as_of, circumstances)
    return plain.predict(known, held.horizon_days, as_of=held.as_of)


def _answers(predicted: pd.DataFrame) -> tuple[FloatArray, FloatArray]:
    return predicted[PREDICTED_NUMBER_OF_ORDERS].to_numpy(float), predicted[PREDICTED_CLV].to_numpy(float)


def _baselines(held: Split) -> Answers:
    summary, days = held.summary, held.horizon_days
    return {
        BASELINES[0]: (past_rate(summary, days), past_spend_rate(summary, days)),
        BASELINES[1]: (population_mean(summary, days), population_mean_spend(summary, days)),
    }


def _champion_answers(
    champion: Path | None, held: Split, orders: pd.DataFrame, circumstances: Circumstances | None
) -> Answers:
    """Let the champion answer the same question, unless it has seen the days it would be judged on."""
    model = None if champion is None else ValueModel.load(champion)
    if model is None or model.as_of > held.as_of:
        return {}
    return {CHAMPION: _answers(_predicted(model, held, orders, circumstances))}


def _value_checks(measured: Measured) -> list[Check]:
    checks = []
    for place, what in enumerate(("orders", "spend")):
        ours = measured[MODEL][place]
        error = min(measured[name][place].mae for name in BASELINES)
        words = f"{what} per customer: off by {ours.mae:.2f}, the better baseline by {error:.2f}"
        checks.append(Check(f"{what} error", ours.mae < error, ours.mae, error, words))
    ours = measured[MODEL][1]
    ranking = max(measured[name][1].gini for name in BASELINES) - RANKING_NOISE
    words = f"ranks spend with a Gini of {ours.gini:.3f} where at least {ranking:.3f} is asked"
    checks.append(Check("ranking", ours.gini >= ranking, ours.gini, ranking, words))
    words = f"its total spend is off by {ours.bias:+.1%} where {MOST_BIAS:.0%} are allowed"
    checks.append(Check("calibration", abs(ours.bias) <= MOST_BIAS, abs(ours.bias), MOST_BIAS, words))
    return checks


def _champion_check(
    bundle: Bundle, rival: Bundle | None, metrics: Mapping[str, float], measured: Measured
) -> list[Check]:
    """Compare with the champion on the same days if it has not seen them, else by the recorded lead."""
    if rival is None:
        return []
    if rival.version == bundle.version:
        return [Check("champion", True, 0.0, 0.0, "it is the champion's equal, file by file")]
    slack = SAME_ERROR if bundle.as_of > rival.as_of else -1e-9  # as good and newer is better
    if CHAMPION in measured:
        ours, theirs = measured[MODEL][1].mae, measured[CHAMPION][1].mae
        words = f"spend per customer is off by {ours:.2f} where the champion is off by {theirs:.2f}"
        return [Check("champion", ours <= theirs * (1 + slack), ours, theirs, words)]
    ours, theirs = metrics["spend_lead"], rival.metrics.get("spend_lead", 0.0)
    words = f"its lead over the better baseline is {ours:.1%}, the champion's was {theirs:.1%}"
    return [Check("champion", ours >= theirs - slack, ours, theirs, words)]


def _value_metrics(held: Split, measured: Measured) -> dict[str, float]:
    figures = {"holdout_days": float(held.horizon_days), "holdout_customers": float(len(held.summary))}
    for name, pair in measured.items():
        prefix = "" if name == MODEL else f"{name.replace(' ', '_')}_"
        for what, measures in zip(("orders", "spend"), pair, strict=True):
            figures |= {f"{prefix}{what}_{key}": value for key, value in measures.as_dict().items()}
    best = min(measured[name][1].mae for name in BASELINES)
    figures["spend_lead"] = 1.0 - measured[MODEL][1].mae / best if best > 0 else 0.0
    return figures


def _value_tables(held: Split, measured: Measured) -> tuple[Comparison, ...]:
    end = held.as_of + timedelta(days=held.horizon_days)
    when = f"{held.as_of + timedelta(days=1)} to {end}, {len(held.summary):,} customers known before"
    tables = []
    for place, what in enumerate(("Orders", "Spend")):
        rows = {name: tuple(pair[place].as_dict().values()) for name, pair in measured.items()}
        columns = tuple(measured[MODEL][place].as_dict())
        tables.append(Comparison(f"{what} per customer, {when}.", columns, rows))
    return tuple(tables)


def _value_headline(measured: Measured) -> str:
    rest = ", ".join(f"{name} {pair[1].mae:.2f}" for name, pair in measured.items() if name != MODEL)
    ours = measured[MODEL][1]
    return f"spend error per customer {ours.mae:.2f} ({rest}), total {ours.bias:+.1%}"


def _unjudged(bundle: Bundle, report: Path, error: TooLittleData) -> Evaluation:
    what = error.what.rstrip(".")
    evaluation = Evaluation(
        bundle.kind, bundle.version, (), {}, "not judged", Verdict.deny(f"not judged: {what}")
    )
    write_report(bundle, VALUE_PURPOSE, evaluation, {}, report)
    return evaluation
