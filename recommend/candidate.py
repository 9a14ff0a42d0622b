"""One thing that could be said to a customer, before any rule has looked at it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray


class Row(Mapping[str, float]):
    """One row of a matrix read by column name: what a candidate carries without copying a number.

    Parameters
    ----------
    columns
        Place of each name, shared by all rows.
    values
        The row.

    Examples
    --------
    >>> row = Row({"gap_days": 0, "orders": 1}, np.array([18.0, 7.0]))
    >>> row["orders"], row.get("price"), dict(row)
    (7.0, None, {'gap_days': 18.0, 'orders': 7.0})
    """

    __slots__ = ("_columns", "_values")

    def __init__(self, columns: Mapping[str, int], values: NDArray[np.floating]) -> None:
        self._columns, self._values = columns, values

    def __getitem__(self, name: str) -> float:
        return float(self._values[self._columns[name]])

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __len__(self) -> int:
        return len(self._columns)

    def __repr__(self) -> str:
        return f"Row({dict(self)})"


@dataclass(frozen=True, slots=True)
class Candidate:
    """An offer put forward for one customer, with the probability that it is taken up if presented.

    Parameters
    ----------
    offer_id
        Key into the catalogue.
    item
        The product or category it is about; empty for an offer about none.
    sources
        Which generators put it forward, such as ``own_repeat``, ``popular``, ``co_purchase``, ``campaign``.
    propensity
        Calibrated probability of acceptance if presented, 0 to 1, smoothed for new offers.
    propensity_raw
        The model's probability before calibration and smoothing.
    features
        The numbers the model saw, by name; facts for the reasons.
    contributions
        What each feature added to the model's log-odds; empty unless reasons were asked for.
    popularity_rank
        Global popularity of the item, 0 the most popular: the written tie-break.
    evidence
        How many presentations the propensity rests on; 0 if unknown. Exploration trusts it accordingly.
    """

    offer_id: str
    item: str = ""
    sources: tuple[str, ...] = ()
    propensity: float = 0.0
    propensity_raw: float = 0.0
    features: Mapping[str, float] = field(default_factory=dict)
    contributions: Mapping[str, float] = field(default_factory=dict)
    popularity_rank: int = 0
    evidence: float = 0.0
