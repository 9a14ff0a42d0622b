"""Training rows: what was known of each customer and candidate, and whether it was then bought."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from recommend.baskets import Baskets, Floats, Ints
from recommend.features import Matrix, describe
from recommend.habits import Habits
from recommend.items import Shelving
from recommend.knowledge import Knowledge
from recommend.sources import propose_items

_CELLS = 250_000


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What was visible of each customer at their moment, and what they bought after it.

    Parameters
    ----------
    visible
        Baskets known at the moment.
    moments
        Shape (customers): day of the moment, days since 1970-01-01.
    after
        Baskets of the period the model predicts, for the same customers.
    at
        Shape (customers): place of the moment, ``NOWHERE`` if not known.
    """

    visible: Baskets
    moments: Ints
    after: Baskets
    at: Ints

    @classmethod
    def on(cls, baskets: Baskets, day: int, horizon_days: int) -> Snapshot:
        """Stand at the end of a day and look ahead; customers without a past are left out."""
        known = np.flatnonzero(baskets.until(day).n_baskets > 0)
        some = baskets.take(known)
        visible = some.until(day)
        return cls(
            visible=visible,
            moments=np.full(len(known), day, dtype=np.int64),
            after=some.between(day, day + horizon_days),
            at=visible.last_places(),
        )

    def slice(self, start: int, stop: int) -> Snapshot:
        """Return the customers ``start`` to ``stop``."""
        return Snapshot(
            self.visible.slice(start, stop),
            self.moments[start:stop],
            self.after.slice(start, stop),
            self.at[start:stop],
        )

    def take(self, customers: Ints) -> Snapshot:
        """Return the given customers in ascending order."""
        order = np.sort(customers)
        return Snapshot(self.visible.take(order), self.moments[order], self.after.take(order), self.at[order])

    def learn(self, shelving: Shelving) -> Knowledge:
        """Learn what all visible customers show at this moment."""
        return Knowledge.of(self.visible, self.moments, shelving)


@dataclass(frozen=True, slots=True)
class Sample:
    """Rows of features with their outcome.

    Parameters
    ----------
    rows
        Shape (rows, features).
    happened
        Shape (rows): 1 if the item was bought in the period, else 0.
    weights
        Shape (rows): how many rows each stands for; above 1 where others like it were left out.
    customers, items
        Shape (rows): the pair each row is about.
    """

    rows: Matrix
    happened: Floats
    weights: Floats
    customers: Ints
    items: Ints

    @classmethod
    def join(cls, parts: list[Sample]) -> Sample:
        """Put samples one after another; customers are numbered within their own part."""
        return cls(
            rows=np.concatenate([p.rows for p in parts]),
            happened=np.concatenate([p.happened for p in parts]),
            weights=np.concatenate([p.weights for p in parts]),
            customers=np.concatenate([p.customers for p in parts]),
            items=np.concatenate([p.items for p in parts]),
        )


def sample(
    snapshot: Snapshot, knowledge: Knowledge, *, negatives: float = 1.0, random_state: int = 0
) -> Sample:
    """Describe every candidate of every customer of a snapshot.

    Parameters
    ----------
    negatives
        Share of the rows without a purchase that is kept, each weighing 1 / ``negatives``.
    random_state
        Seed of that choice.
    """
    rng = np.random.default_rng(random_state)
    parts = []
    for offset, part in _chunks(snapshot, knowledge.n_items):
        habits = Habits.of(part.visible, part.moments, knowledge.n_items, part.at)
        pairs = propose_items(part.visible, habits, part.moments, knowledge)
        bought = np.isin(
            pairs.customers * knowledge.n_items + pairs.items, part.after.pair_keys(knowledge.n_items)
        )
        kept = np.flatnonzero(bought | (rng.random(len(bought)) < negatives))
        pairs = pairs.take(kept)
        happened = bought[kept].astype(np.float64)
        parts.append(
            Sample(
                rows=describe(part.visible, habits, part.moments, knowledge, pairs, part.at),
                happened=happened,
                weights=np.where(happened > 0, 1.0, 1.0 / negatives),
                customers=pairs.customers + offset,
                items=pairs.items,
            )
        )
    return Sample.join(parts)


def _chunks(snapshot: Snapshot, n_items: int) -> Iterator[tuple[int, Snapshot]]:
    step = max(1, _CELLS // max(n_items, 1))
    for start in range(0, len(snapshot.moments), step):
        yield start, snapshot.slice(start, min(start + step, len(snapshot.moments)))


def best_first(
    sampled: Sample, score: Floats, rank: Ints, n_customers: int, k: int, *, fill: bool = True
) -> list[Ints]:
    """Return each customer's best ``k`` items, ties by popularity, filled up with the most popular."""
    order = np.lexsort((rank[sampled.items], -score, sampled.customers))
    customers, items = sampled.customers[order], sampled.items[order]
    starts = np.searchsorted(customers, np.arange(n_customers + 1))
    popular = np.argsort(rank, kind="stable")[: 2 * k]
    ranked = []
    for c in range(n_customers):
        top = items[starts[c] : min(starts[c] + k, starts[c + 1])]
        if fill and len(top) < k:
            top = np.concatenate((top, popular[~np.isin(popular, top)]))[:k]
        ranked.append(top)
    return ranked
