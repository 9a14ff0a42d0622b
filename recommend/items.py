"""What all customers show about each item: how popular it is, lately and overall."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from recommend.baskets import Baskets, Floats, Ints
from recommend.exposures import require

if TYPE_CHECKING:
    import pandas as pd

WEEKS = 53
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
    """

    kinds: Ints
    prices: Floats

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
            ``item`` and optionally ``kind`` and ``price``.
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
        return cls(np.array(kinds, dtype=np.int64), prices)

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
    weekly
        Shape (weeks + 1, items): share of baskets that held it, ``weekly[1]`` in the last seven days,
        ``weekly[2]`` in the seven before, and so on; ``weekly[0]`` is not used. Thin weeks lean on the
        overall share.
    last_day
        Shape (1): the last day of the last week.
    """

    buyers: Floats
    orders: Floats
    rank: Ints
    order_share: Floats
    reach: Floats
    basket_size: Floats
    weekly: Floats
    last_day: Ints

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
            weekly=_weekly(baskets, share, last, n_items),
            last_day=np.array([last], dtype=np.int64),
        )

    def lately(self, moments: Ints, items: Ints) -> tuple[Floats, Floats]:
        """Return the basket share of items in the last full week before each moment, and in the last four.

        Parameters
        ----------
        moments, items
            Shape (pairs).
        """
        ago = np.clip((self.last_day[0] - moments) // 7 + 2, 1, len(self.weekly) - 4)
        ago = np.where(moments > self.last_day[0], 1, ago)
        month = sum(self.weekly[ago + w, items] for w in range(4)) / 4.0
        return self.weekly[ago, items], np.asarray(month)


def _weekly(baskets: Baskets, share: Floats, last: int, n_items: int) -> Floats:
    """Return the share of each week's baskets that held each item, leaning on the overall share."""
    week = (last - baskets.days) // 7 + 1
    seen = week <= WEEKS
    line_week = week[baskets.line_baskets()]
    kept = line_week <= WEEKS
    counts = np.bincount(line_week[kept] * n_items + baskets.items[kept], minlength=(WEEKS + 1) * n_items)
    totals = np.bincount(week[seen], minlength=WEEKS + 1)
    lean = 50.0
    table = (counts.reshape(WEEKS + 1, n_items) + lean * share) / (totals[:, None] + lean)
    return table.astype(np.float32).astype(np.float64)
