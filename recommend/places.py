"""Which items go at which place: every store or branch has its own range and its own favourites."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recommend.baskets import Baskets, Floats, Ints

RECENT_DAYS = 28
LEAN_BASKETS = 30.0
MOST_LINES = 2_000_000


@dataclass(frozen=True, slots=True)
class Places:
    """Which items were bought where and when; it names no customer.

    Parameters
    ----------
    lines
        Shape (lines), ascending: ``(place * n_items + item) * n_days + day`` of each line, days counted from
        the first one kept. Of a long log the latest ``MOST_LINES`` lines are kept.
    visits
        Shape (baskets), ascending: ``place * n_days + day`` of each basket of these days.
    measures
        Shape (3): ``n_items``, the first day kept, ``n_days``.
    """

    lines: Ints
    visits: Ints
    measures: Ints

    @classmethod
    def of(cls, baskets: Baskets, n_items: int) -> Places:
        """Note what was bought where; nothing where nobody says."""
        known = baskets.places >= 0
        if not known.any():
            return cls.none(n_items)
        known &= baskets.days > _day_before(baskets.days[known], baskets.sizes[known])
        days, places = baskets.days[known], baskets.places[known]
        first = int(days.min())
        n_days = int(days.max()) - first + 1
        line = np.repeat(known, baskets.sizes)
        basket = baskets.line_baskets()[line]
        cell = baskets.places[basket] * n_items + baskets.items[line]
        return cls(
            lines=np.sort(cell * n_days + baskets.days[basket] - first),
            visits=np.sort(places * n_days + days - first),
            measures=np.array([n_items, first, n_days], dtype=np.int64),
        )

    @classmethod
    def none(cls, n_items: int) -> Places:
        """Return what is known where nobody says where anything was bought."""
        no = np.zeros(0, dtype=np.int64)
        return cls(no, no, np.array([n_items, 0, 1], dtype=np.int64))

    def shares(self, places: Ints, items: Ints, moments: Ints, usual: Floats) -> Floats:
        """Return the share of a place's baskets that held an item, lately and overall, before a day.

        Parameters
        ----------
        places, items, moments
            Shape (pairs).
        usual
            Shape (pairs): the item's share of all baskets, which places with few baskets lean on.

        Returns
        -------
        Floats
            Shape (pairs, 2): over the last ``RECENT_DAYS`` days, and over all days kept.
        """
        n_items, first, n_days = self.measures.tolist()
        end = np.clip(moments - first, 0, n_days)
        begins = np.stack((np.clip(moments - first - RECENT_DAYS, 0, n_days), np.zeros_like(end)))
        held = _between(self.lines, (places * n_items + items) * n_days, begins, end)
        seen = _between(self.visits, places * n_days, begins, end)
        shares: Floats = ((held + LEAN_BASKETS * usual) / (seen + LEAN_BASKETS)).T
        return shares


def _between(keys: Ints, base: Ints, begins: Ints, end: Ints) -> Ints:
    """Count the keys from ``base + begins`` up to but without ``base + end``."""
    return np.asarray(np.searchsorted(keys, base + end) - np.searchsorted(keys, base + begins))


def _day_before(days: Ints, sizes: Ints) -> int:
    """Return the day after which at most ``MOST_LINES`` lines lie, at least those of the latest day."""
    order = np.argsort(-days, kind="stable")
    over = np.flatnonzero(np.cumsum(sizes[order]) > MOST_LINES)
    if not len(over):
        return int(days.min()) - 1
    return min(int(days[order[over[0]]]), int(days.max()) - 1)
