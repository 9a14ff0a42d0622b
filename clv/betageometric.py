"""The formulas BG/NBD and MBG/NBD share, written so that they neither overflow nor cancel.

Both say: after an order the customer leaves with probability p, beta distributed over customers; the
orders of those who stay are Poisson with a gamma distributed rate. In the first model the chance comes
after each repeat order, in the second after the first order as well; ``leave_at_start`` tells them apart.

Source of the printed forms: Fader, Hardie and Lee (2005); Batislam et al. (2007). Given that the customer
is alive, rate and p are independent, gamma(r + x, alpha + T) and beta(a, b + x), or beta(a, b + x + 1):
from this follow expectation and rate below.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from clv.fitting import Score
from clv.histories import FloatArray, Histories, IntArray, groups, repeated
from clv.hypergeometric import beta_average, hyp2f1
from clv.quadrature import unit_rule

__all__ = [
    "log_likelihood",
    "orders_if_alive",
    "probability_alive",
    "rate_if_alive",
    "score",
    "still_alive_after",
]

_NODES, _WEIGHTS = unit_rule(40)
_ROWS_AT_ONCE = 16_384


def _log_odds_dead(
    x: FloatArray,
    t_x: FloatArray,
    T: FloatArray,
    r: float,
    alpha: float,
    a: float,
    b: float,
    leave_at_start: bool,
) -> FloatArray:
    """Return the logarithm of P(dead) / P(alive); minus infinity where the customer cannot have left."""
    stayed = b + x if leave_at_start else b + np.maximum(x, 1.0) - 1.0
    with np.errstate(divide="ignore"):
        odds: FloatArray = np.log(a / stayed) + (r + x) * np.log1p((T - t_x) / (alpha + t_x))
    return odds if leave_at_start else np.where(x > 0, odds, -np.inf)


def probability_alive(
    x: FloatArray,
    t_x: FloatArray,
    T: FloatArray,
    r: float,
    alpha: float,
    a: float,
    b: float,
    *,
    leave_at_start: bool = False,
) -> FloatArray:
    """Return the probability of being alive, shape of the inputs."""
    alive: FloatArray = special.expit(-_log_odds_dead(x, t_x, T, r, alpha, a, b, leave_at_start))
    return alive


def log_likelihood(
    x: FloatArray,
    t_x: FloatArray,
    T: FloatArray,
    r: float,
    alpha: float,
    a: float,
    b: float,
    *,
    leave_at_start: bool = False,
) -> FloatArray:
    """Return each customer's log-likelihood."""
    odds = _log_odds_dead(x, t_x, T, r, alpha, a, b, leave_at_start)
    stays = x + 1.0 if leave_at_start else x
    known = special.gammaln(r + x) - special.gammaln(r) - x * np.log(alpha)
    known = known + special.gammaln(b + stays) - special.gammaln(b)
    known = known + special.gammaln(a + b) - special.gammaln(a + b + stays)
    likelihood: FloatArray = known - (r + x) * np.log1p(T / alpha) + np.logaddexp(0.0, odds)
    return likelihood


def score(rows: Histories, *, leave_at_start: bool) -> Score:
    """Return log-likelihood and exact gradient as a function of log(r, alpha, a, b).

    Terms in x, t_x or T alone are evaluated once a distinct value; a row costs one exponential and one
    logarithm.
    """
    extra = 1.0 if leave_at_start else 0.0
    counts, times = repeated(rows.frequency, rows.weight)
    ages, of_age = repeated(rows.age, rows.weight)
    _, orders_of_age = repeated(rows.age, rows.weight * rows.frequency)
    total = float(rows.weight.sum())
    left = _MayHaveLeft.of(rows if leave_at_start else rows.take(np.flatnonzero(rows.frequency > 0)))

    def value_and_slope(theta: FloatArray) -> tuple[float, FloatArray]:
        r, alpha, a, b = np.exp(theta)
        stays, psi = counts + extra, special.digamma
        lead = (
            special.gammaln(r + counts) - special.gammaln(r) + special.gammaln(b + stays) - special.gammaln(b)
        )
        lead += special.gammaln(a + b) - special.gammaln(a + b + stays)
        log_age, events = np.log(alpha + ages), r * of_age + orders_of_age
        gone = left.sums(r, alpha, float(theta[2]), b + extra - 1.0)
        value = times @ lead + total * r * theta[1] - events @ log_age + gone.value
        shared = psi(a + b) - psi(a + b + stays)
        by_r = times @ (psi(r + counts) - psi(r)) + total * theta[1] - of_age @ log_age + gone.by_r
        by_alpha = total * r / alpha - events @ (1.0 / (alpha + ages)) - gone.by_alpha
        by_a = times @ shared + gone.customers / a
        by_b = times @ (shared + psi(b + stays) - psi(b)) - gone.by_b
        return float(value), np.array([by_r * r, by_alpha * alpha, by_a * a, by_b * b])

    return value_and_slope


@dataclass(frozen=True, slots=True)
class _Gone:
    """What those who may have left add to likelihood and slopes, and how many are expected to have."""

    value: float = 0.0
    by_r: float = 0.0
    by_alpha: float = 0.0
    by_b: float = 0.0
    customers: float = 0.0


