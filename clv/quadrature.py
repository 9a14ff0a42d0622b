"""Gauss-Legendre rules on the unit interval, for the few integrals that have no closed form."""

from __future__ import annotations

from scipy import special

from clv.histories import FloatArray

__all__ = ["unit_rule"]


def unit_rule(size: int) -> tuple[FloatArray, FloatArray]:
    """Return nodes and weights that integrate polynomials up to degree ``2 size - 1`` over (0, 1) exactly.

    Examples
    --------
    >>> nodes, weights = unit_rule(4)
    >>> print(round(float(weights @ nodes**7), 12))
    0.125
    """
    nodes, weights = special.roots_legendre(size)
    return (nodes + 1.0) / 2.0, weights / 2.0
