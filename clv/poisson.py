"""Purchase models in which orders are Poisson while the customer lives.

For all of them, what a living customer will do depends on frequency and age only, not on recency:
expectations are computed once a distinct pair and multiplied by each customer's probability of being
alive.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import numpy as np

from clv.histories import FloatArray, groups
from clv.process import PurchaseProcess
from clv.quadrature import unit_rule

__all__ = ["PoissonPurchases"]

_COARSE, _FINE = unit_rule(16), unit_rule(48)


class PoissonPurchases(PurchaseProcess):
    """A purchase model with gamma distributed Poisson rates ``r``, ``alpha`` and some way of leaving."""

    # -- formulas a model must give, on arrays of equal shape -------------------------------------------
    @abstractmethod
    def _orders_if_alive(self, x: FloatArray, T: FloatArray, horizon: float) -> FloatArray:
        """Return the orders to expect in the horizon from a customer known to be alive."""

    @abstractmethod
    def _rate_if_alive(self, x: FloatArray, T: FloatArray, ahead: FloatArray) -> FloatArray:
        """Return the expected orders per unit of time at a time ahead, from a customer alive now."""

    def _pace(self, T: FloatArray) -> FloatArray:
        """Return the time over which the order rate changes appreciably: where quadrature puts its nodes."""
        return self.parameters_["alpha"] + T

    # -- answering --------------------------------------------------------------------------------------
    def orders(
        self, x: FloatArray, t_x: FloatArray, T: FloatArray, horizon: float, alive: FloatArray | None = None
    ) -> FloatArray:
        """Return expected orders in the horizon, shape (n,); ``alive`` where it is known already."""
        first, member = _same(x, T)
        if_alive = self._orders_if_alive(x[first], T[first], horizon)[member]
        expected: FloatArray = (self.alive(x, t_x, T) if alive is None else alive) * if_alive
        return expected

    def discounted_orders(
        self,
        x: FloatArray,
        t_x: FloatArray,
        T: FloatArray,
        horizon: float,
        rate: float,
        alive: FloatArray | None = None,
    ) -> FloatArray:
        """Return expected orders in the horizon, each worth ``exp(-rate * time until it)``."""
        if rate == 0.0:
            return self.orders(x, t_x, T, horizon, alive)
        first, member = _same(x, T)
        if_alive = self._discounted_if_alive(x[first], T[first], horizon, rate)[member]
        expected: FloatArray = (self.alive(x, t_x, T) if alive is None else alive) * if_alive
        return expected

    def _discounted_if_alive(self, x: FloatArray, T: FloatArray, horizon: float, rate: float) -> FloatArray:
        scale = self._pace(T)
        reach = np.log1p(horizon / scale)
        nodes, shares = _COARSE if reach.max(initial=0.0) < 4.0 else _FINE
        v = reach[:, None] * nodes
        ahead = scale[:, None] * np.expm1(v)
        orders = self._rate_if_alive(x[:, None], T[:, None], ahead) * np.exp(v - rate * ahead)
        total: FloatArray = (orders @ shares) * reach * scale
        return total

    def wait_if_alive(self, x: FloatArray, t_x: FloatArray, T: FloatArray, share: float) -> FloatArray:
        """Return the quantile ``share`` of the time until the next order, which is Lomax distributed."""
        parameters = self.parameters_
        wait: FloatArray = (parameters["alpha"] + T) * np.expm1(-np.log1p(-share) / (parameters["r"] + x))
        return wait

    def mean_wait_if_alive(self, x: FloatArray, T: FloatArray) -> FloatArray:
        """Return the mean time until the next order, given that there is one; infinite without a mean."""
        shape = self.parameters_["r"] + x
        mean: FloatArray = np.where(
            shape > 1.0, (self.parameters_["alpha"] + T) / np.where(shape > 1.0, shape - 1.0, 1.0), np.inf
        )
        return mean


def _same(*keys: FloatArray) -> tuple[Any, Any]:
    """Group equal customers when there are enough of them for it to pay."""
    if keys[0].size < 64:
        return slice(None), slice(None)
    return groups(*keys)
