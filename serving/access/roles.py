"""Every route and who may use it. A route that is not listed is refused to everybody."""

from __future__ import annotations

from typing import Final, Literal, get_args

Role = Literal["agent", "marketer", "data_scientist", "admin", "auditor", "machine"]
ROLES: Final[tuple[Role, ...]] = get_args(Role)

AGENT: Final = frozenset({"agent", "admin"})
MARKETER: Final = frozenset({"marketer", "admin"})
ADMIN: Final = frozenset({"admin"})
READERS: Final = frozenset({"auditor", "admin"})

# Method and path -> roles. A scope named beside them lets a machine's key in as well.
ACCESS: Final[dict[tuple[str, str], tuple[frozenset[str], str]]] = {
    ("GET", "/v1/customers/{customer_id}"): (AGENT | MARKETER, "customers:read"),
    ("POST", "/v1/customers/{customer_id}/next-best-offers"): (AGENT, "offers:decide"),
    ("GET", "/v1/segments"): (MARKETER | {"data_scientist"}, "segments:read"),
    ("GET", "/v1/segments/{name}/customers"): (MARKETER, "segments:export"),
    ("POST", "/v1/events"): (ADMIN, "events:write"),
    ("POST", "/v1/batch"): (ADMIN, "events:write"),
    ("GET", "/v1/decisions/{decision_id}"): (AGENT | READERS, "offers:decide"),
    ("POST", "/v1/decisions/{decision_id}/outcomes"): (AGENT, "outcomes:write"),
    ("POST", "/v1/conversations/{conversation_id}/messages"): (AGENT, "conversations:write"),
    ("GET", "/v1/conversations/{conversation_id}/hints"): (AGENT, "conversations:write"),
    ("GET", "/v1/generations/{name}"): (READERS | {"marketer", "data_scientist"}, "generations:read"),
    ("GET", "/v1/people/{customer_id}"): (ADMIN, "people:export"),
    ("DELETE", "/v1/people/{customer_id}"): (ADMIN, "people:erase"),
    ("GET", "/v1/audit"): (READERS, "audit:read"),
    ("GET", "/metrics"): (READERS | {"data_scientist"}, "metrics:read"),
}
SCOPES: Final = frozenset(scope for _, scope in ACCESS.values())

# Without a sign-in: nothing of a customer is in them.
OPEN: Final = frozenset({("GET", "/healthz"), ("GET", "/readyz"), ("GET", "/agent")})


def may(role: str, scopes: tuple[str, ...], method: str, path: str) -> bool:
    """Return whether somebody may use a route.

    Examples
    --------
    >>> may("agent", (), "GET", "/v1/segments/{name}/customers")
    False
    >>> may("machine", ("events:write",), "POST", "/v1/events")
    True
    """
    entry = ACCESS.get((method, path))
    if entry is None:
        return False
    roles, scope = entry
    return role in roles or scope in scopes
