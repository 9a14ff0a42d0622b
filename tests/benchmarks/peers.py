"""Next-basket methods from the literature, run on the same folds as ours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_array

from recommend.baskets import Baskets, Flags, Floats, Ints

_BLOCK = 400


class Lists(NamedTuple):
    """The best items for each customer, and the best among those new to them."""

    every: list[Ints]
    new: list[Ints]


def counts(history: Baskets, n_items: int, weights: Floats | None = None) -> csr_array:
    """Return customers x items: baskets holding each item, each basket counting its weight."""
    owner = history.basket_customers()
    each = np.ones(len(history.days)) if weights is None else weights
    basket = history.line_baskets()
    shape = (history.n_customers, n_items)
    return csr_array(csr_array((each[basket], (owner[basket], history.items)), shape=shape))


def back(history: Baskets) -> Ints:
    """Return how many baskets of the customer follow each basket."""
    return np.repeat(history.n_baskets, history.n_baskets) - 1 - history.basket_positions()


def top(score: csr_array, own: csr_array, popular: Ints, k: int) -> Lists:
    """Return the best items of each row, ties and the rest by global popularity; then those not its own."""
    rank = np.empty(len(popular), dtype=np.int64)
    rank[popular] = np.arange(len(popular))
    found = Lists([], [])
    for row in range(score.shape[0]):
        span = slice(score.indptr[row], score.indptr[row + 1])
        mine = own.indices[own.indptr[row] : own.indptr[row + 1]]
        items, value = score.indices[span].astype(np.int64), score.data[span]
        best = items[value > 0][np.lexsort((rank[items[value > 0]], -value[value > 0]))]
        found.every.append(_filled(best, popular[: 2 * k], k))
        likely = popular[: 2 * k + len(mine)]
        found.new.append(_filled(best[~np.isin(best, mine)], likely[~np.isin(likely, mine)], k))
    return found


def _filled(best: Ints, popular: Ints, k: int) -> Ints:
    return np.concatenate((best[:k], popular[~np.isin(popular, best[:k])]))[:k].astype(np.int64)


def popularity(history: Baskets, n_items: int) -> Ints:
    """Return items by how many baskets held them."""
    return np.argsort(-np.bincount(history.items, minlength=n_items), kind="stable")


def frequency(history: Baskets, n_items: int, k: int) -> Lists:
    """GP-TopFreq with ties by global popularity; among new items that is popularity."""
    own = counts(history, n_items)
    return top(own, own, popularity(history, n_items), k)


def decayed(history: Baskets, n_items: int, k: int, decay: float = 0.95) -> Lists:
    """Frequency with each basket back counting ``decay`` as much."""
    own = counts(history, n_items, decay ** back(history))
    return top(own, own, popularity(history, n_items), k)


def up_cf(
    history: Baskets, n_items: int, k: int, *, recency: int, asymmetry: float, locality: float, nearest: int
) -> Lists:
    """UP-CF (Faggioli, Polato, Aiolli, UMAP 2020): neighbours' recent baskets, by asymmetric cosine."""
    own = counts(history, n_items)
    recent = history.keep(back(history) < recency)
    share = counts(recent, n_items, 1.0 / np.repeat(recent.n_baskets, recent.n_baskets))
    squared = np.maximum(np.asarray(own.multiply(own).sum(axis=1)).ravel(), 1e-12)
    left, right = squared**-asymmetry, squared ** -(1 - asymmetry)
    other = csr_array(own.T.tocsr())
    ranked = Lists([], [])
    popular = popularity(history, n_items)
    for start in range(0, own.shape[0], _BLOCK):
        stop = min(start + _BLOCK, own.shape[0])
        near = (own[start:stop] @ other).toarray() * left[start:stop, None] * right[None, :]
        near[np.arange(stop - start), np.arange(start, stop)] = 0.0
        weight = _nearest(near, nearest) ** locality
        score = csr_array(csr_array(weight) @ share + share[start:stop])
        _extend(ranked, top(score, csr_array(own[start:stop]), popular, k))
    return ranked


def _extend(ranked: Lists, more: Lists) -> None:
    ranked.every.extend(more.every)
    ranked.new.extend(more.new)


def _nearest(near: Floats, nearest: int) -> Floats:
    nearest = min(nearest, near.shape[1] - 1)
    cut = -np.partition(-near, nearest - 1, axis=1)[:, nearest - 1 : nearest]
    return np.where((near >= cut) & (near > 0), near, 0.0)


@dataclass(frozen=True)
class Tifu:
    """Neighbours, decay per basket and group, weight of the customer's own vector, groups."""

    nearest: int
    within: float
    group: float
    alpha: float
    groups: int


def tifu_knn(
    history: Baskets,
    n_items: int,
    k: int,
    *,
    train: Flags,
    asked: Flags,
    options: Tifu,
) -> Lists:
    """TIFU-KNN (Hu et al., SIGIR 2020): decayed frequencies mixed with those of the nearest others."""
    vector = counts(history, n_items, tifu_weights(history, options.within, options.group, options.groups))
    known = csr_array(vector[np.flatnonzero(train)])
    squared = np.asarray(known.multiply(known).sum(axis=1)).ravel()
    other = csr_array(known.T.tocsr())
    chosen = np.flatnonzero(asked)
    popular = popularity(history, n_items)
    ranked = Lists([], [])
    for start in range(0, len(chosen), _BLOCK):
        rows = csr_array(vector[chosen[start : start + _BLOCK]])
        distance = squared[None, :] - 2 * (rows @ other).toarray()
        self_place = np.searchsorted(np.flatnonzero(train), chosen[start : start + _BLOCK])
        for row, place in enumerate(self_place):  # nobody is their own neighbour
            if place < len(squared) and train[chosen[start + row]]:
                distance[row, place] = np.inf
        near = np.argpartition(distance, min(options.nearest, len(squared) - 1) - 1, axis=1)
        near = near[:, : options.nearest]
        place = (np.repeat(np.arange(len(near)), near.shape[1]), near.ravel())
        mean = csr_array((np.full(near.size, 1.0 / near.shape[1]), place), shape=(len(near), len(squared)))
        score = csr_array(options.alpha * rows + (1 - options.alpha) * (mean @ known))
        _extend(ranked, top(score, rows, popular, k))
    return ranked


def tifu_weights(history: Baskets, within: float, group: float, groups: int) -> Floats:
    """Return what each basket counts: decay over the history, averaged in groups, groups decayed again."""
    n = np.repeat(history.n_baskets, history.n_baskets)
    place = history.basket_positions()
    used = np.minimum(n, groups)
    size, longer = n // used, n % used
    short = (used - longer) * size  # the first groups are the shorter ones
    which = np.where(place < short, place // size, used - longer + (place - short) // (size + 1))
    width = np.where(place < short, size, size + 1)
    return within ** back(history) / width * group ** (used - 1 - which) / used


__all__ = ["Lists", "decayed", "frequency", "popularity", "tifu_knn", "up_cf"]
