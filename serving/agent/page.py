"""The page an agent looks at. It is plain HTML; what it shows it asks of the same API as everybody."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from functools import cache
from pathlib import Path
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from serving.access.gate import GatedRoute
from serving.api.asking import ServiceDep

router = APIRouter(include_in_schema=False, route_class=GatedRoute)

FOLDER: Final = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class AgentPage:
    """What the template of the agent's page may use."""

    as_of: str = field(
        metadata={"help": "Last day the published numbers saw, as text; empty before the first."}
    )
    open_house: bool = field(
        metadata={"help": "True when no sign-in is asked for, which is said on the page."}
    )
    version: str = field(
        metadata={"help": "Changes when a file of the page changes, so that no stale one is used."}
    )


@cache
def _template_version() -> str:
    newest = max(file.stat().st_mtime_ns for file in (FOLDER / "static").iterdir())
    return f"{newest:x}"


_TEMPLATES = Environment(
    loader=FileSystemLoader(FOLDER / "templates"), autoescape=True, undefined=StrictUndefined
)


def render(view: AgentPage) -> str:
    """Return the page as HTML."""
    inputs = {f.name: getattr(view, f.name) for f in fields(view)}
    return _TEMPLATES.get_template("agent.html").render(**inputs)


@router.get("/agent", response_class=HTMLResponse)
async def agent(request: Request, service: ServiceDep) -> HTMLResponse:
    """Show the agent's page."""
    publication = service.shelf.current
    as_of = f"{publication.as_of:%d %B %Y}".lstrip("0") if publication else ""
    return HTMLResponse(
        render(
            AgentPage(as_of, open_house=not service.settings.security.sign_in, version=_template_version())
        )
    )
