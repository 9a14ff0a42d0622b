"""Has this customer bought what an offer is about? Told of all offers of a decision at once.

A number each: ``NEW``, ``BOUGHT`` or ``BETTER`` in its lowest bits, and ``OWNED`` beside it where the offer
must not be made to who has everything it is about, and the customer has.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from recommend.catalogue import Catalogue, Offer

Ints: TypeAlias = NDArray[np.int64]
Flags: TypeAlias = NDArray[np.bool_]

NEW: Final = 0  # nothing of it was bought
BOUGHT: Final = 1  # some of it was
BETTER: Final = 2  # nothing of it was, but it is a dearer item of a kind that was
STATE: Final = 3  # the bits of the three above
OWNED: Final = 4
DEARER: Final = "upsell"  # the source that puts forward dearer items of a kind
_SOLD_ONCE: Final = frozenset({"cross_sell", "upsell"})


class Ownership:
    """Compares what offers of a catalogue are about with what a customer bought.

    Parameters
    ----------
    catalogue
        The offers, by their places.

    Examples
    --------
    >>> pot = Offer("1", "Pot", "upsell", items=("POT",))
    >>> both = Offer("2", "Pot and lid", "bundle", items=("POT", "LID"))
    >>> Ownership(Catalogue([pot, both])).of(np.array([0, 1]), np.array([False, False]), {"POT"}).tolist()
    [5, 1]
    """

    def __init__(self, catalogue: Catalogue) -> None:
        self._offers = catalogue.offers
        self._only = [*(offer.items[0] if len(offer.items) == 1 else "" for offer in self._offers), ""]
        self._if_bought = [*map(_bought, self._offers), NEW]
        self._several = np.array([*(len(offer.items) > 1 for offer in self._offers), False], dtype=bool)

    def of(self, offers: Ints, dearer: Flags, bought: Collection[str]) -> Ints:
        """Return the number of each candidate.

        Parameters
        ----------
        offers
            Shape (candidates): place of the offer in the catalogue, -1 for one it does not hold.
        dearer
            Shape (candidates): whether it is put forward as a dearer item of a kind the customer buys.
        bought
            Every item the customer bought.
        """
        rows, only, if_bought = offers.tolist(), self._only, self._if_bought
        found = np.array([if_bought[row] if only[row] in bought else NEW for row in rows], dtype=np.int64)
        for place in self._several[offers].nonzero()[0].tolist():
            has = [item in bought for item in self._offers[rows[place]].items]
            found[place] = if_bought[rows[place]] if all(has) else BOUGHT if any(has) else NEW
        found[dearer & (found == NEW)] = BETTER
        return found


def _bought(offer: Offer) -> int:
    """Return the number of an offer whose items are all bought; one made from an item is then a refill."""
    sold_once = offer.kind in _SOLD_ONCE and not offer.repeatable and not offer.generated
    return BOUGHT + OWNED if sold_once else BOUGHT
