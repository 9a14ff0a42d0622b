"""What to say to one customer in one moment: candidates, policies and weights become hints, or silence.

The order among those that pass is written down: mandatory service messages first, then what the customer asks
for by name, then priority, then the item's global popularity, then the offer's id. The order in which
candidates come in changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from recommend.candidate import Candidate
from recommend.catalogue import KINDS, Catalogue, Offer
from recommend.considered import Considered
from recommend.context import Context
from recommend.decision import Arm, Decision, Hint, Kind
from recommend.moment import PASSED, Codes, Moment, Standing
from recommend.policies import Policies
from recommend.profile import Profile
from recommend.rulebook import Rulebook
from recommend.silence import reason_of_silence
from recommend.slate import Explorer, Options, Seat, Seats, Selection
from recommend.worth import KIND_CODES, Arbitration

Ints: TypeAlias = NDArray[np.int64]
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
    moment = Moment(book, arbitration, profile, context, at, taken or {}, candidates)
    arm = policies.control.arm(profile.customer_id, at)
    standing = moment.standing()
    selection, seats = _select(moment, standing, policies, arm, explorer, decision_id)
    hints = _hints(moment, standing.places, selection, words or script)
    considered = _considered(moment, standing, selection, seats, arm)
    silence = "" if hints else reason_of_silence(book.catalogue, considered, arm)
    return Decision(
        decision_id,
        at,
        profile.customer_id,
        context.channel,
        context.agent_id,
        hints,
        silence,
        considered,
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
    moment: Moment, standing: Standing, policies: Policies, arm: Arm, explorer: Explorer | None, key: str
) -> tuple[Selection, Seats]:
    """Seat mandatory messages and what was asked for; let the explorer (or the order) fill other places."""
    seats, mandatory = Seats(policies.slate), standing.mandatory
    sure = mandatory if arm == "control" else mandatory + standing.asked
    kinds, items = standing.kinds, standing.items
    first = seats.fill(kinds[:mandatory], items[:mandatory]) if mandatory else ()
    wished = seats.fill(kinds[mandatory:sure], items[mandatory:sure]) if sure > mandatory else ()
    first = (*first, *(index + mandatory for index in wished)) if wished else first
    certain = Selection(first, (1.0,) * len(first))
    if arm == "control" or not seats.free:
        return certain, seats
    if explorer is None:
        chosen = seats.fill(kinds[sure:], items[sure:])
        found = Selection(chosen, (1.0,) * len(chosen))
    else:
        sitters = list(map(Seat, kinds[sure:], items[sure:]))
        options = Options(standing.places[sure:].tolist(), sitters, moment.option)
        found = explorer.select(options, seats.copy(), key)
        for index in found.chosen:
            seats.take(sitters[index])
    chosen = (*first, *(index + sure for index in found.chosen))
    return Selection(chosen, (*certain.probabilities, *found.probabilities), found.exploration), seats


def _hints(moment: Moment, left: Ints, selection: Selection, words: Words) -> tuple[Hint, ...]:
    hints = []
    value, priority = moment.weights.value, moment.weights.priority
    chosen = zip(selection.chosen, selection.probabilities, strict=True)
    for rank, (index, probability) in enumerate(chosen, start=1):
        place = int(left[index])
        candidate, offer = moment.proposed.candidate(place), moment.offer(place)
        kind = KINDS[moment.kinds[place]]
        said, reasons = words(offer, candidate, moment.profile, moment.context, kind)
        hints.append(
            Hint(
                offer.offer_id,
                offer.name,
                kind,
                said,
                reasons,
                candidate.propensity,
                float(value[place]),
                float(priority[place]),
                rank,
                probability,
                moment.profile.segments,
            )
        )
    return tuple(hints)


def _considered(
    moment: Moment, standing: Standing, selection: Selection, seats: Seats, arm: Arm
) -> Considered:
    """Return those that passed, in their order, with the reason why some are not said, then the dropped."""
    codes, left, dropped = moment.codes, standing.places, moment.codes.nonzero()[0]
    if len(left):
        unsaid = _unsaid(moment, standing, seats, arm)
        unsaid[list(selection.chosen)] = PASSED
        codes[left] = unsaid
    return Considered(
        moment.proposed,
        np.concatenate((left, dropped)),
        len(left),
        moment.kinds,
        moment.weights,
        codes,
        moment.refusals,
    )


def _unsaid(moment: Moment, standing: Standing, seats: Seats, arm: Arm) -> Codes:
    """Return why each of those that passed would not be said beside those that are."""
    left = standing.places
    codes = np.empty(len(left), dtype=np.uint16)
    codes[:] = moment.number("arbitration", seats.full())
    for kind in seats.kinds:
        if reason := seats.refuses_kind(kind):
            codes[moment.kinds[left] == KIND_CODES[kind]] = moment.number("arbitration", reason)
    for item in seats.items if len(seats.items) < len(standing.items) else ():
        if standing.items.count(item) > 1:  # beside the one that is seated
            held = [index for index, other in enumerate(standing.items) if other == item]
            codes[held] = moment.number("arbitration", seats.refuses_item(item))
    if arm == "control":
        mandatory = moment.listing.mandatory
        optional = slice(None) if mandatory is None else ~mandatory[moment.places[left]]
        codes[optional] = moment.number("control", HELD_BACK)
    return codes


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
