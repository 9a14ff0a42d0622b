"""Policies and catalogue put together once, so that one decision only looks things up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from clv.errors import RuleError
from recommend.catalogue import Catalogue, Offer
from recommend.context import Context
from recommend.facts import FIELDS, facts_of_offer
from recommend.policies import Policies, PolicyRule, RuleStage
from recommend.rules import Rule, parse

STAGES: Final[tuple[RuleStage, ...]] = ("eligibility", "applicability", "suitability")


@dataclass(frozen=True, slots=True)
class Check:
    """One rule that must hold for an offer, by its number in the rulebook.

    ``kind`` narrows it to decisions in which the offer is of that kind.
    """

    stage: RuleStage
    number: int
    reason: str
    kind: str = ""


class Rulebook:
    """Every rule read once; for each offer, the checks it must pass, in the order of the stages.

    Parameters
    ----------
    catalogue
        Offers with rules of their own.
    policies
        Rules for issues, groups, kinds and offers.

    Raises
    ------
    RuleError
        If a rule does not parse, naming the policy or offer it stands in.
    """

    def __init__(self, catalogue: Catalogue, policies: Policies) -> None:
        self.catalogue, self.policies = catalogue, policies
        self.rules: list[Rule] = []
        self._numbers: dict[str, int] = {}
        self._fields = {**FIELDS, **policies.fields}
        shared = [(rule, self._read(rule.rule, f"policy {i + 1}")) for i, rule in enumerate(policies.rules)]
        self.checks: dict[str, tuple[Check, ...]] = {}
        for offer in catalogue.offers:
            checks = self._checks_of(offer, shared)
            if checks:
                self.checks[offer.offer_id] = checks
        self.about_offer = [any(name.startswith("offer.") for name in rule.names) for rule in self.rules]
        asked = {c.number for checks in self.checks.values() for c in checks if self.about_offer[c.number]}
        self.offer_facts: dict[str, Mapping[str, Any]] = {
            offer_id: facts_of_offer(catalogue.by_id[offer_id])
            for offer_id, checks in self.checks.items()
            if any(check.number in asked for check in checks)
        }
        self.groups = {offer.offer_id: offer.group for offer in catalogue.offers if offer.group}

    def _read(self, text: str, where: str) -> int:
        if text not in self._numbers:
            try:
                self.rules.append(parse(text, self._fields))
            except RuleError as error:
                raise RuleError(error.what, where=f"{where}, {error.where}", hint=error.hint) from None
            self._numbers[text] = len(self.rules) - 1
        return self._numbers[text]

    def _checks_of(self, offer: Offer, shared: list[tuple[PolicyRule, int]]) -> tuple[Check, ...]:
        checks = []
        for stage in STAGES:
            for policy, number in shared:
                if policy.stage == stage and _is_about(policy, offer):
                    checks.append(Check(stage, number, policy.reason or policy.rule, policy.kind))
            for text in getattr(offer, stage):
                number = self._read(text, f"offer {offer.offer_id!r}, {stage}")
                checks.append(Check(stage, number, text))
        return tuple(checks)


def _is_about(policy: PolicyRule, offer: Offer) -> bool:
    return (
        policy.issue in {"", offer.issue}
        and policy.group in {"", offer.group}
        and policy.offer_id in {"", offer.offer_id}
        and (policy.kind in {"", offer.kind} or offer.generated)
    )


def unavailable(offer: Offer, today: date, context: Context, taken: Mapping[str, int]) -> str:
    """Return why an offer cannot be made by anybody today in this channel, or an empty text.

    Parameters
    ----------
    offer, today, context
        What, when and where.
    taken
        How often each offer was accepted since the catalogue was made.
    """
    if not offer.available:
        return "not available"
    if offer.treatments and offer.treatment(context.channel) is None:
        return f"has no treatment for the channel {context.channel!r}"
    return _out_of_season(offer, today) or _gone(offer, taken.get(offer.offer_id, 0))


def _out_of_season(offer: Offer, today: date) -> str:
    if offer.valid_from and today < offer.valid_from:
        return f"not before {offer.valid_from}"
    if offer.valid_to and today > offer.valid_to:
        return f"ended on {offer.valid_to}"
    return ""


def _gone(offer: Offer, more: int) -> str:
    if offer.stock is not None and offer.stock <= more:
        return "out of stock"
    if offer.cap_total is not None and offer.taken + more >= offer.cap_total:
        return f"taken {offer.taken + more} times; the cap is {offer.cap_total}"
    return ""
