"""Everything a decision considered, by column: what passed, in its order, and what was dropped, by offer.

A sequence of :class:`recommend.decision.Ranked` for whoever reads it one by one; the log reads the columns.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias, overload

import numpy as np
from numpy.typing import NDArray

from recommend.catalogue import KINDS
from recommend.decision import ByColumn, HeldBack, Ranked, Stage
from recommend.proposed import Proposed
from recommend.worth import Weights

Ints: TypeAlias = NDArray[np.int64]
Filled: TypeAlias = Literal["", "priority", "loss"]


class Refusal(NamedTuple):
    """Which stage holds an offer back, and why.

    A reason that is ``filled`` has a place for the offer's own ``priority`` or ``loss``: many offers share
    it, and its words are made when somebody reads them.
    """

    stage: Stage
    reason: str
    filled: Filled = ""

    def words(self, priority: float, value: float) -> str:
        """Return the reason for an offer of this priority and value.

        >>> Refusal("arbitration", "costs %.2f more than it earns", "loss").words(0.0, -1.5)
        'costs 1.50 more than it earns'
        """
        if self.filled:
            return self.reason % (priority if self.filled == "priority" else -value)
        return self.reason


@dataclass(frozen=True, slots=True, eq=False)
class Considered(ByColumn):
    """The candidates of one decision.

    Parameters
    ----------
    proposed
        As they were put forward.
    order
        Shape (candidates): places among the proposed; those that passed every policy first, best first.
    passed
        How many passed.
    kinds, weights
        Shape (proposed): code of the kind; parts of the priority and the priority.
    codes, refusals
        Shape (proposed): what held each back, by its place among the refusals; the first, None, for what is
        said.
    """

    proposed: Proposed
    order: Ints
    passed: int
    kinds: NDArray[np.uint8]
    weights: Weights
    codes: NDArray[np.uint16]
    refusals: Sequence[Refusal | None]

    def stages(self) -> Counter[Stage]:
        """Return how many candidates each stage dropped."""
        found: Counter[Stage] = Counter()
        for count, refusal in zip(np.bincount(self.codes).tolist(), self.refusals, strict=False):
            if count and refusal:
                found[refusal.stage] += count
        return found

    def likeliest_dropped(self, most: int) -> list[HeldBack]:
        """Return the candidates that were dropped, the likeliest first, ties by offer."""
        proposed, ids, refusals = self.proposed, self.proposed.offer_ids, self.refusals
        dropped = self.codes.nonzero()[0]  # those proposed stand by offer
        likeliest = dropped[(-proposed.propensity[dropped]).argsort(kind="stable")[:most]]
        columns = (likeliest, self.kinds[likeliest], self.codes[likeliest], proposed.propensity[likeliest])
        found: list[HeldBack] = []
        for place, kind, code, propensity in zip(*[column.tolist() for column in columns], strict=True):
            if refusal := refusals[code]:
                reason = self._words(refusal, place) if refusal.filled else refusal.reason
                found.append((ids[place], KINDS[kind], refusal.stage, reason, propensity))
        return found

    def _words(self, refusal: Refusal, place: int) -> str:
        return refusal.words(float(self.weights.priority[place]), float(self.weights.value[place]))

    def reasons(self, stage: Stage) -> Counter[str]:
        """Return how often a stage gave each of its reasons."""
        found: Counter[str] = Counter()
        priority, value = self.weights.priority, self.weights.value
        for place, code in enumerate(self.codes.tolist()):
            refusal = self.refusals[code]
            if refusal is not None and refusal.stage == stage:
                found[refusal.words(priority[place], value[place])] += 1
        return found

    def __len__(self) -> int:
        return len(self.order)

    @overload
    def __getitem__(self, place: int) -> Ranked: ...

    @overload
    def __getitem__(self, place: slice) -> tuple[Ranked, ...]: ...

    def __getitem__(self, place: int | slice) -> Ranked | tuple[Ranked, ...]:
        if isinstance(place, slice):
            return tuple(self._at(one) for one in range(*place.indices(len(self))))
        if not -len(self) <= place < len(self):
            raise IndexError(place)
        return self._at(place % len(self))

    def _at(self, place: int) -> Ranked:
        one, proposed = int(self.order[place]), self.proposed
        context, value, lever, priority = (float(column[one]) for column in self.weights)
        refusal = self.refusals[self.codes[one]]
        return Ranked(
            proposed.offer_ids[one],
            proposed.item(one),
            KINDS[self.kinds[one]],
            proposed.source_names[proposed.sources[one]],
            float(proposed.propensity[one]),
            float(proposed.propensity_raw[one]),
            context,
            value,
            lever,
            priority,
            place + 1 if place < self.passed else None,
            refusal.stage if refusal else None,
            refusal.words(priority, value) if refusal else "",
        )

    def __iter__(self) -> Iterator[Ranked]:
        return (self._at(place) for place in range(len(self)))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and tuple(self) == tuple(other)

    def __hash__(self) -> int:
        return hash(tuple(self))

    def __repr__(self) -> str:
        return repr(tuple(self))
