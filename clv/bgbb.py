"""BG/BB: customers with occasions to buy (each year, each event), who take some and leave unseen.

Fader, Hardie and Shang (2010), "Customer-base analysis in a discrete-time noncontractual setting",
Marketing Science 29(6). Frequency counts occasions taken, recency is the last one taken, age the
occasions so far; the columns are the usual ones with an occasion as their unit of time.
"""

from __future__ import annotations

from typing import Self

import numpy as np
import numpy.typing as npt
from scipy import special

from clv.errors import DataError
from clv.fitting import Fit, Score, maximise
from clv.histories import FloatArray, Histories, Table, histories
from clv.process import PurchaseProcess

__all__ = ["BGBB"]


class BGBB(PurchaseProcess):
    """Occasions taken with a personal chance, left for good with another.

    ``alpha``, ``beta``: beta distribution of the chance to take an occasion. ``gamma``, ``delta``: beta
    distribution of the chance to leave before an occasion.
    """

    kind = "bgbb"
    names = ("alpha", "beta", "gamma", "delta")
    time_like = ()
    starts = ((1.0, 1.0, 0.5, 3.0), (0.5, 2.0, 1.0, 10.0), (2.0, 0.5, 1.0, 1.0))

    def fit(self, X: Table, y: object = None, sample_weight: npt.ArrayLike | None = None) -> Self:
        """Fit the parameters on occasions; see the parent for the arguments.

        Raises
        ------
        DataError
            When somebody took more occasions than there were until their last one, or parts of occasions.
        """
        rows = histories(X, sample_weight)
        whole = np.array([rows.frequency, rows.recency, rows.age])
        bad = (rows.frequency > rows.recency) | (whole != np.round(whole)).any(axis=0)
        if bad.any():
            raise DataError(
                "Occasions are whole, and at most one order is made on each.",
                where=f"row {int(np.argmax(bad))}",
                hint="Count occasions, not days.",
            )
        return super().fit(X, y, sample_weight)

    def _maximum(self, scaled: Histories) -> Fit:
        total = float(scaled.weight.sum())
        return maximise(self._score(scaled), self.starts, total_weight=total, prior=self.prior)

    def _unit(self, rows: Histories) -> float:
        del rows
        return 1.0

    def _log_terms(self, x: FloatArray, t_x: FloatArray, n: FloatArray) -> FloatArray:
        """Return logs of: alive through n; left after t_x, t_x + 1, ... (their equation 2), one row each."""
        alpha, beta, gamma, delta = self._values()
        ends, absent, left = _endings(t_x, n)
        logs = special.betaln(alpha + x[:, None], beta + ends - x[:, None]) - special.betaln(alpha, beta)
        logs = logs + special.betaln(gamma + left, delta + ends) - special.betaln(gamma, delta)
        return np.where(absent, -np.inf, logs)

    def _score(self, rows: Histories) -> Score:
        x, weight = rows.frequency[:, None], rows.weight
        ends, absent, left = _endings(rows.recency, rows.age)

        def score(theta: FloatArray) -> tuple[float, FloatArray]:
            alpha, beta, gamma, delta = np.exp(theta)
            logs = special.betaln(alpha + x, beta + ends - x) - special.betaln(alpha, beta)
            logs = logs + special.betaln(gamma + left, delta + ends) - special.betaln(gamma, delta)
            logs = np.where(absent, -np.inf, logs)
            both = special.logsumexp(logs, axis=1)
            share = np.exp(logs - both[:, None]) * weight[:, None]
            psi = special.digamma
            up = psi(alpha + beta) - psi(alpha + beta + ends)
            down = psi(gamma + delta) - psi(gamma + delta + ends + left)
            slopes = (
                up + psi(alpha + x) - psi(alpha),
                up + psi(beta + ends - x) - psi(beta),
                down + psi(gamma + left) - psi(gamma),
                down + psi(delta + ends) - psi(delta),
            )
            gradient = [float((share * slope).sum()) for slope in slopes]
            return float(weight @ both), np.array(gradient) * np.exp(theta)

        return score

    def _log_likelihoods(self, x: FloatArray, t_x: FloatArray, T: FloatArray) -> FloatArray:
        likelihood: FloatArray = special.logsumexp(self._log_terms(x, t_x, T), axis=1)
        return likelihood

    def alive(self, x: FloatArray, t_x: FloatArray, T: FloatArray) -> FloatArray:
        """Return the probability of being there at the next occasion (their equation 11)."""
        _, _, gamma, delta = self._values()
        terms = self._log_terms(x, t_x, T)
        stays = special.betaln(gamma, delta + T + 1.0) - special.betaln(gamma, delta + T)
        alive: FloatArray = np.exp(terms[:, 0] + stays - special.logsumexp(terms, axis=1))
        return alive

    def stays_if_alive(self, x: FloatArray, t_x: FloatArray, T: FloatArray, ahead: float) -> FloatArray:
        """Return the chance that who is there at the next occasion is there ``ahead`` occasions after it."""
        _, _, gamma, delta = self._values()
        stays: FloatArray = np.exp(
            special.betaln(gamma, delta + T + 1.0 + ahead) - special.betaln(gamma, delta + T + 1.0)
        )
        return stays

    def orders(
        self, x: FloatArray, t_x: FloatArray, T: FloatArray, horizon: float, alive: FloatArray | None = None
    ) -> FloatArray:
        """Return the occasions to be taken of the next ``horizon`` (their equation 13, as a sum)."""
        alpha, beta, _, _ = self._values()
        there = self.alive(x, t_x, T) if alive is None else alive
        stays = sum((self.stays_if_alive(x, t_x, T, j) for j in range(int(horizon))), np.zeros_like(T))
        taken: FloatArray = there * (alpha + x) / (alpha + beta + T) * stays
        return taken

    def discounted_orders(
        self,
        x: FloatArray,
        t_x: FloatArray,
        T: FloatArray,
        horizon: float,
        rate: float,
        alive: FloatArray | None = None,
    ) -> FloatArray:
        """Return the occasions to be taken, each worth ``exp(-rate * occasions until it)``."""
        alpha, beta, _, _ = self._values()
        there = self.alive(x, t_x, T) if alive is None else alive
        worth = np.zeros_like(T)
        for j in range(int(horizon)):
            worth = worth + np.exp(-rate * (j + 1.0)) * self.stays_if_alive(x, t_x, T, j)
        taken: FloatArray = there * (alpha + x) / (alpha + beta + T) * worth
        return taken

    def window_if_alive(
        self, x: FloatArray, t_x: FloatArray, T: FloatArray, start: float, length: float
    ) -> FloatArray:
        """Return the chance to take one of ``length`` occasions after ``start``, if there at the next."""
        silent = self._silence(x, T, int(start), int(length))
        return self.stays_if_alive(x, t_x, T, start) * (1.0 - silent)

    def _silence(self, x: FloatArray, T: FloatArray, start: int, length: int) -> FloatArray:
        """Return the chance to take none of ``length`` occasions, being there at T + 1 + start, the first."""
        alpha, beta, gamma, delta = self._values()
        known, misses = T + 1.0 + start, beta + T - x
        silent = np.zeros_like(T)
        for i in range(1, length + 1):
            missed = np.exp(special.betaln(alpha + x, misses + i) - special.betaln(alpha + x, misses))
            if i < length:
                gone = special.betaln(gamma + 1.0, delta + known + i - 1.0) - special.betaln(
                    gamma, delta + known
                )
            else:
                gone = special.betaln(gamma, delta + known + i - 1.0) - special.betaln(gamma, delta + known)
            silent = silent + missed * np.exp(gone)
        return silent if length else np.ones_like(T)

    def wait_if_alive(self, x: FloatArray, t_x: FloatArray, T: FloatArray, share: float) -> FloatArray:
        """Return the occasions until ``share`` of those who take another one have; at most 1,000."""
        ever = 1.0 - self._silence(x, T, 0, 1_000)
        waited = np.full_like(T, 1_000.0)
        for length in range(1, 1_000):
            reached = 1.0 - self._silence(x, T, 0, length) >= share * ever
            waited = np.where(reached & (waited > length), float(length), waited)
            if reached.all():
                break
        return waited


def _endings(t_x: FloatArray, n: FloatArray) -> tuple[FloatArray, npt.NDArray[np.bool_], FloatArray]:
    """Return, by row: the last occasion lived through in each case, which cases do not exist, who left."""
    most = int((n - t_x).max(initial=0.0))
    after = t_x[:, None] + np.arange(most)
    ends = np.column_stack([n, after])
    absent = np.column_stack([np.zeros(n.size, dtype=bool), after >= n[:, None]])
    left = np.column_stack([np.zeros(n.size), np.ones_like(after)])
    return np.where(absent, n[:, None], ends), absent, left
