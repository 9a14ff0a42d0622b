"""Offers of the business before one customer: judged by past answers, else by their items."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from recommend.baskets import Baskets, Floats, Ints
from recommend.calibration import smooth
from recommend.candidate import Candidate
from recommend.catalogue import Offer
from recommend.context import Context
from recommend.exposures import contact_record
from recommend.knowledge import Knowledge
from recommend.profile import Profile
from recommend.response import RESPONSE_FEATURES, ResponseModel, describe_response
from recommend.shelf import Shelf

MOST_PROPOSED = 30
MOST_BY_ITEMS = 60
ITEM_EVIDENCE = 100.0  # presentations that the item model's word on an offer is worth
SOURCE = "campaign"


def campaigns(
    shelf: Shelf,
    knowledge: Knowledge,
    response: ResponseModel | None,
    baskets: Baskets,
    moment: Ints,
    profile: Profile,
    context: Context,
    items: Sequence[Candidate],
    *,
    explain: bool,
) -> list[Candidate]:
    """Return the offers open on a day as candidates, the most promising of each sort.

    An offer of a group that customers have answered before is judged by the response model; any other by the
    items it is about. Services and retention are always among them.

    Parameters
    ----------
    shelf
        The catalogue in the proposer's numbering.
    knowledge, response
        What was learnt from purchases and from answers.
    baskets, moment
        The customer's visible baskets and the day, as arrays of one customer.
    profile, context
        The customer and the moment.
    items
        The customer's item candidates.
    explain
        Whether to add contributions.
    """
    day = int(moment[0])
    still_open = (shelf.valid_from <= day) & (day <= shelf.valid_to)
    answered = still_open & (shelf.book.groups >= 0) & (response is not None)
    by_item = {candidate.item: candidate for candidate in items}
    by_their_items = _most_promising(shelf, np.flatnonzero(still_open & ~answered), by_item)
    found = [by_items(shelf.offers[o], by_item, knowledge, shelf) for o in by_their_items]
    chosen = np.flatnonzero(answered)
    if response is not None and len(chosen):
        found += _by_answers(shelf, knowledge, response, baskets, moment, profile, context, chosen, explain)
    return found


def _most_promising(shelf: Shelf, chosen: Ints, by_item: Mapping[str, Candidate]) -> list[int]:
    """Return the offers worth a look: all services and retention, and the best of the rest by items."""
    if len(chosen) <= MOST_BY_ITEMS:
        return [int(o) for o in chosen]
    chance = np.zeros(len(shelf.index))
    for item, candidate in by_item.items():
        chance[shelf.index[item]] = candidate.propensity
    best = shelf.book.highest(chance)
    weight = shelf.starting_evidence / (shelf.starting_evidence + ITEM_EVIDENCE)
    promised = np.where(best > 0, weight * shelf.starting + (1 - weight) * best, shelf.starting)[chosen]
    order = chosen[np.lexsort((chosen, -promised))]
    others = order[~shelf.unconditional[order]][:MOST_BY_ITEMS]
    return [int(o) for o in np.union1d(others, order[shelf.unconditional[order]])]


def _by_answers(
    shelf: Shelf,
    knowledge: Knowledge,
    response: ResponseModel,
    baskets: Baskets,
    moment: Ints,
    profile: Profile,
    context: Context,
    chosen: Ints,
    explain: bool,
) -> list[Candidate]:
    past_days, past_accepts = contact_record(profile, int(moment[0]))
    rows = describe_response(
        baskets,
        moment,
        knowledge,
        shelf.book,
        shelf.record,
        past_days,
        past_accepts,
        np.zeros(len(chosen), dtype=np.int64),
        chosen,
    )
    raw, promised = response.probability(rows, context.channel)
    promised = smooth(
        promised, shelf.evidence[chosen], shelf.starting[chosen], shelf.starting_evidence[chosen]
    )
    best = np.lexsort((chosen, -promised))[:MOST_PROPOSED]
    parts = response.trees.contributions(rows[best]).tolist() if explain else [()] * len(best)
    found = []
    for j, part in zip(best.tolist(), parts, strict=True):
        offer = shelf.offers[chosen[j]]
        found.append(
            Candidate(
                offer_id=offer.offer_id,
                item=offer.items[0] if len(offer.items) == 1 else "",
                sources=(SOURCE,),
                propensity=float(promised[j]),
                propensity_raw=float(raw[j]),
                features=dict(zip(RESPONSE_FEATURES, rows[j].tolist(), strict=True)),
                contributions=dict(zip(RESPONSE_FEATURES, part, strict=False)),
                popularity_rank=int(shelf.best_rank[chosen[j]]),
                evidence=float(shelf.evidence[chosen[j]] + shelf.starting_evidence[chosen[j]]),
            )
        )
    return found


def by_items(offer: Offer, by_item: Mapping[str, Candidate], knowledge: Knowledge, shelf: Shelf) -> Candidate:
    """Judge an offer by its items, leaning on what the business expects of it.

    The most probable item speaks for the offer; a bundle needs all of them, lifted where they go together.
    """
    held = [by_item[item] for item in offer.items if item in by_item]
    best = max(held, key=lambda c: c.propensity, default=None)
    if best is None:
        start = offer.starting_propensity
        last = knowledge.n_items
        return Candidate(
            offer.offer_id,
            sources=(SOURCE,),
            propensity=start,
            propensity_raw=start,
            popularity_rank=last,
            evidence=offer.starting_evidence,
        )
    promised = best.propensity
    if offer.kind == "bundle":
        numbers = [shelf.index[c.item] for c in held]
        joint = knowledge.bundles.joint(numbers, [c.propensity for c in held])
        promised = joint if len(held) == len(offer.items) else 0.0
    weight = offer.starting_evidence / (offer.starting_evidence + ITEM_EVIDENCE)
    return Candidate(
        offer_id=offer.offer_id,
        item=best.item,
        sources=("bundle", SOURCE) if offer.kind == "bundle" else (SOURCE,),
        propensity=weight * offer.starting_propensity + (1 - weight) * promised,
        propensity_raw=best.propensity_raw,
        features=best.features,
        contributions=best.contributions,
        popularity_rank=best.popularity_rank,
        evidence=offer.starting_evidence + best.evidence,
    )


def item_evidence(buyers: Floats) -> Floats:
    """Return how many presentations the item model's word on each item is worth: little with few buyers.

    Parameters
    ----------
    buyers
        Shape (items): how many customers ever bought each.

    Examples
    --------
    >>> item_evidence(np.array([0.0, 100.0, 9900.0])).tolist()
    [0.0, 50.0, 99.0]
    """
    return np.asarray(ITEM_EVIDENCE * buyers / (buyers + ITEM_EVIDENCE))
