"""How parameters are found, and how sure of them one can be.

Every model here is fitted the same way: on unique histories, on the logarithm of its parameters, in units
of the mean customer age (so days, weeks or hours give the same model), with the exact gradient, from
several starts, and under a prior so weak that only a likelihood without a maximum feels it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from scipy import linalg, optimize

from clv.errors import NotIdentified
from clv.histories import FloatArray, Histories

__all__ = [
    "COARSE_ROWS",
    "PRIOR_SD",
    "DropoutNotIdentified",
    "Fit",
    "LittleEvidence",
    "Score",
    "hessian",
    "maximise",
    "sample_rows",
]

PRIOR_SD = 3.0
"""Standard deviation of the normal prior on each logarithm: within a factor of 400 nothing is implausible."""

COARSE_ROWS = 1_000
"""So many rows are enough to find the neighbourhood of the maximum; all rows then find the maximum."""

Score: TypeAlias = Callable[[FloatArray], tuple[float, FloatArray]]
"""Log-likelihood and its gradient at the logarithms of the parameters."""


class DropoutNotIdentified(UserWarning):
    """The data do not show that customers ever leave; the model answers as the NBD, where nobody leaves."""


class LittleEvidence(UserWarning):
    """The data say next to nothing about a parameter; the prior decides."""


@dataclass(frozen=True, slots=True)
class Fit:
    """Where the maximum is and how sharp it is.

    Parameters
    ----------
    log_parameters
        Shape (k,), the logarithms of the parameters in scaled time.
    log_likelihood
        Without the prior.
    covariance
        Of the log parameters, shape (k, k): inverse of the negative Hessian at the maximum.
    gradient
        Largest absolute slope left, per unit of weight.
    """

    log_parameters: FloatArray
    log_likelihood: float
    covariance: FloatArray
    gradient: float


def maximise(
    score: Score,
    starts: Sequence[Sequence[float]],
    *,
    total_weight: float,
    prior: bool,
    coarse: tuple[Score, float] | None = None,
) -> Fit:
    """Maximise a log-likelihood over log parameters.

    Parameters
    ----------
    score
        Returns log-likelihood and gradient, summed over customers, at an array of log parameters.
    starts
        Parameters (not logarithms, scaled time) to start from.
    total_weight
        Number of customers, used to scale the objective.
    prior
        Whether to add the weak normal prior on the logarithms.
    coarse
        The score of a sample of the rows and its weight: the starts are tried on it, the best is refined
        on all rows.

    Raises
    ------
    NotIdentified
        When no start leads to a finite maximum.
    """
    objective = _Objective(score, total_weight, prior)
    metric: FloatArray | None = None
    points = [np.log(np.asarray(start, dtype=np.float64)) for start in starts]
    if coarse is not None:
        rough = _Objective(*coarse, prior)
        best = _best_of(rough, points, 1e-5)
        curvature = hessian(rough.slope, best.x)
        metric = _positive_inverse(curvature, 1e-6)
        points = [best.x]
    result = _best_of(objective, points, 1e-6, metric)
    theta, curvature, gradient = _polished(
        objective, np.asarray(result.x, dtype=np.float64), coarse is not None
    )
    covariance = _positive_inverse(curvature) / total_weight
    return Fit(theta, score(theta)[0], covariance, float(np.abs(gradient).max()))


class _Objective:
    """Negative log posterior per customer; points where it is not finite count as very bad."""

    def __init__(self, score: Score, total_weight: float, prior: bool) -> None:
        self._score, self._total, self._prior = score, total_weight, prior

    def __call__(self, theta: FloatArray) -> tuple[float, FloatArray]:
        with np.errstate(all="ignore"):
            value, gradient = self._score(np.clip(theta, -60.0, 60.0))
        if not np.isfinite(value) or not np.isfinite(gradient).all():
            return 1e10, np.zeros_like(theta)
        if self._prior:
            value -= 0.5 * float(theta @ theta) / PRIOR_SD**2
            gradient = gradient - theta / PRIOR_SD**2
        return -value / self._total, -gradient / self._total

    def slope(self, theta: FloatArray) -> FloatArray:
        return self(theta)[1]


def _best_of(
    objective: _Objective, points: Sequence[FloatArray], tolerance: float, metric: FloatArray | None = None
) -> optimize.OptimizeResult:
    results: list[optimize.OptimizeResult] = []
    for point in points:
        options: Any = {"gtol": tolerance, "maxiter": 300, "hess_inv0": metric}
        results.append(optimize.minimize(objective, point, jac=True, method="BFGS", options=options))
    best = min(results, key=lambda result: float(result.fun))
    if not np.isfinite(best.fun) or best.fun >= 1e9:
        raise NotIdentified(
            "No set of parameters gives these data a finite likelihood.",
            hint="Look for impossible values in the table.",
        )
    return best


def _polished(
    objective: _Objective, theta: FloatArray, many_rows: bool
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Take a Newton step if it helps, and return the curvature and the slope there.

    On many rows the curvature is taken by forward differences: half the work, and its error is far below the
    sampling error of the standard errors it is for.
    """
    value, gradient = objective(theta)
    curvature = hessian(objective.slope, theta, at=gradient if many_rows else None)
    step = _positive_inverse(curvature) @ gradient
    if np.abs(step).max() < 0.5:
        there, slope_there = objective(theta - step)
        if there <= value and np.abs(slope_there).max() <= np.abs(gradient).max():
            theta, gradient = theta - step, slope_there
    return theta, curvature, gradient


def hessian(
    slope: Callable[[FloatArray], FloatArray],
    theta: FloatArray,
    step: float = 1e-4,
    at: FloatArray | None = None,
) -> FloatArray:
    """Differentiate a gradient by central differences, or forward ones given its value ``at`` theta.

    Examples
    --------
    >>> hessian(lambda v: np.array([2 * v[0], v[1] ** 3]), np.array([1.0, 2.0])).round(6)
    array([[ 2.,  0.],
           [ 0., 12.]])
    """
    size = theta.size
    rows = np.empty((size, size))
    for i in range(size):
        move = np.zeros(size)
        move[i] = step
        if at is None:
            rows[i] = (slope(theta + move) - slope(theta - move)) / (2 * step)
        else:
            rows[i] = (slope(theta + move) - at) / step
    symmetric: FloatArray = (rows + rows.T) / 2
    return symmetric


def _positive_inverse(matrix: FloatArray, least: float = 1e-10) -> FloatArray:
    """Invert a symmetric matrix; directions without curvature get a wide but finite variance."""
    values, vectors = linalg.eigh(matrix)
    floor = max(float(np.abs(values).max()), 1e-12) * least
    half = vectors / np.sqrt(np.maximum(values, floor))
    inverse: FloatArray = half @ half.T
    return inverse


def sample_rows(rows: Histories) -> Histories | None:
    """Return a fixed random sample of customers, or nothing when the rows are few enough to use all."""
    if len(rows) <= 2 * COARSE_ROWS:
        return None
    total = rows.weight.sum()
    chosen = np.random.default_rng(7).choice(len(rows), COARSE_ROWS, p=rows.weight / total)
    distinct, times = np.unique(chosen, return_counts=True)
    sample = rows.take(distinct)
    return Histories(sample.frequency, sample.recency, sample.age, times * (total / COARSE_ROWS))
