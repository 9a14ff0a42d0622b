"""Everything held about a person: handed out, erased, and not taken back afterwards."""

from __future__ import annotations

from typing import Any, Final

import orjson
from sqlalchemy import ColumnElement, Connection, Table, delete, select, text

from serving.store.database import Database
from serving.store.decisions import unpack
from serving.store.insert import insert_into
from serving.store.tables import (
    conversations,
    decisions,
    events,
    lookups,
    outcomes,
    profiles,
    suppressions,
)

_ERASING: Final = 7_203_513
HELD_IN: Final[tuple[Table, ...]] = (events, profiles, decisions, outcomes, conversations, lookups)


def export(database: Database, customer_id: str, name: bytes) -> dict[str, list[dict[str, Any]]]:
    """Return every row of every table about a person, by table.

    Parameters
    ----------
    customer_id, name
        Whom, and their pseudonym.
    """
    return {
        table.name: [
            {column: _plain(table.name, column, value) for column, value in row._mapping.items()}
            for row in database.rows(select(table).where(_about(table, customer_id, name)))
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
    if connection.dialect.name != "sqlite":  # there the write lock is ours
        connection.execute(text(f"SELECT pg_advisory_xact_lock({_ERASING})"))
    gone = {
        table.name: connection.execute(delete(table).where(_about(table, customer_id, name))).rowcount
        for table in HELD_IN
    }
    connection.execute(
        insert_into(connection, suppressions).values(digest=name, at=at).on_conflict_do_nothing()
    )
    return gone


def _about(table: Table, customer_id: str, name: bytes) -> ColumnElement[bool]:
    """Return what is true of a person's rows: some tables know them by their pseudonym only."""
    if table is lookups:
        return table.c.name == name
    return table.c.customer_id == customer_id


def hold_back_erasures(connection: Connection) -> None:
    """Let nobody be erased until this transaction ends: what it looks up stays true for what it writes.

    On PostgreSQL an erasure in between would not see the rows, and they would stay.
    """
    if connection.dialect.name != "sqlite":
        connection.execute(text(f"SELECT pg_advisory_xact_lock_shared({_ERASING})"))


def suppressed(database: Database) -> frozenset[bytes]:
    """Return the names of everybody who was erased, or fail soon."""
    return frozenset(bytes(row[0]) for row in database.few_rows(select(suppressions.c.digest)))


def _plain(table: str, name: str, value: Any) -> Any:  # noqa: ANN401
    if not isinstance(value, bytes):
        return value
    if (table, name) == (decisions.name, "record"):
        return unpack(value)
    try:
        return orjson.loads(value)
    except orjson.JSONDecodeError:
        return value.hex()
