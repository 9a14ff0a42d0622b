"""Pareto/NBD: customers buy at their own rate and leave at an unseen moment of their own.

Schmittlein, Morrison and Colombo (1987); Fader and Hardie, "A note on deriving the Pareto/NBD model"
(note 009). The likelihood is taken in the form whose terms are all positive (its equations 22 and 23),
with Euler's transformation of 2F1 and in logarithms, so that neither thousands of orders nor parameters
far apart overflow or cancel.
"""

from __future__ import annotations

import numpy as np
from scipy import special

from clv.fitting import Score
from clv.histories import FloatArray, Histories, repeated
from clv.hypergeometric import hyp2f1_of_one
from clv.poisson import PoissonPurchases
from clv.quadrature import unit_rule

__all__ = ["ParetoNBD", "log_likelihood", "pmf"]

_NODES, _SHARES = unit_rule(16)
_NEGLIGIBLE = 20.0  # exp(-20) of the integral is left out when fitting; answers use the closed form
_ROWS_AT_ONCE = 4_096


def _log_sum(
    x: FloatArray, t_x: FloatArray, T: FloatArray, r: float, alpha: float, s: float, beta: float
) -> FloatArray:
    """Return log of (alpha+T)^-(r+x) (beta+T)^-s + s * integral from t_x to T of the same with s + 1."""
    total: FloatArray = np.logaddexp(
        _log_left(x, t_x, r, alpha, s, beta), _log_ordering(x, T, r, alpha, s, beta)
    )
    return total


def _log_left(x: FloatArray, t: FloatArray, r: float, alpha: float, s: float, beta: float) -> FloatArray:
    """Return log of s * integral from t to infinity of (alpha+u)^-(r+x) (beta+u)^-(s+1)."""
    w, m, first = r + s + x, max(alpha, beta), s + 1.0 if alpha >= beta else r + x
    with np.errstate(divide="ignore"):
        left: FloatArray = np.log(s / w) + _log_2f1(w, first, abs(alpha - beta) / (m + t)) - w * np.log(m + t)
    return left


def _log_ordering(x: FloatArray, t: FloatArray, r: float, alpha: float, s: float, beta: float) -> FloatArray:
    """Return log of (r+x) * integral from t to infinity of (alpha+u)^-(r+x+1) (beta+u)^-s."""
    w, m, second = r + s + x, max(alpha, beta), s if alpha >= beta else r + x + 1.0
    ordering: FloatArray = (
        np.log((r + x) / w) + _log_2f1(w, second, abs(alpha - beta) / (m + t)) - w * np.log(m + t)
    )
    return ordering


def _log_2f1(w: FloatArray, b: FloatArray | float, z: FloatArray) -> FloatArray:
    """Return log 2F1(w, b; w + 1; z) for 0 <= z < 1, by Euler's transformation."""
    value: FloatArray = (1.0 - b) * np.log1p(-z) + np.log(hyp2f1_of_one(w + 1.0 - b, w + 1.0, z))
    return value


def log_likelihood(
    x: FloatArray, t_x: FloatArray, T: FloatArray, r: float, alpha: float, s: float, beta: float
) -> FloatArray:
    """Return each customer's log-likelihood."""
    known = special.gammaln(r + x) - special.gammaln(r) + r * np.log(alpha) + s * np.log(beta)
    likelihood: FloatArray = known + _log_sum(x, t_x, T, r, alpha, s, beta)
    return likelihood


def log_alive(
    x: FloatArray, t_x: FloatArray, T: FloatArray, r: float, alpha: float, s: float, beta: float
) -> FloatArray:
    """Return the logarithm of each customer's probability of being alive."""
    stays = -(r + x) * np.log(alpha + T) - s * np.log(beta + T)
    alive: FloatArray = np.minimum(stays - _log_sum(x, t_x, T, r, alpha, s, beta), 0.0)
    return alive


