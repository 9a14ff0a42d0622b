"""What a policy may ask about: the fields of customer, context and offer, and their values in one moment."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from clv import columns as c
from recommend.catalogue import Offer
from recommend.context import Context
from recommend.profile import Profile
from recommend.rules import FieldType

CUSTOMER_FIELDS: Final[Mapping[str, FieldType]] = {
    **{f"customer.{name}": "number" for name in c.VALUE_FIELDS if name != c.EXPECTED_DATE_OF_NEXT_ORDER},
    **{f"customer.{name}": "number" for name in (*c.SUMMARY, c.MONETARY_VALUE, c.PROBABILITY_ALIVE)},
    f"customer.{c.EXPECTED_DATE_OF_NEXT_ORDER}": "date",
    f"customer.{c.FIRST_ORDER_ON}": "date",
    f"customer.{c.LAST_ORDER_ON}": "date",
    "customer.segments": "list",
    "customer.tags": "list",
    "customer.items": "list",
    "customer.known": "flag",
    "customer.open_issue": "text",
    "customer.contacts": "number",
}
CONTEXT_FIELDS: Final[Mapping[str, FieldType]] = {
    "context.channel": "text",
    "context.direction": "text",
    "context.locale": "text",
    "context.agent_id": "text",
    "context.intent": "text",
    "context.topic": "text",
    "context.sentiment": "text",
    "context.mentions": "list",
    "context.today": "date",
}
OFFER_FIELDS: Final[Mapping[str, FieldType]] = {
    "offer.offer_id": "text",
    "offer.name": "text",
    "offer.kind": "text",
    "offer.issue": "text",
    "offer.group": "text",
    "offer.category": "text",
    "offer.items": "list",
    "offer.margin": "number",
    "offer.price": "number",
    "offer.cost": "number",
    "offer.valid_from": "date",
    "offer.valid_to": "date",
}
FIELDS: Final[Mapping[str, FieldType]] = {**CUSTOMER_FIELDS, **CONTEXT_FIELDS, **OFFER_FIELDS}
"""Every field of every policy; attributes of customers and contexts are declared beside the policies."""


def facts_of(profile: Profile, context: Context, at: datetime) -> dict[str, Any]:
    """Return the fields of customer and context by name; empty texts are missing."""
    facts: dict[str, Any] = {f"customer.{name}": value for name, value in profile.attributes.items()}
    for name, value in profile.value.items():
        facts[f"customer.{name}"] = value
    for name, attribute in context.attributes.items():
        facts[f"context.{name}"] = attribute
    facts |= {
        "customer.segments": profile.segments,
        "customer.tags": tuple([tag.name for tag in profile.tags]),
        "customer.items": profile.history.items,
        "customer.known": profile.known,
        "customer.open_issue": profile.open_issue or None,
        "customer.contacts": len(profile.contacts),
        "context.channel": context.channel or None,
        "context.direction": context.direction,
        "context.locale": context.locale or None,
        "context.agent_id": context.agent_id or None,
        "context.intent": context.intent or None,
        "context.topic": context.topic or None,
        "context.sentiment": context.sentiment,
        "context.mentions": context.mentions,
        "context.today": at.date(),
    }
    return facts


def facts_of_offer(offer: Offer) -> dict[str, Any]:
    """Return the fields of an offer by name; empty texts are missing."""
    facts = {name: getattr(offer, name.removeprefix("offer.")) for name in OFFER_FIELDS}
    return {name: (None if value == "" else value) for name, value in facts.items()}
