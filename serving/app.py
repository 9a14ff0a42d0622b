"""The application: routes, the one error table, and what happens at start and end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException
from starlette.staticfiles import StaticFiles

from clv import errors
from serving import refusals
from serving.agent import page
from serving.api import customers, health, offers, segments
from serving.doorway import Doorway, error_answer, security_headers
from serving.engines import open_publication
from serving.published import Opener, Shelf
from serving.service import Service
from serving.settings import Settings, load_settings

log = logging.getLogger("clv.serving")

LARGEST_BODY: Final = 512_000

# The one place an error becomes a status. The first line that fits is taken, so the special come first.
STATUSES: Final[tuple[tuple[type[errors.ClvError], int, str], ...]] = (
    (refusals.NotFound, 404, "not_found"),
    (refusals.NotSignedIn, 401, "not_signed_in"),
    (refusals.NotAllowed, 403, "not_allowed"),
    (refusals.Malformed, 400, "malformed"),
    (refusals.Conflict, 409, "conflict"),
    (refusals.TooLarge, 413, "too_large"),
    (refusals.TooMany, 429, "too_many"),
    (refusals.Unavailable, 503, "unavailable"),
    (errors.RuleError, 422, "rule"),
    (errors.DataError, 422, "data"),
    (errors.SnapshotError, 503, "not_published"),
    (errors.RegistryError, 503, "registry"),
    (errors.BundleError, 503, "model"),
    (errors.ModelError, 503, "model"),
    (errors.ClvError, 500, "failed"),
)
_PLAIN: Final = {400: "malformed", 404: "not_found", 405: "wrong_method", 413: "too_large", 415: "media_type"}


def create_app(settings: Settings | None = None, opener: Opener = open_publication) -> FastAPI:
    """Make the application.

    Parameters
    ----------
    settings
        Every section the service reads; from ``clv.toml`` and the environment unless given.
    opener
        Opens a published generation and builds its engine.
    """
    settings = settings or load_settings()
    shelf = Shelf(settings.published, opener)
    app = FastAPI(
        title="Customer value and next best offer",
        summary="Who a customer is, what to say next, and who is in a segment.",
        version="1",
        docs_url=None,  # the stock pages load scripts from elsewhere; contact centres run closed networks
        redoc_url=None,
        telemetry={"tracing": False, "metrics": False, "logs": False},
        lifespan=_lifespan,
    )
    app.state.service = Service(settings, shelf)
    app.state.headers = security_headers()
    app.add_middleware(Doorway, headers=app.state.headers, largest_body=LARGEST_BODY)
    for router in (customers.router, offers.router, segments.router, health.router, page.router):
        app.include_router(router)
    app.mount("/static", StaticFiles(directory=Path(__file__).parent / "agent" / "static"), name="static")
    _add_error_handlers(app)
    return app


@contextlib.asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Open the current generation before the first question, and watch for newer ones until the end."""
    service: Service = app.state.service
    await asyncio.to_thread(service.shelf.refresh)
    watcher = asyncio.create_task(service.shelf.watch(service.settings.serving.poll_seconds))
    try:
        yield
    finally:
        watcher.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watcher


def _add_error_handlers(app: FastAPI) -> None:
    handlers: dict[type[Exception], Callable[[Request, Exception], Response]] = {
        errors.ClvError: _explained,
        RequestValidationError: _invalid,
        HTTPException: _plain,
        Exception: _unexpected,
    }
    for kind, handler in handlers.items():
        app.add_exception_handler(kind, _on_the_loop(handler))


def _on_the_loop(
    handler: Callable[[Request, Exception], Response],
) -> Callable[[Request, Exception], Awaitable[Response]]:
    """Keep a quick handler off the thread pool."""

    async def handle(request: Request, error: Exception) -> Response:
        return handler(request, error)

    return handle


def _explained(request: Request, error: Exception) -> Response:
    """Answer an error of our own tree."""
    if not isinstance(error, errors.ClvError):
        return _unexpected(request, error)
    status, code = next((status, code) for kind, status, code in STATUSES if isinstance(error, kind))
    message = f"{error.what} ({error.where})" if error.where and status < 500 else error.what
    if status >= 500:
        log.error("%s", error)
    headers = {"retry-after": str(error.retry_after)} if isinstance(error, refusals.TooMany) else {}
    if status == 401:
        headers["www-authenticate"] = "Bearer"
    return _error(request, status, code, message, error.hint, headers)


def _invalid(request: Request, error: Exception) -> Response:
    """Answer a request whose fields are missing, unknown or out of range; never repeats what was sent."""
    if not isinstance(error, RequestValidationError):
        return _unexpected(request, error)
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"])
    if first["type"] == "json_invalid":
        return _error(request, 400, "malformed", "The body is not JSON.", "Send UTF-8 JSON.")
    message = f"{place}: {first['msg']}."
    return _error(request, 422, "invalid", message, "GET /openapi.json describes every field.")


def _plain(request: Request, error: Exception) -> Response:
    """Answer an error of the framework: no such page, wrong method, body too large."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    headers = dict(error.headers or {}) if isinstance(error, HTTPException) else {}
    detail = str(getattr(error, "detail", ""))
    return _error(request, status, _PLAIN.get(status, "failed"), f"{detail.rstrip('.')}.", "", headers)


def _unexpected(request: Request, error: Exception) -> Response:
    """Answer a mistake of ours without telling its insides."""
    log.error("request %s failed", _request_id(request), exc_info=error)
    answer = _error(request, 500, "failed", "Something went wrong on our side.", "Name the request id.")
    answer.raw_headers.extend(request.app.state.headers)  # this answer is made outside the doorway
    return answer


def _error(
    request: Request, status: int, code: str, message: str, hint: str, headers: dict[str, str] | None = None
) -> Response:
    return error_answer(_request_id(request), status, code, message, hint, headers)


def _request_id(request: Request) -> str:
    return str(getattr(request.state, "request_id", ""))
