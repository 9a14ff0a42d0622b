"""Order lines become baskets: in order, without repetition, cut at any day."""

from __future__ import annotations

import numpy as np
import pytest

from clv.errors import DataError
from recommend.baskets import Baskets
from recommend.habits import Habits
from recommend.history import History


def baskets() -> Baskets:
    """Customer 0 buys {1}, {0, 1}, {1} on days 10, 13, 20; customer 1 nothing; customer 2 {2} on day 15."""
    customers = np.array([0, 2, 0, 0, 0, 0])
    items = np.array([1, 2, 1, 0, 1, 1])
    days = np.array([20, 15, 10, 13, 13, 13])
    return Baskets.from_lines(customers, items, days, 3)


def test_a_day_is_one_basket_and_an_item_counts_once_in_it() -> None:
    made = baskets()
    assert made.n_baskets.tolist() == [3, 0, 1]
    assert made.days.tolist() == [10, 13, 20, 15]
    assert made.items.tolist() == [1, 0, 1, 1, 2]
    assert made.sizes.tolist() == [1, 2, 1, 1]
    assert made.last_days().tolist() == [20, 0, 15]


def test_what_lies_after_the_day_is_not_visible() -> None:
    assert baskets().until(15).n_baskets.tolist() == [2, 0, 1]
    assert baskets().between(13, 20).days.tolist() == [20, 15]


def test_the_last_basket_and_the_rest_make_up_the_whole() -> None:
    made = baskets()
    assert made.last(1).days.tolist() == [20, 15]
    assert made.without_last(1).days.tolist() == [10, 13]


def test_customers_are_taken_apart_without_changing_their_baskets() -> None:
    made = baskets()
    assert made.slice(1, 3).days.tolist() == [15]
    assert made.slice(1, 3).n_baskets.tolist() == [0, 1]
    assert made.take(np.array([0, 2])).n_baskets.tolist() == [3, 1]


def test_a_live_history_is_the_same_as_the_lines_it_came_from() -> None:
    history = History((10, 13, 20), ("b", "a", "unheard of"), ((0, 1, 2), (1,), (0,)))
    live = Baskets.from_history(history, {"a": 0, "b": 1})
    stored = baskets().slice(0, 1)
    for name in ("starts", "days", "line_starts", "items"):
        assert getattr(live, name).tolist() == getattr(stored, name).tolist()


def test_an_unknown_item_leaves_its_basket_in_place() -> None:
    made = Baskets.from_lines(np.array([0, 0]), np.array([-1, 3]), np.array([1, 2]), 1)
    assert made.n_baskets.tolist() == [2]
    assert made.sizes.tolist() == [0, 1]


def test_kinds_replace_items_once_per_basket() -> None:
    made = baskets().by_kind(np.array([0, 0, 1]))
    assert made.items.tolist() == [0, 0, 0, 1]
    assert made.sizes.tolist() == [1, 1, 1, 1]


def test_columns_of_different_length_are_refused() -> None:
    with pytest.raises(DataError, match="differ in length"):
        Baskets.from_lines(np.array([0]), np.array([0, 1]), np.array([1]), 1)


def test_habits_say_how_often_how_recently_and_at_what_rhythm() -> None:
    found = Habits.of(baskets(), np.array([24, 24, 24]), 3)
    assert found.keys.tolist() == [0, 1, 2 * 3 + 2]  # (0, item 0), (0, item 1), (2, item 2)
    assert found.counts.tolist() == [1, 3, 1]
    assert found.last_days.tolist() == [13, 20, 15]
    assert found.last_gaps.tolist() == [0, 7, 0]
    assert found.gap_squares.tolist() == [0, 3**2 + 7**2, 0]
    # item 1 was in all three baskets: .95^2 + .95 + 1
    assert found.decayed[1, 0] == pytest.approx(0.95**2 + 0.95 + 1)
    assert found.recent[:2, 0].tolist() == [0, 1]  # only item 1 was in the latest basket
    # day 24 is 14 days after day 10: the one purchase of item 1 on the same weekday
    assert found.same_weekday.tolist() == [0, 1, 0]
    assert found.basket_sizes.tolist() == pytest.approx([2, 4 / 3, 1])
    row, there = found.find(np.array([1, 2, 8]))
    assert (row[[0, 2]].tolist(), there.tolist()) == ([1, 2], [1, 0, 1])
