"""The short way to the one question asked all day: what to say next.

The ordinary case, a known caller with a well-formed question, is answered here without the framework's
routing and checking, which cost more than the decision. Whatever is not ordinary is handed to the route as it
came, so that the route stays the only place where anything is refused.
"""

from __future__ import annotations

from functools import partial
from typing import Final

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from clv.errors import ClvError
from serving.access.gate import Gate
from serving.access.identity import Identity
from serving.addresses import SLASHED
from serving.errors import explained
from serving.questions import Question, Questions
from serving.schemas import offers_json
from serving.service import Service

START: Final = "/v1/customers/"
END: Final = "/next-best-offers"
PATH: Final = f"{START}{{customer_id}}{END}"
_LONGEST: Final = 200
_JSON: Final = b"application/json"


class Express:
    """Answers the ordinary question; hands everything else on.

    Parameters
    ----------
    app
        What lies behind: every route.
    service
        Decides.
    gate
        Tells who asks, as it does for the routes.
    """

    def __init__(self, app: ASGIApp, service: Service, gate: Gate) -> None:
        self.app = app
        self.service = service
        self.gate = gate
        self._questions = Questions()
        self._tell = partial(offers_json, refused_limit=service.settings.serving.refused_limit)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or hand it on."""
        customer_id = _asked_about(scope)
        who = self._who(scope) if customer_id else None
        if customer_id is None or who is None:
            await self.app(scope, receive, send)
            return
        first = await receive()
        question = self._question(first, who)
        if question is None or not self.gate.count(who, customer_id):
            await self.app(scope, _again(first, receive), send)
            return
        scope["route"] = self
        try:
            body = await self.service.decide(customer_id, question.context, self._tell, question.text)
        except ClvError as error:
            await explained(Request(scope), error)(scope, receive, send)
            return
        headers = [(b"content-length", b"%d" % len(body)), (b"content-type", _JSON)]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    @property
    def path(self) -> str:
        """Path of the route this stands in for, as counts and log lines name it."""
        return PATH

    def _who(self, scope: Scope) -> Identity | None:
        """Return who asks, if that can be told at once and they send JSON of an announced size."""
        headers = dict(reversed(scope["headers"]))  # of two of one name the first counts
        size = headers.get(b"content-length")
        plain = size and (headers.get(b"content-type") == _JSON or size == b"0")
        if not plain:
            return None
        return self.gate.at_once(headers.get(b"host", b""), headers.get(b"authorization", b""), PATH)

    def _question(self, message: Message, who: Identity) -> Question | None:
        """Return the question of a body that came in one piece; None if it cannot be read."""
        if message["type"] != "http.request" or message.get("more_body"):
            return None
        return self._questions.read(message.get("body", b""), who.subject)


def _asked_about(scope: Scope) -> str | None:
    """Return the customer a question is about; None if it is another request, or an uncommon one."""
    if scope["type"] != "http" or scope["method"] != "POST":
        return None
    path: str = scope["path"]
    if not (path.startswith(START) and path.endswith(END)) or scope["query_string"]:
        return None
    customer_id = path[len(START) : -len(END)]
    plain = (
        0 < len(customer_id) <= _LONGEST
        and customer_id.isprintable()
        and "/" not in customer_id
        and SLASHED not in scope["state"]
    )
    return customer_id if plain else None


def _again(first: Message, receive: Receive) -> Receive:
    """Return what gives a message that was received already once more, then the following ones."""
    given = [first]

    async def again() -> Message:
        return given.pop() if given else await receive()

    return again
