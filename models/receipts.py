"""Which orders and returns a generation counted for a customer, so that an event is not counted once more.

Shops tell the same order twice: by file, and by event. What is the same goes by the order's number. An order
that the generation holds under its number is that order; a return is the one of that order on the same day or
the day beside it, since files that say only a day say it in their own zone. Where a file gives no numbers,
what comes to the same money on the same day is the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any, Final, TypeAlias

import orjson

from clv import columns as c
from recommend.profile import Profile
from recommend.vitals import HISTORIC_REVENUE

Entry: TypeAlias = Sequence[Any]
"""``day`` since 1970, ``order_id`` (empty if it has none), ``amount`` (of returns below zero), and more."""

_CENT: Final = 0.005
_EPOCH: Final = date(1970, 1, 1).toordinal()


@dataclass(frozen=True)
class Receipts:
    """What one customer ordered and gave back, as one generation counted it.

    Parameters
    ----------
    orders, returns
        ``day, order_id, amount`` of each order and day, in no order.
    unlisted_days
        Purchase days that are known to be there, and on none of ``orders``.
    unknown
        Whether the generation told nothing of it, so that the profile's own numbers stand for it.

    Examples
    --------
    >>> held = Receipts([[10, "a", 5.0], [12, "", 7.0]], [[11, "a", -1.0]])
    >>> held.new_orders([[9, "a", 5.0], [12, "b", 7.0], [13, "c", 2.0], [31, "a", 1.0]], 30)
    [[13, 'c', 2.0], [31, 'a', 1.0]]
    >>> held.new_returns([[12, "a", -1.0], [13, "a", -1.0]], 30)
    [[13, 'a', -1.0]]
    """

    orders: Sequence[Entry] = ()
    returns: Sequence[Entry] = ()
    unlisted_days: int = 0
    unknown: bool = False

    @cached_property
    def numbers(self) -> frozenset[str]:
        """Numbers of the orders that have one."""
        return frozenset(entry[1] for entry in self.orders if entry[1])

    def new_orders(self, told: Iterable[Entry], last_day: int) -> list[Entry]:
        """Return the orders that are not held.

        Parameters
        ----------
        told
            Entries of events.
        last_day
            The last day the generation saw, in days since 1970: what is later is new, whatever its number.
        """
        new = [entry for entry in told if entry[0] > last_day or entry[1] not in self.numbers]
        return self._without_alike(new, self.orders)

    def new_returns(self, told: Iterable[Entry], last_day: int) -> list[Entry]:
        """Return the returns that are not held, as :meth:`new_orders` does for orders."""
        held = {(entry[1], entry[0]) for entry in self.returns if entry[1]}
        new = [
            entry
            for entry in told
            if entry[0] > last_day or held.isdisjoint((entry[1], entry[0] + shift) for shift in (-1, 0, 1))
        ]
        return self._without_alike(new, self.returns)

    def _without_alike(self, told: list[Entry], held: Sequence[Entry]) -> list[Entry]:
        """Leave out what comes to the money that is held without a number on its day, alone or all together.

        Of a generation that told no receipts the day alone has to do.
        """
        unnumbered = _money_by_day(entry for entry in held if not entry[1])
        if not unnumbered:
            return told
        sums = _money_by_day(told)
        return [
            entry
            for entry in told
            if (money := unnumbered.get(entry[0])) is None
            or not (self.unknown or min(abs(entry[2] - money), abs(sums[entry[0]] - money)) < _CENT)
        ]

    @classmethod
    def from_bytes(cls, raw: bytes | str) -> Receipts:
        """Read receipts as a generation keeps them: a JSON object of ``orders`` and ``returns``."""
        return cls(**orjson.loads(raw))

    @classmethod
    def of_profile(cls, profile: Profile) -> Receipts:
        """Return what a profile alone tells: purchase days, and money of the first and of the others."""
        value = profile.value
        first, last = value.get(c.FIRST_ORDER_ON), value.get(c.LAST_ORDER_ON)
        if not isinstance(first, str) or not isinstance(last, str):
            return cls(unknown=True)
        frequency = int(_number(value.get(c.FREQUENCY)))
        repeat = frequency * _number(value.get(c.MONETARY_VALUE))
        revenue = _number(value.get(HISTORIC_REVENUE), repeat)
        listed = profile.history.order_days
        days = listed if len(listed) == frequency + 1 else sorted({_day(first), _day(last)})
        money = [0.0] * len(days)
        money[-1] = repeat
        money[0] = revenue - repeat if frequency else revenue
        orders = [[day, "", amount] for day, amount in zip(days, money, strict=True)]
        return cls(orders, unlisted_days=frequency + 1 - len(days), unknown=True)


def _money_by_day(entries: Iterable[Entry]) -> dict[int, float]:
    found: dict[int, float] = {}
    for day, _, amount, *_ in entries:
        found[day] = found.get(day, 0.0) + amount
    return found


def _number(found: object, unknown: float = 0.0) -> float:
    return float(found) if isinstance(found, int | float) else unknown


def _day(text: str) -> int:
    return date.fromisoformat(text[:10]).toordinal() - _EPOCH
