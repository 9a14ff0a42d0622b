"""What happened: events in, each kept exactly once, acknowledged after the commit."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

import orjson
from fastapi import APIRouter, Request, Response

from clv.errors import DataError
from serving.access.gate import GatedRoute
from serving.api.asking import ServiceDep, errors, say
from serving.live.messages import LARGEST_EVENT, READERS, Message, Rejection, read_message
from serving.refusals import Malformed, TooLarge, WrongMedia
from serving.schemas import EventsAnswer, RejectedAnswer
from serving.service import Service
from serving.store.events import Taken

router = APIRouter(tags=["events"], route_class=GatedRoute)

_ORDER: Final[dict[str, Any]] = {
    "type": "track",
    "messageId": "order-81723",
    "userId": "1058",
    "event": "Order Completed",
    "timestamp": "2018-01-01T10:02:00Z",
    "properties": {
        "order_id": "81723",
        "total": 41.7,
        "products": [{"product_id": "933835", "category": "GROCERY/COFFEE", "price": 6.99, "quantity": 1}],
    },
}
_EVENT: Final[dict[str, Any]] = {
    "type": "object",
    "description": "An event in the Segment shape: messageId (unique for ever), userId, event (one of "
    f"{', '.join(READERS)}), timestamp (ISO 8601), properties. What cannot be taken is named in the answer.",
}


def _body(schema: dict[str, Any], example: object) -> dict[str, Any]:
    content = {"application/json": {"schema": schema, "example": example}}
    return {"requestBody": {"required": True, "content": content}}


MOST_EVENTS: Final = 5000
_BATCH: Final = {
    "type": "object",
    "required": ["batch"],
    "properties": {"batch": {"type": "array", "items": {}, "maxItems": MOST_EVENTS}},
}


@router.post(
    "/v1/events",
    status_code=202,
    response_model=EventsAnswer,
    responses=errors(400, 401, 403, 413, 415, 422, 429, 503),
    openapi_extra=_body(_EVENT, _ORDER),
)
async def event(request: Request, service: ServiceDep) -> Response:
    """Take one event, in the Segment shape; one that cannot be taken is named with why, as in a batch."""
    raw = await _json(request, service)
    if not isinstance(raw, dict):
        raise DataError("An event is a JSON object.", hint="Many at once go to /v1/batch.")
    answer = await _take(service, [raw])
    for refused in answer.rejected:
        if refused.code == "too_large":
            raise TooLarge(refused.detail, hint=f"At most {LARGEST_EVENT} bytes.")
    return say(answer, 202)


@router.post(
    "/v1/batch",
    status_code=202,
    response_model=EventsAnswer,
    responses=errors(400, 401, 403, 413, 415, 422, 429, 503),
    openapi_extra=_body(_BATCH, {"batch": [_ORDER]}),
)
async def batch(request: Request, service: ServiceDep) -> Response:
    """Take many events at once: what can be taken is taken, the rest is named with its index and why."""
    raw = await _json(request, service)
    items = raw.get("batch") if isinstance(raw, dict) else None
    if not isinstance(items, list):
        raise DataError("batch: a list of events is wanted.", hint='{"batch": [...]}')
    if len(items) > MOST_EVENTS:
        raise DataError(f"batch: more than {MOST_EVENTS} events.", hint="Send them in several batches.")
    return say(await _take(service, items), 202)


async def _json(request: Request, service: Service) -> Any:  # noqa: ANN401
    """Read the body; a page elsewhere can make a browser send anything but JSON without asking first.

    In a flood most is turned away: what finds no room is not read, and costs those inside next to nothing.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise WrongMedia("The body is not JSON.", hint="Content-Type: application/json")
    service.memory.commits.require_room(1)
    try:
        return orjson.loads(await request.body())
    except orjson.JSONDecodeError as error:
        raise Malformed("The body is not JSON.", hint="Send UTF-8 JSON.") from error


async def _take(service: Service, items: list[Any]) -> EventsAnswer:
    service.memory.commits.require_room(len(items))
    now = datetime.now(UTC)
    messages: list[Message] = []
    places: list[int] = []
    rejected: list[RejectedAnswer] = []
    for index, raw in enumerate(items):
        try:
            messages.append(read_message(raw, now))
            places.append(index)
        except Rejection as refusal:
            service.metrics.events["rejected"] += 1
            rejected.append(RejectedAnswer(index=index, code=refusal.code, detail=refusal.detail))
    taken = await service.take(messages) if messages else []
    rejected += [
        RejectedAnswer(index=places[place], code=verdict, detail=_WHY[verdict])
        for place, verdict in enumerate(taken)
        if verdict in _WHY
    ]
    return EventsAnswer(
        accepted=taken.count("accepted"),
        duplicates=taken.count("duplicate"),
        rejected=tuple(sorted(rejected, key=lambda refused: refused.index)),
    )


_WHY: Final[dict[Taken, str]] = {
    "conflict": "Another event was taken under this messageId.",
    "another_customer": "The decision it names was about another customer.",
    "suppressed": "This person asked to be forgotten.",
}
