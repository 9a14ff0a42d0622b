"""The numbers the propensity model sees for a customer and a candidate item.

One function makes them for training, for a batch and for one customer in a chat, so they cannot drift apart.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from recommend.baskets import Baskets, Flags, Floats, Ints, side_by_side
from recommend.habits import DECAYS_PER_BASKET, HALF_LIVES_DAYS, WINDOWS_BASKETS, Habits
from recommend.knowledge import Knowledge
from recommend.replenish import too_early, usual_gap
from recommend.sources import SOURCES, Proposals

Matrix: TypeAlias = NDArray[np.float32]

CUSTOMER_FEATURES = (
    "baskets",
    "basket_size",
    "recent_basket_size",
    "last_basket_size",
    "weekday_basket_size",
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
    "item_basket_size",
    "item_rebuy_share",
    "item_gap_days",
    "item_gap_spread",
    "item_repeats_per_buyer",
)
MOMENT_FEATURES = (
    "item_week_share",
    "item_trend_3_days",
    "item_trend_week",
    "item_trend_month",
    "item_trend_change",
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
    "due_ratio_baskets",
    "due_chance",
    "due_chance_ratio",
    "repeat_rate",
    "expected_in_gap",
    "weekday_share",
    "basket_size_with_item",
    *(f"decayed_{round(100 * d)}" for d in DECAYS_PER_BASKET),
    *(f"faded_{round(h)}_days" for h in HALF_LIVES_DAYS),
    *(f"in_last_{w}" for w in WINDOWS_BASKETS),
)
KIND_FEATURES = (
    "kind_times_bought",
    "kind_days_since",
    "kind_decayed",
    "kind_faded",
    "kind_in_last_6",
    "kind_share_of_baskets",
    "kind_baskets_since",
    "kind_due_ratio",
    "kind_due_chance",
    "share_of_kind",
)
PLACE_FEATURES = (
    "place_visits",
    "place_visit_share",
    "place_basket_size",
    "same_place",
    "item_place_share_month",
    "item_place_share",
    "item_place_month_ratio",
    "item_place_ratio",
    "own_place_count",
    "own_place_share",
)
SOURCE_FEATURES = (*(f"{s}_score" for s in SOURCES), *(f"{s}_rank" for s in SOURCES))
FEATURES: tuple[str, ...] = (
    *CUSTOMER_FEATURES,
    *ITEM_FEATURES,
    *MOMENT_FEATURES,
    *OWN_FEATURES,
    *KIND_FEATURES,
    *PLACE_FEATURES,
    *SOURCE_FEATURES,
)
_EARLY = [
    FEATURES.index(n) for n in ("times_bought", "item_own_gap_days", "days_since_item", "item_gap_days")
]


def describe(
    baskets: Baskets,
    habits: Habits,
    moments: Ints,
    knowledge: Knowledge,
    proposals: Proposals,
    at: Ints | None = None,
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
    at
        Shape (customers): the place of the moment that ``habits`` were made for, ``NOWHERE`` if not known.
    """
    who, item = proposals.customers, proposals.items
    out = np.empty((len(who), len(FEATURES)), dtype=np.float32)
    parts = (
        _customers(baskets, habits, moments)[who],
        item_table(knowledge)[item],
        _lately(moments, knowledge, who, item),
        _own(baskets, habits, moments, knowledge, who, item),
        _kinds(baskets, habits, moments, knowledge, who, item),
        _here(baskets, habits, moments, knowledge, at, who, item),
        proposals.scores,
        proposals.ranks,
    )
    start = 0
    for part in parts:
        out[:, start : start + part.shape[1]] = part
        start += part.shape[1]
    return out


def early(rows: Matrix, horizon_days: int) -> Flags:
    """Return which described pairs are own items bought too lately to be asked about again.

    Parameters
    ----------
    rows
        Shape (pairs, features), as :func:`describe` returns them.
    horizon_days
        The period looked ahead.
    """
    times, gap, since, item_gap = rows[:, _EARLY].astype(np.float64).T
    repeats = np.maximum(times - 1, 0.0)
    usual = usual_gap(repeats, np.where(repeats > 0, gap * repeats, 0.0), item_gap)
    return np.asarray((times > 0) & too_early(usual, since, horizon_days))


