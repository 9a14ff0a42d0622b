"""What an event may look like, and why one is refused: a subset of the Segment specification.

``Order Completed``, ``Order Refunded``, ``Interaction Recorded``, ``Consent Changed`` and ``Offer Outcome``.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final, get_args

import orjson

from recommend.context import Direction

LARGEST_EVENT: Final = 32_768
LONGEST_WORD: Final = 200
EARLIEST: Final = datetime(1990, 1, 1, tzinfo=UTC)
OUTCOMES: Final = frozenset({"presented", "accepted", "rejected", "snoozed", "ignored", "purchased"})
MOODS: Final = ("negative", "neutral", "positive")  # not a set: what was sent may be a list
EPOCH: Final = date(1970, 1, 1).toordinal()
_BEGINNING: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_UNPRINTED: Final = re.compile(r"[\x00-\x1f\x7f]")  # what an address of the API does not take either
_ZERO: Final = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")  # not a backslash and the word u0000
_AHEAD: Final = timedelta(hours=24)
LARGEST_AMOUNT: Final = 1e12
_MOST_PRODUCTS: Final = 500


@dataclass(frozen=True, slots=True)
class Rejection(Exception):  # noqa: N818  (it is an answer about one event, not a failure)
    """Why one event of a batch is not taken."""

    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Message:
    """One event that can be taken.

    Parameters
    ----------
    message_id
        Unique for ever: the same id again is the same event.
    digest
        Of the content, to tell the same event from another one under its id.
    customer_id
        Whom it is about.
    kind
        ``order``, ``return``, ``interaction``, ``consent`` or ``outcome``.
    entry
        What goes into the customer's book.
    body
        The event as it came, as JSON.
    occurred_at
        When, in UTC microseconds since 1970.
    """

    message_id: str
    digest: bytes
    customer_id: str
    kind: str
    entry: list[Any]
    body: bytes
    occurred_at: int
    facts: dict[str, Any] = field(default_factory=dict)


def read_message(raw: object, now: datetime) -> Message:
    """Return an event that can be taken.

    Parameters
    ----------
    raw
        One item of a batch, as JSON gave it.
    now
        The wall clock's time, UTC: an event a day ahead of it is refused.

    Raises
    ------
    Rejection
        With a code and what is wrong.
    """
    if not isinstance(raw, dict):
        raise Rejection("not_an_event", "An event is a JSON object.")
    try:
        body = orjson.dumps(raw, option=orjson.OPT_SORT_KEYS)
    except (orjson.JSONEncodeError, RecursionError) as error:
        raise Rejection("not_an_event", "The event cannot be written as JSON.") from error
    if len(body) > LARGEST_EVENT:
        raise Rejection("too_large", f"An event has at most {LARGEST_EVENT} bytes; this has {len(body)}.")
    if b"\\u0000" in body and _ZERO.search(body):  # PostgreSQL's texts take none
        raise Rejection("invalid", "A text of the event holds a zero character.")
    message_id = _word(raw, "messageId")
    customer_id = _word(raw, "userId")
    if _UNPRINTED.search(message_id + customer_id):
        raise Rejection("invalid", "messageId, userId: no control characters.")
    if raw.get("type", "track") != "track":
        raise Rejection("unknown_type", "The type of an event is track.")
    at = _moment(raw.get("timestamp"), now)
    reader = READERS.get(str(raw.get("event")))
    if reader is None:
        raise Rejection("unknown_event", f"The event is one of: {', '.join(READERS)}.")
    properties = raw.get("properties")
    if not isinstance(properties, dict):
        raise Rejection("missing", "properties: a JSON object is wanted.")
    kind, entry = reader(properties, at)
    if kind == "order":  # not in the reader, which reads again what earlier releases took
        _check_lines(properties.get("products", []))
    digest = hashlib.blake2b(body, digest_size=16).digest()
    return Message(message_id, digest, customer_id, kind, entry, body, micros(at), properties)


def micros(at: datetime) -> int:
    """Return a moment as UTC microseconds since 1970.

    >>> micros(datetime(1970, 1, 2, tzinfo=UTC))
    86400000000
    """
    return (at - _BEGINNING) // _MICROSECOND


def from_micros(value: int) -> datetime:
    """Return the moment :func:`micros` made a number of."""
    return _BEGINNING + timedelta(microseconds=value)


def day_of(at: datetime) -> int:
    """Return the UTC day of a moment as days since 1970."""
    return at.astimezone(UTC).toordinal() - EPOCH


def _order(raw: Mapping[str, Any], at: datetime) -> tuple[str, list[Any]]:
    products = raw.get("products", [])
    if not isinstance(products, list) or len(products) > _MOST_PRODUCTS:
        raise Rejection("invalid", f"products: a list of at most {_MOST_PRODUCTS} is wanted.")
    amount = _total(raw)
    if amount is None:
        amount = math.fsum(_money(_object(p), "price") * _quantity(_object(p)) for p in products)
    items = sorted({item for p in products if (item := _item(_object(p)))})
    total = _money({"total": amount}, "total")
    if total < 0:
        raise Rejection("invalid", "total: an order is not negative; send Order Refunded.")
    return "order", [day_of(at), _word(raw, "order_id"), total, items]


def _total(raw: Mapping[str, Any]) -> Any:  # noqa: ANN401  (whatever was sent)
    """Return what an order or a refund says it comes to; nothing where it does not say."""
    total = raw.get("total")
    return raw.get("revenue") if total is None else total


def _check_lines(products: Iterable[Mapping[str, Any]]) -> None:
    """Refuse a price or quantity that is no number, also beside a total: the night reads them."""
    for line in products:
        for name in ("price", "quantity"):
            if line.get(name) is not None:
                _money(line, name)


def _return(raw: Mapping[str, Any], at: datetime) -> tuple[str, list[Any]]:
    amount = _total(raw)
    return "return", [day_of(at), _word(raw, "order_id"), -abs(_money({"total": amount}, "total"))]


def _interaction(raw: Mapping[str, Any], at: datetime) -> tuple[str, list[Any]]:
    direction = raw.get("direction", "inbound")
    if direction not in get_args(Direction):
        raise Rejection("invalid", "direction: inbound or outbound.")
    resolved = raw.get("resolved")
    if resolved not in (None, True, False):  # not a set: what was sent may be a list
        raise Rejection("invalid", "resolved: true or false.")
    intent, topic = _text(raw, "intent"), _text(raw, "topic")
    mood = raw.get("sentiment") if raw.get("sentiment") in MOODS else ""
    return "interaction", [micros(at), _word(raw, "channel"), direction, intent, topic, resolved, mood]


def _consent(raw: Mapping[str, Any], at: datetime) -> tuple[str, list[Any]]:
    granted = raw.get("granted")
    if not isinstance(granted, bool):
        raise Rejection("invalid", "granted: true or false.")
    purpose = _text(raw, "purpose")
    channel = _word(raw, "channel")
    return "consent", [micros(at), f"{channel}.{purpose}" if purpose else channel, granted]


def _outcome(raw: Mapping[str, Any], at: datetime) -> tuple[str, list[Any]]:
    outcome = raw.get("outcome")
    if not isinstance(outcome, str) or outcome not in OUTCOMES:
        raise Rejection("invalid", f"outcome: one of {', '.join(sorted(OUTCOMES))}.")
    channel = _text(raw, "channel") or "chat"
    decision = str(raw.get("decision_id") or "")
    return "outcome", [micros(at), channel, outcome, _word(raw, "offer_id"), _text(raw, "group"), decision]


READERS: Final[Mapping[str, Callable[[Mapping[str, Any], datetime], tuple[str, list[Any]]]]] = {
    "Order Completed": _order,
    "Order Refunded": _return,
    "Interaction Recorded": _interaction,
    "Consent Changed": _consent,
    "Offer Outcome": _outcome,
}


def _word(raw: Mapping[str, Any], name: str) -> str:
    value = raw.get(name)
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or not value.strip():
        raise Rejection("missing", f"{name}: a text is wanted.")
    if len(value) > LONGEST_WORD or "\x00" in value:
        raise Rejection("invalid", f"{name}: at most {LONGEST_WORD} characters, none of them zero.")
    return value


def _text(raw: Mapping[str, Any], name: str) -> str:
    return "" if raw.get(name) in (None, "") else _word(raw, name)


def _object(raw: object) -> Mapping[str, Any]:
    if not isinstance(raw, dict):
        raise Rejection("invalid", "products: each is a JSON object.")
    return raw


def _money(raw: Mapping[str, Any], name: str) -> float:
    value = raw.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Rejection("missing", f"{name}: a number is wanted.")
    if not math.isfinite(value) or abs(value) > LARGEST_AMOUNT:
        raise Rejection("invalid", f"{name}: out of range.")
    return float(value)


def _quantity(raw: Mapping[str, Any]) -> float:
    return _money(raw, "quantity") if "quantity" in raw else 1.0


def _item(raw: Mapping[str, Any]) -> str:
    """Return what the item is called in offers: its item, else the deepest category, else the product."""
    if raw.get("item"):
        return _word(raw, "item")
    if raw.get("category"):
        return _word(raw, "category").rsplit("/", 1)[-1].strip()
    return _word(raw, "product_id") if raw.get("product_id") else ""


def _moment(value: object, now: datetime) -> datetime:
    if not isinstance(value, str) or len(value) > 40:
        raise Rejection("missing", "timestamp: an ISO 8601 moment is wanted.")
    try:
        at = datetime.fromisoformat(value)
        at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError) as error:  # the latter where UTC is before year 1 or after 9999
        raise Rejection("invalid", "timestamp: not an ISO 8601 moment.") from error
    if at > now + _AHEAD:
        raise Rejection("in_the_future", "timestamp: more than a day ahead.")
    if at < EARLIEST:
        raise Rejection("invalid", f"timestamp: before {EARLIEST.year}.")
    return at
