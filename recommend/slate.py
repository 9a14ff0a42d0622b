"""Which of the offers that passed are said, and in which place: at most so many, diverse by kind and item."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import starmap
from typing import NamedTuple, Protocol, overload

from recommend.decision import Kind
from recommend.policies import Slate


@dataclass(slots=True)
class Option:
    """An offer that passed every policy, in the order of priority; unfrozen, for decisions make many.

    ``evidence`` is how many presentations its propensity rests on; ``scale`` what the propensity is
    multiplied with to give the priority.
    """

    offer_id: str
    item: str
    kind: Kind
    priority: float
    propensity: float = 0.0
    scale: float = 1.0
    evidence: float = 0.0


@dataclass(frozen=True, slots=True)
class Selection:
    """What is said, by index into the options, and the probability of each given those before it."""

    chosen: tuple[int, ...]
    probabilities: tuple[float, ...]
    exploration: str = "none"


class Explorer(Protocol):
    """Chooses a slate with known probabilities."""

    def select(self, options: Sequence[Option], seats: Seats, key: str) -> Selection:
        """Return the slate for a decision; the same ``key`` gives the same slate."""
        ...


class Seated(Protocol):
    """What a seat needs to know of an offer: an :class:`Option`, or a weighed candidate."""

    @property
    def kind(self) -> Kind:
        """Its kind."""
        ...

    @property
    def item(self) -> str:
        """The one item it is about, or an empty text."""
        ...


class Seat(NamedTuple):
    """What a seat needs to know of an offer, and nothing else."""

    kind: Kind
    item: str


class Options(Sequence[Option]):
    """Options made when they are looked at: an explorer may look at the best few only.

    Parameters
    ----------
    places, seats
        The candidates, in their order, and what a seat needs to know of each.
    option
        Makes one of them an option.
    """

    def __init__(
        self, places: Sequence[int], seats: Sequence[Seat], option: Callable[[int, Seat], Option]
    ) -> None:
        self._candidates, self._option = list(zip(places, seats, strict=True)), option

    def __len__(self) -> int:
        return len(self._candidates)

    @overload
    def __getitem__(self, index: int) -> Option: ...

    @overload
    def __getitem__(self, index: slice) -> list[Option]: ...

    def __getitem__(self, index: int | slice) -> Option | list[Option]:
        if isinstance(index, slice):
            return [self._option(*one) for one in self._candidates[index]]
        return self._option(*self._candidates[index])

    def __iter__(self) -> Iterator[Option]:
        return starmap(self._option, self._candidates)


class Seats:
    """The places of a slate, and who may still sit down.

    Parameters
    ----------
    slate
        Places in all and per kind.
    """

    def __init__(self, slate: Slate) -> None:
        self.slate = slate
        self.kinds: dict[str, int] = {}
        self.items: set[str] = set()
        self.taken = 0

    @property
    def free(self) -> int:
        """Places left."""
        return self.slate.hints - self.taken

    def copy(self) -> Seats:
        """Return seats that can be tried without taking these."""
        other = Seats(self.slate)
        other.kinds, other.items, other.taken = dict(self.kinds), set(self.items), self.taken
        return other

    def take(self, option: Seated) -> None:
        """Seat an option."""
        self.taken += 1
        self.kinds[option.kind] = self.kinds.get(option.kind, 0) + 1
        if option.item:
            self.items.add(option.item)

    def admits(self, option: Seated) -> bool:
        """Return whether an option fits beside those seated."""
        return self.kinds.get(option.kind, 0) < self.slate.per_kind and option.item not in self.items

    def fill(self, kinds: Sequence[Kind], items: Sequence[str]) -> tuple[int, ...]:
        """Seat offers of these kinds and items, in their order, while places are free; return who sits."""
        seated, per_kind, free = self.kinds, self.slate.per_kind, self.free
        chosen: list[int] = []
        for index, kind in enumerate(kinds if free > 0 else ()):
            if seated.get(kind, 0) >= per_kind or items[index] in self.items:
                continue
            self.take(Seat(kind, items[index]))
            chosen.append(index)
            if len(chosen) == free:
                break
        return tuple(chosen)

    def full_kinds(self) -> set[str]:
        """Return the kinds of which no more is seated."""
        return {kind for kind, seated in self.kinds.items() if seated >= self.slate.per_kind}

    def refuses_item(self, item: str) -> str:
        """Return why nothing more about an item is seated, or an empty text."""
        return f"an offer about {item} is said already" if item in self.items else ""

    def refuses_kind(self, kind: str) -> str:
        """Return why nothing more of a kind is seated, or an empty text."""
        most = self.slate.per_kind
        return f"{most} hints of kind {kind} are said already" if self.kinds.get(kind, 0) >= most else ""

    def full(self) -> str:
        """Return why nothing more is seated, whatever it is."""
        return f"{self.slate.hints} hints are said already"


def best(options: Sequence[Seated], seats: Seats) -> tuple[int, ...]:
    """Seat options in their order while places are free; return who sits."""
    return seats.fill([option.kind for option in options], [option.item for option in options])
