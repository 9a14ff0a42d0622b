"""Pictures of a fitted model that people look at, one function each.

Every function returns a matplotlib Figure drawn without a display; nothing is shown or saved here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from clv.columns import FREQUENCY, MONETARY_VALUE
from clv.histories import FloatArray, column
from clv.holdout import Split, normalised_gini
from clv.questions import alive_path
from clv.summary import purchase_days

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from clv.process import PurchaseProcess
    from clv.spend import GammaGamma

__all__ = [
    "alive_matrix",
    "alive_path_plot",
    "calibration_by_frequency",
    "decile_chart",
    "expected_orders_matrix",
    "gain_chart",
    "spend_fit",
    "tracking",
]

ACTUAL, EXPECTED, QUIET = "#1b1b1f", "#2f6fde", "#8a8f98"


def _panel(title: str, across: str, up: str, width: float = 7.0, height: float = 4.2) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    _dress(axes, title, across, up)
    return figure, axes


def _dress(axes: Axes, title: str, across: str, up: str) -> None:
    axes.set_title(title, loc="left", fontsize=11)
    axes.set_xlabel(across)
    axes.set_ylabel(up)
    axes.spines[["top", "right"]].set_visible(False)


def tracking(model: PurchaseProcess, purchases: pd.DataFrame, as_of: date, until: date) -> Figure:
    """Draw repeat orders, cumulative and weekly, as they came and as expected; the holdout is shaded.

    Parameters
    ----------
    model
        Fitted on the customers known on ``as_of``, in days.
    purchases
        The log up to ``until``.
    as_of
        The last day the model saw.
    until
        The last day to draw.
    """
    days = purchase_days(purchases, until)
    first = days.groupby("customer_id")["day"].transform("min")
    known = first <= pd.Timestamp(as_of)
    days, first = days[known], first[known]
    start = first.min()
    born = (first[days["day"] == first] - start).dt.days.to_numpy(np.float64)
    again = (days["day"] - start).dt.days.to_numpy(np.float64)[(days["day"] > first).to_numpy()]
    ends = np.arange(7.0, (pd.Timestamp(until) - start).days + 1.0, 7.0)
    actual = np.searchsorted(np.sort(again), ends, side="right").astype(np.float64)
    births, counts = np.unique(born, return_counts=True)
    ages = {float(age) for end in ends for age in end - births if age > 0}
    curve = {age: model.expected_orders_new(age) for age in ages}
    expected = np.array([
        sum(n * curve[float(end - b)] for b, n in zip(births, counts, strict=True) if end > b) for end in ends
    ])  # fmt: skip
    figure = Figure(figsize=(9.0, 4.2), layout="constrained")
    FigureCanvasAgg(figure)
    weeks = ends / 7.0
    border = (pd.Timestamp(as_of) - start).days / 7.0
    titles = ("Repeat orders so far", "Repeat orders a week")
    series = ((actual, expected), (np.diff(actual, prepend=0.0), np.diff(expected, prepend=0.0)))
    for axes, title, (came, thought) in zip(figure.subplots(1, 2), titles, series, strict=True):
        axes.plot(weeks, came, color=ACTUAL, label="came")
        axes.plot(weeks, thought, color=EXPECTED, linestyle="--", label="expected")
        axes.axvspan(border, weeks[-1], color=QUIET, alpha=0.15, label="not seen by the model")
        _dress(axes, title, "week", "orders")
        axes.legend(loc="upper left", frameon=False, fontsize=8)
    return figure


def calibration_by_frequency(held: Split, expected: FloatArray, most: int = 7) -> Figure:
    """Draw holdout orders by how often customers had ordered before: as they came and as expected.

    Parameters
    ----------
    held
        The split.
    expected
        Expected orders of its customers, shape (n,).
    most
        Frequencies from here on share a group.
    """
    group = np.minimum(column(held.summary, FREQUENCY), most).astype(int)
    size = np.bincount(group, minlength=most + 1)
    with np.errstate(invalid="ignore"):
        came, thought = (
            np.bincount(group, what, minlength=most + 1) / size for what in (held.orders, expected)
        )
    figure, axes = _panel(
        f"Orders in the {held.horizon_days} days after {held.as_of}",
        "repeat orders before",
        "orders per customer",
    )
    labels = [str(k) for k in range(most)] + [f"{most}+"]
    axes.plot(labels, came, color=ACTUAL, marker="o", label="came")
    axes.plot(labels, thought, color=EXPECTED, marker="o", linestyle="--", label="expected")
    axes.legend(loc="upper center", frameon=False)
    return figure


def _matrix(values: FloatArray, most: int, age: float, title: str, unit: str) -> Figure:
    figure, axes = _panel(title, "repeat orders so far", "days since the last order", 6.4, 5.0)
    picture = axes.imshow(
        values, aspect="auto", origin="lower", extent=(0.5, most + 0.5, 0.0, age), cmap="viridis", vmin=0.0
    )
    figure.colorbar(picture, ax=axes, label=unit)
    return figure


def _grid(most: int, age: float) -> tuple[FloatArray, FloatArray, FloatArray]:
    x, silent = np.meshgrid(np.arange(1.0, most + 1.0), np.linspace(0.0, 0.99 * age, 60))
    return x.ravel(), (age - silent).ravel(), np.full(x.size, age)


def alive_matrix(model: PurchaseProcess, age_days: float, most: int = 20) -> Figure:
    """Draw the probability of being alive by orders so far and silence, of customers of one age."""
    alive = model.alive(*_grid(most, age_days)).reshape(60, most)
    return _matrix(
        alive, most, age_days, f"Still a customer, {age_days:.0f} days after the first order", "probability"
    )


def expected_orders_matrix(
    model: PurchaseProcess, age_days: float, horizon_days: float, most: int = 20
) -> Figure:
    """Draw expected orders by orders so far and silence, of customers of one age."""
    orders = model.orders(*_grid(most, age_days), horizon_days).reshape(60, most)
    return _matrix(orders, most, age_days, f"Orders to expect in {horizon_days:.0f} days", "orders")


def alive_path_plot(
    model: PurchaseProcess, order_days: Sequence[float], until_days: int, first_on: date | None = None
) -> Figure:
    """Draw one customer's probability of being alive over their history, with a mark at each order.

    Parameters
    ----------
    model
        Fitted purchase model, in days.
    order_days
        Days of the purchase days after the first, counted from it.
    until_days
        The last day to draw.
    first_on
        Day of the first order, to write dates instead of day numbers.
    """
    path = alive_path(model, order_days, until_days)
    days: npt.NDArray[np.generic] = np.arange(until_days + 1)
    marks: list[float | date] = [0.0, *order_days]
    if first_on is not None:
        days = np.array(
            [first_on + timedelta(days=int(day)) for day in range(until_days + 1)], dtype="datetime64[D]"
        )
        marks = [first_on + timedelta(days=int(day)) for day in (0, *order_days)]
    figure, axes = _panel("Still a customer?", "day", "probability")
    axes.plot(days, path, color=EXPECTED)
    for mark in marks:
        axes.axvline(mark, color=QUIET, linewidth=0.8, linestyle=":")  # type: ignore[arg-type]
    axes.set_ylim(0.0, 1.02)
    figure.autofmt_xdate()
    return figure


def gain_chart(actual: npt.ArrayLike, predictions: Mapping[str, npt.ArrayLike]) -> Figure:
    """Draw which share of the revenue the best customers hold, by prediction.

    Parameters
    ----------
    actual
        What customers spent, shape (n,).
    predictions
        By name of the model, what was predicted, each of shape (n,).
    """
    truth = np.asarray(actual, dtype=np.float64)
    share = np.linspace(0.0, 1.0, truth.size + 1)
    figure, axes = _panel(
        "Who holds the revenue", "share of customers, best first", "share of revenue", 6.0, 5.0
    )

    def gained(order: FloatArray) -> FloatArray:
        sums = np.concatenate([[0.0], np.cumsum(truth[np.argsort(-order, kind="stable")])])
        return np.asarray(sums / max(float(truth.sum()), 1e-12), dtype=np.float64)

    axes.plot(share, gained(truth), color=ACTUAL, label="perfect")
    for name, predicted in predictions.items():
        order = np.asarray(predicted, dtype=np.float64)
        axes.plot(share, gained(order), label=f"{name} (Gini {normalised_gini(truth, order):.3f})")
    axes.plot([0, 1], [0, 1], color=QUIET, linestyle=":", label="at random")
    axes.legend(frameon=False, loc="lower right")
    return figure


def decile_chart(actual: npt.ArrayLike, predicted: npt.ArrayLike) -> Figure:
    """Draw mean revenue by predicted tenth of the customers: as it came and as predicted."""
    truth, guess = np.asarray(actual, dtype=np.float64), np.asarray(predicted, dtype=np.float64)
    parts = np.array_split(np.argsort(-guess, kind="stable"), min(10, max(truth.size, 1)))
    figure, axes = _panel("Revenue by predicted tenth", "tenth of customers, best first", "mean revenue")
    place = np.arange(1.0, len(parts) + 1.0)
    axes.bar(place - 0.2, [truth[part].mean() for part in parts], 0.4, color=ACTUAL, label="came")
    axes.bar(place + 0.2, [guess[part].mean() for part in parts], 0.4, color=EXPECTED, label="predicted")
    axes.set_xticks(place)
    axes.legend(loc="upper center", frameon=False)
    return figure


def spend_fit(model: GammaGamma, summary: pd.DataFrame) -> Figure:
    """Draw the mean amounts of customers with repeat orders next to what the spend model makes of them."""
    x, m = column(summary, FREQUENCY), column(summary, MONETARY_VALUE)
    own = m[(x > 0) & (m > 0)]
    expected = model.expected_spend(x[(x > 0) & (m > 0)], own)
    top = float(np.quantile(own, 0.99)) if own.size else 1.0
    bins = np.linspace(0.0, max(top, 1e-9), 50).tolist()
    figure, axes = _panel("Amount per order", "mean amount", "customers")
    axes.hist(own, bins=bins, color=QUIET, alpha=0.6, label="own mean so far")
    axes.hist(
        expected,
        bins=bins,
        histtype="step",
        color=EXPECTED,
        linewidth=1.6,
        label="expected of the next order",
    )
    axes.axvline(model.mean_, color=ACTUAL, linestyle=":", label="of a customer without repeat orders")
    axes.legend(loc="upper center", frameon=False)
    return figure
