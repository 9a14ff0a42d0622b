"""How much busier than an ordinary time of the year the days ahead will be.

The index of a window is how often customers came back in the same calendar days a year earlier, over how
often they did in an equal number of days of the year around them. First orders do not count: new customers
come when they are won, and what is asked is what those already there will do. A whole year has the index 1;
so has a window the log is too short to know, and there a known peak has to be told (``ValueConfig.season``).
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

import numpy as np
import pandas as pd

from clv.columns import CUSTOMER_ID
from clv.summary import purchase_days

__all__ = ["season_index"]

_YEAR: Final = 365
_HALF: Final = 182
_LEAST_ORDERS: Final = 200.0
_BOUNDS: Final = (0.2, 5.0)


def season_index(purchases: pd.DataFrame, as_of: date, horizon_days: float) -> float:
    """Return the index of the ``horizon_days`` after a day, from what is visible on it.

    Parameters
    ----------
    purchases
        The log; what is later than ``as_of`` is not looked at.
    as_of
        The last visible day.
    horizon_days
        Length of the window after it.

    Returns
    -------
    float
        Above 1 for a peak; 1 when the log does not hold the window a year earlier with half a year on
        either side.

    Examples
    --------
    >>> days = pd.date_range("2024-01-01", "2025-12-31")
    >>> steady = pd.DataFrame({"customer_id": "ann", "ordered_at": days, "amount": 10.0})
    >>> season_index(steady, date(2025, 10, 31), 60)
    1.0
    """
    days = round(horizon_days)
    if not 0 < days < _YEAR:
        return 1.0
    start = as_of - timedelta(days=_YEAR - 1)
    middle = start + timedelta(days=days // 2)
    year = (middle - timedelta(days=_HALF), middle + timedelta(days=_HALF))
    bought = purchase_days(purchases, as_of)
    if bought.empty or bought["day"].min() > pd.Timestamp(year[0]) or year[1] > as_of:
        return 1.0
    again = bought["day"] > bought.groupby(CUSTOMER_ID)["day"].transform("min")
    when = bought.loc[again, "day"].to_numpy().astype("datetime64[D]")
    around = _count(when, year[0], _YEAR) * days / _YEAR
    if around < _LEAST_ORDERS:
        return 1.0
    return float(np.clip(_count(when, start, days) / around, *_BOUNDS))


def _count(when: np.ndarray, start: date, days: int) -> float:
    first = np.datetime64(start)
    return float(((when >= first) & (when < first + np.timedelta64(days, "D"))).sum())
