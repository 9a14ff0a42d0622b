"""A conversation: each message is heard, the hints follow, and whoever watches is told."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from functools import partial
from typing import Annotated, Final, TypeAlias

from fastapi import APIRouter, Body, Header, Path, Request, Response
from fastapi.responses import StreamingResponse

from recommend.context import Context
from recommend.issues import COMPLAINTS
from serving.access.gate import GatedRoute
from serving.access.identity import Identity
from serving.api.asking import ServiceDep, errors
from serving.live.heard import heard_message
from serving.refusals import Conflict, NotFound
from serving.schemas import MessageBody, OffersAnswer, offers_json
from serving.schemas.wire import PRINTED
from serving.service import Service, hear
from serving.store.conversations import Conversation, find

router = APIRouter(tags=["conversations"], route_class=GatedRoute)

_TRIES: Final = 20  # so many times another machine may be first
LOOK_SECONDS: Final = 0.25
ALIVE_SECONDS: Final = 15.0
LONGEST_SECONDS: Final = 900.0
CHECK_SECONDS: Final = 5.0  # after which a key that was revoked listens no more

ConversationId: TypeAlias = Annotated[
    str,
    Path(
        min_length=1,
        max_length=200,
        pattern=PRINTED,
        description="As the helpdesk names it.",
        examples=["chat-42"],
    ),
]

_EXAMPLES = {
    "asks": {
        "summary": "The customer asks for something",
        "value": {"customer_id": "1058", "text": "Do you have coffee?", "channel": "chat", "locale": "en"},
    },
    "complains": {
        "summary": "The customer complains: service first",
        "value": {"customer_id": "1058", "text": "My delivery is three days late."},
    },
}


@router.post(
    "/v1/conversations/{conversation_id}/messages",
    response_model=OffersAnswer,
    responses=errors(400, 401, 403, 404, 409, 413, 422, 429, 503),
)
async def message(
    request: Request,
    conversation_id: ConversationId,
    body: Annotated[MessageBody, Body(openapi_examples=_EXAMPLES)],
    service: ServiceDep,
) -> Response:
    """Hear a message and decide again: what was said before in the conversation still holds.

    The text itself is not kept, only what it told: wish, topic, mood, products. A complaint is noted for the
    customer's other conversations too: until an interaction is resolved, they wish to buy, or 14 days pass.
    Of a person who asked to be forgotten nothing is kept: each message stands alone.
    """
    who: Identity = request.state.who
    await request.app.state.gate.ask_about(who, body.customer_id)
    for _ in range(_TRIES):
        async with service.one_at_a_time(conversation_id):
            said = await _hear(service, conversation_id, body, who)
        if said is not None:
            return Response(said, media_type="application/json")
    raise Conflict("Others write to this conversation at once.", hint="Send the message again.")


async def _hear(service: Service, conversation_id: str, body: MessageBody, who: Identity) -> bytes | None:
    """Hear a message after those before it; None if another one of the conversation was heard meanwhile."""
    before = await asyncio.to_thread(find, service.memory.database, conversation_id)
    _may_see(before, who)
    if before is not None and before.customer_id != body.customer_id:
        raise Conflict("This conversation is with another customer.", hint="Start one of its own.")
    context, turn = _context(service, before, body, who), before.turn + 1 if before else 1
    complained = bool(before and before.state.get("complained"))
    complains = context.intent == "complaint" or (complained and context.intent != "buy")
    if complains != complained:
        at = service.clock.now(service.shelf.require().as_of)
        told = heard_message(conversation_id, turn, body.customer_id, context, at, over=complained)
        await service.take([told])
    tell = partial(offers_json, refused_limit=service.settings.serving.refused_limit)
    heard = Conversation(
        conversation_id=conversation_id,
        owner=before.owner if before else who.subject,
        customer_id=body.customer_id,
        turn=turn,
        state={**_state(context), "complained": complains},
        answer=b"",
        changed_at=time.time_ns() // 1000,
    )
    return await service.decide_turn(heard, context, tell)


@router.get(
    "/v1/conversations/{conversation_id}/hints",
    response_class=StreamingResponse,
    responses={
        **errors(401, 403, 404, 422, 429, 503),
        200: {
            "description": "A stream of server-sent events named `hints`, one for each change.",
            "content": {"text/event-stream": {"example": 'id: 1\nevent: hints\ndata: {"hints": []}\n\n'}},
        },
    },
)
async def hints(
    request: Request,
    conversation_id: ConversationId,
    service: ServiceDep,
    last_event_id: Annotated[str, Header(max_length=20)] = "",
) -> StreamingResponse:
    """Follow the hints of a conversation: the latest at once, then each change, for up to a quarter hour.

    A client that reconnects with `Last-Event-ID` gets what it missed last, nothing twice.
    """
    who: Identity = request.state.who
    conversation = await asyncio.to_thread(find, service.memory.database, conversation_id)
    _may_see(conversation, who)
    if conversation is None:
        raise NotFound("Nothing was heard in this conversation yet.", hint="Post a message first.")
    seen = int(last_event_id) if last_event_id.isdecimal() else 0
    return StreamingResponse(_follow(request, service, conversation, seen), media_type="text/event-stream")


async def _follow(
    request: Request, service: Service, conversation: Conversation, seen: int
) -> AsyncIterator[bytes]:
    started = said = checked = time.monotonic()
    current: Conversation | None = conversation
    yield b"retry: 2000\n\n"
    while time.monotonic() - started < LONGEST_SECONDS and not service.closing:
        if current is not None and current.turn > seen:
            seen, said = current.turn, time.monotonic()
            yield b"id: %d\nevent: hints\ndata: %b\n\n" % (seen, current.answer)
        elif time.monotonic() - said > ALIVE_SECONDS:
            said = time.monotonic()
            yield b": still here\n\n"
        if await request.is_disconnected():
            return
        if time.monotonic() - checked > CHECK_SECONDS:
            checked = time.monotonic()
            if not await request.app.state.gate.still_knows(request):
                return
        await asyncio.sleep(LOOK_SECONDS)
        current = await asyncio.to_thread(find, service.memory.database, conversation.conversation_id)


def _may_see(conversation: Conversation | None, who: Identity) -> None:
    """Refuse a conversation of another agent as if it were not there."""
    if conversation is not None and who.role in {"agent", "machine"} and conversation.owner != who.subject:
        raise NotFound("There is no conversation of that id.")


def _context(service: Service, before: Conversation | None, body: MessageBody, who: Identity) -> Context:
    """Return what the conversation is about: a message's own words win, but a complaint is not forgotten."""
    fresh = Context(channel=body.channel, locale=body.locale, agent_id=who.subject)
    heard = hear(service.shelf.require(), fresh, body.text)
    if before is None:
        return heard
    old = before.state
    return replace(
        heard,
        intent=_wish(heard.intent, old["intent"]),
        topic=heard.topic or old["topic"],
        mentions=tuple(dict.fromkeys((*heard.mentions, *old["mentions"])))[:50],
    )


def _wish(heard: str, before: str) -> str:
    """Return what the customer wants now: asking about a complaint is not its end, wishing to buy is.

    >>> _wish("ask", "complaint"), _wish("", "cancel"), _wish("buy", "complaint"), _wish("ask", "buy")
    ('complaint', 'cancel', 'buy', 'ask')
    """
    holds = before in COMPLAINTS and heard not in {*COMPLAINTS, "buy"}
    return before if holds else heard or before


def _state(context: Context) -> dict[str, object]:
    return {
        "intent": context.intent,
        "topic": context.topic,
        "sentiment": context.sentiment,
        "mentions": list(context.mentions),
    }