@dataclass(frozen=True, slots=True)
class _MayHaveLeft:
    """Rows of customers who may have left, their values looked up in short tables of the distinct ones."""

    counts: FloatArray
    lasts: FloatArray
    ages: FloatArray
    pieces: tuple[tuple[FloatArray, FloatArray, IntArray, IntArray, IntArray], ...]

    @classmethod
    def of(cls, rows: Histories) -> _MayHaveLeft:
        (f_x, of_x), (f_t, of_t), (f_T, of_T) = (groups(v) for v in (rows.frequency, rows.recency, rows.age))
        cuts = [slice(i, i + _ROWS_AT_ONCE) for i in range(0, len(rows), _ROWS_AT_ONCE)]
        pieces = tuple((rows.weight[c], rows.frequency[c], of_x[c], of_t[c], of_T[c]) for c in cuts)
        return cls(rows.frequency[f_x], rows.recency[f_t], rows.age[f_T], pieces)

    def sums(self, r: float, alpha: float, log_a: float, stayed: float) -> _Gone:
        log_stay, per_stay = np.log(stayed + self.counts), 1.0 / (stayed + self.counts)
        log_last, per_last = np.log(alpha + self.lasts), 1.0 / (alpha + self.lasts)
        log_age, per_age = np.log(alpha + self.ages), 1.0 / (alpha + self.ages)
        sums = np.zeros(5)
        for weight, x, of_x, of_t, of_T in self.pieces:
            since, k = log_age[of_T] - log_last[of_t], r + x
            odds = log_a - log_stay[of_x] + k * since
            small = np.exp(-np.abs(odds))
            lost = weight * np.where(odds > 0.0, 1.0, small) / (1.0 + small)
            sums += (
                weight @ (np.maximum(odds, 0.0) + np.log1p(small)),
                lost @ since,
                lost @ (k * (per_last[of_t] - per_age[of_T])),
                lost @ per_stay[of_x],
                lost.sum(),
            )
        return _Gone(*sums.tolist())


def rate_if_alive(
    x: FloatArray,
    T: FloatArray,
    ahead: FloatArray,
    r: float,
    alpha: float,
    a: float,
    b: float,
    *,
    leave_at_start: bool = False,
) -> FloatArray:
    """Return expected orders per unit of time at a time ``ahead``, given that the customer is alive now.

    It is E[lambda exp(-lambda p u)] = k/A E[(1 + p u/A)^-(k+1)], where k = r + x, A = alpha + T and p is beta
    distributed: positive, and free of the singularities of its integral over u.
    """
    k, A = r + x, alpha + T
    stay = b + x + (1.0 if leave_at_start else 0.0)
    rate: FloatArray = k / A * beta_average(a, stay, k + 1.0, ahead / A)
    return rate


def still_alive_after(
    x: FloatArray,
    T: FloatArray,
    ahead: FloatArray | float,
    r: float,
    alpha: float,
    a: float,
    b: float,
    *,
    silent: FloatArray | float = 0.0,
    leave_at_start: bool = False,
) -> FloatArray:
    """Return E[exp(-lambda (p u + s))]: alive for ``ahead`` more and then without an order for ``silent``."""
    k, A = r + x, alpha + T + silent
    stay = b + x + (1.0 if leave_at_start else 0.0)
    kept: FloatArray = beta_average(a, stay, k, ahead / A) * np.exp(-k * np.log1p(silent / (alpha + T)))
    return kept


def orders_if_alive(
    x: FloatArray,
    T: FloatArray,
    horizon: float,
    r: float,
    alpha: float,
    a: float,
    b: float,
    *,
    leave_at_start: bool = False,
) -> FloatArray:
    """Return expected orders in the horizon, given that the customer is alive now.

    The printed expectation after Euler's transformation, where x enters 2F1 only through its third
    argument and nothing grows; near a = 1 and near its poles, where it divides zero by zero, the integral
    of the rate instead.
    """
    x, T = np.broadcast_arrays(x, T)
    c = a + b + x - (0.0 if leave_at_start else 1.0)
    short = horizon < 1e-4 * (alpha + T)
    delicate = (
        (np.abs(c) < 0.02) | short | (abs(a - 1.0) < 0.02) | ((c < 0) & (np.abs(c - np.round(c)) < 0.02))
    )
    orders = np.full(x.shape, np.nan)
    plain = ~delicate
    orders[plain] = _printed(c[plain], x[plain], T[plain], horizon, r, alpha, a)
    delicate |= ~np.isfinite(orders)
    if delicate.any():
        orders[delicate] = _integrated(x[delicate], T[delicate], horizon, r, alpha, a, b, leave_at_start)
    return orders


def _printed(
    c: FloatArray, x: FloatArray, T: FloatArray, horizon: float, r: float, alpha: float, a: float
) -> FloatArray:
    z = horizon / (alpha + T + horizon)
    kept = np.exp((a - 1.0) * np.log1p(-z)) * hyp2f1(c - x - r, a - 1.0, c, z)
    orders: FloatArray = c / (a - 1.0) * (1.0 - kept)
    return orders


def _integrated(
    x: FloatArray,
    T: FloatArray,
    horizon: float,
    r: float,
    alpha: float,
    a: float,
    b: float,
    leave_at_start: bool,
) -> FloatArray:
    scale = alpha + T
    reach = np.log1p(horizon / scale)
    v = reach[:, None] * _NODES
    ahead = scale[:, None] * np.expm1(v)
    rate = rate_if_alive(x[:, None], T[:, None], ahead, r, alpha, a, b, leave_at_start=leave_at_start)
    orders: FloatArray = ((rate * np.exp(v)) @ _WEIGHTS) * reach * scale
    return orders
