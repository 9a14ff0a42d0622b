"""What every request passes on its way in and every answer on its way out.

One plain ASGI layer: the largest body, a request id, the security headers, the count and the log line.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Awaitable, Mapping
from typing import Final

import orjson
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.addresses import SLASHED, undivided
from serving.chance import CHANCE
from serving.metrics import Metrics

log = logging.getLogger("clv.requests")

_ID: Final = re.compile(rb"[A-Za-z0-9._-]{8,64}")

_TOO_LARGE: Final = "The body is larger than the service takes."
_SMALLER: Final = "Send it in smaller parts."

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors {ancestors}"
)


def security_headers(ancestors: tuple[str, ...] = ()) -> list[tuple[bytes, bytes]]:
    """Return the headers every answer carries.

    Parameters
    ----------
    ancestors
        Origins that may frame the pages, beside our own.
    """
    policy = POLICY.format(ancestors=" ".join(("'self'", *ancestors)))
    return [
        (b"content-security-policy", policy.encode("ascii")),
        (b"x-content-type-options", b"nosniff"),
        (b"referrer-policy", b"no-referrer"),
        (b"cross-origin-opener-policy", b"same-origin"),
        (b"cache-control", b"no-store"),
        (b"permissions-policy", b"camera=(), microphone=(), geolocation=()"),
    ]


class Doorway:
    """Gives a request its id, and its answer the id and the security headers; stops a body that is too large.

    Parameters
    ----------
    app
        What lies behind.
    headers
        The security headers.
    largest_body
        In bytes; a larger one is refused before it is read, or as soon as it turns out to be larger.
    metrics
        Counts and times the requests.
    """

    def __init__(
        self, app: ASGIApp, headers: list[tuple[bytes, bytes]], largest_body: int, metrics: Metrics
    ) -> None:
        self.app = app
        self.headers = headers
        self._names = frozenset(name for name, _ in headers)
        self.largest_body = largest_body
        self.metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request through."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = dict(reversed(scope["headers"]))  # of two of one name the first counts
        request_id = _request_id(headers)
        scope.setdefault("state", {})["request_id"] = request_id
        path = undivided(scope.get("raw_path") or b"")
        if path is not None:
            scope["path"], scope["state"][SLASHED] = path, True
        status, started = 500, time.perf_counter()

        def send_dressed(message: Message) -> Awaitable[None]:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                self._dress(message, request_id)
            return send(message)

        self.metrics.running += 1
        try:
            if _announced(headers) > self.largest_body:
                answer = error_answer(request_id, 413, "too_large", _TOO_LARGE, _SMALLER)
                await answer(scope, receive, send_dressed)
            else:
                await self.app(scope, self._counted(receive), send_dressed)
        finally:
            self.metrics.running -= 1
            self._note(scope, status, time.perf_counter() - started, request_id)

    def _dress(self, message: Message, request_id: str) -> None:
        """Put on the headers that the answer does not wear already."""
        given, worn = message["headers"], self.headers
        names = {name for name, _ in given}
        if not self._names.isdisjoint(names):
            worn = [(name, value) for name, value in worn if name not in names]
        message["headers"] = [*given, *worn, (b"x-request-id", request_id.encode("ascii"))]

    def _note(self, scope: Scope, status: int, seconds: float, request_id: str) -> None:
        """Count a request, and log it by its route: never by its address, which may name a customer."""
        route = getattr(scope.get("route"), "path", "none")
        self.metrics.requests[scope["method"], route, str(status)] += 1
        self.metrics.stages["whole"].observe(seconds)
        level = logging.DEBUG if route == "none" and status < 400 else logging.INFO  # the page's own files
        if log.isEnabledFor(level):
            facts = {
                "request_id": request_id,
                "method": scope["method"],
                "route": route,
                "status": status,
                "ms": round(seconds * 1000, 2),
            }
            log.log(level, "request", extra={"facts": facts})

    def _counted(self, receive: Receive) -> Receive:
        """Count what comes in, for a body whose size was not announced, or not truly."""
        seen = 0

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > self.largest_body:
                raise HTTPException(413, _TOO_LARGE)
            return message

        return counted


def error_answer(
    request_id: str,
    status: int,
    code: str,
    message: str,
    hint: str = "",
    headers: dict[str, str] | None = None,
) -> Response:
    """Return an error in the one shape every error has."""
    body = {"code": code, "message": message, "hint": hint, "request_id": request_id}
    return Response(orjson.dumps({"error": body}), status, headers, media_type="application/json")


def _announced(headers: Mapping[bytes, bytes]) -> int:
    size = headers.get(b"content-length", b"")
    return int(size) if size.isdigit() else 0


def _request_id(headers: Mapping[bytes, bytes]) -> str:
    """Return the caller's request id when it is a plain word, else a new one."""
    given = headers.get(b"x-request-id")
    if given is not None and _ID.fullmatch(given):
        return bytes(given).decode("ascii")
    return CHANCE.hex(16)
