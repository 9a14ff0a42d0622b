"""From a table of mixed columns to numbers that survive drift: new categories and outliers stay harmless."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from clv.errors import MissingColumn
from recommend.baskets import Floats

if TYPE_CHECKING:
    import pandas as pd

LEAST_ROWS = 50
_TAIL = 0.001


@dataclass(frozen=True, slots=True)
class Encoder:
    """How each column becomes a number.

    A category becomes the smoothed acceptance its rows showed, so that similar categories lie side by side;
    one that is new, rare or missing becomes NaN, which trees treat as its own case. A number is clipped to
    the range seen in training, so that drift beyond it changes nothing more.

    Parameters
    ----------
    columns
        Names in order.
    categories
        Per categorical column the number of each known category.
    ranges
        Per numeric column the lowest and highest value kept.
    """

    columns: tuple[str, ...]
    categories: dict[str, dict[str, float]]
    ranges: dict[str, tuple[float, float]]

    @classmethod
    def of(
        cls, table: pd.DataFrame, happened: Floats, columns: Sequence[str], least_rows: int = LEAST_ROWS
    ) -> Encoder:
        """Learn categories and ranges.

        Parameters
        ----------
        table
            One row per presentation.
        happened
            Shape (rows): 0 or 1.
        columns
            Which columns to read; text, truth values and categories are categorical, the rest numeric.
        least_rows
            A category with fewer rows is treated as unknown.

        Raises
        ------
        MissingColumn
            If the table lacks a column.
        """
        _require(table, columns)
        categories: dict[str, dict[str, float]] = {}
        ranges: dict[str, tuple[float, float]] = {}
        base = float(happened.mean()) if len(happened) else 0.0
        for name in columns:
            if table[name].dtype.kind in "iuf":
                values = table[name].to_numpy(dtype=np.float64)
                seen = values[np.isfinite(values)]
                low, high = np.quantile(seen, [_TAIL, 1 - _TAIL]) if len(seen) else (0.0, 0.0)
                ranges[name] = (float(low), float(high))
                continue
            known, place = np.unique(_text(table[name]), return_inverse=True)
            rows = np.bincount(place, minlength=len(known))
            taken = np.bincount(place, weights=happened, minlength=len(known))
            rate = (taken + base * 20) / (rows + 20)
            categories[name] = {
                str(k): float(r) for k, r, n in zip(known, rate, rows, strict=True) if n >= least_rows and k
            }
        return cls(tuple(columns), categories, ranges)

    def rows(self, table: pd.DataFrame) -> np.ndarray[Any, np.dtype[np.float32]]:
        """Return the table as numbers, shape (rows, columns)."""
        _require(table, self.columns)
        out = np.empty((len(table), len(self.columns)), dtype=np.float32)
        for j, name in enumerate(self.columns):
            if name in self.ranges:
                out[:, j] = np.clip(table[name].to_numpy(dtype=np.float64), *self.ranges[name])
            else:
                known = self.categories[name]
                out[:, j] = [known.get(value, np.nan) for value in _text(table[name]).tolist()]
        return out

    def as_json(self) -> dict[str, object]:
        """Return the encoder as plain values."""
        return {
            "columns": list(self.columns),
            "categories": self.categories,
            "ranges": {name: list(pair) for name, pair in self.ranges.items()},
        }

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Encoder:
        """Read what :meth:`as_json` wrote."""
        ranges = {name: (pair[0], pair[1]) for name, pair in raw["ranges"].items()}
        return cls(tuple(raw["columns"]), dict(raw["categories"]), ranges)


def _text(column: pd.Series) -> np.ndarray[Any, np.dtype[np.str_]]:
    values = column.to_numpy(dtype=object)
    missing = column.isna().to_numpy()
    return np.array(["" if gone else str(v) for v, gone in zip(values, missing, strict=True)], dtype=np.str_)


def _require(table: pd.DataFrame, columns: Sequence[str]) -> None:
    for name in columns:
        if name not in table:
            raise MissingColumn(f"The column {name} is missing.", hint=f"It needs {', '.join(columns)}.")