def item_table(knowledge: Knowledge) -> Floats:
    """Return the ``ITEM_FEATURES`` of every item."""
    items, rhythm = knowledge.items, knowledge.rhythm
    return side_by_side(
        (
            items.rank,
            items.order_share,
            items.reach,
            items.basket_size,
            rhythm.rebuy_share,
            rhythm.gap_days,
            rhythm.gap_spread,
            items.orders / np.maximum(items.buyers, 1.0),
        )
    )


def _lately(moments: Ints, knowledge: Knowledge, who: Ints, item: Ints) -> Floats:
    """Return the ``MOMENT_FEATURES`` of each pair."""
    shares = knowledge.items.lately(moments[who], item)
    usual = np.maximum(knowledge.items.order_share[item], 1e-9)
    change = shares[:, 0] / np.maximum(shares[:, 2], 1e-9)
    return side_by_side((shares[:, 1], shares / usual[:, None], change))


def _customers(baskets: Baskets, habits: Habits, moments: Ints) -> Floats:
    """Return the ``CUSTOMER_FEATURES`` of every customer."""
    n = baskets.n_baskets.astype(np.float64)
    some = n > 0
    owner = baskets.basket_customers()
    sizes = baskets.sizes.astype(np.float64)
    lines = np.bincount(owner, weights=sizes, minlength=len(n))
    mean_size = lines / np.maximum(n, 1)
    distinct = np.bincount(habits.customers, minlength=len(n)).astype(np.float64)
    last_size, first_day = np.zeros(len(n)), moments.copy()
    last_size[some] = sizes[baskets.starts[1:][some] - 1]
    first_day[some] = baskets.days[baskets.starts[:-1][some]]
    last_day = np.where(some, baskets.last_days(), moments)
    since = np.where(some, (moments - last_day).astype(np.float64), np.nan)
    gap = (last_day - first_day) / np.where(n > 1, n - 1, np.nan)
    back = np.repeat(n.astype(np.int64), baskets.n_baskets) - 1 - baskets.basket_positions()
    recent = 0.7**back
    same = ((moments[owner] - baskets.days) % 7 == 0).astype(np.float64)
    return side_by_side(
        (
            n,
            mean_size,
            np.bincount(owner, weights=sizes * recent, minlength=len(n))
            / np.maximum(np.bincount(owner, weights=recent, minlength=len(n)), 1e-9),
            last_size,
            (np.bincount(owner, weights=sizes * same, minlength=len(n)) + 2 * mean_size)
            / (np.bincount(owner, weights=same, minlength=len(n)) + 2),
            distinct,
            1.0 - distinct / np.maximum(lines, 1),
            since,
            gap,
            since / np.maximum(gap, 0.5),
            (moments - first_day).astype(np.float64),
            ((moments + 3) % 7).astype(np.float64),  # 1970-01-01 was a Thursday; 0 is Monday
        )
    )


def _own(
    baskets: Baskets, habits: Habits, moments: Ints, knowledge: Knowledge, who: Ints, item: Ints
) -> Floats:
    """Return the ``OWN_FEATURES`` of each pair; NaN where the customer never bought the item."""
    table = np.full((len(who), len(OWN_FEATURES)), np.nan)
    table[:, 0] = 0.0
    row, found = habits.find(who * knowledge.n_items + item)
    mine = np.flatnonzero(found)
    if not len(mine):
        return table
    row, who, item = row[mine], who[mine], item[mine]
    rhythm = knowledge.rhythm
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
    rate = rhythm.rate(item, repeats, known)
    expected_gap = usual_gap(repeats, span, rhythm.gap_days[item])
    visit_gap = np.maximum(moments[who] - baskets.last_days()[who], 1)
    chance = rhythm.chance(item, since)
    own_share = count / np.maximum(n, 1)
    same_day = ((moments[baskets.basket_customers()] - baskets.days) % 7 == 0).astype(np.float64)
    visits = np.bincount(baskets.basket_customers(), weights=same_day, minlength=len(moments))[who]
    table[mine] = side_by_side(
        (
            count,
            own_share,
            count / np.maximum(n - habits.first[row], 1),
            since_baskets,
            since,
            gap,
            spread,
            np.where(repeats > 0, habits.last_gaps[row], np.nan),
            since / np.maximum(gap, 0.5),
            since / np.maximum(expected_gap, 0.5),
            since_baskets / basket_gap,
            chance,
            chance / np.maximum(rhythm.chance(item, rhythm.gap_days[item]), 1e-9),
            rate,
            rate * visit_gap,
            (habits.same_weekday[row] + 3 * own_share) / (visits + 3),
            habits.basket_sizes[row],
            habits.decayed[row],
            habits.faded[row],
            habits.recent[row],
        )
    )
    return table


