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
from recommend.considered import Refusal
from recommend.contact import Approaches
from recommend.context import Context
from recommend.decision import Kind, Stage
from recommend.facts import facts_of
from recommend.listing import Gate, gone
from recommend.profile import Profile
from recommend.proposed import Proposed
from recommend.rulebook import Check, Rulebook
from recommend.slate import Option, Seat
from recommend.worth import Arbitration, Scales, Weights

Ints: TypeAlias = NDArray[np.int64]
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
_BETTER: Final = 2  # beside 0 for not bought, 1 for bought: which row of a listing's columns holds
_BETTER_SOURCE: Final = "upsell"


class Verdict(NamedTuple):
    """What a gate says: the number of its refusal, and its place in the order of the stages."""

    code: int
    stage: int


class Moment:
    """All that is the same for every candidate of one decision, worked out once; then the candidates.

    Attributes
    ----------
    proposed
        The candidates, by offer, the best of each offer first.
    places, kinds, items
        Shape (candidates): of each offer in the catalogue, the code of its kind for this customer, and the
        one item it is about, empty if there is none or several.
    codes
        Shape (candidates): what holds each back, by its place among ``refusals``; 0 for nothing.
    weighed
        Shape (candidates): whether it passed every policy, so that its worth counts.
    weights
        The parts of each priority.
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
        self.bought = frozenset(profile.history.items)
        self.answers: dict[int, bool] = {}
        self.facts: dict[str, Any] | None = None
        self.refusals: list[Refusal | None] = [None]
        self._numbers: dict[tuple[Stage, str], int] = {}
        self.proposed = proposed = Proposed.by_offer(candidates, self.listing.places)
        self.places = places = proposed.offers
        self.rows: list[int] = places.tolist()
        self.items = self._items()
        some, every = self._has_bought()
        some[(some == 0) & self._better_of_kind()] = _BETTER
        self.kinds: Ints = self.listing.kinds[some, places]
        self.codes = self._refuse(some, every)
        self.weighed = self.codes == PASSED
        recent = self.approaches.count(arbitration.annoyance.days)
        self.scales = Scales(self.listing.rates(arbitration), profile, context, recent)
        self.weights: Weights = self.scales.weigh(proposed.propensity, places, self.kinds)
        self.asked = self.scales.asked_for(places)
        self._too_little()

    # -- what passed ------------------------------------------------------------------------------------
    def standing(self) -> tuple[Ints, int, int]:
        """Return the places of those that passed, in their order, how many are mandatory, how many asked for.

        Mandatory ones first, then what the customer asked for by name, then by priority, then by the item's
        popularity, then by the offer's id.
        """
        left = (self.codes == PASSED).nonzero()[0]
        mandatory = self.listing.mandatory[self.places[left]]
        first = int(np.count_nonzero(mandatory))
        keys = (self.proposed.popularity_rank[left], -self.weights.priority[left])
        asked = self.asked[left] & ~mandatory
        wished = int(np.count_nonzero(asked))
        order = np.lexsort(
            (*keys, ~asked, ~mandatory) if first or wished else keys
        )  # stable: by offer already
        return left[order], first, wished

    def seat(self, place: int) -> Seat:
        """Return what a seat needs to know of a candidate."""
        return Seat(KINDS[self.kinds[place]], self.items[place])

    def option(self, place: int) -> Option:
        """Return a candidate that passed as what may take a seat."""
        proposed, listing = self.proposed, self.listing
        propensity, priority = float(proposed.propensity[place]), float(self.weights.priority[place])
        row = self.rows[place]
        evidence = max(float(proposed.evidence[place]), listing.offers[row].starting_evidence)
        return Option(
            proposed.offer_ids[place],
            self.items[place],
            KINDS[self.kinds[place]],
            priority,
            propensity,
            priority / propensity if propensity > 0 else 0.0,
            evidence,
        )

    def number(self, stage: Stage, reason: str, *, filled: bool = False) -> int:
        """Return the number of a refusal."""
        found = self._numbers.get((stage, reason))
        if found is None:
            found = self._numbers[stage, reason] = len(self.refusals)
            self.refusals.append(Refusal(stage, reason, filled))
        return found

    def _items(self) -> list[str]:
        """Return the one item each candidate is about, empty if there is none or several."""
        only, names = self.listing.only_items, self.proposed.item_names
        return [
            names[item] or only[row]
            for item, row in zip(self.proposed.items.tolist(), self.rows, strict=True)
        ]

    # -- the stages -------------------------------------------------------------------------------------
    def _has_bought(self) -> tuple[Ints, Flags]:
        """Return whether the customer bought some (as 0 and 1), and all, of each offer's items."""
        bought, only = self.bought, self.listing.only_items
        some = np.array([only[row] in bought for row in self.rows], dtype=np.int64)
        every = some > 0
        for place in self.listing.several[self.places].nonzero()[0].tolist():
            items = self.listing.offers[self.rows[place]].items
            some[place] = not bought.isdisjoint(items)
            every[place] = bought.issuperset(items)
        return some, every

    def _better_of_kind(self) -> Flags:
        """Return which candidates are dearer items of a kind the customer buys."""
        return self.proposed.source_names.name(_BETTER_SOURCE, self.proposed.sources)

    def _refuse(self, some: Ints, every: Flags) -> Ints:
        """Return the refusal of each candidate by everything but its worth."""
        listing, places = self.listing, self.places
        codes = self._paused()
        gates = listing.gates[some, places]
        verdicts = {gate: self._verdict(listing.gate_list[gate]) for gate in set(gates.tolist())}
        stages = np.full(len(codes), _NEVER)
        for gate, verdict in verdicts.items():
            if verdict.code:
                held = gates == gate
                codes[held], stages[held] = verdict.code, verdict.stage
        owned = every & listing.sold_once[some, places] & (stages > _AS_APPLICABILITY)
        for place in owned.nonzero()[0].tolist():
            first = listing.offers[self.rows[place]].items[0]
            codes[place] = self.number("applicability", f"already owned: {first}")
            stages[place] = _AS_APPLICABILITY
        for place in listing.own_checks[places].nonzero()[0].tolist():
            if code := self._own_check(place, int(stages[place])):
                codes[place] = code
        self._unavailable(codes)
        self._repeated(codes)
        return codes

    def _paused(self) -> Ints:
        """Return who is paused after a refusal, or has reached a cap; mandatory messages are not."""
        approaches, listing = self.approaches, self.listing
        codes = np.zeros(len(self.rows), dtype=np.int64)
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
            by_offer = {listing.places.get(offer_id): why for offer_id, why in pauses.offers.items()}
            for place, row in enumerate(self.rows):
                if row in by_offer:
                    codes[place] = self.number("contact", by_offer[row])
        codes[listing.mandatory[self.places]] = PASSED
        return codes

    def _capped(self, codes: Ints) -> None:
        """Hold back what this customer has been told about often enough."""
        told = {self.listing.places.get(offer_id) for offer_id in self.approaches.by_offer}
        for place in self.listing.capped[self.places].nonzero()[0].tolist():
            if self.rows[place] not in told:
                continue
            offer = self.listing.offers[self.rows[place]]
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
            return Verdict(PASSED, _NEVER)
        if self.service_reason and not policies.service_first.allows(gate.kind, self.profile, self.context):
            return self._say("service_first", self.service_reason)
        if self.over_limit:
            return self._say("contact", self.over_limit)
        return Verdict(PASSED, _NEVER)

    def _say(self, stage: Stage, reason: str) -> Verdict:
        return Verdict(self.number(stage, reason), _ORDER[stage])

    def _own_check(self, place: int, before: int) -> int:
        """Return the refusal of a rule that asks about the offer itself, if its stage comes before."""
        offer, kind = self.listing.offers[self.rows[place]], KINDS[self.kinds[place]]
        for check in self.book.own_checks[offer.offer_id]:
            if before <= _ORDER[check.stage]:
                return PASSED
            if check.kind in {"", kind} and not self._holds_for(check, offer, kind):
                return self.number(check.stage, check.reason)
        return PASSED

    def _unavailable(self, codes: Ints) -> None:
        """Hold back what nobody can be offered, or what ran out since the catalogue was made."""
        if self.taken:
            for place, row in enumerate(self.rows):
                more = self.taken.get(self.proposed.offer_ids[place], 0)
                if row >= 0 and (reason := gone(self.listing.offers[row], more)):
                    codes[place] = self.number("availability", reason)
        closed = self.listing.closed(self.at.date(), self.context.channel)
        shut = closed.codes[self.places]
        for place in shut.nonzero()[0].tolist():
            codes[place] = self.number("availability", closed.reasons[shut[place]])

    def _repeated(self, codes: Ints) -> None:
        """Hold back all but the best candidate of an offer."""
        if not self.proposed.settled and len(set(self.rows)) < len(self.rows):
            again = np.flatnonzero((self.places[1:] == self.places[:-1]) & (self.places[1:] >= 0)) + 1
            codes[again] = self.number("arbitration", "a better candidate of the same offer")

    def _too_little(self) -> None:
        """Hold back what is not worth saying; who asks for it is told in any case."""
        priority, value = self.weights.priority, self.weights.value
        floor, price = self.arbitration.floor, self.scales.annoyance
        few = self.weighed & ((priority < max(floor, price)) | (value < 0))
        few &= ~(self.listing.mandatory[self.places] | self.asked)
        if not few.any():
            return
        said = f"priority {{priority:.4g}} is under the price {price:.4g} of one more prompt"
        self.codes[few] = self.number("arbitration", said, filled=True)
        if (under := few & (priority < floor)).any():
            said = f"priority {{priority:.4g}} is under the floor {floor:.4g}"
            self.codes[under] = self.number("arbitration", said, filled=True)
        if (loss := few & (value < 0)).any():
            said = "costs {loss:.2f} more than it earns"
            self.codes[loss] = self.number("arbitration", said, filled=True)

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
