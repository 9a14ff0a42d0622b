"""Access keys: shown once, kept as a keyed hash, with a role, scopes and an end."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass

from sqlalchemy import Connection, Row, case, select, update

from serving.store.database import Database
from serving.store.tables import keys


@dataclass(frozen=True, slots=True)
class Key:
    """A key as the store knows it: everything but the key.

    Parameters
    ----------
    key_id
        The part of the key that may be shown.
    digest
        Keyed hash of the secret part.
    owner
        Person or machine that holds it.
    role
        What they are: agent, marketer, data_scientist, admin or auditor.
    scopes
        What they may do beyond their role, such as ``pii:export``.
    created_at, expires_at, revoked_at
        UTC microseconds; None for never.
    """

    key_id: str
    digest: bytes
    owner: str
    role: str
    scopes: tuple[str, ...]
    created_at: int
    expires_at: int | None
    revoked_at: int | None

    def valid(self, at: int) -> bool:
        """Return whether the key opens anything at a moment."""
        return self.revoked_at is None and (self.expires_at is None or at < self.expires_at)


def digest_of(secret: bytes, password: str) -> bytes:
    """Return the keyed hash of the secret part of a key; it is long and random, so a fast hash is enough."""
    return hmac.digest(secret, b"key\x00" + password.encode(), hashlib.sha256)


def make_key(
    connection: Connection,
    secret: bytes,
    *,
    owner: str,
    role: str,
    scopes: tuple[str, ...] = (),
    at: int,
    expires_at: int | None = None,
) -> str:
    """Make a key and return it: it is never shown again.

    Parameters
    ----------
    secret
        Of this installation.
    """
    key_id, password = secrets.token_hex(6), secrets.token_urlsafe(32)
    connection.execute(
        keys.insert().values(
            key_id=key_id,
            digest=digest_of(secret, password),
            owner=owner,
            role=role,
            scopes=" ".join(scopes),
            created_at=at,
            expires_at=expires_at,
            revoked_at=None,
        )
    )
    return f"clv_{key_id}_{password}"


def end_key(connection: Connection, key_id: str, at: int) -> bool:
    """End a key at a moment, now or later; return whether there is one of that id that was not ended.

    A key that ends before that moment anyway ends as it was to: nothing here makes one last longer.
    """
    ends = case((keys.c.expires_at < at, keys.c.expires_at), else_=at)
    found = connection.execute(
        update(keys).where(keys.c.key_id == key_id, keys.c.revoked_at.is_(None)).values(expires_at=ends)
    )
    return found.rowcount == 1


def revoke(connection: Connection, key_id: str, at: int) -> bool:
    """End a key for good; return whether there is one of that id that was not revoked before."""
    asked = update(keys).where(keys.c.key_id == key_id, keys.c.revoked_at.is_(None))
    return connection.execute(asked.values(revoked_at=at)).rowcount == 1


def all_keys(database: Database) -> dict[str, Key]:
    """Return every key by its id."""
    return {row.key_id: _key(row) for row in database.few_rows(select(keys))}


def _key(row: Row[tuple[object, ...]]) -> Key:
    return Key(
        row.key_id,
        bytes(row.digest),
        row.owner,
        row.role,
        tuple(row.scopes.split()),
        row.created_at,
        row.expires_at,
        row.revoked_at,
    )
