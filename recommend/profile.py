"""One customer as the engine sees them on a given day."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final, TypeAlias

from recommend.history import History
from recommend.issues import NO_ISSUES, Issues

Scalar: TypeAlias = str | float | int | bool | None

CONTACT_DAYS: Final = 365  # no contact limit looks further back
CAMPAIGNS: Final = "campaigns"  # source of the tags that say to which campaigns a customer belongs


@dataclass(frozen=True, slots=True)
class Tag:
    """A fact on a customer: its name, where it comes from and since when it holds."""

    name: str
    source: str
    since: date


@dataclass(frozen=True, slots=True)
class Contact:
    """One time we approached the customer, or put an offer before them.

    ``outcome`` is one of ``sent``, ``presented``, ``accepted``, ``rejected``, ``snoozed``, ``ignored`` or
    ``purchased``;
    ``offer_id`` and ``group`` are empty for a contact without an offer.
    """

    at: datetime
    channel: str
    outcome: str = "sent"
    offer_id: str = ""
    group: str = ""


@dataclass(frozen=True, slots=True)
class Profile:
    """Everything a decision may look at, and nothing after ``as_of``.

    Parameters
    ----------
    customer_id
        Key of the customer.
    as_of
        The last day whose events are visible.
    value
        The fields of ``clv.columns.VALUE_FIELDS`` and the summary (frequency, recency_days ...), by name.
        Dates are ISO strings.
    segments
        Names of the segments the customer is in.
    tags
        Facts with source and time.
    attributes
        What the customers table holds beyond the contract (region, plan ...). Never shown to an agent.
    consent
        By ``channel`` or ``channel.purpose``; a missing entry means what the contact policy says it means.
    contacts
        Approaches so far, oldest first.
    open_issue
        Topic of an unresolved complaint, empty if there is none.
    history
        What was bought when, by item.
    known
        False for a customer no data exist about: the documented cold answer.
    issues
        What was complained of when, and what ended it: ``open_issue`` follows from it as of a day.
    """

    customer_id: str
    as_of: date
    value: dict[str, Scalar] = field(default_factory=dict)
    segments: tuple[str, ...] = ()
    tags: tuple[Tag, ...] = ()
    attributes: dict[str, Scalar] = field(default_factory=dict)
    consent: dict[str, bool] = field(default_factory=dict)
    contacts: tuple[Contact, ...] = ()
    open_issue: str = ""
    history: History = field(default_factory=History)
    known: bool = True
    issues: Issues = NO_ISSUES
