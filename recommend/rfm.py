"""Where does a customer stand by recency, frequency and money: Champion, At risk, Hibernating ...?

Scores run from 1 to 5 by quintile of the customers the cut points were learned from. Equal values always get
equal scores, so a tie can never be broken by the order of the rows; where most customers share one value (one
order, say) they share the modest score for frequency and money and the good one for recency.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recommend.vitals import Floats, Vitals, VitalsTable

# One name for every pair of scores. Rows: recency 5 (just bought) down to 1. Columns: the mean of frequency
# and money, rounded half up, 1 to 5.
GRID: tuple[tuple[str, ...], ...] = (
    ("new", "potential_loyalist", "potential_loyalist", "champions", "champions"),
    ("promising", "potential_loyalist", "potential_loyalist", "loyal", "champions"),
    ("about_to_sleep", "about_to_sleep", "need_attention", "loyal", "loyal"),
    ("hibernating", "hibernating", "at_risk", "at_risk", "cant_lose"),
    ("lost", "lost", "at_risk", "cant_lose", "cant_lose"),
)

DESCRIPTIONS: Mapping[str, str] = {
    "champions": "Champions: bought lately, buy often, spend most",
    "loyal": "Loyal: buy often and well, and not long ago",
    "potential_loyalist": "Potential loyalists: bought lately, more than once or for a fair amount",
    "new": "New: first small order just now",
    "promising": "Promising: bought fairly lately, little so far",
    "need_attention": "Need attention: middling in everything, and slipping",
    "about_to_sleep": "About to sleep: little bought, and some time ago",
    "at_risk": "At risk: used to buy often or well, quiet for long",
    "cant_lose": "Can't lose: among the best by orders and money, and gone quiet",
    "hibernating": "Hibernating: little bought, and long ago",
    "lost": "Lost: little bought, and longest ago",
}

_FLAT = np.array([name for row in reversed(GRID) for name in row], dtype=object)


@dataclass(frozen=True, slots=True)
class RfmCuts:
    """The stored cut points of the scores: ascending, four for five bands.

    Parameters
    ----------
    quiet_days
        Of days since the last purchase day.
    orders
        Of purchase days after the first one.
    spend
        Of everything spent so far, in the ledger's currency; empty if no spend is known.
    """

    quiet_days: tuple[float, ...]
    orders: tuple[float, ...]
    spend: tuple[float, ...]

    def to_json(self) -> dict[str, list[float]]:
        """Return the cut points as plain lists."""
        return {"quiet_days": list(self.quiet_days), "orders": list(self.orders), "spend": list(self.spend)}

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> RfmCuts:
        """Read what :meth:`to_json` wrote."""
        return cls(*(tuple(map(float, raw[name])) for name in ("quiet_days", "orders", "spend")))


def quantiles(values: Floats, shares: tuple[float, ...]) -> tuple[float, ...]:
    """Return values of the sample at the given shares; empty if the sample is.

    Every cut point is a value that occurs, never one between two, so rounding cannot move a customer.

    >>> quantiles(np.array([1.0, 1.0, 2.0, 9.0]), (0.5, 0.75))
    (1.0, 2.0)
    """
    seen = values[~np.isnan(values)]
    if seen.size == 0:
        return ()
    return tuple(float(cut) for cut in np.quantile(seen, shares, method="inverted_cdf"))


def fit_cuts(vitals: VitalsTable) -> RfmCuts:
    """Learn the quintiles of recency, frequency and money from these customers."""
    fifths = (0.2, 0.4, 0.6, 0.8)
    return RfmCuts(
        quiet_days=quantiles(vitals.quiet_days, fifths),
        orders=quantiles(vitals.frequency, fifths),
        spend=quantiles(vitals.spend[vitals.known], fifths),
    )


def rfm_names(vitals: VitalsTable, cuts: RfmCuts) -> NDArray[np.object_]:
    """Return the name of every customer's place in the grid, shape (n,); empty for who never bought."""
    recency = 5 - np.searchsorted(cuts.quiet_days, vitals.quiet_days, side="left")
    orders = 1 + np.searchsorted(cuts.orders, vitals.frequency, side="left")
    spend = 1 + np.searchsorted(cuts.spend, vitals.spend, side="left")
    spend = np.where(np.isnan(vitals.spend) | (len(cuts.spend) == 0), orders, spend)
    weight = (orders + spend + 1) // 2
    place = np.where(vitals.known, (recency - 1) * 5 + weight - 1, 0)
    return np.where(vitals.known, _FLAT[place], "")


def rfm_name(vitals: Vitals, cuts: RfmCuts) -> str:
    """Return the name of one customer's place in the grid: equal to :func:`rfm_names`.

    Examples
    --------
    >>> cuts = RfmCuts((7, 30, 60, 120), (0, 1, 3, 8), (20, 50, 120, 400))
    >>> rfm_name(Vitals(12, 300, 304, 900.0, 50.0, 0.98, 20), cuts)
    'champions'
    >>> rfm_name(Vitals(12, 300, 500, 900.0, 50.0, 0.1, 20), cuts)
    'cant_lose'
    """
    if not vitals.known:
        return ""
    recency = 5 - bisect_left(cuts.quiet_days, vitals.quiet_days)
    orders = 1 + bisect_left(cuts.orders, vitals.frequency)
    if math.isnan(vitals.spend) or not cuts.spend:
        spend = orders
    else:
        spend = 1 + bisect_left(cuts.spend, vitals.spend)
    return GRID[5 - recency][(orders + spend + 1) // 2 - 1]


def places(name: str) -> str:
    """Say in which cells of the grid a name stands.

    >>> places("about_to_sleep")
    'recency 3 with weight 1, 2'
    """
    rows = []
    for index, row in enumerate(GRID):
        columns = [str(column + 1) for column, cell in enumerate(row) if cell == name]
        if columns:
            rows.append(f"recency {5 - index} with weight {', '.join(columns)}")
    return "; ".join(rows)
