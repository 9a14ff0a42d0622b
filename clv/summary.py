"""From purchase lines to the summary of each customer: frequency, recency, age and money.

The definition, in pandas; the pipeline's engine computes the same on millions of lines. A purchase day is
a UTC day with at least one line that is not a return (an amount of zero counts). A return nets money
against the purchase day it belongs to: the day of its order where that is visible, else the customer's
latest purchase day before it. It never makes, removes or moves a purchase day.
"""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd

from clv.columns import (
    AGE_DAYS,
    AMOUNT,
    CUSTOMER_ID,
    FIRST_ORDER_ON,
    FREQUENCY,
    HISTORIC_REVENUE,
    IS_RETURN,
    LAST_ORDER_ON,
    LOG_GAP_SUM,
    MONETARY_VALUE,
    ORDER_ID,
    ORDERED_AT,
    RECENCY_DAYS,
)
from clv.errors import MissingColumn

__all__ = ["log_gaps", "purchase_days", "summarize", "visible_lines", "with_log_gaps"]

_DAY = "day"


def summarize(purchases: pd.DataFrame, as_of: date) -> pd.DataFrame:
    """Summarise every customer's orders up to and including a day.

    Parameters
    ----------
    purchases
        One row a line: ``customer_id``, ``ordered_at`` (date or timestamp, UTC if it has no zone),
        ``amount``; optionally ``order_id`` and ``is_return``. A negative amount is a return.
    as_of
        The last visible day.

    Returns
    -------
    pandas.DataFrame
        One row a customer with at least one purchase day, by ``customer_id``: ``frequency`` (purchase
        days after the first), ``recency_days``, ``age_days``, ``monetary_value`` (mean net amount of the
        repeat purchase days, 0 if there is none), ``first_order_on``, ``last_order_on``,
        ``historic_revenue`` (net, first day included).

    Raises
    ------
    MissingColumn
        When a required column is not there.

    Examples
    --------
    >>> lines = pd.DataFrame({
    ...     "customer_id": ["ann", "ann", "ann"],
    ...     "ordered_at": pd.to_datetime(["2026-01-01", "2026-01-11", "2026-01-12"]),
    ...     "amount": [50.0, 30.0, -10.0],
    ... })
    >>> row = summarize(lines, date(2026, 1, 31)).iloc[0]
    >>> print(*(row[name] for name in ("frequency", "recency_days", "age_days", "monetary_value")))
    1 10 30 20.0
    """
    days = purchase_days(purchases, as_of)
    by_customer = days.groupby(CUSTOMER_ID, sort=True)
    first, last = by_customer[_DAY].min(), by_customer[_DAY].max()
    repeats = by_customer[_DAY].size() - 1
    revenue = by_customer[AMOUNT].sum()
    later = days[days[_DAY] > by_customer[_DAY].transform("min")]
    spent = later.groupby(CUSTOMER_ID)[AMOUNT].mean().reindex(first.index, fill_value=0.0)
    loose = _returns_before_any_purchase(purchases, as_of).reindex(first.index, fill_value=0.0)
    summary = pd.DataFrame(
        {
            FREQUENCY: repeats.astype(np.int64),
            RECENCY_DAYS: (last - first).dt.days.astype(np.int64),
            AGE_DAYS: (pd.Timestamp(as_of) - first).dt.days.astype(np.int64),
            MONETARY_VALUE: spent.astype(np.float64),
            FIRST_ORDER_ON: first,
            LAST_ORDER_ON: last,
            HISTORIC_REVENUE: (revenue + loose).astype(np.float64),
        }
    )
    return summary.reset_index()


def purchase_days(purchases: pd.DataFrame, as_of: date) -> pd.DataFrame:
    """Return one row per customer and purchase day: ``customer_id``, ``day``, ``amount`` net of returns."""
    lines = visible_lines(purchases, as_of)
    bought, returned = lines[~lines[IS_RETURN]], lines[lines[IS_RETURN]]
    days = bought.groupby([CUSTOMER_ID, _DAY], sort=True)[AMOUNT].sum().reset_index()
    if returned.empty:
        return days
    homes = _homes(bought, returned).dropna(subset=[_DAY])
    back = homes.groupby([CUSTOMER_ID, _DAY], as_index=False)[AMOUNT].sum()
    merged = days.merge(back, on=[CUSTOMER_ID, _DAY], how="left", suffixes=("", "_back"))
    days[AMOUNT] = merged[AMOUNT] + merged[f"{AMOUNT}_back"].fillna(0.0)
    return days


