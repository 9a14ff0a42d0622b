"""BG/NBD: customers buy at their own rate and may leave after any repeat order.

Fader, Hardie and Lee (2005), "Counting your customers the easy way", Marketing Science 24(2). The
formulas are written so that they stay finite and exact where the printed ones overflow or cancel; see
``clv.betageometric``.
"""

from __future__ import annotations

import numpy as np
from scipy import special

from clv import betageometric as bg
from clv.fitting import Score
from clv.histories import FloatArray, Histories
from clv.poisson import PoissonPurchases

__all__ = ["BGNBD", "pmf"]


def pmf(count: int, t: float, r: float, alpha: float, a: float, b: float) -> float:
    """Return the probability of ``count`` repeat orders within ``t`` of the first order (their equation 8).

    Examples
    --------
    >>> print(round(pmf(0, 39.0, 0.243, 4.414, 0.793, 2.426), 7))
    0.5737864
    """
    j = np.arange(count)
    odds = np.log(t / (alpha + t))
    steps = (
        special.gammaln(r + j)
        - special.gammaln(r)
        - special.gammaln(j + 1)
        - r * np.log1p(t / alpha)
        + j * odds
    )
    stay = np.exp(
        special.betaln(a, b + count) - special.betaln(a, b)
        + special.gammaln(r + count) - special.gammaln(r) - special.gammaln(count + 1)
        - r * np.log1p(t / alpha) + count * odds
    )  # fmt: skip
    if count == 0:
        return float(stay)
    # 1 minus the NBD's distribution function below count, without the cancellation
    reached = special.betainc(count, r, t / (alpha + t))
    del steps
    return float(stay + np.exp(special.betaln(a + 1, b + count - 1) - special.betaln(a, b)) * reached)


class BGNBD(PoissonPurchases):
    """Orders with a chance to leave after each repeat order.

    ``r``, ``alpha``: gamma distribution of order rates. ``a``, ``b``: beta distribution of the chance to
    leave.
    """

    kind = "bgnbd"
    names = ("r", "alpha", "a", "b")
    time_like = ("alpha",)
    starts = ((0.5, 0.3, 0.7, 2.0), (1.0, 1.0, 0.3, 6.0), (2.0, 1.0, 2.0, 2.0))
    settled = {"a": 0.0, "b": 1.0}  # noqa: RUF012  (declared a ClassVar by the parent)

    _leave_at_start: bool = False

    def _leaves(self, unit: float) -> bool:
        del unit
        return self.parameters_["a"] / (self.parameters_["a"] + self.parameters_["b"]) > 1e-4

    def _score(self, rows: Histories) -> Score:
        return bg.score(rows, leave_at_start=self._leave_at_start)

    def _log_likelihoods(self, x: FloatArray, t_x: FloatArray, T: FloatArray) -> FloatArray:
        return bg.log_likelihood(x, t_x, T, *self._values(), leave_at_start=self._leave_at_start)

    def alive(self, x: FloatArray, t_x: FloatArray, T: FloatArray) -> FloatArray:
        """Return the probability of not having left yet."""
        return bg.probability_alive(x, t_x, T, *self._values(), leave_at_start=self._leave_at_start)

    def _orders_if_alive(self, x: FloatArray, T: FloatArray, horizon: float) -> FloatArray:
        return bg.orders_if_alive(x, T, horizon, *self._values(), leave_at_start=self._leave_at_start)

    def _rate_if_alive(self, x: FloatArray, T: FloatArray, ahead: FloatArray) -> FloatArray:
        return bg.rate_if_alive(x, T, ahead, *self._values(), leave_at_start=self._leave_at_start)

    def stays_if_alive(self, x: FloatArray, t_x: FloatArray, T: FloatArray, ahead: float) -> FloatArray:
        """Return the chance of still being alive at a time ahead: E[exp(-lambda p ahead)]."""
        return bg.still_alive_after(x, T, ahead, *self._values(), leave_at_start=self._leave_at_start)

    def window_if_alive(
        self, x: FloatArray, t_x: FloatArray, T: FloatArray, start: float, length: float
    ) -> FloatArray:
        """Return the chance of an order in a window: alive at its start, less alive and silent through it."""
        values, at_start = self._values(), self._leave_at_start
        there = bg.still_alive_after(x, T, start, *values, leave_at_start=at_start)
        return there - bg.still_alive_after(x, T, start, *values, silent=length, leave_at_start=at_start)
