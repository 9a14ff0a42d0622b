"""What to say to one customer in one moment: candidates, policies and weights become hints, or silence.

The order among those that pass is written down: mandatory service messages first, then priority, then the
item's global popularity, then the offer's id. The order in which candidates come in changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final, TypeAlias

from recommend.candidate import Candidate
from recommend.catalogue import Catalogue, Offer
from recommend.context import Context
from recommend.decision import Arm, Decision, Hint, Kind, Ranked, Stage
from recommend.moment import Moment, Weighed, as_ranked
from recommend.policies import Policies
from recommend.profile import Profile
from recommend.rulebook import Rulebook
from recommend.silence import reason_of_silence
from recommend.slate import Explorer, Option, Seats, Selection, best
from recommend.worth import Arbitration

Words: TypeAlias = Callable[[Offer, Candidate, Profile, Context, Kind], tuple[str, tuple[str, ...]]]
"""What an agent says, and why: called for offers that are said."""

HELD_BACK: Final = "held back: the customer is in the control group"


def decide(
    profile: Profile,
    candidates: Iterable[Candidate],
    catalogue: Catalogue,
    policies: Policies,
    arbitration: Arbitration,
    context: Context,
    at: datetime,
    *,
    decision_id: str,
    explorer: Explorer | None = None,
    words: Words | None = None,
    rulebook: Rulebook | None = None,
    taken: Mapping[str, int] | None = None,
    model_version: str = "",
    snapshot: str = "",
) -> Decision:
    """Decide what to say, if anything.

    Parameters
    ----------
    profile, context, at
        Whom, in which conversation, and when (UTC).
    candidates
        What could be said, in any order.
    catalogue, policies, arbitration
        What exists, what is allowed, and how it is weighed.
    decision_id
        Names the decision; the explorer's draw follows from it.
    explorer
        Chooses among those that passed; None takes the best.
    words
        Finds the words and reasons of what is said; None takes the offer's own script.
    rulebook
        Catalogue and policies put together already; made here if None.
    taken
        How often each offer was accepted since the catalogue was made.
    model_version, snapshot
        Noted in the decision.

    Returns
    -------
    Decision
        With hints, or with the reason of the silence; every candidate with its numbers or why it was dropped.
    """
    book = rulebook or Rulebook(catalogue, policies)
    moment = Moment(book, arbitration, profile, context, at, taken or {})
    weighed, dropped = moment.sort_out(candidates)
    arm = policies.control.arm(profile.customer_id, at)
    selection, seats = _select(weighed, policies, arm, explorer, decision_id)
    hints = _hints(weighed, selection, moment, words or script)
    ranked = _ranked(weighed, selection, seats, arm)
    silence = "" if hints else reason_of_silence(book.catalogue, [*ranked, *dropped], arm)
    return Decision(
        decision_id,
        at,
        profile.customer_id,
        context.channel,
        context.agent_id,
        hints,
        silence,
        (*ranked, *dropped),
        arm,
        selection.exploration,
        model_version,
        snapshot,
        _noted(context),
        moment.scales.annoyance,
    )


def script(
    offer: Offer, candidate: Candidate, profile: Profile, context: Context, kind: Kind
) -> tuple[str, tuple[str, ...]]:
    """Return the offer's own words for the channel and language, else its name; and where it comes from."""
    del profile, kind
    return offer.words(context.channel, context.locale) or offer.name, candidate.sources


def _select(
    weighed: Sequence[Weighed], policies: Policies, arm: Arm, explorer: Explorer | None, key: str
) -> tuple[Selection, Seats]:
    """Seat mandatory messages, then let the explorer (or the order) fill the other places."""
    mandatory = sum(1 for one in weighed if one.offer.mandatory)
    seats = Seats(policies.slate)
    first = best(weighed[:mandatory], seats)
    certain = Selection(first, (1.0,) * len(first))
    if arm == "control" or not seats.free:
        return certain, seats
    rest = weighed[mandatory:]
    if explorer is None:
        chosen = best(rest, seats)
        found = Selection(chosen, (1.0,) * len(chosen))
    else:
        found = explorer.select([_option(one) for one in rest], seats.copy(), key)
        for index in found.chosen:
            seats.take(rest[index])
    chosen = (*first, *(index + mandatory for index in found.chosen))
    return Selection(chosen, (*certain.probabilities, *found.probabilities), found.exploration), seats


def _option(one: Weighed) -> Option:
    propensity = one.candidate.propensity
    scale = one.priority / propensity if propensity > 0 else 0.0
    evidence = one.candidate.evidence + one.offer.starting_evidence
    return Option(one.offer.offer_id, one.item, one.kind, one.priority, propensity, scale, evidence)


def _hints(
    weighed: Sequence[Weighed], selection: Selection, moment: Moment, words: Words
) -> tuple[Hint, ...]:
    hints = []
    for place, (index, probability) in enumerate(
        zip(selection.chosen, selection.probabilities, strict=True), start=1
    ):
        one = weighed[index]
        said, reasons = words(one.offer, one.candidate, moment.profile, moment.context, one.kind)
        hints.append(
            Hint(
                one.offer.offer_id,
                one.offer.name,
                one.kind,
                said,
                reasons,
                one.candidate.propensity,
                one.value,
                one.priority,
                place,
                probability,
                moment.profile.segments,
            )
        )
    return tuple(hints)


def _ranked(weighed: Sequence[Weighed], selection: Selection, seats: Seats, arm: Arm) -> list[Ranked]:
    """Return those that passed, in their order, with the reason why some are not said."""
    said = frozenset(selection.chosen)
    ranked = []
    for index, one in enumerate(weighed):
        stage: Stage | None = None
        reason = ""
        if index not in said:
            held_back = arm == "control" and not one.offer.mandatory
            stage = "control" if held_back else "arbitration"
            reason = HELD_BACK if held_back else seats.refusal(one)
        ranked.append(as_ranked(one, index + 1, stage, reason))
    return ranked


def _noted(context: Context) -> dict[str, object]:
    """Return what is worth keeping of a context."""
    noted: dict[str, object] = {
        "locale": context.locale,
        "intent": context.intent,
        "topic": context.topic,
        "sentiment": context.sentiment,
        "direction": context.direction,
        "mentions": list(context.mentions),
    }
    return {name: value for name, value in noted.items() if value}
