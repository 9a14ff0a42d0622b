"""The numbers the propensity model sees for a customer and a candidate item.

One function makes them for training, for a batch and for one customer in a chat, so they cannot drift apart.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from recommend.baskets import Baskets, Floats, Ints
from recommend.habits import DECAYS_PER_BASKET, HALF_LIVES_DAYS, WINDOWS_BASKETS, Habits
from recommend.items import Items
from recommend.sources import SOURCES, Knowledge, Proposals

Matrix: TypeAlias = NDArray[np.float32]

CUSTOMER_FEATURES = (
    "baskets",
    "basket_size",
    "last_basket_size",
    "distinct_items",
    "repeat_share",
    "days_since_last_basket",
    "mean_gap_days",
    "gap_ratio",
    "history_days",
    "weekday",
)
ITEM_FEATURES = (
    "item_rank",
    "item_order_share",
    "item_reach",
    "item_trend",
    "item_rebuy_share",
    "item_gap_days",
    "item_gap_spread",
    "item_repeats_per_buyer",
)
OWN_FEATURES = (
    "times_bought",
    "share_of_baskets",
    "share_since_first",
    "baskets_since_item",
    "days_since_item",
    "item_own_gap_days",
    "item_own_gap_spread",
    "item_last_gap_days",
    "due_ratio",
    "due_ratio_expected",
    "baskets_due_ratio",
    "repeat_rate",
    "expected_in_gap",
    *(f"decayed_{round(100 * d)}" for d in DECAYS_PER_BASKET),
    *(f"faded_{round(h)}_days" for h in HALF_LIVES_DAYS),
    *(f"in_last_{w}" for w in WINDOWS_BASKETS),
)
SOURCE_FEATURES = (*(f"{s}_score" for s in SOURCES), *(f"{s}_rank" for s in SOURCES))
FEATURES: tuple[str, ...] = (*CUSTOMER_FEATURES, *ITEM_FEATURES, *OWN_FEATURES, *SOURCE_FEATURES)


def describe(
    baskets: Baskets, habits: Habits, moments: Ints, knowledge: Knowledge, proposals: Proposals
) -> Matrix:
    """Return one row of ``FEATURES`` per proposal; what does not apply is missing (NaN).

    Parameters
    ----------
    baskets, habits
        What is visible of the customers.
    moments
        Shape (customers): the day the question is asked.
    knowledge
        What was learnt from all customers.
    proposals
        The pairs to describe.
    """
    who, item = proposals.customers, proposals.items
    customer = _customers(baskets, habits, moments)
    own = _own(baskets, habits, moments, knowledge.items, who, item)
    out = np.empty((len(who), len(FEATURES)), dtype=np.float32)
    a, b = len(CUSTOMER_FEATURES), len(CUSTOMER_FEATURES) + len(ITEM_FEATURES)
    out[:, :a] = customer[who]
    out[:, a:b] = item_table(knowledge.items)[item]
    out[:, b : b + len(OWN_FEATURES)] = own
    out[:, b + len(OWN_FEATURES) : b + len(OWN_FEATURES) + len(SOURCES)] = proposals.scores
    out[:, b + len(OWN_FEATURES) + len(SOURCES) :] = proposals.ranks
    return out


def item_table(items: Items) -> Floats:
    """Return the ``ITEM_FEATURES`` of every item."""
    return np.column_stack(
        (
            items.rank,
            items.order_share,
            items.reach,
            items.trend,
            items.rebuy_share,
            items.gap_days,
            items.gap_spread,
            items.orders / np.maximum(items.buyers, 1.0),
        )
    )


def _customers(baskets: Baskets, habits: Habits, moments: Ints) -> Floats:
    n = baskets.n_baskets.astype(np.float64)
    some = n > 0
    sizes = baskets.sizes.astype(np.float64)
    lines = np.bincount(baskets.basket_customers(), weights=sizes, minlength=len(n))
    distinct = np.bincount(habits.customers, minlength=len(n)).astype(np.float64)
    last_size, first_day = np.zeros(len(n)), moments.copy()
    last_size[some] = sizes[baskets.starts[1:][some] - 1]
    first_day[some] = baskets.days[baskets.starts[:-1][some]]
    last_day = np.where(some, baskets.last_days(), moments)
    since = np.where(some, (moments - last_day).astype(np.float64), np.nan)
    gap = (last_day - first_day) / np.where(n > 1, n - 1, np.nan)
    return np.column_stack(
        (
            n,
            lines / np.maximum(n, 1),
            last_size,
            distinct,
            1.0 - distinct / np.maximum(lines, 1),
            since,
            gap,
            since / np.maximum(gap, 0.5),
            (moments - first_day).astype(np.float64),
            ((moments + 3) % 7).astype(np.float64),  # 1970-01-01 was a Thursday; 0 is Monday
        )
    )


def _own(baskets: Baskets, habits: Habits, moments: Ints, items: Items, who: Ints, item: Ints) -> Floats:
    """Return the ``OWN_FEATURES`` of each pair; NaN where the customer never bought the item."""
    row, found = habits.find(who * len(items.rank) + item)
    if not len(habits.keys):
        return _never_bought(len(who))
    n = baskets.n_baskets[who].astype(np.float64)
    count = habits.counts[row].astype(np.float64)
    since_baskets = n - habits.last[row]
    since = (moments[who] - habits.last_days[row]).astype(np.float64)
    known = (moments[who] - habits.first_days[row]).astype(np.float64)
    repeats = count - 1
    several = np.where(repeats > 0, repeats, np.nan)
    span = (habits.last_days[row] - habits.first_days[row]).astype(np.float64)
    gap = span / several
    spread = np.sqrt(np.maximum(habits.gap_squares[row] / several - gap**2, 0.0)) / np.maximum(gap, 0.5)
    basket_gap = (habits.last[row] - habits.first[row]) / several
    rate = (repeats + items.rate_shape[item]) / (known + items.rate_days[item])
    expected_gap = (span + 2 * items.gap_days[item]) / (repeats + 2)
    visit_gap = np.maximum(moments[who] - baskets.last_days()[who], 1)
    table = np.column_stack(
        (
            count,
            count / np.maximum(n, 1),
            count / np.maximum(n - habits.first[row], 1),
            since_baskets,
            since,
            gap,
            spread,
            np.where(repeats > 0, habits.last_gaps[row], np.nan),
            since / np.maximum(gap, 0.5),
            since / np.maximum(expected_gap, 0.5),
            since_baskets / basket_gap,
            rate,
            rate * visit_gap,
            habits.decayed[row],
            habits.faded[row],
            habits.recent[row],
        )
    )
    table[found == 0] = _never_bought(1)
    return table


def _never_bought(rows: int) -> Floats:
    table = np.full((rows, len(OWN_FEATURES)), np.nan)
    table[:, OWN_FEATURES.index("times_bought")] = 0.0
    return table
