"""What is an offer worth in this moment? Priority = P x C x V x L, each part visible and switchable.

P is the probability of acceptance if presented, C the weight of the context, V the value if accepted, L the
lever of the business. A factor that is switched off counts as 1. What one more prompt costs in annoyance is a
share of the customer's lifetime value, and the priority must beat it: who is worth most is pressed least.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final, Literal, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from clv import columns as c
from clv.errors import SettingError
from recommend.catalogue import KINDS, Offer
from recommend.context import Context
from recommend.profile import Profile
from recommend.records import as_plain, from_plain

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]

KIND_CODES: Final[Mapping[str, int]] = {kind: code for code, kind in enumerate(KINDS)}
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


WISHES: Final = frozenset({"buy", "ask"})  # intents in which what is named is what is wanted
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


class Weights(NamedTuple):
    """The parts of the priority of several offers, and the priority; shape (offers) each."""

    context: Floats
    value: Floats
    lever: Floats
    priority: Floats

    def only(self, weighed: NDArray[np.bool_]) -> Weights:
        """Return the same with nothing weighed elsewhere: factors of one, no value and no priority."""
        context, value, lever, priority = self
        one = ones(len(weighed))
        return Weights(
            one if context is one else np.where(weighed, context, 1.0),
            np.where(weighed, value, 0.0),
            one if lever is one else np.where(weighed, lever, 1.0),
            np.where(weighed, priority, 0.0),
        )


@lru_cache(maxsize=1_024)
def ones(count: int) -> Floats:
    """Return so many ones that take the room of one; nobody may write to them."""
    return np.broadcast_to(np.float64(1.0), count)


class Rates:
    """What each offer of a catalogue is worth by one set of weights, whoever is asked.

    Parameters
    ----------
    arbitration
        The switches and weights.
    offers
        Of the catalogue; one more row stands for an offer it does not hold, worth nothing.

    Attributes
    ----------
    value
        Shape (offers + 1): margin less cost plus change in lifetime value, without the share of it.
    lever
        Shape (offers + 1): 1 + (issue + group + offer weight) / 100, never below 0; None where all are 1.
    may_lose
        Whether any offer costs more than it earns.
    """

    def __init__(self, arbitration: Arbitration, offers: Sequence[Offer]) -> None:
        self.arbitration, self.offers = arbitration, offers
        self._margin = _column(self._margin_of(offer) for offer in offers)
        self._cost = _column(offer.cost for offer in offers)
        self._change = _column(offer.lifetime_change for offer in offers)
        self._share = _column(offer.lifetime_share for offer in offers)
        self._shares = bool(self._share.any())
        self.value = self._margin - self._cost + self._change
        self.may_lose = bool((self.value < 0).any())
        levers = np.array([self._lever_of(offer) for offer in offers], dtype=np.float64)
        self.lever = None if (levers == 1.0).all() else np.append(levers, 1.0)
        self._matched: dict[ContextWeight, NDArray[np.bool_]] = {}
        self._about: dict[str, list[int]] = {}
        for place, offer in enumerate(offers):
            for name in {*offer.items, offer.category} - {""}:
                self._about.setdefault(name, []).append(place)

    def values(self, places: Ints, lifetime_value: float) -> Floats:
        """Return the value of offers to a customer of this lifetime value."""
        if not self._shares:
            return self.value[places]
        margin = self._margin[places] + self._share[places] * max(lifetime_value, 0.0)
        return margin - self._cost[places] + self._change[places]

    def matched(self, weight: ContextWeight) -> NDArray[np.bool_]:
        """Return, by offer, whether a context weight is about its issue, group and name."""
        if weight not in self._matched:
            about = [
                weight.issue in {"", offer.issue}
                and weight.group in {"", offer.group}
                and weight.offer_id in {"", offer.offer_id}
                for offer in self.offers
            ]
            self._matched[weight] = np.array([*about, False], dtype=bool)
        return self._matched[weight]

    def about(self, names: Iterable[str]) -> frozenset[int]:
        """Return the places of offers about any of these items or categories."""
        return frozenset(place for name in names for place in self._about.get(name, ()))

    def _margin_of(self, offer: Offer) -> float:
        return self.arbitration.default_value if offer.margin is None else offer.margin

    def _lever_of(self, offer: Offer) -> float:
        a = self.arbitration
        percent = offer.lever + a.issue_levers.get(offer.issue, 0.0) + a.group_levers.get(offer.group, 0.0)
        return max(1 + percent / 100, 0.0)


class Scales:
    """Weighs offers for one customer in one moment.

    Parameters
    ----------
    rates
        What each offer is worth, whoever is asked.
    profile, context
        Whom and when.
    recent_contacts
        Contacts within the annoyance period.
    """

    def __init__(self, rates: Rates, profile: Profile, context: Context, recent_contacts: int = 0) -> None:
        self.rates = rates
        arbitration = rates.arbitration
        lifetime = profile.value.get(c.PREDICTED_CLV)
        number = isinstance(lifetime, (int, float)) and lifetime == lifetime  # noqa: PLR0124
        self.lifetime_value = float(lifetime) if number else 0.0  # type: ignore[arg-type]
        self.mentions = frozenset(context.mentions)
        self.wishes = context.intent in WISHES
        weights = arbitration.context_weights if arbitration.use_context else ()
        self.weights = [weight for weight in weights if _applies(weight, profile, context)]
        priced = arbitration.use_value and arbitration.annoyance.rate > 0
        self.annoyance = arbitration.annoyance.price(self.lifetime_value, recent_contacts) if priced else 0.0

    def weigh(self, propensity: Floats, places: Ints, kinds: NDArray[np.uint8]) -> Weights:
        """Return context weight, value, lever and priority of offers; the last never below zero.

        Parameters
        ----------
        propensity
            Shape (candidates): probability of acceptance if presented.
        places, kinds
            Shape (candidates): of each offer in the catalogue, and the code of its kind in this decision.
        """
        a, rates, one = self.rates.arbitration, self.rates, ones(len(places))
        context = self._context_weight(places, kinds) if self.weights else one
        value = rates.values(places, self.lifetime_value) if a.use_value else one
        lever = rates.lever[places] if a.use_lever and rates.lever is not None else one
        priority = propensity if a.use_propensity else one
        for factor in (context, value, lever):
            if factor is not one:
                priority = priority * factor
        above_zero = np.where(priority > 0, priority, 0.0)  # 0, too, for what is not a number
        return Weights(context, value, lever, above_zero)

    def _context_weight(self, places: Ints, kinds: NDArray[np.uint8]) -> Floats:
        percent = np.zeros(len(places))
        for weight in self.weights:
            about = self._named(places) if weight.key == "mention" and not weight.value else None
            matched = self.rates.matched(weight)[places]
            if weight.kind:
                matched &= kinds == KIND_CODES.get(weight.kind, -1)
            percent += np.where(matched if about is None else matched & about, weight.percent, 0.0)
        weights: Floats = np.maximum(1 + percent / 100, 0.0)
        return weights

    def asked_for(self, places: Ints) -> NDArray[np.bool_] | None:
        """Return which offers are about something the customer named in wishing to buy, or asking.

        None where they named nothing, or wish nothing.
        """
        asked = self.rates.arbitration.use_context and self.wishes and self.mentions
        return self._named(places) if asked else None

    def _named(self, places: Ints) -> NDArray[np.bool_]:
        """Return which offers are about something the customer named, by item or by category."""
        named = self.rates.about(self.mentions)
        return np.array([place in named for place in places.tolist()], dtype=bool)


def _column(values: Iterable[float]) -> Floats:
    return np.array([*values, 0.0], dtype=np.float64)


def _applies(weight: ContextWeight, profile: Profile, context: Context) -> bool:
    if weight.key == "mention":
        return weight.value in context.mentions if weight.value else bool(context.mentions)
    if weight.key == "segment":
        return weight.value in profile.segments
    return bool(getattr(context, weight.key) == weight.value)
