"""What a conversation is about so far, and the last answer given in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Connection, select, update

from serving.store.database import Database, Row
from serving.store.decisions import log_decisions
from serving.store.insert import insert_into
from serving.store.tables import conversations


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation after some turn.

    Parameters
    ----------
    conversation_id
        As the helpdesk names it.
    owner
        Who opened it; nobody else sees it but an administrator.
    customer_id
        Whom it is with.
    turn
        How many messages were heard.
    state
        What was gathered: intent, topic, sentiment, mentions, and whether a complaint is open in it.
    answer
        The last answer, as JSON.
    changed_at
        UTC microseconds.
    """

    conversation_id: str
    owner: str
    customer_id: str
    turn: int
    state: dict[str, Any]
    answer: bytes
    changed_at: int


def keep(connection: Connection, turns: Sequence[tuple[Conversation, Row]]) -> list[bool]:
    """Write conversations, each over the turn before, and log the decisions that answer.

    Where two messages of a conversation are heard at once, the second to come finds another turn: its
    decision is not logged, for nobody is answered by it.

    Parameters
    ----------
    connection
        With an open transaction.
    turns
        Conversations after their turns, each with its decision as the store keeps it.

    Returns
    -------
    list[bool]
        Whether it was still the turn before.
    """
    kept = [_keep(connection, conversation) for conversation, _ in turns]
    log_decisions(connection, [decision for (_, decision), held in zip(turns, kept, strict=True) if held])
    return kept


def _keep(connection: Connection, one: Conversation) -> bool:
    row = {
        "conversation_id": one.conversation_id,
        "owner": one.owner,
        "customer_id": one.customer_id,
        "turn": one.turn,
        "state": orjson.dumps(one.state),
        "answer": one.answer,
        "changed_at": one.changed_at,
    }
    if one.turn == 1:
        first = insert_into(connection, conversations).values(row).on_conflict_do_nothing()
        return connection.execute(first.returning(conversations.c.turn)).first() is not None
    before = (conversations.c.conversation_id == one.conversation_id) & (conversations.c.turn == one.turn - 1)
    return connection.execute(update(conversations).where(before).values(row)).rowcount == 1


def find(database: Database, conversation_id: str) -> Conversation | None:
    """Return a conversation; None if nothing was heard in it yet."""
    rows = database.few_rows(select(conversations).where(conversations.c.conversation_id == conversation_id))
    if not rows:
        return None
    row = rows[0]
    return Conversation(
        row.conversation_id,
        row.owner,
        row.customer_id,
        row.turn,
        orjson.loads(bytes(row.state)),
        bytes(row.answer),
        row.changed_at,
    )
