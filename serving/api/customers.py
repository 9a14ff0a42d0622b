"""Who is this customer?"""

from __future__ import annotations

from fastapi import APIRouter, Response

from serving.access.gate import GatedRoute
from serving.api.asking import CustomerId, ServiceDep, errors, say
from serving.schemas import CustomerAnswer

router = APIRouter(tags=["customers"], route_class=GatedRoute)


@router.get(
    "/v1/customers/{customer_id}", response_model=CustomerAnswer, responses=errors(401, 403, 422, 429, 503)
)
async def customer(customer_id: CustomerId, service: ServiceDep) -> Response:
    """Who a customer is: value with its parts, P(alive), segments, tags and the expected next order.

    A customer nothing is known of gets the cold answer, status 200: `known` is false, the value is null, and
    there is neither segment nor tag. It becomes known with its first event or the next publication.
    """
    return say(CustomerAnswer.of(await service.see(customer_id)))
