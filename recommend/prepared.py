"""Candidates worked out the night before, so that the day only reads them.

What is put before a customer depends on what they bought, on the offers put before them, on the day, and on
little of a conversation. For the day after the last published one all of it is known at night. The packed
candidates are good for a customer without news, in a conversation like any other, while model and catalogue
are those of the night; in any other case the proposer is asked, with the same result.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from hashlib import blake2b
from itertools import islice
from typing import Any, Final, Self

import numpy as np
import orjson

from recommend.candidates import Proposer
from recommend.catalogue import Catalogue, Offer
from recommend.context import Context
from recommend.drawn import SOURCE_NAMES, Bits
from recommend.ownership import DEARER, Ownership
from recommend.profile import Profile
from recommend.proposed import Proposed

TOGETHER: Final = 250  # customers described at once: more are no faster
MOST_CELLS: Final = 1_000_000  # customers x items: a few dozen bytes each while they are described
LAYOUT: Final = ("<f8", "<f8", "<i4", "<i2", "<i2", "<i2")
"""Kinds of the columns: propensity, raw propensity, place of the offer, item, sources, ownership."""
_WIDTH: Final = sum(np.dtype(kind).itemsize for kind in LAYOUT)
_MOST_ITEMS: Final = 2**15
_MOST_SOURCES: Final = 15  # bits


class Prepared:
    """Packs candidates at night and reads them by day.

    Parameters
    ----------
    proposer
        The model of the night.
    catalogue
        What may be offered, with an offer for every item the model knows.
    as_of
        The last day the night saw: candidates are those of the day after.
    channel
        Where offers would be presented; it matters where offers were answered differently in it.
    sources
        Names of the sources, in the order of their bits.
    """

    def __init__(
        self,
        proposer: Proposer,
        catalogue: Catalogue,
        as_of: date,
        channel: str = "chat",
        sources: Sequence[str] = SOURCE_NAMES,
    ) -> None:
        self.proposer, self.catalogue, self.as_of = proposer, catalogue, as_of
        self.day = as_of + timedelta(days=1)
        self.context = Context(channel=channel)
        self._shelf = proposer.shelf_of(catalogue)
        self._ownership = Ownership(catalogue)
        self._sets = Bits(tuple(sources))

    def as_json(self) -> dict[str, Any]:
        """Return what must be known to read what was packed."""
        return {
            "as_of": self.as_of.isoformat(),
            "channel": self.context.channel,
            "layout": [*LAYOUT],
            "sources": list(self._sets.names),
            "catalogue": digest(self.catalogue),
        }

    @classmethod
    def from_json(cls, raw: Mapping[str, Any], proposer: Proposer, catalogue: Catalogue) -> Self | None:
        """Read what :meth:`as_json` wrote; None where catalogue or layout is not that of the night."""
        if raw.get("layout") != [*LAYOUT] or raw.get("catalogue") != digest(catalogue):
            return None
        as_of = date.fromisoformat(raw["as_of"])
        return cls(proposer, catalogue, as_of, raw["channel"], raw["sources"])

    def pack_all(self, profiles: Iterable[Profile]) -> Iterator[tuple[Profile, bytes]]:
        """Yield each profile with its packed candidates."""
        together_at_most = max(1, min(TOGETHER, MOST_CELLS // max(len(self.proposer.vocabulary), 1)))
        at, waiting = datetime.combine(self.day, datetime.min.time(), UTC), iter(profiles)
        while together := list(islice(waiting, together_at_most)):
            found = self.proposer.propose_all(together, self.catalogue, self.context, at)
            yield from zip(together, map(self.pack, together, found), strict=True)

    def pack(self, profile: Profile, proposed: Proposed) -> bytes:
        """Return a customer's candidates as bytes, column by column, the widest first.

        Nothing where an offer comes twice (only a decision knows the better), or where numbers would not fit.
        """
        too_many = len(self._shelf.item_names) > _MOST_ITEMS or len(self._sets.names) > _MOST_SOURCES
        if too_many or not proposed.settled:
            return b""
        dearer = proposed.source_names.name(DEARER, proposed.sources)
        columns = (
            proposed.propensity,
            proposed.propensity_raw,
            proposed.offers,
            proposed.items,
            proposed.sources,
            self._ownership.of(proposed.offers, dearer, frozenset(profile.history.items)),
        )
        return b"".join([column.astype(kind).tobytes() for column, kind in zip(columns, LAYOUT, strict=True)])

    def holds(self, context: Context, at: datetime) -> bool:
        """Return whether the packed candidates are those of this conversation and day."""
        return at.date() == self.day and self.proposer.same_for_all(context, self.context)

    def read(self, packed: bytes) -> Proposed:
        """Return candidates from their bytes."""
        shelf, many = self._shelf, len(packed) // _WIDTH
        propensity, raw = np.frombuffer(packed, "<f8", 2 * many).reshape(2, many)
        places = np.frombuffer(packed, "<i4", many, 16 * many).astype(np.int64)
        numbers = np.frombuffer(packed, "<i2", 3 * many, 20 * many)
        items, sources, ownership = numbers.astype(np.int64).reshape(3, many)
        offer_ids = shelf.offer_ids
        return Proposed(
            places,
            [offer_ids[place] for place in places.tolist()],
            items,
            shelf.item_names,
            sources,
            self._sets,
            propensity,
            raw,
            shelf.popularity(places, items, sources),
            shelf.evidence_for(places, items, sources),
            shelf.places,
            ownership=ownership,
            settled=True,
        )


def digest(catalogue: Catalogue) -> str:
    """Return a hash of all of a catalogue that decides what is packed, and in which order."""
    told = orjson.dumps([_read_at_night(offer) for offer in catalogue.offers])
    return blake2b(told, digest_size=16).hexdigest()


def _read_at_night(offer: Offer) -> tuple[object, ...]:
    return (
        offer.offer_id,
        offer.generated,
        offer.items,
        offer.group,
        offer.kind,
        offer.mandatory,
        offer.repeatable,
        offer.valid_from,
        offer.valid_to,
        offer.starting_propensity,
        offer.starting_evidence,
    )
