"""What is the same for every candidate of one decision, and how each of them passes or falls."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from operator import attrgetter
from typing import Any, Final, TypeAlias

from recommend.candidate import Candidate
from recommend.catalogue import Offer
from recommend.contact import Approaches
from recommend.context import Context
from recommend.decision import Kind, Ranked, Stage
from recommend.facts import facts_of
from recommend.profile import Profile
from recommend.rulebook import Check, Rulebook, gone
from recommend.worth import Arbitration, Scales

Refusal: TypeAlias = tuple[Stage, str]

_OWNED_KINDS: Final = frozenset({"cross_sell", "upsell"})
_BEFORE_SUITABILITY: Final = 2
_ORDER: Final[Mapping[str, int]] = {
    "eligibility": 0,
    "applicability": 1,
    "suitability": 3,
    "consent": 4,
    "service_first": 5,
    "contact": 6,
}
_offer_id = attrgetter("offer_id")


@dataclass(slots=True)
class Weighed:
    """A candidate that passed every policy, with its worth; unfrozen, for decisions make many."""

    candidate: Candidate
    offer: Offer
    kind: Kind
    context_weight: float
    value: float
    lever: float
    priority: float

    @property
    def item(self) -> str:
        """The one item it is about, empty if there is none or several."""
        return self.candidate.item or (self.offer.items[0] if len(self.offer.items) == 1 else "")


class Moment:
    """All that is the same for every candidate of one decision, worked out once."""

    def __init__(
        self,
        book: Rulebook,
        arbitration: Arbitration,
        profile: Profile,
        context: Context,
        at: datetime,
        taken: Mapping[str, int],
    ) -> None:
        self.book, self.profile, self.context, self.taken = book, profile, context, taken
        self.arbitration, self.at = arbitration, at
        policies = book.policies
        self.closed = book.closed(at.date(), context.channel)
        self.approaches = Approaches(profile.contacts, at, book.groups)
        self.pauses = self.approaches.pauses(policies.suppressions)
        self.over_limit = self.approaches.over_limit(policies.limits, context.channel, context.direction)
        self.service_reason = policies.service_first.reason(profile, context)
        self.bought = frozenset(profile.history.items)
        self.verdicts: dict[tuple[int, str, str, bool], tuple[int, Refusal] | None] = {}
        self.answers: dict[int, bool] = {}
        self.facts: dict[str, Any] | None = None
        recent = self.approaches.count(arbitration.annoyance.days)
        self.scales = Scales(arbitration, profile, context, recent)

    def sort_out(self, candidates: Iterable[Candidate]) -> tuple[list[Weighed], list[Ranked]]:
        """Return those that passed, in their order, and those that were dropped, by offer."""
        passed: list[Weighed] = []
        dropped: list[Ranked] = []
        by_id, weigh = self.book.catalogue.by_id, self.scales.weigh
        last = ""
        for candidate in _by_offer(candidates):
            offer = by_id.get(candidate.offer_id)
            if offer is None:
                dropped.append(_dropped(candidate, "cross_sell", ("availability", "not in the catalogue")))
                continue
            kind = self.kind(offer) if offer.generated else offer.kind
            if candidate.offer_id == last:
                refusal: Refusal | None = ("arbitration", "a better candidate of the same offer")
            else:
                last = candidate.offer_id
                refusal = self.refusal(offer, kind)
            if refusal is not None:
                dropped.append(_dropped(candidate, kind, refusal))
                continue
            one = Weighed(candidate, offer, kind, *weigh(candidate.propensity, offer, kind))
            if reason := self.too_little(one):
                dropped.append(as_ranked(one, None, "arbitration", reason))
            else:
                passed.append(one)
        passed.sort(key=_place)
        return passed, dropped

    def kind(self, offer: Offer) -> Kind:
        """Return the kind of an offer made from an item: a replenishment to who buys it already."""
        return "cross_sell" if self.bought.isdisjoint(offer.items) else "replenish"

    def refusal(self, offer: Offer, kind: Kind) -> Refusal | None:
        """Return the first stage that refuses an offer, and why; None if it passes all."""
        offer_id = offer.offer_id
        if reason := self.closed.get(offer_id):
            return "availability", reason
        if self.taken and (reason := gone(offer, self.taken.get(offer_id, 0))):
            return "availability", reason
        found = self.shared_refusal(offer, kind)
        if (found is None or found[0] > _BEFORE_SUITABILITY) and (owned := self.already_owned(offer, kind)):
            found = _BEFORE_SUITABILITY, ("applicability", owned)
        for check in self.book.own_checks.get(offer_id, ()):
            if found is not None and found[0] <= _ORDER[check.stage]:
                break
            if check.kind in {"", kind} and not self.holds_for(check, offer, kind):
                return check.stage, check.reason
        if found is not None:
            return found[1]
        if offer.mandatory:
            return None
        reason = self.pauses.reason(offer)
        if not reason and offer.caps:
            reason = self.approaches.over_cap(offer.caps, offer_id)
        return ("contact", reason) if reason else None

    def shared_refusal(self, offer: Offer, kind: Kind) -> tuple[int, Refusal] | None:
        """Return what refuses all offers with the same checks, kind and purpose, worked out once for them."""
        checks = self.book.sets[offer.offer_id]
        key = (id(checks), kind, offer.purpose, offer.mandatory)
        if key not in self.verdicts:
            self.verdicts[key] = next(
                ((_ORDER[stage], (stage, reason)) for stage, reason in self._refusals(checks, kind, offer)),
                None,
            )
        return self.verdicts[key]

    def _refusals(self, checks: Sequence[Check], kind: Kind, offer: Offer) -> Iterable[Refusal]:
        for check in checks:
            if check.kind in {"", kind} and not self.holds(check):
                yield check.stage, check.reason
        policies = self.book.policies
        if reason := policies.consent.refusal(self.profile, self.context, offer.purpose):
            yield "consent", reason
        if offer.mandatory:
            return
        if self.service_reason and not policies.service_first.allows(kind, self.profile, self.context):
            yield "service_first", self.service_reason
        if self.over_limit:
            yield "contact", self.over_limit

    def already_owned(self, offer: Offer, kind: Kind) -> str:
        """Return what of an offer the customer has, if that leaves nothing new to sell."""
        if kind not in _OWNED_KINDS or offer.repeatable or not offer.items:
            return ""
        return f"already owned: {offer.items[0]}" if self.bought.issuperset(offer.items) else ""

    def holds(self, check: Check) -> bool:
        """Return the answer of a rule about customer and context, asked once."""
        answer = self.answers.get(check.number)
        if answer is None:
            answer = self.answers[check.number] = self.book.rules[check.number].matches(self._facts())
        return answer

    def holds_for(self, check: Check, offer: Offer, kind: Kind) -> bool:
        """Return the answer of a rule that asks about the offer too."""
        facts = {**self._facts(), **self.book.offer_facts[offer.offer_id], "offer.kind": kind}
        return self.book.rules[check.number].matches(facts)

    def _facts(self) -> dict[str, Any]:
        if self.facts is None:
            self.facts = facts_of(self.profile, self.context, self.at)
        return self.facts

    def too_little(self, one: Weighed) -> str:
        """Return why an offer is not worth saying, or an empty text."""
        if one.offer.mandatory:
            return ""
        floor, price = self.arbitration.floor, self.scales.annoyance
        if one.value < 0:
            return f"costs {-one.value:.2f} more than it earns"
        if one.priority < floor:
            return f"priority {one.priority:.4g} is under the floor {floor:.4g}"
        if one.priority < price:
            return f"priority {one.priority:.4g} is under the price {price:.4g} of one more prompt"
        return ""


def _by_offer(candidates: Iterable[Candidate]) -> list[Candidate]:
    """Return candidates by offer, the best of each offer first."""
    ordered = sorted(candidates, key=_offer_id)
    if any(one.offer_id == other.offer_id for one, other in pairwise(ordered)):
        ordered.sort(key=_best_of_its_offer)
    return ordered


def _best_of_its_offer(candidate: Candidate) -> tuple[object, ...]:
    return (
        candidate.offer_id,
        -candidate.propensity,
        -candidate.propensity_raw,
        candidate.popularity_rank,
        candidate.item,
        candidate.sources,
    )


def _place(one: Weighed) -> tuple[bool, float, int, str]:
    candidate = one.candidate
    return not one.offer.mandatory, -one.priority, candidate.popularity_rank, candidate.offer_id


def as_ranked(one: Weighed, rank: int | None, stage: Stage | None, reason: str) -> Ranked:
    """Return the record of an offer that was weighed."""
    candidate = one.candidate
    return Ranked(
        candidate.offer_id,
        candidate.item,
        one.kind,
        candidate.sources,
        candidate.propensity,
        candidate.propensity_raw,
        one.context_weight,
        one.value,
        one.lever,
        one.priority,
        rank,
        stage,
        reason,
    )


def _dropped(candidate: Candidate, kind: Kind, refusal: Refusal) -> Ranked:
    stage, reason = refusal
    return Ranked(
        candidate.offer_id,
        candidate.item,
        kind,
        candidate.sources,
        candidate.propensity,
        candidate.propensity_raw,
        dropped_by=stage,
        reason=reason,
    )
