"""What is an offer worth in this moment? Priority = P x C x V x L, each part visible and switchable.

P is the probability of acceptance if presented, C the weight of the context, V the value if accepted, L the
lever of the business. A factor that is switched off counts as 1. What one more prompt costs in annoyance is a
share of the customer's lifetime value, and the priority must beat it: who is worth most is pressed least.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from clv import columns as c
from clv.errors import SettingError
from recommend.catalogue import Offer
from recommend.context import Context
from recommend.profile import Profile
from recommend.records import as_plain, from_plain

ContextKey = Literal["intent", "topic", "sentiment", "channel", "mention", "segment"]


@dataclass(frozen=True, slots=True)
class ContextWeight:
    """In a context where ``key`` is ``value``, matching offers weigh ``percent`` more (or less).

    Parameters
    ----------
    key, value
        Such as ``intent`` and ``cancel``. For ``mention`` an empty value means: any item the customer named,
        if the offer is about it.
    percent
        100 doubles the priority.
    issue, group, kind, offer_id
        Which offers; empty for all.
    """

    key: ContextKey
    value: str
    percent: float
    issue: str = ""
    group: str = ""
    kind: str = ""
    offer_id: str = ""


@dataclass(frozen=True, slots=True)
class Annoyance:
    """What one more prompt costs: ``rate`` of the predicted lifetime value, growing with recent contacts.

    price = rate x predicted lifetime value x (1 + growth x contacts in the last ``days``)
    """

    rate: float = 1e-5
    growth: float = 1.0
    days: int = 30

    def __post_init__(self) -> None:
        """Refuse a prompt that pays for itself by annoying."""
        if self.rate < 0 or self.growth < 0 or self.days < 1:
            raise SettingError("Annoyance cannot be negative.", where="annoyance", hint="0 switches it off.")

    def price(self, lifetime_value: float, recent_contacts: int) -> float:
        """Return the price of one more prompt, in the ledger's currency.

        Examples
        --------
        >>> Annoyance(rate=0.001).price(2_000.0, recent_contacts=2)
        6.0
        """
        return self.rate * max(lifetime_value, 0.0) * (1 + self.growth * recent_contacts)


_WEIGHTS = (ContextWeight("intent", "cancel", 100.0, kind="retention"), ContextWeight("mention", "", 100.0))


@dataclass(frozen=True, slots=True)
class Arbitration:
    """How offers are weighed against each other.

    Parameters
    ----------
    use_propensity, use_context, use_value, use_lever
        Switches of the four factors.
    issue_levers, group_levers
        Weight in percent per issue and group, added to the offer's own.
    context_weights
        What the conversation changes.
    default_value
        Value of an offer whose margin is unknown, in the ledger's currency.
    annoyance
        The price of one more prompt; counted only while value is.
    floor
        Below this priority an offer is not worth a breath.
    """

    use_propensity: bool = True
    use_context: bool = True
    use_value: bool = True
    use_lever: bool = True
    issue_levers: dict[str, float] = field(default_factory=dict)
    group_levers: dict[str, float] = field(default_factory=dict)
    context_weights: tuple[ContextWeight, ...] = _WEIGHTS
    default_value: float = 1.0
    annoyance: Annoyance = Annoyance()
    floor: float = 0.01

    def __post_init__(self) -> None:
        """Refuse a floor under which everything falls upwards."""
        if self.floor < 0 or self.default_value < 0:
            raise SettingError("Floor and default value cannot be negative.", where="arbitration")

    def as_json(self) -> dict[str, Any]:
        """Return plain values."""
        return as_plain(self)

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Arbitration:
        """Read plain values; what is left out takes its default.

        Raises
        ------
        SettingError
            Naming the setting that is unknown or wrong.
        """
        return from_plain(cls, raw, "arbitration")


class Scales:
    """Weighs offers for one customer in one moment.

    Parameters
    ----------
    arbitration
        The switches and weights.
    profile, context
        Whom and when.
    recent_contacts
        Contacts within the annoyance period.
    """

    def __init__(
        self, arbitration: Arbitration, profile: Profile, context: Context, recent_contacts: int = 0
    ) -> None:
        self.arbitration = arbitration
        lifetime = profile.value.get(c.PREDICTED_CLV)
        number = isinstance(lifetime, (int, float)) and lifetime == lifetime  # noqa: PLR0124
        self.lifetime_value = float(lifetime) if number else 0.0  # type: ignore[arg-type]
        self.mentions = frozenset(context.mentions)
        weights = arbitration.context_weights if arbitration.use_context else ()
        self.weights = [weight for weight in weights if _applies(weight, profile, context)]
        self.levers = bool(arbitration.issue_levers or arbitration.group_levers)
        priced = arbitration.use_value and arbitration.annoyance.rate > 0
        self.annoyance = arbitration.annoyance.price(self.lifetime_value, recent_contacts) if priced else 0.0

    def weigh(self, propensity: float, offer: Offer, kind: str) -> tuple[float, float, float, float]:
        """Return context weight, value, lever and priority of one offer; the last never below zero."""
        a = self.arbitration
        context = self._context_weight(offer, kind) if self.weights else 1.0
        value = self.value(offer) if a.use_value else 1.0
        lever = self.lever(offer) if a.use_lever else 1.0
        priority = (propensity if a.use_propensity else 1.0) * context * value * lever
        return context, value, lever, priority if priority > 0 else 0.0

    def value(self, offer: Offer) -> float:
        """Return margin less cost plus the change in lifetime value."""
        margin = self.arbitration.default_value if offer.margin is None else offer.margin
        if offer.lifetime_share:
            margin += offer.lifetime_share * max(self.lifetime_value, 0.0)
        return margin - offer.cost + offer.lifetime_change

    def lever(self, offer: Offer) -> float:
        """Return 1 + (issue + group + offer weight) / 100, never below 0."""
        percent = offer.lever
        if self.levers:
            a = self.arbitration
            percent += a.issue_levers.get(offer.issue, 0.0) + a.group_levers.get(offer.group, 0.0)
        return max(1 + percent / 100, 0.0) if percent else 1.0

    def _context_weight(self, offer: Offer, kind: str) -> float:
        percent = 0.0
        for weight in self.weights:
            if self._is_about(weight, offer, kind):
                percent += weight.percent
        return max(1 + percent / 100, 0.0) if percent else 1.0

    def _is_about(self, weight: ContextWeight, offer: Offer, kind: str) -> bool:
        if weight.key == "mention" and not weight.value and self.mentions.isdisjoint(offer.items):
            return offer.category in self.mentions if offer.category else False
        return (
            weight.issue in {"", offer.issue}
            and weight.group in {"", offer.group}
            and weight.kind in {"", kind}
            and weight.offer_id in {"", offer.offer_id}
        )


def _applies(weight: ContextWeight, profile: Profile, context: Context) -> bool:
    if weight.key == "mention":
        return weight.value in context.mentions if weight.value else bool(context.mentions)
    if weight.key == "segment":
        return weight.value in profile.segments
    return bool(getattr(context, weight.key) == weight.value)
