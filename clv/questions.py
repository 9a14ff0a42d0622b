"""What people ask about a customer: will they order, when, are they still there, and how did that change.

Every answer is a formula of the fitted model, not a simulation; each works for any kind in ``clv.kinds``
unless it says otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from clv.errors import DataError, SettingError
from clv.histories import FloatArray, Table, histories
from clv.process import PurchaseProcess

__all__ = [
    "alive_path",
    "churn_probability",
    "days_to_next_order",
    "expected_days_to_next_order",
    "order_probability",
]


def order_probability(model: PurchaseProcess, X: Table, start_days: float, end_days: float) -> FloatArray:
    """Return the probability of at least one order between two days from now, shape (n,).

    Parameters
    ----------
    model
        Fitted purchase model.
    X
        Table with ``frequency``, ``recency_days``, ``age_days``.
    start_days, end_days
        The window, in days after the as-of day; 0 and 30 are the next thirty days.

    Raises
    ------
    SettingError
        When the window ends before it starts.

    Examples
    --------
    >>> from clv.nbd import NBD
    >>> ann = {"frequency": [1], "recency_days": [10], "age_days": [20]}
    >>> print(order_probability(NBD.of(r=1.0, alpha=20.0), ann, 0, 40))  # 1 - (40 / 80) ** 2
    [0.75]
    """
    if not 0.0 <= start_days <= end_days:
        raise SettingError(
            "A window ends after it starts.", where=f"{start_days} to {end_days}", hint="0 to 30, say."
        )
    rows = histories(X)
    x, t_x, T = rows.frequency, rows.recency, rows.age
    probability: FloatArray = model.alive(x, t_x, T) * model.window_if_alive(
        x, t_x, T, start_days, end_days - start_days
    )
    return probability


def churn_probability(model: PurchaseProcess, X: Table, within_days: float = 0.0) -> FloatArray:
    """Return the probability that each customer has left by ``within_days`` from now, shape (n,)."""
    rows = histories(X)
    x, t_x, T = rows.frequency, rows.recency, rows.age
    gone: FloatArray = 1.0 - model.alive(x, t_x, T) * model.stays_if_alive(x, t_x, T, within_days)
    return gone


def days_to_next_order(model: PurchaseProcess, X: Table, share: float = 0.5) -> FloatArray:
    """Return the days within which the next order comes with probability ``share``, given that it comes.

    Parameters
    ----------
    model
        Fitted purchase model.
    X
        Table with ``frequency``, ``recency_days``, ``age_days``.
    share
        Between 0 and 1; 0.5 gives the median, always finite where the mean may not be.

    Raises
    ------
    SettingError
        When ``share`` is not between 0 and 1.
    """
    if not 0.0 < share < 1.0:
        raise SettingError("A quantile lies between 0 and 1.", where=str(share), hint="0.5 is the median.")
    rows = histories(X)
    return model.wait_if_alive(rows.frequency, rows.recency, rows.age, share)


def expected_days_to_next_order(model: PurchaseProcess, X: Table) -> FloatArray:
    """Return the mean days until the next order, given that it comes; infinite where there is no mean.

    A customer with few orders may be anybody, some of whom order once in a century: with r + x at most 1
    the mean of an NBD or BG/NBD does not exist. The median of :func:`days_to_next_order` always does.

    Raises
    ------
    SettingError
        When the model has no closed form for it (regular buyers and occasions).

    Examples
    --------
    >>> from clv.nbd import NBD
    >>> table = {"frequency": [2, 0], "recency_days": [10, 0], "age_days": [20, 20]}
    >>> print(expected_days_to_next_order(NBD.of(r=1.0, alpha=20.0), table))
    [20. inf]
    """
    from clv.poisson import PoissonPurchases  # noqa: PLC0415  (only needed to tell the kinds apart)

    if not isinstance(model, PoissonPurchases):
        raise SettingError(
            "This model has no mean wait in closed form.", where=model.kind, hint="Ask for the median."
        )
    rows = histories(X)
    return model.mean_wait_if_alive(rows.frequency, rows.age)


def alive_path(model: PurchaseProcess, order_days: Sequence[float], until_days: int) -> FloatArray:
    """Return the probability of being alive on each day since the first order, shape (until_days + 1,).

    Each day is judged with what was known on it.

    Parameters
    ----------
    model
        Fitted purchase model, in days.
    order_days
        Days of all purchase days after the first, counted from it, rising.
    until_days
        The last day of the path.

    Raises
    ------
    DataError
        When the days do not rise or are not after the first order.

    Examples
    --------
    >>> from clv.bgnbd import BGNBD
    >>> model = BGNBD.of(r=0.5, alpha=20.0, a=0.5, b=2.0)
    >>> print(alive_path(model, [5, 9], 12).round(2))
    [1.   1.   1.   1.   1.   0.8  0.79 0.78 0.77 0.86 0.85 0.84 0.82]
    """
    days = np.asarray(order_days, dtype=np.float64)
    if days.size and (days[0] <= 0 or (np.diff(days) <= 0).any()):
        raise DataError("Order days rise and lie after the first order.", where=str(list(order_days)))
    today = np.arange(until_days + 1, dtype=np.float64)
    x = np.searchsorted(days, today, side="right").astype(np.float64)
    last = np.concatenate([[0.0], days])[x.astype(int)]
    return model.alive(x, last, today)
