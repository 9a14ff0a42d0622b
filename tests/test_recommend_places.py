"""Where things are bought: every store sells its own range, and a customer is where they last bought."""

from __future__ import annotations

import numpy as np
import pytest

from recommend import places as places_module
from recommend.baskets import NOWHERE, Baskets
from recommend.features import FEATURES, PLACE_FEATURES, describe
from recommend.habits import Habits
from recommend.history import History
from recommend.items import Shelving
from recommend.knowledge import Knowledge
from recommend.places import LEAN_BASKETS, Places
from recommend.sources import Proposals, propose_items

TEA, FUEL = 0, 1
TOWN, STATION = 0, 1


def log() -> Baskets:
    """One customer buys tea in town on days 0, 10 ... 90 and fuel at the station on days 5, 15 ... 95."""
    days = np.arange(0, 100, 5)
    at = np.arange(20) % 2
    return Baskets.from_lines(np.zeros(20, dtype=np.int64), at, days, 1, places=at)


def test_an_items_share_at_a_place_is_counted_lately_and_overall() -> None:
    found = Places.of(log(), 2)
    where, items = np.array([TOWN, TOWN, STATION]), np.array([TEA, FUEL, FUEL])
    usual = np.full(3, 0.5)
    shares = found.shares(where, items, np.full(3, 100), usual)
    lean = LEAN_BASKETS * 0.5
    # of the 28 days before day 100, days 72 to 99: two visits to town, three to the station
    assert shares[:, 0] == pytest.approx(
        [(2 + lean) / (2 + 30), (0 + lean) / (2 + 30), (3 + lean) / (3 + 30)]
    )
    assert shares[:, 1] == pytest.approx([(10 + lean) / 40, (0 + lean) / 40, (10 + lean) / 40])


def test_what_happens_on_the_day_itself_and_later_is_not_seen() -> None:
    found = Places.of(log(), 2)
    one = found.shares(np.array([TOWN]), np.array([TEA]), np.array([10]), np.array([0.5]))
    assert one[0].tolist() == [(1 + 15) / (1 + 30)] * 2  # day 0 alone, not day 10
    before = found.shares(np.array([TOWN]), np.array([TEA]), np.array([-5]), np.array([0.5]))
    assert before[0].tolist() == [0.5, 0.5]


def test_of_a_long_log_the_latest_days_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places_module, "MOST_LINES", 4)
    found = Places.of(log(), 2)
    assert len(found.lines) == len(found.visits) == 4
    assert found.measures.tolist() == [2, 80, 16]


def test_without_places_nothing_is_known_of_them() -> None:
    plain = Baskets.from_lines(np.array([0]), np.array([0]), np.array([1]), 1)
    assert plain.last_places().tolist() == [NOWHERE]
    assert len(Places.of(plain, 1).lines) == 0
    knowledge = Knowledge.of(plain, np.array([2]), Shelving.unknown(1))
    pairs = propose_items(plain, Habits.of(plain, np.array([2]), 1), np.array([2]), knowledge)
    rows = describe(plain, Habits.of(plain, np.array([2]), 1), np.array([2]), knowledge, pairs)
    assert np.isnan(rows[:, [FEATURES.index(name) for name in PLACE_FEATURES]]).all()


def test_a_customer_is_where_they_bought_last_as_far_as_that_is_known() -> None:
    baskets = log()
    assert baskets.last_places().tolist() == [STATION]
    assert baskets.without_last(1).last_places().tolist() == [TOWN]
    index = {"town": TOWN, "station": STATION}
    history = History((1, 2, 3), ("tea",), ((0, 1, 2),), ("town", "station", ""))
    assert Baskets.from_history(history, {"tea": 0}, index).last_places().tolist() == [STATION]
    assert History.from_json(history.as_json()) == history
    assert "places" not in History((1,), ("tea",), ((0,),)).as_json()


def test_own_habits_at_the_place_of_the_moment_are_told_apart() -> None:
    baskets, moment, at = log(), np.array([100]), np.array([STATION])
    knowledge = Knowledge.of(baskets, moment, Shelving.unknown(2))
    habits = Habits.of(baskets, moment, 2, at)
    none = np.zeros((2, 10))
    pairs = Proposals(np.array([0, 0]), np.array([TEA, FUEL]), none, none, none.astype(bool))
    rows = describe(baskets, habits, moment, knowledge, pairs, at)
    by_name = {name: rows[:, FEATURES.index(name)].tolist() for name in PLACE_FEATURES}
    assert by_name["place_visits"] == [10, 10]
    assert by_name["place_visit_share"] == [0.5, 0.5]
    assert by_name["same_place"] == [1, 1]
    assert by_name["own_place_count"] == [0, 10]
    # ten visits here and three at the usual half: 1.5 of 13 for tea, 11.5 of 13 for fuel
    assert by_name["own_place_share"] == pytest.approx([1.5 / 13, 11.5 / 13])
    assert by_name["place_basket_size"] == [1, 1]


def test_a_basket_of_several_places_counts_for_the_highest_and_places_follow_their_baskets() -> None:
    baskets = Baskets.from_lines(
        np.array([0, 0, 0, 1]),
        np.array([0, 1, 0, 1]),
        np.array([4, 4, 5, 4]),
        2,
        places=np.array([0, 1, -1, 0]),
    )
    assert baskets.places.tolist() == [1, NOWHERE, 0]
    assert baskets.until(4).places.tolist() == [1, 0]
    assert baskets.take(np.array([1])).places.tolist() == [0]
    assert baskets.slice(1, 2).places.tolist() == [0]
    assert baskets.by_kind(np.array([0, 0])).places.tolist() == [1, NOWHERE, 0]
    assert baskets.at(np.array([1, 1])).tolist() == [True, False, False]
    assert not baskets.at(np.array([NOWHERE, NOWHERE])).any()
