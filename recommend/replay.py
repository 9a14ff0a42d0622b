"""What would another policy have brought? Answered from logged decisions, without trying it.

With reward r, logged probability b of the offer made, target probability p of it, weight w = p / b, and a
model q of the reward:

    IPS        mean(w r)                              unbiased, noisy
    SNIPS      sum(w r) / sum(w)                      steadier, slightly biased
    DM         mean(sum_a p(a) q(a))                  steady, biased like the model
    DR         DM + mean(w (r - q))                   unbiased if weights or model are right
    switch-DR  DR without the correction where w > t  less noise for some bias; t weighs the two

A bootstrap sees noise and no bias, so the intervals of DM and switch-DR are widened by the interval of the
correction they leave out.

Source: Dudik, Langford, Li, "Doubly Robust Policy Evaluation and Learning" (2011); Swaminathan, Joachims,
"The Self-Normalized Estimator for Counterfactual Learning" (2015); Wang, Agarwal, Dudik, "Optimal and
Adaptive Off-policy Evaluation in Contextual Bandits" (2017).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from recommend.decisionlog import Log, Target, table_of
from recommend.reward import Expected, expected_rewards

Floats: TypeAlias = NDArray[np.float64]

__all__ = ["Estimate", "Replay", "replay", "resampled_means", "table_of"]

LOW_SAMPLE: Final = 0.10  # share of effective decisions under which weights are called out
MOST_GROUPS: Final = 20_000  # rows, or groups of rows, that are resampled
BLOCK: Final = 200  # bootstrap samples worked out at once
TINY: Final = 1e-300


@dataclass(frozen=True, slots=True)
class Estimate:
    """What the target policy is worth per decision, by one estimator, with its interval."""

    estimator: str
    value: float
    low: float
    high: float

    def is_about(self, truth: float) -> bool:
        """Return whether the interval holds a value."""
        return self.low <= truth <= self.high


@dataclass(frozen=True, slots=True)
class Replay:
    """The target policy against the logged one.

    Parameters
    ----------
    decisions, rewarded
        Logged decisions, and those with a reward other than 0.
    logged
        Mean reward of the policy that was running, with its interval.
    estimates
        Of the target policy, by estimator.
    effective_decisions
        (sum w)^2 / sum(w^2): how many decisions of the target policy the log amounts to.
    largest_weight
        Of one decision.
    threshold
        Of switch-DR; infinite if nothing was switched.
    warnings
        What to doubt.
    verdict
        ``better``, ``worse`` or ``not enough data``.
    reason
        The verdict in a sentence.
    """

    decisions: int
    rewarded: int
    logged: Estimate
    estimates: tuple[Estimate, ...]
    effective_decisions: float
    largest_weight: float
    threshold: float
    warnings: tuple[str, ...]
    verdict: str
    reason: str

    def estimate(self, estimator: str) -> Estimate:
        """Return one estimator's answer: ``ips``, ``snips``, ``dm``, ``dr`` or ``switch_dr``."""
        return next(one for one in self.estimates if one.estimator == estimator)


def replay(
    decisions: pd.DataFrame,
    target: Target,
    *,
    features: Sequence[str] = (),
    expected: Expected | None = None,
    confidence: float = 0.95,
    samples: int = 1_000,
    random_state: int = 0,
) -> Replay:
    """Estimate what another policy would have brought.

    Parameters
    ----------
    decisions
        One row per offer made: ``offer_id``, ``selection_probability`` (with which it was chosen, above 0),
        ``reward`` (what came of it) and the features.
    target
        The other policy: the name of a column with its probability of the offer made; or its probability of
        every offer, the same for all rows, by offer_id; or of shape (rows, offers), offers in sorted order of
        offer_id. With a column alone there is no direct method.
    features
        Columns known before the decision that the reward may depend on.
    expected
        Another model's expected rewards, offers in sorted order; fitted here if None.
    confidence
        Of the intervals, 0 to 1.
    samples
        Bootstrap samples.
    random_state
        Of bootstrap and folds.

    Raises
    ------
    MissingColumn
        If a column is missing.
    DataError
        If a probability is not one, or a reward not a number.
    TooLittleData
        Under 100 decisions or 5 rewarded ones: any answer would be a guess.
    """
    log = Log.of(decisions, target, features)
    if expected is None and log.target is not None:
        expected = expected_rewards(
            decisions, features, log.offers, log.rewards, log.n_offers, random_state=random_state
        )
    parts, threshold = _parts(log, expected)
    weights = log.weights
    weighted = weights * log.rewards
    best = "dr" if parts else "ips"
    columns = {"logged": log.rewards, "ips": weighted, "weights": weights, **parts}
    columns["difference"] = columns[best] - log.rewards
    draws = resampled_means(np.stack(list(columns.values()), axis=1), samples, random_state)
    means = dict(zip(columns, draws, strict=True))
    ends = [50 - 50 * confidence, 50 + 50 * confidence]
    found = {name: _estimate(name, float(columns[name].mean()), means[name], ends) for name in columns}
    for name in ("dm", "switch_dr") if parts else ():
        low, high = np.percentile(means["dr"] - means[name], ends)
        one = found[name]
        found[name] = replace(one, low=one.low + min(0.0, float(low)), high=one.high + max(0.0, float(high)))
    snips = float(weighted.sum() / max(weights.sum(), TINY))
    found["snips"] = _estimate("snips", snips, means["ips"] / np.maximum(means["weights"], TINY), ends)
    effective = float(weights.sum() ** 2 / max((weights**2).sum(), TINY))
    verdict, reason = _verdict(found["difference"], len(weights), best.upper())
    return Replay(
        len(weights),
        int((log.rewards != 0).sum()),
        found["logged"],
        tuple(found[name] for name in ("ips", "snips", *parts)),
        effective,
        float(weights.max()),
        threshold,
        tuple(_warnings(log, effective)),
        verdict,
        reason,
    )


