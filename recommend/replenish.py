"""When an item is due again: who re-buys it at all, at what rate, and how the chance moves with time.

Gate and rate follow Bhagat et al., "Buy It Again" (KDD 2018): an item is worth repeating if enough of its
buyers came back for it, and a customer's own rate is shrunk towards the item's by a Gamma prior on Poisson
purchases.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from recommend.baskets import Baskets, Flags, Floats, Ints
from recommend.habits import Habits

GATE = 0.1
EARLIEST = 0.5
EDGES_DAYS = (0, 1, 2, 4, 7, 10, 14, 21, 28, 42, 60, 90, 180)
_PSEUDO_BUYERS = 5.0
_PSEUDO_VISITS = 50.0


@dataclass(frozen=True, slots=True)
class Replenishment:
    """Rhythm of each item; arrays have one entry per item unless they say otherwise.

    Parameters
    ----------
    rebuy_share
        Share of its buyers who bought it in at least two baskets, shrunk towards the average item.
    gap_days
        Mean days between two purchases by the same customer, shrunk likewise.
    gap_spread
        Standard deviation of those days over their mean.
    rate_shape, rate_days
        Gamma prior of a buyer's repeat rate per day: its shape, and the days of evidence it is worth.
    due
        Shape (items, bins): chance that a buyer's visit includes it, by days since the buyer last bought it;
        bins end at ``EDGES_DAYS``, the last is open.
    """

    rebuy_share: Floats
    gap_days: Floats
    gap_spread: Floats
    rate_shape: Floats
    rate_days: Floats
    due: Floats

    @classmethod
    def of(cls, baskets: Baskets, habits: Habits, moments: Ints, n_items: int) -> Replenishment:
        """Estimate from visible baskets and the habits they make."""

        def per_item(values: Floats) -> Floats:
            return np.bincount(habits.items, weights=values, minlength=n_items).astype(np.float64)

        buyers = per_item(np.ones(len(habits.items)))
        repeats = (habits.counts - 1).astype(np.float64)
        exposure = np.maximum(moments[habits.customers] - habits.first_days, 1).astype(np.float64)
        span = (habits.last_days - habits.first_days).astype(np.float64)
        shape, days = _gamma_prior(per_item, buyers, repeats, exposure)
        gaps = _shrunk(per_item(repeats), per_item(span))
        squares = _shrunk(per_item(repeats), per_item(habits.gap_squares))
        return cls(
            rebuy_share=_shrunk(buyers, per_item((repeats > 0).astype(np.float64))),
            gap_days=gaps,
            gap_spread=np.sqrt(np.maximum(squares - gaps**2, 0.0)) / np.maximum(gaps, 1e-9),
            rate_shape=shape,
            rate_days=days,
            due=_due(baskets, n_items),
        )

    @classmethod
    def none(cls) -> Replenishment:
        """Return the rhythm of no items."""
        no = np.zeros(0)
        return cls(no, no, no, no, no, np.zeros((0, len(EDGES_DAYS) + 1)))

    def chance(self, items: Ints, days_since: Floats) -> Floats:
        """Return the chance that a visit includes each item, by days since it was last bought."""
        chances: Floats = self.due[items, np.searchsorted(EDGES_DAYS, days_since, side="left")]
        return chances

    def rate(self, items: Ints, repeats: Floats, known_days: Floats) -> Floats:
        """Return a customer's expected purchases per day, given repeats in the days since the first."""
        return np.asarray((repeats + self.rate_shape[items]) / (known_days + self.rate_days[items]))

    def score(self, items: Ints, repeats: Floats, known_days: Floats, days_since: Floats) -> Floats:
        """Return how much each item is due: 0 below the gate, else own rate times how ripe the moment is."""
        usual = np.maximum(self.chance(items, self.gap_days[items]), 1e-9)
        ripe = self.chance(items, days_since) / usual
        return np.where(self.rebuy_share[items] >= GATE, self.rate(items, repeats, known_days) * ripe, 0.0)


def usual_gap(repeats: Floats, span_days: Floats, item_gap_days: Floats) -> Floats:
    """Return the days between two purchases expected of a customer: their own, helped by two of the item's.

    Parameters
    ----------
    repeats, span_days
        Shape (pairs): purchases after the first, and the days from the first to the last.
    item_gap_days
        Shape (pairs): what is usual among all who buy the item.

    Examples
    --------
    >>> usual_gap(np.array([0.0, 4.0]), np.array([0.0, 696.0]), np.array([60.0, 60.0])).tolist()
    [60.0, 136.0]
    """
    return np.asarray((span_days + 2 * item_gap_days) / (repeats + 2))


def too_early(usual_days: Floats, days_since: Floats, horizon_days: int) -> Flags:
    """Return where it is too early to ask again.

    Less than half the usual gap has passed, and what is left of it is longer than the period looked ahead.

    Parameters
    ----------
    usual_days, days_since
        Shape (pairs): days expected between two purchases, and days since the last one.
    horizon_days
        The period looked ahead.

    Examples
    --------
    >>> too_early(np.array([174.0, 174.0, 7.0]), np.array([9.0, 150.0, 1.0]), 28).tolist()
    [True, False, False]
    """
    return np.asarray((days_since < EARLIEST * usual_days) & (usual_days - days_since > horizon_days))


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


def _due(baskets: Baskets, n_items: int) -> Floats:
    """Return purchases over visits by item and days since the last; thin cells lean on all items."""
    bins = len(EDGES_DAYS) + 1
    line_basket = baskets.line_baskets()
    customer = baskets.basket_customers()
    order = np.argsort(customer[line_basket] * n_items + baskets.items, kind="stable")
    owner, item, basket = customer[line_basket][order], baskets.items[order], line_basket[order]
    same = np.zeros(len(order), dtype=bool)
    same[:-1] = (owner[1:] == owner[:-1]) & (item[1:] == item[:-1])
    following = np.where(same, np.roll(basket, -1), baskets.starts[1:][owner] - 1)
    # visits after this purchase, up to the next one or the end, count in the bin of their days since
    base = int(baskets.days.max(initial=0)) + EDGES_DAYS[-1] + 2
    keys = customer * base + baskets.days
    visits = np.zeros((n_items, bins))
    reached = basket
    for b in range(bins):
        if b < len(EDGES_DAYS):
            ends = (
                np.searchsorted(keys, owner * base + baskets.days[basket] + EDGES_DAYS[b], side="right") - 1
            )
            ends = np.clip(ends, reached, following)
        else:
            ends = following
        visits[:, b] = np.bincount(item, weights=(ends - reached).astype(np.float64), minlength=n_items)
        reached = ends
    gap = baskets.days[following[same]] - baskets.days[basket[same]]
    bought = np.bincount(
        item[same] * bins + np.searchsorted(EDGES_DAYS, gap, side="left"), minlength=n_items * bins
    )
    bought_by_bin = bought.reshape(n_items, bins).astype(np.float64)
    pooled = (bought_by_bin.sum(0) + 1.0) / (visits.sum(0) + 20.0)
    expected = visits @ pooled
    level = (bought_by_bin.sum(1) + 1.0) / (expected + 1.0)
    lean = pooled[None, :] * level[:, None]
    return np.asarray(np.minimum((bought_by_bin + _PSEUDO_VISITS * lean) / (visits + _PSEUDO_VISITS), 1.0))
