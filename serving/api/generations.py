"""Which offers, policies and segments were in force when an old decision was made, or are now?"""

from __future__ import annotations

import asyncio
from typing import Annotated, Final, TypeAlias

from fastapi import APIRouter, Path, Response

from serving.access.gate import GatedRoute
from serving.api.asking import ServiceDep, errors, say
from serving.refusals import NotFound
from serving.schemas import GenerationAnswer
from serving.schemas.wire import PRINTED
from serving.store.generations import documents_of

router = APIRouter(tags=["generations"], route_class=GatedRoute)

NOW: Final = "current"
GenerationName: TypeAlias = Annotated[
    str,
    Path(
        min_length=1,
        max_length=100,
        pattern=PRINTED,
        description=f"The `snapshot` of an answer or a decision; `{NOW}` for the one in use.",
        examples=[NOW],
    ),
]


@router.get(
    "/v1/generations/{name}",
    response_model=GenerationAnswer,
    responses=errors(401, 403, 404, 422, 429, 503),
)
async def generation(name: GenerationName, service: ServiceDep) -> Response:
    """Show what was in force under a generation, however long ago its files were pruned."""
    wanted = service.shelf.require().name if name == NOW else name
    found = await asyncio.to_thread(documents_of, service.memory.database, wanted)
    if not found:
        raise NotFound("No generation of that name was ever in use here.", hint="`snapshot` of a decision.")
    return say(GenerationAnswer(snapshot=wanted, **found))
