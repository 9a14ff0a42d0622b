"""What is due again, what goes together, and who has the same taste."""

from __future__ import annotations

import numpy as np
import pytest

from recommend.baskets import Baskets
from recommend.bundles import Bundles
from recommend.features import describe
from recommend.habits import Habits
from recommend.items import Items, Shelving
from recommend.knowledge import Knowledge
from recommend.neighbours import Prototypes
from recommend.related import better_of_kind, co_purchase, taste
from recommend.replenish import GATE, Replenishment
from recommend.sources import OTHER_SOURCES, SOURCES, propose_items

COFFEE, SOFA, MILK, TEA = range(4)


def log() -> tuple[Baskets, np.ndarray, int]:
    """Sixty shop weekly for 140 days: milk each time, coffee (ten: tea) every other, a sofa once."""
    rows = []
    for c in range(60):
        for visit in range(20):
            rows.append((c, MILK, 7 * visit))
            if visit % 2 == 0:
                rows.append((c, TEA if c < 10 else COFFEE, 7 * visit))
        rows.append((c, SOFA, 7 * (c % 20)))
    customers, items, days = np.array(rows).T
    return Baskets.from_lines(customers, items, days, 60), np.full(60, 140), 4


@pytest.fixture(scope="module")
def known() -> tuple[Baskets, Habits, np.ndarray, Knowledge]:
    baskets, moments, n_items = log()
    return (
        baskets,
        Habits.of(baskets, moments, n_items),
        moments,
        Knowledge.of(baskets, moments, Shelving.unknown(4)),
    )


def test_the_gate_lets_through_what_buyers_come_back_for() -> None:
    baskets, moments, n_items = log()
    rhythm = Replenishment.of(baskets, Habits.of(baskets, moments, n_items), moments, n_items)
    # all 50 coffee drinkers came back, no sofa buyer did; five pseudo-buyers carry the mean, 120 of 180
    assert rhythm.rebuy_share[COFFEE] == pytest.approx((50 + 5 * 120 / 180) / 55)
    assert rhythm.rebuy_share[SOFA] == pytest.approx((0 + 5 * 120 / 180) / 65)
    assert rhythm.rebuy_share[SOFA] < GATE
    days = np.array([14.0])
    assert rhythm.score(np.array([SOFA]), np.zeros(1), days, days)[0] == 0
    assert rhythm.score(np.array([COFFEE]), np.ones(1), days, days)[0] > 0


def test_an_item_is_due_after_its_rhythm_and_not_before() -> None:
    baskets, moments, n_items = log()
    rhythm = Replenishment.of(baskets, Habits.of(baskets, moments, n_items), moments, n_items)
    assert rhythm.gap_days[COFFEE] == pytest.approx(14, rel=0.05)  # pseudo-buyers pull towards milk's 7
    item = np.array([COFFEE, COFFEE])
    early, ripe = rhythm.chance(item, np.array([7.0, 14.0]))
    assert early < 0.2  # nobody buys coffee a week later
    assert ripe > 0.8  # everybody does a fortnight later


def test_a_customers_own_rate_moves_from_the_items_rate_to_their_own() -> None:
    baskets, moments, n_items = log()
    rhythm = Replenishment.of(baskets, Habits.of(baskets, moments, n_items), moments, n_items)
    item = np.array([MILK])
    usual = float(rhythm.rate_shape[MILK] / rhythm.rate_days[MILK])
    none, little, much = (
        float(rhythm.rate(item, np.array([r]), np.array([d]))[0]) for r, d in ((0, 0), (2, 4), (500, 1000))
    )
    assert none == pytest.approx(usual)
    assert usual < little < 0.5
    assert abs(much - 0.5) < abs(little - 0.5)  # twice in four days: every other day


def test_what_shares_baskets_is_related_by_confidence() -> None:
    baskets, _, n_items = log()
    near = co_purchase(baskets, n_items, width=2, shrink=0.0)
    # all 500 coffee baskets hold milk; coffee is in 500 of the 1,200 milk baskets
    assert near.items[COFFEE, 0] == MILK
    assert near.strength[COFFEE, 0] == pytest.approx(1.0)
    assert near.strength[MILK, 0] == pytest.approx(500 / 1200)


