"""Logs of every shape are learnt from: few items, one item, nothing bought twice, new items each season."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from recommend.candidates import Proposer
from recommend.itemmodel import Plan, snapshots_for

FIRST = date(2024, 1, 1)
DAYS = 200


def log_of(rows: list[tuple[str, str, int]]) -> pd.DataFrame:
    lines = pd.DataFrame(rows, columns=["customer_id", "item", "day"])
    days = pd.to_timedelta(lines["day"], unit="D")
    return lines.assign(order_day=pd.Timestamp(FIRST) + days).drop(columns="day")


def visits(rng: np.random.Generator, gap: float) -> list[int]:
    days = np.cumsum(rng.exponential(gap, 400) + 1)
    return [int(day) for day in days if day < DAYS]


def few_items(count: int) -> pd.DataFrame:
    """Customers with a fixed taste for very few items."""
    rng = np.random.default_rng(count)
    rows = []
    for c in range(200):
        taste = rng.dirichlet(np.full(count, 0.7))
        for day in visits(rng, float(rng.gamma(3, 5))):
            held = np.unique(rng.choice(count, min(count, 1 + rng.poisson(0.6)), p=taste))
            rows += [(f"c{c}", f"i{i}", day) for i in held]
    return log_of(rows)


def nothing_twice() -> pd.DataFrame:
    """Four kinds of readers, each of whom buys every book once at most."""
    rng = np.random.default_rng(3)
    rows = []
    for c in range(400):
        liked = np.where(np.arange(60) % 4 == c % 4, 6.0, 1.0) / (1 + np.arange(60) / 10)
        books = rng.choice(60, 12, replace=False, p=liked / liked.sum())
        rows += [(f"c{c}", f"i{i}", day) for i, day in zip(books, visits(rng, 18.0), strict=False)]
    return log_of(rows)


def new_each_season() -> pd.DataFrame:
    """Forty days a season; the items of one are not sold in the next."""
    rng = np.random.default_rng(4)
    rows = []
    for c in range(250):
        liked = np.where(np.arange(20) % 4 == c % 4, 6.0, 1.0) / (1 + np.arange(20) / 8)
        for day in visits(rng, 12.0):
            held = np.unique(rng.choice(20, 2, p=liked / liked.sum()))
            rows += [(f"c{c}", f"s{day // 40}i{i}", day) for i in held]
    return log_of(rows)


@pytest.mark.parametrize("lines", [few_items(1), few_items(3), nothing_twice(), new_each_season()])
def test_a_log_of_any_shape_is_ranked_no_worse_than_by_frequency_and_popularity(lines: pd.DataFrame) -> None:
    as_of = FIRST + timedelta(days=DAYS - 1)
    judged = Proposer().fit(lines, as_of=as_of, horizon_days=14).evaluation_
    for metric in ("recall", "ndcg"):
        ours, theirs = judged[f"{metric}_at_10"], judged[f"frequency_{metric}_at_10"]
        assert ours >= theirs - 2 * judged[f"{metric}_difference_se"] - 1e-9


def test_few_rows_are_learnt_from_for_longer() -> None:
    # 100 customers and 20 items give 2,000 rows a slice: the most slices there may be, where history allows
    many = snapshots_for(100, 20)
    assert many == 10
    plan = Plan.of(0, 200, 14, many)
    assert (plan.judge, plan.calibrate, plan.stop) == (186, 172, 158)
    assert plan.train == tuple(range(144, 13, -14))
    assert len(Plan.of(0, 100, 14, many).train) == 3  # what a hundred days hold
