"""Gauss' hypergeometric function where the library's own gives up.

SciPy returns nan for a large third parameter and an argument near 1, and loses digits silently where the
second and third are large and nearly equal. There the defining series, or Euler's integral, is exact.
"""

from __future__ import annotations

import numpy as np
from scipy import special

from clv.histories import FloatArray
from clv.quadrature import unit_rule

__all__ = ["beta_average", "hyp2f1", "hyp2f1_of_one"]

_TERMS = 400
_NODES, _SHARES = unit_rule(128)
_PANELS = 8


def hyp2f1(a: FloatArray | float, b: FloatArray | float, c: FloatArray | float, z: FloatArray) -> FloatArray:
    """Return 2F1(a, b; c; z) for 0 <= z < 1, or nan where neither the library nor the series can.

    Examples
    --------
    >>> print(hyp2f1(5.3, 7.0, 3007.3, np.array([0.9945])).round(6))
    [1.012372]
    """
    value: FloatArray = np.asarray(special.hyp2f1(a, b, c, z), dtype=np.float64)
    lost = ~np.isfinite(value)
    if lost.any():
        parts = (np.broadcast_to(part, value.shape)[lost] for part in (a, b, c, z))
        value[lost] = _series(*parts)
    return value


def _series(a: FloatArray, b: FloatArray, c: FloatArray, z: FloatArray) -> FloatArray:
    term = np.ones_like(z)
    total = np.ones_like(z)
    for n in range(_TERMS):
        term = term * (a + n) * (b + n) / ((c + n) * (n + 1.0)) * z
        total = total + term
        if np.abs(term).max() <= 1e-17 * np.abs(total).min():
            break
    return np.where(np.abs(term) <= 1e-15 * np.abs(total), total, np.nan)


def beta_average(
    a: FloatArray | float, b: FloatArray | float, power: FloatArray, zeta: FloatArray
) -> FloatArray:
    """Return E[(1 + p zeta)^-power] over p ~ beta(a, b): 2F1(power, a; a + b; -zeta).

    By Pfaff's transformation it is (1-y)^a 2F1(a, a+b-power; a+b; y) at y = zeta / (1 + zeta). Where that is
    out of reach it is integrated by parts over log p, where nothing is singular.

    Examples
    --------
    >>> print(beta_average(1.0, 1.0, np.array([1.0]), np.array([1.0])).round(6))  # log 2
    [0.693147]
    """
    y = zeta / (1.0 + zeta)
    c = a + b
    value: FloatArray = np.exp(-a * np.log1p(zeta)) * hyp2f1(a, c - power, c, y)
    lost = ~np.isfinite(value)
    if lost.any():
        parts = (np.broadcast_to(part, value.shape)[lost] for part in (a, b, power, zeta))
        value[lost] = _by_parts(*parts)
    return value


def _by_parts(a: FloatArray, b: FloatArray, power: FloatArray, zeta: FloatArray) -> FloatArray:
    """Return (1+zeta)^-power + int power zeta p (1 + zeta p)^(-power-1) P(beta < p) d log p."""
    depth = 40.0 + np.log1p(power * zeta)
    total: FloatArray = np.exp(-power * np.log1p(zeta))
    for panel in range(_PANELS):
        log_p = -depth[:, None] * (panel + _NODES) / _PANELS
        p = np.exp(log_p)
        exponent = (
            np.log(power * zeta)[:, None] + log_p - (power[:, None] + 1.0) * np.log1p(zeta[:, None] * p)
        )
        below = special.betainc(a[:, None], b[:, None], p)
        total = total + ((np.exp(exponent) * below) @ _SHARES) * depth / _PANELS
    return total


def hyp2f1_of_one(b: FloatArray | float, c: FloatArray | float, z: FloatArray) -> FloatArray:
    """Return 2F1(1, b; c; z) for 0 <= z < 1 and 0 < b < c.

    Examples
    --------
    >>> print(hyp2f1_of_one(1.0, 2.0, np.array([0.5])).round(6))  # -log(1 - z) / z
    [1.386294]
    """
    value: FloatArray = np.asarray(special.hyp2f1(1.0, b, c, z), dtype=np.float64)
    delicate = ~np.isfinite(value) | ((b > 20.0) & (z > 0.9))
    if delicate.any():
        parts = (np.broadcast_to(part, value.shape)[delicate] for part in (b, c, z))
        value[delicate] = _integral(*parts)
    return value


def _integral(b: FloatArray, c: FloatArray, z: FloatArray) -> FloatArray:
    """Return Euler's integral (c-1) int exp(-(c-1) y) (1 - z + z exp(-y))^-b dy, cut where negligible."""
    bend = np.log(np.maximum(z / (1.0 - z), 1.0))
    reach = bend + (40.0 + bend) / (c - 1.0 - b / 2.0)
    slope = c - 1.0 - b * z
    reach = np.where(slope > 0.0, np.minimum(reach, 40.0 / np.maximum(slope, 1e-3)), reach)
    y = reach[:, None] * _NODES
    exponent = -(c - 1.0)[:, None] * y - b[:, None] * np.log1p(z[:, None] * np.expm1(-y))
    total: FloatArray = (c - 1.0) * reach * (np.exp(exponent) @ _SHARES)
    return total
