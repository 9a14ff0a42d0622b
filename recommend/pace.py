"""At what pace does a customer buy an item, if there is one that could be spoken of?

Only what is true may be said: "every 18 days" of somebody who buys it at such intervals, and still does.
"""

from __future__ import annotations

from itertools import pairwise
from math import sqrt
from typing import Final

from recommend.history import History

FEWEST: Final = 3  # purchases of an item
STEADY: Final = 0.75  # standard deviation of the gaps, in mean gaps
STILL: Final = 3.0  # mean gaps since the last purchase


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
    if item not in history.items:
        return None
    at = history.positions[history.items.index(item)]
    if len(at) < FEWEST:
        return None
    bought = [history.order_days[place] for place in at]
    gaps = [later - earlier for earlier, later in pairwise(bought)]
    usual = sum(gaps) / len(gaps)
    spread = sqrt(sum((gap - usual) ** 2 for gap in gaps) / len(gaps))
    steady = usual > 0 and spread <= STEADY * usual
    return usual if steady and today - bought[-1] <= STILL * usual else None
