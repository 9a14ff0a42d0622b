"""How far off a prediction may be: intervals for each customer and for any sum of customers.

Two things are unknown: the parameters, drawn from their estimated uncertainty, and what each customer
will do given them, drawn from their posterior. Within one draw all customers share the parameters, so
sums keep what is common to everybody.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from clv import columns as col
from clv.draws import draw_model, draw_orders, draw_spend, draw_spend_model
from clv.errors import SettingError
from clv.histories import FloatArray, column
from clv.process import daily_rate

if TYPE_CHECKING:
    from clv.valuation import ValueModel

__all__ = ["Futures", "futures"]


@dataclass(frozen=True, slots=True)
class Futures:
    """Possible futures of a table of customers.

    Parameters
    ----------
    orders, value
        Orders and discounted margin in the horizon, shape (draws, customers); one row is one possible
        future of all.
    """

    orders: FloatArray
    value: FloatArray

    def intervals(self, level: float = 0.8) -> pd.DataFrame:
        """Return, a row a customer, ``orders_low``, ``orders_high``, ``value_low``, ``value_high``.

        Orders are whole, so their interval holds at least the level; for most customers no interval holds
        exactly it.

        Parameters
        ----------
        level
            Between 0 and 1; 0.8 leaves 10 % on either side.
        """
        low, high = _tails(level)
        bounds = np.quantile(self.orders, (low, high), axis=0, method="inverted_cdf")
        worth = np.quantile(self.value, (low, high), axis=0)
        return pd.DataFrame(
            {"orders_low": bounds[0], "orders_high": bounds[1], "value_low": worth[0], "value_high": worth[1]}
        )

    def total(
        self, customers: Sequence[int] | FloatArray | None = None, level: float = 0.8
    ) -> dict[str, float]:
        """Return the interval of a sum over customers, by position; over all of them by default.

        Returns
        -------
        dict
            ``orders_low``, ``orders_mean``, ``orders_high``, ``value_low``, ``value_mean``, ``value_high``.
        """
        chosen = slice(None) if customers is None else np.asarray(customers, dtype=np.intp)
        answer: dict[str, float] = {}
        for name, table in (("orders", self.orders), ("value", self.value)):
            sums = table[:, chosen].sum(axis=1)
            low, high = np.quantile(sums, _tails(level))
            answer |= {
                f"{name}_low": float(low),
                f"{name}_mean": float(sums.mean()),
                f"{name}_high": float(high),
            }
        return answer


def _tails(level: float) -> tuple[float, float]:
    if not 0.0 < level < 1.0:
        raise SettingError(
            "The level of an interval lies between 0 and 1.", where=str(level), hint="0.8, say."
        )
    return (1.0 - level) / 2.0, (1.0 + level) / 2.0


def futures(
    model: ValueModel,
    summary: pd.DataFrame,
    horizon_days: float = 365,
    *,
    draws: int = 500,
    random_state: int,
) -> Futures:
    """Draw possible futures of every customer in a table.

    Parameters
    ----------
    model
        Fitted valuation.
    summary
        Summary of each customer, n rows, with ``tilt`` if the model has a stack. The result holds ``2 *
        draws * n`` numbers: go through large tables in parts, with the same ``random_state``, and add up
        the rows of the parts for their sum.
    horizon_days
        How far ahead to look.
    draws
        Possible futures; a few hundred settle the bounds of an 80 % interval.
    random_state
        Seed of the random numbers.

    Returns
    -------
    Futures
        Orders and value of each customer in each possible future.
    """
    x, t_x, T, m, revenue = model.arrays(summary)
    told = col.TILT in summary.columns
    level, of_value = (
        (1.0, 1.0) if model.stack is None else (model.stack.level_orders, model.stack.level_value)
    )
    tilt = column(summary, col.TILT) if told else np.full_like(x, of_value)
    # a corrected level of orders is a horizon as much longer; a tilt is in the value of what is ordered in it
    ahead = horizon_days * level
    plain = model.process.orders(x, t_x, T, ahead)
    late = model.process.discounted_orders(x, t_x, T, horizon_days, daily_rate(model.config.annual_discount))
    share = np.divide(late, plain, out=np.ones_like(plain), where=plain > 0)
    worth, seen = model.config.margin_rate * tilt * share, model.evidence(x, m, revenue)
    common, own = (np.random.default_rng([random_state, stream]) for stream in (0, 1))
    orders, value = np.empty((draws, x.size)), np.empty((draws, x.size))
    for draw in range(draws):
        process, spend = draw_model(model.process, common), draw_spend_model(model.spend, common)
        orders[draw] = draw_orders(process, own, x, t_x, T, ahead)
        value[draw] = worth * draw_spend(spend, own, *seen, orders[draw])
    return Futures(orders, value)
