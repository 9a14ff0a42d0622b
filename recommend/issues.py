"""Is a complaint open? The one rule for the night, which reads tables, and for the day, which reads events.

A customer complains where an incoming interaction that is not resolved has a negative mood, a wish to
complain or to cancel, or a topic that says so. Three kinds are told apart by what is known of their end:

* told to be unresolved: open until a later interaction is resolved;
* nobody said whether it is: the same, and no longer than :data:`QUIET_DAYS`;
* only heard in a chat: the same, and no longer than until the customer is heard to wish to buy.

What is kept is the latest complaint of each kind and when the latest end came. Two such notes make one, in
whatever order, and it does no harm to note the same interaction twice: what came by file and by event is
counted once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, NamedTuple

COMPLAINTS: Final = frozenset({"complaint", "cancel"})  # wishes
NEGATIVE: Final = "negative"
IN_A_TOPIC: Final = "complain"
HEARD: Final = "heard:"  # begins the id of an interaction that was heard in a chat, not told by a helpdesk
QUIET_DAYS: Final = 14  # a complaint of which nobody says how it goes on is open for so long
NEVER: Final = -(1 << 62)
_DAY: Final = 86_400_000_000
_EPOCH: Final = date(1970, 1, 1).toordinal()


class Complaint(NamedTuple):
    """When somebody complained, in UTC microseconds since 1970, and what about."""

    at: int
    topic: str


class Interaction(NamedTuple):
    """What an interaction says of a complaint.

    ``at`` is in UTC microseconds since 1970; ``resolved`` is None where nobody said.
    """

    at: int
    direction: str = "inbound"
    intent: str = ""
    topic: str = ""
    sentiment: str = ""
    resolved: bool | None = None
    heard: bool = False

    def complains(self) -> bool:
        """Return whether it opens an issue."""
        if self.resolved or self.direction != "inbound":
            return False
        bad = self.sentiment == NEGATIVE or self.intent in COMPLAINTS
        return bad or IN_A_TOPIC in self.topic.lower()


@dataclass(frozen=True, slots=True)
class Issues:
    """The latest complaint of each kind, and when the latest end of one came.

    Parameters
    ----------
    unresolved
        Told to be unresolved.
    untold
        Nobody said whether it is resolved.
    heard
        Heard in a chat.
    resolved_at
        When an interaction was last resolved: it ends what was complained of until then. UTC microseconds.
    wished_at
        When a customer who had complained in a chat was last heard to wish to buy: it ends what was heard.

    Examples
    --------
    >>> day = 86_400_000_000
    >>> late = Issues.of([Interaction(3 * day, intent="complaint", topic="delivery", resolved=False)])
    >>> late.open_on(date(1971, 1, 1))
    'delivery'
    >>> late.and_(Issues.of([Interaction(4 * day, resolved=True)])).open_on(date(1971, 1, 1))
    ''
    """

    unresolved: Complaint | None = None
    untold: Complaint | None = None
    heard: Complaint | None = None
    resolved_at: int = NEVER
    wished_at: int = NEVER

    @classmethod
    def of(cls, told: Iterable[Interaction]) -> Issues:
        """Note interactions, in whatever order."""
        unresolved: Complaint | None = None
        untold: Complaint | None = None
        heard: Complaint | None = None
        resolved_at = wished_at = NEVER
        for one in told:
            if one.resolved and one.heard:
                wished_at = max(wished_at, one.at)
            elif one.resolved:
                resolved_at = max(resolved_at, one.at)
            elif one.complains():
                complaint = Complaint(one.at, one.topic or one.intent or "complaint")
                if one.heard:
                    heard = _latest(heard, complaint)
                elif one.resolved is None:
                    untold = _latest(untold, complaint)
                else:
                    unresolved = _latest(unresolved, complaint)
        return cls(unresolved, untold, heard, resolved_at, wished_at)

    def and_(self, other: Issues) -> Issues:
        """Return what both note."""
        return Issues(
            _latest(self.unresolved, other.unresolved),
            _latest(self.untold, other.untold),
            _latest(self.heard, other.heard),
            max(self.resolved_at, other.resolved_at),
            max(self.wished_at, other.wished_at),
        )

    def open_on(self, day: date) -> str:
        """Return what is complained of at the end of a day; empty if nothing is."""
        if self.unresolved and self.unresolved.at > self.resolved_at:
            return self.unresolved.topic
        wished_at = max(self.resolved_at, self.wished_at)
        since = (day.toordinal() - _EPOCH - QUIET_DAYS + 1) * _DAY
        open_ones = [
            one
            for one, ended_at in ((self.untold, self.resolved_at), (self.heard, wished_at))
            if one and one.at > ended_at and one.at >= since
        ]
        return max(open_ones).topic if open_ones else ""

    def as_json(self) -> list[Any] | None:
        """Return the notes as plain values; None if there are none."""
        if self == NO_ISSUES:
            return None
        complaints = (self.unresolved, self.untold, self.heard)
        return [*(list(one) if one else None for one in complaints), self.resolved_at, self.wished_at]

    @classmethod
    def from_json(cls, raw: Sequence[Any] | None) -> Issues:
        """Read what :meth:`as_json` gave."""
        if not raw:
            return NO_ISSUES
        *complaints, resolved_at, wished_at = raw
        unresolved, untold, heard = (Complaint(*one) if one else None for one in complaints)
        return cls(unresolved, untold, heard, resolved_at, wished_at)


NO_ISSUES: Final = Issues()


def _latest(one: Complaint | None, other: Complaint | None) -> Complaint | None:
    """Return the later complaint; of two in the same moment that with the later topic."""
    return max((found for found in (one, other) if found), default=None)
