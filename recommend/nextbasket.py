"""What will be in each customer's next basket: the ranking form of the item model.

The same candidates and features as the live proposer; the visits already made serve as examples. A large
basket holds many items and a small one few, so trees that count every item alike learn the large baskets.
Here each item counts as its share of the basket, so the ranking is by the expected share of the next basket.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from clv.errors import TooLittleData
from recommend.baskets import Baskets, Flags, Floats, Ints
from recommend.features import FEATURES
from recommend.items import Shelving
from recommend.knowledge import Knowledge
from recommend.propensity import Trees, grow
from recommend.samples import Sample, Snapshot, best_first, sample

REFRESH = 3
_TIMES_BOUGHT = FEATURES.index("times_bought")
SETTINGS: dict[str, object] = {"objective": "cross_entropy", "feature_fraction": 0.5, "max_bin": 127}


@dataclass(frozen=True, slots=True)
class Visits:
    """Described candidates of one visit of each customer.

    Parameters
    ----------
    customers
        Shape (rows): the customer of each row.
    sampled
        The rows.
    shares
        Shape (rows): the item's share of the basket, 0 if it was not in it.
    """

    customers: Ints
    sampled: Sample
    shares: Floats

    def of(self, chosen: Flags) -> Flags:
        """Return which rows belong to the chosen customers."""
        return chosen[self.customers]


@dataclass(frozen=True, slots=True)
class NextBaskets:
    """The next visit and some earlier ones of many customers, ready to learn from and to rank.

    Parameters
    ----------
    now
        The next visit, all candidates.
    earlier
        Earlier visits, latest first, with some of the rows without a purchase left out.
    rank
        Shape (items): global popularity, 0 the most popular.
    n_customers
        How many customers there are.
    """

    now: Visits
    earlier: tuple[Visits, ...]
    rank: Ints
    n_customers: int

    @classmethod
    def of(
        cls,
        baskets: Baskets,
        shelving: Shelving,
        *,
        earlier: int,
        timed: bool,
        negatives: float = 0.2,
        random_state: int = 0,
    ) -> NextBaskets:
        """Describe the last basket of each customer, and some before it, by what preceded them.

        Parameters
        ----------
        baskets
            All baskets, the one to predict last.
        shelving
            Kinds and prices of the items.
        earlier
            How many earlier visits per customer serve as examples.
        timed
            Whether days are real, so that the day of the visit, and its place where known, may be used.
        negatives
            Share of the rows without a purchase kept in earlier visits.
        """
        if not len(visit(baskets, 0, timed=timed)[0]):
            raise TooLittleData("No customer has two baskets.", hint="Give a longer history.")
        knowledge = _learn(baskets, 0, 0, shelving, timed=timed)
        rank, visits = knowledge.items.rank, []
        for level in range(earlier + 1):
            who, snapshot = visit(baskets, level, timed=timed)
            if not len(who):
                break
            if level and (level - 1) % REFRESH == 0:
                knowledge = _learn(baskets, level, min(level + REFRESH - 1, earlier), shelving, timed=timed)
            keep = negatives if level else 1.0
            part = sample(snapshot, knowledge, negatives=keep, random_state=random_state + level)
            size = np.bincount(
                snapshot.after.basket_customers(), weights=snapshot.after.sizes, minlength=len(who)
            )
            shares = part.happened / np.maximum(size, 1.0)[part.customers]
            visits.append(Visits(who[part.customers], part, shares))
        return cls(visits[0], tuple(visits[1:]), rank, baskets.n_customers)

    def fit(
        self,
        learn: Flags,
        stop: Flags,
        *,
        random_state: int = 0,
        num_threads: int = 1,
        negatives: float = 0.3,
        settings: dict[str, object] | None = None,
    ) -> Trees:
        """Grow trees on earlier visits of all customers and on the next visit of some.

        Parameters
        ----------
        learn
            Shape (customers): whose next visit may be learnt from.
        stop
            Shape (customers): on whose latest known visit the growth is stopped: the next one where
            ``learn`` names anyone, else the latest earlier one.
        negatives
            Share of the rows without a purchase of the next visit kept for learning.
        """
        rng = np.random.default_rng(random_state)
        known = self.now.of(learn)
        judge = self.now if known.any() else self.earlier[0]
        kept = known & ((self.now.shares > 0) | (rng.random(len(known)) < negatives))
        parts = [(self.now, kept)]
        parts += [(v, ~v.of(stop) if v is judge else np.ones(len(v.shares), bool)) for v in self.earlier]
        weights = [
            np.where(self.now.shares[kept] > 0, 1.0, 1.0 / negatives),
            *(v.sampled.weights[mask] for v, mask in parts[1:]),
        ]
        last = judge.of(stop)
        return grow(
            np.concatenate([v.sampled.rows[mask] for v, mask in parts]),
            np.concatenate([v.shares[mask] for v, mask in parts]),
            judge.sampled.rows[last],
            judge.shares[last],
            FEATURES,
            weights=np.concatenate(weights),
            later_weights=judge.sampled.weights[last],
            random_state=random_state,
            num_threads=num_threads,
            settings=SETTINGS | (settings or {}),
        )

    def best(self, trees: Trees, k: int, *, new: bool = False, whom: Flags | None = None) -> list[Ints]:
        """Return the best ``k`` items for the next visit of every customer.

        Parameters
        ----------
        trees
            Grown by :meth:`fit`.
        k
            How many.
        new
            Whether only items the customer has never bought count, as a cross-sell prompt needs; fewer than
            ``k`` where there are no more candidates.
        whom
            Shape (customers): who is asked about, everyone if not given; what the others get is not settled.
        """
        part = self.now.sampled
        kept = np.ones(len(part.items), dtype=bool) if whom is None else self.now.of(whom)
        if new:
            kept &= part.rows[:, _TIMES_BOUGHT] == 0
        some = Sample(
            rows=part.rows[kept],
            happened=part.happened[kept],
            weights=part.weights[kept],
            customers=self.now.customers[kept],
            items=part.items[kept],
        )
        score = trees.probability(some.rows)
        return best_first(some, score, self.rank, self.n_customers, k, fill=not new)


def _learn(baskets: Baskets, level: int, oldest: int, shelving: Shelving, *, timed: bool) -> Knowledge:
    """Learn what was known before the oldest of a few visits, so that none of them is seen.

    Where fewer than half the customers go back so far, a later visit takes its place.
    """
    most = len(visit(baskets, level, timed=timed)[0])
    for back in range(oldest, level, -1):
        who, snapshot = visit(baskets, back, timed=timed)
        if 2 * len(who) >= most:
            return snapshot.learn(shelving)
    return visit(baskets, level, timed=timed)[1].learn(shelving)


def visit(baskets: Baskets, level: int, *, timed: bool) -> tuple[Ints, Snapshot]:
    """Return who had a basket ``level`` visits before the last, and what was known just before it."""
    until = baskets.without_last(level)
    past = until.without_last(1)
    who = np.flatnonzero(past.n_baskets > 0)
    before, after = past.take(who), until.last(1).take(who)
    if timed:
        return who, Snapshot(before, after.last_days(), after, after.last_places())
    return who, Snapshot(before, before.last_days() + 1, after, before.last_places())
