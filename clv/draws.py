"""Possible futures of one customer: draws of the orders and the spend that the fitted models allow.

An individual draw takes the customer's own unknown rate, chance to leave and spend level from their
posterior and then lets the horizon happen; all exact, vectorised over customers.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from clv.bgbb import BGBB
from clv.bgnbd import BGNBD
from clv.cnbd import MBGCNBD
from clv.errors import SettingError
from clv.histories import FloatArray
from clv.mbgnbd import MBGNBD
from clv.nbd import NBD
from clv.paretonbd import ParetoNBD
from clv.process import PurchaseProcess
from clv.spend import GammaGamma

__all__ = ["draw_model", "draw_orders", "draw_spend", "draw_spend_model"]


def draw_model(model: PurchaseProcess, rng: np.random.Generator) -> PurchaseProcess:
    """Return the model with parameters drawn from their uncertainty: normal on the log scale."""
    names = [name for name in model.names if model.parameters_[name] > 0.0]
    keep = [model.names.index(name) for name in names]
    covariance = model.covariance_[np.ix_(keep, keep)]
    logs = rng.multivariate_normal(
        np.log([model.parameters_[name] for name in names]), covariance, method="eigh", check_valid="ignore"
    )
    drawn = {**model.parameters_, **dict(zip(names, np.exp(logs).tolist(), strict=True))}
    return type(model).of(**drawn)


def draw_spend_model(model: GammaGamma, rng: np.random.Generator) -> GammaGamma:
    """Return the spend model with parameters drawn from their uncertainty."""
    names = list(model.names)
    if model.parameters_["gamma"] <= 0.0:
        return model
    logs = rng.multivariate_normal(
        np.log([model.parameters_[name] for name in names]),
        model.covariance_,
        method="eigh",
        check_valid="ignore",
    )
    drawn = GammaGamma(prior=model.prior)
    drawn.parameters_ = dict(zip(names, np.exp(logs).tolist(), strict=True))
    drawn.mean_ = model.mean_
    return drawn


def draw_orders(
    model: PurchaseProcess,
    rng: np.random.Generator,
    x: FloatArray,
    t_x: FloatArray,
    T: FloatArray,
    horizon: float,
) -> FloatArray:
    """Return one possible number of orders in the horizon of each customer, shape (n,).

    Raises
    ------
    SettingError
        When the kind of model has no way to be drawn from.
    """
    alive = rng.random(x.size) < model.alive(x, t_x, T)
    p = model.parameters_
    taken: npt.NDArray[Any]
    if isinstance(model, BGBB):
        taken = _occasions(p, rng, x, T, int(horizon))
    elif isinstance(model, MBGCNBD):
        taken = _ticks(model, rng, x, t_x, T, horizon)
    elif isinstance(model, ParetoNBD):
        rate = rng.gamma(p["r"] + x) / (p["alpha"] + T)
        taken = rng.poisson(rate * np.minimum(horizon, _lifetimes(p["s"], p["beta"], rng, T)))
    elif isinstance(model, BGNBD):
        rate = rng.gamma(p["r"] + x) / (p["alpha"] + T)
        stays = x + 1.0 if isinstance(model, MBGNBD) else x
        taken = np.minimum(rng.poisson(rate * horizon), _stays(p["a"], p["b"] + stays, rng))
    elif isinstance(model, NBD):
        taken = rng.poisson(rng.gamma(p["r"] + x) / (p["alpha"] + T) * horizon)
    else:
        raise SettingError("This model cannot be drawn from.", where=model.kind)
    orders: FloatArray = np.where(alive, taken, 0).astype(np.float64)
    return orders


def _stays(a: float, b: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Return how many more orders each customer makes before leaving."""
    if a <= 0.0:
        return np.full(b.size, np.inf)
    chance = rng.beta(a, b)
    until: FloatArray = np.ceil(
        np.log1p(-rng.random(b.size)) / np.log1p(-np.clip(chance, 1e-300, 1.0 - 1e-16))
    )
    return until


def _lifetimes(s: float, beta: float, rng: np.random.Generator, T: FloatArray) -> FloatArray:
    """Return how long each living customer stays on."""
    if s <= 0.0:
        return np.full(T.size, np.inf)
    life: FloatArray = rng.exponential(size=T.size) / np.maximum(
        rng.gamma(s, size=T.size) / (beta + T), 1e-300
    )
    return life


def _ticks(
    model: MBGCNBD, rng: np.random.Generator, x: FloatArray, t_x: FloatArray, T: FloatArray, horizon: float
) -> FloatArray:
    p, k = model.parameters_, int(model.parameters_["k"])
    chance, shape, stayed = model._phases(x, t_x, T)
    phase = (rng.random(x.size)[:, None] > np.cumsum(chance, axis=1)).sum(axis=1).clip(0, k - 1)
    rate = rng.gamma(shape[np.arange(x.size), phase]) / (p["alpha"] + T)
    orders = (phase + rng.poisson(rate * horizon)) // k
    taken: FloatArray = np.minimum(orders, _stays(p["a"], stayed, rng))
    return taken


def _occasions(
    p: dict[str, float], rng: np.random.Generator, x: FloatArray, n: FloatArray, horizon: int
) -> FloatArray:
    takes = rng.beta(p["alpha"] + x, p["beta"] + n - x)
    there = np.minimum(_stays(p["gamma"], p["delta"] + n + 1.0, rng), float(horizon))
    return rng.binomial(there.astype(np.int64), takes).astype(np.float64)


def draw_spend(
    model: GammaGamma, rng: np.random.Generator, x: FloatArray, m: FloatArray, orders: FloatArray
) -> FloatArray:
    """Return one possible total spend on ``orders`` orders of each customer, shape (n,)."""
    p, q, gamma = (model.parameters_[name] for name in model.names)
    if gamma <= 0.0:
        return np.zeros_like(orders)
    level = rng.gamma(q + p * x) / (gamma + x * np.maximum(m, 0.0))
    spent = rng.gamma(np.maximum(p * orders, 1e-12)) / np.maximum(level, 1e-300)
    total: FloatArray = np.where(orders > 0, spent, 0.0)
    return total
