"""Who bought what when, for many customers at once, as plain arrays: what every model here reads.

One customer on a live request and a hundred thousand in a training run take the same shape, so the same code
describes both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from clv.errors import DataError
from recommend.history import History

Ints: TypeAlias = NDArray[np.int64]
Floats: TypeAlias = NDArray[np.float64]
Flags: TypeAlias = NDArray[np.bool_]


NOWHERE = -1


def _no_places() -> Ints:
    return np.zeros(0, dtype=np.int64)


def run_starts(keys: Ints) -> Ints:
    """Return where each run of equal values begins in an array whose equal values are adjacent.

    Examples
    --------
    >>> run_starts(np.array([4, 4, 7, 9, 9])).tolist()
    [0, 2, 3]
    """
    if not len(keys):
        return np.zeros(0, dtype=np.int64)
    return np.flatnonzero(np.concatenate(([True], keys[1:] != keys[:-1])))


def side_by_side(parts: Sequence[Floats | Ints | Flags]) -> Floats:
    """Return columns, and tables of columns, as one table: for few rows much faster than NumPy's own.

    Examples
    --------
    >>> side_by_side((np.array([1, 2]), np.array([[3.0, 4.0], [5.0, 6.0]]))).tolist()
    [[1.0, 3.0, 4.0], [2.0, 5.0, 6.0]]
    """
    widths = [1 if part.ndim == 1 else part.shape[1] for part in parts]
    table = np.empty((len(parts[0]), sum(widths)))
    start = 0
    for part, width in zip(parts, widths, strict=True):
        if part.ndim == 1:
            table[:, start] = part
        else:
            table[:, start : start + width] = part
        start += width
    return table


@dataclass(frozen=True, slots=True)
class Baskets:
    """The baskets of customers 0, 1, 2 ..., each customer's in the order they were bought.

    Parameters
    ----------
    starts
        Shape (customers + 1): customer c owns the baskets ``starts[c]`` to ``starts[c + 1]``.
    days
        Shape (baskets): day of each basket, days since 1970-01-01.
    line_starts
        Shape (baskets + 1): basket b holds the lines ``line_starts[b]`` to ``line_starts[b + 1]``.
    items
        Shape (lines): index of the item of each line, ascending and distinct within a basket.
    places
        Shape (baskets): number of the store or branch of each, ``NOWHERE`` if not known; empty where nobody
        says where anything was bought.
    """

    starts: Ints
    days: Ints
    line_starts: Ints
    items: Ints
    places: Ints = field(default_factory=_no_places)

    @classmethod
    def from_lines(
        cls,
        customers: Ints,
        items: Ints,
        days: Ints,
        n_customers: int,
        order: Ints | None = None,
        places: Ints | None = None,
    ) -> Baskets:
        """Gather order lines into baskets.

        Parameters
        ----------
        customers, items, days
            Shape (lines): index of the customer, index of the item (negative: the basket counts, the item is
            unknown) and day of each line, in any order.
        n_customers
            How many customers there are, with or without lines.
        order
            Shape (lines): what tells one basket of a customer from the next; the day if not given.
        places
            Shape (lines): where each was bought; a basket of several places counts for the highest number.

        Examples
        --------
        >>> b = Baskets.from_lines(np.array([0, 0, 1]), np.array([2, 1, 2]), np.array([5, 5, 9]), 2)
        >>> b.n_baskets.tolist(), b.items.tolist()
        ([1, 1], [1, 2, 2])
        """
        if not len(customers) == len(items) == len(days):
            raise DataError("Customers, items and days differ in length.", hint="Give one of each per line.")
        order = days if order is None else order
        sort = np.lexsort((items, order, customers))
        customers, items, days, order = customers[sort], items[sort], days[sort], order[sort]
        new = np.ones(len(customers), dtype=bool)
        new[1:] = (customers[1:] != customers[:-1]) | (order[1:] != order[:-1])
        basket = np.cumsum(new) - 1
        distinct = np.ones(len(customers), dtype=bool)
        distinct[1:] = new[1:] | (items[1:] != items[:-1])
        distinct &= items >= 0
        n = int(new.sum())
        return cls(
            starts=_starts(customers[new], n_customers),
            days=days[new].astype(np.int64),
            line_starts=_starts(basket[distinct], n),
            items=items[distinct].astype(np.int64),
            places=_no_places() if places is None or not n else _highest(places[sort], new),
        )

    @classmethod
    def from_history(
        cls, history: History, item_index: Mapping[str, int], place_index: Mapping[str, int] | None = None
    ) -> Baskets:
        """Put one history in this form; items outside ``item_index`` leave their basket in place."""
        item = np.array([item_index.get(name, -1) for name in history.items], dtype=np.int64)
        sizes = np.array([len(p) for p in history.positions], dtype=np.int64)
        place = np.fromiter((p for held in history.positions for p in held), dtype=np.int64)
        items = np.repeat(item, sizes)
        known = items >= 0
        items, place = items[known], place[known]
        sort = np.lexsort((items, place))
        n = len(history.order_days)
        return cls(
            starts=np.array([0, n], dtype=np.int64),
            days=np.array(history.order_days, dtype=np.int64),
            line_starts=_starts(place[sort], n),
            items=items[sort],
            places=_numbers(history.places, place_index or {}, n),
        )

    @classmethod
    def join(cls, many: Sequence[Baskets]) -> Baskets:
        """Return several customers' baskets as one, numbered in their order."""
        if len(many) == 1:
            return many[0]
        told = any(len(one.places) for one in many)
        places = [one.places if len(one.places) else np.full(len(one.days), NOWHERE) for one in many]
        return cls(
            starts=_end_to_end([one.starts for one in many]),
            days=np.concatenate([one.days for one in many]),
            line_starts=_end_to_end([one.line_starts for one in many]),
            items=np.concatenate([one.items for one in many]),
            places=np.concatenate(places) if told else _no_places(),
        )

    @property
    def n_customers(self) -> int:
        """How many customers there are."""
        return len(self.starts) - 1

    @property
    def n_baskets(self) -> Ints:
        """Baskets of each customer."""
        return self.starts[1:] - self.starts[:-1]

    @property
    def sizes(self) -> Ints:
        """Lines in each basket."""
        return self.line_starts[1:] - self.line_starts[:-1]

    def basket_customers(self) -> Ints:
        """Return the customer of each basket."""
        return np.repeat(np.arange(self.n_customers), self.n_baskets)

    def basket_positions(self) -> Ints:
        """Return the place of each basket in its customer's order, from 0."""
        return np.arange(len(self.days)) - np.repeat(self.starts[:-1], self.n_baskets)

    def line_baskets(self) -> Ints:
        """Return the basket of each line."""
        return np.repeat(np.arange(len(self.days)), self.sizes)

    def last_days(self) -> Ints:
        """Return the day of each customer's latest basket; 0 for a customer without one."""
        last = np.zeros(self.n_customers, dtype=np.int64)
        some = self.n_baskets > 0
        last[some] = self.days[self.starts[1:][some] - 1]
        return last

    def last_places(self) -> Ints:
        """Return where each customer bought last as far as that is known, else ``NOWHERE``."""
        last = np.full(self.n_customers, NOWHERE, dtype=np.int64)
        if len(self.places):
            known = np.flatnonzero(self.places >= 0)
            last[self.basket_customers()[known]] = self.places[known]  # in order of time: the latest stays
        return last

    def at(self, places: Ints | None) -> Flags:
        """Return which baskets were bought at the given place of their customer.

        Parameters
        ----------
        places
            Shape (customers): a place each, ``NOWHERE`` if not known; none known if not given.
        """
        if places is None or not len(self.places):
            return np.zeros(len(self.days), dtype=bool)
        return np.asarray((self.places >= 0) & (self.places == np.repeat(places, self.n_baskets)))

    def keep(self, baskets: Flags) -> Baskets:
        """Return the same customers with only the flagged baskets."""
        counts = np.concatenate(([0], np.cumsum(baskets)))
        sizes = self.sizes
        return Baskets(
            starts=counts[self.starts].astype(np.int64),
            days=self.days[baskets],
            line_starts=np.concatenate(([0], np.cumsum(sizes[baskets]))).astype(np.int64),
            items=self.items[np.repeat(baskets, sizes)],
            places=self.places[baskets] if len(self.places) else self.places,
        )

    def until(self, day: int) -> Baskets:
        """Return what was visible at the end of a day."""
        return self.keep(self.days <= day)

    def between(self, after: int, until: int) -> Baskets:
        """Return the baskets later than the day ``after`` and not later than the day ``until``."""
        return self.keep((self.days > after) & (self.days <= until))

    def without_last(self, count: int) -> Baskets:
        """Return each customer's baskets but the latest ``count``."""
        remaining = np.repeat(self.n_baskets, self.n_baskets) - self.basket_positions()
        return self.keep(remaining > count)

    def last(self, count: int = 1) -> Baskets:
        """Return each customer's latest ``count`` baskets."""
        remaining = np.repeat(self.n_baskets, self.n_baskets) - self.basket_positions()
        return self.keep(remaining <= count)

    def slice(self, start: int, stop: int) -> Baskets:
        """Return the customers ``start`` to ``stop``, renumbered from 0."""
        first, end = int(self.starts[start]), int(self.starts[stop])
        lines = slice(int(self.line_starts[first]), int(self.line_starts[end]))
        return Baskets(
            starts=self.starts[start : stop + 1] - first,
            days=self.days[first:end],
            line_starts=self.line_starts[first : end + 1] - self.line_starts[first],
            items=self.items[lines],
            places=self.places[first:end],
        )

    def take(self, customers: Ints) -> Baskets:
        """Return the given customers, in ascending order, renumbered from 0."""
        chosen = np.zeros(self.n_customers, dtype=bool)
        chosen[customers] = True
        kept = self.keep(np.repeat(chosen, self.n_baskets))
        ends = np.concatenate(([0], np.cumsum(self.n_baskets[chosen])))
        return Baskets(ends.astype(np.int64), kept.days, kept.line_starts, kept.items, kept.places)

    def by_kind(self, kinds: Ints) -> Baskets:
        """Return the same baskets with each item replaced by its kind.

        Parameters
        ----------
        kinds
            Shape (items): kind of each item.
        """
        n_kinds = int(kinds.max()) + 1 if len(kinds) else 1
        keys = np.unique(self.line_baskets() * n_kinds + kinds[self.items])
        lines = _starts(keys // n_kinds, len(self.days))
        return Baskets(self.starts, self.days, lines, keys % n_kinds, self.places)

    def pair_keys(self, n_items: int) -> Ints:
        """Return the distinct (customer, item) pairs as sorted numbers ``customer * n_items + item``."""
        customers = self.basket_customers()[self.line_baskets()]
        return np.unique(customers * n_items + self.items)


def _end_to_end(starts: Sequence[Ints]) -> Ints:
    """Return running starts that continue where those before end."""
    sizes = np.concatenate([np.diff(one) for one in starts])
    return np.concatenate(([0], np.cumsum(sizes))).astype(np.int64)


def _starts(sorted_owner: Ints, n_owners: int) -> Ints:
    return np.searchsorted(sorted_owner, np.arange(n_owners + 1)).astype(np.int64)


def _highest(places: Ints, new: Flags) -> Ints:
    return np.asarray(np.maximum.reduceat(places, np.flatnonzero(new)), dtype=np.int64)


def _numbers(names: tuple[str, ...], index: Mapping[str, int], n: int) -> Ints:
    if not index or len(names) != n:
        return _no_places()
    return np.array([index.get(name, NOWHERE) for name in names], dtype=np.int64)
