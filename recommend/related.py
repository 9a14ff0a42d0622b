"""Which items go with which: a short list of related items for each item, read off in one sweep."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from recommend.baskets import Baskets, Floats, Ints, run_starts
from recommend.habits import Habits
from recommend.items import Items, Shelving

_BLOCK = 1024


@dataclass(frozen=True, slots=True)
class Related:
    """For each item its most related items, strongest first, and how strongly.

    Parameters
    ----------
    items
        Shape (items, width): index of the related items; padding repeats the item itself.
    strength
        Shape (items, width): 0 where padded.
    """

    items: Ints
    strength: Floats

    def scores(self, rows: Ints, held: Ints, weights: Floats, n_rows: int) -> Floats:
        """Add up what the held items of each row point to.

        Parameters
        ----------
        rows, held, weights
            Shape (pairs): the row, the item it holds, and how much that counts.

        Returns
        -------
        Floats
            Shape (n_rows, items).
        """
        n_items = len(self.items)
        cells = (rows[:, None] * n_items + self.items[held]).ravel()
        values = (weights[:, None] * self.strength[held]).ravel()
        flat = np.bincount(cells, weights=values, minlength=n_rows * n_items)
        return flat.astype(np.float64).reshape(n_rows, n_items)


def co_purchase(baskets: Baskets, n_items: int, width: int = 30, shrink: float = 10.0) -> Related:
    """Relate items that share baskets: the share of baskets with i that also hold j, shrunk for rare i."""
    held = _matrix(
        baskets.line_baskets(), baskets.items, np.ones(len(baskets.items)), len(baskets.days), n_items
    )
    orders = np.bincount(baskets.items, minlength=n_items).astype(np.float64)

    def block(start: int, stop: int) -> csr_array:
        together = csr_array(held[:, start:stop].T @ held)
        together.data = together.data / (np.repeat(orders[start:stop], np.diff(together.indptr)) + shrink)
        return together

    return _strongest(block, n_items, width)


def taste(habits: Habits, n_customers: int, n_items: int, width: int = 60, asymmetry: float = 0.5) -> Related:
    """Relate items through the customers who share them: user-based filtering, folded onto items.

    With every other customer as neighbour and locality 1, the prediction of UP-CF (Faggioli, Polato and
    Aiolli, UMAP 2020), a similarity-weighted sum of the others' recency-aware preferences, is linear in
    the customer's own vector; the matrix of that map is all that is kept, and it names no customer.
    """
    counts = habits.counts.astype(np.float64)
    squared = np.bincount(habits.customers, weights=counts**2, minlength=n_customers)
    norm = np.maximum(squared, 1e-12) ** (1.0 - asymmetry)
    own = _matrix(habits.customers, habits.items, counts / norm[habits.customers], n_customers, n_items)
    liked = _matrix(habits.customers, habits.items, habits.decayed[:, 0], n_customers, n_items)

    def block(start: int, stop: int) -> csr_array:
        return csr_array(own[:, start:stop].T @ liked)

    return _strongest(block, n_items, width)


def better_of_kind(
    shelving: Shelving, items: Items, width: int = 5, most_times_price: float = 2.5
) -> Related:
    """Relate each item to dearer ones of its kind, up to ``most_times_price`` its price, by popularity.

    Where kinds or prices are unknown nothing is related; where both margins are known, the dearer item must
    earn more.
    """
    n_items = len(shelving.kinds)
    margins = np.full(n_items, np.nan) if shelving.margins is None else shelving.margins
    related = np.repeat(np.arange(n_items, dtype=np.int64)[:, None], width, axis=1)
    strength = np.zeros((n_items, width))
    order = np.argsort(shelving.kinds, kind="stable")
    for group in np.split(order, run_starts(shelving.kinds[order])[1:]):
        price = shelving.prices[group]
        if len(group) < 2 or np.isnan(price).all():
            continue
        for i, own in zip(group.tolist(), price.tolist(), strict=True):
            earns_less = margins[group] <= margins[i]
            dearer = group[(price > 1.05 * own) & (price <= most_times_price * own) & ~earns_less]
            best = dearer[np.lexsort((dearer, -items.orders[dearer]))][:width]
            related[i, : len(best)] = best
            strength[i, : len(best)] = items.order_share[best]
    return Related(related, strength)


def _matrix(rows: Ints, columns: Ints, values: Floats, n_rows: int, n_columns: int) -> csr_array:
    return csr_array((values, (rows, columns)), shape=(n_rows, n_columns))


def _strongest(block: Callable[[int, int], csr_array], n_items: int, width: int) -> Related:
    """Keep the strongest relations of each item, computing a block of items at a time."""
    width = max(1, min(width, n_items - 1))
    items = np.repeat(np.arange(n_items, dtype=np.int64)[:, None], width, axis=1)
    strength = np.zeros((n_items, width))
    for start in range(0, n_items, _BLOCK):
        part = block(start, min(start + _BLOCK, n_items))
        part.sort_indices()
        for offset in range(part.shape[0]):
            i = start + offset
            span = slice(part.indptr[offset], part.indptr[offset + 1])
            other, value = part.indices[span], part.data[span]
            other, value = other[other != i], value[other != i]
            if len(value) > width:
                top = np.argpartition(-value, width - 1)[:width]
                other, value = other[top], value[top]
            order = np.lexsort((other, -value))
            items[i, : len(order)] = other[order]
            strength[i, : len(order)] = value[order]
    return Related(items, strength)
