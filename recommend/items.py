"""What all customers show about each item: how popular it is, and how fast it is bought again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields

import numpy as np

from recommend.baskets import Baskets, Floats, Ints
from recommend.habits import Habits

_PSEUDO_BUYERS = 5.0
TREND_DAYS = 28


@dataclass(frozen=True, slots=True)
class Items:
    """Facts on items as of a day; every array has one entry per item.

    Parameters
    ----------
    buyers, orders
        Customers who ever bought it, and baskets that held it.
    rank
        Popularity by orders, 0 the most popular; equal counts in the order of the vocabulary.
    order_share
        Share of all baskets that held it.
    reach
        Share of customers who bought it in the last ``TREND_DAYS`` days.
    trend
        Its share of the baskets of the last ``TREND_DAYS`` days over its share of all baskets.
    rebuy_share
        Share of its buyers who bought it on at least two occasions, shrunk towards the average item.
    gap_days
        Mean days between two purchases by the same customer, shrunk towards the average item.
    gap_spread
        Standard deviation of those days over their mean.
    rate_shape, rate_days
        Gamma prior of a buyer's repeat rate per day: shape, and the days it weighs as much as.
    """

    buyers: Floats
    orders: Floats
    rank: Ints
    order_share: Floats
    reach: Floats
    trend: Floats
    rebuy_share: Floats
    gap_days: Floats
    gap_spread: Floats
    rate_shape: Floats
    rate_days: Floats

    @classmethod
    def of(cls, baskets: Baskets, habits: Habits, moments: Ints, n_items: int) -> Items:
        """Count and estimate from visible baskets and the habits they make."""

        def per_item(values: Floats | Ints) -> Floats:
            return np.bincount(habits.items, weights=values, minlength=n_items).astype(np.float64)

        buyers = np.bincount(habits.items, minlength=n_items).astype(np.float64)
        orders = np.bincount(baskets.items, minlength=n_items).astype(np.float64)
        rank = np.empty(n_items, dtype=np.int64)
        rank[np.argsort(-orders, kind="stable")] = np.arange(n_items)
        repeats = (habits.counts - 1).astype(np.float64)
        exposure = np.maximum(moments[habits.customers] - habits.first_days, 1).astype(np.float64)
        span = (habits.last_days - habits.first_days).astype(np.float64)
        shape, days = _gamma_prior(per_item, buyers, repeats, exposure)
        gaps = _shrunk(per_item(repeats), per_item(span))
        squares = _shrunk(per_item(repeats), per_item(habits.gap_squares))
        reach, trend = _trend(baskets, moments, orders, n_items)
        return cls(
            buyers=buyers,
            orders=orders,
            rank=rank,
            order_share=orders / max(len(baskets.days), 1),
            reach=reach,
            trend=trend,
            rebuy_share=_shrunk(buyers, per_item((repeats > 0).astype(np.float64))),
            gap_days=gaps,
            gap_spread=np.sqrt(np.maximum(squares - gaps**2, 0.0)) / np.maximum(gaps, 1e-9),
            rate_shape=shape,
            rate_days=days,
        )

    def arrays(self) -> dict[str, Floats | Ints]:
        """Return every fact by name."""
        return {f.name: getattr(self, f.name) for f in fields(self)}


def _shrunk(weights: Floats, sums: Floats) -> Floats:
    """Return sums / weights per item, each item helped by a few pseudo-observations of the average."""
    overall = sums.sum() / max(weights.sum(), 1.0)
    return np.asarray((sums + _PSEUDO_BUYERS * overall) / (weights + _PSEUDO_BUYERS))


def _gamma_prior(
    per_item: Callable[[Floats], Floats], buyers: Floats, repeats: Floats, exposure: Floats
) -> tuple[Floats, Floats]:
    """Match mean and variance of the repeat rate among an item's buyers (Poisson repeats, Gamma rates)."""
    share = _PSEUDO_BUYERS / max(buyers.sum(), 1.0)

    def total(values: Floats) -> Floats:
        sums: Floats = per_item(values)
        return np.asarray(sums + share * sums.sum())

    x, t, tt = total(repeats), total(exposure), total(exposure**2)
    rate = np.maximum(x, 1e-6) / np.maximum(t, 1.0)
    noise = total(repeats**2) - 2 * rate * total(repeats * exposure) + rate**2 * tt
    variance = np.maximum((noise - x) / np.maximum(tt, 1.0), (0.2 * rate) ** 2)
    return rate**2 / variance, rate / variance


def _trend(baskets: Baskets, moments: Ints, orders: Floats, n_items: int) -> tuple[Floats, Floats]:
    """Return the share of customers reached lately, and the recent basket share over the overall one."""
    until = int(moments.max()) if len(moments) else 0
    recent = baskets.between(until - TREND_DAYS, until)
    keys = recent.pair_keys(n_items)
    reach = np.bincount(keys % n_items, minlength=n_items) / max(baskets.n_customers, 1)
    recent_orders = np.bincount(recent.items, minlength=n_items)
    prior = 20.0 * orders / max(len(baskets.days), 1)
    recent_share = (recent_orders + prior) / (len(recent.days) + 20.0)
    share = orders / max(len(baskets.days), 1)
    return reach, np.where(orders > 0, recent_share / np.maximum(share, 1e-12), 1.0)
