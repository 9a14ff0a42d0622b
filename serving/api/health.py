"""Is the process alive, and can it answer?"""

from __future__ import annotations

from fastapi import APIRouter, Response

from serving.api.asking import ServiceDep, errors, say
from serving.schemas import HealthAnswer, ReadyAnswer

router = APIRouter(tags=["health"])


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
        sign_in=False,
    )
    return say(answer, 503 if publication is None else 200)
