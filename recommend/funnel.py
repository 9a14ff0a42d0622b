"""Where offers are lost: how many reach each stage of many decisions, and why they go no further."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from recommend.decision import Decision, Stage

ORDER: Final[tuple[Stage, ...]] = (
    "availability",
    "eligibility",
    "applicability",
    "suitability",
    "consent",
    "service_first",
    "contact",
    "arbitration",
    "control",
)


@dataclass(frozen=True, slots=True)
class Step:
    """One stage: candidates that reached it, those it dropped, and the reasons, most frequent first."""

    stage: Stage
    reached: int
    dropped: int
    reasons: tuple[tuple[str, int], ...]

    @property
    def passed(self) -> int:
        """Candidates that go on to the next stage."""
        return self.reached - self.dropped


@dataclass(slots=True)
class Funnel:
    """Counts the candidates of decisions stage by stage; what passes the last one was said.

    Examples
    --------
    >>> Funnel().steps()[0].stage
    'availability'
    """

    decisions: int = 0
    silent: int = 0
    candidates: int = 0
    said: int = 0
    offers: Counter[tuple[str, Stage | None]] = field(default_factory=Counter)
    _reasons: dict[Stage, Counter[str]] = field(default_factory=lambda: {stage: Counter() for stage in ORDER})

    def add(self, decision: Decision) -> None:
        """Count one decision."""
        self.decisions += 1
        self.silent += bool(decision.silence)
        self.candidates += len(decision.candidates)
        self.said += len(decision.hints)
        for one in decision.candidates:
            self.offers[one.offer_id, one.dropped_by] += 1
            if one.dropped_by:
                self._reasons[one.dropped_by][one.reason] += 1

    def add_all(self, decisions: Iterable[Decision]) -> Funnel:
        """Count many decisions and return itself."""
        for decision in decisions:
            self.add(decision)
        return self

    def steps(self, most_reasons: int = 5) -> tuple[Step, ...]:
        """Return the stages in their order.

        Parameters
        ----------
        most_reasons
            How many reasons to name per stage.
        """
        reached = self.candidates
        found = []
        for stage in ORDER:
            reasons = self._reasons[stage]
            named = sorted(reasons.items(), key=lambda pair: (-pair[1], pair[0]))[:most_reasons]
            found.append(Step(stage, reached, reasons.total(), tuple(named)))
            reached -= reasons.total()
        return tuple(found)
