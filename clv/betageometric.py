"""The formulas BG/NBD and MBG/NBD share, written so that they neither overflow nor cancel.

Both say: after an order the customer leaves with probability p, beta distributed over customers; the
orders of those who stay are Poisson with a gamma distributed rate. In the first model the chance comes
after each repeat order, in the second after the first order as well; ``leave_at_start`` tells them apart.

Source of the printed forms: Fader, Hardie and Lee (2005); Batislam et al. (2007). Given that the customer
is alive, rate and p are independent, gamma(r + x, alpha + T) and beta(a, b + x), or beta(a, b + x + 1):
from this follow expectation and rate below.
"""

from __future__ import annotations

import numpy as np
from scipy import special

from clv.fitting import Score
from clv.histories import FloatArray, Histories, repeated
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

    Terms in x alone are evaluated once a distinct x; a row costs three logarithms and one exponential.
    """
    x, t_x, T, weight = rows.frequency, rows.recency, rows.age, rows.weight
    counts, times = repeated(x, weight)
    total = float(weight.sum())
    extra = 1.0 if leave_at_start else 0.0
    may_have_left = np.ones(x.size, dtype=bool) if leave_at_start else x > 0
    everyone = bool(may_have_left.all())
    x_1, T_1, t_1, w_1 = (v if everyone else v[may_have_left] for v in (x, T, t_x, weight))

    def value_and_slope(theta: FloatArray) -> tuple[float, FloatArray]:
        r, alpha, a, b = np.exp(theta)
        stays = counts + extra
        lead = (
            special.gammaln(r + counts) - special.gammaln(r) + special.gammaln(b + stays) - special.gammaln(b)
        )
        lead += special.gammaln(a + b) - special.gammaln(a + b + stays)
        log_T = np.log(alpha + T)
        since = np.log((alpha + T_1) / (alpha + t_1))
        stayed = b + x_1 + (extra - 1.0)
        odds = theta[2] - np.log(stayed) + (r + x_1) * since
        dead = special.expit(odds)
        lost = w_1 * dead
        value = (
            times @ lead + total * r * theta[1] - weight @ ((r + x) * log_T) - w_1 @ special.log_expit(-odds)
        )
        shared = special.digamma(a + b) - special.digamma(a + b + stays)
        by_r = times @ (special.digamma(r + counts) - special.digamma(r)) + total * theta[1] - weight @ log_T
        by_r += lost @ since
        by_alpha = total * r / alpha - weight @ ((r + x) / (alpha + T))
        by_alpha -= lost @ ((r + x_1) * (T_1 - t_1) / ((alpha + T_1) * (alpha + t_1)))
        by_a = times @ shared + lost.sum() / a
        by_b = times @ (shared + special.digamma(b + stays) - special.digamma(b)) - lost @ (1.0 / stayed)
        return float(value), np.array([by_r * r, by_alpha * alpha, by_a * a, by_b * b])

    return value_and_slope


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
