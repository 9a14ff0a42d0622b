"""What are the few numbers every segment and tag is made of, be a customer a row or a record?

A table of scored customers and one published profile hold the same facts under the same names; this is the
only place that reads them, so that the night's lists and the live answer cannot drift apart.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clv import columns as c
from clv.errors import MissingColumn

Floats: TypeAlias = NDArray[np.float64]

HISTORIC_REVENUE = "historic_revenue"
LAST_GAP_DAYS = "last_gap_days"  # days between the last two purchase days: tells who has come back
SPEND_FIELDS = (HISTORIC_REVENUE, c.HISTORIC_CLV)
WORTH_FIELDS = (c.PREDICTED_CLV, c.TOTAL_CLV, *SPEND_FIELDS)


@dataclass(frozen=True, slots=True)
class Vitals:
    """One customer's numbers; ``nan`` where unknown.

    Parameters
    ----------
    frequency
        Purchase days after the first one.
    recency_days, age_days
        From the first purchase day to the last one, and to the as-of day.
    spend
        Everything spent so far, returns netted.
    worth
        The value the tiers are cut on: predicted where there is a prediction, else what was spent.
    probability_alive
        0 to 1.
    last_gap_days
        Days between the last two purchase days.
    """

    frequency: float
    recency_days: float
    age_days: float
    spend: float
    worth: float
    probability_alive: float
    last_gap_days: float

    @property
    def known(self) -> bool:
        """Whether this customer has bought at all."""
        return not math.isnan(self.quiet_days + self.frequency)

    @property
    def quiet_days(self) -> float:
        """Days since the last purchase day."""
        return self.age_days - self.recency_days


@dataclass(frozen=True, slots=True)
class VitalsTable:
    """The same numbers for many customers: one array a field, shape (n,)."""

    customer_id: Sequence[str]
    frequency: Floats
    recency_days: Floats
    age_days: Floats
    spend: Floats
    worth: Floats
    probability_alive: Floats
    last_gap_days: Floats

    @property
    def quiet_days(self) -> Floats:
        """Days since the last purchase day, shape (n,)."""
        return self.age_days - self.recency_days

    @property
    def known(self) -> NDArray[np.bool_]:
        """Which customers have bought at all, shape (n,)."""
        return ~np.isnan(self.quiet_days + self.frequency)


def number(record: Mapping[str, object], name: str) -> float:
    """Return a field of a record as a number, ``nan`` if it is missing or no number.

    >>> number({"orders": 3}, "orders"), number({"orders": None}, "orders")
    (3.0, nan)
    """
    value = record.get(name)
    if isinstance(value, bool | int | float | np.integer | np.floating):
        return float(value)
    return math.nan


def floats(table: pd.DataFrame, name: str) -> Floats:
    """Return a column as numbers, all ``nan`` if the table lacks it; shape (n,)."""
    if name not in table:
        return np.full(len(table), np.nan)
    return np.asarray(pd.to_numeric(table[name], errors="coerce").astype("float64"), dtype=np.float64)


def first_present(table: pd.DataFrame, names: Sequence[str]) -> str:
    """Return the first of ``names`` that is a column holding at least one number, empty if none is."""
    for name in names:
        if name in table and not np.isnan(floats(table, name)).all():
            return name
    return ""


def vitals_of(record: Mapping[str, object], spend_field: str, worth_field: str) -> Vitals:
    """Read one customer.

    Parameters
    ----------
    record
        Fields by name, such as ``Profile.value``.
    spend_field, worth_field
        Which fields stand for spend and worth; empty for none.
    """
    alive = number(record, c.PROBABILITY_ALIVE)
    if math.isnan(alive):
        alive = 1.0 - number(record, c.CHURN_PROBABILITY)
    return Vitals(
        frequency=number(record, c.FREQUENCY),
        recency_days=number(record, c.RECENCY_DAYS),
        age_days=number(record, c.AGE_DAYS),
        spend=number(record, spend_field),
        worth=number(record, worth_field),
        probability_alive=alive,
        last_gap_days=number(record, LAST_GAP_DAYS),
    )


def vitals_table(scored: pd.DataFrame, spend_field: str, worth_field: str) -> VitalsTable:
    """Read many customers: the table twin of :func:`vitals_of`.

    Raises
    ------
    MissingColumn
        If the key or a column of the summary is not there.
    """
    for name in (c.CUSTOMER_ID, *c.SUMMARY):
        if name not in scored:
            raise MissingColumn(
                f"Segments need the column {name}.",
                where="scored customers",
                hint="Score the summary of clv.summary.summarize; it carries the column.",
            )
    alive = floats(scored, c.PROBABILITY_ALIVE)
    alive = np.where(np.isnan(alive), 1.0 - floats(scored, c.CHURN_PROBABILITY), alive)
    return VitalsTable(
        customer_id=[str(key) for key in scored[c.CUSTOMER_ID]],
        frequency=floats(scored, c.FREQUENCY),
        recency_days=floats(scored, c.RECENCY_DAYS),
        age_days=floats(scored, c.AGE_DAYS),
        spend=floats(scored, spend_field),
        worth=floats(scored, worth_field),
        probability_alive=alive,
        last_gap_days=floats(scored, LAST_GAP_DAYS),
    )


def last_order_on(as_of: date, quiet_days: float) -> date:
    """Return the day of the last purchase, given how long it has been quiet.

    >>> last_order_on(date(2024, 3, 10), 9.0)
    datetime.date(2024, 3, 1)
    """
    return as_of - timedelta(days=0 if math.isnan(quiet_days) else int(quiet_days))
