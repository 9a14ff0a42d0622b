"""A person's own data: everything held, handed out or erased."""

from __future__ import annotations

import asyncio
import time
from typing import Annotated, Final

from fastapi import APIRouter, Query, Request, Response

from serving.access.gate import GatedRoute
from serving.access.identity import Identity
from serving.api.asking import CustomerId, ServiceDep, errors, say
from serving.erasure import forget_published
from serving.schemas import AuditAnswer, DeedAnswer, ErasedAnswer, PersonAnswer
from serving.store.people import export
from serving.store.trail import latest

_UNDER_WAY_SECONDS: Final = 0.5  # by then what was asked of them before is decided and in the log, too
router = APIRouter(tags=["people"], route_class=GatedRoute)


@router.get(
    "/v1/people/{customer_id}", response_model=PersonAnswer, responses=errors(401, 403, 422, 429, 503)
)
async def person(request: Request, customer_id: CustomerId, service: ServiceDep) -> Response:
    """Everything held about a person, from every table of the store and the published generation.

    What the ledger and the tables of the nights hold beside it is handed out by `clv export`.
    """
    who: Identity = request.state.who
    publication = service.shelf.current
    published = publication.snapshot.held(customer_id) if publication else None
    name = service.memory.pseudonyms.of(customer_id)
    held = await asyncio.to_thread(export, service.memory.database, customer_id, name)
    await service.memory.note(who.subject, "person.exported", name.hex())
    return say(
        PersonAnswer(
            customer_id=customer_id,
            held=held,
            published=published,
        )
    )


@router.delete(
    "/v1/people/{customer_id}", response_model=ErasedAnswer, responses=errors(401, 403, 422, 429, 503)
)
async def forget(request: Request, customer_id: CustomerId, service: ServiceDep) -> Response:
    """Erase a person from the store and from the published generation, and do not take them back.

    From this answer on they are unknown: later events about them are refused, lists and hints leave them out.
    The ledger and the tables of the nights forget them with the next `clv run`; `clv erase` does all at once.
    """
    who: Identity = request.state.who
    name = service.memory.pseudonyms.of(customer_id).hex()
    whom = customer_id, time.time_ns() // 1000
    gone: dict[str, int] = await service.memory.commits.write("erasures", whom)
    # At once: what follows may fail, and is then asked for again.
    await service.memory.note(who.subject, "person.erased", name)
    await asyncio.sleep(_UNDER_WAY_SECONDS)
    late: dict[str, int] = await service.memory.commits.write("erasures", whom)
    await asyncio.to_thread(service.memory.database.settle)
    published = await asyncio.to_thread(forget_published, service)
    return say(
        ErasedAnswer(
            pseudonym=name,
            rows={table: rows + late[table] for table, rows in gone.items()},
            published_again=published > 0,
        )
    )


@router.get("/v1/audit", response_model=AuditAnswer, responses=errors(401, 403, 422, 429, 503))
async def audit_trail(
    service: ServiceDep, limit: Annotated[int, Query(ge=1, le=1000, description="Newest so many.")] = 100
) -> Response:
    """Who did what, newest first, and whether the record is whole."""
    memory = service.memory
    findings = await asyncio.to_thread(memory.trail.verify, memory.database)
    deeds = await asyncio.to_thread(latest, memory.database, limit)
    return say(
        AuditAnswer(
            lines=findings.lines,
            whole=findings.whole,
            deeds=tuple(DeedAnswer.of(deed) for deed in deeds),
        )
    )
