"""What a log's own past says beyond the purchase model: who is better than it thinks, and is its level right.

The log is cut at some earlier days, each time as if the rest were the future. From what followed, trees
learn to rank customers, and the cut whose horizon comes nearest to the one asked for shows by how much
the purchase model's total was off. Ranking and level are then each the geometric mean of two opinions,
equal weights: purchase model and trees for the ranking; for the level, the purchase model as it is and as
the past would correct it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from clv.circumstances import Circumstances, aligned, names_of
from clv.columns import AGE_DAYS, CUSTOMER_ID, FREQUENCY, HISTORIC_REVENUE, ORDERED_AT
from clv.errors import DataError, TooLittleData
from clv.histories import FloatArray, column
from clv.holdout import Split, split
from clv.machine import Lesson, Machine
from clv.recent import features
from clv.season import season_index
from clv.summary import with_log_gaps

if TYPE_CHECKING:
    from clv.valuation import ValueModel
    from clv.value import ValueConfig

__all__ = ["Past", "Stack", "Teaching", "assemble", "study", "teach", "teach_from"]

LEAST_BUYERS: Final = 100
LEAST_DAYS: Final = 7
LESSONS: Final = 3
_MOST_TILT: Final = 20.0


@dataclass(frozen=True)
class Stack:
    """What was learnt from the log's past.

    Parameters
    ----------
    machine
        The trees.
    method
        ``stack`` or ``machine``.
    level_orders, level_value
        By what the purchase model's total orders and value are multiplied.
    scale
        Brings the trees' opinion to that level.
    horizon_days
        The horizon that was asked for.
    span_days, mean_order
        Units of time and money of the features.
    circumstances
        What the trees know of customers beyond their orders, by name; empty where the log tells nothing.
    """

    machine: Machine
    method: str
    level_orders: float
    level_value: float
    scale: float
    horizon_days: float
    span_days: float
    mean_order: float
    circumstances: tuple[str, ...] = ()

    def tilts(
        self,
        plain: ValueModel,
        summary: pd.DataFrame,
        purchases: pd.DataFrame,
        as_of: date,
        circumstances: Circumstances | None = None,
    ) -> FloatArray:
        """Return by what each customer's value under the purchase model is to be multiplied, shape (n,).

        Raises
        ------
        DataError
            When the trees learnt from circumstances and none are given.
        """
        raw = self._raw(plain, summary, purchases, as_of, circumstances)
        tilt: FloatArray = np.clip(self.scale * raw, 1.0 / _MOST_TILT, _MOST_TILT)
        return tilt

    def _raw(
        self,
        plain: ValueModel,
        summary: pd.DataFrame,
        purchases: pd.DataFrame,
        as_of: date,
        circumstances: Circumstances | None,
    ) -> FloatArray:
        table, value = _seen(
            plain, summary, purchases, as_of, self.horizon_days, self.span_days, self.mean_order
        )
        if self.circumstances:
            if circumstances is None:
                raise DataError(
                    "This model knows customers by more than their orders.",
                    where=", ".join(self.circumstances[:3]),
                    hint="Hand over the circumstances it was fitted with.",
                )
            beyond = aligned(circumstances(as_of), summary[CUSTOMER_ID], self.circumstances)
            table = np.column_stack([table, beyond])
        ratio = self.machine.predict(table) / np.maximum(value, 1e-9)
        raw: FloatArray = np.sqrt(ratio) if self.method == "stack" else ratio
        return raw

    def save(self, folder: Path) -> dict[str, Any]:
        """Write the trees into a folder, and return everything else as figures for JSON."""
        self.machine.save(folder)
        return {one.name: getattr(self, one.name) for one in fields(self) if one.name != "machine"}

    @classmethod
    def load(cls, folder: Path, figures: Mapping[str, Any]) -> Stack:
        """Read the trees of a folder back, and put them together with the figures."""
        told = tuple(figures.get("circumstances", ()))
        return cls(**{**figures, "machine": Machine.load(folder), "circumstances": told})


@dataclass(frozen=True)
class Teaching:
    """What the earlier days of a log teach, before it is decided how far to believe it.

    Parameters
    ----------
    machine
        The trees.
    orders, value
        What came over what the purchase model expected, of orders and of value, at the cut nearest in
        horizon.
    circumstances
        What the trees were told beyond the orders, by name.
    """

    machine: Machine
    orders: float
    value: float
    circumstances: tuple[str, ...] = ()


@dataclass(frozen=True)
class Past:
    """An earlier day and what followed it.

    Parameters
    ----------
    day
        The last day that counted as visible.
    customers
        Who was known on it.
    lesson
        What was known of them and what they then spent.
    level
        What came over what the purchase model expected, of orders and of value.
    """

    day: date
    customers: pd.Series
    lesson: Lesson
    level: tuple[float, float]


def teach(
    purchases: pd.DataFrame,
    summary: pd.DataFrame,
    *,
    as_of: date,
    config: ValueConfig,
    circumstances: Circumstances | None = None,
) -> Teaching:
    """Cut the log at earlier days and learn what followed.

    Parameters
    ----------
    purchases
        The log; what is later than ``as_of`` is not looked at.
    summary
        Its summary on ``as_of``.
    as_of
        The last visible day.
    config
        Purchase model, horizon and seed.
    circumstances
        What was known of customers beyond their orders; asked for each day the log is cut at.

    Raises
    ------
    TooLittleData
        When the log is too short or too few customers came back.
    """
    pasts = study(purchases, summary, as_of=as_of, config=config)
    return teach_from(pasts, circumstances, random_state=config.random_state)


def study(purchases: pd.DataFrame, summary: pd.DataFrame, *, as_of: date, config: ValueConfig) -> list[Past]:
    """Cut the log at earlier days and note what followed, the most telling day first; see :func:`teach`."""
    visible = _visible(purchases, as_of)
    length = int(column(summary, AGE_DAYS).max(initial=0.0))
    cuts = [_cut(visible, day, days) for day, days in _lesson_days(as_of, length, int(config.horizon_days))]
    pasts = [_past(cut, visible, config) for cut in cuts if (cut.orders > 0).sum() >= LEAST_BUYERS]
    if not pasts:
        raise TooLittleData(
            f"In a log of {length} days fewer than {LEAST_BUYERS} customers came back after any earlier day.",
            hint="Use the purchase model alone.",
        )
    return pasts


def teach_from(pasts: list[Past], circumstances: Circumstances | None, *, random_state: int) -> Teaching:
    """Let trees learn from days already studied, told of circumstances or not."""
    told = [] if circumstances is None else [circumstances(past.day) for past in pasts]
    names = names_of(told)
    lessons = [past.lesson for past in pasts]
    if names:
        beyond = [aligned(table, past.customers, names) for past, table in zip(pasts, told, strict=True)]
        lessons = [
            replace(lesson, features=np.column_stack([lesson.features, more]))
            for lesson, more in zip(lessons, beyond, strict=True)
        ]
    return Teaching(Machine.fit(lessons, random_state=random_state), *pasts[0].level, names)


def _lesson_days(as_of: date, length: int, horizon: int) -> list[tuple[date, int]]:
    """Return the days to cut a log at, and for how long to look ahead, the most telling one first.

    The horizon asked for, or the longest the log has room for, just before the end; then the same further
    back where the log is long, else shorter ones. A cut leaves at least a third of the log to learn from.
    """
    longest = min(horizon, length // 2)
    cuts = [(back * longest, longest) for back in range(1, LESSONS + 1)]
    cuts += [(days, days) for days in (length // 3, length // 4) if days < longest]
    found = [
        (as_of - timedelta(days=back), days) for back, days in cuts if back == days or 3 * back <= 2 * length
    ]
    return [cut for cut in found if LEAST_DAYS <= cut[1] < length][:LESSONS]


def assemble(
    teaching: Teaching,
    purchases: pd.DataFrame,
    summary: pd.DataFrame,
    plain: ValueModel,
    *,
    as_of: date,
    config: ValueConfig,
    circumstances: Circumstances | None = None,
) -> Stack:
    """Put a teaching and a fitted purchase model together, by the method of the configuration."""
    visible = _visible(purchases, as_of)
    share = 0.5 if config.method == "stack" else 1.0
    known = season_index(visible, as_of, config.horizon_days)
    season = config.season if config.season is not None else known
    of_orders, of_value = teaching.orders**share * season, teaching.value**share * season
    horizon, units = float(config.horizon_days), _units(summary)
    method, names = config.method, teaching.circumstances
    stack = Stack(teaching.machine, method, of_orders, of_value, 1.0, horizon, *units, names)
    raw = stack._raw(plain, summary, visible, as_of, circumstances)
    value = _value(plain, summary, horizon)
    return replace(stack, scale=of_value * float(value.sum()) / max(float((raw * value).sum()), 1e-12))


def _visible(purchases: pd.DataFrame, as_of: date) -> pd.DataFrame:
    when = pd.to_datetime(purchases[ORDERED_AT], utc=True).dt.tz_localize(None)
    return purchases[when < pd.Timestamp(as_of) + pd.Timedelta(days=1)]


def _cut(visible: pd.DataFrame, day: date, days: int) -> Split:
    """Split the log on a day, with what a model of regular buyers needs beside the summary."""
    past = split(visible, day, days)
    return replace(past, summary=with_log_gaps(past.summary, visible, day))


def _past(past: Split, visible: pd.DataFrame, config: ValueConfig) -> Past:
    """Return what a cut tells: features and outcome, and what came of orders and value over expected."""
    from clv.valuation import ValueModel  # noqa: PLC0415  (a valuation holds a stack)

    plain = ValueModel.fit(past.summary, as_of=past.as_of, config=config.bare())
    table, value = _seen(plain, past.summary, visible, past.as_of, past.horizon_days, *_units(past.summary))
    rows = plain.arrays(past.summary)
    orders = float(plain.process.orders(*rows[:3], past.horizon_days).sum())
    spent = float(past.revenue.sum())
    season = season_index(visible, past.as_of, past.horizon_days)
    level = (past.orders.sum() / max(orders, 1e-9) / season, spent / max(float(value.sum()), 1e-9) / season)
    bounded = tuple(float(np.clip(one, 0.2, 5.0)) for one in level)
    mean = max(spent / len(past.summary), 1e-9)
    lesson = Lesson(table, np.maximum(past.revenue, 0.0) / mean)
    return Past(past.as_of, past.summary[CUSTOMER_ID], lesson, (bounded[0], bounded[1]))


def _units(summary: pd.DataFrame) -> tuple[float, float]:
    orders = float((column(summary, FREQUENCY) + 1.0).sum())
    mean = float(column(summary, HISTORIC_REVENUE).sum()) / max(orders, 1.0)
    return max(float(column(summary, AGE_DAYS).max(initial=1.0)), 1.0), max(mean, 1e-9)


def _value(plain: ValueModel, summary: pd.DataFrame, horizon: float) -> FloatArray:
    x, t_x, T, m, revenue = plain.arrays(summary)
    return plain.process.orders(x, t_x, T, horizon) * plain.order_value(x, m, revenue)


def _seen(
    plain: ValueModel,
    summary: pd.DataFrame,
    purchases: pd.DataFrame,
    as_of: date,
    horizon: float,
    span_days: float,
    mean_order: float,
) -> tuple[FloatArray, FloatArray]:
    """Return the features of customers as they were on a day, and the purchase model's value of them."""
    x, t_x, T, m, revenue = plain.arrays(summary)
    alive = plain.process.alive(x, t_x, T)
    orders = plain.process.orders(x, t_x, T, horizon, alive)
    spend = plain.order_value(x, m, revenue)
    table = features(
        summary,
        purchases,
        as_of,
        alive=alive,
        orders_a_day=orders / horizon,
        spend=spend,
        horizon_days=horizon,
        span_days=span_days,
        mean_order=mean_order,
    )
    return table, orders * spend
