"""What a customer did lately, next to always: the features trees learn from.

All of them are free of units: time counts in shares of the log's length and money in shares of the mean
order, so what was learnt on a shorter log some months ago can be asked of a longer one today.
"""

from __future__ import annotations

from datetime import date
from typing import Final

import numpy as np
import pandas as pd

from clv.columns import (
    AGE_DAYS,
    AMOUNT,
    CUSTOMER_ID,
    FREQUENCY,
    HISTORIC_REVENUE,
    IS_RETURN,
    MONETARY_VALUE,
    RECENCY_DAYS,
)
from clv.histories import FloatArray, column
from clv.summary import purchase_days, visible_lines

__all__ = ["FADES", "features", "names"]

FADES: Final = (16, 8, 4, 2)
"""An order counts half after the log's length divided by these."""

_LITTLE: Final = 0.05  # orders added to a rate, so that its logarithm exists


def names() -> tuple[str, ...]:
    """Return what the columns of :func:`features` are called."""
    own = (
        "frequency", "silence_of_age", "silence_of_gap", "age_of_log", "spend_of_mean", "first_of_mean",
        "probability_alive", "expected_orders", "expected_spend", "returned_share", "day_sine", "day_cosine",
    )  # fmt: skip
    fading = (f"{what}_fading_{fade}" for fade in FADES for what in ("orders", "spend", "orders_of_expected"))
    return (*own, *fading)


def features(
    summary: pd.DataFrame,
    purchases: pd.DataFrame,
    as_of: date,
    *,
    alive: FloatArray,
    orders_a_day: FloatArray,
    spend: FloatArray,
    horizon_days: float,
    span_days: float,
    mean_order: float,
) -> FloatArray:
    """Return one row a customer of the summary and one column a name, shape (n, len(names())).

    Parameters
    ----------
    summary
        One row a customer as of ``as_of``, with ``historic_revenue``.
    purchases
        The log; what is later than ``as_of`` is not looked at.
    as_of
        The last visible day.
    alive, orders_a_day, spend
        What the purchase and spend models expect of each customer: probability of being alive, orders per
        day of the horizon, and amount per order, each of shape (n,).
    horizon_days
        Days ahead that are asked about; the season of their middle enters.
    span_days, mean_order
        Length of the log and mean revenue per order: the units of time and of money.
    """
    x, t_x, T = (column(summary, name) for name in (FREQUENCY, RECENCY_DAYS, AGE_DAYS))
    revenue, m = column(summary, HISTORIC_REVENUE), column(summary, MONETARY_VALUE)
    span, mean = span_days, mean_order
    gap = np.maximum(t_x / np.maximum(x, 1.0), 1.0)
    expected = _log(orders_a_day * span, 1e-9)
    year = 2.0 * np.pi * ((as_of.timetuple().tm_yday + horizon_days / 2.0) % 365.0) / 365.0
    days = purchase_days(purchases, as_of)
    columns = [
        np.minimum(x, 50.0),
        (T - t_x) / np.maximum(T, 1.0),
        np.minimum((T - t_x) / gap, 100.0),
        T / span,
        _log(revenue / (x + 1.0) / mean, 1e-3),
        _log((revenue - x * m) / mean, 1e-3),
        alive,
        expected,
        _log(spend / mean, 1e-3),
        _returned(purchases, summary, as_of),
        np.full_like(x, np.sin(year)),
        np.full_like(x, np.cos(year)),
    ]
    for rate, money in _fading(days, summary, as_of, span, mean, T):
        columns += [rate, money, rate - expected]
    return np.column_stack(columns)


def _log(values: FloatArray, least: float) -> FloatArray:
    logs: FloatArray = np.log(np.maximum(values, least))
    return logs


def _fading(
    days: pd.DataFrame, summary: pd.DataFrame, as_of: date, span: float, mean: float, T: FloatArray
) -> list[tuple[FloatArray, FloatArray]]:
    """Return logs of orders and of money per length of the log, older days counting less and less."""
    row = pd.Index(summary[CUSTOMER_ID]).get_indexer(days[CUSTOMER_ID])
    known = row >= 0
    row, ago = row[known], (pd.Timestamp(as_of) - days["day"]).dt.days.to_numpy(np.float64)[known]
    amount = days[AMOUNT].to_numpy(np.float64)[known]
    found = []
    for fade in FADES:
        half = span / fade
        weight = np.exp2(-ago / half)
        exposure = (half / np.log(2.0) * -np.expm1(-np.log(2.0) * T / half) + 1.0) / span
        orders = np.bincount(row, weight, minlength=T.size)
        money = np.maximum(np.bincount(row, weight * amount, minlength=T.size), 0.0) / mean
        found.append((np.log((orders + _LITTLE) / exposure), np.log((money + _LITTLE) / exposure)))
    return found


def _returned(purchases: pd.DataFrame, summary: pd.DataFrame, as_of: date) -> FloatArray:
    """Return the share of each customer's turnover that came back."""
    lines = visible_lines(purchases, as_of)
    sums = -lines[lines[IS_RETURN]].groupby(CUSTOMER_ID)[AMOUNT].sum()
    returned = sums.reindex(summary[CUSTOMER_ID], fill_value=0.0).to_numpy(np.float64)
    kept = np.maximum(column(summary, HISTORIC_REVENUE), 0.0)
    share: FloatArray = returned / np.maximum(kept + returned, 1e-9)
    return share
