"""Which offers, policies and segments were in force when: so that an old decision can still be explained.

Generations are pruned from the disk after a while; these documents stay, each kept once however often it was
published.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import orjson
from sqlalchemy import Connection, Table, select

from serving.store.database import Database
from serving.store.insert import insert_into
from serving.store.tables import offers, policies, segments, snapshots


def note_generation(
    connection: Connection,
    *,
    name: str,
    as_of: str,
    at: int,
    facts: Mapping[str, str],
    documents: Mapping[str, Any],
) -> None:
    """Remember that a generation came into use.

    Parameters
    ----------
    documents
        Under ``offers``, ``policies`` and ``segments``: what held, as plain values.
    """
    digests = {
        table.name: _keep(connection, table, documents.get(table.name))
        for table in (offers, policies, segments)
    }
    row = {"name": name, "as_of": as_of, "first_used_at": at, "facts": orjson.dumps(dict(facts)), **digests}
    connection.execute(insert_into(connection, snapshots).values(row).on_conflict_do_nothing())


def documents_of(database: Database, name: str) -> dict[str, Any]:
    """Return the offers, policies and segments of a generation that was in use; empty if it never was."""
    rows = database.rows(select(snapshots).where(snapshots.c.name == name))
    if not rows:
        return {}
    found = {}
    for table in (offers, policies, segments):
        digest = getattr(rows[0], table.name)
        document = database.rows(select(table.c.document).where(table.c.digest == digest))
        found[table.name] = orjson.loads(bytes(document[0][0]))
    return found


def _keep(connection: Connection, table: Table, document: object) -> bytes:
    raw = orjson.dumps(document, option=orjson.OPT_SORT_KEYS)
    digest = hashlib.blake2b(raw, digest_size=16).digest()
    connection.execute(
        insert_into(connection, table).values(digest=digest, document=raw).on_conflict_do_nothing()
    )
    return digest
