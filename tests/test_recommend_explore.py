"""What is logged as the probability of a slate is how often it comes about."""

from __future__ import annotations

from collections import Counter
from itertools import permutations

import numpy as np
import pytest
from scipy.stats import chisquare

from clv.errors import SettingError
from recommend.explore import EpsilonGreedy, PlackettLuce, Thompson, conditional, explorer_from
from recommend.policies import Slate
from recommend.slate import Option, Seats, best

DRAWS = 100_000
OPTIONS = [
    Option("a", "TEA", "cross_sell", 3.0, 0.30, 10.0, 400.0),
    Option("b", "CUPS", "cross_sell", 2.0, 0.20, 10.0, 300.0),
    Option("c", "TEA", "upsell", 2.0, 0.40, 5.0, 0.0),
    Option("d", "", "cross_sell", 1.0, 0.01, 100.0, 250.0),
    Option("e", "POT", "win_back", 0.0, 0.00, 10.0, 0.0),
]
EXPLORERS = [EpsilonGreedy(0.3), PlackettLuce(0.7), Thompson(evidence=20.0, atoms=24)]


def all_slates(seats: Seats) -> list[tuple[int, ...]]:
    """Every slate that can come about: full, or with nobody left who may sit down."""
    found = []
    for length in range(len(OPTIONS) + 1):
        for places in permutations(range(len(OPTIONS)), length):
            tried = seats.copy()
            if all(_sits(tried, i) for i in places) and not _anybody(tried, places):
                found.append(places)
    return found


def _sits(seats: Seats, index: int) -> bool:
    if not seats.free or not seats.admits(OPTIONS[index]):
        return False
    seats.take(OPTIONS[index])
    return True


def _anybody(seats: Seats, places: tuple[int, ...]) -> bool:
    return bool(seats.free) and any(
        seats.admits(option) for i, option in enumerate(OPTIONS) if i not in places
    )


@pytest.mark.parametrize("explorer", EXPLORERS)
@pytest.mark.parametrize("slate", [Slate(1, 1), Slate(3, 2), Slate(3, 1)])
def test_the_logged_probability_agrees_with_a_hundred_thousand_draws(
    explorer: EpsilonGreedy | PlackettLuce | Thompson, slate: Slate
) -> None:
    seats = Seats(slate)
    lottery = explorer.lottery(OPTIONS, seats)
    expected = {places: lottery.beginnings(places)[-1] for places in all_slates(seats)}
    assert sum(expected.values()) == pytest.approx(1.0, abs=1e-9)
    random = np.random.default_rng(20260210)
    drawn = Counter(lottery.draw(random) for _ in range(DRAWS))
    assert set(drawn) <= {places for places, p in expected.items() if p > 0}
    often = [places for places, p in expected.items() if p * DRAWS >= 5]
    seldom = DRAWS - sum(drawn[places] for places in often)
    observed = [*(drawn[places] for places in often), seldom]
    wanted = [*(expected[places] * DRAWS for places in often), 0.0]
    wanted[-1] = DRAWS - sum(wanted)
    if wanted[-1] < 5:  # too few for a cell of their own: all of them are in `often`, but for some rounding
        observed, wanted = observed[:-1], [w * sum(observed[:-1]) / sum(wanted[:-1]) for w in wanted[:-1]]
    if len(observed) > 1:
        # the seed is fixed, so this cannot flicker; a wrong probability gives p < 1e-6 at this size
        assert chisquare(observed, wanted).pvalue > 0.001


@pytest.mark.parametrize("explorer", EXPLORERS)
def test_each_place_is_logged_given_those_before_it(
    explorer: EpsilonGreedy | PlackettLuce | Thompson,
) -> None:
    selection = explorer.select(OPTIONS, Seats(Slate(3, 2)), "d42")
    beginnings = explorer.lottery(OPTIONS, Seats(Slate(3, 2))).beginnings(selection.chosen)
    assert np.cumprod(selection.probabilities) == pytest.approx(beginnings)
    assert all(0 < p <= 1 for p in selection.probabilities)


@pytest.mark.parametrize("explorer", EXPLORERS)
def test_the_same_decision_asked_again_says_the_same_and_others_differ(
    explorer: EpsilonGreedy | PlackettLuce | Thompson,
) -> None:
    slates = [explorer.select(OPTIONS, Seats(Slate(2, 2)), f"d{i}") for i in range(40)]
    again = [explorer.select(OPTIONS, Seats(Slate(2, 2)), f"d{i}") for i in range(40)]
    assert slates == again
    assert len({slate.chosen for slate in slates}) > 3


def test_an_even_draw_of_one_of_three_has_the_probability_one_third() -> None:
    # eligible at one place: a, b, c, d, e = 5; greedy shows a. 0.7 + 0.3 / 5 for a, 0.3 / 5 for the others
    lottery = EpsilonGreedy(0.3).lottery(OPTIONS, Seats(Slate(1, 1)))
    assert lottery.beginnings((0,)) == pytest.approx([0.76])
    assert lottery.beginnings((3,)) == pytest.approx([0.06])


def test_plackett_luce_fills_places_in_proportion_to_what_is_left() -> None:
    # at temperature 1 priorities 3, 2, 2, 1, 0 of 8; after a, its item's rival c may not sit: 2 of 3 for b
    lottery = PlackettLuce(1.0).lottery(OPTIONS, Seats(Slate(2, 2)))
    assert lottery.beginnings((0, 1)) == pytest.approx([3 / 8, 3 / 8 * 2 / 3])


def test_thompson_with_certain_knowledge_is_greedy() -> None:
    sure = [Option(o.offer_id, o.item, o.kind, o.priority, o.propensity, o.scale, 1e12) for o in OPTIONS]
    selection = Thompson().select(sure, Seats(Slate(3, 2)), "d1")
    assert selection.chosen == best(sure, Seats(Slate(3, 2)))
    assert selection.probabilities == pytest.approx((1.0, 1.0, 1.0))


def test_equals_are_settled_by_the_written_order_in_thompson_too() -> None:
    twins = [Option("a", "", "upsell", 0.0, 0.0, 0.0), Option("b", "", "upsell", 0.0, 0.0, 0.0)]
    selection = Thompson().select(twins, Seats(Slate(1, 1)), "d1")
    assert (selection.chosen, selection.probabilities) == ((0,), (1.0,))


@pytest.mark.parametrize("explorer", EXPLORERS)
def test_nothing_eligible_is_an_empty_slate(explorer: EpsilonGreedy | PlackettLuce | Thompson) -> None:
    assert explorer.select([], Seats(Slate()), "d1").chosen == ()


def test_a_slate_begins_with_probability_one_before_its_first_place() -> None:
    assert conditional([0.5, 0.1]) == pytest.approx((0.5, 0.2))


@pytest.mark.parametrize(
    "raw",
    [
        {"kind": "epsilon_greedy", "epsilon": 1.5},
        {"kind": "plackett_luce", "temperature": 0.0},
        {"kind": "thompson", "atoms": 1},
        {"kind": "magic"},
        {"kind": "thompson", "luck": 3},
    ],
)
def test_an_explorer_that_cannot_be_meant_is_refused(raw: dict[str, object]) -> None:
    with pytest.raises(SettingError):
        explorer_from(raw)
