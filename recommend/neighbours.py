"""Customers with the same taste, kept as typical customers instead of real ones, so a model names nobody."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from recommend.baskets import Floats, Ints, run_starts
from recommend.habits import Habits

_ROUNDS = 8


@dataclass(frozen=True, slots=True)
class Prototypes:
    """Typical customers.

    Parameters
    ----------
    directions
        Shape (prototypes, items): unit vectors that customers are compared with.
    taste
        Shape (prototypes, items): mean decayed share of baskets of each item among those nearest to it.
    """

    directions: Floats
    taste: Floats

    @classmethod
    def of(
        cls, habits: Habits, n_baskets: Ints, n_items: int, count: int, random_state: int = 0
    ) -> Prototypes:
        """Group customers by the direction of their decayed item frequencies (spherical k-means).

        Parameters
        ----------
        n_baskets
            Shape (customers): visible baskets of each.
        count
            How many prototypes, at most one per ten customers.
        """
        n = len(n_baskets)
        count = max(1, min(count, n // 10))
        unit = _matrix(habits, unit_weights(habits, n), n, n_items)
        liked = _matrix(habits, shares(habits, n_baskets), n, n_items)
        directions = _spread(unit, count, random_state) if n else np.zeros((1, n_items))
        member = np.zeros(n, dtype=np.int64)
        for _ in range(_ROUNDS if n else 0):
            member = np.asarray((unit @ directions.T).argmax(axis=1))
            directions = _means(unit, member, count)
            directions /= np.maximum(np.linalg.norm(directions, axis=1, keepdims=True), 1e-12)
        taste = _means(liked, member, count) if n else np.zeros((1, n_items))
        keep = taste > 1e-5  # a rumour of an item is not a taste
        return cls(np.where(directions > 1e-4, directions, 0.0), np.where(keep, taste, 0.0))

    def scores(self, habits: Habits, n_rows: int, nearest: int) -> Floats:
        """Return the mean taste of each customer's nearest prototypes, weighted by similarity.

        Returns
        -------
        Floats
            Shape (n_rows, items).
        """
        weight = unit_weights(habits, n_rows)
        count, n_items = self.directions.shape
        near = np.zeros((n_rows, count))
        begins = run_starts(habits.customers)
        if len(begins):
            parts = weight[:, None] * self.directions.T[habits.items]
            near[habits.customers[begins]] = np.add.reduceat(parts, begins, axis=0)
        nearest = min(nearest, count)
        cut = -np.partition(-near, nearest - 1, axis=1)[:, nearest - 1 : nearest]
        near = np.where(near >= np.maximum(cut, 1e-12), near, 0.0)
        near /= np.maximum(near.sum(axis=1, keepdims=True), 1e-12)
        score = np.zeros((n_rows, n_items))
        for row in range(n_rows):
            some = np.flatnonzero(near[row])
            score[row] = (near[row, some, None] * self.taste[some]).sum(axis=0)
        return score


def _spread(unit: csr_array, count: int, random_state: int) -> Floats:
    """Choose customers far from each other, each next one by how unlike the chosen it is (k-means++)."""
    rng = np.random.default_rng(random_state)
    chosen = [int(rng.integers(unit.shape[0]))]
    likeness = np.zeros(unit.shape[0])
    while len(chosen) < count:
        newest = np.asarray(unit[chosen[-1:]].todense()).ravel()
        likeness = np.maximum(likeness, unit @ newest)
        unlike = np.maximum(1.0 - likeness, 0.0) ** 2 + 1e-12
        chosen.append(int(rng.choice(len(unlike), p=unlike / unlike.sum())))
    return np.asarray(unit[chosen].todense())


def unit_weights(habits: Habits, n_rows: int) -> Floats:
    """Return decayed frequencies scaled to length 1 per customer."""
    decayed = habits.decayed[:, 0]
    length = np.sqrt(np.bincount(habits.customers, weights=decayed**2, minlength=n_rows))
    return np.asarray(decayed / np.maximum(length, 1e-12)[habits.customers])


def shares(habits: Habits, n_baskets: Ints) -> Floats:
    """Return decayed frequencies over what a customer who buys the item every time would have."""
    decay = 0.95
    most = (1 - decay ** n_baskets.astype(np.float64)) / (1 - decay)
    return np.asarray(habits.decayed[:, 0] / np.maximum(most, 1e-12)[habits.customers])


def _matrix(habits: Habits, values: Floats, n_rows: int, n_items: int) -> csr_array:
    return csr_array((values, (habits.customers, habits.items)), shape=(n_rows, n_items))


def _means(rows: csr_array, member: Ints, count: int) -> Floats:
    one = csr_array((np.ones(len(member)), (member, np.arange(len(member)))), shape=(count, len(member)))
    size = np.maximum(np.bincount(member, minlength=count), 1)
    return np.asarray((one @ rows).todense()) / size[:, None]