def _parts(log: Log, expected: Expected | None) -> tuple[dict[str, Floats], float]:
    """Return each row's share of the model-based estimates, and the threshold of switch-DR."""
    if expected is None or log.target is None:
        return {}, float("inf")
    direct: Floats = (log.target * expected.of_all()).sum(axis=1)
    correction = log.weights * (log.rewards - expected.of(log.offers))
    threshold = _threshold(log.weights, direct, correction)
    switched = direct + np.where(log.weights <= threshold, correction, 0.0)
    return {"dm": direct, "dr": direct + correction, "switch_dr": switched}, threshold


def _threshold(weights: Floats, direct: Floats, correction: Floats) -> float:
    """Return the weight above which leaving out the correction lowers the estimated squared error."""
    tried = [*np.unique(np.quantile(weights, [0.5, 0.8, 0.9, 0.95, 0.99])).tolist(), float("inf")]
    errors = []
    for threshold in tried:
        kept = np.where(weights <= threshold, correction, 0.0)
        bias = float((correction - kept).mean())
        errors.append(float((direct + kept).var()) / len(weights) + bias**2)
    return float(tried[int(np.argmin(errors))])


def resampled_means(columns: Floats, samples: int, random_state: int) -> Floats:
    """Return bootstrap means of columns over the same resampled rows.

    Parameters
    ----------
    columns
        Shape (rows, columns). Beyond 20,000 rows, random groups of rows are resampled instead of rows.
    samples
        How many.
    random_state
        Of the draws.

    Returns
    -------
    ndarray of shape (columns, samples)
    """
    random = np.random.default_rng(random_state)
    if len(columns) > MOST_GROUPS:
        mixed = columns[random.permutation(len(columns))]
        starts = np.linspace(0, len(columns), MOST_GROUPS, endpoint=False).astype(int)
        sizes = np.diff([*starts, len(columns)])[:, None]
        columns = np.add.reduceat(mixed, starts) / sizes
    rows = len(columns)
    found = []
    for start in range(0, samples, BLOCK):
        block = min(BLOCK, samples - start)
        counts = random.multinomial(rows, np.full(rows, 1 / rows), size=block)
        found.append(counts @ columns / rows)
    means: Floats = np.concatenate(found).T
    return means


def _estimate(name: str, value: float, draws: Floats, ends: list[float]) -> Estimate:
    low, high = np.percentile(draws, ends)
    return Estimate(name, value, float(low), float(high))


def _warnings(log: Log, effective: float) -> list[str]:
    """Return what makes the log a poor witness of the target policy."""
    found = []
    weights, rows = log.weights, len(log.weights)
    if log.target is not None:
        never = np.bincount(log.offers, minlength=log.n_offers) == 0
        share = float(log.target[:, never].sum(axis=1).mean())
        if share > 0.001:
            found.append(f"{share:.1%} of the target's decisions are offers the log never shows")
    error = float(weights.std() / np.sqrt(rows))
    if abs(float(weights.mean()) - 1) > 4 * error + 1e-9:
        found.append(
            f"the weights' mean is {weights.mean():.3f}, not 1: a probability is wrong or rows are missing"
        )
    if effective < LOW_SAMPLE * rows:
        found.append(f"the log amounts to {effective:.0f} decisions of the target policy, of {rows}")
    top = float(weights.max() / weights.sum()) if weights.sum() > 0 else 1.0
    if top > 0.05:
        found.append(f"one decision carries {top:.0%} of all weight")
    return found


def _verdict(difference: Estimate, rows: int, estimator: str) -> tuple[str, str]:
    span = (
        f"{difference.value:+.4g} a decision by {estimator} ({difference.low:+.4g} to {difference.high:+.4g})"
    )
    if difference.low > 0:
        return "better", f"The target policy brings more: {span}."
    if difference.high < 0:
        return "worse", f"The target policy brings less: {span}."
    half = (difference.high - difference.low) / 2
    needed = rows * (half / max(abs(difference.value), 1e-12)) ** 2
    more = f"; about {needed:,.0f} decisions would tell" if needed < 1e9 else ""
    return "not enough data", f"Not enough data to tell the policies apart: {span}{more}."
