"""Customers drawn from a known model, with what they did next: the truth an interval has to cover."""

from __future__ import annotations

import numpy as np
import pandas as pd

RATE, SPEND = (0.8, 40.0), (6.0, 4.0, 15.0)
LEAVE = {"bgnbd": (0.8, 2.5), "mbgnbd": (0.8, 2.5), "paretonbd": (0.7, 150.0)}


def customers(kind: str, count: int, seed: int, horizon_days: float = 365.0) -> pd.DataFrame:
    """Draw customers of 100 to 700 days of age: their summary, and what they do in the days after it."""
    rng = np.random.default_rng(seed)
    p, q, gamma = SPEND
    rows = []
    for age in rng.uniform(100, 700, count).round():
        days = np.array(_order_days(kind, rng, age + horizon_days))
        amounts = rng.gamma(p, 1.0, days.size) / rng.gamma(q, 1 / gamma)
        seen = days <= age
        x = int(seen.sum())
        spent = float(amounts[seen].mean()) if x else 0.0
        last = float(days[seen][-1]) if x else 0.0
        rows.append((x, last, age, spent, float((~seen).sum()), float(amounts[~seen].sum())))
    names = ["frequency", "recency_days", "age_days", "monetary_value", "orders", "value"]
    return pd.DataFrame(rows, columns=names)


def _order_days(kind: str, rng: np.random.Generator, end: float) -> list[float]:
    rate = rng.gamma(RATE[0], 1 / RATE[1])
    first, second = LEAVE[kind]
    life = rng.exponential() / rng.gamma(first, 1 / second) if kind == "paretonbd" else np.inf
    chance = 0.0 if kind == "paretonbd" else rng.beta(first, second)
    t, days = 0.0, []
    if kind == "mbgnbd" and rng.random() < chance:
        return days
    while True:
        t += rng.exponential(1 / rate)
        if t > min(end, life):
            return days
        days.append(t)
        if rng.random() < chance:
            return days


def inside(actual: np.ndarray, draws: np.ndarray, level: float, seed: int) -> float:
    """Return the share of customers whose outcome lies inside the interval of their draws.

    Orders are whole, so an outcome is spread evenly over its step of the distribution first (the randomised
    probability integral transform of Czado, Gneiting and Held, 2009): then 80 % means 80 %.
    """
    below, same = (draws < actual).mean(axis=0), (draws == actual).mean(axis=0)
    place = below + np.random.default_rng(seed).random(actual.size) * same
    return float(((place >= (1 - level) / 2) & (place <= (1 + level) / 2)).mean())


def sums_inside(
    actual: np.ndarray, draws: np.ndarray, level: float, size: int, seed: int, rounds: int = 8
) -> float:
    """Return the share of groups of ``size`` customers whose sum lies inside the interval of its draws.

    Customers are grouped at random several times over: one grouping of 20,000 into tens alone is 0.9
    points uncertain.
    """
    rng = np.random.default_rng(seed)
    shares = []
    for _ in range(rounds):
        groups = rng.permutation(actual.size)[: actual.size - actual.size % size].reshape(-1, size)
        shares.append(inside(actual[groups].sum(axis=1), draws[:, groups].sum(axis=2), level, seed))
    return float(np.mean(shares))
