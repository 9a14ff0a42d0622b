"""(M)BG/CNBD-k: customers who buy with some regularity, and may leave after an order.

Platzer and Reutterer (2016), "Ticking away the moments", Marketing Science 35(5). Every k-th tick of a
customer's Poisson clock is an order, so gaps are Erlang-k distributed; k = 1 is (M)BG/NBD. Given a living
customer the number of ticks ahead is negative binomial, and the expectations here are the exact sums over
it.
"""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import numpy.typing as npt
from scipy import special

from clv.columns import LOG_GAP_SUM
from clv.errors import SettingError
from clv.fitting import Score
from clv.histories import FloatArray, Histories, Table, column, groups, histories
from clv.process import DISCOUNT_RULE, PurchaseProcess

__all__ = ["BGCNBD", "MBGCNBD"]

_MOST_TICKS = 8
_ORDERS_AT_MOST = 20_000
_WORTH_GROUPING = 64


class MBGCNBD(PurchaseProcess):
    """Regular orders with a chance to leave after each order, the first included.

    Parameters
    ----------
    k
        Ticks per order; ``None`` tries 1, 2, 3 ... until the likelihood falls, which needs the column
        ``log_gap_sum`` (see :func:`clv.summary.log_gaps`).
    prior
        Weak priors on the parameters.

    ``r``, ``alpha``: gamma distribution of tick rates. ``a``, ``b``: beta distribution of the chance to
    leave. ``parameters_`` holds ``k`` as well.
    """

    kind = "mbgcnbd"
    names = ("r", "alpha", "a", "b")
    time_like = ("alpha",)
    starts = ((0.5, 0.2, 0.7, 2.0), (1.0, 0.5, 0.3, 6.0), (3.0, 0.5, 1.0, 2.0))
    settled = {"a": 0.0, "b": 1.0}  # noqa: RUF012  (declared a ClassVar by the parent)

    _leave_at_start: bool = True
    _ticks: int = 1

    def __init__(self, *, k: int | None = None, prior: bool = True) -> None:
        super().__init__(prior=prior)
        self.k = k

    def fit(self, X: Table, y: object = None, sample_weight: npt.ArrayLike | None = None) -> Self:
        """Fit the parameters, and k unless it is given.

        Parameters
        ----------
        X
            Table with ``frequency``, ``recency_days``, ``age_days``; with ``log_gap_sum`` the
            log-likelihood is that of the gaps, comparable between values of k.
        y
            Ignored.
        sample_weight
            Customers each row stands for, shape (n,).

        Raises
        ------
        MissingColumn
            When k is to be found and ``log_gap_sum`` is not there.
        SettingError
            When k is not a positive whole number.
        """
        if self.k is not None and (self.k < 1 or self.k != int(self.k)):
            raise SettingError("k is the number of ticks per order.", where=str(self.k), hint="1, 2, 3 ...")
        rows = histories(X, sample_weight)
        gaps = column(X, LOG_GAP_SUM) if self.k is None or LOG_GAP_SUM in X else None
        best: dict[str, Any] = {}
        for k in range(1, _MOST_TICKS + 1) if self.k is None else (self.k,):
            self._ticks = k
            super().fit(X, y, sample_weight)
            self.parameters_["k"] = float(k)
            self.log_likelihood_ += self._of_gaps(rows, gaps, k)
            if best and self.log_likelihood_ <= best["log_likelihood_"]:
                break
            best = {name: value for name, value in vars(self).items() if name.endswith("_")}
        self.__dict__.update(best)
        self._ticks = int(self.parameters_["k"])
        return self

    def _of_gaps(self, rows: Histories, gaps: FloatArray | None, k: int) -> float:
        """Return the part of the likelihood that needs the gaps themselves and no parameter."""
        constant = -float(rows.weight @ rows.frequency) * float(special.gammaln(k))
        return constant + ((k - 1) * float(rows.weight @ gaps) if gaps is not None else 0.0)

    def _keep(self, fit: Any, unit: float, customers: float, orders: float) -> None:  # noqa: ANN401
        # k ticks an order: the scaled density counts a unit of time for each of them
        super()._keep(fit, unit, customers, orders * self._ticks)

    def _fall_back(self, scaled: Histories, unit: float, orders: float) -> None:
        """Compare with the NBD at k = 1 only: more ticks make regularity worth having without dropout."""
        if self._ticks == 1:
            super()._fall_back(scaled, unit, orders)

    def _leaves(self, unit: float) -> bool:
        del unit
        return self.parameters_["a"] / (self.parameters_["a"] + self.parameters_["b"]) > 1e-4

    def _score(self, rows: Histories) -> Score:
        return _score(rows, self._ticks, self._leave_at_start)

    def _terms(
        self, x: FloatArray, t_x: FloatArray, T: FloatArray
    ) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
        """Return log weights of alive with j ticks since the last order and of dead, shapes, b after x."""
        p = self.parameters_
        r, alpha, a, b, k = p["r"], p["alpha"], p["a"], p["b"], int(p["k"])
        stays = x + 1.0 if self._leave_at_start else x
        shape = r + k * x[:, None] + np.arange(k)
        j = np.arange(k)
        since = (T - t_x)[:, None]
        alive = special.gammaln(shape) - special.gammaln(r + k * x)[:, None] + special.xlogy(j, since)
        alive = alive - special.gammaln(j + 1.0) - shape * np.log(alpha + T)[:, None]
        with np.errstate(divide="ignore"):
            dead = np.log(a / (b + np.maximum(stays, 1.0) - 1.0)) - (r + k * x) * np.log(alpha + t_x)
        return alive, np.where(stays > 0, dead, -np.inf), shape, b + stays

    def _log_likelihoods(self, x: FloatArray, t_x: FloatArray, T: FloatArray) -> FloatArray:
        p = self.parameters_
        r, a, b, k = p["r"], p["a"], p["b"], p["k"]
        alive, dead, _, stayed = self._terms(x, t_x, T)
        known = special.gammaln(r + k * x) - special.gammaln(r) + r * np.log(p["alpha"])
        known = known + special.betaln(a, stayed) - special.betaln(a, b) - x * special.gammaln(k)
        total = np.logaddexp(special.logsumexp(alive, axis=1), dead)
        likelihood: FloatArray = known + total
        return likelihood

    def alive(self, x: FloatArray, t_x: FloatArray, T: FloatArray) -> FloatArray:
        """Return the probability of not having left yet."""
        alive, dead, _, _ = self._terms(x, t_x, T)
        probability: FloatArray = special.expit(special.logsumexp(alive, axis=1) - dead)
        return probability

    def _phases(
        self, x: FloatArray, t_x: FloatArray, T: FloatArray
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return the chances of j ticks since the last order, given alive, their shapes, and b after x."""
        alive, _, shape, stayed = self._terms(x, t_x, T)
        chance: FloatArray = special.softmax(alive, axis=1)
        return chance, shape, stayed

    def orders(
        self, x: FloatArray, t_x: FloatArray, T: FloatArray, horizon: float, alive: FloatArray | None = None
    ) -> FloatArray:
        """Return expected orders: the sum over n of P(n-th order comes) P(still there before it)."""
        total, _ = self._ahead(x, t_x, T, horizon)
        return (self.alive(x, t_x, T) if alive is None else alive) * total

    def discounted_orders(
        self,
        x: FloatArray,
        t_x: FloatArray,
        T: FloatArray,
        horizon: float,
        rate: float,
        alive: FloatArray | None = None,
    ) -> FloatArray:
        """Return expected orders in the horizon, each worth ``exp(-rate * time until it)``.

        For a few customers every moment of the integral is asked about at once.
        """
        if rate == 0.0 or x.size >= _WORTH_GROUPING:
            return super().discounted_orders(x, t_x, T, horizon, rate, alive)
        nodes, shares = DISCOUNT_RULE
        until = horizon * np.append(nodes, 1.0)
        worth = np.append(rate * horizon * shares, 1.0) * np.exp(-rate * until)
        each, last, age = (np.tile(part, until.size) for part in (x, t_x, T))
        ahead, _ = self._ahead(each, last, age, np.repeat(until, x.size))
        total: FloatArray = worth @ ahead.reshape(until.size, x.size)
        return (self.alive(x, t_x, T) if alive is None else alive) * total

    def stays_if_alive(self, x: FloatArray, t_x: FloatArray, T: FloatArray, ahead: float) -> FloatArray:
        """Return the chance of still being alive at a time ahead: stays after each order until then."""
        _, kept = self._ahead(x, t_x, T, ahead)
        return kept

    def _ahead(
        self, x: FloatArray, t_x: FloatArray, T: FloatArray, time: FloatArray | float
    ) -> tuple[FloatArray, FloatArray]:
        """Return expected orders of a living customer, and the chance of still living, after a time.

        The n-th order comes with the chance of enough ticks (a beta integral) and of having stayed n - 1
        times.
        """
        if x.size >= _WORTH_GROUPING and np.ndim(time) == 0:
            first, member = groups(x, t_x, T)
            if first.size < x.size:
                total, kept = self._ahead(x[first], t_x[first], T[first], time)
                return total[member], kept[member]
        a, alpha, k = self.parameters_["a"], self.parameters_["alpha"], int(self.parameters_["k"])
        chance, shape, stayed = self._phases(x, t_x, T)
        share = time / (alpha + T + time)
        total, kept, there = np.zeros_like(x), np.ones_like(x), np.ones_like(x)
        open_, start = np.arange(x.size), 1
        while open_.size and start < _ORDERS_AT_MOST:
            n = np.arange(start, start + int(np.clip(4_096 // open_.size, 1, 64)), dtype=np.float64)
            ticks, z = n[:, None] * k - np.arange(k), share[open_, None, None]
            enough = special.betainc(ticks[None], shape[open_, None, :], z)
            before = (stayed[open_, None] + n - 1.0) / (a + stayed[open_, None] + n - 1.0)
            until = there[open_, None] * np.cumprod(before, axis=1)
            came = np.einsum("ik,ink->in", chance[open_], enough) * until / before
            total[open_] += came.sum(axis=1)
            kept[open_] -= (came * (1.0 - before)).sum(axis=1)
            there[open_] = until[:, -1]
            open_, start = open_[came[:, -1] > 1e-13 * total[open_]], start + n.size
        return total, kept

    def window_if_alive(
        self, x: FloatArray, t_x: FloatArray, T: FloatArray, start: float, length: float
    ) -> FloatArray:
        """Return the chance of an order in a window that starts now.

        Raises
        ------
        SettingError
            When the window starts later: how many ticks have passed by then has no closed form here.
        """
        if start > 0.0:
            raise SettingError(
                "A regular buyer's window starts now.", where=f"start {start}", hint="Use start 0."
            )
        return self._ordered(x, t_x, T, np.full_like(T, length))

    def _ordered(self, x: FloatArray, t_x: FloatArray, T: FloatArray, ahead: FloatArray) -> FloatArray:
        alpha, k = self.parameters_["alpha"], int(self.parameters_["k"])
        chance, shape, _ = self._phases(x, t_x, T)
        share = np.broadcast_to((ahead / (alpha + T + ahead))[:, None], shape.shape)
        ordered: FloatArray = np.einsum("ij,ij->i", chance, special.betainc(k - np.arange(k), shape, share))
        return ordered

    def wait_if_alive(self, x: FloatArray, t_x: FloatArray, T: FloatArray, share: float) -> FloatArray:
        """Return the quantile ``share`` of the time until the next order, given that there is one.

        Newton's method on the logarithm of time, kept inside a bracket that every step narrows.
        """
        alpha, k = self.parameters_["alpha"], int(self.parameters_["k"])
        chance, shape, _ = self._phases(x, t_x, T)
        missing = k - np.arange(k)
        scale = special.betaln(missing, shape)
        low, high = np.full_like(T, -20.0), np.full_like(T, 40.0)
        log_wait = np.clip(np.log((alpha + T) * k / shape[:, 0]), low, high)
        for _ in range(60):
            wait = np.exp(log_wait)
            z = np.broadcast_to((wait / (alpha + T + wait))[:, None], shape.shape)
            ordered = np.einsum("ij,ij->i", chance, special.betainc(missing, shape, z))
            density = np.exp(missing * np.log(z) + shape * np.log1p(-z) - scale)
            late = ordered > share
            low, high = np.where(late, low, log_wait), np.where(late, log_wait, high)
            target = log_wait - (ordered - share) / np.maximum(np.einsum("ij,ij->i", chance, density), 1e-300)
            inside = (target >= low) & (target <= high)
            target = np.where(inside, target, (low + high) / 2.0)
            step = np.abs(target - log_wait).max(initial=0.0)
            log_wait = target
            if step < 1e-7:  # the error after it is of its square
                break
        waited: FloatArray = np.exp(log_wait)
        return waited

    @classmethod
    def of(cls, **parameters: float) -> Self:
        """Make a fitted model from known parameters, ``k`` among them."""
        model = super().of(**{name: parameters[name] for name in cls.names})
        model.parameters_["k"] = float(parameters["k"])
        model._ticks = int(parameters["k"])
        return model


class BGCNBD(MBGCNBD):
    """Regular orders with a chance to leave after each repeat order."""

    kind = "bgcnbd"
    _leave_at_start = False


def _score(rows: Histories, k: int, leave_at_start: bool) -> Score:
    """Return log-likelihood (less its gap constant) and gradient as a function of log(r, alpha, a, b)."""
    x, t_x, T, weight = rows.frequency, rows.recency, rows.age, rows.weight
    stays = x + 1.0 if leave_at_start else x
    j = np.arange(k)
    ticks = special.xlogy(j, (T - t_x)[:, None]) - special.gammaln(j + 1.0)
    total = float(weight.sum())

    def score(theta: FloatArray) -> tuple[float, FloatArray]:
        r, alpha, a, b = np.exp(theta)
        shape = r + k * x[:, None] + j
        log_T, log_t = np.log(alpha + T), np.log(alpha + t_x)
        alive = special.gammaln(shape) + ticks - shape * log_T[:, None]
        left = b + np.maximum(stays, 1.0) - 1.0
        dead = special.gammaln(shape[:, 0]) + theta[2] - np.log(left) - shape[:, 0] * log_t
        dead = np.where(stays > 0, dead, -np.inf)
        logs = np.column_stack([alive, dead])
        both = special.logsumexp(logs, axis=1)
        share = np.exp(logs - both[:, None]) * weight[:, None]
        here, gone = share[:, :-1], share[:, -1]
        beta = special.betaln(a, b + stays) - special.betaln(a, b)
        value = float(weight @ (both + beta)) + total * (r * theta[1] - special.gammaln(r))
        up = special.digamma(shape)
        by_r = float((here * (up - log_T[:, None])).sum() + gone @ (up[:, 0] - log_t))
        by_r += total * (theta[1] - special.digamma(r))
        by_alpha = total * r / alpha - float((here * shape / (alpha + T)[:, None]).sum())
        by_alpha -= float(gone @ (shape[:, 0] / (alpha + t_x)))
        common = special.digamma(a + b) - special.digamma(a + b + stays)
        by_a = float(weight @ common + gone.sum() / a)
        by_b = float(
            weight @ (common + special.digamma(b + stays) - special.digamma(b)) - gone @ (1.0 / left)
        )
        return value, np.array([by_r * r, by_alpha * alpha, by_a * a, by_b * b])

    return score