def _kinds(
    baskets: Baskets, habits: Habits, moments: Ints, knowledge: Knowledge, who: Ints, item: Ints
) -> Floats:
    """Return the ``KIND_FEATURES`` of each pair: habits at the level of the kind, NaN without kinds."""
    table = np.full((len(who), len(KIND_FEATURES)), np.nan)
    shelving = knowledge.shelving
    if not shelving.has_kinds:
        return table
    kinds = Habits.of(baskets.by_kind(shelving.kinds), moments, shelving.n_kinds)
    row, found = kinds.find(who * shelving.n_kinds + shelving.kinds[item])
    mine = np.flatnonzero(found)
    table[:, 0] = 0.0
    if not len(mine):
        return table
    row, who, item = row[mine], who[mine], item[mine]
    own_row, own = habits.find(who * knowledge.n_items + item)
    decayed = np.where(own > 0, habits.decayed[own_row, 0], 0.0)
    n = baskets.n_baskets[who].astype(np.float64)
    since = (moments[who] - kinds.last_days[row]).astype(np.float64)
    span = (kinds.last_days[row] - kinds.first_days[row]).astype(np.float64)
    rhythm, kind = knowledge.kind_rhythm, shelving.kinds[item]
    gap = (span + rhythm.gap_days[kind]) / kinds.counts[row]
    table[mine] = side_by_side(
        (
            kinds.counts[row],
            since,
            kinds.decayed[row, 0],
            kinds.faded[row, 0],
            kinds.recent[row, 2],
            kinds.counts[row] / np.maximum(n, 1),
            n - kinds.last[row],
            since / np.maximum(gap, 0.5),
            rhythm.chance(kind, since),
            decayed / np.maximum(kinds.decayed[row, 0], 1e-9),
        )
    )
    return table


def _here(
    baskets: Baskets,
    habits: Habits,
    moments: Ints,
    knowledge: Knowledge,
    at: Ints | None,
    who: Ints,
    item: Ints,
) -> Floats:
    """Return the ``PLACE_FEATURES`` of each pair; NaN where the place of the moment is not known."""
    table = np.full((len(who), len(PLACE_FEATURES)), np.nan)
    if at is None or not (at >= 0).any():
        return table
    mine = np.flatnonzero(at[who] >= 0)
    who, item = who[mine], item[mine]
    n = np.maximum(baskets.n_baskets, 1).astype(np.float64)
    owner, same = baskets.basket_customers(), baskets.at(at)
    visits = np.bincount(owner[same], minlength=len(n)).astype(np.float64)
    sizes = np.bincount(owner, weights=baskets.sizes, minlength=len(n)) / n
    sizes_here = np.bincount(owner[same], weights=baskets.sizes[same], minlength=len(n))
    row, found = habits.find(who * knowledge.n_items + item)
    held = np.where(found > 0, habits.counts[row], 0) if len(habits.keys) else np.zeros(len(who))
    here = np.where(found > 0, habits.here[row], 0.0) if len(habits.keys) else np.zeros(len(who))
    usual = knowledge.items.order_share[item]
    shares = knowledge.places.shares(at[who], item, moments[who], usual)
    customer = side_by_side(
        (visits, visits / n, (sizes_here + 2 * sizes) / (visits + 2), baskets.last_places() == at)
    )
    own_share = (here + 3 * held / n[who]) / (visits[who] + 3)
    table[mine] = side_by_side(
        (customer[who], shares, shares / np.maximum(usual, 1e-9)[:, None], here, own_share)
    )
    return table
