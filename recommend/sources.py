"""Where candidates come from: each source scores items for a customer and puts its best forward."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recommend.baskets import Baskets, Flags, Floats, Ints, side_by_side
from recommend.habits import Habits
from recommend.knowledge import Knowledge, length_of

OWN_SOURCES = ("own_repeat", "replenish", "win_back")
OTHER_SOURCES = (
    "co_purchase",
    "neighbours",
    "typical_neighbours",
    "segment",
    "bundle",
    "upsell",
    "popular",
)
SOURCES = OWN_SOURCES + OTHER_SOURCES
UNRANKED = 999.0
RANKED = 100
LAPSED_GAPS = 3.0
LAPSED_DAYS = 30.0
_PLACES = np.arange(RANKED, dtype=np.float64)


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
        Shape (pairs, sources): place among that source's best ``RANKED`` from 0, else ``UNRANKED``.
    put
        Shape (pairs, sources): whether the source put the item forward.
    """

    customers: Ints
    items: Ints
    scores: Floats
    ranks: Floats
    put: Flags

    def take(self, kept: Ints) -> Proposals:
        """Return the given pairs."""
        return Proposals(
            self.customers[kept], self.items[kept], self.scores[kept], self.ranks[kept], self.put[kept]
        )


def propose_items(
    baskets: Baskets,
    habits: Habits,
    moments: Ints,
    knowledge: Knowledge,
    *,
    own: int = 120,
    others: int = 20,
    named: Ints | None = None,
) -> Proposals:
    """Let every source put its best items forward for each customer.

    Parameters
    ----------
    baskets, habits, moments
        What is visible of the customers, and the day of the question.
    knowledge
        Learnt from all customers.
    own
        At most this many of the customer's own items, by decayed frequency.
    others
        At most this many items the customer has not bought, from each other source.
    named
        Items to look at in any case, for every customer.
    """
    n_rows, n_items = baskets.n_customers, knowledge.n_items
    cells = habits.customers * n_items + habits.items
    owned = np.zeros((n_rows, n_items), dtype=bool)
    owned[habits.customers, habits.items] = True
    tie = -1e-9 * knowledge.items.rank
    scored = np.stack(other_scores(baskets, habits, knowledge))
    ranked, new = _ranks(scored + tie, scored > 0, owned, others)
    mine, mine_ranks = own_scores(habits, moments, knowledge, n_rows)
    mine_put = mine_ranks < np.array([own, own // 4, own // 8])
    chosen = np.zeros(n_rows * n_items, dtype=bool)
    chosen[cells[mine_put.any(axis=1)]] = True
    chosen |= new.any(axis=0).ravel()
    if named is not None:
        chosen.reshape(n_rows, n_items)[:, named] = True
    pairs = np.flatnonzero(chosen)
    row, found = habits.find(pairs)
    blank = found == 0
    if not len(habits.keys):
        mine, mine_ranks, mine_put = np.zeros((1, 3)), np.full((1, 3), UNRANKED), np.zeros((1, 3), dtype=bool)
    own_score, own_rank, own_put = mine[row], mine_ranks[row], mine_put[row]
    own_score[blank], own_rank[blank], own_put[blank] = 0.0, UNRANKED, False
    return Proposals(
        customers=pairs // n_items,
        items=pairs % n_items,
        scores=side_by_side((own_score, scored.reshape(len(scored), -1)[:, pairs].T)),
        ranks=side_by_side((own_rank, ranked.reshape(len(scored), -1)[:, pairs].T)),
        put=np.concatenate((own_put, new.reshape(len(scored), -1)[:, pairs].T), axis=1),
    )


def companions(knowledge: Knowledge, mentioned: set[int], most: int = 5) -> Ints:
    """Return the mentioned items and what most often shares baskets with each."""
    own = np.array(sorted(mentioned), dtype=np.int64)
    near = knowledge.together.items[own, :most].ravel()
    return np.unique(np.concatenate((own, near)))


def own_scores(habits: Habits, moments: Ints, knowledge: Knowledge, n_rows: int) -> tuple[Floats, Floats]:
    """Score each customer's own items by ``OWN_SOURCES`` and rank them within the customer.

    Returns
    -------
    tuple
        Scores and ranks, each of shape (habit rows, own sources).
    """
    rhythm, who, item = knowledge.rhythm, habits.customers, habits.items
    repeats = (habits.counts - 1).astype(np.float64)
    since = (moments[who] - habits.last_days).astype(np.float64)
    known = (moments[who] - habits.first_days).astype(np.float64)
    due = rhythm.score(item, repeats, known, since)
    span = (habits.last_days - habits.first_days).astype(np.float64)
    gap = (span + rhythm.gap_days[item]) / (repeats + 1)
    lapsed = (repeats >= 2) & (since > np.maximum(LAPSED_GAPS * gap, LAPSED_DAYS))
    scores = side_by_side(
        (habits.decayed[:, 0], due, np.where(lapsed, habits.counts * rhythm.rebuy_share[item], 0.0))
    )
    ranks = np.full(scores.shape, UNRANKED)
    starts = np.searchsorted(who, np.arange(n_rows))
    for s in range(scores.shape[1]):
        order = np.lexsort((knowledge.items.rank[item], -scores[:, s], who))
        ranks[order, s] = np.arange(len(who)) - starts[who[order]]
    ranks[scores <= 0] = UNRANKED
    return scores, ranks


def other_scores(baskets: Baskets, habits: Habits, knowledge: Knowledge) -> list[Floats]:
    """Score all items by ``OTHER_SOURCES``: a table of shape (customers, items) each."""
    n_rows, n_items = baskets.n_customers, knowledge.n_items
    who, item = habits.customers, habits.items
    weight = habits.decayed[:, 0]
    total = np.maximum(np.bincount(who, weights=weight, minlength=n_rows), 1e-9)
    count = habits.counts / length_of(habits, n_rows)[who]
    fresh = np.flatnonzero(habits.recent[:, 0] > 0)
    return [
        knowledge.together.scores(who, item, weight / total[who], n_rows),
        knowledge.tastes.scores(who, item, count, n_rows),
        knowledge.typical.scores(habits, n_rows, nearest=4),
        knowledge.segments.scores(habits, n_rows, nearest=1),
        knowledge.bundles.related().scores(who[fresh], item[fresh], np.ones(len(fresh)), n_rows),
        knowledge.better.scores(who, item, weight, n_rows),
        np.broadcast_to(knowledge.items.order_share, (n_rows, n_items)),
    ]


def _ranks(score: Floats, allowed: Flags, owned: Flags, others: int) -> tuple[Floats, Flags]:
    """Return each cell's place among the best of its row, and the best ones the customer does not own.

    Parameters
    ----------
    score, allowed
        Shape (sources, customers, items): how good, and whether at all.
    owned
        Shape (customers, items).
    others
        At most so many per source and customer.
    """
    n_items = score.shape[-1]
    count = min(RANKED, n_items)
    score = np.where(allowed, -score, np.inf)
    if count < n_items:
        top = np.argpartition(score, count - 1, axis=-1)[..., :count]
    else:
        top = np.broadcast_to(np.arange(n_items), score.shape)
    best = np.argsort(np.take_along_axis(score, top, axis=-1), axis=-1, kind="stable")
    top = np.take_along_axis(top, best, axis=-1)
    some = np.take_along_axis(allowed, top, axis=-1)
    ranks = np.full(score.shape, UNRANKED)
    np.put_along_axis(ranks, top, np.where(some, _PLACES[:count], UNRANKED), axis=-1)
    new = some & ~np.take_along_axis(np.broadcast_to(owned, score.shape), top, axis=-1)
    new &= np.cumsum(new, axis=-1) <= others
    put = np.zeros(score.shape, dtype=bool)
    np.put_along_axis(put, top, new, axis=-1)
    return ranks, put
