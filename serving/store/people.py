"""Everything held about a person: handed out, erased, and not taken back afterwards."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any, Final

import orjson
from sqlalchemy import Connection, Table, delete, select
from sqlalchemy.dialects import postgresql, sqlite

from serving.store.database import Database
from serving.store.decisions import unpack
from serving.store.tables import conversations, decisions, events, outcomes, profiles, suppressions

_PERSON: Final = b"person\x00"  # with which models.forgotten begins what it hashes

HELD_IN: Final[tuple[Table, ...]] = (events, profiles, decisions, outcomes, conversations)


class Pseudonyms:
    """Names for people that only the holder of the secret can tell: a keyed hash of the id.

    Parameters
    ----------
    secret
        Of this installation; with another one every name is another.
    """

    def __init__(self, secret: bytes) -> None:
        self._begun = hmac.new(secret, _PERSON, hashlib.sha256)

    def of(self, customer_id: str) -> bytes:
        """Return the name of a person, as :func:`models.forgotten.pseudonym` does for any secret."""
        name = self._begun.copy()
        name.update(customer_id.encode())
        return name.digest()


def export(database: Database, customer_id: str) -> dict[str, list[dict[str, Any]]]:
    """Return every row of every table about a person, by table."""
    return {
        table.name: [
            {name: _plain(table.name, name, value) for name, value in row._mapping.items()}
            for row in database.rows(select(table).where(table.c.customer_id == customer_id))
        ]
        for table in HELD_IN
    }


def erase(connection: Connection, customer_id: str, name: bytes, at: int) -> dict[str, int]:
    """Delete every row about a person and remember, without naming them, not to take them back.

    Returns
    -------
    dict
        Rows deleted, by table.
    """
    gone = {
        table.name: connection.execute(delete(table).where(table.c.customer_id == customer_id)).rowcount
        for table in HELD_IN
    }
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    connection.execute(insert(suppressions).values(digest=name, at=at).on_conflict_do_nothing())
    return gone


def suppressed(database: Database) -> frozenset[bytes]:
    """Return the names of everybody who was erased."""
    return frozenset(bytes(row[0]) for row in database.rows(select(suppressions.c.digest)))


def _plain(table: str, name: str, value: Any) -> Any:  # noqa: ANN401
    if not isinstance(value, bytes):
        return value
    if (table, name) == (decisions.name, "record"):
        return unpack(value)
    try:
        return orjson.loads(value)
    except orjson.JSONDecodeError:
        return value.hex()
