"""How long what was said is kept: old decisions, their outcomes, conversations and lookups are forgotten.

Events are not: values, limits and the uniqueness of an event's id rest on them. Nor is the audit trail.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Column, Connection, Table, delete, select

from serving.live.messages import micros
from serving.store.tables import conversations, decisions, lookups, outcomes

TOGETHER: Final = 100
"""Rows of a table forgotten in one transaction: who writes meanwhile waits for no more."""


def cutoff(now: datetime, keep_days: int) -> int:
    """Return the moment before which nothing is kept, in UTC microseconds.

    Parameters
    ----------
    now
        The wall clock.
    keep_days
        How long decisions and conversations are kept.

    Examples
    --------
    >>> from datetime import UTC
    >>> cutoff(datetime(1970, 1, 3, tzinfo=UTC), 1)
    86400000000
    """
    return micros(now - timedelta(days=keep_days))


def forget_old(connection: Connection, cutoffs: Sequence[int]) -> list[int]:
    """Forget the oldest of what is older than each of some moments; return how many rows went.

    An outcome goes with its decision. As many go as one transaction should take: call it again while it
    returns more than 0.

    Parameters
    ----------
    connection
        With an open transaction.
    cutoffs
        UTC microseconds.
    """
    return [_forget_decisions(connection, before) + _forget_talks(connection, before) for before in cutoffs]


def forget_lookups(connection: Connection, cutoffs: Sequence[int]) -> list[int]:
    """Forget the oldest lookups from before each of some moments; as :func:`forget_old` does."""
    key = lookups.c.sequence
    return [
        _forget(connection, lookups, key, _oldest(connection, key, lookups.c.at, before))
        for before in cutoffs
    ]


def _forget_decisions(connection: Connection, before: int) -> int:
    old = _oldest(connection, decisions.c.decision_id, decisions.c.logged_at, before)
    if old:
        connection.execute(delete(outcomes).where(outcomes.c.decision_id.in_(old)))
    return _forget(connection, decisions, decisions.c.decision_id, old)


def _forget_talks(connection: Connection, before: int) -> int:
    key = conversations.c.conversation_id
    return _forget(
        connection, conversations, key, _oldest(connection, key, conversations.c.changed_at, before)
    )


def _oldest(connection: Connection, key: Column[Any], at: Column[int], before: int) -> list[Any]:
    """Return the keys of the oldest rows, without those another machine is about to forget."""
    asked = select(key).where(at < before).order_by(at).limit(TOGETHER).with_for_update(skip_locked=True)
    return list(connection.execute(asked).scalars())


def _forget(connection: Connection, table: Table, key: Column[Any], names: Sequence[Any]) -> int:
    if not names:
        return 0
    return int(connection.execute(delete(table).where(key.in_(names))).rowcount)
