"""What is the same for every candidate of one decision, and how each of them passes or falls.

All candidates go through the stages together, by column. A refusal is a number; several refusals of one offer
are settled by writing the later stage first and the earlier one over it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from recommend.candidate import Candidate
from recommend.catalogue import KINDS, Offer
from recommend.considered import Filled, Refusal
from recommend.contact import Approaches
from recommend.context import Context
from recommend.decision import Kind, Stage
from recommend.facts import facts_of
from recommend.listing import Gate, gone
from recommend.ownership import DEARER, OWNED
from recommend.profile import Profile
from recommend.proposed import NOTHING, Proposed
from recommend.rulebook import Check, Rulebook
from recommend.slate import Option, Seat
from recommend.worth import Arbitration, Scales, Weights

Ints: TypeAlias = NDArray[np.int64]
Codes: TypeAlias = NDArray[np.uint16]
Kinds: TypeAlias = NDArray[np.uint8]
Flags: TypeAlias = NDArray[np.bool_]

PASSED: Final = 0
_AS_APPLICABILITY: Final = 2  # what is owned already is told after the rules of applicability
_ORDER: Final[Mapping[str, int]] = {
    "eligibility": 0,
    "applicability": 1,
    "suitability": 3,
    "consent": 4,
    "service_first": 5,
    "contact": 6,
}
_NEVER: Final = 7
_OWNED: Final = "already owned"


class Verdict(NamedTuple):
    """What a gate says: the number of its refusal, and its place in the order of the stages."""

    code: int
    stage: int


_NOT_REFUSED: Final = Verdict(PASSED, _NEVER)


class Standing(NamedTuple):
    """The candidates that passed, in their order: mandatory ones, then what was asked for, then the others.

    Places among the candidates, kinds, the one item of each (empty if there is none or several), how many
    are mandatory, and how many of the others were asked for.
    """

    places: Ints
    kinds: list[Kind]
    items: list[str]
    mandatory: int
    asked: int


class Moment:
    """All that is the same for every candidate of one decision, worked out once; then the candidates.

    Attributes
    ----------
    proposed
        The candidates, by offer, the best of each offer first.
    places, kinds
        Shape (candidates): of each offer in the catalogue, and the code of its kind for this customer.
    codes
        Shape (candidates): what holds each back, by its place among ``refusals``; 0 for nothing.
    weights
        The parts of each priority; of what a policy holds back nothing is weighed.
    asked
        Shape (candidates): what the customer asked for by name; None if nothing.
    """

    def __init__(
        self,
        book: Rulebook,
        arbitration: Arbitration,
        profile: Profile,
        context: Context,
        at: datetime,
        taken: Mapping[str, int],
        candidates: Iterable[Candidate],
    ) -> None:
        self.book, self.profile, self.context, self.at = book, profile, context, at
        self.listing, self.taken, self.arbitration = book.listing, taken, arbitration
        policies = book.policies
        self.approaches = Approaches(profile.contacts, at, book.groups)
        self.over_limit = self.approaches.over_limit(policies.limits, context.channel, context.direction)
        self.service_reason = policies.service_first.reason(profile, context)
        self.answers: dict[int, bool] = {}
        self.facts: dict[str, Any] | None = None
        self.refusals: list[Refusal | None] = [None]
        self._numbers: dict[tuple[Stage, str], int] = {}
        self.proposed = proposed = Proposed.by_offer(candidates, self.listing.places)
        self.places = proposed.offers
        ownership = self._ownership()
        rows = self.listing.rows(self.places, ownership)
        self.kinds: Kinds = self.listing.kinds[rows]
        self.codes = self._refuse(rows, ownership)
        weighed = self.codes == PASSED if len(self.refusals) > 1 else None
        recent = self.approaches.count(arbitration.annoyance.days)
        self.scales = Scales(self.listing.rates(arbitration), profile, context, recent)
        weights = self.scales.weigh(proposed.propensity, self.places, self.kinds)
        self.weights: Weights = weights if weighed is None else weights.only(weighed)
        self.asked = self.scales.asked_for(self.places)
        self._too_little(weighed)

    # -- what passed ------------------------------------------------------------------------------------
    def standing(self) -> Standing:
        """Return those that passed, in their order.

        Mandatory ones first, then what the customer asked for by name, then by priority, then by the item's
        popularity, then by the offer's id.
        """
        left = (self.codes == PASSED).nonzero()[0]
        keys = [self.proposed.popularity_rank[left], -self.weights.priority[left]]
        asked = None if self.asked is None else self.asked[left]
        first = wished = 0
        if self.listing.mandatory is not None:
            mandatory = self.listing.mandatory[self.places[left]]
            first = int(np.count_nonzero(mandatory))
            asked = None if asked is None else asked & ~mandatory
        if asked is not None:
            wished = int(np.count_nonzero(asked))
            keys.append(~asked)
        if first:
            keys.append(~mandatory)
        places = left[np.lexsort(keys)]  # stable: by offer already
        kinds = [KINDS[code] for code in self.kinds[places].tolist()]
        return Standing(places, kinds, self._items(places), first, wished)

    def _items(self, places: Ints) -> list[str]:
        """Return the one item each of some candidates is about; empty if there is none or several."""
        names, only = self.proposed.item_names, self.listing.only_items
        numbers = self.proposed.items[places].tolist()
        if NOTHING not in numbers:
            return [names[number] for number in numbers]
        rows = self.places[places].tolist()
        return [names[number] or only[row] for number, row in zip(numbers, rows, strict=True)]

    def option(self, place: int, seat: Seat) -> Option:
        """Return a candidate that passed as what may take a seat."""
        proposed = self.proposed
        propensity, priority = float(proposed.propensity[place]), float(self.weights.priority[place])
        evidence = max(float(proposed.evidence[place]), self.offer(place).starting_evidence)
        return Option(
            proposed.offer_ids[place],
            seat.item,
            seat.kind,
            priority,
            propensity,
            priority / propensity if propensity > 0 else 0.0,
            evidence,
        )

    def number(self, stage: Stage, reason: str, filled: Filled = "") -> int:
        """Return the number of a refusal."""
        found = self._numbers.get((stage, reason))
        if found is None:
            found = self._numbers[stage, reason] = len(self.refusals)
            self.refusals.append(Refusal(stage, reason, filled))
        return found

    def offer(self, place: int) -> Offer:
        """Return the offer of a candidate that the catalogue holds."""
        offer: Offer = self.listing.offers[self.places[place]]
        return offer

    # -- the stages -------------------------------------------------------------------------------------
    def _ownership(self) -> Ints:
        """Return whether the customer bought what each offer is about: worked out at night, or now."""
        proposed = self.proposed
        if proposed.ownership is not None:
            return proposed.ownership
        dearer = proposed.source_names.name(DEARER, proposed.sources)
        return self.listing.ownership.of(self.places, dearer, frozenset(self.profile.history.items))

    def _refuse(self, rows: Ints, ownership: Ints) -> Codes:
        """Return the refusal of each candidate by everything but its worth."""
        codes, gates = self._paused(), self.listing.gates[rows]
        verdicts = [(gate, self._verdict(self.listing.gate_list[gate])) for gate in set(gates.tolist())]
        refused = [(gate, verdict) for gate, verdict in verdicts if verdict.code]
        owned = ownership >= OWNED
        if refused or self.listing.own_checks is not None:
            self._refuse_in_order(codes, gates, refused, owned)
        elif np.count_nonzero(owned):
            codes[owned] = self.number("applicability", _OWNED)
        self._unavailable(codes)
        self._repeated(codes)
        return codes

    def _refuse_in_order(
        self, codes: Codes, gates: Ints, refused: Iterable[tuple[int, Verdict]], owned: Flags
    ) -> None:
        """Hold back what a gate, ownership or a rule about the offer refuses, the earliest stage first."""
        stages = np.full(len(codes), _NEVER)
        for gate, verdict in refused:
            held = gates == gate
            codes[held], stages[held] = verdict.code, verdict.stage
        owned = owned & (stages > _AS_APPLICABILITY)
        codes[owned], stages[owned] = self.number("applicability", _OWNED), _AS_APPLICABILITY
        checks = self.listing.own_checks
        for place in [] if checks is None else checks[self.places].nonzero()[0].tolist():
            if code := self._own_check(place, int(stages[place])):
                codes[place] = code

    def _paused(self) -> Codes:
        """Return who is paused after a refusal, or has reached a cap; mandatory messages are not."""
        approaches, listing = self.approaches, self.listing
        codes = np.zeros(len(self.places), dtype=np.uint16)
        if not approaches.seen:
            return codes
        pauses = approaches.pauses(self.book.policies.suppressions)
        if pauses.everything:
            codes[:] = self.number("contact", pauses.everything)
        else:
            self._capped(codes)
            for group, reason in pauses.groups.items():
                if number := listing.group_numbers.get(group):
                    codes[listing.groups[self.places] == number] = self.number("contact", reason)
            for offer_id, reason in pauses.offers.items():
                if (place := listing.places.get(offer_id)) is not None:
                    codes[self.places == place] = self.number("contact", reason)
        if listing.mandatory is not None:
            codes[listing.mandatory[self.places]] = PASSED
        return codes

    def _capped(self, codes: Codes) -> None:
        """Hold back what this customer has been told about often enough."""
        if self.listing.capped is None:
            return
        told = {self.listing.places.get(offer_id) for offer_id in self.approaches.by_offer}
        for place in self.listing.capped[self.places].nonzero()[0].tolist():
            if self.places[place] in told:
                offer = self.offer(place)
                if reason := self.approaches.over_cap(offer.caps, offer.offer_id):
                    codes[place] = self.number("contact", reason)

    def _verdict(self, gate: Gate) -> Verdict:
        """Return what refuses all offers of a gate, the first stage that does."""
        for check in gate.checks:
            if check.kind in {"", gate.kind} and not self._holds(check):
                return self._say(check.stage, check.reason)
        policies = self.book.policies
        if reason := policies.consent.refusal(self.profile, self.context, gate.purpose):
            return self._say("consent", reason)
        if gate.mandatory:
            return _NOT_REFUSED
        if self.service_reason and not policies.service_first.allows(gate.kind, self.profile, self.context):
            return self._say("service_first", self.service_reason)
        if self.over_limit:
            return self._say("contact", self.over_limit)
        return _NOT_REFUSED

    def _say(self, stage: Stage, reason: str) -> Verdict:
        return Verdict(self.number(stage, reason), _ORDER[stage])

    def _own_check(self, place: int, before: int) -> int:
        """Return the refusal of a rule that asks about the offer itself, if its stage comes before."""
        offer, kind = self.offer(place), KINDS[self.kinds[place]]
        for check in self.book.own_checks[offer.offer_id]:
            if before <= _ORDER[check.stage]:
                return PASSED
            if check.kind in {"", kind} and not self._holds_for(check, offer, kind):
                return self.number(check.stage, check.reason)
        return PASSED

    def _unavailable(self, codes: Codes) -> None:
        """Hold back what nobody can be offered, or what ran out since the catalogue was made."""
        for place in range(len(self.places)) if self.taken else ():
            more = self.taken.get(self.proposed.offer_ids[place], 0)
            if more and self.places[place] >= 0 and (reason := gone(self.offer(place), more)):
                codes[place] = self.number("availability", reason)
        closed = self.listing.closed(self.at.date(), self.context.channel)
        if self.proposed.settled and not closed.any:  # who settles them knows the catalogue
            return
        shut = closed.codes[self.places]
        for place in shut.nonzero()[0].tolist():
            codes[place] = self.number("availability", closed.reasons[shut[place]])

    def _repeated(self, codes: Codes) -> None:
        """Hold back all but the best candidate of an offer."""
        if not self.proposed.settled:
            again = np.flatnonzero((self.places[1:] == self.places[:-1]) & (self.places[1:] >= 0)) + 1
            if len(again):
                codes[again] = self.number("arbitration", "a better candidate of the same offer")

    def _too_little(self, weighed: Flags | None) -> None:
        """Hold back what is not worth saying; who asks for it is told in any case."""
        priority, value = self.weights.priority, self.weights.value
        floor, price = self.arbitration.floor, self.scales.annoyance
        few = priority < max(floor, price)
        if loses := self.scales.rates.may_lose:
            few |= value < 0
        for spared in (weighed, _other(self.listing.mandatory, self.places), _other(self.asked)):
            if spared is not None:
                few &= spared
        if not np.count_nonzero(few):
            return
        if price > floor:
            said = f"priority %.4g is under the price {price:.4g} of one more prompt"
            self.codes[few] = self.number("arbitration", said, "priority")
        under = few & (priority < floor) if price > floor or loses else few
        if under is few or under.any():
            said = f"priority %.4g is under the floor {floor:.4g}"
            self.codes[under] = self.number("arbitration", said, "priority")
        if loses and (loss := few & (value < 0)).any():
            said = "costs %.2f more than it earns"
            self.codes[loss] = self.number("arbitration", said, "loss")

    # -- rules ------------------------------------------------------------------------------------------
    def _holds(self, check: Check) -> bool:
        """Return the answer of a rule about customer and context, asked once."""
        answer = self.answers.get(check.number)
        if answer is None:
            answer = self.answers[check.number] = self.book.rules[check.number].matches(self._facts())
        return answer

    def _holds_for(self, check: Check, offer: Offer, kind: Kind) -> bool:
        """Return the answer of a rule that asks about the offer too."""
        facts = {**self._facts(), **self.book.offer_facts[offer.offer_id], "offer.kind": kind}
        return self.book.rules[check.number].matches(facts)

    def _facts(self) -> dict[str, Any]:
        if self.facts is None:
            self.facts = facts_of(self.profile, self.context, self.at)
        return self.facts


def _other(flags: Flags | None, places: Ints | slice = slice(None)) -> Flags | None:
    """Return who has not a flag; None if nobody has."""
    return None if flags is None else ~flags[places]
