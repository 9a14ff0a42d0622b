"""Everything learnt from all customers as of a day that candidates and features are made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from recommend.baskets import Baskets, Floats, Ints
from recommend.bundles import Bundles
from recommend.habits import Habits
from recommend.items import Items, Shelving
from recommend.neighbours import Prototypes
from recommend.places import Places
from recommend.related import Related, better_of_kind, co_purchase, taste
from recommend.replenish import Replenishment

TYPICAL_CUSTOMERS = 64
SEGMENTS = 12


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What a proposer knows about items and tastes; it names no customer.

    Parameters
    ----------
    items
        Popularity.
    rhythm
        When items are due again.
    together
        What shares baskets.
    tastes
        What shares customers (UP-CF folded onto items).
    bundles
        Pairs with lift and support.
    typical
        Typical customers, many (TIFU-KNN style).
    segments
        Typical customers, few: broad segments of taste.
    better
        Dearer items of the same kind.
    shelving
        Kinds and prices.
    kind_rhythm
        When kinds are due again; empty where each item is its own kind.
    places
        What is bought where; nothing where nobody says.
    """

    items: Items
    rhythm: Replenishment
    together: Related
    tastes: Related
    bundles: Bundles
    typical: Prototypes
    segments: Prototypes
    better: Related
    shelving: Shelving
    kind_rhythm: Replenishment
    places: Places

    @classmethod
    def of(cls, baskets: Baskets, moments: Ints, shelving: Shelving) -> Knowledge:
        """Learn from visible baskets.

        Parameters
        ----------
        baskets
            What is visible of all customers.
        moments
            Shape (customers): the day each is looked at.
        shelving
            Kinds and prices of the items.
        """
        n_items, n = len(shelving.kinds), baskets.n_baskets
        habits = Habits.of(baskets, moments, n_items)
        items = Items.of(baskets, n_items)
        return cls(
            items=items,
            rhythm=Replenishment.of(baskets, habits, moments, n_items),
            together=co_purchase(baskets, n_items),
            tastes=taste(habits, baskets.n_customers, n_items),
            bundles=Bundles.of(baskets, n_items),
            typical=Prototypes.of(habits, n, n_items, TYPICAL_CUSTOMERS),
            segments=Prototypes.of(habits, n, n_items, SEGMENTS, random_state=1),
            better=better_of_kind(shelving, items),
            shelving=shelving,
            kind_rhythm=_kind_rhythm(baskets, moments, shelving),
            places=Places.of(baskets, n_items),
        )

    @property
    def n_items(self) -> int:
        """Size of the vocabulary."""
        return len(self.shelving.kinds)

    def arrays(self) -> dict[str, Floats | Ints]:
        """Return every array by a dotted name, for saving."""
        flat: dict[str, Floats | Ints] = {}
        for part in fields(self):
            value = getattr(self, part.name)
            arrays = {f"{part.name}.{f.name}": getattr(value, f.name) for f in fields(value)}
            flat |= {name: array for name, array in arrays.items() if array is not None}
        return flat

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Any]) -> Knowledge:
        """Read what :meth:`arrays` returned."""

        def part(kind: type[Any], name: str) -> Any:  # noqa: ANN401  (one of the dataclasses below)
            stored = {f.name: f"{name}.{f.name}" for f in fields(kind)}
            return kind(**{own: arrays[dotted] for own, dotted in stored.items() if dotted in arrays})

        return cls(
            items=part(Items, "items"),
            rhythm=part(Replenishment, "rhythm"),
            together=part(Related, "together"),
            tastes=part(Related, "tastes"),
            bundles=part(Bundles, "bundles"),
            typical=part(Prototypes, "typical"),
            segments=part(Prototypes, "segments"),
            better=part(Related, "better"),
            shelving=part(Shelving, "shelving"),
            kind_rhythm=part(Replenishment, "kind_rhythm"),
            places=part(Places, "places"),
        )


def _kind_rhythm(baskets: Baskets, moments: Ints, shelving: Shelving) -> Replenishment:
    if not shelving.has_kinds:
        return Replenishment.none()
    by_kind = baskets.by_kind(shelving.kinds)
    habits = Habits.of(by_kind, moments, shelving.n_kinds)
    return Replenishment.of(by_kind, habits, moments, shelving.n_kinds)


def length_of(habits: Habits, n_rows: int) -> Floats:
    """Return the length of each customer's vector of counts."""
    squared = np.bincount(habits.customers, weights=habits.counts.astype(np.float64) ** 2, minlength=n_rows)
    return np.sqrt(np.maximum(squared, 1e-9))
