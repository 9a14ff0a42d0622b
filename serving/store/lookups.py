"""Which customers each agent asked about within the hour, by pseudonym: what all workers count together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from sqlalchemy import Connection, select

from serving.store.database import Database, write_many
from serving.store.tables import lookups

HOUR: Final = 3_600_000_000  # microseconds, after which they are no more counted, and forgotten


class Lookup(NamedTuple):
    """A question about a customer: who asked, the customer's pseudonym, and when (UTC microseconds)."""

    who: str
    name: bytes
    at: int


_NOTED: Final = Lookup._fields


def note_lookups(connection: Connection, noted: Sequence[Lookup]) -> list[None]:
    """Note questions; the same twice is no matter."""
    write_many(connection, lookups.insert(), _NOTED, noted)
    return [None] * len(noted)


def looked_up(database: Database, who: str, since: int) -> list[Lookup]:
    """Return what somebody asked after a moment, in the order in which it was noted.

    Raises
    ------
    Unavailable
        If the store does not answer.
    """
    asked = select(lookups.c.who, lookups.c.name, lookups.c.at).where(lookups.c.who == who)
    rows = database.few_rows(asked.where(lookups.c.at > since).order_by(lookups.c.sequence))
    return [Lookup(row.who, bytes(row.name), row.at) for row in rows]
