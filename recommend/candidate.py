"""One thing that could be said to a customer, before any rule has looked at it."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Candidate:
    """An offer put forward for one customer, with the probability that it is taken up if presented.

    Parameters
    ----------
    offer_id
        Key into the catalogue.
    item
        The product or category it is about; empty for an offer about none.
    sources
        Which generators put it forward, such as ``own_repeat``, ``popular``, ``co_purchase``, ``campaign``.
    propensity
        Calibrated probability of acceptance if presented, 0 to 1, smoothed for new offers.
    propensity_raw
        The model's probability before calibration and smoothing.
    features
        The numbers the model saw, by name; facts for the reasons.
    contributions
        What each feature added to the model's log-odds; empty unless reasons were asked for.
    popularity_rank
        Global popularity of the item, 0 the most popular: the written tie-break.
    evidence
        How many presentations the propensity rests on; 0 if unknown. Exploration trusts it accordingly.
    """

    offer_id: str
    item: str = ""
    sources: tuple[str, ...] = ()
    propensity: float = 0.0
    propensity_raw: float = 0.0
    features: dict[str, float] = field(default_factory=dict)
    contributions: dict[str, float] = field(default_factory=dict)
    popularity_rank: int = 0
    evidence: float = 0.0
