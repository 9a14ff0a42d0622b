"""Offers of the business before customers: judged by past answers, else by their items."""

from __future__ import annotations

import numpy as np

from recommend.baskets import Baskets, Floats, Ints
from recommend.calibration import smooth
from recommend.drawn import CAMPAIGN, SOURCE_BITS, Drawn
from recommend.features import Matrix
from recommend.knowledge import Knowledge
from recommend.response import RESPONSE_FEATURES, ResponseModel, describe_response
from recommend.shelf import ITEM_EVIDENCE, Flags, Shelf

MOST_PROPOSED = 30
MOST_BY_ITEMS = 60
_BUNDLE = SOURCE_BITS["bundle"]


def open_offers(shelf: Shelf, moments: Ints) -> Flags:
    """Return which offers of the business are open on each customer's day, shape (customers, offers)."""
    day = moments[:, None]
    return np.asarray((shelf.valid_from <= day) & (day <= shelf.valid_to))


def by_items(shelf: Shelf, knowledge: Knowledge, items: Drawn, still_open: Flags) -> Drawn:
    """Judge offers by their items, leaning on what the business expects of them.

    The most probable item speaks for an offer, the more popular of equals; a bundle needs all of its items,
    lifted where they go together. Offers that customers have answered before are left to
    :func:`by_answers`; of very many, all services and retention are looked at, and the best of the rest.

    Parameters
    ----------
    shelf, knowledge
        The catalogue in the proposer's numbering, and what was learnt from purchases.
    items
        The items looked at for each customer, with their probabilities.
    still_open
        Shape (customers, offers).
    """
    chance = np.full((len(still_open), len(shelf.index)), -1.0)
    row = np.zeros(chance.shape, dtype=np.int64)
    chance[items.customers, items.items] = items.propensity
    row[items.customers, items.items] = np.arange(len(items.customers))
    best, whose = shelf.book.best(chance)
    weight = shelf.starting_evidence / (shelf.starting_evidence + ITEM_EVIDENCE)
    promised = np.where(best >= 0, weight * shelf.starting + (1 - weight) * best, shelf.starting)
    customers, offers = _most_promising(shelf, still_open & ~shelf.answered, promised).nonzero()
    whose, known = whose[customers, offers], best[customers, offers] >= 0
    promised = promised[customers, offers]
    of_item = row[customers, whose]
    for pair in np.flatnonzero(shelf.bundles[offers] & known).tolist():
        joint = _joint(shelf, knowledge, chance[customers[pair]], int(offers[pair]))
        w = weight[offers[pair]]
        promised[pair] = w * shelf.starting[offers[pair]] + (1 - w) * joint
    return Drawn(
        customers,
        shelf.offer_places[offers],
        whose,
        SOURCE_BITS[CAMPAIGN] + np.where(shelf.bundles[offers] & known, _BUNDLE, 0),
        promised,
        np.where(known, items.propensity_raw[of_item] if len(items.rows) else 0.0, promised),
        np.where(known, items.rows[of_item] if len(items.rows) else -1, -1),
    )


def _most_promising(shelf: Shelf, asked: Flags, promised: Floats) -> Flags:
    """Return the offers worth a look: all services and retention, and the best of the rest."""
    if asked.shape[1] <= MOST_BY_ITEMS:
        return asked
    rest = np.where(asked & ~shelf.unconditional, promised, -1.0)
    best = np.argsort(-rest, axis=1, kind="stable")[:, :MOST_BY_ITEMS]
    kept = asked & shelf.unconditional
    np.put_along_axis(kept, best, np.take_along_axis(rest, best, axis=1) >= 0, axis=1)
    return np.asarray(kept | (asked & shelf.unconditional))


def _joint(shelf: Shelf, knowledge: Knowledge, chance: Floats, offer: int) -> float:
    """Return the chance that all items of a bundle are taken; 0 if one of them was not looked at."""
    numbers = [shelf.index.get(item, -1) for item in shelf.offers[offer].items]
    if any(number < 0 or chance[number] < 0 for number in numbers):
        return 0.0
    return knowledge.bundles.joint(numbers, [float(chance[number]) for number in numbers])


def by_answers(
    shelf: Shelf,
    knowledge: Knowledge,
    response: ResponseModel,
    baskets: Baskets,
    moments: Ints,
    past: tuple[Floats, Floats],
    channel: str,
    still_open: Flags,
) -> tuple[Drawn, Matrix]:
    """Judge offers by how customers answered such offers before, and return the most promising of each.

    Parameters
    ----------
    shelf, knowledge, response
        The catalogue in the proposer's numbering, and what was learnt.
    baskets, moments
        What is visible of the customers, and the day of the question.
    past
        Shape (customers) each: days on which any offer was put before them, and how many they took up.
    channel
        Where they would be presented.
    still_open
        Shape (customers, offers).

    Returns
    -------
    tuple
        The pairs, and the rows of ``RESPONSE_FEATURES`` their rows count in.
    """
    customers, offers = (still_open & shelf.answered).nonzero()
    if not len(offers):
        none = np.zeros((0, len(RESPONSE_FEATURES)), dtype=np.float32)
        return Drawn.none(), none
    rows = describe_response(baskets, moments, knowledge, shelf.book, shelf.record, *past, customers, offers)
    raw, promised = response.probability(rows, channel)
    promised = smooth(
        promised, shelf.evidence[offers], shelf.starting[offers], shelf.starting_evidence[offers]
    )
    order = np.lexsort((offers, -promised, customers))
    kept = order[place_within(customers[order]) < MOST_PROPOSED]
    return Drawn(
        customers[kept],
        shelf.offer_places[offers[kept]],
        shelf.only_items[offers[kept]],
        np.full(len(kept), SOURCE_BITS[CAMPAIGN]),
        promised[kept],
        raw[kept],
        kept,
    ), rows


def place_within(groups: Ints) -> Ints:
    """Return the place of each entry within its run of equals, from 0.

    Examples
    --------
    >>> place_within(np.array([4, 4, 4, 7, 9, 9])).tolist()
    [0, 1, 2, 0, 0, 1]
    """
    places = np.arange(len(groups))
    starts = np.concatenate(([0], np.flatnonzero(groups[1:] != groups[:-1]) + 1))
    return np.asarray(places - np.repeat(starts, np.diff(starts, append=len(groups))))
