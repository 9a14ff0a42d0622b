"""Which segments are there, and who is in them?"""

from __future__ import annotations

import asyncio
from itertools import islice
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse

from serving.access.gate import GatedRoute
from serving.access.identity import Identity
from serving.api.asking import SegmentName, ServiceDep, errors, say
from serving.lists import csv_chunks
from serving.schemas import MemberAnswer, MembersAnswer, SegmentAnswer, SegmentsAnswer
from serving.service import Service

router = APIRouter(tags=["segments"], route_class=GatedRoute)


@router.get("/v1/segments", response_model=SegmentsAnswer, responses=errors(401, 403, 429, 503))
async def segments(service: ServiceDep) -> Response:
    """List every segment with its meaning, its rule, its size and its predicted value."""
    publication, sizes = service.segments()
    return say(
        SegmentsAnswer(
            snapshot=publication.name,
            as_of=publication.as_of,
            segments=tuple(SegmentAnswer.of(size) for size in sizes),
        )
    )


@router.get(
    "/v1/segments/{name}/customers",
    response_model=MembersAnswer,
    responses={
        **errors(400, 401, 403, 404, 422, 429, 503),
        200: {
            "description": "A page as JSON, or the whole list as CSV.",
            "content": {"text/csv": {"example": "customer_id,predicted_clv\r\n1058,1210.5\r\n"}},
        },
    },
)
async def segment_customers(
    request: Request,
    name: SegmentName,
    service: ServiceDep,
    cursor: Annotated[
        str | None, Query(max_length=400, description="`next_cursor` of the page before.")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=10_000, description="Customers on a page.")] = 100,
    wanted: Annotated[
        Literal["json", "csv"] | None, Query(alias="format", description="Wins over the Accept header.")
    ] = None,
) -> Response:
    """List the customers of a segment: pages as JSON, or the whole list as CSV by `Accept: text/csv`.

    Ordered by customer id. There is nothing personal in it: ids and scored fields only.
    """
    if (wanted or _accepted(request)) == "csv":
        answer = await asyncio.to_thread(_whole_list, service, name)
        who: Identity = request.state.who
        detail = f"{answer.headers['x-total-count']} customers of {answer.headers['x-snapshot']}"
        await service.memory.note(who.subject, "list.exported", name, detail)
        return answer
    most = min(limit, service.settings.serving.page_limit)
    return say(await asyncio.to_thread(_page, service, name, cursor, most))


def _accepted(request: Request) -> str:
    return "csv" if "text/csv" in request.headers.get("accept", "") else "json"


def _page(service: Service, name: str, cursor: str | None, limit: int) -> MembersAnswer:
    publication, size = service.segment(name)
    found = list(islice(service.members(publication, name, cursor), limit + 1))
    members = found[:limit]
    return MembersAnswer(
        segment=name,
        snapshot=publication.name,
        as_of=publication.as_of,
        total=size.customers,
        customers=tuple(MemberAnswer(customer_id=m.customer_id, value=m.value) for m in members),
        next_cursor=members[-1].customer_id if len(found) > limit else None,
    )


def _whole_list(service: Service, name: str) -> StreamingResponse:
    publication, size = service.segment(name)
    file = "".join(letter if letter.isalnum() or letter in "-_" else "-" for letter in name)
    return StreamingResponse(
        csv_chunks(service.members(publication, name)),
        media_type="text/csv; charset=utf-8",
        headers={
            "content-disposition": f'attachment; filename="{file.encode("ascii", "replace").decode()}.csv"',
            "x-total-count": str(size.customers),
            "x-snapshot": publication.name,
            "x-as-of": publication.as_of.isoformat(),
        },
    )
