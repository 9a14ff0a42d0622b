"""The decision engine: catalogue, policies, weights and proposer put together once, and asked many times."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from recommend.candidate import Candidate
from recommend.catalogue import Catalogue, Offer
from recommend.context import Context
from recommend.decide import Words, decide
from recommend.decision import Decision
from recommend.policies import Policies
from recommend.profile import Profile
from recommend.proposed import Proposed
from recommend.rulebook import Rulebook
from recommend.slate import Explorer
from recommend.worth import Arbitration


class Proposes(Protocol):
    """Whatever puts candidates with propensities forward: a fitted model, or a list."""

    def propose(
        self, profile: Profile, catalogue: Catalogue, context: Context, at: datetime, explain: bool = False
    ) -> Sequence[Candidate]:
        """Return candidates for one customer in one moment."""
        ...


class Prepares(Protocol):
    """Whatever reads candidates that were prepared, and knows in which moments they still hold."""

    def holds(self, context: Context, at: datetime) -> bool:
        """Return whether prepared candidates are what a proposer would say in this moment."""
        ...

    def read(self, packed: bytes) -> Proposed:
        """Return one customer's prepared candidates."""
        ...


class Engine:
    """Answers what to say next; the same for one conversation and for a list of a million customers.

    Parameters
    ----------
    catalogue, policies, arbitration
        What exists, what is allowed, and how it is weighed.
    proposer
        Puts candidates forward; None where no model was published.
    explorer
        Chooses among those that passed; None takes the best.
    words
        Finds words and reasons of what is said; None takes the offer's own script.
    prepared
        Reads candidates that were prepared; None where none were.
    explain
        Ask the proposer for what each feature contributed.
    model_version, snapshot
        Noted in every decision.

    Raises
    ------
    RuleError
        If a rule of the policies or of an offer does not parse.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        policies: Policies | None = None,
        arbitration: Arbitration | None = None,
        proposer: Proposes | None = None,
        *,
        explorer: Explorer | None = None,
        words: Words | None = None,
        prepared: Prepares | None = None,
        explain: bool = False,
        model_version: str = "",
        snapshot: str = "",
    ) -> None:
        self.catalogue = catalogue
        self.policies = policies or Policies()
        self.arbitration = arbitration or Arbitration()
        self.proposer = proposer
        self.explorer, self.words, self.explain = explorer, words, explain
        self.prepared = prepared
        self.model_version, self.snapshot = model_version, snapshot
        self.rulebook = Rulebook(catalogue, self.policies)

    def decide(
        self,
        profile: Profile,
        context: Context,
        at: datetime,
        decision_id: str,
        *,
        prepared: bytes = b"",
        taken: Mapping[str, int] | None = None,
    ) -> Decision:
        """Decide what to say to one customer in one moment.

        Parameters
        ----------
        profile, context, at
            Whom, in which conversation, and when (UTC).
        decision_id
            Names the decision.
        prepared
            The candidates prepared for this profile, if any; used where they still hold.
        taken
            How often each offer was accepted since the catalogue was made.
        """
        return decide(
            profile,
            self._candidates(profile, context, at, prepared),
            self.catalogue,
            self.policies,
            self.arbitration,
            context,
            at,
            decision_id=decision_id,
            explorer=self.explorer,
            words=self.words,
            rulebook=self.rulebook,
            taken=taken,
            model_version=self.model_version,
            snapshot=self.snapshot,
        )

    def decide_all(
        self, profiles: Iterable[Profile], context: Context, at: datetime, *, campaign: str
    ) -> Iterator[Decision]:
        """Decide for many customers, as a campaign's list is made: the same decision as one by one.

        Parameters
        ----------
        profiles
            The customers; nothing of them is kept.
        context
            The conversation the campaign would start; ``outbound`` where we approach them.
        at
            When (UTC).
        campaign
            Names the list; a decision is named by it and the customer.
        """
        for profile in profiles:
            yield self.decide(profile, context, at, f"{campaign}:{profile.customer_id}")

    def _candidates(
        self, profile: Profile, context: Context, at: datetime, prepared: bytes
    ) -> Sequence[Candidate]:
        """Read prepared candidates, or ask the proposer; add the mandatory messages it does not know."""
        found: Sequence[Candidate] = ()
        if prepared and self.prepared is not None and not self.explain and self.prepared.holds(context, at):
            found = self.prepared.read(prepared)
        elif self.proposer is not None and len(self.catalogue):
            found = self.proposer.propose(profile, self.catalogue, context, at, explain=self.explain)
        return self._with_mandatory(found)

    def _with_mandatory(self, found: Sequence[Candidate]) -> Sequence[Candidate]:
        wanted = self.catalogue.mandatory
        if not wanted:
            return found
        named = found.offer_ids if isinstance(found, Proposed) else [one.offer_id for one in found]
        missing = [offer for offer in wanted if offer.offer_id not in named]
        return [*found, *map(_always, missing)] if missing else found


def _always(offer: Offer) -> Candidate:
    return Candidate(offer.offer_id, sources=("mandatory",), propensity=1.0, propensity_raw=1.0)
