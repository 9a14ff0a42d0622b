"""Likelihood, P(alive) and expectations agree with 60-digit arithmetic where double precision usually breaks.

The textbook formulas are evaluated with mpmath; ours must be finite and within 1e-9 of them, relatively,
for thousands of orders, last orders on the last day, parameters far apart, and at the points where the
formulas divide 0 by 0.
"""

from __future__ import annotations

import itertools

import mpmath
import numpy as np
import pytest

from clv import betageometric as bg
from clv import paretonbd as pareto

TIMES = [
    (1.0, 1.0),
    (1.0, 10.0),
    (300.0, 300.0),
    (200.0, 365.0),
    (9.0, 3650.0),
    (11000.0, 11000.0),
    (7000.0, 11000.0),
]
HISTORIES = [(x, t_x, T) for x in (1.0, 2.0, 30.0, 300.0, 3000.0) for t_x, T in TIMES]
HISTORIES += [(0.0, 0.0, T) for T in (0.0, 1.0, 365.0, 11000.0)]
HORIZONS = (1.0, 365.0, 3650.0)

# r, alpha, a, b: CDNOW; a + b < 1 (which returns nan elsewhere); a near and at 1; a + b near and at 1;
# no dropout to speak of; everybody leaves; many orders in general.
BETA_GEOMETRIC = [
    (0.243, 30.9, 0.793, 2.426),
    (0.11, 2.24, 0.31, 0.5),
    (0.5, 10.0, 1.0, 2.0),
    (0.5, 10.0, 1.0 + 1e-9, 2.0),
    (0.5, 10.0, 1.0 - 1e-6, 2.0),
    (0.5, 10.0, 1.001, 2.0),
    (0.7, 5.0, 0.4, 0.6),
    (0.7, 5.0, 0.4, 0.6 + 1e-7),
    (2.0, 100.0, 1e-6, 50.0),
    (2.0, 1.0, 8.0, 0.3),
    (12.0, 400.0, 0.2, 3.0),
]
# r, alpha, s, beta: CDNOW; s near and at 1; beta far above alpha and far below; hardly any leaving;
# equal scales.
PARETO = [
    (0.553, 74.0, 0.606, 81.7),
    (0.5, 10.0, 1.0, 20.0),
    (0.5, 10.0, 1.0 + 1e-9, 20.0),
    (0.8, 5.0, 0.3, 50000.0),
    (1.5, 20000.0, 2.0, 3.0),
    (0.3, 2.0, 1e-6, 10.0),
    (3.0, 50.0, 4.0, 50.0),
]


def arrays(*rows):
    return tuple(np.array(column) for column in zip(*rows, strict=True))


@pytest.fixture(autouse=True)
def sixty_digits():
    with mpmath.workdps(60):
        yield


def assert_close(ours, exact, what):
    assert np.isfinite(ours).all(), what
    for got, wanted, row in zip(ours, exact, itertools.count(), strict=False):
        error = abs(mpmath.mpf(float(got)) - wanted)
        assert error < 1e-9 * abs(wanted) + 1e-12, (what, row, float(got), mpmath.nstr(wanted, 12))


def nudged(value):
    """The formulas are 0/0 exactly at 1: a point 1e-24 beside it has the same value to 20 digits."""
    return mpmath.mpf(value) + mpmath.mpf(10) ** -24


# -- BG/NBD and MBG/NBD, as printed ---------------------------------------------------------------------
def exact_alive(x, t_x, T, r, alpha, a, b, start):
    r, alpha, a, b = map(mpmath.mpf, (r, alpha, a, b))
    if start:
        return 1 / (1 + a / (b + x) * ((alpha + T) / (alpha + t_x)) ** (r + x))
    if x == 0:
        return mpmath.mpf(1)
    return 1 / (1 + a / (b + x - 1) * ((alpha + T) / (alpha + t_x)) ** (r + x))


def exact_likelihood(x, t_x, T, r, alpha, a, b, start):
    r, alpha, a, b = map(mpmath.mpf, (r, alpha, a, b))
    stays = x + 1 if start else x
    ratio = (
        mpmath.loggamma(a + b)
        + mpmath.loggamma(b + stays)
        - mpmath.loggamma(b)
        - mpmath.loggamma(a + b + stays)
    )
    lead = (
        mpmath.loggamma(r + x) - mpmath.loggamma(r) + r * mpmath.log(alpha) - (r + x) * mpmath.log(alpha + T)
    )
    return ratio + lead - mpmath.log(exact_alive(x, t_x, T, r, alpha, a, b, start))


def exact_orders_if_alive(x, T, t, r, alpha, a, b, start):
    r, alpha, a, b = mpmath.mpf(r), mpmath.mpf(alpha), nudged(a), mpmath.mpf(b) + mpmath.mpf(10) ** -23
    b = b + 1 if start else b
    c, z = a + b + x - 1, mpmath.mpf(t) / (alpha + T + t)
    kept = (1 - z) ** (r + x) * mpmath.hyp2f1(r + x, b + x, c, z)
    return c / (a - 1) * (1 - kept)


