"""At what pace does a customer buy an item, if there is one that could be spoken of?

Only what is true may be said: "every 18 days" of somebody who buys it at such intervals, and still does.
"""

from __future__ import annotations

from itertools import pairwise
from math import dist, sqrt
from operator import itemgetter
from typing import Final, NamedTuple

from recommend.history import History

FEWEST: Final = 3  # purchases of an item
STEADY: Final = 0.75  # standard deviation of the gaps, in mean gaps
STILL: Final = 3.0  # mean gaps since the last purchase
_TIE: Final = 1e-9  # so near the limit, rounding decides


class Record(NamedTuple):
    """What one customer bought of one item.

    Parameters
    ----------
    times
        How often.
    since_days
        Days since the last time.
    pace
        The usual days between purchases; None where there is no steady, present pace.
    """

    times: int
    since_days: int
    pace: float | None


NEVER: Final = Record(0, 0, None)


def pace_days(history: History, item: str, today: int) -> float | None:
    """Return the usual days between purchases of an item; None where there is no steady, present pace.

    Parameters
    ----------
    history
        The customer's.
    item
        Which.
    today
        Days since 1970.

    Examples
    --------
    >>> weekly = History((100, 107, 113, 121), ("TEA",), ((0, 1, 2, 3),))
    >>> pace_days(weekly, "TEA", 128), pace_days(weekly, "TEA", 300), pace_days(weekly, "CUPS", 128)
    (7.0, None, None)
    """
    return record_of(history, item, today).pace


def record_of(history: History, item: str, today: int) -> Record:
    """Return what a customer bought of an item, read once for all that is said of it.

    >>> record_of(History((100, 107, 113, 121), ("TEA",), ((0, 1, 2, 3),)), "TEA", 128)
    Record(times=4, since_days=7, pace=7.0)
    """
    if item not in history.items:
        return NEVER
    at = history.positions[history.items.index(item)]
    if not at:
        return NEVER
    since = today - history.order_days[at[-1]]
    if len(at) < FEWEST:
        return Record(len(at), since, None)
    return Record(len(at), since, _pace(itemgetter(*at)(history.order_days), since))


def _pace(bought: tuple[int, ...], since: int) -> float | None:
    """Return the mean gap between days if it is kept and steady; what costs least is asked first."""
    usual = (bought[-1] - bought[0]) / (len(bought) - 1)
    if usual <= 0 or since > STILL * usual:
        return None
    return usual if _is_steady(bought, usual) else None


def _is_steady(bought: tuple[int, ...], usual: float) -> bool:
    """Tell whether the standard deviation of the gaps is within ``STEADY`` mean gaps.

    The squared gaps' root is the distance of the days from those before: one fast call decides all but ties,
    which are added up gap by gap.
    """
    count = len(bought) - 1
    over = (dist(bought[1:], bought[:-1]) / usual) ** 2 / count - 1 - STEADY**2
    if abs(over) > _TIE:
        return over < 0
    squares = [(later - earlier - usual) ** 2 for earlier, later in pairwise(bought)]
    return sqrt(sum(squares) / count) <= STEADY * usual
