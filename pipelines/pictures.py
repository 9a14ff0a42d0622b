"""The pictures of a report: does it rank, does it keep its promises, what does it think of whom?

Each function returns a matplotlib figure and draws without a display.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from clv.columns import FREQUENCY, PROBABILITY_ALIVE, RECENCY_DAYS

OURS: Final = "#1f5f99"
TRUTH: Final = "#d1495b"
OTHERS: Final = ("#8a8f98", "#c7a14a", "#5b8c5a", "#7d5ba6")
_POINTS: Final = 200


def gain(
    actual: npt.NDArray[np.float64], answers: Mapping[str, npt.NDArray[np.float64]], *, what: str
) -> Figure:
    """Draw the share of what came that lies with the top share of customers, for each way to rank them.

    Parameters
    ----------
    actual
        Shape (n,): what each customer brought in the holdout.
    answers
        Shape (n,) by competitor, the model first; equal answers share their places.
    what
        Name of what came, for the axis.
    """
    figure, axes = _canvas()
    for name, colour, answer in zip(answers, (OURS, *OTHERS), answers.values(), strict=False):
        share, reached = _gain_curve(actual, answer)
        axes.plot(share, reached, color=colour, linewidth=2.2 if colour == OURS else 1.4, label=name)
    share, reached = _gain_curve(actual, actual)
    axes.plot(share, reached, color=TRUTH, linestyle=":", linewidth=1.4, label="perfect ranking")
    axes.set(xlabel="customers, best first", ylabel=f"share of {what} reached", xlim=(0, 1), ylim=(0, 1.02))
    axes.set_title("Gain: who are the customers that count?", loc="left")
    _percent(axes)
    axes.legend(loc="lower right", frameon=False)
    return figure


def calibration(
    actual: npt.NDArray[np.float64], predicted: npt.NDArray[np.float64], *, what: str, groups: int = 10
) -> Figure:
    """Draw predicted and actual means side by side, for groups of equal size by prediction."""
    figure, axes = _canvas()
    parts = np.array_split(np.argsort(predicted, kind="stable"), min(groups, actual.size))
    places = np.arange(1, len(parts) + 1)
    axes.bar(places - 0.2, [predicted[p].mean() for p in parts], 0.38, color=OURS, label="predicted")
    axes.bar(places + 0.2, [actual[p].mean() for p in parts], 0.38, color=TRUTH, label="came")
    axes.set(xlabel="tenth of the customers, by prediction", ylabel=f"{what} per customer")
    axes.set_xticks(places)
    axes.set_title("Calibration: are the amounts right?", loc="left")
    axes.legend(loc="upper left", frameon=False)
    return figure


def orders_by_frequency(
    summary: pd.DataFrame, actual: npt.NDArray[np.float64], predicted: npt.NDArray[np.float64]
) -> Figure:
    """Draw the mean orders that came and that were predicted, by the number of repeat orders before."""
    figure, axes = _canvas()
    before = summary[FREQUENCY].to_numpy(np.int64)
    edges = frequency_groups(before)
    group = np.searchsorted(edges, before, side="right") - 1
    table = pd.DataFrame({"group": group, "came": actual, "predicted": predicted}).groupby("group").mean()
    axes.plot(table.index, table["predicted"], color=OURS, marker="o", label="predicted")
    axes.plot(table.index, table["came"], color=TRUTH, marker="s", linestyle="--", label="came")
    axes.set_xticks(table.index, [_range(edges, k, int(before.max(initial=0))) for k in table.index])
    axes.set(xlabel="repeat orders before", ylabel="orders in the holdout, mean")
    axes.set_title("Orders by what was known", loc="left")
    axes.legend(loc="upper left", frameon=False)
    return figure


def frequency_groups(before: npt.NDArray[np.int64], most: int = 12) -> npt.NDArray[np.int64]:
    """Return where each group of repeat orders begins: one by one where many share them, else of like size.

    Examples
    --------
    >>> frequency_groups(np.array([0, 0, 1, 3])).tolist()
    [0, 1, 3]
    >>> frequency_groups(np.arange(100), most=4).tolist()
    [0, 25, 50, 75]
    """
    begins: list[int] = []
    left, groups, held = before.size, most, 0
    for value, count in zip(*np.unique(before, return_counts=True), strict=True):
        if held == 0:
            begins.append(int(value))
        held += int(count)
        if held * groups >= left and groups > 1:
            left, groups, held = left - held, groups - 1, 0
    return np.array(begins, dtype=np.int64)


def _range(edges: npt.NDArray[np.int64], group: int, largest: int) -> str:
    first = int(edges[group])
    last = int(edges[group + 1]) - 1 if group + 1 < len(edges) else largest
    return str(first) if last == first else f"{first}–{last}"


def frequency_recency(scored: pd.DataFrame, *, cells: int = 24) -> Figure:
    """Draw the probability of still being a customer over frequency and recency, as the customers lie.

    Parameters
    ----------
    scored
        Columns ``frequency``, ``recency_days``, ``probability_alive``; one row a customer.
    cells
        Cells along each side.
    """
    figure, axes = _canvas()
    frequency = scored[FREQUENCY].to_numpy(np.float64)
    recency = scored[RECENCY_DAYS].to_numpy(np.float64)
    most = max(float(np.quantile(frequency, 0.99)), 1.0)
    span = ((-0.5, most + 0.5), (0.0, max(float(recency.max()), 1.0)))
    bins = (min(cells, int(most) + 1), cells)
    alive = scored[PROBABILITY_ALIVE].to_numpy(np.float64)
    sums, x, y = np.histogram2d(frequency, recency, bins=bins, range=span, weights=alive)
    counts = np.histogram2d(frequency, recency, bins=bins, range=span)[0]
    means = np.divide(sums, counts, out=np.full_like(sums, np.nan), where=counts > 0)
    mesh = axes.pcolormesh(x, y, means.T, vmin=0.0, vmax=1.0, cmap="viridis")
    figure.colorbar(mesh, ax=axes, label="probability alive, mean of the cell")
    axes.set(xlabel="repeat orders (frequency)", ylabel="days from first to last order (recency)")
    axes.set_title("Who is still a customer?", loc="left")
    return figure


def reliability(table: Sequence[Mapping[str, float]], *, what: str) -> Figure:
    """Draw promised against kept probabilities, each point a group of equally many promises.

    Parameters
    ----------
    table
        Rows with ``promised``, ``happened`` (shares) and ``rows``.
    what
        What was promised, for the title.
    """
    figure, axes = _canvas()
    promised, happened = _columns(table, "promised", "happened")
    most = 1.08 * max(float(promised.max(initial=0.0)), float(happened.max(initial=0.0)), 1e-6)
    axes.plot([0, most], [0, most], color=TRUTH, linestyle=":", linewidth=1.4, label="every promise kept")
    axes.plot(promised, happened, color=OURS, marker="o", label="model")
    axes.set(xlabel="promised probability", ylabel="share that happened", xlim=(0, most), ylim=(0, most))
    axes.set_title(f"Promises kept: {what}", loc="left")
    _percent(axes)
    axes.legend(loc="upper left", frameon=False)
    return figure


def reliability_gain(table: Sequence[Mapping[str, float]], *, what: str) -> Figure:
    """Draw the share of all takers among the most promising shares of the candidates."""
    figure, axes = _canvas()
    promised, happened, rows = _columns(table, "promised", "happened", "rows")
    order = np.argsort(-promised, kind="stable")
    taken, seen = (happened * rows)[order], rows[order]
    share = np.concatenate(([0.0], np.cumsum(seen) / max(float(seen.sum()), 1.0)))
    reached = np.concatenate(([0.0], np.cumsum(taken) / max(float(taken.sum()), 1e-12)))
    axes.plot([0, 1], [0, 1], color=OTHERS[0], linewidth=1.4, label="at random")
    axes.plot(share, reached, color=OURS, marker="o", label="model")
    axes.set(
        xlabel="candidates, most promising first", ylabel="share of all taken up", xlim=(0, 1), ylim=(0, 1.02)
    )
    axes.set_title(f"Gain: {what}", loc="left")
    _percent(axes)
    axes.legend(loc="lower right", frameon=False)
    return figure


def _columns(table: Sequence[Mapping[str, float]], *names: str) -> list[npt.NDArray[np.float64]]:
    return [np.array([row[name] for row in table], dtype=np.float64) for name in names]


def _gain_curve(
    actual: npt.NDArray[np.float64], answer: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return the curve with equal answers on a straight line: the order of the rows earns nobody anything."""
    values, group = np.unique(-answer, return_inverse=True)
    people = np.bincount(group, minlength=len(values))
    brought = np.bincount(group, weights=actual, minlength=len(values))
    share = np.concatenate(([0.0], np.cumsum(people) / actual.size))
    reached = np.concatenate(([0.0], np.cumsum(brought) / max(float(actual.sum()), 1e-12)))
    grid = np.linspace(0.0, 1.0, _POINTS)
    return grid, np.interp(grid, share, reached)


def _canvas() -> tuple[Figure, Axes]:
    figure = Figure(figsize=(7.0, 4.6), dpi=110, layout="constrained")
    axes = figure.subplots()
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.25)
    axes.set_axisbelow(True)
    return figure, axes


def _percent(axes: Axes) -> None:
    for side in (axes.xaxis, axes.yaxis):
        side.set_major_formatter(PercentFormatter(1.0))
