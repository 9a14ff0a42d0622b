"""Was this customer approached enough? Limits per channel and period, pauses after a refusal, caps."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from clv.errors import SettingError
from recommend.catalogue import Cap, Offer
from recommend.profile import Contact

Scope = Literal["offer", "group", "all"]
DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class ContactLimit:
    """At most ``count`` contacts within ``days``.

    Parameters
    ----------
    count, days
        The limit and its period.
    channel
        Which channel's contacts are counted and stopped; empty for all together.
    outcome
        Which contacts count, by how they ended; empty for all.
    direction
        Which conversations it stops: ``outbound``, ``inbound`` or ``any``.
    """

    count: int
    days: int
    channel: str = ""
    outcome: str = ""
    direction: Literal["any", "inbound", "outbound"] = "outbound"

    def __post_init__(self) -> None:
        """Refuse a limit that says nothing."""
        if self.count < 0 or self.days < 1:
            raise SettingError("A limit needs a count from 0 and days from 1.", where="limits")


@dataclass(frozen=True, slots=True)
class Suppression:
    """After ``count`` contacts that ended as ``outcome`` within ``window_days``, pause for ``pause_days``.

    Parameters
    ----------
    outcome
        Such as ``rejected``, ``ignored``, ``snoozed`` or ``accepted``.
    scope
        What is counted and paused: this ``offer``, all offers of its ``group``, or ``all`` offers.
    count, window_days
        How many within how long.
    pause_days
        From the contact that reached the count.
    channel
        Which channel's contacts are counted; empty for all.
    """

    outcome: str
    scope: Scope
    count: int
    window_days: int
    pause_days: int
    channel: str = ""

    def __post_init__(self) -> None:
        """Refuse a suppression that can never or always hold."""
        if min(self.count, self.window_days, self.pause_days) < 1:
            raise SettingError("A suppression needs count, window and pause from 1.", where="suppressions")


LIMITS = (
    ContactLimit(1, 7, "email"),
    ContactLimit(1, 7, "sms"),
    ContactLimit(1, 7, "phone"),
    ContactLimit(4, 30, "mail"),
    ContactLimit(12, 7, outcome="presented", direction="any"),
)
SUPPRESSIONS = (
    Suppression("rejected", "offer", 1, 30, 30),
    Suppression("rejected", "group", 3, 30, 14),
    Suppression("rejected", "all", 5, 30, 7),
    Suppression("ignored", "offer", 3, 30, 14),
    Suppression("snoozed", "offer", 1, 7, 7),
    Suppression("accepted", "offer", 1, 1, 1),
)


def seconds(at: datetime) -> float:
    """Return a moment as seconds since 1970; one without a zone is UTC."""
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()


class Approaches:
    """A customer's contacts up to a moment, counted once for all offers.

    Parameters
    ----------
    contacts
        In any order; those after ``at`` are not seen.
    at
        The moment asked about.
    groups
        Group of each offer, for contacts that name none.
    """

    def __init__(
        self, contacts: Iterable[Contact], at: datetime, groups: Mapping[str, str] | None = None
    ) -> None:
        self.now = seconds(at)
        self.groups = groups or {}
        timed = [(seconds(contact.at), contact) for contact in contacts]
        self.seen = sorted((t for t in timed if t[0] <= self.now), key=lambda t: t[0])

    def count(self, days: int | None, channel: str = "", outcome: str = "", offer_id: str = "") -> int:
        """Count contacts of the last ``days`` (ever, if None) of one channel, outcome and offer, if named."""
        since = float("-inf") if days is None else self.now - days * DAY
        return sum(
            1
            for when, contact in self.seen
            if when > since
            and (not channel or contact.channel == channel)
            and (not outcome or contact.outcome == outcome)
            and (not offer_id or contact.offer_id == offer_id)
        )

    def over_limit(self, limits: Sequence[ContactLimit], channel: str, direction: str) -> str:
        """Return why a conversation in this channel may hold no offer, or an empty text."""
        for limit in limits:
            if limit.direction not in {"any", direction} or limit.channel not in {"", channel}:
                continue
            count = self.count(limit.days, limit.channel, limit.outcome)
            if count >= limit.count:
                how = f"{limit.outcome or 'contacted'}{f' by {limit.channel}' if limit.channel else ''}"
                return f"{how} {count} times in {limit.days} days; the limit is {limit.count}"
        return ""

    def pauses(self, suppressions: Sequence[Suppression]) -> list[tuple[Suppression, dict[str, float]]]:
        """Return for each suppression until when (seconds) each offer, group or all ("") is paused."""
        if not self.seen:
            return []
        found = [(suppression, self._paused(suppression)) for suppression in suppressions]
        return [(suppression, until) for suppression, until in found if until]

    def _paused(self, suppression: Suppression) -> dict[str, float]:
        window, pause = suppression.window_days * DAY, suppression.pause_days * DAY
        recent: dict[str, deque[float]] = {}
        until: dict[str, float] = {}
        for when, contact in self.seen:
            group = contact.group or self.groups.get(contact.offer_id, "")
            key = _key(suppression.scope, contact.offer_id, group)
            if contact.outcome != suppression.outcome or key is None:
                continue
            if suppression.channel and contact.channel != suppression.channel:
                continue
            times = recent.setdefault(key, deque(maxlen=suppression.count))
            times.append(when)
            if len(times) == suppression.count and when - times[0] <= window:
                until[key] = when + pause
        return {key: end for key, end in until.items() if end > self.now}

    def over_cap(self, caps: Sequence[Cap], offer_id: str) -> str:
        """Return which of an offer's caps this customer has reached, or an empty text."""
        for cap in caps if self.seen else ():
            count = self.count(cap.days, outcome=cap.outcome, offer_id=offer_id)
            if count >= cap.count:
                span = f" in {cap.days} days" if cap.days else ""
                return f"{cap.outcome or 'contacted'} {count} times{span}; the cap is {cap.count}"
        return ""


def paused(pauses: Sequence[tuple[Suppression, dict[str, float]]], offer: Offer) -> str:
    """Return why an offer is paused, or an empty text."""
    for suppression, until in pauses:
        key = _key(suppression.scope, offer.offer_id, offer.group)
        if key is not None and key in until:
            day = datetime.fromtimestamp(until[key], UTC).date()
            what = {"offer": "this offer", "group": f"group {offer.group!r}", "all": "all offers"}
            times = "once" if suppression.count == 1 else f"{suppression.count} times"
            return f"{what[suppression.scope]} {suppression.outcome} {times}: paused until {day}"
    return ""


def _key(scope: Scope, offer_id: str, group: str) -> str | None:
    """Return what a pause is counted under, or None where a contact or offer has no such part."""
    if scope == "offer":
        return offer_id or None
    if scope == "group":
        return group or None
    return ""
