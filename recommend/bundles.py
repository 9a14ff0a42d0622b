"""What is bought together: the items an item's baskets also hold, with support, confidence and lift."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from recommend.baskets import Baskets, Floats, Ints
from recommend.related import Related, co_purchase

LEAST_SUPPORT = 5
LEAST_LIFT = 1.2


@dataclass(frozen=True, slots=True)
class Bundles:
    """Association of pairs within baskets, strongest first; padding has no confidence.

    Parameters
    ----------
    items
        Shape (items, width): what goes with each item.
    confidence
        Share of the item's baskets that also hold it.
    lift
        That share over the share of all baskets.
    support
        How many baskets held both.
    """

    items: Ints
    confidence: Floats
    lift: Floats
    support: Floats

    @classmethod
    def of(cls, baskets: Baskets, n_items: int, width: int = 20) -> Bundles:
        """Find pairs of enough common baskets and lift, best confidence first.

        Examples
        --------
        >>> customers, days = np.repeat(0, 20), np.repeat(np.arange(10), 2)
        >>> b = Baskets.from_lines(customers, np.tile([0, 1], 10), days, 1)
        >>> found = Bundles.of(b, 3)
        >>> found.support[0].tolist(), found.lift[0].tolist()
        ([0.0, 0.0], [0.0, 0.0])

        All ten baskets hold both, so the second item says nothing about the first: no lift, no bundle.
        """
        orders = np.bincount(baskets.items, minlength=n_items).astype(np.float64)
        share = orders / max(len(baskets.days), 1)
        near = co_purchase(baskets, n_items, width=min(4 * width, max(n_items - 1, 1)), shrink=0.0)
        confidence = near.strength
        support = np.rint(confidence * orders[:, None])
        lift = confidence / np.maximum(share[near.items], 1e-12)
        kept = (support >= LEAST_SUPPORT) & (lift >= LEAST_LIFT)
        # confident pairs first; what is left out sinks to the end as padding
        order = np.argsort(-np.where(kept, confidence, 0.0), axis=1, kind="stable")[:, :width]

        def ordered(values: Floats) -> Floats:
            return np.take_along_axis(np.where(kept, values, 0.0), order, axis=1)

        return cls(
            items=np.take_along_axis(near.items, order, axis=1),
            confidence=ordered(confidence),
            lift=ordered(lift),
            support=ordered(support),
        )

    def related(self) -> Related:
        """Return the pairs as relations of strength ``confidence``."""
        return Related(self.items, self.confidence)

    def lift_of(self, one: int, other: int) -> float:
        """Return the lift of a pair; 1 where the baskets show none."""
        place = np.flatnonzero((self.items[one] == other) & (self.confidence[one] > 0))
        return float(self.lift[one, place[0]]) if len(place) else 1.0

    def joint(self, items: Sequence[int], chances: Sequence[float]) -> float:
        """Return the chance that all items are taken, each next one lifted by the closest taken before it.

        Examples
        --------
        >>> nothing = Bundles(np.array([[1], [0]]), *(np.zeros((2, 1)) for _ in range(3)))
        >>> nothing.joint([0, 1], [0.5, 0.2])
        0.1
        """
        all_taken = 1.0
        for place, (item, chance) in enumerate(zip(items, chances, strict=True)):
            lift = max((self.lift_of(other, item) for other in items[:place]), default=1.0)
            all_taken *= min(1.0, chance * lift)
        return min([all_taken, *chances])
