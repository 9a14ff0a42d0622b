"""Was this customer approached enough? Limits per channel and period, pauses after a refusal, caps."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from operator import itemgetter
from typing import Literal, TypeAlias

from clv.errors import SettingError
from recommend.catalogue import Cap, Offer
from recommend.profile import Contact

Scope = Literal["offer", "group", "all"]
Timed: TypeAlias = tuple[float, Contact]
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
        self.seen: list[Timed] = sorted([t for t in timed if t[0] <= self.now], key=itemgetter(0))
        self.by_outcome: dict[str, list[Timed]] = {}
        self.by_offer: dict[str, list[Timed]] = {}
        for one in self.seen:
            self.by_outcome.setdefault(one[1].outcome, []).append(one)
            self.by_offer.setdefault(one[1].offer_id, []).append(one)

    def _since(self, days: int | None) -> float:
        return float("-inf") if days is None else self.now - days * DAY

    def count(self, days: int | None, channel: str = "", outcome: str = "") -> int:
        """Count contacts of the last ``days`` (ever, if None) of one channel and outcome, if named."""
        return _count(self.seen, self._since(days), channel, outcome)

    def over_limit(self, limits: Sequence[ContactLimit], channel: str, direction: str) -> str:
        """Return why a conversation in this channel may hold no offer, or an empty text."""
        for limit in limits:
            if limit.direction not in ("any", direction) or limit.channel not in ("", channel):
                continue
            count = self.count(limit.days, limit.channel, limit.outcome)
            if count >= limit.count:
                how = f"{limit.outcome or 'contacted'}{f' by {limit.channel}' if limit.channel else ''}"
                return f"{how} {count} times in {limit.days} days; the limit is {limit.count}"
        return ""

    def pauses(self, suppressions: Sequence[Suppression]) -> Pauses:
        """Return which offers and groups are paused, and why."""
        found = Pauses()
        for suppression in suppressions:
            for key, until in self._paused(suppression).items():
                found.add(suppression, key, datetime.fromtimestamp(until, UTC).date())
        return found

    def _paused(self, suppression: Suppression) -> dict[str, float]:
        """Return until when (seconds) each offer, group or everything ("") is paused."""
        window, pause = suppression.window_days * DAY, suppression.pause_days * DAY
        recent: dict[str, deque[float]] = {}
        until: dict[str, float] = {}
        for when, contact in self.by_outcome.get(suppression.outcome, ()):
            key = self._key(suppression.scope, contact)
            if key is None or (suppression.channel and contact.channel != suppression.channel):
                continue
            times = recent.setdefault(key, deque(maxlen=suppression.count))
            times.append(when)
            if len(times) == suppression.count and when - times[0] <= window:
                until[key] = when + pause
        return {key: end for key, end in until.items() if end > self.now}

    def _key(self, scope: Scope, contact: Contact) -> str | None:
        """Return what a contact counts towards, or None where it names no such thing."""
        if scope == "all":
            return ""
        if scope == "offer":
            return contact.offer_id or None
        return contact.group or self.groups.get(contact.offer_id) or None

    def over_cap(self, caps: Sequence[Cap], offer_id: str) -> str:
        """Return which of an offer's caps this customer has reached, or an empty text."""
        about = self.by_offer.get(offer_id)
        for cap in caps if about else ():
            count = _count(about or (), self._since(cap.days), outcome=cap.outcome)
            if count >= cap.count:
                span = f" in {cap.days} days" if cap.days else ""
                return f"{cap.outcome or 'contacted'} {count} times{span}; the cap is {cap.count}"
        return ""


@dataclass(slots=True)
class Pauses:
    """Why everything, an offer or a group is paused: the first suppression of each that says so."""

    everything: str = ""
    offers: dict[str, str] = field(default_factory=dict)
    groups: dict[str, str] = field(default_factory=dict)

    def add(self, suppression: Suppression, key: str, until: date) -> None:
        """Note one pause."""
        what = {"offer": "this offer", "group": f"group {key!r}", "all": "all offers"}[suppression.scope]
        times = "once" if suppression.count == 1 else f"{suppression.count} times"
        reason = f"{what} {suppression.outcome} {times}: paused until {until}"
        if suppression.scope == "all":
            self.everything = self.everything or reason
        else:
            (self.offers if suppression.scope == "offer" else self.groups).setdefault(key, reason)

    def reason(self, offer: Offer) -> str:
        """Return why an offer is paused, or an empty text."""
        return self.everything or self.offers.get(offer.offer_id) or self.groups.get(offer.group, "")


def _count(seen: Iterable[Timed], since: float, channel: str = "", outcome: str = "") -> int:
    found = 0
    for when, contact in seen:
        if when > since and channel in ("", contact.channel) and outcome in ("", contact.outcome):
            found += 1
    return found
