"""What is known of each customer's orders: the table at the door, and its compression.

A buy-till-you-die model sees a customer only as (frequency, recency, age). Many customers share the same
triple, so a model is fitted on the unique triples with a weight each; a million daily customers are often
some ten thousand rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from clv.columns import AGE_DAYS, FREQUENCY, RECENCY_DAYS
from clv.errors import DataError, MissingColumn

__all__ = [
    "FloatArray",
    "Histories",
    "IntArray",
    "Table",
    "column",
    "compress",
    "groups",
    "histories",
    "repeated",
]

FloatArray: TypeAlias = npt.NDArray[np.float64]
IntArray: TypeAlias = npt.NDArray[np.intp]
Table: TypeAlias = "pd.DataFrame | Mapping[str, npt.ArrayLike]"


@dataclass(frozen=True, slots=True)
class Histories:
    """Order histories, one entry a customer or one entry a unique triple.

    Parameters
    ----------
    frequency
        Purchase days after the first, shape (n,).
    recency
        Time from the first to the last purchase day, same shape.
    age
        Time from the first purchase day to the as-of day, same shape and unit.
    weight
        How many customers the entry stands for, same shape.
    """

    frequency: FloatArray
    recency: FloatArray
    age: FloatArray
    weight: FloatArray

    def __len__(self) -> int:
        return int(self.frequency.size)

    def take(self, rows: npt.NDArray[Any]) -> Histories:
        """Return the entries at ``rows``."""
        return Histories(self.frequency[rows], self.recency[rows], self.age[rows], self.weight[rows])

    def in_units_of(self, unit: float) -> Histories:
        """Return the same histories with time measured in ``unit``."""
        return Histories(self.frequency, self.recency / unit, self.age / unit, self.weight)


def column(table: Table, name: str) -> FloatArray:
    """Return one column as floats, or say which one is missing."""
    try:
        values = table[name]
    except (KeyError, IndexError, ValueError) as error:
        raise MissingColumn(
            f"The table has no column {name}.",
            where=name,
            hint="clv.summary.summarize makes it from purchases.",
        ) from error
    return np.atleast_1d(np.asarray(values, dtype=np.float64))


def histories(table: Table, sample_weight: npt.ArrayLike | None = None) -> Histories:
    """Read and check the three columns every buy-till-you-die model stands on.

    Parameters
    ----------
    table
        DataFrame or mapping with ``frequency``, ``recency_days`` and ``age_days``, each of shape (n,).
    sample_weight
        Customers each row stands for, shape (n,), not negative; one by default.

    Raises
    ------
    MissingColumn
        When one of the columns is not there.
    DataError
        When a value is missing, negative, or recency and age contradict each other; names the first such row.

    Examples
    --------
    >>> len(histories({"frequency": [0, 2], "recency_days": [0, 30], "age_days": [90, 45]}))
    2
    """
    x, t_x, T = (column(table, name) for name in (FREQUENCY, RECENCY_DAYS, AGE_DAYS))
    if not x.shape == t_x.shape == T.shape:
        raise DataError("The columns differ in length.", where=f"{x.size}, {t_x.size} and {T.size} rows")
    weight = np.ones_like(x) if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
    if weight.shape != x.shape:
        raise DataError(
            "sample_weight has another length than the table.", where=f"{weight.size} and {x.size}"
        )
    _refuse(~np.isfinite(x + t_x + T + weight), "A value is missing or infinite.", "Leave such rows out.")
    _refuse(
        (x < 0) | (t_x < 0) | (weight < 0),
        "A value is negative.",
        "Frequency, recency and weight start at 0.",
    )
    _refuse(t_x > T, "The last order lies after the as-of day.", "recency_days is at most age_days.")
    _refuse((x > 0) != (t_x > 0), "Frequency and recency contradict each other.", "Both are 0, or neither.")
    return Histories(x, t_x, T, weight)


def _refuse(bad: npt.NDArray[np.bool_], what: str, hint: str) -> None:
    if bad.any():
        raise DataError(what, where=f"row {int(np.argmax(bad))}", hint=hint)


def groups(*keys: FloatArray) -> tuple[IntArray, IntArray]:
    """Find rows that agree in every key.

    Returns
    -------
    first, member
        The position of one row of each group, and the group each row belongs to.

    Examples
    --------
    >>> first, member = groups(np.array([1.0, 2.0, 1.0]))
    >>> first.tolist(), member.tolist()
    ([0, 1], [0, 1, 0])
    """
    code = np.zeros(keys[0].size, dtype=np.int64)
    room = 1
    for key in keys:
        whole = key.astype(np.int64)
        low, high = (int(whole.min()), int(whole.max())) if whole.size else (0, 0)
        if low < 0 or high >= 2**20 or not np.array_equal(whole, key):
            whole, levels = pd.factorize(key)
            high = len(levels)
        if room * (high + 1) >= 2**62:
            code, seen = pd.factorize(code)
            room = len(seen)
        code = code * (high + 1) + whole
        room *= high + 1
    member, distinct = pd.factorize(code)
    first = np.empty(len(distinct), dtype=np.intp)
    first[member[::-1]] = np.arange(code.size - 1, -1, -1)
    return first, member.astype(np.intp, copy=False)


def compress(full: Histories) -> Histories:
    """Merge equal triples and add up their weights; entries of weight zero go."""
    first, member = groups(full.frequency, full.recency, full.age)
    weight = _sums(member, full.weight, first.size)
    kept = first[weight > 0]
    return Histories(full.frequency[kept], full.recency[kept], full.age[kept], weight[weight > 0])


def repeated(values: FloatArray, weight: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the distinct values and the total weight of each."""
    first, member = groups(values)
    return values[first], _sums(member, weight, first.size)


def _sums(member: IntArray, weight: FloatArray, size: int) -> FloatArray:
    return np.asarray(np.bincount(member, weight, minlength=size), dtype=np.float64)
