"""Policies and catalogue put together once, so that one decision only looks things up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Final

from clv.errors import RuleError
from recommend.catalogue import Catalogue, Offer
from recommend.context import Context
from recommend.facts import FIELDS, facts_of, facts_of_offer
from recommend.listing import Listing
from recommend.policies import Policies, PolicyRule, RuleStage
from recommend.profile import Profile
from recommend.rules import Rule, parse

if TYPE_CHECKING:
    import ibis.expr.types as ir

NOBODY: Final = Profile("", date(1970, 1, 1))
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

    Attributes
    ----------
    sets
        By offer, the checks that ask only about customer and context; equal sets are one object.
    own_checks
        By offer, the checks that ask about the offer too.
    listing
        All offers by column.

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
        found = {offer.offer_id: self._checks_of(offer, shared) for offer in catalogue.offers}
        about_offer = [any(name.startswith("offer.") for name in rule.names) for rule in self.rules]
        self.own_checks: dict[str, tuple[Check, ...]] = {}
        self.sets: dict[str, tuple[Check, ...]] = {}
        known: dict[tuple[Check, ...], tuple[Check, ...]] = {}
        for offer_id, checks in found.items():
            common = tuple(check for check in checks if not about_offer[check.number])
            self.sets[offer_id] = known.setdefault(common, common)
            if len(common) < len(checks):
                self.own_checks[offer_id] = tuple(check for check in checks if about_offer[check.number])
        self.offer_facts: dict[str, Mapping[str, Any]] = {
            offer_id: facts_of_offer(catalogue.by_id[offer_id]) for offer_id in self.own_checks
        }
        self.groups = {offer.offer_id: offer.group for offer in catalogue.offers if offer.group}
        self.listing = Listing(self)

    def fits(self, offer_id: str, table: ir.Table, context: Context, at: datetime) -> ir.BooleanValue:
        """Return who in a table of customers passes an offer's engagement rules, as one Ibis column.

        The same rules, asked of a set: the start of a campaign's list. Consent, contacts and what is
        owned are asked customer by customer when the list is decided.

        Parameters
        ----------
        offer_id
            Of the catalogue.
        table
            One column per customer field the rules name, such as ``predicted_clv`` for
            ``customer.predicted_clv``.
        context, at
            The conversation the campaign would start, and when.
        """
        import ibis  # noqa: PLC0415  (live serving never loads Ibis)

        offer = self.catalogue.by_id[offer_id]
        facts = facts_of(NOBODY, context, at)
        given = {name: facts[name] for name in facts if name.startswith("context.")} | facts_of_offer(offer)
        checks = (*self.sets[offer_id], *self.own_checks.get(offer_id, ()))
        found: ir.BooleanValue = ibis.literal(value=True)
        for check in checks:
            if check.kind in {"", offer.kind}:
                found &= self.rules[check.number].expression(table, given)
        return found

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
