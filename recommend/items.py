"""What all customers show about each item: how popular it is, lately and overall."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from recommend.baskets import Baskets, Floats, Ints, side_by_side
from recommend.exposures import require

if TYPE_CHECKING:
    import pandas as pd

DAYS_KEPT = 371
WINDOWS_DAYS = (3, 7, 28)
LEAN_BASKETS = 50.0
REACH_DAYS = 28


@dataclass(frozen=True, slots=True)
class Shelving:
    """What is known of items beforehand, in the order of the vocabulary.

    Parameters
    ----------
    kinds
        Shape (items): number of the kind each item belongs to; items of one kind can stand in for each other.
    prices
        Shape (items): usual price in the ledger's currency; NaN where unknown.
    margins
        Shape (items): what is earned on one, in the same currency; None where unknown of all. A model does
        not keep it.
    """

    kinds: Ints
    prices: Floats
    margins: Floats | None = None

    @classmethod
    def unknown(cls, n_items: int) -> Shelving:
        """Return what holds when nothing is known: each item is its own kind, prices are missing."""
        return cls(np.arange(n_items, dtype=np.int64), np.full(n_items, np.nan))

    @classmethod
    def of(cls, vocabulary: Sequence[str], products: pd.DataFrame | None) -> Shelving:
        """Put kinds and prices in the order of the vocabulary; an item without a kind is its own.

        Parameters
        ----------
        vocabulary
            Names of the items.
        products
            ``item`` and optionally ``kind``, ``price`` and ``margin``.
        """
        blank = cls.unknown(len(vocabulary))
        if products is None:
            return blank
        require(products, ("item",), "products")
        table = products.assign(item=products["item"].astype(str)).drop_duplicates("item").set_index("item")
        names = table["kind"].to_dict() if "kind" in table else {}
        numbers: dict[str, int] = {}
        kinds = []
        for item in vocabulary:
            kind = names.get(item)
            name = f"kind:{kind}" if isinstance(kind, str) and kind else f"item:{item}"
            kinds.append(numbers.setdefault(name, len(numbers)))
        prices = blank.prices
        if "price" in table:
            prices = table["price"].reindex(list(vocabulary)).to_numpy(dtype=np.float64)
        margins = None
        if "margin" in table:
            margins = table["margin"].reindex(list(vocabulary)).to_numpy(dtype=np.float64)
        return cls(np.array(kinds, dtype=np.int64), prices, margins)

    @property
    def n_kinds(self) -> int:
        """How many kinds there are."""
        return int(self.kinds.max()) + 1 if len(self.kinds) else 0

    @property
    def has_kinds(self) -> bool:
        """Whether some items share a kind."""
        return self.n_kinds < len(self.kinds)


@dataclass(frozen=True, slots=True)
class Items:
    """Facts on items as of a day; every array has one entry per item unless it says otherwise.

    Parameters
    ----------
    buyers, orders
        Customers who ever bought it, and baskets that held it.
    rank
        Popularity by orders, 0 the most popular; equal counts in the order of the vocabulary.
    order_share
        Share of all baskets that held it.
    reach
        Share of customers who bought it in the last ``REACH_DAYS`` days.
    basket_size
        Mean number of items in the baskets that held it.
    daily
        Shape (days + 1, items): how many baskets held it up to each of the latest ``DAYS_KEPT`` days.
    daily_baskets
        Shape (days + 1): how many baskets there were up to each of these days.
    first_day
        Shape (1): the day before the first of them, where counting starts at 0.
    """

    buyers: Floats
    orders: Floats
    rank: Ints
    order_share: Floats
    reach: Floats
    basket_size: Floats
    daily: NDArray[np.int32]
    daily_baskets: Ints
    first_day: Ints

    @classmethod
    def of(cls, baskets: Baskets, n_items: int) -> Items:
        """Count visible baskets."""
        pairs = baskets.pair_keys(n_items)
        orders = np.bincount(baskets.items, minlength=n_items).astype(np.float64)
        rank = np.empty(n_items, dtype=np.int64)
        rank[np.argsort(-orders, kind="stable")] = np.arange(n_items)
        share = orders / max(len(baskets.days), 1)
        last = int(baskets.days.max()) if len(baskets.days) else 0
        recent = baskets.between(last - REACH_DAYS, last).pair_keys(n_items)
        first = max(last - DAYS_KEPT, int(baskets.days.min(initial=last)) - 1)
        daily, daily_baskets = _daily(baskets, first, last, n_items)
        sizes = baskets.sizes[baskets.line_baskets()].astype(np.float64)
        mean_size = sizes.mean() if len(sizes) else 0.0
        held = np.bincount(baskets.items, weights=sizes, minlength=n_items)
        return cls(
            buyers=np.bincount(pairs % n_items, minlength=n_items).astype(np.float64),
            orders=orders,
            rank=rank,
            order_share=share,
            reach=np.bincount(recent % n_items, minlength=n_items) / max(baskets.n_customers, 1),
            basket_size=(held + 3 * mean_size) / (orders + 3),
            daily=daily,
            daily_baskets=daily_baskets,
            first_day=np.array([first], dtype=np.int64),
        )

    def lately(self, moments: Ints, items: Ints) -> Floats:
        """Return the share of baskets that held items in the last days before each moment.

        Thin windows lean on the overall share.

        Parameters
        ----------
        moments, items
            Shape (pairs).

        Returns
        -------
        Floats
            Shape (pairs, windows), one column for each of ``WINDOWS_DAYS``.
        """
        end = np.clip(moments - 1 - self.first_day[0], 0, len(self.daily) - 1)
        lean = LEAN_BASKETS * self.order_share[items]
        shares = []
        for width in WINDOWS_DAYS:
            start = np.maximum(end - width, 0)
            held = self.daily[end, items] - self.daily[start, items]
            seen = self.daily_baskets[end] - self.daily_baskets[start]
            shares.append((held + lean) / (seen + LEAN_BASKETS))
        return side_by_side(shares)


def _daily(baskets: Baskets, first: int, last: int, n_items: int) -> tuple[NDArray[np.int32], Ints]:
    """Count baskets, and those that held each item, from the day after ``first`` up to each day."""
    day = baskets.days - first
    line_day = day[baskets.line_baskets()]
    kept = line_day > 0
    days = last - first + 1
    counts = np.bincount(line_day[kept] * n_items + baskets.items[kept], minlength=days * n_items)
    table = np.cumsum(counts.reshape(days, n_items).astype(np.int32), axis=0, dtype=np.int32)
    return table, np.cumsum(np.bincount(day[day > 0], minlength=days)).astype(np.int64)
