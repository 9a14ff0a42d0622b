"""What was decided, logged before it is answered; and the record as it is read back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Connection, select

from recommend.decision import Decision
from serving.live.messages import micros
from serving.store.database import Database
from serving.store.tables import decisions, outcomes


@dataclass(frozen=True, slots=True)
class Logged:
    """A decision as it was logged."""

    decision_id: str
    at: int
    customer_id: str
    agent_id: str
    record: dict[str, Any]


def as_row(decision: Decision, logged_at: int) -> dict[str, Any]:
    """Return a decision as the store keeps it: the record whole, with every candidate and its numbers.

    Parameters
    ----------
    decision
        What was decided.
    logged_at
        The wall clock, UTC microseconds; ``decision.at`` is business time.
    """
    return {
        "decision_id": decision.decision_id,
        "at": micros(decision.at),
        "logged_at": logged_at,
        "customer_id": decision.customer_id,
        "agent_id": decision.agent_id,
        "snapshot": decision.snapshot,
        "record": orjson.dumps(decision),
    }


def log_decisions(connection: Connection, rows: Sequence[dict[str, Any]]) -> list[None]:
    """Write decisions."""
    connection.execute(decisions.insert(), list(rows))
    return [None] * len(rows)


def find_decision(database: Database, decision_id: str) -> Logged | None:
    """Return a logged decision; None if there is none of that id."""
    rows = database.rows(select(decisions).where(decisions.c.decision_id == decision_id))
    if not rows:
        return None
    row = rows[0]
    return Logged(row.decision_id, row.at, row.customer_id, row.agent_id, orjson.loads(bytes(row.record)))


def outcomes_of(database: Database, decision_id: str) -> list[dict[str, Any]]:
    """Return what became of a decision, oldest first."""
    asked = select(outcomes).where(outcomes.c.decision_id == decision_id).order_by(outcomes.c.at)
    return [dict(row._mapping) for row in database.rows(asked)]
