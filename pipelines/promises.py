"""Does the propensity model rank better than habit, does it keep its promises, and may it become champion?

It is judged by the last slice of time it kept back while it was trained. Its naive rival is the customer's
own frequency, ties by popularity. A shop is small and a slice is short: a model is turned down only for a
difference that is more than chance, and the verdict says how certain each difference is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from models.bundle import Bundle
from models.card import Comparison
from models.files import read_bundle
from models.verdict import Check, Verdict
from pipelines.chance import calibration_chance, interval, told
from pipelines.evaluation import Evaluation
from pipelines.lead import lead_check
from pipelines.progress import Progress, silent
from pipelines.report import propensity_report
from pipelines.trained import seal_again
from recommend.candidates import Proposer

MOST_CALIBRATION_ERROR: Final = 0.03
MOST_OFFER_RATIO: Final = 2.0
_LEADS: Final = "its NDCG@10 is {ours:+.1%} over frequency's, the champion's was {theirs:+.1%}"


def evaluate_propensity(
    folder: Path, report: Path, *, champion: Path | None = None, progress: Progress = silent
) -> Evaluation:
    """Judge the propensity model by the last slice of time it kept back while it was trained.

    Parameters
    ----------
    folder
        The trained bundle; it is sealed again, with the figures.
    report
        Where the evaluation, the pictures and the card go.
    champion
        Bundle of the present champion, if there is one.
    progress
        Told what is being done.
    """
    progress("propensity: report", 0, 1)
    bundle = read_bundle(folder)
    figures = Proposer.load(folder).evaluation_
    metrics = promise_metrics(figures)
    rival = None if champion is None else read_bundle(champion)
    checks = [*promise_checks(metrics), *lead_check(bundle, rival, metrics, "ndcg_lead", _LEADS)]
    ours, theirs = metrics["recall_at_10"], metrics["frequency_recall_at_10"]
    evaluation = Evaluation(
        kind=bundle.kind,
        version=bundle.version,
        comparisons=_tables(bundle, metrics),
        metrics=metrics,
        headline=f"recall@10 {ours:.3f} (frequency {theirs:.3f}), NDCG@10 {metrics['ndcg_at_10']:.3f} "
        f"({metrics['frequency_ndcg_at_10']:.3f}), calibration error {metrics['calibration_error']:.3f}",
        verdict=Verdict.of(checks),
    )
    propensity_report(seal_again(folder, bundle, metrics), evaluation, figures, report)
    progress("propensity: report", 1, 1)
    return evaluation


def promise_metrics(figures: Mapping[str, Any]) -> dict[str, float]:
    """Return the model's own figures by name, those about offers with ``offers_`` in front.

    Parameters
    ----------
    figures
        ``evaluation_`` of a fitted :class:`recommend.candidates.Proposer`.
    """
    flat: dict[str, float] = {}
    parts = {"": figures, "offers_": figures.get("offers") or {}}
    for prefix, part in parts.items():
        flat |= {f"{prefix}{k}": float(v) for k, v in part.items() if isinstance(v, int | float)}
        if part.get("reliability"):
            flat[f"{prefix}promised_over_happened"] = _promised_over_happened(part["reliability"])
    flat["calibration_chance"] = calibration_chance(figures.get("reliability") or ())
    for name in ("recall", "ndcg"):
        theirs, error = flat[f"frequency_{name}_at_10"], flat.get(f"{name}_difference_se", 0.0)
        flat[f"{name}_lead"] = flat[f"{name}_at_10"] / theirs - 1.0 if theirs > 0 else 0.0
        flat[f"{name}_lead_se"] = error / theirs if theirs > 0 else 0.0
    return flat


def _promised_over_happened(table: Sequence[Mapping[str, float]]) -> float:
    promised = sum(row["promised"] * row["rows"] for row in table)
    happened = sum(row["happened"] * row["rows"] for row in table)
    return promised / happened if happened > 0 else float("inf")


def promise_checks(metrics: Mapping[str, float]) -> list[Check]:
    """Hold ranking against frequency, and promises against what happened, each with what chance alone does.

    Parameters
    ----------
    metrics
        As :func:`promise_metrics` returns them.
    """
    checks = []
    for name in ("recall", "ndcg"):
        ours, theirs = metrics[f"{name}_at_10"], metrics[f"frequency_{name}_at_10"]
        lead, error = ours - theirs, metrics.get(f"{name}_difference_se", 0.0)
        words = f"{name}@10 is {ours:.4f} where frequency reaches {theirs:.4f} ({told(lead, error)})"
        checks.append(Check(f"{name}@10", interval(lead, error)[1] >= 0, ours, theirs, words))
    figure, chance = metrics["calibration_error"], metrics["calibration_chance"]
    bar = max(MOST_CALIBRATION_ERROR, chance)
    words = f"promises for items are kept to {figure:.2%} where {bar:.2%} are allowed"
    if bar > MOST_CALIBRATION_ERROR:
        words += f" (on so few rows a perfect model shows up to {chance:.2%} in 95 of 100 cases)"
    checks.append(Check("calibration of items", figure <= bar, figure, bar, words))
    if "offers_log_loss" in metrics:
        checks += _offer_checks(metrics)
    return checks


def _offer_checks(metrics: Mapping[str, float]) -> list[Check]:
    """Hold offers against one rate for all; few answers make their level uncertain, so that bar is wide."""
    ours, theirs = metrics["offers_log_loss"], metrics["offers_base_log_loss"]
    words = f"log loss of offers is {ours:.4f} where one rate for all has {theirs:.4f}"
    ratio = metrics["offers_promised_over_happened"]
    held = 1 / MOST_OFFER_RATIO <= ratio <= MOST_OFFER_RATIO
    level = (
        f"it promises {ratio:.2f} times the offers taken up, where {MOST_OFFER_RATIO:g} either way is allowed"
    )
    return [
        Check("offers", ours < theirs, ours, theirs, words),
        Check("calibration of offers", held, ratio, MOST_OFFER_RATIO, level),
    ]


def _tables(bundle: Bundle, metrics: Mapping[str, float]) -> tuple[Comparison, ...]:
    names = ("recall_at_10", "ndcg_at_10", "hit_rate_at_10")
    rows = {
        "model": tuple(metrics[name] for name in names),
        "frequency": tuple(metrics[f"frequency_{name}"] for name in names),
    }
    days = int(metrics["horizon_days"])
    title = f"Items bought in the {days} days to {bundle.as_of}, {int(metrics['customers']):,} customers."
    tables = [Comparison(title, names, rows)]
    columns = ("calibration_error", "promised_over_happened", "log_loss", "auc")
    kept = {"items": tuple(metrics[name] for name in columns)}
    if "offers_log_loss" in metrics:
        kept["offers"] = tuple(metrics[f"offers_{name}"] for name in columns)
    tables.append(
        Comparison("Promises kept on the same days (offers: on their last exposures).", columns, kept)
    )
    return tuple(tables)