def pmf(count: FloatArray, t: float, r: float, alpha: float, s: float, beta: float) -> FloatArray:
    """Return the probability of ``count`` repeat orders within ``t`` of the first order.

    Either the customer is still there and the count is that of an NBD, or they left at a moment u before
    ``t`` and the count is that of an NBD over u; the second is integrated over u on a logarithmic scale.

    Examples
    --------
    >>> print(round(float(pmf(np.arange(200.0), 39.0, 0.553, 10.578, 0.606, 11.669).sum()), 6))
    1.0
    """
    from clv.nbd import pmf as steady  # noqa: PLC0415  (both modules have a pmf)

    nodes, shares = unit_rule(64)
    reach = np.log1p(t / beta)
    u = beta * np.expm1(reach * nodes)
    left = s * reach * shares * np.exp(-s * reach * nodes)
    stays = np.exp(-s * reach)
    counts = np.atleast_1d(np.asarray(count, dtype=np.float64))
    moments = np.broadcast_to(u, (counts.size, u.size))
    gone = steady(counts[:, None], moments, r, alpha) @ left
    probability: FloatArray = gone + stays * steady(counts, np.full(counts.shape, t), r, alpha)
    return probability


class ParetoNBD(PoissonPurchases):
    """Orders with an unseen moment of leaving.

    ``r``, ``alpha``: gamma distribution of order rates. ``s``, ``beta``: gamma distribution of rates of
    leaving.
    """

    kind = "paretonbd"
    names = ("r", "alpha", "s", "beta")
    time_like = ("alpha", "beta")
    starts = ((0.5, 0.4, 0.5, 0.4), (1.0, 0.5, 0.5, 1.5), (2.0, 1.0, 2.0, 2.0))
    settled = {"s": 0.0, "beta": 1.0}  # noqa: RUF012  (declared a ClassVar by the parent)

    def _leaves(self, unit: float) -> bool:
        leaving = -np.expm1(-self.parameters_["s"] * np.log1p(unit / self.parameters_["beta"]))
        return bool(leaving > 1e-4)

    def _score(self, rows: Histories) -> Score:
        return _score(rows)

    def _log_likelihoods(self, x: FloatArray, t_x: FloatArray, T: FloatArray) -> FloatArray:
        return log_likelihood(x, t_x, T, *self._values())

    def alive(self, x: FloatArray, t_x: FloatArray, T: FloatArray) -> FloatArray:
        """Return the probability of not having left yet."""
        alive: FloatArray = np.exp(log_alive(x, t_x, T, *self._values()))
        return alive

    def _orders_if_alive(self, x: FloatArray, T: FloatArray, horizon: float) -> FloatArray:
        # The printed (1 - ((beta+T)/(beta+T+t))^(s-1)) / (s-1) is 0/0 at s = 1; exprel is its limit, too.
        r, alpha, s, beta = self._values()
        span = np.log1p(horizon / (beta + T))
        orders: FloatArray = (r + x) * (beta + T) / (alpha + T) * span * special.exprel((1.0 - s) * span)
        return orders

    def _rate_if_alive(self, x: FloatArray, T: FloatArray, ahead: FloatArray) -> FloatArray:
        r, alpha, s, beta = self._values()
        rate: FloatArray = (r + x) / (alpha + T) * np.exp(-s * np.log1p(ahead / (beta + T)))
        return rate

    def _pace(self, T: FloatArray) -> FloatArray:
        return self.parameters_["beta"] + T

    def stays_if_alive(self, x: FloatArray, t_x: FloatArray, T: FloatArray, ahead: float) -> FloatArray:
        """Return the chance of still being alive at a time ahead: E[exp(-mu ahead)]."""
        stays: FloatArray = np.exp(-self.parameters_["s"] * np.log1p(ahead / (self.parameters_["beta"] + T)))
        return stays + np.zeros(np.broadcast(x, t_x, T).shape)

    def window_if_alive(
        self, x: FloatArray, t_x: FloatArray, T: FloatArray, start: float, length: float
    ) -> FloatArray:
        """Return the chance of an order in a window: alive at its start, and then not silent through it."""
        there = self.stays_if_alive(x, t_x, T, start)
        return there * (1.0 - self._silence(x, T, np.full_like(T, length), start))

    def _silence(self, x: FloatArray, T: FloatArray, ahead: FloatArray, start: float = 0.0) -> FloatArray:
        """Return the chance that a customer alive at ``start`` from now does not order for a time after that.

        Having lived until then without our knowing of orders moves beta, and leaves alpha.
        """
        r, alpha, s, beta = self._values()
        beta = beta + start
        now = (r + x) * np.log(alpha + T) + s * np.log(beta + T)
        return _silent_until(now, now + _log_left(x, T, r, alpha, s, beta), x, T + ahead, r, alpha, s, beta)

    def never_again_if_alive(self, x: FloatArray, T: FloatArray) -> FloatArray:
        """Return the chance that a customer alive now leaves before another order: E[mu / (lambda + mu)]."""
        r, alpha, s, beta = self._values()
        now = (r + x) * np.log(alpha + T) + s * np.log(beta + T)
        never: FloatArray = np.exp(np.minimum(now + _log_left(x, T, r, alpha, s, beta), 0.0))
        return never

    def wait_if_alive(self, x: FloatArray, t_x: FloatArray, T: FloatArray, share: float) -> FloatArray:
        """Return the quantile ``share`` of the time until the next order, given that there is one.

        It has no closed inverse: Newton's method on the logarithm of time, from the wait without leaving.
        """
        r, alpha, s, beta = self._values()
        now = (r + x) * np.log(alpha + T) + s * np.log(beta + T)
        left = now + _log_left(x, T, r, alpha, s, beta)
        target = share * -np.expm1(np.minimum(left, 0.0))
        log_wait = np.log((alpha + T) * np.expm1(-np.log1p(-target) / (r + x)))
        for _ in range(8):
            wait = np.exp(log_wait)
            density = (r + x) / (alpha + T) * np.exp(
                -(r + x + 1.0) * np.log1p(wait / (alpha + T)) - s * np.log1p(wait / (beta + T))
            )  # fmt: skip
            short = target - (1.0 - _silent_until(now, left, x, T + wait, r, alpha, s, beta))
            step = np.minimum(np.maximum(short / np.maximum(density * wait, 1e-300), -1.0), 1.0)
            log_wait = log_wait + step
            if np.abs(step).max(initial=0.0) < 1e-5:  # the error after it is of its square
                break
        waited: FloatArray = np.exp(log_wait)
        return waited

    def mean_wait_if_alive(self, x: FloatArray, T: FloatArray) -> FloatArray:
        """Return the mean time until the next order, given that there is one, integrated over its density."""
        r, alpha, s, beta = self._values()
        decay = r + x + s - 1.0
        reach = np.minimum(45.0 / np.maximum(decay, 1e-2) + np.log1p(abs(beta - alpha) / (alpha + T)), 300.0)
        nodes, shares = unit_rule(128)
        v = reach[:, None] * nodes
        wait = (alpha + T)[:, None] * np.expm1(v)
        density = np.exp(-(r + x)[:, None] * v - s * np.log1p(wait / (beta + T)[:, None]))
        moment = (density * wait) @ shares / (density @ shares)
        mean: FloatArray = np.where(decay > 0.0, moment, np.inf)
        return mean

    def discounted_orders_for_ever(
        self, x: FloatArray, t_x: FloatArray, T: FloatArray, rate: float
    ) -> FloatArray:
        """Return all orders still to come, each worth ``exp(-rate * time until it)``: DERT.

        Fader, Hardie and Lee (2005), "RFM and CLV", equation 5: with z = rate (beta + T) the integral of
        exp(-rate u) ((beta+T)/(beta+T+u))^s over all u is (beta + T) times Tricomi's U(1, 2 - s, z).

        Examples
        --------
        >>> model = ParetoNBD.of(r=0.5629966, alpha=12.559037, s=0.4081095, beta=10.5148048)
        >>> x, t_x, T = np.array([[7.0], [35.0], [77.86]])
        >>> print(model.discounted_orders_for_ever(x, t_x, T, 0.0027).round(6))
        [1.864183]
        """
        r, alpha, s, beta = self._values()
        if_alive = (r + x) * (beta + T) / (alpha + T) * _tail(s, rate * (beta + T))
        expected: FloatArray = self.alive(x, t_x, T) * if_alive
        return expected