def log_gaps(purchases: pd.DataFrame, as_of: date) -> pd.Series:
    """Return, by customer, the sum of the logarithms of the days between their purchase days.

    It is what a model of regular buyers needs beyond the summary; zero for one purchase day.
    """
    days = purchase_days(purchases, as_of)
    gaps = days.groupby(CUSTOMER_ID)[_DAY].diff().dt.days.fillna(1.0)
    days[LOG_GAP_SUM] = np.log(gaps.to_numpy(np.float64))
    return days.groupby(CUSTOMER_ID)[LOG_GAP_SUM].sum()


def visible_lines(purchases: pd.DataFrame, as_of: date) -> pd.DataFrame:
    """Return the lines up to a day: customer, order, ``day``, amount (returns negative), ``is_return``."""
    for name in (CUSTOMER_ID, ORDERED_AT, AMOUNT):
        if name not in purchases.columns:
            raise MissingColumn(f"The purchases have no column {name}.", where=name, hint="Rename or map it.")
    when = pd.to_datetime(purchases[ORDERED_AT])
    if when.dt.tz is not None:
        when = when.dt.tz_convert("UTC").dt.tz_localize(None)
    flagged = purchases[IS_RETURN].fillna(value=False).astype(bool) if IS_RETURN in purchases else False
    amount = purchases[AMOUNT].astype(np.float64)
    is_return = (amount < 0) | flagged
    lines = pd.DataFrame(
        {
            CUSTOMER_ID: purchases[CUSTOMER_ID],
            ORDER_ID: purchases.get(ORDER_ID),
            _DAY: when.dt.normalize(),
            AMOUNT: amount.where(~is_return, -amount.abs()),
            IS_RETURN: is_return,
        }
    )
    return lines[lines[_DAY] <= pd.Timestamp(as_of)].reset_index(drop=True)


def _homes(bought: pd.DataFrame, returned: pd.DataFrame) -> pd.DataFrame:
    """Give every return the purchase day it belongs to, or none."""
    back = (
        returned.assign(returned_on=returned[_DAY])
        .drop(columns=[_DAY])
        .sort_values("returned_on", kind="stable")
    )
    any_day = bought[[CUSTOMER_ID, _DAY]].drop_duplicates().sort_values(_DAY, kind="stable")
    latest = pd.merge_asof(back, any_day, left_on="returned_on", right_on=_DAY, by=CUSTOMER_ID)
    orders = bought[[CUSTOMER_ID, ORDER_ID, _DAY]].dropna().drop_duplicates().sort_values(_DAY, kind="stable")
    named = latest[ORDER_ID].notna()
    if orders.empty or not named.any():
        return latest
    of_order = pd.merge_asof(
        latest.loc[named].drop(columns=[_DAY]),
        orders.astype({ORDER_ID: latest[ORDER_ID].dtype}),
        left_on="returned_on",
        right_on=_DAY,
        by=[CUSTOMER_ID, ORDER_ID],
    )
    latest.loc[named, _DAY] = (
        of_order[_DAY].where(of_order[_DAY].notna(), latest.loc[named, _DAY].to_numpy()).to_numpy()
    )
    return latest


def _returns_before_any_purchase(purchases: pd.DataFrame, as_of: date) -> pd.Series:
    """Return money given back before a customer's first purchase: it counts in revenue and nowhere else."""
    lines = visible_lines(purchases, as_of)
    returned = lines[lines[IS_RETURN]]
    if returned.empty:
        return pd.Series(dtype=np.float64)
    homes = _homes(lines[~lines[IS_RETURN]], returned)
    return homes[homes[_DAY].isna()].groupby(CUSTOMER_ID)[AMOUNT].sum()


def with_log_gaps(summary: pd.DataFrame, purchases: pd.DataFrame, as_of: date) -> pd.DataFrame:
    """Return a summary with ``log_gap_sum`` beside it: what a model of regular buyers needs.

    Parameters
    ----------
    summary
        As :func:`summarize` gives it.
    purchases
        The log it was made from.
    as_of
        Its last visible day.
    """
    gaps = log_gaps(purchases, as_of).reindex(summary[CUSTOMER_ID])
    return summary.assign(**{LOG_GAP_SUM: gaps.to_numpy(np.float64)})
