"""NBD: customers buy at their own steady rate and never leave.

Ehrenberg (1959); orders are Poisson with rate lambda, and lambda is gamma distributed over customers. It
is the reference every model with dropout must beat, and the answer when no dropout can be seen.
"""

from __future__ import annotations

import numpy as np
from scipy import special

from clv.fitting import Score
from clv.histories import FloatArray, Histories, groups, repeated
from clv.poisson import PoissonPurchases

__all__ = ["NBD", "log_likelihood", "pmf"]


def log_likelihood(x: FloatArray, T: FloatArray, r: float, alpha: float) -> FloatArray:
    """Return the log-likelihood of ``x`` repeat orders at their times in ``T``, shape (n,)."""
    known = special.gammaln(r + x) - special.gammaln(r) - x * np.log(alpha)
    likelihood: FloatArray = known - (r + x) * np.log1p(T / alpha)
    return likelihood


def pmf(count: FloatArray, t: FloatArray, r: float, alpha: float) -> FloatArray:
    """Return the probability of ``count`` orders in a time ``t``.

    Examples
    --------
    >>> print(pmf(np.array([0.0]), np.array([2.0]), 1.0, 2.0))
    [0.5]
    """
    odds = t / (alpha + t)
    known = special.gammaln(r + count) - special.gammaln(r) - special.gammaln(count + 1)
    probability: FloatArray = np.exp(known - r * np.log1p(t / alpha) + special.xlogy(count, odds))
    return probability


class NBD(PoissonPurchases):
    """Orders without dropout: ``r`` and ``alpha`` of the gamma distribution of rates."""

    kind = "nbd"
    names = ("r", "alpha")
    time_like = ("alpha",)
    starts = ((0.5, 0.5), (2.0, 2.0))

    def _score(self, rows: Histories) -> Score:
        first, member = groups(rows.frequency, rows.age)
        x, T = rows.frequency[first], rows.age[first]
        weight = np.asarray(np.bincount(member, rows.weight, minlength=first.size), dtype=np.float64)
        counts, times = repeated(x, weight)
        total = float(weight.sum())

        def score(theta: FloatArray) -> tuple[float, FloatArray]:
            r, alpha = np.exp(theta)
            logs = np.log(alpha + T)
            value = times @ (special.gammaln(r + counts) - special.gammaln(r)) + total * r * np.log(alpha)
            value -= weight @ ((r + x) * logs)
            by_r = (
                times @ (special.digamma(r + counts) - special.digamma(r))
                + total * np.log(alpha)
                - weight @ logs
            )
            by_alpha = total * r / alpha - weight @ ((r + x) / (alpha + T))
            return float(value), np.array([r * by_r, alpha * by_alpha])

        return score

    def _log_likelihoods(self, x: FloatArray, t_x: FloatArray, T: FloatArray) -> FloatArray:
        return log_likelihood(x, T, *self._values())

    def alive(self, x: FloatArray, t_x: FloatArray, T: FloatArray) -> FloatArray:
        """Return 1 for everybody."""
        return np.ones(np.broadcast(x, t_x, T).shape)

    def _orders_if_alive(self, x: FloatArray, T: FloatArray, horizon: float) -> FloatArray:
        r, alpha = self._values()
        return (r + x) / (alpha + T) * horizon

    def _rate_if_alive(self, x: FloatArray, T: FloatArray, ahead: FloatArray) -> FloatArray:
        r, alpha = self._values()
        return np.broadcast_to((r + x) / (alpha + T), np.broadcast(x, ahead).shape)

    def stays_if_alive(self, x: FloatArray, t_x: FloatArray, T: FloatArray, ahead: float) -> FloatArray:
        """Return 1 for everybody."""
        return np.ones(np.broadcast(x, t_x, T).shape)

    def window_if_alive(
        self, x: FloatArray, t_x: FloatArray, T: FloatArray, start: float, length: float
    ) -> FloatArray:
        """Return the chance of an order in a window; where it starts makes no difference."""
        r, alpha = self._values()
        ordered: FloatArray = -np.expm1(-(r + x) * np.log1p(length / (alpha + T)))
        return ordered