def _silent_until(
    now: FloatArray,
    left: FloatArray,
    x: FloatArray,
    until: FloatArray,
    r: float,
    alpha: float,
    s: float,
    beta: float,
) -> FloatArray:
    """Return the chance of no order up to an age: left for ever before one, or the next one comes later."""
    later = now + _log_ordering(x, until, r, alpha, s, beta)
    silent: FloatArray = np.exp(np.minimum(np.logaddexp(left, later), 0.0))
    return silent


def _tail(s: float, z: FloatArray) -> FloatArray:
    """Return U(1, 2 - s, z), the integral of exp(-z v) (1 + v)^-s over v from 0 to infinity."""
    # With v = exp(y) - 1 in pieces: the integrand falls off doubly exponentially beyond v = 40 / z.
    reach = np.log1p(40.0 / z)
    nodes, shares = unit_rule(64)
    y = reach[..., None] * nodes
    v = np.expm1(y)
    tail: FloatArray = (np.exp((1.0 - s) * y - z[..., None] * v) @ shares) * reach
    return tail


def _score(rows: Histories) -> Score:
    """Return log-likelihood and gradient as a function of log(r, alpha, s, beta).

    The integral over the moment of leaving and its derivatives share one Gauss-Legendre rule on the
    logarithm of time, cut where the integrand is negligible, so value and slope agree exactly.
    """
    counts, times = repeated(rows.frequency, rows.weight)
    total = float(rows.weight.sum())
    pieces = [
        rows.take(np.arange(i, min(i + _ROWS_AT_ONCE, len(rows)))) for i in range(0, len(rows), _ROWS_AT_ONCE)
    ]

    def value_and_slope(theta: FloatArray) -> tuple[float, FloatArray]:
        r, alpha, s, beta = np.exp(theta)
        value = float(times @ (special.gammaln(r + counts) - special.gammaln(r)))
        value += total * (r * theta[1] + s * theta[3])
        by_r = float(times @ (special.digamma(r + counts) - special.digamma(r))) + total * theta[1]
        slope = np.array([by_r, total * r / alpha, total * theta[3], total * s / beta])
        for piece in pieces:
            more, steeper = _piece(piece, r, alpha, s, beta)
            value += more
            slope += steeper
        return value, slope * np.array([r, alpha, s, beta])

    return value_and_slope


