"""What was decided for one customer in one moment: hints, or a reasoned silence, and everything held back."""

from __future__ import annotations

from abc import abstractmethod
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, TypeAlias

Kind = Literal["cross_sell", "upsell", "replenish", "win_back", "bundle", "retention", "service"]
Stage = Literal[
    "eligibility",
    "applicability",
    "suitability",
    "availability",
    "consent",
    "contact",
    "service_first",
    "arbitration",
    "control",
]
Arm = Literal["treatment", "control"]


@dataclass(frozen=True, slots=True)
class Ranked:
    """One candidate after policies and arbitration: the numbers of its priority, or why it was dropped."""

    offer_id: str
    item: str
    kind: Kind
    sources: tuple[str, ...]
    propensity: float
    propensity_raw: float
    context_weight: float = 1.0
    value: float = 0.0
    lever: float = 1.0
    priority: float = 0.0
    rank: int | None = None
    dropped_by: Stage | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Hint:
    """What the agent reads: the offer, words to say, and why."""

    offer_id: str
    name: str
    kind: Kind
    words: str
    reasons: tuple[str, ...]
    propensity: float
    value: float
    priority: float
    rank: int
    selection_probability: float
    segment_tags: tuple[str, ...] = ()


HeldBack: TypeAlias = tuple[str, Kind, Stage, str, float]
"""What is told of a candidate that was dropped: offer, kind, by which stage, why, and its propensity.

A plain tuple: an answer tells of twenty.
"""


class ByColumn(Sequence[Ranked]):
    """Candidates kept by column, which count and choose without becoming objects."""

    @abstractmethod
    def stages(self) -> Counter[Stage]:
        """Return how many candidates each stage dropped."""

    @abstractmethod
    def likeliest_dropped(self, most: int) -> list[HeldBack]:
        """Return the candidates that were dropped, the likeliest first, ties by offer."""


@dataclass(frozen=True, slots=True)
class Decision:
    """The record of DESIGN section 8: logged before it is answered.

    ``silence`` is empty when there are hints, and otherwise the reason for saying nothing. ``annoyance`` is
    the price of one more prompt, in the ledger's currency. The product of the hints' selection probabilities
    is the probability of the slate as it stands.
    """

    decision_id: str
    at: datetime
    customer_id: str
    channel: str
    agent_id: str
    hints: tuple[Hint, ...]
    silence: str
    candidates: Sequence[Ranked]
    arm: Arm = "treatment"
    exploration: str = "none"
    model_version: str = ""
    snapshot: str = ""
    context: dict[str, object] = field(default_factory=dict)
    annoyance: float = 0.0

    def dropped(self) -> Counter[Stage]:
        """Return how many candidates each stage dropped; from columns, where the candidates are columns."""
        if isinstance(self.candidates, ByColumn):
            return self.candidates.stages()
        return Counter(one.dropped_by for one in self.candidates if one.dropped_by)

    def likeliest_dropped(self, most: int) -> list[HeldBack]:
        """Return the candidates that were dropped, the likeliest first, ties by offer.

        Parameters
        ----------
        most
            At most this many.
        """
        if isinstance(self.candidates, ByColumn):
            return self.candidates.likeliest_dropped(most)
        refused = [
            (one.offer_id, one.kind, one.dropped_by, one.reason, one.propensity)
            for one in self.candidates
            if one.dropped_by
        ]
        return sorted(refused, key=lambda one: (-one[-1], one[0]))[:most]
