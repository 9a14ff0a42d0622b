"""A rulebook's catalogue by column: what a decision asks of every offer, read once for all decisions.

Offers that must answer the same questions (the same checks, kind, purpose, and whether they are mandatory)
share one *gate*: a decision asks each gate once, not each offer. The last row of every column stands for an
offer the catalogue does not hold, so that its place, -1, needs no care.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from recommend.catalogue import Offer
from recommend.decision import Kind
from recommend.ownership import OWNED, STATE, Ownership
from recommend.worth import KIND_CODES, Arbitration, Rates

if TYPE_CHECKING:
    from recommend.rulebook import Check, Rulebook

Flags: TypeAlias = NDArray[np.bool_]
Ints: TypeAlias = NDArray[np.int64]

MOST_REMEMBERED: Final = 64  # days and channels whose closed offers are kept
NOT_LISTED: Final = "not in the catalogue"
_NEW: Final[Kind] = "cross_sell"
_BOUGHT: Final[Kind] = "replenish"
_BETTER: Final[Kind] = "upsell"
_GENERATED: Final = (_NEW, _BOUGHT, _BETTER)


class Gate(NamedTuple):
    """What offers must answer to customer and context; equal for many of them."""

    checks: tuple[Check, ...]
    kind: Kind
    purpose: str
    mandatory: bool


class Closed(NamedTuple):
    """Which offers nobody can be made today in one channel.

    A code each, 0 if open, what codes mean, and whether any offer of the catalogue is closed.
    """

    codes: Ints
    reasons: Sequence[str]
    any: bool


class Listing:
    """The offers of a rulebook as columns.

    Parameters
    ----------
    book
        Catalogue and policies.

    Attributes
    ----------
    places
        Place of each offer in the columns: that in the catalogue.
    kinds, gates
        Shape (3 x (offers + 1)): code of the kind and number of the gate, for each state of
        :mod:`recommend.ownership` one after the other, since they differ for an offer made from an item: a
        cross-sell, a replenishment, an upsell. :meth:`rows` says where.
    mandatory, capped, own_checks
        Shape (offers + 1): whether it goes first, has caps per customer, has checks that ask about the offer
        itself; None where no offer does.
    ownership
        Tells whether a customer bought what an offer is about.
    groups
        Shape (offers + 1): number of its group, 0 for none.
    only_items
        The one item of each, empty if there is none or several.
    """

    def __init__(self, book: Rulebook) -> None:
        offers = book.catalogue.offers
        self.book, self.offers = book, offers
        self.places = book.catalogue.places
        kinds = [_GENERATED if offer.generated else (offer.kind,) * 3 for offer in offers]
        codes = [[KIND_CODES[kind] for kind in three] for three in [*kinds, (_NEW,) * 3]]
        self.kinds = np.array(codes, dtype=np.uint8).T.ravel()
        self.gate_list = [Gate((), _NEW, "marketing", mandatory=False)]  # of what is not in the catalogue
        numbers: dict[tuple[int, Kind, str, bool], int] = {}
        gates = [
            [self._gate(numbers, offer, kind) for kind in three]
            for offer, three in zip(offers, kinds, strict=True)
        ]
        self.gates = np.array([*gates, [0, 0, 0]], dtype=np.int64).T.ravel()
        self.mandatory = _flags(offer.mandatory for offer in offers)
        self.capped = _flags(bool(offer.caps) for offer in offers)
        self.own_checks = _flags(offer.offer_id in book.own_checks for offer in offers)
        self.ownership = Ownership(book.catalogue)
        self._begins = (np.arange(2 * OWNED) & STATE) * (len(offers) + 1)
        self.group_numbers = {name: 1 + n for n, name in enumerate(sorted(set(book.groups.values())))}
        self.groups = np.array([*(self.group_numbers.get(o.group, 0) for o in offers), 0], dtype=np.int64)
        self.only_items = [*(o.items[0] if len(o.items) == 1 else "" for o in offers), ""]
        self._closed: dict[tuple[date, str], Closed] = {}
        self._rates: Rates | None = None

    def _gate(self, numbers: dict[tuple[int, Kind, str, bool], int], offer: Offer, kind: Kind) -> int:
        checks = self.book.sets[offer.offer_id]
        key = (id(checks), kind, offer.purpose, offer.mandatory)  # equal sets are one object
        if key not in numbers:
            numbers[key] = len(self.gate_list)
            self.gate_list.append(Gate(checks, kind, offer.purpose, offer.mandatory))
        return numbers[key]

    def rows(self, offers: Ints, ownership: Ints) -> Ints:
        """Return where the columns by state tell of offers.

        Parameters
        ----------
        offers
            Shape (candidates): place in the catalogue, -1 for an offer it does not hold.
        ownership
            Shape (candidates): in the numbers of :mod:`recommend.ownership`.
        """
        # A place of -1 is the last one of some state: they are all equal.
        found: Ints = offers + self._begins[ownership]
        return found

    def closed(self, today: date, channel: str) -> Closed:
        """Return which offers cannot be made by anybody today in this channel, and why."""
        key = (today, channel)
        found = self._closed.get(key)
        if found is None:
            if len(self._closed) >= MOST_REMEMBERED:
                self._closed = {}
            reasons = {"": 0}
            why = [*(unavailable(offer, today, channel) for offer in self.offers), NOT_LISTED]
            codes = np.array([reasons.setdefault(reason, len(reasons)) for reason in why], dtype=np.int64)
            found = self._closed[key] = Closed(codes, list(reasons), bool(codes[:-1].any()))
        return found

    def rates(self, arbitration: Arbitration) -> Rates:
        """Return what each offer is worth by these weights, worked out once."""
        if self._rates is None or self._rates.arbitration is not arbitration:
            self._rates = Rates(arbitration, self.offers)
        return self._rates


def _flags(values: Iterable[bool]) -> Flags | None:
    """Return a column of flags; None if none is set: then nobody needs to look."""
    found = np.array([*values, False], dtype=bool)
    return found if found.any() else None


def unavailable(offer: Offer, today: date, channel: str) -> str:
    """Return why an offer cannot be made by anybody today in this channel, or an empty text."""
    if not offer.available:
        return "not available"
    if offer.treatments and offer.treatment(channel) is None:
        return f"has no treatment for the channel {channel!r}"
    if offer.valid_from and today < offer.valid_from:
        return f"not before {offer.valid_from}"
    if offer.valid_to and today > offer.valid_to:
        return f"ended on {offer.valid_to}"
    return gone(offer, 0)


def gone(offer: Offer, more: int) -> str:
    """Return whether an offer ran out, counting ``more`` acceptances since the catalogue was made."""
    if offer.stock is not None and offer.stock <= more:
        return "out of stock"
    if offer.cap_total is not None and offer.taken + more >= offer.cap_total:
        return f"taken {offer.taken + more} times; the cap is {offer.cap_total}"
    return ""
