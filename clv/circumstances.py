"""What is known of customers beyond their orders, as of a day: categories, discounts, interactions.

The engine does not ask where it comes from. It is handed a function from a day to a table with what was known
on that day, one row a customer, and asks it for every day it cuts the log at, so nothing later is seen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from typing import TypeAlias

import numpy as np
import pandas as pd

from clv.columns import CUSTOMER_ID
from clv.errors import DataError, MissingColumn
from clv.histories import FloatArray

__all__ = ["Circumstances", "aligned", "names_of"]

Circumstances: TypeAlias = "Callable[[date], pd.DataFrame]"  # in quotes: a service loads no pandas for it
"""From the last visible day to ``customer_id`` and columns of numbers free of the log's length."""


def names_of(tables: Iterable[pd.DataFrame]) -> tuple[str, ...]:
    """Return the columns of several days' tables, each once, in order of appearance.

    Examples
    --------
    >>> early = pd.DataFrame({"customer_id": ["ann"], "share of tea": [1.0]})
    >>> late = pd.DataFrame({"customer_id": ["ann"], "share of tea": [0.5], "share of jam": [0.5]})
    >>> names_of([early, late])
    ('share of tea', 'share of jam')
    """
    return tuple(dict.fromkeys(name for table in tables for name in table.columns if name != CUSTOMER_ID))


def aligned(table: pd.DataFrame, customers: pd.Series, names: tuple[str, ...]) -> FloatArray:
    """Return one row a customer and one column a name, shape (n, len(names)); nan for what is not known.

    Parameters
    ----------
    table
        What was known on a day: ``customer_id`` and columns of numbers.
    customers
        Whom to answer for, shape (n,).
    names
        The columns, in order; one the table does not have is unknown of everybody.

    Raises
    ------
    MissingColumn
        When the table has no ``customer_id``.
    DataError
        When a customer has two rows, a column is not made of numbers, or nobody in the table is asked about.

    Examples
    --------
    >>> known = pd.DataFrame({"customer_id": ["ann"], "share of tea": [0.5]})
    >>> aligned(known, pd.Series(["bob", "ann"]), ("share of tea", "share of jam"))
    array([[nan, nan],
           [0.5, nan]])
    """
    if CUSTOMER_ID not in table.columns:
        hint = "One row a customer, named by customer_id."
        raise MissingColumn("The circumstances do not say whose they are.", where=CUSTOMER_ID, hint=hint)
    if table[CUSTOMER_ID].duplicated().any():
        whose = str(table.loc[table[CUSTOMER_ID].duplicated(), CUSTOMER_ID].iloc[0])
        raise DataError("A customer has two rows of circumstances.", where=whose, hint="One row a customer.")
    for name in names:
        if name in table.columns and not pd.api.types.is_numeric_dtype(table[name]):
            raise DataError("A circumstance is not a number.", where=name, hint="Code words as 0 and 1.")
    if len(table) and len(customers) and not table[CUSTOMER_ID].isin(customers).any():
        hint = "Name customers as the purchases do: the text 7 is not the number 7."
        raise DataError("The circumstances tell of other customers.", where=CUSTOMER_ID, hint=hint)
    rows = table.set_index(CUSTOMER_ID).reindex(index=customers, columns=list(names))
    values: FloatArray = rows.to_numpy(dtype=np.float64, na_value=np.nan)
    return values
