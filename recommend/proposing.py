"""How candidates are put forward, for one customer as for many: found, described, judged, the best kept."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

import numpy as np

from recommend.baskets import Baskets, Floats, Ints
from recommend.campaigns import by_answers, by_items, open_offers, place_within
from recommend.candidate import Row
from recommend.drawn import MENTION, PUT_BITS, SOURCE_BITS, Bits, Drawn
from recommend.features import FEATURES, Matrix, describe, early
from recommend.habits import Habits
from recommend.itemmodel import ItemModel
from recommend.proposed import Explained, Proposed
from recommend.response import RESPONSE_FEATURES, ResponseModel
from recommend.shelf import Flags, Shelf
from recommend.sources import companions, propose_items

MOST_BOUGHT: Final = 40
MOST_NEW: Final = 24
_OWN, _OTHERS = 90, 10  # items looked at: the customer's own, and of each other source
_COMPANION: Final = SOURCE_BITS["co_purchase"]  # of a mentioned item, that no source put forward
_SETS: Final = Bits()
_ITEM_COLUMNS: Final = {name: place for place, name in enumerate(FEATURES)}
_OFFER_COLUMNS: Final = {name: place for place, name in enumerate(RESPONSE_FEATURES)}


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked about each of several customers.

    Parameters
    ----------
    baskets, moments, at
        What is visible of them, the day, and the place where each is.
    past
        Shape (customers) each: days on which any offer was put before them, and how many they took up.
    channel
        Where offers would be presented.
    mentioned
        Numbers of the items the customers named.
    explain
        Whether candidates say what each feature contributed.
    """

    baskets: Baskets
    moments: Ints
    at: Ints
    past: tuple[Floats, Floats]
    channel: str
    mentioned: Collection[int] = ()
    explain: bool = False


def put_forward(
    model: ItemModel, response: ResponseModel | None, shelf: Shelf, question: Question
) -> list[Proposed]:
    """Return the candidates of each customer, by offer.

    Of the items the ``MOST_BOUGHT`` most probable that the customer bought before and the ``MOST_NEW`` most
    probable others; of the business' offers those of :mod:`recommend.campaigns`.

    Parameters
    ----------
    model, response
        What was learnt of items, and of past offers if anything.
    shelf
        The catalogue in the proposer's numbering.
    question
        Whom it is about, and when.
    """
    looked_at, owned, rows = _look_at(model, question)
    still_open = open_offers(shelf, question.moments)
    campaigns = by_items(shelf, model.knowledge, looked_at, still_open)
    answers = np.zeros((0, len(RESPONSE_FEATURES)), dtype=np.float32)
    if response is not None:
        answered, answers = by_answers(
            shelf,
            model.knowledge,
            response,
            question.baskets,
            question.moments,
            question.past,
            question.channel,
            still_open,
        )
        campaigns = Drawn.join(campaigns, answered.moved(len(rows)))
    kept = _best_items(model, shelf, question, looked_at, owned, rows)
    drawn = Drawn.join(kept.at(shelf.item_places[kept.items]), campaigns)
    order = np.lexsort((shelf.alphabetical[drawn.places], drawn.customers))
    explained = _explanations(model, response, rows, answers, question)
    return _shared_out(shelf, drawn.take(order), question.baskets.n_customers, explained)


def _look_at(model: ItemModel, question: Question) -> tuple[Drawn, Flags, Matrix]:
    """Return the items looked at with their probabilities, whether they were bought, and their features."""
    knowledge, baskets, moments = model.knowledge, question.baskets, question.moments
    named = companions(knowledge, set(question.mentioned)) if question.mentioned else None
    habits = Habits.of(baskets, moments, knowledge.n_items, question.at)
    pairs = propose_items(baskets, habits, moments, knowledge, own=_OWN, others=_OTHERS, named=named)
    rows = describe(baskets, habits, moments, knowledge, pairs, question.at)
    raw, promised = model.probability(rows)
    cold = (baskets.n_baskets == 0)[pairs.customers]
    if cold.any():
        raw, promised = raw.copy(), promised.copy()
        raw[cold] = promised[cold] = model.cold_probability()[pairs.items[cold]]
    bits = pairs.put @ PUT_BITS
    if question.mentioned:
        said = np.isin(pairs.items, sorted(question.mentioned))
        bits = np.where(said, bits + SOURCE_BITS[MENTION], bits)
    _, owned = habits.find(pairs.customers * knowledge.n_items + pairs.items)
    drawn = Drawn(
        pairs.customers,
        np.full(len(bits), -1),
        pairs.items,
        np.where(bits > 0, bits, _COMPANION),
        promised,
        raw,
        np.arange(len(bits)),
    )
    return drawn, owned > 0, rows


