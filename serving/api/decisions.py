"""What was decided, and what became of it."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Annotated, Any, TypeAlias

from fastapi import APIRouter, Body, Path, Request, Response

from clv.errors import DataError
from serving.access.gate import GatedRoute
from serving.access.identity import Identity
from serving.api.asking import ServiceDep, errors, say
from serving.live.messages import Rejection, read_message
from serving.refusals import NotFound
from serving.schemas import DecisionAnswer, OutcomeBody, OutcomesAnswer, OutcomesBody
from serving.schemas.wire import PRINTED
from serving.service import Service
from serving.store.decisions import Logged, find_decision, outcomes_of

router = APIRouter(tags=["decisions"], route_class=GatedRoute)

DecisionId: TypeAlias = Annotated[
    str,
    Path(min_length=1, max_length=64, pattern=PRINTED, description="From the answer with the hints."),
]

_EXAMPLES = {
    "said and taken": {
        "summary": "The agent said it, and the customer took it",
        "value": {
            "outcomes": [
                {"offer_id": "item:COFFEE", "outcome": "presented"},
                {"offer_id": "item:COFFEE", "outcome": "accepted", "value": 6.99},
            ]
        },
    },
    "turned down": {
        "summary": "The customer did not want it, and said why",
        "value": {
            "outcomes": [{"offer_id": "item:TEA", "outcome": "rejected", "reason": "too expensive"}],
        },
    },
}


@router.get(
    "/v1/decisions/{decision_id}",
    response_model=DecisionAnswer,
    responses=errors(401, 403, 404, 422, 429, 503),
)
async def decision(request: Request, decision_id: DecisionId, service: ServiceDep) -> Response:
    """Show a decision as it was logged: every candidate with its numbers, and the outcomes so far."""
    logged = await _find(service, decision_id, request.state.who)
    found = await asyncio.to_thread(outcomes_of, service.memory.database, decision_id)
    return say(DecisionAnswer.of(logged, found))


@router.post(
    "/v1/decisions/{decision_id}/outcomes",
    status_code=202,
    response_model=OutcomesAnswer,
    responses=errors(400, 401, 403, 404, 413, 422, 429, 503),
)
async def outcomes(
    request: Request,
    decision_id: DecisionId,
    body: Annotated[OutcomesBody, Body(openapi_examples=_EXAMPLES)],
    service: ServiceDep,
) -> Response:
    """Say what became of the offers of a decision; the same outcome told twice is kept once.

    `presented` is what the agent said, `accepted`, `rejected` (with a reason), `snoozed`, `ignored` what the
    customer answered, `purchased` what came of it. They count at once for contact limits and pauses.
    """
    who: Identity = request.state.who
    logged = await _find(service, decision_id, who)
    known = {str(candidate["offer_id"]) for candidate in logged.record["candidates"]}
    publication = service.shelf.require()
    at = service.clock.now(publication.as_of)
    messages = []
    for one in body.outcomes:
        if one.offer_id not in known:
            raise DataError("The decision was not about this offer.", where=one.offer_id)
        offer = publication.catalogue.by_id.get(one.offer_id)
        raw = _event(logged, one, who, offer.group if offer else "", at)
        try:
            messages.append(read_message(raw, max(at, datetime.now(at.tzinfo))))
        except Rejection as refusal:
            raise DataError(refusal.detail, where=refusal.code) from refusal
    taken = await service.take(messages)
    recorded = taken.count("accepted")
    return say(OutcomesAnswer(recorded=recorded, duplicates=len(taken) - recorded), 202)


async def _find(service: Service, decision_id: str, who: Identity) -> Logged:
    """Return a decision, if whoever asks may see it: an agent sees their own."""
    logged = await asyncio.to_thread(find_decision, service.memory.database, decision_id)
    if logged is None or (who.role == "agent" and logged.agent_id != who.subject):
        raise NotFound("There is no decision of that id.")
    return logged


def _event(logged: Logged, one: OutcomeBody, who: Identity, group: str, at: datetime) -> dict[str, Any]:
    """Return an outcome as the event it is kept as: one of a kind per decision and offer."""
    return {
        "messageId": f"outcome:{logged.decision_id}:{one.outcome}:{one.offer_id}"[:200],
        "userId": logged.customer_id,
        "event": "Offer Outcome",
        "timestamp": (one.at or at).isoformat(),
        "properties": {
            "decision_id": logged.decision_id,
            "offer_id": one.offer_id,
            "outcome": one.outcome,
            "channel": logged.record["channel"] or "chat",
            "group": group,
            "reason": one.reason,
            "value": one.value,
            "agent_id": who.subject,
        },
    }
