"""Is the process alive, can it answer, and what has it counted?"""

from __future__ import annotations

from fastapi import APIRouter, Response
from fastapi.responses import PlainTextResponse

from serving.access.gate import GatedRoute
from serving.api.asking import ServiceDep, errors, say
from serving.schemas import HealthAnswer, ReadyAnswer

router = APIRouter(tags=["health"], route_class=GatedRoute)


@router.get("/healthz", response_model=HealthAnswer)
async def healthz() -> Response:
    """Say that the process is alive."""
    return say(HealthAnswer())


@router.get("/readyz", response_model=ReadyAnswer, responses={503: {"model": ReadyAnswer}, **errors()})
async def readyz(service: ServiceDep) -> Response:
    """Say whether questions can be answered; degraded still answers, and says what is wrong."""
    reasons = service.trouble()
    publication = service.shelf.current
    answer = ReadyAnswer(
        status="not_ready" if publication is None else "degraded" if reasons else "ready",
        reasons=reasons,
        snapshot=publication.name if publication else "",
        as_of=publication.as_of if publication else None,
        models=publication.models if publication else {},
        sign_in=service.settings.security.sign_in,
    )
    return say(answer, 503 if publication is None else 200)


@router.get(
    "/metrics",
    response_class=PlainTextResponse,
    responses={
        200: {"content": {"text/plain": {"example": "clv_decisions_total 3.0"}}},
        **errors(401, 403, 429),
    },
)
async def metrics(service: ServiceDep) -> Response:
    """Everything counted, in Prometheus' text format: by all workers of this machine, up to a second ago."""
    return Response(service.metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")
