"""All candidates of one customer by column, for decisions, and one by one for whoever wants to see them.

A decision weighs a hundred candidates and speaks of three. By column the hundred are a handful of array
operations, and only the three ever become objects.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from operator import attrgetter
from typing import Final, Protocol, TypeAlias, overload

import numpy as np
from numpy.typing import NDArray

from recommend.candidate import Candidate

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]
Flags: TypeAlias = NDArray[np.bool_]
Explained: TypeAlias = Callable[[int], tuple[Mapping[str, float], Mapping[str, float]]]

NOTHING: Final = -1  # the item of an offer about none, or about several

_offer_id = attrgetter("offer_id")


class SourceSets(Protocol):
    """Sets of sources by number."""

    def __getitem__(self, number: int, /) -> tuple[str, ...]:
        """Return the names of a set."""
        ...

    def name(self, source: str, numbers: Ints) -> Flags:
        """Return which of the numbered sets name a source."""
        ...


class Listed(list[tuple[str, ...]]):
    """Sets of sources in a row."""

    def name(self, source: str, numbers: Ints) -> Flags:
        """Return which of the numbered sets name a source."""
        return np.array([source in one for one in self], dtype=bool)[numbers]


@dataclass(frozen=True, slots=True, eq=False)
class Proposed(Sequence[Candidate]):
    """Candidates by column; what each column means, :class:`recommend.candidate.Candidate` says.

    Parameters
    ----------
    offers
        Shape (candidates): place of each offer in the catalogue, -1 for one it does not hold.
    offer_ids
        Their names.
    items, item_names
        Shape (candidates): the item, by its place among the names, of which none comes twice and the last is
        empty: the place of ``NOTHING``.
    sources, source_names
        Shape (candidates): who put it forward, by its place among the sets of sources.
    propensity, propensity_raw, popularity_rank, evidence
        Shape (candidates).
    places
        The catalogue's own places of its offers: columns are read beside the catalogue they were made for.
    explained
        Makes a candidate whole: its features and contributions, by its place; None where nobody kept them.
    ownership
        Shape (candidates): whether the customer bought what each is about, in the numbers of
        :mod:`recommend.ownership`; None where nobody asked yet.
    settled
        Whether they stand by offer, each offer once, and all of them are of the catalogue.
    before
        The same candidates by offer, where these are in another order.
    """

    offers: Ints
    offer_ids: Sequence[str]
    items: Ints
    item_names: Sequence[str]
    sources: Ints
    source_names: SourceSets
    propensity: Floats
    propensity_raw: Floats
    popularity_rank: Ints
    evidence: Floats
    places: Mapping[str, int]
    explained: Explained | None = None
    ownership: Ints | None = None
    settled: bool = False
    before: Proposed | None = None

    @classmethod
    def of(cls, candidates: Iterable[Candidate], places: Mapping[str, int]) -> Proposed:
        """Put candidates in columns, by offer, the best of each offer first.

        Parameters
        ----------
        candidates
            In any order.
        places
            Place of each offer in the catalogue.
        """
        found = sorted(candidates, key=_offer_id)
        if any(one.offer_id == other.offer_id for one, other in pairwise(found)):
            found.sort(key=_best_of_its_offer)
        count = len(found)
        sets: dict[tuple[str, ...], int] = {}
        names: dict[str, int] = {}

        def floats(values: Iterable[float]) -> Floats:
            return np.fromiter(values, np.float64, count)

        return cls(
            offers=np.fromiter((places.get(one.offer_id, -1) for one in found), np.int64, count),
            offer_ids=[one.offer_id for one in found],
            items=np.fromiter(
                (names.setdefault(one.item, len(names)) if one.item else NOTHING for one in found),
                np.int64,
                count,
            ),
            item_names=[*names, ""],
            sources=np.fromiter((sets.setdefault(one.sources, len(sets)) for one in found), np.int64, count),
            source_names=Listed(sets),
            propensity=floats(one.propensity for one in found),
            propensity_raw=floats(one.propensity_raw for one in found),
            popularity_rank=np.fromiter((one.popularity_rank for one in found), np.int64, count),
            evidence=floats(one.evidence for one in found),
            places=places,
            explained=lambda place: (found[place].features, found[place].contributions),
        )

    @classmethod
    def by_offer(cls, candidates: Iterable[Candidate], places: Mapping[str, int]) -> Proposed:
        """Return candidates by offer, the best of each offer first; columns of this catalogue as they are."""
        if not isinstance(candidates, Proposed) or candidates.places is not places:
            return cls.of(candidates, places)
        if candidates.settled:
            return candidates
        if candidates.before is not None:
            return candidates.before
        names = candidates.offer_ids
        if len(set(names)) < len(names):
            return cls.of(candidates, places)
        return candidates.take(np.array(sorted(range(len(names)), key=names.__getitem__), dtype=np.int64))

    def take(self, order: Ints) -> Proposed:
        """Return the given candidates, in their order."""
        chosen, explained = order.tolist(), self.explained
        return Proposed(
            self.offers[order],
            [self.offer_ids[place] for place in chosen],
            self.items[order],
            self.item_names,
            self.sources[order],
            self.source_names,
            self.propensity[order],
            self.propensity_raw[order],
            self.popularity_rank[order],
            self.evidence[order],
            self.places,
            None if explained is None else lambda place: explained(chosen[place]),
            None if self.ownership is None else self.ownership[order],
        )

    def item(self, place: int) -> str:
        """Return the item a candidate is about; empty if none."""
        return self.item_names[int(self.items[place])]

    def candidate(self, place: int) -> Candidate:
        """Return one candidate whole, by its place from 0."""
        features, contributions = self.explained(place) if self.explained else ({}, {})
        return Candidate(
            self.offer_ids[place],
            self.item(place),
            self.source_names[self.sources[place]],
            float(self.propensity[place]),
            float(self.propensity_raw[place]),
            features,
            contributions,
            int(self.popularity_rank[place]),
            float(self.evidence[place]),
        )

    def __len__(self) -> int:
        return len(self.offers)

    @overload
    def __getitem__(self, place: int) -> Candidate: ...

    @overload
    def __getitem__(self, place: slice) -> list[Candidate]: ...

    def __getitem__(self, place: int | slice) -> Candidate | list[Candidate]:
        if isinstance(place, slice):
            return [self[one] for one in range(*place.indices(len(self)))]
        if not -len(self) <= place < len(self):
            raise IndexError(place)
        return self.candidate(place % len(self))

    def __iter__(self) -> Iterator[Candidate]:
        return (self[place] for place in range(len(self)))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]


def _best_of_its_offer(candidate: Candidate) -> tuple[object, ...]:
    return (
        candidate.offer_id,
        -candidate.propensity,
        -candidate.propensity_raw,
        candidate.popularity_rank,
        candidate.item,
        candidate.sources,
    )
