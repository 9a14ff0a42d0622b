"""Candidates of many customers at once, by column, before each customer gets their own."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

import numpy as np

from recommend.baskets import Flags, Floats, Ints
from recommend.sources import SOURCES

MENTION: Final = "mention"
CAMPAIGN: Final = "campaign"
SOURCE_NAMES: Final = (MENTION, *SOURCES, CAMPAIGN)  # in the order in which a candidate names them
SOURCE_BITS: Final = {name: 1 << place for place, name in enumerate(SOURCE_NAMES)}
PUT_BITS: Final = np.array([SOURCE_BITS[name] for name in SOURCES], dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Drawn:
    """Pairs of customer and candidate.

    Parameters
    ----------
    customers
        Shape (pairs).
    places, items
        Shape (pairs): of the offer in the catalogue, and number of the item on the shelf.
    sources
        Shape (pairs): who put it forward, a bit for each of ``SOURCE_NAMES``.
    propensity, propensity_raw
        Shape (pairs).
    rows
        Shape (pairs): the row of numbers its model saw, -1 if no model was asked.
    """

    customers: Ints
    places: Ints
    items: Ints
    sources: Ints
    propensity: Floats
    propensity_raw: Floats
    rows: Ints

    def take(self, kept: Ints) -> Drawn:
        """Return the given pairs."""
        return Drawn(
            self.customers[kept],
            self.places[kept],
            self.items[kept],
            self.sources[kept],
            self.propensity[kept],
            self.propensity_raw[kept],
            self.rows[kept],
        )

    def at(self, places: Ints) -> Drawn:
        """Return the same pairs with the places of their offers."""
        return replace(self, places=places)

    def moved(self, rows: int) -> Drawn:
        """Return the same pairs with their rows counted from another start."""
        return replace(self, rows=self.rows + rows)

    @classmethod
    def none(cls) -> Drawn:
        """Return no pairs."""
        no, nothing = np.zeros(0, dtype=np.int64), np.zeros(0)
        return cls(no, no, no, no, nothing, nothing, no)

    @classmethod
    def join(cls, one: Drawn, other: Drawn) -> Drawn:
        """Put both together."""
        return cls(
            np.concatenate((one.customers, other.customers)),
            np.concatenate((one.places, other.places)),
            np.concatenate((one.items, other.items)),
            np.concatenate((one.sources, other.sources)),
            np.concatenate((one.propensity, other.propensity)),
            np.concatenate((one.propensity_raw, other.propensity_raw)),
            np.concatenate((one.rows, other.rows)),
        )


class Bits:
    """The sources behind a sum of bits, by name.

    Examples
    --------
    >>> sets = Bits(("popular", "campaign"))
    >>> sets[3], sets.name("campaign", np.array([1, 2, 3])).tolist()
    (('popular', 'campaign'), [False, True, True])
    """

    def __init__(self, names: tuple[str, ...] = SOURCE_NAMES) -> None:
        self.names = names
        self._read = lru_cache(maxsize=4096)(self._named)

    def __getitem__(self, bits: int) -> tuple[str, ...]:
        return self._read(int(bits))

    def name(self, source: str, numbers: Ints) -> Flags:
        """Return which of the sums name a source."""
        if source not in self.names:
            return np.zeros(len(numbers), dtype=bool)
        return np.asarray((numbers & (1 << self.names.index(source))) > 0)

    def _named(self, bits: int) -> tuple[str, ...]:
        return tuple(name for place, name in enumerate(self.names) if bits >> place & 1)