def _best_items(
    model: ItemModel, shelf: Shelf, question: Question, looked_at: Drawn, owned: Flags, rows: Matrix
) -> Drawn:
    """Return the items to put forward: those with an offer, the likeliest; what was mentioned in any case.

    An item bought only lately, by its usual gap, speaks for offers about it but is not asked about again
    unless the customer mentions it.
    """
    sellable = np.flatnonzero(shelf.item_places[looked_at.items] >= 0)
    group = 2 * looked_at.customers[sellable] + owned[sellable]
    order = np.lexsort((looked_at.items[sellable], -looked_at.propensity[sellable], group))
    place = np.empty(len(order), dtype=np.int64)
    place[order] = place_within(group[order])
    kept = (place < np.where(owned[sellable], MOST_BOUGHT, MOST_NEW)) & ~early(
        rows[sellable], model.horizon_days
    )
    if question.mentioned:
        kept |= (looked_at.sources[sellable] & SOURCE_BITS[MENTION]) > 0
    return looked_at.take(sellable[kept])


def _shared_out(
    shelf: Shelf, drawn: Drawn, n_customers: int, explained: Callable[[Drawn], Explained]
) -> list[Proposed]:
    """Give each customer their own candidates."""
    popularity = shelf.popularity(drawn.places, drawn.items, drawn.sources)
    evidence = shelf.evidence_for(drawn.places, drawn.items, drawn.sources)
    ends = np.searchsorted(drawn.customers, np.arange(n_customers + 1)).tolist()
    found = []
    for start, end in pairwise(ends):
        own = drawn.take(np.arange(start, end)) if n_customers > 1 else drawn
        found.append(
            Proposed(
                own.places,
                [shelf.offer_ids[place] for place in own.places.tolist()],
                own.items,
                shelf.item_names,
                own.sources,
                _SETS,
                own.propensity,
                own.propensity_raw,
                popularity[start:end],
                evidence[start:end],
                shelf.places,
                explained(own),
                settled=not shelf.places_clash,
            )
        )
    return found


def _explanations(
    model: ItemModel, response: ResponseModel | None, rows: Matrix, answers: Matrix, question: Question
) -> Callable[[Drawn], Explained]:
    """Return what finds the features of a candidate, and what each contributed where that is asked for."""

    def of(drawn: Drawn) -> Explained:
        def one(place: int) -> tuple[Mapping[str, float], Mapping[str, float]]:
            row, customer = int(drawn.rows[place]), int(drawn.customers[place])
            if row < 0:
                return {}, {}
            if row >= len(rows):
                seen, columns = answers[row - len(rows)], _OFFER_COLUMNS
                trees = None if response is None else response.trees
            else:
                seen, columns = rows[row], _ITEM_COLUMNS
                trees = model.trees if question.baskets.n_baskets[customer] else None
            if not question.explain or trees is None:
                return Row(columns, seen), {}
            added = trees.contributions(seen[None, :])[0].tolist()
            return Row(columns, seen), dict(zip(columns, added, strict=False))

        return one

    return of


def likeliest_first(proposed: Proposed) -> Proposed:
    """Return candidates most probable first, ties by popularity and then by the offer's name."""
    order = np.lexsort((proposed.popularity_rank, -proposed.propensity))
    return replace(proposed.take(order), before=proposed if proposed.settled else None)
