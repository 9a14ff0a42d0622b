"""A customer's profile as the bytes a snapshot keeps, and back.

Up to three blobs a customer: ``value`` holds the scored fields, which lists read by the million; ``body`` the
rest, which only one customer's page needs; ``prepared`` the candidates of the day after, where the night
worked them out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

import orjson

from clv.errors import SnapshotError
from recommend.history import History
from recommend.issues import Issues
from recommend.profile import Contact, Profile, Scalar, Tag

_OPTIONS: Final = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS
_BODY: Final = (
    "as_of",
    "segments",
    "tags",
    "attributes",
    "consent",
    "contacts",
    "open_issue",
    "history",
    "known",
)


@dataclass(frozen=True, slots=True)
class Published:
    """A customer as a generation holds them.

    Parameters
    ----------
    profile
        As of the generation's last day.
    prepared
        The candidates for the day after, as :class:`recommend.prepared.Prepared` packs them; empty where the
        night prepared none.
    """

    profile: Profile
    prepared: bytes = b""


def encode(profile: Profile) -> tuple[bytes, bytes]:
    """Return a profile's ``value`` and ``body`` blobs; a number that is not finite becomes null.

    Examples
    --------
    >>> from datetime import date
    >>> profile = Profile("ann", date(2026, 1, 31), value={"predicted_clv": 12.5}, segments=("loyal",))
    >>> decode("ann", *encode(profile)) == profile
    True
    """
    body = {name: getattr(profile, name) for name in _BODY}
    if noted := profile.issues.as_json():
        body["issues"] = noted
    try:
        return orjson.dumps(profile.value, option=_OPTIONS), orjson.dumps(body, option=_OPTIONS)
    except orjson.JSONEncodeError as error:
        raise SnapshotError(
            f"A profile cannot be written: {error}.",
            where=f"customer {profile.customer_id}",
            hint="Attributes and values are text, numbers, true or false, or nothing.",
        ) from error


def decode(customer_id: str, value: bytes, body: bytes) -> Profile:
    """Return the profile that :func:`encode` wrote."""
    raw = orjson.loads(body)
    try:
        tags, contacts = raw["tags"], raw["contacts"]
        return Profile(
            customer_id,
            date.fromisoformat(raw["as_of"]),
            orjson.loads(value),
            tuple(raw["segments"]),
            tuple([_tag(tag) for tag in tags]) if tags else (),
            raw["attributes"],
            raw["consent"],
            tuple([_contact(contact) for contact in contacts]) if contacts else (),
            raw["open_issue"],
            History.from_json(raw["history"]),
            raw["known"],
            Issues.from_json(raw.get("issues")),
        )
    except (KeyError, TypeError, ValueError) as error:
        where = f"customer {customer_id}"
        raise SnapshotError(f"This is not a profile: {error!r}.", where=where) from error


def decode_value(value: bytes) -> dict[str, Scalar]:
    """Return the scored fields alone."""
    fields: dict[str, Scalar] = orjson.loads(value)
    return fields


def from_json(raw: Mapping[str, Any]) -> Profile:
    """Return a profile from plain values: dates as ISO strings, tags, contacts and history as mappings.

    Raises
    ------
    SnapshotError
        If a field is missing, unknown or of the wrong kind.
    """
    fields = dict(raw)
    try:
        customer_id, as_of = fields.pop("customer_id"), _day(fields.pop("as_of"))
        tags = tuple([_tag(tag) for tag in fields.pop("tags", ())])
        contacts = tuple([_contact(c) for c in fields.pop("contacts", ())])
        segments = tuple(fields.pop("segments", ()))
        fields["history"] = History.from_json(fields.get("history") or _NOTHING)
        fields["issues"] = Issues.from_json(fields.get("issues"))
        return Profile(customer_id, as_of, tags=tags, contacts=contacts, segments=segments, **fields)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        where = f"customer {raw.get('customer_id', '?')}"
        raise SnapshotError(f"This is not a profile: {error!r}.", where=where) from error


_NOTHING: Final[dict[str, list[object]]] = {"order_days": [], "items": [], "positions": []}


def _tag(raw: Mapping[str, Any]) -> Tag:
    return Tag(raw["name"], raw["source"], _day(raw["since"]))


def _contact(raw: Mapping[str, Any]) -> Contact:
    at = raw["at"]
    moment = at if isinstance(at, datetime) else datetime.fromisoformat(at)
    return Contact(moment, raw["channel"], raw["outcome"], raw["offer_id"], raw["group"])


def _day(raw: date | str) -> date:
    return raw if isinstance(raw, date) else date.fromisoformat(raw)
