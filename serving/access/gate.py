"""The check every route passes before its body is read: who asks, may they, and not too often."""

from __future__ import annotations

import time
from collections.abc import Callable, Coroutine
from typing import Any, Final

from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.routing import Match
from starlette.types import Scope

from serving.access.curiosity import Curiosity
from serving.access.identity import LOCAL, Doorkeeper, Identity
from serving.access.limits import BAD_TRIES_PER_MINUTE, ROOM, Bucket, Room
from serving.access.roles import OPEN, may
from serving.addresses import SLASHED, key_of
from serving.refusals import NotAllowed, NotSignedIn, TooMany
from serving.settings import LOOPBACK, Settings

_LOOPBACK: Final = frozenset(name.encode() for name in LOOPBACK)


class Gate:
    """Lets in who may come in.

    Parameters
    ----------
    settings
        Whether sign-in is asked for, and the limits.
    doorkeeper
        Tells who asks.
    curiosity
        Counts the customers each agent asks about.
    room
        Returns memory to count in by its name and size, which all workers share.
    """

    def __init__(
        self,
        settings: Settings,
        doorkeeper: Doorkeeper,
        curiosity: Curiosity,
        room: Callable[[str, int], Room],
    ) -> None:
        security = settings.security
        self.sign_in = security.sign_in
        self._doorkeeper = doorkeeper
        self._requests = Bucket(security.requests_per_minute, time.monotonic, room("requests", ROOM))
        self._bad_tries = Bucket(BAD_TRIES_PER_MINUTE, time.monotonic, room("bad-tries", ROOM))
        self._curiosity = curiosity

    async def admit(self, request: Request, method: str, path: str) -> Identity:
        """Return who asks, if they may.

        Raises
        ------
        NotSignedIn, NotAllowed, TooMany
            If they may not.
        """
        if not self.sign_in:
            if request.url.hostname not in LOOPBACK:
                raise NotAllowed(
                    "Without sign-in the service answers to its loopback name only.",
                    hint="Open http://127.0.0.1, or set up sign-in.",
                )
            return LOCAL
        who = await self._recognise(request)
        wait = self._requests.take(who.subject)
        if wait:
            raise TooMany("Too many requests.", hint="Come back after Retry-After seconds.", retry_after=wait)
        if not may(who.role, who.scopes, method, path):
            raise NotAllowed(f"The role {who.role} may not do this.", hint="Ask an administrator.")
        customer = request.path_params.get("customer_id")
        if customer is not None:
            await self.ask_about(who, customer)
        return who

    async def ask_about(self, who: Identity, customer_id: str) -> None:
        """Count a question about a customer: :meth:`admit` does for those that stand in the address.

        Raises
        ------
        TooMany
            If an agent asked about too many customers.
        """
        if self.sign_in and who.role == "agent":
            await self._curiosity.ask(who.subject, customer_id)

    def at_once(self, host: bytes, authorization: bytes, path: str) -> Identity | None:
        """Return who posts to a route, if it can be told without waiting and they may; nothing is counted.

        None means neither yes nor no: :meth:`admit` decides and says why.

        Parameters
        ----------
        host, authorization
            The headers of these names; empty where missing.
        path
            The route's.
        """
        if not self.sign_in:
            return LOCAL if host.partition(b":")[0] in _LOOPBACK else None
        who = self._doorkeeper.holder(authorization)
        return who if who and may(who.role, who.scopes, "POST", path) else None

    def count(self, who: Identity, customer_id: str) -> bool:
        """Count a question of somebody :meth:`at_once` told; return whether it was not one too many.

        Where that cannot be told at once nothing is counted: :meth:`admit` does.
        """
        if not self.sign_in:
            return True
        if who.role == "agent" and not self._curiosity.knows(who.subject, customer_id):
            return False
        return not self._requests.take(who.subject)

    async def still_knows(self, request: Request) -> bool:
        """Return whether who asked may go on listening: a key may have ended since."""
        if not self.sign_in:
            return True
        try:
            await self._doorkeeper.who(request.headers.get("authorization", ""))
        except NotSignedIn:
            return False
        return True

    async def _recognise(self, request: Request) -> Identity:
        """Tell who asks; who guesses too often is told to wait.

        Many share an address: what one of them guesses never keeps the others' good keys out.
        """
        presented = request.headers.get("authorization", "")
        try:
            return await self._doorkeeper.who(presented)
        except NotSignedIn:
            address = request.client.host if request.client else ""
            if presented and self._bad_tries.take(address):
                raise TooMany("Too many failed sign-ins.", hint="Wait a minute.", retry_after=60) from None
            raise


class GatedRoute(APIRoute):
    """A route that is closed unless the list of routes opens it to whoever asks."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Compare with the address, and give back whole the keys whose slashes the doorway kept apart."""
        match, child = super().matches(scope)
        keys = child.get("path_params")
        if keys and scope.get("state", {}).get(SLASHED):
            child["path_params"] = {name: key_of(value) for name, value in keys.items()}
        return match, child

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Put the gate in front of the handler."""
        answer = super().get_route_handler()
        method, path = next(iter(sorted(self.methods or {"GET"}))), self.path
        is_open = (method, path) in OPEN

        async def handle(request: Request) -> Response:
            gate: Gate = request.app.state.gate
            who = LOCAL if is_open else await gate.admit(request, method, path)
            request.state.who = who
            return await answer(request)

        return handle
