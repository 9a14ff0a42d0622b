"""Pictures beside those of ``clv.plots``: does a propensity keep its promises, and who orders how often?

Each function returns a matplotlib figure and draws without a display.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from clv.columns import FREQUENCY
from clv.plots import ACTUAL, EXPECTED, QUIET


def orders_by_frequency(
    summary: pd.DataFrame, actual: npt.NDArray[np.float64], predicted: npt.NDArray[np.float64]
) -> Figure:
    """Draw the mean orders that came and that were predicted, by the number of repeat orders before."""
    figure, axes = _canvas()
    before = summary[FREQUENCY].to_numpy(np.int64)
    edges = frequency_groups(before)
    group = np.searchsorted(edges, before, side="right") - 1
    table = pd.DataFrame({"group": group, "came": actual, "predicted": predicted}).groupby("group").mean()
    axes.plot(table.index, table["predicted"], color=EXPECTED, marker="o", label="predicted")
    axes.plot(table.index, table["came"], color=ACTUAL, marker="s", linestyle="--", label="came")
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
    axes.plot([0, most], [0, most], color=ACTUAL, linestyle=":", linewidth=1.4, label="every promise kept")
    axes.plot(promised, happened, color=EXPECTED, marker="o", label="model")
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
    axes.plot([0, 1], [0, 1], color=QUIET, linewidth=1.4, label="at random")
    axes.plot(share, reached, color=EXPECTED, marker="o", label="model")
    axes.set(
        xlabel="candidates, most promising first", ylabel="share of all taken up", xlim=(0, 1), ylim=(0, 1.02)
    )
    axes.set_title(f"Gain: {what}", loc="left")
    _percent(axes)
    axes.legend(loc="lower right", frameon=False)
    return figure


def _columns(table: Sequence[Mapping[str, float]], *names: str) -> list[npt.NDArray[np.float64]]:
    return [np.array([row[name] for row in table], dtype=np.float64) for name in names]


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
