"""A catalogue in the proposer's own numbering: what could be put before anyone today."""

from __future__ import annotations

from datetime import date
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from recommend.baskets import Floats, Ints
from recommend.catalogue import ITEM_PREFIX, Catalogue
from recommend.drawn import CAMPAIGN, SOURCE_BITS
from recommend.proposed import NOTHING
from recommend.response import OfferBook, Record, ResponseModel

Flags: TypeAlias = NDArray[np.bool_]

FAR_DAY = 10**8
ITEM_EVIDENCE = 100.0  # presentations that the item model's word on an offer is worth


class Shelf:
    """Offers of a catalogue as arrays, indexed once.

    Parameters
    ----------
    catalogue
        What may be offered.
    vocabulary, index
        Names of the items the model knows, and their numbers.
    response
        What was learnt from past offers, if anything.
    item_rank, item_buyers
        Shape (items): popularity, 0 the most popular; how many customers ever bought each.

    Attributes
    ----------
    item_names
        Names of the items offers are about, those of the vocabulary first; the last, empty, is that of
        ``NOTHING``.
    offer_ids, alphabetical
        Of the whole catalogue, in its order; and the place of each among all in the order of their names.
    item_places
        Shape (vocabulary): place in the catalogue of the offer made from each item, -1 if it has none.
    offers, offer_places
        The offers of the business, and their places in the catalogue.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        vocabulary: tuple[str, ...],
        index: dict[str, int],
        response: ResponseModel | None,
        item_rank: Ints,
        item_buyers: Floats,
    ) -> None:
        self.places, self.index = catalogue.places, index
        self.offer_ids = tuple(catalogue.by_id)
        self.alphabetical = np.empty(len(self.offer_ids), dtype=np.int64)
        self.alphabetical[np.argsort(np.array(self.offer_ids, dtype=object), kind="stable")] = np.arange(
            len(self.offer_ids)
        )
        self.item_places = np.array([self.places.get(f"{ITEM_PREFIX}{name}", -1) for name in vocabulary])
        self.offers = [offer for offer in catalogue.offers if not offer.generated]
        self.offer_places = np.array([self.places[o.offer_id] for o in self.offers], dtype=np.int64)
        self.places_clash = bool(np.isin(self.offer_places, self.item_places).any())
        ends = [_day_of(offer.valid_to, FAR_DAY) for offer in self.offers]
        self.valid_from = np.array([_day_of(o.valid_from, -FAR_DAY) for o in self.offers], dtype=np.int64)
        self.valid_to = np.array(ends, dtype=np.int64)
        self.starting = np.array([o.starting_propensity for o in self.offers])
        self.starting_evidence = np.array([o.starting_evidence for o in self.offers])
        self.unconditional = np.array(
            [offer.mandatory or offer.kind in {"service", "retention"} for offer in self.offers], dtype=bool
        )
        self.bundles = np.array([offer.kind == "bundle" for offer in self.offers], dtype=bool)
        known = () if response is None else response.book.group_names
        ids = [o.offer_id for o in self.offers]
        self.book = OfferBook.of(
            ids, [o.items for o in self.offers], [o.group for o in self.offers], index, known
        )
        self.answered = (self.book.groups >= 0) & (response is not None)
        self.evidence = np.zeros(len(ids), dtype=np.int64)
        self.record = Record(np.zeros(len(ids)), np.zeros(0), 0.0)
        if response is not None:
            place = {offer_id: i for i, offer_id in enumerate(response.book.ids)}
            row = np.array([place.get(i, -1) for i in ids], dtype=np.int64)
            self.evidence = np.where(row >= 0, response.evidence[row], 0)
            rates = np.concatenate((response.record.groups, [response.record.overall]))
            own = np.where(row >= 0, response.record.offers[row], rates[self.book.groups])
            self.record = Record(own, response.record.groups, response.record.overall)
        self._describe(vocabulary, item_rank, item_buyers)

    def _describe(self, vocabulary: tuple[str, ...], item_rank: Ints, item_buyers: Floats) -> None:
        """Work out what a candidate is known by: popularity and evidence, by item and by place."""
        numbers = dict(self.index)
        own = [o.items[0] if len(o.items) == 1 else "" for o in self.offers]
        self.only_items = np.array(
            [numbers.setdefault(item, len(numbers)) if item else NOTHING for item in own], dtype=np.int64
        )
        self.item_names = [*numbers, ""]
        last, more = len(vocabulary), len(numbers) + 1 - len(vocabulary)
        self._item_rank = np.concatenate((item_rank, np.full(more, last))).astype(np.int64)
        self._item_evidence = np.concatenate((item_evidence(item_buyers), np.zeros(more)))
        best = [min((self.index.get(i, last) for i in o.items), default=last) for o in self.offers]
        self._best_rank = np.zeros(len(self.offer_ids), dtype=np.int64)
        self._own_evidence = np.zeros(len(self.offer_ids))
        self._answered = np.zeros(len(self.offer_ids), dtype=bool)
        self._best_rank[self.offer_places] = best
        self._own_evidence[self.offer_places] = self.starting_evidence + np.where(
            self.answered, self.evidence, 0
        )
        self._answered[self.offer_places] = self.answered
        self._any_answered = bool(self.answered.any())

    def popularity(self, places: Ints, items: Ints, sources: Ints) -> Ints:
        """Return how popular the items of candidates are, 0 the most popular.

        Parameters
        ----------
        places, items
            Shape (candidates): of the offer in the catalogue, and number of the item it is put forward for.
        sources
            Shape (candidates): who put it forward, a bit for each.
        """
        ranks: Ints = self._item_rank[items]
        if self._any_answered:
            ranks = np.where(self._judged(places, sources), self._best_rank[places], ranks)
        return ranks

    def evidence_for(self, places: Ints, items: Ints, sources: Ints) -> Floats:
        """Return how many presentations the propensities of candidates rest on."""
        of_item: Floats = self._item_evidence[items]
        own: Floats = self._own_evidence[places]
        if self.places_clash:
            own = own * _of_business(sources)
        if self._any_answered:
            of_item = np.where(self._judged(places, sources), 0.0, of_item)
        found: Floats = of_item + own
        return found

    def _judged(self, places: Ints, sources: Ints) -> Flags:
        """Return which candidates are offers of the business that were answered before."""
        answered: Flags = self._answered[places]
        return answered & _of_business(sources) if self.places_clash else answered


def _of_business(sources: Ints) -> Flags:
    """Return which candidates are offers of the business, where the offer alone does not tell."""
    return (sources & SOURCE_BITS[CAMPAIGN]) > 0


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


def _day_of(day: date | None, default: int) -> int:
    return default if day is None else (day - date(1970, 1, 1)).days
