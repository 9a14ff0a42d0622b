"""What each customer has bought before: how often, how recently and at what rhythm, per item."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recommend.baskets import Baskets, Floats, Ints, run_starts, side_by_side

DECAYS_PER_BASKET = (0.95, 0.8, 0.5)
HALF_LIVES_DAYS = (14.0, 60.0)
WINDOWS_BASKETS = (1, 3, 6, 12, 25)


@dataclass(frozen=True, slots=True)
class Habits:
    """Own-purchase statistics, rows sorted by (customer, item).

    Parameters
    ----------
    keys
        Shape (pairs): ``customer * n_items + item``, ascending.
    customers, items
        Shape (pairs): the two parts of the key.
    counts
        Baskets of the customer that held the item.
    first, last
        Place of the first and the latest of them in the customer's order, from 0.
    first_days, last_days
        Their days.
    gap_squares
        Sum of squared days between one purchase of the item and the next.
    last_gaps
        Days between the two latest purchases of the item; 0 after a single one.
    decayed
        Shape (pairs, decays): purchases weighted by decay ** baskets since, for ``DECAYS_PER_BASKET``.
    faded
        Shape (pairs, half-lives): purchases weighted by 0.5 ** (days since / half-life).
    recent
        Shape (pairs, windows): how many of the customer's latest 1, 3, 6, 12, 25 baskets held the item.
    same_weekday
        How many of the baskets that held it were on the weekday of the moment.
    basket_sizes
        Mean number of items in them.
    here
        How many of them were bought where the customer is at the moment; 0 where that is not known.
    """

    keys: Ints
    customers: Ints
    items: Ints
    counts: Ints
    first: Ints
    last: Ints
    first_days: Ints
    last_days: Ints
    gap_squares: Floats
    last_gaps: Ints
    decayed: Floats
    faded: Floats
    recent: Floats
    same_weekday: Floats
    basket_sizes: Floats
    here: Floats

    @classmethod
    def of(cls, baskets: Baskets, moments: Ints, n_items: int, at: Ints | None = None) -> Habits:
        """Summarise visible baskets at each customer's moment.

        Parameters
        ----------
        baskets
            What is visible.
        moments
            Shape (customers): the day the question is asked, not before the latest visible basket.
        n_items
            Size of the item vocabulary.
        at
            Shape (customers): the place of the moment, ``NOWHERE`` if not known.
        """
        line_basket = baskets.line_baskets()
        customer = baskets.basket_customers()[line_basket]
        order = np.argsort(customer * n_items + baskets.items, kind="stable")
        customer = customer[order]
        key = customer * n_items + baskets.items[order]
        place = baskets.basket_positions()[line_basket][order]
        day = baskets.days[line_basket][order]
        sizes = baskets.sizes[line_basket][order].astype(np.float64)
        begins = run_starts(key)
        ends = np.concatenate((begins[1:], [len(key)])).astype(np.int64) if len(begins) else begins
        since = baskets.n_baskets[customer] - 1 - place
        age = (moments[customer] - day).astype(np.float64)
        gap = np.zeros(len(day), dtype=np.int64)
        gap[1:] = day[1:] - day[:-1]
        gap[begins] = 0
        return cls(
            keys=key[begins],
            customers=customer[begins],
            items=key[begins] - customer[begins] * n_items,
            counts=ends - begins,
            first=place[begins],
            last=place[ends - 1],
            first_days=day[begins],
            last_days=day[ends - 1],
            gap_squares=_sums((gap * gap).astype(np.float64), begins),
            last_gaps=gap[ends - 1],
            decayed=side_by_side([_sums(d ** since.astype(np.float64), begins) for d in DECAYS_PER_BASKET]),
            faded=side_by_side([_sums(0.5 ** (age / h), begins) for h in HALF_LIVES_DAYS]),
            recent=side_by_side([_sums((since < w).astype(np.float64), begins) for w in WINDOWS_BASKETS]),
            same_weekday=_sums(((age % 7) == 0).astype(np.float64), begins),
            basket_sizes=_sums(sizes, begins) / np.maximum(ends - begins, 1),
            here=_sums(baskets.at(at)[line_basket][order].astype(np.float64), begins),
        )

    def find(self, keys: Ints) -> tuple[Ints, Ints]:
        """Return the row of each key, and which keys have one (as 0 and 1); rows of absent keys are 0."""
        if not len(self.keys):
            return np.zeros(len(keys), dtype=np.int64), np.zeros(len(keys), dtype=np.int64)
        row = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        return row, (self.keys[row] == keys).astype(np.int64)


def _sums(values: Floats, begins: Ints) -> Floats:
    return np.add.reduceat(values, begins) if len(begins) else np.zeros(0)
