"""Where candidates come from: each source scores items for a customer and puts its best forward."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from recommend.baskets import Baskets, Flags, Floats, Ints
from recommend.habits import Habits
from recommend.items import Items
from recommend.related import Related, co_purchase, taste

SOURCES = ("own_repeat", "co_purchase", "neighbours", "popular")
UNRANKED = 999.0


@dataclass(frozen=True, slots=True)
class Knowledge:
    """Everything learnt from all customers as of a day that candidates and features are made of."""

    items: Items
    together: Related
    tastes: Related

    @classmethod
    def of(cls, baskets: Baskets, habits: Habits, moments: Ints, n_items: int) -> Knowledge:
        """Learn from visible baskets and their habits."""
        return cls(
            items=Items.of(baskets, habits, moments, n_items),
            together=co_purchase(baskets, n_items),
            tastes=taste(habits, baskets.n_customers, n_items),
        )

    @property
    def n_items(self) -> int:
        """Size of the vocabulary."""
        return len(self.items.rank)

    def arrays(self) -> dict[str, Floats | Ints]:
        """Return every array by a dotted name, for saving."""
        flat: dict[str, Floats | Ints] = {}
        for part in fields(self):
            value = getattr(self, part.name)
            flat |= {f"{part.name}.{f.name}": getattr(value, f.name) for f in fields(value)}
        return flat

    @classmethod
    def from_arrays(cls, arrays: dict[str, Floats | Ints]) -> Knowledge:
        """Read what :meth:`arrays` returned."""
        kinds = {"items": Items, "together": Related, "tastes": Related}
        parts = {
            name: kind(**{f.name: arrays[f"{name}.{f.name}"] for f in fields(kind)})
            for name, kind in kinds.items()
        }
        return cls(**parts)


@dataclass(frozen=True, slots=True)
class Proposals:
    """Pairs of customer and candidate item, sorted by customer and item.

    Parameters
    ----------
    customers, items
        Shape (pairs).
    scores
        Shape (pairs, sources): each source's score of the item, higher is better.
    ranks
        Shape (pairs, sources): place among that source's best from 0, ``UNRANKED`` if not put forward by it.
    """

    customers: Ints
    items: Ints
    scores: Floats
    ranks: Floats


def propose_items(
    baskets: Baskets, habits: Habits, knowledge: Knowledge, *, own: int = 150, others: int = 60
) -> Proposals:
    """Let every source put its best items forward for each customer.

    Parameters
    ----------
    own
        At most this many of the customer's own items, by decayed frequency.
    others
        At most this many items from each other source.
    """
    n_rows, n_items = baskets.n_customers, knowledge.n_items
    tie = -1e-9 * knowledge.items.rank
    weights = habits.decayed[:, 0]
    total = np.maximum(np.bincount(habits.customers, weights=weights, minlength=n_rows), 1e-9)
    cells = habits.customers * n_items + habits.items
    repeat = np.zeros((n_rows, n_items))
    repeat.ravel()[cells] = weights
    count = habits.counts.astype(np.float64)
    length = np.sqrt(np.maximum(np.bincount(habits.customers, weights=count**2, minlength=n_rows), 1e-9))
    score = (
        repeat,
        knowledge.together.scores(habits.customers, habits.items, weights / total[habits.customers], n_rows),
        knowledge.tastes.scores(habits.customers, habits.items, count / length[habits.customers], n_rows),
        np.broadcast_to(knowledge.items.order_share, (n_rows, n_items)),
    )
    ranks = [_ranks(s + tie, own if i == 0 else others, s > 0) for i, s in enumerate(score)]
    chosen = np.flatnonzero(np.any([r < UNRANKED for r in ranks], axis=0))
    return Proposals(
        customers=chosen // n_items,
        items=chosen % n_items,
        scores=np.column_stack([np.ascontiguousarray(s).ravel()[chosen] for s in score]),
        ranks=np.column_stack([r.ravel()[chosen] for r in ranks]),
    )


def _ranks(score: Floats, count: int, allowed: Flags) -> Floats:
    """Return each cell's place among the best ``count`` of its row."""
    n_rows, n_items = score.shape
    ranks = np.full(score.shape, UNRANKED)
    count = min(count, n_items)
    score = np.where(allowed, score, -np.inf)
    top = (
        np.argpartition(-score, count - 1, axis=1)[:, :count]
        if count < n_items
        else np.tile(np.arange(n_items), (n_rows, 1))
    )
    best = np.take_along_axis(score, top, axis=1)
    top = np.take_along_axis(top, np.argsort(-best, axis=1, kind="stable"), axis=1)
    place = np.broadcast_to(np.arange(count, dtype=np.float64), top.shape)
    np.put_along_axis(ranks, top, place, axis=1)
    ranks[~allowed] = UNRANKED
    return ranks
