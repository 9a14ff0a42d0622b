"""A catalogue in the proposer's own numbering: what could be put before anyone today."""

from __future__ import annotations

from datetime import date

import numpy as np

from recommend.catalogue import ITEM_PREFIX, Catalogue
from recommend.response import OfferBook, Record, ResponseModel

FAR_DAY = 10**8


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
    """

    def __init__(
        self,
        catalogue: Catalogue,
        vocabulary: tuple[str, ...],
        index: dict[str, int],
        response: ResponseModel | None,
    ) -> None:
        self.index = index
        self.item_offers = [
            f"{ITEM_PREFIX}{name}" if f"{ITEM_PREFIX}{name}" in catalogue.by_id else None
            for name in vocabulary
        ]
        self.has_offer = np.array([offer is not None for offer in self.item_offers], dtype=bool)
        self.offers = [offer for offer in catalogue.offers if not offer.generated]
        ends = [_day_of(offer.valid_to, FAR_DAY) for offer in self.offers]
        self.valid_from = np.array([_day_of(o.valid_from, -FAR_DAY) for o in self.offers], dtype=np.int64)
        self.valid_to = np.array(ends, dtype=np.int64)
        self.starting = np.array([o.starting_propensity for o in self.offers])
        self.starting_evidence = np.array([o.starting_evidence for o in self.offers])
        self.unconditional = np.array(
            [offer.mandatory or offer.kind in {"service", "retention"} for offer in self.offers], dtype=bool
        )
        known = () if response is None else response.book.group_names
        ids = [o.offer_id for o in self.offers]
        self.book = OfferBook.of(
            ids, [o.items for o in self.offers], [o.group for o in self.offers], index, known
        )
        last = len(vocabulary)
        self.best_rank = np.array(
            [min((index.get(i, last) for i in o.items), default=last) for o in self.offers]
        )
        self.evidence = np.zeros(len(ids), dtype=np.int64)
        self.record = Record(np.zeros(len(ids)), np.zeros(0), 0.0)
        if response is not None:
            place = {offer_id: i for i, offer_id in enumerate(response.book.ids)}
            row = np.array([place.get(i, -1) for i in ids], dtype=np.int64)
            self.evidence = np.where(row >= 0, response.evidence[row], 0)
            rates = np.concatenate((response.record.groups, [response.record.overall]))
            own = np.where(row >= 0, response.record.offers[row], rates[self.book.groups])
            self.record = Record(own, response.record.groups, response.record.overall)


def _day_of(day: date | None, default: int) -> int:
    return default if day is None else (day - date(1970, 1, 1)).days
