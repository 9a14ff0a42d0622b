"""What is the same for every candidate of one decision, and how each of them passes or falls."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from recommend.candidate import Candidate
from recommend.catalogue import Offer
from recommend.contact import Approaches
from recommend.context import Context
from recommend.decision import Kind, Ranked, Stage
from recommend.facts import facts_of
from recommend.profile import Profile
from recommend.rulebook import Check, Rulebook, unavailable
from recommend.worth import Arbitration, Scales, Worth

_OWNED_KINDS = frozenset({"cross_sell", "upsell"})


@dataclass(frozen=True, slots=True)
class Weighed:
    """A candidate that passed every policy, with its worth."""

    candidate: Candidate
    offer: Offer
    kind: Kind
    worth: Worth


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
        self.arbitration, self.at, self.today = arbitration, at, at.date()
        policies = book.policies
        self.approaches = Approaches(profile.contacts, at, book.groups)
        self.pauses = self.approaches.pauses(policies.suppressions)
        self.over_limit = self.approaches.over_limit(policies.limits, context.channel, context.direction)
        self.service_reason = policies.service_first.reason(profile, context)
        self.bought = frozenset(profile.history.items)
        self.consents: dict[str, str] = {}
        self.answers: dict[int, bool] = {}
        self.facts: dict[str, Any] | None = None
        recent = self.approaches.count(arbitration.annoyance.days)
        self.scales = Scales(arbitration, profile, context, recent)

    def sort_out(self, candidates: Iterable[Candidate]) -> tuple[list[Weighed], list[Ranked]]:
        """Return those that passed, in their order, and those that were dropped, by offer."""
        passed: list[Weighed] = []
        dropped: list[Ranked] = []
        seen: set[str] = set()
        by_id = self.book.catalogue.by_id
        for candidate in sorted(candidates, key=_best_of_its_offer):
            offer = by_id.get(candidate.offer_id)
            if offer is None:
                dropped.append(_dropped(candidate, "cross_sell", "availability", "not in the catalogue"))
                continue
            kind = self.kind(offer)
            if candidate.offer_id in seen:
                refusal: tuple[Stage, str] | None = ("arbitration", "a better candidate of the same offer")
            else:
                seen.add(candidate.offer_id)
                refusal = self.refusal(offer, kind)
            if refusal is None:
                weighed = Weighed(candidate, offer, kind, self.scales.weigh(candidate, offer, kind))
                if reason := self.too_little(weighed):
                    dropped.append(as_ranked(weighed, None, "arbitration", reason))
                else:
                    passed.append(weighed)
            else:
                dropped.append(_dropped(candidate, kind, *refusal))
        passed.sort(key=_place)
        return passed, dropped

    def kind(self, offer: Offer) -> Kind:
        """Return the offer's kind; one made from an item is a replenishment to who buys it already."""
        if offer.generated:
            return "cross_sell" if self.bought.isdisjoint(offer.items) else "replenish"
        return offer.kind

    def refusal(self, offer: Offer, kind: Kind) -> tuple[Stage, str] | None:
        """Return the first stage that refuses an offer, and why; None if it passes all."""
        if reason := unavailable(offer, self.today, self.context, self.taken):
            return "availability", reason
        if failed := self.failed_check(offer, kind):
            return failed
        purpose = offer.purpose
        if purpose not in self.consents:
            consent = self.book.policies.consent
            self.consents[purpose] = consent.refusal(self.profile, self.context, purpose)
        if reason := self.consents[purpose]:
            return "consent", reason
        if self.service_reason and not offer.mandatory:
            service_first = self.book.policies.service_first
            if not service_first.allows(kind, self.profile, self.context):
                return "service_first", self.service_reason
        return None if offer.mandatory else self.contact_refusal(offer)

    def failed_check(self, offer: Offer, kind: Kind) -> tuple[Stage, str] | None:
        """Return the first engagement rule that does not hold."""
        owned = self.already_owned(offer, kind)
        for check in self.book.checks.get(offer.offer_id, ()):
            if owned and check.stage == "suitability":
                return "applicability", owned
            answer = self.answers.get(check.number)
            if answer is None:
                answer = self.holds(check, offer)
            if not answer and check.kind in {"", kind}:
                return check.stage, check.reason
        return ("applicability", owned) if owned else None

    def already_owned(self, offer: Offer, kind: Kind) -> str:
        """Return what of an offer the customer has, if that leaves nothing new to sell."""
        if kind not in _OWNED_KINDS or offer.repeatable or not offer.items:
            return ""
        return f"already owned: {offer.items[0]}" if self.bought.issuperset(offer.items) else ""

    def holds(self, check: Check, offer: Offer) -> bool:
        """Return a rule's answer, and keep it if it does not ask about the offer."""
        if self.facts is None:
            self.facts = facts_of(self.profile, self.context, self.at)
        rule = self.book.rules[check.number]
        if self.book.about_offer[check.number]:
            return rule.matches({**self.facts, **self.book.offer_facts[offer.offer_id]})
        answer = self.answers[check.number] = rule.matches(self.facts)
        return answer

    def contact_refusal(self, offer: Offer) -> tuple[Stage, str] | None:
        """Return why a customer must be left alone about an offer."""
        reason = self.over_limit or self.pauses.reason(offer)
        if not reason and offer.caps:
            reason = self.approaches.over_cap(offer.caps, offer.offer_id)
        return ("contact", reason) if reason else None

    def too_little(self, weighed: Weighed) -> str:
        """Return why an offer is not worth saying, or an empty text."""
        if weighed.offer.mandatory:
            return ""
        worth, floor, price = weighed.worth, self.arbitration.floor, self.scales.annoyance
        if worth.value < 0:
            return f"costs {-worth.value:.2f} more than it earns"
        if worth.priority < floor:
            return f"priority {worth.priority:.4g} is under the floor {floor:.4g}"
        if worth.priority < price:
            return f"priority {worth.priority:.4g} is under the price {price:.4g} of one more prompt"
        return ""


def _best_of_its_offer(candidate: Candidate) -> tuple[object, ...]:
    return (
        candidate.offer_id,
        -candidate.propensity,
        -candidate.propensity_raw,
        candidate.popularity_rank,
        candidate.item,
        candidate.sources,
    )


def _place(weighed: Weighed) -> tuple[bool, float, int, str]:
    candidate = weighed.candidate
    return (
        not weighed.offer.mandatory,
        -weighed.worth.priority,
        candidate.popularity_rank,
        candidate.offer_id,
    )


def as_ranked(one: Weighed, rank: int | None, stage: Stage | None, reason: str) -> Ranked:
    """Return the record of an offer that was weighed."""
    candidate, worth = one.candidate, one.worth
    return Ranked(
        candidate.offer_id,
        candidate.item,
        one.kind,
        candidate.sources,
        candidate.propensity,
        candidate.propensity_raw,
        worth.context_weight,
        worth.value,
        worth.lever,
        worth.priority,
        rank,
        stage,
        reason,
    )


def _dropped(candidate: Candidate, kind: Kind, stage: Stage, reason: str) -> Ranked:
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
