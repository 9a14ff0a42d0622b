"""What the signature of a route is made of."""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias

from fastapi import Depends, Path, Request
from fastapi.responses import Response
from pydantic import BaseModel

from serving.schemas import ErrorAnswer
from serving.schemas.wire import PRINTED
from serving.service import Service


async def the_service(request: Request) -> Service:
    """Return the service this application was made with."""
    service: Service = request.app.state.service
    return service


ServiceDep: TypeAlias = Annotated[Service, Depends(the_service)]
CustomerId: TypeAlias = Annotated[
    str,
    Path(
        min_length=1, max_length=200, pattern=PRINTED, description="Key of the customer.", examples=["1058"]
    ),
]
SegmentName: TypeAlias = Annotated[
    str,
    Path(
        min_length=1,
        max_length=200,
        pattern=PRINTED,
        description="Name of the segment.",
        examples=["rfm_champions"],
    ),
]


def say(answer: BaseModel, status: int = 200) -> Response:
    """Send an answer that is already of the declared shape, without checking it a second time."""
    return Response(answer.model_dump_json(), status, media_type="application/json")


_SAID = {
    400: "The request cannot be read.",
    401: "Who asks is not known.",
    403: "Who asks may not do this.",
    404: "There is none of that name.",
    409: "It contradicts what is already recorded.",
    413: "Larger than the service takes.",
    415: "The body is not application/json.",
    422: "A field is missing, unknown or out of its range.",
    429: "Too many requests; come back after Retry-After seconds.",
    503: "Nothing is published yet, or what the answer needs is not there just now.",
}


def errors(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Describe the errors of a route for the API's own documentation."""
    return {status: {"model": ErrorAnswer, "description": _SAID[status]} for status in statuses}
