"""What was decided, logged before it is answered; and the record as it is read back.

A decision weighs a hundred candidates, and most numbers of most of them are alike. They are kept by column,
a column of equals once, and texts that repeat once: a third of the bytes, with every digit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cache
from operator import attrgetter
from typing import Any, Final

import orjson
from sqlalchemy import Connection, select
from sqlalchemy.dialects import sqlite

from recommend.decision import Decision, Ranked
from serving.live.messages import micros
from serving.store.database import Database, Row, write_many
from serving.store.tables import decisions, outcomes


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


def pack(decision: Decision) -> bytes:
    """Return a decision as the log keeps it."""
    record = {name: getattr(decision, name) for name in _PLAIN}
    return orjson.dumps({**record, "candidates": _columns(decision.candidates)})


def unpack(raw: bytes) -> dict[str, Any]:
    """Return the record :func:`pack` wrote, each candidate whole again."""
    record: dict[str, Any] = orjson.loads(raw)
    packed = record["candidates"]
    count, texts = packed.pop("count"), packed.pop("texts")
    columns = {name: column * count if len(column) == 1 else column for name, column in packed.items()}
    for name in _TEXTS:
        columns[name] = [texts[place] for place in columns[name]]
    record["candidates"] = [{name: columns[name][place] for name in _CANDIDATE} for place in range(count)]
    return record


def _columns(candidates: Sequence[Ranked]) -> dict[str, Any]:
    """Return candidates by column."""
    texts: dict[Any, int] = {}
    columns: dict[str, Any] = {"count": len(candidates)}
    for name, read in _CANDIDATE.items():
        column = list(map(read, candidates))
        if name in _TEXTS:
            column = [texts.setdefault(value, len(texts)) for value in column]
        columns[name] = column[:1] if len(set(column)) == 1 else column
    columns["texts"] = list(texts)
    return columns


_LOGGED: Final = tuple(column.name for column in decisions.columns)
_PLAIN: Final = tuple(field.name for field in fields(Decision) if field.name != "candidates")
_CANDIDATE: Final = {field.name: attrgetter(field.name) for field in fields(Ranked)}
_TEXTS: Final = ("kind", "sources", "dropped_by", "reason")


def log_decisions(connection: Connection, rows: Sequence[Row]) -> list[None]:
    """Write decisions."""
    write_many(connection, decisions.insert(), _LOGGED, rows)
    return [None] * len(rows)


def log_at_once(rows: Sequence[Row]) -> tuple[str, Row]:
    """Return one statement of SQLite's that writes decisions, and its values."""
    return _insert_of(len(rows)), tuple(value for row in rows for value in row)


@cache
def _insert_of(count: int) -> str:
    row = f"({', '.join('?' * len(_LOGGED))})"
    one = str(decisions.insert().compile(dialect=sqlite.dialect(), column_keys=_LOGGED))
    return one.replace(row, ", ".join([row] * count))


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
