"""What a customer's book tells that the published generation does not hold.

Nothing here goes by when an event was received: a night may have read it, or not, or read the same from a
file. What is the same is told by what it says: an order by its number, an approach by its moment, a complaint
by what the notes of it say once both are put together. So nothing that was acknowledged is lost by a
publication, and nothing counted twice, whether or not the nights take in what `clv feedback` writes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from models.receipts import Entry, Receipts
from recommend.issues import HEARD, NO_ISSUES, Complaint, Interaction, Issues
from recommend.profile import CONTACT_DAYS, Contact, Profile
from serving.live.book import Book
from serving.live.messages import EPOCH, from_micros, micros

Held = Callable[[], Receipts | None]
"""Reads which orders a generation counted for the customer; not asked where no order was told of."""

_NO_RECEIPTS: Final = Receipts(unknown=True)
_SAID: Final = 7  # what an entry of an interaction says; when it was received and the event's id come after


@dataclass(frozen=True, slots=True)
class News:
    """What happened that a generation does not hold.

    Parameters
    ----------
    receipts
        What the generation counted.
    orders, returns
        Entries of :class:`serving.live.book.Book` beyond that.
    contacts
        Approaches and answers.
    consent
        Where it differs from the published one.
    issues
        What was complained of and what ended it, by the generation and since.
    moved
        Whether any of it moves the published profile.
    """

    receipts: Receipts = _NO_RECEIPTS
    orders: Sequence[Entry] = ()
    returns: Sequence[Entry] = ()
    contacts: tuple[Contact, ...] = ()
    consent: dict[str, bool] = field(default_factory=dict)
    issues: Issues = NO_ISSUES
    moved: bool = False


def news_of(published: Profile | None, book: Book, held: Held, as_of: date) -> News:
    """Return what a book tells beyond a published profile.

    Parameters
    ----------
    published
        What the generation says of the customer; None if it does not know them.
    book
        The customer's events.
    held
        Reads which orders the generation counted.
    as_of
        The last day the generation saw.
    """
    issues = _noted(published, as_of)
    if not book:
        return News(issues=issues)
    receipts = _NO_RECEIPTS
    orders: Sequence[Entry] = book.of("order")
    returns: Sequence[Entry] = book.of("return")
    if published is not None and (orders or returns):
        last_day = as_of.toordinal() - EPOCH
        receipts = held() or Receipts.of_profile(published)
        orders, returns = receipts.new_orders(orders, last_day), receipts.new_returns(returns, last_day)
    contacts = _contacts(published, book, as_of)
    consent = _consent(published, book)
    issues = issues.and_(Issues.of(map(_interaction, book.of("interaction"))))
    moved = published is None or issues.open_on(as_of) != published.open_issue
    moved = moved or bool(orders or returns or contacts or consent)
    return News(receipts, orders, returns, contacts, consent, issues, moved)


def _noted(published: Profile | None, as_of: date) -> Issues:
    """Return the published notes; a generation that says no more than that an issue is open saw it last."""
    if published is None:
        return NO_ISSUES
    if published.open_issue and published.issues == NO_ISSUES:
        end = micros(datetime.combine(as_of + timedelta(days=1), datetime.min.time(), UTC))
        return Issues(unresolved=Complaint(end - 1, published.open_issue))
    return published.issues


def _interaction(entry: list[Any]) -> Interaction:
    at, _, direction, intent, topic, resolved, mood = entry[:_SAID]
    sentiment = mood if isinstance(mood, str) else ""  # an earlier release kept none
    return Interaction(at, direction, intent, topic, sentiment, resolved, str(entry[-1]).startswith(HEARD))


def _contacts(published: Profile | None, book: Book, as_of: date) -> tuple[Contact, ...]:
    """Return the approaches and answers a publication does not hold, as far back as it would."""
    since = micros(datetime.combine(as_of - timedelta(days=CONTACT_DAYS - 1), datetime.min.time(), UTC))
    told = [
        Contact(from_micros(at), channel)
        for at, channel, direction, *_ in book.of("interaction")
        if direction == "outbound" and at >= since
    ]
    told += [
        Contact(from_micros(at), channel, outcome, offer_id, group)
        for at, channel, outcome, offer_id, group, *_ in _told_once(book.of("outcome"))
        if at >= since
    ]
    known = {(one.at, one.outcome, one.offer_id) for one in published.contacts} if published else set()
    new: dict[tuple[datetime, str, str], Contact] = {}
    for contact in told:
        new.setdefault((contact.at, contact.outcome, contact.offer_id), contact)
    return tuple(contact for key, contact in new.items() if key not in known)


def _told_once(outcomes: list[list[Any]]) -> Iterator[list[Any]]:
    """Yield the outcomes, of one told twice the one received first: the night knows of that one."""
    seen = set()
    for entry in sorted(outcomes, key=lambda entry: entry[-2]):
        decision = entry[5]  # an earlier release noted none
        told = (decision, entry[2], entry[3]) if isinstance(decision, str) and decision else entry[-1]
        if told not in seen:
            seen.add(told)
            yield entry


def _consent(published: Profile | None, book: Book) -> dict[str, bool]:
    """Return what the customer last said of consent, where it is not what is published."""
    said = {name: granted for _, name, granted, *_ in book.of("consent")}
    known = published.consent if published else {}
    return {name: granted for name, granted in said.items() if known.get(name) is not granted}
