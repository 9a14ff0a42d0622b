"""What to say next to this customer, if anything?"""

from __future__ import annotations

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Body, Request, Response

from serving.access.gate import GatedRoute
from serving.access.identity import Identity
from serving.api.asking import CustomerId, ServiceDep, errors
from serving.schemas import OffersAnswer, OffersBody, offers_json

router = APIRouter(tags=["offers"], route_class=GatedRoute)

_EXAMPLES = {
    "no context": {"summary": "The customer has just come in", "value": {}},
    "asks about coffee": {
        "summary": "The customer has written something",
        "value": {"text": "Do you have coffee?", "context": {"channel": "chat"}},
    },
    "complains": {
        "summary": "A complaint: service first",
        "value": {"context": {"intent": "complaint", "topic": "delivery", "sentiment": "negative"}},
    },
}

_NO_CONTEXT = OffersBody()


@router.post(
    "/v1/customers/{customer_id}/next-best-offers",
    response_model=OffersAnswer,
    responses=errors(400, 401, 403, 413, 422, 429, 503),
)
async def next_best_offers(
    request: Request,
    customer_id: CustomerId,
    service: ServiceDep,
    body: Annotated[OffersBody | None, Body(openapi_examples=_EXAMPLES)] = None,
) -> Response:
    """Up to three hints with words and reasons, or silence with its reason; and what was held back, and why.

    A customer nothing is known of gets offers that are popular with everybody, under the same policies. The
    decision is logged before it is answered.
    """
    question = body or _NO_CONTEXT
    who: Identity = request.state.who
    tell = partial(offers_json, refused_limit=service.settings.serving.refused_limit)
    said = await service.decide(customer_id, question.context.context(who.subject), tell, question.text)
    return Response(said, media_type="application/json")
