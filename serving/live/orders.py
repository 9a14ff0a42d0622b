"""Frequency, recency, age and money of one customer, from published numbers and the orders since.

The definition is that of :mod:`clv.summary`: a purchase day is a UTC day with an order; a return nets money
against the day of its order, or else against the latest purchase day before it, and moves no day.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from math import fsum
from typing import Any

from clv import columns as c
from recommend.profile import Profile
from serving.live.messages import EPOCH


@dataclass(frozen=True, slots=True)
class Start:
    """What the published generation says of a customer's orders.

    Parameters
    ----------
    days
        Purchase days since 1970, ascending. Where the generation does not list them, the first and the last
        are known, and days between are taken as new ones.
    frequency
        Purchase days after the first one.
    first_net, repeat_net, revenue
        Money of the first day, of all later days, and of everything.
    """

    days: tuple[int, ...]
    frequency: int
    first_net: float
    repeat_net: float
    revenue: float

    @classmethod
    def of(cls, profile: Profile) -> Start | None:
        """Read a published profile; None for a customer without a purchase."""
        value = profile.value
        first, last = value.get(c.FIRST_ORDER_ON), value.get(c.LAST_ORDER_ON)
        if not isinstance(first, str) or not isinstance(last, str):
            return None
        frequency = int(_number(value, c.FREQUENCY))
        repeat = frequency * _number(value, c.MONETARY_VALUE)
        revenue = _number(value, c.HISTORIC_REVENUE, default=repeat)
        listed = profile.history.order_days
        days = listed if len(listed) == frequency + 1 else tuple(sorted({_day(first), _day(last)}))
        return cls(days, frequency, revenue - repeat, repeat, revenue)


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
    start: Start | None, orders: Sequence[Sequence[Any]], returns: Sequence[Sequence[Any]], as_of: int
) -> Summary | None:
    """Count a customer's purchase days and money up to and including a day.

    Parameters
    ----------
    start
        What was published; None to count from nothing.
    orders, returns
        Entries ``day, order_id, amount, ...`` that the publication does not hold.
    as_of
        The last visible day, in days since 1970.

    Returns
    -------
    Summary or None
        None without a purchase day.

    Examples
    --------
    >>> orders = [[0, "a", 50.0], [10, "b", 30.0]]
    >>> found = summarize(None, orders, [[11, "b", -10.0]], 30)
    >>> found.frequency, found.recency_days, found.age_days, found.monetary_value
    (1, 10, 30, 20.0)
    """
    bought = [entry for entry in orders if entry[0] <= as_of]
    returned = [entry for entry in returns if entry[0] <= as_of]
    known = start.days if start else ()
    days = sorted({*known, *(entry[0] for entry in bought)})
    if not days:
        return None
    first, last = days[0], days[-1]
    homes = _homes(bought, returned, days)
    of_first = [entry[2] for entry in bought if entry[0] == first]
    of_later = [entry[2] for entry in bought if entry[0] != first]
    of_first += [entry[2] for entry, home in zip(returned, homes, strict=True) if home == first]
    of_later += [entry[2] for entry, home in zip(returned, homes, strict=True) if home not in {first, None}]
    frequency = len(days) - 1
    money = [entry[2] for entry in (*bought, *returned)]
    if start:
        frequency = start.frequency + len(days) - len(known)
        of_later += [start.repeat_net] if first == known[0] else [start.repeat_net, start.first_net]
        money.append(start.revenue)
    return Summary(
        frequency=frequency,
        recency_days=last - first,
        age_days=as_of - first,
        monetary_value=fsum(of_later) / frequency if frequency else 0.0,
        historic_revenue=fsum(money),
        days=tuple(days),
    )


def _homes(
    bought: Sequence[Sequence[Any]], returned: Sequence[Sequence[Any]], days: Sequence[int]
) -> list[int | None]:
    """Return the purchase day each return belongs to; None before any purchase."""
    if not returned:
        return []
    of_order: dict[str, list[int]] = {}
    for entry in bought:
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


def _number(value: Mapping[str, object], name: str, default: float = 0.0) -> float:
    found = value.get(name)
    return float(found) if isinstance(found, int | float) else default


def _day(text: str) -> int:
    return date.fromisoformat(text[:10]).toordinal() - EPOCH
