"""Where in their life with us is a customer: new, active, cooling, at risk, lost, returning?

Two witnesses are heard and the graver one is believed: the model's P(alive), and how many of the customer's
usual gaps the present silence has lasted. A buyer who has not changed and buys at random lets k usual gaps
pass with probability exp(-k): two gaps happen one time in 7, three one in 20, six one in 400.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from recommend.vitals import Vitals, VitalsTable

DESCRIPTIONS: Mapping[str, str] = {
    "new": "New: one purchase day, and it is too early to miss the second",
    "active": "Active: buying at their own pace",
    "returning": "Returning: back after a silence that looked like leaving",
    "cooling": "Cooling: later than usual, not yet alarming",
    "at_risk": "At risk: probably leaving",
    "lost": "Lost: almost certainly gone",
}


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """The limits between the stages.

    Parameters
    ----------
    typical_gap_days
        Median days between purchase days among customers with at least two; what a newcomer is measured by.
    cooling_gaps, at_risk_gaps, lost_gaps
        Silence, in usual gaps, from which a stage begins; the middle one is also the silence one returns
        from.
    cooling_below, at_risk_below, lost_below
        P(alive) under which a stage begins.
    """

    typical_gap_days: float
    cooling_gaps: float = 2.0
    at_risk_gaps: float = 3.0
    lost_gaps: float = 6.0
    cooling_below: float = 0.8
    at_risk_below: float = 0.5
    lost_below: float = 0.2

    @classmethod
    def fit(cls, vitals: VitalsTable) -> Lifecycle:
        """Learn the typical gap; without a single repeat purchase, the median age stands in for it."""
        again = vitals.known & (vitals.frequency > 0)
        gaps = vitals.recency_days[again] / vitals.frequency[again]
        if gaps.size == 0:
            gaps = vitals.age_days[vitals.known]
        return cls(typical_gap_days=max(1.0, float(np.median(gaps))) if gaps.size else 30.0)

    def to_json(self) -> dict[str, float]:
        """Return the limits by name."""
        return asdict(self)

    @classmethod
    def from_json(cls, raw: Mapping[str, float]) -> Lifecycle:
        """Read what :meth:`to_json` wrote."""
        return cls(**{name: float(value) for name, value in raw.items()})

    def usual_gap_days(self, frequency: float, recency_days: float) -> float:
        """Return a customer's own pace, steadied by one typical gap as long as there is little to go by.

        >>> Lifecycle(typical_gap_days=30.0).usual_gap_days(frequency=2.0, recency_days=30.0)
        20.0
        """
        return (recency_days + self.typical_gap_days) / (frequency + 1.0)

    def stage(self, vitals: Vitals) -> str:
        """Return the stage of one customer; empty for who never bought.

        Examples
        --------
        >>> limits = Lifecycle(typical_gap_days=30.0)
        >>> limits.stage(Vitals(9, 270, 285, 500.0, 80.0, 0.97, 30))
        'active'
        >>> limits.stage(Vitals(9, 270, 400, 500.0, 80.0, 0.55, 30))
        'at_risk'
        """
        if not vitals.known:
            return ""
        gap = self.usual_gap_days(vitals.frequency, vitals.recency_days)
        silence = vitals.quiet_days / gap
        alive = 1.0 if math.isnan(vitals.probability_alive) else vitals.probability_alive
        for stage, below, gaps in self._decline():
            if alive < below or silence >= gaps:
                return stage
        if vitals.frequency == 0:
            return "new"
        before = self.usual_gap_days(vitals.frequency - 1.0, vitals.recency_days - vitals.last_gap_days)
        return "returning" if vitals.last_gap_days >= self.at_risk_gaps * before else "active"

    def stages(self, vitals: VitalsTable) -> NDArray[np.object_]:
        """Return the stage of every customer, shape (n,): equal to :meth:`stage`."""
        silence = vitals.quiet_days / self._gaps(vitals.frequency, vitals.recency_days)
        alive = np.where(np.isnan(vitals.probability_alive), 1.0, vitals.probability_alive)
        decline = [(alive < below) | (silence >= gaps) for _, below, gaps in self._decline()]
        with np.errstate(divide="ignore", invalid="ignore"):
            before = self._gaps(vitals.frequency - 1.0, vitals.recency_days - vitals.last_gap_days)
        back = vitals.last_gap_days >= self.at_risk_gaps * before
        return np.select(
            [~vitals.known, *decline, vitals.frequency == 0, back],
            ["", *(stage for stage, _, _ in self._decline()), "new", "returning"],
            default="active",
        ).astype(object)

    def rule(self, stage: str) -> str:
        """Say in words when a stage holds."""
        for name, below, gaps in self._decline():
            if name == stage:
                return f"probability_alive < {below:g} or silence >= {gaps:g} usual gaps"
        late = f"silence < {self.cooling_gaps:g} usual gaps"
        return {
            "new": f"frequency = 0 and {late} (of {self.typical_gap_days:g} days)",
            "returning": f"last_gap_days >= {self.at_risk_gaps:g} earlier gaps and {late}",
        }.get(stage, f"probability_alive >= {self.cooling_below:g} and {late}")

    def _decline(self) -> tuple[tuple[str, float, float], ...]:
        return (
            ("lost", self.lost_below, self.lost_gaps),
            ("at_risk", self.at_risk_below, self.at_risk_gaps),
            ("cooling", self.cooling_below, self.cooling_gaps),
        )

    def _gaps(self, frequency: NDArray[np.float64], recency_days: NDArray[np.float64]) -> NDArray[np.float64]:
        return (recency_days + self.typical_gap_days) / (frequency + 1.0)
