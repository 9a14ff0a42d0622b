"""Every table of the store, spelled once for both databases.

Times are UTC microseconds since 1970 as integers, so that both databases order and compare them alike.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, MetaData, String, Table, Text

metadata: Final = MetaData()

_Id = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers rows by itself only for INTEGER

events: Final = Table(
    "events",
    metadata,
    Column("sequence", _Id, primary_key=True, autoincrement=True),
    Column("message_id", String(200), nullable=False, unique=True),
    Column("digest", LargeBinary(16), nullable=False),
    Column("customer_id", String(200), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("occurred_at", BigInteger, nullable=False),
    Column("received_at", BigInteger, nullable=False),
    Index("events_of_customer", "customer_id"),
)

profiles: Final = Table(
    "profiles",
    metadata,
    Column("customer_id", String(200), primary_key=True),
    Column("book", LargeBinary, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
)

decisions: Final = Table(
    "decisions",
    metadata,
    Column("decision_id", String(64), primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("logged_at", BigInteger, nullable=False),
    Column("customer_id", String(200), nullable=False),
    Column("agent_id", String(200), nullable=False),
    Column("snapshot", String(100), nullable=False),
    Column("record", LargeBinary, nullable=False),
    Index("decisions_of_customer", "customer_id"),
    Index("decisions_in_order", "logged_at"),
)

outcomes: Final = Table(
    "outcomes",
    metadata,
    Column("sequence", _Id, primary_key=True, autoincrement=True),
    Column("decision_id", String(64), nullable=False),
    Column("customer_id", String(200), nullable=False),
    Column("offer_id", String(200), nullable=False),
    Column("outcome", String(20), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
    Column("amount", Text, nullable=False),
    Column("agent_id", String(200), nullable=False),
    Index("one_outcome_of_a_kind", "decision_id", "offer_id", "outcome", unique=True),
    Index("outcomes_of_customer", "customer_id"),
)

conversations: Final = Table(
    "conversations",
    metadata,
    Column("conversation_id", String(200), primary_key=True),
    Column("owner", String(200), nullable=False),
    Column("customer_id", String(200), nullable=False),
    Column("turn", Integer, nullable=False),
    Column("state", LargeBinary, nullable=False),
    Column("answer", LargeBinary, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
    Index("conversations_of_customer", "customer_id"),
    Index("conversations_in_order", "changed_at"),
)

snapshots: Final = Table(
    "snapshots",
    metadata,
    Column("name", String(100), primary_key=True),
    Column("as_of", String(10), nullable=False),
    Column("first_used_at", BigInteger, nullable=False),
    Column("facts", LargeBinary, nullable=False),
    Column("offers", LargeBinary(16), nullable=False),
    Column("policies", LargeBinary(16), nullable=False),
    Column("segments", LargeBinary(16), nullable=False),
)


def _documents(name: str) -> Table:
    """Return a table of documents kept once each, by their hash."""
    return Table(
        name,
        metadata,
        Column("digest", LargeBinary(16), primary_key=True),
        Column("document", LargeBinary, nullable=False),
    )


offers: Final = _documents("offers")
policies: Final = _documents("policies")
segments: Final = _documents("segments")

keys: Final = Table(
    "keys",
    metadata,
    Column("key_id", String(32), primary_key=True),
    Column("digest", LargeBinary(32), nullable=False),
    Column("owner", String(200), nullable=False),
    Column("role", String(30), nullable=False),
    Column("scopes", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=True),
    Column("revoked_at", BigInteger, nullable=True),
)

audit: Final = Table(
    "audit",
    metadata,
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("at", BigInteger, nullable=False),
    Column("actor", String(200), nullable=False),
    Column("action", String(60), nullable=False),
    Column("subject", String(200), nullable=False),
    Column("detail", Text, nullable=False),
    Column("digest", LargeBinary(32), nullable=False),
)

seals: Final = Table(
    "seals",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("lines", BigInteger, nullable=False),
    Column("seal", LargeBinary(32), nullable=False),
)

lookups: Final = Table(
    "lookups",
    metadata,
    Column("sequence", _Id, primary_key=True, autoincrement=True),
    Column("who", String(200), nullable=False),
    Column("name", LargeBinary(32), nullable=False),
    Column("at", BigInteger, nullable=False),
    Index("lookups_of_somebody", "who", "at"),
    Index("lookups_of_customer", "name"),
    Index("lookups_in_order", "at"),
)

suppressions: Final = Table(
    "suppressions",
    metadata,
    Column("digest", LargeBinary(32), primary_key=True),
    Column("at", BigInteger, nullable=False),
)
