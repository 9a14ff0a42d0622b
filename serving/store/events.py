"""Append events and move the profiles they are about, in one transaction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any, Final, Literal

import orjson
from sqlalchemy import Connection, bindparam, select, update
from sqlalchemy.dialects import sqlite

from models.forgotten import Pseudonyms
from serving.live.book import Book
from serving.live.messages import READERS, Message, from_micros
from serving.refusals import Unavailable
from serving.store.database import Row, named, rows_of, write_many
from serving.store.insert import insert_into
from serving.store.people import hold_back_erasures
from serving.store.tables import decisions, events, outcomes, profiles, suppressions

Taken = Literal["accepted", "duplicate", "conflict", "suppressed", "another_customer"]
_COLUMNS: Final = ("message_id", "digest", "customer_id", "kind", "body", "occurred_at", "received_at")
_MOVE: Final = (
    update(profiles)
    .where(profiles.c.customer_id == bindparam("who"))
    .values(book=bindparam("book"), changed_at=bindparam("changed_at"))
)
_INSERT: Final = sqlite.insert(profiles).values(
    customer_id=bindparam("who"), book=bindparam("book"), changed_at=bindparam("changed_at")
)
_KEEP: Final = _INSERT.on_conflict_do_update(
    index_elements=["customer_id"],
    set_={"book": _INSERT.excluded.book, "changed_at": _INSERT.excluded.changed_at},
)
_KNOWN: Final = select(events.c.message_id, events.c.digest).where(named(events.c.message_id))
_BOOKS: Final = select(profiles.c.customer_id, profiles.c.book).where(named(profiles.c.customer_id))
_MOST_NAMED: Final = 500  # placeholders of one statement


class EventLog:
    """Appends events exactly once and keeps each customer's book.

    Parameters
    ----------
    pseudonyms
        Names people that were erased, without naming them.
    """

    def __init__(self, pseudonyms: Pseudonyms) -> None:
        self._pseudonyms = pseudonyms

    def append(
        self, connection: Connection, batches: Sequence[tuple[Sequence[Message], int]]
    ) -> list[list[Taken]]:
        """Append batches of messages, each with when it was received; say for each message how it was taken.

        The same id again is a duplicate and changes nothing; the same id with other content is a conflict.
        """
        hold_back_erasures(connection)
        flat = [(message, received) for batch, received in batches for message in batch]
        known = self._known(connection, [message.message_id for message, _ in flat])
        erased = self._erased(connection, {message.customer_id for message, _ in flat})
        strangers = self._asked_about(connection, {_decision(message) for message, _ in flat} - {""})
        verdicts: list[Taken] = []
        new: list[tuple[Message, int]] = []
        for message, received in flat:
            verdict = _verdict(message, known, erased)
            if verdict == "accepted" and strangers.get(_decision(message), message.customer_id) != (
                message.customer_id
            ):
                verdict = "another_customer"
            if verdict == "accepted":
                known[message.message_id] = message.digest
                new.append((message, received))
            verdicts.append(verdict)
        lost = self._insert(connection, new)
        if lost:  # another machine wrote the same id between our look and our insert: perhaps something else
            written = self._known(connection, sorted(lost))
            if len(written) < len(lost):  # and it was erased since
                raise Unavailable("Another machine was at the same events.", hint="Send the same again.")
            verdicts = [
                _verdict(message, written, erased) if message.message_id in lost else verdict
                for (message, _), verdict in zip(flat, verdicts, strict=True)
            ]
            new = [(message, received) for message, received in new if message.message_id not in lost]
        _keep_outcomes(connection, [message for message, _ in new if message.kind == "outcome"])
        move_books(
            connection, [(m.customer_id, m.kind, m.entry, received, m.message_id) for m, received in new]
        )
        taken = iter(verdicts)
        return [list(islice(taken, len(batch))) for batch, _ in batches]

    def _known(self, connection: Connection, ids: Sequence[str]) -> dict[str, bytes]:
        if connection.dialect.name == "sqlite":
            return dict(rows_of(connection, _KNOWN, ids))
        found: dict[str, bytes] = {}
        for part in _parts(ids):
            asked = select(events.c.message_id, events.c.digest).where(events.c.message_id.in_(part))
            found |= {message_id: bytes(digest) for message_id, digest in connection.execute(asked)}
        return found

    def _erased(self, connection: Connection, customers: Iterable[str]) -> set[str]:
        if connection.execute(select(suppressions.c.at).limit(1)).first() is None:
            return set()
        by_digest = {self._pseudonyms.of(customer): customer for customer in customers}
        found = set()
        for part in _parts(list(by_digest)):
            asked = select(suppressions.c.digest).where(suppressions.c.digest.in_(part))
            found |= {by_digest[bytes(row[0])] for row in connection.execute(asked)}
        return found

    def _asked_about(self, connection: Connection, ids: Iterable[str]) -> dict[str, str]:
        """Return whom decisions are about; what is not in the log, or not any more, is left out."""
        found: dict[str, str] = {}
        for part in _parts(sorted(ids)):
            asked = select(decisions.c.decision_id, decisions.c.customer_id)
            rows = connection.execute(asked.where(decisions.c.decision_id.in_(part))).all()
            found |= dict([tuple(row) for row in rows])
        return found

    def _insert(self, connection: Connection, new: Sequence[tuple[Message, int]]) -> set[str]:
        """Insert new events; return the ids somebody else inserted first."""
        if not new:
            return set()
        rows: list[Row] = [
            (m.message_id, m.digest, m.customer_id, m.kind, m.body, m.occurred_at, received)
            for m, received in new
        ]
        if connection.dialect.name == "sqlite":  # the write lock is ours: nobody can be first
            write_many(connection, events.insert(), _COLUMNS, rows)
            return set()
        insert = insert_into(connection, events).on_conflict_do_nothing().returning(events.c.message_id)
        named = [dict(zip(_COLUMNS, row, strict=True)) for row in rows]
        written = set(connection.execute(insert, named).scalars())
        return {message.message_id for message, _ in new} - written


def _keep_outcomes(connection: Connection, messages: Sequence[Message]) -> None:
    """Put outcomes beside the decisions they belong to; an outcome told twice is kept once."""
    if not messages:
        return
    rows = [
        {
            "decision_id": _decision(message) or f"event:{message.message_id}"[:64],
            "customer_id": message.customer_id,
            "offer_id": message.entry[3],
            "outcome": message.entry[2],
            "at": message.entry[0],
            "reason": str(message.facts.get("reason") or ""),
            "amount": "" if message.facts.get("value") is None else str(message.facts["value"]),
            "agent_id": str(message.facts.get("agent_id") or "")[:200],
        }
        for message in messages
    ]
    connection.execute(insert_into(connection, outcomes).on_conflict_do_nothing(), rows)


def move_books(connection: Connection, entries: Sequence[tuple[str, str, list[Any], int, str]]) -> None:
    """Write entries ``customer, kind, entry, received_at, id`` into the books of their customers.

    Customers are locked in one order, so that no two machines ever wait for each other.
    """
    changed: dict[str, Book] = {}
    at: dict[str, int] = {}
    customers = sorted({entry[0] for entry in entries})
    _open_books(connection, customers, changed)
    for customer, kind, entry, received_at, name in entries:
        changed[customer].add(kind, entry, received_at, name)
        at[customer] = max(received_at, at.get(customer, 0))
    rows: list[Row] = [(changed[who].to_bytes(), at[who], who) for who in customers]
    keep = _KEEP if connection.dialect.name == "sqlite" else _MOVE
    write_many(connection, keep, ("book", "changed_at", "who"), rows)


def _open_books(connection: Connection, customers: Sequence[str], into: dict[str, Book]) -> None:
    """Read the books of customers, locked for this transaction; who has none yet gets an empty one."""
    if connection.dialect.name == "sqlite":  # the write lock is ours
        into |= {customer: Book.from_bytes(raw) for customer, raw in rows_of(connection, _BOOKS, customers)}
        into |= {customer: Book() for customer in customers if customer not in into}
        return
    if customers:
        empty = [{"customer_id": customer, "book": b"{}", "changed_at": 0} for customer in customers]
        connection.execute(insert_into(connection, profiles).on_conflict_do_nothing(), empty)
    for part in _parts(customers):
        asked = select(profiles.c.customer_id, profiles.c.book).where(profiles.c.customer_id.in_(part))
        for customer, raw in connection.execute(asked.order_by(profiles.c.customer_id).with_for_update()):
            into[customer] = Book.from_bytes(bytes(raw))


def recount(connection: Connection, customer_id: str) -> Book:
    """Write a customer's book from the start, from every event there is."""
    found: list[tuple[str, list[Any], int, str]] = []
    asked = select(events).where(events.c.customer_id == customer_id)
    for row in connection.execute(asked):
        raw = orjson.loads(row.body)
        kind, entry = READERS[raw["event"]](raw["properties"], from_micros(row.occurred_at))
        found.append((kind, entry, row.received_at, row.message_id))
    return Book.of_entries(found)


def _verdict(message: Message, known: dict[str, bytes], erased: set[str]) -> Taken:
    if message.customer_id in erased:
        return "suppressed"
    digest = known.get(message.message_id)
    if digest is None:
        return "accepted"
    return "duplicate" if digest == message.digest else "conflict"


def _decision(message: Message) -> str:
    """Return the decision an outcome says it belongs to; empty if none."""
    named = message.facts.get("decision_id") if message.kind == "outcome" else None
    return str(named or "")[:64]


def _parts(names: Sequence[Any]) -> Iterable[Sequence[Any]]:
    for start in range(0, len(names), _MOST_NAMED):
        yield names[start : start + _MOST_NAMED]
