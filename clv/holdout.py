"""How good the predictions were: time-based splits, measures of ranking and level, baselines to beat.

A split hides everything after a day and asks for what came in the days after it. Ranking asks whether the
right customers are on top; level asks whether the amounts are right. A model can be good at one and
useless at the other, so both are always reported.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from clv.columns import AGE_DAYS, AMOUNT, CUSTOMER_ID, FREQUENCY, HISTORIC_REVENUE, ORDERED_AT
from clv.errors import TooLittleData
from clv.histories import FloatArray
from clv.summary import purchase_days, summarize

__all__ = [
    "Measures",
    "Split",
    "bias",
    "cut_offs",
    "decile_mape",
    "measure",
    "normalised_gini",
    "past_rate",
    "past_spend_rate",
    "population_mean",
    "population_mean_spend",
    "split",
]


@dataclass(frozen=True, slots=True)
class Split:
    """What was known on a day, and what followed.

    Parameters
    ----------
    as_of
        The last visible day.
    horizon_days
        Length of the hidden time after it.
    summary
        One row a customer, as :func:`clv.summary.summarize` gives it.
    orders, revenue
        Purchase days and net revenue of the same customers in the hidden time, shape (n,).
    """

    as_of: date
    horizon_days: int
    summary: pd.DataFrame
    orders: FloatArray
    revenue: FloatArray


def split(purchases: pd.DataFrame, as_of: date, horizon_days: int) -> Split:
    """Cut a purchase log into what is visible on ``as_of`` and what follows in the next ``horizon_days``.

    Customers whose first purchase is later are not in it: nobody could have asked for them.
    """
    summary = summarize(purchases, as_of)
    end = as_of + timedelta(days=horizon_days)
    days = purchase_days(purchases, end)
    after = days[days["day"] > pd.Timestamp(as_of)]
    by_customer = (
        after.groupby(CUSTOMER_ID)[AMOUNT].agg(["size", "sum"]).reindex(summary[CUSTOMER_ID], fill_value=0)
    )
    orders, revenue = (by_customer[name].to_numpy(np.float64) for name in ("size", "sum"))
    return Split(as_of, horizon_days, summary, orders, revenue)


def cut_offs(purchases: pd.DataFrame, horizon_days: int, count: int) -> list[date]:
    """Return up to ``count`` days to split at, latest first, each horizon after it fully inside the log.

    The horizons overlap where the log is short; the earliest cut-off leaves a third of the log to learn from.

    Raises
    ------
    TooLittleData
        When the log does not even hold one horizon after a third of its length.
    """
    when = pd.to_datetime(purchases[ORDERED_AT])
    if when.dt.tz is not None:
        when = when.dt.tz_convert("UTC").dt.tz_localize(None)
    first, last = when.min().date(), when.max().date()
    latest = last - timedelta(days=horizon_days)
    earliest = first + (last - first) / 3
    if latest <= first or latest < earliest:
        raise TooLittleData(
            f"The log spans {(last - first).days} days, too few to hide {horizon_days} of them.",
            hint="Ask for a shorter horizon.",
        )
    room = (latest - earliest).days
    step = min(horizon_days, room // max(count - 1, 1))
    days = [latest - timedelta(days=step * back) for back in range(count)]
    return sorted({day for day in days if day >= earliest}, reverse=True)


# -- measures ---------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Measures:
    """How a prediction did on one split.

    Parameters
    ----------
    gini
        Normalised Gini: 1 for the perfect ranking, 0 for a random one; ties share their places.
    spearman
        Rank correlation of predicted and actual.
    decile_mape
        Mean over predicted deciles of the relative error of the decile's mean.
    bias
        Predicted total over actual total, less one.
    mae, rmse
        Mean absolute and root mean squared error per customer.
    """

    gini: float
    spearman: float
    decile_mape: float
    bias: float
    mae: float
    rmse: float

    def as_dict(self) -> dict[str, float]:
        """Return the measures by name."""
        return asdict(self)


def measure(actual: npt.ArrayLike, predicted: npt.ArrayLike) -> Measures:
    """Return every measure of one prediction.

    Examples
    --------
    >>> perfect = measure([0.0, 1.0, 3.0], [0.0, 1.0, 3.0])
    >>> perfect.gini, perfect.bias, perfect.mae
    (1.0, 0.0, 0.0)
    """
    truth, guess = np.asarray(actual, dtype=np.float64), np.asarray(predicted, dtype=np.float64)
    error = guess - truth
    return Measures(
        gini=normalised_gini(truth, guess),
        spearman=_spearman(truth, guess),
        decile_mape=decile_mape(truth, guess),
        bias=bias(truth, guess),
        mae=float(np.abs(error).mean()),
        rmse=float(np.sqrt((error**2).mean())),
    )


def normalised_gini(actual: FloatArray, predicted: FloatArray) -> float:
    """Return the Gini coefficient of the ranking by prediction over that of the perfect ranking.

    Examples
    --------
    >>> normalised_gini(np.array([0.0, 0.0, 5.0]), np.array([3.0, 2.0, 1.0]))
    -1.0
    """

    def area(order: FloatArray) -> float:
        return float(actual @ (stats.rankdata(order) - (actual.size + 1) / 2))

    best = area(actual)
    return area(predicted) / best if best > 0 else 0.0


def _spearman(actual: FloatArray, predicted: FloatArray) -> float:
    if np.ptp(actual) == 0 or np.ptp(predicted) == 0:
        return 0.0
    return float(np.corrcoef(stats.rankdata(actual), stats.rankdata(predicted))[0, 1])


def decile_mape(actual: FloatArray, predicted: FloatArray, groups: int = 10) -> float:
    """Return the mean relative error of the group means, groups of equal size by prediction.

    A group in which nobody bought counts with the error over the overall mean, since a ratio to zero says
    nothing.
    """
    order = np.argsort(predicted, kind="stable")
    overall = max(float(np.abs(actual).mean()), 1e-12)
    errors = []
    for part in np.array_split(order, min(groups, actual.size)):
        truth, guess = float(actual[part].mean()), float(predicted[part].mean())
        errors.append(abs(guess - truth) / (abs(truth) if truth != 0 else overall))
    return float(np.mean(errors))


def bias(actual: FloatArray, predicted: FloatArray) -> float:
    """Return predicted total over actual total, less one; infinite when nothing was bought."""
    total = float(actual.sum())
    return float(predicted.sum()) / total - 1.0 if total != 0 else float("inf")


# -- baselines --------------------------------------------------------------------------------------------
def past_rate(summary: pd.DataFrame, horizon_days: float) -> FloatArray:
    """Return each customer's own past rate of orders, carried on: all orders over age times horizon."""
    age = np.maximum(summary[AGE_DAYS].to_numpy(np.float64), 1.0)
    rate: FloatArray = (summary[FREQUENCY].to_numpy(np.float64) + 1.0) / age * horizon_days
    return rate


def past_spend_rate(summary: pd.DataFrame, horizon_days: float) -> FloatArray:
    """Return each customer's own past revenue per day, carried on."""
    age = np.maximum(summary[AGE_DAYS].to_numpy(np.float64), 1.0)
    rate: FloatArray = summary[HISTORIC_REVENUE].to_numpy(np.float64) / age * horizon_days
    return rate


def population_mean(summary: pd.DataFrame, horizon_days: float) -> FloatArray:
    """Return the same number of orders for everybody: repeat orders per customer day, carried on."""
    days = max(float(summary[AGE_DAYS].sum()), 1.0)
    return np.full(len(summary), float(summary[FREQUENCY].sum()) / days * horizon_days)


def population_mean_spend(summary: pd.DataFrame, horizon_days: float) -> FloatArray:
    """Return the same revenue for everybody: revenue per order times the population's repeat orders."""
    orders = float(summary[FREQUENCY].sum()) + len(summary)
    per_order = float(summary[HISTORIC_REVENUE].sum()) / max(orders, 1.0)
    return population_mean(summary, horizon_days) * per_order