def _piece(rows: Histories, r: float, alpha: float, s: float, beta: float) -> tuple[float, FloatArray]:
    """Return the sum of log(alive + dead) and its derivatives by r, alpha, s, beta."""
    x, t_x, T, weight = rows.frequency, rows.recency, rows.age, rows.weight
    p, q = r + x, s + 1.0
    near, far, swapped = (alpha, beta, False) if alpha <= beta else (beta, alpha, True)
    start = near + t_x
    lead = p * (start / (alpha + t_x)) + q * (start / (beta + t_x)) - 1.0
    reach = np.minimum(np.log1p((T - t_x) / start), _NEGLIGIBLE / np.maximum(lead, 1e-3))
    y = reach[:, None] * _NODES
    log_near = np.log(start)[:, None] + y
    log_far = np.log(np.exp(log_near) + (far - near))
    log_a, log_b = (log_far, log_near) if swapped else (log_near, log_far)
    log_AT, log_BT = np.log(alpha + T), np.log(beta + T)
    log_stay = -p * log_AT - s * log_BT
    density = log_near - p[:, None] * log_a - q * log_b - log_stay[:, None]
    top = np.maximum(density[:, 0], 0.0)
    mass = np.exp(density - top[:, None]) * _SHARES
    scale = s * reach
    alive = np.exp(-top)
    dead = scale * mass.sum(axis=1)
    odds = weight / (alive + dead)
    lost = odds * scale
    kept = odds * alive
    value = float(weight @ (log_stay + top + np.log(alive + dead)))
    inverse_a, inverse_b = np.exp(-log_a), np.exp(-log_b)
    by_r = -(kept @ log_AT) - lost @ np.einsum("ij,ij->i", mass, log_a)
    by_alpha = -(kept @ (p / (alpha + T))) - lost @ (p * np.einsum("ij,ij->i", mass, inverse_a))
    by_s = -(kept @ log_BT) - lost @ np.einsum("ij,ij->i", mass, log_b) + float(odds @ dead) / s
    by_beta = -s * (kept @ (1.0 / (beta + T))) - q * (lost @ np.einsum("ij,ij->i", mass, inverse_b))
    return value, np.array([by_r, by_alpha, by_s, by_beta])
