"""How an error becomes an answer: one table for the status, one shape for the body."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from clv import errors
from serving import refusals
from serving.doorway import error_answer

log = logging.getLogger("clv.serving")

# The one place an error becomes a status. The first line that fits is taken, so the special come first.
STATUSES: Final[tuple[tuple[type[errors.ClvError], int, str], ...]] = (
    (refusals.NotFound, 404, "not_found"),
    (refusals.NotSignedIn, 401, "not_signed_in"),
    (refusals.NotAllowed, 403, "not_allowed"),
    (refusals.Malformed, 400, "malformed"),
    (refusals.WrongMedia, 415, "media_type"),
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


def add_error_handlers(app: FastAPI) -> None:
    """Answer every error of the application in the one shape."""
    handlers: dict[type[Exception], Callable[[Request, Exception], Response]] = {
        errors.ClvError: explained,
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


def explained(request: Request, error: Exception) -> Response:
    """Answer an error of our own tree.

    Parameters
    ----------
    request
        What was asked.
    error
        Why it is refused.
    """
    if not isinstance(error, errors.ClvError):
        return _unexpected(request, error)
    status, code = next((status, code) for kind, status, code in STATUSES if isinstance(error, kind))
    message = f"{error.what} ({error.where})" if error.where and status < 500 else error.what
    if status >= 500:
        facts = {"request_id": _request_id(request), "status": status, "why": error.what}
        log.error("refused", extra={"facts": facts})
    headers = {"retry-after": str(error.retry_after)} if isinstance(error, refusals.TooMany) else {}
    if status == 401:
        headers["www-authenticate"] = "Bearer"
    if status == 503:
        headers["retry-after"] = "1"
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
    log.error("failed", exc_info=error, extra={"facts": {"request_id": _request_id(request)}})
    answer = _error(request, 500, "failed", "Something went wrong on our side.", "Name the request id.")
    answer.raw_headers.extend(request.app.state.headers)  # this answer is made outside the doorway
    return answer


def _error(
    request: Request, status: int, code: str, message: str, hint: str, headers: dict[str, str] | None = None
) -> Response:
    return error_answer(_request_id(request), status, code, message, hint, headers)


def _request_id(request: Request) -> str:
    return str(getattr(request.state, "request_id", ""))
