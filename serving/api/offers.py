"""What to say next to this customer, if anything?"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body, Response

from serving.api.asking import CustomerId, ServiceDep, errors, say
from serving.schemas import OffersAnswer, OffersBody

router = APIRouter(tags=["offers"])

_EXAMPLES = {
    "no context": {"summary": "The customer has just come in", "value": {}},
    "asks about coffee": {
        "summary": "The chat is about a product",
        "value": {"context": {"channel": "chat", "intent": "buy", "mentions": ["COFFEE"]}},
    },
    "complains": {
        "summary": "A complaint: service first",
        "value": {"context": {"intent": "complaint", "topic": "delivery", "sentiment": "negative"}},
    },
}


@router.post(
    "/v1/customers/{customer_id}/next-best-offers",
    response_model=OffersAnswer,
    responses=errors(400, 401, 403, 413, 422, 429, 503),
)
async def next_best_offers(
    customer_id: CustomerId,
    service: ServiceDep,
    body: Annotated[OffersBody | None, Body(openapi_examples=_EXAMPLES)] = None,
) -> Response:
    """Up to three hints with words and reasons, or silence with its reason; and what was held back, and why.

    A customer nothing is known of gets offers that are popular with everybody, under the same policies.
    """
    question = body or OffersBody()
    decision, seen = service.decide(customer_id, question.context.context(agent_id=""))
    limit = service.settings.serving.refused_limit
    return say(OffersAnswer.of(decision, seen.profile, seen.publication.offer_name, limit))