@pytest.mark.parametrize("start", [False, True], ids=["bgnbd", "mbgnbd"])
@pytest.mark.parametrize("parameters", BETA_GEOMETRIC, ids=str)
def test_likelihood_and_probability_alive_of_the_beta_geometric_models(parameters, start):
    x, t_x, T = arrays(*HISTORIES)
    alive = bg.probability_alive(x, t_x, T, *parameters, leave_at_start=start)
    assert np.isfinite(alive).all()
    for got, history in zip(alive, HISTORIES, strict=True):
        wanted = exact_alive(*history, *parameters, start)
        # Below 1e-300 a double has no digits left; the answer is then 0 or as good as.
        assert abs(got - wanted) <= 1e-9 * wanted + 1e-290
    ours = bg.log_likelihood(x, t_x, T, *parameters, leave_at_start=start)
    assert_close(ours, [exact_likelihood(*h, *parameters, start) for h in HISTORIES], "log-likelihood")


@pytest.mark.parametrize("start", [False, True], ids=["bgnbd", "mbgnbd"])
@pytest.mark.parametrize("parameters", BETA_GEOMETRIC, ids=str)
def test_expected_orders_of_the_beta_geometric_models(parameters, start):
    cases = sorted({(x, T) for x, _, T in HISTORIES})
    x, T = arrays(*cases)
    for t in HORIZONS:
        ours = bg.orders_if_alive(x, T, t, *parameters, leave_at_start=start)
        exact = [exact_orders_if_alive(*case, t, *parameters, start) for case in cases]
        assert_close(ours, exact, ("orders", t, cases))


# -- Pareto/NBD: the integral over the moment of leaving, by its all-positive closed form ---------------
def exact_pareto_sum(x, t_x, T, r, alpha, s, beta):
    r, alpha, s, beta = map(mpmath.mpf, (r, alpha, s, beta))
    w, m = r + s + x, max(alpha, beta)
    b, b_T = (s + 1, s) if alpha >= beta else (r + x, r + x + 1)

    def part(b, t):
        return mpmath.hyp2f1(w, b, w + 1, abs(alpha - beta) / (m + t)) / (m + t) ** w

    return s / w * part(b, t_x) + (r + x) / w * part(b_T, T)


@pytest.mark.parametrize("parameters", PARETO, ids=str)
def test_likelihood_and_probability_alive_of_the_pareto_nbd(parameters):
    r, alpha, s, beta = map(mpmath.mpf, parameters)
    x, t_x, T = arrays(*HISTORIES)
    sums = [exact_pareto_sum(*h, *parameters) for h in HISTORIES]
    likelihoods = [
        mpmath.loggamma(r + x)
        - mpmath.loggamma(r)
        + r * mpmath.log(alpha)
        + s * mpmath.log(beta)
        + mpmath.log(total)
        for (x, _, _), total in zip(HISTORIES, sums, strict=True)
    ]
    assert_close(pareto.log_likelihood(x, t_x, T, *parameters), likelihoods, "log-likelihood")
    alive = np.exp(pareto.log_alive(x, t_x, T, *parameters))
    assert np.isfinite(alive).all()
    for got, (x, _, T), total in zip(alive, HISTORIES, sums, strict=True):
        wanted = (alpha + T) ** -(r + x) * (beta + T) ** -s / total
        assert abs(got - wanted) <= 1e-9 * wanted + 1e-290, (x, T)


@pytest.mark.parametrize("parameters", PARETO, ids=str)
def test_expected_orders_of_the_pareto_nbd(parameters):
    r, alpha, s, beta = parameters
    x, _, T = arrays(*HISTORIES)
    model = pareto.ParetoNBD.of(r=r, alpha=alpha, s=s, beta=beta)
    for t in HORIZONS:
        ours = model._orders_if_alive(x, T, t)
        s_1 = nudged(s) - 1
        exact = []
        for n, age in zip(x, T, strict=True):
            left = (mpmath.mpf(beta) + age) / (mpmath.mpf(beta) + age + t)
            exact.append(
                (r + n) * (mpmath.mpf(beta) + age) / (mpmath.mpf(alpha) + age) / s_1 * (1 - left**s_1)
            )
        assert_close(ours, exact, ("orders", t))


def test_the_infinite_horizon_integral_holds_for_small_and_large_arguments():
    for s, z in itertools.product((1e-6, 0.4, 1.0, 2.5, 30.0), (1e-6, 1e-3, 0.2, 5.0, 300.0)):
        wanted = mpmath.hyperu(1, 2 - nudged(s), z)
        got = pareto._tail(s, np.array([z]))[0]
        assert abs(got / wanted - 1) < 1e-9, (s, z, got, float(wanted))
