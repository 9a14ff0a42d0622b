"""What was decided, logged before it is answered; and the record as it is read back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from sqlalchemy import Connection, select
from sqlalchemy.dialects import sqlite

from recommend.decision import Decision
from serving.live.messages import micros
from serving.store.database import Database, Row, of_many, write_many
from serving.store.record import pack, unpack
from serving.store.tables import decisions, outcomes

__all__ = [
    "Logged",
    "as_row",
    "find_decision",
    "log_at_once",
    "log_decisions",
    "outcomes_of",
    "pack",
    "unpack",
]


@dataclass(frozen=True, slots=True)
class Logged:
    """A decision as it was logged."""

    decision_id: str
    at: int
    customer_id: str
    agent_id: str
    record: dict[str, Any]


def as_row(decision: Decision, logged_at: int) -> Row:
    """Return a decision as the store keeps it: the record whole, with every candidate and its numbers.

    Parameters
    ----------
    decision
        What was decided.
    logged_at
        The wall clock, UTC microseconds; ``decision.at`` is business time.
    """
    return (
        decision.decision_id,
        micros(decision.at),
        logged_at,
        decision.customer_id,
        decision.agent_id,
        decision.snapshot,
        pack(decision),
    )


_LOGGED: Final = tuple(column.name for column in decisions.columns)


def log_decisions(connection: Connection, rows: Sequence[Row]) -> list[None]:
    """Write decisions."""
    write_many(connection, decisions.insert(), _LOGGED, rows)
    return [None] * len(rows)


def log_at_once(rows: Sequence[Row]) -> tuple[str, Row]:
    """Return one statement of SQLite's that writes decisions, and its values."""
    return _insert_of(len(rows)), tuple(value for row in rows for value in row)


@cache
def _insert_of(count: int) -> str:
    one = decisions.insert().compile(dialect=sqlite.dialect(), column_keys=_LOGGED)
    return of_many(str(one), count)


def find_decision(database: Database, decision_id: str) -> Logged | None:
    """Return a logged decision; None if there is none of that id."""
    rows = database.few_rows(select(decisions).where(decisions.c.decision_id == decision_id))
    if not rows:
        return None
    row = rows[0]
    return Logged(row.decision_id, row.at, row.customer_id, row.agent_id, unpack(bytes(row.record)))


def outcomes_of(database: Database, decision_id: str) -> list[dict[str, Any]]:
    """Return what became of a decision, oldest first."""
    asked = select(outcomes).where(outcomes.c.decision_id == decision_id).order_by(outcomes.c.at)
    return [dict(row._mapping) for row in database.few_rows(asked)]