def test_a_bundle_needs_more_than_popularity() -> None:
    # bread and butter always together, in 10 of 40 baskets; milk in all
    rows = [(0, 2, d) for d in range(40)] + [(0, i, d) for d in range(0, 40, 4) for i in (0, 1)]
    customers, items, days = np.array(rows).T
    found = Bundles.of(Baskets.from_lines(customers, items, days, 1), 3)
    assert found.items[0, 0] == 1
    assert found.support[0, 0] == 10
    assert found.confidence[0, 0] == pytest.approx(1.0)
    assert found.lift[0, 0] == pytest.approx(4.0)  # 1 / (10 / 40)
    assert found.confidence[2].tolist() == [0.0, 0.0]  # milk goes with everything, so with nothing
    # one in five takes either, and who takes one takes the other four times as readily: .2 * .2 * 4
    assert found.joint([0, 1], [0.2, 0.2]) == pytest.approx(0.16)
    assert found.joint([0, 2], [0.2, 0.5]) == pytest.approx(0.1)


def test_customers_of_like_taste_lend_each_other_items() -> None:
    # 20 customers buy 0 and 1, 20 buy 2 and 3; one who has only bought 0 is pointed to 1
    rows = [(c, 2 * (c // 20) + i, d) for c in range(40) for i in (0, 1) for d in (1, 2)]
    customers, items, days = np.array(rows).T
    baskets = Baskets.from_lines(customers, items, days, 40)
    habits = Habits.of(baskets, np.full(40, 3), 4)
    one = Habits.of(Baskets.from_lines(np.array([0]), np.array([0]), np.array([1]), 1), np.array([3]), 4)
    score = taste(habits, 40, 4).scores(one.customers, one.items, np.ones(1), 1)[0]
    assert int(score.argmax()) == 1
    assert score[2] == score[3] == 0
    typical = Prototypes.of(habits, baskets.n_baskets, 4, count=2, random_state=0).scores(one, 1, nearest=1)[
        0
    ]
    assert typical[1] > 0.9  # those near this customer buy 1 every time
    assert typical[2] == typical[3] == 0


def test_a_dearer_item_of_the_same_kind_is_an_upsell() -> None:
    baskets, _, n_items = log()
    items = Items.of(baskets, n_items)
    prices = np.array([4.0, 900.0, 1.0, 6.0])
    found = better_of_kind(Shelving(np.array([0, 1, 2, 0]), prices), items)
    assert found.items[COFFEE, 0] == TEA
    assert found.strength[COFFEE, 0] > 0
    assert found.strength[TEA].sum() == 0  # nothing dearer than tea among drinks
    assert better_of_kind(Shelving.unknown(4), items).strength.sum() == 0


def test_each_source_puts_its_best_forward_and_new_items_come_from_others(
    known: tuple[Baskets, Habits, np.ndarray, Knowledge],
) -> None:
    baskets, habits, moments, knowledge = known
    found = propose_items(baskets, habits, moments, knowledge)
    put = dict(zip(SOURCES, found.put.any(axis=0).tolist(), strict=True))
    assert put["own_repeat"]
    assert put["replenish"]
    assert put["popular"]
    owned = set(habits.keys.tolist())
    new = [
        (c * 4 + i) not in owned for c, i in zip(found.customers.tolist(), found.items.tolist(), strict=True)
    ]
    others = found.put[:, -len(OTHER_SOURCES) :].any(axis=1)
    assert others.tolist() == new  # other sources nominate only what the customer has not bought


def test_one_customer_gets_the_numbers_of_the_batch(
    known: tuple[Baskets, Habits, np.ndarray, Knowledge],
) -> None:
    baskets, habits, moments, knowledge = known
    batch = propose_items(baskets, habits, moments, knowledge)
    for c in (0, 17, 59):
        alone = baskets.slice(c, c + 1)
        live = propose_items(alone, Habits.of(alone, moments[:1], 4), moments[:1], knowledge)
        mine = batch.customers == c
        assert live.items.tolist() == batch.items[mine].tolist()
        assert live.scores.tolist() == batch.scores[mine].tolist()
        assert live.ranks.tolist() == batch.ranks[mine].tolist()
        described = describe(baskets, habits, moments, knowledge, batch)[mine]
        here = describe(alone, Habits.of(alone, moments[:1], 4), moments[:1], knowledge, live)
        np.testing.assert_array_equal(here, described)


def test_a_lapsed_favourite_is_won_back() -> None:
    baskets, moments, n_items = log()
    late = np.full(60, 140 + 100)
    knowledge = Knowledge.of(baskets, moments, Shelving.unknown(n_items))
    found = propose_items(baskets, Habits.of(baskets, late, n_items), late, knowledge)
    lapsed = found.put[:, SOURCES.index("win_back")]
    assert set(found.items[lapsed].tolist()) == {COFFEE, MILK, TEA}  # the sofa was never a habit
