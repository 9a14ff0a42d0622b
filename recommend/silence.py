"""Why nothing was said: a silence always has its reason."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from recommend.catalogue import Catalogue
from recommend.considered import Considered
from recommend.decision import Arm, Stage

_IN_WORDS: Final[Mapping[Stage, str]] = {
    "service_first": "service first",
    "consent": "no consent",
    "contact": "enough contacts",
    "availability": "nothing is available",
    "eligibility": "nothing the customer is eligible for",
    "applicability": "nothing that applies now",
    "suitability": "nothing suitable",
    "arbitration": "nothing is worth saying",
    "control": "control group",
}


_LOUDEST: Final[tuple[Stage, ...]] = ("service_first", "consent", "contact")


def reason_of_silence(catalogue: Catalogue, considered: Considered, arm: Arm) -> str:
    """Return why there is no hint.

    Parameters
    ----------
    catalogue
        What could have been said at all.
    considered
        Every candidate of the decision with the stage that dropped it.
    arm
        Of the experiment.

    Returns
    -------
    str
        The stage in words and its most frequent reason. Service first, consent and contacts speak louder than
        the other stages; among those the one that dropped most is named.
    """
    if not len(catalogue):
        return f"no offers: {catalogue.note.removeprefix('no offers: ') or 'the catalogue is empty'}"
    if not len(considered):
        return "no candidates: nothing is known that this customer might want"
    stages = considered.stages()
    if arm == "control" and stages["control"]:
        return "control group: this customer gets no prompt this month, so that their effect can be measured"
    loudest = [stage for stage in _LOUDEST if stages[stage]]
    stage = loudest[0] if loudest else max(_IN_WORDS, key=lambda one: stages[one])
    reasons = considered.reasons(stage)
    reason = min(reasons, key=lambda text: (-reasons[text], text))
    return f"{_IN_WORDS[stage]}: {reason}"
