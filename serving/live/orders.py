"""Frequency, recency, age and money of one customer, from the orders a generation counted and those since.

The definition is that of :mod:`clv.summary`: a purchase day is a UTC day with an order; a return nets money
against the day of its order, or else against the latest purchase day before it, and moves no day.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from math import fsum

from models.receipts import Entry


@dataclass(frozen=True, slots=True)
class Summary:
    """The summary a buy-till-you-die model reads, of one customer, and the purchase days it was made of."""

    frequency: int
    recency_days: int
    age_days: int
    monetary_value: float
    historic_revenue: float
    days: tuple[int, ...]


def summarize(
    orders: Sequence[Entry], returns: Sequence[Entry], as_of: int, unlisted_days: int = 0
) -> Summary | None:
    """Count a customer's purchase days and money up to and including a day.

    Parameters
    ----------
    orders, returns
        Entries ``day, order_id, amount, ...``, in no order; amounts of returns are below zero.
    as_of
        The last visible day, in days since 1970.
    unlisted_days
        Purchase days between the first and the last that no entry names.

    Returns
    -------
    Summary or None
        None without a purchase day.

    Examples
    --------
    >>> orders = [[0, "a", 50.0], [10, "b", 30.0]]
    >>> found = summarize(orders, [[11, "b", -10.0]], 30)
    >>> found.frequency, found.recency_days, found.age_days, found.monetary_value
    (1, 10, 30, 20.0)
    """
    bought = [entry for entry in orders if entry[0] <= as_of]
    returned = [entry for entry in returns if entry[0] <= as_of]
    days = sorted({entry[0] for entry in bought})
    if not days:
        return None
    first, last = days[0], days[-1]
    homes = _homes(bought, returned, days)
    of_later = [entry[2] for entry in bought if entry[0] != first]
    of_later += [entry[2] for entry, home in zip(returned, homes, strict=True) if home not in {first, None}]
    frequency = len(days) - 1 + unlisted_days
    return Summary(
        frequency=frequency,
        recency_days=last - first,
        age_days=as_of - first,
        monetary_value=fsum(of_later) / frequency if frequency else 0.0,
        historic_revenue=fsum(entry[2] for entry in (*bought, *returned)),
        days=tuple(days),
    )


def _homes(bought: Sequence[Entry], returned: Sequence[Entry], days: Sequence[int]) -> list[int | None]:
    """Return the purchase day each return belongs to; None before any purchase."""
    if not returned:
        return []
    of_order: dict[str, list[int]] = {}
    for entry in bought:
        if entry[1]:
            of_order.setdefault(entry[1], []).append(entry[0])
    homes = []
    for day, order_id, *_ in returned:
        home = _latest(sorted(of_order.get(order_id, ())), day)
        homes.append(_latest(days, day) if home is None else home)
    return homes


def _latest(days: Sequence[int], day: int) -> int | None:
    """Return the last of ascending days that is not after a day."""
    place = bisect_right(days, day)
    return days[place - 1] if place else None
