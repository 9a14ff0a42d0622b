"""What will be in the next basket: learnt from visits already made, never from the one asked about."""

from __future__ import annotations

import numpy as np
import pytest

from clv.errors import TooLittleData
from recommend.baskets import Baskets
from recommend.evaluation import ranking_metrics
from recommend.features import FEATURES, KIND_FEATURES
from recommend.items import Shelving
from recommend.nextbasket import NextBaskets, visit
from tests.benchmarks import peers


def alternating(customers: int = 250, visits: int = 9, seed: int = 0) -> Baskets:
    """Each customer has two favourites and buys them in turn, beside one popular item at random."""
    rng = np.random.default_rng(seed)
    rows = []
    for c in range(customers):
        one, other = rng.choice(30, 2, replace=False)
        shift = int(rng.integers(2))
        for v in range(visits):
            rows.append((c, int(one if (v + shift) % 2 else other), v))
            rows.append((c, int(30 + rng.integers(5)), v))
    who, items, days = np.array(rows).T
    return Baskets.from_lines(who, items, days, customers)


def truth_of(baskets: Baskets) -> list[np.ndarray]:
    last = baskets.last(1)
    return [last.items[a:b] for a, b in zip(last.line_starts[:-1], last.line_starts[1:], strict=True)]


def test_the_rhythm_of_a_customer_beats_their_frequency() -> None:
    baskets = alternating()
    everyone = np.ones(250, dtype=bool)
    ready = NextBaskets.of(baskets, Shelving.unknown(35), earlier=4, timed=True, negatives=0.5)
    trees = ready.fit(~everyone, np.arange(250) % 5 == 0)
    ours = ranking_metrics(ready.best(trees, 1), truth_of(baskets), k=1)["hit_rate"]
    frequent = ranking_metrics(peers.frequency(baskets.without_last(1), 35, 1).every, truth_of(baskets), k=1)[
        "hit_rate"
    ]
    assert ours > 0.9  # it is the turn of the favourite not bought last time
    assert frequent < 0.7


def test_the_basket_asked_about_is_not_seen() -> None:
    baskets = alternating(customers=60)
    stop = np.arange(60) % 5 == 0
    changed = Baskets(baskets.starts, baskets.days, baskets.line_starts, baskets.items.copy())
    last = np.flatnonzero(np.isin(changed.line_baskets(), baskets.starts[1:] - 1))
    changed.items[last] = (changed.items[last] + 7) % 30 + np.arange(len(last)) % 2  # another last basket
    ranked = []
    for version in (baskets, changed):
        ready = NextBaskets.of(version, Shelving.unknown(35), earlier=3, timed=True)
        trees = ready.fit(np.zeros(60, dtype=bool), stop)
        ranked.append([r.tolist() for r in ready.best(trees, 5)])
    assert ranked[0] == ranked[1]


def test_the_next_basket_of_some_may_be_learnt_from() -> None:
    baskets = alternating(customers=120, visits=4)
    group = np.arange(120) % 5
    ready = NextBaskets.of(baskets, Shelving.unknown(35), earlier=1, timed=False)
    trees = ready.fit(group < 3, group == 3)
    assert trees.names == FEATURES
    assert all(len(set(r.tolist())) == 5 for r in ready.best(trees, 5))


def test_a_cross_sell_list_holds_only_what_the_customer_never_bought() -> None:
    baskets = alternating(customers=120, visits=5)
    ready = NextBaskets.of(baskets, Shelving.unknown(35), earlier=2, timed=True)
    trees = ready.fit(np.zeros(120, dtype=bool), np.arange(120) % 5 == 0)
    history = baskets.without_last(1)
    for c, new in enumerate(ready.best(trees, 5, new=True)):
        assert not np.isin(new, history.slice(c, c + 1).items).any()
    some = ready.best(trees, 5, whom=np.arange(120) < 3)
    assert [r.tolist() for r in some[:3]] == [r.tolist() for r in ready.best(trees, 5)[:3]]


def test_the_moment_is_the_day_of_the_visit_when_it_is_known() -> None:
    baskets = alternating(customers=5, visits=4)
    _, timed = visit(baskets, 0, timed=True)
    assert timed.moments.tolist() == [3] * 5
    who, untimed = visit(baskets, 2, timed=False)
    assert (who.tolist(), untimed.moments.tolist()) == ([0, 1, 2, 3, 4], [1] * 5)


def test_items_of_one_kind_are_described_by_the_habit_of_the_kind() -> None:
    baskets = alternating(customers=40)
    kinds = Shelving(np.arange(35) // 5, np.full(35, np.nan))
    described = NextBaskets.of(baskets, kinds, earlier=0, timed=True).now.sampled.rows
    column = FEATURES.index(KIND_FEATURES[0])
    own = described[:, FEATURES.index("times_bought")]
    assert (described[:, column] >= own).all()  # whoever bought the item bought its kind
    assert (described[own == 0, column] > 0).any()  # and some bought only another of the kind


def test_one_basket_each_is_too_little() -> None:
    with pytest.raises(TooLittleData, match="two baskets"):
        NextBaskets.of(alternating(customers=5, visits=1), Shelving.unknown(35), earlier=2, timed=True)


def test_the_peers_agree_with_a_table_worked_out_by_hand() -> None:
    # customer 0 buys {0}, {0, 1}; customer 1 buys {1}, {2}
    rows = np.array([(0, 0, 0), (0, 0, 1), (0, 1, 1), (1, 1, 0), (1, 2, 1)])
    history = Baskets.from_lines(rows[:, 0], rows[:, 1], rows[:, 2], 2)
    assert [r.tolist() for r in peers.frequency(history, 3, 2).every] == [[0, 1], [1, 2]]
    assert [r.tolist() for r in peers.frequency(history, 3, 2).new] == [[2], [0]]  # by popularity
    # decay .5: customer 1 has item 1 at .5 and item 2 at 1
    assert peers.decayed(history, 3, 2, decay=0.5).every[1].tolist() == [2, 1]
    # two groups of one basket each, decays .9 and .7: .9 * .7 / 2 and 1 / 2
    assert peers.tifu_weights(history, 0.9, 0.7, 7)[:2].tolist() == pytest.approx([0.315, 0.5])
